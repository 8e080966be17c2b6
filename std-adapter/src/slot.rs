//! What a worker keeps for each connection. An idle one owns nothing but its slot.

use crate::address::{Peer, SmallPeer};
use crate::budget::Share;
use crate::compress::Sender;
use crate::flags::{Flag, Flags};
use crate::http::Exchange;
use crate::id::ConnId;
use crate::inflate::Incoming;
use crate::partial::Partial;
use crate::profile::Profile;
use crate::queue::Queue;
use crate::socket::Socket;
use crate::wheel::Tick;
use martlet_state::{Connection, Instant, Server, State};
use std::net::SocketAddr;
use std::sync::Arc;

/// A connection and what belongs to it. What it rarely needs is in boxes that are there only while it is needed.
pub(crate) struct Slot<'c> {
    pub(crate) conn: Connection<'c, Server>,
    /// The settings of its listener.
    pub(crate) profile: &'c Profile<'c>,
    pub(crate) socket: Socket,
    pub(crate) id: ConnId,
    pub(crate) peer: SmallPeer,
    pub(crate) traffic: Traffic,
    /// Frames among them that end no message: control frames, and fragments but the last. What their 32 bits do not hold is
    /// carried over to `extras`.
    no_messages: NoMessages,
    /// When it was accepted.
    pub(crate) since: Instant,
    /// When something was sent last, though it may wait still.
    pub(crate) sent: Instant,
    /// The message that is being put together.
    pub(crate) message: Option<Box<Partial>>,
    /// What the socket did not take.
    pub(crate) queue: Option<Box<Queue>>,
    /// Until when the peer has time to read what waits, whatever the core's deadlines say. When it is being let go: until when
    /// it may stay.
    pub(crate) until: Tick,
    /// What few connections have.
    pub(crate) extras: Option<Box<Extras>>,
    pub(crate) tag: u32,
    /// The code of our Close, 0 for none.
    pub(crate) our_code: u16,
    /// Which of the listener's subprotocols was agreed on, counted from 1; 0 for none, or for one that only the handler knows.
    pub(crate) subprotocol: u8,
    /// How far the peer is behind with reading.
    pub(crate) behind: Behind,
    pub(crate) flags: Flags,
}

/// A server keeps one for every idle client. TLS has 8 octets more, and so has mio's check of sockets in debug builds.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Slot<'_>>() <= 232 + if cfg!(any(feature = "tls", debug_assertions)) { 16 } else { 0 });

/// What few connections have.
#[derive(Default)]
pub(crate) struct Extras {
    /// What was read and could not be taken yet: the beginning of a head, of a header or of a control frame.
    pub(crate) held: Option<Held>,
    /// What speaks HTTP and is no WebSocket yet.
    pub(crate) http: Option<Box<Exchange>>,
    /// The topics it is subscribed to.
    pub(crate) topics: Vec<Arc<str>>,
    /// The key of its user.
    pub(crate) user: Option<Arc<str>>,
    /// The subprotocol that the handler chose, if the settings do not have it.
    pub(crate) subprotocol: Option<Box<str>>,
    /// What it keeps of what it sent compressed.
    pub(crate) sender: Option<Box<Sender>>,
    /// What it keeps of what came compressed.
    pub(crate) incoming: Option<Box<Incoming>>,
    /// How often the slot's count of frames that end no message came round.
    carried: NoMessages,
}

impl Extras {
    /// Whether there is nothing to keep.
    const fn is_empty(&self) -> bool {
        let Self { held, http, topics, user, subprotocol, sender, incoming, carried } = self;
        let named = !topics.is_empty() || user.is_some() || subprotocol.is_some();
        let waiting = held.is_some() || http.is_some();
        !named && !waiting && sender.is_none() && incoming.is_none() && carried.came == 0 && carried.went == 0
    }
}

/// Octets that could not be taken yet.
pub(crate) struct Held {
    pub(crate) octets: Box<[u8]>,
    _share: Share,
}

/// What came and went over a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames that came, control frames included.
    pub frames_in: u64,
    /// Frames that went or wait to go, control frames included.
    pub frames_out: u64,
    /// Octets that came, the handshake included.
    pub bytes_in: u64,
    /// Octets that went or wait to go, the handshake included.
    pub bytes_out: u64,
}

/// Frames that are counted in [`Traffic`] and are no whole message, nor the end of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct NoMessages {
    came: u32,
    went: u32,
}

