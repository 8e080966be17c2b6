//! Why a response does not open the connection.

use crate::fault::HeadFault;
use crate::grammar::Flaw;
use core::fmt;

/// A client fails the connection (RFC 6455 section 4.1): one variant for each reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseFault {
    /// The head is no HTTP/1.1, or too long.
    Head(HeadFault),
    /// RFC 9112 section 4: this is no status line.
    StatusLineInvalid,
    /// RFC 9112 section 2.3: another major version of HTTP than 1, or a status 101 in HTTP/1.0.
    HttpVersionUnsupported,
    /// RFC 6455 section 4.1, validation item 1: this status instead of 101. Its headers were shown line by line: `Location` of
    /// a redirection, or `WWW-Authenticate`.
    Status(u16),
    /// Validation item 2: no Upgrade.
    UpgradeMissing,
    /// Validation item 2: Upgrade is something else than "websocket".
    UpgradeInvalid,
    /// RFC 9110 section 7.6.1: Connection is no list of tokens.
    ConnectionInvalid,
    /// Validation item 3: no "Upgrade" in Connection.
    ConnectionNotUpgrade,
    /// Validation item 4: no Sec-WebSocket-Accept.
    AcceptMissing,
    /// RFC 6455 section 11.3.3: more than one Sec-WebSocket-Accept.
    AcceptDuplicate,
    /// Validation item 4: Sec-WebSocket-Accept is not the answer to our key.
    AcceptMismatch,
    /// RFC 6455 section 11.3.2: more than one Sec-WebSocket-Extensions.
    ExtensionsDuplicate,
    /// RFC 6455 section 9.1: Sec-WebSocket-Extensions is no list of extensions.
    ExtensionsInvalid,
    /// Validation item 5: an extension that was not offered.
    ExtensionNotOffered,
    /// RFC 6455 section 9.1: an extension is accepted twice.
    ExtensionTwice,
    /// RFC 7692 section 7: permessage-deflate is accepted with a parameter that it does not have.
    DeflateParamUnknown,
    /// RFC 7692 section 7: a parameter of permessage-deflate is there twice.
    DeflateParamTwice,
    /// RFC 7692 sections 7.1.1 and 7.1.2: a parameter of permessage-deflate has a value where it has none, or none where it must
    /// have one, or another than 8 to 15.
    DeflateParamInvalid,
    /// RFC 7692 section 7.1.1.1: `server_no_context_takeover` was demanded, and the answer lacks it.
    DeflateTakeoverNotGranted,
    /// RFC 7692 section 7.1.2.1: `server_max_window_bits` was demanded, and the answer lacks it or has a greater value.
    DeflateWindowNotGranted,
    /// RFC 7692 section 7.1.2.2: `client_max_window_bits` is greater than was offered.
    DeflateWindowTooLarge,
    /// RFC 6455 section 11.3.4: more than one Sec-WebSocket-Protocol.
    SubprotocolDuplicate,
    /// RFC 6455 section 4.2.2: Sec-WebSocket-Protocol is not a token.
    SubprotocolInvalid,
    /// Validation item 6: a subprotocol that was not offered.
    SubprotocolNotOffered,
}

impl From<HeadFault> for ResponseFault {
    fn from(fault: HeadFault) -> Self {
        Self::Head(fault)
    }
}

impl From<Flaw> for ResponseFault {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Head(fault) => Self::Head(fault),
            Flaw::Start => Self::StatusLineInvalid,
            Flaw::Version => Self::HttpVersionUnsupported,
        }
    }
}

impl ResponseFault {
    /// The close code that says the same (RFC 6455 section 7.4.1), for an application that reports one: 1010 if the extensions are
    /// not those that were offered, 1002 for anything else. It is not sent, because a connection that was never open has no
    /// closing handshake (section 7.1.7).
    pub const fn close_code(self) -> u16 {
        use ResponseFault::*;
        match self {
            ExtensionsDuplicate | ExtensionsInvalid | ExtensionNotOffered | ExtensionTwice => 1010,
            DeflateParamUnknown | DeflateParamTwice | DeflateParamInvalid => 1010,
            DeflateTakeoverNotGranted | DeflateWindowNotGranted | DeflateWindowTooLarge => 1010,
            Head(_) | StatusLineInvalid | HttpVersionUnsupported | Status(_) => 1002,
            UpgradeMissing | UpgradeInvalid | ConnectionInvalid | ConnectionNotUpgrade => 1002,
            AcceptMissing | AcceptDuplicate | AcceptMismatch => 1002,
            SubprotocolDuplicate | SubprotocolInvalid | SubprotocolNotOffered => 1002,
        }
    }

    /// The reason in a few words.
    pub const fn reason(self) -> &'static str {
        use ResponseFault::*;
        match self {
            Head(fault) => fault.reason(),
            StatusLineInvalid => "not an HTTP status line",
            HttpVersionUnsupported => "the server does not speak HTTP/1.1",
            Status(_) => "the server did not switch to WebSocket",
            UpgradeMissing => "Upgrade is missing",
            UpgradeInvalid => "Upgrade is not websocket",
            ConnectionInvalid => "Connection is not a list of tokens",
            ConnectionNotUpgrade => "Connection does not name Upgrade",
            AcceptMissing => "Sec-WebSocket-Accept is missing",
            AcceptDuplicate => "more than one Sec-WebSocket-Accept",
            AcceptMismatch => "Sec-WebSocket-Accept does not answer the key",
            ExtensionsDuplicate => "more than one Sec-WebSocket-Extensions",
            ExtensionsInvalid => "Sec-WebSocket-Extensions is not a list of extensions",
            ExtensionNotOffered => "an extension that was not offered",
            ExtensionTwice => "an extension is accepted twice",
            DeflateParamUnknown => "permessage-deflate with an unknown parameter",
            DeflateParamTwice => "permessage-deflate with a parameter twice",
            DeflateParamInvalid => "permessage-deflate with an invalid value",
            DeflateTakeoverNotGranted => "server_no_context_takeover is not granted",
            DeflateWindowNotGranted => "server_max_window_bits is not granted",
            DeflateWindowTooLarge => "client_max_window_bits is greater than was offered",
            SubprotocolDuplicate => "more than one Sec-WebSocket-Protocol",
            SubprotocolInvalid => "Sec-WebSocket-Protocol is not a token",
            SubprotocolNotOffered => "a subprotocol that was not offered",
        }
    }
}

impl fmt::Display for ResponseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())?;
        match self {
            Self::Status(status) => write!(f, " but answered {status}"),
            _ => Ok(()),
        }
    }
}

impl core::error::Error for ResponseFault {}
