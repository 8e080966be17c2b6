//! Any octets, any cuts, one meaning: for whole connections, in both roles, through handshake, data and close.

use martlet_codec::{Limits, MIN_INPUT, Role};
use martlet_state::{Config, HeadMode, State};
use martlet_tests::check::ROLES;
use martlet_tests::drive::{App, Outcome, Room, connect, serve, talk};
use martlet_tests::generate::{Stream, cases, close, plan, stream};
use martlet_tests::generate_heads::{request, response};
use martlet_tests::heads::{REQUEST, end, response_to};
use martlet_tests::{Plan, Wire};
use proptest::collection::vec;
use proptest::prelude::*;

const LIMITS: Limits = Limits { max_frame_bytes: 1 << 30, max_message_bytes: 1 << 30, max_empty_fragments: 32 };
const CONFIG: Config<'_> = Config { limits: LIMITS, max_control_per_second: 0, ..Config::DEFAULT };
const ECHO: App<'_> = App {
    accept: martlet_state::Accept { subprotocol: None, extensions: None, decline_deflate: false, headers: &[] },
    respond: None,
    echo: true,
    close_after: None,
};

/// The same plan, through a buffer that holds a whole head.
fn with_head(plan: &Plan, head: usize) -> Plan {
    Plan { cuts: plan.cuts.clone(), capacity: plan.capacity.saturating_add(head) }
}

/// What an echoing end says to a stream: each message, the Pong to each Ping, and at the end a Close.
fn answers(role: Role, stream: &Stream, close: Option<&(u16, String)>) -> Vec<String> {
    let answer = |line: String| match line.split_once(' ') {
        Some(("Pong", _)) => None,
        Some(("Ping", body)) => Some(format!("Pong {body}")),
        Some(_) => Some(line),
        None if line == "Ping" => Some("Pong".to_owned()),
        None => None,
    };
    let end = match (stream.fault, close) {
        (Some(fault), _) => {
            let violation = fault.violation(role);
            Some(format!("Close {} {}", violation.close_code(), violation.describe()))
        }
        (None, Some((code, _))) => Some(format!("Close {code}")),
        (None, None) => None,
    };
    stream.lines().into_iter().filter_map(answer).chain(end).collect()
}

/// What it tells of that.
fn told(role: Role, stream: &Stream, close: Option<&(u16, String)>) -> Vec<String> {
    let opened = if role == Role::Server { "Request GET /chat" } else { "Open" };
    let mut lines = vec![opened.to_owned()];
    lines.extend(stream.meaning(role));
    if let (None, Some((code, reason))) = (stream.fault, close) {
        lines.push(martlet_tests::transcript::close(Some((*code, reason))));
    }
    lines
}

