//! Compressed messages for the tests: blocks of every kind, most of them valid, some cut off or with wrong bits.

use super::fixed::{RARE, Symbol};
use crate::deflate_small::fixed_code;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

const MORE: u32 = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
const LINEAR: u32 = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;

/// A block, or a piece of one, and whether it has BFINAL.
#[derive(Clone, Debug)]
enum Piece {
    Stored(Vec<u8>, bool),
    /// Numbers of symbols and of distances, and what is in their extra bits.
    Fixed(Vec<(u32, u32, u32)>, bool),
    /// Text, which the library compresses in a block with codes of its own.
    Dynamic(Vec<u8>, bool),
    Garbage(Vec<u8>),
    Nothing,
}

#[derive(Default)]
pub(super) struct Wire {
    octets: Vec<u8>,
    bits: usize,
}

impl Wire {
    pub(super) fn put(&mut self, value: u32, bits: u32) {
        for bit in 0..bits {
            if self.bits.is_multiple_of(8) {
                self.octets.push(0);
            }
            *self.octets.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (self.bits % 8);
            self.bits += 1;
        }
    }

    pub(super) fn into_octets(self) -> Vec<u8> {
        self.octets
    }

    fn put_octets(&mut self, octets: &[u8], bits: usize) {
        for bit in 0..bits {
            self.put(u32::from(octets[bit / 8] >> (bit % 8)), 1);
        }
    }

    fn align(&mut self) {
        self.bits = self.octets.len() * 8;
    }

    fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Stored(octets, last) => {
                self.put(u32::from(*last), 3);
                self.align();
                let len = octets.len() as u32;
                self.put(len | !len << 16, 32);
                self.put_octets(octets, octets.len() * 8);
            }
            Piece::Fixed(symbols, last) => {
                self.put(0b10 | u32::from(*last), 3);
                for (number, distance, extra) in symbols {
                    let (code, bits) = fixed_code(*number);
                    self.put(code, bits);
                    let symbol = Symbol::octet_or_length(*number, bits);
                    if !symbol.is_octet() && !symbol.is_rare() {
                        self.put(*extra, symbol.extra());
                        self.put(distance.reverse_bits() >> 27, 5);
                        self.put(*extra, Symbol::distance(*distance).extra() % RARE);
                    }
                }
                self.put(0, 7);
            }
            Piece::Dynamic(text, last) => {
                let mut block = miniz_oxide::deflate::compress_to_vec(text, 6);
                block[0] &= !1;
                let (flags, mut core) =
                    (MORE | LINEAR | inflate_flags::TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY, DecompressorOxide::new());
                let (_, used, _) = decompress(&mut core, &block, &mut vec![0; text.len()], 0, flags);
                let unread = core.block_boundary_state().map_or(0, |state| usize::from(state.num_bits));
                block[0] |= u8::from(*last);
                self.put_octets(&block, used * 8 - unread);
            }
            Piece::Garbage(octets) => self.put_octets(octets, octets.len() * 8),
            Piece::Nothing => return,
        }
        match piece {
            Piece::Stored(_, true) | Piece::Fixed(_, true) | Piece::Dynamic(_, true) => self.align(),
            _ => {}
        }
    }
}

fn piece() -> impl Strategy<Value = Piece> {
    let last = || prop::bool::weighted(0.1);
    let symbol = prop_oneof![
        20 => 0x20u32..0x7f,
        1 => 0u32..256,
        10 => 257u32..286,
    ];
    let distance = prop_oneof![20 => 0u32..10, 3 => 0u32..30];
    let symbols = prop::collection::vec((symbol, distance, 0u32..1 << 13), 0..60);
    // Most distances reach something.
    let octets = prop::collection::vec(0x61u32..0x7b, 0..40);
    let symbols = (octets, symbols)
        .prop_map(|(octets, symbols)| octets.into_iter().map(|octet| (octet, 0, 0)).chain(symbols).collect::<Vec<_>>());
    let rare = prop::collection::vec((250u32..288, 0u32..32, 0u32..1 << 13), 1..3);
    let words = prop::collection::vec("[a-f]{1,5}|ü中|\\PC", 0..200).prop_map(|words| words.concat().into_bytes());
    prop_oneof![
        3 => (prop::collection::vec(0x20u8..0x7f, 0..300), last()).prop_map(|(octets, last)| Piece::Stored(octets, last)),
        6 => (symbols, last()).prop_map(|(symbols, last)| Piece::Fixed(symbols, last)),
        1 => (rare, last()).prop_map(|(symbols, last)| Piece::Fixed(symbols, last)),
        3 => (words, last()).prop_map(|(text, last)| Piece::Dynamic(text, last)),
        1 => prop::collection::vec(any::<u8>(), 1..40).prop_map(Piece::Garbage),
    ]
}

/// Mostly whole and valid, rarely cut off or with wrong bits.
pub(super) fn message() -> impl Strategy<Value = Vec<u8>> {
    let wrong = prop::collection::vec((any::<prop::sample::Index>(), 0u32..8), 0..3);
    let wrong = prop_oneof![4 => Just(Vec::new()), 1 => wrong];
    let end = prop_oneof![20 => Just(Piece::Garbage(vec![0])), 1 => Just(Piece::Nothing)];
    // Few of the lengths are long, and that of the whole is of some hundreds of octets.
    (prop::collection::vec(piece(), 0..6), end, wrong).prop_map(|(pieces, end, wrong)| {
        let mut wire = Wire::default();
        for piece in &pieces {
            wire.piece(piece);
        }
        if let Piece::Garbage(_) = end {
            wire.put(0, 3);
        }
        for (at, bit) in wrong {
            if !wire.octets.is_empty() {
                *at.get_mut(&mut wire.octets) ^= 1 << bit;
            }
        }
        wire.octets
    })
}
