//! A connection over whatever `embedded-io-async` reads and writes. Its futures may be dropped at any time: no octet is kept in them, if the
//! stream's `read` and `write` keep none in theirs, which that crate encourages and asks streams to say.
//!
//! Deadlines are kept by a timer, between which and the stream whatever comes first is taken. It reads only when nothing waits to be written.

use embassy_futures::select::{Either, select};
use embedded_io_async::{Read, Write};
use martlet::state::{Buffer, Connection, DataKind, Error, Inbox, Instant, MIN_OUTPUT, Outbox, Side, State, Status};

/// One end of a connection. What is no data goes out by its parts: `socket.outbox.write(|writer| socket.connection.ping(b"", writer))`.
pub struct WebSocket<'c, T, S: Side, N, U> {
    /// What speaks the protocol.
    pub connection: Connection<'c, S>,
    /// What waits for the stream, which is also what a client says first.
    pub outbox: Outbox<&'c mut [u8]>,
    /// The transport.
    pub stream: T,
    /// The time.
    pub now: N,
    /// Waits until that moment, or for ever.
    pub until: U,
}

impl<T: Read + Write, S: Side, N: Fn() -> Instant, U: AsyncFn(Option<Instant>)> WebSocket<'_, T, S, N, U> {
    /// Writes out what waits, reads, and takes one event; `More` if there is none yet, also at the stream's end, which closes the
    /// connection. A request is to be answered before the next call. Dropped while it waits, it has lost nothing.
    pub async fn recv<'i>(&mut self, inbox: &'i mut Inbox<impl Buffer>) -> Result<Status<'i>, Error<T::Error>> {
        while self.outbox.room() < MIN_OUTPUT && self.turn(&mut []).await?.is_none() {}
        let reads = inbox.is_drained() && self.connection.state() != State::Closed;
        if reads && let Some(fresh) = self.turn(inbox.room()).await? {
            inbox.filled(fresh);
        }
        self.connection.advance((self.now)(), inbox, &mut self.outbox)
    }

    /// Puts a message, or the next piece of one, behind what waits. It goes when the next is waited for, or by [`flush`](Self::flush).
    /// Dropped while it waits, it has sent nothing of it.
    pub async fn send(&mut self, kind: DataKind, piece: &[u8], fin: bool) -> Result<(), Error<T::Error>> {
        while self.outbox.room() < MIN_OUTPUT + piece.len() && self.turn(&mut []).await?.is_none() {}
        Ok(self.outbox.write(|writer| self.connection.send_piece(kind, piece, fin, writer))?)
    }

    /// Writes out what waits. Dropped while it waits, the rest goes with what comes next.
    pub async fn flush(&mut self) -> Result<(), Error<T::Error>> {
        while self.turn(&mut []).await?.is_none() {}
        Ok(())
    }

    /// Writes out what waits, and reads once if there is room for it: how much, or nothing when a deadline came first.
    async fn turn(&mut self, room: &mut [u8]) -> Result<Option<usize>, Error<T::Error>> {
        let alarm = (self.until)(self.connection.deadline(&self.outbox));
        let moves = async {
            while !self.outbox.waiting().is_empty() {
                self.outbox.sent(self.stream.write(self.outbox.waiting()).await?);
            }
            self.stream.flush().await?;
            if room.is_empty() { Ok(0) } else { self.stream.read(room).await }
        };
        match select(moves, alarm).await {
            Either::First(moved) => moved.map(Some).map_err(Error::Transport),
            Either::Second(()) => Ok(self.connection.tick_to((self.now)(), &mut self.outbox).map(|()| None)?),
        }
    }
}
