//! Compressed messages in, octets of messages out (RFC 7692 section 7.2.2).

use crate::message::{Full, Storage};
use crate::opcode::DataKind;
use crate::utf8::Utf8;
use crate::violation::Violation;
use crate::window::{Circle, Room, Window};

#[cfg(any(test, not(feature = "small")))]
mod fixed;
#[cfg(any(test, not(feature = "small")))]
mod quick;
#[cfg(any(test, feature = "small"))]
mod small;
#[cfg(test)]
mod wire;

#[cfg(not(feature = "small"))]
use quick::Quick as Best;
#[cfg(feature = "small")]
use small::Small as Best;

/// The blocks of a message (RFC 1951 section 3.2.3), cut anywhere, into a window. It knows no message, no text and no limits.
pub(crate) trait Engine {
    fn new() -> Self;
    /// At the first block of a message.
    fn begin(&mut self);
    /// Takes octets from the front of `input` and writes what comes of them, until it cannot go on. Every octet comes as
    /// soon as the last of its bits is there.
    fn run(&mut self, input: &mut &[u8], out: &mut Circle<'_>) -> Stop;
    /// Whether a message may end here (RFC 7692 sections 7.2.1 and 7.2.3.5): the last octet taken has the header of a stored
    /// block, whose four octets the sender has cut off, or it ended a block with BFINAL.
    fn is_end(&self) -> bool;
}

/// Why an engine stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// All of the input is taken, and all that comes of it is made.
    Input,
    /// There is no room for the next octet.
    Room,
    Invalid,
}

/// What a compressed message may grow to. Lent with each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InflateLimits {
    /// The longest message, inflated, in octets. Counted while it is inflated; beyond it:
    /// [`MessageTooBig`](Violation::MessageTooBig).
    pub max_message_bytes: u64,
    /// How many octets may come of each compressed one, once a message is over `ratio_floor_bytes`; 0 for any number. Beyond
    /// it: [`InflateRatio`](Violation::InflateRatio). No DEFLATE data reaches 1,033. Looked at whenever 1,024 more compressed octets
    /// have been inflated and at the message's end, so that it makes no difference how a message is cut.
    pub max_ratio: u32,
    /// Messages of so many octets inflated may have any ratio.
    pub ratio_floor_bytes: u64,
}

impl InflateLimits {
    /// 2 MiB a message, 1,000 octets for one beyond 1 MiB.
    pub const DEFAULT: Self = Self { max_message_bytes: 2 << 20, max_ratio: 1000, ratio_floor_bytes: 1 << 20 };
}

impl Default for InflateLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// As much of a message as has been inflated at once: at most the window's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inflated<'w> {
    /// The octets, in the window. Text is checked as in [`Data::payload`](crate::Data::payload).
    pub payload: &'w [u8],
    /// Whether the message ends with this piece, which may be empty.
    pub last: bool,
}

/// The ratio is looked at whenever so many octets more were taken.
const RATIO_STEP: u64 = 1024;

/// Inflates one message at a time, cut anywhere. It holds nothing of a connection between messages, so that one serves many
/// connections one after the other; from a message's first piece to its last it belongs to that message.
///
/// For each message [`begin`](Self::begin), then [`inflate`](Self::inflate) for each piece of its payload until that gives
/// `None`. After a violation it gives nothing but that violation until the next `begin`, and the connection is dead.
///
/// What must end a message is the empty stored block without its last four octets, or a block with BFINAL; anything else
/// is cut off, and [`DeflateInvalid`](Violation::DeflateInvalid). So is a compressed message without an octet: an empty one is
/// the octet 00 (RFC 7692 section 7.2.3.6), and is so for zlib as well, which would otherwise read the next message wrongly.
///
/// Blocks that are stored or have fixed codes are decoded here, without a table to build for each: short messages have no others.
/// Those with codes of their own are miniz_oxide's. With feature `small` one short decoder has all of them: it has 1,072
/// octets on 32 bit instead of 10,560, and takes two to three times as long. What is taken and refused is the same.
pub struct Inflater {
    blocks: Best,
    /// Octets of the message so far, compressed and inflated.
    fed: u64,
    made: u64,
    /// When so many octets are taken, and all that comes of them is made, the ratio is looked at.
    look: u64,
    kind: DataKind,
    utf8: Utf8,
    done: bool,
    violation: Option<Violation>,
}

