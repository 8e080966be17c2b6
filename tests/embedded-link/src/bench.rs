//! What QEMU's board lets a program know of itself: how deep the stack went, and how many instructions went by.

use crate::register;
use core::arch::asm;
use core::ptr::{read_volatile, write_volatile};

/// The end of RAM, where the stack begins, and as far down as is looked.
const TOP: usize = 0x2001_0000;
const BOTTOM: usize = 0x2000_8000;
const PAINT: u32 = 0x5aa5_c33c;

const SYSTICK_CONTROL: *mut u32 = 0xe000_e010 as *mut u32;
const SYSTICK_RELOAD: *mut u32 = 0xe000_e014 as *mut u32;
const SYSTICK_CURRENT: *mut u32 = 0xe000_e018 as *mut u32;
/// Twenty-four bits count down.
const FULL: u32 = 0x00ff_ffff;

/// Paints the stack below the caller's frame.
#[inline(never)]
pub fn paint() {
    let here = 0u32;
    let mut at = BOTTOM;
    while at < (&raw const here as usize).saturating_sub(64) {
        // SAFETY: RAM between the statics, which end far below, and this function's frame.
        unsafe { write_volatile(at as *mut u32, PAINT) };
        at += 4;
    }
}

/// How many octets of the stack were ever used.
pub fn deepest() -> u32 {
    let mut at = BOTTOM;
    // SAFETY: RAM.
    while at < TOP && unsafe { read_volatile(at as *const u32) } == PAINT {
        at += 4;
    }
    (TOP - at) as u32
}

/// Ticks of the processor's clock, upwards. `ticks_of_instructions` says what they are worth.
pub fn ticks() -> u32 {
    // SAFETY: the processor's own timer.
    unsafe {
        if read_volatile(SYSTICK_CONTROL) & 1 == 0 {
            write_volatile(SYSTICK_RELOAD, FULL);
            write_volatile(SYSTICK_CURRENT, 0);
            write_volatile(SYSTICK_CONTROL, 0b101);
        }
        FULL - read_volatile(SYSTICK_CURRENT)
    }
}

/// The instructions between two readings of [`ticks`], by what a loop of a known number takes.
pub fn instructions(begin: u32, end: u32) -> u32 {
    const LOOPS: u32 = 50_000;
    let from = ticks();
    // SAFETY: two instructions a round, and nothing else.
    unsafe { asm!("1: subs {0}, {0}, #1", "bne 1b", inout(reg) LOOPS => _) };
    let known = ticks().wrapping_sub(from) & FULL;
    let passed = end.wrapping_sub(begin) & FULL;
    (u64::from(passed) * u64::from(2 * LOOPS) / u64::from(known)) as u32
}

/// A line for whoever runs this.
pub fn say(what: &str, mut number: u32) {
    let mut digits = [b'\n'; 11];
    let mut count = 1;
    for digit in digits.iter_mut().rev().skip(1) {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        count += 1;
        if number == 0 {
            break;
        }
    }
    for octet in what.bytes().chain(digits.into_iter().skip(11 - count)) {
        // SAFETY: the serial port's data register.
        unsafe { write_volatile(register::DATA, u32::from(octet)) };
    }
}

/// Ends QEMU.
pub fn exit() -> ! {
    // SAFETY: a semihosting call: the application ended as it should.
    unsafe { asm!("bkpt 0xab", in("r0") 0x18, in("r1") 0x20026, options(noreturn)) }
}
