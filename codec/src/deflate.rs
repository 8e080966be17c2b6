//! Messages in, compressed messages out (RFC 7692 section 7.2.1): with an allocator, and the whole of DEFLATE.

use crate::window::WindowBits;
use alloc::boxed::Box;
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};

/// Compresses whole messages. It takes about 320 KB: where no context is taken over, one serves a whole worker.
pub struct Deflater {
    core: Box<CompressorOxide>,
    bits: WindowBits,
    takeover: bool,
    /// Octets taken since the last full flush, before which no distance reaches.
    since: usize,
    /// The compressor knows of octets that the peer was not sent, or must not refer to what it knows.
    stale: bool,
}

impl core::fmt::Debug for Deflater {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Deflater").field("bits", &self.bits).field("takeover", &self.takeover).finish_non_exhaustive()
    }
}

/// Octets of the empty stored block that are not sent (RFC 7692 section 7.2.1).
const TAIL: usize = 4;

/// The window argument that stands for DEFLATE without a zlib header.
const RAW: i32 = -15;

impl Deflater {
    /// `level` is 1, the fastest, to 10, the smallest. With `takeover` a message refers to those before it, so that the
    /// deflater belongs to one connection.
    pub fn new(bits: WindowBits, takeover: bool, level: u8) -> Self {
        let flags = create_comp_flags_from_zip_params(i32::from(level.clamp(1, 10)), RAW, 0);
        Self { core: Box::new(CompressorOxide::new(flags)), bits, takeover, since: 0, stale: false }
    }

    /// Goes on with a window of another size and an empty history: that of the next message's receiver.
    pub const fn set_window(&mut self, bits: WindowBits) {
        (self.bits, self.stale) = (bits, true);
    }

    /// Compresses a whole message to the front of `out`; gives the length of the payload, which goes behind
    /// [a header with RSV1](crate::HeaderBytes::compressed).
    ///
    /// `None`: it would not be smaller, or not fit in `out`; send the message as it is, without RSV1. Room of four octets more
    /// than the message is always enough. What came out too large is forgotten: the next message refers to nothing.
    pub fn deflate(&mut self, message: &[u8], out: &mut [u8]) -> Option<usize> {
        if core::mem::replace(&mut self.stale, true) || !self.takeover {
            self.core.reset();
            self.since = 0;
        }
        let room = out.len().min(message.len().saturating_add(TAIL));
        let len = self.run(message, out.get_mut(..room)?)?.checked_sub(TAIL)?;
        if len >= message.len() {
            return None;
        }
        self.stale = false;
        Some(len)
    }

    /// A distance of the library's reaches up to 32 KiB back whatever window it is asked for, but never over a full flush:
    /// there is one whenever as many octets were taken as the window holds.
    fn run(&mut self, message: &[u8], out: &mut [u8]) -> Option<usize> {
        let (mut rest, mut at) = (message, 0usize);
        loop {
            let left = self.bits.size().saturating_sub(self.since);
            let (piece, after) = rest.split_at_checked(left).unwrap_or((rest, &[]));
            self.since = self.since.saturating_add(piece.len());
            let flush = if self.since < self.bits.size() { TDEFLFlush::Sync } else { TDEFLFlush::Full };
            let room = out.get_mut(at..)?;
            let (status, used, made) = compress(&mut self.core, piece, room, flush);
            // Output that ends exactly where the room does may not be all.
            if status != TDEFLStatus::Okay || used != piece.len() || made >= room.len() {
                return None;
            }
            at = at.saturating_add(made);
            if self.since >= self.bits.size() {
                self.since = 0;
            }
            rest = after;
            if rest.is_empty() {
                return Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataKind, InflateLimits, Inflater, Window};
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// Structured octets that repeat at many distances, or what does not compress.
    fn message() -> impl Strategy<Value = Vec<u8>> {
        let words = prop::collection::vec((0usize..60, 1usize..40), 0..300).prop_map(|words| {
            let word = |(word, len): (usize, usize)| (0..len).map(move |at| (word * 31 + at * word) as u8);
            words.into_iter().flat_map(word).collect::<Vec<u8>>()
        });
        prop_oneof![
            4 => words,
            1 => prop::collection::vec(any::<u8>(), 0..200),
            1 => (any::<u8>(), 0usize..9000).prop_map(|(octet, len)| vec![octet; len]),
            1 => prop::collection::vec(prop_oneof![Just("中"), Just("文"), Just("Привет"), Just("a")], 1..20)
                .prop_map(|text| text.concat().into_bytes()),
        ]
    }

    proptest! {
        #[test]
        fn every_window_is_kept_and_every_message_comes_back(
            messages in prop::collection::vec(message(), 1..6), bits in 8u8..=15, takeover: bool, level in 1u8..10, cut in 1usize..500
        ) {
            let bits = WindowBits::new(bits).unwrap();
            let mut deflater = Deflater::new(bits, takeover, level);
            let mut window = Window::new(Vec::new(), bits).unwrap();
            let (mut inflater, limits) = (Inflater::new(), InflateLimits::DEFAULT);
            for message in messages {
                let mut out = vec![0xa5; message.len() + 9];
                let Some(len) = deflater.deflate(&message, &mut out) else { continue };
                prop_assert!(len < message.len());
                prop_assert!(out[message.len() + 4..].iter().all(|octet| *octet == 0xa5));
                if !takeover {
                    window.clear();
                }
                inflater.begin(DataKind::Binary);
                let (mut back, mut rest, mut whole) = (Vec::new(), &out[..len], false);
                while !rest.is_empty() {
                    prop_assert!(!whole);
                    let (piece, after) = rest.split_at(cut.min(rest.len()));
                    rest = after;
                    whole = inflater.inflate_into(&limits, &mut window, piece, rest.is_empty(), &mut back).unwrap();
                }
                prop_assert!(whole);
                prop_assert_eq!(back, message);
            }
        }
    }

    #[test]
    fn what_would_grow_is_sent_as_it_is_and_spoils_nothing() {
        let mut deflater = Deflater::new(WindowBits::MAX, true, 6);
        let mut out = [0; 100];
        let text = [b'x'; 90];
        assert_eq!(deflater.deflate(b"", &mut out), None);
        let first = deflater.deflate(&text, &mut out).unwrap();
        let (first, _) = (out[..first].to_vec(), assert_eq!(deflater.deflate(b"\x01\x82\xf3", &mut out), None));
        let second = deflater.deflate(&text, &mut out).unwrap();
        assert_eq!(first, out[..second], "a reset compressor begins anew");
        assert_eq!(deflater.deflate(&text, &mut out[..5]), None, "no room");
    }
}
