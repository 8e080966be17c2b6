//! What is served: an echo at `/`, telemetry at `/telemetry`, and at `/` for browsers a page that shows it.

use crate::board;
use crate::config::{self, INPUT};
use crate::net::{Net, PLACES};
use crate::packed::{self, Packed};
use martlet::handshake::{Accept, Framing, Kind, Line, Response};
use martlet::state::{
    Config, Connection, Event, Inbox, Instant, MIN_OUTPUT, Outbox, Payload, SendError, State, Status,
};
use serde::Serialize;
use smoltcp::socket::tcp::Socket;

static PAGE: &[u8] = include_bytes!("page.html");

/// The most that is said in one turn, for all connections together: the answer to a handshake, the echo of all that lies in the input or of
/// one piece of what was inflated, and what an answer or the telemetry may need behind it. A turn begins when TCP has room for so much.
const OUTPUT: usize = MIN_OUTPUT + if packed::WINDOW > INPUT { packed::WINDOW } else { INPUT } + MIN_OUTPUT / 2;
/// A peer that takes nothing for so long leaves its place to another.
const STALLED_MS: u32 = 10_000;
const TELEMETRY_MS: u32 = 1_000;

static CONFIG: Config<'static> = Config {
    // There are few places, and none for who has gone.
    handshake_timeout_ms: 5_000,
    idle_ms: 10_000,
    pong_timeout_ms: 5_000,
    deflate: Some(packed::PARAMS),
    ..config::CONFIG
};

/// All connections.
pub struct App {
    seats: [Option<Seat>; PLACES],
    output: [u8; OUTPUT],
    counts: Counts,
}

/// What all connections have in common.
struct Counts {
    connections: u32,
    frames: u32,
    octets: u64,
}

impl App {
    /// Without any connection.
    pub const fn new() -> Self {
        Self {
            seats: [const { None }; PLACES],
            output: [0; OUTPUT],
            counts: Counts { connections: 0, frames: 0, octets: 0 },
        }
    }

    /// Serves each connection for a while; says whether there was anything to do.
    pub fn turn(&mut self, now: Instant, net: &mut Net<'_>) -> bool {
        let Self { seats, output, counts } = self;
        counts.connections = seats.iter().flatten().count() as u32;
        let mut was_busy = false;
        for (place, seat) in seats.iter_mut().enumerate() {
            let Some(peer) = net.peer(place) else {
                *seat = None;
                continue;
            };
            let seat = seat.get_or_insert_with(|| Seat::new(now));
            was_busy |= seat.turn(now, peer, Outbox::new(&mut output[..]), counts);
        }
        was_busy
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    Root,
    Telemetry,
    Other,
}

impl Route {
    fn of(method: &[u8], target: &[u8]) -> Self {
        match (method, target) {
            (b"GET" | b"HEAD", b"/") => Self::Root,
            (b"GET", b"/telemetry") => Self::Telemetry,
            _ => Self::Other,
        }
    }
}

/// One connection.
struct Seat {
    connection: Connection<'static>,
    inbox: Inbox<[u8; INPUT]>,
    packed: Option<Packed>,
    route: Route,
    /// The answer goes without its body.
    head_only: bool,
    /// What is left of the page, which is longer than the output and goes behind it.
    page: &'static [u8],
    telemetry_due: Instant,
    /// When the peer last left room for a turn.
    moved: Instant,
}

impl Seat {
    fn new(now: Instant) -> Self {
        Self {
            connection: Connection::server(&CONFIG, now),
            inbox: Inbox::new([0; INPUT]),
            packed: Packed::new(),
            route: Route::Other,
            head_only: false,
            page: &[],
            telemetry_due: now,
            moved: now,
        }
    }

    /// Does what is due, takes what came, and answers it; says whether anything came or went.
    fn turn(
        &mut self,
        now: Instant,
        peer: &mut Socket<'_>,
        mut outbox: Outbox<&mut [u8]>,
        counts: &mut Counts,
    ) -> bool {
        if self.connection.state() == State::Closed {
            return self.end(now, peer);
        }
        if peer.send_capacity() - peer.send_queue() < OUTPUT {
            return self.wait(now, peer);
        }
        self.moved = now;
        let received = peer.recv_slice(self.inbox.room()).unwrap_or(0);
        if received > 0 {
            self.inbox.filled(received);
        }
        // After a fault too: what there is to say is in the outbox.
        let _ = self.drain(now, &mut outbox, counts);
        let _ = self.tell(now, &mut outbox, counts);
        // There is room for all of it.
        let _ = peer.send_slice(outbox.waiting());
        if !peer.may_recv() {
            self.connection.eof();
        }
        received > 0 || !outbox.waiting().is_empty() || !self.inbox.is_drained() || self.is_inflating()
    }

    fn is_inflating(&self) -> bool {
        self.packed.as_ref().is_some_and(Packed::is_waiting)
    }

