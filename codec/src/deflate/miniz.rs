//! The large compressor's back end unless there is another: miniz_oxide.

use crate::window::WindowBits;
use alloc::boxed::Box;
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};

/// The window argument that stands for DEFLATE without a zlib header.
const RAW: i32 = -15;

/// A stream of DEFLATE blocks.
pub(super) struct Compressor(Box<CompressorOxide>);

impl Compressor {
    /// `level` is 1 to 10.
    pub(super) fn new(_bits: WindowBits, level: u8) -> Self {
        Self(Box::new(CompressorOxide::new(create_comp_flags_from_zip_params(i32::from(level), RAW, 0))))
    }

    /// Begins a new stream, which is good for a window of that size.
    pub(super) fn reset(&mut self, _bits: WindowBits) {
        self.0.reset();
    }

    /// What a distance may reach: always 32 KiB, whatever window the library is asked for.
    pub(super) const fn reach(&self) -> WindowBits {
        WindowBits::MAX
    }

    /// Compresses all of `piece` to the front of `out` and ends at an octet, with an empty stored block; after a `full` flush no
    /// distance reaches over it. Gives the number of octets; `None` if they do not fit, or fit exactly, and the stream is lost.
    pub(super) fn compress(&mut self, piece: &[u8], out: &mut [u8], full: bool) -> Option<usize> {
        let flush = if full { TDEFLFlush::Full } else { TDEFLFlush::Sync };
        let (status, used, made) = compress(&mut self.0, piece, out, flush);
        // Output that ends exactly where the room does may not be all.
        (status == TDEFLStatus::Okay && used == piece.len() && made < out.len()).then_some(made)
    }
}
