//! The straight way through the decoder: who may take it.

/// The longest payload that ever may: what the second octet of a header or the 16-bit form can say.
const MAX: u64 = if cfg!(feature = "small") { 125 } else { u16::MAX as u64 };

/// Which payloads of whole messages may go the straight way now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Straight {
    /// One more than the longest.
    below: u32,
}

impl Straight {
    /// None.
    pub(crate) const fn shut() -> Self {
        Self { below: 0 }
    }

    /// Those of at most so many octets.
    pub(crate) fn up_to(longest: u64) -> Self {
        // The minimum is why the conversion keeps the value.
        Self { below: (longest.min(MAX) as u32).wrapping_add(1) }
    }

    #[inline(always)]
    pub(crate) const fn takes(self, len: u32) -> bool {
        len < self.below
    }
}

/// The answer from one call for the next. With feature `small` it is asked for anew, which takes less memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    #[cfg(not(feature = "small"))]
    answer: Straight,
}

#[cfg(not(feature = "small"))]
impl Kept {
    pub(crate) const fn new() -> Self {
        Self { answer: Straight::shut() }
    }

    #[inline(always)]
    pub(crate) fn or(self, _: impl FnOnce() -> Straight) -> Straight {
        self.answer
    }

    #[inline(always)]
    pub(crate) const fn set(&mut self, answer: Straight) {
        self.answer = answer;
    }
}

#[cfg(feature = "small")]
impl Kept {
    pub(crate) const fn new() -> Self {
        Self {}
    }

    #[inline(always)]
    pub(crate) fn or(self, anew: impl FnOnce() -> Straight) -> Straight {
        anew()
    }

    pub(crate) const fn set(self, _: Straight) {}
}
