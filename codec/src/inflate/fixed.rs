//! DEFLATE without tables to build: stored blocks and blocks with fixed codes (RFC 1951 sections 3.2.4 and 3.2.6), cut anywhere.

use super::Stop;
use crate::deflate_small::fixed_code;
use crate::window::Circle;

/// Reads blocks until one with codes of its own begins. A symbol is decoded as soon as its last bit is there.
pub(crate) struct Blocks {
    /// The bits that were taken and not read, the first one lowest: those of a symbol that is not whole, or what is left of
    /// the last octet.
    held: u64,
    count: u32,
    place: Place,
    /// The block has BFINAL.
    last: bool,
    /// What is left of a stored block or of a match, and the distance of that.
    left: usize,
    distance: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before a block's header.
    Between,
    /// The same, behind a block with BFINAL.
    Ended,
    /// Before LEN and NLEN of a stored block.
    Lengths,
    Stored,
    Codes,
}

impl Blocks {
    /// Before the first block, or behind one: with `count` bits of the octet that was taken last, at most 7.
    pub(crate) const fn new(held: u8, count: u8) -> Self {
        Self { held: held as u64, count: count as u32, place: Place::Between, last: false, left: 0, distance: 0 }
    }

    /// Behind a block with BFINAL.
    pub(crate) const fn ended() -> Self {
        Self { place: Place::Ended, ..Self::new(0, 0) }
    }

    /// The bits of the octet that was taken last which were not read, and how many they are: before a block at most 7.
    pub(crate) const fn held(&self) -> (u8, u8) {
        (self.held as u8, self.count as u8)
    }

    /// Whether a message may end here (RFC 7692 sections 7.2.1 and 7.2.3.5): the last octet taken has the header of a stored
    /// block, whose four octets the sender has cut off, or it ended a block with BFINAL.
    pub(crate) fn is_end(&self) -> bool {
        self.count == 0 && (self.place == Place::Lengths || self.place == Place::Ended)
    }

    /// Takes octets from the front of `input` and writes what comes of them, until the next block is one for another decoder.
    pub(crate) fn run(&mut self, input: &mut &[u8], out: &mut Circle<'_>) -> Result<(), Stop> {
        let mut bits = Bits { input, at: 0, held: self.held, count: self.count };
        let stop = loop {
            let stop = match self.place {
                Place::Between | Place::Ended => self.header(&mut bits),
                Place::Lengths => self.lengths(&mut bits),
                Place::Stored => self.stored(&mut bits, out),
                Place::Codes => self.codes(&mut bits, out),
            };
            if let Some(stop) = stop {
                break stop;
            }
        };
        if stop != Err(Stop::Input) {
            bits.give_back();
        }
        (self.held, self.count) = (bits.held, bits.count);
        *input = bits.rest();
        stop
    }

    fn header(&mut self, bits: &mut Bits<'_>) -> Option<Result<(), Stop>> {
        bits.refill();
        if bits.count < 3 {
            return Some(Err(Stop::Input));
        }
        self.place = match bits.held >> 1 & 3 {
            0 => Place::Lengths,
            1 => Place::Codes,
            2 => return Some(Ok(())),
            _ => return Some(Err(Stop::Invalid)),
        };
        self.last = bits.held & 1 != 0;
        bits.drop(3);
        if self.place == Place::Lengths {
            bits.drop(bits.count & 7);
        }
        None
    }

    fn lengths(&mut self, bits: &mut Bits<'_>) -> Option<Result<(), Stop>> {
        bits.refill();
        if bits.count < 32 {
            return Some(Err(Stop::Input));
        }
        let (len, check) = (bits.held as u16, (bits.held >> 16) as u16);
        if len != !check {
            return Some(Err(Stop::Invalid));
        }
        bits.drop(32);
        bits.give_back();
        (self.left, self.place) = (usize::from(len), Place::Stored);
        None
    }

    fn stored(&mut self, bits: &mut Bits<'_>, out: &mut Circle<'_>) -> Option<Result<(), Stop>> {
        let rest = bits.rest();
        let front = rest.get(..self.left).unwrap_or(rest);
        let written = out.write(front);
        bits.at = bits.at.wrapping_add(written);
        self.left = self.left.wrapping_sub(written);
        if self.left == 0 {
            self.end(bits);
            return None;
        }
        Some(Err(if written < front.len() { Stop::Room } else { Stop::Input }))
    }

