//! The key of a handshake, and the answer that proves it was read (RFC 6455 sections 1.3 and 4.2.2).
//!
//! SHA-1 of one length and base64 without decoding are few lines. The libraries for them, which the tests compare these with,
//! keep panic machinery alive in a small machine's program, and SHA-1 alone takes more of its flash than all of a handshake.

/// 16 octets that a client chose at random for one handshake (RFC 6455 section 4.1 item 7).
pub type Nonce = [u8; 16];

/// Octets of a key: 16 in base64.
pub(crate) const KEY: usize = 24;
/// Octets of an accept value: a SHA-1 digest in base64.
pub(crate) const ACCEPT: usize = 28;

const GUID: &[u8; 36] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Accept` for that of `Sec-WebSocket-Key`.
///
/// ```
/// let accept = martlet_handshake::accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
/// assert_eq!(&accept, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); // RFC 6455 section 1.3
/// ```
#[inline(never)] // Its blocks are not to lie on the stack while a head is read.
pub fn accept_key(key: &[u8; KEY]) -> [u8; ACCEPT] {
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    // Key and GUID are 60 octets, which with their end mark fill one block of SHA-1, so that the second holds only
    // zeros and their length in bits, 480 (RFC 3174 section 4).
    let mut block = [0x8000_0000; 16];
    put(&mut block, 0, key);
    put(&mut block, 6, GUID);
    compress(&mut state, &mut block);
    block = [0; 16];
    let [.., last] = &mut block;
    *last = 480;
    compress(&mut state, &mut block);
    let mut accept = [0; ACCEPT];
    encode(state.map(u32::to_be_bytes).as_flattened(), &mut accept);
    accept
}

/// The key for a nonce.
pub(crate) fn key_of(nonce: &Nonce) -> [u8; KEY] {
    let mut key = [0; KEY];
    encode(nonce, &mut key);
    key
}

/// Whether `value` is a key: base64 of exactly 16 octets, in the one form that encoding gives. Then these are its nonce; otherwise
/// they are nobody's.
pub(crate) fn read_key(value: &[u8], nonce: &mut Nonce) -> bool {
    let Some(digits) = value.strip_suffix(b"==") else { return false };
    // Of the bits that came, as many as are no whole octet yet are of use.
    let (mut bits, mut open) = (0u32, 0u8);
    let mut octets = nonce.iter_mut();
    for digit in digits {
        let Some(six) = bits_of(*digit) else { return false };
        (bits, open) = (bits << 6 | u32::from(six), open.wrapping_add(6));
        if open >= 8 {
            open = open.wrapping_sub(8);
            if let Some(octet) = octets.next() {
                *octet = (bits >> open) as u8;
            }
        }
    }
    // The last digit has four bits that belong to no octet.
    digits.len() == KEY - 2 && bits & 0x0f == 0
}

/// Octets in base64 (RFC 4648 section 4) to `text`, which is as long as that.
#[inline(never)]
fn encode(octets: &[u8], text: &mut [u8]) {
    // Of the bits that were taken, as many as are no digit yet are of use; what the last digit lacks is zeros, and the rest is "=".
    let (mut bits, mut open) = (0u32, 0u8);
    let mut octets = octets.iter();
    for digit in text {
        if open < 6 {
            match octets.next() {
                Some(octet) => (bits, open) = (bits << 8 | u32::from(*octet), open.wrapping_add(8)),
                None if open == 0 => {
                    *digit = b'=';
                    continue;
                }
                None => (bits, open) = (bits << 6u8.wrapping_sub(open), 6),
            }
        }
        open = open.wrapping_sub(6);
        *digit = digit_of((bits >> open & 0x3f) as u8);
    }
}

/// The digit for six bits.
const fn digit_of(bits: u8) -> u8 {
    match bits {
        0..=25 => bits.wrapping_add(b'A'),
        26..=51 => bits.wrapping_sub(26).wrapping_add(b'a'),
        52..=61 => bits.wrapping_sub(52).wrapping_add(b'0'),
        62 => b'+',
        _ => b'/',
    }
}

