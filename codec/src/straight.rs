//! The straight way through the decoder: who may take it.

/// The number that is kept.
#[cfg(not(feature = "small"))]
type Number = u32;
#[cfg(feature = "small")]
type Number = u8;

/// The longest payload that ever may: what the second octet of a header or the 16-bit form can say.
const MAX: u64 = if cfg!(feature = "small") { 125 } else { u16::MAX as u64 };

/// Which payloads of whole messages may go the straight way now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Straight {
    /// One more than the longest.
    below: Number,
}

impl Straight {
    /// None.
    pub(crate) const fn shut() -> Self {
        Self { below: 0 }
    }

    /// Those of at most so many octets.
    pub(crate) fn up_to(longest: u64) -> Self {
        // The minimum is why the conversion keeps the value.
        Self { below: (longest.min(MAX) as Number).wrapping_add(1) }
    }

    #[inline(always)]
    #[allow(clippy::unnecessary_cast)] // With `small` it is none.
    pub(crate) const fn takes(self, len: u32) -> bool {
        len < self.below as u32
    }
}
