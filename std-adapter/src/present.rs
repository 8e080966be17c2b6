//! Which connections a worker has, for other threads to see: what is for none of them is not even sent.

use crate::id::{ConnId, MAX_SLOTS};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Slots of the first block. Each further one has twice as many as the one before, so that few blocks hold all slots.
const FIRST: usize = 1024;
const BLOCKS: usize = (MAX_SLOTS as usize / FIRST).ilog2() as usize + 1;
/// Nobody has the slot.
const NOBODY: u64 = 0;

/// The ids of a worker's connections by their slots. Only the worker writes, when one comes or goes; who holds an id may look it up,
/// without a lock. It is true when it is read: who is there may go at the next moment.
#[derive(Debug, Default)]
pub(crate) struct Present {
    blocks: [OnceLock<Box<[AtomicU64]>>; BLOCKS],
}

impl Present {
    /// A connection has come.
    pub(crate) fn come(&self, id: ConnId) {
        let (block, at) = place(id);
        let block = self.blocks[block].get_or_init(|| (0..FIRST << block).map(|_| AtomicU64::new(NOBODY)).collect());
        // Who learns of the id learns of this as well.
        block[at].store(mark(id), Ordering::Relaxed);
    }

    /// A connection has gone.
    pub(crate) fn go(&self, id: ConnId) {
        if let Some(slot) = self.slot(id) {
            slot.store(NOBODY, Ordering::Relaxed);
        }
    }

    /// Whether this one is there, and not only another one in its slot.
    pub(crate) fn has(&self, id: ConnId) -> bool {
        self.slot(id).is_some_and(|slot| slot.load(Ordering::Relaxed) == mark(id))
    }

    fn slot(&self, id: ConnId) -> Option<&AtomicU64> {
        let (block, at) = place(id);
        self.blocks.get(block)?.get()?.get(at)
    }
}

/// Which block has a slot, and where in the block it is.
const fn place(id: ConnId) -> (usize, usize) {
    let beyond = id.slot() + FIRST;
    let block = (beyond.ilog2() - FIRST.ilog2()) as usize;
    (block, beyond - (FIRST << block))
}

/// What stands for a connection. The number 0 names one too, once serial numbers have come round.
const fn mark(id: ConnId) -> u64 {
    id.to_bits().wrapping_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slot_has_a_place_of_its_own() {
        let mut expect = (0, 0);
        for slot in 0..MAX_SLOTS {
            assert_eq!(place(ConnId::new(3, slot, 7)), expect);
            expect = if expect.1 + 1 == FIRST << expect.0 { (expect.0 + 1, 0) } else { (expect.0, expect.1 + 1) };
        }
        assert!(expect.0 < BLOCKS, "the last block is not full: there is room for all");
    }

    #[test]
    fn it_knows_who_is_there_and_nobody_else() {
        let present = Present::default();
        for slot in [0, 1023, 1024, 3071, 3072, MAX_SLOTS - 1] {
            let [first, second] = [7, 8].map(|serial| ConnId::new(3, slot, serial));
            assert!(!present.has(first), "nobody has come to {slot}");
            present.come(first);
            assert!(present.has(first) && !present.has(second));
            present.go(first);
            assert!(!present.has(first));
            present.come(second);
            assert!(present.has(second) && !present.has(first), "the slot is another one's");
        }
        present.go(ConnId::new(3, 100_000, 1));
        for id in [ConnId::from_bits(0), ConnId::from_bits(u64::MAX - 1)] {
            present.come(id);
            assert!(present.has(id));
        }
    }
}
