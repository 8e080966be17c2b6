//! The loop: keeps messages under way on each connection, counts their echoes, and times them.

use super::room::Room;
use super::tally::Tally;
use super::tick::Tick;
use super::wire::{Echoes, Magazine, Message, Wrong};
use hdrhistogram::Histogram;
use martlet_codec::{CloseFrame, ControlOp};
use mio::event::Source;
use mio::{Events, Interest, Poll, Token};
use rustix::time::{ClockId, clock_gettime};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

/// What is read at once, in octets: much, so that many echoes cost one read.
const READ: usize = 256 * 1024;
/// At the start nothing is counted for so long: caches fill, and branches are learnt.
const WARM_UP_NS: u64 = 250_000_000;
/// How often whoever waits is told.
const TELL: Duration = Duration::from_millis(100);
/// The tick's token, which no connection has.
const TICK: Token = Token(usize::MAX / 2);

/// What is asked of the loop.
pub(crate) struct Plan {
    pub(crate) message: Message,
    /// Messages under way on each connection.
    pub(crate) depth: usize,
    pub(crate) duration: Duration,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) messages: u64,
    pub(crate) elapsed: Duration,
    /// Nanoseconds from where a message may be sent to where its echo has come.
    pub(crate) times: Histogram<u64>,
}

/// Why it did not come to its end.
#[derive(Debug)]
pub(crate) enum Failed {
    Io(io::Error),
    /// The server ended the transport without a Close.
    Ended,
    Wrong(Wrong),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Ended => f.write_str("the server ended the connection without a Close"),
            Self::Wrong(wrong) => wrong.fmt(f),
        }
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A connection.
struct Peer<S> {
    socket: S,
    echoes: Echoes,
    /// What came and is not a whole header or control frame yet.
    held: Vec<u8>,
    /// Octets of frames that the system has not taken, of which those before `sent` it has.
    rest: Vec<u8>,
    sent: usize,
    /// Messages that may be sent now.
    free: usize,
    under_way: UnderWay,
    /// Nothing is pending, and all that is under way was sent at one time: its echoes may come by one read and go by one write.
    straight: bool,
}

/// When the messages under way were sent, and how many at each time.
#[derive(Default)]
struct UnderWay {
    /// The oldest, which most often are all of them.
    oldest: (u64, usize),
    others: VecDeque<(u64, usize)>,
}

impl UnderWay {
    fn add(&mut self, now: u64, count: usize) {
        if self.oldest.1 == 0 {
            self.oldest = (now, count);
        } else {
            self.others.push_back((now, count));
        }
    }

    /// Takes some of the oldest, at most `most`: when they were sent, and how many these are.
    #[inline(always)]
    fn take(&mut self, most: usize) -> Option<(u64, usize)> {
        let (sent, count) = self.oldest;
        let taken = most.min(count);
        self.oldest.1 = count - taken;
        if taken == count && !self.others.is_empty() {
            self.next();
        }
        (taken > 0).then_some((sent, taken))
    }

    /// Goes on to the next ones.
    #[cold]
    fn next(&mut self) {
        self.oldest = self.others.pop_front().unwrap_or_default();
    }
}

/// What all connections share.
struct Shared {
    plan: Plan,
    magazine: Magazine,
    buffer: Room,
    messages: u64,
    times: Tally,
    /// Nanoseconds of the system's clock, as they were read last: that costs as much as a short message.
    now: u64,
}

