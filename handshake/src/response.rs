//! Other answers of a server: the application rejects a handshake, or serves something small over HTTP.

use crate::field::Field;
use crate::sink::{Sink, WriteError, check_headers, put_status_line, whole};

/// An HTTP response with all of its body.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The status: 200 to 599.
    pub status: u16,
    /// Headers: names and values. `Content-Length` and `Connection` are written without being named here.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
    /// Whether more requests may follow on the connection. Otherwise it must be closed behind the response.
    pub keep_alive: bool,
    /// Whether the body is left out, as the answer to HEAD demands: `Content-Length` still is that of the body (RFC 9110 section 9.3.2).
    pub head_only: bool,
}

impl<'a> Response<'a> {
    /// A response with that status and body, behind which the connection is closed.
    pub const fn new(status: u16, body: &'a [u8]) -> Self {
        Self { status, headers: &[], body, keep_alive: false, head_only: false }
    }

    /// Writes the whole response to the front of `out`, or nothing.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, WriteError> {
        if !matches!(self.status, 200..=599) {
            return Err(WriteError::StatusInvalid);
        }
        if self.has_no_body() && !self.body.is_empty() {
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
        sink.text(match (upgrade, self.keep_alive) {
            (false, false) => "Connection: close\r\n",
            (false, true) => "Connection: keep-alive\r\n",
            (true, false) => "Connection: Upgrade, close\r\n",
            (true, true) => "Connection: Upgrade, keep-alive\r\n",
        });
        // RFC 9110 section 8.6: none with 204, and with 304 only the length that the body would have had. Section 15.3.6:
        // 205 says that there is no body.
        if !matches!(self.status, 204 | 304) {
            sink.text("Content-Length: ");
            sink.number(self.body.len());
            sink.text("\r\n");
        }
        sink.text("\r\n");
        if !self.head_only {
            sink.octets(self.body);
        }
    }
}
