//! Firmware that drives the core over a serial port, made to be linked and looked at, not to be run.
#![no_std]
#![no_main]

use core::cell::Cell;
use core::panic::PanicInfo;
use core::ptr::{read_volatile, write_volatile};
use martlet_codec::{ControlOp, DataOp, Decoder, Event, Kind, Limits, MIN_INPUT, Role, Writer};

/// The serial port of a Stellaris LM3S6965: data, and flags.
const UART: (*mut u32, *const u32) = (0x4000_C000 as *mut u32, 0x4000_C018 as *const u32);
const RECEIVER_EMPTY: u32 = 1 << 4;

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    let mut input = [0; MIN_INPUT];
    let mut output = [0; 160];
    let mut held = 0;
    let mut decoder = Decoder::new(Role::Server);
    #[cfg(feature = "provoke")]
    send(&[input[receive(&mut output)]]);
    loop {
        held += receive(input.get_mut(held..).unwrap_or_default());
        held = turn(&mut decoder, &mut input, held, &mut output);
    }
}

/// Takes what has come, sends the answers, and says how much is left at the front of the input.
fn turn(decoder: &mut Decoder, input: &mut [u8], held: usize, output: &mut [u8]) -> usize {
    let limits = Limits::DEFAULT;
    let mut writer = Writer::new(output);
    let mut rest = input.get_mut(..held).unwrap_or_default();
    let answer = loop {
        match decoder.decode(&limits, &mut rest) {
            Ok(Some(Event::Data(data))) => {
                let op = if data.text().is_some() { DataOp::Text } else { DataOp::Binary };
                let kind = Kind::Data { op, fin: data.is_last(), len: 0 };
                let _ = writer.frame(kind, None, data.payload());
            }
            Ok(Some(_)) => {
                let _ = writer.frame(Kind::Control { op: ControlOp::Pong, len: 0 }, None, &[]);
            }
            Ok(None) => break 0,
            Err(violation) => break violation.close_code(),
        }
    };
    let left = rest.len();
    send(writer.written());
    send(&answer.to_be_bytes());
    let octets = Cell::from_mut(input).as_slice_of_cells();
    for (to, from) in octets.iter().zip(octets.iter().skip(held.saturating_sub(left)).take(left)) {
        to.set(from.get());
    }
    left
}

fn send(octets: &[u8]) {
    for octet in octets {
        // SAFETY: the data register of the serial port.
        unsafe { write_volatile(UART.0, u32::from(*octet)) };
    }
}

/// Reads what is there.
fn receive(room: &mut [u8]) -> usize {
    let mut count = 0;
    for place in room {
        // SAFETY: the registers of the serial port.
        if unsafe { read_volatile(UART.1) } & RECEIVER_EMPTY != 0 {
            break;
        }
        // SAFETY: as above.
        *place = unsafe { read_volatile(UART.0) } as u8;
        count += 1;
    }
    count
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
