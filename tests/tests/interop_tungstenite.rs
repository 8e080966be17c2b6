//! tungstenite, an independent implementation, as the other end: its client against our server, and our client against its server,
//! over pipes in memory.

use martlet_codec::{DataKind, Role};
use martlet_state::{
    Accept, Client, CloseFrame, Config, Connection, Event, Instant, Kind, Payload, Server, Side, State, Status, Writer,
};
use martlet_tests::Transcript;
use martlet_tests::drive::{REQUEST, rng};
use rand_chacha::ChaCha12Rng;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::server::{Request as PeerRequest, Response as PeerResponse};
use tungstenite::protocol::frame::coding::{Data as PeerData, OpCode};
use tungstenite::protocol::frame::{CloseFrame as PeerClose, Frame};
use tungstenite::{Error, Message, WebSocket};

type Pipe = Rc<RefCell<VecDeque<u8>>>;

/// tungstenite's side of two pipes. It reads a few octets at a time, so that everything is cut.
struct Stream {
    input: Pipe,
    output: Pipe,
    at_once: usize,
}

impl Read for Stream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut input = self.input.borrow_mut();
        let len = room.len().min(input.len()).min(self.at_once);
        if len == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        for (place, octet) in room.iter_mut().zip(input.drain(..len)) {
            *place = octet;
        }
        Ok(len)
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.output.borrow_mut().extend(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Our side: it echoes, if it is to, and keeps what came.
struct Ours<'c, S: Side> {
    connection: Connection<'c, S>,
    input: Pipe,
    output: Pipe,
    held: Vec<u8>,
    transcript: Transcript,
    echo: bool,
    lines: Vec<String>,
    /// Room for what it says, in which the longest message fits.
    room: Vec<u8>,
}

impl<'c, S: Side> Ours<'c, S> {
    fn new(connection: Connection<'c, S>, input: &Pipe, output: &Pipe, echo: bool) -> Self {
        let (input, output) = (Rc::clone(input), Rc::clone(output));
        let room = vec![0; 1 << 18];
        Self {
            connection,
            input,
            output,
            held: Vec::new(),
            transcript: Transcript::new(),
            echo,
            lines: Vec::new(),
            room,
        }
    }

    /// Takes what has come, `at_once` octets a time.
    fn step(&mut self, at_once: usize, mut accept: impl FnMut(&mut Connection<'c, S>, &mut Writer<'_>)) {
        loop {
            let fresh: Vec<u8> = {
                let mut input = self.input.borrow_mut();
                let len = input.len().min(at_once);
                input.drain(..len).collect()
            };
            if fresh.is_empty() {
                return;
            }
            self.held.extend(fresh);
            let mut held = std::mem::take(&mut self.held);
            let mut input = &mut held[..];
            loop {
                let mut output = Writer::new(&mut self.room);
                match self.connection.receive(Instant(0), &mut input, &mut output).unwrap() {
                    Status::More => break,
                    Status::NoRoom(no_room) => panic!("{no_room:?}"),
                    Status::Event(Event::Request { kind, .. }) => {
                        assert!(matches!(kind, Kind::Upgrade(_)));
                        accept(&mut self.connection, &mut output);
                    }
                    Status::Event(Event::Data(data)) => {
                        if let Some((kind, payload)) = self.transcript.data(&data) {
                            self.lines.push(martlet_tests::transcript::message(kind, &payload));
                            if self.echo {
                                self.connection.send(as_payload(kind, &payload), &mut output).unwrap();
                            }
                        }
                    }
                    Status::Event(event) => self.lines.push(format!("{event:?}")),
                }
                self.output.borrow_mut().extend(output.written());
            }
            self.held = input.to_vec();
        }
    }

    fn say(&mut self, say: impl FnOnce(&mut Connection<'c, S>, &mut Writer<'_>)) {
        let mut output = Writer::new(&mut self.room);
        say(&mut self.connection, &mut output);
        self.output.borrow_mut().extend(output.written());
    }
}

