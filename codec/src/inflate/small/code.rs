//! Canonical Huffman codes (RFC 1951 section 3.2.2) as two lists: how many codes have each length, and their symbols in order.

use super::bits::Bits;
use crate::inflate::Stop;

/// Of the shortest code's symbols, which are in `symbols` first, to those of the longest.
pub(super) struct Code<S: ?Sized> {
    /// How many codes have 1 bit, 2 bits, and so on.
    counts: [u16; 15],
    symbols: S,
}

/// What a code means that was given to no symbol.
const NONE: u16 = u16::MAX;

impl<const N: usize> Code<[u16; N]> {
    /// Without a symbol, until it is set.
    pub(super) const fn new() -> Self {
        Self { counts: [0; 15], symbols: [0; N] }
    }
}

impl Code<[u16]> {
    /// Gives each symbol the next code of its length, and none where that is 0. False if there are not as many codes; or if some are
    /// left over, but for one of one bit or both of them where that is `lenient`: zlib makes such codes of distances where there
    /// is one distance or none, and takes no others either.
    pub(super) fn set(&mut self, lengths: &[u8], lenient: bool) -> bool {
        self.counts.fill(0);
        for length in lengths {
            if let Some(count) = self.counts.get_mut(usize::from(*length).wrapping_sub(1)) {
                *count = count.wrapping_add(1);
            }
        }
        // Where the next symbol of each length goes; how many codes of the length at hand are left; how many are given.
        let mut places = [0; 15];
        let (mut left, mut given) = (1u32, 0u16);
        for (place, count) in places.iter_mut().zip(&self.counts) {
            let Some(fewer) = left.wrapping_shl(1).checked_sub(u32::from(*count)) else { return false };
            *place = given;
            (left, given) = (fewer, given.wrapping_add(*count));
        }
        self.symbols.fill(NONE);
        for (symbol, length) in (0..).zip(lengths) {
            let Some(place) = places.get_mut(usize::from(*length).wrapping_sub(1)) else { continue };
            if let Some(room) = self.symbols.get_mut(usize::from(*place)) {
                *room = symbol;
            }
            *place = place.wrapping_add(1);
        }
        match self.counts.first_mut() {
            // What is left over means nothing, and is refused when it comes.
            Some(short) if left != 0 && lenient && given == *short => *short = 2,
            _ => return left == 0,
        }
        true
    }

    /// Reads a symbol, as soon as its last bit is there. Codes of a length are numbers that follow each other, and go on twice as
    /// high in the next length: `code` is what the bits are beyond the first of their length.
    #[inline(never)]
    pub(super) fn decode(&self, bits: &mut Bits, input: &mut &[u8]) -> Result<u16, Stop> {
        let (mut code, mut place) = (0u16, 0u16);
        for (len, count) in (0..).zip(&self.counts) {
            code = code.wrapping_shl(1) | bits.peek(len, input).ok_or(Stop::Input)?;
            if code < *count {
                bits.skip(len.wrapping_add(1));
                place = place.wrapping_add(code);
                return self.symbols.get(usize::from(place)).copied().ok_or(Stop::Invalid);
            }
            code = code.wrapping_sub(*count);
            place = place.wrapping_add(*count);
        }
        // Not reached: every code that was set is complete.
        Err(Stop::Invalid)
    }
}
