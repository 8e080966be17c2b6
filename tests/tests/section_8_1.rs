//! RFC 6455 sections 5.6 and 8.1: text is UTF-8, and the first wrong octet ends the connection when it comes.

use martlet_codec::Utf8;
use martlet_tests::generate::NOT_UTF8;
use martlet_tests::wire::b0;
use martlet_tests::{check_both, first_wrong, naive};

/// Characters at the borders of what UTF-8 encodes.
const BORDERS: [&str; 11] = [
    "\u{0}",
    "\u{7f}",
    "\u{80}",
    "\u{7ff}",
    "\u{800}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{ffff}",
    "\u{10000}",
    "\u{fffff}",
    "\u{10ffff}",
];

#[test]
fn text_of_every_kind_of_character() {
    for text in BORDERS {
        let line = martlet_tests::transcript::message(martlet_codec::DataKind::Text, text.as_bytes());
        check_both(|wire| wire.text(text), &[&line]);
    }
    let all = BORDERS.concat();
    let line = martlet_tests::transcript::message(martlet_codec::DataKind::Text, all.as_bytes());
    check_both(|wire| wire.text(&all), &[&line]);
}

#[test]
fn a_character_may_be_cut_by_fragments() {
    let text = "aß中😀z".as_bytes();
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let parts = [&text[..first], &text[first..second], &text[second..]];
            check_both(
                |wire| {
                    let wire = wire.frame(b0::TEXT_MORE, parts[0]).frame(b0::CONTINUATION_MORE, parts[1]).ping(b"");
                    wire.frame(b0::CONTINUATION, parts[2])
                },
                &["Ping", "Text aß中😀z"],
            );
        }
    }
}

/// Where in these octets the first wrong one is, by `core`.
fn wrong_at(octets: &[u8]) -> usize {
    (0..=octets.len()).find(|end| !naive::utf8_may_go_on(&octets[..*end])).map_or(octets.len(), |end| end - 1)
}

#[test]
fn the_first_wrong_octet_is_refused_though_the_frame_goes_on() {
    for bad in NOT_UTF8 {
        for good in ["", "a", "only ascii, and some of it", "ß", "中", "😀😀"] {
            let octets = [good.as_bytes(), bad].concat();
            let upto = &octets[..wrong_at(&octets) + 1];
            for announced in [upto.len(), octets.len() + 40, 1000, 70_000] {
                first_wrong(|wire| wire.header(b0::TEXT, announced as u64).payload(upto), &["Utf8Invalid"]);
            }
        }
    }
}

#[test]
fn the_first_wrong_octet_is_refused_in_a_later_fragment() {
    for bad in NOT_UTF8 {
        let upto = &bad[..wrong_at(bad) + 1];
        let (before, wrong) = upto.split_at(upto.len() - 1);
        first_wrong(
            |wire| {
                let wire = wire.frame(b0::TEXT_MORE, "中".as_bytes()).frame(b0::CONTINUATION_MORE, before).ping(b"p");
                wire.header(b0::CONTINUATION_MORE, 9).payload(wrong)
            },
            &["Ping p", "Utf8Invalid"],
        );
    }
}

/// A text that ends within a character is wrong at its last octet, or, if its last frame is empty, at that one's last.
#[test]
fn a_text_must_not_end_within_a_character() {
    for cut in ["\u{df}", "\u{4e2d}", "\u{1f600}"]
        .iter()
        .flat_map(|text| (1..text.len()).map(move |end| &text.as_bytes()[..end]))
    {
        first_wrong(|wire| wire.frame(b0::TEXT, cut), &["Utf8Invalid"]);
        first_wrong(|wire| wire.frame(b0::TEXT_MORE, b"a").frame(b0::CONTINUATION, cut), &["Utf8Invalid"]);
        check_both(|wire| wire.frame(b0::TEXT_MORE, cut).frame(b0::CONTINUATION, b""), &["Utf8Invalid"]);
    }
}

/// The text begins anew with each message: nothing of the one before counts.
#[test]
fn a_text_begins_anew() {
    check_both(
        |wire| {
            wire.binary(b"\xe4").text("a").frame(b0::BINARY_MORE, b"\xe4").frame(b0::CONTINUATION, b"\xb8").text("b")
        },
        &["Binary \\xe4", "Text a", "Binary \\xe4\\xb8", "Text b"],
    );
}

/// Wrong octets in all places of texts that are long enough for every kernel and every block.
#[test]
fn a_wrong_octet_is_found_in_every_place_of_a_long_text() {
    let plan = martlet_tests::Plan::WHOLE;
    let wide = martlet_tests::check::WIDE;
    for text in ["a".repeat(700), "ß".repeat(350), "中".repeat(234), "a中".repeat(175)] {
        let octets = text.into_bytes();
        for at in 0..octets.len() {
            let mut bad = octets.clone();
            bad[at] = 0xff;
            for role in martlet_tests::check::ROLES {
                let wire = martlet_tests::Wire::to(role).frame(b0::TEXT, &bad);
                assert_eq!(martlet_tests::meaning(role, &wide, wire.octets(), &plan), ["Utf8Invalid"], "{at}");
            }
        }
    }
}

/// All strings of one, two and three octets, against `core`: whether they are text, and whether they may go on.
#[test]
fn all_short_strings_are_judged_as_core_does() {
    let judge = |octets: &[u8]| {
        let mut utf8 = Utf8::new();
        let goes_on = utf8.push(octets).is_ok();
        assert_eq!(goes_on, naive::utf8_may_go_on(octets), "{octets:x?}");
        assert_eq!(goes_on && utf8.is_complete(), std::str::from_utf8(octets).is_ok(), "{octets:x?}");
    };
    for a in 0..=0xff {
        judge(&[a]);
        for b in 0..=0xff {
            judge(&[a, b]);
            // The third octet's classes are ranges: their borders are enough here, the codec's own tests try them all.
            for c in [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf4, 0xff] {
                judge(&[a, b, c]);
                judge(&[a, b, c, 0x80]);
            }
        }
    }
}
