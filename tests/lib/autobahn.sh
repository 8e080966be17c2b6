# Runs Autobahn's fuzzing client, two beside each other, each against a server of its own. Sourced, not run.
# shellcheck shell=bash
source "$(dirname "${BASH_SOURCE[0]}")/server.sh"

# The largest message of group 9 has 16 MiB.
max_message_bytes=20000000
# A server that hangs costs the suite a timeout for each case.
patience=1800

fuzz=$(alone "$cache/autobahn" tests/autobahn/install)
reports=$target/$(basename "$0")
rm -rf "$reports"
mkdir -p "$reports"
"$fuzz" --list >"$reports/cases.txt"
# By its name the process of each run that is under way, and the cases of each.
declare -A clients=() cases=()

end_all() {
    kill "${clients[@]}" 2>/dev/null || true
    stop_servers
}

# run NAME [SERVER-OPTION...] -- PATTERN...: begins a run of the cases that match against the release binary, with its reports in a
# directory of that name.
run() {
    local name=$1 options=()
    shift
    judge 1
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    start_server "$reports/$name.log" --package-max-length "$max_message_bytes" --websocket-compression true "${options[@]}"
    visit "$name" "$@"
}

# visit NAME PATTERN...: the same against what listens on `server_port`.
visit() {
    local name=$1
    shift
    mkdir "$reports/$name"
    printf '{"outdir": "%s", "servers": [{"agent": "martlet", "url": "ws://127.0.0.1:%s"}], "cases": [%s], "exclude-cases": [], "exclude-agent-cases": {}}\n' \
        "$reports/$name" "$server_port" "$(printf '"%s"\n' "$@" | paste -sd ,)" >"$reports/$name/spec.json"
    timeout "$patience" "$fuzz" "$reports/$name/spec.json" >"$reports/$name/client.log" 2>&1 &
    begun "$name" $! "$@"
}

# begun NAME PROCESS PATTERN...
begun() {
    clients[$1]=$2
    cases[$1]=$(printf '%s\n' "${@:3}")
    trap end_all EXIT
}

# judge [COUNT]: waits until no more than COUNT runs are under way, by default none, and judges what those found that have ended.
judge() {
    local count=${1:-0} name patterns
    while [ "${#clients[@]}" -gt "$count" ]; do
        sleep 0.2
        for name in "${!clients[@]}"; do
            if kill -0 "${clients[$name]}" 2>/dev/null; then continue; fi
            wait "${clients[$name]}" || { tail -n 20 "$reports/$name/client.log" >&2; die "the run of $name did not end well"; }
            unset "clients[$name]"
            say "reports: $reports/$name/index.html"
            mapfile -t patterns <<<"${cases[$name]}"
            python3 tests/autobahn/check.py "$reports/$name/index.json" "$reports/cases.txt" "${patterns[@]}"
        done
    done
    if [ "$count" = 0 ]; then stop_servers; fi
}
