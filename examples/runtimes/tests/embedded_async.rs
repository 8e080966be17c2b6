//! The adapter for `embedded-io-async`: small buffers, every cut, futures that are dropped wherever they wait, a timer, and a peer that is
//! not ours.

mod common;
#[path = "common/small.rs"]
mod small;

use common::{MOST, REQUEST, Slow, frames, plans, poll};
use embedded_io::{ErrorKind, ErrorType};
use martlet::codec::Key;
use martlet::state::{
    Accept, Connection, DataKind, Error, Event, Expired, Inbox, Instant, Outbox, Server, Side, State, Status,
};
use martlet_embedded_io::asynchronous::WebSocket;
use small::{CONFIG, Deaf, HEARTBEAT, Heard, IN, OUT, judged, talk};
use std::cell::Cell;
use std::future::pending;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tungstenite::protocol::Role;

/// Echoes until the connection is closed, and drops each future when it was polled `patience` times in vain.
fn echo<S: Side>(
    socket: &mut WebSocket<'_, Slow, S, impl Fn() -> Instant, impl AsyncFn(Option<Instant>)>,
    patience: usize,
) -> Heard {
    let (mut heard, mut room) = (Heard::default(), [0; IN]);
    let mut inbox = Inbox::new(&mut room[..]);
    let mut polls = 0..MOST;
    while socket.connection.state() != State::Closed {
        assert!(polls.next().is_some(), "no end after {heard:?}");
        let Some(status) = poll(socket.recv(&mut inbox), patience) else { continue };
        match status.unwrap() {
            Status::Event(Event::Request { .. }) => {
                socket.outbox.write(|w| socket.connection.accept(Instant(0), &Accept::default(), w)).unwrap();
            }
            Status::Event(Event::Data(data)) => {
                heard.piece(&data);
                // One that was dropped has said nothing.
                let mut sent = None;
                while sent.is_none() && polls.next().is_some() {
                    sent = poll(socket.send(data.kind(), data.payload(), data.is_last()), patience);
                }
                sent.unwrap().unwrap();
            }
            Status::Event(Event::Ping(body)) => heard.control("Ping", body),
            Status::Event(Event::Pong(body)) => heard.control("Pong", body),
            Status::Event(Event::Close(close)) => {
                heard.control("Close", &close.map_or(0, |close| close.code().get()).to_be_bytes());
            }
            Status::Event(Event::Line(_) | Event::Open(_)) | Status::More | Status::NoRoom(_) => {}
        }
    }
    polls.find_map(|_| poll(socket.flush(), patience)).unwrap().unwrap();
    heard
}

/// What was heard, and what the other end makes of what was said.
fn run(wire: &[u8], client: bool, (at_once, lazy, patience): (usize, u32, usize)) -> (Heard, Heard) {
    let (stream, mut room) = (Slow::new(wire, at_once, lazy), [0; OUT]);
    let (mut outbox, now, until) = (Outbox::new(&mut room[..]), || Instant(0), async |_| pending().await);
    if client {
        let connection = common::connect(&CONFIG, &mut outbox);
        let heard = echo(&mut WebSocket { connection, outbox, stream: stream.clone(), now, until }, patience);
        return (heard, judged(Role::Server, &stream.said()));
    }
    let connection = Connection::server(&CONFIG, Instant(0));
    let heard = echo(&mut WebSocket { connection, outbox, stream: stream.clone(), now, until }, patience);
    (heard, judged(Role::Client, &stream.said()))
}

/// A future with the patience of 3 polls gets through a flush and a read of a stream that lets every second poll wait; one with less
/// is dropped in between.
#[test]
fn any_cut_and_any_dropped_future_means_the_same() {
    let server = [REQUEST, &frames(Some(Key([1, 2, 3, 4])))].concat();
    let client = [common::response(), frames(None)].concat();
    for (wire, is_client) in [(server, false), (client, true)] {
        let expect = run(&wire, is_client, (usize::MAX, 1, usize::MAX));
        assert_eq!(expect.0.0.len(), 8, "{expect:?}");
        assert_eq!(expect.1.0.iter().filter(|(name, _)| name == "Pong").count(), 2, "{expect:?}");
        for plan in (1..=wire.len()).map(|at_once| (at_once, 1, usize::MAX)).chain(plans(wire.len())) {
            assert_eq!(run(&wire, is_client, plan), expect, "{plan:?}");
        }
    }
}

/// The stream must be able to be in the way, or the test above proves nothing.
#[test]
fn futures_are_dropped_while_they_wait() {
    let stream = Slow::new(&[REQUEST, &frames(Some(Key([9; 4])))].concat(), 1, 2);
    let (mut room, mut inbox_room) = ([0; OUT], [0; IN]);
    let (connection, outbox) = (Connection::server(&CONFIG, Instant(0)), Outbox::new(&mut room[..]));
    let mut socket = WebSocket { connection, outbox, stream, now: || Instant(0), until: async |_| pending().await };
    let mut inbox = Inbox::new(&mut inbox_room[..]);
    let dropped = (0..100).filter(|_| poll(socket.recv(&mut inbox), 1).is_none()).count();
    assert!(dropped > 10, "{dropped}");
}

