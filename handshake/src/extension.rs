//! Extension lists (RFC 6455 section 9.1): offers of a client, answers of a server.

use crate::class::Class;
use crate::parts;
use crate::value::text;

/// One extension of a list, with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'i> {
    name: &'i [u8],
    params: &'i [u8],
}

impl<'i> Extension<'i> {
    /// Its name, such as `permessage-deflate`.
    pub const fn name(&self) -> &'i str {
        text(self.name)
    }

    /// Its name's octets.
    #[cfg(any(test, not(feature = "small"), feature = "deflate"))]
    pub(crate) const fn name_octets(&self) -> &'i [u8] {
        self.name
    }

    /// Its parameters, in order.
    pub fn params(&self) -> impl Iterator<Item = Param<'i>> + use<'i> {
        let mut rest = self.params;
        core::iter::from_fn(move || {
            let (behind, name, value) = parts::param(rest)?;
            rest = behind;
            Some(Param { name: text(name), value: value.map(|raw| ParamValue { raw }) })
        })
    }
}

/// One parameter of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'i> {
    /// Its name, such as `client_max_window_bits`.
    pub name: &'i str,
    /// Its value, if it has one.
    pub value: Option<ParamValue<'i>>,
}

/// The value of a parameter: a token, which may have stood between quotes.
#[derive(Clone, Copy, Debug)]
pub struct ParamValue<'i> {
    /// What stood there, without the quotes. A backslash stands for nothing but the octet behind it.
    raw: &'i [u8],
}

impl<'i> ParamValue<'i> {
    /// Its octets, with backslashes resolved.
    pub fn octets(&self) -> impl Iterator<Item = u8> + use<'i> {
        let mut raw = self.raw.iter().copied();
        core::iter::from_fn(move || match raw.next() {
            Some(b'\\') => raw.next(),
            other => other,
        })
    }

    /// The value as a number of digits alone, without a zero in front (RFC 7692 section 7.1.2.1); `None` if it is no such
    /// number or greater than 255.
    pub fn number(&self) -> Option<u8> {
        let mut digits = self.octets().peekable();
        if digits.peek() == Some(&b'0') {
            digits.next();
            return digits.next().is_none().then_some(0);
        }
        digits.peek()?;
        digits.try_fold(0u8, |number, digit| match digit {
            b'0'..=b'9' => number.checked_mul(10)?.checked_add(digit & 0x0f),
            _ => None,
        })
    }
}

impl PartialEq for ParamValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.octets().eq(other.octets())
    }
}

impl Eq for ParamValue<'_> {}

impl PartialEq<str> for ParamValue<'_> {
    fn eq(&self, other: &str) -> bool {
        self.octets().eq(other.bytes())
    }
}

/// Reads a list's extensions, as far as they are legal.
#[derive(Clone, Debug)]
pub(crate) struct List<'i> {
    rest: &'i [u8],
}

impl<'i> List<'i> {
    pub(crate) const fn new(value: &'i [u8]) -> Self {
        Self { rest: value }
    }

    /// Once all are read: whether nothing else is left.
    pub(crate) const fn is_legal(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'i> Iterator for List<'i> {
    type Item = Extension<'i>;

    fn next(&mut self) -> Option<Extension<'i>> {
        // Elements that are empty count for nothing (RFC 9110 section 5.6.1).
        self.rest = parts::behind(Class::Gap, self.rest);
        let (rest, name, params) = parts::extension(self.rest)?;
        let rest = parts::behind(Class::Space, rest);
        // Only a comma or the end may follow; what else does stays there, as the proof that the list is not legal.
        if !matches!(rest.first(), None | Some(b',')) {
            return None;
        }
        self.rest = rest;
        Some(Extension { name, params })
    }
}

/// Whether `value` is a legal extension list that names at least one.
pub(crate) fn is_list(value: &[u8]) -> bool {
    let mut list = List::new(value);
    let count = list.by_ref().count();
    list.is_legal() && count != 0 && Class::Value.has_all(value)
}

/// Whether `value` names `extension`.
pub(crate) fn names(value: &str, extension: &[u8]) -> bool {
    List::new(value.as_bytes()).any(|found| found.name == extension)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};
    use std::{format, vec::Vec};

    /// The list as text, one extension a part; `Err` with the same for what precedes a fault.
    fn read(value: &str) -> Result<String, String> {
        let mut list = List::new(value.as_bytes());
        let found: Vec<String> = list
            .by_ref()
            .map(|extension| {
                let params: Vec<String> = extension
                    .params()
                    .map(|param| match param.value {
                        None => param.name.to_string(),
                        Some(value) => format!("{}={}", param.name, value.octets().map(char::from).collect::<String>()),
                    })
                    .collect();
                format!("{}[{}]", extension.name(), params.join(" "))
            })
            .collect();
        if list.is_legal() { Ok(found.join(" ")) } else { Err(found.join(" ")) }
    }

    #[test]
    fn rfc_6455_section_9_1_lists() {
        let rows = [
            ("foo", "foo[]"),
            ("foo, bar; baz=2", "foo[] bar[baz=2]"),
            ("bar; baz=2, foo", "bar[baz=2] foo[]"),
            ("permessage-deflate; client_max_window_bits", "permessage-deflate[client_max_window_bits]"),
            (
                "permessage-deflate;server_max_window_bits=\"10\" ; client_max_window_bits=9 ,x",
                "permessage-deflate[server_max_window_bits=10 client_max_window_bits=9] x[]",
            ),
            (",, foo ,\t,bar,", "foo[] bar[]"),
            (r#"a; b="\1\5""#, "a[b=15]"),
            ("", ""),
        ];
        for (value, expect) in rows {
            assert_eq!(read(value), Ok(expect.to_string()), "{value:?}");
        }
        let faults = [
            ("foo bar", ""),
            ("foo;", ""),
            ("foo; ;a", ""),
            ("foo; a=", ""),
            ("foo; a =1", ""),
            ("foo; a= 1", ""),
            ("=", ""),
            ("foo; a=\"", ""),
            ("foo; a=\"\"", ""),
            ("foo; a=\"b c\"", ""),
            ("foo; a=\"b,c\"", ""),
            ("foo; a=\"1\"2", ""),
            ("foo; a=\"\\", ""),
            ("foo; a=\"x\\\"", ""),
            ("ok, foo;;", "ok[]"),
            ("ok; a=\u{e4}", ""),
            ("\"foo\"", ""),
            ("foo; a=b=c", ""),
            ("foo/1", ""),
        ];
        for (value, before) in faults {
            assert_eq!(read(value), Err(before.to_string()), "{value:?}");
        }
    }

    #[test]
    fn rfc_7692_section_7_1_2_numbers() {
        let rows = [
            ("a;b=15", Some(15)),
            ("a;b=\"8\"", Some(8)),
            ("a;b=08", None),
            ("a;b=0", Some(0)),
            ("a;b=255", Some(255)),
            ("a;b=256", None),
            ("a;b=1x", None),
            ("a;b=\"1\\5\"", Some(15)),
        ];
        for (value, number) in rows {
            let extension = List::new(value.as_bytes()).next().unwrap();
            let param = extension.params().next().unwrap();
            assert_eq!(param.value.unwrap().number(), number, "{value}");
        }
        let extension = List::new(b"a; b=\"\\x\\y\"; c=xy").next().unwrap();
        let values: Vec<ParamValue<'_>> = extension.params().filter_map(|param| param.value).collect();
        assert_eq!(values[0], values[1]);
        assert!(values[0] == *"xy" && values[0] != *"x");
    }
}
