//! Frames alone: a strict, streaming decoder and an echo by headers.
#![no_std]
#![no_main]

use martlet::codec::{Decoder, Event, Header, Kind, Limits, Role};
use martlet_embedded_link::port;

static mut INPUT: [u8; 256] = [0; 256];

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names it, and this is called once.
    let input = unsafe { &mut *(&raw mut INPUT) };
    port::keep_memory_functions(input);
    loop {
        echo(input);
    }
}

/// Echoes messages piece by piece until the stream is at fault or closes.
fn echo(input: &mut [u8]) {
    let mut decoder = Decoder::new(Role::Server);
    let mut held: usize = 0;
    loop {
        held = held.saturating_add(port::read(input.get_mut(held..).unwrap_or_default()));
        let mut rest = input.get_mut(..held).unwrap_or_default();
        loop {
            match decoder.decode(&Limits::DEFAULT, &mut rest) {
                Ok(Some(Event::Data(data))) => {
                    let op = if data.is_first() { data.kind().op() } else { martlet::codec::DataOp::Continuation };
                    let kind = Kind::Data { op, fin: data.is_last(), len: data.payload().len() as u64 };
                    port::write(Header { kind, key: None }.encode().as_ref());
                    port::write(data.payload());
                }
                Ok(Some(Event::Ping(body))) => {
                    let kind = Kind::Control { op: martlet::codec::ControlOp::Pong, len: body.len() as u8 };
                    port::write(Header { kind, key: None }.encode().as_ref());
                    port::write(body);
                }
                Ok(Some(Event::Pong(_))) => {}
                Ok(Some(Event::Close(_))) => {
                    port::write(&[0x88, 0]);
                    return;
                }
                Err(violation) => {
                    let [high, low] = violation.close_code().to_be_bytes();
                    port::write(&[0x88, 2, high, low]);
                    return;
                }
                Ok(None) => break,
            }
        }
        let left = rest.len();
        port::keep(input, held, left);
        held = left;
    }
}
