//! Messages in, compressed messages out (RFC 7692 section 7.2.1): with an allocator, and the whole of DEFLATE.

#[cfg(not(feature = "zlib-rs"))]
#[path = "deflate/miniz.rs"]
mod back_end;
#[cfg(feature = "zlib-rs")]
#[path = "deflate/zlib.rs"]
mod back_end;

use crate::window::WindowBits;
use back_end::Compressor;

/// Compresses whole messages. It takes about 320 KB, with feature `zlib-rs` 250 to 380 KB by the window's size: where no context
/// is taken over, one serves a whole worker.
pub struct Deflater {
    core: Compressor,
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

/// The end of the empty stored block, which is not sent (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

impl Deflater {
    /// `level` is 1, the fastest, to 10, the smallest. With `takeover` a message refers to those before it, so that the
    /// deflater belongs to one connection.
    pub fn new(bits: WindowBits, takeover: bool, level: u8) -> Self {
        Self { core: Compressor::new(bits, level.clamp(1, 10)), bits, takeover, since: 0, stale: false }
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
            self.core.reset(self.bits);
            self.since = 0;
        }
        let room = out.len().min(message.len().saturating_add(TAIL.len()));
        let end = self.run(message, out.get_mut(..room)?)?;
        // miniz_oxide was seen to leave it out at level 0, which is not used here: what does not end so must not be cut.
        let len = out.get(..end)?.strip_suffix(&TAIL)?.len();
        if len >= message.len() {
            return None;
        }
        self.stale = false;
        Some(len)
    }

    fn run(&mut self, message: &[u8], out: &mut [u8]) -> Option<usize> {
        let limit = self.limit();
        let (mut rest, mut at) = (message, 0usize);
        loop {
            let (piece, after) = rest.split_at_checked(limit.saturating_sub(self.since)).unwrap_or((rest, &[]));
            self.since = self.since.saturating_add(piece.len());
            let full = self.since >= limit;
            at = at.saturating_add(self.core.compress(piece, out.get_mut(at..)?, full)?);
            if full {
                self.since = 0;
            }
            rest = after;
            if rest.is_empty() {
                return Some(at);
            }
        }
    }

    /// The most octets without a full flush. None are needed where distances reach no further than the window; otherwise there is
    /// one whenever as many octets were taken as the window holds, because distances never reach over it.
    fn limit(&self) -> usize {
        if self.core.reach() <= self.bits { usize::MAX } else { self.bits.size() }
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

    /// A payload back to its message, in pieces of `cut` octets.
    fn inflated(window: &mut Window<Vec<u8>>, payload: &[u8], cut: usize) -> Vec<u8> {
        let (mut inflater, mut back, mut rest) = (Inflater::new(), Vec::new(), payload);
        inflater.begin(DataKind::Binary);
        loop {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            rest = after;
            if inflater.inflate_into(&InflateLimits::DEFAULT, window, piece, rest.is_empty(), &mut back).unwrap() {
                assert!(rest.is_empty());
                return back;
            }
            assert!(!piece.is_empty(), "the message does not end");
        }
    }

    /// What compresses badly fills the room that there is: that must be told, whatever the level and the length.
    #[test]
    fn what_does_not_compress_is_given_up_at_every_level() {
        let mut state = 1u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for level in 1..=10 {
            let mut deflater = Deflater::new(WindowBits::MAX, false, level);
            for len in [1024, 2048, 4096, 8192, 32_768, 131_072] {
                // Octets of 8 bits do not compress; those of 7 do a little, with codes of their own or not at all.
                for mask in [0xff, 0x7f] {
                    let message: Vec<u8> = (0..len).map(|_| (next() >> 32) as u8 & mask).collect();
                    let mut out = vec![0; len + 4];
                    if let Some(made) = deflater.deflate(&message, &mut out) {
                        assert!(made < len, "level {level}, {len} octets");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_window_is_kept_and_every_message_comes_back(
            messages in prop::collection::vec((message(), prop::option::weighted(0.1, 8u8..=15)), 1..8),
            bits in 8u8..=15, takeover: bool, level in 1u8..=10, cut in 1usize..500
        ) {
            let bits = WindowBits::new(bits).unwrap();
            let mut deflater = Deflater::new(bits, takeover, level);
            let mut window = Window::new(Vec::new(), bits).unwrap();
            for (message, other) in messages {
                if let Some(bits) = other.and_then(WindowBits::new) {
                    deflater.set_window(bits);
                    window = Window::new(Vec::new(), bits).unwrap();
                }
                let mut out = vec![0xa5; message.len() + 9];
                let Some(len) = deflater.deflate(&message, &mut out) else { continue };
                prop_assert!(len < message.len());
                prop_assert!(out[message.len() + 4..].iter().all(|octet| *octet == 0xa5));
                if !takeover {
                    window.clear();
                }
                prop_assert_eq!(inflated(&mut window, &out[..len], cut), message);
            }
        }
    }

    #[test]
    fn what_lies_just_within_or_beyond_the_window_is_told_apart() {
        // Noise of six bits an octet, with the same mark at both ends.
        let noise = |at: usize| (at as u32 * 0x9e37 + 1).wrapping_mul(at as u32 ^ 0x5bd1_e995).to_be_bytes();
        for (bits, level) in (8..=15).flat_map(|bits| [1, 6, 10].map(|level| (WindowBits::new(bits).unwrap(), level))) {
            let mut deflater = Deflater::new(bits, true, level);
            let mut window = Window::new(Vec::new(), bits).unwrap();
            let mut out = vec![0; 100_000];
            for reach in [-300, -262, -1, 0, 1, 40, 300] {
                let between = bits.size().saturating_add_signed(reach).saturating_sub(60);
                let mut message = [b'm'; 60].to_vec();
                message.extend((0..between.div_ceil(4)).flat_map(noise).take(between).map(|octet| octet & 0x3f));
                message.extend([b'm'; 60]);
                let len = deflater.deflate(&message, &mut out).unwrap();
                assert_eq!(inflated(&mut window, &out[..len], 77), message, "{bits:?} {level} {reach}");
            }
        }
    }

    #[test]
    fn no_back_end_changes_where_a_compressor_may_be_used() {
        fn everywhere<T: Send + Sync + core::panic::UnwindSafe + core::panic::RefUnwindSafe>() {}
        everywhere::<Deflater>();
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
