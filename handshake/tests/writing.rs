//! What is written: octet by octet, whole or not at all, and nothing that breaks a head.

mod common;

use common::{ANSWER, ASK, NONCE, head};
use martlet_handshake::HeadFault::*;
use martlet_handshake::Refusal::*;
use martlet_handshake::{
    Accept, ClientRequest, Framing, Kind, Limits, NoRoom, Offer, Refusal, Response, Upgrade, WriteError, accept_key,
    is_token,
};

const REFUSALS: [Refusal; 41] = [
    Head(Unfinished),
    Head(HeadTooLong),
    Head(LineTooLong),
    Head(TooManyHeaders),
    Head(BareCr),
    Head(BareLf),
    Head(SpaceBeforeHeaders),
    Head(ObsoleteFold),
    Head(SpaceBeforeColon),
    Head(ColonMissing),
    Head(NameInvalid),
    Head(ValueInvalid),
    TimedOut,
    RequestLineInvalid,
    TargetTooLong,
    TargetInvalid,
    HttpVersionUnsupported,
    HttpVersionTooOld,
    MethodNotGet,
    HostMissing,
    HostDuplicate,
    HostInvalid,
    UpgradeInvalid,
    ConnectionInvalid,
    ConnectionNotUpgrade,
    KeyMissing,
    KeyDuplicate,
    KeyInvalid,
    VersionMissing,
    VersionDuplicate,
    VersionUnsupported,
    SubprotocolsInvalid,
    ExtensionsInvalid,
    OriginDuplicate,
    OriginInvalid,
    ContentLengthDuplicate,
    ContentLengthInvalid,
    TransferEncodingInvalid,
    TransferEncodingUnknown,
    BodyLengthAmbiguous,
    BodyOnUpgrade,
];

/// Writes into a buffer that is full of 0xa5: all of it at any size that is enough, and nothing at any that is not.
#[track_caller]
fn written(write: impl Fn(&mut [u8]) -> Result<usize, WriteError>) -> String {
    let mut room = [0xa5; 1024];
    let len = write(&mut room).expect("room enough");
    assert!(room[len..].iter().all(|octet| *octet == 0xa5), "written behind the end");
    for size in 0..len {
        let mut small = [0xa5; 1024];
        assert_eq!(write(&mut small[..size]), Err(WriteError::NoRoom { wanted: len }), "{size} octets of room");
        assert!(small.iter().all(|octet| *octet == 0xa5), "something was written into {size} octets of room");
    }
    let mut exact = [0xa5; 1024];
    assert_eq!(write(&mut exact[..len]), Ok(len));
    assert_eq!(exact, room);
    String::from_utf8(room[..len].to_vec()).expect("ASCII")
}

/// What the server of these tests speaks.
const SPEAKS: [&str; 1] = ["chat"];

fn upgrade(lines: &[&str]) -> Upgrade {
    let head = common::edit(&ASK, "", lines);
    let end = common::request(&head, &Limits::DEFAULT, &SPEAKS, core::iter::empty()).end;
    let Some(Ok(Kind::Upgrade(upgrade))) = end else { panic!("{end:?}") };
    upgrade
}

#[test]
fn section_4_2_2_the_answer_101() {
    let plain = upgrade(&[]);
    assert_eq!(written(|out| Accept::default().write(&plain, out)).as_bytes(), head(&ANSWER));
    let offered = upgrade(&["Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Extensions: x"]);
    let accept = Accept {
        subprotocol: offered.subprotocol(&SPEAKS),
        extensions: Some("x; y=1"),
        headers: &[("Set-Cookie", "a=b; Path=/"), ("X-\u{7e}", "")],
        ..Accept::default()
    };
    let expect = [
        ANSWER[0],
        ANSWER[1],
        ANSWER[2],
        ANSWER[3],
        "Sec-WebSocket-Protocol: chat",
        "Sec-WebSocket-Extensions: x; y=1",
        "Set-Cookie: a=b; Path=/",
        "X-~: ",
    ];
    assert_eq!(written(|out| accept.write(&offered, out)).as_bytes(), head(&expect));
}

