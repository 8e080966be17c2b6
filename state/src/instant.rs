//! Time, which comes in as an argument.

/// The longest wait, 12 days in milliseconds: of a deadline no further away the lower half is enough, which is memory for
/// something else.
pub(crate) const MAX_WAIT_MS: u32 = 1 << 30;

/// Milliseconds since whatever moment the caller counts from. A clock that stands still or goes back delays timers; it
/// breaks nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// So many milliseconds later.
    pub const fn after(self, ms: u32) -> Self {
        Self(self.0.saturating_add(ms as u64))
    }

    /// The lower half.
    pub(crate) const fn low(self) -> u32 {
        self.0 as u32
    }

    /// The instant with this lower half that lies nearest: within 2 * [`MAX_WAIT_MS`].
    pub(crate) const fn near(self, low: u32) -> Self {
        // The difference's upper half is its sign.
        let ms = low.wrapping_sub(self.low()) as i32;
        Self(self.0.saturating_add_signed(ms as i64))
    }
}
