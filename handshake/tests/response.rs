//! RFC 6455 section 4.1, from "the client MUST validate the server's response": row by row, at every cut.

mod common;

use common::{ANSWER, answered, any_cut, edit, head, response};
use martlet_handshake::HeadFault::*;
use martlet_handshake::ResponseFault::*;
use martlet_handshake::{Agreed, Limits, Offer, ResponseFault, ResponseHead};

const OFFER: Offer<'static> = Offer {
    subprotocols: &["chat", "superchat"],
    extensions: Some("permessage-deflate; a, x; y=\"z\""),
    deflate: None,
};

#[track_caller]
fn fails(head: &[u8], fault: ResponseFault) {
    for max_line_bytes in [64, 128, 8192] {
        let end = answered(head, &OFFER, max_line_bytes).end;
        assert_eq!(end, Some(Err(fault)), "{} at {max_line_bytes}", head.escape_ascii());
    }
}

#[track_caller]
fn opens(head: &[u8]) -> Agreed {
    for max_line_bytes in [64, 128] {
        let end = answered(head, &OFFER, max_line_bytes).end;
        assert!(matches!(end, Some(Ok(_))), "{end:?} for {} at {max_line_bytes}", head.escape_ascii());
    }
    let Some(Ok(agreed)) = answered(head, &OFFER, 8192).end else { panic!("not for {}", head.escape_ascii()) };
    agreed
}

#[test]
fn section_1_2_the_example() {
    let agreed = opens(&head(&ANSWER));
    assert_eq!(agreed.subprotocol(OFFER.subprotocols), None);
    assert!(!agreed.has_extensions());
    let agreed = opens(&edit(&ANSWER, "", &["Sec-WebSocket-Protocol: chat"]));
    assert_eq!(agreed.subprotocol(OFFER.subprotocols), Some("chat"));
}

#[test]
fn validation_item_1_status() {
    let rows: [(&str, ResponseFault); 17] = [
        ("HTTP/1.1 200 OK", Status(200)),
        ("HTTP/1.1 302 Found", Status(302)),
        ("HTTP/1.1 401 Unauthorized", Status(401)),
        ("HTTP/1.1 000 x", Status(0)),
        ("HTTP/1.1 999", Status(999)),
        ("HTTP/1.0 404 x", Status(404)),
        ("HTTP/1.0 101 x", HttpVersionUnsupported),
        ("HTTP/2.0 101 x", HttpVersionUnsupported),
        ("HTTP/1.1 10", StatusLineInvalid),
        ("HTTP/1.1 1010 x", StatusLineInvalid),
        ("HTTP/1.1  101 x", StatusLineInvalid),
        ("HTTP/1.1 -101 x", StatusLineInvalid),
        ("http/1.1 101 x", StatusLineInvalid),
        ("GET / HTTP/1.1", StatusLineInvalid),
        ("HTTP/1.1 101 a\0", StatusLineInvalid),
        ("\r\nHTTP/1.1 101 x", StatusLineInvalid),
        ("HTTP/1.1 101 a\rb", Head(BareCr)),
    ];
    for (line, fault) in rows {
        fails(&edit(&ANSWER, "HTTP", &[line]), fault);
    }
    // The reason means nothing.
    for line in ["HTTP/1.1 101", "HTTP/1.1 101 ", "HTTP/1.1 101 \u{e4}\t404", "HTTP/1.2 101 x"] {
        opens(&edit(&ANSWER, "HTTP", &[line]));
    }
}

