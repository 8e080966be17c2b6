//! Other answers of a server: the application rejects a handshake, or serves something else over HTTP.

use crate::field::Field;
use crate::sink::{Sink, WriteError, check_headers, put_status_line, whole};

/// The interim response that a client awaits which sent `Expect: 100-continue` (RFC 9110 section 10.1.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// How the recipient finds the end of a body (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// All of it is in [`Response::body`], whose length is told.
    Whole,
    /// The caller sends so many octets behind the head.
    Length(u64),
    /// The caller sends chunks behind the head (RFC 9112 section 7.1), never to a client of HTTP/1.0.
    Chunked,
    /// The caller sends octets behind the head, and closes the connection behind them.
    Close,
}

/// An HTTP response, with all of its body unless its [`Framing`] says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The status: 200 to 599.
    pub status: u16,
    /// Headers: names and values. `Content-Length` and `Connection` are written without being named here.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; empty unless `framing` is [`Framing::Whole`].
    pub body: &'a [u8],
    /// How the body's end is told.
    pub framing: Framing,
    /// Whether more requests may follow on the connection. Otherwise it must be closed behind the response.
    pub keep_alive: bool,
    /// Whether the body is left out, as the answer to HEAD demands: `Content-Length` still is that of the body (RFC 9110 section 9.3.2).
    pub head_only: bool,
}

impl<'a> Response<'a> {
    /// A response with that status and body, behind which the connection is closed.
    pub const fn new(status: u16, body: &'a [u8]) -> Self {
        Self { status, headers: &[], body, framing: Framing::Whole, keep_alive: false, head_only: false }
    }

    /// Writes the whole response to the front of `out`, or nothing.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, WriteError> {
        if !matches!(self.status, 200..=599) {
            return Err(WriteError::StatusInvalid);
        }
        let follows = self.framing != Framing::Whole;
        if (self.has_no_body() || follows) && !self.body.is_empty() || self.has_no_body() && follows {
            return Err(WriteError::BodyForbidden);
        }
        check_headers(self.headers, |field| match field {
            Field::Connection | Field::ContentLength | Field::TransferEncoding | Field::Accept => true,
            Field::Host | Field::Upgrade | Field::Key | Field::Version => false,
            Field::Protocol | Field::Extensions | Field::Origin | Field::Other => false,
        })?;
        Ok(whole(out, |sink| self.put(sink))?)
    }

    const fn has_no_body(&self) -> bool {
        matches!(self.status, 204 | 205 | 304)
    }

    fn put(&self, sink: &mut Sink<'_>) {
        put_status_line(sink, self.status);
        sink.headers(self.headers);
        // RFC 9110 section 7.8: who sends Upgrade names it in Connection too.
        let upgrade = self.headers.iter().any(|(name, _)| Field::of(name.as_bytes()) == Field::Upgrade);
        let keep_alive = self.keep_alive && self.framing != Framing::Close;
        sink.text(match (upgrade, keep_alive) {
            (false, false) => "\r\nConnection: close",
            (false, true) => "\r\nConnection: keep-alive",
            (true, false) => "\r\nConnection: Upgrade, close",
            (true, true) => "\r\nConnection: Upgrade, keep-alive",
        });
        // RFC 9110 section 8.6: none with 204, and with 304 only the length that the body would have had. Section 15.3.6:
        // 205 says that there is no body.
        match self.framing {
            Framing::Whole if matches!(self.status, 204 | 304) => (),
            Framing::Whole => put_length(sink, self.body.len() as u64),
            Framing::Length(length) => put_length(sink, length),
            Framing::Chunked => sink.text("\r\nTransfer-Encoding: chunked"),
            Framing::Close => (),
        }
        sink.text("\r\n\r\n");
        if !self.head_only {
            sink.octets(self.body);
        }
    }
}

fn put_length(sink: &mut Sink<'_>, length: u64) {
    sink.text("\r\nContent-Length: ");
    sink.number(length);
}
