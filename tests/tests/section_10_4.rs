//! RFC 6455 section 10.4: limits on what a peer may send, refused where it is announced, before anything is stored.

use martlet_codec::{Assembler, DataKind, Decoder, Event, Limits, MIN_INPUT, Role, Store, Violation};
use martlet_state::{Config, State};
use martlet_tests::check::{LONGEST, ROLES, WIDE, check_with, first_wrong_with};
use martlet_tests::drive::App;
use martlet_tests::wire::b0;
use martlet_tests::{Cuts, Pair, Plan, Say, Wire, check_connection};

const SMALL: Limits = Limits { max_frame_bytes: 100, max_message_bytes: 150, max_empty_fragments: 3 };

#[test]
fn a_frame_may_be_as_long_as_the_limit_and_no_longer() {
    let hundred = "x".repeat(100);
    for role in ROLES {
        check_with(role, &SMALL, Wire::to(role).text(&hundred).octets(), &[&format!("Text {hundred}")]);
        for short in 101..=125 {
            first_wrong_with(role, &SMALL, Wire::to(role).two(b0::TEXT, short).octets(), &["FrameTooBig"]);
        }
        // The second octet of the length decides: 00 7e is 126.
        let wire = Wire::to(role).two(b0::TEXT, 126).raw(&[0, 126]);
        first_wrong_with(role, &SMALL, wire.octets(), &["FrameTooBig"]);
        first_wrong_with(role, &SMALL, Wire::to(role).two(b0::TEXT, 126).raw(&[1]).octets(), &["FrameTooBig"]);
    }
}

#[test]
fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
    for role in ROLES {
        let begun = || Wire::to(role).frame(b0::BINARY_MORE, &[b'x'; 100]).ping(b"p");
        let line = format!("Binary {}", "x".repeat(150));
        check_with(role, &SMALL, begun().frame(b0::CONTINUATION, &[b'x'; 50]).octets(), &["Ping p", &line]);
        first_wrong_with(role, &SMALL, begun().two(b0::CONTINUATION, 51).octets(), &["Ping p", "MessageTooBig"]);
        first_wrong_with(role, &SMALL, begun().two(b0::CONTINUATION_MORE, 51).octets(), &["Ping p", "MessageTooBig"]);
        // Each message has the limit for itself.
        let twice = begun().frame(b0::CONTINUATION, &[b'x'; 50]).binary(&[b'x'; 100]);
        check_with(role, &SMALL, twice.octets(), &["Ping p", &line, &format!("Binary {}", "x".repeat(100))]);
    }
}

/// Every limit about the borders where the fast way for short frames ends.
#[test]
fn limits_hold_on_the_fast_way_too() {
    for limit in [0_u64, 1, 5, 124, 125, 126, 127, 300, 65_534, 65_535, 65_536] {
        let limits = Limits { max_frame_bytes: limit, max_message_bytes: limit, max_empty_fragments: 3 };
        for role in ROLES {
            // The first frame puts the decoder on its fast way.
            let first = || Wire::to(role).frame(b0::BINARY, &[]);
            let most = vec![b'x'; limit as usize];
            let line = martlet_tests::transcript::message(DataKind::Binary, &most);
            let all = first().binary(&most).binary(&most);
            assert_eq!(martlet_tests::meaning(role, &limits, all.octets(), &Plan::WHOLE), ["Binary ", &line, &line]);
            let over = first().binary(&most).header(b0::BINARY, limit + 1).payload(&most).raw(b"y");
            assert_eq!(
                martlet_tests::meaning(role, &limits, over.octets(), &Plan::WHOLE),
                ["Binary ", &line, "FrameTooBig"]
            );
        }
    }
}

#[test]
fn the_limit_on_messages_holds_for_a_single_frame() {
    let limits = Limits { max_frame_bytes: 1000, max_message_bytes: 99, max_empty_fragments: 3 };
    for role in ROLES {
        first_wrong_with(role, &limits, Wire::to(role).two(b0::TEXT, 100).octets(), &["MessageTooBig"]);
        let after = Wire::to(role).text("a").text("b").two(b0::TEXT, 100);
        first_wrong_with(role, &limits, after.octets(), &["Text a", "Text b", "MessageTooBig"]);
    }
}

