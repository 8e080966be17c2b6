//! A WebSocket connection as a state machine (RFC 6455): octets and time come in, events and octets go out.
//!
//! Law: bytes, time and chance come in as arguments; bytes and events go out as results. Nothing here does I/O, blocks,
//! reads a clock, allocates or panics.
//!
//! [`Connection`] is one end of one connection, for either role. The caller reads from its transport into a buffer of its
//! own, lends it to [`Connection::receive`] until that answers [`Status::More`], and writes to the transport what was put
//! into the lent [`Writer`]: answers of the protocol (the 101, Pongs, the Close) come into being
//! there without further ado. [`Connection::poll_timeout`] says when to call [`Connection::tick`]. [`Inbox`] and [`Outbox`] keep
//! what is not taken yet, for transports that read and write as they please.
//!
//! ```
//! use martlet_codec::Writer;
//! use martlet_state::{Accept, Config, Connection, Event, Instant, Payload, Request, State, Status};
//!
//! let config = Config::DEFAULT;
//! let now = Instant(0); // milliseconds since whatever moment the caller counts from
//! let mut connection = Connection::server(&config, now);
//! let mut received = *b"GET /chat HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//!     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\
//!     \x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
//! let (mut room, mut input) = ([0; 1024], &mut received[..]);
//! let mut output = Writer::new(&mut room);
//! loop {
//!     match connection.receive(now, &mut input, &mut output).unwrap() {
//!         Status::Event(Event::Request { head, .. }) => {
//!             let request = Request::parse(head).expect("it was checked");
//!             assert_eq!(request.path(), "/chat");
//!             connection.accept(now, &Accept::default(), &mut output).unwrap();
//!         }
//!         Status::Event(Event::Data(data)) => {
//!             connection.send(Payload::Text(data.text().unwrap()), &mut output).unwrap(); // an echo
//!         }
//!         Status::Event(other) => panic!("{other:?}"),
//!         Status::More => break,
//!         Status::NoRoom(_) => unreachable!("1,024 octets are enough for this"),
//!     }
//! }
//! assert_eq!(connection.state(), State::Active);
//! assert!(output.written().ends_with(b"\r\n\r\n\x81\x05Hello"));
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]
#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod active;
mod buffers;
mod config;
mod connection;
mod event;
mod frames;
mod in_place;
mod instant;
mod opening;
#[cfg(feature = "alloc")]
mod owned;
mod send;
mod side;
mod states;
mod timers;

pub use buffers::{Buffer, Inbox, Outbox};
pub use config::{Config, HeadMode, InvalidConfig};
pub use connection::{Connection, MIN_OUTPUT};
pub use event::{Error, Event, Expired, Fault, Misuse, Payload, SendError, Status};
pub use instant::Instant;
#[cfg(feature = "alloc")]
pub use owned::OwnedMessage;
pub use side::{Client, Server, Side};
pub use states::{State, Trigger};

// What the signatures above are made of, so that one `use` is enough.
pub use martlet_codec::{CloseCode, CloseFrame, Data, DataKind, Message, NoRoom, Violation, Writer};
pub use martlet_handshake::{
    Accept, Agreed, ClientRequest, DeflateParams, Kind, Line, Offered, Refusal, Request, Response, ResponseFault, Text,
};
#[cfg(feature = "deflate")]
pub use martlet_handshake::{DeflateSide, WindowBits};
