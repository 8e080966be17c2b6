//! Why a request is refused, and the answer that says so.

use crate::fault::HeadFault;
use crate::grammar::Flaw;
use crate::sink::{NoRoom, Sink, put_status_line, whole};
use core::fmt;

/// A server refuses a request: one variant for each reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The head is no HTTP/1.1, or too long.
    Head(HeadFault),
    /// RFC 9110 section 15.5.9: the request did not come in time.
    TimedOut,
    /// RFC 9112 section 3: this is no request line.
    RequestLineInvalid,
    /// RFC 9112 section 3: the target does not fit into the limits.
    TargetTooLong,
    /// RFC 9112 section 3.2: the target is neither in origin form nor in absolute form.
    TargetInvalid,
    /// RFC 9110 section 15.6.6: another major version of HTTP than 1.
    HttpVersionUnsupported,
    /// RFC 6455 section 4.2.1 item 1: an upgrade is asked for in HTTP/1.0.
    HttpVersionTooOld,
    /// RFC 6455 section 4.2.1 item 1: the method is not GET.
    MethodNotGet,
    /// RFC 9112 section 3.2, RFC 6455 section 4.2.1 item 2: no Host.
    HostMissing,
    /// RFC 9112 section 3.2: more than one Host.
    HostDuplicate,
    /// RFC 9112 section 3.2: Host, or the authority in the target, is no host with perhaps a port.
    HostInvalid,
    /// RFC 9110 section 7.8: Upgrade is no list of protocols.
    UpgradeInvalid,
    /// RFC 9110 section 7.6.1: Connection is no list of tokens.
    ConnectionInvalid,
    /// RFC 6455 section 4.2.1 item 4: no "Upgrade" in Connection.
    ConnectionNotUpgrade,
    /// RFC 6455 section 4.2.1 item 5: no Sec-WebSocket-Key.
    KeyMissing,
    /// RFC 6455 section 11.3.1: more than one Sec-WebSocket-Key.
    KeyDuplicate,
    /// RFC 6455 section 4.2.1 item 5: the key is not 16 octets in base64.
    KeyInvalid,
    /// RFC 6455 section 4.2.1 item 6: no Sec-WebSocket-Version.
    VersionMissing,
    /// RFC 6455 section 11.3.5: more than one Sec-WebSocket-Version.
    VersionDuplicate,
    /// RFC 6455 section 4.2.2 item 4: another version than 13.
    VersionUnsupported,
    /// RFC 6455 section 4.1 item 10: Sec-WebSocket-Protocol is no list of tokens.
    SubprotocolsInvalid,
    /// RFC 6455 section 9.1: Sec-WebSocket-Extensions is no list of extensions.
    ExtensionsInvalid,
    /// RFC 6454 section 7.3: more than one Origin.
    OriginDuplicate,
    /// RFC 6454 section 7.1: Origin is no origin.
    OriginInvalid,
    /// RFC 9112 section 6.3: more than one Content-Length.
    ContentLengthDuplicate,
    /// RFC 9112 section 6.3: Content-Length is no number that fits.
    ContentLengthInvalid,
    /// RFC 9112 section 6.1: Transfer-Encoding in HTTP/1.0, twice "chunked", or no coding at all.
    TransferEncodingInvalid,
    /// RFC 9112 section 6.1: another transfer coding than "chunked".
    TransferEncodingUnknown,
    /// RFC 9112 section 6.3: both Transfer-Encoding and Content-Length, which is how requests are smuggled.
    BodyLengthAmbiguous,
    /// RFC 6455 section 4.1: an opening handshake has no body.
    BodyOnUpgrade,
}

impl From<HeadFault> for Refusal {
    fn from(fault: HeadFault) -> Self {
        Self::Head(fault)
    }
}

impl From<Flaw> for Refusal {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Head(fault) => Self::Head(fault),
            Flaw::Start => Self::RequestLineInvalid,
            Flaw::Version => Self::HttpVersionUnsupported,
        }
    }
}

