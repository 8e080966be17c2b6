//! Messages in, compressed messages out, small: fixed Huffman codes (RFC 1951 section 3.2.6), no allocator, a window of its own.

use crate::window::WindowBits;

/// Compresses whole messages with a window of at most `W` octets and a table of `H` places, both powers of two: `W` octets and
/// `2 * H` of memory, 6 KiB as it is. It looks at one place for each octet, so that it is fast and not thorough.
///
/// No distance reaches further back than `W`, nor than the window that was negotiated, because every match is in octets
/// that are kept: a window of 8 bits is honoured as well as any. It knows only of the messages that it compressed: with context
/// takeover, all compressed messages of a connection come from one compressor.
pub struct SmallDeflater<const W: usize = 4096, const H: usize = 1024> {
    /// The last `kept` octets of the messages that were sent compressed, the latest last.
    history: [u8; W],
    kept: usize,
    /// Where octets of this hash were seen last: the place's lowest 16 bits. A wrong one costs a match and nothing else,
    /// since octets are compared.
    seen: [u16; H],
    /// The place of the next message's first octet.
    place: u16,
    bits: WindowBits,
    takeover: bool,
}

impl<const W: usize, const H: usize> core::fmt::Debug for SmallDeflater<W, H> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SmallDeflater").field("bits", &self.bits).field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl<const W: usize, const H: usize> SmallDeflater<W, H> {
    /// `bits` is the window that the peer has; with `takeover` a message refers to those before it.
    pub const fn new(bits: WindowBits, takeover: bool) -> Self {
        const { assert!(W.is_power_of_two() && W >= 256 && W <= 32_768, "a window is 2^8 to 2^15 octets") };
        const { assert!(H.is_power_of_two() && H >= 2 && H <= 65_536, "places are counted by a power of two") };
        Self { history: [0; W], kept: 0, seen: [0; H], place: 1, bits, takeover }
    }

    /// Goes on with a window of another size and an empty history: that of the next message's receiver.
    pub const fn set_window(&mut self, bits: WindowBits) {
        (self.bits, self.kept) = (bits, 0);
    }

    /// Compresses a whole message to the front of `out`; gives the length of the payload, which goes behind
    /// [a header with RSV1](crate::HeaderBytes::compressed).
    ///
    /// `None`: it would not be smaller, or not fit in `out`; send the message as it is, without RSV1. Such a message is forgotten,
    /// and the next one still refers to those before it.
    pub fn deflate(&mut self, message: &[u8], out: &mut [u8]) -> Option<usize> {
        if !self.takeover {
            self.kept = 0;
        }
        // The payload must be smaller than the message.
        let room = out.len().min(message.len().saturating_sub(1));
        let len = self.run(message, out.get_mut(..room)?)?;
        if self.takeover {
            self.keep(message);
        }
        self.place = self.place.wrapping_add(message.len() as u16);
        Some(len)
    }

    fn run(&mut self, message: &[u8], out: &mut [u8]) -> Option<usize> {
        let reach = self.bits.size().min(W);
        let mut out = Bits { out, at: 0, held: 0, count: 0 };
        // One block, not the last one, with fixed codes.
        out.put((0b010, 3))?;
        let mut rest = message;
        let mut at = 0usize;
        while let Some(front) = rest.first_chunk() {
            let distance = self.distance(front, at);
            let len = if distance == 0 || distance > reach { 0 } else { self.common(message, rest, at, distance) };
            let step = if len < SHORTEST {
                out.put(rest.first().and_then(|octet| SYMBOLS.get(usize::from(*octet))).copied()?)?;
                1
            } else {
                out.put(LENGTHS.get(len.wrapping_sub(3)).copied()?)?;
                out.put(distance_code(distance as u32))?;
                self.see(rest.get(1..len)?, at);
                len
            };
            rest = rest.get(step..)?;
            at = at.wrapping_add(step);
        }
        for octet in rest {
            out.put(SYMBOLS.get(usize::from(*octet)).copied()?)?;
        }
        out.put(SYMBOLS.get(END_OF_BLOCK).copied()?)?;
        // The empty stored block's header; its four octets are not sent (RFC 7692 section 7.2.1).
        out.put((0, 3))?;
        out.finish()
    }

    /// How far back octets like these four were seen, and that they are here now; 0 or too much if nowhere.
    #[inline]
    fn distance(&mut self, front: &[u8; 4], at: usize) -> usize {
        let here = self.place.wrapping_add(at as u16);
        let Some(seen) = self.seen.get_mut(hash::<H>(front)) else { return 0 };
        usize::from(here.wrapping_sub(core::mem::replace(seen, here)))
    }

    /// Every other octet of a match is remembered.
    #[inline]
    fn see(&mut self, matched: &[u8], at: usize) {
        let mut here = self.place.wrapping_add(at as u16).wrapping_add(1);
        let mut rest = matched;
        while let Some(front) = rest.first_chunk() {
            if let Some(seen) = self.seen.get_mut(hash::<H>(front)) {
                *seen = here;
            }
            here = here.wrapping_add(2);
            rest = rest.get(2..).unwrap_or_default();
        }
    }

    /// How many octets of `rest`, which begins at `at` in the message, are as those `distance` before.
    #[inline]
    fn common(&self, message: &[u8], rest: &[u8], at: usize, distance: usize) -> usize {
        let rest = rest.get(..LONGEST).unwrap_or(rest);
        if let Some(start) = at.checked_sub(distance) {
            return common(message.get(start..).unwrap_or_default(), rest);
        }
        // It begins in the history, and may go on in the message.
        let Some(start) = self.kept.checked_sub(distance.wrapping_sub(at)) else { return 0 };
        let history = self.history.get(start..self.kept).unwrap_or_default();
        let len = common(history, rest);
        match rest.get(len..) {
            Some(behind) if len == history.len() => len.wrapping_add(common(message, behind)),
            _ => len,
        }
    }

    /// The message is what the next one may refer to.
    fn keep(&mut self, message: &[u8]) {
        let fresh = message.len().min(W);
        let old = self.kept.min(W.saturating_sub(fresh));
        let dropped = self.kept.saturating_sub(old);
        if dropped != 0 && old != 0 {
            self.history.copy_within(dropped..self.kept, 0);
        }
        self.kept = old.saturating_add(fresh);
        let last = message.get(message.len().saturating_sub(fresh)..);
        if let (Some(room), Some(last)) = (self.history.get_mut(old..self.kept), last) {
            room.copy_from_slice(last);
        }
    }
}

