//! What a handler answers.

use core::fmt;
use std::borrow::Cow;
use std::io::Read;

/// What becomes of a handshake.
#[derive(Debug)]
pub enum Decision {
    /// The connection is opened.
    Accept {
        /// The subprotocol, one that the client offered; `None` for the first of
        /// [`websocket_subprotocol`](field@crate::Settings::websocket_subprotocol) that it offered, if any.
        subprotocol: Option<String>,
        /// Further headers of the 101.
        headers: Vec<(String, String)>,
    },
    /// Another answer, such as 403 or 404. The connection ends with it.
    Reject(Response),
    /// It is decided later, by what [`Request::defer`](crate::Request::defer) gave; within
    /// [`handshake_timeout`](field@crate::Settings::handshake_timeout), or it is 503.
    Deferred,
}

impl Default for Decision {
    fn default() -> Self {
        Self::Accept { subprotocol: None, headers: Vec::new() }
    }
}

/// What becomes of a plain HTTP request.
#[derive(Debug)]
pub enum Answer {
    /// This is the response.
    Now(Response),
    /// It comes later, by what [`Request::defer`](crate::Request::defer) gave; within
    /// [`request_timeout`](field@crate::Settings::request_timeout), or it is 503.
    Deferred,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self::Now(response)
    }
}

/// An HTTP response. `Content-Length`, `Transfer-Encoding`, `Connection`, `Date` and the empty line come by themselves.
#[derive(Debug)]
pub struct Response {
    /// The status, such as 404.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body. To HEAD only its length is told.
    pub body: Body,
    /// Whether the connection ends with it, though the client would send more requests.
    pub close: bool,
}

/// The body of a response.
pub enum Body {
    /// All of it.
    Bytes(Cow<'static, [u8]>),
    /// It is read piece by piece, as fast as the peer takes it.
    Read {
        /// Where from. It is read in the worker's thread, which it must not keep waiting: a file is right, a socket is not.
        reader: Box<dyn Read + Send>,
        /// Octets in all. `None` if nobody knows: then it goes in chunks. A reader that ends too early breaks the connection; one
        /// that has more is read no further.
        length: Option<u64>,
    },
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(octets) => write!(f, "{} octets", octets.len()),
            Self::Read { length: Some(length), .. } => write!(f, "{length} octets to be read"),
            Self::Read { length: None, .. } => f.write_str("octets to be read"),
        }
    }
}

impl<B: Into<Cow<'static, [u8]>>> From<B> for Body {
    fn from(octets: B) -> Self {
        Self::Bytes(octets.into())
    }
}

impl Response {
    /// A response with a body of this `Content-Type`.
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Body>) -> Self {
        let headers = vec![(Cow::Borrowed("Content-Type"), Cow::Borrowed(content_type))];
        Self { status, headers, body: body.into(), close: false }
    }

    /// A response without a body.
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Bytes(Cow::Borrowed(&[])), close: false }
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

    /// The same as the last response of its connection.
    #[must_use]
    pub const fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// The memory of a body that was made for this response.
    pub(crate) fn memory(&self) -> usize {
        match &self.body {
            Body::Bytes(Cow::Owned(octets)) => octets.capacity(),
            Body::Bytes(Cow::Borrowed(_)) | Body::Read { .. } => 0,
        }
    }

    /// What the body counts while it waits for a worker.
    pub(crate) fn octets(&self) -> usize {
        match &self.body {
            Body::Bytes(octets) => octets.len(),
            Body::Read { .. } => 0,
        }
    }
}
