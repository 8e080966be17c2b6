//! RFC 6455 section 4: the opening handshake, through the whole connection, for both roles and both ways to read a head.

use martlet_codec::{MIN_INPUT, Role};
use martlet_state::{Accept, Config, HeadMode, Request, State};
use martlet_tests::drive::{App, Outcome, Room, connect, serve, talk};
use martlet_tests::heads::{REQUEST, RESPONSE, end, replaced, response_to, with, without};
use martlet_tests::wire::b0;
use martlet_tests::{Plan, Wire};

/// No response here is longer.
const LONGEST: usize = 260;

/// A head is read whole, or line by line through a small buffer.
fn configs() -> [Config<'static>; 2] {
    let lines = martlet_handshake::Limits { max_line_bytes: 128, ..martlet_handshake::Limits::DEFAULT };
    [Config::DEFAULT, Config { head_mode: HeadMode::Lines, head: lines, ..Config::DEFAULT }]
}

/// The outcome that every cutting gives, in both ways to read a head.
#[track_caller]
fn outcomes(len: usize, run: impl Fn(&Config<'_>, &Plan) -> Outcome) -> [Outcome; 2] {
    configs().map(|config| {
        let whole = run(&config, &Plan::WHOLE);
        for plan in Plan::all(len, len.max(MIN_INPUT)) {
            assert_eq!(run(&config, &plan), whole, "{plan:?}");
        }
        whole
    })
}

/// The server refuses `head`, whatever follows it, with that name and status.
#[track_caller]
fn refused(head: &str, name: &str, status: u16) {
    let wire = [head.as_bytes(), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"].concat();
    for outcome in outcomes(wire.len(), |config, plan| serve(config, App::default(), &wire, plan, Room::Enough)) {
        assert_eq!(outcome.lines.last().map(String::as_str), Some(name), "{head:?}");
        assert!(outcome.said.starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{}", outcome.said.escape_ascii());
        assert_eq!(end(&outcome.said).map(|end| end < outcome.said.len()), Some(true), "an answer has a reason");
        assert_eq!(outcome.state, State::Closed);
    }
}

/// The server opens the connection: the "Hello" behind the head comes back.
#[track_caller]
fn opened(head: &str) {
    let wire = [head.as_bytes(), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"].concat();
    let app = App { echo: true, ..App::default() };
    for outcome in outcomes(wire.len(), |config, plan| serve(config, app, &wire, plan, Room::Enough)) {
        assert_eq!(outcome.lines.last().map(String::as_str), Some("Text Hello"), "{head:?}");
        assert!(outcome.said.starts_with(b"HTTP/1.1 101 ") && outcome.said.ends_with(b"\r\n\r\n\x81\x05Hello"));
        assert_eq!(outcome.state, State::Active);
    }
}

/// The client takes the response for what `name` says.
#[track_caller]
fn fails(change: impl Fn(&str) -> String, name: &str) {
    let wire = |request: &[u8]| [change(&response_to(request)).as_bytes(), b"\x81\x05Hello"].concat();
    for outcome in outcomes(LONGEST, |config, plan| connect(config, App::default(), wire, plan, Room::Enough)) {
        assert_eq!(outcome.lines.last().map(String::as_str), Some(name));
        assert_eq!(outcome.state, State::Closed);
        assert_eq!(end(&outcome.said), Some(outcome.said.len()), "nothing is said behind the request");
    }
}

/// The client takes the response for a right one.
#[track_caller]
fn opens(change: impl Fn(&str) -> String) {
    let wire = |request: &[u8]| [change(&response_to(request)).as_bytes(), b"\x81\x05Hello"].concat();
    for outcome in outcomes(LONGEST, |config, plan| connect(config, App::default(), wire, plan, Room::Enough)) {
        assert_eq!(outcome.lines.last().map(String::as_str), Some("Text Hello"));
        assert_eq!(outcome.state, State::Active);
    }
}

#[test]
fn section_4_2_1_the_request_line() {
    opened(REQUEST);
    let line = |line: &str| REQUEST.replace("GET /chat HTTP/1.1", line);
    opened(&line("GET / HTTP/1.1"));
    opened(&line("GET /chat?room=1&x=%20 HTTP/1.1"));
    opened(&line("GET http://server.example.com/chat HTTP/1.1"));
    opened(&line("GET /chat HTTP/1.2"));
    refused(&line("POST /chat HTTP/1.1"), "MethodNotGet", 405);
    refused(&line("get /chat HTTP/1.1"), "MethodNotGet", 405);
    refused(&line("CONNECT /chat HTTP/1.1"), "MethodNotGet", 405);
    refused(&line("GET /chat HTTP/1.0"), "HttpVersionTooOld", 400);
    refused(&line("GET /chat HTTP/2.0"), "HttpVersionUnsupported", 505);
    refused(&line("GET /chat HTTP/0.9"), "HttpVersionUnsupported", 505);
    refused(&line("GET chat HTTP/1.1"), "TargetInvalid", 400);
    refused(&line("GET /chat#part HTTP/1.1"), "RequestLineInvalid", 400);
    refused(&line("GET /chat"), "RequestLineInvalid", 400);
    refused(&line("GET  /chat HTTP/1.1"), "RequestLineInvalid", 400);
    refused(&line("GET /chat HTTP/1.1 "), "RequestLineInvalid", 400);
    refused(&line("\x16\x03\x01\x02\x00\x01"), "RequestLineInvalid", 400);
}

#[test]
fn section_4_2_1_the_headers_that_must_be_there() {
    refused(&without(REQUEST, "Host"), "HostMissing", 400);
    refused(&without(REQUEST, "Connection"), "ConnectionNotUpgrade", 400);
    refused(&without(REQUEST, "Sec-WebSocket-Key"), "KeyMissing", 400);
    refused(&without(REQUEST, "Sec-WebSocket-Version"), "VersionMissing", 426);
    for name in ["Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version"] {
        let line = format!("{name}: {}", martlet_tests::heads::value(REQUEST, name).unwrap());
        let short = name.strip_prefix("Sec-WebSocket-").unwrap_or(name);
        refused(&with(REQUEST, &line), &format!("{short}Duplicate"), 400);
    }
    refused(&replaced(REQUEST, "Host", "Host: two hosts"), "HostInvalid", 400);
    refused(&replaced(REQUEST, "Connection", "Connection: keep-alive"), "ConnectionNotUpgrade", 400);
    refused(&replaced(REQUEST, "Connection", "Connection: Upgrades"), "ConnectionNotUpgrade", 400);
    refused(&replaced(REQUEST, "Connection", "Connection: up grade"), "ConnectionInvalid", 400);
    for key in [
        "",
        "AAAA",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZR==",
        "dGhlIHNhbXBsZSBub25jZQA=",
        "dGhlIHNhbXBsZSBub25j",
    ] {
        refused(&replaced(REQUEST, "Sec-WebSocket-Key", &format!("Sec-WebSocket-Key: {key}")), "KeyInvalid", 400);
    }
}

/// "any other value ... the server MUST ... send back an appropriate HTTP error code (such as 426) and a Sec-WebSocket-Version
/// header field indicating the version(s) the server is capable of understanding."
#[test]
fn section_4_2_2_another_version_is_told_which_one_is_spoken() {
    for version in ["0", "7", "8", "14", "013", "13.0", "13, 8", ""] {
        let head = replaced(REQUEST, "Sec-WebSocket-Version", &format!("Sec-WebSocket-Version: {version}"));
        refused(&head, "VersionUnsupported", 426);
        let outcome = serve(&Config::DEFAULT, App::default(), head.as_bytes(), &Plan::WHOLE, Room::Enough);
        let said = String::from_utf8(outcome.said).unwrap();
        assert_eq!(martlet_tests::heads::value(&said, "Sec-WebSocket-Version"), Some("13"));
    }
}

/// Names and tokens are compared without case, lists go over several lines, order and whitespace do not matter.
#[test]
fn section_4_2_1_the_same_request_in_other_words() {
    opened(&REQUEST.replace("Upgrade: websocket", "uPgRaDe:\t WebSocket \t"));
    opened(&replaced(REQUEST, "Connection", "Connection: keep-alive, Upgrade"));
    opened(&replaced(REQUEST, "Connection", "Connection:keep-alive,,upgrade,"));
    opened(&replaced(REQUEST, "Connection", "Connection: keep-alive\r\nConnection: UPGRADE"));
    opened(&replaced(REQUEST, "Upgrade", "Upgrade: h2c, websocket"));
    opened(&replaced(REQUEST, "Upgrade", "Upgrade: h2c\r\nUpgrade: websocket"));
    opened(&with(REQUEST, "Content-Length: 0"));
    opened(&with(REQUEST, "Origin: https://example.com"));
    opened(&format!("\r\n{REQUEST}"));
    let lines: Vec<&str> = REQUEST.trim_end().split("\r\n").collect();
    for rotation in 1..lines.len() - 1 {
        let mut headers = lines[1..].to_vec();
        headers.rotate_left(rotation);
        opened(&format!("{}\r\n{}\r\n\r\n", lines[0], headers.join("\r\n")));
    }
}

/// Two readers that disagree about a head are how requests are smuggled: nothing is repaired.
#[test]
fn rfc_9112_syntax_is_not_repaired() {
    refused(&REQUEST.replace("Upgrade: websocket", "Upgrade : websocket"), "Head(SpaceBeforeColon)", 400);
    refused(&REQUEST.replace("\r\nUpgrade: websocket", "\r\nUpgrade:\r\n websocket"), "Head(ObsoleteFold)", 400);
    refused(&REQUEST.replace("\r\nHost:", "\r\n Host:"), "Head(SpaceBeforeHeaders)", 400);
    refused(&REQUEST.replace("Upgrade: websocket\r\n", "Upgrade: websocket\n"), "Head(BareLf)", 400);
    refused(&REQUEST.replace("Upgrade: websocket\r\n", "Upgrade: websocket\rX"), "Head(BareCr)", 400);
    refused(&REQUEST.replace("Upgrade: websocket", "Upgrade: web\0socket"), "Head(ValueInvalid)", 400);
    refused(&with(REQUEST, "X-Odd\x7f: 1"), "Head(NameInvalid)", 400);
    refused(&with(REQUEST, "no colon at all"), "Head(SpaceBeforeColon)", 400);
    refused(&with(REQUEST, "no-colon-at-all"), "Head(ColonMissing)", 400);
    refused(&with(REQUEST, ": no name"), "Head(NameInvalid)", 400);
}

#[test]
fn an_upgrade_has_no_body() {
    refused(&with(REQUEST, "Content-Length: 5"), "BodyOnUpgrade", 400);
    refused(&with(REQUEST, "Transfer-Encoding: chunked"), "BodyOnUpgrade", 400);
    refused(&with(REQUEST, "Content-Length: 0\r\nContent-Length: 0"), "ContentLengthDuplicate", 400);
    refused(&with(REQUEST, "Content-Length: 1x"), "ContentLengthInvalid", 400);
    refused(&with(REQUEST, "Content-Length: 5\r\nTransfer-Encoding: chunked"), "BodyLengthAmbiguous", 400);
}

#[test]
fn garbage_is_refused_at_its_first_octet() {
    for octet in (0..=0xff_u8)
        .filter(|octet| !octet.is_ascii_alphanumeric() && *octet != b'\r' && !b"!#$%&'*+-.^_`|~".contains(octet))
    {
        let outcome = serve(&Config::DEFAULT, App::default(), &[octet], &Plan::WHOLE, Room::Enough);
        assert_eq!(outcome.state, State::Closed, "{octet:#x}");
        assert!(outcome.said.starts_with(b"HTTP/1.1 400 "), "{octet:#x}");
    }
}

/// A head that never ends is refused when it passes the limit, and not stored beyond it.
#[test]
fn section_10_4_endless_heads() {
    type Row<'a> = (&'a str, &'a str, &'a str, u16);
    let rows: [Row<'_>; 5] = [
        ("GET /", "a", "TargetTooLong", 414),
        ("GET / HTTP/1.1\r\nX: ", "a", "Head(HeadTooLong)", 431),
        ("GET / HTTP/1.1\r\n", "a", "Head(HeadTooLong)", 431),
        ("GET / HTTP/1.1\r\n", "X: y\r\n", "Head(TooManyHeaders)", 431),
        ("", "\r\n", "Head(HeadTooLong)", 431),
    ];
    for (start, again, name, status) in rows {
        let wire = format!("{start}{}", again.repeat(9000));
        for capacity in [usize::MAX, 8192] {
            for cuts in [martlet_tests::Cuts::Whole, martlet_tests::Cuts::Random(2), martlet_tests::Cuts::Random(3)] {
                let plan = Plan { cuts, capacity };
                let outcome = serve(&Config::DEFAULT, App::default(), wire.as_bytes(), &plan, Room::Enough);
                assert_eq!(outcome.lines, [name], "{plan:?}");
                assert!(outcome.said.starts_with(format!("HTTP/1.1 {status} ").as_bytes()));
            }
        }
    }
    let limits = martlet_handshake::Limits { max_headers: 5, ..martlet_handshake::Limits::DEFAULT };
    let config = Config { head: limits, ..Config::DEFAULT };
    let run = |head: &str| serve(&config, App::default(), head.as_bytes(), &Plan::WHOLE, Room::Enough).lines;
    assert_eq!(run(REQUEST), ["Request GET /chat"]);
    assert_eq!(run(&with(REQUEST, "X: y")), ["Head(TooManyHeaders)"]);
}

/// A browser's cookies do not fit into a microcontroller's buffer: they pass through it.
#[test]
fn a_long_head_passes_through_a_small_buffer() {
    let [_, lines] = configs();
    let cookie = format!("Cookie: {}", "name=value; ".repeat(200));
    let wire = [with(REQUEST, &cookie).as_bytes(), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"].concat();
    let app = App { echo: true, ..App::default() };
    let whole = serve(&lines, app, &wire, &Plan::WHOLE, Room::Enough);
    assert_eq!(whole.lines.last().map(String::as_str), Some("Text Hello"));
    for plan in Plan::all(wire.len(), MIN_INPUT) {
        assert_eq!(serve(&lines, app, &wire, &plan, Room::Enough), whole, "{plan:?}");
    }
}

#[test]
fn section_4_2_2_the_answer() {
    // The example of section 1.3.
    let outcome = serve(&Config::DEFAULT, App::default(), REQUEST.as_bytes(), &Plan::WHOLE, Room::Enough);
    assert_eq!(String::from_utf8(outcome.said).unwrap(), RESPONSE);
    let offers = with(REQUEST, "Sec-WebSocket-Protocol: soap, wamp\r\nSec-WebSocket-Protocol: chat.v2");
    let config = Config { subprotocols: &["chat.v2", "wamp"], ..Config::DEFAULT };
    let chosen = |config: &Config<'_>, accept: Accept<'_>, head: &str| {
        let app = App { accept, ..App::default() };
        let said = serve(config, app, head.as_bytes(), &Plan::WHOLE, Room::Enough).said;
        martlet_tests::heads::value(&String::from_utf8(said).unwrap(), "Sec-WebSocket-Protocol").map(str::to_owned)
    };
    // The server's order counts; an application may choose otherwise; without a common one there is none.
    assert_eq!(chosen(&config, Accept::default(), &offers).as_deref(), Some("chat.v2"));
    let request = Request::parse(offers.as_bytes()).unwrap();
    let soap = Accept { subprotocol: request.subprotocols().next(), ..Accept::default() };
    assert_eq!(chosen(&config, soap, &offers).as_deref(), Some("soap"));
    assert_eq!(chosen(&Config::DEFAULT, Accept::default(), &offers), None);
    assert_eq!(chosen(&config, Accept::default(), REQUEST), None);
    refused(&with(REQUEST, "Sec-WebSocket-Protocol: two words"), "SubprotocolsInvalid", 400);
    refused(&with(REQUEST, "Sec-WebSocket-Protocol: "), "SubprotocolsInvalid", 400);
    refused(&with(REQUEST, "Sec-WebSocket-Extensions: a;;"), "ExtensionsInvalid", 400);
}

#[test]
fn a_request_for_something_else_is_answered_over_http() {
    let head = "GET /favicon.ico HTTP/1.1\r\nHost: example.com\r\n\r\n";
    for outcome in
        outcomes(head.len(), |config, plan| serve(config, App::default(), head.as_bytes(), plan, Room::Enough))
    {
        assert!(outcome.said.starts_with(b"HTTP/1.1 404 "));
        assert_eq!(outcome.state, State::Closed);
    }
    let rejecting = App { respond: Some(403), ..App::default() };
    let outcome = serve(&Config::DEFAULT, rejecting, REQUEST.as_bytes(), &Plan::WHOLE, Room::Enough);
    assert!(outcome.said.starts_with(b"HTTP/1.1 403 "));
    assert_eq!(outcome.state, State::Closed);
}

/// Frames in the same read as the handshake are told without more input, for both roles and however they are cut.
#[test]
fn frames_in_the_same_read_as_the_handshake() {
    let app = App { echo: true, ..App::default() };
    martlet_tests::check_connection(
        &Config::DEFAULT,
        app,
        |wire| {
            wire.text("one").ping(b"p").frame(b0::BINARY_MORE, b"tw").frame(b0::CONTINUATION, b"o").close(1000, "bye")
        },
        &["Text one", "Ping p", "Binary two", "Close 1000 bye"],
        &["Text one", "Pong p", "Binary two", "Close 1000"],
        State::Closed,
    );
}

#[test]
fn section_4_1_the_request_of_a_client() {
    let outcome = talk(Role::Client, &Config::DEFAULT, App::default(), &[], &Plan::WHOLE, Room::Enough);
    let request = String::from_utf8(outcome.said).unwrap();
    opened(&request);
    let value = |name| martlet_tests::heads::value(&request, name);
    assert!(request.starts_with("GET /chat HTTP/1.1\r\n"));
    assert_eq!(value("Host"), Some("server.example.com"));
    assert_eq!((value("Upgrade"), value("Connection")), (Some("websocket"), Some("Upgrade")));
    assert_eq!((value("Sec-WebSocket-Version"), value("Sec-WebSocket-Key").map(str::len)), (Some("13"), Some(24)));
}

/// What a client must see before it takes the connection for open, item by item of section 4.1's second list.
#[test]
fn section_4_1_the_response() {
    opens(str::to_owned);
    opens(|head| head.replace("Switching Protocols", "Whatever It Says"));
    opens(|head| head.replace("Upgrade: websocket", "upgrade: WEBSOCKET"));
    opens(|head| replaced(head, "Connection", "connection: keep-alive, upgrade"));
    opens(|head| with(head, "Server: something"));
    let status = |status: &str| {
        let status = status.to_owned();
        move |head: &str| head.replace("101 Switching Protocols", &status)
    };
    fails(status("200 OK"), "Status(200)");
    fails(status("301 Moved Permanently"), "Status(301)");
    fails(status("404 Not Found"), "Status(404)");
    opens(|head| format!("HTTP/1.1 103 Early Hints\r\nUpgrade: h2c\r\n\r\nHTTP/1.1 100\r\n\r\n{head}"));
    fails(|head| format!("HTTP/1.1 100\r\n\r\n{}", head.replace("101", "204")), "Status(204)");
    fails(|head| head.replace("HTTP/1.1", "HTTP/2.0"), "HttpVersionUnsupported");
    fails(|_| "SSH-2.0-whatever\r\n".to_owned(), "StatusLineInvalid");
    fails(|head| without(head, "Upgrade"), "UpgradeMissing");
    fails(|head| replaced(head, "Upgrade", "Upgrade: h2c"), "UpgradeInvalid");
    fails(|head| without(head, "Connection"), "ConnectionNotUpgrade");
    fails(|head| replaced(head, "Connection", "Connection: close"), "ConnectionNotUpgrade");
    fails(|head| without(head, "Sec-WebSocket-Accept"), "AcceptMissing");
    fails(
        |head| replaced(head, "Sec-WebSocket-Accept", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "AcceptMismatch",
    );
    fails(|head| head.replacen("=\r\n", "\r\n", 1), "AcceptMismatch");
    fails(|head| with(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "AcceptDuplicate");
    fails(|head| with(head, "Sec-WebSocket-Protocol: chat"), "SubprotocolNotOffered");
    fails(|head| with(head, "Sec-WebSocket-Extensions: permessage-deflate"), "ExtensionNotOffered");
    fails(|head| head.replace("Upgrade: websocket", "Upgrade : websocket"), "Head(SpaceBeforeColon)");
}

#[test]
fn section_4_1_a_client_takes_a_subprotocol_that_it_offered() {
    let config = Config { subprotocols: &["chat", "soap"], ..Config::DEFAULT };
    let run = |line: &'static str| {
        let wire = move |request: &[u8]| with(&response_to(request), line).into_bytes();
        connect(&config, App::default(), wire, &Plan::WHOLE, Room::Enough).lines
    };
    assert_eq!(run("Sec-WebSocket-Protocol: soap"), ["Open"]);
    assert_eq!(run("Sec-WebSocket-Protocol: SOAP"), ["SubprotocolNotOffered"]);
    assert_eq!(run("Sec-WebSocket-Protocol: wamp"), ["SubprotocolNotOffered"]);
    assert_eq!(run("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat"), ["SubprotocolDuplicate"]);
}

/// A client's frame behind the head of its request, before the answer, is kept and comes afterwards; the server's state says so.
#[test]
fn the_states_of_a_handshake() {
    let wire = [REQUEST.as_bytes(), Wire::to(Role::Server).text("early").octets()].concat();
    let head = REQUEST.len();
    let state = |len: usize, app: App<'_>| serve(&Config::DEFAULT, app, &wire[..len], &Plan::WHOLE, Room::Enough).state;
    assert_eq!(state(0, App::default()), State::Connection);
    assert_eq!(state(1, App::default()), State::Handshake);
    assert_eq!(state(head - 1, App::default()), State::Handshake);
    assert_eq!(state(head, App::default()), State::Active);
    assert_eq!(state(head, App { respond: Some(503), ..App::default() }), State::Closed);
}
