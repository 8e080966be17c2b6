//! The lines of a head, one after the other: what the scanners of both roles have in common.

use crate::class::Class;
use crate::fault::HeadFault;
use crate::field::{Cut, Field};
use crate::flags::Flags;
use crate::grammar::{self, Flaw, Stop};
use crate::limits::Limits;
use crate::line::Text;
use crate::value;

/// How far a head is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// Octets that were consumed.
    taken: u32,
    /// Octets of the line at hand that were found right in an earlier call, so that none is looked at again for each new one.
    /// They end within `class`.
    seen: u16,
    headers: u16,
    class: Class,
    stage: Stage,
    /// What a role notes of it: here because there is room between the others.
    pub(crate) facts: Flags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The start line comes.
    Start,
    /// Header lines come.
    Fields,
    /// The rest of a header's value comes.
    Value(Field),
    /// The head has ended.
    Done,
}

/// Header lines as they are before any role looks at them.
pub(crate) enum Token<'i> {
    Field { field: Field, name: Text<'i>, value: &'i [u8], last: bool },
    Piece { field: Field, value: &'i [u8], last: bool },
    End,
}

/// As much of the input as may be looked at.
pub(crate) struct Window<'i> {
    pub(crate) octets: &'i [u8],
    /// Which limit ends it; `None` if the input does.
    pub(crate) bound: Option<Bound>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Head,
    Line,
}

impl Bound {
    /// The fault of something that does not fit.
    pub(crate) const fn fault(self) -> HeadFault {
        match self {
            Self::Head => HeadFault::HeadTooLong,
            Self::Line => HeadFault::LineTooLong,
        }
    }
}

impl Head {
    pub(crate) const fn new() -> Self {
        Self { taken: 0, seen: 0, headers: 0, class: Class::Token, stage: Stage::Start, facts: Flags::new() }
    }

    /// Octets that were consumed.
    pub(crate) const fn taken(&self) -> u32 {
        self.taken
    }

    pub(crate) fn at_start(&self) -> bool {
        self.stage == Stage::Start
    }

