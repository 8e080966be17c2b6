//! Whole messages that own their octets, for adapters that have an allocator.

use crate::buffers::{Inbox, Outbox};
use crate::config::Config;
use crate::connection::Connection;
use crate::event::{Error, Event, Fault, SendError, Status};
use crate::instant::Instant;
use crate::side::Side;
use alloc::string::String;
use alloc::vec::Vec;
use core::borrow::Borrow;
use martlet_codec::{Assembler, OwnedClose, Writer};
use martlet_handshake::{Accept, Response};

/// What came from the peer, or goes to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnedMessage {
    /// Text.
    Text(String),
    /// Octets.
    Binary(Vec<u8>),
    /// A Ping; what came was answered already, unless `auto_pong` is off.
    Ping(Vec<u8>),
    /// A Pong.
    Pong(Vec<u8>),
    /// A Close. What came was answered already, and nothing comes after it.
    Close(Option<OwnedClose>),
}

impl<'c, S: Side, C: Borrow<Config<'c>>> Connection<'c, S, C> {
    /// [`advance`](Self::advance) by one event: the message that it is or completes, if any. It is `None` when more octets are needed.
    ///
    /// Every request for a WebSocket is accepted, any other answered with 426; who is choosier looks at the events.
    pub fn next_message<E>(
        &mut self,
        now: Instant,
        inbox: &mut Inbox<Vec<u8>>,
        outbox: &mut Outbox<Vec<u8>>,
        pieces: &mut Assembler<Vec<u8>>,
    ) -> Result<Option<Option<OwnedMessage>>, Error<E>> {
        Ok(Some(match self.advance(now, inbox, outbox)? {
            Status::More | Status::NoRoom(_) => return Ok(None),
            Status::Event(Event::Data(data)) => match pieces.push(data) {
                Ok(whole) => whole.map(|whole| match whole.text() {
                    Some(text) => OwnedMessage::Text(text.into()),
                    None => OwnedMessage::Binary(whole.payload.into()),
                }),
                Err(violation) => {
                    outbox.write(|writer| self.fail(violation, writer))?;
                    return Err(Error::Peer(Fault::Violation(violation)));
                }
            },
            Status::Event(Event::Ping(body)) => Some(OwnedMessage::Ping(body.into())),
            Status::Event(Event::Pong(body)) => Some(OwnedMessage::Pong(body.into())),
            Status::Event(Event::Close(close)) => Some(OwnedMessage::Close(close.map(|close| close.to_owned()))),
            Status::Event(Event::Request { .. }) => {
                outbox.write(|writer| self.accept_or_refuse(now, writer))??;
                None
            }
            Status::Event(Event::Line(_) | Event::Open(_)) => None,
        }))
    }

    /// The inner error is of a request that was refused.
    fn accept_or_refuse(&mut self, now: Instant, writer: &mut Writer<'_>) -> Result<Result<(), SendError>, SendError> {
        match self.accept(now, &Accept::default(), writer) {
            Err(SendError::Misuse(misuse)) => {
                self.respond(&Response::new(426, b"WebSockets only\n"), writer)?;
                Ok(Err(misuse.into()))
            }
            accepted => accepted.map(Ok),
        }
    }
}
