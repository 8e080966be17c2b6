//! What a worker reads into.

use crate::output::Output;
use std::rc::Rc;

/// Processors tell by an address's place in such a page whether what they load was just stored: where it is the same for what is read
/// and what is written, a copy from here to the output waits for itself. With half of it between them it never does.
const PAGE: usize = 4096;

/// A worker's input. One that has no connection has no room.
#[derive(Default)]
pub(crate) struct Input {
    /// Nobody else has it but while a message there is with the [handler](Self::lend).
    pub(crate) octets: Rc<Box<[u8]>>,
    /// Where the room begins.
    pub(crate) from: usize,
}

impl Input {
    pub(crate) fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Makes room for so many octets or somewhat more, half a page away from the output's.
    pub(crate) fn make_room(&mut self, octets: usize, output: &Output) {
        // Not `Rc<[u8]>`, of which all pages would be written here.
        self.octets = Rc::new(vec![0; octets + PAGE].into());
        let begins = self.octets.as_ptr().addr();
        self.from = output.begins().wrapping_add(PAGE / 2).wrapping_sub(begins) % PAGE;
    }

    /// All of the room. Only while a message there is with the handler there is none.
    #[inline(always)]
    pub(crate) fn room(&mut self) -> Option<&mut [u8]> {
        Rc::get_mut(&mut self.octets)?.get_mut(self.from..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_as_long_as_it_shall_be_and_half_a_page_away() {
        for octets in [1, 8192, 80 * 1024, 100_001] {
            let (mut input, mut output) = (Input::default(), Output::new());
            assert!(input.is_empty() && input.room().unwrap().is_empty());
            output.make_room(octets);
            input.make_room(octets, &output);
            let room = input.room().unwrap();
            assert!((octets..=octets + PAGE).contains(&room.len()));
            assert_eq!(room.as_ptr().addr().wrapping_sub(output.begins()) % PAGE, PAGE / 2);
        }
    }
}
