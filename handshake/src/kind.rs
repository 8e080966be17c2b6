//! What a request asks for, once all of its head is read.

use crate::choice::Choice;
use crate::deflate::DeflateParams;
use crate::fact;
use crate::key::Nonce;
use crate::refusal::Refusal;
use crate::upgrade::Upgrade;
use crate::value::Number;

/// What must be so of a request that asks for a WebSocket (RFC 6455 section 4.2.1).
const DEMANDS: [(u16, Refusal); 5] = [
    (fact::GET, Refusal::MethodNotGet),
    (fact::HTTP_1_1, Refusal::HttpVersionTooOld),
    (fact::CONNECTION_UPGRADE, Refusal::ConnectionNotUpgrade),
    // Before the key: clients of earlier drafts have other keys, and shall learn which version is spoken.
    (fact::VERSION, Refusal::VersionMissing),
    (fact::KEY, Refusal::KeyMissing),
];

/// What a legal request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A WebSocket.
    Upgrade(Upgrade),
    /// Something else over HTTP.
    Plain(Plain),
}

/// What the treatment of an HTTP request depends on that asks for no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain {
    /// Whether the client wants to send more requests on the connection (RFC 9112 section 9.3).
    pub keep_alive: bool,
    /// The body that follows the head.
    pub body: Body,
}

/// The body of a request (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// None.
    None,
    /// So many octets; at least one.
    Length(u64),
    /// Chunks, each with its own length (RFC 9112 section 7.1).
    Chunked,
}

/// What was found in all of a request's head, and what of it is no fact.
pub(crate) struct Asked {
    pub(crate) facts: u16,
    pub(crate) subprotocol: Choice,
    /// With [`fact::BODY`] the number of its octets [lies here](keep_length).
    pub(crate) nonce: Nonce,
    pub(crate) deflate: Option<DeflateParams>,
}

impl Asked {
    /// What the request is. Refuses what only the whole head can show.
    pub(crate) fn kind(&self) -> Result<Kind, Refusal> {
        let body = self.body()?;
        // HTTP/1.0 knows no Host; an upgrade in it is refused below.
        if !self.has(fact::HOST) && self.has(fact::HTTP_1_1) {
            return Err(Refusal::HostMissing);
        }
        if self.subprotocol.is_empty() {
            return Err(Refusal::SubprotocolsInvalid);
        }
        if self.has(fact::EXTENSIONS_LINE) && !self.has(fact::EXTENSION) {
            return Err(Refusal::ExtensionsInvalid);
        }
        if !self.has(fact::UPGRADE) {
            let keep_alive = !self.has(fact::CLOSE) && (self.has(fact::HTTP_1_1) || self.has(fact::KEEP_ALIVE));
            return Ok(Kind::Plain(Plain { keep_alive, body }));
        }
        match DEMANDS.iter().find(|(fact, _)| !self.has(*fact)) {
            Some((_, refusal)) => Err(*refusal),
            None if body != Body::None => Err(Refusal::BodyOnUpgrade),
            None => Ok(Kind::Upgrade(Upgrade {
                nonce: self.nonce,
                deflate: self.deflate,
                subprotocol: self.subprotocol,
                offers_extensions: self.has(fact::EXTENSION),
            })),
        }
    }

    const fn has(&self, fact: u16) -> bool {
        self.facts & fact != 0
    }

    fn body(&self) -> Result<Body, Refusal> {
        match (self.has(fact::CODING_LINE), self.has(fact::LENGTH)) {
            (true, _) if !self.has(fact::CHUNKED) => Err(Refusal::TransferEncodingInvalid),
            (true, false) => Ok(Body::Chunked),
            (true, true) => Err(Refusal::BodyLengthAmbiguous),
            #[allow(clippy::useless_conversion)] // Without `small` it is one.
            (false, _) if self.has(fact::BODY) => {
                let length = self.nonce.first_chunk().map_or(0, |octets| Number::from_le_bytes(*octets));
                Ok(Body::Length(length.into()))
            }
            (false, _) => Ok(Body::None),
        }
    }
}

/// Keeps a body's length where the nonce lies: an opening handshake has no body, so that the nonce is then nobody's.
pub(crate) fn keep_length(length: Number, nonce: &mut Nonce) {
    if let Some(place) = nonce.first_chunk_mut() {
        *place = length.to_le_bytes();
    }
}
