//! The small engine against the quick one, and against what it must refuse.

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
        ("two distances", dynamic(whole, &[(0, 1), (1, 1)], &[says_a, says_a, repeats, (1, 1), ends]), Some(b"aaaaa")),
        ("no distance", dynamic(whole, &[], &[says_a, ends]), Some(b"a")),
        (
            "no distance, but a match: invalid distance code",
            dynamic(whole, &[], &[says_a, repeats, (0, 1), ends]),
            None,
        ),
        ("the other code of one: invalid distance code", dynamic(whole, one, &[says_a, repeats, (1, 1), ends]), None),
        ("one distance of two bits: invalid distances set", dynamic(whole, &[(0, 2)], &[says_a, ends]), None),
        ("three distances: invalid distances set", dynamic(whole, &[(0, 1), (1, 1), (2, 1)], &[says_a, ends]), None),
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
        ("too many codes: invalid literal/lengths set", dynamic(&[(a, 1), (end, 1), (three, 2)], one, &[says_a]), None),
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
