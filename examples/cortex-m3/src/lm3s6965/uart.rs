//! UART0, a PL011, at 115,200 bits a second.

use super::Line;
use crate::register::Register;
use crate::serial::Received;

const BITS_PER_SECOND: u32 = 115_200;

/// Registers of UART0 and of the pins it has.
mod register {
    use super::Register;

    // SAFETY: they are there, and reach no memory.
    pub(super) const DATA: Register<u32> = unsafe { Register::at(0x4000_c000) };
    pub(super) const FLAGS: Register<u32> = unsafe { Register::at(0x4000_c018) };
    pub(super) const DIVISOR: Register<u32> = unsafe { Register::at(0x4000_c024) };
    pub(super) const FRACTION: Register<u32> = unsafe { Register::at(0x4000_c028) };
    pub(super) const LINE: Register<u32> = unsafe { Register::at(0x4000_c02c) };
    pub(super) const CONTROL: Register<u32> = unsafe { Register::at(0x4000_c030) };
    pub(super) const INTERRUPTS: Register<u32> = unsafe { Register::at(0x4000_c038) };
    pub(super) const PINS_FUNCTION: Register<u32> = unsafe { Register::at(0x4000_4420) };
    pub(super) const PINS_DIGITAL: Register<u32> = unsafe { Register::at(0x4000_451c) };

    /// In what is read from `DATA`.
    pub(super) const BREAK: u32 = 1 << 10;
    /// In `FLAGS`.
    pub(super) const RECEIVED_NOTHING: u32 = 1 << 4;
    pub(super) const CANNOT_SEND: u32 = 1 << 5;
    /// In `LINE`: with queues of 16 octets, 8 bits each.
    pub(super) const QUEUES_8_BITS: u32 = 1 << 4 | 3 << 5;
    /// In `CONTROL`: on, in both directions.
    pub(super) const ON: u32 = 1 | 1 << 8 | 1 << 9;
    /// In `INTERRUPTS`: something was received; a little was received, and no more comes.
    pub(super) const RECEIVED: u32 = 1 << 4 | 1 << 6;
    /// The pins that are the port's.
    pub(super) const PINS: u32 = 0b11;
}

/// The serial port.
pub struct Uart {
    /// A BREAK was read behind octets that have to be taken before it.
    has_ended: bool,
}

impl Uart {
    pub(super) fn new(system_hz: u32) -> Self {
        use register::*;
        PINS_FUNCTION.write(PINS);
        PINS_DIGITAL.write(PINS);
        // In 64ths: the port's clock has 16 ticks a bit.
        let divisor = (system_hz * 4 + BITS_PER_SECOND / 2) / BITS_PER_SECOND;
        DIVISOR.write(divisor / 64);
        FRACTION.write(divisor % 64);
        LINE.write(QUEUES_8_BITS);
        INTERRUPTS.write(RECEIVED);
        CONTROL.write(ON);
        Self { has_ended: false }
    }

    /// Takes what was received, as far as there is room; waits for nothing.
    pub fn receive(&mut self, room: &mut [u8]) -> Received {
        if core::mem::take(&mut self.has_ended) {
            return Received::Break;
        }
        let mut received = 0;
        for place in room {
            if !Self::has_received() {
                break;
            }
            let data = register::DATA.read();
            if data & register::BREAK != 0 {
                if received == 0 {
                    return Received::Break;
                }
                self.has_ended = true;
                break;
            }
            *place = data as u8;
            received += 1;
        }
        Received::Octets(received)
    }

    /// Sends from the front of this as much as the port queues, and says how much that was.
    pub fn send(&mut self, octets: &[u8]) -> usize {
        let mut sent = 0;
        for octet in octets {
            if register::FLAGS.read() & register::CANNOT_SEND != 0 {
                break;
            }
            register::DATA.write(u32::from(*octet));
            sent += 1;
        }
        sent
    }

    /// Sleeps until something is received or a millisecond has passed.
    pub fn sleep(&mut self) {
        super::sleep(Line::Uart0, || !self.has_ended && !Self::has_received());
    }

    fn has_received() -> bool {
        register::FLAGS.read() & register::RECEIVED_NOTHING == 0
    }
}
