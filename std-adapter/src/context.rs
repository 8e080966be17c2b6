//! What a handler can do: the worker's connections, and the way to those of other workers.

use crate::common::Common;
use crate::compress::Compressors;
use crate::error::PushError;
use crate::flags::Flag;
use crate::frame::{Flags, Opcode, Outgoing};
use crate::handle::Handle;
use crate::id::ConnId;
use crate::inflate::Lent;
use crate::mailbox::{Command, Filter};
use crate::multicast::Multicast;
use crate::output::Output;
use crate::present::{Present, Standing};
use crate::settings::Settings;
use crate::slot::Slot;
use crate::stats::Stats;
use crate::timers::Timers;
use crate::topics::Groups;
use crate::wheel::Wheel;
use martlet_state::{CloseFrame, Instant, Misuse};
use slab::Slab;
use std::collections::VecDeque;
use std::sync::Arc;

/// The worker as its handler sees it.
///
/// What is sent to the connection at hand leaves with all else that its turn produces, what is sent to others of this
/// worker leaves at the end of the round: in one `write` each, if the sockets take it.
pub struct Context<'c> {
    pub(crate) settings: &'c Settings,
    pub(crate) handle: &'c Handle,
    pub(crate) worker: u8,
    pub(crate) seat: u8,
    pub(crate) slots: Slab<Slot<'c>>,
    /// Topics and users among them.
    pub(crate) groups: Groups,
    pub(crate) now: Instant,
    /// The slot whose turn it is, or [`NOBODY`].
    pub(crate) current: usize,
    /// What the current slot sends in this turn.
    pub(crate) output: Output,
    /// What a round sends to many.
    pub(crate) common: Common,
    pub(crate) compressors: Compressors,
    pub(crate) lent: Lent,
    /// Slots whose queues are to be flushed at the end of this round.
    pub(crate) dirty: Vec<usize>,
    /// Slots that have more to read.
    pub(crate) ready: VecDeque<usize>,
    pub(crate) wheel: Wheel,
    pub(crate) timers: Timers,
    /// When a round has more to do than to see to what the system tells; not later, perhaps earlier.
    pub(crate) alarm: Instant,
}

/// No slot's number.
pub(crate) const NOBODY: usize = usize::MAX;

