//! The board for embassy: a serial port that is waited for, and the driver of `embassy-time`. A board that has a HAL finds both there.

use super::{Board, Clock, Line, Uart, alarm, reset};
use crate::serial::Received;
use core::cell::RefCell;
use core::convert::Infallible;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;
use critical_section::{CriticalSection, Mutex};
use embassy_sync::waitqueue::AtomicWaker;
use embassy_time_driver::{Driver, time_driver_impl};
use embassy_time_queue_utils::Queue;
use embedded_io_async::{ErrorType, Read, Write};

/// Who waits for the serial port.
static RECEIVER: AtomicWaker = AtomicWaker::new();

time_driver_impl!(static TIME: Time = Time(Mutex::new(RefCell::new(Timers { clock: None, queue: Queue::new() }))));

struct Time(Mutex<RefCell<Timers>>);

struct Timers {
    /// There is none before the board is started.
    clock: Option<Clock>,
    queue: Queue,
}

impl Timers {
    fn now(&mut self) -> u64 {
        self.clock.as_mut().map_or(0, |clock| clock.now().0)
    }
}

impl Time {
    fn wake_due(&self, section: CriticalSection<'_>) {
        let mut timers = self.0.borrow_ref_mut(section);
        let now = timers.now();
        // The next is looked for after the next millisecond anyway.
        timers.queue.next_expiration(now);
    }
}

impl Driver for Time {
    fn now(&self) -> u64 {
        critical_section::with(|section| self.0.borrow_ref_mut(section).now())
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|section| self.0.borrow_ref_mut(section).queue.schedule_wake(at, waker));
    }
}

#[exception]
unsafe fn DefaultHandler(line: i16) {
    match line {
        line if line == Line::Timer0 as i16 => {
            alarm::SEEN.write(alarm::PASSED);
            critical_section::with(|section| TIME.wake_due(section));
        }
        line if line == Line::Uart0 as i16 => {
            // It asks until something is taken, and who takes it unmasks it.
            NVIC::mask(Line::Uart0);
            RECEIVER.wake();
        }
        _ => reset(),
    }
}

/// The serial port as a stream, whose end is a BREAK.
pub struct Stream {
    uart: Uart,
    has_ended: bool,
}

impl Stream {
    /// Takes the board, and begins to take interrupts.
    pub fn start(board: Board) -> Self {
        critical_section::with(|section| TIME.0.borrow_ref_mut(section).clock = Some(board.clock));
        // SAFETY: what the handler shares with anyone lies in critical sections.
        unsafe {
            NVIC::unmask(Line::Timer0);
            cortex_m::interrupt::enable();
        }
        Self { uart: board.uart, has_ended: false }
    }

    /// Goes on behind the BREAK; what comes before that is lost.
    pub async fn next(&mut self) {
        // It cannot fail.
        while self.read(&mut [0; 16]).await.is_ok_and(|read| read > 0) {}
        self.has_ended = false;
    }
}

impl ErrorType for Stream {
    type Error = Infallible;
}

impl Read for Stream {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        poll_fn(|context| {
            if self.has_ended {
                return Poll::Ready(Ok(0));
            }
            RECEIVER.register(context.waker());
            match self.uart.receive(room) {
                Received::Octets(0) => {
                    // SAFETY: see `start`.
                    unsafe { NVIC::unmask(Line::Uart0) };
                    Poll::Pending
                }
                Received::Octets(received) => Poll::Ready(Ok(received)),
                Received::Break => {
                    self.has_ended = true;
                    Poll::Ready(Ok(0))
                }
            }
        })
        .await
    }
}

impl Write for Stream {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        poll_fn(|context| match self.uart.send(octets) {
            0 => {
                // Others get their turn while the queue is full.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            sent => Poll::Ready(Ok(sent)),
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
