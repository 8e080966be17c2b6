//! How other threads reach a worker: commands under a lock that the data path never takes.

use crate::context::Context;
use crate::desk::{Desk, Put, Question};
use crate::error::PushError;
use crate::frame::Owned;
use crate::http::Reply;
use crate::id::ConnId;
use crate::multicast::Multicast;
use crate::present::{Present, Standing};
use crate::topics::{Change, Group};
use core::fmt;
use mio::Waker;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which connections a broadcast is for; always only those that are established.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filter {
    /// All of them.
    All,
    /// All but this one.
    Except(ConnId),
    /// Those with this tag, see [`Context::set_tag`](crate::Context::set_tag).
    Tag(u32),
}

/// What a worker is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send this frame, if the connection still may.
    Frame { id: ConnId, frame: Vec<u8> },
    /// Send something else: a fragment, a Ping, a Pong.
    Push { id: ConnId, message: Owned },
    /// Send octets that frame themselves.
    Raw { id: ConnId, octets: Vec<u8> },
    /// End a connection at once.
    Cut { id: ConnId, reset: bool },
    /// Read no more from a connection, or read again.
    Pause { id: ConnId, paused: bool },
    /// Begin the closing handshake; code and reason are checked.
    Close { id: ConnId, code: u16, reason: String },
    /// Send this frame to many.
    Broadcast { filter: Filter, frame: Arc<Multicast> },
    /// Go on with this request of the connection: its answer was deferred.
    Reply { id: ConnId, number: u32, reply: Reply },
    /// Call this.
    Run(Job),
    /// Send this frame to the members of a group.
    Group { group: Group, frame: Arc<Multicast> },
    /// Change the groups that a connection is in.
    Change { id: ConnId, change: Change },
    /// Accept no more, and end when all connections have, or when their time is over: another worker has taken over.
    Retire,
    /// Say goodbye to everyone and end.
    Stop,
}

