//! Answers to frames: Pongs, the closing handshake, and the end that a violation brings.

use crate::connection::{Connection, MIN_FRAME_OUTPUT};
use crate::event::{Event, Fault, Misuse, SendError, Status};
use crate::instant::Instant;
use crate::side::Side;
use crate::states::{State, Trigger};
use martlet_codec::{CloseFrame, ControlOp, Event as Frame, Kind, NoRoom, Violation, Writer};

impl<S: Side> Connection<'_, S> {
    /// Answers what is no data. There is room in `output` for the longest answer.
    #[inline(never)]
    pub(crate) fn answer<'i>(
        &mut self,
        now: Instant,
        decoded: Result<Option<Frame<'i>>, Violation>,
        output: &mut Writer<'_>,
    ) -> Result<Status<'i>, Fault> {
        let event = match decoded {
            Ok(None) => return Ok(Status::More),
            Ok(Some(Frame::Data(data))) => Event::Data(data),
            Ok(Some(Frame::Close(frame))) => {
                self.peer_closes(frame, output);
                Event::Close(frame)
            }
            Ok(Some(Frame::Ping(_) | Frame::Pong(_))) if !self.may_afford(now) => {
                return Err(self.violated(Violation::TooManyControlFrames, output));
            }
            Ok(Some(Frame::Pong(body))) => Event::Pong(body),
            Ok(Some(Frame::Ping(body))) => {
                if self.config.auto_pong && self.state == State::Active {
                    self.control(ControlOp::Pong, body, output);
                }
                Event::Ping(body)
            }
            Err(violation) => return Err(self.violated(violation, output)),
        };
        Ok(Status::Event(event))
    }

    /// RFC 6455 section 5.5.1: a Close is answered by a Close, with the code that came, unless ours has gone already.
    fn peer_closes(&mut self, frame: Option<CloseFrame<'_>>, output: &mut Writer<'_>) {
        let ours_went = self.state == State::Closing;
        self.go(Trigger::CloseReceived);
        if !ours_went {
            let code = frame.map(|frame| frame.code().get().to_be_bytes());
            self.control(ControlOp::Close, code.as_ref().map_or(&[], |code| code), output);
            self.go(Trigger::CloseSent);
        }
    }

    /// Fails the connection over what the application found wrong with a message: one that does not inflate, or to too much, or to a
    /// text that is none. A Close says why, unless ours has gone already; the connection is closed.
    pub fn fail(&mut self, violation: Violation, output: &mut Writer<'_>) -> Result<(), SendError> {
        match self.state {
            State::Active if output.room() < MIN_FRAME_OUTPUT => Err(NoRoom { wanted: MIN_FRAME_OUTPUT }.into()),
            State::Active | State::Closing => {
                self.violated(violation, output);
                Ok(())
            }
            State::Connection | State::Handshake | State::Closed => Err(Misuse::State(self.state).into()),
        }
    }

    /// RFC 6455 section 7.1.7: says why with a Close, unless ours has gone already, and waits for nothing.
    fn violated(&mut self, violation: Violation, output: &mut Writer<'_>) -> Fault {
        if self.state == State::Active {
            let frame = CloseFrame::refusing(violation);
            self.write_close(if cfg!(feature = "small") { frame.without_reason() } else { frame }, output);
        }
        self.go(Trigger::Failed);
        Fault::Violation(violation)
    }

    /// Writes a Close with a body. There is room for it.
    pub(crate) fn write_close(&mut self, frame: CloseFrame<'_>, output: &mut Writer<'_>) {
        let mut body = [0; 125];
        let mut body = Writer::new(&mut body);
        // Two octets and a reason of at most 123 fit by construction.
        let _ = body.put(&frame.code().get().to_be_bytes());
        let _ = body.put(frame.reason_octets());
        self.control(ControlOp::Close, body.written(), output);
    }

    /// Writes a control frame for which there is room.
    pub(crate) fn control(&mut self, op: ControlOp, body: &[u8], output: &mut Writer<'_>) {
        let written = output.frame(Kind::Control { op, len: 0 }, self.side.key(), body);
        debug_assert_eq!(written, Ok(()), "the caller saw to the room");
    }

    /// Counts a control frame against this second's budget.
    fn may_afford(&mut self, now: Instant) -> bool {
        let most = self.config.max_control_per_second;
        // Of a clock that went back nothing is known, so that a second begins as well.
        if now.0.wrapping_sub(self.second.0) >= 1000 {
            (self.second, self.controls) = (now, 0);
        }
        self.controls = self.controls.saturating_add(1);
        most == 0 || self.controls <= most
    }
}
