//! Names of connections.

use core::fmt;

/// Bits of an id for the slot within a worker.
const SLOT_BITS: u32 = 20;
/// Bits of an id for the serial number of the connection within its worker.
const SERIAL_BITS: u32 = 36;
/// The most connections that one worker can name at a time.
pub(crate) const MAX_SLOTS: u32 = 1 << SLOT_BITS;

/// The name of a connection: which worker has it, in which slot, and the how-manieth connection of that worker it is.
///
/// The last part is why an id that was kept too long never reaches a newer connection in the same slot: it comes round
/// after 2^36 connections on one worker, which are 79 days at ten thousand a second, and then the slot must match as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(u64);

impl ConnId {
    /// The id of a connection; `slot` is below [`MAX_SLOTS`], a serial number too large comes round.
    pub(crate) const fn new(worker: u8, slot: u32, serial: u64) -> Self {
        let serial = serial & ((1 << SERIAL_BITS) - 1);
        Self((worker as u64) << (SLOT_BITS + SERIAL_BITS) | serial << SLOT_BITS | (slot & (MAX_SLOTS - 1)) as u64)
    }

    /// The number of the worker that has the connection, from 0.
    pub const fn worker(self) -> usize {
        (self.0 >> (SLOT_BITS + SERIAL_BITS)) as usize
    }

    /// The slot within the worker.
    pub(crate) const fn slot(self) -> usize {
        (self.0 & (MAX_SLOTS - 1) as u64) as usize
    }

    /// The how-manieth connection of the worker it is.
    pub(crate) const fn serial(self) -> u64 {
        (self.0 >> SLOT_BITS) & ((1 << SERIAL_BITS) - 1)
    }

    /// The id as a number, for a table, a log or another program.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The id that [`to_bits`](Self::to_bits) gave. Any other number is at worst the id of no connection.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.worker(), self.slot(), self.serial())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_do_not_touch() {
        for (worker, slot, serial) in [(0, 0, 0), (255, MAX_SLOTS - 1, (1 << SERIAL_BITS) - 1), (7, 12, 34)] {
            let id = ConnId::new(worker, slot, serial);
            assert_eq!((id.worker(), id.slot()), (usize::from(worker), slot as usize));
            assert_eq!(id.to_string(), format!("{worker}/{slot}/{serial}"));
            assert_eq!(ConnId::from_bits(id.to_bits()), id);
        }
    }

    #[test]
    fn the_same_slot_gets_another_id() {
        assert_ne!(ConnId::new(1, 5, 1), ConnId::new(1, 5, 2));
    }
}
