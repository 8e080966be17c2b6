//! Requests and the answers to them.

mod body;
mod deferred;
mod deliver;
mod exchange;
mod request;
mod response;
mod serve;

pub use deferred::{BodyWriter, Deferred};
pub use request::Request;
pub use response::{Answer, Body, Decision, Response};

pub(crate) use body::Incoming;
pub(crate) use deferred::Reply;
pub(crate) use exchange::Exchange;
pub(crate) use serve::{full, sorry};
