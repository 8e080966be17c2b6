//! What the parts of a head are counted in: with feature `small` in numbers that are half as long.

#[cfg(not(feature = "small"))]
mod width {
    pub(crate) type Octets = u32;
    pub(crate) type Headers = u16;
    pub(crate) type Place = u16;
}
#[cfg(feature = "small")]
mod width {
    pub(crate) type Octets = u16;
    pub(crate) type Headers = u8;
    pub(crate) type Place = u8;
}

/// Header lines.
pub(crate) use width::Headers;
/// Octets of a head.
pub(crate) use width::Octets;
/// A place in the server's list of subprotocols.
pub(crate) use width::Place;

/// A limit, or the highest number that is counted to.
#[allow(clippy::useless_conversion)] // It is one with `small`.
pub(crate) fn octets(limit: u32) -> Octets {
    limit.try_into().unwrap_or(Octets::MAX)
}

/// A limit, or the highest number that is counted to.
#[allow(clippy::useless_conversion)] // It is one with `small`.
pub(crate) fn headers(limit: u16) -> Headers {
    limit.try_into().unwrap_or(Headers::MAX)
}
