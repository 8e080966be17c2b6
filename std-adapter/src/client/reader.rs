//! The half of a client that receives, and that keeps the protocol meanwhile.

use super::error::ClientError;
use super::link::Link;
use martlet_codec::{Data, DataKind, Full, InflateLimits, Inflater, Message, Storage, Window};
use martlet_state::{DeflateParams, Event, Fault, SendError, Status, Violation};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Octets that are read at once; the longest line of a head fits.
const ROOM: usize = 16 * 1024;
/// A message's storage that is larger is not kept for the next.
const KEPT: usize = 256 * 1024;
/// How exactly a deadline is kept that is far away: to set another one costs a call of the system for each message.
const COARSE_MS: u64 = 250;

/// Receives, in a thread of its own or that of the [`Writer`](super::Writer).
#[derive(Debug)]
pub struct Reader<'c> {
    pub(super) link: Arc<Link<'c>>,
    /// What was read, of which `start..end` was not taken.
    pub(super) input: Box<[u8]>,
    pub(super) start: usize,
    pub(super) end: usize,
    /// What was not taken is a part of something: to look at it again is no sign of life of the server.
    drained: bool,
    /// A message that did not lie whole in what was read, or the reason of a Close.
    pub(super) message: Vec<u8>,
    pub(super) inflating: Option<Box<Inflating>>,
    pub(super) limits: InflateLimits,
    pub(super) subprotocol: Option<&'c str>,
    pub(super) agreed: Option<DeflateParams>,
    /// The socket's time-out, in milliseconds; 0 for none.
    timeout_ms: u64,
    /// Whether the end of the connection was told.
    told: bool,
    close_timeout: Duration,
}

/// What inflates, and what the next message may refer to.
#[derive(Debug)]
pub(super) struct Inflating {
    inflater: Inflater,
    window: Window<Vec<u8>>,
    /// Each message is compressed by itself.
    alone: bool,
}

