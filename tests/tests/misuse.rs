//! The caller asks for what the state or the protocol does not allow: it is told, and nothing is sent or changed.

use martlet_codec::Role::{self, Client, Server};
use martlet_codec::{CloseFrame, DataKind, InvalidClose};
use martlet_state::{
    Accept, Config, Connection, Event, Instant, Misuse, Payload, Request, Response, SendError, State, Status, Writer,
};
use martlet_tests::check::{ROLES, WIDE};
use martlet_tests::heads::{REQUEST, with};
use martlet_tests::{Pair, Say, naive};

const CONFIG: Config<'_> = Config { idle_ms: 0, ..Config::DEFAULT };
/// Everything that an application can say.
const SAYINGS: [Say<'_>; 8] = [
    Say::Text("t"),
    Say::Binary(b"b"),
    Say::Fragment("f", false),
    Say::Fragment("f", true),
    Say::Ping(b""),
    Say::Pong(b"p"),
    Say::Close(None),
    Say::Close(Some((1000, ""))),
];

#[track_caller]
fn not_possible(pair: &mut Pair<'_>, role: Role, state: State) {
    for say in SAYINGS {
        let before = pair.said(role).to_vec();
        assert_eq!(pair.say(role, say), Err(SendError::Misuse(Misuse::State(state))), "{role:?} {say:?}");
        assert_eq!((pair.said(role), pair.state(role)), (&before[..], state));
    }
}

#[test]
fn nothing_is_sent_before_the_connection_is_open() {
    let mut pair = Pair::new(&CONFIG, &CONFIG, 10);
    not_possible(&mut pair, Client, State::Handshake);
    not_possible(&mut pair, Server, State::Connection);
    pair.never_accept();
    pair.run_until(10);
    not_possible(&mut pair, Server, State::Handshake);
}

/// Section 5.5.1: "The application MUST NOT send any more data frames after sending a Close frame."
#[test]
fn nothing_is_sent_after_our_close() {
    for role in ROLES {
        let mut pair = Pair::open(&CONFIG, &CONFIG, 10);
        pair.say(role, Say::Close(Some((1000, "")))).unwrap();
        not_possible(&mut pair, role, State::Closing);
        pair.run_until(1000);
        not_possible(&mut pair, role, State::Closed);
        not_possible(&mut pair, role.peer(), State::Closed);
    }
}

/// Section 5.4: fragments of one message are not interleaved with another message; control frames may come between.
#[test]
fn fragments_come_in_order() {
    for role in ROLES {
        let mut pair = Pair::open(&CONFIG, &CONFIG, 0);
        pair.say(role, Say::Fragment("a", false)).unwrap();
        for say in [Say::Text("t"), Say::Binary(b"b")] {
            assert_eq!(pair.say(role, say), Err(SendError::Misuse(Misuse::MessageOpen)));
        }
        pair.say(role, Say::Ping(b"between")).unwrap();
        pair.say(role, Say::Fragment("", false)).unwrap();
        pair.say(role, Say::Fragment("b", true)).unwrap();
        pair.say(role, Say::Text("next")).unwrap();
        pair.run_until(0);
        let peer = if role == Server { "client" } else { "server" };
        let told: Vec<String> = pair.log().into_iter().filter(|line| line.contains(peer)).collect();
        assert_eq!(told, ["Ping between", "Text ab", "Text next"].map(|line| format!("0 {peer} {line}")));
    }
}

#[test]
fn a_control_body_has_at_most_125_octets() {
    for role in ROLES {
        let mut pair = Pair::open(&CONFIG, &CONFIG, 0);
        for len in [126, 127, 200, 65_536] {
            let body = vec![b'x'; len];
            for say in [Say::Ping(&body), Say::Pong(&body)] {
                assert_eq!(pair.say(role, say), Err(SendError::Misuse(Misuse::ControlTooLong(len))));
            }
        }
        pair.say(role, Say::Ping(&[b'x'; 125])).unwrap();
    }
}

