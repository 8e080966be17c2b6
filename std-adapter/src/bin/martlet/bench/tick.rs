//! What ends a wait now and then, though nothing comes.

pub(crate) use self::here::Tick;

/// To say with each wait how long it may last would make each of them set a timer in the system and take it back.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod here {
    use mio::{Registry, Token};
    use rustix::event::Timespec;
    use rustix::event::epoll::{self, EventData, EventFlags};
    use rustix::fd::OwnedFd;
    use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime};
    use std::io;
    use std::time::Duration;

    pub(crate) struct Tick(OwnedFd);

    impl Tick {
        /// One that is told as `token`, so often.
        pub(crate) fn new(registry: &Registry, token: Token, every: Duration) -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            let every = Timespec::try_from(every).map_err(io::Error::other)?;
            let when = Itimerspec { it_interval: every, it_value: every };
            timerfd_settime(&timer, TimerfdTimerFlags::empty(), &when)?;
            epoll::add(registry, &timer, EventData::new_u64(token.0 as u64), EventFlags::IN)?;
            Ok(Self(timer))
        }

        /// How long a wait may last at most.
        #[allow(clippy::unused_self, reason = "where there is no such timer it is used")]
        pub(crate) const fn patience(&self) -> Option<Duration> {
            None
        }

        /// It was told of: waits for the next one.
        #[cold]
        pub(crate) fn heed(&self) -> io::Result<()> {
            rustix::io::read(&self.0, &mut [0; 8])?;
            Ok(())
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod here {
    use mio::{Registry, Token};
    use std::io;
    use std::time::Duration;

    pub(crate) struct Tick(Duration);

    impl Tick {
        /// One that is told as nothing, so often.
        pub(crate) const fn new(_: &Registry, _: Token, every: Duration) -> io::Result<Self> {
            Ok(Self(every))
        }

        /// How long a wait may last at most.
        pub(crate) const fn patience(&self) -> Option<Duration> {
            Some(self.0)
        }

        /// It is never told of.
        #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "where there is a timer they are used")]
        pub(crate) const fn heed(&self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::{Events, Poll, Token};
    use std::time::Duration;

    #[test]
    fn a_wait_ends_though_nothing_comes() {
        let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(8));
        let tick = Tick::new(poll.registry(), Token(7), Duration::from_millis(2)).unwrap();
        for _ in 0..3 {
            poll.poll(&mut events, tick.patience()).unwrap();
            for event in &events {
                assert_eq!(event.token(), Token(7));
                tick.heed().unwrap();
            }
        }
    }
}
