//! How long a frame or a message may be at all: lengths are kept in the numbers that the machine counts in.

/// Octets of a frame or a message.
#[cfg(not(feature = "small"))]
pub(crate) type Length = u64;
/// Octets of a frame or a message: half the memory, and a fraction of the code on a machine of 32 bits.
#[cfg(feature = "small")]
pub(crate) type Length = u32;

/// The longest frame and the longest message that any [`Limits`](crate::Limits) allow, in octets: with feature `small` 2^32 - 2,
/// otherwise as much as 64 bits can count. A single frame has at most 2^63 - 1 (RFC 6455 section 5.2).
pub const MAX_LENGTH: u64 = if cfg!(feature = "small") { u32::MAX as u64 - 1 } else { u64::MAX };

/// The length as the interface has it.
#[allow(clippy::unnecessary_cast)] // With `small` it is none.
pub(crate) const fn wide(length: Length) -> u64 {
    length as u64
}

/// A limit, which above [`MAX_LENGTH`] counts as that.
pub(crate) const fn bound(limit: u64) -> Length {
    // The smaller of the two fits into either type.
    (if limit < MAX_LENGTH { limit } else { MAX_LENGTH }) as Length
}

/// A number of these octets, most significant first; with feature `small` more than [`MAX_LENGTH`] if it does not fit.
pub(crate) fn of_octets(octets: impl Iterator<Item = u8>) -> Length {
    octets.fold(0, |high, octet| match high.checked_mul(256) {
        Some(high) => high | Length::from(octet),
        None => Length::MAX,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_more_than_any_limit() {
        let long = of_octets([0x7f, 0, 0, 1, 0, 0, 0, 0].into_iter());
        if cfg!(feature = "small") {
            assert!(long > bound(u64::MAX));
        } else {
            assert_eq!(wide(long), 0x7f00_0001_0000_0000);
        }
        assert!(of_octets([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff].into_iter()) > bound(u64::from(u32::MAX) - 1));
        assert_eq!(wide(of_octets([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe].into_iter())), u64::from(u32::MAX) - 1);
        assert_eq!((of_octets([0x12, 0x34].into_iter()), of_octets([].into_iter())), (0x1234, 0));
        assert_eq!((wide(bound(u64::MAX)), bound(7)), (MAX_LENGTH, 7));
    }
}