/// What has come. Text and octets lie in the reader's storage until it is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received<'m> {
    /// A text message.
    Text(&'m str),
    /// A binary message.
    Binary(&'m [u8]),
    /// A Pong. Pings are answered, and not shown.
    Pong(&'m [u8]),
    /// The end: nothing comes after this.
    Closed {
        /// The code of the server's Close: 1005 if that has none, 1006 if none came (RFC 6455 section 7.1.5).
        code: u16,
        /// Its reason; often empty.
        reason: &'m str,
    },
}

/// What has come, and where it lies.
enum Found {
    /// In what was read, from here to here.
    Whole(DataKind, usize, usize),
    /// In `message`.
    Assembled(DataKind),
    Pong(usize, usize),
    /// With this code; the reason is in `message`.
    Closed(u16),
}

/// What one look at what was read led to.
enum Step {
    Found(Found),
    /// Look again.
    Again,
    /// More must be read.
    More,
}

impl<'c> Reader<'c> {
    pub(super) fn new(link: Arc<Link<'c>>, limits: InflateLimits, close_timeout: Duration) -> Self {
        Self {
            link,
            input: vec![0; ROOM].into(),
            start: 0,
            end: 0,
            drained: false,
            message: Vec::new(),
            inflating: None,
            limits,
            subprotocol: None,
            agreed: None,
            timeout_ms: 0,
            told: false,
            close_timeout,
        }
    }

    /// Waits for what comes next, for ever if nothing ends the connection: the heartbeat does if the server is gone.
    pub fn recv(&mut self) -> Result<Received<'_>, ClientError> {
        loop {
            if let Some(found) = self.find(None)? {
                return Ok(self.show(found));
            }
        }
    }

    /// The same for so long; `None` if nothing has come. What has come of a message is kept.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Option<Received<'_>>, ClientError> {
        let until = Instant::now().checked_add(timeout);
        Ok(self.find(until)?.map(|found| self.show(found)))
    }

    /// The subprotocol that the server chose.
    pub const fn subprotocol(&self) -> Option<&'c str> {
        self.subprotocol
    }

    /// What was agreed on permessage-deflate (RFC 7692).
    pub const fn compression(&self) -> Option<DeflateParams> {
        self.agreed
    }

    /// The address of the other end.
    pub fn remote(&self) -> io::Result<SocketAddr> {
        self.link.socket.peer_addr()
    }

    /// The server ends the transport first (RFC 6455 section 7.1.1): then it is not the one who waits for late segments.
    pub(super) fn wait_for_end(&mut self) {
        self.link.lock().end();
        // Who does not take it does without.
        let _ = self.link.flush();
        let until = Instant::now() + self.close_timeout;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            if self.link.socket.set_read_timeout(Some(left)).is_err()
                || !matches!(self.link.read(&mut self.input), Ok(1..))
            {
                return;
            }
        }
    }

    fn show(&self, found: Found) -> Received<'_> {
        let text = |octets| Message { kind: DataKind::Text, payload: octets }.text().unwrap_or_default();
        match found {
            Found::Whole(DataKind::Text, start, end) => Received::Text(text(&self.input[start..end])),
            Found::Whole(DataKind::Binary, start, end) => Received::Binary(&self.input[start..end]),
            Found::Assembled(DataKind::Text) => Received::Text(text(&self.message)),
            Found::Assembled(DataKind::Binary) => Received::Binary(&self.message),
            Found::Pong(start, end) => Received::Pong(&self.input[start..end]),
            Found::Closed(code) => Received::Closed { code, reason: text(&self.message) },
        }
    }

    fn find(&mut self, until: Option<Instant>) -> Result<Option<Found>, ClientError> {
        if self.told {
            return Err(ClientError::Closed);
        }
        loop {
            match self.step()? {
                Step::Found(found) => {
                    self.told |= matches!(found, Found::Closed(_));
                    return Ok(Some(found));
                }
                Step::Again => {}
                Step::More => match self.fill(until)? {
                    Filled::Some => {}
                    Filled::TimeOut => return Ok(None),
                    Filled::End => {
                        self.told = true;
                        self.link.lock().conn.eof();
                        self.message.clear();
                        return Ok(Some(Found::Closed(1006)));
                    }
                },
            }
        }
    }

    /// Takes one event from what was read, and sends what the core answers.
    fn step(&mut self) -> Result<Step, ClientError> {
        if self.drained {
            return Ok(Step::More);
        }
        let link = Arc::clone(&self.link);
        let mut core = link.lock();
        let (now, end) = (link.now(), self.end);
        let mut rest = &mut self.input[self.start..end];
        let status = core.say(|conn, writer| Ok(conn.receive(now, &mut rest, writer)))?;
        self.start = end - rest.len();
        let place = |body: &[u8]| (self.start - body.len(), self.start);
        let step = match status {
            Ok(Status::Event(Event::Data(data))) if data.is_whole() && !data.is_compressed() => {
                let (start, end) = place(data.payload());
                Ok(Step::Found(Found::Whole(data.kind(), start, end)))
            }
            Ok(Status::Event(Event::Data(data))) => {
                let inflating = self.inflating.as_deref_mut();
                match take(&self.limits, inflating, &mut self.message, &data) {
                    Ok(true) => Ok(Step::Found(Found::Assembled(data.kind()))),
                    Ok(false) => Ok(Step::Again),
                    Err(violation) => {
                        // It says nothing if our Close has gone already.
                        let _ = core.say(|conn, writer| conn.fail(violation, writer));
                        Err(violation)
                    }
                }
            }
            Ok(Status::Event(Event::Pong(body))) => {
                let (start, end) = place(body);
                Ok(Step::Found(Found::Pong(start, end)))
            }
            Ok(Status::Event(Event::Close(frame))) => {
                let (code, reason) = frame.map_or((1005, ""), |frame| (frame.code().get(), frame.reason()));
                self.message.clear();
                self.message.extend_from_slice(reason.as_bytes());
                Ok(Step::Found(Found::Closed(code)))
            }
            Ok(Status::More) => {
                self.drained = true;
                Ok(Step::More)
            }
            // Pings are answered; the others do not come after the handshake, and the room is always enough.
            Ok(
                Status::Event(Event::Ping(_) | Event::Request { .. } | Event::Line(_) | Event::Open(_))
                | Status::NoRoom(_),
            ) => Ok(Step::Again),
            Err(Fault::Violation(violation)) => Err(violation),
            Err(Fault::Refusal(_) | Fault::Response(_)) => return Err(ClientError::Closed),
        };
        drop(core);
        let flushed = link.flush();
        match step {
            Ok(step) => {
                // An answer that cannot be sent does not make what came unheard; what comes next will fail.
                if !matches!(step, Step::Found(_)) {
                    flushed?;
                }
                Ok(step)
            }
            Err(violation) => {
                self.told = true;
                Err(ClientError::Violation(violation))
            }
        }
    }
}

