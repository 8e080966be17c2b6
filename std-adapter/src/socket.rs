//! Sockets of either kind, as one.

use crate::address::Peer;
#[cfg(feature = "tls")]
use crate::tls::TlsSocket;
use mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use mio::{Interest, Registry, Token, event};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

/// A peer that is gone is an error of the call and no signal. Apple's systems have no such flag: there Rust's runtime ignores the signal.
#[cfg(not(target_vendor = "apple"))]
const QUIET: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const QUIET: SendFlags = SendFlags::empty();

/// A connection's socket.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    #[cfg(feature = "tls")]
    Tls(Box<TlsSocket>),
}

impl Socket {
    /// The address that was connected to, over TCP.
    pub(crate) fn local(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(socket) => socket.local_addr().ok(),
            Self::Unix(_) => None,
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.socket.local_addr().ok(),
        }
    }

    /// Lets the close of the socket be a reset.
    pub(crate) fn reset_on_close(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO)),
            Self::Unix(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => socket2::SockRef::from(&tls.socket).set_linger(Some(Duration::ZERO)),
        }
    }

    pub(crate) fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.shutdown(how),
            Self::Unix(socket) => socket.shutdown(how),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => {
                tls.end();
                tls.socket.shutdown(how)
            }
        }
    }
}

/// The system calls themselves: libc's functions of that name make each of them a point at which its thread may be cancelled, which
/// takes more instructions than all else around the call.
impl Read for Socket {
    #[inline(always)]
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            // Of a stream this is never more than there is room for, so that it needs no second look.
            Self::Tcp(socket) => Ok(recv(&*socket, room, RecvFlags::empty())?.1),
            Self::Unix(socket) => Ok(recv(&*socket, room, RecvFlags::empty())?.1),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.read(room),
        }
    }
}

impl Write for Socket {
    #[inline(always)]
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => Ok(send(&*socket, octets, QUIET)?),
            Self::Unix(socket) => Ok(send(&*socket, octets, QUIET)?),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.write(octets),
        }
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write_vectored(parts),
            Self::Unix(socket) => socket.write_vectored(parts),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.write_vectored(parts),
        }
    }

    /// Sockets keep nothing back, but TLS may.
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.flush(),
        }
    }
}

impl event::Source for Socket {
    fn register(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.register(registry, token, interest),
            Self::Unix(socket) => socket.register(registry, token, interest),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.socket.register(registry, token, interest),
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.reregister(registry, token, interest),
            Self::Unix(socket) => socket.reregister(registry, token, interest),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.socket.reregister(registry, token, interest),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.deregister(registry),
            Self::Unix(socket) => socket.deregister(registry),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.socket.deregister(registry),
        }
    }
}

/// A listening socket.
#[derive(Debug)]
pub(crate) enum ListenSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl ListenSocket {
    /// The address that all who connect here have connected to, unless there are several.
    pub(crate) fn one_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok().filter(|address| !address.ip().is_unspecified()),
            Self::Unix(_) => None,
        }
    }

    pub(crate) fn accept(&self) -> io::Result<(Socket, Peer)> {
        match self {
            Self::Tcp(listener) => listener.accept().map(|(socket, peer)| (Socket::Tcp(socket), Peer::Tcp(peer))),
            Self::Unix(listener) => listener.accept().map(|(socket, _)| (Socket::Unix(socket), Peer::Unix)),
        }
    }
}

impl event::Source for ListenSocket {
    fn register(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.register(registry, token, interest),
            Self::Unix(listener) => listener.register(registry, token, interest),
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.reregister(registry, token, interest),
            Self::Unix(listener) => listener.reregister(registry, token, interest),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.deregister(registry),
            Self::Unix(listener) => listener.deregister(registry),
        }
    }
}
