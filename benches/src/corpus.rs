//! What decoders read: streams of equal frames, and a wire that costs one copy a read, as a socket does.

use crate::{Kind, client_frame};
use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// How much a decoder without a buffer of its own reads at once: the first-level cache holds it.
pub const READ: usize = 16 * 1024;

/// A stream of masked frames, and how it comes.
#[derive(Clone, Copy)]
pub struct Corpus {
    pub kind: Kind,
    pub octets: &'static [u8],
    pub frames: usize,
    /// The most octets that a read gives.
    pub cut: usize,
}

impl Corpus {
    /// A stream of about 256 KiB that lives for ever.
    pub fn new(kind: Kind, size: usize, cut: usize) -> Self {
        let frames = (256 * 1024 / (size + 6)).clamp(4, 4000);
        let payload = kind.payload(size);
        let mut octets = Vec::new();
        for i in 0..frames {
            client_frame(&mut octets, kind, [i as u8, 0x5a, (i >> 8) as u8, 0xc3], &payload);
        }
        Self { kind, octets: octets.leak(), frames, cut }
    }

    pub fn wire(&self) -> Wire {
        Wire { octets: self.octets, cut: self.cut, ..Wire::sink() }
    }
}

/// What was delivered, so that nobody can cheat.
#[derive(Default, Debug, PartialEq, Eq, Clone, Copy)]
pub struct Sum {
    pub messages: u64,
    octets: u64,
    ends: u64,
}

impl Sum {
    #[inline]
    pub fn message(&mut self, payload: &[u8]) {
        self.messages += 1;
        self.octets += payload.len() as u64;
        if let (Some(first), Some(last)) = (payload.first(), payload.last()) {
            self.ends += u64::from(*first) + u64::from(*last);
        }
    }
}

/// What every decoder reads from, and every encoder writes to.
pub struct Wire {
    octets: &'static [u8],
    pub at: usize,
    cut: usize,
    taken: Vec<u8>,
}

impl Wire {
    /// Gives nothing, takes everything.
    pub fn sink() -> Self {
        Self { octets: &[], at: 0, cut: READ, taken: vec![0; 4 * READ] }
    }
}

impl Read for Wire {
    #[inline]
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let rest = &self.octets[self.at..];
        let len = rest.len().min(to.len()).min(self.cut);
        to[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

/// One copy a write, as a socket makes one.
impl Write for Wire {
    #[inline]
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        for piece in from.chunks(self.taken.len()) {
            self.taken[..piece.len()].copy_from_slice(piece);
        }
        Ok(from.len())
    }
    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        parts.iter().map(|part| self.write(part)).sum()
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A wire that a benchmark can rewind while a peer owns it; it is always ready.
#[derive(Clone)]
pub struct Shared(pub Rc<RefCell<Wire>>);

impl Shared {
    pub fn new(wire: Wire) -> Self {
        Self(Rc::new(RefCell::new(wire)))
    }

    pub fn rewind(&self) {
        self.0.borrow_mut().at = 0;
    }
}

impl tokio::io::AsyncRead for Shared {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut tokio::io::ReadBuf<'_>) -> Poll<io::Result<()>> {
        let len = self.0.borrow_mut().read(to.initialize_unfilled())?;
        to.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncWrite for Shared {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.borrow_mut().write(from))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.borrow_mut().write_vectored(parts))
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl futures_util::io::AsyncRead for Shared {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.borrow_mut().read(to))
    }
}

impl futures_util::io::AsyncWrite for Shared {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.borrow_mut().write(from))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.borrow_mut().write_vectored(parts))
    }
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The wire is always ready, so that one poll ends the future.
#[inline]
pub fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the wire is always ready"),
    }
}
