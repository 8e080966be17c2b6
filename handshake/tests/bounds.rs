//! How long heads, lines and lists may be, to the octet, and what passes in pieces.

mod common;

use common::{ASK, asked, edit, head, joined, lines_of, refused};
use martlet_handshake::HeadFault::*;
use martlet_handshake::Refusal::*;
use martlet_handshake::{Kind, Limits, Offered, Refusal};

#[test]
fn rfc_6585_section_5_the_head_is_bounded_to_the_octet() {
    for max_line_bytes in [64, 100, 8192] {
        let mut lines = ASK.to_vec();
        let cookie = format!("Cookie: {}", "c".repeat(150));
        lines.insert(2, &cookie);
        let whole = head(&lines);
        for (spare, legal) in [(1, true), (0, true), (-1, false), (-2, false), (-30, false), (-200, false)] {
            let max_head_bytes = (whole.len() as i32 + spare) as u32;
            let limits = Limits { max_head_bytes, max_line_bytes, max_headers: 64 };
            let end = common::any_cut(whole.len(), |cuts| common::request(&whole, &limits, &[], cuts)).end;
            match legal {
                true => assert!(matches!(end, Some(Ok(Kind::Upgrade(_)))), "{end:?}"),
                false => assert_eq!(end, Some(Err(Head(HeadTooLong)))),
            }
        }
    }
}

#[test]
fn an_endless_head_is_refused_at_its_limit() {
    let tails: [(&[u8], &[u8], Refusal); 6] = [
        (b"", b"A", Head(HeadTooLong)),
        (b"GET /", b"a", TargetTooLong),
        (b"GET / HTTP/1.1\r\n", b"n", Head(HeadTooLong)),
        (b"GET / HTTP/1.1\r\nX:", b"v", Head(HeadTooLong)),
        (b"GET / HTTP/1.1\r\nX:", b" ", Head(HeadTooLong)),
        (b"GET / HTTP/1.1\r\nUpgrade: ", b"a,", Head(HeadTooLong)),
    ];
    for max_line_bytes in [512, 8192] {
        let limits = Limits { max_head_bytes: 512, max_line_bytes, ..Limits::DEFAULT };
        for (front, tail, refusal) in tails {
            let mut endless = front.to_vec();
            endless.extend(tail.iter().cycle().take(600));
            let read =
                |len: usize| common::any_cut(len, |cuts| common::request(&endless[..len], &limits, &[], cuts)).end;
            assert_eq!((read(511), read(512), read(600)), (None, Some(Err(refusal)), Some(Err(refusal))));
        }
    }
}

#[test]
fn rfc_6585_section_5_headers_are_counted() {
    let limits = Limits { max_headers: 5, ..lines_of(64) };
    let read = |lines: &[&str]| {
        let head = edit(&ASK, "", lines);
        common::any_cut(head.len(), |cuts| common::request(&head, &limits, &[], cuts)).end
    };
    assert!(matches!(read(&[]), Some(Ok(Kind::Upgrade(_)))));
    assert_eq!(read(&["X: y"]), Some(Err(Head(TooManyHeaders))));
    // The first octet of one too many is enough.
    let mut begun = head(&ASK);
    begun.truncate(begun.len() - 2);
    assert_eq!(common::request(&begun, &limits, &[], core::iter::empty()).end, None);
    begun.push(b'X');
    assert_eq!(common::request(&begun, &limits, &[], core::iter::repeat(1)).end, Some(Err(Head(TooManyHeaders))));
}

