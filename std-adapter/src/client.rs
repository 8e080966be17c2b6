//! A client over a blocking socket: one thread that sends and receives, or one for each.
//!
//! ```no_run
//! use martlet_std::{Client, Received};
//!
//! let mut client = Client::connect("ws://127.0.0.1:9501/echo")?;
//! client.send("hello")?;
//! assert_eq!(client.recv()?, Received::Text("hello"));
//! client.close(1000, "that was all")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connector;
mod error;
mod keys;
mod link;
mod opening;
mod reader;
#[cfg(feature = "tls")]
mod sealed;
mod target;
mod writer;

pub use connector::Connector;
pub use error::{ClientError, ConnectError, Refused};
pub use reader::{Reader, Received};
pub use target::InvalidUrl;
pub use writer::Writer;

use crate::frame::Outgoing;
use martlet_state::DeflateParams;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A WebSocket that this end has opened.
///
/// Pings are answered, the heartbeat is kept and the closing handshake is done while something is being received: who only sends hears
/// nothing. Dropping it ends the transport without a Close; see [`close`](Self::close).
#[derive(Debug)]
pub struct Client<'c> {
    reader: Reader<'c>,
    writer: Writer<'c>,
}

impl Client<'static> {
    /// Connects to a `ws://` URL with [the default settings](Connector::new).
    pub fn connect(url: &str) -> Result<Self, ConnectError> {
        static DEFAULT: Connector<'static> = Connector::new();
        DEFAULT.connect(url)
    }
}

impl<'c> Client<'c> {
    /// Sends a message: `"text"`, `&octets[..]`, or whatever else an [`Outgoing`] is made of. Returns when the system has taken all of it.
    pub fn send<'m>(&mut self, message: impl Into<Outgoing<'m>>) -> Result<(), ClientError> {
        self.writer.send(message)
    }

    /// Sends a Ping with a body of at most 125 octets. Its Pong comes from [`recv`](Self::recv).
    pub fn ping(&mut self, body: &[u8]) -> Result<(), ClientError> {
        self.writer.ping(body)
    }

    /// Waits for what comes next.
    pub fn recv(&mut self) -> Result<Received<'_>, ClientError> {
        self.reader.recv()
    }

    /// The same for so long; `None` if nothing has come. What has come of a message is kept.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Option<Received<'_>>, ClientError> {
        self.reader.recv_timeout(timeout)
    }

    /// Sends a Close (1000 to 1003, 1007 to 1014 or 3000 to 4999, a reason of at most 123 octets), and waits for the peer's and then for the
    /// transport's end, each as long as [`Connector::close_timeout`] says. Messages that come meanwhile are dropped: to have them, close by a
    /// [`Writer`] and go on receiving.
    pub fn close(mut self, code: u16, reason: &str) -> Result<(), ClientError> {
        self.writer.close(code, reason)?;
        loop {
            if let Received::Closed { .. } = self.reader.recv()? {
                self.reader.wait_for_end();
                return Ok(());
            }
        }
    }

    /// One half for each of two threads.
    pub fn split(self) -> (Reader<'c>, Writer<'c>) {
        (self.reader, self.writer)
    }

    /// The socket, and the octets that have come behind what was received: for who moves frames in another way, such as a loop over
    /// many sockets. Nothing of what was sent is outstanding; of a message that was received in part, that part is lost. One that is
    /// encrypted is not given: [`Unsupported`](std::io::ErrorKind::Unsupported). Of a `wss` client `into_tls_socket` gives it.
    pub fn into_socket(self) -> std::io::Result<(TcpStream, Vec<u8>)> {
        let Reader { link, input, start, end, .. } = self.reader;
        if link.is_secure() {
            return Err(std::io::ErrorKind::Unsupported.into());
        }
        Ok((link.socket.try_clone()?, input[start..end].to_vec()))
    }

    /// The same of a `wss` client, as a socket that does not block; of others it is [`Unsupported`](std::io::ErrorKind::Unsupported).
    #[cfg(feature = "tls")]
    pub fn into_tls_socket(self) -> std::io::Result<(crate::tls::TlsSocket, Vec<u8>)> {
        let Reader { link, input, start, end, .. } = self.reader;
        let tls = link.lock().tls.take().ok_or(std::io::ErrorKind::Unsupported)?;
        let socket = link.socket.try_clone()?;
        socket.set_nonblocking(true)?;
        let socket = crate::tls::TlsSocket::over(mio::net::TcpStream::from_std(socket), (*tls).into());
        Ok((socket, input[start..end].to_vec()))
    }

    /// The subprotocol that the server chose.
    pub const fn subprotocol(&self) -> Option<&'c str> {
        self.reader.subprotocol()
    }

    /// What was agreed on permessage-deflate (RFC 7692).
    pub const fn compression(&self) -> Option<DeflateParams> {
        self.reader.compression()
    }

    /// The address of the other end.
    pub fn remote(&self) -> std::io::Result<SocketAddr> {
        self.reader.remote()
    }
}
