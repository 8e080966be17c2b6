//! A stream in memory that is as slow and as cut up as it is told to be, and what is said over it.
#![allow(dead_code, missing_docs)]

use embedded_io::{ErrorKind, ErrorType};
use martlet::codec::{Assembler, ControlOp, DataOp, Key, Kind, Writer};
use martlet::state::{Buffer, Client, ClientRequest, Config, Connection, Inbox, Instant, Outbox};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) static CONFIG: Config<'_> = Config { idle_ms: 0, ..Config::DEFAULT };

/// More than any talk takes: what does not come to its end fails.
pub(crate) const MOST: usize = 20_000;

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
    /// Something was written since the last flush: only then there is something to wait for.
    is_dirty: bool,
}

impl Slow {
    pub(crate) fn new(incoming: &[u8], at_once: usize, lazy: u32) -> Self {
        let incoming = incoming.iter().copied().collect();
        Self(Rc::new(RefCell::new(Wire { incoming, outgoing: Vec::new(), at_once, lazy, polls: 0, is_dirty: false })))
    }

    pub(crate) fn said(&self) -> Vec<u8> {
        self.0.borrow().outgoing.clone()
    }

    fn give(&self, room: &mut [u8]) -> usize {
        let mut wire = self.0.borrow_mut();
        let len = room.len().min(wire.at_once).min(wire.incoming.len());
        room.iter_mut().zip(wire.incoming.drain(..len)).for_each(|(to, from)| *to = from);
        len
    }

    fn take(&self, octets: &[u8]) -> usize {
        let mut wire = self.0.borrow_mut();
        let len = octets.len().min(wire.at_once);
        wire.outgoing.extend_from_slice(&octets[..len]);
        wire.is_dirty = true;
        len
    }

    fn flush(&self) -> Poll<()> {
        let waits = self.0.borrow().is_dirty && self.waits();
        self.0.borrow_mut().is_dirty = waits;
        if waits { Poll::Pending } else { Poll::Ready(()) }
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
        let len = self.give(room.initialize_unfilled());
        room.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Slow {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if self.waits() {
            return Poll::Pending;
        }
        Poll::Ready(Ok(self.take(octets)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flush().map(Ok)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waits() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

/// A time-out of the stream, for who waits by blocking.
impl ErrorType for Slow {
    type Error = ErrorKind;
}

impl embedded_io::Read for Slow {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        if self.waits() { Err(ErrorKind::TimedOut) } else { Ok(self.give(room)) }
    }
}

impl embedded_io::Write for Slow {
    fn write(&mut self, octets: &[u8]) -> Result<usize, ErrorKind> {
        if self.waits() { Err(ErrorKind::TimedOut) } else { Ok(self.take(octets)) }
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl embedded_io_async::Read for Slow {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| if self.waits() { Poll::Pending } else { Poll::Ready(Ok(self.give(room))) }).await
    }
}

impl embedded_io_async::Write for Slow {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| if self.waits() { Poll::Pending } else { Poll::Ready(Ok(self.take(octets))) }).await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        poll_fn(|_| Slow::flush(self).map(Ok)).await
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

pub(crate) fn client() -> (Connection<'static, Client<ChaCha12Rng>>, Outbox<Vec<u8>>) {
    let mut outbox = Outbox::new(Vec::new());
    (connect(&CONFIG, &mut outbox), outbox)
}

/// A client's end, whose request is in `outbox`.
pub(crate) fn connect(
    config: &'static Config<'static>,
    outbox: &mut Outbox<impl Buffer>,
) -> Connection<'static, Client<ChaCha12Rng>> {
    let request = ClientRequest { host: "a", target: "/", ..ClientRequest::default() };
    let rng = || ChaCha12Rng::from_seed([7; 32]);
    outbox.write(|writer| Connection::client(config, Instant(0), rng(), &request, writer)).unwrap()
}

/// The answer to [`client`]'s request, which another connection of the core gives.
pub(crate) fn response() -> Vec<u8> {
    let (_, request) = client();
    let (mut connection, mut outbox) = server();
    let mut inbox = Inbox::new(vec![0; request.waiting().len()]);
    inbox.room().copy_from_slice(request.waiting());
    inbox.filled(request.waiting().len());
    let pieces = &mut Assembler::new(Vec::new());
    let asked = connection.next_message::<()>(Instant(0), &mut inbox, &mut outbox, pieces);
    assert_eq!(asked, Ok(Some(None)));
    outbox.waiting().to_vec()
}

/// Every cutting with every patience.
pub(crate) fn plans(len: usize) -> impl Iterator<Item = (usize, u32, usize)> {
    let cuts = (1..40).chain([64, 125, 126, 127, 128, 500, len]);
    cuts.flat_map(|at_once| {
        [(2, 1), (2, 2), (3, 1), (3, 2), (3, 5), (7, 3)].map(|(lazy, patience)| (at_once, lazy, patience))
    })
}
