//! What a handler hears, and what its mistakes do.

mod common;

use common::{BINARY, CLOSE, Client, PATIENCE, PONG, Running, TEXT, frame, request, settings};
use martlet_std::{
    By, Closed, ConnId, Context, Decision, Flags, Frame, Handler, Misuse, Opcode, PushError, Request, Response,
    Settings, State, Timer,
};
use std::io::Read;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Says what it hears, and does what the text messages say.
struct Teller {
    tell: Sender<(ConnId, String)>,
    timers: Vec<(Timer, ConnId)>,
}

impl Teller {
    fn tell(&self, id: ConnId, what: impl Into<String>) {
        // The test that no longer listens has failed already.
        let _ = self.tell.send((id, what.into()));
    }
}

impl Handler for Teller {
    fn handshake(&mut self, ctx: &mut Context<'_>, request: &Request<'_>) -> Decision {
        match request.path() {
            "/hasty" => {
                let too_early = [
                    ctx.push(request.id(), "x"),
                    ctx.ping(request.id(), b""),
                    ctx.disconnect(request.id(), 1000, ""),
                    ctx.subscribe(request.id(), "x"),
                ];
                self.tell(request.id(), format!("{too_early:?}"));
                Decision::default()
            }
            "/secret" => Decision::Reject(Response::text(403, "no").with_header("X-Why", "because")),
            "/split" => Decision::Accept { subprotocol: None, headers: vec![("X".into(), "a\r\nY: b".into())] },
            "/chat" => Decision::Accept {
                subprotocol: request.subprotocols().last().map(|offered| offered.to_string()),
                headers: vec![("X-Room".into(), "7".into())],
            },
            "/unoffered" => Decision::Accept { subprotocol: Some("mine".into()), headers: Vec::new() },
            "/panic" => panic!("a mistake in the handshake"),
            _ => Decision::default(),
        }
    }

    fn open(&mut self, ctx: &mut Context<'_>, id: ConnId, request: &Request<'_>) {
        self.tell(id, format!("open {} {}", request.target(), request.remote().address().unwrap().ip()));
        match request.path() {
            "/greet" => ctx.push(id, "welcome").unwrap(),
            "/leave" => {
                ctx.push(id, "not for you").unwrap();
                ctx.disconnect(id, 3000, "go").unwrap();
                assert_eq!(ctx.push(id, "too late"), Err(PushError::Closing));
            }
            "/cut" => ctx.close(id, false).unwrap(),
            "/panic-open" => panic!("a mistake when it opens"),
            _ => {}
        }
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        if frame.opcode() == Opcode::Pong {
            return self.tell(id, format!("pong {}", frame.payload().escape_ascii()));
        }
        match frame.text() {
            Some("panic") => panic!("a mistake with a message"),
            Some("disconnect") => ctx.disconnect(id, 4001, "as you wish").unwrap(),
            Some("wrong code") => self.tell(id, format!("{:?}", ctx.disconnect(id, 1005, ""))),
            Some("ping") => ctx.ping(id, b"are you there").unwrap(),
            Some("info") => {
                let info = ctx.info(id).unwrap();
                let text = format!("{} {} {}", info.state as u8, info.traffic.frames_in, info.traffic.frames_out);
                ctx.push(id, text.as_str()).unwrap();
            }
            Some("timer") => {
                let timer = ctx.wake_after(20);
                self.timers.push((timer, id));
            }
            _ => self.tell(id, format!("message {}", frame.payload().len())),
        }
    }

    fn close(&mut self, ctx: &mut Context<'_>, id: ConnId, closed: &Closed<'_>) {
        let Closed { code, reason, by, clean } = closed;
        self.tell(id, format!("close {code} {reason:?} {by:?} {clean} {:?}", ctx.push(id, "too late").unwrap_err()));
        if *code == 4999 {
            panic!("a mistake when it closes");
        }
    }

    fn timer(&mut self, ctx: &mut Context<'_>, timer: Timer) {
        let (_, id) = self.timers.iter().find(|(known, _)| *known == timer).unwrap();
        ctx.push(*id, "it is time").unwrap();
    }
}

fn start(settings: Settings) -> (Running, Receiver<(ConnId, String)>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    (Running::start(settings, move |_| Teller { tell: tell.lock().unwrap().clone(), timers: Vec::new() }), told)
}

#[track_caller]
fn heard(told: &Receiver<(ConnId, String)>, expect: &str) -> ConnId {
    let (id, what) = told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(what, expect);
    id
}

const CLOSED: &str = "Closing";

#[track_caller]
fn until_nobody_is_there(server: &Running) {
    let end = Instant::now() + PATIENCE;
    while server.handle.connection_count() != 0 {
        assert!(Instant::now() < end, "somebody stays");
        std::thread::yield_now();
    }
}

#[test]
fn open_message_close_come_once_and_in_order() {
    let (server, told) = start(settings(1));
    let mut client = Client::open(server.address, "/path?query=1");
    heard(&told, "open /path?query=1 127.0.0.1");
    client.frame(BINARY, &[1; 5]);
    heard(&told, "message 5");
    client.frame(CLOSE, b"\x0f\xa0so long");
    client.expect(CLOSE, b"\x0f\xa0");
    client.expect_end();
    heard(&told, &format!("close 4000 \"so long\" Peer true {CLOSED}"));
    drop(server);
    assert!(told.recv().is_err(), "nothing more is said");
}

