//! The blocking client: against this crate's server, and against servers that do wrong.

mod common;

use common::{PATIENCE, Running, settings};
use martlet_handshake::accept_key;
use martlet_state::{Expired, ResponseFault, Violation};
use martlet_std::{
    By, Client, ClientError, Closed, ConnId, ConnectError, Connector, Context, DeflateParams, Flags, Frame, Handler,
    InvalidUrl, Outgoing, PushError, Received, Settings,
};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Echoes; `close` closes, `ping` pings, `end` ends at once. Tells how connections end.
struct Server(Sender<(u16, bool, By)>);

impl Handler for Server {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        match frame.text() {
            Some("close") => ctx.disconnect(id, 4000, "as you wish").unwrap(),
            Some("ping") => ctx.ping(id, b"there?").unwrap(),
            Some("end") => ctx.close(id, false).unwrap(),
            _ => ctx.push(id, frame).unwrap(),
        }
    }

    fn close(&mut self, _ctx: &mut Context<'_>, _id: ConnId, closed: &Closed<'_>) {
        self.0.send((closed.code, closed.clean, closed.by)).unwrap();
    }
}

fn start(settings: Settings) -> (Running, String, std::sync::mpsc::Receiver<(u16, bool, By)>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let server = Running::start(settings, move |_| Server(tell.lock().unwrap().clone()));
    let url = format!("ws://{}/", server.address);
    (server, url, told)
}

#[test]
fn messages_of_every_size_come_back() {
    let (_server, url, told) = start(settings(1));
    let mut client = Client::connect(&url).unwrap();
    for len in [0, 1, 125, 126, 16_000, 65_535, 65_536, 1 << 20] {
        let octets: Vec<u8> = (0..len).map(|n| n as u8).collect();
        client.send(&octets[..]).unwrap();
        assert_eq!(client.recv().unwrap(), Received::Binary(&octets));
        let text = "ü".repeat(len / 2);
        client.send(text.as_str()).unwrap();
        assert_eq!(client.recv().unwrap(), Received::Text(&text));
    }
    client.ping(b"abc").unwrap();
    assert_eq!(client.recv().unwrap(), Received::Pong(b"abc"));
    // A Ping of the server is answered while something is awaited.
    client.send("ping").unwrap();
    client.send(Outgoing::from("in ").flags(Flags::NONE)).unwrap();
    client.ping(b"between").unwrap();
    client.send(Outgoing::continuation(b"parts")).unwrap();
    assert_eq!(client.recv().unwrap(), Received::Pong(b"between"));
    assert_eq!(client.recv().unwrap(), Received::Text("in parts"));
    assert!(client.recv_timeout(Duration::from_millis(20)).unwrap().is_none());
    client.close(1000, "done").unwrap();
    assert_eq!(told.recv().unwrap(), (1000, true, By::Peer));
}

#[test]
fn the_end_is_told_once_and_nothing_is_sent_after_it() {
    let (_server, url, told) = start(settings(1));
    let mut client = Client::connect(&url).unwrap();
    client.send("close").unwrap();
    assert_eq!(client.recv().unwrap(), Received::Closed { code: 4000, reason: "as you wish" });
    assert!(matches!(client.recv(), Err(ClientError::Closed)));
    assert!(matches!(client.send("more"), Err(ClientError::Send(PushError::Closing))));
    assert_eq!(told.recv().unwrap(), (4000, true, By::Server));
    let mut client = Client::connect(&url).unwrap();
    client.send("end").unwrap();
    assert_eq!(client.recv().unwrap(), Received::Closed { code: 1006, reason: "" });
    let mut client = Client::connect(&url).unwrap();
    assert!(matches!(client.send(Outgoing::continuation(b"")), Err(ClientError::Send(PushError::NothingToContinue))));
    assert!(matches!(client.ping(&[0; 126]), Err(ClientError::Send(PushError::Misuse(_)))));
    assert!(matches!(client.close(1005, ""), Err(ClientError::Send(PushError::Misuse(_)))));
}

