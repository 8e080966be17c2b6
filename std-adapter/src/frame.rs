//! Frames and messages as the handler gets them and as it sends them.

use crate::error::PushError;
use core::ops::BitOr;
use martlet_codec::{CloseFrame, ControlOp, Data, DataKind, DataOp, Header, Kind, MAX_CONTROL};
use martlet_state::{Misuse, Payload};

/// The opcodes of RFC 6455 section 5.2, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// A message that was begun goes on.
    Continuation = DataOp::Continuation as u8,
    /// Text.
    Text = DataOp::Text as u8,
    /// Arbitrary octets.
    Binary = DataOp::Binary as u8,
    /// The end of the connection.
    Close = ControlOp::Close as u8,
    /// Asks for a Pong.
    Ping = ControlOp::Ping as u8,
    /// Answers a Ping, or comes unasked.
    Pong = ControlOp::Pong as u8,
}

impl Opcode {
    const ALL: [Self; 6] = [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong];
}

impl TryFrom<u8> for Opcode {
    type Error = PushError;

    /// Refuses the numbers that the RFC reserves.
    fn try_from(number: u8) -> Result<Self, PushError> {
        let known = Self::ALL.into_iter().find(|opcode| *opcode as u8 == number);
        known.ok_or(PushError::ReservedOpcode(number))
    }
}

/// What a frame is beside its opcode and octets. Together: `Flags::FIN | Flags::COMPRESS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// None: a fragment that others follow.
    pub const NONE: Self = Self(0);
    /// The message ends with this frame.
    pub const FIN: Self = Self(1);
    /// The message is compressed, where that was agreed (RFC 7692); elsewhere this says nothing.
    pub const COMPRESS: Self = Self(2);

    /// Whether all of `flags` are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What came from a peer: a whole message, or a control frame if the settings ask for those. A text is valid UTF-8: only the
/// server makes these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'m> {
    opcode: Opcode,
    flags: Flags,
    payload: &'m [u8],
}

impl<'m> Frame<'m> {
    /// A whole message.
    #[inline]
    pub(crate) const fn message(kind: DataKind, payload: &'m [u8]) -> Self {
        let opcode = match kind {
            DataKind::Text => Opcode::Text,
            DataKind::Binary => Opcode::Binary,
        };
        Self { opcode, flags: Flags::FIN, payload }
    }

    /// The same message, which came compressed.
    pub(crate) const fn compressed(mut self) -> Self {
        self.flags = Flags(Flags::FIN.0 | Flags::COMPRESS.0);
        self
    }

    /// A Close, Ping or Pong.
    pub(crate) const fn control(opcode: Opcode, payload: &'m [u8]) -> Self {
        Self { opcode, flags: Flags::FIN, payload }
    }

    /// Text or Binary for a message; Close, Ping or Pong if the settings ask for them.
    #[inline]
    pub const fn opcode(&self) -> Opcode {
        self.opcode
    }

    /// FIN, and COMPRESS if it came compressed.
    pub const fn flags(&self) -> Flags {
        self.flags
    }

    /// The octets; those of a Close are its reason, see [`close_code`](Self::close_code).
    #[inline]
    pub const fn payload(&self) -> &'m [u8] {
        match self.opcode {
            Opcode::Close => match self.payload.split_at_checked(2) {
                Some((_, reason)) => reason,
                None => &[],
            },
            _ => self.payload,
        }
    }

    /// The text, if it is one: a text message, or the reason of a Close.
    pub fn text(&self) -> Option<&'m str> {
        let kind = match self.opcode {
            Opcode::Text | Opcode::Close => DataKind::Text,
            _ => DataKind::Binary,
        };
        martlet_codec::Message { kind, payload: self.payload() }.text()
    }

    /// The code of a Close; 1005 if it has none (RFC 6455 section 7.1.5).
    pub fn close_code(&self) -> Option<u16> {
        let code = self.payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
        (self.opcode == Opcode::Close).then_some(code)
    }
}

