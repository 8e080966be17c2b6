//! A plain socket that costs as little as it can.

use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io::{self, Read, Write};

/// A server that is gone is an error of the call and no signal. Apple's systems have no such flag: there Rust's runtime ignores the signal.
#[cfg(not(target_vendor = "apple"))]
const QUIET: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const QUIET: SendFlags = SendFlags::empty();

/// Reads and writes by the system calls themselves, as the server does: libc's functions of that name are points at which a thread may
/// be cancelled, which takes more instructions than a short message.
pub(crate) struct Plain(TcpStream);

impl Plain {
    pub(crate) fn new(socket: std::net::TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self(TcpStream::from_std(socket)))
    }
}

impl Read for Plain {
    #[inline]
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        Ok(recv(&self.0, room, RecvFlags::empty())?.0)
    }
}

impl Write for Plain {
    #[inline]
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        Ok(send(&self.0, octets, QUIET)?)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Plain {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.0.register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.0.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.0.deregister(registry)
    }
}
