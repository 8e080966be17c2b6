//! Any octets, any cuts, any buffer: one meaning, for both roles. And a naive reader of whole heads that agrees.

mod common;

use common::{ANSWER, ASK, NONCE, answered, joined, request, response};
use martlet_handshake::{
    Accept, ClientRequest, Kind, Limits, Offer, Offered, Refusal, Request, ResponseFault, ResponseHead, accept_key,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const SPEAKS: [&str; 2] = ["chat", "superchat"];
const OFFER: Offer<'static> =
    Offer { subprotocols: &SPEAKS, extensions: Some("permessage-deflate; a, x"), deflate: None };

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![Just(1usize), 1usize..5, 1usize..200], 0..200)
}

fn limits() -> impl Strategy<Value = Limits> {
    let line = prop_oneof![0u32..80, 64u32..400, Just(8192u32)];
    let head = prop_oneof![0u32..600, Just(8192u32)];
    let headers = prop_oneof![0u16..12, Just(64u16)];
    (head, headers, line).prop_map(|(max_head_bytes, max_headers, max_line_bytes)| Limits {
        max_head_bytes,
        max_headers,
        max_line_bytes,
    })
}

/// The same letters in random cases.
fn any_case(text: &'static str) -> impl Strategy<Value = String> {
    vec(any::<bool>(), text.len()).prop_map(|upper| {
        let cased = |(letter, upper): (char, bool)| {
            if upper { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
        };
        text.chars().zip(upper).map(cased).collect()
    })
}

fn line(name: &'static str, value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (any_case(name), "[ \t]{0,3}", value, "[ \t]{0,3}")
        .prop_map(|(name, before, value, after)| format!("{name}:{before}{value}{after}"))
}

/// A list that holds `element`, perhaps among others.
fn list(element: impl Strategy<Value = String>, others: &'static str) -> impl Strategy<Value = String> {
    (vec(others, 0..4), element, vec(others, 0..4), "[ \t]{0,2},[ \t]{0,2}").prop_map(
        |(mut all, element, behind, comma)| {
            all.push(element);
            all.extend(behind);
            all.join(&comma)
        },
    )
}

/// A legal opening handshake, its headers in any order and between others; and the subprotocols that it offers.
fn legal() -> impl Strategy<Value = (Vec<u8>, Vec<String>)> {
    let key = Just("dGhlIHNhbXBsZSBub25jZQ==".to_string());
    let fixed = (
        line("Host", "[a-z]{1,9}(:[0-9]{1,4})?"),
        line("Upgrade", list(any_case("websocket"), "[a-z]{1,5}(/[0-9])?")),
        line("Connection", list(any_case("upgrade"), "[a-z]{1,5}|keep-alive|")),
        line("Sec-WebSocket-Key", key),
        line("Sec-WebSocket-Version", Just("13".to_string())),
    );
    let cookie = line("Cookie", "[ -~]{0,300}");
    let other = "X-[A-Za-z0-9!#$%&'*+.^_`|~-]{0,9}:[ \t!-~\u{e4}]{0,60}".prop_map(|line: String| line);
    let offers = vec(vec("chat|superchat|[a-z.]{1,12}", 1..4), 0..3);
    let target = "/[!-\"$-~]{0,40}";
    (fixed, vec(cookie, 0..2), vec(other, 0..6), offers, target, any::<u64>(), 0usize..2).prop_map(
        |(fixed, cookies, others, offers, target, seed, blank)| {
            let mut lines = vec![fixed.0, fixed.1, fixed.2, fixed.3, fixed.4];
            lines.extend(cookies);
            lines.extend(others);
            lines.extend(offers.iter().map(|names| format!("Sec-WebSocket-Protocol: {}", names.join(" , "))));
            // The order of the lines with subprotocols among themselves does not matter: the server's list decides.
            let mut seed = seed;
            for at in (1..lines.len()).rev() {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                lines.swap(at, (seed >> 33) as usize % (at + 1));
            }
            lines.insert(0, format!("{}GET {target} HTTP/1.1", "\r\n".repeat(blank)));
            ([lines.join("\r\n").as_bytes(), b"\r\n\r\n"].concat(), offers.concat())
        },
    )
}

#[derive(Clone, Debug)]
enum Fault {
    Put(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let octet = || prop_oneof![select(b"\r\n \t:,;=\"/\0\x7f#*0Aa".to_vec()), any::<u8>()];
    let text = select(vec![
        &b"\r\n"[..],
        b"\r\n ",
        b"\r\nX: y",
        b"\r\nHost: b",
        b"\r\nContent-Length: 3",
        b"\r\nTransfer-Encoding: chunked",
        b", ",
        b"\r",
        b"\r\nSec-WebSocket-Extensions: x; y=\"z\"",
        b"\r\nOrigin: null",
        b"\r\nUpgrade: h2c",
        b"\n",
        b"\r\n\r\n",
        b"\r\nConnection: close",
    ]);
    let fault = prop_oneof![
        (any::<Index>(), octet()).prop_map(|(at, octet)| Fault::Put(at, octet)),
        (any::<Index>(), text).prop_map(|(at, text)| Fault::Insert(at, text.to_vec())),
        (any::<Index>(), vec(octet(), 1..4)).prop_map(|(at, octets)| Fault::Insert(at, octets)),
        (any::<Index>(), 1usize..30).prop_map(|(at, len)| Fault::Remove(at, len)),
        (any::<Index>(), 1usize..60).prop_map(|(at, len)| Fault::Repeat(at, len)),
    ];
    vec(fault, 0..4)
}

fn spoil(mut head: Vec<u8>, faults: &[Fault]) -> Vec<u8> {
    for fault in faults {
        let at = |index: &Index, head: &[u8]| if head.is_empty() { 0 } else { index.index(head.len()) };
        match fault {
            Fault::Put(index, octet) => {
                let at = at(index, &head);
                if let Some(place) = head.get_mut(at) {
                    *place = *octet;
                }
            }
            Fault::Insert(index, octets) => {
                let at = at(index, &head);
                head.splice(at..at, octets.iter().copied());
            }
            Fault::Remove(index, len) => {
                let at = at(index, &head);
                let end = head.len().min(at + len);
                head.drain(at..end);
            }
            Fault::Repeat(index, len) => {
                let at = at(index, &head);
                let end = head.len().min(at + len);
                let part = head[at..end].to_vec();
                head.splice(at..at, part);
            }
        }
    }
    head
}

/// Nearly legal heads, of both roles, and plain noise.
fn any_head() -> impl Strategy<Value = Vec<u8>> {
    let ask = legal().prop_map(|(head, _)| head);
    let answer = Just(common::head(&ANSWER));
    let known = Just(common::head(&ASK));
    prop_oneof![
        3 => (ask, faults()).prop_map(|(head, faults)| spoil(head, &faults)),
        1 => (known, faults()).prop_map(|(head, faults)| spoil(head, &faults)),
        2 => (answer, faults()).prop_map(|(head, faults)| spoil(head, &faults)),
        1 => vec(any::<u8>(), 0..200),
    ]
}

/// RFC 6455 section 4.2.1 as it reads, of a whole head, by splitting; no limits. Says only whether it opens a WebSocket.
fn naive(head: &[u8]) -> Option<bool> {
    let mut head = head;
    while let Some(rest) = head.strip_prefix(b"\r\n") {
        head = rest;
    }
    let end = head.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text: String = head[..end].iter().map(|octet| char::from(*octet)).collect();
    let tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let token = |text: &str| !text.is_empty() && text.chars().all(tchar);
    let mut lines = text.split("\r\n");
    let parts: Vec<&str> = lines.next()?.split(' ').collect();
    let [method, target, version] = parts[..] else { return Some(false) };
    let version_legal =
        version.len() == 8 && version.starts_with("HTTP/1.") && matches!(version.as_bytes()[7], b'1'..=b'9');
    let mut legal = method == "GET" && version_legal && target.chars().all(|c| ('!'..='~').contains(&c) && c != '#');
    legal &= target.starts_with('/') || target.to_ascii_lowercase().starts_with("http://") || target.starts_with("ws");
    let mut named: Vec<(String, &str)> = Vec::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { return Some(false) };
        legal &=
            token(name) && value.chars().all(|c| c == '\t' || !c.is_control() || ('\u{80}'..='\u{ff}').contains(&c));
        named.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t'])));
    }
    let all = |name: &str| -> Vec<&str> {
        named.iter().filter(|(found, _)| found == name).map(|(_, value)| *value).collect()
    };
    let list = |name: &str| -> Vec<String> {
        let lines = all(name).join(",");
        lines
            .split(',')
            .map(|element| element.trim_matches([' ', '\t']).to_string())
            .filter(|element| !element.is_empty())
            .collect()
    };
    let alphabet = |key: &str| {
        key.len() == 24
            && key.ends_with("==")
            && key[..22].chars().all(|c| c.is_ascii_alphanumeric() || "+/".contains(c))
    };
    let host = |host: &str| {
        let (name, port) = host.split_once(':').unwrap_or((host, ""));
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%!$&'()*+;=".contains(c))
            && (port.is_empty() || port.chars().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok())
    };
    legal &= matches!(all("host")[..], [value] if host(value));
    legal &= matches!(all("sec-websocket-version")[..], ["13"]);
    legal &= matches!(all("sec-websocket-key")[..], [key] if alphabet(key) && "AQgw".contains(&key[21..22]));
    legal &= list("upgrade").iter().any(|element| element.eq_ignore_ascii_case("websocket"));
    legal &= list("upgrade").iter().all(|element| match element.split_once('/') {
        Some((name, version)) => token(name) && token(version),
        None => token(element),
    });
    legal &= list("connection").iter().any(|element| element.eq_ignore_ascii_case("upgrade"));
    legal &= list("connection").iter().all(|element| token(element));
    legal &= list("sec-websocket-protocol").iter().all(|element| token(element));
    legal &= all("sec-websocket-protocol").is_empty() || !list("sec-websocket-protocol").is_empty();
    legal &= all("transfer-encoding").is_empty();
    legal &= matches!(all("content-length")[..], [] | [_])
        && all("content-length").iter().all(|value| value.parse::<u64>() == Ok(0) && !value.starts_with('+'));
    legal &= matches!(all("origin")[..], [] | [_])
        && all("origin").iter().all(|value| !value.is_empty() && value.chars().all(|c| (' '..='~').contains(&c)));
    Some(legal)
}

/// Without whitespace at the lines' ends: a piece keeps its own, because more of the value may follow.
fn unpadded(mut lines: Vec<String>) -> Vec<String> {
    for line in &mut lines {
        while let Some(shorter) = line.strip_suffix(' ').or_else(|| line.strip_suffix("\\t")) {
            *line = shorter.to_string();
        }
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_any_cuts_one_meaning_for_a_server(head in any_head(), limits in limits(), cuts in cuts()) {
        let whole = request(&head, &limits, &SPEAKS, core::iter::empty());
        prop_assert_eq!(&request(&head, &limits, &SPEAKS, cuts.into_iter()), &whole);
        prop_assert_eq!(&request(&head, &limits, &SPEAKS, core::iter::repeat(1)), &whole);
    }

    #[test]
    fn any_octets_any_cuts_one_meaning_for_a_client(head in any_head(), limits in limits(), cuts in cuts()) {
        let whole = response(&head, &limits, &OFFER, core::iter::empty());
        prop_assert_eq!(&response(&head, &limits, &OFFER, cuts.into_iter()), &whole);
        prop_assert_eq!(&response(&head, &limits, &OFFER, core::iter::repeat(1)), &whole);
    }

    #[test]
    fn a_longer_stream_never_gets_another_answer(head in any_head(), len in any::<Index>(), more in vec(any::<u8>(), 0..9)) {
        let len = len.index(head.len() + 1);
        let part = request(&head[..len], &Limits::DEFAULT, &SPEAKS, core::iter::empty());
        let whole = request(&[&head[..], &more].concat(), &Limits::DEFAULT, &SPEAKS, core::iter::empty());
        prop_assert!(whole.lines.starts_with(&part.lines));
        if part.end.is_some() {
            prop_assert_eq!(part, whole);
        }
    }

    #[test]
    fn legal_heads_open_a_websocket_through_any_buffer((head, offers) in legal(), max_line_bytes in 128u32..600, cuts in cuts()) {
        let best = SPEAKS.into_iter().find(|name| offers.iter().any(|offer| offer == name));
        for max_line_bytes in [max_line_bytes, 8192] {
            let limits = Limits { max_line_bytes, ..Limits::DEFAULT };
            let reading = request(&head, &limits, &SPEAKS, cuts.iter().copied());
            prop_assert_eq!(reading.taken, head.len());
            let Some(Ok(Kind::Upgrade(upgrade))) = reading.end else { panic!("{reading:?}") };
            prop_assert_eq!(upgrade.subprotocol(&SPEAKS).map(Offered::as_str), best);
            prop_assert_eq!(upgrade.accept(), accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
            // The view tells of each line what the scanner told, whole or in pieces.
            let view = Request::parse(&head).expect("the scanner has passed it");
            let mut expect: Vec<String> = view.headers().map(|(name, value)| format!("{name}: {}", value.escape_ascii()).trim_end().to_string()).collect();
            expect.push("end".into());
            let lines: Vec<String> = joined(&reading).into_iter().filter(|line| line != "blank").skip(1).collect();
            prop_assert_eq!(unpadded(lines), unpadded(expect));
            prop_assert_eq!(view.subprotocols().collect::<Vec<_>>().len(), offers.len());
        }
    }

    #[test]
    fn the_naive_reader_agrees(head in any_head()) {
        let limits = Limits { max_head_bytes: u32::MAX, max_headers: u16::MAX, max_line_bytes: u32::MAX };
        let end = request(&head, &limits, &SPEAKS, core::iter::repeat(50)).end;
        let opens = matches!(end, Some(Ok(Kind::Upgrade(_))));
        // What these rules are not part of: extensions, hosts in brackets or in the target.
        let aside = matches!(end, Some(Err(Refusal::ExtensionsInvalid | Refusal::HostInvalid | Refusal::TargetInvalid)))
            || head.contains(&b'[');
        match naive(&head) {
            Some(true) => prop_assert!(opens || aside, "{:?} for {}", end, head.escape_ascii()),
            Some(false) => prop_assert!(!opens || aside, "opened by {}", head.escape_ascii()),
            // Without its end there is at most a refusal.
            None => prop_assert!(matches!(end, None | Some(Err(_))), "{:?}", end),
        }
    }

    #[test]
    fn a_view_never_fails_on_a_head_that_was_passed(head in any_head()) {
        let reading = request(&head, &Limits::DEFAULT, &SPEAKS, core::iter::empty());
        if let Some(Ok(kind)) = reading.end {
            let view = Request::parse(&head[..reading.taken]).expect("the scanner has passed it");
            let headers = reading.lines.iter().filter(|line| *line != "blank").count() - 2;
            prop_assert_eq!(view.headers().count(), headers);
            if let Kind::Upgrade(upgrade) = kind {
                prop_assert!(view.host().is_some());
                prop_assert_eq!(view.subprotocols().next().is_some(), upgrade.offers_subprotocols());
                prop_assert_eq!(view.extensions().next().is_some(), upgrade.offers_extensions());
            }
        }
        let reading = response(&head, &Limits::DEFAULT, &OFFER, core::iter::empty());
        if let Some(Ok(_) | Err(ResponseFault::Status(_))) = reading.end {
            let view = ResponseHead::parse(&head[..reading.taken]).expect("the scanner has passed it");
            prop_assert_eq!(view.headers().count(), reading.lines.len() - 2);
        }
        // Views of anything else show something or nothing, without a panic.
        if let Some(view) = Request::parse(&head) {
            let _ = (view.host(), view.origin(), view.extensions().flat_map(|extension| extension.params()).count());
        }
    }

    #[test]
    fn both_roles_agree(nonce in any::<[u8; 16]>(), target in "/[!-\"$-~]{0,30}", offers in vec("[a-z]{1,8}", 0..4), choice in any::<Index>(), deflate in any::<bool>(), cuts in cuts()) {
        let mut subprotocols: Vec<&str> = offers.iter().map(String::as_str).collect();
        subprotocols.sort_unstable();
        subprotocols.dedup();
        let extensions = deflate.then_some("permessage-deflate; client_max_window_bits");
        let asks = ClientRequest { host: "a:1", target: &target, subprotocols: &subprotocols, extensions, ..ClientRequest::default() };
        let mut out = [0; 1024];
        let len = asks.write(&nonce, &mut out).expect("room enough");
        let speaks: Vec<&str> = if subprotocols.is_empty() { vec![] } else { vec![subprotocols[choice.index(subprotocols.len())]] };
        let end = request(&out[..len], &Limits::DEFAULT, &speaks, cuts.iter().copied()).end;
        let Some(Ok(Kind::Upgrade(upgrade))) = end else { panic!("{end:?}") };
        let view = Request::parse(&out[..len]).expect("the scanner has passed it");
        prop_assert_eq!(view.subprotocols().map(Offered::as_str).collect::<Vec<_>>(), subprotocols.clone());
        let subprotocol = upgrade.subprotocol(&speaks);
        prop_assert_eq!(subprotocol.is_some(), !subprotocols.is_empty());
        let says = Accept { subprotocol, extensions: deflate.then_some("permessage-deflate"), headers: &[("Server", "x")], ..Accept::default() };
        let mut back = [0; 1024];
        let len = says.write(&upgrade, &mut back).expect("room enough");
        let mut scanner = martlet_handshake::ResponseScanner::new(nonce);
        let mut taken = 0;
        while let Some((used, _)) = scanner.scan(&Limits::DEFAULT, &asks.offer(), &back[taken..len]).expect("it is legal") {
            taken += used;
        }
        let agreed = scanner.finish().expect("it is legal");
        prop_assert_eq!((taken, agreed.subprotocol(&subprotocols), agreed.has_extensions()), (len, subprotocol.map(Offered::as_str), deflate));
        // Another client's answer is none.
        let other = response(&back[..len], &Limits::DEFAULT, &asks.offer(), cuts.into_iter()).end;
        prop_assert_eq!(nonce == *NONCE, matches!(other, Some(Ok(_))));
    }
}

#[test]
fn the_example_of_both_roles_at_every_size_of_line() {
    for max_line_bytes in 0..120 {
        let reading = common::asked(&common::head(&ASK), &[], max_line_bytes);
        // The key's line must fit.
        let longest = 2 + ASK.iter().map(|line| line.len()).max().unwrap_or(0) as u32;
        assert_eq!(matches!(reading.end, Some(Ok(Kind::Upgrade(_)))), max_line_bytes >= longest, "{reading:?}");
        let reading = answered(&common::head(&ANSWER), &OFFER, max_line_bytes);
        let longest = 2 + ANSWER.iter().map(|line| line.len()).max().unwrap_or(0) as u32;
        assert_eq!(matches!(reading.end, Some(Ok(_))), max_line_bytes >= longest, "{reading:?}");
    }
}
