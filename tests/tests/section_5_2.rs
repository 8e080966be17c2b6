//! RFC 6455 section 5.2: the header. Lengths in their three forms, reserved bits, opcodes.

use martlet_codec::{Header, Kind, Limits, Role, Violation};
use martlet_tests::check::{LONGEST, ROLES, WIDE, check_with, first_wrong_with};
use martlet_tests::wire::b0;
use martlet_tests::{Wire, check_both, first_wrong, naive, transcript};

/// Room for every length that has a form.
const ANY: Limits = Limits { max_frame_bytes: u64::MAX, max_message_bytes: u64::MAX, max_empty_fragments: 32 };

#[test]
fn reserved_bits_are_refused_at_the_first_octet() {
    for rsv in 1..8_u8 {
        for op in [0x1, 0x2, 0x8, 0x9, 0xa] {
            first_wrong(|wire| wire.raw(&[0x80 | rsv << 4 | op]), &["RsvUnclaimed"]);
            first_wrong(|wire| wire.text("a").raw(&[0x80 | rsv << 4 | op]), &["Text a", "RsvUnclaimed"]);
        }
        first_wrong(|wire| wire.frame(b0::TEXT_MORE, b"a").raw(&[0x80 | rsv << 4]), &["RsvUnclaimed"]);
    }
}

#[test]
fn reserved_opcodes_are_refused_at_the_first_octet() {
    for opcode in (0x3..=0x7).chain(0xb..=0xf) {
        for fin in [0, 0x80] {
            first_wrong(|wire| wire.raw(&[fin | opcode]), &["OpcodeReserved"]);
            first_wrong(|wire| wire.frame(b0::TEXT_MORE, b"a").raw(&[fin | opcode]), &["OpcodeReserved"]);
        }
    }
}

#[test]
fn payloads_about_the_borders_of_each_form() {
    for len in [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 4095, 4096, 4097, 65_534, 65_535, 65_536, 65_537, 70_000] {
        let payload: Vec<u8> = (0..len).map(|at: u32| b'a' + (at % 23) as u8).collect();
        let text = String::from_utf8(payload.clone()).unwrap();
        let lines = [
            transcript::message(martlet_codec::DataKind::Binary, &payload),
            transcript::message(martlet_codec::DataKind::Text, &payload),
            "Ping p".to_owned(),
        ];
        let lines = [&*lines[0], &*lines[1], &*lines[2]];
        check_both(|wire| wire.binary(&payload).text(&text).ping(b"p"), &lines);
    }
}

#[test]
fn sixteen_bits_for_less_than_126_octets_are_refused() {
    for len in 0..126_u8 {
        first_wrong(|wire| wire.two(b0::BINARY, 126).raw(&[0, len]), &["LengthNotMinimal"]);
    }
    check_both(
        |wire| wire.header_form(b0::BINARY, 126, &[0, 126]).payload(&[b'x'; 126]),
        &[&format!("Binary {}", "x".repeat(126))],
    );
}

#[test]
fn sixtyfour_bits_for_less_than_65536_octets_are_refused() {
    // With six zeros the length cannot reach 65,536 any more.
    first_wrong(|wire| wire.two(b0::BINARY, 127).raw(&[0; 6]), &["LengthNotMinimal"]);
    for role in ROLES {
        let least = Wire::to(role).header_form(b0::BINARY, 127, &[0, 0, 0, 0, 0, 1, 0, 0]);
        check_with(role, &ANY, least.octets(), &[]);
        let largest = Wire::to(role).header_form(b0::BINARY, 127, &LONGEST.to_be_bytes());
        check_with(role, &ANY, largest.octets(), &[]);
    }
}

#[test]
fn the_top_bit_of_a_length_is_refused_at_its_octet() {
    for top in 0x80..=0xff {
        first_wrong(|wire| wire.two(b0::TEXT, 127).raw(&[top]), &["LengthTopBit"]);
    }
}

#[test]
fn control_frames_have_no_longer_forms() {
    for op in [b0::CLOSE, b0::PING, b0::PONG] {
        for short in [126, 127] {
            first_wrong(|wire| wire.two(op, short), &["ControlTooLong"]);
        }
    }
}