    /// Sends what comes next of a compressed piece.
    fn inflate(&mut self, outbox: &mut Outbox<&mut [u8]>) -> Result<(), SendError> {
        let Self { connection, packed: Some(packed), .. } = self else { return Ok(()) };
        match packed.next() {
            Ok(Some((kind, piece))) => {
                outbox.write(|writer| connection.send_piece(kind, piece.payload, piece.last, writer))
            }
            Ok(None) => Ok(()),
            Err(violation) => outbox.write(|writer| connection.fail(violation, writer)),
        }
    }

    /// Answers all that came, unless there is more to say of what came before.
    fn drain(&mut self, now: Instant, outbox: &mut Outbox<&mut [u8]>, counts: &mut Counts) -> Result<(), SendError> {
        let connection = &mut self.connection;
        outbox.write(|writer| Ok(connection.tick(now, writer)?))?;
        if self.is_inflating() {
            return self.inflate(outbox);
        }
        let connection = &mut self.connection;
        while let Ok(Status::Event(event)) = connection.receive_from(now, &mut self.inbox, outbox) {
            match event {
                Event::Line(Line::Request { method, target }) => {
                    self.route = Route::of(method.as_bytes(), target.as_bytes());
                    self.head_only = method == "HEAD";
                }
                Event::Request { kind: Kind::Upgrade(_), .. } if self.route != Route::Other => {
                    // What is told to the telemetry is counted as it comes.
                    let accept = Accept { decline_deflate: self.route != Route::Root, ..Accept::default() };
                    outbox.write(|writer| connection.accept(now, &accept, writer))?;
                }
                Event::Request { kind: Kind::Plain(_), .. } if self.route == Route::Root => {
                    self.page = if self.head_only { &[] } else { PAGE };
                    outbox.write(|writer| connection.respond(&page(), writer))?;
                }
                Event::Request { .. } => {
                    let absent = Response { head_only: self.head_only, ..Response::new(404, b"not here\n") };
                    outbox.write(|writer| connection.respond(&absent, writer))?;
                }
                Event::Data(piece) => {
                    counts.octets = counts.octets.wrapping_add(piece.payload().len() as u64);
                    if let Some(packed) = &mut self.packed
                        && piece.is_compressed()
                    {
                        packed.take(&piece);
                    } else if self.route == Route::Root {
                        let (kind, octets, last) = (piece.kind(), piece.payload(), piece.is_last());
                        outbox.write(|writer| connection.send_piece(kind, octets, last, writer))?;
                    }
                    if connection.missing() == 0 {
                        counts.frames = counts.frames.wrapping_add(1);
                    }
                    if self.packed.as_ref().is_some_and(Packed::is_waiting) {
                        break;
                    }
                }
                // Other lines mean nothing here; Pings and the Close are answered already.
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends telemetry when it is due.
    fn tell(&mut self, now: Instant, outbox: &mut Outbox<&mut [u8]>, counts: &Counts) -> Result<(), SendError> {
        if self.route != Route::Telemetry || self.connection.state() != State::Active || now < self.telemetry_due {
            return Ok(());
        }
        self.telemetry_due = now.after(TELEMETRY_MS);
        let Ok(text) = serde_json_core::to_string::<_, 160>(&Telemetry::of(now, counts)) else { return Ok(()) };
        outbox.write(|writer| self.connection.send(Payload::Text(&text), writer))
    }

    /// The connection has ended: sends what is left of the page, and ends the transport.
    fn end(&mut self, now: Instant, peer: &mut Socket<'_>) -> bool {
        let sent = peer.send_slice(self.page).unwrap_or(self.page.len());
        self.page = &self.page[sent..];
        if self.page.is_empty() {
            peer.close();
            return true;
        }
        if sent > 0 {
            self.moved = now;
            return true;
        }
        self.wait(now, peer)
    }

    /// The peer leaves no room for a turn.
    fn wait(&mut self, now: Instant, peer: &mut Socket<'_>) -> bool {
        let is_stalled = now >= self.moved.after(STALLED_MS);
        if is_stalled {
            peer.abort();
        }
        is_stalled
    }
}

/// The head of the page.
fn page() -> Response<'static> {
    Response {
        headers: &[("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")],
        framing: Framing::Length(PAGE.len() as u64),
        ..Response::new(200, b"")
    }
}

/// How the device is, once a second.
#[derive(Serialize)]
struct Telemetry {
    uptime_ms: u64,
    /// Octets that neither data nor the deepest stack so far have used.
    free_ram: usize,
    connections: u32,
    /// Data frames that came, and what was in them.
    frames: u32,
    octets: u64,
}

impl Telemetry {
    fn of(now: Instant, counts: &Counts) -> Self {
        let Counts { connections, frames, octets } = *counts;
        Self { uptime_ms: now.0, free_ram: board::untouched_ram(), connections, frames, octets }
    }
}
