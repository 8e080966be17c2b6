//! The one module with `unsafe`: the bulk kernels with AVX2, chosen while running, and text that need not be checked twice.
//!
//! The loops are the safe ones of [`kernel`](crate::kernel), compiled once more for wider vectors; only the call of a
//! function that needs a CPU feature is `unsafe`. UTF-8 of 64 octets and more goes to `simdutf8`. AVX-512 is left out:
//! the code that compilers make for these loops is slower than AVX2's there.
#![allow(unsafe_code)]

use crate::kernel::{self, Checked, Kernel, Portable};

/// The widest vectors that this machine has.
pub(crate) struct Native;

/// Shorter payloads are unmasked before wider vectors are chosen: 20 octets in 25 instructions instead of 55.
const WORTH_A_CALL: usize = 64;
/// Shorter texts are validated faster by the portable code.
const WORTH_SIMDUTF8: usize = 64;

impl Kernel for Native {
    #[inline]
    fn unmask(payload: &mut [u8], key: u32) {
        if payload.len() < WORTH_A_CALL {
            kernel::short(payload, key);
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
                    assert_eq!(Native::text(ours), Portable::text(twin));
                }
            }
        }
    }
}
