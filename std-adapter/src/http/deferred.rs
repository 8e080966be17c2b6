//! Answers that come later, from any thread.

use super::{Body, Response};
use crate::error::PushError;
use crate::handle::Handle;
use crate::id::ConnId;
use crate::mailbox::Command;
use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

/// Octets of a streamed body that wait for the peer before its writer does.
const ROOM: usize = 256 * 1024;

/// What a worker is told about a request.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Open the WebSocket.
    Accept { subprotocol: Option<String>, headers: Vec<(String, String)> },
    /// Answer with this.
    Response(Response),
    /// Nobody will answer any more.
    Lost,
    /// There is more of the body.
    More,
}

impl Reply {
    /// What it counts while it waits for the worker.
    pub(crate) fn octets(&self) -> usize {
        match self {
            Self::Response(response) => response.octets(),
            Self::Accept { .. } | Self::Lost | Self::More => 0,
        }
    }
}

/// The duty to answer a request, from any thread; of [`Request::defer`](crate::Request::defer). If it is dropped without an
/// answer, the answer is 500.
///
/// `Ok` means that the worker will see to it: a client that goes meanwhile gets nothing. For one that has gone already, or was told that
/// its time is over, an answer is [`PushError::Gone`]; [`is_awaited`](Self::is_awaited) says so before there is one.
#[derive(Debug)]
pub struct Deferred {
    pub(super) handle: Handle,
    pub(super) id: ConnId,
    pub(super) number: u32,
    pub(super) patience: Duration,
    /// Alive as long as the answer is awaited.
    pub(super) asker: Weak<()>,
    pub(super) done: bool,
}

impl Deferred {
    /// The connection that waits.
    pub const fn id(&self) -> ConnId {
        self.id
    }

    /// Whether somebody waits for the answer, as far as is known: not if the client has gone, or was told that its time is over
    /// ([`request_timeout`](field@crate::Settings::request_timeout), for a handshake
    /// [`handshake_timeout`](field@crate::Settings::handshake_timeout)). It costs nothing to ask, before and within what takes long. Who
    /// has only ended its half of the connection waits still.
    pub fn is_awaited(&self) -> bool {
        self.asker.strong_count() != 0
    }

    /// Opens the WebSocket: see [`Decision::Accept`](crate::Decision::Accept). For a plain request this is a mistake, and 500.
    pub fn accept(mut self, subprotocol: Option<String>, headers: Vec<(String, String)>) -> Result<(), PushError> {
        self.post(Reply::Accept { subprotocol, headers })
    }

    /// Answers with this.
    pub fn respond(mut self, response: Response) -> Result<(), PushError> {
        self.post(Reply::Response(response))
    }

    /// Answers with this response, whose body is written to what is returned: in chunks, whatever body it had.
    pub fn stream(self, response: Response) -> Result<BodyWriter, PushError> {
        let pipe = Arc::new(Pipe::default());
        let writer = BodyWriter {
            pipe: Arc::clone(&pipe),
            handle: self.handle.clone(),
            id: self.id,
            number: self.number,
            patience: self.patience,
            ended: false,
        };
        let body = Body::Read { reader: Box::new(PipeReader(pipe)), length: None };
        self.respond(Response { body, ..response })?;
        Ok(writer)
    }

    fn post(&mut self, reply: Reply) -> Result<(), PushError> {
        self.done = true;
        if !self.is_awaited() {
            return Err(PushError::Gone);
        }
        self.handle.post(self.id, Command::Reply { id: self.id, number: self.number, reply })
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        if !self.done {
            // It fails only when the worker has ended, and the connection with it.
            let _ = self.post(Reply::Lost);
        }
    }
}

/// Writes the body of a response, piece by piece, from any thread; of [`Deferred::stream`].
///
/// [`write`](Write::write) waits while more than 256 KiB wait for the peer. It fails when the connection has ended, and when nothing
/// moves for [`request_timeout`](field@crate::Settings::request_timeout). In the thread of the connection's own worker, which cannot
/// write to the peer meanwhile, nothing moves: do not write more than that there.
///
/// If it is dropped without [`end`](Self::end), the connection breaks, so that the peer knows that something is missing.
#[derive(Debug)]
pub struct BodyWriter {
    pipe: Arc<Pipe>,
    handle: Handle,
    id: ConnId,
    number: u32,
    patience: Duration,
    ended: bool,
}

impl BodyWriter {
    /// The body is whole.
    pub fn end(mut self) -> io::Result<()> {
        self.ended = true;
        let mut state = self.pipe.lock();
        state.ended = true;
        if state.gone { Err(ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    /// Tells the worker that there is something.
    fn wake(&self) {
        let _ = self.handle.post(self.id, Command::Reply { id: self.id, number: self.number, reply: Reply::More });
    }
}

impl Write for BodyWriter {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let full = |state: &mut State| state.octets.len() >= ROOM && !state.gone;
        let (mut state, waited) = self
            .pipe
            .room
            .wait_timeout_while(self.pipe.lock(), self.patience, full)
            .unwrap_or_else(PoisonError::into_inner);
        if state.gone {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if waited.timed_out() {
            return Err(ErrorKind::TimedOut.into());
        }
        let taken = octets.len().min(ROOM.saturating_sub(state.octets.len()));
        state.octets.extend(&octets[..taken]);
        let awaited = taken != 0 && std::mem::take(&mut state.awaited);
        drop(state);
        if awaited {
            self.wake();
        }
        Ok(taken)
    }

    /// Does nothing: what was written is on its way.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BodyWriter {
    fn drop(&mut self) {
        self.pipe.lock().lost = !self.ended;
        self.wake();
    }
}

/// What lies between the writer and the worker.
#[derive(Debug, Default)]
struct Pipe {
    state: Mutex<State>,
    /// There is room, or the connection is gone.
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    octets: VecDeque<u8>,
    /// The worker found nothing, and is to be told when there is something.
    awaited: bool,
    ended: bool,
    /// The writer was dropped before the end.
    lost: bool,
    /// The connection has ended.
    gone: bool,
}

impl Pipe {
    /// A panic elsewhere cannot leave it half-changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The worker's end. That nothing is there is [`ErrorKind::WouldBlock`].
struct PipeReader(Arc<Pipe>);

impl Read for PipeReader {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        match state.octets.read(room)? {
            0 if state.ended => Ok(0),
            0 if state.lost => Err(ErrorKind::UnexpectedEof.into()),
            0 => {
                state.awaited = true;
                Err(ErrorKind::WouldBlock.into())
            }
            taken => {
                self.0.room.notify_one();
                Ok(taken)
            }
        }
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.gone = true;
        state.octets = VecDeque::new();
        self.0.room.notify_all();
    }
}
