//! A connection's turn, because its socket says something or because it was not read to the end: read, have it taken, write once.

use crate::flags::{Flag, Flags};
use crate::handler::Handler;
use crate::settings::ms;
use crate::slot::Slot;
#[cfg(feature = "tls")]
use crate::socket::Socket;
use crate::wait::Readiness;
use crate::worker::Worker;
use martlet_state::{State, Violation};
use std::io::{ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads of one connection in a row before the others get their turn.
const READS_PER_TURN: usize = 4;
/// While so much of a message is missing, it is read straight to where the message is put together.
const DIRECT: u64 = 2 * 1024;
/// Not before so much of it has come: a few octets must not have the worker make room for many.
const COME: usize = 4 * 1024;
/// As much is read there at once as has come, for storage grows with that: at least so much, and at most so much.
const DIRECT_ONCE: (usize, usize) = (64 * 1024, 1024 * 1024);

/// What a read led to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// There may be more to read.
    Again,
    /// Not now.
    Done,
}

impl<H: Handler> Worker<'_, H> {
    /// A connection's turn, whatever it is about: something has happened to its socket, or there is more to read. Says whether there is
    /// such a connection.
    #[inline(never)]
    pub(crate) fn turn(&mut self, key: usize, what: Readiness, buffer: &mut [u8]) -> bool {
        let Some(slot) = self.ctx.slots.get_mut(key) else { return false };
        slot.flags.raise_if(Flag::Readable, what.readable());
        if what.ended() {
            slot.flags.raise(Flag::HalfClosed);
            // Who is not read at the moment would be kept until then, though nobody is there any more.
            slot.flags.raise_if(Flag::Broken, what.error() && !slot.may_read());
        }
        #[cfg(feature = "tls")]
        if let Socket::Tls(tls) = &mut slot.socket
            && what.writable()
        {
            // What TLS has to say by itself has no queue. What fails here fails again when something is read.
            let _ = tls.push();
        }
        if slot.queue.is_some() && what.writable() {
            self.writable(key);
        }
        self.ctx.current = key;
        self.requests = 0;
        self.read(key, buffer, 0);
        if self.ctx.end_turn(key).is_some_and(|slot| !slot.is_calm()) {
            self.after_turn(key);
        }
        true
    }

    /// Takes the rest of what was read, which is the buffer's first octets, and reads on if there may be more.
    #[inline(never)]
    pub(crate) fn go_on(&mut self, key: usize, buffer: &mut [u8], left: usize, may_be_more: bool) {
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        slot.flags.raise_if(Flag::Readable, may_be_more);
        let waiting = if slot.flags.has(Flag::Leaving) { 0 } else { self.take(key, buffer, left) };
        self.read(key, buffer, waiting);
    }

    /// Writes more of what waits.
    fn writable(&mut self, key: usize) {
        let now = self.ctx.now;
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        let active = slot.conn.state() == State::Active && !slot.flags.has(Flag::Leaving);
        let config = &slot.profile.config;
        let patience = match (active, slot.flags.has(Flag::HeldBack)) {
            (true, _) => config.pong_timeout_ms,
            (false, true) => ms(slot.profile.settings.request_timeout),
            (false, false) => config.close_timeout_ms,
        };
        slot.unblock(now.after(patience));
        self.ctx.catches_up(key);
        self.watermarks(key);
    }

    /// Gives each connection that has more to read its turn, once. The handler's panic ends only the connection.
    pub(crate) fn ready_round(&mut self, buffer: &mut [u8]) {
        for _ in 0..self.ctx.ready.len() {
            let Some(key) = self.ctx.ready.pop_front() else { return };
            if let Some(slot) = self.ctx.slots.get_mut(key)
                && slot.flags.lower(Flag::InReady)
                && catch_unwind(AssertUnwindSafe(|| self.turn(key, Readiness::NONE, buffer))).is_err()
            {
                self.turn_panicked();
            }
        }
    }

    /// The handler panicked in a turn, which ends with that.
    #[cold]
    pub(crate) fn turn_panicked(&mut self) {
        let key = self.ctx.current;
        if let Some(slot) = self.ctx.slots.get_mut(key) {
            // How far it was read is forgotten.
            slot.flags.raise(Flag::Readable);
        }
        self.panicked(key);
        self.ctx.output.fill_in();
        self.ctx.end_turn(key);
        self.after_turn(key);
    }

    /// Sees to what a turn has left to do.
    #[inline(never)]
    pub(crate) fn after_turn(&mut self, key: usize) {
        if let Some(slot) = self.ctx.slots.get_mut(key) {
            self.ctx.common.keep(slot.flush_out());
        }
        self.watermarks(key);
        self.settle(key);
        if let Some(slot) = self.ctx.slots.get_mut(key)
            && slot.flags.has(Flag::Readable)
            && slot.may_read()
            && !slot.flags.raise(Flag::InReady)
        {
            // The socket says only once that there is something: what is left there is ours to remember.
            self.ctx.turn_again(key);
        }
    }

    /// Reads as often as one turn allows, and has taken what came, behind so many octets at the buffer's front that could not be taken
    /// yet: the beginning of a head, of a header or of a control frame. Keeps those that cannot be taken now.
    fn read(&mut self, key: usize, buffer: &mut [u8], mut waiting: usize) {
        for _ in 0..READS_PER_TURN {
            let Some(slot) = self.ctx.slots.get_mut(key) else { return };
            let (come, drained) = if slot.extras.is_some()
                && let Some(held) = slot.recall(buffer)
            {
                waiting = held;
                if !slot.flags.lower(Flag::TakenUp) {
                    // It lacks what is to be read now.
                    continue;
                }
                (waiting, false)
            } else {
                if !slot.wants_read() {
                    break;
                }
                if slot.conn.missing() >= DIRECT && slot.message.as_mut().is_some_and(|message| message.len() >= COME) {
                    match self.read_message(key) {
                        Step::Again => continue,
                        Step::Done => break,
                    }
                }
                let Some(room) = buffer.get_mut(waiting..).filter(|room| !room.is_empty()) else {
                    // The settings see to it that the longest head fits.
                    slot.flags.raise(Flag::Broken);
                    break;
                };
                let len = room.len();
                match slot.socket.read(room) {
                    Ok(fresh @ 1..) => (waiting + fresh, slot.came(fresh, len)),
                    end => match self.not_read(key, end.err()) {
                        Step::Again => continue,
                        Step::Done => break,
                    },
                }
            };
            if !slot.flags.has(Flag::Leaving) {
                waiting = self.take(key, buffer, come);
            }
            // Most often the socket was drained, and nothing that came of it changes that.
            if drained {
                break;
            }
        }
        if waiting != 0
            && let Some(slot) = self.ctx.slots.get_mut(key)
            && !slot.flags.has(Flag::Leaving)
            && !slot.hold(buffer.get(..waiting).unwrap_or_default())
        {
            slot.overload("a request");
            slot.flags.raise(Flag::Broken);
        }
    }

    /// Reads more of a long message, all of which goes to the message.
    #[inline(never)]
    fn read_message(&mut self, key: usize) -> Step {
        let slot = &mut self.ctx.slots[key];
        // Out of the slot, because the handler may do whatever it likes with the slot while it reads the message.
        let Some(mut partial) = slot.message.take() else { return Step::Done };
        let message = partial.assembler.storage();
        let begin = message.len();
        let missing = usize::try_from(slot.conn.missing()).unwrap_or(usize::MAX);
        let len = missing.min(begin.clamp(DIRECT_ONCE.0, DIRECT_ONCE.1));
        let Ok(room) = message.room(len) else {
            self.refuse_message(key, Violation::MessageTooBig);
            return Step::Done;
        };
        let fresh = match slot.socket.read(room) {
            Ok(fresh @ 1..) => fresh,
            end => {
                slot.message = Some(partial);
                return self.not_read(key, end.err());
            }
        };
        message.came(fresh);
        let drained = slot.came(fresh, len);
        if !partial.fits() {
            self.refuse_overload(key);
            return Step::Done;
        }
        if !slot.flags.has(Flag::Leaving) {
            self.take_direct(key, partial, begin);
        }
        if drained { Step::Done } else { Step::Again }
    }

    /// Nothing was read: because of this error, or since the peer sends no more.
    #[cold]
    fn not_read(&mut self, key: usize, error: Option<std::io::Error>) -> Step {
        let slot = &mut self.ctx.slots[key];
        match error {
            None => {
                slot.flags.lower(Flag::Readable);
                slot.flags.raise(Flag::Eof);
                self.transport_ended(key);
            }
            Some(error) if error.kind() == ErrorKind::WouldBlock => _ = slot.flags.lower(Flag::Readable),
            Some(error) if error.kind() == ErrorKind::Interrupted => return Step::Again,
            Some(error) => {
                tracing::debug!(id = %slot.id, %error, "read");
                slot.flags.raise(Flag::Broken);
            }
        }
        Step::Done
    }
}

impl Slot<'_> {
    /// Puts to the buffer's front what was held back, and says how much that is.
    #[inline(never)]
    fn recall(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let held = self.extras.as_mut()?.held.take()?;
        self.tidy();
        let octets = &held.octets;
        buffer.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(octets.len())
    }

    /// Whether there is something to read, and it may be read.
    #[inline]
    fn wants_read(&self) -> bool {
        // All flags at once, those of `may_read` too.
        const BUT: Flags = Flags::of([Flag::Broken, Flag::Paused, Flag::HeldBack, Flag::TakenUp]);
        self.flags.has_only(Flag::Readable, BUT) && (self.queue.is_none() || self.may_read())
    }

    /// Counts what was read into room of so many octets when the socket was readable, and says whether the socket is drained: then
    /// reading again would only say
    /// so, and what comes later makes the socket say so.
    #[inline]
    fn came(&mut self, fresh: usize, room: usize) -> bool {
        self.count_bytes_in(fresh as u64);
        let drained = fresh < room && !self.flags.has(Flag::HalfClosed);
        if drained {
            self.flags.lower(Flag::Readable);
        }
        drained
    }
}