fn as_payload(kind: DataKind, payload: &[u8]) -> Payload<'_> {
    match kind {
        DataKind::Text => Payload::Text(std::str::from_utf8(payload).unwrap()),
        DataKind::Binary => Payload::Binary(payload),
    }
}

/// What tungstenite has, if anything.
fn read(peer: &mut WebSocket<Stream>) -> Option<Message> {
    loop {
        match peer.read() {
            Ok(message) => return Some(message),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                // It reads so little at once that there may be more.
                if peer.get_ref().input.borrow().is_empty() {
                    return None;
                }
            }
            Err(Error::ConnectionClosed) => return None,
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn messages() -> Vec<Message> {
    let lengths = [0, 1, 2, 124, 125, 126, 127, 1000, 4096, 65_535, 65_536, 65_537, 100_000];
    let texts = ["", "Hello", "Grüße, 中 😀", "\u{0}\u{7f}\u{10ffff}"];
    let long = |len: usize| "aß中😀 ".chars().cycle().take(len / 2).collect::<String>();
    let binary = |len: usize| (0..len).map(|at| (at * 31 + at / 256) as u8).collect::<Vec<u8>>();
    let texts = texts.into_iter().map(Message::text).chain(lengths.map(long).into_iter().map(Message::text));
    texts.chain(lengths.map(binary).into_iter().map(Message::binary)).collect()
}

/// A tungstenite client with its handshake behind it, and our server.
fn their_client<'c>(config: &'c Config<'c>, at_once: usize) -> (WebSocket<Stream>, Ours<'c, Server>) {
    let (up, down) = (Pipe::default(), Pipe::default());
    let mut ours = Ours::new(Connection::server(config, Instant(0)), &up, &down, true);
    let stream = Stream { input: down, output: up, at_once };
    let request = tungstenite::http::Request::builder()
        .uri("ws://server.example.com/chat")
        .header("Host", "server.example.com")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Key", tungstenite::handshake::client::generate_key())
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Protocol", "chat, superchat")
        .body(())
        .unwrap();
    let mut handshake = match tungstenite::client::client(request, stream) {
        Err(HandshakeError::Interrupted(handshake)) => handshake,
        other => panic!("there is no answer yet: {:?}", other.map(|_| ())),
    };
    loop {
        ours.step(at_once, |connection, output| connection.accept(Instant(0), &Accept::default(), output).unwrap());
        match handshake.handshake() {
            Ok((peer, response)) => {
                assert_eq!(
                    response.headers().get("Sec-WebSocket-Protocol").map(|name| name.as_bytes()),
                    Some(&b"superchat"[..])
                );
                return (peer, ours);
            }
            Err(HandshakeError::Interrupted(again)) => handshake = again,
            Err(HandshakeError::Failure(error)) => panic!("{error:?}"),
        }
    }
}

/// A tungstenite server with its handshake behind it, and our client.
fn their_server<'c>(config: &'c Config<'c>, at_once: usize) -> (WebSocket<Stream>, Ours<'c, Client<ChaCha12Rng>>) {
    let (up, down) = (Pipe::default(), Pipe::default());
    let mut room = [0; 1024];
    let mut output = Writer::new(&mut room);
    let connection = Connection::client(config, Instant(0), rng(), &REQUEST, &mut output).unwrap();
    up.borrow_mut().extend(output.written());
    let mut ours = Ours::new(connection, &down, &up, true);
    #[allow(clippy::result_large_err)] // The type is the peer's.
    let callback = |request: &PeerRequest, mut response: PeerResponse| {
        assert_eq!(request.uri().path(), "/chat");
        response.headers_mut().insert("Sec-WebSocket-Protocol", "superchat".parse().unwrap());
        Ok(response)
    };
    let mut attempt = tungstenite::accept_hdr(Stream { input: up, output: down, at_once }, callback);
    let peer = loop {
        match attempt {
            Ok(peer) => break peer,
            Err(HandshakeError::Interrupted(again)) => attempt = again.handshake(),
            Err(HandshakeError::Failure(error)) => panic!("{error:?}"),
        }
    };
    ours.step(at_once, |_, _| unreachable!("a client gets no request"));
    assert_eq!(ours.connection.state(), State::Active);
    ours.lines.clear();
    (peer, ours)
}

