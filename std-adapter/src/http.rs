//! Requests and the answers to them.

use crate::address::Peer;
use std::borrow::Cow;
use std::ops::Deref;

/// A request, checked and whole: a handshake, or plain HTTP. It derefs to the head, which has method, path, headers and all.
#[derive(Debug)]
pub struct Request<'r> {
    head: &'r martlet_handshake::Request<'r>,
    peer: Peer,
}

impl<'r> Request<'r> {
    pub(crate) const fn new(head: &'r martlet_handshake::Request<'r>, peer: Peer) -> Self {
        Self { head, peer }
    }

    /// The peer's address.
    pub const fn peer(&self) -> Peer {
        self.peer
    }
}

impl<'r> Deref for Request<'r> {
    type Target = martlet_handshake::Request<'r>;

    fn deref(&self) -> &Self::Target {
        self.head
    }
}

/// What becomes of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The connection is opened.
    Accept {
        /// The subprotocol, one that the client offered; `None` for the first of
        /// [`subprotocols`](field@crate::Settings::websocket_subprotocol) that it offered, if any.
        subprotocol: Option<String>,
        /// Further headers of the 101.
        headers: Vec<(String, String)>,
    },
    /// Another answer, such as 403 or 404. The connection ends with it.
    Reject(Response),
}

impl Default for Decision {
    fn default() -> Self {
        Self::Accept { subprotocol: None, headers: Vec::new() }
    }
}

/// An HTTP response. `Content-Length`, `Connection` and the empty line come by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status, such as 404.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body.
    pub body: Cow<'static, [u8]>,
}

impl Response {
    /// A response with a body of this `Content-Type`.
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        let headers = vec![(Cow::Borrowed("Content-Type"), Cow::Borrowed(content_type))];
        Self { status, headers, body: body.into() }
    }

    /// A response that says something in plain words.
    pub fn text(status: u16, body: &'static str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body.as_bytes())
    }

    /// The same with one header more.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}
