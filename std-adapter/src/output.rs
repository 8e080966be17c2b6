//! What goes out: put together in one buffer during a turn, and written at its end.

use crate::backpressure::payload_len;
use crate::context::{Context, NOBODY};
use crate::error::PushError;
use crate::flags::Flag;
use crate::frame::{Flags, Opcode, Outgoing, whole_frame};
use crate::id::ConnId;
use crate::in_place::Lent;
use crate::multicast::Multicast;
use crate::present::Standing;
use crate::profile::COPIED;
use crate::slot::Slot;
use martlet_codec::{DataKind, HeaderBytes, MAX_CONTROL, Writer};
use martlet_state::{CloseFrame, Connection, Instant, Misuse, SendError, Server};

/// The least room for what one turn puts together, in octets: for some messages of those that are copied.
const ROOM: usize = 64 * 1024;
/// Less than so many octets do not go before the turn is over.
const EARLY: usize = 8 * 1024;

/// The output of the turn at hand.
pub(crate) struct Output {
    pub(crate) room: Box<[u8]>,
    pub(crate) len: usize,
    pub(crate) lent: Option<Lent>,
}

impl Output {
    /// An output without room.
    pub(crate) fn new() -> Self {
        Self { room: Box::default(), len: 0, lent: None }
    }

    /// Makes room for the answers to a read of so many octets.
    pub(crate) fn make_room(&mut self, octets: usize) {
        self.room = vec![0; octets.max(ROOM)].into();
    }

    /// The address of the room.
    pub(crate) fn begins(&self) -> usize {
        self.room.as_ptr().addr()
    }

    /// Where the next octets go.
    #[inline]
    pub(crate) fn writer(&mut self) -> Writer<'_> {
        Writer::resume(&mut self.room, self.len)
    }

    /// Puts a message to the rest; says whether there was room for it.
    #[inline(always)]
    fn put(&mut self, kind: DataKind, octets: &[u8]) -> bool {
        // Short ones by themselves: then nothing is left of the writer but registers.
        if octets.len() <= usize::from(MAX_CONTROL) {
            return self.put_any(kind, octets);
        }
        self.put_in_place(kind, octets) || self.put_long(kind, octets)
    }

    #[inline(never)]
    fn put_long(&mut self, kind: DataKind, octets: &[u8]) -> bool {
        self.put_any(kind, octets)
    }

    #[inline(always)]
    fn put_any(&mut self, kind: DataKind, octets: &[u8]) -> bool {
        let Some(room) = self.room.get_mut(self.len..) else { return false };
        let mut writer = Writer::new(room);
        let written = writer.frame(whole_frame(kind), None, octets).is_ok();
        self.len += writer.len();
        written
    }

    /// Says how much is to be written of the room, which is free again then.
    fn take(&mut self) -> usize {
        self.fill_in();
        std::mem::take(&mut self.len)
    }

    /// Counts what a [`writer`](Self::writer) wrote, which has `len` octets in all now. Says whether it wrote anything.
    #[inline]
    pub(crate) fn wrote(&mut self, len: usize) -> bool {
        let more = len != self.len;
        self.len = len;
        more
    }
}

