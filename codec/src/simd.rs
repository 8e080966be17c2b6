//! The one module with `unsafe`: the bulk kernels with AVX2, chosen while running, and text that need not be checked twice.
//!
//! The safe twins are in [`kernel`](crate::kernel). Only calls of functions that need a CPU feature are `unsafe`, and what loads and stores
//! a vector. UTF-8 of 64 octets and more goes to `simdutf8`. AVX-512 is left out: such loops were slower there.
#![allow(unsafe_code)]

use crate::kernel::{Checked, Kernel, Portable};

/// The widest vectors that this machine has.
pub(crate) struct Native;

/// Shorter payloads are unmasked before wider vectors are chosen: 20 octets in 25 instructions instead of 55.
const WORTH_A_CALL: usize = 64;
/// Shorter texts are validated faster by the portable code.
const WORTH_SIMDUTF8: usize = 64;

impl Kernel for Native {
    const STEPWISE: bool = cfg!(feature = "small");

    #[inline]
    fn unmask(payload: &mut [u8], key: u32) {
        if payload.len() < WORTH_A_CALL {
            Self::unmask_short(payload, key);
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has AVX2, which is all that the function asks for.
            return unsafe { avx2::unmask(payload, key) };
        }
        Portable::unmask(payload, key);
    }

    #[inline]
    fn unmask_ascii(payload: &mut [u8], key: u32) -> bool {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has AVX2, which is all that the function asks for.
            return unsafe { avx2::unmask_ascii(payload, key) };
        }
        Portable::unmask_ascii(payload, key)
    }

    #[inline(always)]
    fn unmask_short(payload: &mut [u8], key: u32) -> bool {
        #[cfg(target_arch = "x86_64")]
        return sse2::unmask(payload, key);
        #[cfg(not(target_arch = "x86_64"))]
        Portable::unmask_short(payload, key)
    }

    #[inline]
    fn valid(text: &[u8]) -> bool {
        if text.len() < WORTH_SIMDUTF8 { Portable::valid(text) } else { simdutf8::basic::from_utf8(text).is_ok() }
    }

    #[inline]
    fn text(text: &[u8]) -> Option<&str> {
        if text.len() < WORTH_SIMDUTF8 { Portable::text(text) } else { simdutf8::basic::from_utf8(text).ok() }
    }

    #[inline]
    fn checked_text(text: Checked<'_>) -> Option<&str> {
        // SAFETY: the decoder makes an event of a text only after it has validated all of it, and none at all once it has
        // refused something; the event gives nobody a way to change the octets, and only a whole text message is asked for here.
        Some(unsafe { core::str::from_utf8_unchecked(text.0) })
    }
}

/// Short payloads, of which compilers make words of 64 bits otherwise.
#[cfg(target_arch = "x86_64")]
mod sse2 {
    use crate::kernel::{Kernel, Portable};
    use crate::mask::rotate;
    use core::arch::x86_64::{
        __m128i, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi32, _mm_storeu_si128, _mm_xor_si128,
    };

    /// Octets of a vector: a multiple of 4, so that the key's phase is the same in each.
    const WIDE: usize = 16;

    /// Both ends, which may overlap, are read before anything is written, and written last. Says whether the result is ASCII.
    #[inline(always)]
    pub(super) fn unmask(payload: &mut [u8], key: u32) -> bool {
        let len = payload.len();
        let (Some(first), Some(last)) = (payload.first_chunk(), payload.last_chunk()) else {
            return Portable::unmask_short(payload, key);
        };
        let wide = Vector::of(key);
        let first = Vector::load(first).xor(wide);
        let last = Vector::load(last).xor(Vector::of(rotate(key, len)));
        let mut or = first.or(last);
        for chunk in payload.get_mut(WIDE..len.wrapping_sub(1)).unwrap_or_default().as_chunks_mut().0 {
            let clear = Vector::load(chunk).xor(wide);
            or = or.or(clear);
            clear.store(chunk);
        }
        if let Some(to) = payload.first_chunk_mut() {
            first.store(to);
        }
        if let Some(to) = payload.last_chunk_mut() {
            last.store(to);
        }
        or.is_ascii()
    }

    /// Some octets. Every x86-64 has SSE2: what asks for it is safe to call here.
    #[derive(Clone, Copy)]
    struct Vector(__m128i);

    impl Vector {
        #[inline(always)]
        fn of(key: u32) -> Self {
            // SAFETY: there is SSE2.
            Self(unsafe { _mm_set1_epi32(key.cast_signed()) })
        }

        #[inline(always)]
        fn load(from: &[u8; WIDE]) -> Self {
            // SAFETY: there is SSE2; so many octets may be read there, and they need not be aligned.
            Self(unsafe { _mm_loadu_si128(from.as_ptr().cast()) })
        }

        #[inline(always)]
        fn store(self, to: &mut [u8; WIDE]) {
            // SAFETY: there is SSE2; so many octets may be written there, and they need not be aligned.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), self.0) }
        }

        #[inline(always)]
        fn xor(self, other: Self) -> Self {
            // SAFETY: there is SSE2.
            Self(unsafe { _mm_xor_si128(self.0, other.0) })
        }

        #[inline(always)]
        fn or(self, other: Self) -> Self {
            // SAFETY: there is SSE2.
            Self(unsafe { _mm_or_si128(self.0, other.0) })
        }

