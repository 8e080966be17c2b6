//! What the programs share: the board, and a WebSocket's way over it.
//!
//! `uart` is the smallest program, `ethernet` serves four connections at once. Neither has an allocator.
#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]

#[cfg(feature = "ethernet")]
pub mod app;
pub mod config;
#[cfg(feature = "ethernet")]
pub mod net;
#[cfg(feature = "ethernet")]
pub mod packed;
mod register;
pub mod serial;

#[cfg(target_arch = "arm")]
pub mod lm3s6965;
#[cfg(target_arch = "riscv32")]
pub mod virt;

#[cfg(target_arch = "arm")]
pub use lm3s6965 as board;
#[cfg(target_arch = "riscv32")]
pub use virt as board;

/// A device that cannot go on begins anew.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    board::reset()
}