impl core::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Inflater").field("fed", &self.fed).field("made", &self.made).finish_non_exhaustive()
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Inflater {
    /// Between messages.
    pub fn new() -> Self {
        Self {
            blocks: Best::new(),
            fed: 0,
            made: 0,
            look: RATIO_STEP,
            kind: DataKind::Binary,
            utf8: Utf8::new(),
            done: true,
            violation: None,
        }
    }

    /// Begins a message.
    pub fn begin(&mut self, kind: DataKind) {
        self.blocks.begin();
        (self.fed, self.made, self.look) = (0, 0, RATIO_STEP);
        (self.kind, self.utf8) = (kind, Utf8::new());
        (self.done, self.violation) = (false, None);
    }

    /// Whether a message has begun and is not whole: until then the inflater belongs to it.
    pub const fn is_open(&self) -> bool {
        !self.done
    }

    /// Takes octets from the front of `input`, the payload of the message's next piece, and gives what comes of them; `None`
    /// when all are taken and nothing more comes of them. `last` says that the message ends with `input`.
    ///
    /// The same `last` is given with every call for a piece. A message that is over takes nothing.
    pub fn inflate<'w, B: Room>(
        &mut self,
        limits: &InflateLimits,
        window: &'w mut Window<B>,
        input: &mut &[u8],
        last: bool,
    ) -> Result<Option<Inflated<'w>>, Violation> {
        match self.step(limits, window, input, last) {
            Ok(Some(start)) => Ok(Some(Inflated { payload: window.written(start), last: self.done })),
            Ok(None) => Ok(None),
            Err(violation) => {
                self.violation = Some(violation);
                Err(violation)
            }
        }
    }

    /// The same for a whole piece, into storage that the caller clears at a message's beginning; says whether the message is
    /// whole. Storage that is full is the peer's [`MessageTooBig`](Violation::MessageTooBig).
    pub fn inflate_into<B: Room, S: Storage>(
        &mut self,
        limits: &InflateLimits,
        window: &mut Window<B>,
        mut input: &[u8],
        last: bool,
        storage: &mut S,
    ) -> Result<bool, Violation> {
        while let Some(piece) = self.inflate(limits, window, &mut input, last)? {
            if storage.extend(piece.payload) == Err(Full) {
                self.violation = Some(Violation::MessageTooBig);
                return Err(Violation::MessageTooBig);
            }
            if piece.last {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Inflates until the window's end, the input's or the message's. Gives where in the window the piece begins.
    fn step<B: Room>(
        &mut self,
        limits: &InflateLimits,
        window: &mut Window<B>,
        input: &mut &[u8],
        last: bool,
    ) -> Result<Option<usize>, Violation> {
        if let Some(violation) = self.violation {
            return Err(violation);
        }
        if self.done {
            return Ok(None);
        }
        let mut circle = window.open().ok_or(Violation::MessageTooBig)?;
        let start = circle.at;
        let filled = self.fill(limits, &mut circle, input, last);
        // What was made before a fault is text that came before it: any cutting of the message finds the first of the two.
        let beyond = usize::try_from(self.made.saturating_sub(limits.max_message_bytes)).unwrap_or(usize::MAX);
        let at = circle.at;
        self.check_text(circle.room.get(start..at.saturating_sub(beyond)).unwrap_or_default())?;
        filled?;
        window.advance(at.saturating_sub(start));
        Ok((at != start || self.done).then_some(start))
    }

    /// Inflates into the circle, whose place moves on with what is made, also when it ends in a fault.
    fn fill(
        &mut self,
        limits: &InflateLimits,
        out: &mut Circle<'_>,
        input: &mut &[u8],
        last: bool,
    ) -> Result<(), Violation> {
        loop {
            let most = limits.max_message_bytes.saturating_sub(self.made).saturating_add(1);
            out.limit(usize::try_from(most).unwrap_or(usize::MAX));
            // No further than to where the ratio is looked at.
            let step = usize::try_from(self.look.saturating_sub(self.fed)).unwrap_or(usize::MAX);
            let front = input.get(..step).unwrap_or(input);
            let (mut rest, start) = (front, out.at);
            let stop = self.blocks.run(&mut rest, out);
            let used = front.len().saturating_sub(rest.len());
            *input = input.get(used..).unwrap_or_default();
            self.fed = self.fed.saturating_add(used as u64);
            self.made = self.made.saturating_add(out.at.saturating_sub(start) as u64);
            if self.made > limits.max_message_bytes {
                return Err(Violation::MessageTooBig);
            }
            match stop {
                Stop::Input => {
                    let over = last && input.is_empty();
                    if over || self.fed >= self.look {
                        self.look = self.fed.saturating_add(RATIO_STEP);
                        self.check_ratio(limits)?;
                    }
                    if input.is_empty() {
                        return if over { self.finish() } else { Ok(()) };
                    }
                }
                Stop::Room => return Ok(()),
                Stop::Invalid => return Err(Violation::DeflateInvalid),
            }
        }
    }

    fn check_ratio(&self, limits: &InflateLimits) -> Result<(), Violation> {
        let fair = self.fed.saturating_mul(u64::from(limits.max_ratio)).max(limits.ratio_floor_bytes);
        if limits.max_ratio != 0 && self.made > fair { Err(Violation::InflateRatio) } else { Ok(()) }
    }

    /// The message's payload has come: it must end in an empty stored block, of which four octets are missing, or behind BFINAL.
    fn finish(&mut self) -> Result<(), Violation> {
        self.done = self.blocks.is_end();
        if self.done { Ok(()) } else { Err(Violation::DeflateInvalid) }
    }

    fn check_text(&mut self, piece: &[u8]) -> Result<(), Violation> {
        match self.kind {
            DataKind::Text => {
                self.utf8.push(piece).map_err(|_| Violation::Utf8Invalid)?;
                if self.done && !self.utf8.is_complete() { Err(Violation::Utf8Invalid) } else { Ok(()) }
            }
            DataKind::Binary => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, WindowBits};
    use std::vec;
    use std::vec::Vec;

    /// What `messages` give, one after the other in one window, all of it cut into pieces of `size`.
    fn inflate(limits: &InflateLimits, kind: DataKind, messages: &[&[u8]], size: usize) -> Result<Vec<u8>, Violation> {
        inflate_in(WindowBits::MIN, limits, kind, messages, size)
    }

    fn inflate_in(
        bits: WindowBits,
        limits: &InflateLimits,
        kind: DataKind,
        messages: &[&[u8]],
        size: usize,
    ) -> Result<Vec<u8>, Violation> {
        // What the room held before must not be reached.
        let mut room = vec![b'S'; bits.size()];
        let mut window = Window::new(&mut room[..], bits).unwrap();
        let mut storage = vec![0; 1 << 21];
        let (mut inflater, mut back) = (Inflater::new(), Store::new(&mut storage));
        for message in messages {
            inflater.begin(kind);
            let mut pieces: Vec<&[u8]> = message.chunks(size).collect();
            // An empty last fragment is legal.
            pieces.push(&[]);
            let end = pieces.len() - 1;
            for (at, piece) in pieces.into_iter().enumerate() {
                let whole = inflater.inflate_into(limits, &mut window, piece, at == end, &mut back);
                assert!(whole.is_err() || whole == Ok(at == end));
                if let Err(violation) = whole {
                    assert_eq!(inflater.inflate(limits, &mut window, &mut &[][..], true), Err(violation));
                    return Err(violation);
                }
            }
            assert!(!inflater.is_open());
        }
        Ok(back.as_slice().to_vec())
    }

    #[track_caller]
    fn check(kind: DataKind, messages: &[&[u8]], expect: Result<&[u8], Violation>) {
        for size in [1, 2, 3, 5, usize::MAX] {
            let back = inflate(&InflateLimits::DEFAULT, kind, messages, size);
            assert_eq!(back.as_deref().map_err(|violation| *violation), expect, "{messages:x?} in pieces of {size}");
        }
    }

    /// The text before a fault is looked at first, however the message is cut.
    #[test]
    fn the_first_fault_is_told_at_any_cut() {
        let stored = InflateLimits { max_message_bytes: 2, ..InflateLimits::DEFAULT };
        let bad_text = b"\x00\x01\x00\xfe\xff\xff\x06";
        let too_long = b"\x00\x03\x00\xfc\xff\xffab\x00";
        for size in 1..10 {
            assert_eq!(
                inflate(&InflateLimits::DEFAULT, DataKind::Text, &[bad_text], size),
                Err(Violation::Utf8Invalid)
            );
            assert_eq!(inflate(&stored, DataKind::Text, &[too_long], size), Err(Violation::Utf8Invalid));
        }
    }

    #[test]
    fn section_7_2_3_examples() {
        let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
        let rows: &[(&[&[u8]], &[u8])] = &[
            (&[hello], b"Hello"),
            (&[hello, b"\xf2\x00\x11\x00\x00"], b"HelloHello"),
            (&[b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"], b"Hello"),
            (&[b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"], b"Hello"),
            (&[b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"], b"Hello"),
            // Beyond the examples: an empty message, one that ends with BFINAL, and one that goes on behind it.
            (&[b"\x00", hello, b"\x00"], b"Hello"),
            (&[b"\xf3\x48\xcd\xc9\xc9\x07\x00", hello], b"HelloHello"),
            (&[b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00"], b"HelloHello"),
        ];
        for (messages, expect) in rows {
            check(DataKind::Text, messages, Ok(expect));
        }
    }

    #[test]
    fn section_7_2_2_what_is_cut_off_or_garbage_is_never_a_message() {
        let rows: &[&[u8]] = &[
            b"",
            b"\xf2\x48\xcd\xc9\xc9\x07",
            b"\xf2\x48\xcd",
            b"\xf2",
            // A stored block that would take the tail for its payload, and one whose length the tail would end.
            b"\x00\x04\x00\xfb\xff",
            b"\x00\x05\x00\xfa\xff\x48\x65",
            b"\x00\x05",
            b"\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00",
            b"\x06",
            b"\xff\xff\xff",
            // The first symbol is a match: it would show what the room held before.
            b"\x02\x03\x00\x00",
        ];
        for message in rows {
            check(DataKind::Binary, &[message], Err(Violation::DeflateInvalid));
        }
    }

    #[test]
    fn section_8_1_text_is_checked_as_it_comes_out() {
        let stored = |text: &[u8]| [&[0, text.len() as u8, 0, !(text.len() as u8), 0xff][..], text, &[0]].concat();
        check(DataKind::Text, &[&stored("中文".as_bytes())], Ok("中文".as_bytes()));
        for wrong in [&b"\xff"[..], b"ab\xe4\xb8", b"\xed\xa0\x80"] {
            check(DataKind::Text, &[&stored(wrong)], Err(Violation::Utf8Invalid));
            check(DataKind::Binary, &[&stored(wrong)], Ok(wrong));
        }
    }

    #[test]
    fn section_10_4_a_bomb_is_counted_while_it_goes_off() {
        let bomb = miniz_oxide::deflate::compress_to_vec(&vec![0; 1 << 20], 9);
        for size in [1, 1000, usize::MAX] {
            let limit = |max_message_bytes, max_ratio, ratio_floor_bytes| {
                let limits = InflateLimits { max_message_bytes, max_ratio, ratio_floor_bytes };
                inflate(&limits, DataKind::Binary, &[&bomb], size).map(|back| back.len())
            };
            assert_eq!(limit(1 << 20, 0, 0), Ok(1 << 20));
            assert_eq!(limit((1 << 20) - 1, 0, 0), Err(Violation::MessageTooBig));
            assert_eq!(limit(0, 0, 0), Err(Violation::MessageTooBig));
            assert_eq!(limit(1 << 20, 100, 5000), Err(Violation::InflateRatio));
            assert_eq!(limit(1 << 20, 100, 1 << 20), Ok(1 << 20));
        }
    }
    /// The ratio is that of the first 1,024 octets, of the first 2,048 and so on, and of all: not that of a piece.
    #[test]
    fn section_10_4_the_ratio_is_the_same_at_any_cut() {
        let mix = |at: u32| (at * at).wrapping_mul(0x9e37_79b1).rotate_left(15).wrapping_mul(0x85eb_ca6b);
        let noise: Vec<u8> = (0u32..3000).map(|at| (mix(at) >> 24) as u8).collect();
        let zeros = vec![0; 100_000];
        let message = |parts: &[&[u8]]| miniz_oxide::deflate::compress_to_vec(&parts.concat(), 6);
        let (before, behind) = (message(&[&zeros, &noise]), message(&[&noise, &zeros]));
        let total = |wire: &Vec<u8>, ratio: u32| ratio as usize * wire.len() > 103_000;
        assert!(total(&before, 35) && !total(&before, 20) && total(&behind, 35) && before.len() > 2048);
        let rows = [
            // At the end all is well, but not after 1,024 octets.
            (&before, 35, Err(Violation::InflateRatio)),
            (&before, 110, Ok(103_000)),
            (&behind, 35, Ok(103_000)),
            (&behind, 20, Err(Violation::InflateRatio)),
        ];
        for (wire, max_ratio, expect) in rows {
            let limits = InflateLimits { max_ratio, ratio_floor_bytes: 1000, ..InflateLimits::DEFAULT };
            for size in [1, 7, 100, 1023, 1024, 1025, 2047, usize::MAX] {
                let read = inflate_in(WindowBits::MAX, &limits, DataKind::Binary, &[wire], size).map(|back| back.len());
                assert_eq!(read, expect, "{max_ratio} in pieces of {size}");
            }
        }
    }
    /// Where the ratio is looked at, there is more to be made than the window has room for.
    #[test]
    fn section_10_4_the_ratio_is_that_of_all_that_comes_of_the_octets() {
        let stored = |len: u16| {
            let [a, b] = len.to_le_bytes();
            [&[0, a, b, !a, !b][..], &vec![b'a'; usize::from(len)]].concat()
        };
        // 258 octets, each as the one before, by a code of 13 bits.
        let mut codes = vec![];
        let (mut held, mut count) = (0b010u32, 3);
        for _ in 0..48 {
            held |= 0b1010_0011 << count;
            count += 13;
            while count >= 8 {
                codes.push(held as u8);
                held >>= 8;
                count -= 8;
            }
        }
        // The last 3 bits, the end of the block and the header of a stored one.
        codes.extend_from_slice(&[held as u8, 0]);
        for before in 940..960 {
            let wire = [&stored(before)[..], &codes, &stored(40_000)[1..], &[0]].concat();
            for (max_ratio, expect) in [(9, Err(Violation::InflateRatio)), (20, Ok(()))] {
                let limits = InflateLimits { max_ratio, ratio_floor_bytes: 0, ..InflateLimits::DEFAULT };
                for size in [1, 5, 1023, 1024, 1025, usize::MAX] {
                    let read = inflate(&limits, DataKind::Binary, &[&wire], size).map(|_| ());
                    assert_eq!(read, expect, "{before} octets before, {max_ratio} in pieces of {size}");
                }
            }
        }
    }
    #[test]
    fn the_memory_is_what_the_documents_say() {
        assert!(size_of::<Inflater>() <= if cfg!(feature = "small") { 1_200 } else { 10_700 });
    }
}
