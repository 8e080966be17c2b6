//! A connection's turn: read, hand out what came, write once.

use crate::frame::{Fragment, Frame, Opcode, close_body};
use crate::handler::{By, Closed, Handler};
use crate::worker::Worker;
use martlet_codec::Data;
use martlet_state::{CloseFrame, Event, Fault, State, Status, Violation};
use std::io::{ErrorKind, Read};

/// Reads of one connection in a row before the others get their turn.
const READS_PER_TURN: usize = 4;

/// What a read led to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// There may be more to read.
    Again,
    /// Not now.
    Done,
}

impl<H: Handler> Worker<'_, H> {
    /// Reads a connection, unless its peer reads too slowly, and sees to what comes of it.
    pub(crate) fn turn(&mut self, key: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.ctx.begin_turn(key);
        if self.ctx.slots.get(key).is_some_and(|slot| slot.flags.taken_up) {
            self.take_held(key, &mut buffer);
        }
        for _ in 0..READS_PER_TURN {
            if self.read(key, &mut buffer) == Step::Done {
                break;
            }
        }
        self.ctx.end_turn();
        self.buffer = buffer;
        self.watermarks(key);
        self.settle(key);
        if let Some(slot) = self.ctx.slots.get_mut(key)
            && slot.flags.readable
            && slot.may_read()
            && !std::mem::replace(&mut slot.flags.in_ready, true)
        {
            // The socket says only once that there is something: what is left there is ours to remember.
            self.ctx.ready.push_back(key);
        }
    }

    fn read(&mut self, key: usize, buffer: &mut [u8]) -> Step {
        let Some(slot) = self.ctx.slots.get_mut(key) else { return Step::Done };
        if !slot.flags.readable || slot.flags.broken || !slot.may_read() {
            return Step::Done;
        }
        // While a long message comes (`slot.conn.missing()`), it could be read straight to where it is put together.
        let held = slot.held.as_ref().map_or(0, |held| held.len());
        let Some(room) = buffer.get_mut(held..).filter(|room| !room.is_empty()) else {
            // The settings see to it that the longest head fits.
            slot.flags.broken = true;
            return Step::Done;
        };
        let (len, fresh) = (room.len(), slot.socket.read(room));
        let fresh = match fresh {
            Ok(0) => {
                slot.flags.readable = false;
                slot.flags.eof = true;
                self.transport_ended(key);
                return Step::Done;
            }
            Ok(fresh) => fresh,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                slot.flags.readable = false;
                return Step::Done;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Step::Again,
            Err(error) => {
                tracing::debug!(id = %slot.id, %error, "read");
                slot.flags.broken = true;
                return Step::Done;
            }
        };
        slot.count_bytes_in(fresh as u64);
        if fresh < len && !slot.flags.half_closed {
            // Drained: reading again would only say so. What comes later makes the socket say so.
            slot.flags.readable = false;
        }
        if !slot.flags.leaving {
            if let Some(held) = slot.held.take() {
                buffer[..held.len()].copy_from_slice(&held);
            }
            self.take(key, &mut buffer[..held + fresh]);
        }
        match self.ctx.slots.get(key) {
            Some(slot) if slot.flags.readable => Step::Again,
            _ => Step::Done,
        }
    }

    /// Takes what was held back while a request had no answer.
    #[inline(never)]
    fn take_held(&mut self, key: usize, buffer: &mut [u8]) {
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        slot.flags.taken_up = false;
        if let Some(held) = slot.held.take()
            && let Some(input) = buffer.get_mut(..held.len())
        {
            input.copy_from_slice(&held);
            self.take(key, input);
        }
    }

    /// Takes all of the input that can be taken, and keeps the rest; the handler's panic ends only this connection.
    #[inline]
    fn take(&mut self, key: usize, mut input: &mut [u8]) {
        let before = self.ctx.slots.get(key).map_or(0, |slot| slot.traffic.frames_in);
        let taken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.drain(key, &mut input)));
        if taken.is_err() {
            self.panicked(key);
        }
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        // Once for all of them: messages are what there is most of.
        slot.profile.counters.frames_in.add(slot.traffic.frames_in - before);
        if !input.is_empty() && !slot.flags.leaving {
            slot.held = Some((&*input).into());
        }
    }

    /// Hands out what the input holds, as far as it goes.
    fn drain(&mut self, key: usize, input: &mut &mut [u8]) {
        loop {
            let ctx = &mut self.ctx;
            let Some(slot) = ctx.slots.get_mut(key) else { return };
            let mut writer = ctx.output.writer();
            let status = slot.conn.receive(ctx.now, input, &mut writer);
            let len = writer.len();
            match status {
                Ok(Status::Event(Event::Data(data)))
                    if data.is_whole() && !data.is_compressed() && !slot.profile.streams =>
                {
                    slot.traffic.frames_in += 1;
                    let id = slot.id;
                    let message = Frame::message(data.kind(), data.into_payload());
                    self.handler.message(&mut self.ctx, id, message);
                    if input.is_empty() {
                        return;
                    }
                }
                Ok(Status::More) => {
                    // Whatever is not read of frames waits for more octets, or for the answer to a request.
                    if slot.conn.state() != State::Handshake || !self.proceed(key, input) {
                        return;
                    }
                }
                other => {
                    // A request is refused by a response, which is no frame.
                    let is_frame = !matches!(other, Err(Fault::Refusal(_)));
                    if ctx.output.wrote(len) && is_frame {
                        slot.count_no_message_out();
                    }
                    self.rare(key, other);
                    if self.ctx.slots[key].flags.leaving {
                        return;
                    }
                }
            }
        }
    }

    #[inline(never)]
    fn rare(&mut self, key: usize, status: Result<Status<'_>, Fault>) {
        let slot = &mut self.ctx.slots[key];
        let id = slot.id;
        match status {
            Ok(Status::Event(event)) => match event {
                Event::Data(data) => self.piece(key, data),
                Event::Ping(body) => {
                    slot.count_control_in();
                    if slot.profile.settings.open_websocket_ping_frame {
                        self.handler.message(&mut self.ctx, id, Frame::control(Opcode::Ping, body));
                    }
                }
                Event::Pong(body) => {
                    slot.count_control_in();
                    if slot.profile.settings.open_websocket_pong_frame {
                        self.handler.message(&mut self.ctx, id, Frame::control(Opcode::Pong, body));
                    }
                }
                Event::Close(frame) => {
                    slot.count_control_in();
                    slot.flags.clean = true;
                    let by = if slot.our_code == 0 { By::Peer } else { By::Server };
                    if slot.profile.settings.open_websocket_close_frame {
                        let body = close_body(frame);
                        self.handler.message(&mut self.ctx, id, Frame::control(Opcode::Close, &body));
                    }
                    let (code, reason) = frame.map_or((1005, ""), |frame| (frame.code().get(), frame.reason()));
                    self.tell(key, &Closed { code, reason, by, clean: true });
                }
                Event::Request { head: Some(head), kind } => self.request(key, &head, &kind),
                // A server reads whole heads, and nobody opens a connection for it.
                Event::Request { head: None, .. } | Event::Line(_) | Event::Open(_) => slot.flags.broken = true,
            },
            Ok(Status::NoRoom(_)) => self.ctx.flush_output(),
            Ok(Status::More) => {}
            Err(fault) => {
                tracing::debug!(%id, peer = %slot.peer.get(), %fault, "the peer is refused");
                let (code, reason) = match fault {
                    Fault::Violation(violation) => (violation.close_code(), violation.describe()),
                    Fault::Refusal(_) | Fault::Response(_) => (1006, ""),
                };
                self.tell(key, &Closed { code, reason, by: By::Server, clean: false });
            }
        }
    }

    /// Takes a piece of a message that does not lie whole in the input.
    fn piece(&mut self, key: usize, data: Data<'_>) {
        let slot = &mut self.ctx.slots[key];
        let id = slot.id;
        if slot.conn.missing() == 0 {
            slot.traffic.frames_in += 1;
            slot.no_messages.came += u64::from(!data.is_last());
        }
        if data.is_compressed() {
            return self.inflate(key, &data);
        }
        if slot.profile.streams {
            let fragment = Fragment::new(data);
            return self.handler.fragment(&mut self.ctx, id, fragment);
        }
        // Out of the slot, because the handler may do whatever it likes with the slot while it reads the message.
        let mut assembler = slot.message.take().unwrap_or_default();
        match assembler.push(data) {
            Ok(Some(message)) => {
                let message = Frame::message(message.kind, message.payload);
                self.handler.message(&mut self.ctx, id, message);
            }
            Ok(None) => slot.message = Some(assembler),
            Err(violation) => self.refuse_message(key, violation),
        }
    }

    /// Ends a connection over a message that cannot be handed out.
    pub(crate) fn refuse_message(&mut self, key: usize, violation: Violation) {
        tracing::debug!(id = %self.ctx.slots[key].id, %violation, "the peer is refused");
        // Ours may have gone already; then nothing more is said.
        let _ = self.ctx.start_close(key, CloseFrame::refusing(violation));
        self.ctx.leave(key);
        let (code, reason) = (violation.close_code(), violation.describe());
        self.tell(key, &Closed { code, reason, by: By::Server, clean: false });
    }

    /// The peer sends no more.
    fn transport_ended(&mut self, key: usize) {
        let slot = &mut self.ctx.slots[key];
        let was_closed = slot.conn.state() == State::Closed;
        slot.conn.eof();
        if !was_closed {
            let code = if slot.our_code == 0 { 1006 } else { slot.our_code };
            let by = if slot.our_code == 0 { By::Peer } else { By::Server };
            let closed = Closed { code, reason: "", by, clean: false };
            self.guard_tell(key, &closed);
        }
    }
}