/// What became of reading.
pub(super) enum Filled {
    /// There is more.
    Some,
    /// The caller's time is over.
    TimeOut,
    /// The server ended the transport.
    End,
}

impl Reader<'_> {
    /// Reads more, and does what is due meanwhile.
    pub(super) fn fill(&mut self, until: Option<Instant>) -> Result<Filled, ClientError> {
        if self.start != 0 {
            self.input.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        loop {
            let link = Arc::clone(&self.link);
            let (now, due) = (link.now(), link.lock().conn.poll_timeout());
            let due_ms = due.map(|due| due.0.saturating_sub(now.0));
            let left_ms = until
                .map(|until| until.saturating_duration_since(Instant::now()))
                .map(|left| left.as_nanos().div_ceil(1_000_000));
            let left_ms = left_ms.map(|left| u64::try_from(left).unwrap_or(u64::MAX));
            if left_ms == Some(0) {
                return Ok(Filled::TimeOut);
            }
            if due_ms == Some(0) {
                self.tick()?;
                continue;
            }
            self.set_timeout(due_ms.into_iter().chain(left_ms).min())?;
            match link.read(&mut self.input[self.end..]) {
                Ok(0) => return Ok(Filled::End),
                Ok(fresh) => {
                    self.drained = false;
                    self.end += fresh;
                    return Ok(Filled::Some);
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                // What the server said before it is here already.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(Filled::End),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Does what is due: a Ping, or the end of a connection whose server is gone.
    fn tick(&mut self) -> Result<(), ClientError> {
        let now = self.link.now();
        let expired = self.link.lock().say(|conn, writer| conn.tick(now, writer).map_err(SendError::NoRoom))?;
        let flushed = self.link.flush();
        match expired {
            None => Ok(flushed?),
            Some(expired) => {
                self.told = true;
                Err(ClientError::TimedOut(expired))
            }
        }
    }

    /// Has a read wait no longer than this; `None` for ever.
    fn set_timeout(&mut self, ms: Option<u64>) -> io::Result<()> {
        let ms = match ms {
            None => 0,
            Some(ms) if ms > COARSE_MS => ms.next_multiple_of(COARSE_MS),
            Some(ms) => ms,
        };
        if ms != self.timeout_ms {
            self.link.socket.set_read_timeout((ms != 0).then(|| Duration::from_millis(ms)))?;
            self.timeout_ms = ms;
        }
        Ok(())
    }
}

impl Inflating {
    /// What inflates with these parameters.
    pub(super) fn new(agreed: DeflateParams) -> Option<Box<Self>> {
        // A room that grows is never too small.
        let window = Window::new(Vec::new(), crate::compress::window(agreed.server))?;
        Some(Box::new(Self { inflater: Inflater::new(), window, alone: agreed.server.no_context_takeover }))
    }
}

/// Takes a piece of a message, compressed or not; says whether the message is whole now.
fn take(
    limits: &InflateLimits,
    inflating: Option<&mut Inflating>,
    message: &mut Vec<u8>,
    data: &Data<'_>,
) -> Result<bool, Violation> {
    if data.is_first() {
        message.clear();
        message.shrink_to(KEPT);
    }
    let Some(inflating) = inflating.filter(|_| data.is_compressed()) else {
        Storage::extend(message, data.payload()).map_err(|Full| Violation::MessageTooBig)?;
        return Ok(data.is_last());
    };
    if data.is_first() {
        inflating.inflater.begin(data.kind());
        if inflating.alone {
            inflating.window.clear();
        }
    }
    inflating.inflater.inflate_into(limits, &mut inflating.window, data.payload(), data.is_last(), message)
}
