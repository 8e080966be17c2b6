//! The large compressor's back end with feature `zlib-rs`: faster, and in a window's size of its own.

use crate::window::WindowBits;
use zlib_rs::{Deflate, DeflateFlush, Status};

/// The smallest window in which the library compresses without a zlib header.
const SMALLEST: u8 = 9;

/// The levels of the library's that are used. Its first one panics over what compresses badly when the output has no more room than that
/// (zlib-rs 0.6.8), and gets little smaller than the small compressor.
const LEVELS: core::ops::RangeInclusive<u8> = 2..=9;

/// A stream of DEFLATE blocks.
pub(super) struct Compressor {
    core: Deflate,
    level: u8,
    reach: WindowBits,
}

/// What a panic interrupts is reset before it is used again: `Deflater` counts a stream as stale until its message is whole.
impl core::panic::UnwindSafe for Compressor {}
impl core::panic::RefUnwindSafe for Compressor {}

impl Compressor {
    /// `level` is 1 to 10, of which the first is as the second, and the last as the one before.
    pub(super) fn new(bits: WindowBits, level: u8) -> Self {
        let reach = WindowBits::new(bits.get().max(SMALLEST)).unwrap_or(WindowBits::MAX);
        let core = Deflate::new(i32::from(level.clamp(*LEVELS.start(), *LEVELS.end())), false, reach.get());
        Self { core, level, reach }
    }

    /// Begins a new stream, which is good for a window of that size. One that serves many connections keeps the largest window
    /// that it had, for the price of a full flush where a smaller one is full.
    pub(super) fn reset(&mut self, bits: WindowBits) {
        if bits > self.reach {
            *self = Self::new(bits, self.level);
        } else {
            self.core.reset();
        }
    }

    /// What a distance may reach.
    pub(super) const fn reach(&self) -> WindowBits {
        self.reach
    }

    /// Compresses all of `piece` to the front of `out` and ends at an octet, with an empty stored block; after a `full` flush no
    /// distance reaches over it. Gives the number of octets; `None` if they do not fit, or fit exactly, and the stream is lost.
    pub(super) fn compress(&mut self, piece: &[u8], out: &mut [u8], full: bool) -> Option<usize> {
        let flush = if full { DeflateFlush::FullFlush } else { DeflateFlush::SyncFlush };
        let (before_in, before_out) = (self.core.total_in(), self.core.total_out());
        let status = self.core.compress(piece, out, flush);
        let used = self.core.total_in().wrapping_sub(before_in);
        let made = usize::try_from(self.core.total_out().wrapping_sub(before_out)).ok()?;
        // Output that ends exactly where the room does may not be all.
        (status == Ok(Status::Ok) && used == piece.len() as u64 && made < out.len()).then_some(made)
    }
}
