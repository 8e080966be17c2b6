//! A worker: one thread with its own poll, listening socket, connections and handler.

use crate::accept::Acceptor;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::common::Common;
use crate::compress::Compressors;
use crate::context::{Context, NOBODY};
use crate::desk::Desk;
use crate::flags::Flag;
use crate::handle::Handle;
use crate::handler::Handler;
use crate::http::Exchange;
use crate::inflate::Lent;
use crate::input::Input;
use crate::mailbox::Command;
use crate::output::Output;
use crate::partial::Partial;
use crate::profile::Profile;
use crate::settings::{Settings, ms};
use crate::socket::ListenSocket;
use crate::timers::{Job, Timers};
use crate::topics::Groups;
use crate::wait::{Events, NEVER, Readiness};
use crate::wheel::Wheel;
use martlet_state::{CloseFrame, Instant, State};
use mio::{Interest, Poll, Token};
use slab::Slab;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

/// The waker's token; the slots' tokens are their numbers.
pub(crate) const WAKER: Token = Token(usize::MAX);
/// The first listening socket's token; the others' lie below it.
const LISTENER: usize = usize::MAX - 1;
/// Connections that a worker has room for at once. That is more than allocators take from their heaps, so that it is a mapping of its
/// own: what is not used of it takes no memory, and to grow it leaves no hole behind.
const SLOTS: usize = 1024;

/// What a worker's thread needs from the server.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Which of the server's workers it is, or follows.
    pub(crate) seat: u8,
    /// Its number in ids.
    pub(crate) worker: u8,
    /// The last serial number that was given under this number.
    pub(crate) serial: u64,
    pub(crate) poll: Poll,
    /// Those of all listeners, in the settings' order.
    pub(crate) listeners: Vec<ListenSocket>,
}

/// A worker with its application.
pub(crate) struct Worker<'c, H> {
    pub(crate) ctx: Context<'c>,
    pub(crate) handler: H,
    /// Where pieces of files are read to; empty until there is one.
    pub(crate) scratch: Box<[u8]>,
    /// Requests that the turn at hand has taken behind others.
    pub(crate) requests: usize,
    /// The memory of a message that is over, for the next one that does not come at once.
    pub(crate) spare: Option<Box<Partial>>,
    pub(crate) poll: Poll,
    pub(crate) acceptors: Vec<Acceptor<'c>>,
    /// One of them may have somebody in its backlog, or waits to try again: the others are not looked at in every round.
    pub(crate) accepting: bool,
    /// Connections that came so far under this worker's number.
    pub(crate) serial: u64,
    /// Connections that have no place, and are being told so.
    pub(crate) refusals: usize,
    clock: Clock,
    /// When it ends at the latest, once it was told to stop.
    pub(crate) stopping: Option<Instant>,
    /// When it stops at the latest, once another worker has taken over.
    retiring: Option<Instant>,
}

