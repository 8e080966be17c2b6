//! A server in this process, and a client that is nothing but a socket.
#![allow(dead_code, reason = "each test uses a part of this")]

pub(crate) mod http;

use martlet_std::{ConnId, Handle, Handler, Server, ServerError, Settings};
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a test waits for what must come. It is never waited for in vain when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Settings for a test: a port of its own and some workers.
pub(crate) fn settings(worker_num: usize) -> Settings {
    Settings { listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()], worker_num, ..Settings::default() }
}

/// A server that runs until this is dropped.
pub(crate) struct Running {
    pub(crate) handle: Handle,
    pub(crate) address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start<H: Handler>(settings: Settings, handler: impl Fn(usize) -> H + Send + Sync + 'static) -> Self {
        Self::serve(settings, move |server| server.run(handler))
    }

    /// The same with `run`, which is to run the server.
    pub(crate) fn serve(
        settings: Settings,
        run: impl FnOnce(Server) -> Result<(), ServerError> + Send + 'static,
    ) -> Self {
        let server = Server::bind(settings).unwrap();
        let (handle, address) = (server.handle(), server.address().unwrap());
        let thread = std::thread::spawn(move || run(server).unwrap());
        Self { handle, address, thread: Some(thread) }
    }

    /// A client whose handshake is done.
    pub(crate) fn client(&self) -> Client {
        Client::open(self.address, "/")
    }

    /// Waits for the server's end.
    pub(crate) fn join(mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.unwrap();
            }
        }
    }
}

/// Connects until every worker has at least one, and there are `at_least`: the system decides which worker gets which.
pub(crate) fn clients(
    server: &Running,
    ids: &Receiver<ConnId>,
    workers: usize,
    at_least: usize,
) -> Vec<(ConnId, Client)> {
    let (mut clients, mut reached) = (Vec::new(), BTreeSet::new());
    while clients.len() < at_least || reached.len() < workers {
        assert!(clients.len() < 1000, "no connection in a thousand reached some worker");
        let client = server.client();
        let id = ids.recv_timeout(PATIENCE).unwrap();
        reached.insert(id.worker());
        clients.push((id, client));
    }
    clients
}

/// A frame as it came from the server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = &self.payload[..self.payload.len().min(40)];
        write!(f, "{:#x} {} {}", self.first, self.payload.len(), shown.escape_ascii())
    }
}

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

/// A client that does what it is told, right or wrong.
pub(crate) struct Client {
    pub(crate) socket: TcpStream,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// Opens a WebSocket over a socket that holds little of what it has not read.
    pub(crate) fn narrow(address: SocketAddr) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(65_536).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into()).opened("/")
    }

    fn over(socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket }
    }

    /// Connects and opens a WebSocket.
    pub(crate) fn open(address: SocketAddr, path: &str) -> Self {
        Self::connect(address).opened(path)
    }

    /// The same with one header more; gives the response's head as well.
    pub(crate) fn open_with(address: SocketAddr, path: &str, header: &str) -> (Self, String) {
        let mut client = Self::connect(address);
        let head = String::from_utf8(request(path)).unwrap();
        client.send(format!("{}\r\n{header}\r\n\r\n", head.trim_end()).as_bytes());
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        (client, head)
    }

    fn opened(mut self, path: &str) -> Self {
        self.send(&request(path));
        let head = self.head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        self
    }

    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.socket.write_all(octets).unwrap();
    }

    /// Sends a masked frame.
    pub(crate) fn frame(&mut self, first: u8, payload: &[u8]) {
        self.send(&frame(first, payload));
    }

    /// Reads a response head.
    pub(crate) fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut octet = [0];
            self.socket.read_exact(&mut octet).unwrap();
            head.push(octet[0]);
        }
        String::from_utf8(head).unwrap()
    }

    /// Reads the next frame; the end of the stream is an error.
    pub(crate) fn try_next(&mut self) -> io::Result<Frame> {
        let mut head = [0; 2];
        self.socket.read_exact(&mut head)?;
        assert!(head[1] & 0x80 == 0, "a server masks nothing (RFC 6455 section 5.1)");
        let len = match head[1] {
            126 => {
                let mut len = [0; 2];
                self.socket.read_exact(&mut len)?;
                u64::from(u16::from_be_bytes(len))
            }
            127 => {
                let mut len = [0; 8];
                self.socket.read_exact(&mut len)?;
                u64::from_be_bytes(len)
            }
            len => u64::from(len),
        };
        let mut payload = vec![0; usize::try_from(len).unwrap()];
        self.socket.read_exact(&mut payload)?;
        Ok(Frame { first: head[0], payload })
    }

    pub(crate) fn next(&mut self) -> Frame {
        self.try_next().unwrap()
    }

    /// The next frame must be this one.
    #[track_caller]
    pub(crate) fn expect(&mut self, first: u8, payload: &[u8]) {
        assert_eq!(self.next(), Frame { first, payload: payload.to_vec() });
    }

    /// The next frame must be a Close with this code, and nothing may come behind it.
    #[track_caller]
    pub(crate) fn expect_close(&mut self, code: u16) {
        let frame = self.next();
        assert_eq!(frame.first, CLOSE, "{frame:?}");
        assert_eq!(frame.payload.get(..2), Some(&code.to_be_bytes()[..]), "{frame:?}");
    }

    /// Nothing more may come.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) {
        let mut rest = Vec::new();
        self.socket.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "{}", rest.escape_ascii());
    }

    /// Ends the connection as RFC 6455 section 7.1.2 has it.
    #[track_caller]
    pub(crate) fn close(mut self) {
        self.frame(CLOSE, &1000u16.to_be_bytes());
        self.expect(CLOSE, &1000u16.to_be_bytes());
        self.expect_end();
    }
}

/// A request for a WebSocket.
pub(crate) fn request(path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// A masked frame.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x12, 0x9e, 0x55, 0xc3];
    let mut octets = vec![first];
    match payload.len() {
        len @ 0..126 => octets.push(0x80 | len as u8),
        len @ 126..0x1_0000 => {
            octets.push(0x80 | 126);
            octets.extend((len as u16).to_be_bytes());
        }
        len => {
            octets.push(0x80 | 127);
            octets.extend((len as u64).to_be_bytes());
        }
    }
    octets.extend(key);
    octets.extend(payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key));
    octets
}

/// Sends back what comes.
pub(crate) struct Echo;

impl Handler for Echo {
    fn message(&mut self, ctx: &mut martlet_std::Context<'_>, id: ConnId, message: martlet_std::Frame<'_>) {
        // Fails for a peer that is closing, which is what some tests are about.
        let _ = ctx.push(id, message);
    }
}
