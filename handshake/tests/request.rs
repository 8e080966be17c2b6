//! RFC 6455 section 4.2.1: which requests a server accepts, and why it refuses the others; row by row, at every cut.

mod common;

use common::{ASK, asked, edit, head, refused};
use martlet_handshake::HeadFault::*;
use martlet_handshake::Refusal::*;
use martlet_handshake::{Body, Kind, Limits, Offered, Plain, Refusal, Request};

/// The request asks for a WebSocket, through buffers of all sizes.
#[track_caller]
fn upgrades(head: &[u8]) {
    for max_line_bytes in [64, 128, 8192] {
        let end = asked(head, &["chat"], max_line_bytes).end;
        let Some(Ok(Kind::Upgrade(upgrade))) = end else { panic!("{end:?} for {}", head.escape_ascii()) };
        assert_eq!(&upgrade.accept(), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}

#[track_caller]
fn plain(head: &[u8]) -> Plain {
    let end = asked(head, &[], 128).end;
    let Some(Ok(Kind::Plain(plain))) = end else { panic!("{end:?} for {}", head.escape_ascii()) };
    plain
}

#[test]
fn section_1_2_the_example() {
    upgrades(&head(&ASK));
    let reading = asked(&head(&ASK), &[], 8192);
    assert_eq!(reading.taken, head(&ASK).len());
    let expect = ASK.iter().map(|line| line.trim_end_matches(" HTTP/1.1").to_string());
    assert_eq!(reading.lines, expect.chain(["end".into()]).collect::<Vec<_>>());
}

#[test]
fn section_4_2_1_item_1_method_and_version() {
    let rows: [(&str, Refusal); 26] = [
        ("POST /chat HTTP/1.1", MethodNotGet),
        ("HEAD /chat HTTP/1.1", MethodNotGet),
        ("get /chat HTTP/1.1", MethodNotGet),
        ("OPTIONS * HTTP/1.1", MethodNotGet),
        ("GET /chat HTTP/1.0", HttpVersionTooOld),
        ("GET /chat HTTP/2.0", HttpVersionUnsupported),
        ("GET /chat HTTP/0.9", HttpVersionUnsupported),
        ("GET /chat HTTP/3", HttpVersionUnsupported),
        ("PRI * HTTP/2.0", HttpVersionUnsupported),
        ("GET /chat http/1.1", RequestLineInvalid),
        ("GET /chat HTTP/1.x", RequestLineInvalid),
        ("GET /chat HTTP/1.11", RequestLineInvalid),
        ("GET /chat HTTP/11.1", RequestLineInvalid),
        ("GET /chat HTTP/1.1 ", RequestLineInvalid),
        ("GET /chat  HTTP/1.1", RequestLineInvalid),
        ("GET  /chat HTTP/1.1", RequestLineInvalid),
        ("GET\t/chat HTTP/1.1", RequestLineInvalid),
        (" GET /chat HTTP/1.1", RequestLineInvalid),
        ("GET /chat", RequestLineInvalid),
        ("GET", RequestLineInvalid),
        ("G\u{e4}T /chat HTTP/1.1", RequestLineInvalid),
        ("GET /ch\0at HTTP/1.1", RequestLineInvalid),
        ("GET /ch\u{e4}t HTTP/1.1", RequestLineInvalid),
        ("GET /chat\x7f HTTP/1.1", RequestLineInvalid),
        ("\0", RequestLineInvalid),
        ("\x16\x03\x01\x02", RequestLineInvalid),
    ];
    for (line, refusal) in rows {
        refused(&edit(&ASK, "GET", &[line]), refusal);
    }
    for line in ["GET /chat HTTP/1.2", "GET /chat HTTP/1.9"] {
        upgrades(&edit(&ASK, "GET", &[line]));
    }
}

#[test]
fn section_4_2_1_item_1_target() {
    let rows: [(&str, Refusal); 10] = [
        ("chat", TargetInvalid),
        ("*", TargetInvalid),
        ("?a", TargetInvalid),
        ("server.example.com:80", TargetInvalid),
        ("ftp://server.example.com/", TargetInvalid),
        ("http:/chat", TargetInvalid),
        ("http:///chat", HostInvalid),
        ("http://user@server.example.com/chat", HostInvalid),
        // RFC 6455 section 3: no fragment.
        ("/chat#there", RequestLineInvalid),
        ("/#", RequestLineInvalid),
    ];
    for (target, refusal) in rows {
        refused(&edit(&ASK, "GET", &[&format!("GET {target} HTTP/1.1")]), refusal);
    }
    for target in
        ["/", "/chat?room=1&x=|{}", "http://server.example.com/chat", "WSS://server.example.com:443?x", "/%23"]
    {
        upgrades(&edit(&ASK, "GET", &[&format!("GET {target} HTTP/1.1")]));
    }
}

#[test]
fn section_4_2_1_item_2_host() {
    refused(&edit(&ASK, "Host", &[]), HostMissing);
    refused(&edit(&ASK, "Host", &["Host: a", "Host: a"]), HostDuplicate);
    refused(&edit(&ASK, "", &["hOST: b"]), HostDuplicate);
    for host in ["", "a b", "a,b", "a/b", "a@b", "a:b", "a:65536", "[::1", "h\u{e4}", "a\tb"] {
        refused(&edit(&ASK, "Host", &[&format!("Host: {host}")]), HostInvalid);
    }
    for host in ["localhost", "localhost:9501", "[::1]:9501", "127.0.0.1", "a.b:"] {
        upgrades(&edit(&ASK, "Host", &[&format!("Host:{host}")]));
    }
    // RFC 9112 section 3.2: needed whatever the request asks for, but for HTTP/1.0.
    refused(&head(&["GET / HTTP/1.1"]), HostMissing);
    plain(&head(&["GET / HTTP/1.0"]));
}

#[test]
fn section_4_2_1_item_3_upgrade() {
    for value in ["WebSocket", "WEBSOCKET", "h2c, websocket", "h2c,websocket/1,\twebsocket ,", ",,websocket"] {
        upgrades(&edit(&ASK, "Upgrade", &[&format!("Upgrade: {value}")]));
    }
    upgrades(&edit(&ASK, "Upgrade", &["Upgrade: h2c", "Upgrade: websocket"]));
    upgrades(&edit(&ASK, "Upgrade", &["uPGRADE:websocket", "upgrade:"]));
    for value in ["web socket", "websocket;q=1", "websocket/", "\"websocket\"", "a/b/c"] {
        refused(&edit(&ASK, "Upgrade", &[&format!("Upgrade: {value}")]), UpgradeInvalid);
    }
    for lines in [&[][..], &["Upgrade: h2c"], &["Upgrade: websockets"], &["Upgrade: websocket/13"], &["Upgrade:"]] {
        assert_eq!(plain(&edit(&ASK, "Upgrade", lines)), Plain { keep_alive: true, body: Body::None });
    }
}

#[test]
fn section_4_2_1_item_4_connection() {
    for value in ["upgrade", "keep-alive, Upgrade", "UPGRADE,close", ", ,\tuPgRaDe\t,"] {
        upgrades(&edit(&ASK, "Connection", &[&format!("Connection: {value}")]));
    }
    upgrades(&edit(&ASK, "Connection", &["Connection: keep-alive", "CONNECTION: Upgrade"]));
    for lines in [&[][..], &["Connection: keep-alive"], &["Connection:"], &["Connection: upgrades"]] {
        refused(&edit(&ASK, "Connection", lines), ConnectionNotUpgrade);
    }
    for value in ["keep alive, Upgrade", "Upgrade; x", "\"Upgrade\"", "Upgrade/1"] {
        refused(&edit(&ASK, "Connection", &[&format!("Connection: {value}")]), ConnectionInvalid);
    }
}

#[test]
fn section_4_2_1_item_5_key() {
    refused(&edit(&ASK, "Sec-WebSocket-Key", &[]), KeyMissing);
    refused(&edit(&ASK, "", &[ASK[4]]), KeyDuplicate);
    let faults = [
        "",
        "x",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZR==",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25jZ-==",
        "dGhlIHNhbXBsZSBub25jZQ==, x",
        "dGhlIHNhbXBsZSBub25jZQ==\u{e9}",
        "dGhlIHNhbXBsZSBub25jZQ== \u{e9}",
        "\"dGhlIHNhbXBsZSBub25jZQ==\"",
        "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBu",
    ];
    for fault in faults {
        refused(&edit(&ASK, "Sec-WebSocket-Key", &[&format!("Sec-WebSocket-Key: {fault}")]), KeyInvalid);
    }
    upgrades(&edit(&ASK, "Sec-WebSocket-Key", &["sec-websocket-key:\t dGhlIHNhbXBsZSBub25jZQ== \t"]));
}

#[test]
fn section_4_2_1_item_6_version() {
    refused(&edit(&ASK, "Sec-WebSocket-Version", &[]), VersionMissing);
    refused(&edit(&ASK, "", &["Sec-WebSocket-Version: 13"]), VersionDuplicate);
    for version in ["", "8", "0", "14", "1", "3", "131", "013", "13, 8", "13;", "x", "-13"] {
        let line = format!("Sec-WebSocket-Version: {version}");
        refused(&edit(&ASK, "Sec-WebSocket-Version", &[&line]), VersionUnsupported);
    }
    // A client of an early draft has other keys and no version: it shall learn about the version.
    let early = ["GET / HTTP/1.1", "Host: a", "Upgrade: WebSocket", "Connection: Upgrade", "Sec-WebSocket-Key1: 4 @1"];
    refused(&head(&early), VersionMissing);
    upgrades(&edit(&ASK, "Sec-WebSocket-Version", &["sec-websocket-version:13"]));
}

#[test]
fn section_4_2_1_item_7_origin() {
    for origin in ["https://example.org", "null", "http://[::1]:8080", "http://a http://b"] {
        upgrades(&edit(&ASK, "", &[&format!("Origin: {origin}")]));
    }
    refused(&edit(&ASK, "", &["Origin: http://a", "origin: http://a"]), OriginDuplicate);
    refused(&edit(&ASK, "", &["Origin:"]), OriginInvalid);
    refused(&edit(&ASK, "", &["Origin: http://\u{e4}"]), OriginInvalid);
    refused(&edit(&ASK, "", &["Origin: a\tb"]), OriginInvalid);
}

#[test]
fn section_4_2_1_item_8_subprotocols() {
    // What the server likes best of what is offered, over all lines.
    let rows: [(&[&str], Option<&str>); 9] = [
        (&[], None),
        (&["chat"], Some("chat")),
        (&["superchat, chat"], Some("chat")),
        (&["x,superchat", "chat"], Some("chat")),
        (&["superchat", "x"], Some("superchat")),
        (&["Chat"], None),
        (&["chats,cha,hat"], None),
        (&[",superchat,"], Some("superchat")),
        (&["", "chat"], Some("chat")),
    ];
    let speaks = ["chat", "superchat"];
    for (values, expect) in rows {
        let lines: Vec<String> = values.iter().map(|value| format!("Sec-WebSocket-Protocol: {value}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let head = edit(&ASK, "", &lines);
        for max_line_bytes in [64, 128, 8192] {
            let end = asked(&head, &speaks, max_line_bytes).end;
            let Some(Ok(Kind::Upgrade(upgrade))) = end else { panic!("{end:?}") };
            assert_eq!(upgrade.subprotocol(&speaks).map(Offered::as_str), expect, "{values:?}");
            assert_eq!(upgrade.offers_subprotocols(), !values.is_empty());
        }
    }
    for value in ["a b", "a;b", "a,b c", "(a)", "a\u{e4}", "", ",", "\"a\""] {
        refused(&edit(&ASK, "", &[&format!("Sec-WebSocket-Protocol: {value}")]), SubprotocolsInvalid);
    }
}

#[test]
fn section_4_2_1_item_9_extensions() {
    for value in ["permessage-deflate", "permessage-deflate; client_max_window_bits, x; a=\"1\"", ", a"] {
        let head = edit(&ASK, "", &[&format!("Sec-WebSocket-Extensions: {value}")]);
        for max_line_bytes in [64, 8192] {
            let end = asked(&head, &[], max_line_bytes).end;
            assert!(matches!(end, Some(Ok(Kind::Upgrade(upgrade))) if upgrade.offers_extensions()), "{end:?}");
        }
    }
    for value in ["", ",", "a b", "a;", "a;b=", "a; b=\"", "a; b=\"c d\"", "a, =", "a; b=\"c,d\""] {
        refused(&edit(&ASK, "", &[&format!("Sec-WebSocket-Extensions: {value}")]), ExtensionsInvalid);
    }
    let head = head(&ASK);
    assert!(matches!(asked(&head, &[], 64).end, Some(Ok(Kind::Upgrade(upgrade))) if !upgrade.offers_extensions()));
}

/// The most octets that a body may have, the line that says so, and the next one.
const LONGEST_BODY: (u64, &str, &str) = if cfg!(feature = "small") {
    (u32::MAX as u64 - 1, "Content-Length: 4294967294", "Content-Length: 4294967295")
} else {
    (u64::MAX - 1, "Content-Length: 18446744073709551614", "Content-Length: 18446744073709551615")
};

#[test]
fn rfc_9112_section_6_3_bodies() {
    let rows: [(&[&str], Refusal); 16] = [
        (&["Content-Length: 1"], BodyOnUpgrade),
        (&["Transfer-Encoding: chunked"], BodyOnUpgrade),
        (&["Content-Length: 0", "content-length: 0"], ContentLengthDuplicate),
        (&["Content-Length: 0, 0"], ContentLengthInvalid),
        (&["Content-Length:"], ContentLengthInvalid),
        (&["Content-Length: -1"], ContentLengthInvalid),
        (&["Content-Length: +1"], ContentLengthInvalid),
        (&["Content-Length: 0x1"], ContentLengthInvalid),
        (&[LONGEST_BODY.2], ContentLengthInvalid),
        (&["Content-Length: 18446744073709551616"], ContentLengthInvalid),
        (&["Transfer-Encoding: chunked", "Content-Length: 0"], BodyLengthAmbiguous),
        (&["Transfer-Encoding: chunked, chunked"], TransferEncodingInvalid),
        (&["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], TransferEncodingInvalid),
        (&["Transfer-Encoding:"], TransferEncodingInvalid),
        (&["Transfer-Encoding: gzip, chunked"], TransferEncodingUnknown),
        (&["Transfer-Encoding: identity"], TransferEncodingUnknown),
    ];
    for (lines, refusal) in rows {
        refused(&edit(&ASK, "", lines), refusal);
        if refusal != BodyOnUpgrade {
            let mut plain = vec!["POST / HTTP/1.1", "Host: a"];
            plain.extend(lines);
            refused(&head(&plain), refusal);
        }
    }
    refused(&head(&["POST / HTTP/1.0", "Transfer-Encoding: chunked"]), TransferEncodingInvalid);
    upgrades(&edit(&ASK, "", &["Content-Length: 0"]));
}

#[test]
fn requests_that_ask_for_no_websocket() {
    let rows: [(&[&str], bool, Body); 10] = [
        (&["GET / HTTP/1.1", "Host: a"], true, Body::None),
        (&["GET / HTTP/1.1", "Host: a", "Connection: close"], false, Body::None),
        (&["GET / HTTP/1.1", "Host: a", "Connection: keep-alive, Close"], false, Body::None),
        (&["GET / HTTP/1.0"], false, Body::None),
        (&["GET / HTTP/1.0", "Connection: Keep-Alive"], true, Body::None),
        (&["POST / HTTP/1.1", "Host: a", "Content-Length: 5"], true, Body::Length(5)),
        (&["POST / HTTP/1.1", "Host: a", "Content-Length: 0"], true, Body::None),
        (&["POST / HTTP/1.1", "Host: a", "Transfer-Encoding: Chunked"], true, Body::Chunked),
        (&["OPTIONS * HTTP/1.1", "Host: a"], true, Body::None),
        (&["GET / HTTP/1.1", "Host: a", LONGEST_BODY.1], true, Body::Length(LONGEST_BODY.0)),
    ];
    for (lines, keep_alive, body) in rows {
        assert_eq!(plain(&head(lines)), Plain { keep_alive, body }, "{lines:?}");
    }
}

/// A key that nobody needs and the length of a body share their place in the scanner.
#[test]
fn a_key_and_a_length_in_any_order() {
    let (key, length) = ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Content-Length: 70000");
    for lines in [[key, length], [length, key]] {
        let lines = [&["POST / HTTP/1.1", "Host: a"], &lines[..]].concat();
        assert_eq!(plain(&head(&lines)), Plain { keep_alive: true, body: Body::Length(70000) }, "{lines:?}");
        refused(&head(&[&lines[..], &[key]].concat()), KeyDuplicate);
        refused(&head(&[&lines[..], &[length]].concat()), ContentLengthDuplicate);
    }
    refused(&head(&["POST / HTTP/1.1", "Host: a", length, "Sec-WebSocket-Key: x"]), KeyInvalid);
    refused(&edit(&ASK, "Sec-WebSocket-Key", &[length, key]), BodyOnUpgrade);
    refused(&edit(&ASK, "Sec-WebSocket-Key", &[key, length]), BodyOnUpgrade);
    upgrades(&edit(&ASK, "Sec-WebSocket-Key", &["Content-Length: 0", key]));
    upgrades(&edit(&ASK, "Sec-WebSocket-Key", &[key, "Content-Length: 00"]));
}

/// Whatever the limits say; without `small` they say it alone.
#[test]
fn small_counts_to_255_headers_and_65_535_octets() {
    let small = cfg!(feature = "small");
    let limits = Limits { max_headers: u16::MAX, max_head_bytes: u32::MAX, max_line_bytes: u32::MAX };
    let end = |head: &[u8]| common::request(head, &limits, &[], core::iter::empty()).end;
    let with = |count: usize| head(&[&["GET / HTTP/1.1", "Host: a"], &vec!["X: y"; count - 1][..]].concat());
    assert!(matches!(end(&with(255)), Some(Ok(_))));
    assert_eq!(end(&with(256)) == Some(Err(Head(TooManyHeaders))), small);
    assert_eq!(matches!(end(&with(300)), Some(Ok(_))), !small);
    let long = |len: usize| {
        let value = "v".repeat(len - head(&["GET / HTTP/1.1", "Host: a", "X: "]).len());
        head(&["GET / HTTP/1.1", "Host: a", &format!("X: {value}")])
    };
    assert!(matches!(end(&long(65_535)), Some(Ok(_))));
    assert_eq!(end(&long(65_536)) == Some(Err(Head(HeadTooLong))), small);
    assert_eq!(matches!(end(&long(100_000)), Some(Ok(_))), !small);
}

/// The octet that cannot be right is the last that was needed: one octet less, and more is awaited.
#[track_caller]
fn refused_at(prefix: &[u8], refusal: Refusal) {
    for max_line_bytes in [64, 8192] {
        for (len, expect) in [(prefix.len() - 1, None), (prefix.len(), Some(Err(refusal)))] {
            let end = asked(&prefix[..len], &[], max_line_bytes).end;
            assert_eq!(end, expect, "{}", prefix[..len].escape_ascii());
        }
    }
}

#[test]
fn the_first_wrong_octet_is_refused_when_it_arrives() {
    let line = b"GET / HTTP/1.1\r\n";
    let rows: [(&[u8], Refusal); 23] = [
        (b"\0", RequestLineInvalid),
        (b"\n", Head(BareLf)),
        (b"\rG", Head(BareCr)),
        (b"G\r", RequestLineInvalid),
        (b"GET\n", Head(BareLf)),
        (b"GET  ", RequestLineInvalid),
        (b"GET /\x80", RequestLineInvalid),
        (b"GET /\r", RequestLineInvalid),
        (b"GET / HTTQ", RequestLineInvalid),
        (b"GET / HTTP/2", HttpVersionUnsupported),
        (b"GET / HTTP/1,", RequestLineInvalid),
        (b"GET / HTTP/1.1\n", Head(BareLf)),
        (b"GET / HTTP/1.1\rH", Head(BareCr)),
        (b"GET / HTTP/1.1\r\n ", Head(SpaceBeforeHeaders)),
        (b"GET / HTTP/1.1\r\n\t", Head(SpaceBeforeHeaders)),
        (b"GET / HTTP/1.1\r\n:", Head(NameInvalid)),
        (b"GET / HTTP/1.1\r\nHo st", Head(SpaceBeforeColon)),
        (b"GET / HTTP/1.1\r\nHost\t", Head(SpaceBeforeColon)),
        (b"GET / HTTP/1.1\r\nHost\r", Head(ColonMissing)),
        (b"GET / HTTP/1.1\r\nHost\n", Head(BareLf)),
        (b"GET / HTTP/1.1\r\nH(", Head(NameInvalid)),
        (b"GET / HTTP/1.1\r\nH\x80", Head(NameInvalid)),
        (b"GET / HTTP/1.1\r\n\n", Head(BareLf)),
    ];
    for (head, refusal) in rows {
        // A name that goes on is cut where it goes wrong.
        let wrong = if head.ends_with(b"Ho st") { &head[..line.len() + 3] } else { head };
        refused_at(wrong, refusal);
        refused(head, refusal);
    }
    for octet in (0..=u8::MAX).filter(|octet| !matches!(octet, b'\t' | b'\r' | b'\n' | b' '..=b'~' | 0x80..)) {
        let head = [&line[..], b"X: a", &[octet]].concat();
        refused_at(&head, Head(ValueInvalid));
    }
    refused_at(&[&line[..], b"X: a\n"].concat(), Head(BareLf));
    refused_at(&[&line[..], b"X: a\rb"].concat(), Head(BareCr));
    refused_at(&[&line[..], b"X: a\r\r"].concat(), Head(BareCr));
    refused_at(&[&line[..], b"X: a\r\n "].concat(), Head(ObsoleteFold));
    refused_at(&[&line[..], b"X: a\r\n\t"].concat(), Head(ObsoleteFold));
    refused_at(&[&line[..], b"X: a\r\n\rX"].concat(), Head(BareCr));
}

#[test]
fn rfc_9112_section_2_2_empty_lines_come_first_and_only_there() {
    let mut head = b"\r\n\r\n".to_vec();
    head.extend(common::head(&ASK));
    upgrades(&head);
    assert_eq!(asked(&head, &[], 64).lines[..3], ["blank", "blank", "GET /chat"]);
    let request = Request::parse(&head).expect("it was passed");
    assert_eq!(request.target(), "/chat");
    let endless = b"\r\n".repeat(5000);
    let reading = common::request(&endless, &Limits::DEFAULT, &[], core::iter::empty());
    assert_eq!((reading.end, reading.taken), (Some(Err(Head(HeadTooLong))), 8192));
}

#[test]
fn an_unfinished_head_has_no_meaning() {
    let scanner = martlet_handshake::RequestScanner::new();
    assert_eq!(scanner.finish(), Err(Head(Unfinished)));
    let whole = head(&ASK);
    for len in 0..whole.len() {
        assert_eq!(common::request(&whole[..len], &Limits::DEFAULT, &[], core::iter::empty()).end, None);
    }
}