    /// What was read was an interim response: another head follows, within what is left of the limit on octets.
    pub(crate) fn again(&mut self) {
        (self.stage, self.headers) = (Stage::Start, 0);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// What of `input` may be looked at: a line's worth, and no more than is left for the head. Whatever lies behind it is
    /// never looked at, so that it does not matter whether it is there already.
    #[cfg_attr(feature = "small", inline(never))]
    pub(crate) fn window<'i>(&self, limits: &Limits, input: &'i [u8]) -> Window<'i> {
        let left = limits.max_head_bytes.saturating_sub(self.taken);
        let line = limits.max_line_bytes;
        let most = usize::try_from(left.min(line)).unwrap_or(usize::MAX);
        match input.get(..most) {
            Some(octets) => Window { octets, bound: Some(if left <= line { Bound::Head } else { Bound::Line }) },
            None => Window { octets: input, bound: None },
        }
    }

    /// Whether the line at hand is still unfinished, known from the new octets alone.
    pub(crate) fn unfinished(&mut self, window: &Window<'_>) -> bool {
        let seen = usize::from(self.seen);
        if seen == 0 || window.bound.is_some() {
            return false;
        }
        let Some((_, fresh)) = window.octets.split_at_checked(seen) else { return false };
        let plain = self.class.has_all(fresh);
        if plain {
            self.remember(self.class, window.octets.len());
        }
        plain
    }

    /// Notes what the octets at hand end with, so that a later call looks at new ones only.
    #[cfg_attr(feature = "small", inline(never))]
    pub(crate) fn pause(&mut self, within: Option<Class>, window: &Window<'_>) {
        match within {
            // The CR may be that of the line's end.
            Some(Class::Value) if window.octets.last() == Some(&b'\r') => {}
            Some(class) => self.remember(class, window.octets.len()),
            None => {}
        }
    }

    /// Consumes what lies before `rest` in the window, which is the start line.
    pub(crate) fn take_start(&mut self, window: &Window<'_>, rest: &[u8], blank: bool) -> usize {
        if !blank {
            self.stage = Stage::Fields;
        }
        self.take(window.octets.len().saturating_sub(rest.len()))
    }

    /// The next header line, or a piece of one, and how many octets it takes.
    #[cfg_attr(feature = "small", inline(never))]
    pub(crate) fn next<'i>(&mut self, limits: &Limits, input: &'i [u8]) -> Result<Option<(usize, Token<'i>)>, Flaw> {
        let window = self.window(limits, input);
        if self.unfinished(&window) {
            return Ok(None);
        }
        match self.stage {
            Stage::Fields => self.field(limits, &window),
            Stage::Value(field) => self.piece(field, &window),
            Stage::Start | Stage::Done => Ok(None),
        }
    }

    fn field<'i>(&mut self, limits: &Limits, window: &Window<'i>) -> Result<Option<(usize, Token<'i>)>, Flaw> {
        match window.octets.first() {
            Some(b' ' | b'\t') if self.headers == 0 => return Err(HeadFault::SpaceBeforeHeaders.into()),
            Some(b' ' | b'\t') => return Err(HeadFault::ObsoleteFold.into()),
            Some(octet) if *octet != b'\r' && self.headers >= limits.max_headers => {
                return Err(HeadFault::TooManyHeaders.into());
            }
            Some(_) | None => (),
        }
        let (rest, line) = match grammar::field_line(window.octets) {
            Ok(parsed) => parsed,
            Err(Stop::Wrong(flaw)) => return Err(flaw),
            Err(Stop::More(within)) => return self.field_unfinished(within, window),
        };
        let used = self.take(window.octets.len().saturating_sub(rest.len()));
        let Some((name, value)) = line else {
            self.stage = Stage::Done;
            return Ok(Some((used, Token::End)));
        };
        self.headers = self.headers.saturating_add(1);
        let field = Field::of(name);
        Ok(Some((used, Token::Field { field, name: Text::new(name), value: value.trim_ascii(), last: true })))
    }

    /// A header line that the window does not hold: more of it is to come, or it goes on in pieces, or it is too long.
    fn field_unfinished<'i>(
        &mut self,
        within: Option<Class>,
        window: &Window<'i>,
    ) -> Result<Option<(usize, Token<'i>)>, Flaw> {
        match (window.bound, within) {
            (None, within) => {
                self.pause(within, window);
                Ok(None)
            }
            (Some(Bound::Line), Some(Class::Value)) => {
                let colon = window.octets.iter().position(|octet| *octet == b':').unwrap_or_default();
                let (name, value) = window.octets.split_at_checked(colon).unwrap_or_default();
                let value = so_far(value.get(1..).unwrap_or_default());
                let field = Field::of(name);
                // A list's first element may need all the room that the name takes.
                let front = front(field, value).unwrap_or_default();
                if front.is_empty() && field.cut() == Cut::Never {
                    return Err(HeadFault::LineTooLong.into());
                }
                self.headers = self.headers.saturating_add(1);
                self.stage = Stage::Value(field);
                let used = self.take(name.len().saturating_add(1).saturating_add(front.len()));
                let value = front.trim_ascii_start();
                Ok(Some((used, Token::Field { field, name: Text::new(name), value, last: false })))
            }
            (Some(bound), _) => Err(bound.fault().into()),
        }
    }

    fn piece<'i>(&mut self, field: Field, window: &Window<'i>) -> Result<Option<(usize, Token<'i>)>, Flaw> {
        match (grammar::field_value(window.octets), window.bound) {
            (Ok((rest, value)), _) => {
                self.stage = Stage::Fields;
                let used = self.take(window.octets.len().saturating_sub(rest.len()));
                Ok(Some((used, Token::Piece { field, value: value.trim_ascii_end(), last: true })))
            }
            (Err(Stop::Wrong(flaw)), _) => Err(flaw),
            (Err(Stop::More(within)), None) => {
                self.pause(within, window);
                Ok(None)
            }
            (Err(Stop::More(Some(Class::Value))), Some(Bound::Line)) => {
                let value = front(field, so_far(window.octets)).ok_or(HeadFault::LineTooLong)?;
                Ok(Some((self.take(value.len()), Token::Piece { field, value, last: false })))
            }
            (Err(Stop::More(_)), Some(bound)) => Err(bound.fault().into()),
        }
    }

    fn remember(&mut self, class: Class, seen: usize) {
        self.class = class;
        // A longer line is merely looked at again from an octet that was seen before.
        self.seen = u16::try_from(seen).unwrap_or(u16::MAX);
    }

    #[cfg_attr(feature = "small", inline(never))]
    fn take(&mut self, used: usize) -> usize {
        self.seen = 0;
        self.taken = self.taken.saturating_add(u32::try_from(used).unwrap_or(u32::MAX));
        used
    }
}

/// The value in what has come of one, without a CR that may begin its line's end.
fn so_far(value: &[u8]) -> &[u8] {
    value.strip_suffix(b"\r").unwrap_or(value)
}

/// The front of a value that is too long to be seen at once, as much as may be taken by itself; at least one octet.
fn front(field: Field, value: &[u8]) -> Option<&[u8]> {
    let len = match field.cut() {
        Cut::Never => 0,
        Cut::Comma => match value::after_last_comma(value) {
            0 => value.len().saturating_sub(value.trim_ascii_start().len()),
            len => len,
        },
        Cut::Anywhere => value.len(),
    };
    value.get(..len).filter(|front| !front.is_empty())
}
