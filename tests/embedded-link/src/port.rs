//! The serial port of the programs that are measured.

use crate::register;
use core::cell::Cell;
use core::ptr::{read_volatile, write_volatile};

/// The serial port as a server's.
pub struct Serial;

impl crate::server::Port for Serial {
    fn read(&mut self, room: &mut [u8]) -> usize {
        read(room)
    }

    fn write(&mut self, octets: &[u8]) {
        write(octets);
    }
}

/// Takes what has come; gives how much it is.
#[inline(never)]
pub fn read(room: &mut [u8]) -> usize {
    let mut count: usize = 0;
    for place in room {
        // SAFETY: the serial port's flags.
        if unsafe { read_volatile(register::FLAGS) } & register::RECEIVER_EMPTY != 0 {
            break;
        }
        // SAFETY: the serial port's data register.
        *place = unsafe { read_volatile(register::DATA) } as u8;
        count = count.saturating_add(1);
    }
    count
}

/// Sends octets.
#[inline(never)]
pub fn write(octets: &[u8]) {
    for octet in octets {
        // SAFETY: the serial port's data register.
        unsafe { write_volatile(register::DATA, u32::from(*octet)) };
    }
}

/// Moves the last `left` of `held` octets to the front.
#[inline(never)]
pub fn keep(input: &mut [u8], held: usize, left: usize) {
    let octets = Cell::from_mut(input).as_slice_of_cells();
    for (to, from) in octets.iter().zip(octets.iter().skip(held.saturating_sub(left)).take(left)) {
        to.set(from.get());
    }
}

/// Copies, fills and compares memory as any firmware does somewhere: the functions for that count for none.
#[inline(never)]
pub fn keep_memory_functions(memory: &mut [u8]) {
    let len = core::hint::black_box(memory.len() / 2);
    let Some((front, back)) = memory.split_at_mut_checked(len) else { return };
    let most = front.len().min(back.len());
    if let (Some(front), Some(back)) = (front.get_mut(..most), back.get(..most)) {
        front.copy_from_slice(back);
        if core::hint::black_box(&*front) == core::hint::black_box(back) {
            core::hint::black_box(front).fill(0);
        }
    }
}
