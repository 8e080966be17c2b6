//! What the committed corpora of the fuzz targets hold at least: small inputs, made by hand, one for each kind of thing.
//!
//! `cargo run -p martlet-tests --example write_corpus` writes them to `fuzz/corpus`.

use crate::generate::NOT_UTF8;
use crate::heads::{REQUEST, RESPONSE, replaced, with, without};
use crate::wire::{Wire, b0};
use martlet_codec::{Role, Violation};

/// A name, and the octets.
pub type Seed = (String, Vec<u8>);

/// The seeds of a target; none for a name that is no target's.
pub fn seeds(target: &str) -> Vec<Seed> {
    match target {
        "head" => head(),
        "negotiation" => negotiation(),
        "inflate" => inflate(),
        "deflate" => deflate(),
        "header" => header(),
        "receive_cuts" => receive_cuts(),
        "utf8" => utf8(),
        "mask" => mask(),
        "close" => close(),
        "roundtrip" => roundtrip(),
        _ => Vec::new(),
    }
}

fn seed(name: impl Into<String>, front: &[u8], octets: &[u8]) -> Seed {
    (name.into(), [front, octets].concat())
}

fn head() -> Vec<Seed> {
    let requests = [
        ("right", REQUEST.to_owned()),
        ("blank-first", format!("\r\n{REQUEST}")),
        ("frames-behind", format!("{REQUEST}\u{1}\u{5}Hello")),
        ("plain", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".to_owned()),
        ("body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".to_owned()),
        ("chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned()),
        ("lists", with(REQUEST, "Connection: a, b,,c\r\nUpgrade: h2c, x/1\r\nSec-WebSocket-Protocol: soap, chat")),
        (
            "extensions",
            with(REQUEST, "Sec-WebSocket-Extensions: a; b=\"c\\\"d\"; e, permessage-deflate; client_max_window_bits"),
        ),
        ("cookie", with(REQUEST, &format!("Cookie: {}", "name=value; ".repeat(40)))),
        ("long-list", with(REQUEST, &format!("Sec-WebSocket-Protocol: {}", "some-protocol, ".repeat(30)))),
        ("origin", with(REQUEST, "Origin: https://example.com")),
        ("version-8", replaced(REQUEST, "Sec-WebSocket-Version", "Sec-WebSocket-Version: 8")),
        ("no-host", without(REQUEST, "Host")),
        ("fold", with(REQUEST, "X: y\r\n z")),
        ("space-before-colon", with(REQUEST, "X : y")),
        ("bare-cr", with(REQUEST, "X: y\rz")),
        ("bare-lf", REQUEST.replace("\r\n", "\n")),
        ("nul", with(REQUEST, "X: \0")),
        ("many-headers", with(REQUEST, &"X: y\r\n".repeat(30))),
        ("half", REQUEST[..90].to_owned()),
        ("tls", "\u{16}\u{3}\u{1}\u{2}".to_owned()),
        ("blanks-first", format!("\r\n\r\n{REQUEST}")),
    ];
    let responses = [
        ("right", RESPONSE.to_owned()),
        ("redirect", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("no-reason", RESPONSE.replace(" Switching Protocols", "")),
        ("subprotocol", with(RESPONSE, "Sec-WebSocket-Protocol: soap")),
        ("extension", with(RESPONSE, "Sec-WebSocket-Extensions: foo")),
        ("extension-not-offered", with(RESPONSE, "Sec-WebSocket-Extensions: bar")),
        ("accept-wrong", RESPONSE.replace("s3pP", "S3pP")),
        ("http-1-0", RESPONSE.replace("HTTP/1.1", "HTTP/1.0")),
    ];
    let mut seeds = Vec::new();
    for (at, (name, head)) in requests.iter().enumerate() {
        let lines = [0, 2, 4, 6][at % 4];
        seeds.push(seed(format!("request-{name}"), &[lines, at as u8], head.as_bytes()));
    }
    for (at, (name, head)) in responses.iter().enumerate() {
        seeds.push(seed(format!("response-{name}"), &[1 | [0, 2, 4, 6][at % 4], at as u8], head.as_bytes()));
    }
    seeds
}

fn negotiation() -> Vec<Seed> {
    let flags = "server_no_context_takeover; client_no_context_takeover";
    let windows = "server_max_window_bits=10; client_max_window_bits=\"9\"";
    // Two lines of offers are two headers.
    let values = [
        ("plain", "permessage-deflate".to_owned()),
        ("browser", "permessage-deflate; client_max_window_bits".to_owned()),
        ("flags", format!("permessage-deflate; {flags}")),
        ("windows", format!("permessage-deflate; {windows}")),
        ("all", format!("permessage-deflate; {flags}; {windows}")),
        ("second", format!("permessage-deflate; x, permessage-deflate; {flags}")),
        ("second-line", format!("x, permessage-deflate; server_max_window_bits\npermessage-deflate; {windows}")),
        ("twice", format!("permessage-deflate; {windows}; {windows}")),
        ("too-small", "permessage-deflate; server_max_window_bits=7".to_owned()),
        ("too-great", "permessage-deflate; client_max_window_bits=16".to_owned()),
        ("zero-in-front", "permessage-deflate; client_max_window_bits=09".to_owned()),
        ("flag-with-value", "permessage-deflate; server_no_context_takeover=1".to_owned()),
        ("escaped", "permessage-deflate; server_max_window_bits=\"1\\2\"".to_owned()),
        ("other", "x; y=\"z\"".to_owned()),
        ("none", ",".to_owned()),
    ];
    let mut seeds = Vec::new();
    for (at, (name, value)) in (0..).zip(&values) {
        for (to, mode) in [("server", 0), ("server-lines", 11), ("client", 4), ("client-forgets", 7)] {
            let windows = [0x00, 0xa9, 0xf0, 0x0c][usize::from(at) % 4];
            seeds.push(seed(format!("to-{to}-{name}"), &[windows, mode, at], value.as_bytes()));
        }
    }
    seeds
}

fn inflate() -> Vec<Seed> {
    // RFC 7692 section 7.2.3's examples, what is garbage, and a dynamic block.
    let dynamic = b"\x4c\x8a\xc1\x09\x00\x40\x0c\xc2\x66\x8d\xd6\xfd\x57\xa8\x07\xf7\xa8\x8f\x20\x24\x58\x80\x0a\x53\x88\x4c\x19\xee\x5c\x1d\xbf\x2a\xfd\x68\x7e\xba\x00";
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let messages: [(&str, &[&[u8]]); 17] = [
        ("fixed", &[hello]),
        ("takeover", &[hello, b"\xf2\x00\x11\x00\x00"]),
        ("stored", &[b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"]),
        ("final", &[b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", hello]),
        ("two-blocks", &[b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"]),
        ("empty", &[b"\x00", hello]),
        ("no-octet", &[b"", hello]),
        ("final-alone", &[b"\xf3\x48\xcd\xc9\xc9\x07\x00", hello]),
        ("final-between", &[b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00"]),
        ("cut-off", &[hello, b"\xf2\x48\xcd\xc9\xc9\x07"]),
        ("stored-cut-off", &[b"\x00\x05\x00\xfa\xff\x48"]),
        ("stored-length", &[b"\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00"]),
        ("block-type", &[b"\x06"]),
        ("match-of-nothing", &[b"\x02\x03\x00\x00"]),
        ("not-utf8", &[b"\x00\x02\x00\xfd\xff\xc3\xff\x00"]),
        ("dynamic", &[hello, dynamic, hello]),
        ("zeros", &[b"\x62\x18\x05\xa3\x60\x14\x8c\x54\x00\x00"]),
    ];
    let messages = messages.map(|(name, messages)| {
        let each = |message: &&[u8]| [&[message.len() as u8], *message].concat();
        (name, messages.iter().flat_map(each).collect::<Vec<u8>>())
    });
    let by_hand = codes().map(|(name, message)| (name, [&[message.len() as u8], &message[..]].concat()));
    let mut seeds = Vec::new();
    for (at, (name, octets)) in (0..).zip(messages.into_iter().chain(by_hand)) {
        for (way, mode) in [("binary", at % 8), ("text", 8 | (at % 8)), ("small", 0x10), ("forgetful", 0x2f)] {
            seeds.push(seed(format!("{way}-{name}"), &[mode, at], &octets));
        }
    }
    seeds
}

/// Blocks with codes of their own, of which some are none: `a`, the end, and a match of three octets.
fn codes() -> [(&'static str, Vec<u8>); 13] {
    let (a, end, three) = (97, 256, 257);
    let whole = [(a, 1), (end, 2), (three, 2)];
    let of = |distances: &[(usize, u8)], behind| block(&whole, distances, behind);
    let one = [(0, 1)];
    let ladder: Vec<_> = (1..=15).map(|bits| (96 + usize::from(bits), bits)).chain([(end, 15)]).collect();
    [
        ("codes", of(&one, "0 11 0 10")),
        ("codes-no-distance", of(&[], "0 10")),
        ("codes-no-distance-but-match", of(&[], "0 11 0 10")),
        ("codes-distance-unused", of(&one, "0 11 1 10")),
        ("codes-distances-over", of(&[(0, 1), (1, 1), (2, 1)], "0 10")),
        ("codes-distances-under", of(&[(0, 1), (1, 2)], "0 10")),
        ("codes-31-distances", of(&[(0, 1), (30, 1)], "0 10")),
        ("codes-287-symbols", block(&[(a, 1), (end, 2), (286, 2)], &one, "0 10")),
        ("codes-end-alone", block(&[(end, 1)], &one, "0")),
        ("codes-under", block(&[(a, 1), (end, 2)], &one, "0 10")),
        ("codes-over", block(&[(a, 1), (end, 1), (three, 2)], &one, "0")),
        ("codes-no-end", block(&[(a, 1), (98, 1)], &one, "0")),
        ("codes-15-bits", block(&ladder, &one, "111111111111110 111111111111111")),
    ]
}

/// A block with codes of these lengths, which have four bits each (RFC 1951 section 3.2.7), then `behind`, then an empty stored one.
fn block(octets: &[(usize, u8)], distances: &[(usize, u8)], behind: &str) -> Vec<u8> {
    let size = |lengths: &[(usize, u8)]| lengths.iter().map(|(symbol, _)| symbol + 1).max().unwrap_or(1);
    let (size, of_distances) = (size(octets).max(257), size(distances));
    // Numbers come with their lowest bit first, codes with their highest.
    let number = |value: usize, bits: usize| (0..bits).map(move |bit| value >> bit & 1 == 1).collect::<Vec<_>>();
    let mut bits = [number(0b100, 3), number(size - 257, 5), number(of_distances - 1, 5), number(15, 4)].concat();
    // No runs, and the 16 lengths by codes of four bits.
    bits.extend((0..19).flat_map(|place| number(if place < 3 { 0 } else { 4 }, 3)));
    for (size, lengths) in [(size, octets), (of_distances, distances)] {
        for symbol in 0..size {
            let length = lengths.iter().find(|(known, _)| *known == symbol).map_or(0, |(_, length)| *length);
            bits.extend((0..4).rev().map(|bit| length >> bit & 1 == 1));
        }
    }
    bits.extend(behind.chars().filter(|bit| *bit != ' ').map(|bit| bit == '1'));
    bits.extend(number(0, 3));
    bits.chunks(8).map(|octet| (0..).zip(octet).map(|(at, bit)| u8::from(*bit) << at).sum()).collect()
}

fn deflate() -> Vec<Seed> {
    let long = |times: u8, text: &[u8]| [&[(times << 6) | text.len() as u8], text].concat();
    let json = br#"{"id":1234567,"name":"user","tags":["a","b"],"on":true}"#;
    let random: Vec<u8> = (0..63_u32).map(|at| (at.wrapping_mul(0x9e37_79b1) >> 13) as u8).collect();
    let rows = [
        ("text", long(2, b"Hello, ")),
        ("json", [long(0, json), long(1, json), long(0, json)].concat()),
        ("chinese", long(1, "中文字符，压缩。".as_bytes())),
        ("cyrillic", long(1, "Съешь же ещё этих булок".as_bytes())),
        ("random", [long(0, &random), long(3, &random), long(0, &random[1..])].concat()),
        ("zeros", long(3, &[0; 63])),
        ("empty", [long(0, b""), long(3, b"x"), long(0, b"")].concat()),
        ("mixed", [long(2, json), long(3, &random), long(2, json), long(0, &random[5..30])].concat()),
    ];
    let mut seeds = Vec::new();
    for (at, (name, octets)) in (0..).zip(rows) {
        for (way, mode, level) in [
            ("takeover", at, 1 + at),
            ("forgetful", 15 - at, 1 + at),
            ("small", at, 0),
            ("small-forgetful", 15 - at, 0),
        ] {
            seeds.push(seed(format!("{way}-{name}"), &[mode, level, at], &octets));
        }
    }
    seeds
}

fn header() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (name, role) in [("server", Role::Server), ("client", Role::Client)] {
        for len in [0, 1, 125, 126, 65_535, 65_536, 1 << 40, u64::MAX >> 1] {
            let wire = Wire::to(role).header(b0::BINARY, len);
            seeds.push(seed(format!("to-{name}-{len}"), &[0], wire.octets()));
        }
        let forms: [(&str, u8, &[u8]); 3] = [
            ("16-bit-short", 126, &[0, 125]),
            ("64-bit-short", 127, &[0, 0, 0, 0, 0, 0, 255, 255]),
            ("top-bit", 127, &[0x80, 0, 0, 0, 0, 0, 0, 0]),
        ];
        for (form, short, extended) in forms {
            let wire = Wire::to(role).header_form(b0::TEXT, short, extended);
            seeds.push(seed(format!("to-{name}-{form}"), &[0], wire.octets()));
        }
        for b0 in [0x80, 0x00, 0x01, 0x88, 0x89, 0x8a, 0x09, 0xc1, 0x83, 0x8b] {
            let wire = Wire::to(role).header(b0, 5);
            seeds.push(seed(format!("to-{name}-first-{b0:02x}"), &[1], wire.octets()));
        }
    }
    seeds
}

fn receive_cuts() -> Vec<Seed> {
    type Row = (&'static str, fn(Wire) -> Wire);
    let streams: [Row; 22] = [
        ("text", |wire| wire.text("Hello")),
        ("two-texts", |wire| wire.text("Grüße, 中 😀").text("again")),
        ("binary", |wire| wire.binary(&[0, 1, 2, 254, 255])),
        ("long", |wire| wire.binary(&[7; 300])),
        ("fragments", |wire| wire.frame(1, b"Hel").frame(0, b"").frame(0x80, b"lo")),
        ("cut-character", |wire| wire.frame(1, b"\xe4\xb8").frame(0x80, b"\xad")),
        ("ping-between", |wire| wire.frame(2, b"a").ping(b"p").frame(0x80, b"b")),
        ("pong", |wire| wire.pong(b"unasked")),
        ("close", |wire| wire.close(1000, "bye").text("late")),
        ("close-empty", |wire| wire.frame(b0::CLOSE, b"")),
        ("close-short", |wire| wire.frame(b0::CLOSE, b"\x03")),
        ("close-code", |wire| wire.close(1005, "")),
        ("close-reason", |wire| wire.frame(b0::CLOSE, b"\x03\xe8\xff")),
        ("not-utf8", |wire| wire.text("ok").frame(b0::TEXT, b"\xed\xa0\x80")),
        ("rsv", |wire| wire.frame(0xc1, b"x")),
        ("reserved-opcode", |wire| wire.frame(0x83, b"x")),
        ("control-fragmented", |wire| wire.frame(0x09, b"x")),
        ("control-long", |wire| wire.frame(0x89, &[0; 126])),
        ("continuation-alone", |wire| wire.frame(0x80, b"x")),
        ("message-in-message", |wire| wire.frame(1, b"x").text("y")),
        ("empties", |wire| wire.frame(1, b"").frame(0, b"").frame(0, b"").frame(0, b"")),
        ("huge", |wire| wire.header(b0::BINARY, u64::MAX >> 1).payload(b"some")),
    ];
    let mut seeds = Vec::new();
    for (at, (name, build)) in streams.iter().enumerate() {
        let at = at as u8;
        for (mode, to, role) in [(0, "server", Role::Server), (1, "client", Role::Client)] {
            seeds.push(seed(format!("to-{to}-{name}"), &[mode | (at << 4), at], build(Wire::to(role)).octets()));
        }
    }
    let frames: &[u8] = b"\x81\x05Hello\x01\x01a\x89\x01p\x80\x01b\x82\xd2x\x82\xf0yy\x88\x02\x03\xe8";
    for mode in [8, 9, 0x18, 0x29, 0x48, 0xe9, 0x0a, 0x0d] {
        seeds.push(seed(format!("frames-{mode:02x}"), &[mode, 200], frames));
    }
    seeds
}

fn utf8() -> Vec<Seed> {
    let texts = ["", "ascii", "Grüße", "中文", "😀", "\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}", "\u{d7ff}\u{e000}"];
    let mut seeds: Vec<Seed> =
        (0..).zip(texts).map(|(at, text)| seed(format!("right-{at}"), &[at], text.as_bytes())).collect();
    for (at, bad) in (0..).zip(NOT_UTF8) {
        seeds.push(seed(format!("wrong-{at}"), &[at], bad));
        seeds.push(seed(
            format!("wrong-late-{at}"),
            &[at],
            &["中ß😀 and more than one block of sixteen octets".as_bytes(), bad].concat(),
        ));
    }
    for (at, text) in (0..).zip(["\u{df}", "\u{4e2d}", "\u{1f600}"]) {
        seeds.push(seed(format!("cut-{at}"), &[at], &text.as_bytes()[..text.len() - 1]));
    }
    seeds.push(seed("long", &[3], "aß中😀".repeat(90).as_bytes()));
    seeds
}

fn mask() -> Vec<Seed> {
    let payload: Vec<u8> = (0..900_u32).map(|at| (at * 7) as u8).collect();
    let lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 511, 512, 513, 900];
    let front = |at: u8| [0x37, 0xfa, 0x21, 0x3d, at, at.wrapping_mul(5)];
    (0..).zip(lengths).map(|(at, len)| seed(format!("length-{len}"), &front(at), &payload[..len])).collect()
}

fn close() -> Vec<Seed> {
    let mut seeds = vec![("empty".to_owned(), Vec::new()), ("one-octet".to_owned(), vec![3])];
    let codes = Violation::ALL.map(Violation::close_code).into_iter();
    let mut codes: Vec<u16> =
        codes.chain([0, 999, 1000, 1001, 1004, 1005, 1006, 1014, 1015, 1016, 2999, 3000, 4999, 5000, 65_535]).collect();
    codes.sort_unstable();
    codes.dedup();
    for code in codes {
        seeds.push(seed(format!("code-{code}"), &code.to_be_bytes(), b""));
    }
    for (at, bad) in NOT_UTF8.into_iter().enumerate() {
        seeds.push(seed(format!("reason-wrong-{at}"), b"\x03\xe8bye ", bad));
    }
    seeds.push(seed("reason", b"\x03\xe8", "Grüße 中 😀".as_bytes()));
    seeds.push(seed("reason-123", b"\x0f\xa0", &[b'x'; 123]));
    seeds
}

fn roundtrip() -> Vec<Seed> {
    // An octet says who does what, the next how long it is. A Close has 40 times that octet for its code.
    let (text, binary, part, last, ping, pong, code, bare) = (0_u8, 4, 8, 10, 16, 20, 88, 28);
    let doings: [(&str, &[u8]); 14] = [
        ("text", &[text, 5, b'H', b'e', b'l', b'l', b'o']),
        ("both", &[text, 1, b'a', text | 1, 1, b'b']),
        ("binary", &[binary, 3, 0xff, 0, 0x80, binary | 1, 0]),
        ("fragments", &[part, 2, b'a', b'b', ping, 1, b'p', last, 1, b'c', text, 0]),
        ("fragments-of-the-server", &[part | 1, 1, b'a', part | 1, 0, last | 1, 1, b'b']),
        ("message-in-message", &[part, 1, b'a', text, 1, b'b', last, 0]),
        ("ping", &[ping, 2, b'h', b'i', ping | 1, 0]),
        ("pong", &[pong, 2, b'h', b'i', pong | 1, 0]),
        ("close-with-code", &[text, 1, b'a', code, 3, b'b', b'y', b'e']),
        ("close-of-the-server", &[code | 1, 0, text, 1, b'a']),
        ("close-bare", &[part, 1, b'a', bare, 0]),
        ("close-behind-pings", &[part, 1, b'a', ping, 0, ping, 0, bare | 1, 0]),
        ("dots", &[last, 4, b'a', b'.', b'.', b'.']),
        ("not-utf8", &[text, 3, 0xe4, 0xb8, 0xff]),
    ];
    (0..).zip(doings).map(|(at, (name, octets))| seed(name, &[at], octets)).collect()
}
