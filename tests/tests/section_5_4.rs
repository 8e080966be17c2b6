//! RFC 6455 section 5.4: fragmentation.

use martlet_tests::wire::b0;
use martlet_tests::{check_both, first_wrong};

#[test]
fn a_message_in_any_number_of_fragments_is_one_message() {
    check_both(|wire| wire.frame(b0::TEXT_MORE, b"Hel").frame(b0::CONTINUATION, b"lo"), &["Text Hello"]);
    check_both(
        |wire| {
            let wire = wire.frame(b0::BINARY_MORE, b"");
            let wire = b"0123456789".iter().fold(wire, |wire, octet| wire.frame(b0::CONTINUATION_MORE, &[*octet]));
            wire.frame(b0::CONTINUATION, b"").text("next")
        },
        &["Binary 0123456789", "Text next"],
    );
}

#[test]
fn empty_fragments_count_for_nothing() {
    check_both(|wire| wire.frame(b0::TEXT_MORE, b"").frame(b0::CONTINUATION, b""), &["Text "]);
    check_both(
        |wire| {
            wire.frame(b0::TEXT_MORE, b"")
                .frame(b0::CONTINUATION_MORE, b"a")
                .frame(b0::CONTINUATION_MORE, b"")
                .frame(b0::CONTINUATION, b"b")
        },
        &["Text ab"],
    );
    check_both(|wire| wire.text("").binary(b""), &["Text ", "Binary "]);
}

/// "Control frames MAY be injected in the middle of a fragmented message", and stay in their order.
#[test]
fn control_frames_come_between_fragments() {
    check_both(
        |wire| {
            let wire = wire.frame(b0::TEXT_MORE, b"a").ping(b"1").frame(b0::CONTINUATION_MORE, b"b");
            wire.pong(b"2").ping(b"").frame(b0::CONTINUATION, b"c").ping(b"3")
        },
        &["Ping 1", "Pong 2", "Ping", "Text abc", "Ping 3"],
    );
}

/// A Close in the middle of a message ends what can come, but the decoder itself only tells it.
#[test]
fn a_close_comes_between_fragments() {
    check_both(|wire| wire.frame(b0::TEXT_MORE, b"a").close(1000, "bye"), &["Close 1000 bye", "Text a..."]);
}

#[test]
fn a_continuation_without_a_message_is_refused_at_its_first_octet() {
    for octet in [b0::CONTINUATION, b0::CONTINUATION_MORE] {
        first_wrong(|wire| wire.raw(&[octet]), &["ContinuationUnexpected"]);
        first_wrong(|wire| wire.text("a").raw(&[octet]), &["Text a", "ContinuationUnexpected"]);
        first_wrong(|wire| wire.ping(b"a").raw(&[octet]), &["Ping a", "ContinuationUnexpected"]);
        let ended = ["Text ab", "ContinuationUnexpected"];
        first_wrong(|wire| wire.frame(b0::TEXT_MORE, b"a").frame(b0::CONTINUATION, b"b").raw(&[octet]), &ended);
    }
}

/// "the fragments of one message MUST NOT be interleaved between the fragments of another message"
#[test]
fn a_message_within_a_message_is_refused_at_its_first_octet() {
    for octet in [b0::TEXT, b0::BINARY, b0::TEXT_MORE, b0::BINARY_MORE] {
        for begin in [b0::TEXT_MORE, b0::BINARY_MORE] {
            first_wrong(|wire| wire.frame(begin, b"a").raw(&[octet]), &["ContinuationExpected"]);
            first_wrong(|wire| wire.frame(begin, b"").raw(&[octet]), &["ContinuationExpected"]);
            let open =
                |wire: martlet_tests::Wire| wire.frame(begin, b"a").ping(b"p").frame(b0::CONTINUATION_MORE, b"b");
            first_wrong(|wire| open(wire).raw(&[octet]), &["Ping p", "ContinuationExpected"]);
        }
    }
}

/// "all fragments ... of a message are of the same type, as set by the first fragment's opcode": a binary message is not
/// checked for UTF-8, a text message's later fragments are.
#[test]
fn the_first_fragment_sets_the_kind() {
    check_both(|wire| wire.frame(b0::BINARY_MORE, b"\xff").frame(b0::CONTINUATION, b"\xfe"), &["Binary \\xff\\xfe"]);
    first_wrong(|wire| wire.frame(b0::TEXT_MORE, b"a").header(b0::CONTINUATION, 1).payload(b"\xff"), &["Utf8Invalid"]);
}