impl Context<'_> {
    /// Sends a message, a fragment of one, or a Ping or Pong, to a connection of any worker.
    ///
    /// For a connection of another worker `Ok` means what it means for [`Handle::push`].
    // The short way is to lie where the handler is.
    #[inline(always)]
    pub fn push<'m>(&mut self, id: ConnId, message: impl Into<Outgoing<'m>>) -> Result<(), PushError> {
        let message = message.into();
        if self.answer_at_once(id, &message) { Ok(()) } else { self.push_any(id, message.take_apart()) }
    }

    // The message goes in parts, so that the short way never has it in memory.
    #[inline(never)]
    fn push_any(&mut self, id: ConnId, parts: (Opcode, Flags, &[u8])) -> Result<(), PushError> {
        let message = Outgoing::put_together(parts);
        match self.find(id) {
            Place::Here(key) => self.send(key, &message),
            Place::Elsewhere => self.handle.push(id, message),
            Place::Nowhere => Err(PushError::Gone),
        }
    }

    /// The same from numbers and octets, as they came from somewhere else. Text must be UTF-8, each fragment by itself.
    pub fn push_frame(&mut self, id: ConnId, opcode: u8, flags: Flags, octets: &[u8]) -> Result<(), PushError> {
        self.push(id, Outgoing::checked(opcode, flags, octets)?)
    }

    /// Sends a Ping with a body of at most 125 octets.
    pub fn ping(&mut self, id: ConnId, body: &[u8]) -> Result<(), PushError> {
        self.push(id, Outgoing::ping(body))
    }

    /// Sends a Pong with a body of at most 125 octets: the answer to a Ping when
    /// [`open_websocket_ping_frame`](Settings::open_websocket_ping_frame) is on, or unasked.
    pub fn pong(&mut self, id: ConnId, body: &[u8]) -> Result<(), PushError> {
        self.push(id, Outgoing::pong(body))
    }

    /// Begins the closing handshake: code 1000 to 1003, 1007 to 1014 or 3000 to 4999, a reason of at most 123 octets. Messages
    /// that the peer had under way still come, until its Close comes or
    /// [`close_timeout`](Settings::close_timeout) have passed.
    pub fn disconnect(&mut self, id: ConnId, code: u16, reason: &str) -> Result<(), PushError> {
        let frame = CloseFrame::new(code, reason).map_err(Misuse::from)?;
        match self.find(id) {
            Place::Here(key) => self.start_close(key, frame),
            Place::Elsewhere => self.handle.disconnect(id, code, reason),
            Place::Nowhere => Err(PushError::Gone),
        }
    }

    /// Sends octets that frame themselves, behind all that was sent before. What they are is the caller's to answer for.
    pub fn send_raw(&mut self, id: ConnId, octets: &[u8]) -> Result<(), PushError> {
        match self.find(id) {
            Place::Here(key) => self.send_octets(key, octets),
            Place::Elsewhere => self.handle.send_raw(id, octets),
            Place::Nowhere => Err(PushError::Gone),
        }
    }

    /// Ends a connection at once, without a Close: by a reset, which the peer hears of as an error, or behind what waits.
    pub fn close(&mut self, id: ConnId, reset: bool) -> Result<(), PushError> {
        match self.find(id) {
            Place::Here(key) => {
                self.cut(key, reset);
                Ok(())
            }
            Place::Elsewhere => self.handle.close(id, reset),
            Place::Nowhere => Err(PushError::Gone),
        }
    }

    /// Reads nothing more from a connection until [`resume`](Self::resume): what the peer sends then waits at the peer. Neither
    /// its silence nor its Pongs can be told meanwhile, so that no heartbeat ends it.
    pub fn pause(&mut self, id: ConnId) -> Result<(), PushError> {
        self.set_paused(id, true)
    }

    /// Reads again.
    pub fn resume(&mut self, id: ConnId) -> Result<(), PushError> {
        self.set_paused(id, false)
    }

    fn set_paused(&mut self, id: ConnId, paused: bool) -> Result<(), PushError> {
        match self.find(id) {
            Place::Here(key) => {
                let slot = &mut self.slots[key];
                slot.flags.put(Flag::Paused, paused && !slot.flags.has(Flag::Leaving));
                // It may have sent much meanwhile, of which the socket has told already.
                if !paused && slot.flags.has(Flag::Readable) && !slot.flags.raise(Flag::InReady) {
                    self.turn_again(key);
                }
                Ok(())
            }
            Place::Elsewhere => self.handle.post(id, Command::Pause { id, paused }),
            Place::Nowhere => Err(PushError::Gone),
        }
    }

    /// Sends a whole message to many connections of all workers. It is encoded once, and connections that read slowly share
    /// its octets. An error means that a worker was too far behind; all others have it. Where
    /// [`backpressure_policy`](Settings::backpressure_policy) is `Error`, connections of this worker that read too slowly are one as well.
    ///
    /// A connection to which a message goes in fragments is left out until its last fragment was pushed, since no message may stand
    /// between them (RFC 6455 section 5.4).
    pub fn broadcast<'m>(&mut self, filter: Filter, message: impl Into<Outgoing<'m>>) -> Result<(), PushError> {
        let frame = self.handle.multicast(&message.into())?;
        let here = self.broadcast_here(filter, &frame);
        self.handle.broadcast_frame(filter, &frame, Some(usize::from(self.worker))).and(here)
    }

    /// The tag of a connection of this worker: 0 until it is given one.
    #[inline]
    pub fn tag(&self, id: ConnId) -> Option<u32> {
        self.slot(id).map(|slot| slot.tag)
    }

    /// Gives a connection of this worker a tag, whatever that means to the handler; see [`Filter::Tag`].
    pub fn set_tag(&mut self, id: ConnId, tag: u32) -> Result<(), PushError> {
        let Place::Here(key) = self.find(id) else { return Err(PushError::Gone) };
        self.slots[key].tag = tag;
        Ok(())
    }

    /// The worker's seat, from 0 to [`worker_num`](Settings::worker_num) - 1: one that takes over in a reload has that of the worker
    /// that it follows.
    pub fn seat(&self) -> usize {
        usize::from(self.seat)
    }

    /// The worker's number, which [`ConnId::worker`] of its connections is. It is its seat until the first
    /// [reload](Handle::reload), when there are two workers with one seat for a while.
    pub fn worker(&self) -> usize {
        usize::from(self.worker)
    }

    /// What the server has done so far, all workers together.
    pub fn stats(&self) -> Stats {
        self.handle.stats()
    }

    /// The way to all workers, for other threads.
    pub fn handle(&self) -> &Handle {
        self.handle
    }

    /// The settings that the server was started with.
    pub fn settings(&self) -> &Settings {
        self.settings
    }

    /// Sees to it that the worker does not sleep longer than until then, and looks at all that it may have to do.
    #[inline]
    pub(crate) fn wake_at(&mut self, at: Instant) {
        self.alarm = self.alarm.min(at);
    }

    /// Gives a connection one more turn, after the others.
    pub(crate) fn turn_again(&mut self, key: usize) {
        self.ready.push_back(key);
        self.wake_at(self.now);
    }

    /// Where other threads see which connections this worker has.
    pub(crate) fn present(&self) -> Option<&Present> {
        Some(&self.handle.mailbox(usize::from(self.worker))?.present)
    }

    /// Lets other threads see how a connection stands from now on.
    pub(crate) fn stands(&self, key: usize, standing: Standing) {
        if let (Some(present), Some(slot)) = (self.present(), self.slots.get(key)) {
            present.set(slot.id, standing);
        }
    }

    #[inline]
    pub(crate) fn find(&self, id: ConnId) -> Place {
        match self.slots.get(id.slot()) {
            Some(slot) if slot.id == id => Place::Here(id.slot()),
            _ if id.worker() != usize::from(self.worker) => Place::Elsewhere,
            _ => Place::Nowhere,
        }
    }

    #[inline]
    pub(crate) fn slot(&self, id: ConnId) -> Option<&Slot<'_>> {
        self.slots.get(id.slot()).filter(|slot| slot.id == id)
    }

    /// Does what another thread asked for. What cannot be done any more is not: see [`Handle`].
    pub(crate) fn obey(&mut self, command: Command) {
        match command {
            Command::Frame { id, frame } => {
                if let Place::Here(key) = self.find(id) {
                    let _ = self.send_frame(key, frame);
                }
            }
            Command::Push { id, message } => {
                let _ = self.push(id, message.borrow());
            }
            Command::Raw { id, octets } => {
                let _ = self.send_raw(id, &octets);
            }
            Command::Cut { id, reset } => {
                let _ = self.close(id, reset);
            }
            Command::Pause { id, paused } => {
                let _ = self.set_paused(id, paused);
            }
            Command::Close { id, code, reason } => {
                let _ = self.disconnect(id, code, &reason);
            }
            Command::Broadcast { filter, frame } => {
                let _ = self.broadcast_here(filter, &frame);
            }
            Command::Group { group, frame } => {
                let _ = self.push_to_group_here(&group, &frame);
            }
            Command::Change { id, change } => {
                if let Err(error @ PushError::TooManyTopics(_)) = self.change(id, change) {
                    tracing::warn!(%id, %error, "not subscribed");
                }
            }
            // The worker's own business.
            Command::Reply { .. } | Command::Run(_) | Command::Retire | Command::Stop => {}
        }
    }

    fn broadcast_here(&mut self, filter: Filter, frame: &Arc<Multicast>) -> Result<(), PushError> {
        let keys: Vec<_> = self
            .slots
            .iter()
            .filter(|(_, slot)| match filter {
                Filter::All => slot.is_established(),
                Filter::Except(id) => slot.id != id && slot.is_established(),
                Filter::Tag(tag) => slot.tag == tag && slot.is_established(),
            })
            .map(|(key, _)| key)
            .collect();
        let mut done = Ok(());
        for key in keys {
            done = done.and(self.send_to_one_of_many(key, frame));
        }
        done
    }
}

/// Where a connection is.
pub(crate) enum Place {
    /// In this slot.
    Here(usize),
    /// With another worker.
    Elsewhere,
    /// It is gone.
    Nowhere,
}