proptest! {
    #![proptest_config(cases(200))]

    /// Handshake, stream, fault or Close: told and answered as the structure says, octet for octet the same in any cutting.
    #[test]
    fn a_connection_means_what_it_was_made_of(
        stream in stream(),
        close in proptest::option::of(close()),
        tail in vec(any::<u8>(), 0..40),
        plans in vec(plan(), 3),
    ) {
        for role in ROLES {
            let mut wire = stream.put(Wire::to(role));
            if let Some((code, reason)) = &close {
                wire = wire.close(*code, reason);
            }
            // Behind the end anything may come.
            let is_over = stream.fault.is_some() || close.is_some();
            if is_over {
                wire = wire.raw(&tail);
            }
            let whole = talk(role, &CONFIG, ECHO, wire.octets(), &Plan::WHOLE, Room::Enough);
            prop_assert_eq!(&whole.lines, &told(role, &stream, close.as_ref()));
            prop_assert_eq!(whole.frames(role), answers(role, &stream, close.as_ref()));
            prop_assert_eq!(whole.state, if is_over { State::Closed } else { State::Active });
            for plan in &plans {
                let cut = talk(role, &CONFIG, ECHO, wire.octets(), &with_head(plan, 400), Room::Enough);
                prop_assert_eq!(&cut, &whole, "{:?}", plan);
            }
        }
    }

    /// We close behind any message: whatever the peer had under way is told, and ours is the last that is said.
    #[test]
    fn nothing_is_said_behind_our_close(stream in stream(), after in 0..3_usize, peer in close(), plans in vec(plan(), 3)) {
        let app = App { close_after: Some((after, 4000, "enough")), ..ECHO };
        for role in ROLES {
            let wire = stream.put(Wire::to(role)).close(peer.0, &peer.1);
            let whole = talk(role, &CONFIG, app, wire.octets(), &Plan::WHOLE, Room::Enough);
            prop_assert_eq!(&whole.lines, &told(role, &stream, Some(&peer)));
            prop_assert_eq!(whole.state, State::Closed);
            let closes: Vec<usize> = whole.frames(role).iter().enumerate()
                .filter(|(_, line)| line.starts_with("Close ")).map(|(at, _)| at).collect();
            prop_assert_eq!(closes, [whole.frames(role).len() - 1], "one Close, and the last frame");
            for plan in &plans {
                let cut = talk(role, &CONFIG, app, wire.octets(), &with_head(plan, 400), Room::Enough);
                prop_assert_eq!(&cut, &whole, "{:?}", plan);
            }
        }
    }

    /// A request in any words, right or with one thing wrong, read whole or by lines.
    #[test]
    fn a_request_means_what_it_was_made_of(head in request(), plans in vec(plan(), 3)) {
        let wire = [&head.octets[..], Wire::to(Role::Server).text("Hello").octets()].concat();
        for head_mode in [HeadMode::Whole, HeadMode::Lines] {
            let config = Config { head_mode, ..CONFIG };
            let whole = serve(&config, ECHO, &wire, &Plan::WHOLE, Room::Enough);
            prop_assert_eq!(whole.lines.last().map(String::as_str), Some(head.refusal.unwrap_or("Text Hello")));
            prop_assert_eq!(whole.state, if head.refusal.is_some() { State::Closed } else { State::Active });
            for plan in &plans {
                let plan = with_head(plan, head.octets.len());
                prop_assert_eq!(&serve(&config, ECHO, &wire, &plan, Room::Enough), &whole, "{:?}", plan);
            }
        }
    }

    /// A response in any words.
    #[test]
    fn a_response_means_what_it_was_made_of(head in response(), plans in vec(plan(), 3)) {
        let wire = |request: &[u8]| {
            let right = response_to(request);
            let accept = martlet_tests::heads::value(&right, "Sec-WebSocket-Accept").unwrap_or_default().as_bytes();
            let example = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
            let at = head.windows(example.len()).position(|part| part == example).unwrap_or_default();
            [&head[..at], accept, &head[at + example.len()..], b"\x81\x05Hello"].concat()
        };
        let whole = connect(&CONFIG, ECHO, wire, &Plan::WHOLE, Room::Enough);
        prop_assert_eq!(&whole.lines, &["Open", "Text Hello"]);
        for plan in &plans {
            let plan = with_head(plan, head.len());
            prop_assert_eq!(&connect(&CONFIG, ECHO, wire, &plan, Room::Enough), &whole, "{:?}", plan);
        }
    }

    /// Octets of no structure, and heads and frames with octets changed: no panic, one outcome, at most one fault.
    #[test]
    fn any_octets_have_one_outcome(
        garbage in vec(any::<u8>(), 0..300),
        stream in stream(),
        damage in vec((any::<usize>(), any::<u8>()), 0..4),
        keep in any::<usize>(),
        plans in vec(plan(), 3),
    ) {
        let limits = martlet_handshake::Limits { max_head_bytes: 600, max_headers: 9, max_line_bytes: 64 };
        for role in ROLES {
            let right = [if role == Role::Server { REQUEST.as_bytes() } else { b"" }, &stream.octets(role)].concat();
            let damaged = |mut wire: Vec<u8>| {
                for (at, octet) in &damage {
                    let len = wire.len().max(1);
                    if let Some(place) = wire.get_mut(at % len) {
                        *place ^= octet;
                    }
                }
                wire.truncate(keep % (2 * wire.len() + 1));
                wire
            };
            for wire in [garbage.clone(), damaged(right)] {
                for head_mode in [HeadMode::Whole, HeadMode::Lines] {
                    let config = Config { head_mode, head: limits, ..Config::DEFAULT };
                    let run = |plan: &Plan| -> Outcome {
                        let plan = with_head(plan, 600 + MIN_INPUT);
                        match role {
                            Role::Server => serve(&config, ECHO, &wire, &plan, Room::Enough),
                            Role::Client => connect(&config, ECHO, |request| {
                                [damaged(response_to(request).into_bytes()), wire.clone()].concat()
                            }, &plan, Room::Enough),
                        }
                    };
                    let whole = run(&Plan::WHOLE);
                    for plan in &plans {
                        prop_assert_eq!(&run(plan), &whole, "{:?} {:?}", role, plan);
                    }
                    prop_assert!(role == Role::Client || whole.said.is_empty() || end(&whole.said).is_some());
                }
            }
        }
    }
}
