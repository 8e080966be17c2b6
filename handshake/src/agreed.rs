//! What a client offers, and what both sides then agree on.

use crate::deflate::DeflateParams;
use crate::fact;
use crate::response_fault::ResponseFault;

/// The only status that opens a connection.
pub(crate) const SWITCHING: u16 = 101;
/// The server chose no subprotocol.
pub(crate) const NONE: u16 = u16::MAX;

/// RFC 9110 section 15.2: "A client MUST be able to parse one or more 1xx responses received prior to a final response, even if the
/// client does not expect one." The upgrade itself is final in HTTP/1.1.
pub(crate) const fn is_interim(status: u16) -> bool {
    matches!(status, 100..=199) && status != SWITCHING
}

/// What a client offered, which the server's choice is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The subprotocols.
    pub subprotocols: &'a [&'a str],
    /// The value of `Sec-WebSocket-Extensions`, but for permessage-deflate.
    pub extensions: Option<&'a str>,
    /// permessage-deflate with these parameters.
    pub deflate: Option<DeflateParams>,
}

/// What both sides have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Its place among those that were offered.
    subprotocol: u16,
    extensions: bool,
    deflate: Option<DeflateParams>,
}

impl Agreed {
    /// What a response with this status and these facts agrees to, beside the two choices.
    pub(crate) fn of(
        status: u16,
        facts: u16,
        subprotocol: u16,
        deflate: Option<DeflateParams>,
    ) -> Result<Self, ResponseFault> {
        let has = |fact| facts & fact != 0;
        let demands = [
            (status == SWITCHING, ResponseFault::Status(status)),
            (has(fact::UPGRADE), ResponseFault::UpgradeMissing),
            (has(fact::CONNECTION_UPGRADE), ResponseFault::ConnectionNotUpgrade),
            (has(fact::ACCEPT), ResponseFault::AcceptMissing),
        ];
        match demands.into_iter().find(|(met, _)| !met) {
            Some((_, fault)) => Err(fault),
            None => Ok(Self { subprotocol, extensions: has(fact::EXTENSIONS_LINE), deflate }),
        }
    }

    /// The subprotocol that the server chose; the list is the one that was given to [`ResponseScanner::scan`](crate::ResponseScanner::scan).
    pub fn subprotocol<'s>(&self, subprotocols: &[&'s str]) -> Option<&'s str> {
        subprotocols.get(usize::from(self.subprotocol)).copied()
    }

    /// What holds for permessage-deflate, if the server accepted it; only if it was offered in [`Offer::deflate`].
    pub const fn deflate(&self) -> Option<DeflateParams> {
        self.deflate
    }

    /// Whether the server accepted any extension.
    pub const fn has_extensions(&self) -> bool {
        self.extensions
    }
}
