//! The lines of a head, one after the other: what the scanners of both roles have in common.

use super::machine::{NO_HEADER, NOTHING, TOKEN, Tape, part};
use super::words::{self, Word, word};
use crate::count::{self, Headers, Octets};
use crate::fault::HeadFault;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::spot::{Shape, Spot};

/// The start line comes.
const START: Word = 0xff;
/// Header lines come.
const FIELDS: Word = 0xfe;
/// The head has ended.
const DONE: Word = 0xfd;

/// How far a head is read.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed)] // Every octet counts: a connection keeps this as long as the head is not whole.
pub(super) struct Head {
    /// Octets that were consumed.
    taken: Octets,
    headers: Headers,
    /// The header of whose value more comes, or one of the numbers above.
    stage: Word,
    /// What a role notes of it, each a bit.
    pub(super) facts: u16,
}

/// The octets at hand, and the line in them as it is before any role looks at it.
pub(super) struct Found<'i> {
    pub(super) tape: Tape<'i>,
    pub(super) spot: Spot,
    /// The header that the line is of.
    pub(super) field: Word,
}

impl<'i> Found<'i> {
    pub(super) const fn new(octets: &'i [u8]) -> Self {
        let spot = Spot { used: 0, shape: Shape::Blank, name: 0, begin: 0, end: 0 };
        Self { tape: Tape::new(octets), spot, field: 0 }
    }
}

impl Head {
    pub(super) const fn new() -> Self {
        Self { taken: 0, headers: 0, stage: START, facts: 0 }
    }

    /// Octets that were consumed.
    #[allow(clippy::unnecessary_cast)] // It is one with `small`.
    pub(super) const fn taken(&self) -> u32 {
        self.taken as u32
    }

    pub(super) const fn is_done(&self) -> bool {
        self.stage == DONE
    }

    /// What was read was an interim response: another head follows, within what is left of the limit on octets.
    pub(super) const fn again(&mut self) {
        (self.stage, self.headers) = (START, 0);
    }

    pub(super) const fn has(&self, fact: u16) -> bool {
        self.facts & fact != 0
    }

    /// Finds the next line, or a piece of one. Says whether there is one. `start` is the part that the start line is. Of a header the tape is then at the value. What is
    /// wrong has the name that it has for a server.
    #[inline(never)]
    pub(super) fn next(&mut self, start: u8, limits: &Limits, found: &mut Found<'_>) -> Result<bool, Refusal> {
        let Found { tape, spot, field: found } = found;
        // Whatever lies behind this many octets is never looked at, so that it does not matter whether it is there already.
        #[allow(clippy::useless_conversion)] // It is one with `small`.
        let left = u32::from(count::octets(limits.max_head_bytes).saturating_sub(self.taken));
        let window = tape.octets.get(..left.min(limits.max_line_bytes) as usize);
        let is_bounded = window.is_some();
        tape.octets = window.unwrap_or(tape.octets);
        let mut field = self.stage;
        let part = match field {
            DONE => return Ok(false),
            START => start,
            FIELDS if self.headers >= count::headers(limits.max_headers) => part::NO_FIELD,
            FIELDS => part::FIELD,
            _ => part::VALUE,
        };
        let wants = tape.run(part);
        let last = wants == NOTHING;
        if !last {
            match tape.octets.get(tape.at) {
                Some(octet) => return Err(self.flaw(wants, *octet)),
                None if !is_bounded => return Ok(false),
                None if matches!(tape.row, part::TARGET..part::HTTP) => return Err(Refusal::TargetTooLong),
                None if left <= limits.max_line_bytes => return Err(HeadFault::HeadTooLong.into()),
                None if matches!(tape.row, part::VALUE..part::NO_FIELD) => {}
                None => return Err(HeadFault::LineTooLong.into()),
            }
        }
        (spot.used, spot.end) = (tape.at, tape.end);
        if last && tape.at == b"\r\n".len() && field >= FIELDS {
            if field == FIELDS {
                (self.stage, spot.shape) = (DONE, Shape::End);
            }
        } else if field == START {
            (self.stage, spot.shape) = (FIELDS, Shape::Request);
        } else {
            tape.at = 0;
            spot.shape = Shape::Piece { last };
            if field == FIELDS {
                self.headers = self.headers.saturating_add(1);
                tape.run(part::WORD);
                field = word(tape);
                spot.name = tape.at;
                tape.at = tape.at.wrapping_add(1);
                tape.run(part::BLANKS);
                spot.begin = tape.at;
                spot.shape = Shape::Header { last };
            }
            if !last {
                spot.end = cut(field, tape, wants).ok_or(HeadFault::LineTooLong)?;
                (spot.used, tape.at) = (spot.end, spot.begin);
                tape.octets = tape.octets.get(..spot.end).unwrap_or_default();
            }
            self.stage = if last { FIELDS } else { field };
        }
        // A window has no more octets than can be counted.
        self.taken = self.taken.wrapping_add(spot.used as Octets);
        *found = field;
        Ok(true)
    }

    /// What an octet that may not follow is called.
    #[inline(never)]
    fn flaw(&self, wants: u8, octet: u8) -> Refusal {
        let is_space = matches!(octet, b' ' | b'\t');
        let fault = if self.stage == START {
            match octet {
                _ if wants == b'\n' => HeadFault::BareCr,
                b'\n' if !matches!(wants, b'T' | b'P' | b'/') => HeadFault::BareLf,
                b'0'..=b'9' if wants == b'1' => return Refusal::HttpVersionUnsupported,
                _ => return Refusal::RequestLineInvalid,
            }
        } else if is_space && wants >= TOKEN {
            if self.headers == 0 { HeadFault::SpaceBeforeHeaders } else { HeadFault::ObsoleteFold }
        } else if wants == NO_HEADER {
            HeadFault::TooManyHeaders
        } else if octet == b'\n' {
            HeadFault::BareLf
        } else if wants == b'\n' {
            HeadFault::BareCr
        } else if wants == b'\r' {
            HeadFault::ValueInvalid
        } else if is_space {
            HeadFault::SpaceBeforeColon
        } else if octet == b'\r' {
            HeadFault::ColonMissing
        } else {
            HeadFault::NameInvalid
        };
        fault.into()
    }
}

/// Where a value is cut that is too long to be seen at once.
fn cut(field: Word, tape: &mut Tape<'_>, wants: u8) -> Option<usize> {
    match field {
        // They must be seen whole. Half of an origin must not be taken for it.
        words::HOST..=words::LENGTH | words::ACCEPT => return None,
        // Whitespace in front of the first element passes by itself, because the element may need all the room that the name takes.
        words::UPGRADE..=words::EXTENSIONS => {
            tape.run(part::BLANKS);
            let mut end = tape.at;
            while tape.run(part::CUT) == NOTHING {
                end = tape.at;
            }
            tape.at = end;
        }
        _ => {
            tape.at = tape.octets.len();
            if wants == b'\n' {
                // The CR may begin the line's end.
                tape.at = tape.at.wrapping_sub(1);
            }
        }
    }
    Some(tape.at).filter(|end| *end != 0)
}
