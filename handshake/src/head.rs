//! The lines of a head, one after the other: what the scanners of both roles have in common.

use crate::class::Class;
use crate::count::{self, Headers, Octets};
use crate::fault::HeadFault;
use crate::field::Field;
use crate::flags::Flags;
use crate::grammar::{self, Flaw, Stop};
use crate::limits::Limits;
use crate::line::Text;
use crate::parts;
use crate::seen::Seen;
use crate::value;

/// How far a head is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// Octets that were consumed.
    taken: Octets,
    /// What was found right of the line at hand in an earlier call.
    seen: Seen,
    headers: Headers,
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
    /// A header's value or a piece of one; the first has the header's name.
    Value {
        field: Field,
        name: Option<Text<'i>>,
        value: &'i [u8],
        last: bool,
    },
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
        Self { taken: 0, seen: Seen::none(), headers: 0, stage: Stage::Start, facts: Flags::new() }
    }

    /// Octets that were consumed.
    #[allow(clippy::unnecessary_cast)] // It is one with `small`.
    pub(crate) const fn taken(&self) -> u32 {
        self.taken as u32
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
    pub(crate) fn window<'i>(&self, limits: &Limits, input: &'i [u8]) -> Window<'i> {
        let left = count::octets(limits.max_head_bytes).saturating_sub(self.taken);
        let line = count::octets(limits.max_line_bytes);
        #[allow(clippy::unnecessary_fallible_conversions)] // With `small` it cannot fail.
        let most = usize::try_from(left.min(line)).unwrap_or(usize::MAX);
        match input.get(..most) {
            Some(octets) => Window { octets, bound: Some(if left <= line { Bound::Head } else { Bound::Line }) },
            None => Window { octets: input, bound: None },
        }
    }

    /// Whether the line at hand is still unfinished, known from the new octets alone.
    pub(crate) fn unfinished(&mut self, window: &Window<'_>) -> bool {
        self.seen.unfinished(window)
    }

    /// Notes what the octets at hand end with, so that a later call looks at new ones only.
    pub(crate) fn pause(&mut self, within: Option<Class>, window: &Window<'_>) {
        self.seen.pause(within, window);
    }

    /// Consumes what lies before `rest` in the window, which is the start line.
    pub(crate) fn take_start(&mut self, window: &Window<'_>, rest: &[u8], blank: bool) -> usize {
        if !blank {
            self.stage = Stage::Fields;
        }
        self.take_to(window, rest)
    }

    /// The next header line, or a piece of one, and how many octets it takes.
    pub(crate) fn next<'i>(&mut self, limits: &Limits, input: &'i [u8]) -> Result<Option<(usize, Token<'i>)>, Flaw> {
        let window = self.window(limits, input);
        if self.unfinished(&window) {
            return Ok(None);
        }
        let (field, name, behind) = match self.stage {
            Stage::Fields => {
                self.check_first(limits, window.octets)?;
                match grammar::field_name(window.octets) {
                    Ok((rest, Some(name))) => (Field::of(name), Some(name), rest),
                    Ok((rest, None)) => {
                        self.stage = Stage::Done;
                        return Ok(Some((self.take_to(&window, rest), Token::End)));
                    }
                    Err(stop) => return self.stopped(stop, &window),
                }
            }
            Stage::Value(field) => (field, None, window.octets),
            Stage::Start | Stage::Done => return Ok(None),
        };
        let (rest, mut value, last) = match (grammar::field_value(behind), window.bound) {
            (Ok((rest, value)), _) => (rest, value::trim_end(value), true),
            (Err(Stop::More(Some(Class::Value))), Some(Bound::Line)) => {
                let (value, rest) = front(field, behind);
                // A list's first element may need all the room that the name takes.
                if value.is_empty() && (name.is_none() || cut(field) == Cut::Never) {
                    return Err(HeadFault::LineTooLong.into());
                }
                (rest, value, false)
            }
            (Err(stop), _) => return self.stopped(stop, &window),
        };
        if name.is_some() {
            value = parts::behind(Class::Space, value);
            self.headers = self.headers.saturating_add(1);
        }
        self.stage = if last { Stage::Fields } else { Stage::Value(field) };
        Ok(Some((self.take_to(&window, rest), Token::Value { field, name: name.map(Text::new), value, last })))
    }

    /// Refuses what no header line begins with, and one header more than may come.
    fn check_first(&self, limits: &Limits, line: &[u8]) -> Result<(), HeadFault> {
        match line.first() {
            Some(b' ' | b'\t') if self.headers == 0 => Err(HeadFault::SpaceBeforeHeaders),
            Some(b' ' | b'\t') => Err(HeadFault::ObsoleteFold),
            Some(octet) if *octet != b'\r' && self.headers >= count::headers(limits.max_headers) => {
                Err(HeadFault::TooManyHeaders)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A line that the window does not hold is to come, or too long.
    fn stopped<T>(&mut self, stop: Stop, window: &Window<'_>) -> Result<Option<T>, Flaw> {
        match (stop, window.bound) {
            (Stop::Wrong(flaw), _) => Err(flaw),
            (Stop::More(_), Some(bound)) => Err(bound.fault().into()),
            (Stop::More(within), None) => {
                self.pause(within, window);
                Ok(None)
            }
        }
    }

    /// Consumes what lies before `rest` in the window.
    fn take_to(&mut self, window: &Window<'_>, rest: &[u8]) -> usize {
        self.take(window.octets.len().saturating_sub(rest.len()))
    }

    fn take(&mut self, used: usize) -> usize {
        self.seen = Seen::none();
        // A window has no more octets than can be counted.
        self.taken = self.taken.saturating_add(Octets::try_from(used).unwrap_or(Octets::MAX));
        used
    }
}

/// How a value may be cut that is longer than what fits at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Not at all.
    Never,
    /// Behind the comma of a list.
    Comma,
    /// Anywhere.
    Anywhere,
}

const fn cut(field: Field) -> Cut {
    match field {
        Field::Upgrade | Field::Connection | Field::Protocol | Field::Extensions | Field::TransferEncoding => {
            Cut::Comma
        }
        // An origin is compared as a whole: half of one must not be taken for it.
        Field::Host | Field::Key | Field::Version | Field::Accept | Field::Origin | Field::ContentLength => Cut::Never,
        Field::Other => Cut::Anywhere,
    }
}

/// The front of a value that is too long to be seen at once, as much as may be taken by itself, and what is behind it.
fn front(field: Field, value: &[u8]) -> (&[u8], &[u8]) {
    // A CR may begin the line's end.
    let whole = value.strip_suffix(b"\r").unwrap_or(value);
    let len = match cut(field) {
        Cut::Never => 0,
        Cut::Comma => match value::after_last_comma(whole) {
            0 => whole.len().saturating_sub(parts::behind(Class::Space, whole).len()),
            len => len,
        },
        Cut::Anywhere => whole.len(),
    };
    value.split_at_checked(len).unwrap_or((&[], value))
}
