//! Which connections a worker has and how they stand, for other threads to see: what would come to nothing is not even sent.

use crate::id::{ConnId, MAX_SLOTS};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Slots of the first block: as many as a worker has room for from the beginning. Each further one has twice as many as the one before, so
/// that few blocks hold all slots.
const FIRST: usize = 1024;
const BLOCKS: usize = (MAX_SLOTS as usize / FIRST).ilog2() as usize + 1;
/// Bits for how a connection stands.
const STANDING_BITS: u32 = 2;
/// Nobody has the slot.
const NOBODY: u32 = 0;

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is there: what is for it may go, if not now, then when its handshake is done.
    There = 1,
    /// More than may wait for it waits.
    Full = 2,
    /// Nothing goes any more.
    Closing = 3,
}

/// A worker's connections by their slots. Only the worker writes, when something happens to one of them that is rarer than messages;
/// who holds an id may look it up, without a lock. It is true when it is read: who is there may go at the next moment.
///
/// Four octets for a slot hold what a serial number ends with. Another one that ends so came a thousand million connections before or
/// after; what is for that goes on its way, and the worker knows better.
#[derive(Debug, Default)]
pub(crate) struct Present {
    blocks: [OnceLock<Box<[AtomicU32]>>; BLOCKS],
}

impl Present {
    /// A connection has come, or stands so from now on.
    pub(crate) fn set(&self, id: ConnId, standing: Standing) {
        let (block, at) = place(id);
        let block = self.blocks[block].get_or_init(|| (0..FIRST << block).map(|_| AtomicU32::new(NOBODY)).collect());
        // Who learns of the id learns of this as well.
        block[at].store(mark(id, standing), Ordering::Relaxed);
    }

    /// A connection has gone.
    pub(crate) fn remove(&self, id: ConnId) {
        if let Some(slot) = self.slot(id) {
            slot.store(NOBODY, Ordering::Relaxed);
        }
    }

    /// How this one stands; `None` if it is not there, or another one is in its slot.
    pub(crate) fn get(&self, id: ConnId) -> Option<Standing> {
        let found = self.slot(id)?.load(Ordering::Relaxed);
        let all = [Standing::There, Standing::Full, Standing::Closing];
        all.into_iter().find(|standing| found == mark(id, *standing))
    }

    fn slot(&self, id: ConnId) -> Option<&AtomicU32> {
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

/// What a slot holds for a connection that stands so.
const fn mark(id: ConnId, standing: Standing) -> u32 {
    // The rest of the serial number is left out.
    (id.serial() as u32) << STANDING_BITS | standing as u32
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
            // The last serial number, and the one that comes round behind it.
            let [first, second] = [u64::MAX, 0].map(|serial| ConnId::new(3, slot, serial));
            assert_eq!(present.get(first), None, "nobody has come to {slot}");
            for standing in [Standing::There, Standing::Full, Standing::Closing] {
                present.set(first, standing);
                assert_eq!((present.get(first), present.get(second)), (Some(standing), None));
            }
            present.remove(first);
            assert_eq!(present.get(first), None);
            present.set(second, Standing::There);
            assert_eq!((present.get(first), present.get(second)), (None, Some(Standing::There)), "another one's slot");
        }
        present.remove(ConnId::new(3, 100_000, 1));
    }
}
