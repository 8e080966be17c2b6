# What every part of tests/run needs: where things are, how to speak, how to get packages and tools. Sourced, not run.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$root/$target ;; esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/martlet
mkdir -p "$cache" "$target"
cd "$root"

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Says what a part did not check. tests/run repeats these lines in its summary, so that nothing is skipped in silence.
note() {
    printf 'note: %s\n' "$*"
    if [ -n "${MARTLET_NOTES:-}" ]; then printf '%s\n' "$*" >>"$MARTLET_NOTES"; fi
}

# Runs a step of a package manager and names it when it fails; its output is shown only then.
step() {
    local what=$1 log
    shift
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        die "this step failed: $what"
    fi
    rm -f "$log"
}

# alone FOLDER/NAME COMMAND...: runs it while no other part runs anything of that name. None of its processes that stay keeps the lock.
alone() { (flock 9; "${@:2}" 9>&-) 9>"$1.lock"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Installs those of the Debian packages that are missing.
apt_need() {
    local missing=() package
    for package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "these packages are needed and this is no Debian system: ${missing[*]}"
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
        die "as root, run: apt-get install ${missing[*]}"
    fi
    say "installing with apt-get: ${missing[*]}"
    alone "$cache/apt" apt_install "${missing[@]}"
}

apt_install() {
    step 'apt-get update' as_root apt-get update -q
    step "apt-get install $*" as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# Installs the Debian packages unless the command is there, from wherever it came.
apt_need_command() {
    local command=$1
    shift
    command -v "$command" >/dev/null || apt_need "$@"
}

# Builds a tool with cargo install into the cache, once per version, and puts it on the path.
cargo_tool() {
    local name=$1 version=$2 prefix
    prefix=$cache/cargo/$name-$version
    if [ ! -x "$prefix/bin/$name" ]; then
        say "building $name $version with cargo install"
        # Built without optimisation: that takes a third of the time, and none of them has much to do here.
        step "cargo install $name $version" env -u CARGO_TARGET_DIR -u RUSTFLAGS CARGO_PROFILE_DEV_DEBUG=0 \
            cargo install --quiet --debug --locked --root "$prefix" --version "$version" "$name"
    fi
    PATH=$prefix/bin:$PATH
}

# Rust links with the system's C compiler.
need_linker() { apt_need_command cc gcc libc6-dev; }

# A folder of the cache, made from files: prints its path, and succeeds if it was already made from just these.
# The maker ends with `cached_done`, so that a maker that was stopped half-way starts anew.
cached() {
    local name=$1 key
    shift
    key=$(cat -- "$@" | sha256sum | cut -c1-12)
    printf '%s\n' "$cache/$name-$key"
    [ -e "$cache/$name-$key/.done" ]
}

cached_done() { touch "$1/.done"; }

# A Python 3 with the packages of tests/interop/requirements.txt; sets `python`.
need_python() {
    if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then apt_need python3 python3-venv; fi
    alone "$cache/python" make_python
    python=$(cached venv tests/interop/requirements.txt)/bin/python
    # No caches of compiled modules beside the sources.
    export PYTHONDONTWRITEBYTECODE=1
}

make_python() {
    local venv
    if ! venv=$(cached venv tests/interop/requirements.txt); then
        say 'installing the Python packages with pip'
        rm -rf "$venv"
        step 'python3 -m venv' python3 -m venv "$venv"
        step 'pip install -r tests/interop/requirements.txt' "$venv/bin/python" -m pip install \
            --quiet --disable-pip-version-check --no-deps -r tests/interop/requirements.txt
        cached_done "$venv"
    fi
}

# Node.js with the packages of tests/interop/package.json, found by require() through NODE_PATH.
need_node() {
    apt_need_command node nodejs
    alone "$cache/node" make_node
    NODE_PATH=$(cached node tests/interop/package.json)/node_modules
    export NODE_PATH
}

make_node() {
    local modules
    if ! modules=$(cached node tests/interop/package.json); then
        apt_need_command npm npm
        say 'installing the Node.js packages with npm'
        rm -rf "$modules"
        mkdir -p "$modules"
        cp tests/interop/package.json "$modules/"
        step 'npm install of tests/interop/package.json' env -C "$modules" \
            npm install --no-audit --no-fund --no-package-lock --ignore-scripts --loglevel=error
        cached_done "$modules"
    fi
}

# A part of the Rust toolchain that rustup's minimal profile leaves out.
need_component() {
    if ! cargo "${1/rustfmt/fmt}" --version >/dev/null 2>&1; then
        rustup_add component "$1"
    fi
}

# rustup_add component NAME, rustup_add target NAME: which rustup does not do twice at a time.
rustup_add() { step "rustup $1 add $2" alone "$cache/rustup" rustup "$1" add "$2"; }