impl<'c, H: Handler> Worker<'c, H> {
    pub(crate) fn new(
        seat: Seat,
        profiles: &'c [Profile<'c>],
        settings: &'c Settings,
        handle: &'c Handle,
        budget: &Rc<Budget>,
        handler: H,
    ) -> io::Result<Self> {
        let ctx = Context {
            settings,
            handle,
            worker: seat.worker,
            seat: seat.seat,
            slots: Slab::with_capacity(SLOTS),
            groups: Groups::default(),
            now: Instant(0),
            current: NOBODY,
            output: Output::new(),
            common: Common::new(budget),
            compressors: Compressors::new(settings.compression_level),
            lent: Lent::default(),
            dirty: Vec::new(),
            ready: VecDeque::new(),
            wheel: Wheel::new(),
            timers: Timers::default(),
            alarm: Instant(0),
        };
        let mut acceptors = Vec::new();
        for (at, (mut socket, profile)) in seat.listeners.into_iter().zip(profiles).enumerate() {
            seat.poll.registry().register(&mut socket, Token(LISTENER - at), Interest::READABLE)?;
            acceptors.push(Acceptor::new(socket, profile));
        }
        Ok(Self {
            ctx,
            handler,
            scratch: Box::default(),
            requests: 0,
            spare: None,
            poll: seat.poll,
            acceptors,
            accepting: false,
            serial: seat.serial,
            refusals: 0,
            clock: Clock::new(),
            stopping: None,
            retiring: None,
        })
    }

    /// Serves until it is told to stop and all connections are gone.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut events = Events::new(&self.poll, self.clock)?;
        // What is read, until it is taken. A worker at rest has no buffers.
        let mut input = Input::default();
        let mut commands = Vec::new();
        if let Some(desk) = self.desk() {
            desk.open(std::thread::current().id());
        }
        loop {
            let woken = loop {
                match events.wait(&mut self.poll, self.ctx.now, &mut self.ctx.alarm) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    done => done?,
                }
                self.ctx.now = self.clock.now();
                let woken = self.hear(events.iter(), &mut input);
                // Most rounds have nothing else to do.
                if self.ctx.now >= self.ctx.alarm {
                    break woken;
                }
            };
            if self.rest_of_round(woken, &mut input, &mut commands) {
                return Ok(());
            }
        }
    }

    /// Sees to all that is no event of a connection's socket; says whether the worker has ended.
    // By itself, so that what most rounds do has the registers for itself.
    #[inline(never)]
    fn rest_of_round(&mut self, woken: bool, input: &mut Input, commands: &mut Vec<Command>) -> bool {
        self.ready_round(input.room().unwrap_or_default());
        if woken {
            self.mail(commands);
        }
        if self.accepting {
            self.accept();
            if input.is_empty() && !self.ctx.slots.is_empty() {
                let octets = self.ctx.settings.read_buffer_bytes;
                self.ctx.output.make_room(octets);
                input.make_room(octets, &self.ctx.output);
            }
        }
        self.deadlines();
        self.flush_dirty();
        if self.is_over() {
            self.end();
            return true;
        }
        self.ctx.alarm = self.next_alarm();
        false
    }

    /// Tells the handler that it begins. A panic there is not caught: such a worker does not start.
    pub(crate) fn begin(&mut self) {
        self.handler.worker_start(&mut self.ctx);
    }

    /// Whether it takes no new connections, and keeps none for longer than it must.
    pub(crate) const fn is_ending(&self) -> bool {
        self.stopping.is_some() || self.retiring.is_some()
    }

    /// Whether nothing is left to do.
    fn is_over(&self) -> bool {
        let no_longer = self.stopping.is_some_and(|until| until <= self.ctx.now);
        no_longer || (self.is_ending() && self.ctx.slots.is_empty())
    }

    /// When the worker has something to do even if no event comes.
    fn next_alarm(&self) -> Instant {
        if !self.ctx.ready.is_empty() {
            return self.ctx.now;
        }
        let retry = if self.accepting { self.retry() } else { None };
        let moments = [self.ctx.wheel.next(), self.ctx.timers.next(), retry, self.stopping.or(self.retiring)];
        moments.into_iter().flatten().min().unwrap_or(NEVER)
    }

    /// Sees to what the system tells; says whether the waker is among it. The handler's panic ends only the connection whose turn it is.
    fn hear(&mut self, mut events: impl Iterator<Item = (Token, Readiness)>, input: &mut Input) -> bool {
        let mut woken = false;
        // Caught here and not in each turn, where it would be one more call.
        while catch_unwind(AssertUnwindSafe(|| {
            for (token, what) in events.by_ref() {
                // Nearly always it is a connection's.
                if !self.socket_event(token.0, what, input) {
                    woken |= self.other_event(token);
                }
            }
        }))
        .is_err()
        {
            self.turn_panicked();
        }
        woken
    }

    /// An event of no connection: of a listener, or, which it says, of the waker.
    #[inline(never)]
    fn other_event(&mut self, token: Token) -> bool {
        // One of a connection that has ended in this round does no harm here.
        self.ctx.wake_at(self.ctx.now);
        if let Some(acceptor) = self.acceptors.get_mut(LISTENER.wrapping_sub(token.0)) {
            acceptor.wanted = true;
            self.accepting = true;
        }
        token == WAKER
    }

    fn mail(&mut self, commands: &mut Vec<Command>) {
        let handle = self.ctx.handle;
        let Some(mailbox) = handle.mailbox(usize::from(self.ctx.worker)) else { return };
        let desk = mailbox.desk();
        let mut latest = desk.latest();
        loop {
            mailbox.take(commands);
            commands.drain(..).for_each(|command| self.command(command));
            // Behind the commands that came before them: who pushes something and then asks sees what became of it.
            while let Some(question) = desk.take(latest) {
                question(&self.ctx);
            }
            // Those that have come meanwhile did not wake anybody if others lay there.
            let latest_now = desk.latest();
            if latest_now == latest {
                return;
            }
            latest = latest_now;
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Stop => self.stop(),
            Command::Retire => self.retire(),
            Command::Reply { id, number, reply } => self.reply(id, number, reply),
            Command::Run(job) => self.guard(NOBODY, |_, ctx| job.0(ctx)),
            other => self.ctx.obey(other),
        }
    }

    /// Looks at the connections and timers whose time has come.
    fn deadlines(&mut self) {
        self.ctx.wheel.turn(self.ctx.now);
        while let Some(key) = self.ctx.wheel.pop() {
            self.deadline(key as usize);
        }
        if self.retiring.take_if(|until| *until <= self.ctx.now).is_some() {
            self.stop();
        }
        if !self.ctx.timers.is_empty() {
            self.call_timers();
        }
    }

    fn call_timers(&mut self) {
        let (now, youngest) = (self.ctx.now, self.ctx.timers.youngest());
        while let Some((at, timer, job)) = self.ctx.timers.take_due(now, youngest) {
            match job {
                Job::Wake => self.guard(NOBODY, |handler, ctx| handler.timer(ctx, timer)),
                Job::Once(once) => self.guard(NOBODY, |_, ctx| once(ctx)),
                Job::Tick(ms, mut tick) => {
                    self.guard(NOBODY, |_, ctx| tick(ctx));
                    self.ctx.timers.tick_again(at, now, timer, ms, tick);
                }
            }
        }
        self.call_deferred();
    }

    /// What these defer in turn waits for the next round.
    fn call_deferred(&mut self) {
        for once in self.ctx.timers.take_deferred() {
            self.guard(NOBODY, |_, ctx| once(ctx));
        }
    }

    /// Writes what was sent to connections outside their turn, and sees to those that ended.
    fn flush_dirty(&mut self) {
        // The handler may send more when it hears that one has ended.
        while let Some(key) = self.ctx.dirty.pop() {
            let Some(slot) = self.ctx.slots.get_mut(key) else { continue };
            if slot.flags.lower(Flag::InDirty) {
                self.ctx.common.keep(slot.flush_out());
                if slot.is_calm() {
                    continue;
                }
                self.watermarks(key);
                self.settle(key);
            }
        }
    }

    /// Another worker has taken over: no new connections. Those that wait in the backlog are the other one's.
    fn retire(&mut self) {
        if !self.is_ending() {
            self.retiring = Some(self.ctx.now.after(ms(self.ctx.settings.max_wait_time)));
            for acceptor in &mut self.acceptors {
                acceptor.close(self.poll.registry());
            }
        }
    }

    /// Begins to end: no new connections, and a Close to those that are open.
    fn stop(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        self.stopping = Some(self.ctx.now.after(ms(self.ctx.settings.max_wait_time)));
        for acceptor in &mut self.acceptors {
            acceptor.close(self.poll.registry());
        }
        let keys: Vec<_> = self.ctx.slots.iter().map(|(key, _)| key).collect();
        for key in keys {
            let Some(slot) = self.ctx.slots.get_mut(key) else { continue };
            match slot.conn.state() {
                State::Active if !slot.flags.has(Flag::Leaving) => {
                    if let Ok(frame) = CloseFrame::new(1001, "the server stops") {
                        // It is Active, so that nothing speaks against a Close.
                        let _ = self.ctx.start_close(key, frame);
                    }
                }
                // Who waits for an answer gets it.
                State::Handshake if slot.exchange().is_some_and(Exchange::is_busy) => {}
                State::Connection | State::Handshake => {
                    slot.flags.raise(Flag::Broken);
                    self.settle(key);
                }
                State::Active | State::Closing | State::Closed => {}
            }
        }
    }

    fn desk(&self) -> Option<Arc<Desk>> {
        Some(self.ctx.handle.mailbox(usize::from(self.ctx.worker))?.desk())
    }

    /// Whoever is still there is let go, for the grace is over, and the handler is told that this was all.
    fn end(&mut self) {
        let keys: Vec<_> = self.ctx.slots.iter().map(|(key, _)| key).collect();
        for key in keys {
            if let Some(slot) = self.ctx.slots.get_mut(key) {
                slot.flags.raise(Flag::Broken);
                self.settle(key);
            }
        }
        // Whatever the handler does now, nobody waits for it: there is no connection left to ask about.
        if let Some(desk) = self.desk() {
            desk.close();
        }
        self.call_deferred();
        self.guard(NOBODY, |handler, ctx| handler.worker_stop(ctx));
    }
}

impl<H> Drop for Worker<'_, H> {
    fn drop(&mut self) {
        if let Some(mailbox) = self.ctx.handle.mailbox(usize::from(self.ctx.worker)) {
            mailbox.close(self.serial);
        }
    }
}
