//! What a server has done, counted by each worker for itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// A number that one thread changes and any may read: no lock, and no instruction that other processors wait for.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        // Only the owner writes, so that nothing can come between.
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A worker's counts, on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counters {
    pub(crate) accepted: Count,
    pub(crate) closed: Count,
    pub(crate) opened: Count,
    pub(crate) ended: Count,
    pub(crate) requests: Count,
    pub(crate) frames_in: Count,
    pub(crate) frames_out: Count,
    pub(crate) bytes_in: Count,
    pub(crate) bytes_out: Count,
    pub(crate) overloads: Count,
}

/// What a server has done since it started; all workers together. Counts of different things are read one after the other, so
/// that they may be a moment apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// When it was bound.
    pub start_time: SystemTime,
    /// Workers.
    pub worker_num: usize,
    /// Connections that are open, whatever is spoken over them.
    pub connections: u64,
    /// WebSockets that are open.
    pub websockets: u64,
    /// Connections that came.
    pub accepted: u64,
    /// Connections that have ended.
    pub closed: u64,
    /// WebSockets that were opened.
    pub opened: u64,
    /// Requests that came: handshakes and plain HTTP.
    pub requests: u64,
    /// Frames that came.
    pub frames_in: u64,
    /// Frames that went or wait to go.
    pub frames_out: u64,
    /// Octets that came.
    pub bytes_in: u64,
    /// Octets that went or wait to go.
    pub bytes_out: u64,
    /// What was refused since a worker kept as much for its peers as it may: messages, requests and pushes.
    pub overloads: u64,
}

impl Stats {
    /// Adds them up.
    pub(crate) fn sum(start_time: SystemTime, worker_num: usize, workers: &[&Counters]) -> Self {
        let sum = |count: fn(&Counters) -> &Count| {
            workers.iter().map(|worker| count(worker).get()).fold(0, u64::wrapping_add)
        };
        // What has ended first: it never seems to be more than what began.
        let (closed, ended) = (sum(|worker| &worker.closed), sum(|worker| &worker.ended));
        let (accepted, opened) = (sum(|worker| &worker.accepted), sum(|worker| &worker.opened));
        Self {
            start_time,
            worker_num,
            connections: accepted.saturating_sub(closed),
            websockets: opened.saturating_sub(ended),
            accepted,
            closed,
            opened,
            requests: sum(|worker| &worker.requests),
            frames_in: sum(|worker| &worker.frames_in),
            frames_out: sum(|worker| &worker.frames_out),
            bytes_in: sum(|worker| &worker.bytes_in),
            bytes_out: sum(|worker| &worker.bytes_out),
            overloads: sum(|worker| &worker.overloads),
        }
    }
}