#[test]
fn ends_of_every_kind_are_told_with_their_code_and_whose_doing_it_was() {
    let (server, told) = start(settings(1));
    type Row<'a> = (&'a dyn Fn(Client), &'a str);
    let rows: &[Row<'_>] = &[
        (&|mut client| client.frame(CLOSE, b""), "close 1005 \"\" Peer true"),
        (&|client| drop(client), "close 1006 \"\" Peer false"),
        (
            &|mut client| {
                client.frame(TEXT, b"disconnect");
                client.expect(CLOSE, b"\x0f\xa1as you wish");
                client.frame(CLOSE, b"\x0f\xa1");
                client.expect_end();
            },
            "close 4001 \"\" Server true",
        ),
        (
            &|mut client| {
                client.send(&[0xff, 0xff]);
                client.expect_close(1002);
            },
            "close 1002 ",
        ),
    ];
    for (end, expect) in rows {
        let client = server.client();
        heard(&told, "open / 127.0.0.1");
        end(client);
        let (_, what) = told.recv_timeout(PATIENCE).unwrap();
        assert!(what.starts_with(expect), "{what} is not {expect}");
    }
    // A peer that never answers the Close is let go after a while.
    let (server, told) = start(Settings { close_timeout: Duration::from_millis(100), ..settings(1) });
    let mut client = server.client();
    heard(&told, "open / 127.0.0.1");
    client.frame(TEXT, b"disconnect");
    client.expect_close(4001);
    client.expect_end();
    heard(&told, &format!("close 4001 \"\" Server false {CLOSED}"));
}

#[test]
fn a_reset_in_the_middle_of_a_message_is_an_end_like_others() {
    let (server, told) = start(settings(1));
    let client = server.client();
    heard(&told, "open / 127.0.0.1");
    let mut sender = client.socket.try_clone().unwrap();
    std::io::Write::write_all(&mut sender, &frame(BINARY, &[0; 50_000])[..20_000]).unwrap();
    // With a linger of nothing, closing resets.
    socket2::SockRef::from(&client.socket).set_linger(Some(Duration::ZERO)).unwrap();
    drop((client, sender));
    heard(&told, &format!("close 1006 \"\" Peer false {CLOSED}"));
    let mut other = server.client();
    other.frame(TEXT, b"info");
    other.expect(TEXT, b"3 1 0");
}

#[test]
fn a_panic_ends_its_connection_with_1011_and_harms_no_other() {
    let (server, told) = start(settings(1));
    let mut other = server.client();
    heard(&told, "open / 127.0.0.1");
    let mut client = server.client();
    heard(&told, "open / 127.0.0.1");
    client.send(&[frame(TEXT, b"panic"), frame(TEXT, b"never seen")].concat());
    client.expect_close(1011);
    client.expect_end();
    heard(&told, "close 1011 \"\" Server false Closing");
    let mut client = Client::open(server.address, "/panic-open");
    client.expect_close(1011);
    client.expect_end();
    heard(&told, "open /panic-open 127.0.0.1");
    heard(&told, "close 1011 \"\" Server false Closing");
    let mut client = Client::connect(server.address);
    client.send(&request("/panic"));
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    client.socket.read_to_end(&mut Vec::new()).unwrap();
    let mut client = server.client();
    heard(&told, "open / 127.0.0.1");
    client.frame(CLOSE, b"\x13\x87");
    client.expect(CLOSE, b"\x13\x87");
    client.expect_end();
    heard(&told, &format!("close 4999 \"\" Peer true {CLOSED}"));
    other.frame(TEXT, b"info");
    other.expect(TEXT, b"3 1 0");
}

