//! What is sent compressed (RFC 7692): when, by which compressor, and how often for a message that is for many.

use crate::context::Context;
use crate::error::PushError;
use crate::frame::Flags;
use crate::multicast::Multicast;
use crate::settings::ms;
use crate::slot::Slot;
use martlet_codec::{DataKind, Deflater, Header, Kind, SmallDeflater, WindowBits};
use martlet_state::{DeflateSide, Instant};
use std::sync::Arc;

/// Shorter messages go through the small compressor, which takes a tenth of the time for them. So do those for a shorter window, in
/// which the large one would have to begin anew so often that more octets come out as well.
const SMALL: usize = 1024;
/// A buffer that one message has made larger than this is not kept for the next.
pub(crate) const KEPT: usize = 256 * 1024;
/// What ends a piece of compressed data that others follow: the last octets of an empty stored block.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
/// The longest stored block (RFC 1951 section 3.2.4).
const STORED: usize = 65_535;

/// The compressors of a worker. They keep nothing from one message to the next, so that they serve all connections without context
/// takeover, and what is sent to many.
pub(crate) struct Compressors {
    level: u8,
    small: Option<Box<SmallDeflater>>,
    /// 320 KB, once it is needed.
    large: Option<Deflater>,
    /// What came out last.
    out: Vec<u8>,
}

/// The compressor of a connection with context takeover: 6 KiB.
pub(crate) struct Sender {
    deflater: SmallDeflater,
    used: Instant,
}

impl Compressors {
    pub(crate) const fn new(level: u8) -> Self {
        Self { level, small: None, large: None, out: Vec::new() }
    }

    /// Compresses a message to the front of `out`, alone; `None` if it would not be smaller.
    fn alone(&mut self, bits: WindowBits, octets: &[u8]) -> Option<usize> {
        self.make_room(octets.len());
        if octets.len() < SMALL || bits.size() < SMALL {
            let small = self.small.get_or_insert_with(|| Box::new(SmallDeflater::new(bits, false)));
            small.set_window(bits);
            return small.deflate(octets, &mut self.out);
        }
        let large = self.large.get_or_insert_with(|| Deflater::new(bits, false, self.level));
        large.set_window(bits);
        large.deflate(octets, &mut self.out)
    }

    /// A whole message as one compressed frame for many connections.
    fn frame(&mut self, bits: WindowBits, kind: DataKind, octets: &[u8]) -> Option<Arc<[u8]>> {
        let frame = self.alone(bits, octets).and_then(|len| {
            let kind = Kind::Data { op: kind.op(), fin: true, len: len as u64 };
            let header = Header { kind, key: None }.encode().compressed();
            Some([header.as_ref(), self.out.get(..len)?].concat().into())
        });
        self.give_back();
        frame
    }

    /// Puts octets that do not get smaller into stored blocks, as a part of a message that is compressed in other parts.
    fn store(&mut self, octets: &[u8]) -> usize {
        self.out.clear();
        for block in octets.chunks(STORED) {
            let len = block.len() as u16;
            self.out.push(0);
            self.out.extend(len.to_le_bytes());
            self.out.extend((!len).to_le_bytes());
            self.out.extend(block);
        }
        self.out.len()
    }

    /// Room for a message of this length, and for what stands behind it.
    fn make_room(&mut self, len: usize) {
        let wanted = len + 2 * TAIL.len();
        if self.out.len() < wanted {
            self.out.resize(wanted, 0);
        }
    }

    fn give_back(&mut self) {
        if self.out.capacity() > KEPT {
            self.out = Vec::new();
        }
    }
}

