//! Answers to frames: Pongs, the closing handshake, and the end that a violation brings.

use crate::config::Config;
use crate::connection::{Connection, MIN_FRAME_OUTPUT, Phase};
use crate::event::{Event, Fault, Misuse, SendError, Status};
use crate::instant::Instant;
use crate::side::Side;
use crate::states::{State, Trigger};
use core::borrow::Borrow;
use martlet_codec::{CloseFrame, ControlOp, Event as Frame, Kind, NoRoom, Violation, Writer};

/// What a frame means, and what answers it.
pub(crate) struct Judged<'i> {
    pub(crate) status: Result<Status<'i>, Fault>,
    pub(crate) reply: Reply<'i>,
}

pub(crate) enum Reply<'i> {
    None,
    /// A Pong with this body.
    Pong(&'i [u8]),
    /// A Close with the code that came.
    Echo(Option<CloseFrame<'i>>),
    /// A Close that names what was wrong.
    Violation(Violation),
}

impl<'c, S: Side, C: Borrow<Config<'c>>> Connection<'c, S, C> {
    /// Answers what is no data. There is room in `output` for the longest answer.
    #[inline(never)]
    pub(crate) fn answer<'i>(
        &mut self,
        now: Instant,
        decoded: Result<Option<Frame<'i>>, Violation>,
        output: &mut Writer<'_>,
    ) -> Result<Status<'i>, Fault> {
        let judged = self.judge(now, decoded);
        match judged.reply {
            Reply::None => {}
            Reply::Pong(body) => self.control(ControlOp::Pong, body, output),
            Reply::Echo(frame) => {
                let code = frame.map(|frame| frame.code().get().to_be_bytes());
                self.control(ControlOp::Close, code.as_ref().map_or(&[], |code| code), output);
            }
            Reply::Violation(violation) => self.write_violation(violation, output),
        }
        judged.status
    }

    /// What a frame means for the connection, and what answers it.
    pub(crate) fn judge<'i>(&mut self, now: Instant, decoded: Result<Option<Frame<'i>>, Violation>) -> Judged<'i> {
        let decoded = match decoded {
            Ok(Some(Frame::Ping(_) | Frame::Pong(_))) if !self.may_afford(now) => Err(Violation::TooManyControlFrames),
            decoded => decoded,
        };
        let (event, reply) = match decoded {
            Ok(None) => return Judged { status: Ok(Status::More), reply: Reply::None },
            Ok(Some(Frame::Data(data))) => (Event::Data(data), Reply::None),
            Ok(Some(Frame::Close(frame))) => (Event::Close(frame), self.peer_closes(frame)),
            Ok(Some(Frame::Pong(body))) => (Event::Pong(body), Reply::None),
            Ok(Some(Frame::Ping(body))) => {
                let pong = self.config().auto_pong && self.state() == State::Active;
                (Event::Ping(body), if pong { Reply::Pong(body) } else { Reply::None })
            }
            Err(violation) => return self.violated(violation),
        };
        Judged { status: Ok(Status::Event(event)), reply }
    }

    /// RFC 6455 section 5.5.1: a Close is answered by a Close, with the code that came, unless ours has gone already.
    fn peer_closes<'i>(&mut self, frame: Option<CloseFrame<'i>>) -> Reply<'i> {
        let ours_went = self.state() == State::Closing;
        self.go(Trigger::CloseReceived);
        if ours_went {
            return Reply::None;
        }
        self.go(Trigger::CloseSent);
        Reply::Echo(frame)
    }

    /// Fails the connection over what the application found wrong with a message: one that does not inflate, or to too much, or to a
    /// text that is none. A Close says why, unless ours has gone already; the connection is closed.
    pub fn fail(&mut self, violation: Violation, output: &mut Writer<'_>) -> Result<(), SendError> {
        match self.state() {
            State::Active if output.room() < MIN_FRAME_OUTPUT => Err(NoRoom { wanted: MIN_FRAME_OUTPUT }.into()),
            State::Active | State::Closing => {
                if let Reply::Violation(violation) = self.violated(violation).reply {
                    self.write_violation(violation, output);
                }
                Ok(())
            }
            State::Connection | State::Handshake | State::Closed => Err(Misuse::State(self.state()).into()),
        }
    }

    /// RFC 6455 section 7.1.7: says why with a Close, unless ours has gone already, and waits for nothing.
    fn violated<'i>(&mut self, violation: Violation) -> Judged<'i> {
        let reply = if self.state() == State::Active { Reply::Violation(violation) } else { Reply::None };
        self.go(Trigger::Failed);
        Judged { status: Err(Fault::Violation(violation)), reply }
    }

    fn write_violation(&mut self, violation: Violation, output: &mut Writer<'_>) {
        let frame = CloseFrame::refusing(violation);
        // The words for people take more flash than all that is said to machines.
        self.write_close(if cfg!(feature = "small") { frame.without_reason() } else { frame }, output);
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
        let most = self.config().max_control_per_second;
        match &mut self.phase {
            Phase::Frames(frames) => frames.may_afford(now, most),
            Phase::Fresh(_) | Phase::Head(_) | Phase::Decision(_) | Phase::Over { .. } => false,
        }
    }
}
