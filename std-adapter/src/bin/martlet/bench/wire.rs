//! Frames out, each masked with a key of its own, and echoes in, each judged by its head.

use martlet_codec::{
    ControlOp, Data, DataKind, Decoder, Event, Header, HeaderBytes, Key, Kind, Limits, Mask, Role, Violation, pack,
};
use std::fmt;
use std::io;

/// Octets that are taken from the system's generator at once: a call of the system for each frame would cost more than the frame.
const TAKEN: usize = 4096;
/// The most that lies ready to be sent at once, in octets, unless one frame is longer.
const MAGAZINE: usize = 256 * 1024;
/// An echo may be as long as it likes: it is refused for its length alone.
const LIMITS: Limits = Limits { max_frame_bytes: u64::MAX, max_message_bytes: u64::MAX, ..Limits::DEFAULT };

/// The message that is sent again and again.
pub(crate) struct Message {
    pub(crate) kind: DataKind,
    pub(crate) payload: Vec<u8>,
    /// The head of its echo, if that comes in one frame.
    head: HeaderBytes,
    /// Octets of such an echo.
    echo: usize,
    /// The first four octets of an echo as one word, and which of them belong to the head.
    word: u32,
    mask: u32,
    /// Whether each octet of an echo is looked at.
    verify: bool,
}

impl Message {
    /// A message of `len` octets.
    pub(crate) fn new(kind: DataKind, len: usize, verify: bool) -> Self {
        let payload: Vec<u8> = match kind {
            DataKind::Text => (b'a'..=b'z').cycle().take(len).collect(),
            DataKind::Binary => (0..=u8::MAX).rev().cycle().take(len).collect(),
        };
        let header = Header { kind: Kind::Data { op: kind.op(), fin: true, len: len as u64 }, key: None };
        let head = header.encode();
        let (mut word, mut mask) = ([0; 4], [0; 4]);
        for ((word, mask), octet) in word.iter_mut().zip(&mut mask).zip(head.as_ref()) {
            (*word, *mask) = (*octet, u8::MAX);
        }
        let echo = head.as_ref().len() + payload.len();
        Self { kind, payload, head, echo, word: u32::from_ne_bytes(word), mask: u32::from_ne_bytes(mask), verify }
    }

    /// How many whole echoes, one after the other, lie at the front of `input`, and how many octets these are.
    #[inline(always)]
    pub(crate) fn echoes(&self, input: &[u8]) -> (usize, usize) {
        let (mut rest, mut count) = (input, 0);
        while let Some((echo, behind)) = rest.split_at_checked(self.echo)
            && self.is_echo(echo)
        {
            (rest, count) = (behind, count + 1);
        }
        (count, input.len() - rest.len())
    }

    /// Whether so many octets as an echo has are one.
    #[inline(always)]
    fn is_echo(&self, echo: &[u8]) -> bool {
        match echo.first_chunk() {
            // A head of at most four octets is compared as one word.
            Some(word) if self.payload.len() <= usize::from(u16::MAX) && !self.verify => {
                u32::from_ne_bytes(*word) & self.mask == self.word
            }
            _ => self.is_echo_in_all(echo),
        }
    }

    /// The same octet by octet.
    #[inline(never)]
    fn is_echo_in_all(&self, echo: &[u8]) -> bool {
        echo.strip_prefix(self.head.as_ref()).is_some_and(|payload| self.has(0, payload))
    }

    /// Whether these octets are what the payload has at `at`; always, if that is not to be looked at.
    fn has(&self, at: usize, octets: &[u8]) -> bool {
        !self.verify || self.payload.get(at..).is_some_and(|rest| rest.starts_with(octets))
    }
}

/// Random octets that nobody can foretell (RFC 6455 section 10.3), from the operating system.
struct Keys {
    octets: Box<[u8; TAKEN]>,
    at: usize,
}

impl Keys {
    fn new() -> Self {
        Self { octets: Box::new([0; TAKEN]), at: TAKEN }
    }

