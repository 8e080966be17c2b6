//! A WebSocket server (RFC 6455) over mio sockets: the core's connections, driven by worker threads.
//!
//! ```no_run
//! use martlet_std::{ConnId, Context, Handler, Message, Server, Settings};
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, message: Message<'_>) {
//!         // It fails only for a peer that is going already, or that does not read.
//!         let _ = ctx.push(id, message);
//!     }
//! }
//!
//! let server = Server::bind(Settings::default())?;
//! println!("ws://{}/", server.address());
//! server.run(|_worker| Echo)?;
//! # Ok::<(), martlet_std::ServerError>(())
//! ```
//!
//! Each worker is a thread with its own poll, its own listening socket on the same port, its own connections and its own
//! [`Handler`]. Nothing on the way of a message is shared between workers or locked. [`Context`] is what a handler can do,
//! [`Handle`] what any thread can; both reach every connection by its [`ConnId`].
#![forbid(unsafe_code)]

mod accept;
mod context;
mod ending;
mod error;
mod handle;
mod handler;
mod http;
mod id;
mod mailbox;
mod message;
mod output;
mod queue;
mod server;
mod settings;
mod slot;
mod turn;
mod wheel;
mod worker;

pub use context::{Context, Info};
pub use error::PushError;
pub use handle::Handle;
pub use handler::{By, Closed, Handler, Timer};
pub use http::{Decision, Request, Response};
pub use id::ConnId;
pub use mailbox::Filter;
pub use message::{Message, Outgoing};
pub use server::{Server, ServerError};
pub use settings::{InvalidSetting, Settings};
pub use slot::Traffic;

// What the signatures above are made of.
pub use martlet_state::{DataKind, Misuse, Payload, State};