#[test]
fn two_threads_send_and_receive_at_the_same_time() {
    let (_server, url, _) = start(settings(1));
    let connector = Connector::new().compression(DeflateParams::CONTEXT_TAKEOVER);
    let (mut reader, mut writer) = connector.connect(&url).unwrap().split();
    let payload = vec![b'x'; 20_000];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..500 {
                writer.send(n.to_string().as_str()).unwrap();
                writer.send(&payload[..]).unwrap();
                if n % 50 == 0 {
                    writer.ping(b"").unwrap();
                }
            }
            writer.close(1000, "").unwrap();
        });
        for n in 0..500 {
            assert_eq!(reader.recv().unwrap(), Received::Text(&n.to_string()));
            let Received::Binary(octets) = reader.recv().unwrap() else { panic!() };
            assert_eq!(octets.len(), payload.len());
            if n % 50 == 0 {
                assert_eq!(reader.recv().unwrap(), Received::Pong(b""));
            }
        }
        assert_eq!(reader.recv().unwrap(), Received::Closed { code: 1000, reason: "" });
    });
}

#[test]
fn what_was_agreed_on_is_known_and_used() {
    for takeover in [false, true] {
        let settings = Settings {
            websocket_compression: true,
            websocket_subprotocol: vec!["b".into(), "a".into()],
            server_no_context_takeover: !takeover,
            client_no_context_takeover: !takeover,
            ..settings(1)
        };
        let (server, url, _) = start(settings);
        let connector = Connector::new()
            .subprotocols(&["a", "b"])
            .compression(DeflateParams::CONTEXT_TAKEOVER)
            .header("X-Test", "1")
            .origin("http://example.org");
        let mut client = connector.connect(&url).unwrap();
        assert_eq!(client.subprotocol(), Some("b"));
        assert_eq!(client.compression().unwrap().server.no_context_takeover, !takeover);
        let text = "so it goes. ".repeat(2000);
        for _ in 0..3 {
            client.send(text.as_str()).unwrap();
            assert_eq!(client.recv().unwrap(), Received::Text(&text));
            client.send(Outgoing::from(&b"aaaaaaaaaaaaaaaaaaaaaaaa"[..]).flags(Flags::FIN | Flags::COMPRESS)).unwrap();
            assert_eq!(client.recv().unwrap(), Received::Binary(b"aaaaaaaaaaaaaaaaaaaaaaaa"));
        }
        let sent = server.handle.stats().bytes_in;
        assert!(sent < 4000, "six messages of 72,072 octets took {sent}");
    }
}

#[test]
fn what_is_no_url_and_whom_nobody_answers() {
    assert!(matches!(Client::connect("http://x/"), Err(ConnectError::Url(InvalidUrl::Scheme))));
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(Client::connect(&format!("ws://{unused}/")), Err(ConnectError::Connect(_))));
    assert!(matches!(Client::connect("ws://host.invalid/"), Err(ConnectError::Resolve(_))));
    let connector = Connector::new().header("Upgrade", "x");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    assert!(matches!(connector.connect(&url), Err(ConnectError::Request(_))));
    assert!(matches!(
        Connector::new().max_message_bytes(0).connect(&url),
        Err(ConnectError::Setting("max_message_bytes", _))
    ));
}

/// A server that answers one handshake by hand.
fn by_hand(serve: impl FnOnce(&mut TcpStream, String) + Send + 'static) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let (mut head, mut octet) = (String::new(), [0]);
        while !head.ends_with("\r\n\r\n") {
            socket.read_exact(&mut octet).unwrap();
            head.push(char::from(octet[0]));
        }
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let accept = String::from_utf8(accept_key(key.as_bytes().try_into().unwrap()).to_vec()).unwrap();
        serve(&mut socket, accept);
    });
    (url, thread)
}

fn answer(accept: &str, more: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )
    .into_bytes()
}

