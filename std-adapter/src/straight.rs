//! The turn that nearly every turn is: one read, whole messages, one write. Whatever else there is leaves for [`turn`](crate::turn).

use crate::flags::{Flag, Flags};
use crate::frame::Frame;
use crate::handler::Handler;
use crate::slot::Slot;
#[cfg(feature = "tls")]
use crate::socket::Socket;
use crate::wait::Readiness;
use crate::worker::Worker;
use std::io::Read;

impl<H: Handler> Worker<'_, H> {
    /// Something has happened to a connection's socket. Says whether there is such a connection.
    // Inlined in the round, which has little else to keep in registers.
    #[inline(always)]
    pub(crate) fn socket_event(&mut self, key: usize, what: Readiness, buffer: &mut [u8]) -> bool {
        let Some(mut slot) = self.ctx.slots.get_mut(key) else { return false };
        if !(what.is_plain() && slot.is_at_rest()) {
            return self.turn(key, what, buffer);
        }
        let Ok(fresh @ 1..) = slot.socket.read(buffer) else { return self.turn(key, what, buffer) };
        let may_be_more = fresh >= buffer.len();
        slot.count_bytes_in(fresh as u64);
        self.ctx.current = key;
        let Some(mut input) = buffer.get_mut(..fresh) else { return true };
        let all_is_taken = loop {
            // What is no whole message, or a text that is none, is the other turn's to see to.
            let Some(data) = slot.conn.receive_whole(self.ctx.now, &mut input) else { break false };
            slot.count_frame_in();
            let id = slot.id;
            let message = Frame::message(data.kind(), data.into_payload());
            self.handler.message(&mut self.ctx, id, message);
            if input.is_empty() {
                break !may_be_more;
            }
            let Some(again) = self.ctx.slots.get_mut(key) else { break false };
            slot = again;
        };
        if !all_is_taken {
            let left = input.len();
            buffer.copy_within(fresh - left..fresh, 0);
            self.go_on(key, buffer, left, may_be_more);
        }
        if self.ctx.end_turn(key).is_some_and(|slot| !slot.is_calm()) {
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