    #[inline]
    fn next(&mut self) -> io::Result<u32> {
        let Some(key) = self.octets.get(self.at..).and_then(<[u8]>::first_chunk) else { return self.refill() };
        self.at += key.len();
        Ok(u32::from_ne_bytes(*key))
    }

    #[cold]
    fn refill(&mut self) -> io::Result<u32> {
        getrandom::fill(&mut self.octets[..]).map_err(io::Error::other)?;
        self.at = 0;
        self.next()
    }
}

/// Frames that lie ready, and are only masked anew before they go.
pub(crate) struct Magazine {
    frames: Vec<u8>,
    /// Octets of a frame, and of those before its key.
    frame: usize,
    key: usize,
    /// How many frames lie ready.
    most: usize,
    keys: Keys,
}

impl Magazine {
    /// For at most `most` frames at once.
    pub(crate) fn new(message: &Message, most: usize) -> Self {
        let len = message.payload.len();
        // A key of zeros masks nothing: the first one that is drawn is the first that counts.
        let kind = Kind::Data { op: message.kind.op(), fin: true, len: len as u64 };
        let header = Header { kind, key: Some(Key([0; 4])) }.encode();
        let mut one = header.as_ref().to_vec();
        let key = one.len() - size_of::<Key>();
        one.extend_from_slice(&message.payload);
        let most = most.min(MAGAZINE / one.len()).max(1);
        Self { frame: one.len(), frames: one.repeat(most), key, most, keys: Keys::new() }
    }

    /// The next frames, at most `count`, and how many they are. Each has been given a new key.
    #[inline]
    pub(crate) fn load(&mut self, count: usize) -> io::Result<(&[u8], usize)> {
        let count = count.min(self.most);
        let frames = &mut self.frames[..count * self.frame];
        let mut rest = &mut frames[..];
        // `chunks_exact_mut` would divide to know how many they are.
        while let Some((frame, others)) = rest.split_at_mut_checked(self.frame) {
            remask(self.keys.next()?, &mut frame[self.key..]);
            rest = others;
        }
        Ok((frames, count))
    }

    /// Appends a control frame.
    pub(crate) fn control(&mut self, op: ControlOp, body: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let mut room = [0; 131];
        let key = Key(self.keys.next()?.to_ne_bytes());
        let len = pack(Kind::Control { op, len: 0 }, Some(key), body, &mut room).map_err(io::Error::other)?;
        out.extend_from_slice(&room[..len]);
        Ok(())
    }
}

/// Gives a frame another key, from where its key begins: what changes the key changes the payload by the same octets, for these are masked by
/// it. By a change that nobody can foretell, the key becomes one.
fn remask(change: u32, masked: &mut [u8]) {
    Mask::new(Key(change.to_ne_bytes())).apply(masked);
}

/// What came is no echo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Violation(Violation),
    /// The other kind of message.
    Kind,
    /// So many octets, or more.
    Length(u64),
    /// An octet is not the one that was sent.
    Octets,
    /// A message that is no answer to any that was sent.
    Surplus,
    /// The server closes: the code and the reason.
    Closed(Option<(u16, String)>),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => write!(f, "the server breaks a rule: {violation}"),
            Self::Kind => f.write_str("not an echo: text and binary are changed"),
            Self::Length(len) => write!(f, "not an echo: a message of {len} octets"),
            Self::Octets => f.write_str("not an echo: other octets than were sent"),
            Self::Surplus => f.write_str("not an echo: more messages than were sent"),
            Self::Closed(None) => f.write_str("the server closed, without a code"),
            Self::Closed(Some((code, reason))) if reason.is_empty() => write!(f, "the server closed with {code}"),
            Self::Closed(Some((code, reason))) => write!(f, "the server closed with {code}, {reason:?}"),
        }
    }
}

/// What comes on one connection.
pub(crate) struct Echoes {
    /// Octets that the echo at hand still lacks.
    lacks: usize,
    /// For all that does not come as one frame.
    decoder: Decoder,
    /// Octets that have come of a message that the decoder has.
    come: usize,
}

