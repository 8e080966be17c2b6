//! A connection as a `Stream` and a `Sink` of messages, as those know it who come from tokio-tungstenite. It is over tokio's streams,
//! because what they have are tokio's sockets. `StreamExt::split` makes two halves of it, for two tasks.

use crate::message::{Error, Message};
use futures_core::Stream;
use futures_sink::Sink;
use martlet::codec::{Assembler, CloseFrame};
use martlet::state::{Connection, Inbox, Instant, Misuse, Outbox, Payload, Side, State};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::{future::poll_fn, io, pin::Pin, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{self, Sleep};

/// While so many octets wait for a peer that does not read, the sink is not ready, and nothing is read from the peer.
const MAX_WAITING: usize = 64 * 1024;

/// One end of a connection. It lives while it is polled as a stream: that answers Pings, keeps deadlines and hears the peer's Close.
pub struct WebSocketStream<'c, T, S: Side> {
    stream: T,
    connection: Connection<'c, S>,
    inbox: Inbox<Vec<u8>>,
    outbox: Outbox<Vec<u8>>,
    pieces: Assembler<Vec<u8>>,
    begin: time::Instant,
    alarm: Pin<Box<Sleep>>,
    /// What ended the connection, until it is told.
    error: Option<Error>,
    tasks: Arc<Tasks>,
}

/// The tasks that poll the two halves. A stream wakes only who polled it last, and either half moves octets both ways, and what one
/// half moves may be what the other waits for: whatever happens wakes both.
#[derive(Default)]
struct Tasks(Mutex<[Option<Waker>; 2]>);

const READER: usize = 0;
const WRITER: usize = 1;

impl Wake for Tasks {
    fn wake(self: Arc<Self>) {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.into_iter().flatten().for_each(Waker::wake);
    }
}

impl<'c, T: AsyncRead + AsyncWrite + Unpin, S: Side + Unpin> WebSocketStream<'c, T, S> {
    /// Takes `stream` to an end of `connection` that begins just now, with what it has to say, and waits for the handshake.
    pub async fn open(stream: T, connection: Connection<'c, S>, outbox: Outbox<Vec<u8>>) -> Result<Self, Error> {
        let (inbox, pieces) = (Inbox::new(vec![0; connection.config().min_input()]), Assembler::new(Vec::new()));
        let (begin, alarm) = (time::Instant::now(), Box::pin(time::sleep(Duration::ZERO)));
        let tasks = Arc::default();
        let mut this = Self { stream, connection, inbox, outbox, pieces, begin, alarm, error: None, tasks };
        poll_fn(|cx| this.poll_drain(cx, 0)).await.map(|()| this)
    }

