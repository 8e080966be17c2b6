//! Deadlines of connections, coarsely: one wheel a worker.

use martlet_state::Instant;

/// How coarse deadlines are, in milliseconds: one is met at most so much late, and never early.
const TICK_MS: u64 = 64;
/// Buckets of the wheel, a power of two: it reaches 32 seconds ahead. A later deadline is looked at once on the way.
const BUCKETS: usize = 512;
const WORDS: usize = BUCKETS / 64;
/// Slots whose places have room at once. That is more than allocators take from their heaps, as for the slots themselves.
const ROOM: usize = 16 * 1024;
/// The list of the slots that are due, behind those of the buckets.
const DUE: u32 = BUCKETS as u32;
/// No list: the slot is in none.
const OUT: u32 = DUE + 1;
/// No slot.
const NONE: u32 = u32::MAX;
/// No tick.
const NEVER: u64 = u64::MAX;

/// A moment in little room: in whole ticks and rounded up, for nothing is looked at between two of them. It reaches 8 years ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u32);

impl Tick {
    /// Later than any moment that is waited for.
    pub(crate) const NEVER: Self = Self(u32::MAX);
}

impl From<Instant> for Tick {
    fn from(at: Instant) -> Self {
        Self(u32::try_from(at.0.div_ceil(TICK_MS)).unwrap_or(u32::MAX))
    }
}

impl From<Tick> for Instant {
    fn from(tick: Tick) -> Self {
        Self(u64::from(tick.0) * TICK_MS)
    }
}

/// Which slots are to be looked at when. Adding one, taking one out and finding those that are due takes the same time for any
/// number of them. The lists run through one table, so that nothing is allocated for a deadline, and nothing is left of a slot
/// that was taken out: nobody wakes for it.
#[derive(Debug)]
pub(crate) struct Wheel {
    /// The first slot of each list.
    heads: Box<[u32]>,
    /// Where each slot is, by its number.
    places: Vec<Place>,
    /// A bit for each bucket that holds something.
    occupied: [u64; WORDS],
    /// The last tick that is over. Whatever is in a bucket is due less than one turn of the wheel behind it.
    over: u64,
    /// The first tick at which something is due, [`NEVER`] if nothing is.
    first: u64,
}

/// Where a slot is.
#[derive(Clone, Copy, Debug)]
struct Place {
    list: u32,
    before: u32,
    behind: u32,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        let heads = vec![NONE; BUCKETS + 1].into();
        Self { heads, places: Vec::with_capacity(ROOM), occupied: [0; WORDS], over: 0, first: NEVER }
    }

    /// Sees to it that a slot is looked at for this deadline: not before it, unless the deadline lies beyond the wheel or the slot is
    /// looked at earlier anyway. That is why nothing is done here for a message.
    pub(crate) fn arm(&mut self, now: Instant, slot: u32, deadline: Instant) {
        self.pass(now);
        let tick = self.tick_for(deadline);
        let at = slot as usize;
        if at >= self.places.len() {
            self.places.resize(at + 1, Place { list: OUT, before: NONE, behind: NONE });
        }
        match self.places[at].list {
            OUT => {}
            DUE => return,
            list if self.tick_of(list) <= tick => return,
            _ => self.cancel(slot),
        }
        let list = bucket(tick);
        self.link(list, slot);
        self.occupied[list as usize / 64] |= 1 << (list % 64);
        self.first = self.first.min(tick);
    }

    /// Takes a slot out.
    pub(crate) fn cancel(&mut self, slot: u32) {
        let list = self.places.get(slot as usize).map_or(OUT, |place| place.list);
        if list == OUT {
            return;
        }
        self.unlink(slot);
        if list != DUE && self.heads[list as usize] == NONE {
            self.occupied[list as usize / 64] &= !(1 << (list % 64));
            if self.tick_of(list) == self.first {
                self.first = self.find_first();
            }
        }
    }

    /// When the next slot is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        (self.first != NEVER).then_some(Instant(self.first.saturating_mul(TICK_MS)))
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

    /// Turns the wheel all the way to `now`: what is due is there to be [taken](Self::pop).
    pub(crate) fn turn(&mut self, now: Instant) {
        if self.pass(now) {
            return;
        }
        let until = now.0 / TICK_MS;
        let steps = until.saturating_sub(self.over).min(BUCKETS as u64);
        // Each goes to the front, so that at last the first is there.
        for tick in (self.over + 1..self.over + 1 + steps).rev() {
            let list = bucket(tick);
            self.occupied[list as usize / 64] &= !(1 << (list % 64));
            while self.heads[list as usize] != NONE {
                let slot = self.heads[list as usize];
                self.unlink(slot);
                self.link(DUE, slot);
            }
        }
        self.over = self.over.max(until);
        self.first = self.find_first();
    }

    /// Takes out one that is due.
    pub(crate) fn pop(&mut self) -> Option<u32> {
        let slot = self.heads[DUE as usize];
        if slot == NONE {
            return None;
        }
        self.unlink(slot);
        Some(slot)
    }

    /// At which tick a slot is to be looked at for this deadline.
    fn tick_for(&self, deadline: Instant) -> u64 {
        let farthest = self.over.saturating_add(BUCKETS as u64 - 1);
        deadline.0.div_ceil(TICK_MS).clamp(self.over.saturating_add(1), farthest)
    }

    /// The tick at which a bucket is due next.
    fn tick_of(&self, list: u32) -> u64 {
        let first = self.over + 1;
        first + (u64::from(list) + BUCKETS as u64 - first % BUCKETS as u64) % BUCKETS as u64
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
            (bits != 0).then(|| self.tick_of(word as u32 * 64 + bits.trailing_zeros()))
        });
        found.unwrap_or(NEVER)
    }

    fn link(&mut self, list: u32, slot: u32) {
        let behind = std::mem::replace(&mut self.heads[list as usize], slot);
        self.places[slot as usize] = Place { list, before: NONE, behind };
        if let Some(place) = self.places.get_mut(behind as usize) {
            place.before = slot;
        }
    }

    fn unlink(&mut self, slot: u32) {
        let Place { list, before, behind } = self.places[slot as usize];
        match self.places.get_mut(before as usize) {
            Some(place) => place.behind = behind,
            None => self.heads[list as usize] = behind,
        }
        if let Some(place) = self.places.get_mut(behind as usize) {
            place.before = before;
        }
        self.places[slot as usize].list = OUT;
    }
}

