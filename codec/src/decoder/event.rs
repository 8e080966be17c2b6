//! What the decoder says: messages, piece by piece, and control frames.

use crate::close::CloseFrame;
use crate::kernel::{Best, Checked, Kernel};
use crate::opcode::DataKind;

/// What the peer sent. Payload lies unmasked in the octets that it came in.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'i> {
    /// A message, or as much of one as has come.
    Data(Data<'i>),
    /// A Ping and its body, at most 125 octets.
    Ping(&'i [u8]),
    /// A Pong and its body, at most 125 octets.
    Pong(&'i [u8]),
    /// A Close; without a body it has no code (RFC 6455 section 7.1.5 calls that 1005).
    Close(Option<CloseFrame<'i>>),
}

/// Payload of a message in the order in which it came. A message that lies whole in the input is one such piece with
/// `first` and `last` both true.
#[derive(Debug, PartialEq, Eq)]
pub struct Data<'i> {
    pub(super) payload: &'i mut [u8],
    pub(super) kind: DataKind,
    pub(super) first: bool,
    pub(super) last: bool,
    pub(super) compressed: bool,
}

impl<'i> Data<'i> {
    /// Text or binary: the same for all pieces of a message.
    #[inline]
    pub const fn kind(&self) -> DataKind {
        self.kind
    }

    /// Whether a message begins with this piece.
    #[inline]
    pub const fn is_first(&self) -> bool {
        self.first
    }

    /// Whether the message ends with this piece.
    #[inline]
    pub const fn is_last(&self) -> bool {
        self.last
    }

    /// Whether this piece is the whole message.
    #[inline]
    pub const fn is_whole(&self) -> bool {
        self.first && self.last
    }

    /// Whether the message came with RSV1, so that its payload is what RFC 7692 section 7.2.1 makes of it: the same for all
    /// pieces of a message. Only where [`Decoder::set_compression`](super::Decoder::set_compression) allows it.
    #[inline]
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The octets. Text that is not [compressed](Self::is_compressed) is checked: what has come of the message is the beginning of some valid text, but a piece may begin
    /// and end within a character.
    #[inline]
    pub const fn payload(&self) -> &[u8] {
        self.payload
    }

    /// The octets for as long as the input was lent.
    #[inline]
    pub fn into_payload(self) -> &'i mut [u8] {
        self.payload
    }

    /// The text, if this piece is a whole text message, and not compressed.
    #[inline]
    pub fn text(&self) -> Option<&str> {
        match self.kind {
            DataKind::Text if self.is_whole() && !self.compressed => Best::checked_text(Checked(self.payload)),
            _ => None,
        }
    }
}
