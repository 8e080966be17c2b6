//! A set of yes-or-no facts about a head, two octets in all.

/// A set of facts, each one bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Flags(u16);

impl Flags {
    pub(crate) const fn new() -> Self {
        Self(0)
    }

    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    pub(crate) const fn has(self, bit: u16) -> bool {
        self.0 & bit != 0
    }

    pub(crate) const fn set(&mut self, bit: u16) {
        self.0 |= bit;
    }

    /// Sets the fact; says whether it was one already.
    pub(crate) const fn put(&mut self, bit: u16) -> bool {
        let before = self.has(bit);
        self.set(bit);
        before
    }
}
