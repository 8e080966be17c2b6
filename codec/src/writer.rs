//! Frames into a lent slice: each whole or not at all.

use crate::header::{Header, Kind, bits};
use crate::mask::{Key, Mask};
use core::fmt;

/// A lent slice that fills up from the front.
#[derive(Debug)]
pub struct Writer<'o> {
    room: &'o mut [u8],
    len: usize,
}

/// It does not fit. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom {
    /// Octets of room that would have been enough.
    pub wanted: usize,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no room for {} octets of output", self.wanted)
    }
}

impl core::error::Error for NoRoom {}

impl<'o> Writer<'o> {
    /// An empty writer over `room`.
    #[inline]
    pub const fn new(room: &'o mut [u8]) -> Self {
        Self { room, len: 0 }
    }

    /// A writer over `room`, whose first `len` octets are taken already; at most all are.
    #[inline]
    pub fn resume(room: &'o mut [u8], len: usize) -> Self {
        let len = len.min(room.len());
        Self { room, len }
    }

    /// Octets written.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is written.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What is written.
    #[inline]
    pub fn written(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or_default()
    }

    /// How many octets of room are left.
    #[inline]
    pub const fn room(&self) -> usize {
        // Never negative: nothing counts as written beyond the end.
        self.room.len().saturating_sub(self.len)
    }

    /// The room that is left.
    #[inline]
    pub fn spare(&mut self) -> &mut [u8] {
        self.room.get_mut(self.len..).unwrap_or_default()
    }

    /// Counts `octets` of [`spare`](Self::spare) as written; at most all of it.
    #[inline]
    pub fn advance(&mut self, octets: usize) {
        self.len = self.len.saturating_add(octets).min(self.room.len());
    }

    /// Forgets what is written, to begin anew.
    #[inline]
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// Takes `len` octets of room, to be filled by the caller.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&mut [u8], NoRoom> {
        let room = self.room.get_mut(self.len..).unwrap_or_default();
        match room.get_mut(..len) {
            Some(room) => {
                self.len = self.len.wrapping_add(len);
                Ok(room)
            }
            None => Err(NoRoom { wanted: len }),
        }
    }

    /// Writes octets as they are.
    #[inline]
    pub fn put(&mut self, octets: &[u8]) -> Result<(), NoRoom> {
        self.take(octets.len()).map(|room| room.copy_from_slice(octets))
    }

    /// Writes one frame: a header that says what `header` says, with the payload's own length, and the payload, masked if there
    /// is a key.
    ///
    /// The payload of a control frame must have at most 125 octets, which the callers of this crate see to: a longer one
    /// is cut.
    // Where it is called the kind is known: what is left of this is the short frame, or one call.
    #[inline(always)]
    pub fn frame(&mut self, kind: Kind, key: Option<Key>, payload: &[u8]) -> Result<(), NoRoom> {
        match (key, kind) {
            (None, Kind::Data { op, fin, .. }) => {
                let b0 = op as u8 | if fin { bits::FIN } else { 0 };
                match payload.len() {
                    // The frame that a server sends most: a header of two octets and a short body. The conversion keeps the value.
                    len @ 0..126 => self.pair([b0, len as u8], payload),
                    _ => self.long_frame(b0, payload),
                }
            }
            _ => self.any_frame(kind, key, payload),
        }
    }

    /// Writes a server's frame of more than 125 octets of data.
    #[inline(never)]
    fn long_frame(&mut self, b0: u8, payload: &[u8]) -> Result<(), NoRoom> {
        match u16::try_from(payload.len()) {
            Ok(len) => {
                let [l0, l1] = len.to_be_bytes();
                self.pair([b0, bits::LEN_16, l0, l1], payload)
            }
            Err(_) => {
                let [l0, l1, l2, l3, l4, l5, l6, l7] = (payload.len() as u64).to_be_bytes();
                self.pair([b0, bits::LEN_64, l0, l1, l2, l3, l4, l5, l6, l7], payload)
            }
        }
    }

    /// Writes a header and what belongs behind it.
    #[inline(always)]
    fn pair<const N: usize>(&mut self, header: [u8; N], payload: &[u8]) -> Result<(), NoRoom> {
        let room = self.take(payload.len().saturating_add(N))?;
        if let Some((head, body)) = room.split_first_chunk_mut() {
            *head = header;
            body.copy_from_slice(payload);
        }
        Ok(())
    }

    /// Writes one frame as [`frame`](Self::frame) does, with RSV1: the first one of a compressed message (RFC 7692 section 6).
    pub fn compressed_frame(&mut self, kind: Kind, key: Option<Key>, payload: &[u8]) -> Result<(), NoRoom> {
        let at = self.len;
        self.any_frame(kind, key, payload)?;
        if let Some(b0) = self.room.get_mut(at) {
            *b0 |= bits::RSV1;
        }
        Ok(())
    }

    /// Out of the way of the short frame, which is to be inlined.
    #[inline(never)]
    fn any_frame(&mut self, kind: Kind, key: Option<Key>, payload: &[u8]) -> Result<(), NoRoom> {
        let header = Header { kind: kind.with_len(payload.len()), key }.encode();
        let header = header.as_ref();
        let payload = match kind {
            Kind::Control { .. } => payload.get(..usize::from(crate::MAX_CONTROL)).unwrap_or(payload),
            Kind::Data { .. } => payload,
        };
        let wanted = header.len().saturating_add(payload.len());
        let room = self.take(wanted)?;
        if let Some((head, body)) = room.split_at_mut_checked(header.len()) {
            head.copy_from_slice(header);
            body.copy_from_slice(payload);
            if let Some(key) = key {
                Mask::new(key).apply(body);
            }
        }
        Ok(())
    }
}

