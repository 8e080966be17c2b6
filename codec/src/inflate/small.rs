//! The small engine: one decoder for blocks of every kind (RFC 1951 section 3.2), for machines on which flash and RAM are dearer than time.

mod bits;
mod code;

use super::{Engine, Stop};
use crate::window::Circle;
use bits::Bits;
use code::Code;

/// A step takes its bits as soon as they are all there, and otherwise none: what is cut off waits in `bits`, never in between.
pub(crate) struct Small {
    bits: Bits,
    place: Place,
    /// The block has BFINAL.
    last: bool,
    /// The symbol at hand.
    number: u16,
    /// What is left of a stored block or of a match, and the distance of that; or how many lengths of code lengths there are.
    left: u16,
    distance: u16,
    /// How many lengths of codes have come, how many are those of octets and lengths, and how many come in all.
    known: u16,
    octets: u16,
    all: u16,
    /// The lengths of both codes, one behind the other as they come; before them those of the code that they come in.
    lengths: [u8; 320],
    symbols: Code<[u16; 288]>,
    /// Of distances; before them the code of code lengths.
    distances: Code<[u16; 32]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a block's header.
    Between,
    /// The same, behind a block with BFINAL.
    Ended,
    /// Before LEN of a stored block.
    Len,
    /// Before NLEN.
    Check,
    Stored,
    /// Before HLIT, HDIST and HCLEN.
    Counts,
    /// Before the 3 bits of a code length's length, before a code length, and behind it.
    LengthLengths,
    CodeLength,
    Run,
    /// Before a symbol, behind that of an octet, behind that of a length, before that of a distance, and behind it.
    Symbol,
    Octet,
    Length,
    Distance,
    Reach,
    Match,
}

/// The symbol that ends a block.
const END: u16 = 256;
/// The order in which lengths of code lengths come (RFC 1951 section 3.2.7).
static ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

impl Engine for Small {
    fn new() -> Self {
        Self {
            bits: Bits::NONE,
            place: Place::Between,
            last: false,
            number: 0,
            left: 0,
            distance: 0,
            known: 0,
            octets: 0,
            all: 0,
            lengths: [0; 320],
            symbols: Code::new(),
            distances: Code::new(),
        }
    }

    fn begin(&mut self) {
        (self.bits, self.place) = (Bits::NONE, Place::Between);
    }

    fn run(&mut self, input: &mut &[u8], out: &mut Circle<'_>) -> Stop {
        loop {
            if let Err(stop) = self.step(input, out) {
                return stop;
            }
        }
    }

    /// Whether a message may end here (RFC 7692 sections 7.2.1 and 7.2.3.5): the last octet taken has the header of a stored
    /// block, whose four octets the sender has cut off, or it ended a block with BFINAL.
    fn is_end(&self) -> bool {
        self.bits.is_empty() && (self.place == Place::Len || self.place == Place::Ended)
    }
}

impl Small {
    fn step(&mut self, input: &mut &[u8], out: &mut Circle<'_>) -> Result<(), Stop> {
        self.place = match self.place {
            Place::Between | Place::Ended => self.header(input)?,
            Place::Len => {
                self.left = self.bits.take(16, input)?;
                Place::Check
            }
            Place::Check => {
                if self.bits.take(16, input)? != !self.left {
                    return Err(Stop::Invalid);
                }
                Place::Stored
            }
            Place::Stored => self.stored(input, out)?,
            Place::Counts => self.counts(input)?,
            Place::LengthLengths => self.length_length(input)?,
            Place::CodeLength => {
                self.number = Code::<[u16]>::decode(&self.distances, &mut self.bits, input)?;
                Place::Run
            }
            Place::Run => self.run_of_lengths(input)?,
            Place::Symbol => {
                self.number = Code::<[u16]>::decode(&self.symbols, &mut self.bits, input)?;
                match self.number {
                    ..END => Place::Octet,
                    END => self.end(),
                    _ => Place::Length,
                }
            }
            Place::Octet => {
                if !out.push(self.number as u8) {
                    return Err(Stop::Room);
                }
                Place::Symbol
            }
            Place::Length => {
                self.left = self.length(input)?;
                Place::Distance
            }
            Place::Distance => {
                self.number = Code::<[u16]>::decode(&self.distances, &mut self.bits, input)?;
                Place::Reach
            }
            Place::Reach => {
                self.distance = self.reach(input)?;
                if usize::from(self.distance) > out.reach() {
                    return Err(Stop::Invalid);
                }
                Place::Match
            }
            Place::Match => {
                self.left = out.repeat_each(usize::from(self.left), usize::from(self.distance)) as u16;
                if self.left != 0 {
                    return Err(Stop::Room);
                }
                Place::Symbol
            }
        };
        Ok(())
    }

