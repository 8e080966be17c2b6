//! Deadlines of connections, coarsely: one wheel a worker.

use martlet_state::Instant;

/// How coarse deadlines are, in milliseconds: one is met at most so much late, and never early.
pub(crate) const TICK_MS: u64 = 64;
/// Buckets of the wheel, a power of two: it reaches 32 seconds ahead. A later deadline is looked at once on the way.
const BUCKETS: usize = 512;
const WORDS: usize = BUCKETS / 64;

/// Which slots are to be looked at when. Adding one and finding those that are due takes the same time for any number of them.
#[derive(Debug)]
pub(crate) struct Wheel {
    buckets: Box<[Vec<u32>]>,
    /// A bit for each bucket that holds something.
    occupied: [u64; WORDS],
    /// The last tick that is over.
    over: u64,
    /// The first tick at which something is due, [`NEVER`] if nothing is.
    first: u64,
}

const NEVER: u64 = u64::MAX;

impl Wheel {
    pub(crate) fn new() -> Self {
        Self { buckets: vec![Vec::new(); BUCKETS].into(), occupied: [0; WORDS], over: 0, first: NEVER }
    }

    /// Says at which tick a slot is to be looked at for this deadline: not before it, unless it lies beyond the wheel.
    pub(crate) fn tick_for(&mut self, now: Instant, deadline: Instant) -> u64 {
        self.pass(now);
        let farthest = self.over.saturating_add(BUCKETS as u64 - 1);
        deadline.0.div_ceil(TICK_MS).clamp(self.over.saturating_add(1), farthest)
    }

    /// Adds a slot for a tick of [`tick_for`](Self::tick_for).
    pub(crate) fn add(&mut self, tick: u64, slot: u32) {
        let at = (tick % BUCKETS as u64) as usize;
        if let Some(bucket) = self.buckets.get_mut(at) {
            bucket.push(slot);
            self.first = self.first.min(tick);
            self.occupied[at / 64] |= 1 << (at % 64);
        }
    }

    /// When the next slot is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        (self.first != NEVER).then_some(Self::moment(self.first))
    }

    /// When this tick is over.
    pub(crate) const fn moment(tick: u64) -> Instant {
        Instant(tick.saturating_mul(TICK_MS))
    }

    /// Turns the wheel as far as nothing is due; says whether that is all the way to `now`.
    fn pass(&mut self, now: Instant) -> bool {
        let until = now.0 / TICK_MS;
        let passed = until < self.first;
        if passed {
            self.over = self.over.max(until);
        }
        passed
    }

    /// The first tick at which something is due.
    fn find_first(&self) -> u64 {
        let first = (self.over.wrapping_add(1) % BUCKETS as u64) as usize;
        // The first word twice: its bits from `first` on, and at last those before.
        let found = (0..=WORDS).find_map(|turn| {
            let word = (first / 64 + turn) % WORDS;
            let later = u64::MAX << (first % 64);
            let mask = match turn {
                0 => later,
                WORDS => !later,
                _ => u64::MAX,
            };
            let bits = self.occupied[word] & mask;
            let at = word * 64 + bits.trailing_zeros() as usize;
            (bits != 0).then(|| self.over + 1 + ((at + BUCKETS - first) % BUCKETS) as u64)
        });
        found.unwrap_or(NEVER)
    }

    /// Takes out what is due, with its tick.
    pub(crate) fn expire(&mut self, now: Instant, due: &mut Vec<(u64, u32)>) {
        if self.pass(now) {
            return;
        }
        let until = now.0 / TICK_MS;
        let steps = until.saturating_sub(self.over).min(BUCKETS as u64);
        for tick in self.over + 1..self.over + 1 + steps {
            let at = (tick % BUCKETS as u64) as usize;
            if self.occupied[at / 64] & 1 << (at % 64) != 0 {
                self.occupied[at / 64] &= !(1 << (at % 64));
                // Taken, not drained: a bucket that was full once does not keep its memory.
                due.extend(std::mem::take(&mut self.buckets[at]).into_iter().map(|slot| (tick, slot)));
            }
        }
        self.over = self.over.max(until);
        self.first = self.find_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(wheel: &mut Wheel, now: u64) -> Vec<(u64, u32)> {
        let mut due = Vec::new();
        wheel.expire(Instant(now), &mut due);
        due
    }

    #[test]
    fn a_deadline_is_never_met_early_and_at_most_a_tick_late() {
        for deadline in [1, 63, 64, 65, 1000, 10_000, 30_000] {
            let mut wheel = Wheel::new();
            let tick = wheel.tick_for(Instant(0), Instant(deadline));
            wheel.add(tick, 7);
            assert_eq!(wheel.next(), Some(Instant(tick * TICK_MS)), "{deadline}");
            assert!((deadline..deadline + TICK_MS).contains(&(tick * TICK_MS)), "{deadline}");
            assert_eq!(fired(&mut wheel, tick * TICK_MS - 1), []);
            assert_eq!(fired(&mut wheel, tick * TICK_MS), [(tick, 7)]);
            assert_eq!((wheel.next(), fired(&mut wheel, u64::MAX / 2)), (None, vec![]));
        }
    }

    #[test]
    fn what_lies_beyond_the_wheel_or_in_the_past_is_looked_at_soon() {
        let mut wheel = Wheel::new();
        assert_eq!(fired(&mut wheel, 640_000), []);
        assert_eq!(wheel.tick_for(Instant(0), Instant(5)), 10_001);
        assert_eq!(wheel.tick_for(Instant(0), Instant(u64::MAX)), 10_511);
    }

    #[test]
    fn next_is_the_earliest_wherever_the_wheel_stands() {
        for start in [0, 1, 63, 64, 65, 511, 512, 1000] {
            for ahead in [1, 2, 63, 64, 65, 128, 447, 448, 511] {
                let mut wheel = Wheel::new();
                fired(&mut wheel, start * TICK_MS);
                let tick = wheel.tick_for(Instant(0), Instant((start + 511) * TICK_MS));
                wheel.add(tick, 1);
                let tick = wheel.tick_for(Instant(0), Instant((start + ahead) * TICK_MS));
                wheel.add(tick, 2);
                assert_eq!(wheel.next(), Some(Instant((start + ahead) * TICK_MS)), "{start} {ahead}");
            }
        }
    }

    #[test]
    fn a_long_sleep_wakes_everybody_once() {
        let mut wheel = Wheel::new();
        for slot in 0..2000 {
            let tick = wheel.tick_for(Instant(0), Instant(u64::from(slot) * 16));
            wheel.add(tick, slot);
        }
        let mut slots: Vec<_> = fired(&mut wheel, 10_000_000).into_iter().map(|(_, slot)| slot).collect();
        slots.sort_unstable();
        assert_eq!(slots, (0..2000).collect::<Vec<_>>());
    }
}
