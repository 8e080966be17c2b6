//! Requests as the handler gets them.

use super::Deferred;
use crate::address::Peer;
use crate::handle::Handle;
use crate::id::ConnId;
use core::cell::OnceCell;
use core::time::Duration;
use martlet_state::DeflateParams;
use std::borrow::Cow;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::SystemTime;

/// A request, checked and whole: a handshake, or plain HTTP with its body. It derefs to the head, which has method, target, path,
/// headers and all.
#[derive(Debug)]
pub struct Request<'r> {
    head: &'r martlet_handshake::Request<'r>,
    body: &'r [u8],
    subprotocol: Option<&'r str>,
    compression: Option<DeflateParams>,
    place: Place<'r>,
    /// There once somebody is to answer later.
    asker: OnceCell<Arc<()>>,
}

/// Where a request came from, and where its answer goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'r> {
    pub(crate) handle: &'r Handle,
    pub(crate) id: ConnId,
    /// The number of the request on its connection.
    pub(crate) number: u32,
    pub(crate) remote: Peer,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) time: SystemTime,
    /// How long the writer of a deferred body waits for a peer that does not read.
    pub(crate) patience: Duration,
}

impl<'r> Request<'r> {
    pub(crate) const fn new(head: &'r martlet_handshake::Request<'r>, body: &'r [u8], place: Place<'r>) -> Self {
        Self { head, body, subprotocol: None, compression: None, place, asker: OnceCell::new() }
    }

    /// The same with what was agreed on.
    pub(crate) fn agreed(mut self, subprotocol: Option<&'r str>, compression: Option<DeflateParams>) -> Self {
        (self.subprotocol, self.compression) = (subprotocol, compression);
        self
    }

    /// The connection's id. After an answer that keeps it alive the next request has the same.
    pub const fn id(&self) -> ConnId {
        self.place.id
    }

    /// Who asks.
    pub const fn remote(&self) -> Peer {
        self.place.remote
    }

    /// The address that was connected to; `None` over a Unix socket.
    pub const fn local(&self) -> Option<SocketAddr> {
        self.place.local
    }

    /// When the head had come.
    pub const fn time(&self) -> SystemTime {
        self.place.time
    }

    /// The body, whichever way it came; a handshake has none.
    pub const fn body(&self) -> &'r [u8] {
        self.body
    }

    /// The subprotocol that was agreed on. Known in [`Handler::open`](crate::Handler::open); `None` before.
    pub const fn subprotocol(&self) -> Option<&'r str> {
        self.subprotocol
    }

    /// What was agreed on permessage-deflate, the one extension there is (RFC 7692). Known in
    /// [`Handler::open`](crate::Handler::open); `None` before, and if the connection is not compressed.
    pub const fn compression(&self) -> Option<DeflateParams> {
        self.compression
    }

    /// The query's pairs of name and value, decoded as a form's are: `+` is a space, and what is not UTF-8 is replaced.
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'r, str>, Cow<'r, str>)> + use<'r> {
        form_urlencoded::parse(self.head.query().unwrap_or_default().as_bytes())
    }

    /// The cookies of all `Cookie` headers, names and values as they came (RFC 6265 section 5.4). What is no pair or no UTF-8
    /// is left out.
    pub fn cookies(&self) -> impl Iterator<Item = (&'r str, &'r str)> + use<'r> {
        self.head
            .headers()
            .all("Cookie")
            .filter_map(|value| core::str::from_utf8(value).ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim()))
    }

    /// The means to answer later, from any thread. Return [`Answer::Deferred`](crate::Answer::Deferred) or
    /// [`Decision::Deferred`](crate::Decision::Deferred) then; with any other answer it is of no use.
    pub fn defer(&self) -> Deferred {
        let asker = Arc::downgrade(self.asker.get_or_init(Arc::default));
        let Place { handle, id, number, patience, .. } = self.place;
        Deferred { handle: handle.clone(), id, number, patience, asker, done: false }
    }

    /// What is to be kept while the answer is awaited, if somebody is to answer later.
    pub(crate) fn into_asker(self) -> Option<Arc<()>> {
        self.asker.into_inner()
    }
}

impl<'r> Deref for Request<'r> {
    type Target = martlet_handshake::Request<'r>;

    fn deref(&self) -> &Self::Target {
        self.head
    }
}
