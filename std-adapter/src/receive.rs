//! What was read, taken apart: messages and all else that comes go to the handler.

use crate::backpressure::OVERLOAD;
use crate::flags::Flag;
use crate::frame::{Fragment, Frame, Opcode, close_body};
use crate::handler::{By, Closed, Handler};
use crate::id::ConnId;
use crate::partial::Partial;
use crate::worker::Worker;
use core::ops::ControlFlow;
use martlet_codec::{Data, Storage};
use martlet_state::{CloseFrame, Event, Fault, MIN_OUTPUT, Request, State, Status, Violation};

impl<H: Handler> Worker<'_, H> {
    /// Takes all that can be taken of the buffer's first octets, and says how many are left, which are its first ones then.
    pub(crate) fn take(&mut self, key: usize, buffer: &mut [u8], len: usize) -> usize {
        let Some(input) = buffer.get_mut(..len) else { return 0 };
        let left = self.drain(key, input);
        if left != 0 {
            buffer.copy_within(len - left..len, 0);
        }
        left
    }

    /// Takes what was read to the end of a message, behind its first `begin` octets.
    pub(crate) fn take_direct(&mut self, key: usize, mut partial: Box<Partial>, begin: usize) {
        if self.ctx.output.writer().room() < MIN_OUTPUT {
            self.ctx.flush_output();
        }
        let (ctx, message) = (&mut self.ctx, partial.assembler.storage());
        let slot = &mut ctx.slots[key];
        let mut writer = ctx.output.writer();
        let mut input = message.since(begin);
        let status = slot.conn.receive(ctx.now, &mut input, &mut writer);
        let len = writer.len();
        // Payload and nothing else, for no more was read than the frame lacked; or text that is none.
        let Ok(Status::Event(Event::Data(data))) = status else { return self.other(key, status, len) };
        let (id, kind, is_last) = (slot.id, data.kind(), data.is_last());
        if slot.conn.missing() == 0 {
            slot.count_data_in(is_last);
        }
        if is_last {
            self.message(id, Frame::message(kind, message.as_slice()));
            self.keep_spare(partial);
        } else {
            slot.message = Some(partial);
        }
    }

    /// Hands out what the input holds, as far as it goes; says how many octets are left.
    fn drain(&mut self, key: usize, mut input: &mut [u8]) -> usize {
        let read = input.len();
        while let Some(slot) = self.ctx.slots.get_mut(key) {
            if !slot.profile.streams
                && let Some(data) = slot.conn.receive_whole(self.ctx.now, &mut input)
            {
                slot.count_frame_in();
                let id = slot.id;
                self.message(id, Frame::message(data.kind(), data.into_payload()));
                if input.is_empty() {
                    return 0;
                }
            } else {
                match self.take_other(key, input) {
                    ControlFlow::Continue(rest) => input = rest,
                    ControlFlow::Break(left) => return left,
                }
            }
            self.ctx.flush_half(read);
        }
        input.len()
    }

    /// Takes what is no message in one piece. Goes on with the rest, or ends with the number of octets that are left.
    // By itself, so that the loop above keeps what it works with in registers.
    #[inline(never)]
    fn take_other<'i>(&mut self, key: usize, mut input: &'i mut [u8]) -> ControlFlow<usize, &'i mut [u8]> {
        let ctx = &mut self.ctx;
        let slot = &mut ctx.slots[key];
        let mut writer = ctx.output.writer();
        let status = slot.conn.receive(ctx.now, &mut input, &mut writer);
        let len = writer.len();
        let goes_on = match status {
            // Whatever is not read of frames waits for more octets, or for the answer to a request.
            Ok(Status::More) => slot.conn.state() == State::Handshake && self.proceed(key, &mut input),
            other => {
                self.other(key, other, len);
                !self.ctx.slots[key].flags.has(Flag::Leaving)
            }
        };
        if goes_on { ControlFlow::Continue(input) } else { ControlFlow::Break(input.len()) }
    }

    /// Sees to all that is no message in one piece; the output has `len` octets now.
    fn other(&mut self, key: usize, status: Result<Status<'_>, Fault>, len: usize) {
        // A request is refused by a response, which is no frame.
        let is_frame = !matches!(status, Err(Fault::Refusal(_)));
        if self.ctx.output.wrote(len) && is_frame {
            self.ctx.slots[key].count_no_message_out();
        }
        self.rare(key, status);
    }

    fn rare(&mut self, key: usize, status: Result<Status<'_>, Fault>) {
        let slot = &mut self.ctx.slots[key];
        let id = slot.id;
        match status {
            Ok(Status::Event(event)) => match event {
                Event::Data(data) => self.piece(key, data),
                Event::Ping(body) => {
                    slot.count_control_in();
                    if slot.profile.settings.open_websocket_ping_frame {
                        self.message(id, Frame::control(Opcode::Ping, body));
                    }
                }
                Event::Pong(body) => {
                    slot.count_control_in();
                    if slot.profile.settings.open_websocket_pong_frame {
                        self.message(id, Frame::control(Opcode::Pong, body));
                    }
                }
                Event::Close(frame) => {
                    slot.count_control_in();
                    slot.flags.raise(Flag::Clean);
                    let by = if slot.our_code == 0 { By::Peer } else { By::Server };
                    if slot.profile.settings.open_websocket_close_frame {
                        let body = close_body(frame);
                        self.message(id, Frame::control(Opcode::Close, &body));
                    }
                    let (code, reason) = frame.map_or((1005, ""), |frame| (frame.code().get(), frame.reason()));
                    self.tell(key, &Closed { code, reason, by, clean: true });
                }
                // A server reads whole heads, and nobody opens a connection for it.
                Event::Request { head, kind } => match Request::parse(head) {
                    Some(head) => self.request(key, &head, &kind),
                    None => _ = slot.flags.raise(Flag::Broken),
                },
                Event::Line(_) | Event::Open(_) => _ = slot.flags.raise(Flag::Broken),
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

    /// Hands out what did not come as most messages do. By itself, so that the handler's code lies but twice in the program: here, and
    /// where the most messages go.
    #[inline(never)]
    pub(crate) fn message(&mut self, id: ConnId, frame: Frame<'_>) {
        self.handler.message(&mut self.ctx, id, frame);
    }

    /// Takes a piece of a message that does not lie whole in the input.
    fn piece(&mut self, key: usize, data: Data<'_>) {
        let slot = &mut self.ctx.slots[key];
        let id = slot.id;
        if slot.conn.missing() == 0 {
            slot.count_data_in(data.is_last());
        }
        if data.is_compressed() {
            return self.inflate(key, &data);
        }
        if slot.profile.streams {
            let fragment = Fragment::new(data);
            return self.handler.fragment(&mut self.ctx, id, fragment);
        }
        let (mut partial, begins) = self.take_partial(key);
        match partial.assembler.push(data) {
            Ok(Some(message)) => {
                let message = Frame::message(message.kind, message.payload);
                self.message(id, message);
                return self.keep_spare(partial);
            }
            Ok(None) => {}
            Err(violation) => return self.refuse_message(key, violation),
        }
        if !partial.fits() {
            return self.refuse_overload(key);
        }
        self.ctx.slots[key].message = Some(partial);
        if begins {
            self.ctx.arm(key);
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

    /// Ends a connection for whose message the worker has no room now.
    pub(crate) fn refuse_overload(&mut self, key: usize) {
        self.ctx.slots[key].overload("a message");
        if let Ok(frame) = CloseFrame::new(1013, OVERLOAD) {
            // Ours may have gone already; then nothing more is said.
            let _ = self.ctx.start_close(key, frame);
        }
        self.ctx.leave(key);
        self.tell(key, &Closed { code: 1013, reason: OVERLOAD, by: By::Server, clean: false });
    }

    /// The peer sends no more.
    pub(crate) fn transport_ended(&mut self, key: usize) {
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