/// As much as can be is announced: a decoder that may take it needs no memory for that, and one that may not says so at once.
#[test]
fn a_huge_announced_length_costs_nothing() {
    let any = Limits { max_frame_bytes: u64::MAX, max_message_bytes: u64::MAX, max_empty_fragments: 3 };
    for role in ROLES {
        let wire = Wire::to(role).header(b0::BINARY, LONGEST).payload(b"the beginning of it");
        for cuts in [Cuts::Whole, Cuts::Each] {
            let lines = martlet_tests::meaning(role, &any, wire.octets(), &Plan { cuts, capacity: MIN_INPUT });
            assert_eq!(lines, ["Binary the beginning of it..."]);
        }
        let mut decoder = Decoder::new(role);
        let mut octets = wire.octets().to_vec();
        let mut input = &mut octets[..];
        assert!(matches!(decoder.decode(&any, &mut input), Ok(Some(Event::Data(_)))));
        assert_eq!(decoder.missing(), LONGEST - 19);
        // The first octet of the length is 7f: over any limit that is no limit of 2^62 or more.
        first_wrong_with(role, &WIDE, Wire::to(role).two(b0::BINARY, 127).raw(&[0x7f]).octets(), &["FrameTooBig"]);
    }
}

/// A message of 2^63 + 5 octets fits into no signed number, one of 2^32 + 4 into none of 32 bits: no sum must wrap.
#[test]
fn a_message_of_huge_frames_does_not_wrap() {
    let len = LONGEST.to_be_bytes();
    for role in ROLES {
        let begun = || Wire::to(role).frame(b0::BINARY_MORE, b"123456");
        let limits = |most| Limits { max_frame_bytes: u64::MAX, max_message_bytes: most, max_empty_fragments: 3 };
        let over = begun().two(b0::CONTINUATION, 127).raw(&len);
        if cfg!(feature = "small") {
            // It is told at the first octet of the length after which nothing that can come is short enough.
            check_with(role, &limits(u64::MAX), over.octets(), &["MessageTooBig"]);
            continue;
        }
        first_wrong_with(role, &limits(LONGEST + 5), over.octets(), &["MessageTooBig"]);
        let fits = begun().header_form(b0::CONTINUATION, 127, &len);
        check_with(role, &limits(LONGEST + 6), fits.octets(), &["Binary 123456..."]);
        check_with(role, &limits(u64::MAX), fits.octets(), &["Binary 123456..."]);
    }
}

/// A length that passes both limits is named after the tighter one, which it passes at an earlier octet, if at another.
#[test]
fn the_tighter_limit_is_named() {
    for role in ROLES {
        let limits =
            |frame, message| Limits { max_frame_bytes: frame, max_message_bytes: message, max_empty_fragments: 3 };
        let wire = Wire::to(role).header_form(b0::BINARY, 126, &[1, 1]);
        check_with(role, &limits(256, 0), wire.octets(), &["MessageTooBig"]);
        check_with(role, &limits(0, 256), wire.octets(), &["FrameTooBig"]);
        check_with(role, &limits(256, 256), wire.octets(), &["FrameTooBig"]);
        let open = Wire::to(role).frame(b0::BINARY_MORE, b"abc").header_form(b0::CONTINUATION, 126, &[1, 1]);
        check_with(role, &limits(256, 258), open.octets(), &["MessageTooBig"]);
        check_with(role, &limits(255, 258), open.octets(), &["FrameTooBig"]);
    }
}

#[test]
fn empty_fragments_have_a_budget() {
    for role in ROLES {
        let empties = |count: usize| {
            let wire = Wire::to(role).frame(b0::TEXT_MORE, b"");
            (1..count).fold(wire, |wire, _| wire.frame(b0::CONTINUATION_MORE, b""))
        };
        check_with(role, &SMALL, empties(3).frame(b0::CONTINUATION, b"a").octets(), &["Text a"]);
        // It is known at the second octet that the fourth in a row is empty and not the last.
        first_wrong_with(role, &SMALL, empties(3).two(b0::CONTINUATION_MORE, 0).octets(), &["TooManyEmptyFragments"]);
        // One with an octet in it begins a new row, a control frame does not.
        let broken = empties(3).frame(b0::CONTINUATION_MORE, b"a").frame(b0::CONTINUATION_MORE, b"");
        check_with(role, &SMALL, broken.frame(b0::CONTINUATION, b"").octets(), &["Text a"]);
        let pinged = empties(3).ping(b"").two(b0::CONTINUATION_MORE, 0);
        first_wrong_with(role, &SMALL, pinged.octets(), &["Ping", "TooManyEmptyFragments"]);
        // The last fragment of a message may be empty, and so may whole messages.
        check_with(role, &SMALL, empties(3).frame(b0::CONTINUATION, b"").octets(), &["Text "]);
        let whole = (0..9).fold(Wire::to(role), |wire, _| wire.text(""));
        check_with(role, &SMALL, whole.octets(), &["Text "; 9]);
        let none = Limits { max_empty_fragments: 0, ..SMALL };
        first_wrong_with(role, &none, Wire::to(role).two(b0::TEXT_MORE, 0).octets(), &["TooManyEmptyFragments"]);
    }
}

