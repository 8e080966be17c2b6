//! A connection over whatever `embedded-io` reads and writes.
//!
//! Deadlines are kept by the stream's own time-out: a `read` or `write` that gives `TimedOut` after some while (a second will do) lets
//! the connection look at the clock. Over a stream without one they pass only while octets come or go.

use embedded_io::{Error as _, ErrorKind, Read, Write};
use martlet::state::{Buffer, Connection, DataKind, Error, Inbox, Instant, MIN_OUTPUT, Outbox, Side, State, Status};

/// One end of a connection. What is no data goes out by its parts: `socket.outbox.write(|writer| socket.connection.ping(b"", writer))`.
pub struct WebSocket<'c, T, S: Side, N> {
    /// What speaks the protocol.
    pub connection: Connection<'c, S>,
    /// What waits for the stream, which is also what a client says first.
    pub outbox: Outbox<&'c mut [u8]>,
    /// The transport.
    pub stream: T,
    /// The time.
    pub now: N,
}

impl<T: Read + Write, S: Side, N: Fn() -> Instant> WebSocket<'_, T, S, N> {
    /// Writes out what waits, reads, and takes one event; `More` if there is none yet, also at the stream's end, which closes the
    /// connection. A request is to be answered before the next call.
    pub fn recv<'i>(&mut self, inbox: &'i mut Inbox<impl Buffer>) -> Result<Status<'i>, Error<T::Error>> {
        if inbox.is_drained() || self.outbox.room() < MIN_OUTPUT {
            self.flush()?;
        }
        if inbox.is_drained() && self.connection.state() != State::Closed {
            match self.stream.read(inbox.room()) {
                Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
                read => inbox.filled(read.map_err(Error::Transport)?),
            }
        }
        self.connection.advance((self.now)(), inbox, &mut self.outbox)
    }

    /// Puts a message, or the next piece of one, behind what waits. It goes when the next is waited for, or by [`flush`](Self::flush).
    pub fn send(&mut self, kind: DataKind, piece: &[u8], fin: bool) -> Result<(), Error<T::Error>> {
        if self.outbox.room() < MIN_OUTPUT + piece.len() {
            self.flush()?;
        }
        Ok(self.outbox.write(|writer| self.connection.send_piece(kind, piece, fin, writer))?)
    }

    /// Writes out what waits.
    pub fn flush(&mut self) -> Result<(), Error<T::Error>> {
        while !self.outbox.waiting().is_empty() {
            match self.stream.write(self.outbox.waiting()) {
                Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                    self.connection.tick_to((self.now)(), &mut self.outbox)?;
                }
                taken => self.outbox.sent(taken.map_err(Error::Transport)?),
            }
        }
        self.stream.flush().map_err(Error::Transport)
    }
}
