//! The core of martlet over what firmware reads and writes by. Each module is an adapter to be depended on or copied: it moves octets
//! and knows no rule.
//!
//! All storage is lent: an [`Inbox`](martlet::state::Inbox) of [`Config::min_input`](martlet::state::Config::min_input) octets, and
//! an [`Outbox`](martlet::state::Outbox) of [`MIN_OUTPUT`](martlet::state::MIN_OUTPUT) octets, the longest piece that is sent, and the 14 of
//! a header. A message of any size goes through them in pieces. The inbox is not in the socket, so that what an event borrows does not
//! hinder its answer:
//!
//! ```
//! use martlet::state::{Accept, Error, Event, Inbox, Side, State, Status};
//! use martlet_embedded_io::blocking::WebSocket;
//!
//! /// Echoes until the connection is closed. Behind an error of the peer's its Close still waits: `flush` once more.
//! fn echo<T: embedded_io::Read + embedded_io::Write, S: Side>(
//!     socket: &mut WebSocket<'_, T, S, fn() -> martlet::state::Instant>,
//!     room: &mut [u8],
//! ) -> Result<(), Error<T::Error>> {
//!     let mut inbox = Inbox::new(room);
//!     while socket.connection.state() != State::Closed {
//!         match socket.recv(&mut inbox)? {
//!             Status::Event(Event::Request { .. }) => {
//!                 let now = (socket.now)();
//!                 socket.outbox.write(|writer| socket.connection.accept(now, &Accept::default(), writer))?;
//!             }
//!             Status::Event(Event::Data(data)) => socket.send(data.kind(), data.payload(), data.is_last())?,
//!             _ => {} // pings and the closing handshake are answered already
//!         }
//!     }
//!     socket.flush()
//! }
//! ```
#![no_std]
#![forbid(unsafe_code)]

pub mod asynchronous;
pub mod blocking;
