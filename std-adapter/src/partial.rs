//! Messages that have come in part: each has its time to come whole, so that nobody has one begun for ever.

use crate::budget::Share;
use crate::gathered::Gathered;
use crate::handler::{By, Closed, Handler};
use crate::slot::Slot;
use crate::wheel::Tick;
use crate::worker::Worker;
use martlet_codec::{Assembler, Storage};
use martlet_state::{CloseFrame, Instant, State};

/// A worker keeps the memory of one message for the next one, if it is no more than so many octets.
const SPARE: usize = 2 * 1024 * 1024;

/// A message of which a part has come.
pub(crate) struct Partial {
    pub(crate) assembler: Assembler<Gathered>,
    /// The memory that it takes.
    share: Share,
    /// When it must be whole.
    until: Tick,
}

impl Partial {
    /// Octets of it that have come.
    pub(crate) fn len(&mut self) -> usize {
        self.assembler.storage().len()
    }

    /// Whether the worker has room for what it has grown to.
    pub(crate) fn fits(&mut self) -> bool {
        self.share.set(self.assembler.storage().memory())
    }
}

impl Slot<'_> {
    /// When a message must be whole that begins to come now. Of one that is handed out in pieces nothing is kept.
    pub(crate) fn transfer_until(&self, now: Instant) -> Tick {
        if self.profile.streams { Tick::NEVER } else { self.profile.transfer_end(now).into() }
    }

    /// When the message must be whole of which a part has come.
    pub(crate) fn transfer_at(&self) -> Option<Instant> {
        if self.conn.state() != State::Active {
            return None;
        }
        let compressed = || self.extras.as_ref()?.incoming.as_ref()?.until();
        let until = self.message.as_ref().map(|partial| partial.until).or_else(compressed)?;
        (until != Tick::NEVER).then(|| until.into())
    }

    /// Who was not read for a while gets all of the time anew.
    fn renew_transfer(&mut self, now: Instant) {
        let until = self.transfer_until(now);
        if let Some(partial) = &mut self.message {
            partial.until = until;
        } else if let Some(incoming) = self.extras.as_mut().and_then(|extras| extras.incoming.as_mut()) {
            incoming.renew(until);
        }
    }
}

impl<H: Handler> Worker<'_, H> {
    /// The message that is put together, or a new one, and which of both. It is taken out of the slot, because the handler may do
    /// whatever it likes with the slot while it reads the message.
    pub(crate) fn take_partial(&mut self, key: usize) -> (Box<Partial>, bool) {
        let slot = &mut self.ctx.slots[key];
        if let Some(partial) = slot.message.take() {
            return (partial, false);
        }
        let until = slot.transfer_until(self.ctx.now);
        let mut partial = self.spare.take().unwrap_or_else(|| {
            let share = Share::new(slot.profile.budget);
            Box::new(Partial { assembler: Assembler::default(), share, until })
        });
        partial.until = until;
        (partial, true)
    }

    /// Keeps the memory of a message that is over. What lies there still is nobody's: it is written over before it counts again.
    pub(crate) fn keep_spare(&mut self, mut partial: Box<Partial>) {
        let memory = partial.assembler.storage();
        memory.clear();
        if memory.memory() <= SPARE {
            self.spare = Some(partial);
        }
    }

    /// Ends a connection whose message takes too long; says whether that is so.
    pub(crate) fn end_overdue(&mut self, key: usize) -> bool {
        let now = self.ctx.now;
        let Some(slot) = self.ctx.slots.get_mut(key).filter(|slot| slot.transfer_at().is_some_and(|at| at <= now))
        else {
            return false;
        };
        if !slot.may_read() {
            slot.renew_transfer(now);
            return false;
        }
        let reason = "the message did not come in time";
        tracing::debug!(id = %slot.id, "{reason}: 1008");
        if let Ok(frame) = CloseFrame::new(1008, reason) {
            // It is Active, so that nothing speaks against a Close.
            let _ = self.ctx.start_close(key, frame);
        }
        // The rest would be no message.
        self.ctx.leave(key);
        self.guard_tell(key, &Closed { code: 1008, reason, by: By::Server, clean: false });
        self.settle(key);
        true
    }
}