/// A store of a few octets refuses the message that does not fit, whatever the limits say; one that comes in one piece needs none.
#[test]
fn a_message_must_fit_where_it_is_put_together() {
    let (mut room, whole) = ([0; 4], "a whole message needs no room");
    let mut assembler = Assembler::new(Store::new(&mut room));
    let mut decoder = Decoder::new(Role::Server);
    let wire = Wire::to(Role::Server).text(whole).frame(b0::TEXT_MORE, b"12").frame(b0::CONTINUATION, b"34");
    let wire = wire.frame(b0::TEXT_MORE, b"12").frame(b0::CONTINUATION, b"345");
    let mut octets = wire.octets().to_vec();
    let mut input = &mut octets[..];
    let mut got = Vec::new();
    let end = loop {
        match decoder.decode(&WIDE, &mut input) {
            Ok(Some(Event::Data(data))) => match assembler.push(data) {
                Ok(Some(message)) => got.push(message.text().unwrap_or_default().to_owned()),
                Ok(None) => {}
                Err(violation) => break Some(violation),
            },
            Ok(Some(other)) => panic!("{other:?}"),
            Ok(None) => break None,
            Err(violation) => break Some(violation),
        }
    };
    assert_eq!((got, end), (vec![whole.to_owned(), "1234".to_owned()], Some(Violation::MessageTooBig)));
}

#[cfg(target_pointer_width = "64")]
#[test]
fn a_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 64, "{} octets", size_of::<Decoder>());
}

/// Pings are cheap to send and cost an answer each: a peer may send so many in a second, whatever comes between them.
#[test]
fn control_frames_have_a_budget() {
    let config = Config { max_control_per_second: 3, idle_ms: 0, ..Config::DEFAULT };
    let app = App::default();
    let three = |wire: Wire| wire.ping(b"1").pong(b"2").text("t").ping(b"3");
    let told = ["Ping 1", "Pong 2", "Text t", "Ping 3"];
    check_connection(&config, app, three, &told, &["Pong 1", "Pong 3"], State::Active);
    for last in [b0::PING, b0::PONG] {
        let told = [&told[..], &["TooManyControlFrames"]].concat();
        let said = ["Pong 1", "Pong 3", "Close 1008 too many control frames"];
        check_connection(&config, app, |wire| three(wire).frame(last, b"4"), &told, &said, State::Closed);
    }
    // A Close is no flood.
    let told = [&told[..], &["Close 1000"]].concat();
    check_connection(
        &config,
        app,
        |wire| three(wire).close(1000, ""),
        &told,
        &["Pong 1", "Pong 3", "Close 1000"],
        State::Closed,
    );
    // Without a limit there is none.
    let any = Config { max_control_per_second: 0, ..config };
    let many = |wire: Wire| (0..70).fold(wire, |wire, _| wire.ping(b""));
    check_connection(&any, app, many, &["Ping"; 70], &["Pong"; 70], State::Active);
}

#[test]
fn a_new_second_has_a_new_budget() {
    let config = Config { max_control_per_second: 3, idle_ms: 0, ..Config::DEFAULT };
    for role in ROLES {
        let mut pair = Pair::open(&config, &config, 0);
        for second in 1..=5 {
            for ms in [0, 1, 999] {
                pair.run_until(second * 1000 + ms);
                pair.say(role, Say::Ping(b"")).unwrap();
            }
        }
        pair.run_until(6000);
        assert_eq!(
            (pair.state(Role::Client), pair.state(Role::Server)),
            (State::Active, State::Active),
            "{:?}",
            pair.log()
        );
        for _ in 0..4 {
            pair.say(role, Say::Pong(b"")).unwrap();
        }
        pair.run_until(6000);
        assert_eq!((pair.state(Role::Client), pair.state(Role::Server)), (State::Closed, State::Closed));
    }
}

/// With `auto_pong` off a Ping is told, and the answer is the application's business.
#[test]
fn pings_may_be_left_to_the_application() {
    let config = Config { auto_pong: false, ..Config::DEFAULT };
    let build = |wire: Wire| wire.ping(b"p").text("t").ping(b"q");
    check_connection(&config, App::default(), build, &["Ping p", "Text t", "Ping q"], &[], State::Active);
}

#[cfg(target_pointer_width = "64")]
#[test]
fn a_server_connection_is_small() {
    let size = size_of::<martlet_state::Connection<'_, martlet_state::Server>>();
    assert!(size <= 96, "{size} octets");
}
