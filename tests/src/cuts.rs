//! How a stream is cut into reads, and how large the buffer is that they go through.

use martlet_codec::MIN_INPUT;

/// Where a stream is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cuts {
    /// Nowhere.
    Whole,
    /// Behind every octet.
    Each,
    /// Once, behind so many octets.
    At(usize),
    /// Behind each of these counts of octets, in order.
    Sizes(Vec<usize>),
    /// In places that depend on this number, from many small reads to a few large ones.
    Random(u64),
}

/// One way to feed a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where it is cut.
    pub cuts: Cuts,
    /// Octets of the buffer that reads go into, behind what the reader left.
    pub capacity: usize,
}

impl Plan {
    /// The stream in one piece, through a buffer that holds all of it.
    pub const WHOLE: Self = Self { cuts: Cuts::Whole, capacity: usize::MAX };

    /// Every way that `check` takes: whole, through the smallest buffer, octet by octet, at every single cut (for a long stream,
    /// at those near its ends and a sample of the others), and in a few pseudo-random ways.
    pub fn all(len: usize, smallest: usize) -> impl Iterator<Item = Self> {
        let fixed = [Cuts::Whole, Cuts::Each];
        let (near, step) = if len <= 600 { (len, 1) } else { (24, len / 40) };
        let single = (1..len).filter(move |at| *at <= near || len - at <= near || at % step == 0).map(Cuts::At);
        let random = (0..8).map(Cuts::Random);
        let wide = fixed.into_iter().chain(single).chain(random).map(|cuts| Self { cuts, capacity: usize::MAX });
        let narrow = [Cuts::Whole, Cuts::Each, Cuts::Random(99)].map(|cuts| Self { cuts, capacity: smallest });
        wide.chain(narrow)
    }

    /// A few of them, for what was tried at every cut in part already.
    pub fn some() -> [Self; 4] {
        [
            (Cuts::Whole, usize::MAX),
            (Cuts::Each, MIN_INPUT),
            (Cuts::Random(0), usize::MAX),
            (Cuts::Random(1), MIN_INPUT),
        ]
        .map(|(cuts, capacity)| Self { cuts, capacity })
    }

    /// The same, with the buffer that frames need at least.
    pub fn of_frames(len: usize) -> impl Iterator<Item = Self> {
        Self::all(len, MIN_INPUT)
    }

    /// Feeds `stream` read by read. `take` gets what it left the last time with the new octets behind that, and says how much is
    /// left now at the end of the slice; `None` ends it. Gives how many octets were presented before that.
    pub fn feed(&self, stream: &[u8], mut take: impl FnMut(&mut [u8]) -> Option<usize>) -> usize {
        let mut buffer = vec![0xa5; self.capacity.min(stream.len())];
        let (mut held, mut fed) = (0, 0);
        for piece in self.cuts.pieces(stream) {
            let mut rest = piece;
            while !rest.is_empty() {
                let fresh = rest.len().min(buffer.len() - held);
                assert!(fresh != 0, "{held} octets fill the buffer, and none of them is taken");
                let (now, later) = rest.split_at(fresh);
                rest = later;
                buffer[held..held + fresh].copy_from_slice(now);
                let there = held + fresh;
                fed += fresh;
                match take(&mut buffer[..there]) {
                    Some(left) => {
                        buffer.copy_within(there - left..there, 0);
                        held = left;
                    }
                    None => return fed,
                }
            }
        }
        fed
    }
}

impl Cuts {
    /// The pieces; none of them is empty.
    pub fn pieces<'s>(&self, stream: &'s [u8]) -> Vec<&'s [u8]> {
        let mut sizes: Box<dyn Iterator<Item = usize> + '_> = match self {
            Self::Whole => Box::new(std::iter::empty()),
            Self::Each => Box::new(std::iter::repeat(1)),
            Self::At(at) => Box::new(std::iter::once(*at)),
            Self::Sizes(sizes) => Box::new(sizes.iter().copied()),
            Self::Random(seed) => {
                let mut random = Random(*seed);
                let most = [3, 20, 150, 3000][*seed as usize % 4];
                Box::new(std::iter::from_fn(move || Some(1 + random.below(most))))
            }
        };
        let (mut pieces, mut rest) = (Vec::new(), stream);
        while !rest.is_empty() {
            let size = sizes.find(|size| *size != 0).unwrap_or(rest.len());
            let (piece, behind) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces
    }
}

/// A small generator of numbers that depend on nothing but its seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `most`, which is not 0.
    pub const fn below(&mut self, most: usize) -> usize {
        (self.next_u64() % most as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_stream() {
        let stream: Vec<u8> = (0..=255).collect();
        for plan in Plan::of_frames(stream.len()) {
            assert_eq!(plan.cuts.pieces(&stream).concat(), stream, "{plan:?}");
        }
        assert_eq!(Cuts::Sizes(vec![0, 2, 0, 3]).pieces(b"abcdefg"), [&b"ab"[..], b"cde", b"fg"]);
        assert_eq!(Cuts::At(2).pieces(b"abc"), [&b"ab"[..], b"c"]);
    }

    #[test]
    fn what_is_left_is_presented_again() {
        let mut seen = Vec::new();
        let plan = Plan { cuts: Cuts::Each, capacity: 4 };
        // This reader takes three octets at a time.
        let fed = plan.feed(b"abcdefgh", |octets| {
            seen.push(String::from_utf8_lossy(octets).into_owned());
            Some(if octets.len() < 3 { octets.len() } else { octets.len() - 3 })
        });
        assert_eq!(seen, ["a", "ab", "abc", "d", "de", "def", "g", "gh"]);
        assert_eq!(fed, 8);
    }

    #[test]
    #[should_panic = "none of them is taken"]
    fn a_reader_that_takes_nothing_is_found_out() {
        Plan { cuts: Cuts::Whole, capacity: 4 }.feed(b"abcdefgh", |octets| Some(octets.len()));
    }
}