/// What becomes of it when the server answers with these octets, in which `ACCEPT` stands for the right key, and ends.
fn answered(connector: &Connector<'_>, octets: &'static str) -> ConnectError {
    let (url, thread) = by_hand(move |socket, accept| {
        let _ = socket.write_all(octets.replace("ACCEPT", &accept).as_bytes());
    });
    let error = connector.connect(&url).unwrap_err();
    thread.join().unwrap();
    error
}

#[test]
fn wrong_answers_are_refused_by_name() {
    let right = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n";
    let leak = |more: &str| -> &'static str { Box::leak(format!("{right}{more}\r\n").into_boxed_str()) };
    let rows = [
        (
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            ResponseFault::AcceptMismatch,
        ),
        ("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", ResponseFault::AcceptMissing),
        (
            "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n",
            ResponseFault::UpgradeMissing,
        ),
        (leak("Sec-WebSocket-Extensions: permessage-deflate\r\n"), ResponseFault::ExtensionNotOffered),
        (leak("Sec-WebSocket-Protocol: chat\r\n"), ResponseFault::SubprotocolNotOffered),
        ("SSH-2.0-OpenSSH_9.2\r\n", ResponseFault::StatusLineInvalid),
    ];
    for (octets, fault) in rows {
        match answered(&Connector::new(), octets) {
            ConnectError::Response(found) => assert_eq!(found, fault, "{octets:?}"),
            other => panic!("{octets:?}: {other:?}"),
        }
    }
    assert!(matches!(answered(&Connector::new(), "HTTP/1.1 101 Switching"), ConnectError::Ended));
    let narrow = Connector::new().compression(DeflateParams::CONTEXT_TAKEOVER);
    let octets = leak("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7\r\n");
    assert!(matches!(answered(&narrow, octets), ConnectError::Response(ResponseFault::DeflateParamInvalid)));
}

#[test]
fn a_refusal_comes_with_its_status_headers_and_body() {
    let rows = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", None),
        (
            "HTTP/1.1 401 x\r\nWWW-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n1\r\n!\r\n0\r\n\r\n",
            401,
            "no!",
            None,
        ),
        ("HTTP/1.0 404 x\r\n\r\nto the end", 404, "to the end", None),
        (
            "HTTP/1.1 103 x\r\nWWW-Authenticate: x\r\nContent-Length: 9\r\n\r\nHTTP/1.1 403 x\r\nContent-Length: 2\r\n\r\nno",
            403,
            "no",
            None,
        ),
        (
            "HTTP/1.1 302 x\r\nLocation: wss://example.org/\r\nContent-Length: 0\r\n\r\n",
            302,
            "",
            Some("wss://example.org/"),
        ),
        ("HTTP/1.1 503 x\r\nContent-Length: 100\r\n\r\ncut off", 503, "cut off", None),
    ];
    for (octets, status, body, location) in rows {
        let ConnectError::Refused(refused) = answered(&Connector::new(), octets) else { panic!("{octets:?}") };
        assert_eq!((refused.status, refused.body.as_slice()), (status, body.as_bytes()), "{octets:?}");
        assert_eq!(refused.location(), location);
        assert_eq!(refused.header("www-authenticate").is_some(), status == 401);
    }
}