/// Puts load on connections that are open and do not block; with each the octets that have come behind its handshake. `tell` hears how long it has
/// taken, of that without the warming up, and how many messages there were in that time; `begin` when the count begins.
pub(crate) fn run<S: Read + Write + Source>(
    plan: Plan,
    sockets: Vec<(S, Vec<u8>)>,
    begin: impl FnOnce(),
    mut tell: impl FnMut(Duration, u64),
) -> Result<Outcome, Failed> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
    let tick = Tick::new(poll.registry(), TICK, TELL)?;
    let mut peers = Vec::with_capacity(sockets.len());
    for (index, (mut socket, held)) in sockets.into_iter().enumerate() {
        poll.registry().register(&mut socket, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        peers.push(Peer::new(socket, held, plan.depth));
    }
    let mut shared = Shared {
        magazine: Magazine::new(&plan.message, plan.depth),
        plan,
        buffer: Room::new(READ),
        messages: 0,
        times: Tally::new(),
        now: 0,
    };
    shared.read_clock();
    let duration = u64::try_from(shared.plan.duration.as_nanos()).unwrap_or(u64::MAX);
    let (mut begin, mut start) = (Some(begin), shared.now);
    let mut look = start + WARM_UP_NS;
    loop {
        poll.poll(&mut events, tick.patience()).or_else(interrupted)?;
        shared.read_clock();
        for (index, event) in events.iter().enumerate() {
            if index > 0 {
                shared.read_clock();
            }
            if let Some(peer) = peers.get_mut(event.token().0) {
                peer.turn(&mut shared, event.is_read_closed())?;
            } else {
                tick.heed()?;
            }
        }
        if shared.now < look {
            continue;
        }
        let counted = shared.now - start;
        if let Some(begin) = begin.take() {
            (start, shared.messages) = (shared.now, 0);
            shared.times.clear();
            begin();
        } else if counted >= duration {
            peers.into_iter().for_each(|peer| peer.close(&mut shared.magazine));
            let elapsed = Duration::from_nanos(counted);
            return Ok(Outcome { messages: shared.messages, elapsed, times: shared.times.histogram()? });
        } else {
            tell(Duration::from_nanos(counted), shared.messages);
        }
        look = (shared.now + TELL.as_nanos() as u64).min(start.saturating_add(duration));
    }
}

/// How many octets a write has taken.
fn taken(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
        written => written,
    }
}

fn interrupted(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}

impl Shared {
    fn read_clock(&mut self) {
        // It is never negative.
        let time = clock_gettime(ClockId::Monotonic);
        self.now = time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64;
    }
}

impl<S: Read + Write> Peer<S> {
    fn new(socket: S, held: Vec<u8>, depth: usize) -> Self {
        let under_way = UnderWay::default();
        let (echoes, rest) = (Echoes::new(), Vec::new());
        Self { socket, echoes, held, rest, sent: 0, free: depth, under_way, straight: false }
    }

    /// Reads what has come and sends what may be sent: what nearly every turn is, and nothing of what others are.
    // Inlined where all else is, it would work on the stack.
    #[inline(never)]
    fn turn(&mut self, shared: &mut Shared, ended: bool) -> Result<(), Failed> {
        if !self.straight || ended || self.socket.flush().is_err() {
            return self.any_turn(shared, ended);
        }
        // What cannot be read now is read again there, and says so again.
        let Ok(there @ 1..) = self.socket.read(&mut shared.buffer) else { return self.any_turn(shared, ended) };
        let (sent, count) = self.under_way.oldest;
        let (whole, octets) = shared.plan.message.echoes(&shared.buffer[..there]);
        if whole != count || octets != there || there == shared.buffer.len() {
            return self.crooked_turn(shared, there);
        }
        shared.messages += count as u64;
        shared.times.add(shared.now - sent, count as u64);
        let (frames, loaded) = shared.magazine.load(count)?;
        self.under_way.oldest = (shared.now, loaded);
        match self.socket.write(frames) {
            Ok(len) if len == frames.len() && loaded == count => Ok(()),
            written => {
                self.straight = false;
                self.free = count - loaded;
                self.rest.extend_from_slice(&frames[taken(written)?..]);
                self.send(shared)
            }
        }
    }

    /// The same when what was read, `there` octets, is not what all turns bring.
    #[cold]
    fn crooked_turn(&mut self, shared: &mut Shared, there: usize) -> Result<(), Failed> {
        self.straight = false;
        self.receive(shared, there)?;
        if there < shared.buffer.len() { self.send(shared) } else { self.any_turn(shared, false) }
    }

