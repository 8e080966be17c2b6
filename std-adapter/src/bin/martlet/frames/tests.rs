//! What is shown of dumps, legal and not.

use super::annotate::{Frames, Options};
use super::print::{self, Look};
use martlet_codec::{DataOp, Decoder, Deflater, Key, Kind, Role, Violation, WindowBits, pack};

const OPTIONS: Options = Options { from: None, deflate: false, keep: 256 };

fn shown(options: &Options, octets: &[u8]) -> (bool, String) {
    let (mut frames, mut out) = (Frames::new(options, octets).unwrap(), Vec::new());
    let look = Look { show: options.keep, colour: false };
    let legal = print::for_people(&mut frames, octets.len(), look, &mut out).unwrap();
    (legal, String::from_utf8(out).unwrap())
}

/// Whether it is legal, and what is wrong: rules and offsets.
fn faults(options: &Options, octets: &[u8]) -> (bool, Vec<(String, usize)>) {
    let (mut frames, mut out) = (Frames::new(options, octets).unwrap(), Vec::new());
    let legal = print::as_json(&mut frames, 256, &mut out).unwrap();
    let lines = String::from_utf8(out).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let wrong = lines.filter_map(|line| {
        let fault = line.get("violation")?;
        Some((fault["rule"].as_str()?.to_owned(), usize::try_from(fault["offset"].as_u64()?).unwrap()))
    });
    (legal, wrong.collect())
}

#[test]
fn section_5_7_the_examples() {
    let rows: [(&[u8], &str); 6] = [
        (
            b"\x81\x05Hello",
            "7 octets, sent by a server\n0x0000  FIN text, 5 octets (7-bit length), no mask\n        \"Hello\"\n",
        ),
        (
            b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
            "11 octets, sent by a client\n0x0000  FIN text, 5 octets (7-bit length), mask 37fa213d\n        \"Hello\"\n",
        ),
        (
            b"\x01\x03Hel\x80\x02lo",
            "9 octets, sent by a server\n0x0000  text, 3 octets (7-bit length), no mask\n        \"Hel\"\n\
             0x0005  FIN continuation, 2 octets (7-bit length), no mask\n        \"lo\"\n",
        ),
        (
            b"\x89\x05Hello",
            "7 octets, sent by a server\n0x0000  FIN ping, 5 octets (7-bit length), no mask\n        \"Hello\"\n",
        ),
        (
            b"\x82\x7e\x01\x00\xab",
            "5 octets, sent by a server\n0x0000  FIN binary, 256 octets (16-bit length), no mask\n        ab\n        \
             incomplete: 255 octets missing\nthe last message is incomplete\n",
        ),
        (
            b"\x88\x06\x03\xe8bye!",
            "8 octets, sent by a server\n0x0000  FIN close, 6 octets (7-bit length), no mask\n        \
             code 1000 (normal closure), reason \"bye!\"\n",
        ),
    ];
    for (octets, wanted) in rows {
        assert_eq!(shown(&OPTIONS, octets), (true, wanted.to_owned()));
    }
}