/// A match is found by four octets.
const SHORTEST: usize = 4;
/// RFC 1951 section 3.2.5.
const LONGEST: usize = 258;
const END_OF_BLOCK: usize = 256;

#[inline]
const fn hash<const H: usize>(front: &[u8; 4]) -> usize {
    let mixed = u32::from_le_bytes(*front).wrapping_mul(0x9e37_79b1);
    (mixed.wrapping_shr(32u32.wrapping_sub(H.trailing_zeros())) as usize) & H.wrapping_sub(1)
}

/// How many octets are the same at the fronts of both.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let len = a.len().min(b.len());
    let (a, b) = (a.get(..len).unwrap_or_default(), b.get(..len).unwrap_or_default());
    let ((a_words, a_tail), (b_words, b_tail)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut same = 0usize;
    for (x, y) in a_words.iter().zip(b_words) {
        let differ = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differ != 0 {
            return same.wrapping_add((differ.trailing_zeros() / 8) as usize);
        }
        same = same.wrapping_add(8);
    }
    let tail = a_tail.iter().zip(b_tail).take_while(|(x, y)| x == y).count();
    same.wrapping_add(tail)
}

/// A code and how many bits it has, the first bit lowest.
type Code = (u32, u32);

/// Bits into octets (RFC 1951 section 3.1.1).
struct Bits<'o> {
    out: &'o mut [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    /// At most 18 bits at a time; four octets go out when they are there. `None`: there is no room.
    #[inline]
    fn put(&mut self, (code, bits): Code) -> Option<()> {
        self.held |= u64::from(code).wrapping_shl(self.count);
        self.count = self.count.wrapping_add(bits);
        if self.count >= 32 {
            let room = self.out.get_mut(self.at..)?.first_chunk_mut()?;
            *room = (self.held as u32).to_le_bytes();
            self.at = self.at.wrapping_add(4);
            self.held >>= 32;
            self.count = self.count.wrapping_sub(32);
        }
        Some(())
    }

    /// The bits that are held, filled up to an octet. Gives how many octets there are.
    fn finish(self) -> Option<usize> {
        let len = self.count.div_ceil(8) as usize;
        let end = self.at.checked_add(len)?;
        let last = self.held.to_le_bytes();
        self.out.get_mut(self.at..end)?.copy_from_slice(last.get(..len)?);
        Some(end)
    }
}