#[test]
fn section_4_2_2_nothing_is_answered_that_was_not_offered() {
    let (plain, offered) = (upgrade(&[]), upgrade(&["Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Extensions: x"]));
    let rows = [
        (plain, offered.subprotocol(&SPEAKS), None, WriteError::SubprotocolNotOffered),
        (plain, None, Some("x"), WriteError::ExtensionsNotOffered),
        (offered, None, Some(""), WriteError::ExtensionsInvalid),
        (offered, None, Some("x\r\nX: y"), WriteError::ExtensionsInvalid),
        (offered, None, Some("x;"), WriteError::ExtensionsInvalid),
    ];
    for (upgrade, subprotocol, extensions, error) in rows {
        let accept = Accept { subprotocol, extensions, ..Accept::default() };
        assert_eq!(accept.write(&upgrade, &mut [0; 512]), Err(error));
    }
}

/// Headers that no head may hold, and what is wrong with the second of two.
const BROKEN: [((&str, &str), WriteError); 12] = [
    (("X", "a\r\nSet-Cookie: b"), WriteError::HeaderValue(1)),
    (("X", "a\r"), WriteError::HeaderValue(1)),
    (("X", "a\n"), WriteError::HeaderValue(1)),
    (("X", "a\0"), WriteError::HeaderValue(1)),
    (("X", "\u{7f}"), WriteError::HeaderValue(1)),
    (("X", "\u{1b}[31m"), WriteError::HeaderValue(1)),
    (("", "a"), WriteError::HeaderName(1)),
    (("X:", "a"), WriteError::HeaderName(1)),
    (("X ", "a"), WriteError::HeaderName(1)),
    (("X\r\nY", "a"), WriteError::HeaderName(1)),
    (("X\0", "a"), WriteError::HeaderName(1)),
    (("\u{e4}", "a"), WriteError::HeaderName(1)),
];

#[test]
fn custom_headers_cannot_break_a_head() {
    let plain = upgrade(&[]);
    let mut out = [0xa5; 512];
    for (header, error) in BROKEN {
        let headers = &[("Ok", "\t\u{e4}"), header];
        assert_eq!(Accept { headers, ..Accept::default() }.write(&plain, &mut out), Err(error), "{header:?}");
        assert_eq!(Response { headers, ..Response::new(403, b"") }.write(&mut out), Err(error), "{header:?}");
        let request = ClientRequest { host: "a", target: "/", headers, ..ClientRequest::default() };
        assert_eq!(request.write(NONCE, &mut out), Err(error), "{header:?}");
    }
    assert!(out.iter().all(|octet| *octet == 0xa5));
}

#[test]
fn custom_headers_cannot_say_what_the_handshake_says() {
    let plain = upgrade(&[]);
    // Name, and whether it is refused in a 101, in another response, in a request.
    let rows = [
        ("Upgrade", true, false, true),
        ("cONNECTION", true, true, true),
        ("Sec-WebSocket-Accept", true, true, true),
        ("sec-websocket-protocol", true, false, true),
        ("Sec-WebSocket-Extensions", true, false, true),
        ("Sec-WebSocket-Key", true, false, true),
        ("Sec-WebSocket-Version", true, false, true),
        ("Content-Length", true, true, true),
        ("transfer-encoding", true, true, true),
        ("Host", false, false, true),
        ("Origin", false, false, true),
        ("Server", false, false, false),
        ("Set-Cookie", false, false, false),
    ];
    for (name, accept, response, request) in rows {
        let headers = &[(name, "x")];
        let expect = |refused: bool| if refused { Err(WriteError::HeaderReserved(0)) } else { Ok(()) };
        let mut out = [0; 512];
        assert_eq!(Accept { headers, ..Accept::default() }.write(&plain, &mut out).map(drop), expect(accept), "{name}");
        assert_eq!(
            Response { headers, ..Response::new(403, b"") }.write(&mut out).map(drop),
            expect(response),
            "{name}"
        );
        let asks = ClientRequest { host: "a", target: "/", headers, ..ClientRequest::default() };
        assert_eq!(asks.write(NONCE, &mut out).map(drop), expect(request), "{name}");
    }
}

/// Whether words for people are left out (RFC 9112 section 4: a client "SHOULD ignore the reason-phrase content").
const SMALL: bool = cfg!(feature = "small");

/// This response with the reason that the build writes.
fn as_written(response: &str) -> String {
    match response.split_once("\r\n") {
        Some((line, rest)) if SMALL => format!("{}\r\n{rest}", &line[.."HTTP/1.1 200 ".len()]),
        _ => response.to_owned(),
    }
}

