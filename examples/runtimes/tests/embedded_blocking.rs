//! The adapter for `embedded-io`: small buffers, every cut, time-outs of the stream, and a peer that is not ours.

mod common;
#[path = "common/small.rs"]
mod small;

use common::{MOST, REQUEST, Slow, frames};
use embedded_io::{ErrorKind, ErrorType};
use martlet::codec::Key;
use martlet::state::{
    Accept, Connection, DataKind, Error, Event, Expired, Fault, Inbox, Instant, MIN_OUTPUT, Outbox, Server, Side,
    State, Status, Violation,
};
use martlet_embedded_io::blocking::WebSocket;
use small::{CONFIG, Deaf, HEARTBEAT, Heard, IN, OUT, judged, talk};
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use tungstenite::protocol::Role;

/// Echoes until the connection is closed.
fn echo<T: embedded_io::Read + embedded_io::Write, S: Side, N: Fn() -> Instant>(
    socket: &mut WebSocket<'_, T, S, N>,
    heard: &mut Heard,
) -> Result<(), Error<T::Error>> {
    let mut room = [0; IN];
    let mut inbox = Inbox::new(&mut room[..]);
    for _ in 0..MOST {
        if socket.connection.state() == State::Closed {
            return socket.flush();
        }
        match socket.recv(&mut inbox)? {
            Status::Event(Event::Request { .. }) => {
                let now = (socket.now)();
                socket.outbox.write(|writer| socket.connection.accept(now, &Accept::default(), writer))?;
            }
            Status::Event(Event::Data(data)) => {
                heard.piece(&data);
                socket.send(data.kind(), data.payload(), data.is_last())?;
            }
            Status::Event(Event::Ping(body)) => heard.control("Ping", body),
            Status::Event(Event::Pong(body)) => heard.control("Pong", body),
            Status::Event(Event::Close(close)) => {
                heard.control("Close", &close.map_or(0, |close| close.code().get()).to_be_bytes());
            }
            Status::Event(Event::Line(_) | Event::Open(_)) | Status::More | Status::NoRoom(_) => {}
        }
    }
    panic!("no end after {heard:?}");
}

/// What was heard, and what the other end makes of what was said.
fn run(wire: &[u8], client: bool, at_once: usize, lazy: u32) -> (Heard, Heard) {
    let (stream, mut heard, mut room) = (Slow::new(wire, at_once, lazy), Heard::default(), [0; OUT]);
    let (mut outbox, now) = (Outbox::new(&mut room[..]), || Instant(0));
    if client {
        let connection = common::connect(&CONFIG, &mut outbox);
        echo(&mut WebSocket { connection, outbox, stream: stream.clone(), now }, &mut heard).unwrap();
        return (heard, judged(Role::Server, &stream.said()));
    }
    let connection = Connection::server(&CONFIG, Instant(0));
    echo(&mut WebSocket { connection, outbox, stream: stream.clone(), now }, &mut heard).unwrap();
    (heard, judged(Role::Client, &stream.said()))
}

#[test]
fn every_cut_means_the_same() {
    let server = [REQUEST, &frames(Some(Key([1, 2, 3, 4])))].concat();
    let client = [common::response(), frames(None)].concat();
    for (wire, is_client) in [(server, false), (client, true)] {
        let expect = run(&wire, is_client, usize::MAX, 1);
        assert_eq!(expect.0.0.len(), 8, "{expect:?}");
        assert_eq!(expect.1.0.iter().filter(|(name, _)| name == "Pong").count(), 2, "{expect:?}");
        for at_once in 1..=wire.len() {
            for lazy in [1, 2] {
                assert_eq!(run(&wire, is_client, at_once, lazy), expect, "{at_once} octets at once, {lazy}");
            }
        }
    }
}

/// A socket of the system by the traits of `embedded-io`.
struct Socket(TcpStream);

fn kind(error: std::io::Error) -> ErrorKind {
    match error.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => ErrorKind::TimedOut,
        std::io::ErrorKind::Interrupted => ErrorKind::Interrupted,
        _ => ErrorKind::Other,
    }
}

impl ErrorType for Socket {
    type Error = ErrorKind;
}

impl embedded_io::Read for Socket {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        self.0.read(room).map_err(kind)
    }
}

impl embedded_io::Write for Socket {
    fn write(&mut self, octets: &[u8]) -> Result<usize, ErrorKind> {
        self.0.write(octets).map_err(kind)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        self.0.flush().map_err(kind)
    }
}