impl Echoes {
    pub(crate) const fn new() -> Self {
        Self { lacks: 0, decoder: Decoder::new(Role::Client), come: 0 }
    }

    /// Takes whole echoes from the front of `input`, which are nearly all that ever comes, and gives how many: the decoder is between
    /// messages, and need not hear of them.
    #[inline(always)]
    pub(crate) fn take(&self, message: &Message, input: &mut &mut [u8]) -> usize {
        let (whole, octets) = if self.is_between() { message.echoes(input) } else { (0, 0) };
        let _ = input.split_off_mut(..octets);
        whole
    }

    /// Takes what does not begin with a whole echo: gives how many are whole with that and behind it, and calls `pong` for each Ping. What is
    /// left is the beginning of a header or of a control frame.
    pub(crate) fn take_others(
        &mut self,
        message: &Message,
        input: &mut &mut [u8],
        mut pong: impl FnMut(&[u8]),
    ) -> Result<usize, Wrong> {
        let mut whole = 0;
        while !input.is_empty() {
            match self.other(message, input, &mut pong)? {
                Some(ended) => whole += usize::from(ended) + self.take(message, input),
                None => break,
            }
        }
        Ok(whole)
    }

    /// Whether it is between messages.
    pub(crate) fn is_between(&self) -> bool {
        self.lacks == 0 && self.decoder.is_idle()
    }

    /// Takes one thing, and says whether an echo ends with it; `None` if more of it must come first.
    fn other(
        &mut self,
        message: &Message,
        input: &mut &mut [u8],
        mut pong: impl FnMut(&[u8]),
    ) -> Result<Option<bool>, Wrong> {
        let (head, len) = (message.head.as_ref(), message.payload.len());
        if self.is_between() && input.starts_with(head) {
            let _ = input.split_off_mut(..head.len());
            self.lacks = len;
            return Ok(Some(len == 0));
        }
        if self.is_between() && head.starts_with(input) {
            return Ok(None);
        }
        if self.lacks > 0 {
            let there = input.split_off_mut(..self.lacks.min(input.len())).unwrap_or_default();
            if !message.has(len - self.lacks, there) {
                return Err(Wrong::Octets);
            }
            self.lacks -= there.len();
            return Ok(Some(self.lacks == 0));
        }
        match self.decoder.decode(&LIMITS, input).map_err(Wrong::Violation)? {
            None => return Ok(None),
            Some(Event::Ping(body)) => pong(body),
            Some(Event::Pong(_)) => {}
            Some(Event::Close(close)) => {
                return Err(Wrong::Closed(close.map(|close| (close.code().get(), close.reason().to_owned()))));
            }
            Some(Event::Data(data)) => return self.piece(message, &data).map(Some),
        }
        Ok(Some(false))
    }

