//! Registers in memory.

/// One register of a device, of 8 or 32 bits.
#[derive(Clone, Copy)]
pub(crate) struct Register<T>(*mut T);

impl<T: Copy> Register<T> {
    /// The register at `address`.
    ///
    /// # Safety
    ///
    /// There is such a register, and reading or writing it has no effect on memory that Rust knows of.
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self(address as *mut T)
    }

    pub(crate) fn read(self) -> T {
        // SAFETY: `at` was promised a register.
        unsafe { self.0.read_volatile() }
    }

    pub(crate) fn write(self, value: T) {
        // SAFETY: `at` was promised a register.
        unsafe { self.0.write_volatile(value) }
    }
}