#[test]
fn rfc_9110_section_15_2_interim_responses_are_read_over() {
    let interim = head(&[
        "HTTP/1.1 103 Early Hints",
        "Link: </style.css>; rel=preload",
        "Upgrade: none",
        "Sec-WebSocket-Accept: x",
    ]);
    let carry_on = head(&["HTTP/1.1 100 Continue"]);
    opens(&[&*carry_on, &interim, &head(&ANSWER)].concat());
    let refusal = [&*interim, &carry_on, &head(&["HTTP/1.1 403 Forbidden", "Retry-After: 1"])].concat();
    fails(&refusal, Status(403));
    let lines = answered(&refusal, &OFFER, 64).lines;
    let marks = ["103 Early Hints", "blank", "100 Continue", "blank", "403 Forbidden", "Retry-After: 1"];
    let found: Vec<_> = lines.iter().filter(|line| marks.contains(&line.as_str())).collect();
    assert_eq!(found, marks);
    let view = ResponseHead::parse(&refusal).expect("a legal head");
    assert_eq!((view.code(), view.headers().count(), view.header("link")), (403, 1, None));
    assert!(ResponseHead::parse(&interim).is_none());
    // All of them are one head, as far as its length is concerned.
    let limits = Limits { max_head_bytes: 100, ..Limits::DEFAULT };
    let endless = carry_on.repeat(5);
    let end = any_cut(endless.len(), |cuts| response(&endless, &limits, &OFFER, cuts)).end;
    assert_eq!(end, Some(Err(Head(HeadTooLong))));
}

#[test]
fn a_redirection_is_seen_before_it_fails() {
    let head =
        head(&["HTTP/1.1 307 Temporary Redirect", "Upgrade: x", "Location: /elsewhere", "Sec-WebSocket-Accept: x"]);
    let reading = answered(&head, &OFFER, 64);
    assert_eq!(reading.lines[0], "307 Temporary Redirect");
    assert_eq!(reading.lines[2], "Location: /elsewhere");
    assert_eq!(reading.end, Some(Err(Status(307))));
    let view = ResponseHead::parse(&head).expect("a legal head");
    assert_eq!((view.code(), view.header("location")), (307, Some(&b"/elsewhere"[..])));
    assert_eq!(view.headers().count(), 3);
    // Nor do its lists matter, however long they are.
    let lists = format!("Upgrade: {}", "h2c, ".repeat(40));
    fails(&common::head(&["HTTP/1.1 426 x", &lists]), Status(426));
    // Its syntax is checked all the same.
    fails(&common::head(&["HTTP/1.1 307 x", "Location : /"]), Head(SpaceBeforeColon));
}

#[test]
fn validation_item_2_upgrade() {
    for line in ["Upgrade: WebSocket", "UPGRADE:\twebsocket ", "Upgrade: ,websocket"] {
        opens(&edit(&ANSWER, "Upgrade", &[line]));
    }
    fails(&edit(&ANSWER, "Upgrade", &[]), UpgradeMissing);
    fails(&edit(&ANSWER, "Upgrade", &["Upgrade:"]), UpgradeMissing);
    for value in ["h2c", "h2c, websocket", "websocket, h2c", "websocket/13", "web socket"] {
        fails(&edit(&ANSWER, "Upgrade", &[&format!("Upgrade: {value}")]), UpgradeInvalid);
    }
}

#[test]
fn validation_item_3_connection() {
    for line in ["Connection: upgrade", "connection: keep-alive, UPGRADE", "Connection: ,Upgrade,"] {
        opens(&edit(&ANSWER, "Connection", &[line]));
    }
    opens(&edit(&ANSWER, "Connection", &["Connection: keep-alive", "Connection: Upgrade"]));
    for lines in [&[][..], &["Connection:"], &["Connection: close"], &["Connection: upgrades"]] {
        fails(&edit(&ANSWER, "Connection", lines), ConnectionNotUpgrade);
    }
    fails(&edit(&ANSWER, "Connection", &["Connection: keep alive, Upgrade"]), ConnectionInvalid);
    let many = "keep-alive, ".repeat(20);
    opens(&edit(&ANSWER, "Connection", &[&format!("Connection: {many}Upgrade")]));
    fails(&edit(&ANSWER, "Connection", &[&format!("Connection: {many}two words, Upgrade")]), ConnectionInvalid);
}

