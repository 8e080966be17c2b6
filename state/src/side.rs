//! The two ends: which rules hold, and where masking keys come from.

use crate::config::Config;
use crate::connection::Connection;
use crate::event::{Fault, Status};
use crate::instant::Instant;
use core::borrow::Borrow;
use martlet_codec::{Key, Role, Writer};
use martlet_handshake::{RequestScanner, ResponseScanner};
use rand_core::CryptoRng;

/// One end of a connection: [`Server`] or [`Client`].
pub trait Side: sealed::Side {}

impl<S: sealed::Side> Side for S {}

/// The end that accepted. It masks nothing and needs no random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Server;

/// The end that connected, with its source of masking keys, which must be cryptographically strong (RFC 6455 section 10.3).
#[derive(Clone, Debug)]
pub struct Client<R>(pub R);

impl<'c, R: CryptoRng, C: Borrow<Config<'c>>> Connection<'c, Client<R>, C> {
    /// The source of keys that [`client`](Self::client) was given: for one that can fail, and remembers that it did.
    pub const fn key_source(&self) -> &R {
        &self.side.0
    }
}

pub(crate) mod sealed {
    use super::*;

    pub trait Side: Sized {
        /// Its role.
        const ROLE: Role;
        /// What reads the head that this end receives.
        type Scanner: Copy + core::fmt::Debug + Send + Unpin;
        /// The masking key of the next frame: a client must have a fresh one for each (RFC 6455 section 5.3), a server none.
        fn key(&mut self) -> Option<Key>;
        /// Reads what comes before the first frame.
        fn read_head<'i, 'c, C: Borrow<Config<'c>>>(
            connection: &mut Connection<'c, Self, C>,
            now: Instant,
            input: &mut &'i mut [u8],
            output: &mut Writer<'_>,
        ) -> Result<Status<'i>, Fault>;
        /// Says what there is to say when the handshake takes too long.
        fn handshake_expired<'c, C: Borrow<Config<'c>>>(
            connection: &mut Connection<'c, Self, C>,
            output: &mut Writer<'_>,
        );
    }
}

impl sealed::Side for Server {
    const ROLE: Role = Role::Server;
    type Scanner = RequestScanner;

    #[inline]
    fn key(&mut self) -> Option<Key> {
        None
    }

    fn read_head<'i, 'c, C: Borrow<Config<'c>>>(
        connection: &mut Connection<'c, Self, C>,
        _: Instant,
        input: &mut &'i mut [u8],
        output: &mut Writer<'_>,
    ) -> Result<Status<'i>, Fault> {
        connection.read_request(input, output)
    }

    fn handshake_expired<'c, C: Borrow<Config<'c>>>(connection: &mut Connection<'c, Self, C>, output: &mut Writer<'_>) {
        connection.handshake_expired(output);
    }
}

impl<R: CryptoRng> sealed::Side for Client<R> {
    const ROLE: Role = Role::Client;
    type Scanner = ResponseScanner;

    fn key(&mut self) -> Option<Key> {
        let mut key = Key::default();
        self.0.fill_bytes(&mut key.0);
        Some(key)
    }

    fn read_head<'i, 'c, C: Borrow<Config<'c>>>(
        connection: &mut Connection<'c, Self, C>,
        now: Instant,
        input: &mut &'i mut [u8],
        _: &mut Writer<'_>,
    ) -> Result<Status<'i>, Fault> {
        connection.read_response(now, input)
    }

    /// A client that gives up just leaves.
    fn handshake_expired<'c, C: Borrow<Config<'c>>>(_: &mut Connection<'c, Self, C>, _: &mut Writer<'_>) {}
}
