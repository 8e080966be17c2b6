//! How a client connects.

use super::Client;
use super::error::ConnectError;
use super::keys::Keys;
use super::link::{Link, now};
use super::reader::Reader;
#[cfg(feature = "tls")]
use super::sealed::{self, Trust};
use super::target::Target;
use super::writer::{Compressor, Writer};
use martlet_codec::{InflateLimits, Writer as Output};
use martlet_state::{ClientRequest, Config, Connection, DeflateParams, HeadMode, SendError};
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The settings of clients, any number of which may be connected with them.
///
/// ```no_run
/// use martlet_std::Connector;
/// use std::time::Duration;
///
/// let connector = Connector::new().subprotocols(&["chat"]).header("Authorization", "Bearer x").handshake_timeout(Duration::from_secs(3));
/// let client = connector.connect("ws://127.0.0.1:9501/chat")?;
/// # Ok::<(), martlet_std::ConnectError>(())
/// ```
///
/// A [`Client`] borrows them. One that is to go to another thread for good has them from a `static`.
#[derive(Clone, Debug)]
pub struct Connector<'c> {
    config: Config<'c>,
    inflate: InflateLimits,
    origin: Option<&'c str>,
    headers: Vec<(&'c str, &'c str)>,
    connect_timeout: Duration,
    write_timeout: Duration,
    compression_threshold: usize,
    compression_level: u8,
    #[cfg(feature = "tls")]
    trust: Option<Trust>,
}

impl Default for Connector<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'c> Connector<'c> {
    /// No subprotocol, no compression, messages of at most 2 MiB, 10 s to connect, 10 s for the handshake, 30 s for a peer that does not take what is sent, a Ping after 30 s of
    /// silence and 20 s for its Pong, 5 s for the server's Close.
    pub const fn new() -> Self {
        Self {
            config: Config { head_mode: HeadMode::Lines, ..Config::DEFAULT },
            inflate: InflateLimits {
                ratio_floor_bytes: InflateLimits::DEFAULT.max_message_bytes,
                ..InflateLimits::DEFAULT
            },
            origin: None,
            headers: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            compression_threshold: 1024,
            compression_level: 1,
            #[cfg(feature = "tls")]
            trust: None,
        }
    }

