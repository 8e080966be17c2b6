//! A client asks: the request of an opening handshake (RFC 6455 section 4.1).

use crate::agreed::Offer;
use crate::class::Class;
use crate::deflate::{self, DeflateParams};
use crate::extension;
use crate::field::Field;
use crate::grammar::is_token;
use crate::key::{Nonce, key_of};
use crate::sink::{Sink, WriteError, check_headers, whole};
#[cfg(feature = "small")]
use crate::small::is_host;
use crate::value;
#[cfg(not(feature = "small"))]
use crate::value::is_host;

/// The request that opens a connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientRequest<'a> {
    /// The server's host, with its port unless that is the scheme's own: `example.org`, `[::1]:9501`.
    pub host: &'a str,
    /// Path and query, percent-encoded: `/chat?room=1`.
    pub target: &'a str,
    /// For a browser, where the page comes from.
    pub origin: Option<&'a str>,
    /// The subprotocols that the client would speak, the one it likes best first.
    pub subprotocols: &'a [&'a str],
    /// permessage-deflate, offered with these parameters.
    pub deflate: Option<DeflateParams>,
    /// The value for `Sec-WebSocket-Extensions`: other extensions.
    pub extensions: Option<&'a str>,
    /// More headers: names and values.
    pub headers: &'a [(&'a str, &'a str)],
}

impl<'a> ClientRequest<'a> {
    /// Writes the whole request to the front of `out`, or nothing.
    ///
    /// `nonce` is chosen at random for each connection. The [`ResponseScanner`](crate::ResponseScanner) gets the same, and
    /// [`offer`](Self::offer).
    pub fn write(&self, nonce: &Nonce, out: &mut [u8]) -> Result<usize, WriteError> {
        self.check()?;
        Ok(whole(out, |sink| self.put(nonce, sink))?)
    }

    /// What this offers to the server, which its answer is compared with.
    pub const fn offer(&self) -> Offer<'a> {
        Offer { subprotocols: self.subprotocols, extensions: self.extensions, deflate: self.deflate }
    }

    fn check(&self) -> Result<(), WriteError> {
        if !is_host(self.host.as_bytes()) {
            return Err(WriteError::HostInvalid);
        }
        if !self.target.starts_with('/') || !Class::Target.has_all(self.target.as_bytes()) {
            return Err(WriteError::TargetInvalid);
        }
        if self.origin.is_some_and(|origin| !value::is_origin(origin.as_bytes())) {
            return Err(WriteError::OriginInvalid);
        }
        if self.extensions.is_some_and(|extensions| !extension::is_list(extensions.as_bytes())) {
            return Err(WriteError::ExtensionsInvalid);
        }
        if self.deflate.is_some()
            && self.extensions.is_some_and(|others| extension::names(others, deflate::NAME.as_bytes()))
        {
            return Err(WriteError::ExtensionTwice);
        }
        let mut names = self.subprotocols;
        while let [name, rest @ ..] = names {
            if !is_token(name) {
                return Err(WriteError::SubprotocolInvalid);
            }
            // "The elements that comprise this value ... MUST all be unique strings."
            if rest.contains(name) {
                return Err(WriteError::SubprotocolDuplicate);
            }
            names = rest;
        }
        check_headers(self.headers, |field| field != Field::Other)
    }

    fn put(&self, nonce: &Nonce, sink: &mut Sink<'_>) {
        sink.text("GET ");
        sink.text(self.target);
        sink.text(" HTTP/1.1\r\nHost: ");
        sink.text(self.host);
        sink.text("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
        sink.octets(&key_of(nonce));
        if let Some(origin) = self.origin {
            sink.text("\r\nOrigin: ");
            sink.text(origin);
        }
        if let [first, rest @ ..] = self.subprotocols {
            sink.text("\r\nSec-WebSocket-Protocol: ");
            sink.text(first);
            for name in rest {
                sink.text(", ");
                sink.text(name);
            }
        }
        let deflate = self.deflate.map(|params| move |sink: &mut Sink<'_>| params.offer(|part| sink.text(part)));
        sink.extensions(deflate, self.extensions);
        sink.headers(self.headers);
        sink.text("\r\n\r\n");
    }
}
