//! The server: its sockets, its threads, its end.

use crate::handle::Handle;
use crate::handler::Handler;
use crate::mailbox::Mailbox;
use crate::settings::{InvalidSetting, Settings};
use crate::worker::{LISTENER, Seat, WAKER, Worker};
use core::fmt;
use mio::net::TcpListener;
use mio::{Interest, Poll, Waker};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// A server that listens. [`run`](Self::run) serves.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    seats: Vec<Seat>,
    handle: Handle,
    address: SocketAddr,
}

/// Why a server does not start, or ended before it was told to.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// A setting makes no sense.
    Setting(InvalidSetting),
    /// This address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// The system refused something else.
    System(io::Error),
    /// A worker's thread panicked outside the handler, or while it made one.
    Panicked,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(invalid) => invalid.fmt(f),
            Self::Listen(address, error) if error.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "cannot listen on {address}: the port is in use")
            }
            Self::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            Self::System(error) => error.fmt(f),
            Self::Panicked => f.write_str("a worker panicked"),
        }
    }
}

impl core::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Setting(invalid) => Some(invalid),
            Self::Listen(_, error) | Self::System(error) => Some(error),
            Self::Panicked => None,
        }
    }
}

impl Server {
    /// Checks the settings and listens. Who connects from now on waits until [`run`](Self::run).
    pub fn bind(settings: Settings) -> Result<Self, ServerError> {
        settings.check().map_err(ServerError::Setting)?;
        let shared = settings.workers > 1;
        if shared {
            // SO_REUSEPORT lets a second server of the same user take a part of the connections. That is never meant here, so
            // that the port must be free for a socket without it first.
            drop(listen(&settings, settings.listen, false)?);
        }
        let (mut seats, mut mailboxes) = (Vec::new(), Vec::new());
        let mut address = settings.listen;
        for worker in 0..u8::try_from(settings.workers).unwrap_or(u8::MAX) {
            let mut listener = listen(&settings, address, shared)?;
            // Port 0 becomes the same real one for all.
            address = listener.local_addr().map_err(ServerError::System)?;
            let poll = Poll::new().map_err(ServerError::System)?;
            let waker = Waker::new(poll.registry(), WAKER).map_err(ServerError::System)?;
            poll.registry().register(&mut listener, LISTENER, Interest::READABLE).map_err(ServerError::System)?;
            mailboxes.push(Mailbox::new(waker, settings.max_mailbox_bytes));
            seats.push(Seat { worker, poll, listener });
        }
        let handle = Handle::new(mailboxes, settings.max_connections);
        Ok(Self { settings, seats, handle, address })
    }

    /// The address that is listened on, with its real port.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The way to the connections, and to stop the server, for any thread.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves until [`Handle::stop`] was called and all connections have ended, or the grace is over.
    ///
    /// `handler` is called once in each worker's thread, with the worker's number, so that a handler need not be [`Send`].
    pub fn run<H: Handler>(self, handler: impl Fn(usize) -> H + Sync) -> Result<(), ServerError> {
        let (settings, handle, handler) = (&self.settings, &self.handle, &handler);
        tracing::info!(address = %self.address, workers = settings.workers, "listening");
        let done = std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .seats
                .into_iter()
                .map(|seat| {
                    let builder = std::thread::Builder::new().name(format!("martlet-{}", seat.worker));
                    builder.spawn_scoped(scope, move || {
                        // If this one ends, however it ends, the others shall not go on as if nothing were missing.
                        let _stop = StopAll(handle);
                        work(seat, settings, handle, handler)
                    })
                })
                .collect();
            let mut done = Ok(());
            for thread in threads {
                let ended = match thread {
                    Ok(thread) => thread.join().unwrap_or(Err(ServerError::Panicked)),
                    Err(error) => {
                        handle.stop();
                        Err(ServerError::System(error))
                    }
                };
                done = done.and(ended);
            }
            done
        });
        tracing::info!(address = %self.address, "stopped");
        done
    }
}

struct StopAll<'h>(&'h Handle);

impl Drop for StopAll<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn work<H: Handler>(
    seat: Seat,
    settings: &Settings,
    handle: &Handle,
    handler: &(impl Fn(usize) -> H + Sync),
) -> Result<(), ServerError> {
    let subprotocols = settings.subprotocols();
    let config = settings.config(&subprotocols);
    let handler = handler(usize::from(seat.worker));
    Worker::new(seat, &config, settings, handle, handler).run().map_err(ServerError::System)
}

fn listen(settings: &Settings, address: SocketAddr, shared: bool) -> Result<TcpListener, ServerError> {
    let backlog = i32::try_from(settings.backlog).unwrap_or(i32::MAX);
    let listen = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // Connections of an earlier server that are not quite gone shall not keep this one from starting.
        socket.set_reuse_address(true)?;
        if shared {
            socket.set_reuse_port(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(backlog)?;
        Ok(TcpListener::from_std(socket.into()))
    };
    listen().map_err(|error| ServerError::Listen(address, error))
}
