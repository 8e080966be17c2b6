//! The loops that touch every octet of payload. [`Portable`] is the safe twin and the definition; `simd` has one for wide vectors, and
//! [`Words`] is the one for machines of 32 bits without vectors, and for those on which flash is dearer than time.
#![allow(dead_code, reason = "one of them is used, and the tests compare it with the others")]

use crate::mask::rotate;

/// Bit 7 of every octet: set means "not ASCII".
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The work on bulk payload, so that wider vectors can stand in.
pub(crate) trait Kernel {
    /// Whether octet by octet is as quick as any other way to judge text: without wide registers, or where there shall be one way alone.
    const STEPWISE: bool;
    /// Unmasks in place; the key is little endian and in phase.
    fn unmask(payload: &mut [u8], key: u32);
    /// The same, and says whether the result is all ASCII.
    fn unmask_ascii(payload: &mut [u8], key: u32) -> bool;
    /// The same for a short payload, where a call would cost much of the work.
    fn unmask_short(payload: &mut [u8], key: u32) -> bool;
    /// Whether all of `text` is UTF-8.
    fn valid(text: &[u8]) -> bool;
    /// `text` as such, if it is UTF-8.
    fn text(text: &[u8]) -> Option<&str>;
    /// What was checked before, as text.
    fn checked_text(text: Checked<'_>) -> Option<&str>;
}

/// Octets that the decoder has found to be UTF-8, all of them. Only [`Data`](crate::Data), which nobody can change, makes it.
#[derive(Clone, Copy)]
pub(crate) struct Checked<'a>(pub(crate) &'a [u8]);

// WebAssembly without vectors goes by words of 32 bits like other machines of 32 bits: the code is half as long, text that is not ASCII
// twice as quick and long binary messages half as quick.
#[cfg(feature = "simd")]
pub(crate) use crate::simd::Native as Best;
#[cfg(all(
    not(any(feature = "simd", feature = "small")),
    any(target_pointer_width = "64", target_feature = "simd128")
))]
pub(crate) use Portable as Best;
#[cfg(not(any(
    feature = "simd",
    all(not(feature = "small"), any(target_pointer_width = "64", target_feature = "simd128"))
)))]
pub(crate) use Words as Best;

/// Safe code that compilers vectorise.
pub(crate) struct Portable;

/// The shortest code: one loop over words of 32 bits is all that there is.
pub(crate) struct Words;

impl Kernel for Words {
    const STEPWISE: bool = true;

    fn unmask(payload: &mut [u8], key: u32) {
        Self::unmask_ascii(payload, key);
    }

    fn unmask_short(payload: &mut [u8], key: u32) -> bool {
        Self::unmask_ascii(payload, key)
    }

    #[inline(never)]
    fn unmask_ascii(payload: &mut [u8], key: u32) -> bool {
        let (words, tail) = payload.as_chunks_mut::<4>();
        let mut or = 0;
        for word in words {
            let clear = u32::from_le_bytes(*word) ^ key;
            *word = clear.to_le_bytes();
            or |= clear;
        }
        for (octet, mask) in tail.iter_mut().zip(key.to_le_bytes()) {
            *octet ^= mask;
            or |= u32::from(*octet);
        }
        is_ascii(u64::from(or))
    }

    fn valid(text: &[u8]) -> bool {
        let mut utf8 = crate::utf8::Utf8::new();
        utf8.push_octets(text).is_ok() && utf8.is_complete()
    }

    fn text(text: &[u8]) -> Option<&str> {
        core::str::from_utf8(text).ok()
    }

    fn checked_text(text: Checked<'_>) -> Option<&str> {
        Self::text(text.0)
    }
}

impl Kernel for Portable {
    const STEPWISE: bool = false;

    #[inline(never)]
    fn unmask(payload: &mut [u8], key: u32) {
        blocks::<16>(payload, key);
    }

    #[inline(never)]
    fn unmask_ascii(payload: &mut [u8], key: u32) -> bool {
        is_ascii(blocks::<16>(payload, key))
    }

    #[inline(always)]
    fn unmask_short(payload: &mut [u8], key: u32) -> bool {
        is_ascii(short(payload, key))
    }

    #[inline(never)]
    fn valid(text: &[u8]) -> bool {
        crate::utf8_bulk::valid(text)
    }

    fn text(text: &[u8]) -> Option<&str> {
        core::str::from_utf8(text).ok()
    }

    fn checked_text(text: Checked<'_>) -> Option<&str> {
        Self::text(text.0)
    }
}

/// Whether the OR of a text's words, as [`short`] and [`blocks`] give it, is that of ASCII.
#[inline(always)]
pub(crate) const fn is_ascii(or: u64) -> bool {
    or & HIGH == 0
}

/// Below this many octets it costs more to align the stores than it saves.
const WORTH_ALIGNING: usize = 512;

/// Unmasks a payload of any length with stores aligned to `ALIGN` octets; gives the OR of the result's words.
///
/// Aligned stores are worth a factor of 1.7 to 2 in the first-level cache; only the address is looked at, so this is safe.
#[inline(always)]
pub(crate) fn blocks<const ALIGN: usize>(payload: &mut [u8], key: u32) -> u64 {
    let lead = if payload.len() < WORTH_ALIGNING {
        0
    } else {
        (payload.as_ptr() as usize).wrapping_neg() & ALIGN.wrapping_sub(1)
    };
    let Some((head, body)) = payload.split_at_mut_checked(lead) else {
        return 0;
    };
    let mut or = short(head, key);
    let key = rotate(key, lead);
    // One number for the OR: with several, compilers keep to words.
    let (words, tail) = body.as_chunks_mut::<WORD>();
    for word in words {
        or |= xor(word, key);
    }
    or | short(tail, key)
}

