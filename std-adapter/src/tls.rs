//! TLS (feature `tls`): a server's certificates from files, and a socket that encrypts, of either side.

use crate::settings::Settings;
use core::fmt;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token, event};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Connection, ServerConfig, ServerConnection};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Octets that are encrypted before the socket has taken those before them.
const MOST: usize = 64 * 1024;

/// What a listener's certificate and key make; `None` if it has none. An error says which file is to blame.
pub(crate) fn config(settings: &Settings) -> Result<Option<Arc<ServerConfig>>, String> {
    let (Some(cert), Some(key)) = (&settings.ssl_cert_file, &settings.ssl_key_file) else { return Ok(None) };
    let certificates = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| about(cert, error))?;
    if certificates.is_empty() {
        return Err(about(cert, "no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| about(key, error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, private))
        .map_err(|error| about(key, error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

fn about(file: &Path, why: impl fmt::Display) -> String {
    format!("{}: {why}", file.display())
}

/// A socket that encrypts what is written and decrypts what is read. It behaves as a socket does: what is read is short only if there is no
/// more, and what is written is taken or refused.
#[derive(Debug)]
pub struct TlsSocket {
    pub(crate) socket: TcpStream,
    tls: Connection,
    /// Octets that are encrypted, and whose taking was not told because the socket refused some: whoever writes gives them again.
    owed: usize,
}

impl TlsSocket {
    pub(crate) fn new(socket: TcpStream, config: &Arc<ServerConfig>) -> io::Result<Self> {
        let tls = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        Ok(Self::over(socket, tls.into()))
    }

    /// Goes on where the handshake has ended.
    pub(crate) fn over(socket: TcpStream, mut tls: Connection) -> Self {
        tls.set_buffer_limit(Some(MOST));
        Self { socket, tls, owed: 0 }
    }

    /// Writes what TLS itself has to say, or what the socket refused before.
    pub(crate) fn push(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.socket) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Says that nothing more comes, so that the peer can tell an end from a cut.
    pub(crate) fn end(&mut self) {
        self.tls.send_close_notify();
        // Who does not take it does without.
        let _ = self.push();
    }

    /// Takes what has come from the socket; false at its end.
    fn pull(&mut self) -> io::Result<bool> {
        if self.tls.read_tls(&mut self.socket)? == 0 {
            return Ok(false);
        }
        let processed = self.tls.process_new_packets();
        // Also an alert that says what is wrong.
        match self.push() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        processed.map(|_| true).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }
}

impl Read for TlsSocket {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        loop {
            match self.tls.reader().read(&mut room[filled..]) {
                // The peer has said that nothing more comes, or has just ended.
                Ok(0) => return Ok(filled),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(filled),
                Ok(fresh) => filled += fresh,
                Err(error) if error.kind() == ErrorKind::WouldBlock => match self.pull() {
                    Ok(_) => continue,
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    // What was read before comes first.
                    Err(_) if filled != 0 => return Ok(filled),
                    Err(error) => return Err(error),
                },
                Err(error) => return Err(error),
            }
            if filled == room.len() {
                return Ok(filled);
            }
        }
    }
}

impl Write for TlsSocket {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(octets)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.push()?;
        let given = parts.iter().map(|part| part.len()).sum();
        if self.owed == 0 {
            self.owed = self.tls.writer().write_vectored(parts)?;
            self.push()?;
        }
        let taken = self.owed.min(given);
        self.owed -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push()
    }
}

impl event::Source for TlsSocket {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.socket.register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.socket.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.socket.deregister(registry)
    }
}