#[test]
fn silence_and_an_endless_head_end_within_the_deadline() {
    let connector = Connector::new().handshake_timeout(Duration::from_millis(200));
    let (url, thread) = by_hand(|socket, _| assert_eq!(socket.read(&mut [0]).unwrap_or(0), 0));
    let begun = Instant::now();
    assert!(matches!(connector.connect(&url).unwrap_err(), ConnectError::TimedOut));
    assert!(begun.elapsed() >= Duration::from_millis(200));
    thread.join().unwrap();
    let (url, thread) = by_hand(|socket, _| {
        let _ = socket.write_all(b"HTTP/1.1 101 x\r\n");
        while socket.write_all(b"X-More: and more\r\n").is_ok() {}
    });
    assert!(matches!(Client::connect(&url).unwrap_err(), ConnectError::Response(ResponseFault::Head(_))));
    thread.join().unwrap();
    // It drips a head for ever: each octet is a sign of life, and none of them helps.
    let (url, thread) = by_hand(|socket, _| {
        let _ = socket.write_all(b"HTTP/1.1 101 x\r\nX: ");
        while socket.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    assert!(matches!(connector.connect(&url).unwrap_err(), ConnectError::TimedOut));
    thread.join().unwrap();
}

#[test]
fn frames_behind_the_answer_are_whole_however_it_is_cut() {
    let frames = b"\x81\x05Hello\x89\x01p\x02\x01a\x80\x01b\x88\x05\x03\xe8bye";
    let len = answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "").len() + frames.len();
    for cut in 0..len {
        let (url, thread) = by_hand(move |socket, accept| {
            let octets = [&answer(&accept, "")[..], frames].concat();
            socket.set_nodelay(true).unwrap();
            socket.write_all(&octets[..cut]).unwrap();
            std::thread::yield_now();
            socket.write_all(&octets[cut..]).unwrap();
            // The Pong and the echo of the Close, masked with a key of their own each.
            let mut answers = Vec::new();
            socket.read_to_end(&mut answers).unwrap();
            assert_eq!((answers.len(), &answers[..2], &answers[7..9]), (15, &[0x8a, 0x81][..], &[0x88, 0x82][..]));
            assert_ne!(answers[2..6], answers[9..13], "a fresh key for each frame");
        });
        let mut client = Client::connect(&url).unwrap();
        assert_eq!(client.recv().unwrap(), Received::Text("Hello"), "{cut}");
        assert_eq!(client.recv().unwrap(), Received::Binary(b"ab"), "{cut}");
        assert_eq!(client.recv().unwrap(), Received::Closed { code: 1000, reason: "bye" }, "{cut}");
        drop(client);
        thread.join().unwrap();
    }
}

#[test]
fn a_socket_is_given_away_with_what_has_come_behind_what_was_received() {
    let (url, thread) = by_hand(|socket, accept| {
        let octets = [&answer(&accept, "")[..], b"\x81\x05Hello\x81\x05there"].concat();
        socket.write_all(&octets).unwrap();
        let mut came = Vec::new();
        socket.read_to_end(&mut came).unwrap();
        assert_eq!(came, b"by hand");
    });
    let mut client = Client::connect(&url).unwrap();
    assert_eq!(client.recv().unwrap(), Received::Text("Hello"));
    let (mut socket, mut rest) = client.into_socket().unwrap();
    socket.write_all(b"by hand").unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    socket.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"\x81\x05there");
    thread.join().unwrap();
}

/// What a client with these settings hears when the server sends these octets behind its answer, and the code that it answers with.
fn broken(connector: &Connector<'_>, more: &'static str, frames: &'static [u8]) -> (ClientError, u16) {
    let (tell, told) = channel();
    let (url, thread) = by_hand(move |socket, accept| {
        socket.write_all(&[&answer(&accept, more)[..], frames].concat()).unwrap();
        let mut answers = Vec::new();
        socket.read_to_end(&mut answers).unwrap();
        assert_eq!(answers[0], 0x88);
        tell.send(u16::from_be_bytes([answers[6] ^ answers[2], answers[7] ^ answers[3]])).unwrap();
    });
    let mut client = connector.connect(&url).unwrap();
    let error = loop {
        if let Err(error) = client.recv() {
            break error;
        }
    };
    assert!(matches!(client.recv(), Err(ClientError::Closed)), "it is told once");
    drop(client);
    thread.join().unwrap();
    (error, told.recv().unwrap())
}

