//! QEMU's RISC-V machine "virt": time and a serial port, without interrupts.

mod uart;

use crate::register::Register;
use core::sync::atomic::{AtomicBool, Ordering};
use martlet::state::Instant;

pub use riscv_rt::entry;
pub use uart::Uart;

/// What there is on the board, one of each.
pub struct Board {
    /// The time.
    pub clock: Clock,
    /// The serial port.
    pub uart: Uart,
}

/// Starts the board. Only the first call gives it.
pub fn start() -> Option<Board> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let is_first = !TAKEN.swap(true, Ordering::Relaxed);
    is_first.then(|| Board { clock: Clock(()), uart: Uart::new() })
}

// SAFETY: the counter of the machine's timer, in two halves; and what ends or resets the machine.
const TIME_LOW: Register<u32> = unsafe { Register::at(0x0200_bff8) };
const TIME_HIGH: Register<u32> = unsafe { Register::at(0x0200_bffc) };
const FINISHER: Register<u32> = unsafe { Register::at(0x0010_0000) };

const TICKS_A_MILLISECOND: u64 = 10_000;
const RESET: u32 = 0x7777;

/// Begins anew.
pub fn reset() -> ! {
    loop {
        FINISHER.write(RESET);
    }
}

/// The time since the start.
pub struct Clock(());

impl Clock {
    /// Milliseconds since the start.
    pub fn now(&mut self) -> Instant {
        Instant(ticks() / TICKS_A_MILLISECOND)
    }
}

fn ticks() -> u64 {
    loop {
        let (high, low) = (TIME_HIGH.read(), TIME_LOW.read());
        // Otherwise the low half began anew in between.
        if TIME_HIGH.read() == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}