    fn header(&mut self, input: &mut &[u8]) -> Result<Place, Stop> {
        let header = self.bits.take(3, input)?;
        self.last = header & 1 != 0;
        match header >> 1 {
            0 => {
                self.bits = Bits::NONE;
                Ok(Place::Len)
            }
            1 => self.fixed_codes(),
            2 => Ok(Place::Counts),
            _ => Err(Stop::Invalid),
        }
    }

    fn end(&mut self) -> Place {
        if self.last {
            // The next block begins with the next octet.
            self.bits = Bits::NONE;
            return Place::Ended;
        }
        Place::Between
    }

    fn stored(&mut self, input: &mut &[u8], out: &mut Circle<'_>) -> Result<Place, Stop> {
        while self.left != 0 {
            let Some((octet, rest)) = input.split_first() else { return Err(Stop::Input) };
            if !out.push(*octet) {
                return Err(Stop::Room);
            }
            *input = rest;
            self.left = self.left.wrapping_sub(1);
        }
        Ok(self.end())
    }

    fn fixed_codes(&mut self) -> Result<Place, Stop> {
        for (number, length) in self.lengths.iter_mut().enumerate() {
            *length = match number {
                0..=143 | 280..=287 => 8,
                144..=255 => 9,
                256..=279 => 7,
                _ => 5,
            };
        }
        (self.octets, self.all) = (288, 320);
        self.codes()
    }

    /// Both codes by their lengths.
    fn codes(&mut self) -> Result<Place, Stop> {
        let lengths = self.lengths.get(..usize::from(self.all)).unwrap_or_default();
        let (octets, distances) = lengths.split_at_checked(usize::from(self.octets)).unwrap_or_default();
        if Code::<[u16]>::set(&mut self.symbols, octets, true)
            && Code::<[u16]>::set(&mut self.distances, distances, true)
        {
            Ok(Place::Symbol)
        } else {
            Err(Stop::Invalid)
        }
    }

    fn counts(&mut self, input: &mut &[u8]) -> Result<Place, Stop> {
        let counts = self.bits.take(14, input)?;
        let (octets, distances) = (counts & 31, counts >> 5 & 31);
        if octets > 29 || distances > 29 {
            return Err(Stop::Invalid);
        }
        self.octets = octets.wrapping_add(257);
        self.all = distances.wrapping_add(self.octets).wrapping_add(1);
        self.left = (counts >> 10).wrapping_add(4);
        self.known = 0;
        self.lengths.fill(0);
        Ok(Place::LengthLengths)
    }

    fn length_length(&mut self, input: &mut &[u8]) -> Result<Place, Stop> {
        let length = self.bits.take(3, input)? as u8;
        let place = ORDER.get(usize::from(self.known)).and_then(|place| self.lengths.get_mut(usize::from(*place)));
        if let Some(place) = place {
            *place = length;
        }
        self.known = self.known.wrapping_add(1);
        if self.known < self.left {
            return Ok(Place::LengthLengths);
        }
        self.known = 0;
        let lengths = self.lengths.get(..ORDER.len()).unwrap_or_default();
        if Code::<[u16]>::set(&mut self.distances, lengths, false) { Ok(Place::CodeLength) } else { Err(Stop::Invalid) }
    }