/// All headers of two octets, and what the decoder says to each as the first of a stream, against the definition.
#[test]
fn every_pair_of_first_octets_is_judged_as_defined() {
    for role in ROLES {
        for first in 0..=u16::MAX {
            let octets = first.to_be_bytes();
            let plan = martlet_tests::Plan::WHOLE;
            let lines = martlet_tests::meaning(role, &WIDE, &octets, &plan);
            assert_eq!(lines, naive::meaning(role, &WIDE, &octets), "{role:?} {octets:x?}");
        }
    }
}

/// The same within an open message, where only continuations and control frames may come.
#[test]
fn every_pair_of_octets_within_a_message_is_judged_as_defined() {
    for role in ROLES {
        let begun = Wire::to(role).frame(b0::BINARY_MORE, b"a");
        for next in 0..=u16::MAX {
            let octets = [begun.octets(), &next.to_be_bytes()].concat();
            let lines = martlet_tests::meaning(role, &WIDE, &octets, &martlet_tests::Plan::WHOLE);
            assert_eq!(lines, naive::meaning(role, &WIDE, &octets), "{role:?} {next:x}");
        }
    }
}

/// Lengths are numbers of 64 bits on every machine: what a 32-bit `usize` cannot hold is compared before it is converted.
#[test]
fn lengths_beyond_32_bits_are_not_cut() {
    let limits = Limits { max_frame_bytes: 1 << 20, max_message_bytes: 1 << 20, ..WIDE };
    for low in [0_u64, 1, 5, 125, 65_536] {
        let len = (1 << 32) + low;
        let octets = len.to_be_bytes();
        for role in ROLES {
            // 00 00 00 01: with the fourth octet the length is 2^32 at least.
            let wire = Wire::to(role).two(b0::BINARY, 127).raw(&octets[..4]);
            first_wrong_with(role, &limits, wire.octets(), &["FrameTooBig"]);
            let header = Wire::to(role).header(b0::BINARY, len);
            match Header::decode(role, &ANY, header.octets()) {
                Ok(Some((Header { kind: Kind::Data { len: read, .. }, .. }, used))) => {
                    assert_eq!((read, used), (len, header.len()));
                    assert!(len <= LONGEST);
                }
                Err(Violation::FrameTooBig) => assert!(len > LONGEST),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// The header's encoder against the figure of the RFC, in both roles.
#[test]
fn encoded_headers_read_as_the_figure_says() {
    use martlet_codec::{DataOp, Key};
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 32, u64::MAX >> 1] {
        for key in [None, Some(Key([1, 2, 3, 4]))] {
            for (op, opcode) in [(DataOp::Continuation, 0), (DataOp::Text, 1), (DataOp::Binary, 2)] {
                for fin in [false, true] {
                    let bytes = Header { kind: Kind::Data { op, fin, len }, key }.encode();
                    let (rest, read) = naive::header(bytes.as_ref()).unwrap();
                    let short = match len {
                        0..=125 => len as u8,
                        126..=65_535 => 126,
                        _ => 127,
                    };
                    let expect = naive::Header { fin, rsv: 0, opcode, short, len, key: key.map(|key| key.0) };
                    assert_eq!((read, rest), (expect, &[][..]));
                }
            }
        }
    }
}

#[test]
fn a_header_is_decoded_alone_as_in_a_stream() {
    for role in ROLES {
        let wire = Wire::to(role).header(b0::CONTINUATION_MORE, 300);
        for cut in 0..wire.len() {
            assert_eq!(Header::decode(role, &WIDE, &wire.octets()[..cut]), Ok(None));
        }
        let small = Limits { max_frame_bytes: 299, ..WIDE };
        assert_eq!(Header::decode(role, &small, wire.octets()), Err(Violation::FrameTooBig));
        let message = Limits { max_message_bytes: 299, ..WIDE };
        assert_eq!(Header::decode(role, &message, wire.octets()), Err(Violation::MessageTooBig));
    }
    assert!(matches!(Header::decode(Role::Client, &WIDE, b"\x80\x00"), Ok(Some((_, 2)))));
}
