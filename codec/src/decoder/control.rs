//! Control frames (RFC 6455 section 5.5): taken whole, and answered where they lie.

use super::Event;
use crate::close::{self, CloseFrame};
use crate::header::bits;
use crate::kernel::{Best, Kernel};
use crate::mask::Key;
use crate::opcode::ControlOp;
use crate::violation::Violation;

/// Takes a control frame if it is whole. Of a Close that is not, what has come is checked.
pub(super) fn take<'i>(
    op: ControlOp,
    key: Option<Key>,
    used: usize,
    len: u8,
    input: &mut &'i mut [u8],
    answer: &mut &'i [u8],
) -> Result<Option<Event<'i>>, Violation> {
    let Some(frame) = input.split_off_mut(..used.wrapping_add(usize::from(len))) else {
        if op == ControlOp::Close {
            let body = input.get_mut(used..).unwrap_or_default();
            let key = u32::from_le_bytes(key.unwrap_or_default().0);
            // It comes again, masked, when more of it has come.
            Best::unmask(body, key);
            let checked = close::check_prefix(body);
            Best::unmask(body, key);
            checked?;
        }
        return Ok(None);
    };
    // What answers it, and how much of the body that repeats.
    let (reply, repeated) = match op {
        ControlOp::Ping => (ControlOp::Pong, len),
        ControlOp::Close | ControlOp::Pong => (ControlOp::Close, len.min(2)),
    };
    if let Some((head, body)) = frame.split_at_mut_checked(used)
        && let Some(key) = key
    {
        Best::unmask(body, u32::from_le_bytes(key.0));
        // The key has been read, so that the last two octets of its place are free.
        if let Some(place) = head.last_chunk_mut() {
            *place = [bits::FIN | reply as u8, repeated];
        }
    }
    let frame: &'i [u8] = frame;
    if key.is_some() && op != ControlOp::Pong {
        let end = used.wrapping_add(usize::from(repeated));
        *answer = frame.get(used.wrapping_sub(2)..end).unwrap_or_default();
    }
    let body = frame.get(used..).unwrap_or_default();
    Ok(Some(match op {
        ControlOp::Ping => Event::Ping(body),
        ControlOp::Pong => Event::Pong(body),
        ControlOp::Close => Event::Close(CloseFrame::decode(body)?),
    }))
}