        #[inline(always)]
        fn is_ascii(self) -> bool {
            // SAFETY: there is SSE2.
            unsafe { _mm_movemask_epi8(self.0) == 0 }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::Native;
    use crate::kernel::Kernel;
    use crate::mask::rotate;
    use core::arch::x86_64::{
        __m256i, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi32, _mm256_setzero_si256,
        _mm256_storeu_si256, _mm256_xor_si256,
    };

    /// Octets of a vector: a multiple of 4, so that the key's phase is the same in each.
    const WIDE: usize = 32;
    /// Octets of one turn of the loop.
    const BLOCK: usize = 8 * WIDE;

    #[target_feature(enable = "avx2")]
    pub(super) fn unmask(payload: &mut [u8], key: u32) {
        blocks::<false>(payload, key);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn unmask_ascii(payload: &mut [u8], key: u32) -> bool {
        blocks::<true>(payload, key)
    }

    /// The first vector and the last block, which what lies between may overlap, are read before anything is written, and written last: so
    /// the stores between them can be aligned, which is worth a factor of 1.7 to 2 in the first-level cache. Says whether the result
    /// is ASCII, if that is asked for.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn blocks<const ASCII: bool>(payload: &mut [u8], key: u32) -> bool {
        let len = payload.len();
        let Some((_, last)) = payload.split_last_chunk::<BLOCK>() else { return Native::unmask_short(payload, key) };
        // Where there is a last block there is a first vector.
        let Some(first) = payload.first_chunk() else { return false };
        let mut all = Ored::<ASCII>(_mm256_setzero_si256());
        let first = all.clear(first, _mm256_set1_epi32(key.cast_signed()));
        let wide = _mm256_set1_epi32(rotate(key, len).cast_signed());
        let mut ends = [first; BLOCK / WIDE];
        for (end, chunk) in ends.iter_mut().zip(last.as_chunks().0) {
            *end = all.clear(chunk, wide);
        }
        // Never more than the first vector has.
        let lead = WIDE.wrapping_sub(payload.as_ptr().addr() & WIDE.wrapping_sub(1));
        let wide = _mm256_set1_epi32(rotate(key, lead).cast_signed());
        for block in payload.get_mut(lead..).unwrap_or_default().as_chunks_mut::<BLOCK>().0 {
            for chunk in block.as_chunks_mut().0 {
                store(chunk, all.clear(chunk, wide));
            }
        }
        if let Some(to) = payload.first_chunk_mut() {
            store(to, first);
        }
        if let Some(last) = payload.last_chunk_mut::<BLOCK>() {
            for (to, end) in last.as_chunks_mut().0.iter_mut().zip(ends) {
                store(to, end);
            }
        }
        ASCII && _mm256_movemask_epi8(all.0) == 0
    }

    /// The OR of all vectors so far, if that is wanted.
    struct Ored<const WANTED: bool>(__m256i);

    impl<const WANTED: bool> Ored<WANTED> {
        /// Gives a vector without its mask.
        #[inline]
        #[target_feature(enable = "avx2")]
        fn clear(&mut self, masked: &[u8; WIDE], key: __m256i) -> __m256i {
            let clear = _mm256_xor_si256(load(masked), key);
            if WANTED {
                self.0 = _mm256_or_si256(self.0, clear);
            }
            clear
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(from: &[u8; WIDE]) -> __m256i {
        // SAFETY: so many octets may be read there, and they need not be aligned.
        unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store(to: &mut [u8; WIDE], octets: __m256i) {
        // SAFETY: so many octets may be written there, and they need not be aligned.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), octets) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decoder, Event, Limits, Role};
    use std::vec::Vec;

    #[test]
    fn the_safe_twin_gives_the_same_text_of_whatever_the_decoder_lets_through() {
        for text in [
            &b""[..],
            b"Hello",
            "中文 and more".as_bytes(),
            &[b'x'; 70],
            "é".repeat(300).as_bytes(),
            b"\xff",
            b"\xe4\xb8",
        ] {
            let len = u16::try_from(text.len()).unwrap().to_be_bytes();
            let head =
                if text.len() < 126 { std::vec![0x81, 0x80 | len[1]] } else { std::vec![0x81, 0xfe, len[0], len[1]] };
            let mut wire = [&head[..], &[0; 4], text].concat();
            let mut decoder = Decoder::new(Role::Server);
            match decoder.decode(&Limits::DEFAULT, &mut &mut wire[..]) {
                Ok(Some(Event::Data(data))) => assert_eq!(data.text(), Portable::text(text)),
                other => assert!(other.is_err() && Portable::text(text).is_none(), "{text:x?}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_safe_twin_gives_the_same_at_every_length_and_alignment() {
        let store: Vec<u8> = (0..9000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7f).collect();
        for len in (0..600usize).chain([767, 768, 1000, 1023, 1024, 1056, 4096, 8000]) {
            for offset in [0, 1, 7, 16, 31, 33] {
                for high_bit_at in [None, Some(0), Some(len / 2), len.checked_sub(1)] {
                    let mut ours = store.clone();
                    if let Some(octet) = high_bit_at.filter(|at| *at < len).map(|at| &mut ours[offset + at]) {
                        *octet |= 0x80;
                    }
                    let mut twin = ours.clone();
                    // A key of ASCII octets keeps the high bits where they are.
                    let key = 0x3d21_7a37;
                    let (ours, twin) = (&mut ours[offset..offset + len], &mut twin[offset..offset + len]);
                    assert_eq!(Native::unmask_ascii(ours, key), Portable::unmask_ascii(twin, key), "{len} {offset}");
                    assert_eq!(ours, twin);
                    Native::unmask(ours, key ^ 0x80ff_00aa);
                    Portable::unmask(twin, key ^ 0x80ff_00aa);
                    assert_eq!(ours, twin);
                    let (short, same) = (Native::unmask_short(ours, key), Portable::unmask_short(twin, key));
                    assert_eq!((short, &*ours), (same, &*twin), "{len} {offset}");
                    assert_eq!(Native::valid(ours), Portable::valid(twin));
                    assert_eq!(Native::text(ours), Portable::text(twin));
                }
            }
        }
    }
}