#[test]
fn a_handshake_may_be_answered_otherwise() {
    let (server, told) = start(settings(1));
    let mut client = Client::connect(server.address);
    client.send(&request("/secret"));
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 403 ") && head.contains("X-Why: because\r\n"), "{head}");
    let mut client = Client::connect(server.address);
    client.send(&request("/split"));
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 500 ") && !head.contains("Y:"), "{head}");
    let mut client = Client::connect(server.address);
    client.send(&request("/unoffered"));
    assert!(client.head().starts_with("HTTP/1.1 500 "), "a client would have to fail such a connection");
    let mut client = Client::connect(server.address);
    let request = String::from_utf8(request("/chat")).unwrap();
    client.send(request.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: one, two\r\n\r\n").as_bytes());
    let head = client.head();
    assert!(head.contains("Sec-WebSocket-Protocol: two\r\n") && head.contains("X-Room: 7\r\n"), "{head}");
    heard(&told, "open /chat 127.0.0.1");
    let mut client = Client::connect(server.address);
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(client.head().starts_with("HTTP/1.1 400 "), "plain HTTP has no default answer");
}

#[test]
fn open_may_push_and_pongs_and_timers_arrive() {
    let (server, told) = start(Settings { open_websocket_pong_frame: true, ..settings(1) });
    let mut client = Client::open(server.address, "/greet");
    client.expect(TEXT, b"welcome");
    heard(&told, "open /greet 127.0.0.1");
    client.frame(TEXT, b"ping");
    client.expect(common::PING, b"are you there");
    client.frame(PONG, b"are you there");
    heard(&told, "pong are you there");
    client.frame(TEXT, b"timer");
    client.expect(TEXT, b"it is time");
    client.frame(TEXT, b"wrong code");
    heard(&told, "Err(Misuse(Close(Code(1005))))");
    client.frame(TEXT, b"info");
    client.expect(TEXT, b"3 5 3");
}

#[test]
fn a_connection_may_be_ended_as_soon_as_it_is_open() {
    let (server, told) = start(settings(1));
    let mut client = Client::open(server.address, "/leave");
    // What comes behind the request is read, and leads to nothing more than the answer to the Close.
    client.frame(CLOSE, b"\x0b\xb8");
    client.expect(TEXT, b"not for you");
    client.expect(CLOSE, b"\x0b\xb8go");
    client.expect_end();
    heard(&told, "open /leave 127.0.0.1");
    heard(&told, &format!("close 3000 \"\" Server true {CLOSED}"));
    let mut client = Client::open(server.address, "/cut");
    client.expect_end();
    heard(&told, "open /cut 127.0.0.1");
    heard(&told, &format!("close 1006 \"\" Server false {CLOSED}"));
}

#[test]
fn nothing_is_pushed_before_the_handshake_is_done() {
    let (server, told) = start(settings(1));
    let mut client = Client::open(server.address, "/hasty");
    let refused = Err::<(), _>(PushError::NotEstablished);
    heard(&told, &format!("{:?}", [refused; 4]));
    heard(&told, "open /hasty 127.0.0.1");
    client.frame(TEXT, b"info");
    client.expect(TEXT, b"3 1 0");
}

#[test]
fn a_stale_id_never_reaches_a_newer_connection() {
    let (server, told) = start(settings(1));
    let client = server.client();
    let old = heard(&told, "open / 127.0.0.1");
    client.close();
    heard(&told, &format!("close 1000 \"\" Peer true {CLOSED}"));
    until_nobody_is_there(&server);
    let mut client = server.client();
    let new = heard(&told, "open / 127.0.0.1");
    let slot = |id: ConnId| id.to_string().split('/').nth(1).map(str::to_owned);
    assert!(old != new && slot(old) == slot(new), "{old} {new}");
    // The old id names nobody, however it is used, and wherever.
    let handle = &server.handle;
    let calls = [
        handle.push(old, "for the old one"),
        handle.push_frame(old, 2, Flags::NONE, b"for the old one"),
        handle.ping(old, b""),
        handle.send_raw(old, b"\x81\x00"),
        handle.disconnect(old, 1000, ""),
        handle.close(old, true),
        handle.pause(old),
        handle.subscribe(old, "topic"),
    ];
    assert_eq!(calls, [Err(PushError::Gone); 8]);
    server
        .handle
        .run_on(old.worker(), move |ctx| {
            let calls = [
                ctx.push(old, "for the old one"),
                ctx.push_frame(old, 2, Flags::NONE, b"for the old one"),
                ctx.ping(old, b""),
                ctx.send_raw(old, b"\x81\x00"),
                ctx.disconnect(old, 1000, ""),
                ctx.close(old, true),
                ctx.pause(old),
                ctx.subscribe(old, "topic"),
                ctx.set_tag(old, 1),
            ];
            assert_eq!(calls, [Err(PushError::Gone); 9]);
            ctx.push(new, "all are refused").unwrap();
        })
        .unwrap();
    client.expect(TEXT, b"all are refused");
    server.handle.push(new, "for the new one").unwrap();
    client.expect(TEXT, b"for the new one");
    client.frame(TEXT, b"info");
    client.expect(TEXT, b"3 1 2");
    assert_eq!(server.handle.push(ConnId::from_bits(u64::MAX), "nobody"), Err(PushError::Gone));
    assert_eq!(server.handle.ping(new, &[0; 126]), Err(PushError::Misuse(Misuse::ControlTooLong(126))));
    assert_eq!(State::Active as u8, 3);
    assert_ne!(By::Peer, By::Server);
}

#[test]
fn codes_that_must_not_be_sent_and_long_reasons_are_refused() {
    let (server, told) = start(settings(1));
    let client = server.client();
    let gone = heard(&told, "open / 127.0.0.1");
    client.close();
    until_nobody_is_there(&server);
    let refused = |code, reason| match server.handle.disconnect(gone, code, reason) {
        Err(PushError::Misuse(Misuse::Close(_))) => true,
        // Looked at afterwards.
        Err(PushError::Gone) => false,
        other => panic!("{code}: {other:?}"),
    };
    for code in 0..=u16::MAX {
        let may_be_sent = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        assert_ne!(refused(code, ""), may_be_sent, "{code}");
    }
    let reason = "x".repeat(124);
    assert!(refused(1000, &reason) && !refused(1000, &reason[1..]));
}
