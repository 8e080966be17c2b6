//! What a client's two halves share: the core's connection, the socket, and what waits to be written.

use super::keys::Keys;
use martlet_codec::Writer;
use martlet_state::{Client, Connection, Instant, MIN_OUTPUT, Misuse, SendError};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// While more than so many octets wait for a thread that is writing, others that want to add some wait for it.
const MOST_PENDING: usize = 64 * 1024;

/// A connection as both halves have it. The lock is held while something is encoded or decoded, never while the socket is waited for.
#[derive(Debug)]
pub(super) struct Link<'c> {
    pub(super) socket: TcpStream,
    core: Mutex<Core<'c>>,
    /// Rung when something was written.
    written: Condvar,
    /// Whether what comes and goes is encrypted.
    #[cfg(feature = "tls")]
    secure: bool,
    epoch: std::time::Instant,
}

#[derive(Debug)]
pub(super) struct Core<'c> {
    pub(super) conn: Connection<'c, Client<Keys>>,
    /// What waits to be written.
    pending: Vec<u8>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Box<rustls::ClientConnection>>,
    /// Some thread is writing, and will write what is added meanwhile.
    writing: bool,
}

impl<'c> Link<'c> {
    /// `pending` is the request.
    pub(super) fn new(
        socket: TcpStream,
        epoch: std::time::Instant,
        conn: Connection<'c, Client<Keys>>,
        pending: Vec<u8>,
    ) -> Self {
        let core = Core {
            conn,
            pending,
            #[cfg(feature = "tls")]
            tls: None,
            writing: false,
        };
        Self {
            socket,
            core: Mutex::new(core),
            written: Condvar::new(),
            #[cfg(feature = "tls")]
            secure: false,
            epoch,
        }
    }

    /// The same over TLS.
    #[cfg(feature = "tls")]
    pub(super) fn sealed(mut self, tls: rustls::ClientConnection) -> Self {
        self.secure = true;
        self.lock().tls = Some(Box::new(tls));
        self
    }

    /// Whether what comes and goes is encrypted.
    pub(super) const fn is_secure(&self) -> bool {
        #[cfg(feature = "tls")]
        let secure = self.secure;
        #[cfg(not(feature = "tls"))]
        let secure = false;
        secure
    }

    /// The core's time.
    pub(super) fn now(&self) -> Instant {
        now(self.epoch)
    }

    /// A panic elsewhere cannot leave it half-changed.
    pub(super) fn lock(&self) -> MutexGuard<'_, Core<'c>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same for who adds much: not before others have written most of what waits.
    pub(super) fn lock_to_add(&self) -> MutexGuard<'_, Core<'c>> {
        let crowded = |core: &mut Core<'_>| core.writing && core.pending.len() > MOST_PENDING;
        self.written.wait_while(self.lock(), crowded).unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits, unless another thread does so already.
    pub(super) fn flush(&self) -> io::Result<()> {
        let mut core = self.lock();
        if core.writing {
            return Ok(());
        }
        let mut spare = Vec::new();
        loop {
            let mut octets = core.take_pending(spare)?;
            if octets.is_empty() {
                spare = octets;
                break;
            }
            core.writing = true;
            drop(core);
            let done = (&self.socket).write_all(&octets);
            core = self.lock();
            core.writing = false;
            self.written.notify_all();
            if let Err(error) = done {
                return Err(self.broke(&mut core, error));
            }
            octets.clear();
            spare = octets;
        }
        if core.pending.capacity() == 0 && spare.capacity() <= MOST_PENDING {
            // The next message needs no new one.
            core.pending = spare;
        }
        Ok(())
    }

    /// A frame may be half-sent: nothing can follow it, and what would come is of no use.
    fn broke(&self, core: &mut Core<'_>, error: io::Error) -> io::Error {
        core.conn.eof();
        // It may have ended by itself.
        let _ = self.socket.shutdown(Shutdown::Both);
        match error.kind() {
            // So the system says that the time for it is over.
            ErrorKind::WouldBlock => io::Error::new(ErrorKind::TimedOut, "the server takes nothing of what is sent"),
            _ => error,
        }
    }

    /// Reads what has come.
    pub(super) fn read(&self, room: &mut [u8]) -> io::Result<usize> {
        #[cfg(feature = "tls")]
        if self.secure {
            return self.read_sealed(room);
        }
        self.read_socket(room)
    }

    /// Reads what has come encrypted. Only one thread reads.
    #[cfg(feature = "tls")]
    fn read_sealed(&self, room: &mut [u8]) -> io::Result<usize> {
        let mut sealed = [0; 4096];
        loop {
            if let Some(tls) = &mut self.lock().tls {
                match tls.reader().read(room) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                    done => return done,
                }
            }
            let len = self.read_socket(&mut sealed)?;
            let opened = match &mut self.lock().tls {
                Some(tls) => open_all(tls, &sealed[..len]),
                None => return Ok(0),
            };
            // Also an alert that says what is wrong.
            let flushed = self.flush();
            opened?;
            flushed?;
        }
    }

    fn read_socket(&self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match (&self.socket).read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}

impl<'c> Core<'c> {
    /// Lets the core say something, with as much room as it wants.
    pub(super) fn say<T>(
        &mut self,
        mut write: impl FnMut(&mut Connection<'c, Client<Keys>>, &mut Writer<'_>) -> Result<T, SendError>,
    ) -> Result<T, Misuse> {
        let mut room = MIN_OUTPUT;
        loop {
            let old = self.pending.len();
            self.pending.resize(old + room, 0);
            let mut writer = Writer::new(&mut self.pending[old..]);
            let done = write(&mut self.conn, &mut writer);
            let written = writer.len();
            self.pending.truncate(old + written);
            match done {
                Ok(done) => return Ok(done),
                Err(SendError::NoRoom(no_room)) => room = no_room.wanted.max(room + 1),
                Err(SendError::Misuse(misuse)) => return Err(misuse),
            }
        }
    }

    /// All that waits, as it goes over the socket; `spare` is empty, and what comes next goes there.
    #[cfg_attr(not(feature = "tls"), expect(clippy::unnecessary_wraps, reason = "TLS may fail"))]
    fn take_pending(&mut self, spare: Vec<u8>) -> io::Result<Vec<u8>> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(&self.pending)?;
            self.pending.clear();
            let mut sealed = spare;
            while tls.wants_write() {
                tls.write_tls(&mut sealed)?;
            }
            return Ok(sealed);
        }
        Ok(std::mem::replace(&mut self.pending, spare))
    }

    /// Says that nothing more comes, so that the server can tell an end from a cut.
    pub(super) fn end(&mut self) {
        #[cfg(feature = "tls")]
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
    }

    /// Adds octets that are framed already.
    pub(super) fn put(&mut self, octets: &[u8]) -> &mut [u8] {
        let old = self.pending.len();
        self.pending.extend_from_slice(octets);
        &mut self.pending[old..]
    }
}

/// Decrypts what came. TLS takes as much at once as it has room for.
#[cfg(feature = "tls")]
fn open_all(tls: &mut rustls::ClientConnection, mut sealed: &[u8]) -> io::Result<()> {
    loop {
        // The end of the transport is told by an empty read.
        tls.read_tls(&mut sealed)?;
        tls.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if sealed.is_empty() {
            return Ok(());
        }
    }
}

pub(super) fn now(epoch: std::time::Instant) -> Instant {
    Instant(u64::try_from(epoch.elapsed().as_millis()).unwrap_or(u64::MAX))
}