#[test]
fn what_is_wrong_is_named_at_its_octet() {
    let big = [&b"\x81\x7f\0\0\0\0\0\0\xff\xff"[..], &[b'x'; 65535]].concat();
    let rows: [(&[u8], Violation, usize); 15] = [
        (b"\x91\x01x", Violation::RsvUnclaimed, 0),
        (b"\xc1\x01x", Violation::RsvUnclaimed, 0),
        (b"\x83\x01x", Violation::OpcodeReserved, 0),
        (b"\x81\x7e\x00\x01x", Violation::LengthNotMinimal, 3),
        (&big, Violation::LengthNotMinimal, 7),
        (b"\x81\x7f\x80\0\0\0\0\0\0\0", Violation::LengthTopBit, 2),
        (b"\x80\x01x", Violation::ContinuationUnexpected, 0),
        (b"\x01\x01x\x81\x01y\x80\x00", Violation::ContinuationExpected, 3),
        (b"\x09\x00", Violation::ControlFragmented, 0),
        (b"\x89\x7e\x00\x7e", Violation::ControlTooLong, 1),
        (b"\x88\x01\x03", Violation::CloseBodyTooShort, 1),
        (b"\x88\x02\x03\xed", Violation::CloseCodeInvalid, 3),
        (b"\x88\x04\x03\xe8a\xff", Violation::CloseReasonInvalid, 5),
        (b"\x81\x04abc\xff", Violation::Utf8Invalid, 5),
        (b"\x81\x03ab\xe4", Violation::Utf8Invalid, 4),
    ];
    for (octets, violation, offset) in rows {
        let (legal, faults) = faults(&OPTIONS, octets);
        let first = faults.first().cloned();
        assert_eq!((legal, first), (false, Some((format!("{violation:?}"), offset))), "{octets:x?}");
        let (legal, text) = shown(&OPTIONS, octets);
        assert!(!legal && text.contains(&format!("wrong at {offset:#06x}: {violation}\n")), "{text}");
    }
    let from = |role| Options { from: Some(role), ..OPTIONS };
    assert_eq!(faults(&from(Role::Client), b"\x81\x01x"), (false, vec![("MaskMissing".to_owned(), 1)]));
    assert_eq!(faults(&from(Role::Server), b"\x81\x81\0\0\0\0x"), (false, vec![("MaskForbidden".to_owned(), 1)]));
}

#[test]
fn it_goes_on_behind_what_is_wrong_in_the_same_message_or_between_messages() {
    // A bad ping within a text does not make the text's end unexpected; its character that was cut in two is no second fault.
    let (legal, told) = faults(&OPTIONS, b"\x01\x01\xe4\x09\x00\x80\x02\xb8\xad\x81\x01x\x80\x00");
    let wanted = [("ControlFragmented", 3), ("ContinuationUnexpected", 12)];
    assert_eq!((legal, told), (false, wanted.map(|(rule, at)| (rule.to_owned(), at)).to_vec()));
    // The mask of each frame of a client, though the one before had none.
    let (_, told) = faults(&Options { from: Some(Role::Client), ..OPTIONS }, b"\x01\x01x\x80\x81\0\0\0\0y\x81\x00");
    let wanted = [("MaskMissing", 1), ("MaskMissing", 11)];
    assert_eq!(told, wanted.map(|(rule, at)| (rule.to_owned(), at)).to_vec());
    let (_, told) = faults(&OPTIONS, b"\x88\x00\x89\x00\x81\x01x\x82\x00");
    assert_eq!(told, [("DataAfterClose".to_owned(), 4), ("DataAfterClose".to_owned(), 7)]);
}