    /// Reads all that has come, its end included if that is there, and sends what may be sent.
    #[inline(never)]
    fn any_turn(&mut self, shared: &mut Shared, ended: bool) -> Result<(), Failed> {
        loop {
            let held = self.held.len();
            if held > 0 {
                shared.buffer[..held].copy_from_slice(&self.held);
            }
            match self.socket.read(&mut shared.buffer[held..]) {
                Ok(0) => return Err(Failed::Ended),
                Ok(fresh) => {
                    let there = held + fresh;
                    self.receive(shared, there)?;
                    // Less than there was room for: there is no more, and the system says when there is.
                    if there < shared.buffer.len() && !ended {
                        break;
                    }
                    shared.read_clock();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.send(shared)?;
        let pending = self.free > 0 || !self.rest.is_empty() || !self.held.is_empty() || !self.echoes.is_between();
        self.straight = !pending && self.under_way.others.is_empty();
        Ok(())
    }

    /// Takes the buffer's first `there` octets.
    fn receive(&mut self, shared: &mut Shared, there: usize) -> Result<(), Failed> {
        let mut input = &mut shared.buffer[..there];
        let mut whole = self.echoes.take(&shared.plan.message, &mut input);
        self.held.clear();
        if !input.is_empty() {
            let from = there - input.len();
            whole += self.receive_others(shared, from, there)?;
        }
        shared.messages += whole as u64;
        self.free += whole;
        let mut left = whole;
        while left > 0 {
            // More than were sent is no echo.
            let Some((sent, done)) = self.under_way.take(left) else { return Err(Failed::Wrong(Wrong::Surplus)) };
            shared.times.add(shared.now - sent, done as u64);
            left -= done;
        }
        Ok(())
    }

    /// Takes these octets of the buffer, which do not begin with a whole echo, and holds back what cannot be taken yet; gives the echoes
    /// that are whole.
    #[inline(never)]
    fn receive_others(&mut self, shared: &mut Shared, from: usize, to: usize) -> Result<usize, Failed> {
        let mut input = &mut shared.buffer[from..to];
        let mut ponged = Ok(());
        let pong = |body: &[u8]| ponged = shared.magazine.control(ControlOp::Pong, body, &mut self.rest);
        let whole = self.echoes.take_others(&shared.plan.message, &mut input, pong).map_err(Failed::Wrong)?;
        ponged?;
        self.held.extend_from_slice(input);
        Ok(whole)
    }

    /// Sends until nothing is free, or the system takes no more.
    fn send(&mut self, shared: &mut Shared) -> Result<(), Failed> {
        // What is encrypted and still waits.
        match self.socket.flush() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            flushed => flushed?,
        }
        while (self.rest.is_empty() || self.send_rest()?) && self.free > 0 {
            let (octets, count) = shared.magazine.load(self.free)?;
            self.free -= count;
            self.under_way.add(shared.now, count);
            let len = taken(self.socket.write(octets))?;
            if len < octets.len() {
                self.rest.extend_from_slice(&octets[len..]);
            }
        }
        Ok(())
    }

    /// Sends what the system has not taken; says whether all of it has gone.
    #[cold]
    fn send_rest(&mut self) -> Result<bool, Failed> {
        while self.sent < self.rest.len() {
            match self.socket.write(&self.rest[self.sent..]) {
                Ok(len) => self.sent += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.rest.clear();
        self.sent = 0;
        Ok(true)
    }

    /// Says that it goes, if no frame is half sent.
    fn close(mut self, magazine: &mut Magazine) {
        if self.sent < self.rest.len() {
            return;
        }
        let body = CloseFrame::new(1000, "").map_or(Vec::new(), |close| close.code().get().to_be_bytes().to_vec());
        let mut out = Vec::new();
        // It is over: who does not hear it loses nothing.
        let _ = magazine.control(ControlOp::Close, &body, &mut out).and_then(|()| self.socket.write(&out));
    }
}
