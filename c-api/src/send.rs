//! What C sends.

use crate::code::Code;
use crate::connection::{Body, Connection, End, either, produce};
use crate::event::Kind;
use crate::lend::{Octets, Output};
use core::ffi::c_int;
use martlet_codec::{CloseFrame, DataKind, DataOp, Key, Utf8, Writer};
use martlet_state::{Instant, Misuse, NoRoom, Payload, SendError, State};

/// Sends `len` octets of UTF-8 as a whole text message, in one frame.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_send_text(
    connection: *mut Connection,
    text: *const u8,
    len: usize,
    output: *mut Output,
) -> Code {
    let send = |body: &mut Body, text: &[u8], writer: &mut Writer<'_>| match core::str::from_utf8(text) {
        Ok(text) => either!(&mut body.end, core => core.send(Payload::Text(text), writer)).map(|()| Code::Ok),
        Err(_) => Ok(Code::MisuseUtf8),
    };
    // SAFETY: the crate's contract.
    unsafe { produce(connection, output, Octets { ptr: text, len }, send) }
}

/// Sends `len` octets as a whole binary message, in one frame.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_send_binary(
    connection: *mut Connection,
    octets: *const u8,
    len: usize,
    output: *mut Output,
) -> Code {
    let send = |body: &mut Body, octets: &[u8], writer: &mut Writer<'_>| {
        either!(&mut body.end, core => core.send(Payload::Binary(octets), writer)).map(|()| Code::Ok)
    };
    // SAFETY: the crate's contract.
    unsafe { produce(connection, output, Octets { ptr: octets, len }, send) }
}

/// Sends the next fragment of a message of that kind (RFC 6455 section 5.4); the first one begins it, the one with `fin` ends it. A fragment of text
/// may end inside a character, so that the pieces that martlet_receive gives can be sent on as they are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_send_fragment(
    connection: *mut Connection,
    kind: c_int,
    octets: *const u8,
    len: usize,
    fin: bool,
    output: *mut Output,
) -> Code {
    let kind = match kind {
        kind if kind == Kind::Text as c_int => DataKind::Text,
        kind if kind == Kind::Binary as c_int => DataKind::Binary,
        _ => return Code::MisuseKind,
    };
    let send = |body: &mut Body, octets: &[u8], writer: &mut Writer<'_>| body.fragment(kind, octets, fin, writer);
    // SAFETY: the crate's contract.
    unsafe { produce(connection, output, Octets { ptr: octets, len }, send) }
}

/// Sends a Ping with a body of at most 125 octets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_ping(
    connection: *mut Connection,
    octets: *const u8,
    len: usize,
    output: *mut Output,
) -> Code {
    let send = |body: &mut Body, octets: &[u8], writer: &mut Writer<'_>| {
        either!(&mut body.end, core => core.ping(octets, writer)).map(|()| Code::Ok)
    };
    // SAFETY: the crate's contract.
    unsafe { produce(connection, output, Octets { ptr: octets, len }, send) }
}

/// Sends a Pong with a body of at most 125 octets: the answer to a Ping when `auto_pong` is off, or unasked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_pong(
    connection: *mut Connection,
    octets: *const u8,
    len: usize,
    output: *mut Output,
) -> Code {
    let send = |body: &mut Body, octets: &[u8], writer: &mut Writer<'_>| {
        either!(&mut body.end, core => core.pong(octets, writer)).map(|()| Code::Ok)
    };
    // SAFETY: the crate's contract.
    unsafe { produce(connection, output, Octets { ptr: octets, len }, send) }
}

/// Begins the closing handshake (RFC 6455 section 7.1.2): nothing is sent after this. What the peer had under way is still delivered,
/// until its Close comes or close_timeout_ms have passed. The reason is UTF-8 of at most 123 octets; with `code` 0 the Close has no body.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_close(
    connection: *mut Connection,
    now_ms: u64,
    code: u16,
    reason: *const u8,
    len: usize,
    output: *mut Output,
) -> Code {
    let send = |body: &mut Body, reason: &[u8], writer: &mut Writer<'_>| {
        let Ok(reason) = core::str::from_utf8(reason) else { return Ok(Code::MisuseUtf8) };
        let frame = match (code, reason) {
            (0, "") => None,
            (0, _) => return Ok(Code::MisuseCloseReason),
            (code, reason) => Some(CloseFrame::new(code, reason).map_err(Misuse::from)?),
        };
        either!(&mut body.end, core => core.close(Instant(now_ms), frame, writer)).map(|()| Code::Ok)
    };
    // SAFETY: the crate's contract.
    unsafe { produce(connection, output, Octets { ptr: reason, len }, send) }
}

impl Body {
    /// A fragment, of text too: what the core wants in whole characters is checked here over the whole message.
    fn fragment(
        &mut self,
        kind: DataKind,
        octets: &[u8],
        fin: bool,
        writer: &mut Writer<'_>,
    ) -> Result<Code, SendError> {
        let (state, open) = either!(&self.end, core => (core.state(), core.sending()));
        if state != State::Active {
            return Err(Misuse::State(state).into());
        }
        if open.is_some_and(|open| open != kind) {
            return Err(Misuse::KindChanged.into());
        }
        let mut text = if open.is_some() { self.text } else { Utf8::new() };
        if kind == DataKind::Text && (text.push(octets).is_err() || fin && !text.is_complete()) {
            return Ok(Code::MisuseUtf8);
        }
        let wanted = self.header_len(octets.len() as u64).saturating_add(octets.len());
        if writer.room() < wanted {
            return Err(NoRoom { wanted }.into());
        }
        let (header, mask) = either!(&mut self.end, core => core.begin_frame(kind, octets.len() as u64, fin))?;
        writer.put(header.as_ref())?;
        let room = writer.take(octets.len())?;
        room.copy_from_slice(octets);
        if let Some(mut mask) = mask {
            mask.apply(room);
        }
        self.text = text;
        Ok(Code::Ok)
    }

    fn header_len(&self, len: u64) -> usize {
        let key = match self.end {
            End::Server(_) => None,
            End::Client(_) => Some(Key::default()),
        };
        let kind = martlet_codec::Kind::Data { op: DataOp::Continuation, fin: true, len };
        martlet_codec::Header { kind, key }.encode().as_ref().len()
    }
}
