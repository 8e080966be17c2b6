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

pub(crate) fn is_token_octets(octets: &[u8]) -> bool {
    !octets.is_empty() && Class::Token.has_all(octets)
}

/// A request line, or `None` for an empty line (RFC 9112 sections 2.2 and 3).
pub(crate) fn request_line(mut input: &[u8]) -> Parsed<'_, Option<RequestLine<'_>>> {
    let at = &mut input;
    if at.first() == Some(&b'\r') {
        line_end(at, None, Flaw::Start)?;
        return Ok((input, None));
    }
    let method = some(Class::Token, at, Flaw::Start)?;
    literal(b" ", at, None, Flaw::Start)?;
    let target = some(Class::Target, at, Flaw::Start)?;
    literal(b" ", at, None, Flaw::Start)?;
    let minor = version(at)?;
    line_end(at, None, Flaw::Start)?;
    Ok((input, Some(RequestLine { method, target, minor })))
}

/// A status line (RFC 9112 section 4). The space before an empty reason phrase may be missing: the phrase means nothing, so
/// that nothing can be misread.
pub(crate) fn status_line(mut input: &[u8]) -> Parsed<'_, StatusLine<'_>> {
    let at = &mut input;
    let minor = version(at)?;
    literal(b" ", at, None, Flaw::Start)?;
    let mut code = 0u16;
    for _ in 0..3 {
        // Three decimal digits: at most 999.
        code = code.wrapping_mul(10).wrapping_add(u16::from(digit(at)?));
    }
    let mut reason: &[u8] = &[];
    if at.first() != Some(&b'\r') {
        literal(b" ", at, None, Flaw::Start)?;
        reason = any(Class::Value, at)?;
    }
    line_end(at, None, Flaw::Start)?;
    Ok((input, StatusLine { minor, code, reason }))
}

/// A header line's name and value, the whitespace around the value included; or `None` for the line that ends the head.
#[allow(clippy::type_complexity)] // A pair of slices needs no name.
pub(crate) fn field_line(mut input: &[u8]) -> Parsed<'_, Option<(&[u8], &[u8])>> {
    let at = &mut input;
    if at.first() == Some(&b'\r') {
        line_end(at, None, HeadFault::BareCr.into())?;
        return Ok((input, None));
    }
    let name = some(Class::Token, at, HeadFault::NameInvalid.into())?;
    let wrong = match at.first() {
        Some(b' ' | b'\t') => HeadFault::SpaceBeforeColon,
        Some(b'\r') => HeadFault::ColonMissing,
        _ => HeadFault::NameInvalid,
    };
    literal(b":", at, None, wrong.into())?;
    let (rest, value) = field_value(input)?;
    Ok((rest, Some((name, value))))
}

/// The rest of a header's value, and its line's end.
pub(crate) fn field_value(mut input: &[u8]) -> Parsed<'_, &[u8]> {
    let at = &mut input;
    let value = any(Class::Value, at)?;
    line_end(at, Some(Class::Value), HeadFault::ValueInvalid.into())?;
    Ok((input, value))
}

/// "HTTP/1." and a digit, which is the answer. Another major version is not spoken here.
fn version(at: &mut &[u8]) -> Result<u8, Stop> {
    literal(b"HTTP/", at, None, Flaw::Start)?;
    if digit(at)? != 1 {
        return Err(Stop::Wrong(Flaw::Version));
    }
    literal(b".", at, None, Flaw::Start)?;
    digit(at)
}

fn digit(at: &mut &[u8]) -> Result<u8, Stop> {
    match at.split_first() {
        Some((&octet @ b'0'..=b'9', rest)) => {
            *at = rest;
            Ok(octet & 0x0f)
        }
        Some(_) => Err(Stop::Wrong(stray(at, Flaw::Start))),
        None => Err(Stop::More(None)),
    }
}

/// CRLF; anything else but a CR or LF by itself is `otherwise`.
fn line_end(at: &mut &[u8], more: Option<Class>, otherwise: Flaw) -> Result<(), Stop> {
    let wrong = if at.first() == Some(&b'\r') { HeadFault::BareCr.into() } else { otherwise };
    literal(b"\r\n", at, more, wrong)
}

/// One octet of a class or more, up to the first that is none.
#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline)]
fn some<'i>(class: Class, at: &mut &'i [u8], wrong: Flaw) -> Result<&'i [u8], Stop> {
    match any(class, at)? {
        [] => Err(Stop::Wrong(stray(at, wrong))),
        found => Ok(found),
    }
}

/// Octets of a class, up to the first that is none; perhaps there are none before it.
#[inline]
fn any<'i>(class: Class, at: &mut &'i [u8]) -> Result<&'i [u8], Stop> {
    let (rest, found) = parts::run(class, at).ok_or(Stop::More(Some(class)))?;
    *at = rest;
    Ok(found)
}

/// These octets.
#[cfg_attr(feature = "small", inline(never))]
#[cfg_attr(not(feature = "small"), inline)]
fn literal(expect: &'static [u8], at: &mut &[u8], more: Option<Class>, wrong: Flaw) -> Result<(), Stop> {
    match parts::literal(expect, at) {
        Found::All(rest) => {
            *at = rest;
            Ok(())
        }
        Found::Part => Err(Stop::More(more)),
        Found::Other => Err(Stop::Wrong(stray(at, wrong))),
    }
}

/// What is wrong with the first octet of `rest`: an LF is always a line end without its CR.
fn stray(rest: &[u8], otherwise: Flaw) -> Flaw {
    if rest.first() == Some(&b'\n') { HeadFault::BareLf.into() } else { otherwise }
}
