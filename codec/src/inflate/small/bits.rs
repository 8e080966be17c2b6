//! Octets into bits (RFC 1951 section 3.1.1), never an octet more than the bits that are asked for.

use crate::inflate::Stop;

/// The bits that were taken and not read, the first one lowest.
pub(super) struct Bits {
    held: u32,
    count: u32,
}

impl Bits {
    pub(super) const NONE: Self = Self { held: 0, count: 0 };

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether there are `count` bits, at most 25, or now are.
    fn have(&mut self, count: u32, input: &mut &[u8]) -> bool {
        while self.count < count {
            let Some((octet, rest)) = input.split_first() else { return false };
            self.held |= u32::from(*octet).wrapping_shl(self.count);
            self.count = self.count.wrapping_add(8);
            *input = rest;
        }
        true
    }

    /// The bit behind `at` others, if it is there.
    pub(super) fn peek(&mut self, at: u32, input: &mut &[u8]) -> Option<u16> {
        self.have(at.wrapping_add(1), input).then(|| (self.held.wrapping_shr(at) & 1) as u16)
    }

    /// Reads `count` bits which are there.
    pub(super) const fn skip(&mut self, count: u32) {
        self.held = self.held.wrapping_shr(count);
        self.count = self.count.wrapping_sub(count);
    }

    /// The next `count` bits, at most 16: all of them or none.
    #[inline(never)]
    pub(super) fn take(&mut self, count: u32, input: &mut &[u8]) -> Result<u16, Stop> {
        if !self.have(count, input) {
            return Err(Stop::Input);
        }
        let bits = self.held & 1u32.wrapping_shl(count).wrapping_sub(1);
        self.skip(count);
        Ok(bits as u16)
    }
}