/// Octets of the widest word that the target XORs at once: a multiple of 4, so that the key's phase stays the same.
const WORD: usize = 8;

/// XORs one word with the key twice over; gives the result.
#[inline(always)]
fn xor(word: &mut [u8; WORD], key: u32) -> u64 {
    let clear = u64::from_le_bytes(*word) ^ twice(key);
    *word = clear.to_le_bytes();
    clear
}

#[inline(always)]
const fn twice(key: u32) -> u64 {
    key as u64 | (key as u64) << 32
}

/// Unmasks a short payload without a loop over octets: the last access overlaps the one before. Gives the OR of the words.
///
/// Both ends are read before either is written, so that no octet is unmasked twice.
#[inline(always)]
pub(crate) fn short(payload: &mut [u8], key: u32) -> u64 {
    let len = payload.len();
    if let (Some(&first), Some(&last)) = (payload.first_chunk::<16>(), payload.last_chunk::<16>()) {
        let (first, last) = (u128::from_le_bytes(first), u128::from_le_bytes(last));
        let clear = [first ^ wide(key), last ^ wide(rotate(key, len))];
        return ends_and_middle(payload, key, clear);
    }
    if let (Some(&first), Some(&last)) = (payload.first_chunk::<8>(), payload.last_chunk::<8>()) {
        let first = u64::from_le_bytes(first) ^ twice(key);
        let last = u64::from_le_bytes(last) ^ twice(rotate(key, len));
        if let Some(to) = payload.first_chunk_mut() {
            *to = first.to_le_bytes();
        }
        if let Some(to) = payload.last_chunk_mut() {
            *to = last.to_le_bytes();
        }
        return first | last;
    }
    if let (Some(&first), Some(&last)) = (payload.first_chunk::<4>(), payload.last_chunk::<4>()) {
        let first = u32::from_le_bytes(first) ^ key;
        let last = u32::from_le_bytes(last) ^ rotate(key, len);
        if let Some(to) = payload.first_chunk_mut() {
            *to = first.to_le_bytes();
        }
        if let Some(to) = payload.last_chunk_mut() {
            *to = last.to_le_bytes();
        }
        return u64::from(first | last);
    }
    let mut or = 0;
    for (octet, mask) in payload.iter_mut().zip(key.to_le_bytes()) {
        *octet ^= mask;
        or |= *octet;
    }
    u64::from(or)
}

/// `len` is a multiple of the word behind the last access's beginning, so `rotate(key, len)` is that access's phase.
#[inline(always)]
const fn wide(key: u32) -> u128 {
    twice(key) as u128 | (twice(key) as u128) << 64
}

/// Stores both ends; what lies between goes by 16 octets at a time and may run into the last one, which is stored after.
#[inline(always)]
fn ends_and_middle(payload: &mut [u8], key: u32, [first, last]: [u128; 2]) -> u64 {
    let mut or = first | last;
    if let Some(to) = payload.first_chunk_mut() {
        *to = first.to_le_bytes();
    }
    let middle = payload.len().wrapping_sub(1);
    if let Some(middle) = payload.get_mut(16..middle) {
        let (chunks, _) = middle.as_chunks_mut::<16>();
        let mut ors = [0; 2];
        for chunk in chunks {
            let (words, _) = chunk.as_chunks_mut::<WORD>();
            for (word, or) in words.iter_mut().zip(&mut ors) {
                *or |= xor(word, key);
            }
        }
        or |= u128::from(ors[0] | ors[1]);
    }
    if let Some(to) = payload.last_chunk_mut() {
        *to = last.to_le_bytes();
    }
    // Both halves count: a high bit in either says "not ASCII".
    (or | or >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_twin_of_words_gives_the_same_at_every_length_and_alignment() {
        let store: Vec<u8> = (0..1200u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7f).collect();
        for len in (0..200usize).chain([255, 256, 511, 512, 513, 1000]) {
            for offset in [0, 1, 7, 31] {
                for high_bit_at in [None, Some(0), Some(len / 2), len.checked_sub(1)] {
                    let mut ours = store.clone();
                    if let Some(octet) = high_bit_at.filter(|at| *at < len).map(|at| &mut ours[offset + at]) {
                        *octet |= 0x80;
                    }
                    let mut twin = ours.clone();
                    // A key of ASCII octets keeps the high bits where they are.
                    let key = 0x3d21_7a37;
                    let (ours, twin) = (&mut ours[offset..offset + len], &mut twin[offset..offset + len]);
                    assert_eq!(Words::unmask_ascii(ours, key), Portable::unmask_ascii(twin, key), "{len} {offset}");
                    assert_eq!(ours, twin);
                    Words::unmask(ours, key ^ 0x80ff_00aa);
                    Portable::unmask(twin, key ^ 0x80ff_00aa);
                    assert_eq!(ours, twin);
                    assert_eq!(Words::valid(ours), Portable::valid(twin));
                    assert_eq!(Words::text(ours), Portable::text(twin));
                }
            }
        }
    }
}
