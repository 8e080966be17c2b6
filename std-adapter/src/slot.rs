//! What a worker keeps for each connection. An idle one owns nothing but its slot.

use crate::address::{Peer, SmallPeer};
use crate::compress::Sender;
use crate::http::Exchange;
use crate::id::ConnId;
use crate::inflate::Incoming;
use crate::profile::Profile;
use crate::queue::Queue;
use crate::socket::Socket;
use martlet_codec::Assembler;
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
    /// Frames among them that end no message: control frames, and fragments but the last.
    pub(crate) no_messages: NoMessages,
    /// When it was accepted.
    pub(crate) since: Instant,
    /// When something was sent last, though it may wait still.
    pub(crate) sent: Instant,
    /// What was read and could not be taken yet: the beginning of a head, of a header or of a control frame.
    pub(crate) held: Option<Box<[u8]>>,
    /// The message that is being put together.
    pub(crate) message: Option<Box<Assembler<Vec<u8>>>>,
    /// What the socket did not take.
    pub(crate) queue: Option<Box<Queue>>,
    /// Until when the peer has time to read what waits, whatever the core's deadlines say. When it is being let go: until when
    /// it may stay.
    pub(crate) until: Instant,
    /// What few connections have.
    pub(crate) extras: Option<Box<Extras>>,
    /// The wheel's tick for it, 0 for none. What is beyond its 32 bits lies 8 years ahead.
    pub(crate) armed: u32,
    pub(crate) tag: u32,
    /// The code of our Close, 0 for none.
    pub(crate) our_code: u16,
    /// Which of the listener's subprotocols was agreed on, counted from 1; 0 for none, or for one that only the handler knows.
    pub(crate) subprotocol: u8,
    pub(crate) flags: Flags,
}

/// A server keeps one for every idle client, and a slab of them that grows may be half empty.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Slot<'_>>() <= 296);

/// What few connections have.
#[derive(Default)]
pub(crate) struct Extras {
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
}

impl Extras {
    /// Whether there is nothing to keep.
    const fn is_empty(&self) -> bool {
        let Self { http, topics, user, subprotocol, sender, incoming } = self;
        let named = !topics.is_empty() || user.is_some() || subprotocol.is_some();
        http.is_none() && !named && sender.is_none() && incoming.is_none()
    }
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
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoMessages {
    pub(crate) came: u64,
    pub(crate) went: u64,
}

/// What is to be remembered about a connection between events.
#[derive(Default)]
pub(crate) struct Flags {
    /// The socket may hold more than was read.
    pub(crate) readable: bool,
    /// The peer has ended its half: a short read does not mean that nothing more comes.
    pub(crate) half_closed: bool,
    /// The end of what the peer sends was read.
    pub(crate) eof: bool,
    /// The socket failed: nothing can be said any more.
    pub(crate) broken: bool,
    /// It waits for its turn to be read again.
    pub(crate) in_ready: bool,
    /// It waits to be flushed at the end of this round.
    pub(crate) in_dirty: bool,
    /// The handler knows of it.
    pub(crate) opened: bool,
    /// The handler was told of its end.
    pub(crate) told: bool,
    /// Nothing more is delivered; what waits is written, and what comes is dropped.
    pub(crate) leaving: bool,
    /// A Close went both ways, and nothing can be under way from a peer that keeps the protocol.
    pub(crate) clean: bool,
    /// The handler wants nothing to be read.
    pub(crate) paused: bool,
    /// A request waits for its answer, or the peer for the rest of that: nothing is read meanwhile.
    pub(crate) held_back: bool,
    /// What was held back is to be taken now.
    pub(crate) taken_up: bool,
    /// Our half of the transport was ended.
    pub(crate) shut: bool,
    /// How far the peer is behind with reading.
    pub(crate) behind: Behind,
    /// There was no place for it: it is here only to be told so.
    pub(crate) refused: bool,
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

impl<'c> Slot<'c> {
    pub(crate) fn new(profile: &'c Profile<'c>, now: Instant, socket: Socket, id: ConnId, peer: Peer) -> Self {
        Self {
            conn: Connection::server(&profile.config, now),
            profile,
            socket,
            id,
            peer: peer.into(),
            traffic: Traffic::default(),
            no_messages: NoMessages::default(),
            since: now,
            sent: now,
            held: None,
            message: None,
            queue: None,
            until: Instant(0),
            extras: None,
            armed: 0,
            tag: 0,
            our_code: 0,
            subprotocol: 0,
            flags: Flags::default(),
        }
    }

    #[inline]
    pub(crate) fn count_frame_out(&mut self) {
        self.count_frames_out(1);
    }

    #[inline]
    pub(crate) fn count_frames_out(&mut self, frames: u64) {
        self.traffic.frames_out += frames;
        self.profile.counters.frames_out.add(frames);
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
        self.traffic.frames_in += 1;
        self.no_messages.came += u64::from(!ends_message);
    }

    /// Counts a control frame that came.
    pub(crate) fn count_control_in(&mut self) {
        self.traffic.frames_in += 1;
        self.no_messages.came += 1;
    }

    /// Counts a frame that went and ends no message.
    pub(crate) fn count_no_message_out(&mut self) {
        self.count_frame_out();
        self.no_messages.went += 1;
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
        if (self.flags.paused && !self.flags.leaving) || self.flags.held_back {
            return false;
        }
        self.queue.is_none() || self.queued() <= self.profile.settings.buffer_high_watermark
    }

    /// Whether its turn leaves nothing to be seen to: it is open, all that came was read, and all that was said has gone.
    #[inline]
    pub(crate) fn is_calm(&self) -> bool {
        let flags = &self.flags;
        let due = flags.readable || flags.broken || flags.leaving || flags.held_back || flags.behind != Behind::No;
        !due && self.queue.is_none() && self.conn.state() == State::Active
    }

    /// Whether it is open for messages, in the eyes of the handler.
    pub(crate) fn is_established(&self) -> bool {
        self.flags.opened && self.conn.state() == State::Active && !self.flags.leaving
    }

    /// The address that was connected to, over TCP. The system is asked only where it may be another one for each connection.
    pub(crate) fn local(&self) -> Option<SocketAddr> {
        self.profile.local.or_else(|| self.socket.local())
    }

    /// The next moment at which something is to be done about it.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.exchange().and_then(|exchange| exchange.until) {
            _ if self.flags.leaving => Some(self.until),
            Some(until) if self.conn.state() == State::Handshake => Some(until),
            _ => [self.conn.poll_timeout(), self.silent_at(), self.release_at()].into_iter().flatten().min(),
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
        self.flags.held_back = false;
        if let Some(extras) = &mut self.extras {
            extras.http = None;
        }
        self.tidy();
    }

    /// Keeps no box in which nothing is.
    pub(crate) fn tidy(&mut self) {
        self.extras.take_if(|extras| extras.is_empty());
    }

    /// Adds to the octets that wait for the socket.
    pub(crate) fn queue(&mut self) -> &mut Queue {
        self.queue.get_or_insert_default()
    }
}
