//! A WebSocket server (RFC 6455) over mio sockets: the core's connections, driven by worker threads.
//!
//! ```no_run
//! use martlet_std::{ConnId, Context, Frame, Handler, Server, Settings};
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
//!         // It fails only for a peer that is going already, or that does not read.
//!         let _ = ctx.push(id, frame);
//!     }
//! }
//!
//! let server = Server::bind(Settings::default())?;
//! println!("{:?}", server.addresses());
//! server.run(|_worker| Echo)?;
//! # Ok::<(), martlet_std::ServerError>(())
//! ```
//!
//! Each worker is a thread with its own poll, its own listening socket on the same port, its own connections and its own
//! [`Handler`]. Nothing on the way of a message is shared between workers or locked. [`Context`] is what a handler can do,
//! [`Handle`] what any thread can; both reach every connection by its [`ConnId`]. For small programs [`Closures`] do what a
//! handler does.
#![forbid(unsafe_code)]

mod accept;
mod address;
mod backpressure;
mod budget;
mod client;
mod clock;
mod closures;
mod common;
mod compress;
mod context;
mod crew;
mod desk;
mod ending;
mod error;
mod files;
mod flags;
mod frame;
mod gathered;
mod handle;
mod handler;
mod http;
mod id;
mod in_place;
mod inflate;
mod info;
mod input;
mod kinds;
mod listen;
mod mailbox;
mod metrics;
mod multicast;
mod output;
mod partial;
mod places;
mod present;
mod profile;
mod queue;
mod receive;
mod roster;
mod server;
mod settings;

mod slot;
mod socket;
mod stats;
mod straight;
mod timers;
#[cfg(feature = "tls")]
mod tls;
mod topics;
mod turn;
mod wait;
mod wheel;
mod worker;
mod write;

pub use address::{Address, InvalidAddress, Peer};
pub use client::{Client, ClientError, ConnectError, Connector, InvalidUrl, Reader, Received, Refused, Writer};
pub use closures::Closures;
pub use context::Context;
pub use desk::NoAnswer;
pub use error::PushError;
pub use frame::{Flags, Fragment, Frame, Opcode, Outgoing};
pub use handle::Handle;
pub use handler::{By, Closed, Handler, Timer};
pub use http::{Answer, Body, BodyWriter, Decision, Deferred, Request, Response};
pub use id::ConnId;
pub use info::{Among, Info};
pub use mailbox::Filter;
pub use server::{Server, ServerError};
pub use settings::{Backpressure, InvalidSetting, Kind, Listener, OverLimit, Scope, Setting, Settings, SettingsError};
pub use slot::Traffic;
pub use stats::Stats;

// What the signatures above are made of.
pub use martlet_codec::{PackError, Packet, Role, pack, unpack};
pub use martlet_state::{DataKind, DeflateParams, DeflateSide, Misuse, Payload, State};
#[cfg(feature = "tls")]
pub use tls::TlsSocket;
