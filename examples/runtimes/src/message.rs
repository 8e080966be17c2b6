//! What adapters with an allocator hand out: messages that own their octets, and why there are no more.
#![allow(missing_docs)]

use martlet::codec::{Assembler, OwnedClose};
use martlet::state::{Event, Expired, Fault, SendError};

/// What came from the peer. Ping and Close were answered already; nothing comes after Close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<OwnedClose>),
}

impl Message {
    /// The message that `event` is or completes.
    pub fn from_event(event: Event<'_>, pieces: &mut Assembler<Vec<u8>>) -> Result<Option<Self>, Fault> {
        Ok(match event {
            Event::Data(data) => pieces.push(data).map_err(Fault::Violation)?.map(|whole| match whole.text() {
                Some(text) => Self::Text(text.into()),
                None => Self::Binary(whole.payload.into()),
            }),
            Event::Ping(body) => Some(Self::Ping(body.into())),
            Event::Pong(body) => Some(Self::Pong(body.into())),
            Event::Close(close) => Some(Self::Close(close.map(|close| close.to_owned()))),
            Event::Line(_) | Event::Request { .. } | Event::Open(_) => None,
        })
    }
}

/// Why there is no message, or why none was sent.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum Error {
    Io(#[from] std::io::Error),
    Peer(#[from] Fault),
    Send(#[from] SendError),
    #[error("too late: {0:?}")]
    Late(Expired),
}
