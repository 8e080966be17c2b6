//! RFC 7692 in a connection: what is agreed on, and the bit RSV1 (section 6).

use martlet_codec::{DataKind, Decoder, Limits, Role, Violation};
use martlet_state::{
    Accept, Config, Connection, DeflateParams, Event, Instant, Misuse, Payload, SendError, Server, State, Status,
    WindowBits, Writer,
};
use martlet_tests::check::{ROLES, WIDE};
use martlet_tests::heads::{REQUEST, response_to, with};
use martlet_tests::meaning::decode_by;
use martlet_tests::transcript::message;
use martlet_tests::{Plan, Wire, drive};

const NOW: Instant = Instant(0);
const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12; client_max_window_bits";
const WANTED: Config<'_> = Config { deflate: Some(DeflateParams::CONTEXT_TAKEOVER), ..Config::DEFAULT };

#[track_caller]
fn check(build: impl Fn(Wire) -> Wire, expect: &[&str]) {
    for role in ROLES {
        let wire = build(Wire::to(role));
        for plan in Plan::of_frames(wire.len()) {
            let mut decoder = Decoder::new(role);
            decoder.set_compression(true);
            let lines = decode_by(decoder, &WIDE, wire.octets(), &plan).0;
            assert_eq!(lines, expect, "{role:?}, {plan:?}");
        }
    }
}

#[test]
fn section_6_rsv1_marks_the_first_frame_of_a_compressed_message() {
    check(|wire| wire.frame(0xc1, b"\xf2H").text("plain"), &["CompressedText \\xf2H", "Text plain"]);
    check(
        |wire| wire.text("plain").frame(0xc2, b"").frame(0xc1, b"\xff"),
        &["Text plain", "CompressedBinary ", "CompressedText \\xff"],
    );
    check(
        |wire| wire.frame(0x41, b"\xf2").ping(b"p").frame(0x00, b"H").frame(0x80, b"\xcd"),
        &["Ping p", "CompressedText \\xf2H\\xcd"],
    );
    // One without the bit is not compressed, whatever came before, and its text is checked.
    check(|wire| wire.frame(0xc1, b"\xff").frame(0x81, b"\xff"), &["CompressedText \\xff", "Utf8Invalid"]);
    check(|wire| wire.frame(0xc1, &[0xa5; 300]), &[&format!("Compressed{}", message(DataKind::Text, &[0xa5; 300]))]);
}

#[test]
fn section_6_rsv1_anywhere_else_is_refused_at_the_first_octet() {
    for b0 in 0..=u8::MAX {
        let (rsv, opcode) = (b0 >> 4 & 7, b0 & 15);
        for (open, compression) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut decoder = Decoder::new(Role::Server);
            decoder.set_compression(compression);
            let mut before = *b"\x01\x80\0\0\0\0";
            if open {
                assert!(matches!(decoder.decode(&WIDE, &mut &mut before[..]), Ok(Some(_))));
            }
            let refused = decoder.decode(&Limits::DEFAULT, &mut &mut [b0][..]) == Err(Violation::RsvUnclaimed);
            let claimed = compression && rsv == 4 && (opcode == 1 || opcode == 2);
            assert_eq!(refused, rsv != 0 && !claimed, "{b0:#x}, open: {open}, agreed: {compression}");
        }
    }
}

/// A server's connection after this request, and its answer.
fn server<'c>(config: &'c Config<'c>, request: &str, accept: &Accept<'_>) -> (Connection<'c>, String) {
    let mut request = request.as_bytes().to_vec();
    let (mut connection, mut room) = (Connection::server(config, NOW), [0; 512]);
    let mut output = Writer::new(&mut room);
    let asked = connection.receive(NOW, &mut &mut request[..], &mut output);
    assert!(matches!(asked, Ok(Status::Event(Event::Request { .. }))), "{asked:?}");
    assert_eq!(connection.compression(), None);
    connection.accept(NOW, accept, &mut output).unwrap();
    let answer = String::from_utf8(output.written().to_vec()).unwrap();
    (connection, answer)
}

#[test]
fn section_5_1_a_connection_knows_what_was_agreed() {
    let offer = with(REQUEST, OFFER);
    let mut expect = DeflateParams::CONTEXT_TAKEOVER;
    expect.server.max_window_bits = WindowBits::new(12);
    let accept = Accept::default();
    let (connection, answer) = server(&WANTED, &offer, &accept);
    assert_eq!(connection.compression(), Some(expect));
    assert!(
        answer.contains("\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12\r\n"),
        "{answer}"
    );
    let declined = Accept { decline_deflate: true, ..accept };
    for (config, request, accept) in
        [(&Config::DEFAULT, offer.as_str(), accept), (&WANTED, REQUEST, accept), (&WANTED, &offer, declined)]
    {
        let (connection, answer) = server(config, request, &accept);
        assert_eq!(connection.compression(), None);
        assert!(!answer.contains("Extensions"), "{answer}");
    }
}