    fn end(&mut self, bits: &mut Bits<'_>) {
        self.place = Place::Between;
        if self.last {
            // The next block begins with the next octet.
            bits.drop(bits.count & 7);
            self.place = Place::Ended;
        }
    }

    fn codes(&mut self, bits: &mut Bits<'_>, out: &mut Circle<'_>) -> Option<Result<(), Stop>> {
        self.left = out.repeat(self.left, self.distance);
        if self.left != 0 {
            return Some(Err(Stop::Room));
        }
        loop {
            bits.refill();
            let symbol = SYMBOLS.get((bits.held & 511) as usize).copied().map(|symbol| Symbol(u32::from(symbol)))?;
            let code = symbol.code();
            if code > bits.count {
                return Some(Err(Stop::Input));
            }
            if symbol.is_octet() {
                if !out.push(symbol.value() as u8) {
                    return Some(Err(Stop::Room));
                }
                bits.drop(code);
                continue;
            }
            if symbol.is_rare() {
                if symbol.value() != END {
                    return Some(Err(Stop::Invalid));
                }
                bits.drop(code);
                self.end(bits);
                return None;
            }
            let (len, behind) = symbol.read(bits.held, 0);
            let distance = DISTANCES.get((bits.held.wrapping_shr(behind) & 31) as usize).copied()?;
            if distance.is_rare() && behind.wrapping_add(5) <= bits.count {
                return Some(Err(Stop::Invalid));
            }
            let (distance, behind) = distance.read(bits.held, behind);
            if behind > bits.count {
                return Some(Err(Stop::Input));
            }
            bits.drop(behind);
            let (len, distance) = (len.wrapping_add(3) as usize, distance.wrapping_add(1) as usize);
            if distance > out.reach() {
                return Some(Err(Stop::Invalid));
            }
            let left = out.repeat(len, distance);
            if left != 0 {
                (self.left, self.distance) = (left, distance);
                return Some(Err(Stop::Room));
            }
        }
    }
}

/// Octets into bits (RFC 1951 section 3.1.1).
struct Bits<'i> {
    input: &'i [u8],
    /// How many octets of it are taken.
    at: usize,
    held: u64,
    count: u32,
}

impl<'i> Bits<'i> {
    fn rest(&self) -> &'i [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    /// Holds 32 bits or more, which is more than any symbol has, or all that there are.
    #[inline(always)]
    fn refill(&mut self) {
        if self.count >= 32 {
            return;
        }
        let rest = self.rest();
        if let Some(word) = rest.first_chunk() {
            // The bits above `count` are those of the next octet, and will be put there again.
            self.held |= u64::from_le_bytes(*word).wrapping_shl(self.count);
            let octets = 63u32.wrapping_sub(self.count) / 8;
            self.at = self.at.wrapping_add(octets as usize);
            self.count = self.count.wrapping_add(octets.wrapping_mul(8));
            return;
        }
        for octet in rest {
            if self.count >= 56 {
                break;
            }
            self.held |= u64::from(*octet).wrapping_shl(self.count);
            self.at = self.at.wrapping_add(1);
            self.count = self.count.wrapping_add(8);
        }
    }

    #[inline(always)]
    const fn drop(&mut self, bits: u32) {
        self.held = self.held.wrapping_shr(bits);
        self.count = self.count.wrapping_sub(bits);
    }

    /// Takes no more octets than have been read from. Whole octets are held from an earlier input only while a symbol is not
    /// whole, so that those which are left behind one are of this input.
    fn give_back(&mut self) {
        let octets = (self.count / 8).min(self.at as u32);
        self.at = self.at.wrapping_sub(octets as usize);
        self.count = self.count.wrapping_sub(octets.wrapping_mul(8));
        self.held &= 1u64.wrapping_shl(self.count).wrapping_sub(1);
    }
}

/// What a code means: in the lowest 4 bits how many bits the code has, in the next 4 how many extra bits there are behind it, and
/// in the others the octet, or the length - 3 or the distance - 1 without those.
#[derive(Clone, Copy)]
pub(super) struct Symbol(u32);

/// In place of the number of extra bits: it is an octet, or neither an octet nor a length or distance.
const OCTET: u32 = 15;
pub(super) const RARE: u32 = 14;
/// The values of rare ones.
const END: u32 = 1;
const NONE: u32 = 0;

impl Symbol {
    const fn new(code: u32, extra: u32, value: u32) -> Self {
        Self(value << 8 | extra << 4 | code)
    }