    /// The subprotocols to offer, the one liked best first. A server need not choose one: see [`Client::subprotocol`].
    #[must_use]
    pub const fn subprotocols(mut self, subprotocols: &'c [&'c str]) -> Self {
        self.config.subprotocols = subprotocols;
        self
    }

    /// The `Origin`, which a browser would send.
    #[must_use]
    pub const fn origin(mut self, origin: &'c str) -> Self {
        self.origin = Some(origin);
        self
    }

    /// One header more. Those of the handshake itself are refused when it connects.
    #[must_use]
    pub fn header(mut self, name: &'c str, value: &'c str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// permessage-deflate (RFC 7692) is offered with these parameters, such as [`DeflateParams::NO_CONTEXT_TAKEOVER`].
    #[must_use]
    pub const fn compression(mut self, params: DeflateParams) -> Self {
        self.config.deflate = Some(params);
        self
    }

    /// Messages of so many octets and more are compressed, if that was agreed on; others only with [`Flags::COMPRESS`](crate::Flags::COMPRESS).
    /// Default: 1 KiB.
    #[must_use]
    pub const fn compression_threshold(mut self, octets: usize) -> Self {
        self.compression_threshold = octets;
        self
    }

    /// How hard messages are compressed: 1, the fastest, to 9. Default: 1.
    #[must_use]
    pub const fn compression_level(mut self, level: u8) -> Self {
        self.compression_level = level;
        self
    }

    /// The longest message that may come, in octets, inflated if it comes compressed. Default: 2 MiB.
    #[must_use]
    pub const fn max_message_bytes(mut self, octets: u64) -> Self {
        self.config.limits.max_message_bytes = octets;
        self.config.limits.max_frame_bytes = octets;
        self.inflate.max_message_bytes = octets;
        self
    }

    /// How long the connection of the transport may take, for each address of the host. Default: 10 s.
    #[must_use]
    pub const fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = time;
        self
    }

    /// How long the handshake may take. Default: 10 s.
    #[must_use]
    pub fn handshake_timeout(mut self, time: Duration) -> Self {
        self.config.handshake_timeout_ms = crate::settings::ms(time);
        self
    }

    /// How long a server may take none of what is sent. Default: 30 s.
    #[must_use]
    pub const fn write_timeout(mut self, time: Duration) -> Self {
        self.write_timeout = time;
        self
    }

    /// After so long without an octet from the server a Ping is sent, and then something must come within `pong`; zero for never. Default:
    /// 30 s and 20 s.
    #[must_use]
    pub fn heartbeat(mut self, idle: Duration, pong: Duration) -> Self {
        (self.config.idle_ms, self.config.pong_timeout_ms) = (crate::settings::ms(idle), crate::settings::ms(pong));
        self
    }

    /// How long the server's Close is waited for. Default: 5 s.
    #[must_use]
    pub fn close_timeout(mut self, time: Duration) -> Self {
        self.config.close_timeout_ms = crate::settings::ms(time);
        self
    }

    /// Trusts the certificates of this PEM file for `wss`, and no others. Default: those that browsers trust.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, file: impl AsRef<std::path::Path>) -> io::Result<Self> {
        self.trust = Some(Trust::file(file.as_ref())?);
        Ok(self)
    }

    /// Connects to a URL such as `ws://example.org/chat?room=1`, and opens the WebSocket. No proxy is asked, and no redirection followed.
    pub fn connect(&self, url: &str) -> Result<Client<'_>, ConnectError> {
        let target = Target::parse(url).map_err(ConnectError::Url)?;
        if target.secure && cfg!(not(feature = "tls")) {
            return Err(ConnectError::NoTls);
        }
        self.config.check().map_err(|invalid| ConnectError::Setting(invalid.setting, invalid.reason))?;
        let socket = self.socket(&target)?;
        let epoch = Instant::now();
        let (conn, request) = self.request(&target, epoch)?;
        let link = Link::new(socket, epoch, conn, request);
        #[cfg(feature = "tls")]
        let link =
            if target.secure { link.sealed(sealed::connection(self.trust.as_ref(), &target.host)?) } else { link };
        let link = Arc::new(link);
        let close_timeout = Duration::from_millis(self.config.close_timeout_ms.into());
        let mut reader = Reader::new(Arc::clone(&link), self.inflate, close_timeout);
        reader.open(self.config.subprotocols)?;
        let writer = Writer::new(link, Compressor::new(self.compression_threshold, self.compression_level));
        Ok(Client { reader, writer })
    }

    /// The transport, to the first of the host's addresses that takes it.
    fn socket(&self, target: &Target) -> Result<TcpStream, ConnectError> {
        let addresses = (target.host.as_str(), target.port).to_socket_addrs().map_err(ConnectError::Resolve)?;
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses {
            match self.socket_to(&address) {
                Ok(socket) => return Ok(socket),
                Err(error) => failed = error,
            }
        }
        Err(ConnectError::Connect(failed))
    }

    fn socket_to(&self, address: &SocketAddr) -> io::Result<TcpStream> {
        let socket = TcpStream::connect_timeout(address, self.connect_timeout)?;
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(self.write_timeout).filter(|time| !time.is_zero()))?;
        Ok(socket)
    }

    /// The core's connection, and the request that opens it.
    fn request(
        &self,
        target: &Target,
        epoch: Instant,
    ) -> Result<(Connection<'_, martlet_state::Client<Keys>>, Vec<u8>), ConnectError> {
        let request = ClientRequest {
            host: &target.authority,
            target: &target.path,
            origin: self.origin,
            headers: &self.headers,
            ..ClientRequest::default()
        };
        let mut room = vec![0; 1024];
        loop {
            let keys = Keys::new().map_err(|error| ConnectError::Random(io::Error::other(error)))?;
            let mut output = Output::new(&mut room);
            match Connection::client(&self.config, now(epoch), keys, &request, &mut output) {
                Ok(conn) => {
                    let len = output.len();
                    room.truncate(len);
                    return Ok((conn, room));
                }
                Err(SendError::NoRoom(no_room)) => room.resize(no_room.wanted, 0),
                Err(SendError::Misuse(misuse)) => return Err(ConnectError::Request(misuse)),
            }
        }
    }
}