/// How far a peer is behind with reading, in the eyes of the handler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behind {
    /// It reads what comes.
    #[default]
    No,
    /// Its socket has refused something, and more than the low watermark has waited since.
    Somewhat,
    /// What waits has reached the high watermark, and not the low one since.
    Full,
}

/// Adds one to a number that may come round; says whether it did.
const fn add_one(count: &mut u32) -> bool {
    *count = count.wrapping_add(1);
    *count == 0
}

impl<'c> Slot<'c> {
    pub(crate) fn new(profile: &'c Profile<'c>, now: Instant, socket: Socket, id: ConnId, peer: Peer) -> Self {
        Self {
            conn: Connection::server(&profile.config, now),
            profile,
            socket,
            id,
            peer: peer.into(),
            traffic: Traffic::default(),
            no_messages: NoMessages { came: 0, went: 0 },
            since: now,
            sent: now,
            message: None,
            queue: None,
            until: Tick::default(),
            extras: None,
            tag: 0,
            our_code: 0,
            subprotocol: 0,
            behind: Behind::No,
            flags: Flags::default(),
        }
    }

    #[inline]
    pub(crate) fn count_frame_in(&mut self) {
        self.traffic.frames_in += 1;
        self.profile.counters.frames_in.add(1);
    }

    #[inline]
    pub(crate) fn count_frame_out(&mut self) {
        self.traffic.frames_out += 1;
        self.profile.counters.frames_out.add(1);
    }

    #[inline]
    pub(crate) fn count_bytes_in(&mut self, octets: u64) {
        self.traffic.bytes_in += octets;
        self.profile.counters.bytes_in.add(octets);
    }

    #[inline]
    pub(crate) fn count_bytes_out(&mut self, now: Instant, octets: u64) {
        self.sent = now;
        self.traffic.bytes_out += octets;
        self.profile.counters.bytes_out.add(octets);
    }

    /// Counts a data frame that came whole, and by its last fragment the message.
    pub(crate) fn count_data_in(&mut self, ends_message: bool) {
        self.count_frame_in();
        if !ends_message {
            self.count_no_message_in();
        }
    }

    /// Counts a control frame that came.
    pub(crate) fn count_control_in(&mut self) {
        self.count_frame_in();
        self.count_no_message_in();
    }

    fn count_no_message_in(&mut self) {
        if add_one(&mut self.no_messages.came) {
            self.extras.get_or_insert_default().carried.came += 1;
        }
    }

    /// Counts a frame that went and ends no message.
    pub(crate) fn count_no_message_out(&mut self) {
        self.count_frame_out();
        if add_one(&mut self.no_messages.went) {
            self.extras.get_or_insert_default().carried.went += 1;
        }
    }

    /// Whole messages that came, and that went or wait to go.
    pub(crate) fn messages(&self) -> (u64, u64) {
        let carried = self.extras.as_ref().map_or_else(NoMessages::default, |extras| extras.carried);
        let others = |carried, count| u64::from(carried) << 32 | u64::from(count);
        let came = others(carried.came, self.no_messages.came);
        let went = others(carried.went, self.no_messages.went);
        (self.traffic.frames_in.saturating_sub(came), self.traffic.frames_out.saturating_sub(went))
    }

    /// Remembers which subprotocol was agreed on.
    pub(crate) fn agree_on(&mut self, subprotocol: &str) {
        let known = self.profile.config.subprotocols.iter().position(|known| *known == subprotocol);
        match known.and_then(|at| u8::try_from(at + 1).ok()) {
            Some(number) => self.subprotocol = number,
            None => self.extras.get_or_insert_default().subprotocol = Some(subprotocol.into()),
        }
    }

    /// The subprotocol that was agreed on.
    pub(crate) fn subprotocol(&self) -> Option<&str> {
        match usize::from(self.subprotocol).checked_sub(1) {
            Some(at) => self.profile.config.subprotocols.get(at).copied(),
            None => self.extras.as_ref()?.subprotocol.as_deref(),
        }
    }

