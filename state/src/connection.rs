//! One end of one connection: what it keeps, and the way that octets take through it.

use crate::config::Config;
use crate::event::{Event, Fault, Misuse, Status};
use crate::frames::Frames;
use crate::instant::{Instant, MAX_WAIT_MS};
use crate::side::{Server, Side};
use crate::states::{State, Trigger};
use core::borrow::Borrow;
use core::marker::PhantomData;
use martlet_codec::{Data, MAX_CONTROL, NoRoom, Writer};
use martlet_handshake::{DeflateParams, Upgrade};

/// Room in the output that is always enough for [`Connection::receive`] and [`Connection::tick`], in octets.
pub const MIN_OUTPUT: usize = if cfg!(feature = "small") { 144 } else { 512 };
/// Room for the longest answer to a frame: a masked Pong or Close.
pub(crate) const MIN_FRAME_OUTPUT: usize = 2 + 4 + MAX_CONTROL as usize;

/// One end of one WebSocket connection. It holds no buffer and no payload.
///
/// Dropping it says nothing to the peer: see [`close`](Self::close).
///
/// `C` is where it finds its settings: a reference, or whatever else borrows as a [`Config`], such as an `Arc` of one. A type without
/// octets whose settings are known when the program is compiled takes no memory, and what they rule out is no code: on a Cortex-M3
/// that is half a kilobyte of flash.
///
/// ```
/// # use martlet_state::{Config, Connection, HeadMode, Instant, Server};
/// struct Settings;
///
/// impl core::borrow::Borrow<Config<'static>> for Settings {
///     fn borrow(&self) -> &Config<'static> {
///         static CONFIG: Config<'static> = Config { head_mode: HeadMode::Lines, ..Config::DEFAULT };
///         &CONFIG
///     }
/// }
///
/// let connection: Connection<'_, Server, Settings> = Connection::server(Settings, Instant(0));
/// assert_eq!(connection.config().head_mode, HeadMode::Lines);
/// ```
#[derive(Debug)]
pub struct Connection<'c, S: Side = Server, C: Borrow<Config<'c>> = &'c Config<'c>> {
    pub(crate) config: C,
    /// What the settings borrow.
    lent: PhantomData<&'c ()>,
    pub(crate) side: S,
    pub(crate) phase: Phase<S::Scanner>,
    /// When the last octet came.
    pub(crate) heard: Instant,
    /// The deadline of the handshake, of the Pong, or of the peer's Close, one at a time: the lower half, see [`Self::due`].
    due: u32,
}

/// A server keeps one for every idle client.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Connection<'_, Server>>() <= 128);

/// What the next octets are, and with it the [`State`].
#[derive(Debug)]
pub(crate) enum Phase<H> {
    /// A head, of which nothing has come.
    Fresh(H),
    /// A head. If it stays whole, what the scanner took of it still lies at the front of the input.
    Head(H),
    /// Nothing is taken until the application has answered the request, which asks for this WebSocket or for none.
    Decision(Option<Upgrade>),
    /// Frames.
    Frames(Frames),
    /// Nothing more is of interest.
    Over {
        /// Both Closes were exchanged (RFC 6455 section 7.1.4).
        clean: bool,
    },
}

