//! The C API of martlet: the connection of [`martlet_state`] for both roles, in storage that the caller owns.
//!
//! `include/martlet.h` is made from this crate by cbindgen and says how to use it, as `examples/echo.c` does. In Rust take
//! [`martlet_state`] instead.
//!
//! One contract holds for all functions, so that it is not repeated at each: a pointer is null or points to as much memory, initialised
//! where it is read, as its type or the length beside it says; what is lent for writing is nobody else's during the call; and what a
//! connection refers to (its configuration, the names of subprotocols) stays where it is as long as the connection is used. Null, misaligned or
//! uninitialised storage, overlapping buffers, calls out of order and calls from inside a call are told by a [`Code`].
#![no_std]
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]
#![allow(clippy::missing_safety_doc, reason = "one contract for all functions stands above")]
#![deny(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

// A library for a system links its Rust runtime, which is what handles a panic; there is none in here to be handled.
#[cfg(not(target_os = "none"))]
extern crate std;

/// Firmware in C has no handler of its own. Nothing calls this.
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

mod code;
mod connection;
mod describe;
mod event;
mod lend;
mod opening;
mod random;
mod send;
mod settings;

pub use code::Code;
pub use connection::{
    Connection, MARTLET_CONNECTION_ALIGN, MARTLET_CONNECTION_SIZE, MARTLET_NEVER, State, martlet_eof, martlet_missing,
    martlet_poll_timeout, martlet_state_of, martlet_tick,
};
pub use describe::{martlet_close_code, martlet_describe, martlet_http_status};
pub use event::{Event, EventType, Kind, LineType, martlet_receive};
pub use lend::{Input, MARTLET_MIN_OUTPUT, Octets, Output};
pub use opening::{
    ClientRequest, Header, MARTLET_MAX_HEADERS, Request, Response, martlet_accept, martlet_client_init,
    martlet_request_header, martlet_request_parse, martlet_respond, martlet_server_init,
};
pub use random::Random;
pub use send::{
    martlet_close, martlet_ping, martlet_pong, martlet_send_binary, martlet_send_fragment, martlet_send_text,
};
pub use settings::{
    Config, MARTLET_CONFIG_ALIGN, MARTLET_CONFIG_SIZE, MARTLET_MAX_SUBPROTOCOLS, Settings, martlet_config_init,
    martlet_settings_default,
};
