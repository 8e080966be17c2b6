//! Who keeps the workers: starts them, has new ones take over from them, and waits for their end.

use crate::budget::Budget;
use crate::handle::Handle;
use crate::handler::Handler;
use crate::listen::Bound;
use crate::mailbox::Command;
use crate::profile::Profile;
use crate::server::ServerError;
use crate::settings::Settings;
use crate::worker::{Seat, Worker};
use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::Receiver;
use std::thread::{Scope, ScopedJoinHandle};

/// What the keeper of the workers is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// This worker serves.
    Ready(u8),
    /// This worker has ended.
    Ended(u8),
    /// All workers are to be followed by new ones.
    Reload,
    /// The server is to end.
    Stop,
}

/// What a worker is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Serving,
    /// Another one has taken its place.
    Retiring,
}

struct Member<'scope> {
    worker: u8,
    seat: u8,
    phase: Phase,
    /// It is to take over from another one.
    follows: bool,
    thread: ScopedJoinHandle<'scope, Result<(), ServerError>>,
}

/// The workers of a server that runs.
pub(crate) struct Crew<'scope, 'env, F> {
    pub(crate) scope: &'scope Scope<'scope, 'env>,
    pub(crate) settings: &'env Settings,
    pub(crate) handle: &'env Handle,
    pub(crate) handler: &'env F,
    /// Kept until the server stops: who waits in a backlog is not lost when workers change.
    pub(crate) bound: Vec<Bound>,
    members: Vec<Member<'scope>>,
    /// Seats that wait for a new worker.
    reloading: VecDeque<u8>,
    done: Result<(), ServerError>,
}

impl<'scope, 'env, H: Handler, F: Fn(usize) -> H + Sync> Crew<'scope, 'env, F> {
    pub(crate) const fn new(
        scope: &'scope Scope<'scope, 'env>,
        settings: &'env Settings,
        handle: &'env Handle,
        handler: &'env F,
        bound: Vec<Bound>,
    ) -> Self {
        Self { scope, settings, handle, handler, bound, members: Vec::new(), reloading: VecDeque::new(), done: Ok(()) }
    }

    /// Starts the workers, calls `on_start` when all serve, and returns when none is left.
    pub(crate) fn run(
        mut self,
        seats: Vec<Seat>,
        notices: &Receiver<Notice>,
        on_start: impl FnOnce(&Handle),
    ) -> Result<(), ServerError> {
        // Whatever happens here, the workers do not go on without their keeper.
        let _stop = StopAll(self.handle);
        for seat in seats {
            if let Err(error) = self.spawn(seat, false) {
                self.fail(ServerError::System(error));
            }
        }
        let mut on_start = Some(on_start);
        while !self.members.is_empty() {
            // This server's own handle is one of the senders.
            let Ok(notice) = notices.recv() else { break };
            match notice {
                Notice::Ready(worker) => self.ready(worker),
                Notice::Ended(worker) => self.ended(worker),
                Notice::Reload => self.reload(),
                Notice::Stop => self.stop(),
            }
            if !self.handle.is_stopping()
                && self.members.iter().all(|member| member.phase == Phase::Serving)
                && let Some(on_start) = on_start.take()
            {
                on_start(self.handle);
            }
            self.start_reloading();
        }
        self.done
    }

    fn spawn(&mut self, seat: Seat, follows: bool) -> io::Result<()> {
        let (settings, handle, handler) = (self.settings, self.handle, self.handler);
        let (worker, number) = (seat.worker, seat.seat);
        // Made here, so that the number is given back even if there is no thread.
        let ended = Ended { handle, worker };
        let thread =
            std::thread::Builder::new().name(format!("martlet-{worker}")).spawn_scoped(self.scope, move || {
                let _ended = ended;
                work(seat, settings, handle, handler)
            })?;
        self.members.push(Member { worker, seat: number, phase: Phase::Starting, follows, thread });
        Ok(())
    }

    /// A worker serves: the one that it follows may retire.
    fn ready(&mut self, worker: u8) {
        let Some(member) = self.members.iter_mut().find(|member| member.worker == worker) else { return };
        member.phase = Phase::Serving;
        let seat = member.seat;
        if let Some(mailbox) = self.handle.mailbox(usize::from(worker)) {
            mailbox.serve();
        }
        for old in &mut self.members {
            if old.seat == seat && old.worker != worker && old.phase == Phase::Serving {
                old.phase = Phase::Retiring;
                self.handle.order(old.worker, Command::Retire);
                tracing::info!(seat, old = old.worker, new = worker, "a worker has taken over");
            }
        }
    }