    /// Behind the symbol of a code length, or of some that are equal.
    fn run_of_lengths(&mut self, input: &mut &[u8]) -> Result<Place, Stop> {
        let known = usize::from(self.known);
        let (extra, fewest) = match self.number {
            16 => (2, 3),
            17 => (3, 3),
            18 => (7, 11),
            _ => (0, 1),
        };
        let length = match self.number {
            // As the one before; there must be one.
            16 => self.lengths.get(known.wrapping_sub(1)).copied().ok_or(Stop::Invalid)?,
            17 | 18 => 0,
            number => number as u8,
        };
        let behind = known.wrapping_add(fewest).wrapping_add(usize::from(self.bits.take(extra, input)?));
        if behind > usize::from(self.all) {
            return Err(Stop::Invalid);
        }
        self.lengths.get_mut(known..behind).unwrap_or_default().fill(length);
        self.known = behind as u16;
        if self.known < self.all { Ok(Place::CodeLength) } else { self.codes() }
    }

    fn length(&mut self, input: &mut &[u8]) -> Result<u16, Stop> {
        match self.number {
            257..=284 => Ok(self.stepped(self.number.wrapping_sub(257), 2, input)?.wrapping_add(3)),
            285 => Ok(258),
            _ => Err(Stop::Invalid),
        }
    }

    fn reach(&mut self, input: &mut &[u8]) -> Result<u16, Stop> {
        match self.number {
            0..=29 => Ok(self.stepped(self.number, 1, input)?.wrapping_add(1)),
            _ => Err(Stop::Invalid),
        }
    }

