//! Request and response heads, right ones and those with one thing changed.

use martlet_handshake::accept_key;

/// The request of RFC 6455 section 1.2, without what is optional.
pub const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// The answer to it (RFC 6455 section 1.3), as martlet writes it.
pub const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// `head` without the header of that name.
pub fn without(head: &str, name: &str) -> String {
    let prefix = format!("{}:", name.to_ascii_lowercase());
    let keep = |line: &&str| !line.to_ascii_lowercase().starts_with(&prefix);
    let lines: Vec<&str> = head.split_inclusive("\r\n").filter(keep).collect();
    assert!(lines.concat().len() < head.len(), "there is no {name}");
    lines.concat()
}

/// `head` with another line in front of its end.
pub fn with(head: &str, line: &str) -> String {
    let before = head.strip_suffix("\r\n").unwrap_or(head);
    format!("{before}{line}\r\n\r\n")
}

/// `head` with the header's line replaced by another.
pub fn replaced(head: &str, name: &str, line: &str) -> String {
    with(&without(head, name), line)
}

/// The value of the first header of that name.
pub fn value<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.split("\r\n").find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// A response with the accept value that `request` demands.
pub fn response_to(request: &[u8]) -> String {
    let request = std::str::from_utf8(request).unwrap_or_default();
    let key = value(request, "Sec-WebSocket-Key").and_then(|key| key.as_bytes().try_into().ok());
    let accept = key.map(accept_key).unwrap_or([b'?'; 28]);
    replaced(RESPONSE, "Sec-WebSocket-Accept", &format!("Sec-WebSocket-Accept: {}", String::from_utf8_lossy(&accept)))
}

/// Where the head ends, with its empty line.
pub fn end(octets: &[u8]) -> Option<usize> {
    octets.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}
