//! Keys from the operating system's generator, some at a time: a call of the system for each frame would cost more than the frame.

use core::convert::Infallible;
use getrandom::SysRng;
use rand_core::{TryCryptoRng, TryRng};

/// Octets taken at once.
const TAKEN: usize = 512;

/// Random octets that nobody can foretell (RFC 6455 section 10.3).
pub(super) struct Keys {
    octets: [u8; TAKEN],
    /// Those before this are used.
    at: usize,
}

impl core::fmt::Debug for Keys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Fails if the system has no such generator.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut octets = [0; TAKEN];
        SysRng.try_fill_bytes(&mut octets)?;
        Ok(Self { octets, at: 0 })
    }
}

impl TryRng for Keys {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets)?;
        Ok(u32::from_ne_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets)?;
        Ok(u64::from_ne_bytes(octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for octet in out {
            if self.at == TAKEN {
                // A generator that has worked once works for ever. A key that can be foretold would be worse than no program.
                assert!(SysRng.try_fill_bytes(&mut self.octets).is_ok(), "the system's random numbers have ended");
                self.at = 0;
            }
            // Each is given out once, and not kept.
            *octet = std::mem::take(&mut self.octets[self.at]);
            self.at += 1;
        }
        Ok(())
    }
}

impl TryCryptoRng for Keys {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_comes_twice_also_beyond_what_is_taken_at_once() {
        let mut keys = Keys::new().unwrap();
        let all: HashSet<_> = (0..1000).map(|_| keys.try_next_u64().unwrap()).collect();
        assert_eq!(all.len(), 1000);
    }
}
