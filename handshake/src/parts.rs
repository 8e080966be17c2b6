//! The smallest parts of a head: by nom's parsers, or with feature `small` by their twins.

use crate::class::Class;

#[cfg(feature = "small")]
pub(crate) use crate::by_hand::{extension, literal, param, run};
#[cfg(not(feature = "small"))]
pub(crate) use crate::by_nom::{extension, literal, param, run};

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

/// What lies behind the octets of `class` in front.
#[cfg_attr(feature = "small", inline(never))]
pub(crate) fn behind(class: Class, mut input: &[u8]) -> &[u8] {
    while let Some((octet, rest)) = input.split_first()
        && class.has(*octet)
    {
        input = rest;
    }
    input
}

/// What of `input` lies before `rest`, its tail. nom's `recognize` would tell that too, with a check in it that can panic.
pub(crate) fn before<'i>(input: &'i [u8], rest: &[u8]) -> &'i [u8] {
    input.get(..input.len().saturating_sub(rest.len())).unwrap_or_default()
}
