//! Peers that read more slowly than is written for them: what may still be pushed, and what the handler hears of it.

use crate::context::Context;
use crate::error::PushError;
use crate::handler::Handler;
use crate::multicast::Multicast;
use crate::present::Standing;
use crate::profile::COPIED;
use crate::settings::Backpressure;
use crate::slot::{Behind, Slot};
use crate::worker::Worker;
use martlet_state::CloseFrame;
use std::sync::Arc;

impl Context<'_> {
    /// Sees to it that a queue gets no longer than it may: what becomes of its connection is the settings' to say.
    ///
    /// So many octets may come to wait there that are its own.
    pub(crate) fn check_backpressure(&mut self, key: usize, own: usize) -> Result<(), PushError> {
        let slot = &mut self.slots[key];
        let Err(mut error) = slot.may_add(own) else { return Ok(()) };
        if !slot.queue.as_ref().is_some_and(|queue| queue.blocked) {
            // It may be long only because this round has not ended.
            slot.flush();
            self.mark_dirty(key);
            match self.slots[key].may_add(own) {
                Ok(()) => return Ok(()),
                Err(still) => error = still,
            }
        }
        let slot = &self.slots[key];
        if error == PushError::WorkerFull {
            slot.overload("a push");
        }
        if slot.profile.settings.backpressure_policy == Backpressure::Close {
            tracing::debug!(id = %slot.id, queued = slot.queued(), %error, "cannot be written to: 1013");
            let reason = if error == PushError::QueueFull { "you read too slowly" } else { OVERLOAD };
            if let Ok(frame) = CloseFrame::new(1013, reason) {
                self.start_close(key, frame)?;
            }
        } else if error == PushError::QueueFull {
            self.stands(key, Standing::Full);
        }
        Err(error)
    }

    /// The peer has read some of what waits for it.
    pub(crate) fn catches_up(&mut self, key: usize) {
        let Some(slot) = self.slots.get(key) else { return };
        let is_full = self.present().is_some_and(|present| present.get(slot.id) == Some(Standing::Full));
        if is_full && slot.queued() <= slot.profile.settings.max_backpressure {
            self.stands(key, Standing::There);
        }
    }

    /// Refuses what is longer than may be pushed.
    pub(crate) fn check_push(&self, key: usize, len: usize) -> Result<(), PushError> {
        match self.slots[key].profile.settings.max_push_bytes {
            Some(most) if len as u64 > most => Err(PushError::TooLarge(most)),
            _ => Ok(()),
        }
    }

    /// Sends a frame that is for many to one of them. Who is closing, or reads too slowly, is left out; that is an error only if the
    /// settings want one, or if it is longer than may be pushed there.
    pub(crate) fn send_to_one_of_many(&mut self, key: usize, frame: &Arc<Multicast>) -> Result<(), PushError> {
        let policy = self.slots[key].profile.settings.backpressure_policy;
        match self.send_shared(key, frame) {
            Err(error @ PushError::TooLarge(_)) => Err(error),
            Err(error @ (PushError::QueueFull | PushError::WorkerFull)) if policy == Backpressure::Error => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// What a peer is told for which the worker has no room.
pub(crate) const OVERLOAD: &str = "the server has no room for this now";

impl<H: Handler> Worker<'_, H> {
    /// Tells the handler that much waits for a peer, or no longer does.
    #[inline]
    pub(crate) fn watermarks(&mut self, key: usize) {
        if let Some(slot) = self.ctx.slots.get(key)
            && (slot.queue.is_some() || slot.behind != Behind::No)
        {
            self.tell_watermarks(key);
        }
    }

    #[inline(never)]
    fn tell_watermarks(&mut self, key: usize) {
        let slot = &mut self.ctx.slots[key];
        let id = slot.id;
        match slot.pass_watermarks() {
            Some(_) if !slot.is_established() => {}
            Some(Mark::High) => self.guard(key, |handler, ctx| handler.buffer_full(ctx, id)),
            Some(Mark::Low) => self.guard(key, |handler, ctx| handler.drain(ctx, id)),
            None => {}
        }
    }
}

/// A watermark that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    High,
    Low,
}

impl Slot<'_> {
    /// Whether so many octets may be added to its queue.
    #[inline]
    fn may_add(&self, own: usize) -> Result<(), PushError> {
        if self.queued() > self.profile.settings.max_backpressure {
            return Err(PushError::QueueFull);
        }
        if self.profile.budget.has(own) { Ok(()) } else { self.may_overdraw(own) }
    }

    /// The worker has no room for these octets: who reads all that it gets is given more as ever, unless it is so much that some of it
    /// is likely to wait.
    #[cold]
    fn may_overdraw(&self, own: usize) -> Result<(), PushError> {
        if self.queue.is_none() && own <= COPIED { Ok(()) } else { Err(PushError::WorkerFull) }
    }

    /// Remembers on which side of the watermarks the queue is, and says which one it has passed since it was asked last.
    fn pass_watermarks(&mut self) -> Option<Mark> {
        let settings = self.profile.settings;
        let queued = self.queued();
        let blocked = self.queue.as_ref().is_some_and(|queue| queue.blocked);
        let before = self.behind;
        self.behind = match before {
            _ if queued <= settings.buffer_low_watermark => Behind::No,
            _ if queued > settings.buffer_high_watermark && blocked => Behind::Full,
            Behind::No if blocked => Behind::Somewhat,
            before => before,
        };
        match (before, self.behind) {
            (Behind::No | Behind::Somewhat, Behind::Full) => Some(Mark::High),
            (Behind::Somewhat | Behind::Full, Behind::No) => Some(Mark::Low),
            _ => None,
        }
    }
}

/// The length of what a server's frame carries. Its header has no mask, and the shortest form that its length allows.
pub(crate) const fn payload_len(frame: &[u8]) -> usize {
    let header = match frame.len() {
        0..=127 => 2,
        128..=65_539 => 4,
        _ => 10,
    };
    frame.len().saturating_sub(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Outgoing;
    use martlet_codec::DataKind;

    #[test]
    fn a_frames_payload_is_what_is_left_without_its_header() {
        for len in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 70_000] {
            assert_eq!(payload_len(&Outgoing::encode(DataKind::Binary, &vec![0; len])), len);
        }
    }
}
