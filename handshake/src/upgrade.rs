//! What a request's scanner knows of a WebSocket that is asked for.

use crate::choice::Choice;
use crate::deflate::DeflateParams;
use crate::key::{ACCEPT, Nonce, accept_key, key_of};
use crate::offered::Offered;

/// What the answer to an opening handshake depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "small", repr(align(4)))] // It is copied in words.
pub struct Upgrade {
    pub(crate) nonce: Nonce,
    pub(crate) deflate: Option<DeflateParams>,
    pub(crate) subprotocol: Choice,
    pub(crate) offers_extensions: bool,
}

impl Upgrade {
    /// The value for `Sec-WebSocket-Accept`.
    pub fn accept(&self) -> [u8; ACCEPT] {
        accept_key(&key_of(&self.nonce))
    }

    /// The first of `subprotocols` that the client offers; the list is the one that was given to [`scan`](crate::RequestScanner::scan).
    pub fn subprotocol<'s>(&self, subprotocols: &[&'s str]) -> Option<Offered<'s>> {
        self.subprotocol.of(subprotocols).map(Offered::new)
    }

    /// What holds for permessage-deflate if the client's offer is accepted, as [`Accept`](crate::Accept) does unless it is told not
    /// to. `None` without an offer that can be honoured, and from a scanner that does not negotiate.
    pub const fn deflate(&self) -> Option<DeflateParams> {
        self.deflate
    }

    /// Whether the client offers any subprotocol. Without an offer none may be chosen.
    pub const fn offers_subprotocols(&self) -> bool {
        self.subprotocol.is_offer()
    }

    /// Whether the client offers any extension. Without an offer none may be accepted.
    pub const fn offers_extensions(&self) -> bool {
        self.offers_extensions
    }
}
