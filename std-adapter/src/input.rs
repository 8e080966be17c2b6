//! What a worker reads into.

use crate::output::Output;
use std::ops::Range;

/// Processors tell by an address's place in such a page whether what they load was just stored: where it is the same for what is read
/// and what is written, a copy from here to the output waits for itself. With half of it between them it never does.
const PAGE: usize = 4096;

/// A worker's input. One that has no connection has no room.
#[derive(Default)]
pub(crate) struct Input {
    octets: Box<[u8]>,
    /// Where the room lies in it.
    room: Range<usize>,
}

impl Input {
    pub(crate) fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Makes room for so many octets, half a page away from the output's.
    pub(crate) fn make_room(&mut self, octets: usize, output: &Output) {
        self.octets = vec![0; octets + PAGE].into();
        let begins = self.octets.as_ptr().addr();
        let from = output.begins().wrapping_add(PAGE / 2).wrapping_sub(begins) % PAGE;
        self.room = from..from + octets;
    }

    /// All of the room.
    #[inline]
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.octets.get_mut(self.room.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_as_long_as_it_shall_be_and_half_a_page_away() {
        for octets in [1, 8192, 80 * 1024, 100_001] {
            let (mut input, mut output) = (Input::default(), Output::new());
            assert!(input.is_empty() && input.room().is_empty());
            output.make_room(octets);
            input.make_room(octets, &output);
            assert!(!input.is_empty() && input.room().len() == octets);
            assert_eq!(input.room().as_ptr().addr().wrapping_sub(output.begins()) % PAGE, PAGE / 2);
        }
    }
}
