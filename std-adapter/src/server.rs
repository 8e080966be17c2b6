//! The server: its sockets, its threads, its end.

use crate::address::Address;
use crate::closures::Closures;
use crate::crew::{Crew, Notice};
use crate::handle::Handle;
use crate::handler::Handler;
use crate::listen::Bound;
use crate::places::Places;
use crate::roster::Roster;
use crate::settings::{InvalidSetting, Settings};
use crate::worker::Seat;
use core::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

/// A server that listens. [`run`](Self::run) serves.
pub struct Server {
    settings: Settings,
    bound: Vec<Bound>,
    seats: Vec<Seat>,
    handle: Handle,
    notices: Receiver<Notice>,
    on_start: OnStart,
    on_shutdown: OnShutdown,
}

type OnStart = Box<dyn FnOnce(&Handle) + Send>;
type OnShutdown = Box<dyn FnOnce() + Send>;

/// Why a server does not start, or ended before it was told to.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// A setting makes no sense.
    Setting(InvalidSetting),
    /// This address cannot be listened on.
    Listen(Address, io::Error),
    /// A certificate or its key cannot be used; this says which file and why.
    Certificate(String),
    /// The system refused something else.
    System(io::Error),
    /// [`Closures`] have none for this event, so that what comes would be lost.
    NoClosure(&'static str),
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
            Self::Certificate(why) => f.write_str(why),
            Self::System(error) => error.fmt(f),
            Self::NoClosure(event) => {
                write!(f, "there is no closure for the event `{event}`: what comes would be lost")
            }
            Self::Panicked => f.write_str("a worker panicked"),
        }
    }
}

impl core::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Setting(invalid) => Some(invalid),
            Self::Listen(_, error) | Self::System(error) => Some(error),
            Self::NoClosure(_) | Self::Certificate(_) | Self::Panicked => None,
        }
    }
}

impl Server {
    /// Checks the settings and listens. Who connects from now on waits until [`run`](Self::run).
    pub fn bind(settings: Settings) -> Result<Self, ServerError> {
        settings.check().map_err(ServerError::Setting)?;
        check_roots(&settings).map_err(ServerError::Setting)?;
        check_certificates(&settings)?;
        let bound =
            settings.listen.iter().map(|listener| Bound::new(&settings, listener)).collect::<Result<Vec<_>, _>>()?;
        let (keeper, notices) = channel();
        let roster = Roster::new(settings.max_mailbox_bytes);
        let handle = Handle::new(roster, keeper, Places::new(&settings), &settings);
        let mut seats = Vec::new();
        for seat in 0..u8::try_from(settings.worker_num).unwrap_or(u8::MAX) {
            seats.extend(Seat::new(&settings, &bound, handle.roster(), seat).map_err(ServerError::System)?);
        }
        let (on_start, on_shutdown): (OnStart, OnShutdown) = (Box::new(|_| {}), Box::new(|| {}));
        Ok(Self { settings, bound, seats, handle, notices, on_start, on_shutdown })
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

    /// Calls `f` when all workers serve: once, on the thread that [`run`](Self::run) was called on.
    #[must_use]
    pub fn on_start(mut self, f: impl FnOnce(&Handle) + Send + 'static) -> Self {
        self.on_start = Box::new(f);
        self
    }

    /// Calls `f` when all workers have ended, before [`run`](Self::run) returns.
    #[must_use]
    pub fn on_shutdown(mut self, f: impl FnOnce() + Send + 'static) -> Self {
        self.on_shutdown = Box::new(f);
        self
    }

    /// Serves until [`Handle::stop`] was called and all connections have ended, or the grace is over.
    ///
    /// `handler` is called once in each worker's thread, with the worker's [seat](crate::Context::seat), so that a handler need not
    /// be [`Send`]. A [reload](Handle::reload) calls it again for the workers that take over.
    pub fn run<H: Handler>(self, handler: impl Fn(usize) -> H + Sync) -> Result<(), ServerError> {
        let addresses: Vec<_> = self.bound.iter().map(|bound| bound.address().to_string()).collect();
        tracing::info!(?addresses, workers = self.settings.worker_num, "listening");
        let (settings, handle, handler) = (&self.settings, &self.handle, &handler);
        let (bound, seats, notices, on_start) = (self.bound, self.seats, self.notices, self.on_start);
        let done = std::thread::scope(move |scope| {
            Crew::new(scope, settings, handle, handler, bound).run(seats, &notices, on_start)
        });
        (self.on_shutdown)();
        tracing::info!(?addresses, "stopped");
        done
    }

    /// Serves as [`run`](Self::run) does, with closures in place of a handler, which all workers call.
    ///
    /// Nothing is served if there is none for `message`, or for `fragment` where
    /// [`stream_messages`](Settings::stream_messages) is on: that is [`ServerError::NoClosure`].
    pub fn run_closures(self, closures: Closures) -> Result<(), ServerError> {
        let closures = closures.complete(&self.settings)?;
        self.run(|_worker| closures.clone())
    }
}

/// Those of a server that does not start; a worker that takes over reads them again.
#[cfg(feature = "tls")]
fn check_certificates(settings: &Settings) -> Result<(), ServerError> {
    let own = settings.listen.iter().map(|listener| listener.settings.as_deref().unwrap_or(settings));
    own.map(crate::tls::config).try_for_each(|config| config.map(drop)).map_err(ServerError::Certificate)
}

#[cfg(not(feature = "tls"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature `tls` it may fail")]
const fn check_certificates(_settings: &Settings) -> Result<(), ServerError> {
    Ok(())
}

/// A directory that is not there would otherwise show only when somebody asks for a file.
fn check_roots(settings: &Settings) -> Result<(), InvalidSetting> {
    let own = settings.listen.iter().filter_map(|listener| listener.settings.as_deref());
    let mut roots = own.chain([settings]).filter_map(|settings| settings.document_root.as_deref());
    if roots.all(Path::is_dir) {
        return Ok(());
    }
    Err(InvalidSetting { setting: "document_root", reason: "is no directory that can be read" })
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("settings", &self.settings).field("bound", &self.bound).finish_non_exhaustive()
    }
}
