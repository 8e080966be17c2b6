//! The grammar of HTTP/1.1 head lines (RFC 9112 sections 3 to 5), over streaming parsers of their parts.
//!
//! They read from left to right and never back, so that an octet that cannot be right is refused when it arrives: any prefix
//! of a line gets the answer of the line itself, or `More`. The same functions read a head again for a view of it.

use crate::class::Class;
use crate::fault::HeadFault;
use crate::parts::{self, Found};

/// Why a line is not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// All of it so far is right, and more is to come: of any number of octets of a class, or of a few. Behind a value that may be
    /// the LF of its line's end.
    More(Option<Class>),
    /// It is wrong, whatever comes.
    Wrong(Flaw),
}

/// What is wrong with a line, before a role gives it its own name for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It breaks what all lines of a head have in common.
    Head(HeadFault),
    /// It is no start line.
    Start,
    /// It speaks another major version of HTTP.
    Version,
}

impl From<HeadFault> for Flaw {
    fn from(fault: HeadFault) -> Self {
        Self::Head(fault)
    }
}

/// The octets behind what was parsed, and what it is.
type Parsed<'i, T> = Result<(&'i [u8], T), Stop>;

#[derive(Clone, Copy)]
pub(crate) struct RequestLine<'i> {
    pub(crate) method: &'i [u8],
    pub(crate) target: &'i [u8],
    /// The digit behind "HTTP/1.".
    pub(crate) minor: u8,
}

#[derive(Clone, Copy)]
#[cfg_attr(feature = "small", allow(dead_code))] // A view shows the code alone.
pub(crate) struct StatusLine<'i> {
    /// The digit behind "HTTP/1.".
    pub(crate) minor: u8,
    pub(crate) code: u16,
    pub(crate) reason: &'i [u8],
}

/// Whether `text` is a token (RFC 9110 section 5.6.2), as names of headers, subprotocols and extensions are.
pub fn is_token(text: &str) -> bool {
    is_token_octets(text.as_bytes())
}

#[cfg_attr(feature = "small", inline(never))]
pub(crate) fn is_token_octets(octets: &[u8]) -> bool {
    !octets.is_empty() && Class::Token.has_all(octets)
}

/// A request line, or `None` for an empty line (RFC 9112 sections 2.2 and 3).
pub(crate) fn request_line(input: &[u8]) -> Parsed<'_, Option<RequestLine<'_>>> {
    let mut line = Cursor::new(input, Flaw::Start);
    if line.is_at_end() {
        line.end();
        return line.parsed(None);
    }
    let method = line.some(Class::Token);
    line.literal(b" ");
    let target = line.some(Class::Target);
    line.literal(b" ");
    let minor = line.version();
    line.end();
    line.parsed(Some(RequestLine { method, target, minor }))
}

/// A status line (RFC 9112 section 4). The space before an empty reason phrase may be missing: the phrase means nothing, so
/// that nothing can be misread.
pub(crate) fn status_line(input: &[u8]) -> Parsed<'_, StatusLine<'_>> {
    let mut line = Cursor::new(input, Flaw::Start);
    let minor = line.version();
    line.literal(b" ");
    let mut code = 0u16;
    for _ in 0..3 {
        // Three decimal digits: at most 999.
        code = code.wrapping_mul(10).wrapping_add(u16::from(line.digit()));
    }
    let mut reason: &[u8] = &[];
    if !line.is_at_end() {
        line.literal(b" ");
        reason = line.any(Class::Value);
    }
    line.end();
    line.parsed(StatusLine { minor, code, reason })
}

/// A header line's name and value, the whitespace around the value included; or `None` for the line that ends the head.
#[allow(clippy::type_complexity)] // A pair of slices needs no name.
pub(crate) fn field_line(input: &[u8]) -> Parsed<'_, Option<(&[u8], &[u8])>> {
    let (rest, name) = field_name(input)?;
    let Some(name) = name else { return Ok((rest, None)) };
    let (rest, value) = field_value(rest)?;
    Ok((rest, Some((name, value))))
}

