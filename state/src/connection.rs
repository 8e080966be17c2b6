//! One end of one connection: what it keeps, and the way that octets take through it.

use crate::config::Config;
use crate::event::{Event, Fault, Status};
use crate::instant::Instant;
use crate::side::{Server, Side};
use crate::states::{State, Trigger};
use martlet_codec::{DataKind, Decoder, MAX_CONTROL, NoRoom, Writer};
use martlet_handshake::Kind;

/// Room in the output that is always enough for [`Connection::receive`] and [`Connection::tick`], in octets.
pub const MIN_OUTPUT: usize = 512;
/// Room for the longest answer to a frame: a masked Pong or Close.
const MIN_FRAME_OUTPUT: usize = 2 + 4 + MAX_CONTROL as usize;

/// One end of one WebSocket connection. It holds no buffer and no payload.
///
/// Dropping it says nothing to the peer: see [`close`](Self::close).
#[derive(Debug)]
pub struct Connection<'c, S: Side = Server> {
    pub(crate) config: &'c Config<'c>,
    pub(crate) side: S,
    pub(crate) phase: Phase<S::Scanner>,
    /// When the last octet came.
    pub(crate) heard: Instant,
    /// The deadline of the handshake, of the Pong, or of the peer's Close: one at a time.
    pub(crate) due: Instant,
    /// The second for which `controls` counts.
    pub(crate) second: u64,
    pub(crate) controls: u16,
    pub(crate) state: State,
    /// The message of ours that is open.
    pub(crate) sending: Option<DataKind>,
    pub(crate) awaiting_pong: bool,
}

/// A server keeps one for every idle client.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Connection<'_, Server>>() <= 128);

/// What the next octets are.
#[derive(Debug)]
pub(crate) enum Phase<H> {
    /// A head, of which `checked` octets at the front of the input are read already but not taken.
    Head { scanner: H, checked: usize },
    /// Nothing is taken until the application has answered the request.
    Decision(Kind),
    /// Frames.
    Frames(Decoder),
    /// Nothing more is of interest.
    Over,
}

impl<'c, S: Side> Connection<'c, S> {
    pub(crate) const fn new(config: &'c Config<'c>, now: Instant, side: S, phase: Phase<S::Scanner>) -> Self {
        Self {
            config,
            side,
            phase,
            heard: now,
            due: now.after(config.handshake_timeout_ms),
            second: 0,
            controls: 0,
            state: State::Connection,
            sending: None,
            awaiting_pong: false,
        }
    }

    /// Where the connection stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Octets of payload that the frame at hand still lacks: read so many straight to where the message is to lie.
    pub const fn missing(&self) -> u64 {
        match &self.phase {
            Phase::Frames(decoder) => decoder.missing(),
            Phase::Head { .. } | Phase::Decision(_) | Phase::Over => 0,
        }
    }

    /// Takes one event's worth from the front of `input`, and puts the protocol's answer to it into `output`.
    ///
    /// Call it until it answers [`Status::More`]; then read more behind what is left of `input`, and call again. Any cutting of
    /// the stream gives the same events and the same answers. What is left is at most 138 octets of a frame, or the part of the
    /// head that has come, see [`HeadMode`](crate::HeadMode). Octets that came behind a request head stay where they are
    /// until the request is answered.
    ///
    /// [`MIN_OUTPUT`] octets of room in `output` are always enough. A [`Fault`] comes once; then the connection is closed, takes
    /// whatever comes, and answers [`Status::More`].
    #[inline]
    pub fn receive<'i>(
        &mut self,
        now: Instant,
        input: &mut &'i mut [u8],
        output: &mut Writer<'_>,
    ) -> Result<Status<'i>, Fault> {
        let Phase::Frames(decoder) = &mut self.phase else { return self.receive_other(now, input, output) };
        if output.room() < MIN_FRAME_OUTPUT {
            return Ok(Status::NoRoom(NoRoom { wanted: MIN_FRAME_OUTPUT }));
        }
        if !input.is_empty() {
            self.heard = now;
        }
        match decoder.decode(&self.config.limits, input) {
            Ok(Some(martlet_codec::Event::Data(data))) => Ok(Status::Event(Event::Data(data))),
            other => self.answer(now, other, output),
        }
    }

    /// Everything before the first frame and after the last.
    #[inline(never)]
    fn receive_other<'i>(
        &mut self,
        now: Instant,
        input: &mut &'i mut [u8],
        output: &mut Writer<'_>,
    ) -> Result<Status<'i>, Fault> {
        match self.phase {
            Phase::Head { .. } => {
                if output.room() < MIN_OUTPUT {
                    return Ok(Status::NoRoom(NoRoom { wanted: MIN_OUTPUT }));
                }
                if !input.is_empty() {
                    self.heard = now;
                    if self.state == State::Connection {
                        self.go(Trigger::HeadStarted);
                    }
                }
                S::read_head(self, now, input, output)
            }
            Phase::Decision(_) => Ok(Status::More),
            Phase::Frames(_) | Phase::Over => {
                *input = &mut [];
                Ok(Status::More)
            }
        }
    }

    /// The transport has ended: says whether the closing handshake was complete (RFC 6455 section 7.1.4: a clean end).
    pub fn eof(&mut self) -> bool {
        let clean = self.state == State::Closed;
        self.go(Trigger::TransportGone);
        clean
    }

    /// Follows the table of [`State::after`].
    pub(crate) fn go(&mut self, trigger: Trigger) {
        // The callers ask for what the state allows; if one did not, staying is the safe answer.
        self.state = self.state.after(trigger).unwrap_or(self.state);
        if self.state == State::Closed {
            self.phase = Phase::Over;
        }
    }
}
