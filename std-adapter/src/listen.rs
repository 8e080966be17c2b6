//! The sockets that a server listens on.

use crate::address::Address;
use crate::server::ServerError;
use crate::settings::{Listener, Settings};
use crate::socket::ListenSocket;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Whether accepted sockets have TCP_NODELAY from the one that they were accepted at: then it is one system call less for each.
pub(crate) const NODELAY_IS_INHERITED: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// The sockets of one listener. They stay open for as long as the server runs, so that nobody who waits in a backlog is lost
/// when workers change.
#[derive(Debug)]
pub(crate) enum Bound {
    /// One for each worker, or one for all.
    Tcp(SocketAddr, Vec<TcpListener>),
    /// One for all; the file is removed with it.
    Unix(UnixListener, SocketFile),
}

/// The file of a Unix socket.
#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it already, which is what is wanted.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Bound {
    /// Listens at one place.
    pub(crate) fn new(settings: &Settings, listener: &Listener) -> Result<Self, ServerError> {
        let failed = |error| ServerError::Listen(listener.address.clone(), error);
        let own = listener.settings.as_deref().unwrap_or(settings);
        match &listener.address {
            Address::Tcp(address) => listen_tcp(settings, own, *address).map_err(failed),
            Address::Unix(path) => listen_unix(settings, path).map_err(failed),
        }
    }

    /// Where it is, with the real port.
    pub(crate) fn address(&self) -> Address {
        match self {
            Self::Tcp(address, _) => Address::Tcp(*address),
            Self::Unix(_, file) => Address::Unix(file.0.clone()),
        }
    }

    /// The socket for the worker in this seat.
    pub(crate) fn socket(&self, seat: usize) -> io::Result<ListenSocket> {
        match self {
            Self::Tcp(_, sockets) => {
                let socket = sockets.get(seat % sockets.len().max(1)).ok_or(io::ErrorKind::NotFound)?;
                Ok(ListenSocket::Tcp(mio::net::TcpListener::from_std(socket.try_clone()?)))
            }
            Self::Unix(socket, _) => Ok(ListenSocket::Unix(mio::net::UnixListener::from_std(socket.try_clone()?))),
        }
    }
}

fn listen_tcp(settings: &Settings, own: &Settings, address: SocketAddr) -> io::Result<Bound> {
    let spread = settings.reuse_port && settings.worker_num > 1;
    if !spread {
        let socket = tcp_socket(settings, own, address, false)?;
        return Ok(Bound::Tcp(socket.local_addr()?, vec![socket]));
    }
    // SO_REUSEPORT lets a second server of the same user take a part of the connections. That is never meant here, so
    // that the port must be free for a socket without it first.
    drop(tcp_socket(settings, own, address, false)?);
    let mut address = address;
    let mut sockets = Vec::new();
    for _ in 0..settings.worker_num {
        let socket = tcp_socket(settings, own, address, true)?;
        // Port 0 becomes the same real one for all.
        address = socket.local_addr()?;
        sockets.push(socket);
    }
    Ok(Bound::Tcp(address, sockets))
}

/// A listening socket with the settings of its listener, `own`.
pub(crate) fn tcp_socket(
    settings: &Settings,
    own: &Settings,
    address: SocketAddr,
    spread: bool,
) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of an earlier server that are not quite gone shall not keep this one from starting.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // An IPv4 listener on the same port is another one, with settings of its own.
        socket.set_only_v6(true)?;
    }
    if spread {
        socket.set_reuse_port(true)?;
    }
    if own.socket_buffer_size != 0 {
        // Accepted sockets inherit it, and the window that TCP may open depends on it from the first packet on.
        socket.set_recv_buffer_size(own.socket_buffer_size)?;
    }
    if NODELAY_IS_INHERITED {
        socket.set_tcp_nodelay(own.tcp_nodelay)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog(settings))?;
    Ok(socket.into())
}

fn listen_unix(settings: &Settings, path: &Path) -> io::Result<Bound> {
    // A socket that nobody listens on is what a server leaves behind that was killed.
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if is_socket && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
        std::fs::remove_file(path)?;
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&socket2::SockAddr::unix(path)?)?;
    let file = SocketFile(path.to_owned());
    socket.listen(backlog(settings))?;
    Ok(Bound::Unix(socket.into(), file))
}

fn backlog(settings: &Settings) -> i32 {
    i32::try_from(settings.backlog).unwrap_or(i32::MAX)
}