    #[inline(always)]
    const fn code(self) -> u32 {
        self.0 & 15
    }

    #[inline(always)]
    pub(super) const fn extra(self) -> u32 {
        self.0 >> 4 & 15
    }

    #[inline(always)]
    const fn value(self) -> u32 {
        self.0 >> 8
    }

    #[inline(always)]
    pub(super) const fn is_octet(self) -> bool {
        self.extra() == OCTET
    }

    #[inline(always)]
    pub(super) const fn is_rare(self) -> bool {
        self.extra() == RARE
    }

    /// The value with its extra bits, if the code is `at` so many bits, and where those end.
    #[inline(always)]
    const fn read(self, held: u64, at: u32) -> (u32, u32) {
        let at = at.wrapping_add(self.code());
        let mask = 1u32.wrapping_shl(self.extra()).wrapping_sub(1);
        (self.value().wrapping_add(held.wrapping_shr(at) as u32 & mask), at.wrapping_add(self.extra()))
    }

    /// The symbol `number` of octets and lengths (RFC 1951 section 3.2.5), whose code has so many bits.
    pub(super) const fn octet_or_length(number: u32, code: u32) -> Self {
        let over = number.wrapping_sub(257);
        match number {
            0..=255 => Self::new(code, OCTET, number),
            256 => Self::new(code, RARE, END),
            257..=264 => Self::new(code, 0, over),
            265..=284 => Self::in_steps(code, over, 2),
            285 => Self::new(code, 0, 255),
            _ => Self::new(code, RARE, NONE),
        }
    }

    pub(super) const fn distance(number: u32) -> Self {
        match number {
            0..=3 => Self::new(5, 0, number),
            4..=29 => Self::in_steps(5, number, 1),
            _ => Self::new(5, RARE, NONE),
        }
    }

    /// Codes that double what they span each `1 << low` of them.
    const fn in_steps(code: u32, number: u32, low: u32) -> Self {
        let extra = number.wrapping_shr(low).wrapping_sub(1);
        let steps = 1u32.wrapping_shl(low);
        let value = steps.wrapping_add(number & steps.wrapping_sub(1)).wrapping_shl(extra);
        Self::new(code, extra, value)
    }
}

/// Octets and lengths by the next 9 bits, of which a code has 7 to 9. Their values have 8 bits.
static SYMBOLS: [u16; 512] = symbols();
/// Distances by the next 5 bits.
static DISTANCES: [Symbol; 32] = distances();

#[allow(clippy::indexing_slicing)] // Only the compiler runs it, at every index there is.
const fn symbols() -> [u16; 512] {
    let mut symbols = [0; 512];
    let mut number = 0;
    while number < 288 {
        let (code, bits) = fixed_code(number);
        let mut at = code as usize;
        while at < symbols.len() {
            symbols[at] = Symbol::octet_or_length(number, bits).0 as u16;
            at = at.wrapping_add(1usize.wrapping_shl(bits));
        }
        number = number.wrapping_add(1);
    }
    symbols
}

#[allow(clippy::indexing_slicing)] // Only the compiler runs it, at every index there is.
const fn distances() -> [Symbol; 32] {
    let mut distances = [Symbol(0); 32];
    let mut number = 0;
    while number < distances.len() {
        // The code begins with its highest bit.
        distances[number] = Symbol::distance((number as u32).reverse_bits().wrapping_shr(27));
        number = number.wrapping_add(1);
    }
    distances
}

#[cfg(test)]
mod tests {
    use crate::inflate::wire::message;
    use crate::{DataKind, InflateLimits, Inflater, Utf8, Violation, Window, WindowBits};
    use miniz_oxide::inflate::TINFLStatus;
    use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    const MORE: u32 = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
    const LINEAR: u32 = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;

    /// The library alone, over the same window.
    struct Alone {
        core: DecompressorOxide,
        /// Right behind a block with BFINAL.
        ended: bool,
        made: Vec<u8>,
    }

    impl Alone {
        /// Whether all of it inflates.
        fn feed(&mut self, window: &mut Window<&mut [u8]>, mut rest: &[u8]) -> bool {
            loop {
                let circle = window.open().unwrap();
                let at = circle.at;
                let flags = if circle.full { MORE } else { MORE | LINEAR };
                let (status, used, made) = decompress(&mut self.core, rest, circle.room, at, flags);
                self.made.extend_from_slice(&circle.room[at..at + made]);
                window.advance(made);
                rest = &rest[used..];
                self.ended &= used == 0;
                match status {
                    TINFLStatus::HasMoreOutput => {}
                    TINFLStatus::NeedsMoreInput => return true,
                    TINFLStatus::Done => {
                        self.core.init();
                        self.ended = true;
                        if rest.is_empty() {
                            return true;
                        }
                    }
                    _ => return false,
                }
            }
        }

