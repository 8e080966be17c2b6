//! The numbers of workers: who has one, and how it is reached.

use crate::listen::Bound;
use crate::mailbox::{Command, Mailbox};
use crate::settings::Settings;
use crate::worker::{Seat, WAKER};
use mio::{Poll, Waker};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// As many as an id can name.
pub(crate) const NUMBERS: usize = 256;

/// A mailbox for each number that a worker has had. A number that is used again carries on the serial number of its
/// connections, so that an id of an earlier worker never reaches a connection of a later one.
#[derive(Debug)]
pub(crate) struct Roster {
    mailboxes: Box<[OnceLock<Box<Mailbox>>]>,
    /// What each of them may hold, in octets.
    most: usize,
    /// Numbers from this one on were never used: nobody looks there.
    used: AtomicUsize,
    /// The server was told to end: so is every worker that comes from now on.
    stopping: AtomicBool,
}

impl Roster {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            mailboxes: std::iter::repeat_with(OnceLock::new).take(NUMBERS).collect(),
            most,
            used: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
        }
    }

    /// The mailbox of a number that is or was some worker's.
    pub(crate) fn mailbox(&self, worker: usize) -> Option<&Mailbox> {
        Some(self.mailboxes.get(worker)?.get()?)
    }

    /// Those that are or were some worker's, with their numbers.
    pub(crate) fn mailboxes(&self) -> impl Iterator<Item = (usize, &Mailbox)> {
        (0..self.used.load(Ordering::SeqCst)).filter_map(|worker| Some((worker, self.mailbox(worker)?)))
    }

    /// The workers that take new connections, by their seats.
    pub(crate) fn serving(&self) -> Vec<usize> {
        let mut serving: Vec<_> =
            self.mailboxes().filter_map(|(worker, mailbox)| Some((mailbox.serving()?, worker))).collect();
        serving.sort_unstable();
        serving.into_iter().map(|(_, worker)| worker).collect()
    }

    /// Tells all workers to end, those that are about to start included.
    pub(crate) fn stop(&self) {
        // Before the numbers are read: a worker that is not seen there will see this.
        self.stopping.store(true, Ordering::SeqCst);
        for (_, mailbox) in self.mailboxes() {
            // A worker that has ended already needs no order to end.
            let _ = mailbox.post(Command::Stop);
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Gives out the lowest number that is free, with the serial number to carry on; only the server's own thread does that.
    fn open(&self, seat: u8, waker: &Arc<Waker>) -> Option<(u8, u64)> {
        let opened = self.mailboxes.iter().enumerate().find_map(|(worker, mailbox)| {
            let mailbox = mailbox.get_or_init(|| Box::new(Mailbox::new(self.most)));
            Some((worker, mailbox.open(seat, Arc::clone(waker))?))
        });
        let (worker, serial) = opened?;
        self.used.fetch_max(worker + 1, Ordering::SeqCst);
        if self.is_stopping()
            && let Some(mailbox) = self.mailbox(worker)
        {
            // It is told once or twice, which makes no difference.
            let _ = mailbox.post(Command::Stop);
        }
        Some((u8::try_from(worker).ok()?, serial))
    }
}

impl Seat {
    /// What a worker needs; `None` if no number is free.
    pub(crate) fn new(settings: &Settings, bound: &[Bound], roster: &Roster, seat: u8) -> io::Result<Option<Self>> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let listeners = bound.iter().map(|bound| bound.socket(usize::from(seat))).collect::<io::Result<Vec<_>>>()?;
        debug_assert_eq!(listeners.len(), settings.listen.len());
        // At last: nothing that fails must keep a number.
        Ok(roster.open(seat, &waker).map(|(worker, serial)| Self { seat, worker, serial, poll, listeners }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_used_again_carries_on_its_serial_and_who_comes_late_is_stopped_too() {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).unwrap());
        let roster = Roster::new(1000);
        assert_eq!(roster.open(0, &waker), Some((0, 0)));
        assert_eq!(roster.open(1, &waker), Some((1, 0)));
        assert_eq!(roster.serving(), []);
        roster.mailbox(0).unwrap().serve();
        roster.mailbox(1).unwrap().serve();
        assert_eq!(roster.serving(), [0, 1]);
        roster.mailbox(0).unwrap().close(77);
        // The serial is kept by whoever knows it best.
        roster.mailbox(0).unwrap().close(0);
        assert_eq!(roster.serving(), [1]);
        roster.stop();
        // Its end is not known yet.
        assert_eq!(roster.open(0, &waker), Some((2, 0)));
        roster.mailbox(0).unwrap().free();
        assert_eq!(roster.open(0, &waker), Some((0, 77)));
        for worker in 0..2 {
            let mut commands = Vec::new();
            roster.mailbox(worker).unwrap().take(&mut commands);
            assert!(matches!(commands[..], [Command::Stop]), "{commands:?}");
        }
    }

    #[test]
    fn there_are_as_many_numbers_as_an_id_can_name() {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).unwrap());
        let roster = Roster::new(1000);
        for worker in 0..=255 {
            assert_eq!(roster.open(0, &waker), Some((worker, 0)));
        }
        assert_eq!(roster.open(0, &waker), None);
    }
}