#[test]
fn section_5_1_a_client_offers_and_takes_what_the_server_chose() {
    let small =
        Config { deflate: server(&WANTED, &with(REQUEST, OFFER), &Accept::default()).0.compression(), ..WANTED };
    let rows = [
        (&WANTED, "permessage-deflate; client_no_context_takeover", Ok(Some(true))),
        (&small, "permessage-deflate; server_max_window_bits=9", Ok(Some(false))),
        (&small, "permessage-deflate", Err("DeflateWindowNotGranted")),
        (&Config::DEFAULT, "permessage-deflate", Err("ExtensionNotOffered")),
    ];
    for (config, answer, expect) in rows {
        let mut room = [0; 512];
        let mut output = Writer::new(&mut room);
        let mut client = Connection::client(config, NOW, drive::rng(), &drive::REQUEST, &mut output).unwrap();
        let said = String::from_utf8(output.written().to_vec()).unwrap();
        output.clear();
        assert_eq!(said.contains("permessage-deflate"), config.deflate.is_some(), "{said}");
        let head = with(&response_to(said.as_bytes()), &format!("Sec-WebSocket-Extensions: {answer}"));
        let mut head = head.into_bytes();
        let read = client.receive(NOW, &mut &mut head[..], &mut output);
        let found = match read {
            Ok(Status::Event(Event::Open(agreed))) => {
                assert_eq!(agreed.deflate(), client.compression());
                Ok(client.compression().map(|params| params.client.no_context_takeover))
            }
            Err(martlet_state::Fault::Response(fault)) => Err(format!("{fault:?}")),
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expect.map_err(str::to_string), "{answer}");
    }
}

#[test]
fn section_6_compressed_messages_go_out_with_rsv1_in_their_first_frame() {
    let (mut connection, _) = server(&WANTED, &with(REQUEST, OFFER), &Accept::default());
    let mut room = [0; 512];
    let mut output = Writer::new(&mut room);
    connection.send_compressed(DataKind::Text, b"ab", true, &mut output).unwrap();
    connection.send(Payload::Binary(b"c"), &mut output).unwrap();
    connection.send_compressed(DataKind::Binary, b"d", false, &mut output).unwrap();
    let changed = Err(SendError::Misuse(Misuse::KindChanged));
    assert_eq!(connection.send_fragment(Payload::Binary(b"x"), true, &mut output), changed);
    assert_eq!(connection.send_compressed(DataKind::Text, b"x", true, &mut output), changed);
    connection.send_compressed(DataKind::Binary, b"e", false, &mut output).unwrap();
    connection.ping(b"", &mut output).unwrap();
    let (header, mask) = connection.begin_compressed_frame(DataKind::Binary, 300, true).unwrap();
    assert_eq!((header.as_ref(), mask.is_none()), (&[0x80, 126, 1, 44][..], true));
    let (header, _) = connection.begin_compressed_frame(DataKind::Text, 1, true).unwrap();
    assert_eq!(header.as_ref(), [0xc1, 1]);
    assert_eq!(output.written(), b"\xc1\x02ab\x82\x01c\x42\x01d\x00\x01e\x89\x00");
    connection.send_fragment(Payload::Binary(b"x"), false, &mut output).unwrap();
    assert_eq!(connection.send_compressed(DataKind::Binary, b"x", true, &mut output), changed);
}

#[test]
fn section_5_1_without_an_agreement_nothing_is_compressed() {
    let (mut plain, _) = server(&Config::DEFAULT, REQUEST, &Accept::default());
    let mut room = [0; 512];
    let mut output = Writer::new(&mut room);
    let not_agreed = Misuse::CompressionNotAgreed;
    assert_eq!(plain.send_compressed(DataKind::Text, b"x", true, &mut output), Err(not_agreed.into()));
    assert!(matches!(plain.begin_compressed_frame(DataKind::Text, 1, true), Err(misuse) if misuse == not_agreed));
    assert!(output.is_empty());
    let mut early = Connection::server(&WANTED, NOW);
    let refused = early.send_compressed(DataKind::Text, b"x", true, &mut output);
    assert_eq!(refused, Err(Misuse::State(State::Connection).into()));
    let mut wire = Wire::to(Role::Server).frame(0xc1, b"x").octets().to_vec();
    let fault = plain.receive(NOW, &mut &mut wire[..], &mut output);
    assert!(matches!(fault, Err(martlet_state::Fault::Violation(Violation::RsvUnclaimed))), "{fault:?}");
}

#[test]
fn a_message_that_does_not_inflate_ends_the_connection() {
    let fails = |connection: &mut Connection<'_, Server>, room: usize| {
        let mut octets = [0; 512];
        let mut output = Writer::new(&mut octets[..room]);
        let failed = connection.fail(Violation::MessageTooBig, &mut output);
        (failed, output.written().to_vec())
    };
    let (mut connection, _) = server(&WANTED, &with(REQUEST, OFFER), &Accept::default());
    let (tight, said) = fails(&mut connection, 4);
    assert!(matches!(tight, Err(SendError::NoRoom(_))) && said.is_empty(), "{tight:?}");
    assert_eq!(connection.state(), State::Active);
    let (failed, said) = fails(&mut connection, 512);
    assert_eq!((failed, connection.state(), connection.eof()), (Ok(()), State::Closed, false));
    assert_eq!(said[..4], [0x88, said.len() as u8 - 2, 0x03, 0xf1]);
    assert_eq!(fails(&mut connection, 512).0, Err(Misuse::State(State::Closed).into()));
    // Behind our Close nothing more is said.
    let (mut closing, _) = server(&WANTED, &with(REQUEST, OFFER), &Accept::default());
    closing.close(NOW, None, &mut Writer::new(&mut [0; 16])).unwrap();
    assert_eq!((fails(&mut closing, 0), closing.state()), ((Ok(()), vec![]), State::Closed));
}