        /// Whether the four octets that were cut off end a block without an octet.
        fn ends(&mut self, window: &mut Window<&mut [u8]>) -> bool {
            let before = self.made.len();
            let whole = self.ended || self.feed(window, b"\x00\x00\xff\xff");
            let between = self.core.block_boundary_state().is_none_or(|state| state.num_bits == 0);
            let waits = !self.ended && self.core.block_boundary_state().is_none();
            whole && between && !waits && self.made.len() == before
        }
    }

    /// What the library alone, and the limits looked at as they are documented, make of a message.
    fn alone(
        limits: &InflateLimits,
        kind: DataKind,
        window: &mut Window<&mut [u8]>,
        payload: &[u8],
    ) -> Result<Vec<u8>, Violation> {
        let mut alone = Alone { core: DecompressorOxide::new(), ended: false, made: Vec::new() };
        let mut utf8 = Utf8::new();
        let (mut fed, mut read) = (0, 0);
        for piece in payload.chunks(1024) {
            let valid = alone.feed(window, piece);
            let counted = alone.made.len().min(limits.max_message_bytes as usize);
            if kind == DataKind::Text {
                utf8.push(&alone.made[read..counted]).map_err(|_| Violation::Utf8Invalid)?;
            }
            (fed, read) = (fed + piece.len() as u64, counted);
            if counted < alone.made.len() {
                return Err(Violation::MessageTooBig);
            }
            if !valid {
                return Err(Violation::DeflateInvalid);
            }
            let made = counted as u64;
            if limits.max_ratio != 0 && made > (fed * u64::from(limits.max_ratio)).max(limits.ratio_floor_bytes) {
                return Err(Violation::InflateRatio);
            }
        }
        if !alone.ends(window) {
            return Err(Violation::DeflateInvalid);
        }
        if utf8.is_complete() { Ok(alone.made) } else { Err(Violation::Utf8Invalid) }
    }

    #[track_caller]
    fn check(limits: &InflateLimits, kind: DataKind, bits: WindowBits, messages: &[Vec<u8>], cuts: &[usize]) {
        let room = || vec![b'S'; bits.size()];
        let (mut room_alone, mut room_each, mut room_some) = (room(), room(), room());
        let mut window_alone = Window::new(&mut room_alone[..], bits).unwrap();
        let mut windows = [&mut room_each, &mut room_some].map(|room| Window::new(&mut room[..], bits).unwrap());
        let mut inflater = Inflater::new();
        for message in messages {
            let expect = alone(limits, kind, &mut window_alone, message);
            for (window, cuts) in windows.iter_mut().zip([&[1][..], cuts]) {
                inflater.begin(kind);
                let (mut back, mut rest, mut cuts) = (Vec::new(), &message[..], cuts.iter().cycle());
                let read = loop {
                    let (piece, behind) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                    let last = behind.is_empty();
                    match inflater.inflate_into(limits, window, piece, last, &mut back) {
                        Ok(whole) => assert_eq!(whole, last),
                        Err(violation) => break Err(violation),
                    }
                    if last {
                        break Ok(back);
                    }
                    rest = behind;
                };
                assert_eq!(read, expect, "{message:x?}");
            }
            if expect.is_err() {
                return;
            }
        }
    }

    proptest! {
        #[test]
        fn any_data_at_any_cut_is_what_the_library_alone_makes_of_it(
            messages in prop::collection::vec(message(), 1..4), bits in prop_oneof![8u8..=11, Just(15)], text: bool,
            cuts in prop::collection::vec(1usize..40, 1..8),
            max_message_bytes in prop_oneof![3 => Just(1u64 << 20), 1 => 0u64..2000],
            max_ratio in prop_oneof![2 => Just(0), 1 => 1u32..4], ratio_floor_bytes in 0u64..1000,
        ) {
            let kind = if text { DataKind::Text } else { DataKind::Binary };
            let limits = InflateLimits { max_message_bytes, max_ratio, ratio_floor_bytes };
            check(&limits, kind, WindowBits::new(bits).unwrap(), &messages, &cuts);
        }
    }
}
