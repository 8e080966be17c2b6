//! Futures of the tokio adapter that are dropped wherever they wait: no octet is lost, either way.

mod common;

use common::{MOST, REQUEST, Slow, client, frames, plans, poll, response, server};
use martlet::codec::Key;
use martlet::state::{Connection, Outbox, Payload, Side};
use martlet_runtimes::message::Message;
use martlet_runtimes::tokio::WebSocket;
use tokio::runtime::{Builder, Runtime};

const NEVER: usize = usize::MAX;

/// Timers need a runtime, which does nothing else here: nothing but these tests polls.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// Echoes until the end, and drops each future when it was polled `patience` times in vain: what was heard, and what was said.
fn echo<S: Side>(
    incoming: &[u8],
    connection: (Connection<'static, S>, Outbox<Vec<u8>>),
    (at_once, lazy, patience): (usize, u32, usize),
) -> (Vec<Message>, Vec<u8>) {
    let stream = Slow::new(incoming, at_once, lazy);
    let mut socket = poll(WebSocket::open(stream.clone(), connection.0, connection.1), MOST).unwrap().unwrap();
    let mut heard = Vec::new();
    for _ in 0..MOST {
        match poll(socket.recv(), patience) {
            None => {}
            Some(Ok(None)) => return (heard, stream.said()),
            Some(Ok(Some(message))) => {
                match &message {
                    // If it is dropped meanwhile, the rest goes with what comes next.
                    Message::Text(text) => drop(poll(socket.send(Payload::Text(text)), patience)),
                    Message::Binary(octets) => drop(poll(socket.send(Payload::Binary(octets)), patience)),
                    Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
                }
                heard.push(message);
            }
            Some(Err(error)) => panic!("{error}"),
        }
    }
    panic!("no end after {heard:?}");
}

fn check<S: Side>(wire: &[u8], connection: impl Fn() -> (Connection<'static, S>, Outbox<Vec<u8>>)) {
    let expect = echo(wire, connection(), (usize::MAX, 1, NEVER));
    assert_eq!(expect.0.len(), 8, "{:?}", expect.0);
    assert!(matches!(expect.0.last(), Some(Message::Close(Some(_)))));
    for plan in plans(wire.len()) {
        let (heard, said) = echo(wire, connection(), plan);
        assert_eq!(heard, expect.0, "{plan:?}");
        assert_eq!(said, expect.1, "{plan:?}");
    }
}

#[test]
fn a_server_loses_nothing() {
    let runtime = runtime();
    let _inside = runtime.enter();
    check(&[REQUEST, &frames(Some(Key([1, 2, 3, 4])))].concat(), server);
}

#[test]
fn a_client_loses_nothing() {
    let runtime = runtime();
    let _inside = runtime.enter();
    check(&[response(), frames(None)].concat(), client);
}

/// The stream must be able to be in the way, or the tests above prove nothing.
#[test]
fn futures_are_dropped_while_they_wait() {
    let runtime = runtime();
    let _inside = runtime.enter();
    let stream = Slow::new(&[REQUEST, &frames(Some(Key([9; 4])))].concat(), 1, 2);
    let (connection, outbox) = server();
    let mut socket = poll(WebSocket::open(stream.clone(), connection, outbox), MOST).unwrap().unwrap();
    let dropped = (0..MOST).take_while(|_| poll(socket.recv(), 1).is_none()).count();
    assert!((11..MOST).contains(&dropped), "{dropped}");
    let said = stream.said().len();
    assert!(poll(socket.send(Payload::Text("some words")), 1).is_none());
    assert!(stream.said().len() < said + 12, "it was dropped before it was through");
}
