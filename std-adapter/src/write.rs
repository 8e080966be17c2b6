//! A slot's octets to its socket; what that does not take waits in the slot's queue.

use crate::flags::Flag;
use crate::queue::Queue;
use crate::slot::Slot;
use martlet_state::Instant;
use std::io::{ErrorKind, IoSlice, Write};

impl Slot<'_> {
    /// Writes some octets behind what waits already. What the socket does not take waits.
    // This is what every turn does: a call would cost more than the rest of it.
    #[inline(always)]
    pub(crate) fn write_one(&mut self, now: Instant, octets: &[u8]) {
        self.count_bytes_out(now, octets.len() as u64);
        let result = if self.may_write() { self.socket.write(octets) } else { Ok(0) };
        let taken = self.written(result);
        if taken != octets.len() {
            self.keep(&[octets], taken);
        }
    }

    /// The same with some parts in order.
    pub(crate) fn write<const N: usize>(&mut self, now: Instant, parts: [&[u8]; N]) {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        self.count_bytes_out(now, len as u64);
        let slices = parts.map(IoSlice::new);
        let result = if self.may_write() { self.socket.write_vectored(&slices) } else { Ok(0) };
        let taken = self.written(result);
        if taken != len {
            self.keep(&parts, taken);
        }
    }

    /// Keeps what is left of some parts when the socket has taken so many octets.
    #[inline(never)]
    fn keep(&mut self, parts: &[&[u8]], mut taken: usize) {
        if self.flags.has(Flag::Broken) {
            return;
        }
        let queue = self.queue();
        for part in parts {
            let gone = taken.min(part.len());
            taken -= gone;
            queue.push(&part[gone..]);
        }
        // A socket that took less than it was given refuses the rest, and must say so to be heard of again.
        self.flush();
        self.check_room();
    }

    /// Whether something may be written now: nothing waits that is to go before it.
    #[inline(always)]
    fn may_write(&self) -> bool {
        self.queue.is_none() && !self.flags.has(Flag::Broken)
    }

    /// How many octets the socket took.
    #[inline(always)]
    fn written(&mut self, result: std::io::Result<usize>) -> usize {
        match result {
            Ok(taken) => taken,
            Err(error) => self.not_written(&error),
        }
    }

    /// Nothing was written because of this error.
    #[cold]
    fn not_written(&mut self, error: &std::io::Error) -> usize {
        if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) {
            self.fail(error);
        }
        0
    }

    /// Writes what waits, unless the socket has refused some and not said yet that it takes more.
    pub(crate) fn flush(&mut self) {
        drop(self.flush_out());
    }

    /// The same, and gives the queue back if nothing waits in it any more: an idle connection owns no buffer.
    pub(crate) fn flush_out(&mut self) -> Option<Box<Queue>> {
        if self.flags.has(Flag::Broken) {
            return self.queue.take();
        }
        let queue = self.queue.as_mut()?;
        let was_blocked = queue.blocked;
        if !was_blocked && let Err(error) = queue.write_to(&mut self.socket) {
            self.fail(&error);
        }
        if !was_blocked {
            self.check_room();
        }
        if self.flags.has(Flag::Broken) || self.queued() == 0 { self.queue.take() } else { None }
    }

    /// Cuts a connection that keeps something more from now on, if the worker has no room for it. A part of a frame has gone, so that
    /// nothing can be said any more.
    fn check_room(&mut self) {
        let waits = self.queue.as_ref().is_some_and(|queue| queue.blocked);
        if waits && !self.profile.budget.has(0) && !self.flags.raise(Flag::Broken) {
            self.overload("output");
            if self.our_code == 0 {
                self.our_code = 1013;
            }
            self.queue = None;
        }
    }

    /// The socket takes more: writes what waits.
    ///
    /// That the peer reads shows that it lives, though it may be too busy with reading to say so: it has until `patience`.
    pub(crate) fn unblock(&mut self, patience: Instant) {
        let Some(queue) = &mut self.queue else { return };
        queue.blocked = false;
        let before = queue.len();
        self.flush();
        if self.queued() < before {
            self.until = self.until.max(patience.into());
        }
    }

    fn fail(&mut self, error: &std::io::Error) {
        tracing::debug!(id = %self.id, %error, "write");
        self.flags.raise(Flag::Broken);
    }
}
