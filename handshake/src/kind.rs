//! What a request asks for, once all of its head is read.

use crate::upgrade::Upgrade;

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