/// What another thread has a worker call.
pub(crate) struct Job(pub(crate) Box<dyn FnOnce(&mut Context<'_>) + Send>);

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

impl Command {
    /// Refuses what would come to nothing for a connection that stands so.
    pub(crate) const fn may_go(&self, standing: Standing) -> Result<(), PushError> {
        match (self, standing) {
            (Self::Frame { .. } | Self::Push { .. } | Self::Raw { .. }, Standing::Full) => Err(PushError::QueueFull),
            (
                Self::Frame { .. } | Self::Push { .. } | Self::Raw { .. } | Self::Close { .. } | Self::Change { .. },
                Standing::Closing,
            ) => Err(PushError::Closing),
            _ => Ok(()),
        }
    }

    /// What it counts against the mailbox's limit.
    fn octets(&self) -> usize {
        let body = match self {
            Self::Frame { frame, .. } => frame.len(),
            Self::Push { message, .. } => message.octets.len(),
            Self::Raw { octets, .. } => octets.len(),
            Self::Close { reason, .. } => reason.len(),
            // Shared with the other workers, but each may be the last to have it.
            Self::Broadcast { frame, .. } => frame.most_octets(),
            Self::Reply { reply, .. } => reply.octets(),
            Self::Group { group, frame } => frame.most_octets().saturating_add(group.name().len()),
            Self::Change { change, .. } => change.octets(),
            Self::Cut { .. } | Self::Pause { .. } | Self::Run(_) | Self::Retire | Self::Stop => 0,
        };
        body.saturating_add(size_of::<Self>())
    }
}

/// Commands for the worker that has a number, and for those that have it after it.
#[derive(Debug)]
pub(crate) struct Mailbox {
    inbox: Mutex<Inbox>,
    most: usize,
    /// The connections of the worker that has it.
    pub(crate) present: Present,
}

#[derive(Debug, Default)]
struct Inbox {
    commands: Vec<Command>,
    octets: usize,
    /// The number is given out, and its worker's thread may not have ended yet.
    taken: bool,
    /// Of the worker that has the number; there is none before it begins and after its end.
    waker: Option<Arc<Waker>>,
    /// That worker's seat.
    seat: u8,
    /// It takes new connections: it has started, and no other worker has its seat.
    serving: bool,
    /// Where questions to that worker lie; closed while it does not serve.
    desk: Arc<Desk>,
    /// The serial number of the last connection of all workers that have had the number and ended.
    serial: u64,
}

impl Mailbox {
    /// A mailbox that nobody has.
    pub(crate) fn new(most: usize) -> Self {
        Self { inbox: Mutex::default(), most, present: Present::default() }
    }

    /// Gives it to a worker, with the serial number of its connections to carry on; `None` if another one has it.
    pub(crate) fn open(&self, seat: u8, waker: Arc<Waker>) -> Option<u64> {
        let mut inbox = self.lock();
        if inbox.taken {
            return None;
        }
        let desk = Arc::default();
        *inbox = Inbox { taken: true, waker: Some(waker), seat, desk, serial: inbox.serial, ..Inbox::default() };
        Some(inbox.serial)
    }

    /// The worker that has it takes new connections.
    pub(crate) fn serve(&self) {
        self.lock().serving = true;
    }

    /// The seat of the worker that has it, if that takes new connections.
    pub(crate) fn serving(&self) -> Option<u8> {
        let inbox = self.lock();
        inbox.serving.then_some(inbox.seat)
    }

    /// Adds a command; wakes the worker if it is the first of a batch.
    pub(crate) fn post(&self, command: Command) -> Result<(), PushError> {
        let mut inbox = self.lock();
        let Some(waker) = inbox.waker.clone() else { return Err(PushError::Gone) };
        let octets = inbox.octets.saturating_add(command.octets());
        // Requests that wait for their answers are no more than there are connections.
        let always = matches!(command, Command::Stop | Command::Retire | Command::Reply { .. });
        if octets > self.most && !always && !inbox.commands.is_empty() {
            return Err(PushError::MailboxFull);
        }
        inbox.serving &= !matches!(command, Command::Retire);
        inbox.octets = octets;
        inbox.commands.push(command);
        let first = inbox.commands.len() == 1;
        drop(inbox);
        if first && let Err(error) = waker.wake() {
            tracing::error!(%error, "a worker could not be woken");
        }
        Ok(())
    }

    /// Asks the worker that has it; wakes that if it is the first of a batch.
    pub(crate) fn ask(&self, question: Question) -> Put {
        let inbox = self.lock();
        let Some(waker) = inbox.waker.clone() else { return Put::Closed };
        let desk = Arc::clone(&inbox.desk);
        drop(inbox);
        let put = desk.put(question);
        if put == Put::First
            && let Err(error) = waker.wake()
        {
            tracing::error!(%error, "a worker could not be woken");
        }
        put
    }

    /// Where questions to the worker that has it lie, and where it waits for answers to its own.
    pub(crate) fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.lock().desk)
    }

    /// Whether a worker has it.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().waker.is_some()
    }

    /// Takes all commands in the order in which they came; `spare` is empty and gets their place.
    pub(crate) fn take(&self, spare: &mut Vec<Command>) {
        let mut inbox = self.lock();
        inbox.octets = 0;
        std::mem::swap(&mut inbox.commands, spare);
    }

    /// The worker has ended, this being its last connection's serial number: nothing is taken any more until the number was given
    /// [back](Self::free) and another worker has it.
    pub(crate) fn close(&self, serial: u64) {
        let mut inbox = self.lock();
        let left = Inbox { taken: inbox.taken, serial: inbox.serial.max(serial), ..Inbox::default() };
        let old = std::mem::replace(&mut *inbox, left);
        // What a closure holds may have the whole program behind it when it is dropped.
        drop(inbox);
        old.desk.close();
        drop(old);
    }

    /// Gives the number back: nobody speaks of its worker any more.
    pub(crate) fn free(&self) {
        self.lock().taken = false;
    }

    /// A panic elsewhere cannot leave the list half-changed.
    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Poll, Token};

    fn mailbox(most: usize) -> (Poll, Mailbox) {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let mailbox = Mailbox::new(most);
        assert_eq!(mailbox.open(0, waker), Some(0));
        (poll, mailbox)
    }

    fn frame(len: usize) -> Command {
        Command::Frame { id: ConnId::from_bits(1), frame: vec![0; len] }
    }

    #[test]
    fn commands_come_in_order_and_once() {
        let (_poll, mailbox) = mailbox(1 << 20);
        for len in 0..10 {
            mailbox.post(frame(len)).unwrap();
        }
        let mut commands = Vec::new();
        mailbox.take(&mut commands);
        let lens: Vec<_> = commands
            .drain(..)
            .map(|command| match command {
                Command::Frame { frame, .. } => frame.len(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(lens, (0..10).collect::<Vec<_>>());
        mailbox.take(&mut commands);
        assert!(commands.is_empty());
    }

    #[test]
    fn a_worker_that_is_far_behind_gets_no_more_but_may_be_stopped() {
        let (_poll, mailbox) = mailbox(1000);
        mailbox.post(frame(5000)).unwrap();
        assert_eq!(mailbox.post(frame(1)), Err(PushError::MailboxFull));
        mailbox.post(Command::Stop).unwrap();
        mailbox.take(&mut Vec::new());
        mailbox.post(frame(1)).unwrap();
        mailbox.close(0);
        assert_eq!(mailbox.post(frame(1)), Err(PushError::Gone));
    }
}
