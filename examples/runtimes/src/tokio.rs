//! A connection over whatever tokio reads and writes. Its futures may be dropped at any time: no octet is kept in them.

use crate::message::{Error, Message};
use martlet::codec::Assembler;
use martlet::state::{
    Accept, CloseFrame, Connection, Event, Inbox, Instant, Outbox, Payload, Response, SendError, Side, State, Status,
    Writer,
};
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
    /// What ended the connection, until it is told.
    error: Option<Error>,
}

impl<'c, T: AsyncRead + AsyncWrite, S: Side> WebSocket<'c, T, S> {
    /// Takes `stream` to an end of `connection` that begins just now, with what it has to say, and waits for the handshake.
    pub async fn open(stream: T, connection: Connection<'c, S>, outbox: Outbox<Vec<u8>>) -> Result<Self, Error> {
        let (reader, writer) = tokio::io::split(stream);
        let (inbox, pieces) = (Inbox::new(vec![0; connection.config().min_input()]), Assembler::new(Vec::new()));
        let (begin, alarm) = (time::Instant::now(), Box::pin(time::sleep(Duration::ZERO)));
        let mut this = Self { reader, writer, connection, inbox, outbox, pieces, begin, alarm, error: None };
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
                None if self.connection.state() == State::Closed && self.outbox.waiting().is_empty() => {
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
        while !self.outbox.waiting().is_empty() {
            self.turn(false).await;
        }
        self.writer.flush().await?;
        self.error.take().map_or(Ok(()), Err)
    }

    /// Takes one event: the message that it is or completes, if any. Nothing is taken when more octets are needed.
    fn step(&mut self) -> Option<Option<Message>> {
        let now = self.now();
        let taken = match self.connection.receive_from(now, &mut self.inbox, &mut self.outbox) {
            Ok(Status::Event(Event::Request { .. })) => self.decide(now).map(|()| None).map_err(Error::Send),
            Ok(Status::Event(event)) => Message::from_event(event, &mut self.pieces).map_err(Error::Peer),
            Ok(Status::More | Status::NoRoom(_)) => return None,
            Err(fault) => Err(Error::Peer(fault)),
        };
        Some(taken.map_err(|error| self.error = Some(error)).unwrap_or(None))
    }

    /// Accepts every request for a WebSocket. Who is choosier looks at the head.
    fn decide(&mut self, now: Instant) -> Result<(), SendError> {
        let accepted = self.queue(|connection, writer| connection.accept(now, &Accept::default(), writer));
        if accepted.is_err() {
            self.queue(|connection, writer| connection.respond(&Response::new(426, b"WebSockets only\n"), writer))?;
        }
        accepted
    }

    /// Moves some octets one way, or does what is due. Only who has taken all that came may hear what is next, and the end.
    async fn turn(&mut self, hears: bool) {
        let (now, is_over) = (self.now(), self.connection.state() == State::Closed);
        // A peer has so long to read our last words.
        let last_words = self.connection.heard().after(self.connection.config().close_timeout_ms);
        let due = is_over.then_some(last_words).or(self.connection.poll_timeout());
        self.alarm.as_mut().reset(self.begin + Duration::from_millis(due.unwrap_or(now).0));
        let waiting = self.outbox.waiting().len();
        tokio::select! {
            biased;
            taken = self.writer.write(self.outbox.waiting()), if waiting > 0 => match taken {
                Ok(taken @ 1..) => self.outbox.sent(taken),
                end => self.fail(end, waiting),
            },
            fresh = self.reader.read(self.inbox.room()), if hears && !is_over && waiting < MAX_WAITING => match fresh {
                Ok(fresh @ 1..) => self.inbox.filled(fresh),
                end => self.fail(end, 0),
            },
            () = &mut self.alarm, if due.is_some() => match self.queue(|connection, w| Ok(connection.tick(now, w)?)) {
                Ok(Some(expired)) => self.error = Some(Error::Late(expired)),
                Ok(None) if !is_over => {}
                _ => self.outbox.sent(waiting),
            },
        }
    }

    /// The stream is at its end, and `lost` octets that wait will never go.
    fn fail(&mut self, end: io::Result<usize>, lost: usize) {
        self.connection.eof();
        self.outbox.sent(lost);
        self.error = Some(end.err().unwrap_or(io::ErrorKind::UnexpectedEof.into()).into());
    }

    fn now(&self) -> Instant {
        Instant(self.begin.elapsed().as_millis() as u64)
    }
}
