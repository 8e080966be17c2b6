//! WebSocket (RFC 6455) without I/O: the three `no_std` crates of martlet under one name.
//!
//! - [`state`] is where to begin: [`state::Connection`] drives one connection for either role.
//! - [`codec`] has the frames beneath it, for those who carry them in their own way.
//! - [`handshake`] has the HTTP/1.1 upgrade.
//!
//! The server over mio sockets and the binary are in the crate `martlet-std`.
#![no_std]
#![forbid(unsafe_code)]

pub use martlet_codec as codec;
pub use martlet_handshake as handshake;
pub use martlet_state as state;
