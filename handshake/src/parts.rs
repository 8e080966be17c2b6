//! The smallest parts of a head: by nom's parsers, or with feature `small` by their twins.

#[cfg(feature = "small")]
pub(crate) use crate::by_hand::{extension, host, literal, param, run};
#[cfg(not(feature = "small"))]
pub(crate) use crate::by_nom::{extension, host, literal, param, run};

/// Whether certain octets lie in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'i> {
    /// All of them; this is behind them.
    All(&'i [u8]),
    /// As many as have come.
    Part,
    /// Others.
    Other,
}

pub(crate) const fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// What may stand between the brackets of an IPv6 address.
pub(crate) const fn is_address(octet: u8) -> bool {
    octet.is_ascii_hexdigit() || matches!(octet, b':' | b'.')
}

/// Unreserved, "%" of percent-encoding, or a sub-delimiter but for the comma, which would make two hosts of one.
pub(crate) const fn is_reg_name(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'%')
        || matches!(octet, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'=')
}

/// What of `input` lies before `rest`, its tail. nom's `recognize` would tell that too, with a check in it that can panic.
pub(crate) fn before<'i>(input: &'i [u8], rest: &[u8]) -> &'i [u8] {
    input.get(..input.len().saturating_sub(rest.len())).unwrap_or_default()
}
