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

/// Reads of one connection in a row before the others get their turn.
const READS_PER_TURN: usize = 4;
/// While so much of a message is missing, it is read straight to where the message is put together.
const DIRECT: u64 = 2 * 1024;
/// The most that is read there at once: storage grows with what has come.
const DIRECT_MOST: u64 = 64 * 1024;

/// What a read led to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// There may be more to read.
    Again,
    /// Not now.
    Done,
}

impl<H: Handler> Worker<'_, H> {
    /// Something has happened to a connection's socket.
    pub(crate) fn socket_event(&mut self, key: usize, what: Readiness) {
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        if what.readable {
            slot.flags.raise(Flag::Readable);
            slot.flags.raise_if(Flag::HalfClosed, what.ended);
            // Who is not read at the moment would be kept until then, though nobody is there any more.
            slot.flags.raise_if(Flag::Broken, what.error && !slot.may_read());
        }
        #[cfg(feature = "tls")]
        if let Socket::Tls(tls) = &mut slot.socket
            && what.writable
        {
            // What TLS has to say by itself has no queue. What fails here fails again when something is read.
            let _ = tls.push();
        }
        if slot.queue.is_some() && what.writable {
            self.writable(key);
        }
        self.turn(key);
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
        self.watermarks(key);
    }

    /// Gives each connection that has more to read its turn, once.
    pub(crate) fn ready_round(&mut self) {
        for _ in 0..self.ctx.ready.len() {
            let Some(key) = self.ctx.ready.pop_front() else { return };
            if let Some(slot) = self.ctx.slots.get_mut(key)
                && slot.flags.lower(Flag::InReady)
            {
                self.turn(key);
            }
        }
    }

    /// Reads a connection, unless its peer reads too slowly, and sees to what comes of it.
    pub(crate) fn turn(&mut self, key: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.ctx.current = key;
        // What lies at the buffer's front and could not be taken yet: the beginning of a head, of a header or of a control frame.
        let mut waiting = self.recall(key, &mut buffer);
        for _ in 0..READS_PER_TURN {
            if self.read(key, &mut buffer, &mut waiting) == Step::Done {
                break;
            }
        }
        self.ctx.end_turn();
        self.buffer = buffer;
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        if waiting != 0 && !slot.flags.has(Flag::Leaving) {
            slot.extras.get_or_insert_default().held = self.buffer.get(..waiting).map(Into::into);
        }
        if slot.is_calm() {
            return;
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

    /// Puts to the buffer's front what was held back, and has it taken if it waited for the answer to a request.
    #[inline]
    fn recall(&mut self, key: usize, buffer: &mut [u8]) -> usize {
        match self.ctx.slots.get_mut(key) {
            Some(Slot { extras: Some(_), .. }) => self.recall_held(key, buffer),
            _ => 0,
        }
    }

    #[inline(never)]
    fn recall_held(&mut self, key: usize, buffer: &mut [u8]) -> usize {
        let Some(slot) = self.ctx.slots.get_mut(key) else { return 0 };
        let Some(held) = slot.extras.as_mut().and_then(|extras| extras.held.take()) else { return 0 };
        slot.tidy();
        let Some(front) = buffer.get_mut(..held.len()) else { return 0 };
        front.copy_from_slice(&held);
        if slot.flags.lower(Flag::TakenUp) { self.take(key, front) } else { held.len() }
    }

    /// Reads once behind the octets that wait at the buffer's front; says by `waiting` how many do so then.
    #[inline]
    fn read(&mut self, key: usize, buffer: &mut [u8], waiting: &mut usize) -> Step {
        let Some(slot) = self.ctx.slots.get_mut(key) else { return Step::Done };
        if !slot.flags.has_only(Flag::Readable, Flags::of([Flag::Broken])) || !slot.may_read() {
            return Step::Done;
        }
        if slot.message.is_some() && slot.conn.missing() >= DIRECT {
            return self.read_message(key);
        }
        let Some(room) = buffer.get_mut(*waiting..).filter(|room| !room.is_empty()) else {
            // The settings see to it that the longest head fits.
            slot.flags.raise(Flag::Broken);
            return Step::Done;
        };
        let len = room.len();
        let fresh = match slot.socket.read(room) {
            Ok(fresh @ 1..) => fresh,
            end => return self.not_read(key, end.err()),
        };
        let drained = slot.came(fresh, len);
        if !slot.flags.has(Flag::Leaving) {
            let all = *waiting + fresh;
            *waiting = self.take(key, &mut buffer[..all]);
            if *waiting != 0 {
                buffer.copy_within(all - *waiting..all, 0);
            }
        }
        // Most often the socket was drained, and nothing that came of it changes that.
        if drained { Step::Done } else { Step::Again }
    }

    /// Reads more of a long message, all of which goes to the message.
    #[inline(never)]
    fn read_message(&mut self, key: usize) -> Step {
        let slot = &mut self.ctx.slots[key];
        // Out of the slot, because the handler may do whatever it likes with the slot while it reads the message.
        let Some(mut assembler) = slot.message.take() else { return Step::Done };
        let message = assembler.storage();
        let begin = message.len();
        // At most 64 KiB: the conversion keeps the value.
        let len = slot.conn.missing().min(DIRECT_MOST) as usize;
        if message.try_reserve(len).is_err() {
            self.refuse_message(key, Violation::MessageTooBig);
            return Step::Done;
        }
        message.resize(begin + len, 0);
        let fresh = match slot.socket.read(&mut message[begin..]) {
            Ok(fresh @ 1..) => fresh,
            end => {
                message.truncate(begin);
                slot.message = Some(assembler);
                return self.not_read(key, end.err());
            }
        };
        message.truncate(begin + fresh);
        let drained = slot.came(fresh, len);
        if !slot.flags.has(Flag::Leaving) {
            self.take_direct(key, assembler, begin);
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
    /// Counts what was read into room of so many octets when the socket was readable, and says whether the socket is drained: then reading again would only say
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
