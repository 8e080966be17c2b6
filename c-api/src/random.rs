//! A client's source of random octets: a function of C's.

use core::cell::Cell;
use core::convert::Infallible;
use core::ffi::{c_int, c_void};
use rand_core::{TryCryptoRng, TryRng};

/// Fills `len` octets at `room` with random ones and answers 0; anything else says that it could not. It must be cryptographically strong
/// (RFC 6455 section 10.3): getrandom, or a generator of the hardware. `context` is what was given with it. It must neither throw
/// nor jump out, and not use the connection.
pub type Random = Option<unsafe extern "C" fn(context: *mut c_void, room: *mut u8, len: usize) -> c_int>;

/// The function with its context, and whether it has failed.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) fill: unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> c_int,
    pub(crate) context: *mut c_void,
    /// What was drawn since is not random: whatever was made of it must not go out.
    pub(crate) failed: Cell<bool>,
}

impl TryRng for Source {
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

    fn try_fill_bytes(&mut self, room: &mut [u8]) -> Result<(), Infallible> {
        // SAFETY: the caller of martlet_client_init vouches for the function; the room is a slice.
        let answer = unsafe { (self.fill)(self.context, room.as_mut_ptr(), room.len()) };
        self.failed.set(self.failed.get() || answer != 0);
        Ok(())
    }
}

impl TryCryptoRng for Source {}
