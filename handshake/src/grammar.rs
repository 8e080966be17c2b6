//! The grammar of HTTP/1.1 head lines (RFC 9112 sections 3 to 5), with nom's streaming parsers.
//!
//! They read from left to right and never back, so that an octet that cannot be right is refused when it arrives: any prefix
//! of a line gets the answer of the line itself, or `More`. The same functions read a head again for a view of it.

use crate::fault::HeadFault;
use crate::octets::{Octets, leaf};
use crate::refusal::Refusal;
use crate::response_fault::ResponseFault;
use nom::Parser;
use nom::bytes::streaming::{tag, take_while, take_while1};

/// Why a line is not parsed.
pub(crate) enum Stop<'i, E> {
    /// It ends within this part, and all of it so far is right.
    More(Part<'i>),
    /// It is wrong, whatever comes.
    Wrong(E),
}

/// Where in a line the octets at hand end.
#[derive(Clone, Copy)]
pub(crate) enum Part<'i> {
    /// In a method or a header's name.
    Token,
    /// In the request target.
    Target,
    /// In a header's value or a reason phrase, which is this so far. A CR that may begin its line's end is not part of it.
    Value { name: &'i [u8], value: &'i [u8] },
    /// In anything of which only a few octets can come.
    Short,
}

/// The octets behind what was parsed, and what it is.
type Parsed<'i, T, E> = Result<(&'i [u8], T), Stop<'i, E>>;

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
    !octets.is_empty() && octets.iter().copied().all(is_tchar)
}

pub(crate) const fn is_tchar(octet: u8) -> bool {
    matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'z' | b'|' | b'~')
}

/// Visible ASCII but for "#": a fragment must not be in a target (RFC 6455 section 3). Browsers send some octets that
/// RFC 3986 would have percent-encoded, such as "|", so that no more than this is demanded.
pub(crate) const fn is_target(octet: u8) -> bool {
    matches!(octet, b'!'..=b'~') && octet != b'#'
}

/// What a header's value may hold (RFC 9110 section 5.5): no CR, LF or NUL, and no other control octet but the tab.
pub(crate) const fn is_field(octet: u8) -> bool {
    matches!(octet, b'\t' | b' '..=b'~' | 0x80..=0xff)
}

/// A request line, or `None` for an empty line (RFC 9112 sections 2.2 and 3).
pub(crate) fn request_line(input: &[u8]) -> Parsed<'_, Option<RequestLine<'_>>, Refusal> {
    const INVALID: Refusal = Refusal::RequestLineInvalid;
    if input.first() == Some(&b'\r') {
        return line_end(input, Part::Short, Refusal::Head(HeadFault::BareCr)).map(|(rest, ())| (rest, None));
    }
    let (rest, method) = part(take_while1(is_tchar), input, Part::Token, INVALID)?;
    let (rest, _) = part(tag(&b" "[..]), rest, Part::Short, INVALID)?;
    let (rest, target) = part(take_while1(is_target), rest, Part::Target, INVALID)?;
    let (rest, _) = part(tag(&b" "[..]), rest, Part::Short, INVALID)?;
    let (rest, minor) = version(rest, INVALID, Refusal::HttpVersionUnsupported)?;
    let (rest, ()) = line_end(rest, Part::Short, INVALID)?;
    Ok((rest, Some(RequestLine { method, target, minor })))
}

/// A status line (RFC 9112 section 4). The space before an empty reason phrase may be missing: the phrase means nothing, so
/// that nothing can be misread.
pub(crate) fn status_line(input: &[u8]) -> Parsed<'_, StatusLine<'_>, ResponseFault> {
    const INVALID: ResponseFault = ResponseFault::StatusLineInvalid;
    let (rest, minor) = version(input, INVALID, ResponseFault::HttpVersionUnsupported)?;
    let (rest, _) = part(tag(&b" "[..]), rest, Part::Short, INVALID)?;
    let (rest, hundreds) = digit(rest, INVALID)?;
    let (rest, tens) = digit(rest, INVALID)?;
    let (rest, ones) = digit(rest, INVALID)?;
    // Three decimal digits: at most 999.
    let code = u16::from(hundreds).wrapping_mul(100).wrapping_add(u16::from(tens.wrapping_mul(10).wrapping_add(ones)));
    if rest.first() == Some(&b'\r') {
        let (rest, ()) = line_end(rest, Part::Short, INVALID)?;
        return Ok((rest, StatusLine { minor, code, reason: &[] }));
    }
    let (rest, _) = part(tag(&b" "[..]), rest, Part::Short, INVALID)?;
    let so_far = Part::Value { name: &[], value: rest };
    let (rest, reason) = part(take_while(is_field), rest, so_far, INVALID)?;
    let (rest, ()) = line_end(rest, Part::Short, INVALID)?;
    Ok((rest, StatusLine { minor, code, reason }))
}

