//! Whole texts: is it UTF-8? Comparisons of octets without a table or a branch for each, so that compilers vectorise them.
//!
//! For each octet the three before it say whether it must be a continuation; a few second octets are narrower than that
//! (RFC 3629 section 4). Every condition is kept in bit 7 of its lane. The fallback, and the judge in the tests, is `core`.

/// Whether `text` is UTF-8.
#[inline(always)]
pub(crate) fn valid(text: &[u8]) -> bool {
    match text.len() {
        0..16 => core::str::from_utf8(text).is_ok(),
        16..64 => steps::<16, 19>(text),
        _ => long(text),
    }
}

/// A window: three octets of history and the block that is judged.
type Window<const W: usize> = [u8; W];

const BLOCK: usize = 64;
const BLOCK_WINDOW: usize = BLOCK + 3;
/// ASCII is skipped by this many octets at a time.
const STRIDE: usize = 256;

/// Judges `text` of at least `N` octets in steps of `N`, the last one overlapping the one before.
#[inline(always)]
fn steps<const N: usize, const W: usize>(text: &[u8]) -> bool {
    let Some(first) = text.first_chunk::<N>() else {
        return false;
    };
    let mut wrong = full::<N, W>(&beginning(first));
    let mut rest = text;
    while let Some(window) = rest.get(N.wrapping_sub(3)..).and_then(|at| at.first_chunk::<W>()) {
        wrong |= full::<N, W>(window);
        rest = rest.get(N..).unwrap_or_default();
    }
    wrong |= text.last_chunk::<W>().is_some_and(full::<N, W>);
    // Up to two octets behind the first block are in no window of their own when the text is shorter than a window.
    let in_windows = text.len() == N || text.len() >= W;
    !wrong && ends_whole(text) && (in_windows || core::str::from_utf8(text).is_ok())
}

/// Judges a text of at least a block, and looks closely only at blocks with characters that ask for it.
#[inline(always)]
fn long(text: &[u8]) -> bool {
    let Some(first) = text.first_chunk::<BLOCK>() else {
        return false;
    };
    if full::<BLOCK, BLOCK_WINDOW>(&beginning(first)) {
        return false;
    }
    // `rest` begins three octets before the block at hand.
    let mut rest = text.get(BLOCK - 3..).unwrap_or_default();
    let mut close_look = true;
    while let Some(window) = rest.first_chunk::<BLOCK_WINDOW>() {
        if let Some([a, b, c, stride @ ..]) = rest.first_chunk::<{ STRIDE + 3 }>()
            && !any_high(stride)
        {
            if !ends_whole(&[*a, *b, *c]) {
                return false;
            }
            rest = rest.get(STRIDE..).unwrap_or_default();
            close_look = false;
            continue;
        }
        let special = has_special_lead(window);
        let wrong = if special | close_look {
            full::<BLOCK, BLOCK_WINDOW>(window)
        } else {
            plain::<BLOCK, BLOCK_WINDOW>(window)
        };
        if wrong {
            return false;
        }
        close_look = special;
        rest = rest.get(BLOCK..).unwrap_or_default();
    }
    // Less than a block is left: judge the last whole window once more.
    let tail_is_wrong = match text.last_chunk::<BLOCK_WINDOW>() {
        Some(window) => full::<BLOCK, BLOCK_WINDOW>(window),
        None => core::str::from_utf8(text).is_err(),
    };
    !tail_is_wrong && ends_whole(text)
}

/// The window of a text's first block: nothing comes before it.
#[inline(always)]
fn beginning<const N: usize, const W: usize>(block: &[u8; N]) -> Window<W> {
    let mut window = [0; W];
    if let Some(to) = window.last_chunk_mut::<N>() {
        *to = *block;
    }
    window
}

/// Whether any octet of the block breaks a rule.
#[inline(always)]
fn full<const N: usize, const W: usize>(window: &Window<W>) -> bool {
    any_high(&lanes::<N, W>(window, |third, second, before, octet| {
        let structure = continues(octet) ^ must_continue(third, second, before);
        // C0, C1 and F5 to FF are in no text.
        let never = octet.saturating_sub(0x75) | same(octet & 0xfe, 0xc0);
        // Bits 5 and 4 of the octet, moved to bit 7: after E0 bit 5 is set, after ED it is clear, after F0 either is set,
        // after F4 neither is.
        let (bit5, bit5_or_4) = (octet << 2, octet << 2 | octet << 3);
        let narrow = same(before, 0xe0) & !bit5
            | same(before, 0xed) & bit5
            | same(before, 0xf0) & !bit5_or_4
            | same(before, 0xf4) & bit5_or_4;
        structure | never | narrow
    }))
}

/// The same for a block and a history without special leads: only the structure of two and three octets matters.
#[inline(always)]
fn plain<const N: usize, const W: usize>(window: &Window<W>) -> bool {
    any_high(&lanes::<N, W>(window, |_, second, before, octet| continues(octet) ^ must_continue(0, second, before)))
}

/// Leads whose second octet is narrower than others', four-octet leads, and octets that are never right.
#[inline(always)]
fn has_special_lead(window: &Window<BLOCK_WINDOW>) -> bool {
    any_high(&lanes::<BLOCK, BLOCK_WINDOW>(window, |_, _, _, octet| {
        same(octet & 0xfe, 0xc0) | same(octet, 0xe0) | same(octet, 0xed) | octet.saturating_sub(0x70)
    }))
}

/// `judge` for each octet of the block with the three before it, oldest first. Four arguments, not an array: compilers take four
/// octets in an array for a word, and vectors of words are four times as many.
#[inline(always)]
fn lanes<const N: usize, const W: usize>(window: &Window<W>, judge: impl Fn(u8, u8, u8, u8) -> u8) -> [u8; N] {
    let mut out = [0; N];
    let at = |octets: usize| window.get(octets..).and_then(|from| from.first_chunk::<N>());
    if let (Some(third), Some(second), Some(before), Some(octet)) = (at(0), at(1), at(2), at(3)) {
        let octets = third.iter().zip(second).zip(before).zip(octet);
        for (lane, (((third, second), before), octet)) in out.iter_mut().zip(octets) {
            *lane = judge(*third, *second, *before, *octet);
        }
    }
    out
}

#[inline(always)]
const fn same(a: u8, b: u8) -> u8 {
    if a == b { 0xff } else { 0 }
}

/// Bit 7 is set if the octet is a continuation: 80 to BF, the smallest numbers when read as signed.
#[inline(always)]
const fn continues(octet: u8) -> u8 {
    if octet.cast_signed() < -64 { 0xff } else { 0 }
}

/// Bit 7 is set if a lead one, two or three octets back has not got all its continuations.
#[inline(always)]
const fn must_continue(third: u8, second: u8, before: u8) -> u8 {
    before.saturating_sub(0x40) | second.saturating_sub(0x60) | third.saturating_sub(0x70)
}

#[inline(always)]
fn any_high(lanes: &[u8]) -> bool {
    let (words, tail) = lanes.as_chunks::<8>();
    let or = words.iter().fold(0, |or, word| or | u64::from_le_bytes(*word));
    or & 0x8080_8080_8080_8080 != 0 || tail.iter().any(|lane| lane & 0x80 != 0)
}

/// Whether no character is open at the end.
#[inline(always)]
fn ends_whole(text: &[u8]) -> bool {
    text.last_chunk::<3>().is_some_and(|[a, b, c]| must_continue(*a, *b, *c) & 0x80 == 0)
}