impl<'c> Context<'c> {
    /// Ends the turn of the slot that is `current`, and gives it: what the turn has put together leaves.
    #[inline(always)]
    pub(crate) fn end_turn(&mut self, key: usize) -> Option<&mut Slot<'c>> {
        self.current = NOBODY;
        let slot = self.slots.get_mut(key)?;
        let len = std::mem::take(&mut self.output.len);
        if len != 0 {
            slot.write_one(self.now, &self.output.room[..len]);
        }
        Some(slot)
    }

    /// The same if all that the turn sends are these octets.
    #[inline(always)]
    pub(crate) fn end_turn_with(&mut self, key: usize, octets: &[u8]) -> Option<&mut Slot<'c>> {
        self.current = NOBODY;
        let slot = self.slots.get_mut(key)?;
        slot.write_one(self.now, octets);
        Some(slot)
    }

    /// Puts a short message to what the turn sends, if it is for the connection at hand and nothing is in its way. `false` says only
    /// that [`send`](Self::send) is to be asked.
    #[inline(always)]
    pub(crate) fn answer_at_once(&mut self, id: ConnId, message: &Outgoing<'_>) -> bool {
        let Some(slot) = self.slots.get_mut(id.slot()) else { return false };
        let Some(kind) = message.plain() else { return false };
        let at_hand =
            slot.id == id && id.slot() == self.current && slot.conn.may_send().is_ok() && slot.queue.is_none();
        if !at_hand || message.octets().len() > slot.profile.short {
            return false;
        }
        let written = self.output.put(kind, message.octets());
        if written {
            slot.count_frame_out();
        }
        written
    }

    /// Sends a message over a connection of this worker.
    pub(crate) fn send(&mut self, key: usize, message: &Outgoing<'_>) -> Result<(), PushError> {
        match message.plain() {
            Some(kind) => {
                self.slots[key].conn.may_send()?;
                self.send_rare(key, kind, Flags::FIN, message.octets())
            }
            None => self.send_part(key, message),
        }
    }

    /// Sends a fragment or a control frame.
    fn send_part(&mut self, key: usize, message: &Outgoing<'_>) -> Result<(), PushError> {
        message.check()?;
        let (conn, body) = (&self.slots[key].conn, message.octets());
        let kind = match message.opcode() {
            Opcode::Ping => return self.control(key, |conn, writer| conn.ping(body, writer)),
            Opcode::Pong => return self.control(key, |conn, writer| conn.pong(body, writer)),
            Opcode::Close => return Err(PushError::CloseOpcode),
            Opcode::Text | Opcode::Binary => {
                conn.may_send()?;
                if message.opcode() == Opcode::Text { DataKind::Text } else { DataKind::Binary }
            }
            Opcode::Continuation => match conn.sending() {
                Some(DataKind::Text) if !message.is_utf8() => return Err(PushError::NotUtf8),
                Some(kind) => kind,
                None => return Err(PushError::NothingToContinue),
            },
        };
        self.send_rare(key, kind, message.flag(), body)
    }

    /// The same for long messages, for connections whose turn it is not, and for those whose peers read slowly.
    #[inline(never)]
    fn send_rare(&mut self, key: usize, kind: DataKind, flags: Flags, octets: &[u8]) -> Result<(), PushError> {
        self.check_push(key, octets.len())?;
        self.check_backpressure(key, octets.len())?;
        let fin = flags.contains(Flags::FIN);
        if let Some(side) = self.slots[key].compresses(flags, octets.len())
            && self.send_compressed(key, side, kind, fin, octets)?
        {
            return Ok(());
        }
        let (header, _) = self.slots[key].conn.begin_frame(kind, octets.len() as u64, fin)?;
        self.send_payload(key, header, octets, fin);
        Ok(())
    }

    /// Sends a frame that the connection has begun; `fin` says whether a message ends with it.
    pub(crate) fn send_payload(&mut self, key: usize, header: HeaderBytes, octets: &[u8], fin: bool) {
        let wanted = header.as_ref().len() + octets.len();
        if octets.len() <= COPIED && (self.slots[key].queue.is_some() || self.output.writer().room() < wanted) {
            self.flush_for(key);
        }
        let slot = &mut self.slots[key];
        if fin {
            slot.count_frame_out();
        } else {
            slot.count_no_message_out();
        }
        if octets.len() > COPIED {
            let mut before = 0;
            if key == self.current {
                before = self.output.take();
            }
            slot.write(self.now, [&self.output.room[..before], header.as_ref(), octets]);
        } else if key == self.current && slot.queue.is_none() {
            // Fits: otherwise the output was just emptied, and is longer than what is copied.
            let mut writer = self.output.writer();
            let written = writer.put(header.as_ref()).and_then(|()| writer.put(octets));
            debug_assert!(written.is_ok());
            self.output.len = writer.len();
        } else {
            slot.count_bytes_out(self.now, wanted as u64);
            let queue = slot.queue();
            queue.push(header.as_ref());
            queue.push(octets);
        }
        self.mark_dirty(key);
    }

    /// Sends a frame that was encoded elsewhere.
    pub(crate) fn send_frame(&mut self, key: usize, frame: Vec<u8>) -> Result<(), PushError> {
        self.flush_for(key);
        self.slots[key].conn.may_send()?;
        let len = payload_len(&frame);
        if self.slots[key].compresses(Flags::FIN, len).is_some() {
            let kind = if frame.first().is_some_and(|first| first & 0x0f == Opcode::Text as u8) {
                DataKind::Text
            } else {
                DataKind::Binary
            };
            return self.send_rare(key, kind, Flags::FIN, &frame[frame.len() - len..]);
        }
        self.check_push(key, len)?;
        self.check_backpressure(key, len)?;
        let slot = &mut self.slots[key];
        slot.count_frame_out();
        slot.count_bytes_out(self.now, frame.len() as u64);
        slot.queue().push_owned(frame);
        self.mark_dirty(key);
        Ok(())
    }

    /// Sends octets that are frames, in the caller's word.
    pub(crate) fn send_octets(&mut self, key: usize, octets: &[u8]) -> Result<(), PushError> {
        self.slots[key].conn.may_send()?;
        self.check_backpressure(key, octets.len())?;
        self.flush_for(key);
        self.slots[key].write_one(self.now, octets);
        self.mark_dirty(key);
        Ok(())
    }

    /// Sends a frame that others send as well.
    pub(crate) fn send_shared(&mut self, key: usize, shared: &Multicast) -> Result<(), PushError> {
        self.slots[key].conn.may_send()?;
        self.check_push(key, shared.message().1.len())?;
        // What many have counts once, and is there already.
        self.check_backpressure(key, 0)?;
        let frame = self.variant(key, shared);
        let slot = &mut self.slots[key];
        slot.count_frame_out();
        if key == self.current && slot.queue.is_none() && frame.len() <= COPIED {
            // It leaves with all else that the turn produces.
            self.append(key, frame);
            return Ok(());
        }
        self.flush_for(key);
        // Where there is one, there may be many: they leave together at the end of the round, by one write.
        let slot = &mut self.slots[key];
        slot.count_bytes_out(self.now, frame.len() as u64);
        self.common.push(&mut slot.queue, frame);
        self.mark_dirty(key);
        Ok(())
    }

    /// Sends a control frame.
    pub(crate) fn control(
        &mut self,
        key: usize,
        write: impl FnMut(&mut Connection<'c, Server>, &mut Writer<'_>) -> Result<(), SendError>,
    ) -> Result<(), PushError> {
        self.check_backpressure(key, usize::from(MAX_CONTROL))?;
        self.write_with(key, write)?;
        self.slots[key].count_no_message_out();
        Ok(())
    }

    /// Begins the closing handshake.
    pub(crate) fn start_close(&mut self, key: usize, frame: CloseFrame<'_>) -> Result<(), PushError> {
        let now = self.now;
        self.write_with(key, |conn, writer| conn.close(now, Some(frame), writer))?;
        let slot = &mut self.slots[key];
        slot.count_no_message_out();
        slot.our_code = frame.code().get();
        self.stands(key, Standing::Closing);
        self.arm(key);
        Ok(())
    }

    /// Lets the core write something, whole, with as much room as it wants.
    pub(crate) fn write_with(
        &mut self,
        key: usize,
        mut write: impl FnMut(&mut Connection<'c, Server>, &mut Writer<'_>) -> Result<(), SendError>,
    ) -> Result<(), Misuse> {
        let slot = &mut self.slots[key];
        let mut room = [0; 512];
        let mut writer = Writer::new(&mut room);
        let wanted = match write(&mut slot.conn, &mut writer) {
            Ok(()) => {
                self.append(key, writer.written());
                return Ok(());
            }
            Err(SendError::Misuse(misuse)) => return Err(misuse),
            Err(SendError::NoRoom(no_room)) => no_room.wanted,
        };
        let mut room = vec![0; wanted];
        let mut writer = Writer::new(&mut room);
        match write(&mut slot.conn, &mut writer) {
            Ok(()) => {
                self.flush_for(key);
                self.slots[key].write_one(self.now, writer.written());
                self.mark_dirty(key);
                Ok(())
            }
            Err(SendError::Misuse(misuse)) => Err(misuse),
            Err(SendError::NoRoom(_)) => Err(Misuse::State(slot.conn.state())),
        }
    }

    /// Adds a few octets to what a slot sends.
    pub(crate) fn append(&mut self, key: usize, octets: &[u8]) {
        if key == self.current && self.output.writer().put(octets).is_ok() {
            self.output.len += octets.len();
            return;
        }
        self.flush_for(key);
        let slot = &mut self.slots[key];
        slot.count_bytes_out(self.now, octets.len() as u64);
        slot.queue().push(octets);
        self.mark_dirty(key);
    }

    /// Writes out what the turn has put together, if it is this slot's turn, so that what comes next is behind it.
    fn flush_for(&mut self, key: usize) {
        if key == self.current {
            self.flush_output();
        }
    }

    /// Writes out what the turn has put together so far, if that is half of the answers to a read of so many octets: the peer takes them
    /// while the others are made, and they are still in the cache.
    #[inline(always)]
    pub(crate) fn flush_half(&mut self, read: usize) {
        if self.output.len >= EARLY {
            self.flush_if_half(read);
        }
    }

    #[inline(never)]
    fn flush_if_half(&mut self, read: usize) {
        // Somewhat less than half: what goes has shorter headers than what came.
        if self.output.len >= read / 16 * 7 {
            self.flush_output();
        }
    }

    /// Writes out what the turn has put together.
    pub(crate) fn flush_output(&mut self) {
        let len = self.output.take();
        if len == 0 {
            return;
        }
        if let Some(slot) = self.slots.get_mut(self.current) {
            slot.write_one(self.now, &self.output.room[..len]);
        }
    }

    /// Sees to it that a slot is looked at at the end of this round.
    pub(crate) fn mark_dirty(&mut self, key: usize) {
        let flags = &mut self.slots[key].flags;
        if key != self.current && !flags.raise(Flag::InDirty) {
            self.dirty.push(key);
            self.wake_at(self.now);
        }
    }

    /// Sees to it that a slot is looked at when its next deadline has passed.
    pub(crate) fn arm(&mut self, key: usize) {
        if let Some(deadline) = self.slots.get(key).and_then(Slot::deadline) {
            self.arm_at(key, deadline);
        }
    }

    /// Sees to it that a slot is looked at then, or before.
    pub(crate) fn arm_at(&mut self, key: usize, deadline: Instant) {
        self.wheel.arm(self.now, key as u32, deadline);
        if let Some(first) = self.wheel.next() {
            self.wake_at(first);
        }
    }
}