/// A header's name, and the colon behind it; or `None` for the line that ends the head.
pub(crate) fn field_name(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let mut line = Cursor::new(input, HeadFault::NameInvalid.into());
    if line.is_at_end() {
        line.end();
        return line.parsed(None);
    }
    let name = line.some(Class::Token);
    match line.rest.first() {
        Some(b' ' | b'\t') => line.otherwise = HeadFault::SpaceBeforeColon.into(),
        Some(b'\r') => line.otherwise = HeadFault::ColonMissing.into(),
        _ => {}
    }
    line.literal(b":");
    line.parsed(Some(name))
}

/// The rest of a header's value, and its line's end.
pub(crate) fn field_value(input: &[u8]) -> Parsed<'_, &[u8]> {
    let mut line = Cursor::new(input, HeadFault::ValueInvalid.into());
    let value = line.any(Class::Value);
    line.end();
    if let Some(Stop::More(within)) = &mut line.stop {
        *within = Some(Class::Value);
    }
    line.parsed(value)
}

/// Reads a line from its front, until something stops it: then it stays where it is, and whatever is read is empty, so that who reads
/// looks at the end alone whether all went well.
struct Cursor<'i> {
    rest: &'i [u8],
    stop: Option<Stop>,
    /// What is wrong with an octet that is.
    otherwise: Flaw,
}

impl<'i> Cursor<'i> {
    const fn new(input: &'i [u8], otherwise: Flaw) -> Self {
        Self { rest: input, stop: None, otherwise }
    }

    fn parsed<T>(self, line: T) -> Parsed<'i, T> {
        match self.stop {
            None => Ok((self.rest, line)),
            Some(stop) => Err(stop),
        }
    }

    /// What stops it first counts.
    fn stop(&mut self, stop: Stop) {
        self.stop = self.stop.or(Some(stop));
    }

    /// The next octet is wrong: an LF is always a line end without its CR.
    fn refuse(&mut self) {
        let flaw = if self.rest.first() == Some(&b'\n') { HeadFault::BareLf.into() } else { self.otherwise };
        self.stop(Stop::Wrong(flaw));
    }

    /// Octets of a class, up to the first that is none; perhaps there are none before it.
    fn any(&mut self, class: Class) -> &'i [u8] {
        if self.stop.is_some() {
            return &[];
        }
        let Some((rest, found)) = parts::run(class, self.rest) else {
            self.stop = Some(Stop::More(Some(class)));
            return &[];
        };
        self.rest = rest;
        found
    }

    /// One octet of a class or more, up to the first that is none.
    fn some(&mut self, class: Class) -> &'i [u8] {
        let found = self.any(class);
        if found.is_empty() {
            self.refuse();
        }
        found
    }

    /// These octets.
    #[cfg_attr(feature = "small", inline(never))]
    fn literal(&mut self, expect: &'static [u8]) {
        if self.stop.is_some() {
            return;
        }
        match parts::literal(expect, self.rest) {
            Found::All(rest) => self.rest = rest,
            Found::Part => self.stop(Stop::More(None)),
            Found::Other => self.refuse(),
        }
    }

    /// A digit's value.
    #[cfg_attr(feature = "small", inline(never))]
    fn digit(&mut self) -> u8 {
        match self.rest.split_first() {
            _ if self.stop.is_some() => return 0,
            Some((&octet @ b'0'..=b'9', rest)) => {
                self.rest = rest;
                return octet & 0x0f;
            }
            Some(_) => self.refuse(),
            None => self.stop(Stop::More(None)),
        }
        0
    }

    /// "HTTP/1." and a digit, which is the answer. Another major version is not spoken here.
    fn version(&mut self) -> u8 {
        self.literal(b"HTTP/");
        if self.digit() != 1 {
            self.stop(Stop::Wrong(Flaw::Version));
        }
        self.literal(b".");
        self.digit()
    }

    /// Whether a line's end begins here.
    fn is_at_end(&self) -> bool {
        self.rest.first() == Some(&b'\r')
    }

    /// CRLF.
    fn end(&mut self) {
        if self.is_at_end() {
            self.otherwise = HeadFault::BareCr.into();
        }
        self.literal(b"\r\n");
    }
}
