//! Timers of a worker, and what it does at the end of a round.

use crate::context::Context;
use crate::handler::Timer;
use martlet_state::Instant;
use std::collections::{BTreeMap, HashMap};

/// What is called once.
pub(crate) type Once = Box<dyn FnOnce(&mut Context<'_>)>;
/// What is called again and again.
pub(crate) type Tick = Box<dyn FnMut(&mut Context<'_>)>;

/// What happens when a timer's moment has come.
pub(crate) enum Job {
    /// The handler is told.
    Wake,
    /// This is called.
    Once(Once),
    /// This is called every so many milliseconds.
    Tick(u32, Tick),
}

/// The timers of one worker. Adding, finding and clearing one takes time in proportion to the logarithm of their number.
#[derive(Default)]
pub(crate) struct Timers {
    jobs: BTreeMap<(Instant, Timer), Job>,
    when: HashMap<Timer, Instant>,
    last: u64,
    /// The one that ticks at this moment, until it is cleared.
    ticking: Option<Timer>,
    /// What is to be done at the end of the round.
    deferred: Vec<Once>,
}

impl Timers {
    /// Adds a timer.
    pub(crate) fn add(&mut self, at: Instant, job: Job) -> Timer {
        self.last += 1;
        let timer = Timer(self.last);
        self.insert(at, timer, job);
        timer
    }

    fn insert(&mut self, at: Instant, timer: Timer, job: Job) {
        self.when.insert(timer, at);
        self.jobs.insert((at, timer), job);
    }

    /// Removes a timer; says whether there was one.
    pub(crate) fn clear(&mut self, timer: Timer) -> bool {
        match self.when.remove(&timer) {
            Some(at) => self.jobs.remove(&(at, timer)).is_some(),
            // The one that is called right now is not in the table.
            None => self.ticking.take_if(|ticking| *ticking == timer).is_some(),
        }
    }

    /// Whether there is nothing to do, now or later: asked in every round.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.deferred.is_empty()
    }

    /// When the next one is due: at once if something was deferred.
    #[inline]
    pub(crate) fn next(&self) -> Option<Instant> {
        if self.is_empty() {
            return None;
        }
        if self.deferred.is_empty() { self.jobs.keys().next().map(|(at, _)| *at) } else { Some(Instant(0)) }
    }

    /// The youngest timer: those that come later wait for the next round, so that no round takes for ever.
    pub(crate) const fn youngest(&self) -> Timer {
        Timer(self.last)
    }

    /// Takes out the next one that is due and not younger than `youngest`.
    pub(crate) fn take_due(&mut self, now: Instant, youngest: Timer) -> Option<(Instant, Timer, Job)> {
        let entry = self.jobs.first_entry().filter(|entry| entry.key().0 <= now && entry.key().1 <= youngest)?;
        let ((at, timer), job) = entry.remove_entry();
        self.when.remove(&timer);
        self.ticking = matches!(job, Job::Tick(..)).then_some(timer);
        Some((at, timer, job))
    }

    /// Puts back a timer that ticks, unless it was cleared meanwhile. Its next moment is counted from the last one, so that it does
    /// not drift; moments that have passed are left out.
    pub(crate) fn tick_again(&mut self, was: Instant, now: Instant, timer: Timer, ms: u32, tick: Tick) {
        if self.ticking.take_if(|ticking| *ticking == timer).is_some() {
            let next = was.after(ms);
            let at = if next > now { next } else { now.after(ms) };
            self.insert(at, timer, Job::Tick(ms, tick));
        }
    }

    /// Has something done at the end of the round.
    pub(crate) fn defer(&mut self, once: Once) {
        self.deferred.push(once);
    }

    /// Takes what was deferred.
    pub(crate) fn take_deferred(&mut self) -> Vec<Once> {
        std::mem::take(&mut self.deferred)
    }
}

impl Context<'_> {
    /// Calls `f` on this worker after so many milliseconds, once. That nothing of it happens any more is what
    /// [`clear_timer`](Self::clear_timer) is for; the worker's end drops it.
    pub fn after(&mut self, ms: u32, f: impl FnOnce(&mut Context<'_>) + 'static) -> Timer {
        self.set_timer(ms, Job::Once(Box::new(f)))
    }

    /// Calls `f` on this worker every so many milliseconds, 0 being 1, until it is cleared, be it by itself. A worker that was held
    /// up calls it once for all the moments that it missed. After a panic it goes on.
    pub fn tick(&mut self, ms: u32, f: impl FnMut(&mut Context<'_>) + 'static) -> Timer {
        let ms = ms.max(1);
        self.set_timer(ms, Job::Tick(ms, Box::new(f)))
    }

    /// Calls `f` on this worker at the end of this round: when what is at hand is done, and before anything is waited for.
    pub fn defer(&mut self, f: impl FnOnce(&mut Context<'_>) + 'static) {
        self.timers.defer(Box::new(f));
        self.wake_at(self.now);
    }

    /// Calls [`Handler::timer`](crate::Handler::timer) of this worker after so many milliseconds, once: for what needs the handler
    /// itself.
    pub fn wake_after(&mut self, ms: u32) -> Timer {
        self.set_timer(ms, Job::Wake)
    }

    fn set_timer(&mut self, ms: u32, job: Job) -> Timer {
        let at = self.now.after(ms);
        self.wake_at(at);
        self.timers.add(at, job)
    }

    /// Stops a timer of this worker. `false` if it is over already, or another worker's.
    pub fn clear_timer(&mut self, timer: Timer) -> bool {
        self.timers.clear(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(timers: &mut Timers, now: u64) -> Vec<Timer> {
        let youngest = timers.youngest();
        let mut due = Vec::new();
        while let Some((at, timer, job)) = timers.take_due(Instant(now), youngest) {
            if let Job::Tick(ms, tick) = job {
                timers.tick_again(at, Instant(now), timer, ms, tick);
            }
            due.push(timer);
        }
        due
    }

    #[test]
    fn timers_come_in_their_order_and_once() {
        let mut timers = Timers::default();
        let late = timers.add(Instant(20), Job::Wake);
        let early = timers.add(Instant(10), Job::Once(Box::new(|_| {})));
        assert_eq!((timers.next(), due(&mut timers, 9)), (Some(Instant(10)), vec![]));
        assert_eq!(due(&mut timers, 20), [early, late]);
        assert_eq!((timers.next(), due(&mut timers, 1000)), (None, vec![]));
    }

    #[test]
    fn a_tick_does_not_drift_and_leaves_out_what_was_missed() {
        let mut timers = Timers::default();
        let tick = timers.add(Instant(10), Job::Tick(10, Box::new(|_| {})));
        assert_eq!(due(&mut timers, 13), [tick]);
        assert_eq!(timers.next(), Some(Instant(20)));
        assert_eq!(due(&mut timers, 75), [tick]);
        assert_eq!(timers.next(), Some(Instant(85)));
    }

    #[test]
    fn what_is_cleared_does_not_come() {
        let mut timers = Timers::default();
        let once = timers.add(Instant(10), Job::Wake);
        let tick = timers.add(Instant(10), Job::Tick(1, Box::new(|_| {})));
        assert!(timers.clear(once) && !timers.clear(once));
        let youngest = timers.youngest();
        let Some((at, timer, Job::Tick(ms, job))) = timers.take_due(Instant(10), youngest) else { panic!("it is due") };
        // From within the call.
        assert!(timers.clear(timer) && !timers.clear(timer));
        timers.tick_again(at, Instant(10), timer, ms, job);
        assert_eq!((timer, timers.next()), (tick, None));
    }
}
