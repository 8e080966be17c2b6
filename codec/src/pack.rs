//! One frame by itself, for those who carry frames in their own way (Swoole's `pack` and `unpack`).

use crate::header::{Header, Kind, MAX_CONTROL};
use crate::kernel::{Best, Kernel};
use crate::limits::Limits;
use crate::mask::Key;
use crate::opcode::{ControlOp, Role};
use crate::violation::Violation;
use crate::writer::{NoRoom, Writer};
use core::fmt;

/// One frame, as [`unpack`] reads it.
#[derive(Debug, PartialEq, Eq)]
pub struct Packet<'i> {
    /// What the header said.
    pub header: Header,
    /// The payload, unmasked. Neither UTF-8 nor the order of frames is looked at: both are matters of a whole stream.
    pub payload: &'i mut [u8],
}

/// Why a frame was not packed. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackError {
    /// It does not fit.
    NoRoom(NoRoom),
    /// A control frame's body of so many octets: 125 is the most (RFC 6455 section 5.5).
    ControlTooLong(usize),
    /// A Close body of one octet is none (RFC 6455 section 5.5.1).
    CloseBodyTooShort,
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom(no_room) => no_room.fmt(f),
            Self::ControlTooLong(len) => write!(f, "control body of {len} octets, 125 is the most"),
            Self::CloseBodyTooShort => f.write_str("close body of one octet"),
        }
    }
}

impl core::error::Error for PackError {}

/// Writes one frame into `out`; gives its length in octets. The payload's own length counts, not the one in `kind`.
pub fn pack(kind: Kind, key: Option<Key>, payload: &[u8], out: &mut [u8]) -> Result<usize, PackError> {
    match kind {
        Kind::Control { .. } if payload.len() > usize::from(MAX_CONTROL) => {
            return Err(PackError::ControlTooLong(payload.len()));
        }
        Kind::Control { op: ControlOp::Close, .. } if payload.len() == 1 => return Err(PackError::CloseBodyTooShort),
        Kind::Control { .. } | Kind::Data { .. } => {}
    }
    let mut writer = Writer::new(out);
    writer.frame(kind, key, payload).map_err(PackError::NoRoom)?;
    Ok(writer.len())
}

/// Takes one frame from the front of `input`; `role` is ours. `None` when it is not whole.
pub fn unpack<'i>(role: Role, limits: &Limits, input: &mut &'i mut [u8]) -> Result<Option<Packet<'i>>, Violation> {
    let Some((header, used)) = Header::decode(role, limits, input)? else {
        return Ok(None);
    };
    let len = match header.kind {
        Kind::Data { len, .. } => len,
        Kind::Control { len, .. } => u64::from(len),
    };
    let end = usize::try_from(len).ok().and_then(|len| used.checked_add(len));
    let Some(frame) = end.and_then(|end| input.split_off_mut(..end)) else {
        return Ok(None);
    };
    let payload = frame.get_mut(used..).unwrap_or_default();
    if let Some(key) = header.key {
        Best::unmask(payload, u32::from_le_bytes(key.0));
    }
    Ok(Some(Packet { header, payload }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opcode::DataOp;

    #[test]
    fn what_is_packed_is_unpacked() {
        let kind = Kind::Data { op: DataOp::Continuation, fin: false, len: 0 };
        for (role, key) in [(Role::Client, None), (Role::Server, Some(Key([9, 8, 7, 6])))] {
            let mut out = [0xa5; 40];
            let len = pack(kind, key, b"some payload", &mut out).unwrap();
            for cut in 0..len {
                assert_eq!(unpack(role, &Limits::DEFAULT, &mut &mut out[..cut]), Ok(None));
            }
            let mut input = &mut out[..];
            let packet = unpack(role, &Limits::DEFAULT, &mut input).unwrap().unwrap();
            assert_eq!(packet.header, Header { kind: kind.with_len(12), key });
            assert_eq!(packet.payload, b"some payload");
            assert_eq!(input.len(), 40 - len);
        }
        assert_eq!(pack(kind, None, b"12345", &mut [0; 6]), Err(PackError::NoRoom(NoRoom { wanted: 7 })));
        let (ping, close) = (ControlOp::Ping, ControlOp::Close);
        let control = |op, body: &[u8]| pack(Kind::Control { op, len: 0 }, None, body, &mut [0; 300]);
        assert_eq!(control(ping, &[0; 125]), Ok(127));
        assert_eq!(control(ping, &[0; 126]), Err(PackError::ControlTooLong(126)));
        assert_eq!(control(close, &[3]), Err(PackError::CloseBodyTooShort));
    }
}
