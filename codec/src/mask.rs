//! Masking (RFC 6455 section 5.3): the transformation is its own inverse.

use crate::kernel::{self, Kernel};

/// A masking key as it stands in the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key(pub [u8; 4]);

/// A masking key with its phase: which of its octets the next octet of payload meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Little endian: the low octet meets the next octet of payload.
    word: u32,
}

impl Mask {
    /// The mask at the beginning of a payload.
    #[inline]
    pub const fn new(key: Key) -> Self {
        Self { word: u32::from_le_bytes(key.0) }
    }

    /// Masks or unmasks the next octets of the payload where they lie.
    #[inline]
    pub fn apply(&mut self, payload: &mut [u8]) {
        kernel::Best::unmask(payload, self.word);
        self.skip(payload.len());
    }

    #[inline]
    pub(crate) const fn word(self) -> u32 {
        self.word
    }

    /// Moves the phase by `octets`.
    #[inline]
    pub(crate) const fn skip(&mut self, octets: usize) {
        self.word = rotate(self.word, octets);
    }
}

/// The key as the octet `octets` further on meets it.
#[inline(always)]
pub(crate) const fn rotate(word: u32, octets: usize) -> u32 {
    // The truncation is harmless: only the two low bits count.
    word.rotate_right((octets as u32 & 3) << 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// RFC 6455 §5.3, word for word: octet i of the transformed data is octet i of the original XOR octet i mod 4 of the key.
    fn by_definition(key: [u8; 4], phase: usize, payload: &[u8]) -> Vec<u8> {
        payload.iter().enumerate().map(|(i, octet)| octet ^ key[(i + phase) % 4]).collect()
    }

    #[test]
    fn every_length_phase_and_alignment_is_as_defined() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let store: Vec<u8> = (0..1400u32).map(|i| (i * 7 + 3) as u8).collect();
        for len in (0..300).chain([511, 512, 513, 600, 1024, 1300]) {
            for offset in [0, 1, 2, 3, 5, 8, 13, 31] {
                for phase in 0..4 {
                    let mut copy = store.clone();
                    let mut mask = Mask::new(Key(key));
                    mask.skip(phase);
                    mask.apply(&mut copy[offset..offset + len]);
                    let expect = by_definition(key, phase, &store[offset..offset + len]);
                    assert_eq!(copy[offset..offset + len], expect, "len {len} offset {offset} phase {phase}");
                    assert_eq!(copy[..offset], store[..offset]);
                    assert_eq!(copy[offset + len..], store[offset + len..]);
                    let mut after = Mask::new(Key(key));
                    after.skip(phase + len);
                    assert_eq!(mask, after);
                }
            }
        }
    }
}