    fn ended(&mut self, worker: u8) {
        // Only now, when its end is known, may another one have its number.
        if let Some(mailbox) = self.handle.mailbox(usize::from(worker)) {
            mailbox.free();
        }
        let Some(at) = self.members.iter().position(|member| member.worker == worker) else { return };
        let member = self.members.swap_remove(at);
        let ended = member.thread.join().unwrap_or(Err(ServerError::Panicked));
        let others = self.members.iter().any(|other| other.seat == member.seat);
        match (ended, member.phase) {
            (Ok(()), _) => {}
            (Err(error), Phase::Starting) if member.follows => {
                tracing::error!(seat = member.seat, worker, %error, "a new worker failed to start; the old one goes on");
            }
            (Err(error), Phase::Retiring) => {
                tracing::error!(seat = member.seat, worker, %error, "a worker failed; another one has taken over already");
            }
            (Err(error), Phase::Starting | Phase::Serving) => return self.fail(error),
        }
        if !others && !self.handle.is_stopping() {
            self.handle.stop();
        }
    }

    /// The server ends with this error.
    fn fail(&mut self, error: ServerError) {
        self.handle.stop();
        if self.done.is_ok() {
            self.done = Err(error);
        }
    }

    fn stop(&mut self) {
        self.reloading.clear();
        // Nobody listens any more: who connects is refused at once.
        self.bound.clear();
    }

    fn reload(&mut self) {
        for seat in 0..self.settings.worker_num {
            let seat = u8::try_from(seat).unwrap_or(u8::MAX);
            // One that waits already will be as new as one could be.
            if !self.handle.is_stopping() && !self.reloading.contains(&seat) {
                self.reloading.push_back(seat);
            }
        }
    }

    /// Starts new workers for as many seats as there are numbers free; the others wait until workers have retired.
    fn start_reloading(&mut self) {
        for _ in 0..self.reloading.len() {
            let Some(seat) = self.reloading.pop_front() else { return };
            if self.members.iter().any(|member| member.seat == seat && member.phase == Phase::Starting) {
                // Not twice at once: the later one must be the newer one.
                self.reloading.push_back(seat);
                continue;
            }
            match Seat::new(self.settings, &self.bound, self.handle.roster(), seat) {
                Ok(Some(seat)) => {
                    if let Err(error) = self.spawn(seat, true) {
                        tracing::error!(%error, "no thread for a new worker; the old one goes on");
                    }
                }
                Ok(None) => return self.reloading.push_front(seat),
                Err(error) => tracing::error!(seat, %error, "no new worker; the old one goes on"),
            }
        }
    }
}

struct StopAll<'h>(&'h Handle);

impl Drop for StopAll<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Tells a worker's keeper that it has ended, however that was, and that nobody reads its mailbox any more.
struct Ended<'h> {
    handle: &'h Handle,
    worker: u8,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if let Some(mailbox) = self.handle.mailbox(usize::from(self.worker)) {
            mailbox.close(0);
        }
        self.handle.notify(Notice::Ended(self.worker));
    }
}

fn work<H: Handler>(
    seat: Seat,
    settings: &Settings,
    handle: &Handle,
    handler: &(impl Fn(usize) -> H + Sync),
) -> Result<(), ServerError> {
    let listeners = settings.listen.iter().map(|listener| listener.settings.as_deref().unwrap_or(settings));
    let subprotocols: Vec<_> = listeners.map(|settings| (settings, settings.subprotocols())).collect();
    let counters = handle.counters(usize::from(seat.worker));
    let budget = Budget::new(settings.max_held_bytes);
    let profiles: Result<Vec<_>, _> = subprotocols
        .iter()
        .zip(&seat.listeners)
        .map(|((settings, names), socket)| Profile::new(settings, names, counters, &budget, socket.one_address()))
        .collect();
    let profiles = profiles.map_err(ServerError::Certificate)?;
    let handler = handler(usize::from(seat.seat));
    let number = seat.worker;
    let mut worker = Worker::new(seat, &profiles, settings, handle, &budget, handler).map_err(ServerError::System)?;
    worker.begin();
    handle.notify(Notice::Ready(number));
    let ended = worker.run();
    dismiss(worker);
    ended.map_err(ServerError::System)
}

/// Drops all that a worker has. By itself, so that it takes no register of the worker's loop.
#[inline(never)]
fn dismiss<H>(worker: Worker<'_, H>) {
    drop(worker);
}