/// The six bits of a digit.
const fn bits_of(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit.wrapping_sub(b'A'),
        b'a'..=b'z' => digit.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => digit.wrapping_sub(b'0').wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Puts octets into the words of a block from one on.
#[inline(never)]
fn put(block: &mut [u32; 16], from: usize, octets: &[u8]) {
    for (word, octets) in block.iter_mut().skip(from).zip(octets.as_chunks().0) {
        *word = u32::from_be_bytes(*octets);
    }
}

/// Takes in one block, which is used up (RFC 3174 section 6.1). With all words made before, each of the four kinds of round is a loop.
#[cfg(not(feature = "small"))]
fn compress(state: &mut [u32; 5], block: &mut [u32; 16]) {
    let mut words = [0u32; 80];
    if let Some(first) = words.first_chunk_mut() {
        *first = *block;
    }
    for at in 16..words.len() {
        let back = |by: usize| words.get(at.wrapping_sub(by)).copied().unwrap_or_default();
        let next = (back(3) ^ back(8) ^ back(14) ^ back(16)).rotate_left(1);
        if let Some(place) = words.get_mut(at) {
            *place = next;
        }
    }
    let before = *state;
    let ([first, second, third, fourth], _) = words.as_chunks::<20>() else { return };
    rounds(state, first, 0x5a82_7999, |b, c, d| b & c | !b & d);
    rounds(state, second, 0x6ed9_eba1, |b, c, d| b ^ c ^ d);
    rounds(state, third, 0x8f1b_bcdc, |b, c, d| b & c | b & d | c & d);
    rounds(state, fourth, 0xca62_c1d6, |b, c, d| b ^ c ^ d);
    for (sum, part) in state.iter_mut().zip(before) {
        *sum = sum.wrapping_add(part);
    }
}

/// The rounds of one kind.
#[cfg(not(feature = "small"))]
fn rounds(state: &mut [u32; 5], words: &[u32; 20], add: u32, mix: impl Fn(u32, u32, u32) -> u32) {
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for word in words {
        let sum = a.rotate_left(5).wrapping_add(mix(b, c, d)).wrapping_add(e).wrapping_add(add).wrapping_add(*word);
        (a, b, c, d, e) = (sum, a, b.rotate_left(30), c, d);
    }
    *state = [a, b, c, d, e];
}

/// The same in half of the code (RFC 3174 section 6.2: the sixteen words are a ring).
#[cfg(feature = "small")]
fn compress(state: &mut [u32; 5], words: &mut [u32; 16]) {
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for round in 0..80usize {
        let ahead = |by: usize| words.get(round.wrapping_add(by) & 15).copied().unwrap_or_default();
        let word = ahead(0);
        let next = (ahead(13) ^ ahead(8) ^ ahead(2) ^ word).rotate_left(1);
        if let Some(place) = words.get_mut(round & 15) {
            *place = next;
        }
        let (mix, add) = match round {
            0..20 => (b & c | !b & d, 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6u32),
        };
        let sum = a.rotate_left(5).wrapping_add(mix).wrapping_add(e).wrapping_add(add).wrapping_add(word);
        (a, b, c, d, e) = (sum, a, b.rotate_left(30), c, d);
    }
    for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
        *sum = sum.wrapping_add(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use sha1_smol::Sha1;

    proptest! {
        #[test]
        fn the_libraries_agree(nonce in any::<Nonce>()) {
            let key = key_of(&nonce);
            let mut text = [0; 28];
            prop_assert_eq!(STANDARD.encode_slice(nonce, &mut text), Ok(KEY));
            prop_assert_eq!(&key[..], &text[..KEY]);
            let mut hash = Sha1::new();
            hash.update(&key);
            hash.update(GUID);
            prop_assert_eq!(STANDARD.encode_slice(hash.digest().bytes(), &mut text), Ok(ACCEPT));
            prop_assert_eq!(accept_key(&key), text);
            let mut read = [0; 16];
            prop_assert!(read_key(&key, &mut read));
            prop_assert_eq!(read, nonce);
        }

        #[test]
        fn base64_of_any_length(octets in proptest::collection::vec(any::<u8>(), 0..=9)) {
            let mut text = [b'='; 12];
            let len = STANDARD.encode_slice(&octets, &mut text).unwrap();
            let mut ours = [0; 12];
            encode(&octets, &mut ours[..len]);
            prop_assert_eq!(&ours[..len], &text[..len]);
        }
    }

    #[test]
    fn rfc_6455_section_1_3_example() {
        assert_eq!(&accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(&key_of(b"the sample nonce"), b"dGhlIHNhbXBsZSBub25jZQ==");
        // The second example: section 4.1 encodes 0x01 to 0x10.
        assert_eq!(&key_of(&core::array::from_fn(|at| at as u8 + 1)), b"AQIDBAUGBwgJCgsMDQ4PEA==");
    }

    #[test]
    fn rfc_6455_section_4_2_1_keys() {
        assert!(read_key(b"dGhlIHNhbXBsZSBub25jZQ==", &mut [0; 16]));
        let faults: [&[u8]; 9] = [
            b"",
            b"dGhlIHNhbXBsZSBub25jZQ=",
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"dGhlIHNhbXBsZSBub25jZR==",
            b"dGhlIHNhbXBsZSBub25jZ-==",
            b"dGhlIHNhbXBsZSBub25jZQ==A",
            b"dGhlIHNhbXBsZSBub25jZQA=",
            b"dGhlIHNhbXBsZSBub25jZQAA",
            b"dGhl IHNhbXBsZSBub25jZQ=",
        ];
        for fault in faults {
            assert!(!read_key(fault, &mut [0; 16]));
        }
    }

    #[test]
    fn a_value_is_a_key_exactly_if_base64_says_so() {
        for at in 0..KEY {
            for octet in 0..=u8::MAX {
                let mut value = *b"dGhlIHNhbXBsZSBub25jZQ==";
                value[at] = octet;
                let (mut nonce, mut theirs) = ([0; 16], [0; 18]);
                let decoded = STANDARD.decode_slice(value, &mut theirs) == Ok(16);
                assert_eq!(read_key(&value, &mut nonce), decoded, "octet {octet:#x} at {at}");
                assert!(!decoded || nonce == theirs[..16], "octet {octet:#x} at {at}");
            }
        }
    }
}