/// A header line's name and value, the whitespace around the value included; or `None` for the line that ends the head.
#[allow(clippy::type_complexity)] // A pair of slices needs no name.
pub(crate) fn field_line(input: &[u8]) -> Parsed<'_, Option<(&[u8], &[u8])>, HeadFault> {
    if input.first() == Some(&b'\r') {
        return line_end(input, Part::Short, HeadFault::BareCr).map(|(rest, ())| (rest, None));
    }
    let (rest, name) = part(take_while1(is_tchar), input, Part::Token, HeadFault::NameInvalid)?;
    let wrong = match rest.first() {
        Some(b' ' | b'\t') => HeadFault::SpaceBeforeColon,
        Some(b'\r') => HeadFault::ColonMissing,
        _ => HeadFault::NameInvalid,
    };
    let (rest, _) = part(tag(&b":"[..]), rest, Part::Short, wrong)?;
    let (rest, value) = field_value(name, rest)?;
    Ok((rest, Some((name, value))))
}

/// The rest of a header's value, and its line's end.
pub(crate) fn field_value<'i>(name: &'i [u8], input: &'i [u8]) -> Parsed<'i, &'i [u8], HeadFault> {
    let so_far = Part::Value { name, value: input };
    let (rest, value) = part(take_while(is_field), input, so_far, HeadFault::ValueInvalid)?;
    let (rest, ()) = line_end(rest, Part::Value { name, value }, HeadFault::ValueInvalid)?;
    Ok((rest, value))
}

/// "HTTP/1." and a digit. Another major version is not spoken here; what is no version at all is `invalid`.
fn version<E: From<HeadFault> + Copy>(input: &[u8], invalid: E, unsupported: E) -> Parsed<'_, u8, E> {
    let (rest, _) = part(tag(&b"HTTP/"[..]), input, Part::Short, invalid)?;
    let (rest, major) = digit(rest, invalid)?;
    if major != 1 {
        return Err(Stop::Wrong(unsupported));
    }
    let (rest, _) = part(tag(&b"."[..]), rest, Part::Short, invalid)?;
    digit(rest, invalid)
}

fn digit<E: From<HeadFault>>(input: &[u8], invalid: E) -> Parsed<'_, u8, E> {
    match input.split_first() {
        Some((&octet @ b'0'..=b'9', rest)) => Ok((rest, octet & 0x0f)),
        Some(_) => Err(Stop::Wrong(stray(input, invalid))),
        None => Err(Stop::More(Part::Short)),
    }
}

/// CRLF; anything else but a CR or LF by itself is `otherwise`.
fn line_end<'i, E: From<HeadFault>>(input: &'i [u8], more: Part<'i>, otherwise: E) -> Parsed<'i, (), E> {
    let wrong = if input.first() == Some(&b'\r') { HeadFault::BareCr.into() } else { otherwise };
    part(tag(&b"\r\n"[..]), input, more, wrong).map(|(rest, _)| (rest, ()))
}

/// Applies one of nom's parsers to `input`, and gives its answer the meaning that it has here.
fn part<'i, E: From<HeadFault>>(
    parser: impl Parser<Octets<'i>, Output = Octets<'i>, Error = ()>,
    input: &'i [u8],
    more: Part<'i>,
    wrong: E,
) -> Parsed<'i, &'i [u8], E> {
    match leaf(parser, input) {
        Ok(parsed) => Ok(parsed),
        Err(nom::Err::Incomplete(_)) => Err(Stop::More(more)),
        Err(nom::Err::Error(()) | nom::Err::Failure(())) => Err(Stop::Wrong(stray(input, wrong))),
    }
}

/// What is wrong with the first octet of `rest`: an LF is always a line end without its CR.
fn stray<E: From<HeadFault>>(rest: &[u8], otherwise: E) -> E {
    if rest.first() == Some(&b'\n') { HeadFault::BareLf.into() } else { otherwise }
}