#[test]
fn refusals_are_whole_http_answers() {
    let mut reasons = std::collections::HashSet::new();
    for refusal in REFUSALS {
        let text = written(|out| Ok(refusal.write(out)?));
        // The longest takes less than a connection always has room for.
        assert!(text.len() <= 320, "{} octets: {text}", text.len());
        let (head, body) = text.split_once("\r\n\r\n").expect("an empty line");
        let lines: Vec<&str> = head.split("\r\n").collect();
        assert!(lines[0].starts_with(&format!("HTTP/1.1 {} ", refusal.status())), "{}", lines[0]);
        assert!(SMALL || lines[0].len() > "HTTP/1.1 400 ".len(), "{refusal:?} has no name");
        assert!(lines.contains(&&*format!("Content-Length: {}", body.len())));
        assert_eq!(body, if SMALL { String::new() } else { format!("{refusal}\n") });
        assert!(reasons.insert(refusal.to_string()), "two refusals read alike: {refusal}");
        let connection = lines.iter().find(|line| line.starts_with("Connection: ")).expect("a Connection");
        assert!(connection.ends_with("close"));
        assert_eq!(lines.contains(&"Allow: GET"), refusal.status() == 405);
        assert_eq!(lines.contains(&"Sec-WebSocket-Version: 13"), refusal.status() == 426);
    }
    let out = &mut [0xa5; 10];
    assert!(matches!(VersionMissing.write(out), Err(NoRoom { wanted }) if wanted > 10));
    let expect = if SMALL {
        "HTTP/1.1 426 \r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade, close\r\n\
         Content-Length: 0\r\n\r\n"
    } else {
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade, close\r\n\
         Content-Type: text/plain\r\nContent-Length: 57\r\n\r\nonly version 13 of the WebSocket protocol is spoken here\n"
    };
    assert_eq!(written(|out| Ok(VersionUnsupported.write(out)?)), expect);
}

#[test]
fn every_refusal_has_its_status() {
    let expect = |refusal: Refusal| match refusal {
        MethodNotGet => 405,
        TimedOut => 408,
        TargetTooLong => 414,
        VersionMissing | VersionUnsupported => 426,
        Head(HeadTooLong | LineTooLong | TooManyHeaders) => 431,
        TransferEncodingUnknown => 501,
        HttpVersionUnsupported => 505,
        _ => 400,
    };
    for refusal in REFUSALS {
        assert_eq!(refusal.status(), expect(refusal), "{refusal:?}");
    }
}

