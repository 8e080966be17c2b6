//! The server as any thread may reach it.

use crate::context::Context;
use crate::crew::Notice;
use crate::error::PushError;
use crate::frame::{Flags, Outgoing};
use crate::id::ConnId;
use crate::mailbox::{Command, Filter, Job, Mailbox};
use crate::multicast::Multicast;
use crate::places::Places;
use crate::roster::{NUMBERS, Roster};
use crate::settings::Settings;
use crate::stats::{Counters, Stats};
use martlet_state::{CloseFrame, Misuse};
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

/// Reaches the connections of all workers, from any thread; cheap to clone.
///
/// `Ok` means that the connection's worker will do it, unless the connection ends before that or too much comes to wait for it. One that
/// has gone, is closing, or reads too slowly when this is called is an error as in a [`Context`]: [`PushError::Gone`],
/// [`PushError::Closing`], [`PushError::QueueFull`]. Who must know what became of each push calls [`Context::push`] on the worker, by
/// [`run_on`](Self::run_on). What one thread asks for one connection is done in that order.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    roster: Roster,
    /// To the thread that keeps the workers.
    keeper: Sender<Notice>,
    places: Places,
    /// Those of each number that a worker has had.
    counters: Box<[OnceLock<Box<Counters>>]>,
    start_time: SystemTime,
    /// No listener's connections take longer messages.
    longest_push: u64,
    /// Messages of so many octets are compressed for some listener's connections; `None` if no listener has any compressed.
    compressed_from: Option<usize>,
}

impl Handle {
    pub(crate) fn new(roster: Roster, keeper: Sender<Notice>, places: Places, settings: &Settings) -> Self {
        let counters = std::iter::repeat_with(OnceLock::new).take(NUMBERS).collect();
        let start_time = SystemTime::now();
        let (longest_push, compressed_from) = (settings.longest_push(), settings.compressed_from());
        Self {
            shared: Arc::new(Shared { roster, keeper, places, counters, start_time, longest_push, compressed_from }),
        }
    }

    /// What the server has done so far. Nobody is asked and nobody waits.
    pub fn stats(&self) -> Stats {
        let counters: Vec<_> = self.shared.counters.iter().filter_map(OnceLock::get).map(|of_one| &**of_one).collect();
        Stats::sum(self.shared.start_time, self.shared.roster.serving().len(), &counters)
    }

    pub(crate) fn counters(&self, worker: usize) -> &Counters {
        self.shared.counters[worker].get_or_init(Box::default)
    }