impl Kind {
    /// The same kind of frame with a payload of `len` octets; of a control frame at most 125.
    #[inline]
    pub const fn with_len(self, len: usize) -> Self {
        match self {
            Self::Data { op, fin, .. } => Self::Data { op, fin, len: len as u64 },
            Self::Control { op, .. } => {
                let most = crate::MAX_CONTROL;
                Self::Control { op, len: if len > most as usize { most } else { len as u8 } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opcode::{ControlOp, DataOp, Role};
    use crate::{Limits, Violation};
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    fn data(fin: bool) -> Kind {
        Kind::Data { op: DataOp::Text, fin, len: 0 }
    }

    #[test]
    fn section_5_7_examples() {
        let ping = Kind::Control { op: ControlOp::Ping, len: 0 };
        let continuation = Kind::Data { op: DataOp::Continuation, fin: true, len: 0 };
        let binary = Kind::Data { op: DataOp::Binary, fin: true, len: 0 };
        let key = Some(Key([0x37, 0xfa, 0x21, 0x3d]));
        let long = vec![7; 65536];
        let long_frame = [&b"\x82\x7f\0\0\0\0\0\x01\0\0"[..], &long].concat();
        type Row<'a> = (Kind, Option<Key>, &'a [u8], &'a [u8]);
        let rows: &[Row<'_>] = &[
            (data(true), None, b"Hello", b"\x81\x05Hello"),
            (data(true), key, b"Hello", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
            (data(false), None, b"Hel", b"\x01\x03Hel"),
            (continuation, None, b"lo", b"\x80\x02lo"),
            (ping, None, b"Hello", b"\x89\x05Hello"),
            (binary, None, &long[..256], &[&b"\x82\x7e\x01\0"[..], &long[..256]].concat()),
            (binary, None, &long, &long_frame),
        ];
        for (kind, key, payload, expect) in rows {
            for spare in [0, 1, 9] {
                let mut room = vec![0xa5; expect.len() + spare];
                let mut writer = Writer::new(&mut room);
                assert_eq!(writer.frame(*kind, *key, payload), Ok(()));
                assert_eq!(writer.written(), *expect);
                assert!(writer.spare().iter().all(|octet| *octet == 0xa5), "wrote past its end");
            }
        }
    }

    #[test]
    fn a_frame_is_written_whole_or_not_at_all() {
        for (key, len) in [(None, 5), (None, 200), (Some(Key([1, 2, 3, 4])), 5), (None, 70_000)] {
            let payload = vec![b'x'; len];
            let mut enough = vec![0; len + 14];
            let mut writer = Writer::new(&mut enough);
            writer.frame(data(true), key, &payload).unwrap();
            let whole = writer.len();
            for room in (0..whole).rev().take(300) {
                let mut room = vec![0xa5; room];
                let mut writer = Writer::new(&mut room);
                assert_eq!(writer.frame(data(true), key, &payload), Err(NoRoom { wanted: whole }));
                assert!(writer.is_empty());
                assert!(room.iter().all(|octet| *octet == 0xa5));
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(op in 0u8..6, fin: bool, len in any::<u64>(), shift in 0u32..64, key: [u8; 4], masked: bool) {
            let len = len >> shift.max(if cfg!(feature = "small") { 33 } else { 1 });
            let short = len.min(125) as u8;
            let kind = match op {
                0 => Kind::Data { op: DataOp::Continuation, fin, len },
                1 => Kind::Data { op: DataOp::Text, fin, len },
                2 => Kind::Data { op: DataOp::Binary, fin, len },
                // No Close has a body of one octet.
                3 => Kind::Control { op: ControlOp::Close, len: if short == 1 { 2 } else { short } },
                4 => Kind::Control { op: ControlOp::Ping, len: short },
                _ => Kind::Control { op: ControlOp::Pong, len: short },
            };
            let header = Header { kind, key: masked.then_some(Key(key)) };
            let (role, other) = if masked { (Role::Server, Role::Client) } else { (Role::Client, Role::Server) };
            let limits = Limits { max_frame_bytes: u64::MAX, max_message_bytes: u64::MAX, ..Limits::DEFAULT };
            let bytes = header.encode();
            let bytes = bytes.as_ref();
            prop_assert_eq!(Header::decode(role, &limits, bytes), Ok(Some((header, bytes.len()))));
            for cut in 0..bytes.len() {
                prop_assert_eq!(Header::decode(role, &limits, &bytes[..cut]), Ok(None));
            }
            let wrong = if masked { Violation::MaskForbidden } else { Violation::MaskMissing };
            prop_assert_eq!(Header::decode(other, &limits, bytes), Err(wrong));
        }
    }

    #[test]
    fn a_writer_counts_what_was_put() {
        let mut room = [0; 8];
        let mut writer = Writer::new(&mut room);
        assert_eq!(writer.put(b"abc"), Ok(()));
        assert_eq!(writer.put(b"defghi"), Err(NoRoom { wanted: 6 }));
        writer.spare()[0] = b'd';
        writer.advance(1);
        assert_eq!((writer.len(), writer.written().to_vec()), (4, b"abcd".to_vec() as Vec<u8>));
        writer.clear();
        assert!(writer.is_empty());
        assert_eq!(Writer::resume(&mut [1, 2, 3], 2).written(), [1, 2]);
    }
}
