//! The memory in which a message is put together that does not come at once.

use martlet_codec::{Full, Storage};
use std::collections::TryReserveError;

/// The message begins so many octets behind the memory's begin. The system copies what has come from the begin of a page; large
/// allocations begin 16 octets into one, and a frame's header has at most 14: without a distance a copy to just behind the place that
/// it comes from, as the processor sees it, would wait for itself.
const DISTANCE: usize = 64;

/// What has come of a message, with room behind it. Memory that was cleared once stays so: a message that takes another's memory does
/// not pay for it.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    memory: Vec<u8>,
    /// Octets of the message.
    used: usize,
}

impl Gathered {
    /// Octets of the message.
    pub(crate) const fn len(&self) -> usize {
        self.used
    }

    /// What its memory takes, in octets.
    pub(crate) const fn memory(&self) -> usize {
        self.memory.capacity()
    }

    /// Room for so many octets behind the message.
    pub(crate) fn room(&mut self, len: usize) -> Result<&mut [u8], TryReserveError> {
        let from = DISTANCE + self.used;
        let more = (from + len).saturating_sub(self.memory.len());
        self.memory.try_reserve(more)?;
        self.memory.resize(self.memory.len() + more, 0);
        Ok(&mut self.memory[from..from + len])
    }

    /// So many octets have come into the room.
    pub(crate) const fn came(&mut self, len: usize) {
        self.used += len;
    }

    /// The message from this octet on.
    pub(crate) fn since(&mut self, begin: usize) -> &mut [u8] {
        self.memory.get_mut(DISTANCE + begin..DISTANCE + self.used).unwrap_or_default()
    }
}

impl Storage for Gathered {
    fn clear(&mut self) {
        self.used = 0;
    }

    fn extend(&mut self, octets: &[u8]) -> Result<(), Full> {
        self.room(octets.len()).map_err(|_| Full)?.copy_from_slice(octets);
        self.came(octets.len());
        Ok(())
    }

    fn as_slice(&self) -> &[u8] {
        self.memory.get(DISTANCE..DISTANCE + self.used).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_has_come_and_nothing_of_what_it_held_before() {
        let mut gathered = Gathered::default();
        assert_eq!((gathered.as_slice(), gathered.memory()), (&b""[..], 0));
        assert!(gathered.since(0).is_empty());
        for (first, second) in [(&b"one and "[..], &b"two"[..]), (b"a", b"b"), (b"", b""), (&[7; 5000], &[8; 70_000])] {
            gathered.clear();
            gathered.extend(first).unwrap();
            let begin = gathered.len();
            gathered.room(100_000).unwrap()[..second.len()].copy_from_slice(second);
            gathered.came(second.len());
            assert_eq!(gathered.since(begin), second);
            assert_eq!(gathered.as_slice(), [first, second].concat());
        }
        assert!(gathered.memory() < 250_000, "memory is used again: {}", gathered.memory());
    }

    #[test]
    fn more_than_there_is_memory_for_is_an_error() {
        let mut gathered = Gathered::default();
        gathered.extend(b"here").unwrap();
        assert!(gathered.room(isize::MAX as usize).is_err());
        assert_eq!(gathered.as_slice(), b"here");
    }
}