    /// A piece of an echo that does not come as one frame.
    fn piece(&mut self, message: &Message, data: &Data<'_>) -> Result<bool, Wrong> {
        if data.kind() != message.kind {
            return Err(Wrong::Kind);
        }
        let (begin, len) = (if data.is_first() { 0 } else { self.come }, message.payload.len());
        self.come = begin + data.payload().len();
        if self.come > len || data.is_last() && self.come != len {
            return Err(Wrong::Length(self.come as u64));
        }
        if message.has(begin, data.payload()) { Ok(data.is_last()) } else { Err(Wrong::Octets) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use martlet_codec::DataOp;
    use std::collections::HashSet;

    #[test]
    fn every_frame_is_whole_and_has_a_key_of_its_own() {
        for len in [0, 1, 20, 125, 126, 1024, 65536, 400_000] {
            let message = Message::new(DataKind::Text, len, false);
            let mut magazine = Magazine::new(&message, 16);
            let mut keys = HashSet::new();
            let mut sent = 0;
            while sent < 40 {
                let (octets, count) = magazine.load(7).unwrap();
                assert!((1..=7).contains(&count));
                let (mut octets, mut decoder) = (octets.to_vec(), Decoder::new(Role::Server));
                for frame in octets.chunks(octets.len() / count) {
                    let key = frame[frame.len() - len - 4..].first_chunk::<4>().unwrap();
                    assert!(keys.insert(*key), "a key came twice");
                }
                let mut input = &mut octets[..];
                for _ in 0..count {
                    let mut come = Vec::new();
                    while let Some(Event::Data(data)) = decoder.decode(&LIMITS, &mut input).unwrap() {
                        come.extend_from_slice(data.payload());
                        if data.is_last() {
                            break;
                        }
                    }
                    assert!(come == message.payload, "{len}");
                }
                assert!(input.is_empty());
                sent += count;
            }
        }
    }

    /// How many echoes, and how many Pings, in these octets, cut into pieces of `size`.
    fn told(message: &Message, wire: &[u8], size: usize) -> Result<(usize, usize), Wrong> {
        let (mut echoes, mut held, mut whole, mut pings) = (Echoes::new(), Vec::new(), 0, 0);
        for piece in wire.chunks(size) {
            held.extend_from_slice(piece);
            let mut input = &mut held[..];
            whole += echoes.take(message, &mut input);
            whole += echoes.take_others(message, &mut input, |_| pings += 1)?;
            held = input.to_vec();
        }
        assert!(held.len() < 139);
        Ok((whole, pings))
    }

    fn framed(op: DataOp, fin: bool, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![0; payload.len() + 14];
        let len = pack(Kind::Data { op, fin, len: 0 }, None, payload, &mut out).unwrap();
        out.truncate(len);
        out
    }

    #[test]
    fn echoes_are_told_from_what_is_none_however_they_are_cut() {
        for (len, verify) in [(0, true), (5, true), (5, false), (126, true), (70_000, true)] {
            let message = Message::new(DataKind::Binary, len, verify);
            let whole = framed(DataOp::Binary, true, &message.payload);
            let (a, b) = message.payload.split_at(len / 2);
            let pieces =
                [framed(DataOp::Binary, false, a), b"\x89\x01x".to_vec(), framed(DataOp::Continuation, true, b)]
                    .concat();
            let good = [&whole[..], &whole, b"\x89\0", &whole, &pieces, &whole, b"\x8a\0"].concat();
            let mut other = message.payload.clone();
            let wrong = [
                (framed(DataOp::Text, true, b""), Wrong::Kind),
                (framed(DataOp::Binary, true, &[&message.payload[..], b"x"].concat()), Wrong::Length(len as u64 + 1)),
                (b"\x88\x05\x03\xe9bye".to_vec(), Wrong::Closed(Some((1001, "bye".to_owned())))),
                (b"\x88\0".to_vec(), Wrong::Closed(None)),
                (b"\x82\x80\0\0\0\0".to_vec(), Wrong::Violation(Violation::MaskForbidden)),
            ];
            for size in [1, 2, 3, 7, 64, usize::MAX].into_iter().filter(|size| len < 1000 || *size > 2) {
                assert_eq!(told(&message, &good, size), Ok((5, 2)), "{len} by {size}");
                for (wire, wrong) in &wrong {
                    assert_eq!(
                        told(&message, &[&whole[..], wire].concat(), size),
                        Err(wrong.clone()),
                        "{len} by {size}"
                    );
                }
                if let (Some(last), Some((_, short))) = (other.last_mut(), message.payload.split_last()) {
                    let result = told(&message, &framed(DataOp::Binary, true, short), size);
                    assert_eq!(result, Err(Wrong::Length(len as u64 - 1)), "{len} by {size}");
                    *last = !*message.payload.last().unwrap();
                    let result = told(&message, &framed(DataOp::Binary, true, &other), size);
                    assert_eq!(result, if verify { Err(Wrong::Octets) } else { Ok((1, 0)) }, "{len} by {size}");
                }
            }
        }
    }
}
