//! RFC 6455 section 5.5: control frames.

use martlet_state::{Config, State};
use martlet_tests::drive::App;
use martlet_tests::wire::b0;
use martlet_tests::{check_both, check_connection, first_wrong};

#[test]
fn control_frames_of_every_length() {
    for len in 0..=125 {
        let body: String = (0..len).map(|at| char::from(b'a' + (at % 23) as u8)).collect();
        let ping = if len == 0 { "Ping".to_owned() } else { format!("Ping {body}") };
        let pong = ping.replace("Ping", "Pong");
        check_both(|wire| wire.ping(body.as_bytes()).pong(body.as_bytes()).text("t"), &[&ping, &pong, "Text t"]);
    }
}

#[test]
fn a_body_is_not_text() {
    check_both(|wire| wire.ping(b"\xff\x00").pong(b"\xc3"), &["Ping \\xff\\x00", "Pong \\xc3"]);
}

/// "All control frames MUST have a payload length of 125 bytes or less": refused where it is announced, not where it ends.
#[test]
fn a_longer_control_frame_is_refused_at_its_second_octet() {
    for op in [b0::CLOSE, b0::PING, b0::PONG] {
        for short in [126, 127] {
            first_wrong(|wire| wire.two(op, short), &["ControlTooLong"]);
            first_wrong(|wire| wire.frame(b0::TEXT_MORE, b"a").two(op, short), &["ControlTooLong"]);
        }
    }
}

/// "and MUST NOT be fragmented."
#[test]
fn a_control_frame_without_fin_is_refused_at_its_first_octet() {
    for op in [0x08, 0x09, 0x0a] {
        first_wrong(|wire| wire.raw(&[op]), &["ControlFragmented"]);
        first_wrong(|wire| wire.frame(b0::BINARY_MORE, b"a").raw(&[op]), &["ControlFragmented"]);
    }
}

/// Section 5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer".
#[test]
fn a_close_body_of_one_octet_is_refused_at_its_length() {
    first_wrong(|wire| wire.two(b0::CLOSE, 1), &["CloseBodyTooShort"]);
}

#[test]
fn close_bodies_that_are_right() {
    check_both(|wire| wire.frame(b0::CLOSE, b""), &["Close"]);
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
        check_both(|wire| wire.close(code, ""), &[&format!("Close {code}")]);
        check_both(|wire| wire.close(code, "Grüße, 中 😀"), &[&format!("Close {code} Grüße, 中 😀")]);
    }
    let longest = "r".repeat(123);
    check_both(|wire| wire.close(1000, &longest), &[&format!("Close 1000 {longest}")]);
}

/// Section 7.4: codes that must not be in a frame, at the octet that makes them so.
#[test]
fn close_codes_that_must_not_travel() {
    for code in [1004_u16, 1005, 1006, 1015, 1016, 1099, 2999].into_iter().filter(|code| matches!(code >> 8, 0x03)) {
        let octets = code.to_be_bytes();
        first_wrong(|wire| wire.header(b0::CLOSE, 2).payload(&octets), &["CloseCodeInvalid"]);
        first_wrong(|wire| wire.header(b0::CLOSE, 20).payload(&octets), &["CloseCodeInvalid"]);
    }
    // No legal code begins with these octets.
    for high in (0..=0xff).filter(|high| !matches!(high, 0x03 | 0x0b..=0x13)) {
        first_wrong(|wire| wire.header(b0::CLOSE, 5).payload(&[high]), &["CloseCodeInvalid"]);
    }
    for code in [1016_u16, 1100, 2000, 2999, 5000, 5555, 65_535, 0, 999] {
        check_both(|wire| wire.close(code, "x"), &["CloseCodeInvalid"]);
    }
}

/// Section 5.5.1: the reason is UTF-8, and section 8.1 says what becomes of one that is not: at its first wrong octet, whether
/// the rest of the Close has come or not.
#[test]
fn a_close_reason_that_is_not_utf8() {
    let rows: [&[u8]; 6] = [b"\xff", b"abc\x80", b"\xc0", b"\xe0\x9f", b"\xed\xa0", b"\xf4\x90"];
    for reason in rows {
        let body = [b"\x03\xe8", reason].concat();
        for more in [0, 7] {
            let len = (body.len() + more) as u64;
            first_wrong(|wire| wire.header(b0::CLOSE, len).payload(&body), &["CloseReasonInvalid"]);
        }
    }
    // A character that the reason's end cuts.
    for reason in [&b"\xc3"[..], b"ok \xe4\xb8", b"\xf0\x9f\x98"] {
        let body = [b"\x03\xe8", reason].concat();
        first_wrong(|wire| wire.frame(b0::CLOSE, &body), &["CloseReasonInvalid"]);
    }
}

/// Section 5.5.2: "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response", and section 5.5.3: with
/// identical application data. A Pong is answered by nothing.
#[test]
fn a_ping_is_answered_by_a_pong_with_its_body() {
    let config = Config::DEFAULT;
    for body in [&b""[..], b"a", b"\0\xff not text", &[b'x'; 124], &[b'x'; 125]] {
        let shown = |name| martlet_tests::transcript::control(name, body);
        let (ping, pong) = (shown("Ping"), shown("Pong"));
        check_connection(&config, App::default(), |wire| wire.ping(body), &[&ping], &[&pong], State::Active);
        check_connection(&config, App::default(), |wire| wire.pong(body), &[&pong], &[], State::Active);
    }
    // Each Ping has its Pong, in order, between the fragments of a message too.
    check_connection(
        &config,
        App { echo: true, ..App::default() },
        |wire| wire.ping(b"1").frame(b0::TEXT_MORE, b"a").ping(b"2").frame(b0::CONTINUATION, b"b").ping(b"3"),
        &["Ping 1", "Ping 2", "Text ab", "Ping 3"],
        &["Pong 1", "Pong 2", "Text ab", "Pong 3"],
        State::Active,
    );
}
