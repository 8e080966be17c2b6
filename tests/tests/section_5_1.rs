//! RFC 6455 section 5.1: who masks, and who must not.

use martlet_codec::Role;
use martlet_tests::check::{WIDE, first_wrong_with};
use martlet_tests::wire::{KEY, b0};
use martlet_tests::{Wire, check, naive};

/// Every first octet that may begin a connection's first frame.
const FIRST: [u8; 7] = [b0::TEXT, b0::BINARY, b0::TEXT_MORE, b0::BINARY_MORE, b0::CLOSE, b0::PING, b0::PONG];

#[test]
fn a_server_refuses_a_frame_without_mask_at_its_second_octet() {
    for b0 in FIRST {
        for len in (0..=127).filter(|len| b0 < 0x88 || *len <= 125) {
            first_wrong_with(Role::Server, &WIDE, &[b0, len], &["MaskMissing"]);
        }
    }
}

#[test]
fn a_client_refuses_a_frame_with_mask_at_its_second_octet() {
    for b0 in FIRST {
        for len in (0..=127).filter(|len| b0 < 0x88 || *len <= 125) {
            first_wrong_with(Role::Client, &WIDE, &[b0, 0x80 | len], &["MaskForbidden"]);
        }
    }
}

#[test]
fn the_mask_is_looked_at_in_every_frame_and_fragment() {
    let server = |wire: Wire| [wire.octets(), b"\x80\x01c"].concat();
    let client = |wire: Wire| [wire.octets(), b"\x80\x81\x01\x02\x03\x04c"].concat();
    let begun = |role| Wire::to(role).text("a").frame(b0::TEXT_MORE, b"b").ping(b"p");
    check(Role::Server, &server(begun(Role::Server)), &["Text a", "Ping p", "MaskMissing"]);
    check(Role::Client, &client(begun(Role::Client)), &["Text a", "Ping p", "MaskForbidden"]);
}

#[test]
fn a_mask_of_zeros_is_a_mask() {
    check(Role::Server, Wire::to(Role::Server).key([0; 4]).text("Hello").octets(), &["Text Hello"]);
}

/// RFC 6455 section 5.3: the algorithm, in the frames of a client, with the payload in one, two and three fragments.
#[test]
fn section_5_3_the_key_begins_anew_with_every_frame() {
    let payload = b"0123456789abcdef0123456789";
    for first in 0..payload.len() {
        let (head, tail) = payload.split_at(first);
        let wire =
            Wire::to(Role::Server).frame(b0::BINARY_MORE, head).key([9, 0, 255, 128]).frame(b0::CONTINUATION, tail);
        check(Role::Server, wire.octets(), &["Binary 0123456789abcdef0123456789"]);
    }
}

/// RFC 6455 section 5.7: "a single-frame masked text message", octet by octet as printed there.
#[test]
fn section_5_3_the_example_of_the_rfc() {
    let wire = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_eq!(naive::mask(KEY, b"Hello"), &wire[6..]);
    assert_eq!(Wire::to(Role::Server).text("Hello").octets(), wire);
    check(Role::Server, wire, &["Text Hello"]);
}
