//! A server says yes: the answer 101 (RFC 6455 section 4.2.2).

use crate::deflate::{self, DeflateParams};
use crate::extension;
use crate::field::Field;
use crate::offered::Offered;
use crate::sink::{Sink, WriteError, check_headers, whole};
use crate::upgrade::Upgrade;

/// What the answer to an opening handshake says beside its fixed part.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accept<'a> {
    /// The subprotocol to speak: one that the client offers, or none. Another would make the client fail the connection.
    pub subprotocol: Option<Offered<'a>>,
    /// The value for `Sec-WebSocket-Extensions`: extensions that the client offers, with parameters that are honoured.
    pub extensions: Option<&'a str>,
    /// Whether permessage-deflate is left out. Otherwise [`Upgrade::deflate`] is accepted, if a scanner that negotiates has found
    /// an offer; `extensions` then says nothing about it.
    pub decline_deflate: bool,
    /// More headers: names and values.
    pub headers: &'a [(&'a str, &'a str)],
}

impl Accept<'_> {
    /// Writes the whole answer to the front of `out`, or nothing. Frames follow it at once.
    pub fn write(&self, upgrade: &Upgrade, out: &mut [u8]) -> Result<usize, WriteError> {
        self.check(upgrade)?;
        let accept = upgrade.accept();
        Ok(whole(out, |sink| self.put(upgrade, &accept, sink))?)
    }

    fn check(&self, upgrade: &Upgrade) -> Result<(), WriteError> {
        // An offer of another client.
        if self.subprotocol.is_some() && !upgrade.offers_subprotocols() {
            return Err(WriteError::SubprotocolNotOffered);
        }
        let deflate = self.deflate(upgrade);
        if let Some(extensions) = self.extensions {
            if !extension::is_list(extensions.as_bytes()) {
                return Err(WriteError::ExtensionsInvalid);
            }
            if !upgrade.offers_extensions() {
                return Err(WriteError::ExtensionsNotOffered);
            }
            if deflate.is_some() && extension::names(extensions, deflate::NAME.as_bytes()) {
                return Err(WriteError::ExtensionTwice);
            }
        }
        // RFC 9110 section 8.6 and RFC 9112 section 6.1: a response 101 has neither of the last two.
        check_headers(self.headers, |field| match field {
            Field::Upgrade | Field::Connection | Field::Accept | Field::Protocol | Field::Extensions => true,
            Field::Key | Field::Version | Field::ContentLength | Field::TransferEncoding => true,
            Field::Host | Field::Origin | Field::Other => false,
        })
    }

    /// What of permessage-deflate is accepted.
    fn deflate(&self, upgrade: &Upgrade) -> Option<DeflateParams> {
        upgrade.deflate().filter(|_| !self.decline_deflate)
    }

    fn put(&self, upgrade: &Upgrade, accept: &[u8], sink: &mut Sink<'_>) {
        sink.text(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
        );
        sink.octets(accept);
        if let Some(subprotocol) = self.subprotocol {
            sink.text("\r\nSec-WebSocket-Protocol: ");
            sink.text(subprotocol.as_str());
        }
        let deflate = self.deflate(upgrade);
        let deflate = deflate.map(|params| move |sink: &mut Sink<'_>| params.answer(|part| sink.text(part)));
        sink.extensions(deflate, self.extensions);
        sink.headers(self.headers);
        sink.text("\r\n\r\n");
    }
}
