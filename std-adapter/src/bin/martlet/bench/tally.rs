//! Times counted by what an increment of an array costs, and given to the histogram at the end.

use hdrhistogram::Histogram;
use std::io;

/// Where a time is counted no further, in nanoseconds: 73 minutes, the last one that a histogram of an hour has a place for.
const LONGEST_NS: u64 = (1 << 42) - 1;
/// Digits that count: three.
const DIGITS: u8 = 3;
/// A time is told from another by its first 11 bits, as a histogram of three digits tells them.
const BITS: u32 = 11;
/// Counts for each power of two; below the first 2^11 each number has one.
const HALF: usize = 1 << (BITS - 1);
/// How often a time is halved until its first bits are left, at most.
const MOST_SHIFT: u32 = LONGEST_NS.ilog2() + 1 - BITS;

/// How often each time came, as exactly as the histogram tells them apart.
pub(crate) struct Tally(Box<[u64; HALF * (MOST_SHIFT as usize + 2)]>);

impl Tally {
    pub(crate) fn new() -> Self {
        Self(Box::new([0; HALF * (MOST_SHIFT as usize + 2)]))
    }

    /// Counts `times` messages that took so long.
    #[inline(always)]
    pub(crate) fn add(&mut self, nanos: u64, times: u64) {
        let nanos = nanos.min(LONGEST_NS);
        // At least the bits of the first power of two, so that nothing is shifted to the left.
        let shift = (nanos | HALF as u64).ilog2() + 1 - BITS;
        let at = HALF * shift as usize + (nanos >> shift) as usize;
        if let Some(count) = self.0.get_mut(at) {
            *count += times;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// The same as a histogram.
    pub(crate) fn histogram(&self) -> io::Result<Histogram<u64>> {
        let mut histogram = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).map_err(io::Error::other)?;
        for (at, times) in self.0.iter().enumerate().filter(|(_, times)| **times != 0) {
            let shift = (at / HALF).saturating_sub(1);
            let nanos = ((at - HALF * shift) as u64) << shift;
            histogram.record_n(nanos, *times).map_err(io::Error::other)?;
        }
        Ok(histogram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(times: &[(u64, u64)]) {
        let mut direct = Histogram::<u64>::new_with_bounds(1, LONGEST_NS, DIGITS).unwrap();
        let mut tally = Tally::new();
        for (nanos, count) in times {
            direct.record_n(*nanos.min(&LONGEST_NS), *count).unwrap();
            tally.add(*nanos, *count);
        }
        let ours = tally.histogram().unwrap();
        assert_eq!(ours, direct);
        assert_eq!((ours.max(), ours.len()), (direct.max(), direct.len()));
        for quantile in [0.0, 0.5, 0.9, 0.99, 0.999, 1.0] {
            assert_eq!(ours.value_at_quantile(quantile), direct.value_at_quantile(quantile));
        }
        assert!((ours.mean() - direct.mean()).abs() <= 1e-9 * direct.mean());
    }

    #[test]
    fn a_time_is_counted_where_the_histogram_has_it() {
        for power in 0..64 {
            for nanos in [(1 << power) - 1, 1 << power, (1 << power) + 1, (1 << power) + (1 << power >> 11)] {
                check(&[(nanos, 3)]);
            }
        }
        check(&[(LONGEST_NS - 1, 1), (LONGEST_NS, 1), (LONGEST_NS + 1, 1), (u64::MAX, 1)]);
    }

    proptest! {
        #[test]
        fn many_times_are_the_same_histogram(times in prop::collection::vec((0..64u32, any::<u64>(), 1..9u64), 0..200)) {
            let times: Vec<_> = times.into_iter().map(|(shift, nanos, count)| (nanos >> shift, count)).collect();
            check(&times);
        }
    }
}
