//! The smallest parts of a head, by hand: the twin of nom's parsers for machines whose flash is small, whose views and
//! lists of extensions need it. Their scanners have a table.

use crate::class::Class;
use crate::parts::{Found, before, behind};

/// What lies behind the octets of `class` in front, and these; `None` if all are, so that more may come.
pub(crate) fn run(class: Class, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = input;
    let found = skip(class, &mut rest);
    if rest.is_empty() { None } else { Some((rest, found)) }
}

/// Whether `expect` lies in front.
pub(crate) fn literal<'i>(expect: &'static [u8], input: &'i [u8]) -> Found<'i> {
    let mut rest = input;
    for due in expect {
        match rest.split_first() {
            Some((octet, behind)) if octet == due => rest = behind,
            Some(_) => return Found::Other,
            None => return Found::Part,
        }
    }
    Found::All(rest)
}

/// `extension-token *( ";" extension-param )`: what is behind it, its name and its parameters.
pub(crate) fn extension(mut input: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let name = token(&mut input)?;
    let params = input;
    while let Some((rest, ..)) = param(input) {
        input = rest;
    }
    Some((input, name, before(params, input)))
}

/// `";" token [ "=" ( token / quoted-string ) ]`, with whitespace around the semicolon (RFC 9110 section 5.6.6): what is behind it,
/// its name and its value, without quotes.
#[allow(clippy::type_complexity)] // Three slices need no name.
pub(crate) fn param(mut input: &[u8]) -> Option<(&[u8], &[u8], Option<&[u8]>)> {
    let at = &mut input;
    skip(Class::Space, at);
    if !octet(b';', at) {
        return None;
    }
    skip(Class::Space, at);
    let name = token(at)?;
    let mut behind = input;
    // What is no value stays there, and with its "=" is the end of the list.
    match octet(b'=', &mut behind).then(|| value(&mut behind)) {
        Some(Some(value)) => Some((behind, name, Some(value))),
        Some(None) | None => Some((input, name, None)),
    }
}

/// A token, or a quoted string without its quotes: "the value after quoted-string unescaping MUST conform to the 'token' ABNF".
fn value<'i>(at: &mut &'i [u8]) -> Option<&'i [u8]> {
    if !octet(b'"', at) {
        return token(at);
    }
    let inner = *at;
    loop {
        skip(Class::Token, at);
        if !octet(b'\\', at) {
            break;
        }
        // The octet that the backslash stands for.
        let (_, rest) = at.split_first().filter(|(octet, _)| Class::Token.has(**octet))?;
        *at = rest;
    }
    let found = before(inner, at);
    (octet(b'"', at) && !found.is_empty()).then_some(found)
}

fn token<'i>(at: &mut &'i [u8]) -> Option<&'i [u8]> {
    Some(skip(Class::Token, at)).filter(|found| !found.is_empty())
}

/// Takes the octets of `class` in front.
#[inline(never)]
fn skip<'i>(class: Class, at: &mut &'i [u8]) -> &'i [u8] {
    let rest = behind(class, at);
    let found = before(at, rest);
    *at = rest;
    found
}

/// Takes this octet, if it is in front.
#[inline(never)]
fn octet(due: u8, at: &mut &[u8]) -> bool {
    let Some((&octet, rest)) = at.split_first() else { return false };
    if octet == due {
        *at = rest;
    }
    octet == due
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::by_nom;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Octets of which the parts are made, and a few that none of them has.
    fn octets() -> impl Strategy<Value = Vec<u8>> {
        let octet = prop::sample::select(&b"aZ09;;==,,\"\"\\\\  \t[]:./-%HTTP\r\n\0\x7f\xff"[..]);
        prop::collection::vec(octet, 0..24)
    }

    fn same(input: &[u8]) {
        for class in [Class::Token, Class::Target, Class::Value, Class::Space] {
            assert_eq!(run(class, input), by_nom::run(class, input), "{input:x?}");
        }
        for expect in [&b" "[..], b":", b"HTTP/", b"\r\n"] {
            assert_eq!(literal(expect, input), by_nom::literal(expect, input), "{input:x?}");
        }
        assert_eq!(extension(input), by_nom::extension(input), "{input:x?}");
        assert_eq!(param(input), by_nom::param(input), "{input:x?}");
    }

    proptest! {
        #[test]
        fn both_find_the_same(input in octets()) {
            same(&input);
        }

        /// Nearly legal ones reach deeper.
        #[test]
        fn both_find_the_same_parameters(input in r#"[a;]?[ ;]{0,3}[a1]{0,2}[ ]?=?"?[a\\"1 ]{0,5}"?[ ;,=]{0,2}a?"#) {
            same(input.as_bytes());
        }

        #[test]
        fn any_octets_do(input in prop::collection::vec(any::<u8>(), 0..12)) {
            same(&input);
        }
    }

    #[test]
    fn every_cut_of_what_clients_send() {
        let values = [
            "permessage-deflate; client_max_window_bits; server_max_window_bits=\"1\\0\", x",
            "a;b=\"\"",
            "a;b=\"\\",
            "a;b=\"\\\"\"",
            ";a=b",
            ";a=",
            "HTTP/1.1\r\n",
        ];
        for value in values {
            for end in 0..=value.len() {
                for begin in 0..=end {
                    same(&value.as_bytes()[begin..end]);
                }
            }
        }
    }
}
