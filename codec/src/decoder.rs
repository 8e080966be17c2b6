//! The streaming decoder: octets of frames in, events that borrow them out.

mod control;
mod event;

pub use event::{Data, Event};

use crate::facts::{self, Facts};
use crate::header::{self, Kind, Rules, bits};
use crate::kernel::{Best, Kernel};
use crate::length::{Length, wide};
use crate::limits::Limits;
use crate::mask::{Key, Mask};
use crate::opcode::{DataKind, DataOp, Role};
use crate::straight::{Kept, Straight};
use crate::utf8::Utf8;
use crate::violation::Violation;

/// Decodes the frames of one direction of one connection.
///
/// Call [`decode`](Self::decode) until it answers `None`; then read more behind what is left and call again. Any cutting
/// of the stream gives the same messages, control frames and violations. After a violation the connection is dead: every
/// further call answers the same violation.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Octets of the data frame at hand that have not come.
    missing: Length,
    /// Octets that the open message's frames have announced.
    announced: Length,
    mask: Mask,
    straight: Kept,
    utf8: Utf8,
    empty_fragments: u8,
    facts: Facts,
    /// What the peer did wrong. No event comes after it: [`Data::text`] relies on a check that was never given up half way.
    violation: Option<Violation>,
}

/// A server keeps one for every idle client.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Decoder>() <= 40);

/// While a text is ASCII, unmasking tells so for free; this much is unmasked before what is not goes to the validator. It
/// stays in the first-level cache until then.
const TEXT_BLOCK: usize = 16 * 1024;

/// Whether the shortest code is wanted: then the straight way takes short frames alone, and the loops over payload stand once.
const SMALL: bool = cfg!(feature = "small");

impl Decoder {
    /// At the first octet after the handshake; `role` is ours.
    pub const fn new(role: Role) -> Self {
        let mut facts = Facts::new();
        facts.put(facts::SERVER, matches!(role, Role::Server));
        Self {
            missing: 0,
            announced: 0,
            mask: Mask::new(Key([0; 4])),
            straight: Kept::new(),
            utf8: Utf8::new(),
            empty_fragments: 0,
            facts,
            violation: None,
        }
    }

    /// Whether permessage-deflate is negotiated: then RSV1 on a message's first frame says that the message is compressed.
    /// Its pieces are handed out [as they came](Data::is_compressed), and the limit on messages counts them so.
    pub const fn set_compression(&mut self, negotiated: bool) {
        self.facts.put(facts::COMPRESSION, negotiated);
    }

    /// Octets of payload that the data frame at hand still lacks: read so many straight to where the message is to lie.
    pub const fn missing(&self) -> u64 {
        wide(self.missing)
    }

    /// Whether the peer is between messages.
    pub const fn is_idle(&self) -> bool {
        !self.facts.has(facts::OPEN)
    }

    const fn role(&self) -> Role {
        if self.facts.has(facts::SERVER) { Role::Server } else { Role::Client }
    }

    const fn kind(&self) -> DataKind {
        if self.facts.has(facts::TEXT) { DataKind::Text } else { DataKind::Binary }
    }

    /// Which whole messages may go the straight way now.
    fn straight(&self, limits: &Limits) -> Straight {
        match self.role() {
            Role::Server if self.is_idle() && self.violation.is_none() => {
                Straight::up_to(limits.max_frame_bytes.min(limits.max_message_bytes))
            }
            Role::Server | Role::Client => Straight::shut(),
        }
    }

