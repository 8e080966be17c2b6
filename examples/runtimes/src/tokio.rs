//! A connection over whatever tokio reads and writes. Its futures may be dropped at any time: no octet is kept in them.

use crate::message::{Error, Message};
use martlet::codec::Assembler;
use martlet::state::{CloseFrame, Connection, Inbox, Instant, Outbox, Payload, SendError, Side, State, Writer};
use std::{io, pin::Pin, time::Duration};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{self, Sleep};

/// While so many octets wait for a peer that does not read, nothing is read from it and nothing more is sent.
const MAX_WAITING: usize = 64 * 1024;

/// One end of a connection. Its time passes in [`recv`](Self::recv): be there whenever there is nothing else to do.
pub struct WebSocket<'c, T, S: Side> {
    reader: ReadHalf<T>,
    writer: WriteHalf<T>,
    connection: Connection<'c, S>,
    inbox: Inbox<Vec<u8>>,
    outbox: Outbox<Vec<u8>>,
    pieces: Assembler<Vec<u8>>,
    begin: time::Instant,
    alarm: Pin<Box<Sleep>>,
    is_dirty: bool, // the stream may keep some of what it took
    /// What ended the connection, until it is told.
    error: Option<Error>,
}

impl<'c, T: AsyncRead + AsyncWrite, S: Side> WebSocket<'c, T, S> {
    /// Takes `stream` to an end of `connection` that begins just now, with what it has to say, and waits for the handshake.
    pub async fn open(stream: T, connection: Connection<'c, S>, outbox: Outbox<Vec<u8>>) -> Result<Self, Error> {
        let (reader, writer) = tokio::io::split(stream);
        let (inbox, pieces) = (Inbox::new(vec![0; connection.config().min_input()]), Assembler::new(Vec::new()));
        let (begin, alarm) = (time::Instant::now(), Box::pin(time::sleep(Duration::ZERO)));
        let (is_dirty, error) = (false, None);
        let mut this = Self { reader, writer, connection, inbox, outbox, pieces, begin, alarm, is_dirty, error };
        while matches!(this.connection.state(), State::Connection | State::Handshake) {
            if this.step().is_none() {
                this.turn(true).await;
            }
        }
        this.flush().await.map(|()| this)
    }

    /// The next message, or nothing after the last. Dropped while it waits, it has lost nothing.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        loop {
            // Who does not read our answers is not asked for more.
            let step = if self.outbox.waiting().len() < MAX_WAITING { self.step() } else { None };
            match step {
                Some(None) => {}
                Some(message) => return Ok(message),
                None if self.connection.state() == State::Closed
                    && !self.is_dirty
                    && self.outbox.waiting().is_empty() =>
                {
                    return self.error.take().map_or(Ok(None), Err);
                }
                None => self.turn(true).await,
            }
        }
    }

    /// Sends a message. Dropped while it waits, it has sent all or nothing of it: what is left goes before what comes next.
    pub async fn send(&mut self, payload: Payload<'_>) -> Result<(), Error> {
        while self.outbox.waiting().len() >= MAX_WAITING {
            self.turn(false).await;
        }
        self.queue(|connection, writer| connection.send(payload, writer))?;
        self.flush().await
    }

    /// Says Close. The peer's Close, and what it had under way, is still to be received.
    pub fn close(&mut self, frame: Option<CloseFrame<'_>>) -> Result<(), SendError> {
        let now = self.now();
        self.queue(|connection, writer| connection.close(now, frame, writer))
    }

    /// Puts what `say` writes behind what waits.
    pub fn queue<D>(
        &mut self,
        mut say: impl FnMut(&mut Connection<'c, S>, &mut Writer<'_>) -> Result<D, SendError>,
    ) -> Result<D, SendError> {
        self.outbox.write(|writer| say(&mut self.connection, writer))
    }

    /// Waits until the stream has taken all that waits.
    pub async fn flush(&mut self) -> Result<(), Error> {
        while self.is_dirty || !self.outbox.waiting().is_empty() {
            self.turn(false).await;
        }
        self.error.take().map_or(Ok(()), Err)
    }

    /// Takes one event: the message that it is or completes, if any. Nothing is taken when more octets are needed.
    fn step(&mut self) -> Option<Option<Message>> {
        let (now, Self { connection, inbox, outbox, pieces, error: ended, .. }) = (self.now(), self);
        connection.next_message(now, inbox, outbox, pieces).unwrap_or_else(|error| {
            *ended = Some(error);
            Some(None)
        })
    }

    /// Moves some octets one way, or does what is due. Only who has taken all that came may hear what is next, and the end.
    async fn turn(&mut self, hears: bool) {
        let is_over = self.connection.state() == State::Closed;
        // Also for last words that the stream keeps a peer has so long.
        let last_words = self.connection.heard().after(self.connection.config().close_timeout_ms);
        let due = self.connection.deadline(&self.outbox).or(is_over.then_some(last_words));
        self.alarm.as_mut().reset(self.begin + Duration::from_millis(due.unwrap_or(Instant(0)).0));
        let waiting = self.outbox.waiting().len();
        tokio::select! {
            biased;
            taken = put(&mut self.writer, self.outbox.waiting()), if waiting > 0 || self.is_dirty => match taken {
                Ok(taken) if taken > 0 || waiting == 0 => {
                    self.outbox.sent(taken);
                    self.is_dirty = waiting > 0;
                }
                end => self.fail(end, waiting),
            },
            fresh = self.reader.read(self.inbox.room()), if hears && !is_over && waiting < MAX_WAITING => match fresh {
                Ok(fresh @ 1..) => self.inbox.filled(fresh),
                end => self.fail(end, 0),
            },
            () = &mut self.alarm, if due.is_some() => {
                let now = self.now();
                if let Err(late) = self.connection.tick_to(now, &mut self.outbox) {
                    self.error.get_or_insert(late.into());
                }
                self.is_dirty &= !is_over;
            }
        }
    }

    /// The stream is at its end, and `lost` octets that wait will never go.
    fn fail(&mut self, end: io::Result<usize>, lost: usize) {
        self.connection.eof();
        self.outbox.sent(lost);
        self.is_dirty = false;
        self.error = Some(Error::Transport(end.err().unwrap_or(io::ErrorKind::UnexpectedEof.into())));
    }

    fn now(&self) -> Instant {
        Instant(self.begin.elapsed().as_millis() as u64)
    }
}

/// Writes some of `octets`; if there are none, flushes those that the stream keeps.
async fn put(writer: &mut (impl AsyncWrite + Unpin), octets: &[u8]) -> io::Result<usize> {
    if octets.is_empty() { writer.flush().await.map(|()| 0) } else { writer.write(octets).await }
}
