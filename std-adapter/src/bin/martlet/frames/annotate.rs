//! Octets to frames with what is to be said about each: also about those that no receiver takes.

use super::judge::{Fault, Judge, Plain};
use martlet_codec::{Key, Mask, Role};

/// What the octets are.
pub(crate) struct Options {
    /// Whose frames they are; `None`: the mask bit of the first one tells.
    pub(crate) from: Option<Role>,
    /// Whether permessage-deflate was negotiated.
    pub(crate) deflate: bool,
    /// How many octets of what is inflated are kept of each frame.
    pub(crate) keep: usize,
}

/// A frame, or as much of the last one as is there.
pub(crate) struct Frame<'a> {
    /// Where it begins.
    pub(crate) offset: usize,
    /// Its header; `None` if that is not whole.
    pub(crate) header: Option<Header>,
    /// What is there of the frame, as it came.
    pub(crate) octets: &'a [u8],
    /// Whether it belongs to a text.
    pub(crate) text: bool,
    /// What is there of the payload, unmasked.
    pub(crate) payload: Vec<u8>,
    /// What there is of its payload inflated, if it is compressed.
    pub(crate) plain: Option<Plain>,
    /// Octets that are not there; of a header that is not whole, at least so many.
    pub(crate) missing: u64,
    /// The first octet that a receiver refuses.
    pub(crate) fault: Option<Fault>,
}

/// What a header says, legal or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) fin: bool,
    /// RSV1, RSV2, RSV3.
    pub(crate) rsv: [bool; 3],
    pub(crate) opcode: u8,
    pub(crate) key: Option<Key>,
    /// Octets of payload, up to 2^64 - 1.
    pub(crate) len: u64,
    /// In how many bits the length is told: 7, 16 or 64.
    pub(crate) len_bits: u8,
    /// The header's own length in octets.
    pub(crate) octets: usize,
}

/// The frames of one direction of one connection.
pub(crate) struct Frames<'a> {
    octets: &'a [u8],
    at: usize,
    /// The message at hand is a text.
    text: bool,
    judge: Judge,
    pub(crate) from: Role,
    pub(crate) deflate: bool,
    /// The octets of the HTTP head in front.
    pub(crate) head: usize,
}

impl<'a> Frames<'a> {
    pub(crate) fn new(options: &Options, octets: &'a [u8]) -> Option<Self> {
        let (head, head_from) = head(octets);
        let (text, frames) = octets.split_at_checked(head)?;
        let masked = frames.get(1).is_none_or(|b1| b1 & 0x80 != 0);
        let told = if masked { Role::Client } else { Role::Server };
        let from = options.from.or(head_from).unwrap_or(told);
        // What a client asks for says nothing, what a server answers does.
        let agreed = head_from == Some(Role::Server)
            && text.to_ascii_lowercase().windows(18).any(|w| w == b"permessage-deflate");
        let deflate = options.deflate || agreed;
        Some(Self {
            octets,
            at: head,
            text: false,
            judge: Judge::new(from.peer(), deflate, options.keep)?,
            from,
            deflate,
            head,
        })
    }

    /// Whether the last message lacks a frame, once all frames were taken.
    pub(crate) const fn is_open(&self) -> bool {
        self.judge.is_open()
    }

    /// Whether what is compressed is not inflated any more, because something before it was wrong.
    pub(crate) const fn is_lost(&self) -> bool {
        self.judge.is_lost()
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let (offset, rest) = (self.at, self.octets.get(self.at..)?);
        let b0 = *rest.first()?;
        let header = Header::parse(rest);
        let (header, octets, missing) = match header {
            Ok(header) => {
                let there =
                    usize::try_from(header.len).unwrap_or(usize::MAX).min(rest.len().saturating_sub(header.octets));
                let octets = rest.get(..header.octets.saturating_add(there)).unwrap_or(rest);
                (Some(header), octets, header.len.saturating_sub(there as u64))
            }
            Err(missing) => (None, rest, missing as u64),
        };
        self.at = self.at.saturating_add(octets.len());
        let (fin, opcode) = (b0 & 0x80 != 0, b0 & 0xf);
        match opcode {
            1 => self.text = true,
            2..8 => self.text = false,
            _ => {}
        }
        let (plain, fault) = self.judge.frame(octets, opcode, fin, header.map_or(0, |header| header.octets));
        let mut payload = header.and_then(|header| octets.get(header.octets..)).unwrap_or_default().to_vec();
        if let Some(Header { key: Some(key), .. }) = header {
            Mask::new(key).apply(&mut payload);
        }
        Some(Frame { offset, header, octets, text: self.text && opcode < 8, payload, plain, missing, fault })
    }
}

impl Header {
    /// Reads a header as it is; if it is not whole, the error is how many octets it lacks at least.
    fn parse(octets: &[u8]) -> Result<Self, usize> {
        let Some(([b0, b1], rest)) = octets.split_first_chunk() else {
            return Err(2_usize.saturating_sub(octets.len()));
        };
        let (len_bits, len_octets) = match b1 & 0x7f {
            126 => (16, 2),
            127 => (64, 8),
            _ => (7, 0),
        };
        let masked = b1 & 0x80 != 0;
        let whole = len_octets + if masked { 4 } else { 0 };
        let Some((len, key)) = rest.get(..whole).and_then(|rest| rest.split_at_checked(len_octets)) else {
            return Err(whole.saturating_sub(rest.len()));
        };
        let len = match len_bits {
            7 => u64::from(b1 & 0x7f),
            _ => len.iter().fold(0, |len, octet| len << 8 | u64::from(*octet)),
        };
        Ok(Self {
            fin: b0 & 0x80 != 0,
            rsv: [0x40, 0x20, 0x10].map(|bit| b0 & bit != 0),
            opcode: b0 & 0xf,
            key: key.first_chunk().copied().map(Key),
            len,
            len_bits,
            octets: whole + 2,
        })
    }
}

/// The length of an HTTP head at the front, and who sent it. No legal frame begins with these letters: they
/// are a reserved opcode with RSV1, and a fragmented Close with RSV1.
fn head(octets: &[u8]) -> (usize, Option<Role>) {
    let from = match octets {
        [b'G', b'E', b'T', b' ', ..] => Role::Client,
        [b'H', b'T', b'T', b'P', b'/', ..] => Role::Server,
        _ => return (0, None),
    };
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n");
    (end.map_or(octets.len(), |end| end.saturating_add(4)), Some(from))
}
