//! A subprotocol that was offered: the proof that accepting it is honest.

use core::fmt;

/// A subprotocol that the client offers. Only an offer makes one, so that no other can be accepted (RFC 6455 section 4.2.2 item 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered<'a>(&'a str);

impl<'a> Offered<'a> {
    /// `name` stands in the client's list.
    pub(crate) const fn new(name: &'a str) -> Self {
        Self(name)
    }

    /// Its name, a token.
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl fmt::Display for Offered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