#[test]
fn what_is_not_there_is_counted() {
    for (octets, wanted) in [
        (&b"\x81"[..], "at least 1 octet missing"),
        (b"\x81\x7e", "at least 2 octets missing"),
        (b"\x81\xff\0", "at least 11 octets missing"),
        (b"\x81\x85abcdH", "incomplete: 4 octets missing"),
        (b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", "incomplete: 9223372036854775807 octets missing"),
        (b"\x01\x01x", "the last message is incomplete"),
    ] {
        let (legal, text) = shown(&OPTIONS, octets);
        assert!(legal && text.contains(wanted), "{text}");
    }
    assert_eq!(shown(&OPTIONS, b""), (true, "0 octets, sent by a client\n".to_owned()));
}

#[test]
fn compressed_messages_are_inflated() {
    let mut deflater = Deflater::new(WindowBits::MAX, true, 6);
    let mut wire = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: Permessage-Deflate\r\n\r\n".to_vec();
    let head = wire.len();
    let text = "the same again, the same again ".repeat(3);
    for _ in 0..2 {
        let mut body = [0; 125];
        let len = deflater.deflate(text.as_bytes(), &mut body).unwrap();
        wire.extend([0xc1, u8::try_from(len).unwrap()]);
        wire.extend(&body[..len]);
    }
    let (legal, told) = shown(&OPTIONS, &wire);
    assert!(legal && told.contains(&format!("HTTP head of {head} octets")), "{told}");
    assert_eq!(told.matches(&format!("inflated to 93 octets: \"{text}\"")).count(), 2, "{told}");
    // Without its head nothing says that this was agreed on.
    assert!(!shown(&OPTIONS, &wire[head..]).0);
    let on = Options { deflate: true, keep: 8, ..OPTIONS };
    let (legal, told) = shown(&on, &wire[head..]);
    assert!(legal && told.contains("inflated to 93 octets: \"the same\" … and 85 octets more"), "{told}");
    // Wrong at its third octet, and not tried again.
    let bad = [&b"\xc1\x03\x00\xff\xff\xc1\x03\x00\xff\xff\x81\x01x"[..]].concat();
    let (legal, told) = shown(&on, &bad);
    assert!(!legal && told.matches("wrong at").count() == 1 && told.contains("not inflated"), "{told}");
}

#[test]
fn nothing_that_came_can_do_something_to_a_terminal() {
    let (_, told) = shown(&OPTIONS, b"\x81\x0a\x1b[2J\x07\xe2\x80\xae\x00\xff");
    assert!(told.contains(r#""\u{1b}[2J\u{7}\u{202e}\0\xff""#), "{told}");
}

proptest::proptest! {
    /// What the codec packs is shown as legal; any octets at all get an answer, and its verdict is the decoder's.
    #[test]
    fn the_verdict_is_the_decoders(wire: Vec<u8>, payload: Vec<u8>, key: Option<[u8; 4]>) {
        let from = if key.is_some() { Role::Client } else { Role::Server };
        let mut frame = vec![0; payload.len() + 14];
        let kind = Kind::Data { op: DataOp::Binary, fin: true, len: 0 };
        let len = pack(kind, key.map(Key), &payload, &mut frame).unwrap();
        proptest::prop_assert_eq!(faults(&OPTIONS, &frame[..len]), (true, vec![]));
        for wire in [wire.clone(), [&frame[..len], &wire].concat()] {
            let (legal, told) = faults(&Options { from: Some(from), ..OPTIONS }, &wire);
            let (mut decoder, mut copy) = (Decoder::new(from.peer()), wire.clone());
            let (mut input, mut closed) = (&mut copy[..], false);
            let limits = martlet_codec::Limits { max_frame_bytes: u64::MAX, max_message_bytes: u64::MAX, max_empty_fragments: 255 };
            let violation = loop {
                match decoder.decode(&limits, &mut input) {
                    Ok(Some(event)) => closed |= matches!(event, martlet_codec::Event::Close(_)),
                    Ok(None) => break None,
                    Err(violation) => break Some(format!("{violation:?}")),
                }
            };
            proptest::prop_assert!(legal || violation.is_some() || closed);
            let first = told.into_iter().map(|(rule, _)| rule).find(|rule| rule != "DataAfterClose");
            if violation.is_some() {
                proptest::prop_assert_eq!(first, violation);
            }
            let _ = shown(&OPTIONS, &wire);
        }
    }
}

#[test]
fn json_has_what_people_see() {
    let (mut frames, mut out) = (Frames::new(&OPTIONS, b"\x88\x82\0\0\0\0\x03\xe8\x91\x80").unwrap(), Vec::new());
    assert!(!print::as_json(&mut frames, 256, &mut out).unwrap());
    let wanted = "{\"offset\":0,\"from\":\"client\",\"fin\":true,\"rsv1\":false,\"rsv2\":false,\"rsv3\":false,\"opcode\":8,\
        \"name\":\"close\",\"length\":2,\"length_bits\":7,\"mask\":\"00000000\",\"hex\":\"03e8\",\
        \"close\":{\"code\":1000,\"name\":\"normal closure\",\"reason\":\"\"},\"missing\":0}\n\
        {\"offset\":8,\"from\":\"client\",\"missing\":4,\"violation\":{\"offset\":8,\"rule\":\"RsvUnclaimed\",\
        \"what\":\"reserved bit set\",\"rfc\":6455,\"section\":\"5.2\",\"close_code\":1002}}\n";
    assert_eq!(String::from_utf8(out).unwrap(), wanted);
}
