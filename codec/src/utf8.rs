//! UTF-8 as it comes (RFC 3629, RFC 6455 section 8.1): cut anywhere, refused at the first wrong octet.

use crate::kernel::{Best, Kernel};
use core::fmt;

/// Validates text that comes in pieces. One octet of state, none of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utf8 {
    /// The upper half counts the continuation octets that the character at hand still needs. The lower half says which ones may be
    /// next, a bit for each sixteen from 80 to BF: all of them but after E0, ED, F0 and F4.
    state: u8,
}

/// No character is open.
const COMPLETE: u8 = 0x0f;

/// An octet came that no UTF-8 text can have in this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utf8Error;

impl fmt::Display for Utf8Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not UTF-8")
    }
}

impl core::error::Error for Utf8Error {}

impl Default for Utf8 {
    fn default() -> Self {
        Self::new()
    }
}

impl Utf8 {
    /// At the beginning of a text.
    pub const fn new() -> Self {
        Self { state: COMPLETE }
    }

    /// Whether the text may end here: no character is open.
    #[inline]
    pub const fn is_complete(&self) -> bool {
        self.state == COMPLETE
    }

    /// Takes the next piece. Fails if and only if no continuation could make the text valid.
    #[inline]
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Utf8Error> {
        if Best::STEPWISE { self.push_octets(piece) } else { self.push_by::<Best>(piece) }
    }

    /// The same step by step, which is the shortest code.
    #[inline(never)]
    pub(crate) fn push_octets(&mut self, piece: &[u8]) -> Result<(), Utf8Error> {
        piece.iter().try_for_each(|&octet| self.push_octet(octet))
    }

    #[inline]
    pub(crate) fn push_by<K: Kernel>(&mut self, piece: &[u8]) -> Result<(), Utf8Error> {
        let mut piece = piece;
        while !self.is_complete() {
            let Some((&octet, rest)) = piece.split_first() else {
                return Ok(());
            };
            self.push_octet(octet)?;
            piece = rest;
        }
        let (whole, open) = cut(piece);
        if !K::valid(whole) {
            return Err(Utf8Error);
        }
        open.iter().try_for_each(|&octet| self.push_octet(octet))
    }

    /// Takes one octet: the definition, in the words of RFC 3629 section 4.
    #[cfg_attr(not(feature = "small"), inline)]
    pub(crate) const fn push_octet(&mut self, octet: u8) -> Result<(), Utf8Error> {
        if !self.is_complete() {
            // Any octet but a continuation is beyond the four bits.
            let sixteen = (octet ^ 0x80) >> 4;
            if (self.state & 0x0f) as u32 >> sixteen & 1 == 0 {
                return Err(Utf8Error);
            }
            self.state = (self.state | 0x0f).wrapping_sub(0x10);
            return Ok(());
        }
        self.state = match octet {
            0x00..=0x7f => return Ok(()),
            0xc2..=0xdf => 0x1f,
            // No longer form than needed, no surrogates, nothing above U+10FFFF.
            0xe0 => 0x2c,
            0xed => 0x23,
            0xe1..=0xef => 0x2f,
            0xf0 => 0x3e,
            0xf1..=0xf3 => 0x3f,
            0xf4 => 0x31,
            _ => return Err(Utf8Error),
        };
        Ok(())
    }
}

/// Cuts off a character whose end has not come: at most three octets. What is wrong stays in either part.
#[inline]
fn cut(piece: &[u8]) -> (&[u8], &[u8]) {
    for back in 1..=3usize {
        let Some(at) = piece.len().checked_sub(back) else {
            break;
        };
        let Some((whole, open)) = piece.split_at_checked(at) else {
            break;
        };
        match open.first() {
            Some(0x80..=0xbf) => {}
            Some(0xc2..=0xdf) if back < 2 => return (whole, open),
            Some(0xe0..=0xef) if back < 3 => return (whole, open),
            Some(0xf0..=0xf4) => return (whole, open),
            _ => break,
        }
    }
    (piece, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Portable;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// `core::str` is the independent judge: `error_len() == None` means "valid so far".
    fn core_says(text: &[u8]) -> Result<bool, Utf8Error> {
        match core::str::from_utf8(text) {
            Ok(_) => Ok(true),
            Err(error) if error.error_len().is_none() => Ok(false),
            Err(_) => Err(Utf8Error),
        }
    }

    fn we_say<K: Kernel>(text: &[u8], cuts: &[usize]) -> Result<bool, Utf8Error> {
        let mut utf8 = Utf8::new();
        let mut rest = text;
        for &cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            utf8.push_by::<K>(piece)?;
            rest = after;
        }
        utf8.push_by::<K>(rest)?;
        Ok(utf8.is_complete())
    }

    #[test]
    fn all_strings_of_three_octets_and_every_cut_of_them() {
        for word in 0..1u32 << 24 {
            let [a, b, c, _] = word.to_le_bytes();
            let expect = core_says(&[a, b, c]);
            assert_eq!(we_say::<Portable>(&[a, b, c], &[]), expect, "{a:x} {b:x} {c:x}");
            let mut octets = Utf8::new();
            let stepped = [a, b, c].into_iter().try_for_each(|octet| octets.push_octet(octet));
            assert_eq!(stepped.map(|()| octets.is_complete()), expect, "{a:x} {b:x} {c:x}");
        }
    }

    #[test]
    fn all_strings_of_four_octets_that_begin_with_a_long_lead() {
        let seconds = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
        for lead in 0xe0..=0xff {
            for second in seconds {
                for third in seconds {
                    for fourth in seconds {
                        let text = [lead, second, third, fourth];
                        for cut in 0..4 {
                            assert_eq!(we_say::<Best>(&text, &[cut]), core_says(&text), "{text:x?} cut {cut}");
                        }
                    }
                }
            }
        }
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let character = prop_oneof![
            4 => proptest::char::range(' ', '~'),
            1 => proptest::char::range('\u{80}', '\u{7ff}'),
            2 => proptest::char::range('\u{4e00}', '\u{9fff}'),
            1 => proptest::char::any(),
        ];
        let fault = prop_oneof![6 => Just(None), 4 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(Some)];
        (prop::collection::vec(character, 0..400), fault, any::<prop::sample::Index>()).prop_map(
            |(text, fault, end)| {
                let mut text: Vec<u8> = text.into_iter().collect::<std::string::String>().into_bytes();
                if let (Some((at, octet)), false) = (fault, text.is_empty()) {
                    let at = at.index(text.len());
                    text[at] = octet;
                }
                if text.len() % 2 == 1 {
                    text.truncate(end.index(text.len()));
                }
                text
            },
        )
    }

    proptest! {
        #[test]
        fn any_text_and_any_cuts_agree_with_core(text in text(), cuts in prop::collection::vec(0usize..90, 0..8)) {
            prop_assert_eq!(we_say::<Portable>(&text, &cuts), core_says(&text));
            prop_assert_eq!(we_say::<Best>(&text, &cuts), core_says(&text));
            prop_assert_eq!(Portable::valid(&text), core_says(&text) == Ok(true));
            prop_assert_eq!(Best::valid(&text), core_says(&text) == Ok(true));
        }

        #[test]
        fn a_wrong_octet_is_refused_when_it_comes(text in text()) {
            let mut utf8 = Utf8::new();
            for (at, octet) in text.iter().enumerate() {
                let expect = core_says(&text[..=at]);
                prop_assert_eq!(utf8.push(&[*octet]).map(|()| utf8.is_complete()), expect);
                if expect.is_err() {
                    break;
                }
            }
        }
    }
}