const CONFIG: Config<'_> = Config { subprotocols: &["superchat"], ..Config::DEFAULT };

/// Messages of every length come back as they went, in one frame and in three.
fn echoes<S: Side>((mut peer, mut ours): (WebSocket<Stream>, Ours<'_, S>), at_once: usize) {
    let step = |ours: &mut Ours<'_, S>| ours.step(at_once, |_, _| unreachable!("the handshake is over"));
    for message in messages() {
        peer.send(message.clone()).unwrap();
        step(&mut ours);
        assert_eq!(read(&mut peer), Some(message));
    }
    for message in messages() {
        let (op, payload) = match &message {
            Message::Text(text) => (PeerData::Text, text.as_bytes().to_vec()),
            other => (PeerData::Binary, other.clone().into_data().to_vec()),
        };
        let (first, second) = (payload.len() / 3, payload.len() / 2);
        peer.send(Message::Frame(Frame::message(payload[..first].to_vec(), OpCode::Data(op), false))).unwrap();
        peer.send(Message::Ping(b"between".to_vec().into())).unwrap();
        let continued = OpCode::Data(PeerData::Continue);
        peer.send(Message::Frame(Frame::message(payload[first..second].to_vec(), continued, false))).unwrap();
        peer.send(Message::Frame(Frame::message(payload[second..].to_vec(), continued, true))).unwrap();
        step(&mut ours);
        assert_eq!(read(&mut peer), Some(Message::Pong(b"between".to_vec().into())));
        assert_eq!(read(&mut peer), Some(message));
    }
    ours.say(|connection, output| connection.ping(b"are you there", output).unwrap());
    assert_eq!(read(&mut peer), Some(Message::Ping(b"are you there".to_vec().into())));
    peer.flush().unwrap();
    ours.lines.clear();
    step(&mut ours);
    assert_eq!(ours.lines, [format!("{:?}", Event::Pong(b"are you there"))]);
}

/// Either end closes, with a code and a reason, and both ends know it.
fn closes<S: Side>(open: impl Fn() -> (WebSocket<Stream>, Ours<'static, S>), role: Role) {
    for (code, reason) in [(1000, ""), (1001, "going"), (4999, "Grüße")] {
        let frame = PeerClose { code: code.into(), reason: reason.into() };
        let (mut peer, mut ours) = open();
        peer.close(Some(frame.clone())).unwrap();
        ours.step(7, |_, _| unreachable!("the handshake is over"));
        assert_eq!(ours.connection.state(), State::Closed);
        // The echo carries the code.
        let echo = read(&mut peer);
        assert!(matches!(&echo, Some(Message::Close(Some(back))) if back.code == code.into()), "{role:?} {echo:?}");

        let (mut peer, mut ours) = open();
        ours.say(|connection, output| {
            connection.close(Instant(0), Some(CloseFrame::new(code, reason).unwrap()), output).unwrap();
        });
        assert_eq!(read(&mut peer), Some(Message::Close(Some(frame))));
        peer.flush().ok();
        ours.step(7, |_, _| unreachable!("the handshake is over"));
        assert_eq!(ours.connection.state(), State::Closed, "{role:?}");
        assert_eq!(ours.lines.len(), 1, "{:?}", ours.lines);
    }
}

#[test]
fn a_tungstenite_client_and_our_server() {
    for at_once in [11, usize::MAX] {
        echoes(their_client(&CONFIG, at_once), at_once.max(500));
    }
    closes(|| their_client(&CONFIG, 5), Role::Server);
}

#[test]
fn our_client_and_a_tungstenite_server() {
    for at_once in [11, usize::MAX] {
        echoes(their_server(&CONFIG, at_once), at_once.max(500));
    }
    closes(|| their_server(&CONFIG, 5), Role::Client);
}
