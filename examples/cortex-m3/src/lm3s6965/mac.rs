//! The Ethernet MAC, polled, as a device of smoltcp.

use super::Line;
use crate::register::Register;
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

/// The longest frame without its checksum: an Ethernet header and 1,500 octets.
const FRAME: usize = 1514;
/// With the length in front and the checksum behind, in whole words.
const RECEIVED: usize = (2 + FRAME + 4).next_multiple_of(4);
/// The first two octets, and the rest in whole words.
const TO_SEND: usize = 2 + (FRAME - 2).next_multiple_of(4);
/// What does not count in the length of a frame to send.
const ETHERNET_HEADER: usize = 14;

/// Registers of the MAC.
mod register {
    use super::Register;

    // SAFETY: they are there, and reach no memory.
    pub(super) const INTERRUPTS: Register<u32> = unsafe { Register::at(0x4004_8000) };
    pub(super) const INTERRUPTS_ON: Register<u32> = unsafe { Register::at(0x4004_8004) };
    pub(super) const RECEIVE_CONTROL: Register<u32> = unsafe { Register::at(0x4004_8008) };
    pub(super) const SEND_CONTROL: Register<u32> = unsafe { Register::at(0x4004_800c) };
    pub(super) const DATA: Register<u32> = unsafe { Register::at(0x4004_8010) };
    pub(super) const ADDRESS_0: Register<u32> = unsafe { Register::at(0x4004_8014) };
    pub(super) const ADDRESS_1: Register<u32> = unsafe { Register::at(0x4004_8018) };
    pub(super) const FRAMES: Register<u32> = unsafe { Register::at(0x4004_8034) };
    pub(super) const SEND: Register<u32> = unsafe { Register::at(0x4004_8038) };

    /// In `INTERRUPTS` and `INTERRUPTS_ON`.
    pub(super) const RECEIVED: u32 = 1;
    /// In `RECEIVE_CONTROL`: on, with an empty queue, without frames whose checksum is wrong.
    pub(super) const RECEIVE_ON: u32 = 1 | 1 << 3 | 1 << 4;
    /// In `SEND_CONTROL`: on, short frames filled up, a checksum put behind, in both directions at once.
    pub(super) const SEND_ON: u32 = 1 | 1 << 1 | 1 << 2 | 1 << 4;
    /// In `SEND`: a frame is ready, or not sent yet.
    pub(super) const SENDING: u32 = 1;
}

/// The MAC, with room for a frame in each direction.
pub struct Mac {
    received: [u8; RECEIVED],
    to_send: [u8; TO_SEND],
}

impl Mac {
    pub(super) fn new() -> Self {
        register::RECEIVE_CONTROL.write(register::RECEIVE_ON);
        register::SEND_CONTROL.write(register::SEND_ON);
        register::INTERRUPTS_ON.write(register::RECEIVED);
        Self { received: [0; RECEIVED], to_send: [0; TO_SEND] }
    }

    /// Frames to this address are received.
    pub fn set_address(&mut self, [a, b, c, d, e, f]: [u8; 6]) {
        register::ADDRESS_0.write(u32::from_le_bytes([a, b, c, d]));
        register::ADDRESS_1.write(u32::from_le_bytes([e, f, 0, 0]));
    }

    /// Sleeps until a frame is received or a millisecond has passed.
    pub fn sleep(&self) {
        super::sleep(Line::Ethernet, || {
            // A frame that comes after this asks for attention again.
            register::INTERRUPTS.write(register::RECEIVED);
            !Self::has_received()
        });
    }

    fn has_received() -> bool {
        register::FRAMES.read() & 0x3f != 0
    }

    fn may_send() -> bool {
        register::SEND.read() & register::SENDING == 0
    }
}

/// Takes a frame from the queue; says where it lies.
fn take_frame(room: &mut [u8; RECEIVED]) -> &[u8] {
    let first = register::DATA.read().to_le_bytes();
    let len = usize::from(u16::from_le_bytes([first[0], first[1]]));
    let (words, _) = room.as_chunks_mut();
    words[0] = first;
    // Of a frame that is too long the rest is taken too, and goes nowhere.
    for at in 1..len.div_ceil(4) {
        let word = register::DATA.read().to_le_bytes();
        if let Some(place) = words.get_mut(at) {
            *place = word;
        }
    }
    room.get(2..len.saturating_sub(4)).unwrap_or_default()
}

/// Puts a frame into the queue, and sends it.
fn put_frame(room: &[u8; TO_SEND], len: usize) {
    // The length stands before the first two octets.
    let payload = (len - ETHERNET_HEADER) as u32;
    register::DATA.write(payload | u32::from(room[0]) << 16 | u32::from(room[1]) << 24);
    let (words, _) = room[2..].as_chunks();
    for word in &words[..(len - 2).div_ceil(4)] {
        register::DATA.write(u32::from_le_bytes(*word));
    }
    register::SEND.write(register::SENDING);
}

impl Device for Mac {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = ToSend<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, ToSend<'_>)> {
        (Self::has_received() && Self::may_send())
            .then(|| (Received(take_frame(&mut self.received)), ToSend(&mut self.to_send)))
    }

    fn transmit(&mut self, _: Instant) -> Option<ToSend<'_>> {
        Self::may_send().then_some(ToSend(&mut self.to_send))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities.max_burst_size = Some(1);
        capabilities
    }
}

/// A frame that was received.
pub struct Received<'a>(&'a [u8]);

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(self.0)
    }
}

/// Room for a frame to send.
pub struct ToSend<'a>(&'a mut [u8; TO_SEND]);

impl phy::TxToken for ToSend<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let written = write(&mut self.0[..len]);
        put_frame(self.0, len);
        written
    }
}