impl<'c, S: Side, C: Borrow<Config<'c>>> Connection<'c, S, C> {
    pub(crate) fn new(config: C, now: Instant, side: S, phase: Phase<S::Scanner>) -> Self {
        let due = deadline(now, config.borrow().handshake_timeout_ms);
        Self { config, lent: PhantomData, side, phase, heard: now, due }
    }

    /// The settings.
    #[inline(always)]
    pub fn config(&self) -> &Config<'c> {
        self.config.borrow()
    }

    /// Where the connection stands.
    pub const fn state(&self) -> State {
        match &self.phase {
            Phase::Fresh(_) => State::Connection,
            Phase::Head(_) | Phase::Decision(_) => State::Handshake,
            Phase::Frames(frames) if frames.is_closing() => State::Closing,
            Phase::Frames(_) => State::Active,
            Phase::Over { .. } => State::Closed,
        }
    }

    /// The frames, before the Close and after it.
    pub(crate) const fn frames(&self) -> Option<&Frames> {
        match &self.phase {
            Phase::Frames(frames) => Some(frames),
            Phase::Fresh(_) | Phase::Head(_) | Phase::Decision(_) | Phase::Over { .. } => None,
        }
    }

    /// The frames, while everything may be sent.
    pub(crate) const fn active(&self) -> Result<&Frames, Misuse> {
        match &self.phase {
            Phase::Frames(frames) if !frames.is_closing() => Ok(frames),
            _ => Err(Misuse::State(self.state())),
        }
    }

    /// What was agreed on permessage-deflate, while frames come and go; `None` if nothing was.
    ///
    /// A message with [`Data::is_compressed`](crate::Data::is_compressed) is to be inflated, checked if it is text, and bounded, with what
    /// the peer's side of the parameters says; what is wrong with it goes to [`fail`](Self::fail). What is compressed with what our
    /// side says goes out by [`send_compressed`](Self::send_compressed). Whether a message is compressed is free for each.
    pub const fn compression(&self) -> Option<DeflateParams> {
        match self.frames() {
            Some(frames) => frames.deflate,
            None => None,
        }
    }

    /// When the last octet came, or the handshake ended: what the heartbeat counts from.
    pub const fn heard(&self) -> Instant {
        self.heard
    }

    /// The deadline that is set. It is never far from when the peer was last heard.
    pub(crate) const fn due(&self) -> Instant {
        self.heard.near(self.due)
    }

    /// Sets a deadline.
    pub(crate) fn set_due(&mut self, now: Instant, ms: u32) {
        // A peer that was silent for longer, which it may be without a heartbeat, counts as heard so long ago.
        self.heard = self.heard.max(Instant(now.0.saturating_sub(u64::from(MAX_WAIT_MS))));
        self.due = deadline(now, ms);
    }

    /// Octets of payload that the frame at hand still lacks: read so many straight to where the message is to lie.
    pub const fn missing(&self) -> u64 {
        match self.frames() {
            Some(frames) => frames.decoder.missing(),
            None => 0,
        }
    }

    /// Takes one event's worth from the front of `input`, and puts the protocol's answer to it into `output`.
    ///
    /// Call it until it answers [`Status::More`]; then read more behind what is left of `input`, and call again. Any cutting of
    /// the stream gives the same events and the same answers. What is left is at most 138 octets of a frame, or the part of the
    /// head that has come, see [`HeadMode`](crate::HeadMode). Octets that came behind a request head stay where they are
    /// until the request is answered.
    ///
    /// Call it when octets have come: whatever lies in `input` counts as a sign of life of the peer at `now`.
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
        let Phase::Frames(frames) = &mut self.phase else { return self.receive_other(now, input, output) };
        // Behind our Close nothing is answered any more, and what the peer still says must not wait for room that a peer who
        // does not read never makes.
        if output.room() < MIN_FRAME_OUTPUT && !frames.is_closing() {
            return Ok(Status::NoRoom(NoRoom { wanted: MIN_FRAME_OUTPUT }));
        }
        if !input.is_empty() {
            (self.heard, frames.awaiting_pong) = (now, false);
        }
        match frames.decoder.decode(&self.config.borrow().limits, input) {
            Ok(Some(martlet_codec::Event::Data(data))) => Ok(Status::Event(Event::Data(data))),
            other => self.answer(now, other, output),
        }
    }

    /// The next message, if it is not compressed and lies whole in the front of `input`: what [`receive`](Self::receive) would
    /// answer, without all that it could answer. `None` says only that `receive` is to be asked.
    ///
    /// For loops that short messages go through by the million; everybody else needs `receive` alone.
    #[inline(always)]
    pub fn receive_whole<'i>(&mut self, now: Instant, input: &mut &'i mut [u8]) -> Option<Data<'i>> {
        let Phase::Frames(frames) = &mut self.phase else { return None };
        let data = frames.decoder.decode_whole(input)?;
        (self.heard, frames.awaiting_pong) = (now, false);
        Some(data)
    }

    /// [`receive`](Self::receive) until the handshake is over, for who answers frames [in place](Connection::receive_in_place) and needs
    /// no other code for them. Of frames it takes nothing and says [`Status::More`].
    pub fn receive_head<'i>(
        &mut self,
        now: Instant,
        input: &mut &'i mut [u8],
        output: &mut Writer<'_>,
    ) -> Result<Status<'i>, Fault> {
        match self.phase {
            Phase::Frames(_) => Ok(Status::More),
            Phase::Fresh(_) | Phase::Head(_) | Phase::Decision(_) | Phase::Over { .. } => {
                self.receive_other(now, input, output)
            }
        }
    }

    /// Everything before the first frame and after the last.
    #[inline(never)]
    pub(crate) fn receive_other<'i>(
        &mut self,
        now: Instant,
        input: &mut &'i mut [u8],
        output: &mut Writer<'_>,
    ) -> Result<Status<'i>, Fault> {
        match self.phase {
            Phase::Fresh(_) | Phase::Head(_) => {
                if output.room() < MIN_OUTPUT {
                    return Ok(Status::NoRoom(NoRoom { wanted: MIN_OUTPUT }));
                }
                if !input.is_empty() {
                    self.heard = now;
                    self.go(Trigger::HeadStarted);
                }
                S::read_head(self, now, input, output)
            }
            Phase::Decision(_) => {
                // The request's body, or the next request.
                if !input.is_empty() {
                    self.heard = now;
                }
                Ok(Status::More)
            }
            Phase::Frames(_) | Phase::Over { .. } => {
                *input = &mut [];
                Ok(Status::More)
            }
        }
    }

    /// The transport has ended: says whether the closing handshake was complete (RFC 6455 section 7.1.4: a clean end).
    pub fn eof(&mut self) -> bool {
        self.go(Trigger::TransportGone);
        matches!(self.phase, Phase::Over { clean: true })
    }

    /// Follows the table of [`State::after`].
    pub(crate) fn go(&mut self, trigger: Trigger) {
        // The callers ask for what the state allows; if one did not, staying is the safe answer.
        let Some(next) = self.state().after(trigger) else { return };
        match (&mut self.phase, next) {
            (Phase::Fresh(scanner), State::Handshake) => self.phase = Phase::Head(*scanner),
            (Phase::Frames(frames), State::Closing) => frames.begin_to_close(),
            (Phase::Over { .. }, _) => {}
            (phase, State::Closed) => {
                let clean =
                    matches!(phase, Phase::Frames(_)) && matches!(trigger, Trigger::CloseSent | Trigger::CloseReceived);
                *phase = Phase::Over { clean };
            }
            // With the frames comes what was agreed on: see `open`.
            _ => {}
        }
    }
}

