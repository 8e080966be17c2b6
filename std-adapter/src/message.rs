//! Messages as they come and as they go.

use martlet_codec::{DataKind, DataOp, Header, Kind};
use martlet_state::Payload;

/// A whole message from a peer. A text is valid UTF-8: only the server makes these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'m> {
    kind: DataKind,
    payload: &'m [u8],
}

impl<'m> Message<'m> {
    #[inline]
    pub(crate) const fn new(kind: DataKind, payload: &'m [u8]) -> Self {
        Self { kind, payload }
    }

    /// Text or binary.
    #[inline]
    pub const fn kind(&self) -> DataKind {
        self.kind
    }

    /// The octets.
    #[inline]
    pub const fn payload(&self) -> &'m [u8] {
        self.payload
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&'m str> {
        martlet_codec::Message { kind: self.kind, payload: self.payload }.text()
    }
}

/// A whole message to send: made from a `&str`, octets, a [`Payload`], or a [`Message`] that came, which is not checked again.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'m> {
    kind: DataKind,
    octets: &'m [u8],
}

impl<'m> Outgoing<'m> {
    /// The frame's kind, for a writer that takes the length from the octets.
    #[inline]
    pub(crate) const fn frame_kind(&self) -> Kind {
        Kind::Data { op: self.data_op(), fin: true, len: 0 }
    }

    #[inline]
    const fn data_op(&self) -> DataOp {
        self.kind.op()
    }

    #[inline]
    pub(crate) const fn kind(&self) -> DataKind {
        self.kind
    }

    #[inline]
    pub(crate) const fn octets(&self) -> &'m [u8] {
        self.octets
    }

    /// The message as one frame of a server, to be sent by many connections or by another worker.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let kind = Kind::Data { op: self.data_op(), fin: true, len: self.octets.len() as u64 };
        let header = Header { kind, key: None }.encode();
        [header.as_ref(), self.octets].concat()
    }
}

impl<'m> From<Message<'m>> for Outgoing<'m> {
    #[inline]
    fn from(message: Message<'m>) -> Self {
        Self { kind: message.kind, octets: message.payload }
    }
}

impl<'m> From<Payload<'m>> for Outgoing<'m> {
    #[inline]
    fn from(payload: Payload<'m>) -> Self {
        Self { kind: payload.kind(), octets: payload.as_bytes() }
    }
}

impl<'m> From<&'m str> for Outgoing<'m> {
    #[inline]
    fn from(text: &'m str) -> Self {
        Self { kind: DataKind::Text, octets: text.as_bytes() }
    }
}

impl<'m> From<&'m [u8]> for Outgoing<'m> {
    #[inline]
    fn from(octets: &'m [u8]) -> Self {
        Self { kind: DataKind::Binary, octets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_message_is_one_frame() {
        assert_eq!(Outgoing::from("Hi").encode(), b"\x81\x02Hi");
        assert_eq!(Outgoing::from(&[0u8; 126][..]).encode()[..5], [0x82, 126, 0, 126, 0]);
        let message = Message::new(DataKind::Text, b"Hi");
        assert_eq!((Outgoing::from(message).encode(), message.text()), (b"\x81\x02Hi".to_vec(), Some("Hi")));
        assert_eq!(Message::new(DataKind::Binary, b"Hi").text(), None);
    }
}