    /// Takes one event's worth from the front of `input`; `None` when more octets are needed.
    ///
    /// What is not taken must be presented again with more octets behind it. It is never more than
    /// [`MIN_INPUT`](crate::MIN_INPUT) - 1 octets: the beginning of a header or of a control frame.
    #[inline(always)]
    pub fn decode<'i>(&mut self, limits: &Limits, input: &mut &'i mut [u8]) -> Result<Option<Event<'i>>, Violation> {
        match self.decode_whole(input) {
            Some(data) => Ok(Some(Event::Data(data))),
            None => self.decode_any(limits, input),
        }
    }

    /// The straight way of [`decode`](Self::decode) by itself: a message that is not compressed and lies whole in the front of `input`,
    /// if nothing else has to be looked at. `None` says only that `decode` is to be asked.
    ///
    /// The answer fits into registers, which saves a third of the instructions where short messages go through a loop.
    #[inline(always)]
    pub fn decode_whole<'i>(&mut self, input: &mut &'i mut [u8]) -> Option<Data<'i>> {
        // Without the limits there is no answer but one that was kept.
        self.whole(|_| Straight::shut(), input)
    }

    #[inline(always)]
    fn whole<'i>(&mut self, anew: impl Fn(&Self) -> Straight, input: &mut &'i mut [u8]) -> Option<Data<'i>> {
        let &[b0, b1, k0, k1, k2, k3] = input.first_chunk()?;
        // FIN and text or binary; a mask and a 7-bit length: two compares for what nearly every frame is.
        let (op, len) = (b0.wrapping_sub(0x81), b1.wrapping_sub(0x80));
        if op > 1 {
            return None;
        }
        let (payload, valid) = if len < 126 {
            if !self.straight.or(|| anew(self)).takes(u32::from(len)) {
                return None;
            }
            let payload = split(input, 6, usize::from(len))?;
            let key = u32::from_le_bytes([k0, k1, k2, k3]);
            let ascii = Best::unmask_short(payload, key);
            let valid = op != 0 || ascii || Best::valid(payload);
            (payload, valid)
        } else if SMALL {
            return None;
        } else {
            let &[_, 0xfe, l0, l1, k0, k1, k2, k3] = input.first_chunk()? else { return None };
            let len = u16::from_be_bytes([l0, l1]);
            if len < 126 || !self.straight.or(|| anew(self)).takes(u32::from(len)) {
                return None;
            }
            let payload = split(input, 8, usize::from(len))?;
            let valid = unmask_whole(op, payload, Mask::new(Key([k0, k1, k2, k3])));
            (payload, valid)
        };
        if !valid {
            self.refuse(Violation::Utf8Invalid);
            return None;
        }
        let kind = if op == 0 { DataKind::Text } else { DataKind::Binary };
        Some(Data { payload, kind, first: true, last: true, compressed: false })
    }

    /// Everything else: fragments, control frames, long, partial and illegal ones.
    #[inline(never)]
    fn decode_any<'i>(&mut self, limits: &Limits, input: &mut &'i mut [u8]) -> Result<Option<Event<'i>>, Violation> {
        if SMALL {
            return self.decode_in_place(limits, input, &mut &[][..]);
        }
        self.decode_other(limits, input, &mut &[][..])
    }

    /// [`decode`](Self::decode); and of a control frame that came from a client what answers it, whole and in its place: the Pong
    /// of a Ping, the echo of a Close with the code that came. Of everything else `answer` stays what it was. The masking key in
    /// front of the body leaves room for the answer's header, so that who has no other memory for answers needs none.
    #[cfg_attr(feature = "small", inline(never))]
    pub fn decode_in_place<'i>(
        &mut self,
        limits: &Limits,
        input: &mut &'i mut [u8],
        answer: &mut &'i [u8],
    ) -> Result<Option<Event<'i>>, Violation> {
        match self.whole(|decoder| decoder.straight(limits), input) {
            Some(data) => Ok(Some(Event::Data(data))),
            None => self.decode_other(limits, input, answer),
        }
    }

    fn decode_other<'i>(
        &mut self,
        limits: &Limits,
        input: &mut &'i mut [u8],
        answer: &mut &'i [u8],
    ) -> Result<Option<Event<'i>>, Violation> {
        if let Some(violation) = self.violation {
            return Err(violation);
        }
        let taken = if self.missing != 0 { self.piece(input) } else { self.frame(limits, input, answer) };
        let event = match taken {
            Ok(event) => event,
            Err(violation) => {
                self.refuse(violation);
                return Err(violation);
            }
        };
        self.straight.set(self.straight(limits));
        Ok(event)
    }

    /// The end of the stream: nothing goes the straight way any more, and the other one gives nothing but this.
    #[cold]
    #[inline(never)]
    fn refuse(&mut self, violation: Violation) {
        self.violation = Some(violation);
        self.straight.set(Straight::shut());
    }

    /// Takes a header and what has come of its frame.
    fn frame<'i>(
        &mut self,
        limits: &Limits,
        input: &mut &'i mut [u8],
        answer: &mut &'i [u8],
    ) -> Result<Option<Event<'i>>, Violation> {
        let fed_up = self.empty_fragments >= limits.max_empty_fragments;
        let open = self.facts.has(facts::OPEN).then_some(self.announced);
        let rules = Rules { role: self.role(), open, fed_up, compression: self.facts.has(facts::COMPRESSION), limits };
        let rsv1 = input.first().is_some_and(|b0| b0 & bits::RSV1 != 0);
        let Some((header, used)) = header::parse(rules, input)? else {
            return Ok(None);
        };
        match header.kind {
            Kind::Control { op, len } => control::take(op, header.key, used, len, input, answer),
            Kind::Data { op, fin, len } => {
                // Of a continuation, which never has RSV1, the message's first frame has spoken.
                if op != DataOp::Continuation {
                    self.facts.put(facts::COMPRESSED, rsv1);
                }
                // The header was refused if the length were over the limit, so that it fits.
                self.begin(header.key, op, fin, len as Length);
                // The header was there, so that this takes it.
                let _ = input.split_off_mut(..used);
                self.piece(input)
            }
        }
    }

    fn begin(&mut self, key: Option<Key>, op: DataOp, fin: bool, len: Length) {
        let empty = len == 0 && !fin;
        self.empty_fragments = if empty { self.empty_fragments.saturating_add(1) } else { 0 };
        let kind = match op {
            DataOp::Continuation => None,
            DataOp::Text => Some(DataKind::Text),
            DataOp::Binary => Some(DataKind::Binary),
        };
        if let Some(kind) = kind {
            self.facts.put(facts::TEXT, kind == DataKind::Text);
            self.facts.put(facts::FIRST, true);
            (self.announced, self.utf8) = (0, Utf8::new());
        }
        // The header was refused if the sum were over the limit, so that this cannot wrap.
        self.announced = self.announced.wrapping_add(len);
        self.mask = Mask::new(key.unwrap_or_default());
        self.facts.put(facts::FIN, fin);
        self.facts.put(facts::OPEN, true);
        self.missing = len;
    }

    /// Takes what has come of the data frame at hand.
    fn piece<'i>(&mut self, input: &mut &'i mut [u8]) -> Result<Option<Event<'i>>, Violation> {
        let here = usize::try_from(self.missing).unwrap_or(usize::MAX).min(input.len());
        if here == 0 && self.missing != 0 {
            return Ok(None);
        }
        let payload = input.split_off_mut(..here).unwrap_or_default();
        self.missing = self.missing.wrapping_sub(here as Length);
        let mask = self.mask;
        self.mask.skip(here);
        let facts = self.facts;
        let last = facts.has(facts::FIN) && self.missing == 0;
        let (kind, compressed) = (self.kind(), facts.has(facts::COMPRESSED));
        match kind {
            DataKind::Text if !compressed => text(self.role(), mask, payload, &mut self.utf8, last)?,
            DataKind::Text | DataKind::Binary => unmask(self.role(), mask, payload),
        }
        self.facts.put(facts::FIRST, false);
        self.facts.put(facts::OPEN, !last);
        Ok(Some(Event::Data(Data { payload, kind, first: facts.has(facts::FIRST), last, compressed })))
    }
}