/// The lower half of the instant so many milliseconds later.
const fn deadline(now: Instant, ms: u32) -> u32 {
    now.after(if ms < MAX_WAIT_MS { ms } else { MAX_WAIT_MS }).low()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Accept, DataKind, Payload};

    /// A server's connection after its handshake, at `now`.
    pub(crate) fn active<'c>(config: &'c Config<'c>, now: Instant) -> Connection<'c> {
        let mut request = *b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let mut room = [0; MIN_OUTPUT];
        let (mut connection, mut output) = (Connection::server(config, now), Writer::new(&mut room));
        let asked = connection.receive(now, &mut &mut request[..], &mut output);
        assert!(matches!(asked, Ok(Status::Event(Event::Request { .. }))), "{asked:?}");
        connection.accept(now, &Accept::default(), &mut output).unwrap();
        connection
    }

    pub(crate) fn receive(connection: &mut Connection<'_>, now: Instant, wire: &[u8]) -> Result<(), Fault> {
        let mut wire = std::vec::Vec::from(wire);
        connection.receive(now, &mut &mut wire[..], &mut Writer::new(&mut [0; MIN_OUTPUT])).map(|_| ())
    }

    /// RFC 6455 section 7.1.4: the end is clean after both Closes, not after any end.
    #[test]
    fn an_end_is_clean_after_both_closes_only() {
        let (config, now) = (Config::DEFAULT, Instant(0));
        let mut theirs = active(&config, now);
        receive(&mut theirs, now, b"\x88\x80\0\0\0\0").unwrap();
        assert_eq!((theirs.state(), theirs.eof(), theirs.eof()), (State::Closed, true, true));

        let mut wrong = active(&config, now);
        assert!(receive(&mut wrong, now, b"\xff").is_err());
        assert_eq!((wrong.state(), wrong.eof()), (State::Closed, false));

        let mut room = [0; MIN_OUTPUT];
        let mut late = active(&config, now);
        late.close(now, None, &mut Writer::new(&mut room)).unwrap();
        assert!(late.tick(Instant(5_000), &mut Writer::new(&mut room)).unwrap().is_some());
        assert_eq!((late.state(), late.eof()), (State::Closed, false));

        let mut refused = Connection::server(&config, now);
        assert!(receive(&mut refused, now, b"\0").is_err());
        assert_eq!((refused.state(), refused.eof()), (State::Closed, false));

        let mut gone = active(&config, now);
        assert_eq!((gone.eof(), gone.eof()), (false, false));
    }

    /// Wherever they lie, they hold.
    #[test]
    fn settings_may_be_owned_shared_or_compiled_in() {
        struct Compiled;
        impl Borrow<Config<'static>> for Compiled {
            fn borrow(&self) -> &Config<'static> {
                &Config { handshake_timeout_ms: 7, ..Config::DEFAULT }
            }
        }
        fn check<'c, C: Borrow<Config<'c>>>(config: C) {
            let connection = Connection::server(config, Instant(1));
            assert_eq!(connection.config().handshake_timeout_ms, 7);
            assert_eq!(connection.poll_timeout(), Some(Instant(8)));
        }
        let config = *Compiled.borrow();
        let lent = &config;
        check(lent);
        check(config);
        check(std::sync::Arc::new(config));
        check(Compiled);
    }

    #[test]
    fn what_comes_behind_a_head_is_a_sign_of_life_too() {
        let config = Config::DEFAULT;
        let mut connection = Connection::server(&config, Instant(0));
        receive(&mut connection, Instant(1), b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n").unwrap();
        assert_eq!((connection.state(), connection.heard()), (State::Handshake, Instant(1)));
        receive(&mut connection, Instant(2), b"").unwrap();
        assert_eq!(connection.heard(), Instant(1));
        receive(&mut connection, Instant(3), b"ab").unwrap();
        assert_eq!(connection.heard(), Instant(3));
    }

    #[test]
    fn the_straight_way_takes_whole_messages_and_nothing_else() {
        let (config, now) = (Config::DEFAULT, Instant(7));
        let mut connection = active(&config, Instant(0));
        let mut wire = *b"\x81\x82\0\0\0\0Hi\x82\x81\0\0\0\0\xff\x01\x81\0\0\0\0x\x80\x80\0\0\0\0\x81\x81\0\0\0\0\xff";
        let (mut input, mut room) = (&mut wire[..], [0; MIN_OUTPUT]);
        // A connection's first frame prepares the way.
        let first = connection.receive(now, &mut input, &mut Writer::new(&mut room));
        assert!(matches!(first, Ok(Status::Event(Event::Data(data))) if data.text() == Some("Hi")));
        let whole = if cfg!(feature = "small") {
            assert!(connection.receive_whole(now, &mut input).is_none(), "there is one way for all");
            match connection.receive(now, &mut input, &mut Writer::new(&mut room)) {
                Ok(Status::Event(Event::Data(data))) if data.is_last() => data,
                other => panic!("{other:?}"),
            }
        } else {
            connection.receive_whole(now, &mut input).expect("a whole message")
        };
        assert_eq!((whole.kind(), whole.payload(), connection.heard()), (DataKind::Binary, &b"\xff"[..], now));
        for last in [false, true] {
            assert!(connection.receive_whole(now, &mut input).is_none(), "fragments");
            let piece = connection.receive(now, &mut input, &mut Writer::new(&mut room));
            assert!(matches!(piece, Ok(Status::Event(Event::Data(data))) if data.is_last() == last));
        }
        assert!(connection.receive_whole(now, &mut input).is_none(), "no text");
        let refused = connection.receive(now, &mut input, &mut Writer::new(&mut room));
        assert!(matches!(refused, Err(Fault::Violation(crate::Violation::Utf8Invalid))), "{refused:?}");
        assert!(connection.receive_whole(now, &mut input).is_none(), "nothing more");
    }

    #[test]
    fn a_close_is_heard_though_the_output_is_full() {
        let (config, now) = (Config::DEFAULT, Instant(0));
        let mut connection = active(&config, now);
        let mut room = [0; 12];
        let mut output = Writer::new(&mut room);
        connection.send(Payload::Binary(&[7; 8]), &mut output).unwrap();
        let mut wire = *b"\x88\x80\0\0\0\0";
        let mut input = &mut wire[..];
        let early = connection.receive(now, &mut input, &mut output);
        assert!(matches!(early, Ok(Status::NoRoom(_))), "the echo needs room: {early:?}");
        connection.close(now, None, &mut output).unwrap();
        assert_eq!(output.room(), 0);
        let heard = connection.receive(now, &mut input, &mut output);
        assert!(matches!(heard, Ok(Status::Event(Event::Close(None)))), "{heard:?}");
        assert!(connection.eof());
    }
}
