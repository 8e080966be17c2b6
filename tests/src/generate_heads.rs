//! Request and response heads: right ones in any order, case and whitespace, and those with one thing wrong, which is known.

use crate::heads::{REQUEST, RESPONSE};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Headers of no meaning for a handshake.
const OTHERS: [&str; 8] = [
    "User-Agent: a browser (of some kind)",
    "Cookie: a=b; c=\"d e\"",
    "Accept-Language: de,en;q=0.5",
    "Pragma: no-cache",
    "Cache-Control:no-cache",
    "X-Empty:",
    "Sec-Fetch-Mode: websocket",
    "X-Octets: \u{e4}\u{f6}\u{fc}",
];

/// A line of a right request, what is wrong instead, and the refusal's name.
const REQUEST_FAULTS: [(&str, &str, &str); 19] = [
    ("GET /chat HTTP/1.1", "PUT /chat HTTP/1.1", "MethodNotGet"),
    ("GET /chat HTTP/1.1", "GET /chat HTTP/1.0", "HttpVersionTooOld"),
    ("GET /chat HTTP/1.1", "GET /chat HTTP/3.0", "HttpVersionUnsupported"),
    ("GET /chat HTTP/1.1", "GET chat HTTP/1.1", "TargetInvalid"),
    ("Host: server.example.com", "X: y", "HostMissing"),
    ("Host: server.example.com", "Host: server.example.com\r\nhost: other", "HostDuplicate"),
    ("Host: server.example.com", "Host: a b", "HostInvalid"),
    ("Connection: Upgrade", "Connection: close", "ConnectionNotUpgrade"),
    ("Connection: Upgrade", "Connection: (upgrade)", "ConnectionInvalid"),
    ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "X: y", "KeyMissing"),
    ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", "KeyInvalid"),
    ("Sec-WebSocket-Version: 13", "X: y", "VersionMissing"),
    ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", "VersionUnsupported"),
    ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13\r\nContent-Length: 3", "BodyOnUpgrade"),
    ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13\r\nOrigin: a\r\nOrigin: a", "OriginDuplicate"),
    ("Upgrade: websocket", "Upgrade : websocket", "Head(SpaceBeforeColon)"),
    ("Upgrade: websocket", "Upgrade: web\u{1}socket", "Head(ValueInvalid)"),
    ("Upgrade: websocket", "Upgrade: websocket\rX: y", "Head(BareCr)"),
    ("Upgrade: websocket", "Upgrade: websocket\nX: y", "Head(BareLf)"),
];

/// A request, and the name of the refusal if it is refused.
#[derive(Clone, Debug)]
pub struct Head {
    /// All of it, with its empty line.
    pub octets: Vec<u8>,
    /// The name of the reason to refuse it, as `Debug` shows it.
    pub refusal: Option<&'static str>,
}

/// A request of headers in any order, with one fault in one of three.
pub fn request() -> impl Strategy<Value = Head> {
    let fault = prop_oneof![2 => Just(None), 1 => select(REQUEST_FAULTS.to_vec()).prop_map(Some)];
    fault.prop_flat_map(|fault| {
        let right = match fault {
            Some((line, wrong, _)) => REQUEST.replace(line, wrong),
            None => REQUEST.to_owned(),
        };
        let refusal = fault.map(|(.., name)| name);
        // The order matters to none of the names, but where the fault is one of the start line or of a line by itself, others
        // must not come before it: they are right.
        head(right).prop_map(move |octets| Head { octets, refusal })
    })
}

/// A right response to the request of RFC 6455 section 1.2, in other words.
pub fn response() -> impl Strategy<Value = Vec<u8>> {
    head(RESPONSE.to_owned())
}

/// The same head with its lines in another order, other lines between them, names in another case and more whitespace.
fn head(head: String) -> impl Strategy<Value = Vec<u8>> {
    let (start, rest) = head.split_once("\r\n").unwrap_or_default();
    let lines: Vec<String> = rest.trim_end_matches("\r\n").split("\r\n").map(str::to_owned).collect();
    let start = start.to_owned();
    let others = vec(select(OTHERS.to_vec()), 0..4);
    others
        .prop_flat_map(move |others| {
            let lines: Vec<String> = lines.iter().cloned().chain(others.into_iter().map(str::to_owned)).collect();
            let looks = vec((0..3_u8, 0..3_usize, 0..3_usize), lines.len());
            (Just(lines).prop_shuffle(), looks)
        })
        .prop_map(move |(lines, looks)| {
            let mut octets = format!("{start}\r\n").into_bytes();
            for (line, (case, before, behind)) in lines.iter().zip(looks) {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                let name = match case {
                    0 => name.to_owned(),
                    1 => name.to_ascii_lowercase(),
                    _ => name.to_ascii_uppercase(),
                };
                let spaces = |count: usize| &" \t "[..count];
                octets.extend(format!("{name}:{}{}{}\r\n", spaces(before), value.trim_start(), spaces(behind)).bytes());
            }
            octets.extend(b"\r\n");
            octets
        })
}
