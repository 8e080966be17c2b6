//! A message that leaves from where it came: what a handler pushes of a read's last message is not copied if its turn sends nothing else.
//!
//! The frame is made around the payload, in the worker's input: what came in front of it, a header with a masking key, is longer than the
//! header that goes. Until the handler is done with it nothing is written there. The output has room for the frame at its front, and what
//! is sent behind it lies behind that.

use crate::input::Input;
use crate::output::Output;
use martlet_codec::DataKind;
use std::rc::Rc;

/// Octets of a server's header in front of 126 to 65,535 octets.
const HEADER: usize = 4;

/// What was read, while its last message is with the handler.
pub(crate) struct Lent {
    octets: Rc<Box<[u8]>>,
    /// Where what was read ends.
    end: usize,
    /// The message that is to leave from there: its header, and octets of its frame, 0 if there is none.
    header: [u8; HEADER],
    frame: u32,
}

impl Input {
    /// The last `payload` of the first `read` octets, for the handler, and what lets the output send them from here. There is no room
    /// until that is given back.
    #[inline(always)]
    pub(crate) fn lend(&self, read: usize, payload: usize) -> Option<(&[u8], Lent)> {
        let end = self.from + read;
        let octets = self.octets.get(end - payload..end)?;
        Some((octets, Lent { octets: Rc::clone(&self.octets), end, header: [0; HEADER], frame: 0 }))
    }

    /// A frame of so many octets whose payload is the last of the first `read` ones. An empty one is none.
    #[inline(always)]
    pub(crate) fn frame(&mut self, read: usize, header: [u8; HEADER], len: usize) -> Option<&[u8]> {
        let end = self.from + read;
        let frame = Rc::get_mut(&mut self.octets)?.get_mut(end - len..end)?;
        *frame.first_chunk_mut()? = header;
        Some(frame)
    }
}

impl Lent {
    /// Whether these are the last octets that were read: what ends where those end, and is not empty, is a part of them.
    #[inline(always)]
    fn ends_with(&self, octets: &[u8]) -> bool {
        octets.as_ptr_range().end.addr() == self.octets.as_ptr().addr().wrapping_add(self.end)
    }
}

impl Output {
    /// Leaves room at the front for a message, if that may leave from where it came. Says whether this is one.
    #[inline(always)]
    pub(crate) fn put_in_place(&mut self, kind: DataKind, octets: &[u8]) -> bool {
        if self.len == 0
            && let Some(lent) = &mut self.lent
            && lent.ends_with(octets)
            && let Ok(len @ 126..) = u16::try_from(octets.len())
        {
            lent.header = header(kind, len);
            lent.frame = u32::from(len) + HEADER as u32;
            self.len = lent.frame as usize;
            return true;
        }
        false
    }

    /// Ends what [`lend`](Input::lend) began. Gives the header of the frame that is to leave from there, and that frame's octets, if
    /// that is all there is to send; it is empty if there is nothing to send.
    #[inline(always)]
    pub(crate) fn take_back(&mut self) -> Option<([u8; HEADER], usize)> {
        let &Lent { header, frame, .. } = self.lent.as_ref()?;
        let len = self.len;
        if len != frame as usize {
            return None;
        }
        self.lent = None;
        self.len = 0;
        Some((header, len))
    }

    /// The same if there is more to send: the message is copied.
    pub(crate) fn fill_in(&mut self) {
        let Some(Lent { octets, end, header, frame }) = self.lent.take() else { return };
        if let Some(room) = self.room.get_mut(..frame as usize)
            && let Some((to, room)) = room.split_first_chunk_mut()
            && let Some(payload) = octets.get(end - room.len()..end)
        {
            *to = header;
            room.copy_from_slice(payload);
        }
    }
}

/// A server's header of a whole message of 126 octets and more: what [`Header::encode`](martlet_codec::Header::encode) gives, in one word.
#[inline(always)]
const fn header(kind: DataKind, len: u16) -> [u8; HEADER] {
    let [l0, l1] = len.to_be_bytes();
    [0x80 | kind.op() as u8, 126, l0, l1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use martlet_codec::{Header, Kind};

    #[test]
    fn the_header_is_what_the_core_makes() {
        for kind in [DataKind::Text, DataKind::Binary] {
            for len in [126, 127, 128, 255, 256, 1024, 0x7fff, u16::MAX] {
                let kind_of_frame = Kind::Data { op: kind.op(), fin: true, len: len.into() };
                assert_eq!(header(kind, len), Header { kind: kind_of_frame, key: None }.encode().as_ref());
            }
        }
    }
}
