//! New connections, and what to do when there can be no more.

use crate::handler::Handler;
use crate::id::{ConnId, MAX_SLOTS};
use crate::slot::Slot;
use crate::worker::Worker;
use martlet_state::{Connection, Instant};
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// New connections in a row before the others get their turn.
const ACCEPTS_PER_ROUND: usize = 64;
/// How long to wait when the system has no more descriptors or memory, or the server no place.
const PAUSE_MS: u32 = 100;
/// How long after a warning none comes: it would only say the same.
const SILENCE_MS: u32 = 10_000;

/// The listening socket of a worker.
///
/// When there is no descriptor or place left, it pauses: who comes waits in the backlog, as the backlog is for, and no
/// time is spent on trying again and again.
pub(crate) struct Acceptor {
    listener: Option<TcpListener>,
    /// The backlog may hold a connection.
    pub(crate) wanted: bool,
    /// Nothing is accepted before this.
    pub(crate) retry: Option<Instant>,
    /// The next warning may come then.
    silent_until: Instant,
    serial: u64,
}

impl Acceptor {
    pub(crate) const fn new(listener: TcpListener) -> Self {
        Self { listener: Some(listener), wanted: false, retry: None, silent_until: Instant(0), serial: 0 }
    }

    /// Whether there is something to accept at once.
    pub(crate) fn wants_now(&self, now: Instant) -> bool {
        self.wanted && self.listener.is_some() && self.retry.is_none_or(|retry| retry <= now)
    }

    /// Listens no longer.
    pub(crate) fn close(&mut self, registry: &Registry) {
        if let Some(mut listener) = self.listener.take() {
            // It is dropped in any case.
            let _ = registry.deregister(&mut listener);
        }
        self.retry = None;
    }

    /// A descriptor and a place have become free.
    pub(crate) const fn resume(&mut self) {
        self.retry = None;
    }
}

impl<H: Handler> Worker<'_, H> {
    /// Accepts some of those that wait.
    pub(crate) fn accept(&mut self) {
        if !self.acceptor.wants_now(self.ctx.now) {
            return;
        }
        self.acceptor.retry = None;
        for _ in 0..ACCEPTS_PER_ROUND {
            let Some(listener) = &self.acceptor.listener else { return };
            if !self.ctx.handle.enter() {
                return self.pause("max_connections are open");
            }
            let accepted = listener.accept();
            if accepted.is_err() {
                self.ctx.handle.leave();
            }
            match accepted {
                Ok((socket, peer)) => self.admit(socket, peer),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        self.acceptor.wanted = false;
                        return;
                    }
                    // This one has gone again before its turn came; so says `accept(2)` of network errors as well.
                    ErrorKind::Interrupted
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::ConnectionReset
                    | ErrorKind::HostUnreachable
                    | ErrorKind::NetworkUnreachable
                    | ErrorKind::NetworkDown
                    | ErrorKind::PermissionDenied => {}
                    // No descriptors, no memory, or something that nobody has thought of: trying at once helps nobody.
                    _ => return self.pause(&error.to_string()),
                },
            }
        }
    }

    fn admit(&mut self, mut socket: TcpStream, peer: SocketAddr) {
        let ctx = &mut self.ctx;
        let entry = ctx.slots.vacant_entry();
        let key = entry.key();
        let registered = Some(key).filter(|key| *key < MAX_SLOTS as usize).map_or_else(
            || Err(io::Error::other("no slot is left")),
            |key| prepare(&mut socket, self.poll.registry(), key, ctx.settings.tcp_nodelay),
        );
        if let Err(error) = registered {
            tracing::debug!(%peer, %error, "a new connection was lost");
            return ctx.handle.leave();
        }
        self.acceptor.serial += 1;
        let id = ConnId::new(ctx.worker, key as u32, self.acceptor.serial);
        entry.insert(Slot::new(Connection::server(ctx.config, ctx.now), socket, id, peer));
        ctx.arm(key);
        tracing::debug!(%id, %peer, "connected");
    }

    fn pause(&mut self, reason: &str) {
        let now = self.ctx.now;
        self.acceptor.retry = Some(now.after(PAUSE_MS));
        if self.acceptor.silent_until <= now {
            self.acceptor.silent_until = now.after(SILENCE_MS);
            tracing::warn!(worker = self.ctx.worker, reason, "accepting pauses: new connections wait");
        }
    }
}

fn prepare(socket: &mut TcpStream, registry: &Registry, key: usize, nodelay: bool) -> io::Result<()> {
    if nodelay {
        socket.set_nodelay(true)?;
    }
    registry.register(socket, Token(key), Interest::READABLE | Interest::WRITABLE)
}
