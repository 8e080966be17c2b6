//! The sliding window of DEFLATE (RFC 1951 section 2): what of this connection's messages a distance may reach.

/// The base-2 logarithm of a window's size, as it is negotiated (RFC 7692 section 7.1.2): 8 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 256 octets.
    pub const MIN: Self = Self(8);
    /// 32 KiB: the window where none is negotiated.
    pub const MAX: Self = Self(15);

    /// `bits`, if that is 8 to 15.
    pub const fn new(bits: u8) -> Option<Self> {
        if bits < Self::MIN.0 || bits > Self::MAX.0 { None } else { Some(Self(bits)) }
    }

    /// The number that is negotiated.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The window's size in octets: 256 to 32,768.
    pub const fn size(self) -> usize {
        1 << self.0
    }
}

impl Default for WindowBits {
    fn default() -> Self {
        Self::MAX
    }
}

/// Where a window lies.
pub trait Room {
    /// Whether [`grow`](Self::grow) can make room for more.
    const GROWS: bool;
    /// All of it.
    fn octets(&mut self) -> &mut [u8];
    /// Makes room for more than there is and at most `most` octets, and keeps what is there; false if that cannot be.
    fn grow(&mut self, most: usize) -> bool;
}

impl Room for &mut [u8] {
    const GROWS: bool = false;

    fn octets(&mut self) -> &mut [u8] {
        self
    }

    fn grow(&mut self, _most: usize) -> bool {
        false
    }
}

impl<const N: usize> Room for [u8; N] {
    const GROWS: bool = false;

    fn octets(&mut self) -> &mut [u8] {
        self
    }

    fn grow(&mut self, _most: usize) -> bool {
        false
    }
}

/// Grows with what has been inflated, twice as large each time: a connection that says little keeps little.
#[cfg(any(feature = "alloc", test))]
impl Room for alloc::vec::Vec<u8> {
    const GROWS: bool = true;

    fn octets(&mut self) -> &mut [u8] {
        self
    }

    fn grow(&mut self, most: usize) -> bool {
        let len = self.len().saturating_mul(2).max(512).min(most);
        let more = len.saturating_sub(self.len());
        if more == 0 || self.try_reserve_exact(more).is_err() {
            return false;
        }
        self.resize(len, 0);
        true
    }
}

/// What the messages of one direction of one connection leave behind for the next: at most as much as was negotiated.
///
/// A circle of exactly that size, so that no distance reaches further; until it is full once, no distance reaches before
/// what this connection has produced, whatever the room held before.
#[derive(Debug)]
pub struct Window<B> {
    room: B,
    bits: WindowBits,
    /// Where the next octet goes.
    at: usize,
    /// Every octet of the circle was written since the last [`clear`](Self::clear).
    full: bool,
}

impl<B: Room> Window<B> {
    /// An empty window in `room`, which must hold [`bits.size()`](WindowBits::size) octets unless it grows; otherwise `None`.
    pub fn new(mut room: B, bits: WindowBits) -> Option<Self> {
        (B::GROWS || room.octets().len() >= bits.size()).then_some(Self { room, bits, at: 0, full: false })
    }

    /// Forgets everything: no distance reaches back before this. For each message where there is no context takeover.
    pub const fn clear(&mut self) {
        (self.at, self.full) = (0, false);
    }

    /// The size that was negotiated.
    pub const fn bits(&self) -> WindowBits {
        self.bits
    }

    /// Gives the room back.
    pub fn into_room(self) -> B {
        self.room
    }

    /// The circle, in which the next octet has room. `None` if there is no memory for it.
    pub(crate) fn open(&mut self) -> Option<Circle<'_>> {
        let size = self.bits.size();
        if self.at >= size {
            (self.at, self.full) = (0, true);
        }
        if self.at >= self.room.octets().len() && !self.room.grow(size) {
            return None;
        }
        let octets = self.room.octets();
        let end = octets.len().min(size);
        Some(Circle { room: octets.get_mut(..end)?, at: self.at, end, full: self.full })
    }

    /// Counts what was written behind the place.
    pub(crate) fn advance(&mut self, octets: usize) {
        self.at = self.at.saturating_add(octets).min(self.bits.size());
    }

    /// What was written from `start` on.
    pub(crate) fn written(&mut self, start: usize) -> &[u8] {
        self.room.octets().get(start..self.at).unwrap_or_default()
    }
}

