//! Compressed messages in, octets of messages out (RFC 7692 section 7.2.2).

use crate::message::{Full, Storage};
use crate::opcode::DataKind;
use crate::utf8::Utf8;
use crate::violation::Violation;
use crate::window::{Room, Window};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT as MORE, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF as LINEAR,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress_with_limit};

/// What a compressed message may grow to. Lent with each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InflateLimits {
    /// The longest message, inflated, in octets. Counted while it is inflated; beyond it:
    /// [`MessageTooBig`](Violation::MessageTooBig).
    pub max_message_bytes: u64,
    /// How many octets may come of each compressed one, once a message is over `ratio_floor_bytes`; 0 for any number. Beyond
    /// it: [`InflateRatio`](Violation::InflateRatio). No DEFLATE data reaches 1,033.
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

/// The octets that the sender has cut off (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Inflates one message at a time, cut anywhere. It holds nothing of a connection between messages, so that one serves many
/// connections one after the other; from a message's first piece to its last it belongs to that message.
///
/// For each message [`begin`](Self::begin), then [`inflate`](Self::inflate) for each piece of its payload until that gives
/// `None`. After a violation it gives nothing but that violation until the next `begin`, and the connection is dead.
///
/// What must end a message is the empty stored block without its last four octets, or a block with BFINAL; anything else
/// is cut off, and [`DeflateInvalid`](Violation::DeflateInvalid). So is a compressed message without an octet: an empty one is
/// the octet 00 (RFC 7692 section 7.2.3.6), and is so for zlib as well, which would otherwise read the next message wrongly.
pub struct Inflater {
    core: DecompressorOxide,
    /// Octets of the message so far, compressed and inflated.
    fed: u64,
    made: u64,
    kind: DataKind,
    utf8: Utf8,
    /// There is no output left that the octets taken so far make.
    drained: bool,
    /// The last octet taken ended a block with BFINAL: the message may end here (RFC 7692 section 7.2.3.5).
    ended: bool,
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
            core: DecompressorOxide::new(),
            fed: 0,
            made: 0,
            kind: DataKind::Binary,
            utf8: Utf8::new(),
            drained: true,
            ended: false,
            done: true,
            violation: None,
        }
    }

    /// Begins a message.
    pub fn begin(&mut self, kind: DataKind) {
        self.core.init();
        (self.fed, self.made, self.kind, self.utf8) = (0, 0, kind, Utf8::new());
        (self.drained, self.ended, self.done, self.violation) = (true, false, false, None);
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
        let (room, start, full) = window.open().ok_or(Violation::MessageTooBig)?;
        let flags = if full { MORE } else { MORE | LINEAR };
        let mut at = start;
        let filled = self.fill(limits, room, &mut at, flags, input, last);
        // What was made before a fault is text that came before it: any cutting of the message finds the first of the two.
        let beyond = usize::try_from(self.made.saturating_sub(limits.max_message_bytes)).unwrap_or(usize::MAX);
        self.check_text(room.get(start..at.saturating_sub(beyond)).unwrap_or_default())?;
        filled?;
        window.advance(at.saturating_sub(start));
        Ok((at != start || self.done).then_some(start))
    }

    /// Inflates into `room` from `at` on, which moves on with what is made, also when it ends in a fault.
    fn fill(
        &mut self,
        limits: &InflateLimits,
        room: &mut [u8],
        at: &mut usize,
        flags: u32,
        input: &mut &[u8],
        last: bool,
    ) -> Result<(), Violation> {
        while *at < room.len() {
            if input.is_empty() && self.drained {
                return if last { self.finish(room, *at, flags) } else { Ok(()) };
            }
            let most = limits.max_message_bytes.saturating_sub(self.made).saturating_add(1);
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let (status, used, made) = decompress_with_limit(&mut self.core, input, room, *at, most, flags);
            *input = input.get(used..).unwrap_or_default();
            *at = at.saturating_add(made);
            self.count(limits, used, made)?;
            match status {
                TINFLStatus::NeedsMoreInput => self.drained = true,
                TINFLStatus::HasMoreOutput => self.drained = false,
                // A block with BFINAL, which is legal anywhere: the next block begins at the next octet.
                TINFLStatus::Done => {
                    self.core.init();
                    (self.drained, self.ended) = (true, true);
                }
                _ => return Err(Violation::DeflateInvalid),
            }
        }
        Ok(())
    }

    fn count(&mut self, limits: &InflateLimits, used: usize, made: usize) -> Result<(), Violation> {
        if used != 0 {
            self.ended = false;
        }
        self.fed = self.fed.saturating_add(used as u64);
        self.made = self.made.saturating_add(made as u64);
        if self.made > limits.max_message_bytes {
            return Err(Violation::MessageTooBig);
        }
        let fair = self.fed.saturating_mul(u64::from(limits.max_ratio)).max(limits.ratio_floor_bytes);
        if limits.max_ratio != 0 && self.made > fair { Err(Violation::InflateRatio) } else { Ok(()) }
    }

    /// The message's payload has come: it must end in an empty stored block, of which the tail is missing. Nothing else takes
    /// the tail, gives no octet for it and then stands between two blocks.
    #[cold]
    fn finish(&mut self, room: &mut [u8], at: usize, flags: u32) -> Result<(), Violation> {
        self.done = self.ended || {
            let (status, used, made) = decompress_with_limit(&mut self.core, &TAIL, room, at, usize::MAX, flags);
            let between = match status {
                TINFLStatus::Done => true,
                TINFLStatus::NeedsMoreInput => {
                    self.core.block_boundary_state().is_some_and(|boundary| boundary.num_bits == 0)
                }
                _ => false,
            };
            between && used == TAIL.len() && made == 0
        };
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

    const BITS: WindowBits = WindowBits::MIN;

    /// What `messages` give, one after the other in one window, all of it cut into pieces of `size`.
    fn inflate(limits: &InflateLimits, kind: DataKind, messages: &[&[u8]], size: usize) -> Result<Vec<u8>, Violation> {
        // What the room held before must not be reached.
        let mut room = [b'S'; 256];
        let mut window = Window::new(&mut room[..], BITS).unwrap();
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
}
