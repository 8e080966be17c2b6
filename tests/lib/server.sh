# Builds the release binary, starts it on free ports, waits for it by connecting, and stops it at the end. Sourced, not run.
# shellcheck shell=bash
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

server_pids=()

# Sets `martlet` to the binary: the one of MARTLET_BIN if that is set, otherwise a fresh release build with the features of default.
need_binary() {
    if [ -n "${MARTLET_BIN:-}" ]; then
        martlet=$MARTLET_BIN
        note "MARTLET_BIN is set: $martlet was tested, not this tree's build"
        return
    fi
    need_linker
    alone "$target/server" build_binary default-features
    martlet=$target/default-features/martlet
}

# Sets `martlet_with_all` to a release build with the features that are off by default.
need_binary_with_all() {
    need_linker
    alone "$target/server" build_binary all-features --features tls,zlib-rs
    martlet_with_all=$target/all-features/martlet
}

# build_binary FOLDER [CARGO-ARGUMENT...]: most of what the builds with other features are made of is the same, so that all are made at one
# place, from which each is copied. A program that runs, or that another part is about to start, is not written over: the new one takes its name.
build_binary() {
    cargo build --release --quiet --package martlet-std --bin martlet "${@:2}"
    mkdir -p "$target/$1"
    cp "$target/release/martlet" "$target/$1/martlet.new"
    mv "$target/$1/martlet.new" "$target/$1/martlet"
}

port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port that nobody listens on, below the range from which the kernel takes the ports of outgoing connections. What tests/run runs beside
# each other begins at a MARTLET_PORTS of its own.
free_port() {
    local port
    while :; do
        port=$((${MARTLET_PORTS:-20000} + RANDOM % 6000))
        port_answers "$port" || break
    done
    printf '%s\n' "$port"
}

# start_server LOG [ARGUMENTS...]: sets `server_port`; may be called several times. The words in `server_prefix` go before the command.
server_prefix=()
start_server() {
    local log=$1
    shift
    server_port=$(free_port)
    start_program "$log" "${server_prefix[@]}" "$martlet" serve --listen "127.0.0.1:$server_port" "$@"
}

# start_program LOG COMMAND...: the same for any program, which is to listen on `server_port`.
start_program() {
    local log=$1 deadline
    shift
    "$@" >"$log" 2>&1 &
    server_pids+=($!)
    trap stop_servers EXIT
    deadline=$((SECONDS + 20))
    until port_answers "$server_port"; do
        if ! kill -0 "${server_pids[-1]}" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
            cat "$log" >&2
            die 'the server does not listen'
        fi
        sleep 0.02
    done
}

# What a server's exit code must be when it was stopped: 143 for programs that leave SIGTERM to the system.
server_ends_with=0
# Stops the servers as a service manager does; fails if one does not end well.
stop_servers() {
    local pids=("${server_pids[@]}") pid status deadline=$((SECONDS + 20))
    server_pids=()
    for pid in "${pids[@]}"; do
        status=0
        kill -TERM "$pid" 2>/dev/null || true
        while kill -0 "$pid" 2>/dev/null; do
            if [ "$SECONDS" -ge "$deadline" ]; then
                say 'the server ignores SIGTERM'
                kill -KILL "$pid" 2>/dev/null || true
            fi
            sleep 0.02
        done
        wait "$pid" || status=$?
        [ "$status" = "$server_ends_with" ] || die "the server ended with exit code $status"
    done
}
