//! The turn that nearly every turn is: one read, whole messages, one write. Whatever else there is leaves for [`turn`](crate::turn).

use crate::flags::{Flag, Flags};
use crate::frame::Frame;
use crate::handler::Handler;
use crate::id::ConnId;
use crate::input::Input;
use crate::slot::Slot;
#[cfg(feature = "tls")]
use crate::socket::Socket;
use crate::wait::Readiness;
use crate::worker::Worker;
use martlet_codec::{DataKind, MAX_CONTROL};
use std::io::Read;

/// Messages of so many octets are copied more cheaply than they are left where they lie.
const SHORT: usize = MAX_CONTROL as usize;

impl<H: Handler> Worker<'_, H> {
    /// Something has happened to a connection's socket. Says whether there is such a connection.
    // Inlined in the round, which has little else to keep in registers.
    #[inline(always)]
    pub(crate) fn socket_event(&mut self, key: usize, what: Readiness, input: &mut Input) -> bool {
        let Some(mut slot) = self.ctx.slots.get_mut(key) else { return false };
        let Some(buffer) = input.room() else { return true };
        if !(what.is_plain() && slot.is_at_rest()) {
            return self.turn(key, what, buffer);
        }
        let Ok(fresh @ 1..) = slot.socket.read(buffer) else { return self.turn(key, what, buffer) };
        let may_be_more = fresh >= buffer.len();
        slot.count_bytes_in(fresh as u64);
        self.ctx.current = key;
        let Some(mut rest) = buffer.get_mut(..fresh) else { return true };
        // How much is left for the other turn, if there is anything for it.
        let left = loop {
            // What is no whole message, or a text that is none, is the other turn's to see to.
            let Some(data) = slot.conn.receive_whole(self.ctx.now, &mut rest) else { break Some(rest.len()) };
            slot.count_frame_in();
            let (id, kind, payload) = (slot.id, data.kind(), data.into_payload());
            if rest.is_empty() && payload.len() > SHORT && !may_be_more {
                let len = payload.len();
                return self.last_message(id, kind, input, fresh, len);
            }
            self.handler.message(&mut self.ctx, id, Frame::message(kind, payload));
            if rest.is_empty() {
                break may_be_more.then_some(0);
            }
            self.ctx.flush_half(fresh);
            let Some(again) = self.ctx.slots.get_mut(key) else { break Some(rest.len()) };
            slot = again;
        };
        if let Some(left) = left {
            let Some(buffer) = input.room() else { return true };
            buffer.copy_within(fresh - left..fresh, 0);
            self.go_on(key, buffer, left, may_be_more);
        }
        if self.ctx.end_turn(key).is_some_and(|slot| !slot.is_calm()) {
            self.after_turn(key);
        }
        true
    }

    /// Hands out the message with which ends what was read, and the turn: it may leave from where it lies.
    #[inline(always)]
    fn last_message(&mut self, id: ConnId, kind: DataKind, input: &mut Input, read: usize, len: usize) -> bool {
        let key = self.ctx.current;
        let Some((payload, lent)) = input.lend(read, len) else { return true };
        self.ctx.output.lent = Some(lent);
        self.handler.message(&mut self.ctx, id, Frame::message(kind, payload));
        let slot = if let Some((header, len)) = self.ctx.output.take_back()
            && let Some(frame) = input.frame(read, header, len)
        {
            self.ctx.end_turn_with(key, frame)
        } else {
            self.ctx.output.fill_in();
            self.ctx.end_turn(key)
        };
        if slot.is_some_and(|slot| !slot.is_calm()) {
            self.after_turn(key);
        }
        true
    }
}

impl Slot<'_> {
    /// Whether it is a WebSocket that is between two turns in which nothing remained to be done: nothing waits to be read, to be put
    /// together or to be written.
    #[inline(always)]
    fn is_at_rest(&self) -> bool {
        #[cfg(feature = "tls")]
        if let Socket::Tls(_) = self.socket {
            return false;
        }
        let nothing_kept = self.queue.is_none() && self.message.is_none() && self.extras.is_none();
        self.flags == Flags::of([Flag::Opened]) && nothing_kept && !self.profile.streams
    }
}