/// Section 7.4: codes that must not be sent make no Close.
#[test]
fn close_codes_that_must_not_be_sent() {
    for code in (0..=u16::MAX).filter(|code| !naive::close_code_may_travel(*code)) {
        assert_eq!(CloseFrame::new(code, "").map(|_| ()), Err(InvalidClose::Code(code)));
    }
    for role in ROLES {
        let mut pair = Pair::open(&CONFIG, &CONFIG, 0);
        let refused = |invalid| Err(SendError::Misuse(Misuse::Close(invalid)));
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(pair.say(role, Say::Close(Some((code, "")))), refused(InvalidClose::Code(code)));
        }
        let long = "x".repeat(124);
        assert_eq!(pair.say(role, Say::Close(Some((1000, &long)))), refused(InvalidClose::ReasonTooLong(124)));
        assert_eq!(pair.state(role), State::Active);
        pair.say(role, Say::Close(Some((1000, &long[1..])))).unwrap();
    }
}

/// A server connection that has read this head, and what it wrote to the last call.
fn read<'c>(config: &'c Config<'c>, head: &str) -> Connection<'c> {
    let mut connection = Connection::server(config, Instant(0));
    let (mut octets, mut room) = (head.as_bytes().to_vec(), [0; 512]);
    let (mut input, mut output) = (&mut octets[..], Writer::new(&mut room));
    let status = connection.receive(Instant(0), &mut input, &mut output);
    assert!(matches!(status, Ok(Status::Event(Event::Request { .. }))), "{status:?}");
    assert!(output.is_empty());
    connection
}