impl Refusal {
    /// The HTTP status to answer with. The only place that chooses one.
    pub const fn status(self) -> u16 {
        use Refusal::*;
        match self {
            Head(fault) => fault.status(),
            MethodNotGet => 405,
            TimedOut => 408,
            TargetTooLong => 414,
            VersionMissing | VersionUnsupported => 426,
            TransferEncodingUnknown => 501,
            HttpVersionUnsupported => 505,
            RequestLineInvalid
            | TargetInvalid
            | HttpVersionTooOld
            | HostMissing
            | HostDuplicate
            | HostInvalid
            | UpgradeInvalid
            | ConnectionInvalid
            | ConnectionNotUpgrade
            | KeyMissing
            | KeyDuplicate
            | KeyInvalid
            | VersionDuplicate
            | SubprotocolsInvalid
            | ExtensionsInvalid
            | OriginDuplicate
            | OriginInvalid
            | ContentLengthDuplicate
            | ContentLengthInvalid
            | TransferEncodingInvalid
            | BodyLengthAmbiguous
            | BodyOnUpgrade => 400,
        }
    }

    /// The reason in a few words: for a log, and the body of the answer.
    pub const fn reason(self) -> &'static str {
        use Refusal::*;
        match self {
            Head(fault) => fault.reason(),
            TimedOut => "the request did not come in time",
            RequestLineInvalid => "not an HTTP request line",
            TargetTooLong => "the request target is too long",
            TargetInvalid => "the request target is neither a path nor an http URI",
            HttpVersionUnsupported => "only HTTP/1.1 is spoken here",
            HttpVersionTooOld => "an upgrade needs HTTP/1.1",
            MethodNotGet => "an upgrade needs the method GET",
            HostMissing => "Host is missing",
            HostDuplicate => "more than one Host",
            HostInvalid => "the host is invalid",
            UpgradeInvalid => "Upgrade is not a list of protocols",
            ConnectionInvalid => "Connection is not a list of tokens",
            ConnectionNotUpgrade => "Connection does not name Upgrade",
            KeyMissing => "Sec-WebSocket-Key is missing",
            KeyDuplicate => "more than one Sec-WebSocket-Key",
            KeyInvalid => "Sec-WebSocket-Key is not base64 of 16 octets",
            VersionMissing => "Sec-WebSocket-Version is missing",
            VersionDuplicate => "more than one Sec-WebSocket-Version",
            VersionUnsupported => "only version 13 of the WebSocket protocol is spoken here",
            SubprotocolsInvalid => "Sec-WebSocket-Protocol is not a list of tokens",
            ExtensionsInvalid => "Sec-WebSocket-Extensions is not a list of extensions",
            OriginDuplicate => "more than one Origin",
            OriginInvalid => "Origin is not an origin",
            ContentLengthDuplicate => "more than one Content-Length",
            ContentLengthInvalid => "Content-Length is not a number",
            TransferEncodingInvalid => "Transfer-Encoding is invalid",
            TransferEncodingUnknown => "a transfer coding other than chunked",
            BodyLengthAmbiguous => "both Transfer-Encoding and Content-Length",
            BodyOnUpgrade => "an upgrade request has no body",
        }
    }

    /// Writes the whole HTTP answer, a head of several lines and the reason as text, or nothing. It takes at most 320 octets.
    /// The connection must be closed behind it.
    pub fn write(self, out: &mut [u8]) -> Result<usize, NoRoom> {
        whole(out, |sink| self.put(sink))
    }

    fn put(self, sink: &mut Sink<'_>) {
        let (status, reason) = (self.status(), self.reason());
        put_status_line(sink, status);
        sink.text(match status {
            // RFC 9110 section 15.5.6 and RFC 6455 section 4.2.2 item 4; section 7.8 of the former wants "upgrade" in
            // Connection beside each Upgrade.
            405 => "\r\nAllow: GET\r\nConnection: close",
            426 => "\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade, close",
            _ => "\r\nConnection: close",
        });
        if cfg!(feature = "small") {
            // The words for people take more flash than all that is said to machines.
            sink.text("\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        sink.text("\r\nContent-Type: text/plain\r\nContent-Length: ");
        sink.number((reason.len() as u64).saturating_add(1));
        sink.text("\r\n\r\n");
        sink.text(reason);
        sink.text("\n");
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for Refusal {}
