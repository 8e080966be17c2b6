//! RFC 7692 section 7.1: offers, choices and answers of permessage-deflate, row by row, at every cut; and a naive definition.

mod common;

use common::{ANSWER, ASK, NONCE, answered, any_cut, edit, head, lines_of, request_to, response};
use martlet_handshake::ResponseFault::*;
use martlet_handshake::{
    Accept, ClientRequest, DeflateParams, DeflateSide, Kind, Limits, Offer, Request, RequestScanner, ResponseFault,
    Upgrade, WindowBits, WriteError,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Settings in few letters: the server's window, the client's, 0 for none; and whether each forgets.
const fn params(server: u8, client: u8, forget_server: bool, forget_client: bool) -> DeflateParams {
    DeflateParams {
        server: DeflateSide { no_context_takeover: forget_server, max_window_bits: WindowBits::new(server) },
        client: DeflateSide { no_context_takeover: forget_client, max_window_bits: WindowBits::new(client) },
    }
}

const ANY: DeflateParams = DeflateParams::CONTEXT_TAKEOVER;
const FORGETS: DeflateParams = DeflateParams::NO_CONTEXT_TAKEOVER;
const SMALL: DeflateParams = params(10, 11, false, false);

/// What a server with these settings makes of a request with these values of Sec-WebSocket-Extensions, one a line.
#[track_caller]
fn asked(wanted: DeflateParams, offers: &[&str], max_line_bytes: u32) -> Upgrade {
    let lines: Vec<String> = offers.iter().map(|offer| format!("Sec-WebSocket-Extensions: {offer}")).collect();
    let head = edit(&ASK, "", &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let scanner = RequestScanner::new().with_deflate(Some(wanted));
    let reading = any_cut(head.len(), |cuts| request_to(scanner, &head, &lines_of(max_line_bytes), &[], cuts));
    let Some(Ok(Kind::Upgrade(upgrade))) = reading.end else { panic!("{reading:?}") };
    // Whoever has the whole head gets the same.
    let view = Request::parse(&head).expect("the scanner has passed it");
    assert_eq!(wanted.choose(view.extensions()), upgrade.deflate(), "{offers:?}");
    upgrade
}

#[track_caller]
fn chooses(rows: &[(DeflateParams, &[&str], Option<&str>)]) {
    for (wanted, offers, expect) in rows {
        for max_line_bytes in [150, 8192] {
            let upgrade = asked(*wanted, offers, max_line_bytes);
            let answer = upgrade.deflate().map(|params| params.to_string());
            let expect = expect.map(|params| ["permessage-deflate", params].concat());
            assert_eq!(answer, expect, "{wanted:?} offered {offers:?}");
            // What is chosen is what is written.
            let mut out = [0; 512];
            let len = Accept::default().write(&upgrade, &mut out).expect("room enough");
            let line = expect.map(|expect| format!("Sec-WebSocket-Extensions: {expect}"));
            let lines: Vec<&str> = ANSWER.into_iter().chain(line.as_deref()).collect();
            assert_eq!(out[..len], head(&lines));
        }
    }
}

#[test]
fn section_7_1_1_1_server_no_context_takeover() {
    chooses(&[
        (ANY, &["permessage-deflate"], Some("")),
        (ANY, &["permessage-deflate; server_no_context_takeover"], Some("; server_no_context_takeover")),
        // The server may do so unasked.
        (params(0, 0, true, false), &["permessage-deflate"], Some("; server_no_context_takeover")),
        (ANY, &["permessage-deflate; server_no_context_takeover=1"], None),
        (ANY, &["permessage-deflate; server_no_context_takeover; server_no_context_takeover"], None),
    ]);
}

#[test]
fn section_7_1_1_2_client_no_context_takeover() {
    chooses(&[
        (ANY, &["permessage-deflate; client_no_context_takeover"], Some("; client_no_context_takeover")),
        (params(0, 0, false, true), &["permessage-deflate"], Some("; client_no_context_takeover")),
        (FORGETS, &["permessage-deflate"], Some("; server_no_context_takeover; client_no_context_takeover")),
        (ANY, &["permessage-deflate; client_no_context_takeover=\"x\""], None),
        (ANY, &["permessage-deflate; client_no_context_takeover; client_no_context_takeover"], None),
    ]);
}

#[test]
fn section_7_1_2_1_server_max_window_bits() {
    chooses(&[
        (ANY, &["permessage-deflate; server_max_window_bits=10"], Some("; server_max_window_bits=10")),
        // What is demanded is granted in so many words, even if it is no limit.
        (ANY, &["permessage-deflate; server_max_window_bits=15"], Some("; server_max_window_bits=15")),
        (ANY, &["permessage-deflate; server_max_window_bits=8"], Some("; server_max_window_bits=8")),
        (params(9, 0, false, false), &["permessage-deflate"], Some("; server_max_window_bits=9")),
        (
            params(9, 0, false, false),
            &["permessage-deflate; server_max_window_bits=12"],
            Some("; server_max_window_bits=9"),
        ),
        (
            params(12, 0, false, false),
            &["permessage-deflate; server_max_window_bits=\"9\""],
            Some("; server_max_window_bits=9"),
        ),
        (ANY, &["permessage-deflate; server_max_window_bits"], None),
        (ANY, &["permessage-deflate; server_max_window_bits=7"], None),
        (ANY, &["permessage-deflate; server_max_window_bits=16"], None),
        (ANY, &["permessage-deflate; server_max_window_bits=08"], None),
        (ANY, &["permessage-deflate; server_max_window_bits=0"], None),
        (ANY, &["permessage-deflate; server_max_window_bits=264"], None),
        (ANY, &["permessage-deflate; server_max_window_bits=+9"], None),
        (ANY, &["permessage-deflate; server_max_window_bits=9x"], None),
        (ANY, &["permessage-deflate; server_max_window_bits=9; server_max_window_bits=9"], None),
    ]);
}

#[test]
fn section_7_1_2_2_client_max_window_bits() {
    let small = params(0, 11, false, false);
    chooses(&[
        (ANY, &["permessage-deflate; client_max_window_bits"], Some("")),
        (ANY, &["permessage-deflate; client_max_window_bits=9"], Some("; client_max_window_bits=9")),
        (small, &["permessage-deflate; client_max_window_bits"], Some("; client_max_window_bits=11")),
        (small, &["permessage-deflate; client_max_window_bits=15"], Some("; client_max_window_bits=11")),
        (small, &["permessage-deflate; client_max_window_bits=8"], Some("; client_max_window_bits=8")),
        // A client that does not say that it can be limited must not be, so that a server that must limit it goes without.
        (small, &["permessage-deflate"], None),
        (small, &["permessage-deflate; server_max_window_bits=9"], None),
        (params(0, 15, false, false), &["permessage-deflate"], Some("")),
        (ANY, &["permessage-deflate; client_max_window_bits=7"], None),
        (ANY, &["permessage-deflate; client_max_window_bits=16"], None),
        (ANY, &["permessage-deflate; client_max_window_bits=\"1x\""], None),
        (ANY, &["permessage-deflate; client_max_window_bits; client_max_window_bits=9"], None),
        (ANY, &["permessage-deflate; client_max_window_bits; client_max_window_bits"], None),
    ]);
}

#[test]
fn section_7_1_3_the_examples_and_the_order_of_preference() {
    let fallback = "permessage-deflate; server_max_window_bits=10, permessage-deflate";
    chooses(&[
        (ANY, &["permessage-deflate"], Some("")),
        (
            ANY,
            &["permessage-deflate; client_max_window_bits; server_max_window_bits=10"],
            Some("; server_max_window_bits=10"),
        ),
        (ANY, &[fallback], Some("; server_max_window_bits=10")),
        // The first that can be honoured, over the elements of a line and over lines.
        (
            ANY,
            &["permessage-deflate; x, permessage-deflate; client_no_context_takeover"],
            Some("; client_no_context_takeover"),
        ),
        (
            ANY,
            &["foo, permessage-deflate; server_no_context_takeover", "permessage-deflate"],
            Some("; server_no_context_takeover"),
        ),
        (
            ANY,
            &["permessage-deflate; unknown", "permessage-deflate; server_max_window_bits=7", "bar, permessage-deflate"],
            Some(""),
        ),
        (
            SMALL,
            &["permessage-deflate", "permessage-deflate; client_max_window_bits"],
            Some("; server_max_window_bits=10; client_max_window_bits=11"),
        ),
        (ANY, &["permessage-deflate; unknown", "permessage-deflate; unknown=1"], None),
        (ANY, &["foo", "permessage-bzip2, x-webkit-deflate-frame", "Permessage-Deflate"], None),
        (ANY, &["permessage-deflate; Server_No_Context_Takeover"], None),
        (ANY, &[], None),
        (
            ANY,
            &[
                "permessage-deflate;server_no_context_takeover ; client_no_context_takeover;server_max_window_bits=\"1\\2\";client_max_window_bits=13",
            ],
            Some(
                "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=13",
            ),
        ),
    ]);
}

#[test]
fn an_offer_is_accepted_once_and_only_if_asked_for() {
    let upgrade = asked(ANY, &["permessage-deflate, x"], 8192);
    let write = |accept: Accept<'_>| {
        let mut out = [0; 512];
        let len = accept.write(&upgrade, &mut out)?;
        let text = String::from_utf8(out[..len].to_vec()).expect("ASCII");
        let line = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: ").map(str::to_string));
        Ok::<_, WriteError>(line)
    };
    let both = Accept { extensions: Some("x; y=1"), ..Accept::default() };
    assert_eq!(write(both), Ok(Some("permessage-deflate, x; y=1".into())));
    assert_eq!(write(Accept { decline_deflate: true, ..both }), Ok(Some("x; y=1".into())));
    assert_eq!(write(Accept { decline_deflate: true, ..Accept::default() }), Ok(None));
    let twice = Accept { extensions: Some("x, permessage-deflate; server_no_context_takeover"), ..Accept::default() };
    assert_eq!(write(twice), Err(WriteError::ExtensionTwice));
    // By hand, by one who takes nothing from here.
    let by_hand = Accept { decline_deflate: true, ..twice };
    assert_eq!(write(by_hand), Ok(Some("x, permessage-deflate; server_no_context_takeover".into())));
    // A scanner that was not told to negotiates nothing.
    let head = edit(&ASK, "", &["Sec-WebSocket-Extensions: permessage-deflate"]);
    let end = request_to(RequestScanner::new(), &head, &Limits::DEFAULT, &[], core::iter::empty()).end;
    assert!(matches!(end, Some(Ok(Kind::Upgrade(upgrade))) if upgrade.deflate().is_none()), "{end:?}");
}

/// The client's request with these settings, and the value that it offers.
fn offer_of(deflate: DeflateParams, extensions: Option<&str>) -> Result<String, WriteError> {
    let asks = ClientRequest { host: "a", target: "/", deflate: Some(deflate), extensions, ..ClientRequest::default() };
    let mut out = [0; 512];
    let len = asks.write(NONCE, &mut out)?;
    let view = Request::parse(&out[..len]).expect("a request");
    Ok(view.header("sec-websocket-extensions").expect("an offer").escape_ascii().to_string())
}

#[test]
fn section_7_1_the_offer_of_a_client() {
    let all = params(10, 9, true, true);
    let rows = [
        (ANY, None, "; client_max_window_bits"),
        (FORGETS, None, "; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"),
        (SMALL, None, "; server_max_window_bits=10; client_max_window_bits=11"),
        (
            all,
            Some("x; y=1"),
            "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9, x; y=1",
        ),
    ];
    for (settings, others, expect) in rows {
        assert_eq!(offer_of(settings, others), Ok(["permessage-deflate", expect].concat()));
    }
    assert_eq!(offer_of(ANY, Some("x, permessage-deflate")), Err(WriteError::ExtensionTwice));
}

#[track_caller]
fn agrees(deflate: DeflateParams, answer: &str) -> Result<Option<DeflateParams>, ResponseFault> {
    let head = edit(&ANSWER, "", &[&format!("Sec-WebSocket-Extensions: {answer}")]);
    let offer = Offer { subprotocols: &[], extensions: Some("x"), deflate: Some(deflate) };
    let [short, long] = [200, 8192].map(|max_line_bytes| answered(&head, &offer, max_line_bytes).end);
    assert_eq!(short, long);
    long.expect("the head is complete").map(|agreed| {
        assert!(agreed.has_extensions());
        agreed.deflate()
    })
}

#[test]
fn section_7_1_a_client_refuses_an_answer_that_it_did_not_offer() {
    let (forgetful, small) = (params(0, 0, true, false), params(10, 9, false, false));
    let rows: [(DeflateParams, &str, ResponseFault); 20] = [
        (ANY, "; x", DeflateParamUnknown),
        (ANY, "; server_no_context_takeover; x=1", DeflateParamUnknown),
        (ANY, "; Client_max_window_bits=9", DeflateParamUnknown),
        (ANY, "; server_no_context_takeover; server_no_context_takeover", DeflateParamTwice),
        (ANY, "; client_no_context_takeover; client_no_context_takeover", DeflateParamTwice),
        (ANY, "; server_max_window_bits=9; server_max_window_bits=9", DeflateParamTwice),
        (ANY, "; client_max_window_bits=9; client_max_window_bits=10", DeflateParamTwice),
        (ANY, "; server_no_context_takeover=1", DeflateParamInvalid),
        (ANY, "; client_no_context_takeover=\"1\"", DeflateParamInvalid),
        (ANY, "; server_max_window_bits", DeflateParamInvalid),
        // Only an offer may leave the value out.
        (ANY, "; client_max_window_bits", DeflateParamInvalid),
        (ANY, "; client_max_window_bits=16", DeflateParamInvalid),
        (ANY, "; server_max_window_bits=7", DeflateParamInvalid),
        (ANY, "; server_max_window_bits=010", DeflateParamInvalid),
        (forgetful, "", DeflateTakeoverNotGranted),
        (forgetful, "; client_no_context_takeover", DeflateTakeoverNotGranted),
        (small, "", DeflateWindowNotGranted),
        (small, "; server_max_window_bits=11", DeflateWindowNotGranted),
        (params(15, 0, false, false), "; client_max_window_bits=9", DeflateWindowNotGranted),
        (small, "; server_max_window_bits=10; client_max_window_bits=10", DeflateWindowTooLarge),
    ];
    for (offer, answer, fault) in rows {
        assert_eq!(agrees(offer, &format!("permessage-deflate{answer}")), Err(fault), "{answer}");
        assert_eq!(fault.close_code(), 1010);
    }
    assert_eq!(agrees(ANY, "permessage-deflate, permessage-deflate"), Err(ExtensionTwice));
    assert_eq!(agrees(ANY, "x, y"), Err(ExtensionNotOffered));
    let head = edit(&ANSWER, "", &["Sec-WebSocket-Extensions: permessage-deflate"]);
    assert_eq!(answered(&head, &Offer::default(), 8192).end, Some(Err(ExtensionNotOffered)));
    assert_eq!((ExtensionNotOffered.close_code(), AcceptMismatch.close_code()), (1010, 1002));
}

#[test]
fn section_7_1_what_a_client_agrees_to() {
    let small = params(10, 9, false, true);
    let rows = [
        (ANY, "", ANY),
        (ANY, "; server_no_context_takeover", params(0, 0, true, false)),
        (ANY, "; client_no_context_takeover", params(0, 0, false, true)),
        (ANY, "; server_max_window_bits=8", params(8, 0, false, false)),
        (ANY, "; client_max_window_bits=8", params(0, 8, false, false)),
        (ANY, "; client_max_window_bits=15; server_max_window_bits=15", params(15, 15, false, false)),
        (FORGETS, "; server_no_context_takeover", FORGETS),
        // The client keeps to what it said of itself, whether the server repeats it or not.
        (small, "; server_max_window_bits=10", small),
        (small, "; server_max_window_bits=9; client_max_window_bits=8", params(9, 8, false, true)),
    ];
    for (offer, answer, expect) in rows {
        assert_eq!(agrees(offer, &format!("permessage-deflate{answer}")), Ok(Some(expect)), "{answer}");
    }
    assert_eq!(agrees(ANY, "x"), Ok(None));
    assert_eq!(agrees(ANY, "x, permessage-deflate"), Ok(Some(ANY)));
}

#[test]
fn windows_are_8_to_15_bits() {
    for bits in 0..=u8::MAX {
        let window = WindowBits::new(bits);
        assert_eq!(window.is_some(), (8..=15).contains(&bits));
        assert_eq!(window.map(|window| (window.get(), window.window_bytes())), window.map(|_| (bits, 1 << bits)));
    }
    assert_eq!(WindowBits::ALL.map(WindowBits::get), [8, 9, 10, 11, 12, 13, 14, 15]);
}

/// Section 7.1 as it reads, over the strings of a header's value: the answer to the first offer that a server can honour.
fn naive_choice(wanted: DeflateParams, value: &str) -> Option<String> {
    let bits = |side: DeflateSide| side.max_window_bits.map(|bits| u32::from(bits.get()));
    value.split(',').find_map(|offer| {
        let mut params = offer.split(';').map(|part| part.trim().replace('"', ""));
        if params.next()? != "permessage-deflate" {
            return None;
        }
        let params: Vec<String> = params.collect();
        let name = |param: &String| param.split('=').next().unwrap_or_default().to_string();
        let has = |wanted: &str| params.iter().any(|param| name(param) == wanted);
        let once = params.iter().all(|one| params.iter().filter(|other| name(one) == name(other)).count() == 1);
        let window = |param: &str| (8..=15u32).find(|bits| params.contains(&format!("{param}={bits}")));
        let known = params.iter().all(|param| match param.split_once('=') {
            None => ["server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits"]
                .contains(&param.as_str()),
            Some((name @ ("server_max_window_bits" | "client_max_window_bits"), _)) => window(name).is_some(),
            Some(_) => false,
        });
        let limits_client = bits(wanted.client).is_some_and(|bits| bits < 15);
        if !once || !known || (limits_client && !has("client_max_window_bits")) {
            return None;
        }
        let mut answer = "permessage-deflate".to_string();
        if wanted.server.no_context_takeover || has("server_no_context_takeover") {
            answer += "; server_no_context_takeover";
        }
        if wanted.client.no_context_takeover || has("client_no_context_takeover") {
            answer += "; client_no_context_takeover";
        }
        if let Some(bits) = window("server_max_window_bits").into_iter().chain(bits(wanted.server)).min() {
            answer += &format!("; server_max_window_bits={bits}");
        }
        let limit = window("client_max_window_bits").into_iter().chain(bits(wanted.client)).min();
        if let Some(bits) = limit.filter(|_| has("client_max_window_bits")) {
            answer += &format!("; client_max_window_bits={bits}");
        }
        Some(answer)
    })
}

fn settings() -> impl Strategy<Value = DeflateParams> {
    let bits = || prop_oneof![Just(0u8), 8u8..=15];
    (bits(), bits(), any::<bool>(), any::<bool>())
        .prop_map(|(server, client, one, other)| params(server, client, one, other))
}

fn offers() -> impl Strategy<Value = String> {
    let value = || prop_oneof![6 => (8u8..=15).prop_map(|bits| bits.to_string()), 1 => (0u16..300).prop_map(|bits| bits.to_string()), 1 => "0?[0-9x]{1,2}"];
    let bits = move |name: &'static str| {
        (value(), any::<bool>()).prop_map(move |(value, quoted)| {
            if quoted { format!("{name}=\"{value}\"") } else { format!("{name}={value}") }
        })
    };
    let param = prop_oneof![
        3 => Just("server_no_context_takeover".to_string()),
        3 => Just("client_no_context_takeover".to_string()),
        3 => Just("client_max_window_bits".to_string()),
        3 => bits("server_max_window_bits"),
        3 => bits("client_max_window_bits"),
        1 => select(vec!["x", "x=1", "server_max_window_bits", "server_no_context_takeover=1", "client_no_context_takeover=x"]).prop_map(str::to_string),
    ];
    let name = prop_oneof![8 => Just("permessage-deflate"), 1 => Just("x"), 1 => Just("permessage-deflat")];
    let offer = (name, vec(param, 0..5), "[ \t]{0,2};[ \t]{0,2}").prop_map(|(name, params, between)| {
        core::iter::once(name.to_string()).chain(params).collect::<Vec<_>>().join(&between)
    });
    vec(offer, 1..5).prop_map(|offers| offers.join(", "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_naive_definition_agrees(wanted in settings(), offers in offers(), split in any::<Index>(), cut in 1usize..200) {
        // The same offers in one line or in two.
        let commas: Vec<usize> = offers.match_indices(", ").map(|(at, _)| at).collect();
        let lines: Vec<&str> = if commas.is_empty() { vec![&offers] } else {
            let at = commas[split.index(commas.len())];
            vec![&offers[..at], &offers[at + 2..]]
        };
        for lines in [vec![offers.as_str()], lines] {
            let lines: Vec<String> = lines.iter().map(|line| format!("sec-websocket-extensions: {line}")).collect();
            let head = edit(&ASK, "", &lines.iter().map(String::as_str).collect::<Vec<_>>());
            for max_line_bytes in [240, 8192] {
                let scanner = RequestScanner::new().with_deflate(Some(wanted));
                let end = request_to(scanner, &head, &lines_of(max_line_bytes), &[], core::iter::repeat(cut)).end;
                let Some(Ok(Kind::Upgrade(upgrade))) = end else { panic!("{end:?}") };
                prop_assert_eq!(upgrade.deflate().map(|params| params.to_string()), naive_choice(wanted, &offers));
            }
        }
    }

    /// Whatever two ends want: what the server chooses the client takes, and both know the same.
    #[test]
    fn both_ends_agree(client in settings(), server in settings()) {
        let offers = offer_of(client, None).expect("a legal offer");
        let head = edit(&ASK, "", &[&format!("Sec-WebSocket-Extensions: {offers}")]);
        let scanner = RequestScanner::new().with_deflate(Some(server));
        let end = request_to(scanner, &head, &Limits::DEFAULT, &[], core::iter::empty()).end;
        let Some(Ok(Kind::Upgrade(upgrade))) = end else { panic!("{end:?}") };
        let chosen = upgrade.deflate().expect("every client of ours can be limited");
        let mut out = [0; 512];
        let len = Accept::default().write(&upgrade, &mut out).expect("room enough");
        let offer = Offer { deflate: Some(client), ..Offer::default() };
        let end = response(&out[..len], &Limits::DEFAULT, &offer, core::iter::empty()).end;
        let Some(Ok(agreed)) = end else { panic!("{end:?} for {chosen:?}") };
        prop_assert_eq!(agreed.deflate(), Some(chosen));
        for (holds, one, other) in [(chosen.server, client.server, server.server), (chosen.client, client.client, server.client)] {
            prop_assert_eq!(holds.window_bits(), one.window_bits().min(other.window_bits()));
            prop_assert_eq!(holds.no_context_takeover, one.no_context_takeover || other.no_context_takeover);
        }
    }
}
