//! New connections, and what to do when there can be no more.

use crate::address::Peer;
use crate::handler::Handler;
use crate::id::{ConnId, MAX_SLOTS};
use crate::profile::Profile;
use crate::settings::Settings;
use crate::slot::Slot;
use crate::socket::{ListenSocket, Socket};
use crate::worker::Worker;
use martlet_state::Instant;
use mio::{Interest, Registry, Token};
use std::io::{self, ErrorKind};

/// New connections in a row before the others get their turn.
const ACCEPTS_PER_ROUND: usize = 64;
/// How long to wait when the system has no more descriptors or memory, or the server no place.
const PAUSE_MS: u32 = 100;
/// How long after a warning none comes: it would only say the same.
const SILENCE_MS: u32 = 10_000;

/// One of the listening sockets of a worker.
///
/// When there is no descriptor or place left, it pauses: who comes waits in the backlog, as the backlog is for, and no
/// time is spent on trying again and again.
pub(crate) struct Acceptor<'c> {
    profile: &'c Profile<'c>,
    pub(crate) listener: Option<ListenSocket>,
    /// The backlog may hold a connection.
    pub(crate) wanted: bool,
    /// Nothing is accepted before this.
    pub(crate) retry: Option<Instant>,
    /// The next warning may come then.
    silent_until: Instant,
}

impl<'c> Acceptor<'c> {
    pub(crate) const fn new(listener: ListenSocket, profile: &'c Profile<'c>) -> Self {
        Self { profile, listener: Some(listener), wanted: false, retry: None, silent_until: Instant(0) }
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
}

impl<'c, H: Handler> Worker<'c, H> {
    /// Accepts some of those that wait.
    pub(crate) fn accept(&mut self) {
        for at in 0..self.acceptors.len() {
            if self.acceptors[at].wants_now(self.ctx.now) {
                self.accept_at(at);
            }
        }
    }

    fn accept_at(&mut self, at: usize) {
        self.acceptors[at].retry = None;
        for _ in 0..ACCEPTS_PER_ROUND {
            let Some(listener) = &self.acceptors[at].listener else { return };
            if !self.ctx.handle.enter() {
                return self.pause(at, "max_connection are open");
            }
            let accepted = listener.accept();
            if accepted.is_err() {
                self.ctx.handle.leave();
            }
            match accepted {
                Ok((socket, peer)) => self.admit(self.acceptors[at].profile, socket, peer),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        self.acceptors[at].wanted = false;
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
                    _ => return self.pause(at, &error.to_string()),
                },
            }
        }
    }

    fn admit(&mut self, profile: &'c Profile<'c>, mut socket: Socket, peer: Peer) {
        let ctx = &mut self.ctx;
        let entry = ctx.slots.vacant_entry();
        let key = entry.key();
        let registered = Some(key).filter(|key| *key < MAX_SLOTS as usize).map_or_else(
            || Err(io::Error::other("no slot is left")),
            |key| prepare(&mut socket, self.poll.registry(), key, profile.settings),
        );
        if let Err(error) = registered {
            tracing::debug!(%peer, %error, "a new connection was lost");
            return ctx.handle.leave();
        }
        self.serial += 1;
        let id = ConnId::new(ctx.worker, key as u32, self.serial);
        entry.insert(Slot::new(profile, ctx.now, socket, id, peer));
        ctx.arm(key);
        tracing::debug!(%id, %peer, "connected");
    }

    /// A descriptor and a place have become free.
    pub(crate) fn resume_accepting(&mut self) {
        for acceptor in &mut self.acceptors {
            acceptor.retry = None;
        }
    }

    /// When accepting is tried again.
    pub(crate) fn retry(&self) -> Option<Instant> {
        self.acceptors.iter().filter_map(|acceptor| acceptor.retry).min()
    }

    fn pause(&mut self, at: usize, reason: &str) {
        let now = self.ctx.now;
        let acceptor = &mut self.acceptors[at];
        acceptor.retry = Some(now.after(PAUSE_MS));
        if acceptor.silent_until <= now {
            acceptor.silent_until = now.after(SILENCE_MS);
            tracing::warn!(worker = self.ctx.worker, reason, "accepting pauses: new connections wait");
        }
    }
}

fn prepare(socket: &mut Socket, registry: &Registry, key: usize, settings: &Settings) -> io::Result<()> {
    if let Socket::Tcp(socket) = socket
        && settings.tcp_nodelay
    {
        socket.set_nodelay(true)?;
    }
    registry.register(socket, Token(key), Interest::READABLE | Interest::WRITABLE)
}
