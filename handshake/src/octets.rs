//! Octets as nom's input, cut without a check that can panic: nom's own cuts of a slice can, as far as a compiler sees.

use core::iter::{Copied, Enumerate};
use core::slice::Iter;
use nom::bytes::complete::tag;
use nom::{Compare, CompareResult, IResult, Input, Needed, Parser};

/// The input of nom's leaf parsers.
#[derive(Clone, Copy)]
pub(crate) struct Octets<'i>(&'i [u8]);

/// Applies a leaf parser.
pub(crate) fn leaf<'i>(
    mut parser: impl Parser<Octets<'i>, Output = Octets<'i>, Error = ()>,
    input: &'i [u8],
) -> IResult<&'i [u8], &'i [u8], ()> {
    let (rest, found) = parser.parse(Octets(input))?;
    Ok((rest.0, found.0))
}

/// A parser of these octets and no others.
pub(crate) fn literal<'i>(expect: &'static [u8]) -> impl Fn(&'i [u8]) -> IResult<&'i [u8], &'i [u8], ()> {
    move |input| leaf(tag(expect), input)
}

impl<'i> Input for Octets<'i> {
    type Item = u8;
    type Iter = Copied<Iter<'i, u8>>;
    type IterIndices = Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.0.len()
    }

    fn take(&self, index: usize) -> Self {
        self.take_split(index).1
    }

    fn take_from(&self, index: usize) -> Self {
        self.take_split(index).0
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        // nom asks for no more than there is.
        let (front, rest) = self.0.split_at_checked(index).unwrap_or((self.0, &[]));
        (Self(rest), Self(front))
    }

    fn position<P: Fn(u8) -> bool>(&self, predicate: P) -> Option<usize> {
        self.0.iter().position(|octet| predicate(*octet))
    }

    fn iter_elements(&self) -> Self::Iter {
        self.0.iter().copied()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        match count.checked_sub(self.0.len()) {
            None | Some(0) => Ok(count),
            Some(missing) => Err(Needed::new(missing)),
        }
    }
}

impl Compare<&[u8]> for Octets<'_> {
    fn compare(&self, expect: &[u8]) -> CompareResult {
        compare(self.0, expect, u8::eq)
    }

    fn compare_no_case(&self, expect: &[u8]) -> CompareResult {
        compare(self.0, expect, u8::eq_ignore_ascii_case)
    }
}

fn compare(octets: &[u8], expect: &[u8], equal: impl Fn(&u8, &u8) -> bool) -> CompareResult {
    if !octets.iter().zip(expect).all(|(octet, expect)| equal(octet, expect)) {
        CompareResult::Error
    } else if octets.len() < expect.len() {
        CompareResult::Incomplete
    } else {
        CompareResult::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_behave_like_a_slice(octets in proptest::collection::vec(0u8..4, 0..9), index: proptest::sample::Index, expect in proptest::collection::vec(0u8..4, 0..4)) {
            let (slice, ours) = (&octets[..], Octets(&octets));
            let index = index.index(octets.len() + 1);
            prop_assert_eq!((ours.take(index).0, ours.take_from(index).0), (slice.take(index), slice.take_from(index)));
            prop_assert_eq!((ours.take_split(index).0.0, ours.take_split(index).1.0), slice.take_split(index));
            prop_assert_eq!(ours.position(|octet| octet == 3), slice.position(|octet| octet == 3));
            prop_assert_eq!(ours.slice_index(5), slice.slice_index(5));
            prop_assert_eq!(ours.compare(&expect[..]), slice.compare(&expect[..]));
            prop_assert_eq!(ours.compare_no_case(&expect[..]), slice.compare_no_case(&expect[..]));
            prop_assert!(ours.iter_indices().eq(slice.iter_indices()));
        }
    }
}
