# Programs of tests/embedded-link for thumbv7m: building them, and looking at their symbols. Sourced after common.sh.
# shellcheck shell=bash

# Debian's own Rust comes with the standard library's source, from which `core` is built for a target that it does not ship.
apt_need rustc-web cargo-web rust-web-src binutils-arm-none-eabi
export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR=$target/embedded-link
unset RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
binaries=$CARGO_TARGET_DIR/thumbv7m-none-eabi/release

# What stays in a program that can panic, and what draws formatting or an allocator in.
forbidden='panic|core::fmt|unwrap_failed|expect_failed|slice_.*fail|str_.*fail|begin_unwind|bounds_check|option::.*failed|__rust_alloc'

# The versions are those of the workspace: its lock file is where this build's begins.
export CARGO_RESOLVER_LOCKFILE_PATH=$CARGO_TARGET_DIR/Cargo.lock
mkdir -p "$CARGO_TARGET_DIR"
cp Cargo.lock "$CARGO_RESOLVER_LOCKFILE_PATH"

build() {
    (cd tests/embedded-link &&
        /usr/bin/cargo build --release --quiet -Z lockfile-path -Z build-std=core --target thumbv7m-none-eabi "$@")
}
symbols() { arm-none-eabi-nm --demangle "$binaries/$1"; }
# The calls of what should not be there.
callers() {
    arm-none-eabi-objdump --disassemble --demangle "$binaries/$1" |
        awk -v forbidden="<.*($forbidden).*>" '/^[0-9a-f]+ <.*>:$/ { from = $0 } /\tb/ && $0 ~ forbidden { print "  " from, $0 }'
}
# The search reads to the end: who stops at what it looked for leaves the other program writing to nobody, which is an error too.
linked() { symbols "$1" | grep ' T reset$' >/dev/null || die "$1: the entry point is missing, nothing was linked"; }