#[test]
fn a_request_is_answered_once() {
    let mut room = [0xa5; 1024];
    let mut output = Writer::new(&mut room);
    let no_upgrade = Err(SendError::Misuse(Misuse::NoUpgrade));
    let (accept, respond) = (Accept::default(), Response::new(404, b""));

    let mut early = Connection::server(&CONFIG, Instant(0));
    assert_eq!(early.accept(Instant(0), &accept, &mut output), no_upgrade);
    assert_eq!(early.respond(&respond, &mut output), no_upgrade);

    let mut plain = read(&CONFIG, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(plain.accept(Instant(0), &accept, &mut output), no_upgrade);
    assert!(output.is_empty());
    assert_eq!(plain.respond(&respond, &mut output), Ok(()));
    assert_eq!(plain.respond(&respond, &mut output), no_upgrade);

    // A client has nothing to decide.
    let (mut room, rng) = ([0; 512], martlet_tests::drive::rng());
    let ask = &martlet_tests::drive::REQUEST;
    let mut client = Connection::client(&CONFIG, Instant(0), rng, ask, &mut Writer::new(&mut room)).unwrap();
    assert_eq!(client.accept(Instant(0), &accept, &mut output), no_upgrade);
    assert_eq!(client.respond(&respond, &mut output), no_upgrade);
    assert_eq!(client.state(), State::Handshake);

    // An offer of another client: one that was not made cannot be named at all.
    let others = with(REQUEST, "Sec-WebSocket-Protocol: not-offered");
    let others = Request::parse(others.as_bytes()).unwrap();
    let mut upgrade = read(&CONFIG, REQUEST);
    let said = output.len();
    for accept in [
        Accept { subprotocol: others.subprotocols().next(), ..accept },
        Accept { extensions: Some("not-offered"), ..accept },
        Accept { headers: &[("X", "a\r\nInjected: b")], ..accept },
        Accept { headers: &[("X y", "a")], ..accept },
        Accept { headers: &[("Upgrade", "a")], ..accept },
        Accept { headers: &[("X", "nul \0")], ..accept },
    ] {
        let refused = upgrade.accept(Instant(0), &accept, &mut output);
        assert!(matches!(refused, Err(SendError::Misuse(Misuse::Head(_)))), "{refused:?}");
        assert_eq!((output.len(), upgrade.state()), (said, State::Handshake));
    }
    // Even one that is offered: it would not be honoured.
    let deflate = Accept { extensions: Some("permessage-deflate"), ..accept };
    let offer = with(REQUEST, "Sec-WebSocket-Extensions: permessage-deflate");
    let refused = read(&CONFIG, &offer).accept(Instant(0), &deflate, &mut output);
    assert!(matches!(refused, Err(SendError::Misuse(Misuse::Head(_)))), "{refused:?}");
    assert_eq!(upgrade.accept(Instant(0), &accept, &mut output), Ok(()));
    assert_eq!(upgrade.accept(Instant(0), &accept, &mut output), no_upgrade);
    assert_eq!(upgrade.respond(&respond, &mut output), no_upgrade);
    assert_eq!(upgrade.state(), State::Active);
}

/// A header by itself, whose payload the caller writes, goes through the same states as a fragment.
#[test]
fn frames_that_are_begun_and_frames_that_are_shared() {
    let mut room = [0xa5; 1024];
    let mut output = Writer::new(&mut room);
    let mut server = read(&CONFIG, REQUEST);
    assert_eq!(server.may_send(), Err(Misuse::State(State::Handshake)));
    assert!(server.begin_frame(DataKind::Text, 1, true).is_err());
    server.accept(Instant(0), &Accept::default(), &mut output).unwrap();
    assert_eq!(server.may_send(), Ok(()));
    let (header, mask) = server.begin_frame(DataKind::Binary, 1 << 40, false).unwrap();
    assert_eq!((header.as_ref(), mask), (&b"\x02\x7f\0\0\x01\0\0\0\0\0"[..], None));
    assert_eq!(server.may_send(), Err(Misuse::MessageOpen));
    assert_eq!(server.begin_frame(DataKind::Text, 0, true).map(|_| ()), Err(Misuse::KindChanged));
    let changed = server.send_fragment(Payload::Text("t"), true, &mut output);
    assert_eq!(changed, Err(SendError::Misuse(Misuse::KindChanged)));
    let (header, _) = server.begin_frame(DataKind::Binary, 5, true).unwrap();
    assert_eq!(header.as_ref(), b"\x80\x05");
    assert_eq!(server.may_send(), Ok(()));
}

/// The end of the transport is clean when the closing handshake was complete, and at no other time (section 7.1.4).
#[test]
fn the_end_of_the_transport() {
    let mut room = [0; 1024];
    let mut output = Writer::new(&mut room);
    assert!(!Connection::server(&CONFIG, Instant(0)).eof());
    let mut open = read(&CONFIG, REQUEST);
    open.accept(Instant(0), &Accept::default(), &mut output).unwrap();
    open.close(Instant(0), None, &mut output).unwrap();
    let mut closing = *b"\x88\x80\x01\x02\x03\x04";
    let mut half = open_and_closing(&CONFIG);
    assert!(!half.eof());
    assert_eq!(half.state(), State::Closed);
    let mut input = &mut closing[..];
    assert!(matches!(open.receive(Instant(0), &mut input, &mut output), Ok(Status::Event(Event::Close(None)))));
    assert!(open.eof());
    assert!(matches!(open.receive(Instant(0), &mut &mut [1, 2, 3][..], &mut output), Ok(Status::More)));
}

fn open_and_closing<'c>(config: &'c Config<'c>) -> Connection<'c> {
    let mut room = [0; 1024];
    let mut output = Writer::new(&mut room);
    let mut connection = read(config, REQUEST);
    connection.accept(Instant(0), &Accept::default(), &mut output).unwrap();
    connection.close(Instant(0), None, &mut output).unwrap();
    connection
}

/// What fits nowhere is refused whole, with the room that it wants, and sent as it is when there is room.
#[test]
fn without_room_nothing_is_sent() {
    let texts = ["", "a", &"x".repeat(125), &"x".repeat(126), &"x".repeat(300)];
    for text in texts {
        let mut connection = read(&CONFIG, REQUEST);
        connection.accept(Instant(0), &Accept::default(), &mut Writer::new(&mut [0; 512])).unwrap();
        let whole = martlet_tests::Wire::to(Client).text(text);
        for room in 0..=whole.len() {
            let mut octets = vec![0xa5; room];
            let mut output = Writer::new(&mut octets);
            let sent = connection.send(Payload::Text(text), &mut output);
            if room == whole.len() {
                assert_eq!((sent, output.written()), (Ok(()), whole.octets()));
            } else {
                let SendError::NoRoom(no_room) = sent.unwrap_err() else { panic!("{sent:?}") };
                assert_eq!((no_room.wanted, output.len()), (whole.len(), 0));
                assert!(octets.iter().all(|octet| *octet == 0xa5), "something was written");
            }
        }
    }
    assert_eq!(naive::meaning(Client, &WIDE, b"\x81\x01a"), ["Text a"]);
}
