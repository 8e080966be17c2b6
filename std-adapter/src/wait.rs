//! Waiting until the system has something to tell: by mio, but on Linux the system is asked without its detours.

use crate::clock::Clock;
use martlet_state::Instant;
use mio::{Poll, Token};
use std::io;

/// Events taken from the system at once.
const EVENTS: usize = 1024;
/// A moment that does not come.
pub(crate) const NEVER: Instant = Instant(u64::MAX);

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use self::epoll::{Events, Readiness};
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use self::portable::{Events, Readiness};

/// libc's `epoll_wait` is a point at which its thread may be cancelled, which takes more instructions than all else around the call.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll {
    use super::{Clock, EVENTS, Instant, NEVER, Poll, Token, io};
    use rustix::buffer::spare_capacity;
    use rustix::event::epoll::{self, EventFlags};
    use rustix::event::{Timespec, epoll::EventData};
    use rustix::fd::OwnedFd;
    use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};

    /// The timer's token: that of no slot, no listener and no waker.
    const TIMER: usize = usize::MAX / 2;
    const ZERO: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

    /// What the system has told.
    ///
    /// What ends a wait early is a timer of its own, which is set when the alarm changes. To say with each wait how long it may last
    /// would make each of them set a timer in the system and take it back.
    pub(crate) struct Events {
        told: Vec<epoll::Event>,
        timer: OwnedFd,
        /// When the timer goes off, or went off.
        armed: Instant,
        clock: Clock,
    }

    impl Events {
        pub(crate) fn new(poll: &Poll, clock: Clock) -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            // Told of once, so that nobody has to read it.
            let when = EventFlags::IN | EventFlags::ET;
            epoll::add(poll.registry(), &timer, EventData::new_u64(TIMER as u64), when)?;
            Ok(Self { told: Vec::with_capacity(EVENTS), timer, armed: NEVER, clock })
        }

        /// Waits until something happens, but not beyond the alarm, which may be set to an earlier moment.
        #[inline]
        pub(crate) fn wait(&mut self, poll: &mut Poll, now: Instant, alarm: &mut Instant) -> io::Result<()> {
            self.told.clear();
            if (*alarm != self.armed || *alarm <= now) && self.is_due(now, alarm)? {
                epoll::wait(poll.registry(), spare_capacity(&mut self.told), Some(&ZERO))?;
            } else {
                epoll::wait(poll.registry(), spare_capacity(&mut self.told), None)?;
            }
            Ok(())
        }

        /// Whether the alarm is due. If it is not, sets the timer.
        #[cold]
        #[inline(never)]
        fn is_due(&mut self, now: Instant, alarm: &mut Instant) -> io::Result<bool> {
            if *alarm <= now {
                return Ok(true);
            }
            if now < self.armed && self.armed < *alarm {
                // To wake once too early costs less than to set it for whatever goes away again.
                *alarm = self.armed;
                return Ok(false);
            }
            if *alarm != NEVER {
                let when = Itimerspec { it_interval: ZERO, it_value: self.clock.time(*alarm) };
                timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &when)?;
            }
            self.armed = *alarm;
            Ok(false)
        }

        #[inline]
        pub(crate) fn iter(&self) -> impl Iterator<Item = (Token, Readiness)> {
            // As mio has put the token in.
            self.told.iter().map(|event| (Token(event.data.u64() as usize), Readiness(event.flags)))
        }
    }

    /// What has happened to a socket.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Readiness(EventFlags);

    impl Readiness {
        /// Nothing.
        pub(crate) const NONE: Self = Self(EventFlags::empty());
        const OVER: EventFlags = EventFlags::RDHUP.union(EventFlags::HUP).union(EventFlags::ERR);

        /// There is something to read, and it is neither an end nor an error.
        #[inline]
        pub(crate) const fn is_plain(self) -> bool {
            self.0.intersection(EventFlags::IN.union(Self::OVER)).bits() == EventFlags::IN.bits()
        }

        /// There is something to read, be it an end or an error.
        #[inline]
        pub(crate) const fn readable(self) -> bool {
            self.0.intersects(EventFlags::IN.union(EventFlags::PRI).union(Self::OVER))
        }

        /// The peer has ended its half, or all is over.
        #[inline]
        pub(crate) const fn ended(self) -> bool {
            self.0.intersects(Self::OVER)
        }

        #[inline]
        pub(crate) const fn error(self) -> bool {
            self.0.contains(EventFlags::ERR)
        }

        #[inline]
        pub(crate) const fn writable(self) -> bool {
            self.0.intersects(EventFlags::OUT.union(EventFlags::ERR))
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod portable {
    use super::{Clock, EVENTS, Instant, NEVER, Poll, Token, io};
    use std::time::Duration;

    /// What the system has told.
    pub(crate) struct Events(mio::Events);

    impl Events {
        pub(crate) fn new(_: &Poll, _: Clock) -> io::Result<Self> {
            Ok(Self(mio::Events::with_capacity(EVENTS)))
        }

        /// Waits until something happens, but not beyond the alarm. How long that is counts from `now`: reading the clock once more
        /// would buy nothing, for a round is short.
        pub(crate) fn wait(&mut self, poll: &mut Poll, now: Instant, alarm: &mut Instant) -> io::Result<()> {
            let most = (*alarm != NEVER).then(|| Duration::from_millis(alarm.0.saturating_sub(now.0)));
            poll.poll(&mut self.0, most)
        }

        pub(crate) fn iter(&self) -> impl Iterator<Item = (Token, Readiness)> {
            self.0.iter().map(|event| {
                let (error, ended) = (event.is_error(), event.is_read_closed());
                let readiness = Readiness {
                    readable: event.is_readable() || ended || error,
                    ended: ended || error,
                    error,
                    writable: event.is_writable() || error,
                };
                (event.token(), readiness)
            })
        }
    }

    /// What has happened to a socket.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Readiness {
        readable: bool,
        ended: bool,
        error: bool,
        writable: bool,
    }

    impl Readiness {
        /// Nothing.
        pub(crate) const NONE: Self = Self { readable: false, ended: false, error: false, writable: false };

        /// There is something to read, and it is neither an end nor an error.
        pub(crate) const fn is_plain(self) -> bool {
            self.readable && !self.ended && !self.error
        }

        /// There is something to read, be it an end or an error.
        pub(crate) const fn readable(self) -> bool {
            self.readable
        }

        /// The peer has ended its half, or all is over.
        pub(crate) const fn ended(self) -> bool {
            self.ended
        }

        pub(crate) const fn error(self) -> bool {
            self.error
        }

        pub(crate) const fn writable(self) -> bool {
            self.writable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::Waker;

    /// Waits as a worker does, until an alarm is due; says at which moment that was.
    fn until_due(events: &mut Events, poll: &mut Poll, clock: Clock, alarm: Instant) -> Instant {
        let (mut now, mut next) = (clock.now(), alarm);
        while now < alarm {
            events.wait(poll, now, &mut next).unwrap();
            assert!(next <= alarm, "earlier perhaps, but not later");
            now = clock.now();
            if now >= next {
                next = alarm;
            }
        }
        now
    }

    #[test]
    fn each_alarm_ends_the_wait_when_it_is_due() {
        let (mut poll, clock) = (Poll::new().unwrap(), Clock::new());
        let mut events = Events::new(&poll, clock).unwrap();
        for ms in [0, 1, 30, 3, 0, 12] {
            let alarm = clock.now().after(ms);
            assert!(until_due(&mut events, &mut poll, clock, alarm) >= alarm, "{ms}");
        }
    }

    #[test]
    fn an_alarm_that_is_set_earlier_or_later_or_not_at_all_is_heeded() {
        let (mut poll, clock) = (Poll::new().unwrap(), Clock::new());
        let mut events = Events::new(&poll, clock).unwrap();
        let waker = Waker::new(poll.registry(), Token(1)).unwrap();
        for ms in [60_000, 20, 40_000, 25, 50_000] {
            waker.wake().unwrap();
            let mut alarm = clock.now().after(ms);
            events.wait(&mut poll, clock.now(), &mut alarm).unwrap();
            let alarm = clock.now().after(ms / 1_000);
            assert!(until_due(&mut events, &mut poll, clock, alarm) >= alarm, "{ms}");
        }
        // What is due is due again, though the timer was set for just that moment and has gone off.
        let mut alarm = clock.now().after(2);
        let due = until_due(&mut events, &mut poll, clock, alarm);
        for _ in 0..3 {
            events.wait(&mut poll, due, &mut alarm).unwrap();
        }
        waker.wake().unwrap();
        let mut never = NEVER;
        while !{
            events.wait(&mut poll, clock.now(), &mut never).unwrap();
            events.iter().any(|(token, what)| token == Token(1) && what.readable() && !what.ended() && !what.error())
        } {}
    }
}
