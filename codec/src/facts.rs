//! A set of yes-or-no facts about one direction of a connection, one octet in all.

/// A set of facts, each one bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts(u8);

/// The server is us.
pub(crate) const SERVER: u8 = 1;
/// RSV1 is negotiated.
pub(crate) const COMPRESSION: u8 = 1 << 1;
/// A message is open: its last frame has not begun, or is not whole.
pub(crate) const OPEN: u8 = 1 << 2;
/// The open message is text.
pub(crate) const TEXT: u8 = 1 << 3;
/// The open message came with RSV1.
pub(crate) const COMPRESSED: u8 = 1 << 4;
/// The next piece is its message's first.
pub(crate) const FIRST: u8 = 1 << 5;
/// The data frame at hand is its message's last.
pub(crate) const FIN: u8 = 1 << 6;

impl Facts {
    /// None.
    pub(crate) const fn new() -> Self {
        Self(0)
    }

    /// Whether this is one.
    pub(crate) const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// Makes this one, or none.
    pub(crate) const fn put(&mut self, bit: u8, is: bool) {
        self.0 = self.0 & !bit | if is { bit } else { 0 };
    }
}