#[test]
fn tungstenite_gets_messages_of_any_size_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = talk(listener.local_addr().unwrap());
    let (stream, _) = listener.accept().unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let begin = std::time::Instant::now();
    let (mut room, now) = ([0; OUT], || Instant(begin.elapsed().as_millis() as u64));
    let (connection, outbox) = (Connection::server(&CONFIG, now()), Outbox::new(&mut room[..]));
    let mut socket = WebSocket { connection, outbox, stream: Socket(stream), now };
    let mut heard = Heard::default();
    echo(&mut socket, &mut heard).unwrap();
    assert!(socket.connection.eof(), "the end was clean");
    drop(socket);
    peer.join().unwrap();
    assert_eq!(heard.0.len(), 21);
}

/// A server's socket over `stream`, with a clock that goes on whenever somebody looks at it.
fn at<'b, N: Fn() -> Instant>(stream: Deaf, room: &'b mut [u8], now: N) -> WebSocket<'b, Deaf, Server, N> {
    WebSocket { connection: Connection::server(&HEARTBEAT, Instant(0)), outbox: Outbox::new(room), stream, now }
}

#[test]
fn deadlines_pass_by_the_time_out_of_the_stream() {
    let clock = Cell::new(0);
    let now = || Instant(clock.replace(clock.get() + 100));
    let mut room = [0; OUT];
    let mut socket = at(Deaf::new(b"", usize::MAX), &mut room, now);
    let late = echo(&mut socket, &mut Heard::default());
    assert!(matches!(late, Err(Error::Late(Expired::Handshake))), "{late:?}");
    assert!((10_000..10_300).contains(&clock.get()), "{clock:?}");

    clock.set(0);
    let mut socket = at(Deaf::new(REQUEST, usize::MAX), &mut room, now);
    let late = echo(&mut socket, &mut Heard::default());
    assert!(matches!(late, Err(Error::Late(Expired::Pong))), "{late:?}");
    assert!((50_000..52_000).contains(&clock.get()), "{clock:?}");
    socket.flush().unwrap();
    assert!(socket.stream.said.ends_with(b"no answer to a ping"));

    // A peer that does not read either: what waits is given up.
    clock.set(0);
    let mut socket = at(Deaf::new(REQUEST, 200), &mut room, now);
    let mut inbox_room = [0; IN];
    let mut inbox = Inbox::new(&mut inbox_room[..]);
    while socket.connection.state() != State::Active {
        if let Status::Event(Event::Request { .. }) = socket.recv(&mut inbox).unwrap() {
            socket.outbox.write(|w| socket.connection.accept(Instant(0), &Accept::default(), w)).unwrap();
        }
    }
    let late = (0..MOST).find_map(|_| socket.send(DataKind::Binary, &[7; IN], true).err());
    assert!(matches!(late, Some(Error::Late(Expired::Pong))), "{late:?}");
    assert!((50_000..52_000).contains(&clock.get()), "{clock:?}");
    let late = socket.flush();
    assert!(matches!(late, Err(Error::Late(Expired::Close))), "{late:?}");
    assert_eq!(socket.flush(), Ok(()));
}

#[test]
fn faults_errors_and_ends_are_told() {
    let mut room = [0; OUT];
    let wire: &[u8] = &[REQUEST, b"\x81\x81\0\0\0\0\xff"].concat();
    let mut socket = at(Deaf::new(Box::leak(wire.into()), usize::MAX), &mut room, || Instant(0));
    let fault = echo(&mut socket, &mut Heard::default());
    assert_eq!(fault, Err(Error::Peer(Fault::Violation(Violation::Utf8Invalid))));
    socket.flush().unwrap();
    let tail = &socket.stream.said[socket.stream.said.len().saturating_sub(64)..];
    assert!(tail.windows(2).any(|code| code == 1007_u16.to_be_bytes()), "{tail:?}");

    // The end of the stream before a Close closes the connection, and is not clean.
    let stream = Slow::new(REQUEST, usize::MAX, 1);
    let (connection, outbox) = (Connection::server(&CONFIG, Instant(0)), Outbox::new(&mut room[..]));
    let mut socket = WebSocket { connection, outbox, stream, now: || Instant(0) };
    assert_eq!(echo(&mut socket, &mut Heard::default()), Ok(()));
    assert!(!socket.connection.eof());
    let late = socket.send(DataKind::Binary, b"", true);
    assert!(matches!(late, Err(Error::Send(_))), "{late:?}");

    let mut room = [0; MIN_OUTPUT];
    let mut socket = at(Deaf::new(REQUEST, usize::MAX), &mut room, || Instant(0));
    let _ = socket.connection.eof();
    let mut inbox_room = [0; IN];
    assert!(
        matches!(socket.recv(&mut Inbox::new(&mut inbox_room[..])), Ok(Status::More)),
        "nothing is read behind the end"
    );
    assert_eq!(socket.stream.gives, REQUEST);
}
