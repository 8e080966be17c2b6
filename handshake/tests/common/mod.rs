//! What the tests of heads have in common: one `read` for each role, which cuts.
#![allow(dead_code, unreachable_pub, missing_docs)] // Each test crate uses a part of it.

use martlet_handshake::{Agreed, Kind, Limits, Line, Offer, Refusal, RequestScanner, ResponseFault, ResponseScanner};

/// The nonce of RFC 6455 section 1.3: its key is `dGhlIHNhbXBsZSBub25jZQ==`.
pub const NONCE: &[u8; 16] = b"the sample nonce";

/// A request that is accepted (RFC 6455 section 1.2).
pub const ASK: [&str; 6] = [
    "GET /chat HTTP/1.1",
    "Host: server.example.com",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
];

/// The response that accepts it.
pub const ANSWER: [&str; 4] = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
];

/// `lines` with the one that begins like `old` replaced by `new`, which may be none or several; "" for `old` adds them.
pub fn edit(lines: &[&str], old: &str, new: &[&str]) -> Vec<u8> {
    let at = lines.iter().position(|line| !old.is_empty() && line.starts_with(old));
    assert!(old.is_empty() || at.is_some(), "no line begins like {old}");
    let mut lines = lines.to_vec();
    let at = at.unwrap_or(lines.len());
    lines.splice(at..(at + usize::from(!old.is_empty())), new.iter().copied());
    head(&lines)
}

pub fn head(lines: &[&str]) -> Vec<u8> {
    let mut head = lines.join("\r\n").into_bytes();
    head.extend_from_slice(b"\r\n\r\n");
    head
}

pub const fn lines_of(max_line_bytes: u32) -> Limits {
    Limits { max_line_bytes, ..Limits::DEFAULT }
}

/// What a scanner made of a head, down to every piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading<T, E> {
    pub lines: Vec<String>,
    /// How many octets had been consumed.
    pub taken: usize,
    /// `None` if the head is not complete.
    pub end: Option<Result<T, E>>,
}

/// Feeds `head` in reads of these sizes, and the rest in one. A consumed line is gone, as in a small buffer.
fn read<T, E>(
    head: &[u8],
    limits: &Limits,
    mut cuts: impl Iterator<Item = usize>,
    mut scan: impl FnMut(&[u8]) -> Result<Option<(usize, String, bool)>, E>,
    finish: impl FnOnce() -> Result<T, E>,
) -> Reading<T, E> {
    let mut reading = Reading { lines: Vec::new(), taken: 0, end: None };
    let mut come = 0;
    loop {
        match scan(&head[reading.taken..come]) {
            Ok(Some((used, line, end))) => {
                assert!(used > 0 && reading.taken + used <= come, "{used} octets for {line}");
                reading.taken += used;
                reading.lines.push(line);
                if end {
                    break;
                }
            }
            Ok(None) => {
                assert!(come - reading.taken < limits.max_line_bytes.max(1) as usize, "waits with a full buffer");
                if come == head.len() {
                    return reading;
                }
                come = head.len().min(come + cuts.next().unwrap_or(head.len()).max(1));
            }
            Err(fault) => {
                reading.end = Some(Err(fault));
                return reading;
            }
        }
    }
    assert!(matches!(scan(&head[reading.taken..come]), Ok(None)), "something comes after the end");
    reading.end = Some(finish());
    reading
}

pub fn request(
    head: &[u8],
    limits: &Limits,
    subprotocols: &[&str],
    cuts: impl Iterator<Item = usize>,
) -> Reading<Kind, Refusal> {
    request_to(RequestScanner::new(), head, limits, subprotocols, cuts)
}

pub fn request_to(
    scanner: RequestScanner,
    head: &[u8],
    limits: &Limits,
    subprotocols: &[&str],
    cuts: impl Iterator<Item = usize>,
) -> Reading<Kind, Refusal> {
    let scanner = core::cell::RefCell::new(scanner);
    let scan = |input: &[u8]| {
        let found = scanner.borrow_mut().scan(limits, subprotocols, input)?;
        Ok(found.map(|(used, line)| (used, show(&line), line == Line::End)))
    };
    read(head, limits, cuts, scan, || scanner.borrow().finish())
}

pub fn response(
    head: &[u8],
    limits: &Limits,
    offer: &Offer<'_>,
    cuts: impl Iterator<Item = usize>,
) -> Reading<Agreed, ResponseFault> {
    let scanner = core::cell::RefCell::new(ResponseScanner::new(*NONCE));
    let scan = |input: &[u8]| {
        let found = scanner.borrow_mut().scan(limits, offer, input)?;
        Ok(found.map(|(used, line)| (used, show(&line), line == Line::End)))
    };
    read(head, limits, cuts, scan, || scanner.borrow().finish())
}

fn show(line: &Line<'_>) -> String {
    match line {
        Line::Blank => "blank".into(),
        Line::Request { method, target } => format!("{method} {target}"),
        Line::Status { code, reason } => format!("{code} {}", reason.escape_ascii()),
        Line::Header { name, value, last } => format!("{name}: {}{}", value.escape_ascii(), dots(*last)),
        Line::ValuePiece { value, last } => format!("...{}{}", value.escape_ascii(), dots(*last)),
        Line::End => "end".into(),
    }
}

const fn dots(last: bool) -> &'static str {
    if last { "" } else { "..." }
}

/// The lines with the pieces of each value joined, and without whitespace around it.
pub fn joined<T, E>(reading: &Reading<T, E>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in &reading.lines {
        match (line.strip_prefix("..."), lines.last_mut()) {
            (Some(piece), Some(last)) if last.ends_with("...") => {
                last.truncate(last.len() - 3);
                // Whitespace before the value is not part of it.
                last.push_str(if last.ends_with(": ") { piece.trim_start() } else { piece });
            }
            _ => lines.push(line.clone()),
        }
    }
    lines.iter().map(|line| line.trim_end().to_string()).collect()
}

/// Whole, octet by octet, and cut once at every place: one meaning, which is returned.
#[track_caller]
pub fn any_cut<T: PartialEq + core::fmt::Debug>(len: usize, read: impl Fn(&mut dyn Iterator<Item = usize>) -> T) -> T {
    let whole = read(&mut core::iter::empty());
    assert_eq!(read(&mut core::iter::repeat(1)), whole, "octet by octet");
    for cut in 1..len {
        assert_eq!(read(&mut [cut].into_iter()), whole, "cut at {cut}");
    }
    whole
}

/// What a server makes of `head` with lines of at most that many octets at once, however it is cut.
#[track_caller]
pub fn asked(head: &[u8], subprotocols: &[&str], max_line_bytes: u32) -> Reading<Kind, Refusal> {
    any_cut(head.len(), |cuts| request(head, &lines_of(max_line_bytes), subprotocols, cuts))
}

/// The request is refused like that through buffers of all sizes.
#[track_caller]
pub fn refused(head: &[u8], refusal: Refusal) {
    for max_line_bytes in [64, 128, 8192] {
        let end = asked(head, &["chat"], max_line_bytes).end;
        assert_eq!(end, Some(Err(refusal)), "{} at {max_line_bytes}", head.escape_ascii());
    }
}

/// What a client makes of `head` with lines of at most that many octets at once, however it is cut.
#[track_caller]
pub fn answered(head: &[u8], offer: &Offer<'_>, max_line_bytes: u32) -> Reading<Agreed, ResponseFault> {
    any_cut(head.len(), |cuts| response(head, &lines_of(max_line_bytes), offer, cuts))
}
