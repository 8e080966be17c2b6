//! RFC 6455 section 7: the closing handshake, in both directions, and what ends a connection without one.

use martlet_state::{Config, State};
use martlet_tests::check_connection;
use martlet_tests::drive::App;
use martlet_tests::wire::b0;

const CONFIG: Config<'_> = Config::DEFAULT;
const ECHO: App<'_> = App { echo: true, ..QUIET };
const QUIET: App<'_> = App {
    accept: martlet_state::Accept { subprotocol: None, extensions: None, decline_deflate: false, headers: &[] },
    respond: None,
    echo: false,
    close_after: None,
};

/// Section 5.5.1: "If an endpoint receives a Close frame and did not previously send a Close frame, the endpoint MUST send a
/// Close frame in response", with the code that came.
#[test]
fn a_close_is_answered_with_its_code() {
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
        let (with, without) = (format!("Close {code} so long"), format!("Close {code}"));
        check_connection(&CONFIG, ECHO, |wire| wire.close(code, "so long"), &[&with], &[&without], State::Closed);
        check_connection(&CONFIG, ECHO, |wire| wire.close(code, ""), &[&without], &[&without], State::Closed);
    }
    check_connection(&CONFIG, ECHO, |wire| wire.frame(b0::CLOSE, b""), &["Close"], &["Close"], State::Closed);
}

/// "The application MUST NOT send any more data frames after sending a Close frame", and section 1.4: after the peer's Close
/// whatever comes is discarded.
#[test]
fn nothing_is_delivered_or_answered_after_the_close_that_came() {
    let late = |wire: martlet_tests::Wire| {
        let wire = wire.text("before").close(1000, "").text("after").ping(b"after");
        wire.close(1001, "").raw(b"\xff\xff\xff\xff")
    };
    let told = ["Text before", "Close 1000"];
    check_connection(&CONFIG, ECHO, late, &told, &["Text before", "Close 1000"], State::Closed);
}

#[test]
fn a_close_within_a_message_ends_it() {
    let build =
        |wire: martlet_tests::Wire| wire.frame(b0::TEXT_MORE, b"a").close(1001, "bye").frame(b0::CONTINUATION, b"b");
    check_connection(&CONFIG, ECHO, build, &["Close 1001 bye", "Text a..."], &["Close 1001"], State::Closed);
}

/// We close first: what the peer had under way is still delivered, its Close ends it, and nothing is said behind ours.
#[test]
fn our_close_is_the_last_that_is_said() {
    let app = App { close_after: Some((1, 4001, "enough")), ..ECHO };
    let build =
        |wire: martlet_tests::Wire| wire.text("one").ping(b"p").text("two").pong(b"q").close(4001, "").text("three");
    let told = ["Text one", "Ping p", "Text two", "Pong q", "Close 4001"];
    check_connection(&CONFIG, app, build, &told, &["Text one", "Close 4001 enough"], State::Closed);
}

#[test]
fn we_wait_for_the_close_of_the_peer() {
    let app = App { close_after: Some((0, 1000, "")), ..QUIET };
    check_connection(&CONFIG, app, |wire| wire, &[], &["Close 1000"], State::Closing);
    let unfinished = |wire: martlet_tests::Wire| wire.text("a").frame(b0::TEXT_MORE, b"b");
    check_connection(&CONFIG, app, unfinished, &["Text a", "Text b..."], &["Close 1000"], State::Closing);
}

/// Both close at once: each takes the other's Close for the answer, whatever its code, and neither sends another.
#[test]
fn both_close_at_once() {
    let app = App { close_after: Some((0, 1001, "")), ..QUIET };
    for (code, reason) in [(1000, ""), (4999, "me too"), (1001, "")] {
        let told = if reason.is_empty() { format!("Close {code}") } else { format!("Close {code} {reason}") };
        check_connection(&CONFIG, app, |wire| wire.close(code, reason), &[&told], &["Close 1001"], State::Closed);
    }
    check_connection(&CONFIG, app, |wire| wire.frame(b0::CLOSE, b""), &["Close"], &["Close 1001"], State::Closed);
}

/// Section 7.1.7: a violation is told to the peer by a Close with the rule's code, and nothing is read behind it.
#[test]
fn a_violation_is_answered_by_a_close_with_its_code() {
    type Row = (&'static str, fn(martlet_tests::Wire) -> martlet_tests::Wire, &'static str);
    let rows: [Row; 14] = [
        ("RsvUnclaimed", |wire| wire.frame(0xc1, b"x"), "Close 1002 reserved bit set"),
        ("OpcodeReserved", |wire| wire.frame(0x83, b"x"), "Close 1002 reserved opcode"),
        ("LengthNotMinimal", |wire| wire.header_form(0x81, 126, &[0, 1]), "Close 1002 length not in shortest form"),
        ("LengthTopBit", |wire| wire.header_form(0x81, 127, &[0xff; 8]), "Close 1002 length over 2^63"),
        ("ControlFragmented", |wire| wire.frame(0x09, b"x"), "Close 1002 fragmented control frame"),
        ("ControlTooLong", |wire| wire.frame(0x89, &[0; 126]), "Close 1002 control frame over 125 octets"),
        ("ContinuationUnexpected", |wire| wire.frame(0x80, b"x"), "Close 1002 continuation without a message"),
        (
            "ContinuationExpected",
            |wire| wire.frame(0x01, b"x").frame(0x81, b"y"),
            "Close 1002 message inside a message",
        ),
        ("Utf8Invalid", |wire| wire.frame(0x81, b"\xff"), "Close 1007 text is not UTF-8"),
        ("CloseBodyTooShort", |wire| wire.frame(0x88, b"\x03"), "Close 1002 close body of one octet"),
        ("CloseCodeInvalid", |wire| wire.close(1005, ""), "Close 1002 invalid close code"),
        ("CloseReasonInvalid", |wire| wire.frame(0x88, b"\x03\xe8\xff"), "Close 1007 close reason is not UTF-8"),
        ("FrameTooBig", |wire| wire.header(0x82, 1 << 40), "Close 1009 frame too big"),
        (
            "TooManyEmptyFragments",
            |wire| (0..40).fold(wire.frame(1, b""), |wire, _| wire.frame(0, b"")),
            "Close 1008 too many empty fragments",
        ),
    ];
    for (violation, bad, close) in rows {
        // What was right before it is answered first.
        let build = |wire: martlet_tests::Wire| bad(wire.text("fine").ping(b"p")).text("unread").ping(b"unread");
        let (told, said) = (["Text fine", "Ping p", violation], ["Text fine", "Pong p", close]);
        check_connection(&CONFIG, ECHO, build, &told, &said, State::Closed);
        // Behind our own Close a violation ends the connection, but no second Close goes.
        let app = App { close_after: Some((0, 1000, "")), ..QUIET };
        check_connection(&CONFIG, app, bad, &[violation], &["Close 1000"], State::Closed);
    }
}
