//! The heads that browsers send, with more cookies than a small machine has room for.

mod common;

use common::{asked, head, joined, lines_of, request};
use martlet_handshake::{Kind, Offered, Request};

const CHROME: [&str; 14] = [
    "GET /chat?room=1 HTTP/1.1",
    "Host: localhost:9501",
    "Connection: Upgrade",
    "Pragma: no-cache",
    "Cache-Control: no-cache",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Upgrade: websocket",
    "Origin: http://localhost:9501",
    "Sec-WebSocket-Version: 13",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.9,de;q=0.8",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Protocol: chat, superchat",
];

const FIREFOX: [&str; 18] = [
    "GET /chat?room=1 HTTP/1.1",
    "Host: localhost:9501",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Accept: */*",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Sec-WebSocket-Version: 13",
    "Origin: http://localhost:9501",
    "Sec-WebSocket-Protocol: chat, superchat",
    "Sec-WebSocket-Extensions: permessage-deflate",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Connection: keep-alive, Upgrade",
    "Sec-Fetch-Dest: empty",
    "Sec-Fetch-Mode: websocket",
    "Sec-Fetch-Site: same-origin",
    "Pragma: no-cache",
    "Cache-Control: no-cache",
    "Upgrade: websocket",
];

const SAFARI: [&str; 16] = [
    "GET /chat?room=1 HTTP/1.1",
    "Host: localhost:9501",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Upgrade: websocket",
    "Origin: http://localhost:9501",
    "Sec-WebSocket-Protocol: chat, superchat",
    "Sec-WebSocket-Extensions: permessage-deflate",
    "Cache-Control: no-cache",
    "Sec-Fetch-Mode: websocket",
    "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "Connection: Upgrade",
    "Accept-Language: en-GB,en;q=0.9",
    "Sec-Fetch-Dest: websocket",
    "Sec-Fetch-Site: same-origin",
    "Accept-Encoding: gzip, deflate",
];

#[test]
fn browsers_are_served_through_a_buffer_of_128_octets_with_a_cookie_of_2_kib() {
    let cookie = format!("Cookie: {}", "session=0123456789abcdef; ".repeat(80));
    let cookie = cookie.trim_end();
    assert!(cookie.len() > 2048);
    for browser in [&CHROME[..], &FIREFOX, &SAFARI] {
        for place in [1, browser.len() / 2, browser.len()] {
            let mut lines = browser.to_vec();
            lines.insert(place, cookie);
            let head = head(&lines);
            let mut readings = Vec::new();
            for (max_line_bytes, read) in [(128, 1), (128, 128), (144, 7), (144, 500), (8192, 1), (8192, 8192)] {
                let reading = request(&head, &lines_of(max_line_bytes), &["superchat"], core::iter::repeat(read));
                let Some(Ok(Kind::Upgrade(upgrade))) = reading.end else { panic!("{reading:?}") };
                assert_eq!(&upgrade.accept(), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
                assert_eq!(upgrade.subprotocol(&["superchat"]).map(Offered::as_str), Some("superchat"));
                assert!(upgrade.offers_extensions());
                readings.push(joined(&reading));
            }
            assert!(readings.windows(2).all(|pair| pair[0] == pair[1]));
            assert_eq!(readings[0][place], cookie);
        }
    }
}

#[test]
fn a_browser_is_served_however_its_head_is_cut() {
    for browser in [&CHROME[..], &FIREFOX, &SAFARI] {
        let end = asked(&head(browser), &["chat"], 144).end;
        let Some(Ok(Kind::Upgrade(upgrade))) = end else { panic!("{end:?}") };
        assert_eq!(upgrade.subprotocol(&["chat"]).map(Offered::as_str), Some("chat"));
    }
}

#[test]
fn the_view_shows_all_of_it() {
    for browser in [&CHROME[..], &FIREFOX, &SAFARI] {
        let mut head = head(browser);
        head.extend_from_slice(b"\x81\x85frames");
        let request = Request::parse(&head).expect("a legal head");
        assert_eq!((request.method(), request.target()), ("GET", "/chat?room=1"));
        assert_eq!((request.path(), request.query()), ("/chat", Some("room=1")));
        assert_eq!((request.host(), request.origin()), (Some("localhost:9501"), Some("http://localhost:9501")));
        assert_eq!(request.header("sEC-websocket-VERSION"), Some(&b"13"[..]));
        assert_eq!(request.header("Sec-WebSocket"), None);
        assert_eq!(request.subprotocols().map(Offered::as_str).collect::<Vec<_>>(), ["chat", "superchat"]);
        let extensions: Vec<_> = request.extensions().collect();
        assert_eq!(extensions.len(), 1);
        assert_eq!(extensions[0].name(), "permessage-deflate");
        let headers: Vec<String> = request
            .headers()
            .map(|(name, value)| format!("{name}: {}", core::str::from_utf8(value).expect("ASCII")))
            .collect();
        assert_eq!(headers, browser[1..]);
    }
}

#[test]
fn the_view_joins_lists_over_several_lines() {
    let head = head(&[
        "GET http://other.example.org:81?x HTTP/1.1",
        "Host: example.org",
        "sec-websocket-protocol: a,, b",
        "X: 1",
        "Sec-WebSocket-Protocol: c",
        "SEC-WEBSOCKET-EXTENSIONS: one; two=\"3\", four",
        "Sec-WebSocket-Extensions: five",
        "x: \u{e4}",
    ]);
    let request = Request::parse(&head).expect("a legal head");
    // RFC 9112 section 3.2.2: the target's authority counts, not the header.
    assert_eq!((request.host(), request.path(), request.query()), (Some("other.example.org:81"), "/", Some("x")));
    assert_eq!(request.subprotocols().map(Offered::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(request.extensions().map(|extension| extension.name()).collect::<Vec<_>>(), ["one", "four", "five"]);
    let param = request.extensions().next().and_then(|extension| extension.params().next()).expect("it has one");
    assert_eq!((param.name, param.value.and_then(|value| value.number())), ("two", Some(3)));
    let values: Vec<&[u8]> = request.header_values("X").collect();
    assert_eq!(values, [&b"1"[..], "\u{e4}".as_bytes()]);
    assert_eq!(request.origin(), None);
}