#[test]
fn responses_of_an_application() {
    let cookie = [("Content-Type", "text/html"), ("Set-Cookie", "a")];
    let rows = [
        (
            Response { headers: &cookie, ..Response::new(403, b"no") },
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nSet-Cookie: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
        ),
        (
            Response { keep_alive: true, ..Response::new(200, b"0123456789") },
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 10\r\n\r\n0123456789",
        ),
        (
            Response { head_only: true, ..Response::new(200, b"0123456789") },
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n",
        ),
        (
            Response { framing: Framing::Length(u64::MAX), keep_alive: true, ..Response::new(200, b"") },
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 18446744073709551615\r\n\r\n",
        ),
        (
            Response { framing: Framing::Chunked, keep_alive: true, ..Response::new(417, b"") },
            "HTTP/1.1 417 Expectation Failed\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        (
            Response { framing: Framing::Close, keep_alive: true, ..Response::new(416, b"") },
            "HTTP/1.1 416 Range Not Satisfiable\r\nConnection: close\r\n\r\n",
        ),
        (Response::new(204, b""), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
        (Response::new(205, b""), "HTTP/1.1 205 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        (Response::new(304, b""), "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"),
        (Response::new(599, b""), "HTTP/1.1 599 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        (
            Response { headers: &[("upgrade", "websocket")], ..Response::new(426, b"") },
            "HTTP/1.1 426 Upgrade Required\r\nupgrade: websocket\r\nConnection: Upgrade, close\r\nContent-Length: 0\r\n\r\n",
        ),
    ];
    for (response, expect) in rows {
        assert_eq!(written(|out| response.write(out)), as_written(expect));
    }
    let faults = [
        (Response::new(0, b""), WriteError::StatusInvalid),
        (Response::new(101, b""), WriteError::StatusInvalid),
        (Response::new(199, b""), WriteError::StatusInvalid),
        (Response::new(600, b""), WriteError::StatusInvalid),
        (Response::new(204, b"x"), WriteError::BodyForbidden),
        (Response::new(304, b"x"), WriteError::BodyForbidden),
    ];
    for (response, error) in faults {
        assert_eq!(response.write(&mut [0; 256]), Err(error));
    }
}

#[test]
fn section_4_1_the_request() {
    let request = ClientRequest { host: "server.example.com", target: "/chat", ..ClientRequest::default() };
    let expect = [ASK[0], ASK[1], ASK[2], ASK[3], ASK[5], ASK[4]];
    assert_eq!(written(|out| request.write(NONCE, out)).as_bytes(), head(&expect));
    let request = ClientRequest {
        host: "[::1]:9501",
        target: "/?a=b",
        origin: Some("http://example.com"),
        subprotocols: &["chat", "superchat"],
        deflate: None,
        extensions: Some("x; y=\"z\", w"),
        headers: &[("Authorization", "Basic eA==")],
    };
    let expect = [
        "GET /?a=b HTTP/1.1",
        "Host: [::1]:9501",
        ASK[2],
        ASK[3],
        ASK[5],
        ASK[4],
        "Origin: http://example.com",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Sec-WebSocket-Extensions: x; y=\"z\", w",
        "Authorization: Basic eA==",
    ];
    assert_eq!(written(|out| request.write(NONCE, out)).as_bytes(), head(&expect));
    assert_eq!(
        request.offer(),
        Offer { subprotocols: &["chat", "superchat"], extensions: Some("x; y=\"z\", w"), deflate: None }
    );
}

#[test]
fn section_4_1_requests_that_are_none() {
    let good = ClientRequest { host: "a", target: "/", ..ClientRequest::default() };
    assert!(good.write(NONCE, &mut [0; 256]).is_ok());
    let rows = [
        (ClientRequest { host: "", ..good }, WriteError::HostInvalid),
        (ClientRequest { host: "a b", ..good }, WriteError::HostInvalid),
        (ClientRequest { host: "a\r\nX: y", ..good }, WriteError::HostInvalid),
        (ClientRequest { host: "ws://a", ..good }, WriteError::HostInvalid),
        (ClientRequest { target: "", ..good }, WriteError::TargetInvalid),
        (ClientRequest { target: "chat", ..good }, WriteError::TargetInvalid),
        (ClientRequest { target: "/a b", ..good }, WriteError::TargetInvalid),
        (ClientRequest { target: "/a#b", ..good }, WriteError::TargetInvalid),
        (ClientRequest { target: "/\u{e4}", ..good }, WriteError::TargetInvalid),
        (ClientRequest { target: "/\r\nX: y", ..good }, WriteError::TargetInvalid),
        (ClientRequest { origin: Some(""), ..good }, WriteError::OriginInvalid),
        (ClientRequest { origin: Some("a\r\nX: y"), ..good }, WriteError::OriginInvalid),
        (ClientRequest { subprotocols: &["a", ""], ..good }, WriteError::SubprotocolInvalid),
        (ClientRequest { subprotocols: &["a,b"], ..good }, WriteError::SubprotocolInvalid),
        (ClientRequest { subprotocols: &["a", "b", "a"], ..good }, WriteError::SubprotocolDuplicate),
        (ClientRequest { extensions: Some(""), ..good }, WriteError::ExtensionsInvalid),
        (ClientRequest { extensions: Some("a;;"), ..good }, WriteError::ExtensionsInvalid),
        (ClientRequest { extensions: Some("a\r\nX: y"), ..good }, WriteError::ExtensionsInvalid),
    ];
    for (request, error) in rows {
        assert_eq!(request.write(NONCE, &mut [0; 256]), Err(error), "{request:?}");
    }
}

#[test]
fn tokens_and_accept_values() {
    assert!(is_token("chat") && is_token("a!#$%&'*+-.^_`|~09"));
    for text in ["", "a b", "a,b", "a/b", "a\"", "(a)", "a@", "[a]", "a\\", "{a}", "\u{e4}", "a\0", "a:"] {
        assert!(!is_token(text), "{text:?}");
    }
    assert_eq!(&accept_key(b"x3JJHMbDL1EzLkh9GBhXDw=="), b"HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}
