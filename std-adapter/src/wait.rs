//! Waiting until the system has something to tell: by mio, but on Linux the system is asked without its detours.

use mio::{Poll, Token};
use std::io;

/// Events taken from the system at once.
const EVENTS: usize = 1024;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use self::epoll::Events;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use self::portable::Events;

/// What has happened to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// There is something to read, be it an end or an error.
    pub(crate) readable: bool,
    /// The peer has ended its half, or all is over.
    pub(crate) ended: bool,
    pub(crate) error: bool,
    pub(crate) writable: bool,
}

/// libc's `epoll_wait` is a point at which its thread may be cancelled, which takes more instructions than all else around the call.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll {
    use super::{EVENTS, Poll, Readiness, Token, io};
    use rustix::buffer::spare_capacity;
    use rustix::event::{Timespec, epoll};

    /// What the system has told.
    pub(crate) struct Events(Vec<epoll::Event>);

    impl Events {
        pub(crate) fn new() -> Self {
            Self(Vec::with_capacity(EVENTS))
        }

        /// Waits until something happens, but no longer than so many milliseconds.
        #[inline]
        pub(crate) fn wait(&mut self, poll: &mut Poll, most_ms: Option<u64>) -> io::Result<()> {
            self.0.clear();
            // A number of milliseconds is never so large that it were negative here.
            let most =
                most_ms.map(|ms| Timespec { tv_sec: (ms / 1_000) as i64, tv_nsec: (ms % 1_000 * 1_000_000) as i64 });
            epoll::wait(poll.registry(), spare_capacity(&mut self.0), most.as_ref())?;
            Ok(())
        }

        #[inline]
        pub(crate) fn iter(&self) -> impl Iterator<Item = (Token, Readiness)> {
            // As mio has put the token in.
            self.0.iter().map(|event| (Token(event.data.u64() as usize), readiness(event.flags)))
        }
    }

    #[inline]
    fn readiness(flags: epoll::EventFlags) -> Readiness {
        use epoll::EventFlags as Flags;
        let over = Flags::RDHUP | Flags::HUP | Flags::ERR;
        Readiness {
            readable: flags.intersects(Flags::IN | Flags::PRI | over),
            ended: flags.intersects(over),
            error: flags.contains(Flags::ERR),
            writable: flags.intersects(Flags::OUT | Flags::ERR),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod portable {
    use super::{EVENTS, Poll, Readiness, Token, io};

    /// What the system has told.
    pub(crate) struct Events(mio::Events);

    impl Events {
        pub(crate) fn new() -> Self {
            Self(mio::Events::with_capacity(EVENTS))
        }

        /// Waits until something happens, but no longer than so many milliseconds.
        pub(crate) fn wait(&mut self, poll: &mut Poll, most_ms: Option<u64>) -> io::Result<()> {
            poll.poll(&mut self.0, most_ms.map(std::time::Duration::from_millis))
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
}
