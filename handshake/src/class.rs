//! Classes of octets: what may stand where in a head.

/// A class of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    /// Of a token (RFC 9110 section 5.6.2).
    Token = 1,
    /// Of a request target: visible ASCII but for "#", as a fragment must not be in one (RFC 6455 section 3). Browsers send some octets
    /// that RFC 3986 would have percent-encoded, such as "|", so that no more than this is demanded.
    Target = 1 << 1,
    /// Of a header's value (RFC 9110 section 5.5): no CR, LF or NUL, and no other control octet but the tab.
    Value = 1 << 2,
    /// Whitespace within a line.
    Space = 1 << 3,
    /// Whitespace and commas, which elements of a list that are empty leave between others (RFC 9110 section 5.6.1).
    Gap = 1 << 4,
    /// Between the brackets of an IPv6 address.
    Address = 1 << 5,
    /// Of a host's name: unreserved, "%" of percent-encoding, or a sub-delimiter but for the comma, which would make two hosts of one
    /// (RFC 3986 section 3.2.2).
    HostName = 1 << 6,
    /// Decimal digits.
    Digit = 1 << 7,
}

impl Class {
    /// Whether `octet` is of this class.
    #[inline]
    pub(crate) fn has(self, octet: u8) -> bool {
        match CLASSES.get(usize::from(octet)) {
            Some(classes) => classes & self as u8 != 0,
            // What is not ASCII stands in values alone.
            None => matches!(self, Self::Value),
        }
    }

    /// Whether all of `octets` are of this class.
    pub(crate) fn has_all(self, octets: &[u8]) -> bool {
        octets.iter().all(|octet| self.has(*octet))
    }

    const fn defines(self, octet: u8) -> bool {
        match self {
            Self::Token => octet.is_ascii_alphanumeric() || is_in(octet, b"!#$%&'*+-.^_`|~"),
            Self::Target => octet.is_ascii_graphic() && octet != b'#',
            Self::Value => octet == b'\t' || !octet.is_ascii_control(),
            Self::Space => is_in(octet, b" \t"),
            Self::Gap => is_in(octet, b" \t,"),
            Self::Address => octet.is_ascii_hexdigit() || is_in(octet, b":."),
            Self::HostName => octet.is_ascii_alphanumeric() || is_in(octet, b"-._~%!$&'()*+;="),
            Self::Digit => octet.is_ascii_digit(),
        }
    }
}

const ALL: [Class; 8] = [
    Class::Token,
    Class::Target,
    Class::Value,
    Class::Space,
    Class::Gap,
    Class::Address,
    Class::HostName,
    Class::Digit,
];

/// The classes that `octet` is of, each one bit.
#[cfg(any(test, feature = "small"))]
pub(crate) fn of(octet: u8) -> u8 {
    CLASSES.get(usize::from(octet)).copied().unwrap_or(Class::Value as u8)
}

/// The classes of each ASCII octet: eight comparisons in one.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // The compiler runs this.
static CLASSES: [u8; 128] = {
    let mut classes = [0; 128];
    let mut octet = 0;
    while octet < 128 {
        let mut at = 0;
        while at < ALL.len() {
            if ALL[at].defines(octet) {
                classes[octet as usize] |= ALL[at] as u8;
            }
            at += 1;
        }
        octet += 1;
    }
    classes
};

const fn is_in(octet: u8, mut octets: &[u8]) -> bool {
    while let [first, rest @ ..] = octets {
        if *first == octet {
            return true;
        }
        octets = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_definition() {
        for class in ALL {
            for octet in 0..=u8::MAX {
                let expect = if octet.is_ascii() { class.defines(octet) } else { class == Class::Value };
                assert_eq!(class.has(octet), expect, "{class:?} {octet:#x}");
            }
        }
    }

    /// RFC 9110 section 5.6.2 and RFC 3986 section 2.2, word for word.
    #[test]
    fn tokens_and_delimiters() {
        for octet in b'!'..=b'~' {
            assert_eq!(Class::Token.has(octet), !b"\"(),/:;<=>?@[\\]{}".contains(&octet), "{octet:#x}");
        }
        assert!(!Class::Token.has(b' ') && !Class::Token.has(0x7f));
        for octet in *b"-._~!$&'()*+;=%" {
            assert!(Class::HostName.has(octet));
        }
        for octet in *b":/?#[]@, \t\"" {
            assert!(!Class::HostName.has(octet));
        }
    }
}