    /// The value of a symbol with its extra bits: symbols double what they span each `1 << low` of them.
    fn stepped(&mut self, number: u16, low: u32, input: &mut &[u8]) -> Result<u16, Stop> {
        let step = number >> low;
        let extra = u32::from(step.saturating_sub(1));
        let bits = self.bits.take(extra, input)?;
        let first = if step == 0 {
            number
        } else {
            number.wrapping_sub(step.wrapping_sub(1).wrapping_shl(low)).wrapping_shl(extra)
        };
        Ok(first | bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inflate::quick::Quick;
    use crate::inflate::wire::{Wire, message};
    use crate::{Window, WindowBits};
    use miniz_oxide::deflate::core::{
        CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
    };
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// What an engine made, how much of it was there after each piece, and whether a message may end there; `None` at a fault.
    type Read = (Vec<u8>, Vec<usize>, Option<bool>);

    /// Reads messages until one is at fault, each in pieces of the lengths in `cuts` and with room for as many octets as `rooms` says.
    fn read<E: Engine>(bits: u8, messages: &[Vec<u8>], cuts: &[usize], rooms: &[usize]) -> Vec<Read> {
        let bits = WindowBits::new(bits).unwrap();
        let mut window = Window::new(vec![b'S'; bits.size()], bits).unwrap();
        let mut engine = E::new();
        let (mut cuts, mut rooms) = (cuts.iter().cycle(), rooms.iter().cycle());
        let mut all = Vec::new();
        for message in messages {
            engine.begin();
            let (mut made, mut lens, mut rest) = (Vec::new(), Vec::new(), &message[..]);
            let fault = loop {
                if rest.is_empty() {
                    break false;
                }
                let (mut piece, behind) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                let stop = loop {
                    let mut circle = window.open().unwrap();
                    circle.limit(*rooms.next().unwrap());
                    let start = circle.at;
                    let stop = engine.run(&mut piece, &mut circle);
                    made.extend_from_slice(&circle.room[start..circle.at]);
                    let len = circle.at - start;
                    window.advance(len);
                    if stop != Stop::Room {
                        break stop;
                    }
                };
                if stop == Stop::Invalid {
                    break true;
                }
                assert!(piece.is_empty());
                lens.push(made.len());
                rest = behind;
            };
            all.push((made, lens, (!fault).then(|| engine.is_end())));
            if all.last().unwrap().2 != Some(true) {
                break;
            }
        }
        all
    }

    /// The other engine's reading too, however it is cut.
    #[track_caller]
    fn check(bits: u8, messages: &[Vec<u8>], cuts: &[usize], rooms: &[usize]) -> Vec<Read> {
        let quick = read::<Quick>(bits, messages, cuts, rooms);
        assert_eq!(read::<Small>(bits, messages, cuts, rooms), quick, "{messages:x?}");
        for cuts in [1, usize::MAX] {
            let small = read::<Small>(bits, messages, &[cuts], rooms);
            assert!(small.iter().zip(&quick).all(|(small, quick)| small.0 == quick.0 && small.2 == quick.2));
            assert_eq!(small.len(), quick.len());
        }
        quick
    }

    /// Blocks with codes of their own, made by hand.
    fn dynamic(octets: &[(usize, u8)], distances: &[(usize, u8)], behind: &[(u32, u32)]) -> Vec<u8> {
        let mut wire = Wire::default();
        let size =
            |lengths: &[(usize, u8)], least| lengths.iter().map(|(symbol, _)| symbol + 1).max().unwrap_or(0).max(least);
        let (size, of_distances) = (size(octets, 257), size(distances, 1));
        wire.put(0b100 | (size as u32 - 257) << 3 | (of_distances as u32 - 1) << 8 | 15 << 13, 17);
        for place in ORDER {
            // Sixteen code lengths of 4 bits each.
            wire.put(if place < 16 { 4 } else { 0 }, 3);
        }
        for (size, lengths) in [(size, octets), (of_distances, distances)] {
            for symbol in 0..size {
                let length = lengths.iter().find(|(known, _)| *known == symbol).map_or(0, |(_, length)| *length);
                wire.put(u32::from(length.reverse_bits() >> 4), 4);
            }
        }
        for (value, bits) in behind {
            wire.put(*value, *bits);
        }
        // The header of an empty stored block.
        wire.put(0, 3);
        wire.into_octets()
    }

    /// What it is, the message, and what comes of it.
    type Row<'a> = (&'static str, Vec<u8>, Option<&'a [u8]>);

    /// Each verdict is zlib's, whose names for the faults are beside them.
    #[test]
    fn section_3_2_7_codes_are_refused_as_zlib_refuses_them() {
        // `a`, the end, and 3 octets again; one distance.
        let (a, end, three) = (97, 256, 257);
        let whole: &[(usize, u8)] = &[(a, 1), (end, 2), (three, 2)];
        let one = &[(0, 1)];
        let (says_a, ends, repeats) = ((0, 1), (0b01, 2), (0b11, 2));
        let ladder: Vec<_> = (1..=15).map(|bits| (96 + usize::from(bits), bits)).chain([(end, 15)]).collect();
        let rows: &[Row<'_>] = &[
            ("as it should be", dynamic(whole, one, &[says_a, repeats, (0, 1), ends]), Some(b"aaaa")),
            (
                "two distances",
                dynamic(whole, &[(0, 1), (1, 1)], &[says_a, says_a, repeats, (1, 1), ends]),
                Some(b"aaaaa"),
            ),
            ("no distance", dynamic(whole, &[], &[says_a, ends]), Some(b"a")),
            (
                "no distance, but a match: invalid distance code",
                dynamic(whole, &[], &[says_a, repeats, (0, 1), ends]),
                None,
            ),
            (
                "the other code of one: invalid distance code",
                dynamic(whole, one, &[says_a, repeats, (1, 1), ends]),
                None,
            ),
            ("one distance of two bits: invalid distances set", dynamic(whole, &[(0, 2)], &[says_a, ends]), None),
            (
                "three distances: invalid distances set",
                dynamic(whole, &[(0, 1), (1, 1), (2, 1)], &[says_a, ends]),
                None,
            ),
            ("distances left over: invalid distances set", dynamic(whole, &[(0, 1), (1, 2)], &[says_a, ends]), None),
            ("a distance too far back", dynamic(whole, &[(1, 1)], &[says_a, repeats, (0, 1), ends]), None),
            ("30 distances", dynamic(whole, &[(0, 1), (29, 1)], &[says_a, ends]), Some(b"a")),
            (
                "31 distances: too many length or distance symbols",
                dynamic(whole, &[(0, 1), (30, 1)], &[says_a, ends]),
                None,
            ),
            (
                "32 distances: too many length or distance symbols",
                dynamic(whole, &[(0, 1), (31, 1)], &[says_a, ends]),
                None,
            ),
            ("286 symbols", dynamic(&[(a, 1), (end, 2), (285, 2)], one, &[says_a, ends]), Some(b"a")),
            ("287 symbols: too many", dynamic(&[(a, 1), (end, 2), (286, 2)], one, &[says_a, ends]), None),
            ("288 symbols: too many", dynamic(&[(a, 1), (end, 2), (287, 2)], one, &[says_a, ends]), None),
            ("the end alone", dynamic(&[(end, 1)], one, &[(0, 1)]), Some(b"")),
            ("the other code: invalid literal/length code", dynamic(&[(end, 1)], one, &[(1, 1), (0, 1)]), None),
            ("the end alone in two bits: invalid literal/lengths set", dynamic(&[(end, 2)], one, &[(0, 2)]), None),
            ("codes left over: invalid literal/lengths set", dynamic(&[(a, 1), (end, 2)], one, &[says_a, ends]), None),
            (
                "too many codes: invalid literal/lengths set",
                dynamic(&[(a, 1), (end, 1), (three, 2)], one, &[says_a]),
                None,
            ),
            // zlib refuses these before their octets come; no end can come of them either.
            ("invalid code -- missing end-of-block", dynamic(&[(a, 1), (98, 1)], one, &[says_a]), None),
            ("no symbol at all: the same", dynamic(&[], &[], &[says_a]), None),
            // The 14 shorter ones are one 0 behind ones, the end is all ones.
            ("codes of up to 15 bits", dynamic(&ladder, one, &[(0x3fff, 15), (0x7fff, 15)]), Some(b"o")),
        ];
        for (what, wire, expect) in rows {
            for cut in [1, 2, 7, 1000] {
                let read = check(8, std::slice::from_ref(wire), &[cut], &[300]);
                let read = read.last().unwrap();
                let verdict = (read.2 == Some(true)).then_some(&read.0[..]);
                assert_eq!(verdict, *expect, "{what}");
            }
        }
    }

    /// A code of code lengths must be whole, and a run of them must begin behind one and end where they end.
    #[test]
    fn section_3_2_7_code_lengths_are_refused_as_zlib_refuses_them() {
        // The lengths of 16, 17, 18, 0, 8, 7 and so on.
        let header = |lengths: &[u32], behind: &[(u32, u32)]| {
            let mut wire = Wire::default();
            wire.put(0b100 | (lengths.len() as u32 - 4) << 13, 17);
            for length in lengths {
                wire.put(*length, 3);
            }
            for (value, bits) in behind {
                wire.put(*value, *bits);
            }
            wire.put(0, 3);
            wire.into_octets()
        };
        let ones = (0x7f, 7);
        let rows: &[(&str, Vec<u8>, bool)] = &[
            // 18 and 1, of a bit each: 138 and 118 zeros, the end, and a distance; then the end.
            (
                "zeros, and two codes",
                header(
                    &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                    &[(1, 1), ones, (1, 1), (107, 7), (0, 1), (0, 1), (0, 1)],
                ),
                true,
            ),
            (
                "zeros beyond the last: invalid bit length repeat",
                header(
                    &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                    &[(1, 1), ones, (1, 1), (110, 7), (0, 1), (0, 1), (0, 1)],
                ),
                false,
            ),
            (
                "zeros for one distance and for ten more: the same",
                header(
                    &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                    &[(1, 1), ones, (1, 1), (107, 7), (0, 1), (1, 1), (0, 7), (0, 1)],
                ),
                false,
            ),
            ("as the one before the first: invalid bit length repeat", header(&[1, 1, 0, 0], &[(0, 3)]), false),
            ("one code: invalid code lengths set", header(&[0, 0, 1, 0], &[(0, 1), ones, (0, 1), ones]), false),
            ("no code: invalid code lengths set", header(&[0, 0, 0, 0], &[(0, 30)]), false),
            ("left over: invalid code lengths set", header(&[2, 2, 2, 0], &[(0, 30)]), false),
            ("too many: invalid code lengths set", header(&[1, 1, 1, 1], &[(0, 30)]), false),
        ];
        for (what, wire, expect) in rows {
            for cut in [1, 2, 7, 1000] {
                let read = check(8, std::slice::from_ref(wire), &[cut], &[300]);
                assert_eq!(read.last().unwrap().2 == Some(true), *expect, "{what}");
            }
        }
    }

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        let json = (any::<u32>(), "[a-z]{1,9}", any::<bool>())
            .prop_map(|(id, name, on)| std::format!(r#"{{"id":{id},"name":"{name}","on":{on},"tags":["a","b"]}},"#));
        let unit = prop_oneof![
            3 => json,
            3 => "[a-zäöü中文 ]{0,20}",
            1 => "(ab|cde|f){1,99}",
        ];
        prop_oneof![
            4 => prop::collection::vec(unit, 0..60).prop_map(|units| units.concat().into_bytes()),
            1 => prop::collection::vec(any::<u8>(), 0..3000),
            1 => (any::<u8>(), 0usize..9000).prop_map(|(octet, len)| vec![octet; len]),
        ]
    }

    /// In segments, each of which ends as `flush` says: several blocks, and empty ones. Not at level 0, at which the library may leave the
    /// last flush out; zlib's is in tests/interop/test_deflate.py, and stored blocks are in the other properties.
    fn compressed(segments: &[Vec<u8>], level: i32, strategy: i32, flush: TDEFLFlush) -> Vec<u8> {
        let mut compressor = CompressorOxide::new(create_comp_flags_from_zip_params(level, -15, strategy));
        let mut wire = Vec::new();
        for (at, segment) in segments.iter().enumerate() {
            let flush = if at + 1 == segments.len() { TDEFLFlush::Sync } else { flush };
            let mut room = vec![0; segment.len() * 2 + 10_000];
            let (status, read, made) = compress(&mut compressor, segment, &mut room, flush);
            assert_eq!((status, read), (TDEFLStatus::Okay, segment.len()));
            wire.extend_from_slice(&room[..made]);
        }
        assert!(wire.ends_with(b"\x00\x00\xff\xff"));
        wire.truncate(wire.len() - 4);
        wire
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_back_at_any_level_and_strategy(
            segments in prop::collection::vec(octets(), 1..4), level in 1i32..=10, strategy in 0i32..=4,
            flush in prop_oneof![Just(TDEFLFlush::None), Just(TDEFLFlush::Sync), Just(TDEFLFlush::Full)],
            cuts in prop::collection::vec(1usize..300, 1..8), rooms in prop::collection::vec(1usize..300, 1..8),
            cut_off in any::<prop::sample::Index>(),
        ) {
            let wire = compressed(&segments, level, strategy, flush);
            let read = check(15, std::slice::from_ref(&wire), &cuts, &rooms);
            prop_assert_eq!(&read[0].0, &segments.concat());
            prop_assert_eq!(read[0].2, Some(true));
            check(15, &[wire[..cut_off.index(wire.len())].to_vec()], &cuts, &rooms);
        }

        #[test]
        fn valid_and_wrong_blocks_are_read_as_the_quick_engine_reads_them(
            messages in prop::collection::vec(message(), 1..4), bits in 8u8..=11,
            cuts in prop::collection::vec(1usize..40, 1..8), rooms in prop::collection::vec(1usize..300, 1..8),
        ) {
            check(bits, &messages, &cuts, &rooms);
        }

        #[test]
        fn wrong_bits_are_read_as_the_quick_engine_reads_them(
            text in octets(), level in 1i32..=10, strategy in 0i32..=4,
            wrong in prop::collection::vec((any::<prop::sample::Index>(), 0u32..8), 1..3),
            cuts in prop::collection::vec(1usize..40, 1..8), rooms in prop::collection::vec(1usize..300, 1..8),
        ) {
            let mut wire = compressed(&[text], level, strategy, TDEFLFlush::Sync);
            for (at, bit) in wrong {
                // Mostly in the codes' lengths, which come first.
                let reach = wire.len().min(80);
                *at.get_mut(&mut wire[..reach]) ^= 1 << bit;
            }
            check(15, &[wire], &cuts, &rooms);
        }

        #[test]
        fn garbage_is_read_as_the_quick_engine_reads_it(
            mut garbage in prop::collection::vec(any::<u8>(), 1..300), dynamic: bool,
            cuts in prop::collection::vec(1usize..40, 1..8), rooms in prop::collection::vec(1usize..300, 1..8),
        ) {
            if dynamic {
                garbage[0] = garbage[0] & 0xf8 | 0b100;
            }
            check(9, &[garbage], &cuts, &rooms);
        }
    }
}