    /// Octets that wait for the socket.
    #[inline]
    pub(crate) fn queued(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.len())
    }

    /// Whether the peer may be read: not while it does not read itself.
    #[inline]
    pub(crate) fn may_read(&self) -> bool {
        if self.flags.has_any(Flags::of([Flag::Paused, Flag::HeldBack])) {
            return false;
        }
        self.queue.is_none() || self.queued() <= self.profile.settings.buffer_high_watermark
    }

    /// Whether its turn leaves nothing to be seen to: it is open, all that came was read, and all that was said has gone.
    #[inline]
    pub(crate) fn is_calm(&self) -> bool {
        const DUE: Flags = Flags::of([Flag::Readable, Flag::Broken, Flag::Leaving, Flag::HeldBack]);
        let due = self.flags.has_any(DUE) || self.behind != Behind::No;
        !due && self.queue.is_none() && self.conn.state() == State::Active
    }

    /// Whether it is open for messages, in the eyes of the handler.
    pub(crate) fn is_established(&self) -> bool {
        self.flags.has(Flag::Opened) && self.conn.state() == State::Active && !self.flags.has(Flag::Leaving)
    }

    /// The address that was connected to, over TCP. The system is asked only where it may be another one for each connection.
    pub(crate) fn local(&self) -> Option<SocketAddr> {
        self.profile.local.or_else(|| self.socket.local())
    }

    /// The next moment at which something is to be done about it.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.exchange().and_then(|exchange| exchange.until) {
            _ if self.flags.has(Flag::Leaving) => Some(self.until.into()),
            Some(until) if self.conn.state() == State::Handshake => Some(until),
            _ => [self.conn.poll_timeout(), self.silent_at(), self.transfer_at(), self.release_at()]
                .into_iter()
                .flatten()
                .min(),
        }
    }

    /// When the peer has been silent for too long, if nothing comes.
    pub(crate) fn silent_at(&self) -> Option<Instant> {
        if self.conn.state() == State::Active { self.profile.silent_at(self.conn.heard()) } else { None }
    }

    /// The plain HTTP request at hand.
    pub(crate) fn exchange(&self) -> Option<&Exchange> {
        self.extras.as_ref()?.http.as_deref()
    }

    pub(crate) fn exchange_mut(&mut self) -> Option<&mut Exchange> {
        self.extras.as_mut()?.http.as_deref_mut()
    }

    pub(crate) fn exchange_or_new(&mut self) -> &mut Exchange {
        self.extras.get_or_insert_default().http.get_or_insert_default()
    }

    /// It speaks HTTP no more.
    pub(crate) fn end_exchange(&mut self) {
        self.flags.lower(Flag::HeldBack);
        if let Some(extras) = &mut self.extras {
            extras.http = None;
        }
        self.tidy();
    }

    /// Keeps what could not be taken yet. Says whether there is room for it: always if it is a part of a frame, which is little.
    pub(crate) fn hold(&mut self, octets: &[u8]) -> bool {
        let mut share = Share::new(self.profile.budget);
        let fits = share.set(octets.len()) || !matches!(self.conn.state(), State::Connection | State::Handshake);
        if fits {
            self.extras.get_or_insert_default().held = Some(Held { octets: octets.into(), _share: share });
        }
        fits
    }

    /// There is no room in the worker for what this peer would have it keep. That is counted and, now and then, told.
    #[cold]
    pub(crate) fn overload(&self, what: &str) {
        tracing::debug!(id = %self.id, peer = %self.peer.get(), what, "refused for want of room in the worker");
        self.profile.counters.overloads.add(1);
        self.profile.budget.warn();
    }

    /// Keeps no box in which nothing is.
    pub(crate) fn tidy(&mut self) {
        self.extras.take_if(|extras| extras.is_empty());
    }

    /// Adds to the octets that wait for the socket.
    pub(crate) fn queue(&mut self) -> &mut Queue {
        self.queue.get_or_insert_with(|| Box::new(Queue::new(self.profile.budget)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::settings::Settings;
    use crate::stats::Counters;
    use mio::net::UnixStream;

    #[test]
    fn what_a_count_does_not_hold_is_carried_over() {
        let (settings, counters) = (Settings::default(), Counters::default());
        let budget = Budget::new(0);
        let profile = Profile::new(&settings, &[], &counters, &budget, None).unwrap();
        let (socket, _peer) = UnixStream::pair().unwrap();
        let mut slot = Slot::new(&profile, Instant(0), Socket::Unix(socket), ConnId::from_bits(1), Peer::Unix);
        slot.traffic = Traffic { frames_in: 1 << 32, frames_out: 1 << 33, ..Traffic::default() };
        slot.no_messages = NoMessages { came: u32::MAX - 1, went: u32::MAX - 1 };
        assert_eq!(slot.messages(), (2, (1 << 33) - (1 << 32) + 2));
        for _ in 0..4 {
            slot.count_data_in(true);
            slot.count_data_in(false);
            slot.count_control_in();
            slot.count_frame_out();
            slot.count_no_message_out();
        }
        assert_eq!(slot.messages(), (2 + 4, (1 << 33) - (1 << 32) + 2 + 4));
        slot.tidy();
        assert_eq!(slot.messages().0, 6);
    }
}