/// The list of a tick.
const fn bucket(tick: u64) -> u32 {
    (tick % BUCKETS as u64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn fired(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        wheel.turn(Instant(now));
        std::iter::from_fn(|| wheel.pop()).collect()
    }

    #[test]
    fn a_deadline_is_never_met_early_and_at_most_a_tick_late() {
        for deadline in [1, 63, 64, 65, 1000, 10_000, 30_000] {
            let mut wheel = Wheel::new();
            wheel.arm(Instant(0), 7, Instant(deadline));
            let at = wheel.next().unwrap().0;
            assert!((deadline..deadline + TICK_MS).contains(&at), "{deadline}");
            assert_eq!(fired(&mut wheel, at - 1), []);
            assert_eq!(fired(&mut wheel, at), [7]);
            assert_eq!((wheel.next(), fired(&mut wheel, u64::MAX / 2)), (None, vec![]));
        }
    }

    #[test]
    fn what_lies_beyond_the_wheel_or_in_the_past_is_looked_at_soon() {
        for (deadline, tick) in [(5, 10_001), (u64::MAX, 10_511)] {
            let mut wheel = Wheel::new();
            assert_eq!(fired(&mut wheel, 640_000), []);
            wheel.arm(Instant(0), 0, Instant(deadline));
            assert_eq!(wheel.next(), Some(Instant(tick * TICK_MS)));
        }
    }

    #[test]
    fn next_is_the_earliest_wherever_the_wheel_stands() {
        for start in [0, 1, 63, 64, 65, 511, 512, 1000] {
            for ahead in [1, 2, 63, 64, 65, 128, 447, 448, 511] {
                let mut wheel = Wheel::new();
                fired(&mut wheel, start * TICK_MS);
                wheel.arm(Instant(0), 1, Instant((start + 511) * TICK_MS));
                wheel.arm(Instant(0), 2, Instant((start + ahead) * TICK_MS));
                assert_eq!(wheel.next(), Some(Instant((start + ahead) * TICK_MS)), "{start} {ahead}");
            }
        }
    }

    #[test]
    fn a_long_sleep_wakes_everybody_once_and_the_first_first() {
        let mut wheel = Wheel::new();
        for slot in 0..2000 {
            wheel.arm(Instant(0), slot, Instant(u64::from(slot) * 16));
        }
        assert_eq!(fired(&mut wheel, 10_000_000), (0..2000).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_left_of_those_who_have_gone() {
        let mut wheel = Wheel::new();
        for slot in 0..1000 {
            wheel.arm(Instant(0), slot, Instant(u64::from(slot) * 30));
        }
        wheel.turn(Instant(10_000));
        for slot in 0..1000 {
            wheel.cancel(slot);
            wheel.cancel(slot);
        }
        assert_eq!((wheel.next(), wheel.pop(), wheel.occupied), (None, None, [0; WORDS]));
        assert!(wheel.heads.iter().all(|head| *head == NONE));
    }

    #[test]
    fn a_tick_is_never_early() {
        for at in [0, 1, 63, 64, 65, 1_000_000, u64::from(u32::MAX) * TICK_MS] {
            let Instant(rounded) = Tick::from(Instant(at)).into();
            assert!((at..at + TICK_MS).contains(&rounded), "{at}");
        }
        assert_eq!(Tick::from(Instant(u64::MAX)), Tick(u32::MAX));
    }

    proptest! {
        /// The plain definition: a map from slots to ticks.
        #[test]
        fn it_is_a_map_of_ticks(steps in prop::collection::vec((0..4u8, 0..8u32, 0..40_000u64), 0..200)) {
            let (mut wheel, mut plain, mut now) = (Wheel::new(), BTreeMap::new(), 0);
            for (what, slot, ms) in steps {
                match what {
                    0 => {
                        wheel.cancel(slot);
                        plain.remove(&slot);
                    }
                    1 => {
                        now += ms;
                        let mut due: Vec<_> = plain.iter().filter(|(_, tick)| *tick * TICK_MS <= now).collect();
                        due.sort_by_key(|(_, tick)| **tick);
                        let due: Vec<_> = due.into_iter().map(|(slot, _)| *slot).collect();
                        let mut found = fired(&mut wheel, now);
                        prop_assert!(found.is_sorted_by_key(|slot| plain[slot]));
                        found.sort_by_key(|slot| (plain[slot], *slot));
                        prop_assert_eq!(&found, &due);
                        plain.retain(|slot, _| !due.contains(slot));
                    }
                    _ => {
                        wheel.arm(Instant(now), slot, Instant(now + ms));
                        let over = now / TICK_MS;
                        let tick = (now + ms).div_ceil(TICK_MS).clamp(over + 1, over + 511);
                        plain.entry(slot).and_modify(|at: &mut u64| *at = tick.min(*at)).or_insert(tick);
                    }
                }
                let next = plain.values().min().map(|tick| Instant(tick * TICK_MS));
                prop_assert_eq!(wheel.next(), next);
            }
        }
    }
}
