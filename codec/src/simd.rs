//! The one module with `unsafe`: the bulk kernels with AVX2, chosen while running.
//!
//! The loops are the safe ones of [`kernel`](crate::kernel), compiled once more for wider vectors; only the call of a
//! function that needs a CPU feature is `unsafe`. UTF-8 of 64 octets and more goes to `simdutf8`. AVX-512 is left out:
//! the code that compilers make for these loops is slower than AVX2's there.
#![allow(unsafe_code)]

use crate::kernel::{Kernel, Portable};

/// The widest vectors that this machine has.
pub(crate) struct Native;

/// Shorter texts are validated faster by the portable code.
const WORTH_SIMDUTF8: usize = 64;

impl Kernel for Native {
    #[inline]
    fn unmask(payload: &mut [u8], key: u32) {
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

    #[inline]
    fn valid(text: &[u8]) -> bool {
        if text.len() < WORTH_SIMDUTF8 { Portable::valid(text) } else { simdutf8::basic::from_utf8(text).is_ok() }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use crate::kernel;

    #[target_feature(enable = "avx2")]
    pub(super) fn unmask(payload: &mut [u8], key: u32) {
        kernel::blocks::<32>(payload, key);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn unmask_ascii(payload: &mut [u8], key: u32) -> bool {
        kernel::is_ascii(kernel::blocks::<32>(payload, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_safe_twin_gives_the_same_at_every_length_and_alignment() {
        let store: Vec<u8> = (0..9000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7f).collect();
        for len in (0..200usize).chain([255, 256, 511, 512, 513, 1000, 4096, 8000]) {
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
                    assert_eq!(Native::valid(ours), Portable::valid(twin));
                }
            }
        }
    }
}
