//! A stream in memory that is as slow and as cut up as it is told to be, and what is said over it.
#![allow(dead_code, missing_docs)]

use martlet::codec::{ControlOp, DataOp, Key, Kind, Writer};
use martlet::state::{Config, Connection, Instant, Outbox};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) static CONFIG: Config<'_> = Config { idle_ms: 0, ..Config::DEFAULT };

pub(crate) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A stream that takes and gives `at_once` octets at most, and lets every poll but each `lazy`th wait. Nobody is woken.
#[derive(Clone)]
pub(crate) struct Slow(Rc<RefCell<Wire>>);

pub(crate) struct Wire {
    pub(crate) incoming: VecDeque<u8>,
    pub(crate) outgoing: Vec<u8>,
    pub(crate) at_once: usize,
    pub(crate) lazy: u32,
    polls: u32,
}

impl Slow {
    pub(crate) fn new(incoming: &[u8], at_once: usize, lazy: u32) -> Self {
        let incoming = incoming.iter().copied().collect();
        Self(Rc::new(RefCell::new(Wire { incoming, outgoing: Vec::new(), at_once, lazy, polls: 0 })))
    }

    pub(crate) fn said(&self) -> Vec<u8> {
        self.0.borrow().outgoing.clone()
    }

    fn waits(&self) -> bool {
        let mut wire = self.0.borrow_mut();
        wire.polls += 1;
        !wire.polls.is_multiple_of(wire.lazy)
    }
}

impl AsyncRead for Slow {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.waits() {
            return Poll::Pending;
        }
        let mut wire = self.0.borrow_mut();
        let len = room.remaining().min(wire.at_once).min(wire.incoming.len());
        let fresh: Vec<u8> = wire.incoming.drain(..len).collect();
        room.put_slice(&fresh);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Slow {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if self.waits() {
            return Poll::Pending;
        }
        let mut wire = self.0.borrow_mut();
        let len = octets.len().min(wire.at_once);
        wire.outgoing.extend_from_slice(&octets[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waits() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waits() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

/// Polls `future` up to `patience` times, and drops it.
pub(crate) fn poll<T>(future: impl Future<Output = T>, patience: usize) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    (0..patience).find_map(|_| match future.as_mut().poll(&mut cx) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    })
}

pub(crate) fn server() -> (Connection<'static>, Outbox<Vec<u8>>) {
    (Connection::server(&CONFIG, Instant(0)), Outbox::new(Vec::new()))
}

/// Frames of every sort as a peer sends them, masked if it is a client.
pub(crate) fn frames(key: Option<Key>) -> Vec<u8> {
    let mut room = vec![0; 8192];
    let mut writer = Writer::new(&mut room);
    let data = |op, fin| Kind::Data { op, fin, len: 0 };
    let control = |op| Kind::Control { op, len: 0 };
    for (kind, payload) in [
        (data(DataOp::Text, true), "Grüße".as_bytes()),
        (control(ControlOp::Ping), b"there?"),
        (data(DataOp::Binary, false), &[1; 130]),
        (control(ControlOp::Ping), b""),
        (data(DataOp::Continuation, false), b""),
        (data(DataOp::Continuation, true), &[2; 5]),
        (control(ControlOp::Pong), b"unasked"),
        (data(DataOp::Binary, true), &[3; 700]),
        (data(DataOp::Text, true), b""),
        (control(ControlOp::Close), b"\x03\xe8bye"),
    ] {
        writer.frame(kind, key, payload).unwrap();
    }
    writer.written().to_vec()
}