    /// Ready when the connection is open and `most` octets wait at most; if none may wait, when the stream has let go of them.
    fn poll_drain(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<Result<(), Error>> {
        let waker = self.enter(WRITER, cx);
        let cx = &mut Context::from_waker(&waker);
        while matches!(self.connection.state(), State::Connection | State::Handshake) {
            if self.step().is_none() {
                ready!(self.poll_turn(cx));
            }
        }
        while (most == 0 || self.outbox.waiting().len() > most) && self.poll_write(cx).is_pending() {
            ready!(self.poll_alarm(cx));
        }
        Poll::Ready(self.error.take().map_or(Ok(()), Err))
    }

    /// Takes one event: the message that it is or completes, if any. Nothing is taken when more octets are needed.
    fn step(&mut self) -> Option<Option<Message>> {
        let (now, Self { connection, inbox, outbox, pieces, error: ended, .. }) = (self.now(), self);
        connection.next_message(now, inbox, outbox, pieces).unwrap_or_else(|error| {
            *ended = Some(error);
            Some(None)
        })
    }

    /// Moves some octets, or does what is due; pending when neither can be.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_write(cx).is_pending() && self.outbox.waiting().len() >= MAX_WAITING {
            return self.poll_alarm(cx);
        }
        let mut room = ReadBuf::new(self.inbox.room());
        match Pin::new(&mut self.stream).poll_read(cx, &mut room).map_ok(|()| room.filled().len()) {
            Poll::Ready(Ok(fresh @ 1..)) => self.inbox.filled(fresh),
            Poll::Ready(end) => self.fail(end, 0),
            Poll::Pending => return self.poll_alarm(cx),
        }
        Poll::Ready(())
    }

    /// Writes out what waits.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.outbox.waiting().is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, self.outbox.waiting())) {
                Ok(taken @ 1..) => self.outbox.sent(taken),
                end => self.fail(end, usize::MAX),
            }
            self.tasks.wake_by_ref();
        }
        Pin::new(&mut self.stream)
            .poll_flush(cx)
            .map(|flushed| flushed.unwrap_or_else(|error| self.fail(Err(error), 0)))
    }

    /// Does what is due, or has the tasks woken when it will be.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.connection.deadline(&self.outbox) else { return Poll::Pending };
        self.alarm.as_mut().reset(self.begin + Duration::from_millis(due.0));
        ready!(self.alarm.as_mut().poll(cx));
        let now = self.now();
        if let Err(late) = self.connection.tick_to(now, &mut self.outbox) {
            self.error.get_or_insert(late.into());
        }
        self.tasks.wake_by_ref();
        Poll::Ready(())
    }

    /// The stream is at its end, and `lost` octets that wait will never go.
    fn fail(&mut self, end: io::Result<usize>, lost: usize) {
        self.connection.eof();
        self.outbox.sent(lost);
        self.error.get_or_insert(Error::Transport(end.err().unwrap_or(io::ErrorKind::UnexpectedEof.into())));
        self.tasks.wake_by_ref();
    }

    /// Has the task woken, whichever half moves; gives what wakes both.
    fn enter(&self, half: usize, cx: &Context<'_>) -> Waker {
        self.tasks.0.lock().unwrap_or_else(PoisonError::into_inner)[half] = Some(cx.waker().clone());
        self.tasks.clone().into()
    }

    fn now(&self) -> Instant {
        Instant(self.begin.elapsed().as_millis() as u64)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin, S: Side + Unpin> Stream for WebSocketStream<'_, T, S> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (waker, this) = (self.enter(READER, cx), self.get_mut());
        let cx = &mut Context::from_waker(&waker);
        loop {
            // Who does not read our answers is not asked for more.
            match if this.outbox.waiting().len() < MAX_WAITING { this.step() } else { None } {
                Some(None) => {}
                Some(message) => return Poll::Ready(message.map(Ok)),
                None if this.connection.state() != State::Closed => ready!(this.poll_turn(cx)),
                None if this.poll_write(cx).is_pending() && !this.outbox.waiting().is_empty() => {
                    ready!(this.poll_alarm(cx));
                }
                None => return Poll::Ready(this.error.take().map(Err)),
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin, S: Side + Unpin> Sink<Message> for WebSocketStream<'_, T, S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_drain(cx, MAX_WAITING - 1)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        let (now, Self { connection, outbox, .. }) = (self.now(), self.get_mut());
        Ok(outbox.write(|writer| match &message {
            Message::Text(text) => connection.send(Payload::Text(text), writer),
            Message::Binary(octets) => connection.send(Payload::Binary(octets), writer),
            Message::Ping(body) => connection.ping(body, writer),
            Message::Pong(body) => connection.pong(body, writer),
            Message::Close(None) => connection.close(now, None, writer),
            Message::Close(Some(close)) => {
                let frame = CloseFrame::new(close.code.get(), &close.reason).map_err(Misuse::from)?;
                connection.close(now, Some(frame), writer)
            }
        })?)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_drain(cx, 0)
    }

    /// Says Close, if that was not said yet. The peer's, and what it had under way, come by the stream.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.connection.state() == State::Active {
            self.as_mut().start_send(Message::Close(None))?;
        }
        self.poll_flush(cx)
    }
}