/// A piece of a message, handed out as it comes when [`stream_messages`](crate::Settings::stream_messages) is on. Where a peer
/// ended its fragments says nothing, so that it does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'m> {
    /// Text or binary. A piece of text may end within a character; that the text as a whole is UTF-8 is checked as it comes.
    pub kind: DataKind,
    /// Whether the message begins with it.
    pub first: bool,
    /// Whether the message ends with it.
    pub last: bool,
    /// The octets; may be empty.
    pub payload: &'m [u8],
}

impl<'m> Fragment<'m> {
    pub(crate) fn new(data: Data<'m>) -> Self {
        let (kind, first, last) = (data.kind(), data.is_first(), data.is_last());
        Self { kind, first, last, payload: data.into_payload() }
    }
}

/// Something to send: made from a `&str` (text), octets (binary), a [`Payload`], or a [`Frame`] that came, which is not checked
/// again. By itself it is a whole message; see [`flags`](Self::flags) for fragments.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'m> {
    opcode: Opcode,
    flags: Flags,
    octets: &'m [u8],
}

impl<'m> Outgoing<'m> {
    const fn new(opcode: Opcode, octets: &'m [u8]) -> Self {
        Self { opcode, flags: Flags::FIN, octets }
    }

    /// The next fragment of the message that was begun without [`Flags::FIN`]. Fragments of text hold whole characters.
    pub const fn continuation(octets: &'m [u8]) -> Self {
        // Only the connection knows whether a text is open, and looks at the octets if so.
        Self::new(Opcode::Continuation, octets)
    }

    /// A Ping; at most 125 octets.
    pub const fn ping(body: &'m [u8]) -> Self {
        Self::new(Opcode::Ping, body)
    }

    /// A Pong; at most 125 octets.
    pub const fn pong(body: &'m [u8]) -> Self {
        Self::new(Opcode::Pong, body)
    }

    /// The same with other flags than [`Flags::FIN`] alone.
    #[must_use]
    pub const fn flags(mut self, flags: Flags) -> Self {
        self.flags = flags;
        self
    }

    /// A frame from numbers and octets, as it came from somewhere else. Text must be UTF-8, each fragment by itself.
    pub(crate) fn checked(opcode: u8, flags: Flags, octets: &'m [u8]) -> Result<Self, PushError> {
        let opcode = Opcode::try_from(opcode)?;
        let message = Self { opcode, flags, octets };
        if opcode == Opcode::Text && !message.is_utf8() { Err(PushError::NotUtf8) } else { Ok(message) }
    }

    /// Whether the octets are UTF-8.
    pub(crate) fn is_utf8(&self) -> bool {
        let mut utf8 = martlet_codec::Utf8::new();
        utf8.push(self.octets).is_ok() && utf8.is_complete()
    }

    /// The message's kind, if it is a whole message.
    #[inline]
    pub(crate) const fn whole(&self) -> Option<DataKind> {
        // Two compares, where a `match` over all opcodes would be a table of jumps.
        if !self.is_final() {
            None
        } else if matches!(self.opcode, Opcode::Text) {
            Some(DataKind::Text)
        } else if matches!(self.opcode, Opcode::Binary) {
            Some(DataKind::Binary)
        } else {
            None
        }
    }

    /// The same, if nothing is said about compression.
    #[inline]
    pub(crate) const fn plain(&self) -> Option<DataKind> {
        if self.flags.contains(Flags::COMPRESS) { None } else { self.whole() }
    }

    #[inline]
    pub(crate) const fn flag(&self) -> Flags {
        self.flags
    }

    #[inline]
    pub(crate) const fn is_final(&self) -> bool {
        self.flags.contains(Flags::FIN)
    }

    #[inline]
    pub(crate) const fn opcode(&self) -> Opcode {
        self.opcode
    }