#[test]
fn what_must_be_seen_whole_fits_or_is_refused() {
    let long = "x".repeat(60);
    let rows: [(Vec<u8>, Refusal); 10] = [
        (edit(&ASK, "GET", &[&format!("GET /{long} HTTP/1.1")]), TargetTooLong),
        (edit(&ASK, "GET", &[&format!("{long}abcd / HTTP/1.1")]), Head(LineTooLong)),
        (edit(&ASK, "", &[&format!("{long}abcd: x")]), Head(LineTooLong)),
        (edit(&ASK, "Host", &[&format!("Host: {long}")]), Head(LineTooLong)),
        (edit(&ASK, "", &[&format!("Origin: {long}")]), Head(LineTooLong)),
        (edit(&ASK, "Sec-WebSocket-Key", &[&format!("Sec-WebSocket-Key: {long}")]), Head(LineTooLong)),
        (edit(&ASK, "", &[&format!("Content-Length: {}", "0".repeat(60))]), Head(LineTooLong)),
        (edit(&ASK, "Upgrade", &[&format!("Upgrade: websocket, {long}abcd")]), Head(LineTooLong)),
        (edit(&ASK, "", &[&format!("Sec-WebSocket-Protocol: a, {long}abcd, b")]), Head(LineTooLong)),
        (edit(&ASK, "", &[&format!("Sec-WebSocket-Extensions: a; b=\"{long},\"")]), Head(LineTooLong)),
    ];
    for (head, refusal) in rows {
        assert_eq!(asked(&head, &[], 64).end, Some(Err(refusal)), "{}", head.escape_ascii());
    }
}

#[test]
fn a_line_that_fits_is_yielded_whole_and_a_longer_one_in_pieces() {
    let value = "v".repeat(64 - "X: \r\n".len());
    let read = |value: &str| asked(&edit(&ASK, "", &[&format!("X: {value}")]), &[], 64).lines[6..].to_vec();
    assert_eq!(read(&value), [format!("X: {value}"), "end".into()]);
    let longer = format!("{value}w");
    // The CR would be the last octet that is seen: it stays with its LF.
    assert_eq!(read(&longer), [format!("X: {longer}..."), "...".into(), "end".into()]);
    let longest = format!("{value}www");
    assert_eq!(read(&longest), [format!("X: {value}ww..."), "...w".into(), "end".into()]);
    assert_eq!(read(&" ".repeat(100)), ["X: ...", "...", "end"]);
}

#[test]
fn long_lists_pass_element_by_element() {
    let many = (0..40).map(|at| format!("proto-{at}")).collect::<Vec<_>>().join(", ");
    // An element that fits by itself fits behind a name too.
    let widest = "w".repeat(62);
    let extension = "permessage-deflate; server_max_window_bits=10";
    let head = head(&[
        "GET /chat HTTP/1.1",
        "Host: server.example.com",
        &format!("Upgrade: h2c{}, websocket", ", other/1.0".repeat(20)),
        &format!("Connection: {}Upgrade, keep-alive", " ,\t".repeat(50)),
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        &format!("Sec-WebSocket-Protocol:{}{many}, {widest}, proto-x", " ".repeat(100)),
        &format!("Sec-WebSocket-Extensions: {extension}, {extension}, x; y=\"z\", {extension}"),
    ]);
    for max_line_bytes in [64, 65, 80, 128, 200, 8192] {
        let speaks = ["proto-x", "proto-39"];
        let reading = asked(&head, &speaks, max_line_bytes);
        let Some(Ok(Kind::Upgrade(upgrade))) = reading.end else { panic!("{reading:?}") };
        assert_eq!(upgrade.subprotocol(&speaks).map(Offered::as_str), Some("proto-x"));
        assert!(upgrade.offers_extensions());
        assert_eq!(joined(&reading)[6], format!("Sec-WebSocket-Protocol: {many}, {widest}, proto-x"));
    }
    // A fault is found in a later piece.
    let bad = edit(&ASK, "", &[&format!("Sec-WebSocket-Protocol: {many}, two words, {many}")]);
    refused(&bad, SubprotocolsInvalid);
    let bad = edit(&ASK, "", &[&format!("Sec-WebSocket-Extensions: {extension}, {extension}, =, {extension}")]);
    refused(&bad, ExtensionsInvalid);
    let bad = edit(&ASK, "", &[&format!("Cookie: {}\0", "c".repeat(200))]);
    refused(&bad, Head(ValueInvalid));
}
