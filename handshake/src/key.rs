//! The key of a handshake, and the answer that proves it was read (RFC 6455 sections 1.3 and 4.2.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1_smol::Sha1;

/// 16 octets that a client chose at random for one handshake (RFC 6455 section 4.1 item 7).
pub type Nonce = [u8; 16];

/// Octets of a key: 16 in base64.
pub(crate) const KEY: usize = 24;
/// Octets of an accept value: a SHA-1 digest in base64.
pub(crate) const ACCEPT: usize = 28;

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Accept` for that of `Sec-WebSocket-Key`.
///
/// ```
/// let accept = martlet_handshake::accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
/// assert_eq!(&accept, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); // RFC 6455 section 1.3
/// ```
pub fn accept_key(key: &[u8; KEY]) -> [u8; ACCEPT] {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    encode(&hash.digest().bytes())
}

/// The key for a nonce.
pub(crate) fn key_of(nonce: &Nonce) -> [u8; KEY] {
    encode(nonce)
}

/// The key, if `value` is one: base64 of exactly 16 octets, in the one form that encoding gives. Of the last digit's six bits
/// only the first two belong to an octet, so that the others are zero.
pub(crate) fn key(value: &[u8]) -> Option<[u8; KEY]> {
    let key: [u8; KEY] = value.try_into().ok()?;
    let [digits @ .., last, b'=', b'='] = &key else { return None };
    let legal = digits.iter().all(|digit| matches!(digit, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/'));
    (legal && matches!(last, b'A' | b'Q' | b'g' | b'w')).then_some(key)
}

fn encode<const N: usize>(octets: &[u8]) -> [u8; N] {
    let mut text = [0; N];
    // The sizes are constants that fit, so that this cannot fail.
    let _ = STANDARD.encode_slice(octets, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_6455_section_1_3_example() {
        assert_eq!(&accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(&key_of(b"the sample nonce"), b"dGhlIHNhbXBsZSBub25jZQ==");
        // The second example: section 4.1 encodes 0x01 to 0x10.
        assert_eq!(&key_of(&core::array::from_fn(|at| at as u8 + 1)), b"AQIDBAUGBwgJCgsMDQ4PEA==");
    }

    #[test]
    fn rfc_6455_section_4_2_1_keys() {
        assert!(key(b"dGhlIHNhbXBsZSBub25jZQ==").is_some());
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
            assert_eq!(key(fault), None);
        }
    }

    #[test]
    fn a_value_is_a_key_exactly_if_base64_says_so() {
        for at in 0..KEY {
            for octet in 0..=u8::MAX {
                let mut value = *b"dGhlIHNhbXBsZSBub25jZQ==";
                value[at] = octet;
                let decoded = STANDARD.decode_slice(value, &mut [0; 18]) == Ok(16);
                assert_eq!(key(&value).is_some(), decoded, "octet {octet:#x} at {at}");
            }
        }
    }
}