impl Context<'_> {
    /// Sends a message or a fragment compressed. Says whether it has: a whole message that does not get smaller is sent as it is.
    #[inline(never)]
    pub(crate) fn send_compressed(
        &mut self,
        key: usize,
        side: DeflateSide,
        kind: DataKind,
        fin: bool,
        octets: &[u8],
    ) -> Result<bool, PushError> {
        let whole = fin && self.slots[key].conn.sending().is_none();
        let len = match self.deflate(key, side, octets) {
            Some(len) if fin => len,
            Some(len) => {
                self.compressors.out[len..len + TAIL.len()].copy_from_slice(&TAIL);
                len + TAIL.len()
            }
            None if whole => {
                self.compressors.give_back();
                return Ok(false);
            }
            None => self.store_fragment(key, side, fin, octets),
        };
        let (header, _) = self.slots[key].conn.begin_compressed_frame(kind, len as u64, fin)?;
        let out = std::mem::take(&mut self.compressors.out);
        self.send_payload(key, header, &out[..len], fin);
        self.compressors.out = out;
        self.compressors.give_back();
        Ok(true)
    }

    /// Compresses for one connection, with its own compressor if it has context takeover.
    fn deflate(&mut self, key: usize, side: DeflateSide, octets: &[u8]) -> Option<usize> {
        let bits = window(side);
        if side.no_context_takeover {
            return self.compressors.alone(bits, octets);
        }
        self.compressors.make_room(octets.len());
        let (now, slot) = (self.now, &mut self.slots[key]);
        let sender = &mut slot.extras.get_or_insert_default().sender;
        let is_new = sender.is_none();
        let sender =
            sender.get_or_insert_with(|| Box::new(Sender { deflater: SmallDeflater::new(bits, true), used: now }));
        sender.used = now;
        let len = sender.deflater.deflate(octets, &mut self.compressors.out);
        if is_new {
            // It may be given back after some time.
            self.arm(key);
        }
        len
    }

    /// A fragment of a compressed message that does not get smaller.
    fn store_fragment(&mut self, key: usize, side: DeflateSide, fin: bool, octets: &[u8]) -> usize {
        self.slots[key].forget_sent(side);
        let len = self.compressors.store(octets);
        // A message ends in an empty stored block, without the octets that everybody knows.
        self.compressors.out.extend(fin.then_some(0));
        len + usize::from(fin)
    }

    /// The frame that is for many as this connection gets it: compressed by whoever needs it first.
    pub(crate) fn variant<'f>(&mut self, key: usize, shared: &'f Multicast) -> &'f Arc<[u8]> {
        let slot = &mut self.slots[key];
        let (kind, octets) = shared.message();
        let Some(side) = slot.compresses(shared.flags(), octets.len()) else { return shared.frame() };
        let compressors = &mut self.compressors;
        match shared.deflated(window(side), |bits| compressors.frame(bits, kind, octets)) {
            Some(frame) => {
                slot.forget_sent(side);
                frame
            }
            None => shared.frame(),
        }
    }
}

impl Slot<'_> {
    /// Whether a message, or its next fragment, goes compressed, and how.
    pub(crate) fn compresses(&self, flags: Flags, len: usize) -> Option<DeflateSide> {
        let side = self.conn.compression()?.server;
        let wanted = match self.conn.sending() {
            Some(_) => self.conn.is_sending_compressed(),
            None if flags.contains(Flags::FIN) && len >= self.profile.settings.compression_threshold => true,
            None => flags.contains(Flags::COMPRESS),
        };
        wanted.then_some(side)
    }

    /// The peer gets compressed octets of which the connection's own compressor does not know: it begins anew.
    fn forget_sent(&mut self, side: DeflateSide) {
        if let Some(sender) = self.extras.as_mut().and_then(|extras| extras.sender.as_mut()) {
            sender.deflater.set_window(window(side));
        }
    }

    /// When the connection's compressor is given back, if nothing is sent.
    pub(crate) fn release_at(&self) -> Option<Instant> {
        let idle_ms = ms(self.profile.settings.compression_idle_time);
        let sender = self.extras.as_ref()?.sender.as_ref()?;
        (idle_ms != 0).then(|| sender.used.after(idle_ms))
    }

    /// Gives it back if it is time.
    pub(crate) fn release_idle(&mut self, now: Instant) {
        if self.release_at().is_some_and(|at| at <= now)
            && let Some(extras) = &mut self.extras
        {
            extras.sender = None;
            self.tidy();
        }
    }
}

/// The window that was negotiated for what one end compresses.
pub(crate) fn window(side: DeflateSide) -> WindowBits {
    WindowBits::new(side.window_bits().get()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_large_compressor_is_for_long_messages_in_windows_that_are_worth_it() {
        let message = b"{\"name\":\"value\",\"other\":17},".repeat(200);
        for bits in (8..=15).filter_map(WindowBits::new) {
            let mut compressors = Compressors::new(1);
            assert!(compressors.alone(bits, &message[..SMALL - 1]).is_some());
            assert!(compressors.large.is_none(), "{bits:?}");
            assert!(compressors.alone(bits, &message).is_some());
            assert_eq!(compressors.large.is_some(), bits.get() > 9, "{bits:?}");
        }
    }
}