/// Takes a frame of `len` octets behind a header of `header` octets, if all of it is there.
#[inline(always)]
fn split<'i>(input: &mut &'i mut [u8], header: usize, len: usize) -> Option<&'i mut [u8]> {
    let frame = input.split_off_mut(..header.wrapping_add(len))?;
    frame.get_mut(header..)
}

/// Unmasks a whole message of some length; says whether it is what it must be.
#[inline(always)]
fn unmask_whole(op: u8, payload: &mut [u8], mask: Mask) -> bool {
    if op != 0 {
        unmask_binary(payload, mask.word());
        true
    } else {
        unmask_text(payload, mask)
    }
}

/// Not inlined, so that short messages have the registers for themselves.
#[inline(never)]
fn unmask_binary(payload: &mut [u8], key: u32) {
    Best::unmask(payload, key);
}

/// The same for text; says whether it is some.
#[inline(never)]
fn unmask_text(payload: &mut [u8], mask: Mask) -> bool {
    if payload.len() > TEXT_BLOCK {
        text(Role::Server, mask, payload, &mut Utf8::new(), true).is_ok()
    } else {
        Best::unmask_ascii(payload, mask.word()) || Best::valid(payload)
    }
}

fn unmask(role: Role, mask: Mask, payload: &mut [u8]) {
    match role {
        Role::Server => Best::unmask(payload, mask.word()),
        Role::Client => {}
    }
}