/// A socket of tokio's by the traits of `embedded-io-async`, whose futures may be dropped as well.
struct Socket(TcpStream);

impl ErrorType for Socket {
    type Error = ErrorKind;
}

impl embedded_io_async::Read for Socket {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        self.0.read(room).await.map_err(|_| ErrorKind::Other)
    }
}

impl embedded_io_async::Write for Socket {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, ErrorKind> {
        self.0.write(octets).await.map_err(|_| ErrorKind::Other)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        self.0.flush().await.map_err(|_| ErrorKind::Other)
    }
}

#[tokio::test]
async fn tungstenite_gets_messages_of_any_size_back() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = talk(listener.local_addr().unwrap());
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut room, mut inbox_room) = ([0; OUT], [0; IN]);
    let begin = tokio::time::Instant::now();
    let now = || Instant(begin.elapsed().as_millis() as u64);
    let until = async |due: Option<Instant>| match due {
        Some(due) => tokio::time::sleep_until(begin + std::time::Duration::from_millis(due.0)).await,
        None => pending().await,
    };
    let (connection, outbox) = (Connection::server(&CONFIG, now()), Outbox::new(&mut room[..]));
    let mut socket = WebSocket { connection, outbox, stream: Socket(stream), now, until };
    let (mut inbox, mut heard) = (Inbox::new(&mut inbox_room[..]), Heard::default());
    while socket.connection.state() != State::Closed {
        match socket.recv(&mut inbox).await.unwrap() {
            Status::Event(Event::Request { .. }) => {
                socket.outbox.write(|w| socket.connection.accept(now(), &Accept::default(), w)).unwrap();
            }
            Status::Event(Event::Data(data)) => {
                heard.piece(&data);
                socket.send(data.kind(), data.payload(), data.is_last()).await.unwrap();
            }
            _ => {}
        }
    }
    socket.flush().await.unwrap();
    assert!(socket.connection.eof(), "the end was clean");
    drop(socket);
    peer.join().unwrap();
    assert_eq!(heard.0.len(), 20);
}

/// What comes of a server's socket over `stream`, after its handshake if there is one, on a clock that jumps to what is waited for.
fn late(stream: Deaf, send: bool) -> (Error<ErrorKind>, u64, Vec<u8>) {
    let (clock, mut room, mut inbox_room) = (Cell::new(0), [0; OUT], [0; IN]);
    let until = async |due: Option<Instant>| match due {
        Some(due) => clock.set(clock.get().max(due.0)),
        None => pending().await,
    };
    let (connection, outbox) = (Connection::<Server>::server(&HEARTBEAT, Instant(0)), Outbox::new(&mut room[..]));
    let mut socket = WebSocket { connection, outbox, stream, now: || Instant(clock.get()), until };
    let mut inbox = Inbox::new(&mut inbox_room[..]);
    for _ in 0..MOST {
        let done = if send && socket.connection.state() == State::Active {
            poll(socket.send(DataKind::Binary, &[7; IN], true), 1).expect("a timer")
        } else {
            match poll(socket.recv(&mut inbox), 1).expect("a timer") {
                Ok(Status::Event(Event::Request { .. })) => {
                    let now = (socket.now)();
                    socket.outbox.write(|w| socket.connection.accept(now, &Accept::default(), w)).map_err(Error::Send)
                }
                other => other.map(|_| ()),
            }
        };
        if let Err(error) = done {
            let ended = clock.get();
            // What waits goes, or is given up: twice is enough.
            let flushed = (0..2).find(|_| poll(socket.flush(), 1).expect("a timer").is_ok());
            assert!(flushed.is_some());
            return (error, ended, socket.stream.said);
        }
    }
    panic!("no end");
}

#[test]
fn deadlines_pass_by_the_timer() {
    let (error, at, said) = late(Deaf::new(b"", usize::MAX), false);
    assert_eq!((error, at, said.len()), (Error::Late(Expired::Handshake), 10_000, 0));
    let (error, at, said) = late(Deaf::new(REQUEST, usize::MAX), false);
    assert_eq!((error, at), (Error::Late(Expired::Pong), 50_000));
    assert!(said.ends_with(b"no answer to a ping"), "{said:?}");
    // A peer that does not read either, while we wait for room.
    let (error, at, said) = late(Deaf::new(REQUEST, 200), true);
    assert_eq!((error, at, said.len()), (Error::Late(Expired::Pong), 50_000, 200));
}
