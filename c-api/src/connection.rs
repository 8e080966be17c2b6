//! The connection in storage of C's: what lies there, who may enter, and what every role can be asked.

use crate::code::Code;
use crate::lend::{self, Input, Octets, Output};
use crate::random::Source;
use core::mem::MaybeUninit;
use core::ptr::{addr_of, addr_of_mut};
use martlet_codec::{Utf8, Writer};
use martlet_state::{Client, Instant, SendError, Server};

/// The size of martlet_connection, in octets.
pub const MARTLET_CONNECTION_SIZE: usize = 160;
/// The alignment of martlet_connection, in octets.
pub const MARTLET_CONNECTION_ALIGN: usize = 8;
/// What martlet_poll_timeout answers if nothing is due.
pub const MARTLET_NEVER: u64 = u64::MAX;

/// One end of one connection. It holds no buffer, so that there is nothing to free; when it is of no more use, forget it.
#[repr(C)]
#[derive(Debug)]
pub struct Connection {
    /// Nobody's business.
    pub opaque: [u64; 20],
}

const _: () =
    assert!(size_of::<Connection>() == MARTLET_CONNECTION_SIZE && align_of::<Connection>() <= MARTLET_CONNECTION_ALIGN);
const _: () = assert!(size_of::<Slot>() <= size_of::<Connection>() && align_of::<Slot>() <= align_of::<Connection>());

/// Where a connection stands.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no connection in this storage, or it is in a call.
    None = 0,
    /// The transport is there; nothing of the handshake has been said.
    Connection = 1,
    /// The opening handshake is under way (RFC 6455 section 4).
    Handshake = 2,
    /// Frames may go both ways (section 5).
    Active = 3,
    /// One Close has gone or come, the other has not (section 7).
    Closing = 4,
    /// Nothing more is sent or delivered: write out what lies in the output, and close the transport.
    Closed = 5,
}

/// What lies in a [`Connection`].
#[repr(C)]
struct Slot {
    mark: u64,
    body: MaybeUninit<Body>,
}

/// Whether the storage holds a connection, and whether somebody is in it.
const READY: u64 = 0x6d61_7274_6c65_7400;
const BUSY: u64 = 0x6d61_7274_6c65_7401;

/// The connection, and what the core does not keep for it.
pub(crate) struct Body {
    pub(crate) end: End,
    /// Of the text message of ours that is open.
    pub(crate) text: Utf8,
}

/// Either role.
pub(crate) enum End {
    Server(martlet_state::Connection<'static, Server>),
    Client(martlet_state::Connection<'static, Client<Source>>),
}

/// The same for either role.
macro_rules! either {
    ($end:expr, $connection:ident => $work:expr) => {
        match $end {
            $crate::connection::End::Server($connection) => $work,
            $crate::connection::End::Client($connection) => $work,
        }
    };
}
pub(crate) use either;

/// Where the connection stands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_state_of(connection: *mut Connection) -> State {
    // SAFETY: the crate's contract.
    let Ok(mut entered) = (unsafe { enter(connection) }) else { return State::None };
    match either!(&entered.body().end, connection => connection.state()) {
        martlet_state::State::Connection => State::Connection,
        martlet_state::State::Handshake => State::Handshake,
        martlet_state::State::Active => State::Active,
        martlet_state::State::Closing => State::Closing,
        martlet_state::State::Closed => State::Closed,
    }
}

/// When martlet_tick has something to do, if nothing comes before, in milliseconds as `now_ms` counts them; or MARTLET_NEVER. Ask
/// again after each round of calls. A timer that was set for an earlier answer is early at worst.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_poll_timeout(connection: *mut Connection) -> u64 {
    // SAFETY: the crate's contract.
    let Ok(mut entered) = (unsafe { enter(connection) }) else { return MARTLET_NEVER };
    either!(&entered.body().end, connection => connection.poll_timeout()).map_or(MARTLET_NEVER, |due| due.0)
}

/// Does what is due: sends the heartbeat's Ping (MARTLET_CODE_OK), or ends the connection (MARTLET_CODE_EXPIRED_...). If nothing is due it does
/// nothing. MARTLET_MIN_OUTPUT octets of room are enough.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_tick(connection: *mut Connection, now_ms: u64, output: *mut Output) -> Code {
    let tick = |body: &mut Body, _: &[u8], writer: &mut Writer<'_>| {
        let expired = either!(&mut body.end, connection => connection.tick(Instant(now_ms), writer))?;
        Ok(expired.map_or(Code::Ok, Code::from))
    };
    // SAFETY: the crate's contract.
    unsafe { produce(connection, output, Octets::NONE, tick) }
}

/// The transport has ended: the connection is closed. Says whether the closing handshake was complete (RFC 6455 section 7.1.4).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_eof(connection: *mut Connection) -> bool {
    // SAFETY: the crate's contract.
    let Ok(mut entered) = (unsafe { enter(connection) }) else { return false };
    either!(&mut entered.body().end, connection => connection.eof())
}

