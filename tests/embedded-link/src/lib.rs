//! A board, as far as the core needs one, and the loop that drives a connection over it. Made to be linked and looked at.
#![no_std]

use core::cell::Cell;
use core::convert::Infallible;
use core::panic::PanicInfo;
use core::ptr::{read_volatile, write_volatile};
use martlet::handshake::{Accept, Kind, Response};
use martlet::state::{CloseFrame, Connection, Data, Event, Instant, Payload, Side, State, Status, Writer};
use rand_core::{TryCryptoRng, TryRng};

pub mod bench;
pub mod port;
pub mod server;

/// Registers: the serial port's data and flags, a millisecond counter, a button, a noise source.
pub(crate) mod register {
    pub(crate) const DATA: *mut u32 = 0x4000_C000 as *mut u32;
    pub(crate) const FLAGS: *const u32 = 0x4000_C018 as *const u32;
    pub(crate) const MILLISECONDS: *const u32 = 0x4003_0050 as *const u32;
    pub(crate) const BUTTON: *const u32 = 0x4000_5004 as *const u32;
    pub(crate) const NOISE: *const u32 = 0x4003_8000 as *const u32;
    pub(crate) const RECEIVER_EMPTY: u32 = 1 << 4;
}

/// The noise source as what a client needs for its masking keys.
pub struct Noise;

impl TryRng for Noise {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(read(register::NOISE))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(read(register::NOISE)) << 32 | u64::from(read(register::NOISE)))
    }

    fn try_fill_bytes(&mut self, room: &mut [u8]) -> Result<(), Infallible> {
        for octet in room {
            *octet = read(register::NOISE) as u8;
        }
        Ok(())
    }
}

impl TryCryptoRng for Noise {}

/// The time.
pub fn now() -> Instant {
    Instant(u64::from(read(register::MILLISECONDS)))
}

/// What a role does besides echoing.
pub trait Role: Side + Sized {
    /// Answers a request; only a server gets one.
    fn answer(connection: &mut Connection<'_, Self>, kind: Kind, output: &mut Writer<'_>);
}

impl Role for martlet::state::Server {
    fn answer(connection: &mut Connection<'_, Self>, kind: Kind, output: &mut Writer<'_>) {
        let _ = match kind {
            Kind::Upgrade(_) => connection.accept(now(), &Accept::default(), output),
            Kind::Plain { .. } => connection.respond(&Response::new(404, b"not here\n"), output),
        };
    }
}

impl Role for martlet::state::Client<Noise> {
    fn answer(_: &mut Connection<'_, Self>, _: Kind, _: &mut Writer<'_>) {}
}

/// Drives a connection to its end over these two buffers. What it tells goes to `respond`.
pub fn drive<'c, S: Role>(
    connection: &mut Connection<'c, S>,
    input: &mut [u8],
    output: &mut Writer<'_>,
    mut respond: impl FnMut(&mut Connection<'c, S>, Event<'_>, &mut Writer<'_>),
) {
    let mut held: usize = 0;
    while connection.state() != State::Closed {
        held = held.saturating_add(receive(input.get_mut(held..).unwrap_or_default()));
        let mut rest = input.get_mut(..held).unwrap_or_default();
        loop {
            match connection.receive(now(), &mut rest, output) {
                Ok(Status::Event(event)) => respond(connection, event, output),
                Ok(Status::NoRoom(_)) => send(output),
                Ok(Status::More) | Err(_) => break,
            }
        }
        let left = rest.len();
        keep(input, held, left);
        held = left;
        if read(register::BUTTON) != 0 {
            let _ = connection.close(now(), CloseFrame::new(1001, "button").ok(), output);
        }
        let _ = connection.tick(now(), output);
        send(output);
    }
    connection.eof();
}

/// Echoes what comes, piece by piece.
pub fn respond<S: Role>(connection: &mut Connection<'_, S>, event: Event<'_>, output: &mut Writer<'_>) {
    match event {
        Event::Request { kind, .. } => S::answer(connection, kind, output),
        Event::Data(data) => echo(connection, &data, output),
        Event::Close(Some(close)) => log(close.reason().as_bytes()),
        Event::Open(_) => {
            let _ = connection.send(Payload::Text("hello"), output);
            let _ = connection.ping(b"there?", output);
        }
        Event::Line(_) | Event::Ping(_) | Event::Pong(_) | Event::Close(None) => {}
    }
}

fn echo<S: Role>(connection: &mut Connection<'_, S>, data: &Data<'_>, output: &mut Writer<'_>) {
    if let Some(text) = data.text() {
        let _ = connection.send(Payload::Text(text), output);
        return;
    }
    let payload = data.payload();
    let Ok((header, mask)) = connection.begin_frame(data.kind(), payload.len() as u64, data.is_last()) else { return };
    let _ = output.put(header.as_ref());
    if let Ok(room) = output.take(payload.len()) {
        for (to, from) in room.iter_mut().zip(payload) {
            *to = *from;
        }
        if let Some(mut mask) = mask {
            mask.apply(room);
        }
    }
}

/// Moves the last `left` of `held` octets to the front.
fn keep(input: &mut [u8], held: usize, left: usize) {
    let octets = Cell::from_mut(input).as_slice_of_cells();
    for (to, from) in octets.iter().zip(octets.iter().skip(held.saturating_sub(left)).take(left)) {
        to.set(from.get());
    }
}

fn receive(room: &mut [u8]) -> usize {
    let mut count: usize = 0;
    for place in room {
        if read(register::FLAGS) & register::RECEIVER_EMPTY != 0 {
            break;
        }
        *place = read(register::DATA) as u8;
        count = count.saturating_add(1);
    }
    count
}

fn send(output: &mut Writer<'_>) {
    log(output.written());
    output.clear();
}

/// Sends octets over the serial port.
pub fn log(octets: &[u8]) {
    for octet in octets {
        // SAFETY: the serial port's data register.
        unsafe { write_volatile(register::DATA, u32::from(*octet)) };
    }
}

fn read(register: *const u32) -> u32 {
    // SAFETY: only the registers above come here.
    unsafe { read_volatile(register) }
}

/// A panic, for the check that must see it.
#[cfg(feature = "provoke")]
pub fn provoke(octets: &[u8]) {
    log(&[octets[read(register::BUTTON) as usize]]);
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
