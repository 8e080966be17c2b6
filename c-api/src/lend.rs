//! What C lends: octets, the input, the output; and how they become slices.

use crate::code::Code;
use martlet_codec::{NoRoom, Writer};
use martlet_state::SendError;

/// Room in the output that is always enough for martlet_receive and martlet_tick, in octets.
pub const MARTLET_MIN_OUTPUT: usize = 512;
const _: () = assert!(MARTLET_MIN_OUTPUT >= martlet_state::MIN_OUTPUT);

/// Octets that are read. The pointer may be NULL if there are none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Octets {
    /// The first.
    pub ptr: *const u8,
    /// How many.
    pub len: usize,
}

/// What has come from the transport and was not taken yet. martlet_receive moves both fields behind what it takes, and unmasks
/// payload where it lies.
#[repr(C)]
#[derive(Debug)]
pub struct Input {
    /// The first octet.
    pub ptr: *mut u8,
    /// How many.
    pub len: usize,
}

/// Room for what is to go to the transport: everything that is sent is put behind what is there, whole or not at all. When it has been
/// written out, set `len` to 0.
#[repr(C)]
#[derive(Debug)]
pub struct Output {
    /// The first octet.
    pub ptr: *mut u8,
    /// How many there is room for.
    pub size: usize,
    /// How many are there.
    pub len: usize,
    /// After MARTLET_CODE_NO_ROOM: how many more octets of room would have been enough. Otherwise 0.
    pub wanted: usize,
}

impl Octets {
    pub(crate) const NONE: Self = Self { ptr: core::ptr::null(), len: 0 };

    pub(crate) const fn of(octets: &[u8]) -> Self {
        Self { ptr: octets.as_ptr(), len: octets.len() }
    }

    /// As a slice, if it is one and lies outside of `output`.
    ///
    /// # Safety
    /// The crate's contract, for `'a`.
    pub(crate) unsafe fn slice<'a>(self, output: Option<&Output>) -> Result<&'a [u8], Code> {
        check(self.ptr, self.len)?;
        if output.is_some_and(|output| overlap((self.ptr, self.len), (output.ptr, output.size))) {
            return Err(Code::MisuseOverlap);
        }
        if self.len == 0 {
            return Ok(&[]);
        }
        // SAFETY: not null, of a length that an object can have; the contract says that the octets are there.
        Ok(unsafe { core::slice::from_raw_parts(self.ptr, self.len) })
    }

    /// As text, if it is.
    ///
    /// # Safety
    /// The crate's contract, for `'a`.
    pub(crate) unsafe fn text<'a>(self, output: Option<&Output>) -> Result<&'a str, Code> {
        // SAFETY: the caller's contract.
        core::str::from_utf8(unsafe { self.slice(output)? }).map_err(|_| Code::MisuseUtf8)
    }
}

impl Input {
    /// As a slice that may be written to, if it lies outside of `output`.
    ///
    /// # Safety
    /// The crate's contract, for `'a`.
    pub(crate) unsafe fn slice<'a>(&self, output: &Output) -> Result<&'a mut [u8], Code> {
        check(self.ptr, self.len)?;
        if overlap((self.ptr, self.len), (output.ptr, output.size)) {
            return Err(Code::MisuseOverlap);
        }
        if self.len == 0 {
            return Ok(&mut []);
        }
        // SAFETY: not null, of a length that an object can have; the contract says that the octets are there and lent to us alone.
        Ok(unsafe { core::slice::from_raw_parts_mut(self.ptr, self.len) })
    }

    /// Leaves the last `left` octets.
    pub(crate) fn leave(&mut self, left: usize) {
        let taken = self.len.saturating_sub(left);
        self.ptr = self.ptr.wrapping_add(taken);
        self.len = left.min(self.len);
    }
}

impl Output {
    /// A writer behind what is there.
    ///
    /// # Safety
    /// The crate's contract, for `'a`.
    pub(crate) unsafe fn writer<'a>(&self) -> Result<Writer<'a>, Code> {
        check(self.ptr, self.size)?;
        if self.len > self.size {
            return Err(Code::MisuseLength);
        }
        if self.size == 0 {
            return Ok(Writer::new(&mut []));
        }
        // SAFETY: not null, of a length that an object can have; the contract says that the room is there and lent to us alone. It is
        // written before it is read.
        let room = unsafe { core::slice::from_raw_parts_mut(self.ptr, self.size) };
        Ok(Writer::resume(room, self.len))
    }

    /// Takes over what was written, and how it went.
    pub(crate) fn settle(&mut self, written: usize, done: Result<Code, SendError>) -> Code {
        self.len = written;
        self.wanted = 0;
        match done {
            Ok(code) => code,
            Err(SendError::NoRoom(NoRoom { wanted })) => {
                self.wanted = wanted;
                Code::NoRoom
            }
            Err(SendError::Misuse(misuse)) => misuse.into(),
        }
    }
}

/// What a pointer to a structure that is read points to.
///
/// # Safety
/// The crate's contract, for `'a`.
pub(crate) unsafe fn place<'a, T>(ptr: *const T) -> Result<&'a T, Code> {
    check_place(ptr)?;
    // SAFETY: neither null nor misaligned; the contract says the rest.
    Ok(unsafe { &*ptr })
}

/// What a pointer to a structure that is changed points to.
///
/// # Safety
/// The crate's contract, for `'a`.
pub(crate) unsafe fn place_mut<'a, T>(ptr: *mut T) -> Result<&'a mut T, Code> {
    check_place(ptr)?;
    // SAFETY: neither null nor misaligned; the contract says the rest.
    Ok(unsafe { &mut *ptr })
}

/// Refuses a pointer to which nothing of its type can be written.
pub(crate) fn check_place<T>(ptr: *const T) -> Result<(), Code> {
    match ptr {
        ptr if ptr.is_null() => Err(Code::MisuseNull),
        ptr if !ptr.is_aligned() => Err(Code::MisuseStorage),
        _ => Ok(()),
    }
}

/// Refuses what cannot be so many octets.
fn check(ptr: *const u8, len: usize) -> Result<(), Code> {
    if ptr.is_null() && len != 0 {
        return Err(Code::MisuseNull);
    }
    // No object is longer, and none reaches beyond the last address.
    if isize::try_from(len).is_err() || ptr.addr().checked_add(len).is_none() {
        return Err(Code::MisuseLength);
    }
    Ok(())
}

fn overlap((one, one_len): (*const u8, usize), (other, other_len): (*mut u8, usize)) -> bool {
    let (one, other) = (one.addr(), other.addr());
    one < other.saturating_add(other_len) && other < one.saturating_add(one_len)
}