/// Unmasks and validates text block by block: as long as all is ASCII in one pass.
#[inline(never)]
fn text(role: Role, mut mask: Mask, payload: &mut [u8], utf8: &mut Utf8, last: bool) -> Result<(), Violation> {
    let mut ascii = utf8.is_complete() && role == Role::Server;
    if Best::STEPWISE {
        // The validator is then so much slower than memory that blocks win nothing.
        ascii &= role == Role::Client || Best::unmask_ascii(payload, mask.word());
        if !ascii {
            utf8.push(payload).map_err(|_| Violation::Utf8Invalid)?;
        }
        return if last && !utf8.is_complete() { Err(Violation::Utf8Invalid) } else { Ok(()) };
    }
    for block in payload.chunks_mut(TEXT_BLOCK) {
        let word = mask.word();
        mask.skip(block.len());
        if ascii {
            ascii = Best::unmask_ascii(block, word);
        } else {
            unmask(role, Mask::new(Key(word.to_le_bytes())), block);
        }
        if !ascii {
            utf8.push(block).map_err(|_| Violation::Utf8Invalid)?;
        }
    }
    if last && !utf8.is_complete() { Err(Violation::Utf8Invalid) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first three leave a character open, and the message at its first piece, when they are refused. What follows would
    /// end that character: taken for a whole message it would be a text that is none.
    #[test]
    fn nothing_comes_after_a_violation() {
        let mut long = [b'x'; 4 + TEXT_BLOCK + 1];
        long[..4].copy_from_slice(&[0x81, 126, 0x40, 0x03]);
        long[4 + TEXT_BLOCK - 1..].copy_from_slice(&[0xe4, b'A']);
        let rows: [(Role, &[u8], &[u8], Violation); 5] = [
            (Role::Client, b"\x81\x04\xe0\x80", b"\xa0\x80", Violation::Utf8Invalid),
            (Role::Server, b"\x81\x84\0\0\0\0\xe0\x80", b"\xa0\x80", Violation::Utf8Invalid),
            (Role::Client, &long, b"\xb8\xad", Violation::Utf8Invalid),
            (Role::Server, b"\x81\x81\0\0\0\0\xff", b"\x81\x81\0\0\0\0x", Violation::Utf8Invalid),
            (Role::Client, b"\x83", b"\x81\x01x", Violation::OpcodeReserved),
        ];
        for (role, wrong, after, violation) in rows {
            let (mut wrong, mut after) = (std::vec::Vec::from(wrong), std::vec::Vec::from(after));
            let mut decoder = Decoder::new(role);
            // An idle call first, so that what can go the straight way goes it.
            assert_eq!(decoder.decode(&Limits::DEFAULT, &mut &mut [][..]), Ok(None));
            assert_eq!(decoder.decode(&Limits::DEFAULT, &mut &mut wrong[..]), Err(violation));
            for _ in 0..2 {
                assert_eq!(decoder.decode(&Limits::DEFAULT, &mut &mut after[..]), Err(violation), "{role:?}");
            }
        }
    }

    #[test]
    fn a_character_may_lie_across_the_end_of_a_block() {
        let len = TEXT_BLOCK + 10;
        for at in TEXT_BLOCK - 4..=TEXT_BLOCK {
            for (last, valid) in [(0x80, true), (b'x', false)] {
                let mut wire = std::vec![b'x'; 8 + len];
                wire[..8].copy_from_slice(&[0x81, 0xfe, (len >> 8) as u8, len as u8, 0, 0, 0, 0]);
                wire[8 + at..8 + at + 4].copy_from_slice(&[0xf0, 0x9f, 0x98, last]);
                for role in [Role::Server, Role::Client] {
                    let (mut server, mut client) = (wire.clone(), wire.clone());
                    client.drain(4..8);
                    client[1] = 126;
                    let mut input = if role == Role::Server { &mut server[..] } else { &mut client[..] };
                    match Decoder::new(role).decode(&Limits::DEFAULT, &mut input) {
                        Ok(Some(Event::Data(data))) => assert!(valid && data.is_whole(), "{role:?} {at}"),
                        other => assert_eq!((valid, other), (false, Err(Violation::Utf8Invalid)), "{role:?} {at}"),
                    }
                }
            }
        }
    }

    /// RFC 7692 §6.1: RSV1 on a message's first frame only, and only if it is negotiated.
    #[test]
    fn rsv1_on_the_first_frame_of_a_message_says_compressed() {
        let meaning = |on: bool, wire: &[u8], size: usize| {
            let (mut decoder, mut held, mut lines) =
                (Decoder::new(Role::Client), std::vec::Vec::new(), std::vec::Vec::new());
            decoder.set_compression(on);
            for piece in wire.chunks(size) {
                held.extend_from_slice(piece);
                let mut input = &mut held[..];
                loop {
                    match decoder.decode(&Limits::DEFAULT, &mut input) {
                        Ok(Some(Event::Data(data))) if data.payload().is_empty() && !data.is_last() => {}
                        Ok(Some(Event::Data(data))) => {
                            assert!(!data.is_compressed() || data.text().is_none());
                            lines.push((data.is_compressed(), data.payload().len(), data.is_last()));
                        }
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(violation) => return Err(violation),
                    }
                }
                held = input.to_vec();
            }
            let first = lines.first().is_some_and(|line| line.0);
            let octets = lines.iter().map(|line| line.1).sum::<usize>();
            Ok((first, octets, lines.last().is_some_and(|line| line.2)))
        };
        type Row<'a> = (&'a [u8], Result<(bool, usize, bool), Violation>);
        let rows: [Row<'_>; 9] = [
            // No UTF-8, which does not matter on the wire.
            (b"\xc1\x02\xff\xfe", Ok((true, 2, true))),
            (b"\x41\x02\xff\xfe\x89\x00\x80\x01\xff", Ok((true, 3, true))),
            (b"\xc2\x01\x00", Ok((true, 1, true))),
            (b"\x81\x01a", Ok((false, 1, true))),
            (b"\x81\x01\xff", Err(Violation::Utf8Invalid)),
            (b"\x41\x01a\xc0\x01a", Err(Violation::RsvUnclaimed)),
            (b"\x41\x01a\xc9\x00", Err(Violation::RsvUnclaimed)),
            (b"\xe1\x01a", Err(Violation::RsvUnclaimed)),
            (b"\xa1\x01a", Err(Violation::RsvUnclaimed)),
        ];
        for (wire, expect) in rows {
            for size in [1, 2, 3, usize::MAX] {
                assert_eq!(meaning(true, wire, size), expect, "{wire:x?} by {size}");
                if wire[0] & 0x70 != 0 {
                    assert_eq!(meaning(false, wire, size), Err(Violation::RsvUnclaimed), "{wire:x?} by {size}");
                }
            }
        }
    }
}
