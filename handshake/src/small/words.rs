//! The words that a handshake knows: names of headers, and elements of their lists.

use super::machine::Tape;

/// The place of a word in [`WORDS`]. Of the facts that a scanner notes each word has the bit of the same number.
pub(crate) type Word = u8;

pub(crate) const HOST: Word = 0;
pub(crate) const ORIGIN: Word = 1;
pub(crate) const KEY: Word = 2;
pub(crate) const VERSION: Word = 3;
pub(crate) const LENGTH: Word = 4;
pub(crate) const UPGRADE: Word = 5;
pub(crate) const CONNECTION: Word = 6;
pub(crate) const CODING: Word = 7;
pub(crate) const PROTOCOL: Word = 8;
pub(crate) const EXTENSIONS: Word = 9;
pub(crate) const ACCEPT: Word = 10;
pub(crate) const WEBSOCKET: Word = 11;
pub(crate) const CLOSE: Word = 12;
pub(crate) const KEEP_ALIVE: Word = 13;
pub(crate) const CHUNKED: Word = 14;

/// Each with its end. The order matters: first headers that are there once, then lists, then the headers of responses, and then what
/// is no header.
const WORDS: &[u8] = b"host,origin,sec-websocket-key,sec-websocket-version,content-length,\
    upgrade,connection,transfer-encoding,sec-websocket-protocol,sec-websocket-extensions,\
    sec-websocket-accept,\
    websocket,close,keep-alive,chunked,\
    http,https,ws,wss,";

/// The word that the part is which was read, in any case of its letters; if it is none a number behind all others.
#[inline(never)]
pub(crate) fn word(tape: &Tape<'_>) -> Word {
    let token = tape.part();
    let (mut word, mut rest, mut same) = (0 as Word, token.iter(), true);
    for known in WORDS {
        let octet = rest.next();
        if *known != b',' {
            // Of the octets that a token has only letters become letters by this bit.
            same &= octet.is_some_and(|octet| octet | 0x20 == *known);
            continue;
        }
        if same && octet.is_none() {
            break;
        }
        (word, rest, same) = (word.wrapping_add(1), token.iter(), true);
    }
    word
}

/// The fact that a word is.
pub(crate) const fn bit(word: Word) -> u16 {
    (1u32 << word) as u16
}

/// Whether a word is the scheme of a target.
pub(crate) const fn is_scheme(word: Word) -> bool {
    word.wrapping_sub(CHUNKED + 1) < 4
}
