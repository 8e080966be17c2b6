//! What there is to know about connections: their list, and each by itself.

use crate::address::Peer;
use crate::context::Context;
use crate::desk::{Asker, NoAnswer};
use crate::handle::Handle;
use crate::id::ConnId;
use crate::slot::{Slot, Traffic};
use martlet_state::{DeflateParams, Instant, State};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

/// What there is to know about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// Its name.
    pub id: ConnId,
    /// Its state; `state as u8` is the number, 3 while messages may go both ways.
    pub state: State,
    /// The peer's address.
    pub peer: Peer,
    /// The address that was connected to; `None` over a Unix socket.
    pub local: Option<SocketAddr>,
    /// When it was accepted. Times follow the system's clock as it is when this is asked.
    pub connected: SystemTime,
    /// When the last octet came.
    pub received: SystemTime,
    /// When something was last sent to it, though it may wait still.
    pub sent: SystemTime,
    /// What came and went. What the handler pushes in the turn at hand is counted when the turn ends.
    pub traffic: Traffic,
    /// Whole messages that came.
    pub messages_in: u64,
    /// Whole messages that went or wait to go.
    pub messages_out: u64,
    /// Octets that wait because the peer reads slowly.
    pub queued_bytes: usize,
    /// The subprotocol that was agreed on.
    pub subprotocol: Option<Box<str>>,
    /// What was agreed on permessage-deflate (RFC 7692); `None` if the connection is not compressed.
    pub compression: Option<DeflateParams>,
    /// The tag that the handler gave it.
    pub tag: u32,
    /// The key of its user, see [`Context::bind`].
    pub user: Option<Box<str>>,
}

impl Info {
    /// The number of the worker that has it.
    pub const fn worker(&self) -> usize {
        self.id.worker()
    }
}

/// Which connections are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Among {
    /// All, also those in a handshake, in an HTTP exchange, or closing.
    All,
    /// Those that messages may be pushed to.
    Established,
}

/// Both ways to ask have the same questions.
macro_rules! questions {
    ($asker:expr) => {
        /// Whether there is such a connection, in whatever state; its worker is asked.
        pub fn exist(&self, id: ConnId) -> Result<bool, NoAnswer> {
            $asker(self).ask(id.worker(), move |ctx| ctx.slot(id).is_some()).map(|answer| answer.unwrap_or(false))
        }

        /// Whether messages may be pushed to a connection; its worker is asked.
        pub fn is_established(&self, id: ConnId) -> Result<bool, NoAnswer> {
            let question = move |ctx: &Context<'_>| ctx.slot(id).is_some_and(Slot::is_established);
            $asker(self).ask(id.worker(), question).map(|answer| answer.unwrap_or(false))
        }

        /// What there is to know about a connection; `None` if it is gone. Its worker is asked.
        pub fn connection_info(&self, id: ConnId) -> Result<Option<Info>, NoAnswer> {
            $asker(self).ask(id.worker(), move |ctx| ctx.info(id)).map(Option::flatten)
        }

        /// The connections of all workers, by worker and slot. For many of them see [`client_list`](Self::client_list).
        pub fn connections(&self, among: Among) -> Result<Vec<ConnId>, NoAnswer> {
            let lists = $asker(self).ask_all(move |ctx| ctx.list(among))?;
            Ok(lists.concat())
        }

        /// A page of the connections of all workers: at most `size` of them behind `start`, which may be gone by now, or from the
        /// beginning. The last one of a page is the `start` of the next; an empty page is the end. Who stays is in exactly one
        /// page, whoever comes or goes meanwhile.
        pub fn client_list(&self, start: Option<ConnId>, size: usize) -> Result<Vec<ConnId>, NoAnswer> {
            pages($asker(self), start, size)
        }
    };
}

/// Questions for threads that are no workers. A handler asks its [`Context`]: it may be its own worker that would have to answer, and
/// by a handle that is [`NoAnswer`].
impl Handle {
    questions!(Asker::thread);
}

impl Context<'_> {
    questions!(Asker::worker);

    /// The established connections of this worker.
    pub fn connections_here(&self) -> impl Iterator<Item = ConnId> {
        self.slots.iter().filter(|(_, slot)| slot.is_established()).map(|(_, slot)| slot.id)
    }

    /// What there is to know about a connection of this worker; `None` if it is gone or another worker's.
    pub fn info(&self, id: ConnId) -> Option<Info> {
        let slot = self.slot(id)?;
        let clock = SystemTime::now();
        let then = |at: Instant| {
            let ago = Duration::from_millis(self.now.0.saturating_sub(at.0));
            clock.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH)
        };
        let (messages_in, messages_out) = slot.messages();
        Some(Info {
            id,
            state: slot.conn.state(),
            peer: slot.peer.get(),
            local: slot.local(),
            connected: then(slot.since),
            received: then(slot.conn.heard()),
            sent: then(slot.sent),
            traffic: slot.traffic,
            messages_in,
            messages_out,
            queued_bytes: slot.queued(),
            subprotocol: slot.subprotocol().map(Into::into),
            compression: slot.conn.compression(),
            tag: slot.tag,
            user: self.user(id).map(Into::into),
        })
    }

    fn list(&self, among: Among) -> Vec<ConnId> {
        let wanted = |slot: &Slot<'_>| match among {
            Among::All => true,
            Among::Established => slot.is_established(),
        };
        self.slots.iter().filter(|(_, slot)| wanted(slot)).map(|(_, slot)| slot.id).collect()
    }

    /// At most `size` connections of this worker, from this slot on.
    fn page(&self, from: usize, size: usize) -> Vec<ConnId> {
        // The slab's own iterator begins at its first slot, and a page shall not cost what lies before it.
        (from..self.slots.capacity()).filter_map(|key| self.slots.get(key)).map(|slot| slot.id).take(size).collect()
    }
}

fn pages(asker: Asker<'_, '_>, start: Option<ConnId>, size: usize) -> Result<Vec<ConnId>, NoAnswer> {
    let mut page = Vec::new();
    for worker in asker.workers() {
        let from = match start {
            Some(start) if worker < start.worker() => continue,
            Some(start) if worker == start.worker() => start.slot() + 1,
            _ => 0,
        };
        let left = size - page.len();
        if left == 0 {
            break;
        }
        page.extend(asker.ask(worker, move |ctx| ctx.page(from, left))?.unwrap_or_default());
    }
    Ok(page)
}
