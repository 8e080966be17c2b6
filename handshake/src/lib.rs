//! The opening handshake of WebSocket (RFC 6455 section 4) for both roles: HTTP/1.1 heads, read line by line.
//!
//! Law: bytes come in as arguments, values and bytes go out as results. Nothing here does I/O, blocks, reads a clock, draws
//! a random number, allocates or panics.
//!
//! - [`RequestScanner`] (server) and [`ResponseScanner`] (client) check a head line by line, as it comes. A caller with a
//!   small buffer consumes each line; one with room for the whole head keeps it, and gets a view of it at the end.
//! - [`Request`] and [`ResponseHead`] are such views: nothing is copied.
//! - [`Accept`], [`Response`], [`Refusal`] and [`ClientRequest`] write heads into a lent slice, each whole or not at all.
//! - [`DeflateParams`] are those of permessage-deflate (RFC 7692, feature `deflate`): a scanner that is told of them negotiates.
//! - [`Refusal`] has one name for each reason to refuse a request, with its HTTP status; [`ResponseFault`] one for each
//!   reason for a client to fail the connection; [`HeadFault`] has what both have in common, HTTP's own syntax.
//!
//! ```
//! use martlet_handshake::{Accept, Kind, Limits, Line, Request, RequestScanner};
//!
//! let head = b"GET /chat?room=1 HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//!     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
//! let mut scanner = RequestScanner::new();
//! let mut checked = 0;
//! // `None` would mean that more octets are needed; here all of the head is there.
//! while let Some((taken, line)) = scanner.scan(&Limits::DEFAULT, &[], &head[checked..])? {
//!     checked += taken;
//!     if matches!(line, Line::End) {
//!         break;
//!     }
//! }
//! let request = Request::parse(&head[..checked]).expect("the scanner has passed it");
//! assert_eq!((request.path(), request.query()), ("/chat", Some("room=1")));
//!
//! let Kind::Upgrade(upgrade) = scanner.finish()? else { panic!("it asks for a WebSocket") };
//! let mut out = [0; 256];
//! let written = Accept::default().write(&upgrade, &mut out).expect("room enough");
//! assert!(out[..written].starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
//! # Ok::<(), martlet_handshake::Refusal>(())
//! ```
//!
//! # What is strict and what is not
//! Lines end in CRLF: a bare LF is refused, though RFC 9112 section 2.2 would let a recipient take it for a line end, because
//! two readers that disagree about where a line ends are how requests are smuggled. For the same reason a folded line, space
//! before a colon, a bare CR and any control octet are refused, never repaired. An empty line before the request line is
//! skipped, as the same section asks.
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
#[cfg(test)]
extern crate std;

mod accept;
mod agreed;
#[cfg(any(test, feature = "small"))]
mod by_hand;
#[cfg(any(test, not(feature = "small")))]
mod by_nom;
mod choice;
mod class;
mod client;
mod count;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(not(feature = "deflate"))]
#[path = "no_deflate.rs"]
mod deflate;
mod extension;
mod fact;
mod fault;
mod field;
#[cfg(any(test, not(feature = "small")))]
mod flags;
mod grammar;
#[cfg(any(test, not(feature = "small")))]
mod head;
mod key;
mod kind;
mod limits;
mod line;
#[cfg(any(test, not(feature = "small")))]
mod octets;
mod offered;
mod parts;
mod refusal;
#[cfg(any(test, not(feature = "small")))]
#[cfg_attr(feature = "small", allow(unreachable_pub))] // The tests have the twin beside it.
mod request;
mod response;
mod response_fault;
#[cfg(any(test, not(feature = "small")))]
#[cfg_attr(feature = "small", allow(unreachable_pub))] // The tests have the twin beside it.
mod response_scanner;
#[cfg(any(test, not(feature = "small")))]
mod seen;
mod sink;
#[cfg(any(test, feature = "small"))]
#[cfg_attr(not(feature = "small"), allow(unreachable_pub))] // The tests have the twin beside it.
mod small;
mod spot;
mod target;
mod upgrade;
mod value;
mod view;

pub use accept::Accept;
pub use agreed::{Agreed, Offer};
pub use client::ClientRequest;
pub use deflate::DeflateParams;
#[cfg(feature = "deflate")]
pub use deflate::{DeflateSide, WindowBits};
pub use extension::{Extension, Param, ParamValue};
pub use fault::HeadFault;
pub use grammar::is_token;
pub use key::{Nonce, accept_key};
pub use kind::{Body, Kind, Plain};
pub use limits::Limits;
pub use line::{Line, Text};
pub use offered::Offered;
pub use refusal::Refusal;
#[cfg(not(feature = "small"))]
pub use request::RequestScanner;
pub use response::{CONTINUE, Framing, Response};
pub use response_fault::ResponseFault;
#[cfg(not(feature = "small"))]
pub use response_scanner::ResponseScanner;
pub use sink::{NoRoom, WriteError};
#[cfg(feature = "small")]
pub use small::{RequestScanner, ResponseScanner};
pub use spot::Spot;
pub use upgrade::Upgrade;
pub use view::{Headers, Request, ResponseHead};
