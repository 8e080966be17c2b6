//! WebSocket frames (RFC 6455 sections 5 and 8): bytes to values and back.
//!
//! Law: bytes come in as arguments, values and bytes go out as results. Nothing here does I/O, blocks, reads a clock,
//! draws a random number, allocates (but for feature `alloc`, when asked) or panics.
//!
//! - [`Decoder`] turns a lent `&mut [u8]` into [`Event`]s that borrow from it: payload is unmasked where it lies.
//! - [`Writer`] puts frames into a lent slice, each whole or not at all; [`Header::encode`] gives the header alone, for
//!   vectored writes.
//! - [`Assembler`] puts a message together in storage that the caller lends.
//! - [`pack()`] and [`unpack()`] treat one frame by itself.
//! - `Inflater`, `SmallDeflater` and, with an allocator, `Deflater` (feature `deflate`) are permessage-deflate (RFC 7692), without negotiation.
//! - [`Violation`] has one name for each rule that a peer can break, with its section and its close code.
//!
//! ```
//! use martlet_codec::{Decoder, Event, Limits, Role};
//!
//! let limits = Limits::default();
//! let mut decoder = Decoder::new(Role::Server);
//! let mut wire = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"; // RFC 6455 section 5.7: a masked "Hello"
//! let mut input = &mut wire[..];
//! match decoder.decode(&limits, &mut input) {
//!     Ok(Some(Event::Data(data))) => assert_eq!(data.text(), Some("Hello")),
//!     other => panic!("{other:?}"),
//! }
//! assert!(matches!(decoder.decode(&limits, &mut input), Ok(None))); // more octets are needed
//! ```
#![no_std]
#![cfg_attr(not(feature = "simd"), forbid(unsafe_code))]
#![cfg_attr(feature = "simd", deny(unsafe_code))]
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
#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(test, feature = "simd"))]
extern crate std;

mod close;
mod decoder;
#[cfg(all(feature = "deflate", feature = "alloc"))]
mod deflate;
#[cfg(feature = "deflate")]
mod deflate_small;
mod facts;
mod header;
#[cfg(feature = "deflate")]
mod inflate;
mod kernel;
mod length;
mod limits;
mod mask;
mod message;
mod opcode;
mod pack;
#[cfg(feature = "simd")]
mod simd;
mod straight;
mod utf8;
#[cfg_attr(
    all(feature = "small", not(feature = "simd")),
    allow(dead_code, reason = "the twin that the tests compare with")
)]
mod utf8_bulk;
mod violation;
#[cfg(feature = "deflate")]
mod window;
mod writer;

pub use close::{CloseCode, CloseFrame, CloseReason, InvalidClose, OwnedClose};
pub use decoder::{Data, Decoder, Event};
#[cfg(all(feature = "deflate", feature = "alloc"))]
pub use deflate::Deflater;
#[cfg(feature = "deflate")]
pub use deflate_small::SmallDeflater;
pub use header::{Header, HeaderBytes, Kind, MAX_CONTROL, MAX_HEADER, MIN_INPUT};
#[cfg(feature = "deflate")]
pub use inflate::{InflateLimits, Inflated, Inflater};
pub use length::MAX_LENGTH;
pub use limits::Limits;
pub use mask::{Key, Mask};
pub use message::{Assembler, Full, Message, Storage, Store};
pub use opcode::{ControlOp, DataKind, DataOp, Role};
pub use pack::{PackError, Packet, pack, unpack};
pub use utf8::{Utf8, Utf8Error};
pub use violation::Violation;
#[cfg(feature = "deflate")]
pub use window::{Room, Window, WindowBits};
pub use writer::{NoRoom, Writer};

/// The body of a Ping or Pong, owned: at most 125 octets (RFC 6455 section 5.5).
pub type ControlBody = heapless::Vec<u8, { MAX_CONTROL as usize }>;
