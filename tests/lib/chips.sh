# Builds programs of examples/cortex-m3 for chips, and has the QEMU that runs them. Sourced, not run.
# shellcheck shell=bash
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

firmware=$root/examples/cortex-m3
firmware_target=$target/firmware

need_chips() {
    apt_need binutils-arm-none-eabi
    apt_need_command qemu-system-arm qemu-system-arm
    apt_need_command qemu-system-riscv32 qemu-system-misc
}

# build_firmware TARGET [CARGO-ARGUMENT...]: sets `built` to the folder of the programs. By rustup's `core` for the target if that is there.
build_firmware() {
    local triple=$1 linker
    shift
    built=$firmware_target/$triple/release
    local cargo=(env -C "$firmware" -u RUSTFLAGS -u CARGO_BUILD_RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR="$firmware_target")
    if [ -d "$(rustc --print sysroot)/lib/rustlib/$triple/lib" ]; then
        "${cargo[@]}" cargo build --release --quiet --target "$triple" "$@"
        return
    fi
    # Debian's own Rust comes with the standard library's source, from which `core` is built for targets that it does not ship.
    apt_need rustc-web cargo-web rust-web-src lld
    linker=CARGO_TARGET_$(tr 'a-z-' 'A-Z_' <<<"$triple")_LINKER
    "${cargo[@]}" RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc "$linker=ld.lld" \
        /usr/bin/cargo build --release --quiet -Z build-std=core --target "$triple" "$@"
}

# firmware_size PROGRAM: what of it lies in flash, and in RAM before the stack.
firmware_size() {
    arm-none-eabi-size "$1" | awk -v what="${1##*/}" 'NR == 2 { printf "%s: flash %d, static RAM %d octets\n", what, $1 + $2, $2 + $3 }'
}