/// A window that is written to, from one place to the end of its room at most.
pub(crate) struct Circle<'w> {
    pub(crate) room: &'w mut [u8],
    /// Where the next octet goes, and where there is no place for one.
    pub(crate) at: usize,
    end: usize,
    /// All of it may be read; otherwise what is before the place.
    pub(crate) full: bool,
}

impl Circle<'_> {
    /// Leaves room for `most` octets from here on, if there is as much.
    pub(crate) fn limit(&mut self, most: usize) {
        self.end = self.at.saturating_add(most).min(self.room.len());
    }

    /// The longest distance.
    #[inline(always)]
    pub(crate) const fn reach(&self) -> usize {
        if self.full { self.room.len() } else { self.at }
    }

    /// Writes an octet; false if there is no room.
    #[inline(always)]
    pub(crate) fn push(&mut self, octet: u8) -> bool {
        let Some(place) = self.room.get_mut(..self.end).and_then(|room| room.get_mut(self.at)) else { return false };
        *place = octet;
        self.at = self.at.wrapping_add(1);
        true
    }

    /// Writes as much as there is room for of `len` octets, each the one `distance` before, which is at most [`reach`](Self::reach), and
    /// gives how many are left: octet by octet, the shortest way.
    #[cfg_attr(not(feature = "small"), cold)]
    pub(crate) fn repeat_each(&mut self, len: usize, distance: usize) -> usize {
        // Before the circle's beginning is its end.
        let end = if distance > self.at { self.room.len() } else { 0 };
        let mut from = self.at.wrapping_add(end).wrapping_sub(distance);
        let mut left = len;
        while left != 0 {
            let octet = self.room.get(from).copied().unwrap_or_default();
            if !self.push(octet) {
                break;
            }
            left = left.wrapping_sub(1);
            from = from.wrapping_add(1);
            if from == self.room.len() {
                from = 0;
            }
        }
        left
    }
}

/// The quick ways.
#[cfg(any(test, not(feature = "small")))]
impl Circle<'_> {
    /// How many octets have room.
    pub(crate) const fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// Writes as many octets as there is room for, and says how many.
    pub(crate) fn write(&mut self, octets: &[u8]) -> usize {
        let room = self.room.get_mut(self.at..self.end).unwrap_or_default();
        let len = octets.len().min(room.len());
        if let (Some(room), Some(octets)) = (room.get_mut(..len), octets.get(..len)) {
            room.copy_from_slice(octets);
        }
        self.at = self.at.wrapping_add(len);
        len
    }

    /// What [`repeat_each`](Self::repeat_each) does, many octets at once.
    #[inline(always)]
    pub(crate) fn repeat(&mut self, len: usize, distance: usize) -> usize {
        let room = len.min(self.left());
        let behind = self.at.wrapping_add(room);
        let (octets, place) = if let Some(from) = self.at.checked_sub(distance) {
            let (before, behind) = self.room.split_at_mut_checked(self.at).unwrap_or_default();
            (before.get(from..from.wrapping_add(room)), behind.get_mut(..room))
        } else {
            // The circle's end.
            let from = self.at.wrapping_add(self.room.len()).wrapping_sub(distance);
            let (before, end) = self.room.split_at_mut_checked(from).unwrap_or_default();
            (end.get(..room), before.get_mut(self.at..behind))
        };
        if let (Some(octets), Some(place)) = (octets, place) {
            place.copy_from_slice(octets);
            self.at = behind;
        } else {
            self.repeat_slowly(room, distance);
        }
        len.wrapping_sub(room)
    }

    /// The same where the octets reach into each other, or begin before the circle's end and go on at its beginning.
    fn repeat_slowly(&mut self, len: usize, distance: usize) {
        let Some(from) = self.at.checked_sub(distance) else {
            self.repeat_each(len, distance);
            return;
        };
        let mut left = len;
        while left != 0 {
            // What repeats is twice as long each time.
            let (before, behind) = self.room.split_at_mut_checked(self.at).unwrap_or_default();
            let octets = before.get(from..).unwrap_or_default();
            let len = left.min(octets.len());
            let (Some(octets), Some(place)) = (octets.get(..len), behind.get_mut(..len)) else { return };
            place.copy_from_slice(octets);
            self.at = self.at.wrapping_add(len);
            left = left.wrapping_sub(len);
        }
    }
}
