//! The values of headers that a handshake depends on.

#[cfg(any(test, not(feature = "small")))]
use crate::by_nom;
use crate::class::Class;
#[cfg(any(test, not(feature = "small")))]
use crate::extension;
#[cfg(any(test, not(feature = "small")))]
use crate::grammar::is_token_octets;
use crate::line::Text;
use crate::parts;
use crate::target::cut;

/// Octets that the grammar has found to be ASCII, as text.
pub(crate) const fn text(octets: &[u8]) -> &str {
    Text::new(octets).as_str()
}

/// The elements of a list (RFC 9110 section 5.6.1). Empty ones count for nothing.
pub(crate) const fn elements(value: &[u8]) -> Elements<'_> {
    Elements { rest: value }
}

/// Without the whitespace at its end.
#[cfg_attr(feature = "small", inline(never))]
pub(crate) const fn trim_end(value: &[u8]) -> &[u8] {
    value.trim_ascii_end()
}

/// See [`elements`].
pub(crate) struct Elements<'i> {
    rest: &'i [u8],
}

impl<'i> Iterator for Elements<'i> {
    type Item = &'i [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'i [u8]> {
        let (element, rest) = cut(parts::behind(Class::Gap, self.rest), b",");
        self.rest = rest;
        Some(trim_end(element)).filter(|element| !element.is_empty())
    }
}

/// Where the element behind the last comma begins; 0 if there is no comma. A comma between quotes is none.
#[cfg(any(test, not(feature = "small")))]
pub(crate) fn after_last_comma(value: &[u8]) -> usize {
    let (mut end, mut quoted, mut escaped) = (0, false, false);
    for (at, octet) in value.iter().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => end = at.saturating_add(1),
            _ => (),
        }
    }
    end
}

/// The element of an Upgrade list: a token, and perhaps "/" and one more (RFC 9110 section 7.8).
#[cfg(any(test, not(feature = "small")))]
pub(crate) fn is_protocol(element: &[u8]) -> bool {
    let (name, version) = cut(element, b"/");
    is_token_octets(name) && version.strip_prefix(b"/").is_none_or(is_token_octets)
}

/// Whether a value is `uri-host [ ":" port ]` (RFC 9110 section 7.2), with a host that is not empty, as HTTP demands
/// (section 4.2.1).
#[cfg(any(test, not(feature = "small")))]
pub(crate) fn is_host(value: &[u8]) -> bool {
    let Some(rest) = by_nom::host(value) else { return false };
    match rest.split_first() {
        None => true,
        Some((b':', [])) => true,
        Some((b':', port)) => decimal(port).is_some_and(|port| port <= Number::from(u16::MAX)),
        Some(_) => false,
    }
}

/// Whether two names are the same but for the case of their letters.
#[cfg_attr(feature = "small", inline(never))]
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The largest numbers that are read. A small machine takes no body of 4 GiB, and has its numbers in 32 bits.
#[cfg(not(feature = "small"))]
pub(crate) type Number = u64;
#[cfg(feature = "small")]
pub(crate) type Number = u32;

/// Digits alone, if they fit.
#[cfg(any(test, not(feature = "small")))]
pub(crate) fn decimal(digits: &[u8]) -> Option<Number> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |number: Number, digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(Number::from(digit & 0x0f)),
        _ => None,
    })
}

/// Whether a value is a serialized origin (RFC 6454 section 7.1): visible ASCII, and spaces between several.
pub(crate) fn is_origin(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|octet| matches!(octet, b' '..=b'~'))
}

/// Counts what an extension list holds; `None` if it is no such list (RFC 6455 section 9.1).
#[cfg(any(test, not(feature = "small")))]
pub(crate) fn extensions(value: &[u8]) -> Option<usize> {
    let mut list = extension::List::new(value);
    let count = list.by_ref().count();
    list.is_legal().then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_9110_section_7_2_hosts() {
        let legal = [
            "example.org",
            "example.org:80",
            "example.org:",
            "127.0.0.1:9501",
            "[::1]:80",
            "[2001:db8::1]",
            "a_b",
            "x%20y",
            "localhost:0",
            "EXAMPLE.org:65535",
        ];
        let illegal = [
            "",
            ":80",
            "a b",
            "a,b",
            "a/b",
            "user@host",
            "host:80:90",
            "host:x",
            "host:65536",
            "host:-1",
            "[::1",
            "::1",
            "[]",
            "[::1]x",
            "[x]",
            "h\u{e4}",
            "a\tb",
            "http://a",
            "host:99999999999999999999",
            "a\\b",
            "a?b",
            "a\r\nX: y",
            "a\r",
            "a#b",
            "<a>",
        ];
        for host in legal {
            assert!(is_host(host.as_bytes()) && crate::small::is_host(host.as_bytes()), "{host:?}");
        }
        for host in illegal {
            assert!(!is_host(host.as_bytes()) && !crate::small::is_host(host.as_bytes()), "{host:?}");
        }
    }

    #[test]
    fn rfc_9110_section_8_6_decimal_numbers() {
        let (largest, too_large) = match cfg!(feature = "small") {
            false => ("18446744073709551615", "18446744073709551616"),
            true => ("4294967295", "4294967296"),
        };
        let rows: [(&str, Option<Number>); 10] = [
            ("0", Some(0)),
            ("007", Some(7)),
            (largest, Some(Number::MAX)),
            (too_large, None),
            ("99999999999999999999999999", None),
            ("", None),
            ("+1", None),
            ("-1", None),
            ("1 ", None),
            ("0x1", None),
        ];
        for (text, number) in rows {
            assert_eq!(decimal(text.as_bytes()), number, "{text:?}");
        }
    }

    #[test]
    fn rfc_9110_section_5_6_1_lists() {
        let of = |value: &'static str| -> std::vec::Vec<&str> { elements(value.as_bytes()).map(text).collect() };
        assert_eq!(of("a, b ,\tc"), ["a", "b", "c"]);
        assert_eq!(of(",, a,,b,"), ["a", "b"]);
        assert_eq!(of(" , "), [""; 0]);
        let last = |value: &str| after_last_comma(value.as_bytes());
        assert_eq!((last("a"), last("a,"), last("a,b"), last(r#"a;x="1,2""#), last(r#"a,b;x="\",""#)), (0, 2, 2, 0, 2));
    }

    #[test]
    fn rfc_9110_section_7_8_protocols() {
        for (element, legal) in
            [("websocket", true), ("HTTP/2.0", true), ("a/", false), ("/a", false), ("a b", false), ("a/b/c", false)]
        {
            assert_eq!(is_protocol(element.as_bytes()), legal, "{element}");
        }
    }
}
