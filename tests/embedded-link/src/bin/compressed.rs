//! Frames alone, and compressed messages inflated in a window of 512 octets: what `frames` has not is what permessage-deflate costs.
#![no_std]
#![no_main]

use martlet::codec::{
    ControlOp, DataOp, Decoder, Event, Header, InflateLimits, Inflater, Kind, Limits, Role, Violation, Window,
    WindowBits,
};
use martlet_embedded_link::port;

static mut INPUT: [u8; 256] = [0; 256];
static mut WINDOW: [u8; 512] = [0; 512];
/// What the documents say.
#[cfg(feature = "small")]
const _: () = assert!(size_of::<Inflater>() <= 1072);

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names them, and this is called once.
    let (input, room) = unsafe { (&mut *(&raw mut INPUT), &mut *(&raw mut WINDOW)) };
    port::keep_memory_functions(input);
    #[cfg(feature = "provoke")]
    martlet_embedded_link::provoke(input);
    let mut inflater = Inflater::new();
    loop {
        if let Some(mut window) = WindowBits::new(9).and_then(|bits| Window::new(&mut room[..], bits)) {
            echo(input, &mut inflater, &mut window);
        }
    }
}

/// Echoes messages piece by piece, uncompressed, until the stream is at fault or closes.
fn echo(input: &mut [u8], inflater: &mut Inflater, window: &mut Window<&mut [u8]>) {
    let mut decoder = Decoder::new(Role::Server);
    decoder.set_compression(true);
    let mut held: usize = 0;
    loop {
        held = held.saturating_add(port::read(input.get_mut(held..).unwrap_or_default()));
        let mut rest = input.get_mut(..held).unwrap_or_default();
        loop {
            let fault = match decoder.decode(&Limits::DEFAULT, &mut rest) {
                Ok(Some(Event::Data(data))) => {
                    let op = if data.is_first() { data.kind().op() } else { DataOp::Continuation };
                    if data.is_compressed() {
                        if data.is_first() {
                            inflater.begin(data.kind());
                        }
                        inflate(inflater, window, op, data.payload(), data.is_last())
                    } else {
                        piece(op, data.payload(), data.is_last());
                        Ok(())
                    }
                }
                Ok(Some(Event::Ping(body))) => {
                    let kind = Kind::Control { op: ControlOp::Pong, len: body.len() as u8 };
                    port::write(Header { kind, key: None }.encode().as_ref());
                    port::write(body);
                    Ok(())
                }
                Ok(Some(Event::Pong(_))) => Ok(()),
                Ok(Some(Event::Close(_))) => {
                    port::write(&[0x88, 0]);
                    return;
                }
                Err(violation) => Err(violation),
                Ok(None) => break,
            };
            if let Err(violation) = fault {
                let [high, low] = violation.close_code().to_be_bytes();
                port::write(&[0x88, 2, high, low]);
                return;
            }
        }
        let left = rest.len();
        port::keep(input, held, left);
        held = left;
    }
}

fn piece(op: DataOp, payload: &[u8], fin: bool) {
    let kind = Kind::Data { op, fin, len: payload.len() as u64 };
    port::write(Header { kind, key: None }.encode().as_ref());
    port::write(payload);
}

/// The window's pieces are frames of the answer.
fn inflate(
    inflater: &mut Inflater,
    window: &mut Window<&mut [u8]>,
    mut op: DataOp,
    mut payload: &[u8],
    last: bool,
) -> Result<(), Violation> {
    while let Some(inflated) = inflater.inflate(&InflateLimits::DEFAULT, window, &mut payload, last)? {
        piece(op, inflated.payload, inflated.last);
        op = DataOp::Continuation;
    }
    Ok(())
}