/// `bits` bits of `code`, the last first: a Huffman code goes out beginning with its highest bit (RFC 1951 section 3.1.1).
const fn reversed(code: u32, bits: u32) -> u32 {
    code.reverse_bits().wrapping_shr(32u32.wrapping_sub(bits))
}

/// The codes of RFC 1951 section 3.2.6.
pub(crate) const fn fixed_code(symbol: u32) -> Code {
    let (code, bits) = match symbol {
        0..=143 => (symbol.wrapping_add(0x30), 8),
        144..=255 => (symbol.wrapping_add(0x190 - 144), 9),
        256..=279 => (symbol.wrapping_sub(256), 7),
        _ => (symbol.wrapping_add(0xc0).wrapping_sub(280), 8),
    };
    (reversed(code, bits), bits)
}

/// Octets, and the end of the block.
static SYMBOLS: [Code; 257] = table(false);
/// Lengths from 3 on, with their extra bits (RFC 1951 section 3.2.5).
static LENGTHS: [Code; 256] = table(true);

#[allow(clippy::indexing_slicing)] // Only the compiler runs it, at every index there is.
const fn table<const N: usize>(lengths: bool) -> [Code; N] {
    let mut codes = [(0, 0); N];
    let mut at = 0;
    while at < N {
        codes[at] = if lengths { length_code(at as u32) } else { fixed_code(at as u32) };
        at = at.wrapping_add(1);
    }
    codes
}

/// The code of the length `over` + 3 with its extra bits.
const fn length_code(over: u32) -> Code {
    let (number, extra, value) = match over {
        0..=7 => (over, 0, 0),
        // The longest has a symbol of its own.
        255 => (28, 0, 0),
        _ => in_steps(over, 2),
    };
    let (code, bits) = fixed_code(number.wrapping_add(257));
    (code | value.wrapping_shl(bits), bits.wrapping_add(extra))
}

/// Codes that double what they span each `1 << low` of them: the number, how many extra bits, and those.
#[inline]
const fn in_steps(over: u32, low: u32) -> (u32, u32, u32) {
    let extra = 31u32.wrapping_sub(over.leading_zeros()).wrapping_sub(low);
    let top = over.wrapping_shr(extra);
    let number = extra.wrapping_shl(low).wrapping_add(top);
    (number, extra, over & 1u32.wrapping_shl(extra).wrapping_sub(1))
}

