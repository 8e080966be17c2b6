//! Time, which comes in as an argument.

/// Milliseconds since whatever moment the caller counts from. A clock that stands still or goes back delays timers; it
/// breaks nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// So many milliseconds later.
    pub const fn after(self, ms: u32) -> Self {
        Self(self.0.saturating_add(ms as u64))
    }
}
