//! What is read into.

use std::ops::{Deref, DerefMut, Range};

/// Memory's pages, or a power of two that divides them.
const PAGE: usize = 4096;

/// Room that begins where a page does. The system copies what has come from pages of its own: to a place some octets into a page, where
/// large allocations begin, that takes up to four times as long as to the page's begin.
pub(crate) struct Room {
    octets: Box<[u8]>,
    room: Range<usize>,
}

impl Room {
    pub(crate) fn new(octets: usize) -> Self {
        let memory = vec![0; octets + PAGE].into_boxed_slice();
        let from = memory.as_ptr().addr().wrapping_neg() % PAGE;
        Self { octets: memory, room: from..from + octets }
    }
}

impl Deref for Room {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.octets[self.room.clone()]
    }
}

impl DerefMut for Room {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.octets[self.room.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_as_long_as_it_shall_be_and_begins_where_a_page_does() {
        for octets in [1, 4096, 256 * 1024, 100_001] {
            let mut room = Room::new(octets);
            assert_eq!((room.len(), room.as_ptr().addr() % PAGE), (octets, 0));
            room.fill(1);
        }
    }
}
