//! A worker's clock.

use martlet_state::Instant;
#[cfg(any(target_os = "linux", target_os = "android"))]
use rustix::time::Timespec;
use rustix::time::{ClockId, clock_gettime};

/// Counts milliseconds from when it was made. It is asked once in every round: [`std::time::Instant`] gives the same by way of
/// durations in nanoseconds, in three times the instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: u64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { began: monotonic_ms() }
    }

    #[inline]
    pub(crate) fn now(self) -> Instant {
        // That clock never goes back.
        Instant(monotonic_ms().wrapping_sub(self.began))
    }

    /// What the system's clock shows at that moment, for a timer of the system's.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn time(self, at: Instant) -> Timespec {
        let ms = self.began.saturating_add(at.0);
        Timespec { tv_sec: (ms / 1_000) as i64, tv_nsec: (ms % 1_000 * 1_000_000) as _ }
    }
}

/// Whole milliseconds of the system's monotonic clock, which is never negative.
#[inline]
fn monotonic_ms() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000 + time.tv_nsec as u64 / 1_000_000
}
