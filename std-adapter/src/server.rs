//! The server: its sockets, its threads, its end.

use crate::address::Address;
use crate::handle::Handle;
use crate::handler::Handler;
use crate::listen::Bound;
use crate::mailbox::Mailbox;
use crate::places::Places;
use crate::profile::Profile;
use crate::settings::{InvalidSetting, Settings};
use crate::worker::{Seat, WAKER, Worker};
use core::fmt;
use mio::{Poll, Waker};
use std::io;
use std::net::SocketAddr;

/// A server that listens. [`run`](Self::run) serves.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    bound: Vec<Bound>,
    seats: Vec<Seat>,
    handle: Handle,
}

/// Why a server does not start, or ended before it was told to.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// A setting makes no sense.
    Setting(InvalidSetting),
    /// This address cannot be listened on.
    Listen(Address, io::Error),
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
                write!(f, "cannot listen on {address}: it is in use")
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
        let bound =
            settings.listen.iter().map(|listener| Bound::new(&settings, listener)).collect::<Result<Vec<_>, _>>()?;
        let (mut seats, mut mailboxes) = (Vec::new(), Vec::new());
        for worker in 0..u8::try_from(settings.worker_num).unwrap_or(u8::MAX) {
            let poll = Poll::new().map_err(ServerError::System)?;
            let waker = Waker::new(poll.registry(), WAKER).map_err(ServerError::System)?;
            let sockets = bound.iter().map(|bound| bound.socket(usize::from(worker))).collect::<io::Result<Vec<_>>>();
            mailboxes.push(Mailbox::new(waker, settings.max_mailbox_bytes));
            seats.push(Seat { worker, poll, listeners: sockets.map_err(ServerError::System)? });
        }
        let handle = Handle::new(mailboxes, Places::new(&settings), settings.longest_push());
        Ok(Self { settings, bound, seats, handle })
    }

    /// The addresses that are listened on, in the settings' order, with their real ports.
    pub fn addresses(&self) -> Vec<Address> {
        self.bound.iter().map(Bound::address).collect()
    }

    /// The first TCP address that is listened on, with its real port.
    pub fn address(&self) -> Option<SocketAddr> {
        self.bound.iter().find_map(|bound| match bound.address() {
            Address::Tcp(address) => Some(address),
            Address::Unix(_) => None,
        })
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
        let addresses: Vec<_> = self.bound.iter().map(|bound| bound.address().to_string()).collect();
        tracing::info!(?addresses, workers = settings.worker_num, "listening");
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
        tracing::info!(?addresses, "stopped");
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
    let listeners = settings.listen.iter().map(|listener| listener.settings.as_deref().unwrap_or(settings));
    let subprotocols: Vec<_> = listeners.map(|settings| (settings, settings.subprotocols())).collect();
    let counters = handle.counters(usize::from(seat.worker));
    let profiles: Vec<_> =
        subprotocols.iter().map(|(settings, names)| Profile::new(settings, names, counters)).collect();
    let handler = handler(usize::from(seat.worker));
    let mut worker = Worker::new(seat, &profiles, settings, handle, handler).map_err(ServerError::System)?;
    worker.run().map_err(ServerError::System)
}
