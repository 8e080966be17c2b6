//! The serial port, an NS16550.

use crate::register::Register;
use crate::serial::Received;

/// Registers of the port.
mod register {
    use super::Register;

    // SAFETY: they are there, and reach no memory.
    pub(super) const DATA: Register<u8> = unsafe { Register::at(0x1000_0000) };
    pub(super) const QUEUES: Register<u8> = unsafe { Register::at(0x1000_0002) };
    pub(super) const LINE: Register<u8> = unsafe { Register::at(0x1000_0003) };
    pub(super) const STATUS: Register<u8> = unsafe { Register::at(0x1000_0005) };

    /// In `LINE`.
    pub(super) const EIGHT_BITS: u8 = 3;
    /// In `STATUS`.
    pub(super) const RECEIVED: u8 = 1;
    pub(super) const BREAK: u8 = 1 << 4;
    pub(super) const CAN_SEND: u8 = 1 << 5;
}

/// The serial port.
pub struct Uart {
    /// A BREAK has come: the register tells it once.
    has_ended: bool,
}

impl Uart {
    pub(super) fn new() -> Self {
        // Without queues: QEMU tells of a BREAK at once, and not when it has come to the front of one.
        register::QUEUES.write(0);
        register::LINE.write(register::EIGHT_BITS);
        Self { has_ended: false }
    }

    /// Takes what was received, as far as there is room; waits for nothing.
    pub fn receive(&mut self, room: &mut [u8]) -> Received {
        let mut received = 0;
        for place in room {
            if !self.has_received() || (self.has_ended && received > 0) {
                break;
            }
            let octet = register::DATA.read();
            // It comes with an octet of zeros.
            if core::mem::take(&mut self.has_ended) {
                return Received::Break;
            }
            *place = octet;
            received += 1;
        }
        Received::Octets(received)
    }

    /// Sends from the front of this as much as the port queues, and says how much that was.
    pub fn send(&mut self, octets: &[u8]) -> usize {
        let mut sent = 0;
        for octet in octets {
            if self.status() & register::CAN_SEND == 0 {
                break;
            }
            register::DATA.write(*octet);
            sent += 1;
        }
        sent
    }

    /// Waits until something is received or a millisecond has passed.
    pub fn sleep(&mut self) {
        let end = super::ticks() + super::TICKS_A_MILLISECOND;
        while !self.has_received() && super::ticks() < end {}
    }

    fn has_received(&mut self) -> bool {
        self.status() & register::RECEIVED != 0
    }

    fn status(&mut self) -> u8 {
        let status = register::STATUS.read();
        self.has_ended |= status & register::BREAK != 0;
        status
    }
}
