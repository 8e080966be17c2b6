//! An inflater to compare with: the library's plain loop over all of a message at once, in memory that holds every octet before it.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

/// All octets of a connection's messages, while they are no more than a window.
pub struct History {
    octets: Vec<u8>,
    window: usize,
}

impl History {
    /// Of a connection with a window of so many octets.
    pub const fn new(window: usize) -> Self {
        Self { octets: Vec::new(), window }
    }

    /// A message of at most `most` octets, `Some(None)` if it is none; `None` when the window does not hold all octets.
    pub fn inflate(&mut self, payload: &[u8], most: usize) -> Option<Option<Vec<u8>>> {
        let before = self.octets.len();
        // A compressed octet is at most 1,032 of a message.
        let mut room = self.octets.clone();
        room.resize(before + most + 1, 0);
        let (mut at, mut rest) = (before, payload);
        let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
        let mut core = DecompressorOxide::new();
        let whole = loop {
            let (status, used, made) = decompress(&mut core, rest, &mut room, at, flags);
            (at, rest) = (at + made, &rest[used..]);
            match status {
                // The end of a block with BFINAL: the next one begins at the next octet.
                TINFLStatus::Done if rest.is_empty() => break true,
                TINFLStatus::Done => core = DecompressorOxide::new(),
                TINFLStatus::NeedsMoreInput => {
                    // RFC 7692 section 7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff", the end of an empty stored block.
                    let (status, used, made) = decompress(&mut core, b"\x00\x00\xff\xff", &mut room, at, flags);
                    let between = core.block_boundary_state().is_some_and(|state| state.num_bits == 0);
                    break (status == TINFLStatus::Done || status == TINFLStatus::NeedsMoreInput && between)
                        && (used, made) == (4, 0);
                }
                _ => break false,
            }
        };
        if at > self.window {
            return None;
        }
        room.truncate(at);
        let message = room.split_off(before);
        self.octets = [room, message.clone()].concat();
        Some(whole.then_some(message))
    }
}
