//! RFC 6455 section 5.1: who masks, and who must not.

use martlet_codec::Role;
use martlet_state::Config;
use martlet_tests::check::{ROLES, WIDE, first_wrong_with};
use martlet_tests::drive::rng;
use martlet_tests::wire::{KEY, b0};
use martlet_tests::{Pair, Say, Wire, check, heads, naive};
use rand_core::Rng;
use std::collections::BTreeSet;

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

/// What an end says behind its head, as headers.
fn sent(role: Role, sayings: &[Say<'_>]) -> Vec<naive::Header> {
    let config = Config { idle_ms: 0, ..Config::DEFAULT };
    let mut pair = Pair::open(&config, &config, 0);
    for say in sayings {
        pair.say(role, *say).unwrap();
    }
    let said = pair.said(role);
    let (mut rest, mut headers) = (&said[heads::end(said).unwrap()..], Vec::new());
    while let Ok((payload, header)) = naive::header(rest) {
        rest = &payload[header.len as usize..];
        headers.push(header);
    }
    headers
}

/// "a client MUST mask all frames that it sends to the server", "A server MUST NOT mask any frames that it sends to the client":
/// messages of every length, fragments and control frames alike.
#[test]
fn what_an_end_sends_is_masked_if_it_is_a_client() {
    let long = "x".repeat(66_000);
    let sayings = [
        Say::Text(""),
        Say::Text("short"),
        Say::Text(&long[..200]),
        Say::Text(&long),
        Say::Binary(b"\0"),
        Say::Fragment("a", false),
        Say::Ping(b""),
        Say::Fragment("", false),
        Say::Pong(b"p"),
        Say::Fragment("b", true),
        Say::Close(Some((1000, "bye"))),
    ];
    for role in ROLES {
        let headers = sent(role, &sayings);
        assert_eq!(headers.len(), sayings.len());
        assert!(headers.iter().all(|header| header.key.is_some() == (role == Role::Client)), "{role:?}");
    }
}

/// Section 5.3: "the masking key needs to be unpredictable", and section 10.3: a fresh one for each frame. The core takes all of
/// them from its caller's source, one after the other.
#[test]
fn section_5_3_a_client_takes_a_fresh_key_for_every_frame() {
    let headers = sent(Role::Client, &[Say::Text("same"); 100]);
    let keys: Vec<[u8; 4]> = headers.iter().filter_map(|header| header.key).collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 100);
    let mut source = rng();
    // The key of the handshake came first.
    source.fill_bytes(&mut [0; 16]);
    let expect: Vec<[u8; 4]> = keys.iter().map(|_| source.next_u32().to_le_bytes()).collect();
    assert_eq!(keys, expect);
}