#[test]
fn validation_item_4_accept() {
    fails(&edit(&ANSWER, "Sec-WebSocket-Accept", &[]), AcceptMissing);
    fails(&edit(&ANSWER, "", &[ANSWER[3]]), AcceptDuplicate);
    for value in [
        "",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
        "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "dGhlIHNhbXBsZSBub25jZQ==",
        "\"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\"",
    ] {
        fails(&edit(&ANSWER, "Sec-WebSocket-Accept", &[&format!("Sec-WebSocket-Accept: {value}")]), AcceptMismatch);
    }
    // Whitespace around a value is none of it.
    opens(&edit(&ANSWER, "Sec-WebSocket-Accept", &["sec-websocket-accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t"]));
}

#[test]
fn validation_item_5_extensions() {
    for value in ["permessage-deflate", "permessage-deflate; b=1", "x", "x, permessage-deflate"] {
        assert!(opens(&edit(&ANSWER, "", &[&format!("Sec-WebSocket-Extensions: {value}")])).has_extensions());
    }
    let rows: [(&[&str], ResponseFault); 8] = [
        (&["y"], ExtensionNotOffered),
        (&["permessage-deflate, y"], ExtensionNotOffered),
        (&["Permessage-Deflate"], ExtensionNotOffered),
        (&["x, x"], ExtensionTwice),
        (&["x", "permessage-deflate"], ExtensionsDuplicate),
        (&[""], ExtensionsInvalid),
        (&["x;"], ExtensionsInvalid),
        (&["x y"], ExtensionsInvalid),
    ];
    for (values, fault) in rows {
        let lines: Vec<String> = values.iter().map(|value| format!("Sec-WebSocket-Extensions: {value}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        fails(&edit(&ANSWER, "", &lines), fault);
    }
    let head = edit(&ANSWER, "", &["Sec-WebSocket-Extensions: permessage-deflate"]);
    assert_eq!(answered(&head, &Offer::default(), 8192).end, Some(Err(ExtensionNotOffered)));
    let long = edit(&ANSWER, "", &[&format!("Sec-WebSocket-Extensions: {}", "x; a, ".repeat(20))]);
    assert_eq!(answered(&long, &OFFER, 64).end, Some(Err(Head(LineTooLong))));
}

#[test]
fn validation_item_6_subprotocol() {
    for (value, fault) in [
        ("Chat", SubprotocolNotOffered),
        ("x", SubprotocolNotOffered),
        ("", SubprotocolInvalid),
        ("chat, superchat", SubprotocolInvalid),
        ("chat;x", SubprotocolInvalid),
    ] {
        fails(&edit(&ANSWER, "", &[&format!("Sec-WebSocket-Protocol: {value}")]), fault);
    }
    let twice = ["Sec-WebSocket-Protocol: chat", "sec-websocket-protocol: chat"];
    fails(&edit(&ANSWER, "", &twice), SubprotocolDuplicate);
    let head = edit(&ANSWER, "", &twice[..1]);
    assert_eq!(answered(&head, &Offer::default(), 64).end, Some(Err(SubprotocolNotOffered)));
}

#[test]
fn the_syntax_of_heads_is_checked_as_for_a_server() {
    let line = "HTTP/1.1 101 x\r\n";
    let rows = [
        (" a", SpaceBeforeHeaders),
        ("X: y\r\n a", ObsoleteFold),
        ("X : y", SpaceBeforeColon),
        ("X\r\n", ColonMissing),
        ("X(: y", NameInvalid),
        ("X: y\n", BareLf),
        ("X: y\rz", BareCr),
        ("X: \0", ValueInvalid),
    ];
    for (text, fault) in rows {
        fails(format!("{line}{text}").as_bytes(), Head(fault));
    }
    let limits = Limits { max_head_bytes: 100, ..Limits::DEFAULT };
    let endless = ["HTTP/1.1 101 ", &"x".repeat(200)].concat();
    let read = |len: usize| response(&endless.as_bytes()[..len], &limits, &OFFER, core::iter::repeat(1)).end;
    assert_eq!((read(99), read(100)), (None, Some(Err(Head(HeadTooLong)))));
}

#[test]
fn a_body_of_101_is_none_whatever_is_said() {
    opens(&edit(&ANSWER, "", &["Content-Length: 5", "Transfer-Encoding: chunked"]));
}