    /// Sends a message, a fragment of one, or a Ping or Pong.
    pub fn push<'m>(&self, id: ConnId, message: impl Into<Outgoing<'m>>) -> Result<(), PushError> {
        let message = message.into();
        self.check_push(message)?;
        message.check()?;
        match message.plain() {
            Some(kind) => self.post(id, Command::Frame { id, frame: Outgoing::encode(kind, message.octets()) }),
            None => self.post(id, Command::Push { id, message: message.to_owned() }),
        }
    }

    /// The same from numbers and octets, as they came from somewhere else. Text must be UTF-8, each fragment by itself.
    pub fn push_frame(&self, id: ConnId, opcode: u8, flags: Flags, octets: &[u8]) -> Result<(), PushError> {
        self.push(id, Outgoing::checked(opcode, flags, octets)?)
    }

    /// Sends a Ping with a body of at most 125 octets.
    pub fn ping(&self, id: ConnId, body: &[u8]) -> Result<(), PushError> {
        self.push(id, Outgoing::ping(body))
    }

    /// Sends a Pong with a body of at most 125 octets, unasked or as the answer to a Ping.
    pub fn pong(&self, id: ConnId, body: &[u8]) -> Result<(), PushError> {
        self.push(id, Outgoing::pong(body))
    }

    /// Begins the closing handshake: code 1000 to 1003, 1007 to 1014 or 3000 to 4999, a reason of at most 123 octets.
    pub fn disconnect(&self, id: ConnId, code: u16, reason: &str) -> Result<(), PushError> {
        CloseFrame::new(code, reason).map_err(Misuse::from)?;
        self.post(id, Command::Close { id, code, reason: reason.to_owned() })
    }

    /// Sends octets that frame themselves, behind all that was sent before. What they are is the caller's to answer for.
    pub fn send_raw(&self, id: ConnId, octets: &[u8]) -> Result<(), PushError> {
        self.post(id, Command::Raw { id, octets: octets.to_vec() })
    }

    /// Ends a connection at once, without a Close: by a reset, which the peer hears of as an error, or behind what waits.
    pub fn close(&self, id: ConnId, reset: bool) -> Result<(), PushError> {
        self.post(id, Command::Cut { id, reset })
    }

    /// Reads nothing more from a connection until [`resume`](Self::resume): what the peer sends then waits at the peer.
    pub fn pause(&self, id: ConnId) -> Result<(), PushError> {
        self.post(id, Command::Pause { id, paused: true })
    }

    /// Reads again.
    pub fn resume(&self, id: ConnId) -> Result<(), PushError> {
        self.post(id, Command::Pause { id, paused: false })
    }

    /// Sends a whole message to many connections of all workers; it is encoded once. Who is left out: see [`Context::broadcast`].
    pub fn broadcast<'m>(&self, filter: Filter, message: impl Into<Outgoing<'m>>) -> Result<(), PushError> {
        self.broadcast_frame(filter, &self.multicast(&message.into())?, None)
    }

    /// Calls `f` on a worker, which [`ConnId::worker`] names: the way from other threads to all that a
    /// [`Context`] can do, timers among it. A panic in `f` is logged, and harms nobody.
    pub fn run_on(&self, worker: usize, f: impl FnOnce(&mut Context<'_>) + Send + 'static) -> Result<(), PushError> {
        self.mailbox(worker).ok_or(PushError::Gone)?.post(Command::Run(Job(Box::new(f))))
    }

    /// Stops the server: no new connections, Close 1001 to everyone, and an end when all are gone or after
    /// [`max_wait_time`](crate::Settings::max_wait_time).
    pub fn stop(&self) {
        self.shared.roster.stop();
        self.notify(Notice::Stop);
    }

    /// Has new workers, with new handlers, take over from those that there are: they take the connections that come from now on, and
    /// none that waits in a backlog is lost. The old ones serve what they have for [`max_wait_time`](crate::Settings::max_wait_time)
    /// at most, then close the rest with 1001 as when the server stops. A worker that does not start leaves its seat to the old one.
    ///
    /// This returns at once: [`Handler::worker_start`](crate::Handler::worker_start) tells of the new ones.
    pub fn reload(&self) {
        self.notify(Notice::Reload);
    }

    /// The numbers of the workers that take new connections, by their seats.
    pub fn workers(&self) -> Vec<usize> {
        self.shared.roster.serving()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.shared.roster.is_stopping()
    }

    pub(crate) fn roster(&self) -> &Roster {
        &self.shared.roster
    }

    /// Orders something of a worker. One that has ended needs no order.
    pub(crate) fn order(&self, worker: u8, command: Command) {
        if let Some(mailbox) = self.mailbox(usize::from(worker)) {
            let _ = mailbox.post(command);
        }
    }

    /// Tells the keeper of the workers. When there is none any more, nobody needs to know.
    pub(crate) fn notify(&self, notice: Notice) {
        let _ = self.shared.keeper.send(notice);
    }

    /// Connections of all workers, those in a handshake included.
    pub fn connection_count(&self) -> u32 {
        self.shared.places.count()
    }

    pub(crate) fn post(&self, id: ConnId, command: Command) -> Result<(), PushError> {
        let mailbox = self.mailbox(id.worker()).ok_or(PushError::Gone)?;
        let standing = mailbox.present.get(id).ok_or(PushError::Gone)?;
        command.may_go(standing)?;
        mailbox.post(command)
    }

    /// Posts a frame to all workers but `except`.
    pub(crate) fn broadcast_frame(
        &self,
        filter: Filter,
        frame: &Arc<Multicast>,
        except: Option<usize>,
    ) -> Result<(), PushError> {
        self.post_to_all(except, || Command::Broadcast { filter, frame: Arc::clone(frame) })
    }

    /// Posts a command to all workers but `except`. If one worker is too far behind, the others get it nevertheless.
    pub(crate) fn post_to_all(&self, except: Option<usize>, command: impl Fn() -> Command) -> Result<(), PushError> {
        let (mut done, mut anybody) = (Ok(()), except.is_some());
        for (worker, mailbox) in self.shared.roster.mailboxes() {
            if Some(worker) != except {
                match mailbox.post(command()) {
                    // A number that nobody has at this moment.
                    Err(PushError::Gone) => {}
                    posted => {
                        anybody = true;
                        done = done.and(posted);
                    }
                }
            }
        }
        if anybody { done } else { Err(PushError::Gone) }
    }

    pub(crate) fn mailbox(&self, worker: usize) -> Option<&Mailbox> {
        self.shared.roster.mailbox(worker)
    }

    /// The message as it goes to many.
    pub(crate) fn multicast(&self, message: &Outgoing<'_>) -> Result<Arc<Multicast>, PushError> {
        self.check_push(*message)?;
        Multicast::new(message, self.shared.compressed_from)
    }

    fn check_push(&self, message: Outgoing<'_>) -> Result<(), PushError> {
        let most = self.shared.longest_push;
        if message.octets().len() as u64 > most { Err(PushError::TooLarge(most)) } else { Ok(()) }
    }

    /// The places for connections.
    pub(crate) fn places(&self) -> &Places {
        &self.shared.places
    }
}