    #[inline]
    pub(crate) const fn octets(&self) -> &'m [u8] {
        self.octets
    }

    /// What it consists of.
    #[inline]
    pub(crate) const fn take_apart(self) -> (Opcode, Flags, &'m [u8]) {
        (self.opcode, self.flags, self.octets)
    }

    #[inline]
    pub(crate) const fn put_together((opcode, flags, octets): (Opcode, Flags, &'m [u8])) -> Self {
        Self { opcode, flags, octets }
    }

    /// Refuses what no connection could send.
    pub(crate) fn check(&self) -> Result<(), PushError> {
        match self.opcode {
            Opcode::Close => Err(PushError::CloseOpcode),
            Opcode::Ping | Opcode::Pong if self.octets.len() > usize::from(MAX_CONTROL) => {
                Err(PushError::Misuse(Misuse::ControlTooLong(self.octets.len())))
            }
            _ => Ok(()),
        }
    }

    /// The same on its way to another worker.
    pub(crate) fn to_owned(self) -> Owned {
        Owned { opcode: self.opcode, flags: self.flags, octets: self.octets.to_vec() }
    }

    /// A whole message as one frame of a server, to be sent by many connections or by another worker.
    pub(crate) fn encode(kind: DataKind, octets: &[u8]) -> Vec<u8> {
        let kind = Kind::Data { op: kind.op(), fin: true, len: octets.len() as u64 };
        let header = Header { kind, key: None }.encode();
        [header.as_ref(), octets].concat()
    }
}

/// An [`Outgoing`] that waits for another worker.
#[derive(Debug)]
pub(crate) struct Owned {
    opcode: Opcode,
    flags: Flags,
    pub(crate) octets: Vec<u8>,
}

impl Owned {
    pub(crate) fn borrow(&self) -> Outgoing<'_> {
        Outgoing { opcode: self.opcode, flags: self.flags, octets: &self.octets }
    }
}

/// The frame's kind, for a writer that takes the length from the octets.
#[inline]
pub(crate) const fn whole_frame(kind: DataKind) -> Kind {
    let op: DataOp = kind.op();
    Kind::Data { op, fin: true, len: 0 }
}

/// The body of a Close frame as the handler gets it.
pub(crate) fn close_body(frame: Option<CloseFrame<'_>>) -> Vec<u8> {
    frame.map_or_else(Vec::new, |frame| [&frame.code().get().to_be_bytes(), frame.reason().as_bytes()].concat())
}

impl<'m> From<Frame<'m>> for Outgoing<'m> {
    #[inline]
    fn from(frame: Frame<'m>) -> Self {
        Self { opcode: frame.opcode, flags: frame.flags, octets: frame.payload }
    }
}

impl<'m> From<Payload<'m>> for Outgoing<'m> {
    #[inline]
    fn from(payload: Payload<'m>) -> Self {
        match payload {
            Payload::Text(text) => text.into(),
            Payload::Binary(octets) => octets.into(),
        }
    }
}

impl<'m> From<&'m str> for Outgoing<'m> {
    #[inline]
    fn from(text: &'m str) -> Self {
        Self::new(Opcode::Text, text.as_bytes())
    }
}

impl<'m> From<&'m [u8]> for Outgoing<'m> {
    #[inline]
    fn from(octets: &'m [u8]) -> Self {
        Self::new(Opcode::Binary, octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_message_is_one_frame() {
        assert_eq!(Outgoing::encode(DataKind::Text, b"Hi"), b"\x81\x02Hi");
        assert_eq!(Outgoing::encode(DataKind::Binary, &[0; 126])[..5], [0x82, 126, 0, 126, 0]);
    }

    #[test]
    fn a_frame_shows_what_it_is() {
        assert_eq!(Frame::message(DataKind::Text, b"Hi").text(), Some("Hi"));
        assert_eq!(Frame::message(DataKind::Binary, b"Hi").text(), None);
        let close = Frame::control(Opcode::Close, b"\x03\xe8bye");
        assert_eq!((close.close_code(), close.text(), close.payload()), (Some(1000), Some("bye"), &b"bye"[..]));
        let empty = Frame::control(Opcode::Close, b"");
        assert_eq!((empty.close_code(), empty.text()), (Some(1005), Some("")));
        assert_eq!(Frame::control(Opcode::Ping, b"\x03\xe8").close_code(), None);
    }

    #[test]
    fn reserved_opcodes_are_refused() {
        for number in 0..=255u8 {
            let reserved = !matches!(number, 0..=2 | 8..=10);
            match Opcode::try_from(number) {
                Ok(opcode) => assert!(!reserved && opcode as u8 == number),
                Err(error) => assert!(reserved && error == PushError::ReservedOpcode(number)),
            }
        }
    }
}
