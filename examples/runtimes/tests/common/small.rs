//! What the tests of the two small adapters share: small buffers, streams of the system by their traits, and who judges what was said.

use embedded_io::{ErrorKind, ErrorType};
use martlet::codec::MAX_HEADER;
use martlet::state::{Config, Data, DataKind, HeadMode, MIN_OUTPUT};
use std::io::{self, Cursor, Read, Write};
use tungstenite::protocol::Role;

/// The least that the core wants of an inbox: heads go through it line by line.
pub(crate) const IN: usize = 139;
/// Room for the core's own, and for a piece as long as the inbox.
pub(crate) const OUT: usize = MIN_OUTPUT + MAX_HEADER + IN;

/// Nothing is due by itself.
pub(crate) static CONFIG: Config<'_> = lines(Config { idle_ms: 0, ..Config::DEFAULT });
pub(crate) static HEARTBEAT: Config<'_> = lines(Config::DEFAULT);

const fn lines(config: Config<'static>) -> Config<'static> {
    let head = martlet::handshake::Limits { max_line_bytes: IN as u32, ..config.head };
    Config { head_mode: HeadMode::Lines, head, ..config }
}

/// What was heard, pieces put together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard(pub(crate) Vec<(String, Vec<u8>)>);

impl Heard {
    pub(crate) fn piece(&mut self, data: &Data<'_>) {
        if data.is_first() {
            self.0.push((format!("{:?}", data.kind()), Vec::new()));
        }
        self.0.last_mut().unwrap().1.extend_from_slice(data.payload());
    }

    pub(crate) fn control(&mut self, name: &str, body: &[u8]) {
        self.0.push((name.into(), body.into()));
    }
}

/// What tungstenite, as `role`, makes of what was said behind a head.
pub(crate) fn judged(role: Role, said: &[u8]) -> Heard {
    struct Wire(Cursor<Vec<u8>>);
    impl Read for Wire {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.0.read(room)
        }
    }
    impl Write for Wire {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            Ok(octets.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let begin = said.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
    let mut peer = tungstenite::WebSocket::from_raw_socket(Wire(Cursor::new(said[begin..].to_vec())), role, None);
    let mut heard = Heard::default();
    loop {
        match peer.read().unwrap() {
            tungstenite::Message::Text(text) => heard.control(&format!("{:?}", DataKind::Text), text.as_bytes()),
            tungstenite::Message::Binary(octets) => heard.control(&format!("{:?}", DataKind::Binary), &octets),
            tungstenite::Message::Pong(body) => heard.control("Pong", &body),
            tungstenite::Message::Ping(body) => heard.control("Ping", &body),
            tungstenite::Message::Close(close) => {
                heard.control("Close", &close.map_or(0, |close| u16::from(close.code)).to_be_bytes());
                return heard;
            }
            tungstenite::Message::Frame(_) => unreachable!("no message is a frame"),
        }
    }
}

/// Sends messages of all sizes to a server at `address`, and wants them back; then closes.
pub(crate) fn talk(address: std::net::SocketAddr) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let stream = std::net::TcpStream::connect(address).unwrap();
        let (mut socket, _) = tungstenite::client("ws://a/", stream).unwrap();
        for len in [0, 1, 125, 126, 139, 140, 4096, 65_535, 65_536, 200_000] {
            let text = tungstenite::Message::text("ü".repeat(len / 2));
            let binary = tungstenite::Message::binary(vec![0xff; len]);
            for message in [text, binary] {
                socket.send(message.clone()).unwrap();
                assert_eq!(socket.read().unwrap(), message);
            }
        }
        socket.close(None).unwrap();
        while socket.read().is_ok() {}
    })
}

/// A stream that gives what it has, takes `takes` octets, and then is silent and deaf.
pub(crate) struct Deaf {
    pub(crate) gives: &'static [u8],
    pub(crate) takes: usize,
    pub(crate) said: Vec<u8>,
}

impl Deaf {
    pub(crate) const fn new(gives: &'static [u8], takes: usize) -> Self {
        Self { gives, takes, said: Vec::new() }
    }

    fn give(&mut self, room: &mut [u8]) -> Option<usize> {
        let len = self.gives.len().min(room.len());
        room[..len].copy_from_slice(&self.gives[..len]);
        self.gives = &self.gives[len..];
        (len > 0).then_some(len)
    }

    fn take(&mut self, octets: &[u8]) -> Option<usize> {
        let len = octets.len().min(self.takes);
        self.said.extend_from_slice(&octets[..len]);
        self.takes -= len;
        (len > 0).then_some(len)
    }
}

impl ErrorType for Deaf {
    type Error = ErrorKind;
}

impl embedded_io::Read for Deaf {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        self.give(room).ok_or(ErrorKind::TimedOut)
    }
}

impl embedded_io::Write for Deaf {
    fn write(&mut self, octets: &[u8]) -> Result<usize, ErrorKind> {
        self.take(octets).ok_or(ErrorKind::TimedOut)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl embedded_io_async::Read for Deaf {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        match self.give(room) {
            Some(len) => Ok(len),
            None => std::future::pending().await,
        }
    }
}

impl embedded_io_async::Write for Deaf {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, ErrorKind> {
        match self.take(octets) {
            Some(len) => Ok(len),
            None => std::future::pending().await,
        }
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
