//! The quick engine: blocks that are stored or have fixed codes are decoded here, those with codes of their own by miniz_oxide.

use super::fixed::Blocks;
use super::{Engine, Stop};
use crate::window::Circle;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT as MORE, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY as ONE_BLOCK,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF as LINEAR,
};
use miniz_oxide::inflate::core::{BlockBoundaryState, DecompressorOxide, decompress_with_limit};

/// Short messages have no blocks with codes of their own: for them there is no table to build.
pub(crate) struct Quick {
    blocks: Blocks,
    /// Has the block at hand if that is `dynamic`.
    core: DecompressorOxide,
    dynamic: bool,
}

impl Engine for Quick {
    fn new() -> Self {
        Self { blocks: Blocks::new(0, 0), core: DecompressorOxide::new(), dynamic: false }
    }

    fn begin(&mut self) {
        (self.blocks, self.dynamic) = (Blocks::new(0, 0), false);
    }

    fn run(&mut self, input: &mut &[u8], out: &mut Circle<'_>) -> Stop {
        loop {
            let over = if self.dynamic { self.run_core(input, out) } else { self.blocks.run(input, out) };
            match over {
                Ok(()) if self.dynamic => self.dynamic = false,
                Ok(()) => self.hand_over(),
                Err(stop) => return stop,
            }
        }
    }

    fn is_end(&self) -> bool {
        !self.dynamic && self.blocks.is_end()
    }
}

impl Quick {
    /// The next block is the library's, from the next bit on.
    #[cold]
    fn hand_over(&mut self) {
        self.dynamic = true;
        match self.blocks.held() {
            // As for most messages, of which it is the first block. Making a new state costs as much as a short message.
            (_, 0) => self.core.init(),
            (bit_buf, num_bits) => {
                let state = BlockBoundaryState { bit_buf, num_bits, ..BlockBoundaryState::default() };
                self.core = DecompressorOxide::from_block_boundary_state(&state);
            }
        }
    }

    /// Goes on with the block that was handed over, and takes back what is behind it.
    #[cold]
    fn run_core(&mut self, input: &mut &[u8], out: &mut Circle<'_>) -> Result<(), Stop> {
        let flags = if out.full { MORE | ONE_BLOCK } else { MORE | ONE_BLOCK | LINEAR };
        let (at, most) = (out.at, out.left());
        let (status, used, made) = decompress_with_limit(&mut self.core, input, out.room, at, most, flags);
        *input = input.get(used..).unwrap_or_default();
        out.at = at.saturating_add(made);
        self.blocks = match status {
            TINFLStatus::NeedsMoreInput => return Err(Stop::Input),
            TINFLStatus::HasMoreOutput => return Err(Stop::Room),
            TINFLStatus::BlockBoundary => match self.core.block_boundary_state() {
                Some(state) => Blocks::new(state.bit_buf, state.num_bits),
                None => return Err(Stop::Invalid),
            },
            // BFINAL is legal in any block: the next one begins at the next octet.
            TINFLStatus::Done => Blocks::ended(),
            _ => return Err(Stop::Invalid),
        };
        Ok(())
    }
}
