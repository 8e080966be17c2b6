//! The smallest parts of a head, by nom's parsers.

use crate::class::Class;
use crate::octets::{leaf, literal as octets};
use crate::parts::{Found, before};
use nom::branch::alt;
use nom::bytes::complete::{take_while, take_while1};
use nom::bytes::streaming;
use nom::combinator::opt;
use nom::multi::{fold_many0, fold_many1};
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser};

type Octets<'i> = IResult<&'i [u8], &'i [u8], ()>;

/// What lies behind the octets of `class` in front, and these; `None` if all are, so that more may come.
#[inline]
pub(crate) fn run(class: Class, input: &[u8]) -> Option<(&[u8], &[u8])> {
    leaf(streaming::take_while(|octet| class.has(octet)), input).ok()
}

/// Whether `expect` lies in front.
#[inline]
pub(crate) fn literal<'i>(expect: &'static [u8], input: &'i [u8]) -> Found<'i> {
    match leaf(streaming::tag(expect), input) {
        Ok((rest, _)) => Found::All(rest),
        Err(nom::Err::Incomplete(_)) => Found::Part,
        Err(nom::Err::Error(()) | nom::Err::Failure(())) => Found::Other,
    }
}

/// An IPv6 address in brackets, or a name or IPv4 address (RFC 3986 section 3.2.2); gives what is behind it.
pub(crate) fn host(input: &[u8]) -> Option<&[u8]> {
    let ip = |input| leaf(take_while1(|octet| Class::Address.has(octet)), input);
    let name = |input| leaf(take_while1(|octet| Class::HostName.has(octet)), input);
    let found: Octets<'_> = alt((delimited(octets(b"["), ip, octets(b"]")), name)).parse(input);
    found.ok().map(|(rest, _)| rest)
}

/// `extension-token *( ";" extension-param )`: what is behind it, its name and its parameters.
pub(crate) fn extension(input: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (params, name) = token(input).ok()?;
    let (rest, ()) = fold_many0(one_param, || (), |(), _| ()).parse(params).ok()?;
    Some((rest, name, before(params, rest)))
}

/// `";" token [ "=" ( token / quoted-string ) ]`, with whitespace around the semicolon (RFC 9110 section 5.6.6): what is behind it,
/// its name and its value, without quotes.
#[allow(clippy::type_complexity)] // Three slices need no name.
pub(crate) fn param(input: &[u8]) -> Option<(&[u8], &[u8], Option<&[u8]>)> {
    one_param(input).ok().map(|(rest, (name, value))| (rest, name, value))
}

#[allow(clippy::type_complexity)] // A pair of slices needs no name.
fn one_param(input: &[u8]) -> IResult<&[u8], (&[u8], Option<&[u8]>), ()> {
    let value = preceded(octets(b"="), alt((token, quoted)));
    preceded((spaces, octets(b";"), spaces), pair(token, opt(value))).parse(input)
}

fn spaces(input: &[u8]) -> Octets<'_> {
    leaf(take_while(|octet| Class::Space.has(octet)), input)
}

fn token(input: &[u8]) -> Octets<'_> {
    leaf(take_while1(|octet| Class::Token.has(octet)), input)
}

/// A quoted string, without its quotes: "the value after quoted-string unescaping MUST conform to the 'token' ABNF".
fn quoted(input: &[u8]) -> Octets<'_> {
    let (inner, _) = octets(b"\"")(input)?;
    let (rest, ()) = fold_many1(alt((token, escaped)), || (), |(), _| ()).parse(inner)?;
    let (behind, _) = octets(b"\"")(rest)?;
    Ok((behind, before(inner, rest)))
}

/// A backslash and the octet that it stands for.
fn escaped(input: &[u8]) -> Octets<'_> {
    match input.split_first_chunk() {
        Some(([b'\\', octet], rest)) if Class::Token.has(*octet) => Ok((rest, before(input, rest))),
        Some(_) | None => Err(nom::Err::Error(())),
    }
}