/// The code of a distance from 1 on, with its extra bits (RFC 1951 section 3.2.5).
#[inline]
const fn distance_code(distance: u32) -> Code {
    let over = distance.wrapping_sub(1);
    let (number, extra, value) = if over < 4 { (over, 0, 0) } else { in_steps(over, 1) };
    (reversed(number, 5) | value.wrapping_shl(5), extra.wrapping_add(5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataKind, InflateLimits, Inflater, Window};
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// Compresses and inflates in a window of exactly `bits`; the lengths of what was compressed, 0 for what was not.
    fn there_and_back<const W: usize, const H: usize>(bits: u8, takeover: bool, messages: &[Vec<u8>]) -> Vec<usize> {
        let bits = WindowBits::new(bits).unwrap();
        let mut deflater = SmallDeflater::<W, H>::new(bits, takeover);
        let mut window = Window::new(Vec::new(), bits).unwrap();
        let mut inflater = Inflater::new();
        let compressed = messages.iter().map(|message| {
            let mut out = vec![0xa5; message.len() + 9];
            let Some(len) = deflater.deflate(message, &mut out) else { return 0 };
            assert!(len < message.len());
            assert!(out[message.len()..].iter().all(|octet| *octet == 0xa5));
            if !takeover {
                window.clear();
            }
            inflater.begin(DataKind::Binary);
            let mut back = Vec::new();
            let whole = inflater.inflate_into(&InflateLimits::DEFAULT, &mut window, &out[..len], true, &mut back);
            assert_eq!(whole, Ok(true));
            assert!(back == *message, "{bits:?}, {message:x?} came back as {back:x?}");
            len
        });
        compressed.collect()
    }

    proptest! {
        #[test]
        fn every_window_is_kept_and_every_message_comes_back(
            words in prop::collection::vec(prop::collection::vec((0usize..60, 1usize..40), 0..200), 1..8),
            bits in 8u8..=15, takeover: bool
        ) {
            let message = |words: &Vec<(usize, usize)>| {
                let word = |(word, len): (usize, usize)| (0..len).map(move |at| (word * 31 + at * word) as u8);
                words.iter().copied().flat_map(word).collect::<Vec<u8>>()
            };
            let messages: Vec<Vec<u8>> = words.iter().map(message).collect();
            there_and_back::<512, 256>(bits, takeover, &messages);
            there_and_back::<4096, 1024>(bits, takeover, &messages);
            there_and_back::<8192, 4096>(bits, takeover, &messages);
        }
    }

    #[test]
    fn rfc_1951_section_3_2_5_every_length_and_every_kind_of_distance() {
        // Four octets that appear nowhere else, and again with this length and at this distance.
        let repeated = |len: usize, distance: usize| {
            let front: Vec<u8> = (0..len).map(|at| 0x80 | (at * at + at / 7) as u8).collect();
            let between = (0..distance.saturating_sub(len)).map(|at| (at * 7 % 127) as u8);
            [&front[..], &between.collect::<Vec<u8>>(), &front, &[0; 20]].concat()
        };
        for len in 4..=300 {
            assert_ne!(there_and_back::<8192, 4096>(15, false, &[repeated(len, 320)]), [0], "{len}");
        }
        for distance in [1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 257, 511, 512, 513, 1025, 4096, 4097, 8191, 8192, 8193] {
            for bits in 8..=15 {
                let octet = vec![0xb7; distance.min(9) + 20];
                there_and_back::<8192, 4096>(bits, true, &[octet, repeated(40, distance), repeated(40, distance)]);
            }
        }
        for places in [65_530, 65_536, 65_540, 131_072] {
            there_and_back::<256, 256>(15, true, &[vec![7; places], repeated(9, 30), repeated(9, 30)]);
        }
    }

    #[test]
    fn what_would_grow_is_sent_as_it_is_and_forgotten() {
        let mut deflater = SmallDeflater::<512, 256>::new(WindowBits::MAX, true);
        let (mut out, text) = ([0; 100], br#"{"id":1,"name":"first"} {"id":2,"name":"other"}"#);
        assert_eq!(deflater.deflate(b"", &mut out), None);
        assert_eq!(deflater.deflate(b"\x01\x82\xf3", &mut out), None);
        let first = deflater.deflate(text, &mut out).unwrap();
        assert_eq!(deflater.deflate(b"\xf1\x82\xf3\xa9", &mut out), None);
        assert_eq!(deflater.deflate(text, &mut out[..2]), None, "no room");
        let second = deflater.deflate(text, &mut out).unwrap();
        assert!(second < first / 3, "{second} of {first}: the history is still there");
        deflater.set_window(WindowBits::MIN);
        assert_eq!(deflater.deflate(text, &mut out), Some(first), "an empty history");
    }

    #[test]
    fn the_memory_is_what_the_documents_say() {
        assert!(size_of::<SmallDeflater>() <= 6200);
    }
}