/// Octets of payload that the frame at hand still lacks: so many may be read straight to where the message is to lie, and lent to
/// martlet_receive there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_missing(connection: *mut Connection) -> u64 {
    // SAFETY: the crate's contract.
    let Ok(mut entered) = (unsafe { enter(connection) }) else { return 0 };
    either!(&entered.body().end, connection => connection.missing())
}

/// Puts a connection into storage of that size.
///
/// # Safety
/// The crate's contract.
pub(crate) unsafe fn settle(connection: *mut Connection, size: usize, end: impl FnOnce() -> Result<End, Code>) -> Code {
    if let Err(code) = lend::check_place(connection) {
        return code;
    }
    if size < size_of::<Connection>() {
        return Code::MisuseStorage;
    }
    let end = match end() {
        Ok(end) => end,
        Err(code) => return code,
    };
    let slot = connection.cast::<Slot>();
    // SAFETY: the storage is large and aligned enough for a slot, as is asserted above, and lent to us alone.
    unsafe { slot.write(Slot { mark: READY, body: MaybeUninit::new(Body { end, text: Utf8::new() }) }) };
    Code::Ok
}

/// Enters a connection and an output, does some work there with a payload that is lent, and takes over what came of it. If the source of
/// random octets failed meanwhile, nothing did, and the connection is closed.
///
/// # Safety
/// The crate's contract.
pub(crate) unsafe fn produce(
    connection: *mut Connection,
    output: *mut Output,
    payload: Octets,
    work: impl FnOnce(&mut Body, &[u8], &mut Writer<'_>) -> Result<Code, SendError>,
) -> Code {
    // SAFETY: the crate's contract.
    let (mut entered, output, mut writer) = match unsafe { lend_all(connection, output) } {
        Ok(lent) => lent,
        Err(code) => return code,
    };
    // SAFETY: the crate's contract.
    let payload = match unsafe { payload.slice(Some(output)) } {
        Ok(payload) => payload,
        Err(code) => return code,
    };
    let done = work(entered.body(), payload, &mut writer);
    entered.body().conclude(output, writer.len(), done)
}

/// The same with an input, of which what was not taken is left.
///
/// # Safety
/// The crate's contract; what `work` takes of the input is `'i`.
pub(crate) unsafe fn consume<'i>(
    connection: *mut Connection,
    input: *mut Input,
    output: *mut Output,
    work: impl FnOnce(&mut Body, &mut &'i mut [u8], &mut Writer<'_>) -> Result<Code, SendError>,
) -> Code {
    // SAFETY: the crate's contract.
    let (mut entered, output, mut writer) = match unsafe { lend_all(connection, output) } {
        Ok(lent) => lent,
        Err(code) => return code,
    };
    // SAFETY: the crate's contract.
    let (input, mut cursor) =
        match unsafe { lend::place_mut(input).and_then(|input| Ok((input.slice(output)?, input))) } {
            Ok((cursor, input)) => (input, cursor),
            Err(code) => return code,
        };
    let done = work(entered.body(), &mut cursor, &mut writer);
    input.leave(cursor.len());
    entered.body().conclude(output, writer.len(), done)
}

unsafe fn lend_all<'a>(
    connection: *mut Connection,
    output: *mut Output,
) -> Result<(Entered, &'a mut Output, Writer<'a>), Code> {
    // SAFETY: the crate's contract.
    unsafe {
        let entered = enter(connection)?;
        let output = lend::place_mut(output)?;
        let writer = output.writer()?;
        Ok((entered, output, writer))
    }
}

impl Body {
    fn conclude(&mut self, output: &mut Output, written: usize, done: Result<Code, SendError>) -> Code {
        match &mut self.end {
            End::Client(connection) if connection.key_source().failed.take() => {
                connection.eof();
                output.settle(output.len, Ok(Code::RandomFailed))
            }
            End::Client(_) | End::Server(_) => output.settle(written, done),
        }
    }
}

/// The right to use what lies in a connection's storage. While there is one nobody else enters.
pub(crate) struct Entered {
    slot: *mut Slot,
}

impl Entered {
    fn body(&mut self) -> &mut Body {
        // SAFETY: there was a mark, so that there is a body, and nobody else has entered.
        unsafe { (*addr_of_mut!((*self.slot).body)).assume_init_mut() }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: the storage was there when we entered.
        unsafe { addr_of_mut!((*self.slot).mark).write(READY) };
    }
}

/// # Safety
/// The crate's contract.
unsafe fn enter(connection: *mut Connection) -> Result<Entered, Code> {
    lend::check_place(connection)?;
    let slot = connection.cast::<Slot>();
    // SAFETY: storage of a connection is there, by the contract. The mark is only ever reached through this pointer, not through
    // a reference, so that a call from inside a call may look at it.
    unsafe {
        match addr_of!((*slot).mark).read() {
            READY => addr_of_mut!((*slot).mark).write(BUSY),
            BUSY => return Err(Code::MisuseBusy),
            _ => return Err(Code::MisuseNotInitialised),
        }
    }
    Ok(Entered { slot })
}
