//! New connections, and what to do when there can be no more.

use crate::address::Peer;
use crate::flags::Flag;
use crate::handler::Handler;
use crate::id::{ConnId, MAX_SLOTS};
use crate::listen::NODELAY_IS_INHERITED;
use crate::present::Standing;
use crate::profile::Profile;
use crate::settings::{OverLimit, Settings};
use crate::slot::Slot;
use crate::socket::{ListenSocket, Socket};
use crate::worker::Worker;
use martlet_state::Instant;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, ErrorKind};

/// New connections in a row before the others get their turn.
const ACCEPTS_PER_ROUND: usize = 64;
/// So many connections of a worker may be on their way out because there was no place for them. Beyond that who comes waits in the
/// backlog, or is dropped if it has had its share: to refuse must not cost what it is to save.
const REFUSALS: usize = 64;
/// RFC 9110 section 15.6.4.
const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: text/plain\r\n\
    Content-Length: 19\r\nConnection: close\r\n\r\nthe server is full\n";
/// RFC 6585 section 4.
const TOO_MANY: &str = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Type: text/plain\r\n\
    Content-Length: 44\r\nConnection: close\r\n\r\ntoo many connections come from your address\n";
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
        self.accepting = self.acceptors.iter().any(|acceptor| acceptor.wanted && acceptor.listener.is_some());
    }

    fn accept_at(&mut self, at: usize) {
        self.acceptors[at].retry = None;
        for _ in 0..ACCEPTS_PER_ROUND {
            let Some(listener) = &self.acceptors[at].listener else { return };
            let places = self.ctx.handle.places();
            let place = places.enter();
            if !place && !self.may_refuse() {
                return self.pause(at, "max_connection are open");
            }
            let accepted = listener.accept();
            if place && accepted.is_err() {
                places.cancel();
            }
            match accepted {
                Ok((socket, peer)) => {
                    let refusal = match place {
                        false => Some(FULL),
                        true if !places.seat(peer) => Some(TOO_MANY),
                        true => None,
                    };
                    self.admit(self.acceptors[at].profile, socket, peer, refusal);
                }
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

    /// Whether somebody for whom there is no place may be told so.
    fn may_refuse(&self) -> bool {
        self.ctx.settings.max_connection_policy == OverLimit::Refuse && self.refusals < REFUSALS
    }

    /// Serves a connection, or sees to it that it is told why not.
    fn admit(&mut self, profile: &'c Profile<'c>, mut socket: Socket, peer: Peer, refusal: Option<&'static str>) {
        if refusal.is_some() && self.refusals >= REFUSALS {
            tracing::debug!(%peer, "too many are being refused: dropped");
            return;
        }
        let ctx = &mut self.ctx;
        let entry = ctx.slots.vacant_entry();
        let key = entry.key();
        let registered = Some(key).filter(|key| *key < MAX_SLOTS as usize).map_or_else(
            || Err(io::Error::other("no slot is left")),
            |key| prepare(&mut socket, self.poll.registry(), key, profile.settings),
        );
        let sealed = registered.and_then(|()| profile.seal(socket));
        let socket = match sealed {
            Ok(socket) => socket,
            Err(error) => {
                tracing::debug!(%peer, %error, "a new connection was lost");
                if refusal.is_none() {
                    ctx.handle.places().leave(peer);
                }
                return;
            }
        };
        self.serial += 1;
        let id = ConnId::new(ctx.worker, key as u32, self.serial);
        entry.insert(Slot::new(profile, ctx.now, socket, id, peer));
        ctx.stands(key, Standing::There);
        profile.counters.accepted.add(1);
        match refusal {
            None => {
                ctx.arm(key);
                tracing::debug!(%id, %peer, "connected");
            }
            Some(answer) => {
                tracing::debug!(%id, %peer, answer = answer.lines().next(), "there is no place for it");
                self.refusals += 1;
                self.refuse(key, answer);
            }
        }
    }

    /// Says so at once, whatever the peer asks for, and takes nothing but its end.
    fn refuse(&mut self, key: usize, answer: &str) {
        let now = self.ctx.now;
        let slot = &mut self.ctx.slots[key];
        slot.flags.raise(Flag::Refused);
        slot.conn.eof();
        slot.write_one(now, answer.as_bytes());
        self.ctx.leave(key);
        self.settle(key);
    }

    /// A descriptor and a place have become free.
    pub(crate) fn resume_accepting(&mut self) {
        for acceptor in &mut self.acceptors {
            acceptor.retry = None;
        }
    }

    /// When accepting is tried again: at once where more may wait than one round takes.
    pub(crate) fn retry(&self) -> Option<Instant> {
        let waiting = self.acceptors.iter().filter(|acceptor| acceptor.wanted && acceptor.listener.is_some());
        waiting.map(|acceptor| acceptor.retry.unwrap_or(self.ctx.now)).min()
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
    let options = match &*socket {
        Socket::Tcp(socket) => {
            if settings.tcp_nodelay && !NODELAY_IS_INHERITED {
                socket.set_nodelay(true)?;
            }
            let options = SockRef::from(socket);
            if !settings.tcp_keepalive.is_zero() {
                options.set_tcp_keepalive(&TcpKeepalive::new().with_time(settings.tcp_keepalive))?;
            }
            options
        }
        Socket::Unix(socket) => SockRef::from(socket),
        // It is encrypted afterwards.
        #[cfg(feature = "tls")]
        Socket::Tls(tls) => SockRef::from(&tls.socket),
    };
    if settings.socket_buffer_size != 0 {
        options.set_send_buffer_size(settings.socket_buffer_size)?;
        options.set_recv_buffer_size(settings.socket_buffer_size)?;
    }
    registry.register(socket, Token(key), Interest::READABLE | Interest::WRITABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::tcp_socket;
    use mio::Poll;
    use std::net::TcpStream;
    use std::time::Duration;

    /// The server's end of a connection, made ready with these settings.
    fn prepared(settings: &Settings) -> (Poll, Socket, TcpStream) {
        let listener = tcp_socket(settings, settings, ([127, 0, 0, 1], 0).into(), false).unwrap();
        listener.set_nonblocking(false).unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, _) = listener.accept().unwrap();
        socket.set_nonblocking(true).unwrap();
        let (poll, mut socket) = (Poll::new().unwrap(), Socket::Tcp(mio::net::TcpStream::from_std(socket)));
        prepare(&mut socket, poll.registry(), 0, settings).unwrap();
        (poll, socket, peer)
    }

    #[test]
    fn the_sockets_options_are_those_of_the_settings() {
        let (_poll, Socket::Tcp(socket), _peer) = prepared(&Settings::default()) else { unreachable!() };
        let options = SockRef::from(&socket);
        assert!(options.tcp_nodelay().unwrap() && !options.keepalive().unwrap());
        let usual = options.send_buffer_size().unwrap();
        let settings = Settings {
            tcp_nodelay: false,
            tcp_keepalive: Duration::from_secs(77),
            socket_buffer_size: 10_000,
            ..Settings::default()
        };
        let (_poll, Socket::Tcp(socket), _peer) = prepared(&settings) else { unreachable!() };
        let options = SockRef::from(&socket);
        assert!(!options.tcp_nodelay().unwrap() && options.keepalive().unwrap());
        assert_eq!(options.tcp_keepalive_time().unwrap(), Duration::from_secs(77));
        // The system may double it, for what it needs itself.
        for size in [options.send_buffer_size().unwrap(), options.recv_buffer_size().unwrap()] {
            assert!((10_000..=20_000).contains(&size) && size != usual, "{size}");
        }
    }
}