#[test]
fn a_server_that_breaks_a_rule_is_told_so() {
    let plain = Connector::new();
    let small = Connector::new().max_message_bytes(10);
    let zip = Connector::new().compression(DeflateParams::NO_CONTEXT_TAKEOVER).max_message_bytes(100);
    let agreed =
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";
    let rows: &[(&Connector<'_>, &str, &[u8], Violation, u16)] = &[
        (&plain, "", b"\x81\x81\0\0\0\0a", Violation::MaskForbidden, 1002),
        (&plain, "", b"\xc1\x01a", Violation::RsvUnclaimed, 1002),
        (&plain, "", b"\x81\x01\xff", Violation::Utf8Invalid, 1007),
        (&small, "", b"\x81\x0b12345678901", Violation::FrameTooBig, 1009),
        (&zip, agreed, b"\xc1\x03\xff\xff\xff", Violation::DeflateInvalid, 1007),
        // "a" and 258 of them more.
        (&zip, agreed, b"\xc1\x06\x4a\x1c\x05\x00\x00\x00", Violation::MessageTooBig, 1009),
    ];
    for (connector, more, frames, violation, code) in rows {
        let (more, frames): (&'static str, &'static [u8]) = (Box::leak((*more).into()), Box::leak((*frames).into()));
        match broken(connector, more, frames) {
            (ClientError::Violation(found), closed) => assert_eq!((found, closed), (*violation, *code), "{frames:x?}"),
            other => panic!("{frames:x?}: {other:?}"),
        }
    }
}

#[test]
fn a_server_that_is_gone_is_noticed() {
    let connector = Connector::new().heartbeat(Duration::from_millis(30), Duration::from_millis(30));
    let (url, thread) = by_hand(|socket, accept| {
        socket.write_all(&answer(&accept, "")).unwrap();
        // A Ping comes, and then the end, with a Close that says why.
        let mut answers = Vec::new();
        socket.read_to_end(&mut answers).unwrap();
        assert_eq!((answers[0], answers[6]), (0x89, 0x88));
    });
    let mut client = connector.connect(&url).unwrap();
    assert!(matches!(client.recv(), Err(ClientError::TimedOut(Expired::Pong))));
    drop(client);
    thread.join().unwrap();
    // A part of a frame is a sign of life once, however often somebody asks for the rest.
    let (url, thread) = by_hand(|socket, accept| {
        socket.write_all(&[&answer(&accept, "")[..], b"\x81"].concat()).unwrap();
        socket.read_to_end(&mut Vec::new()).unwrap();
    });
    let mut client = connector.connect(&url).unwrap();
    let asked = Instant::now();
    let error = loop {
        match client.recv_timeout(Duration::from_millis(5)) {
            Ok(None) => assert!(asked.elapsed() < PATIENCE, "half a frame keeps it for ever"),
            Ok(Some(received)) => panic!("{received:?}"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ClientError::TimedOut(Expired::Pong)), "{error:?}");
    drop(client);
    thread.join().unwrap();
    let connector = Connector::new().close_timeout(Duration::from_millis(50));
    let (url, thread) = by_hand(|socket, accept| {
        socket.write_all(&answer(&accept, "")).unwrap();
        socket.read_to_end(&mut Vec::new()).unwrap();
    });
    let client = connector.connect(&url).unwrap();
    assert!(matches!(client.close(1000, ""), Err(ClientError::TimedOut(Expired::Close))));
    thread.join().unwrap();
}

/// What is half-sent cannot be taken back: nothing may follow it.
#[test]
fn behind_a_write_that_failed_nothing_is_sent() {
    let connector = Connector::new().write_timeout(Duration::from_millis(100));
    let (let_go, go_on) = channel();
    let (url, thread) = by_hand(move |socket, accept| {
        socket.write_all(&answer(&accept, "")).unwrap();
        go_on.recv_timeout(PATIENCE).unwrap();
        let mut came = Vec::new();
        let _ = socket.read_to_end(&mut came);
        assert_eq!(came[0], 0x82);
        assert!(came.len() < 64 << 20, "{} octets of one message", came.len());
    });
    let mut client = connector.connect(&url).unwrap();
    // More than the system keeps for a peer that does not read.
    let failed = client.send(&vec![0; 64 << 20][..]);
    assert!(matches!(failed, Err(ClientError::Io(_))), "{failed:?}");
    let again = client.send("more");
    assert!(matches!(again, Err(ClientError::Send(PushError::Closing))), "{again:?}");
    let_go.send(()).unwrap();
    assert_eq!(client.recv().unwrap(), Received::Closed { code: 1006, reason: "" });
    drop(client);
    thread.join().unwrap();
}
