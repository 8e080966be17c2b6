//! Annotated frames for people, and as a line of JSON each.

use super::annotate::{Frame, Frames, Header};
use super::judge::{Fault, Plain, Rule};
use clap::builder::styling::{AnsiColor, Style};
use martlet_codec::{CloseCode, Key, Role, Violation};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write};

/// How it is shown.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// How many octets of a payload are shown.
    pub(crate) show: usize,
    pub(crate) colour: bool,
}

/// Prints what `frames` gives; says whether all of it is legal.
pub(crate) fn for_people(frames: &mut Frames<'_>, octets: usize, look: Look, out: &mut impl Write) -> io::Result<bool> {
    let [bold, wrong] = [Style::new().bold(), Style::new().bold().fg_color(Some(AnsiColor::Red.into()))]
        .map(|style| if look.colour { style } else { Style::new() });
    let who = role(frames.from);
    let deflate = if frames.deflate { ", permessage-deflate" } else { "" };
    writeln!(out, "{}, sent by a {who}{deflate}", count(octets as u64))?;
    if frames.head > 0 {
        writeln!(out, "0x0000  HTTP head of {}, not looked at", count(frames.head as u64))?;
    }
    let (mut legal, mut lost) = (true, false);
    while let Some(frame) = frames.next() {
        writeln!(out, "{bold}{:#06x}{bold:#}  {}", frame.offset, headline(&frame))?;
        for line in body(&frame, look.show) {
            writeln!(out, "        {line}")?;
        }
        if let Some(fault) = &frame.fault {
            legal = false;
            let at = frame.offset.saturating_add(fault.at);
            writeln!(out, "        {wrong}wrong at {at:#06x}: {}{wrong:#}", told(fault.rule))?;
            if let (Rule::Broken(Violation::RsvUnclaimed), false) = (fault.rule, frames.deflate) {
                writeln!(out, "        if permessage-deflate was negotiated, say --deflate")?;
            }
        }
        if frame.missing > 0 {
            let least = if frame.header.is_none() { "at least " } else { "" };
            writeln!(out, "        incomplete: {least}{} missing", count(frame.missing))?;
        }
        if frames.is_lost() && !lost {
            lost = true;
            writeln!(out, "        compressed messages behind this are not inflated: they may refer to what is lost")?;
        }
    }
    if frames.is_open() {
        writeln!(out, "the last message is incomplete")?;
    }
    Ok(legal)
}

/// Prints a JSON object for each frame; says whether all is legal.
pub(crate) fn as_json(frames: &mut Frames<'_>, show: usize, out: &mut impl Write) -> io::Result<bool> {
    let mut legal = true;
    while let Some(frame) = frames.next() {
        legal &= frame.fault.is_none();
        serde_json::to_writer(&mut *out, &Line::of(&frame, frames.from, show))?;
        writeln!(out)?;
    }
    Ok(legal)
}

/// FIN, RSV, opcode, length and key.
fn headline(frame: &Frame<'_>) -> String {
    let Some(Header { fin, rsv, opcode, key, len, len_bits, .. }) = frame.header else {
        return format!("a header that is cut off: {}", hex(frame.octets, " "));
    };
    let mut text = if fin { "FIN ".to_owned() } else { String::new() };
    for (number, _) in (1..).zip(rsv).filter(|(_, set)| *set) {
        // Writing to a string cannot fail.
        let _ = write!(text, "RSV{number} ");
    }
    let _ = match name(opcode) {
        Some(name) => write!(text, "{name}"),
        None => write!(text, "opcode {opcode:#x}"),
    };
    let _ = write!(text, ", {} ({len_bits}-bit length)", count(len));
    match key {
        Some(Key(key)) => text.push_str(&format!(", mask {}", hex(&key, ""))),
        None => text.push_str(", no mask"),
    }
    text
}

/// The lines that show the payload.
fn body(frame: &Frame<'_>, show: usize) -> Vec<String> {
    let payload = &frame.payload[..];
    let mut lines = Vec::new();
    match frame.header {
        Some(Header { opcode: 8, len, .. }) if len > 0 => lines.extend(close_line(payload)),
        _ if payload.is_empty() && frame.plain.is_none() => {}
        _ => match &frame.plain {
            Some(Plain { octets, len }) => {
                lines.push(format!("compressed {}", shown(payload, payload.len() as u64, false, show)));
                lines.push(format!("inflated to {}: {}", count(*len), shown(octets, *len, frame.text, show)));
            }
            None => lines.push(shown(payload, payload.len() as u64, is_text(frame), show)),
        },
    }
    lines
}

/// Whether it is shown as text: a text, or the body of a control frame that is one.
fn is_text(frame: &Frame<'_>) -> bool {
    let control = frame.header.is_some_and(|header| header.opcode & 0x8 != 0);
    frame.text || control && std::str::from_utf8(&frame.payload).is_ok_and(|text| !text.contains(char::is_control))
}

/// Code, name and reason of a Close.
fn close_line(body: &[u8]) -> Option<String> {
    let (code, reason) = body.split_first_chunk()?;
    let code = u16::from_be_bytes(*code);
    let name = CloseCode::new(code).map_or("must not travel", CloseCode::describe);
    Some(match reason {
        [] => format!("code {code} ({name})"),
        reason => format!("code {code} ({name}), reason {}", quoted(reason)),
    })
}

/// The first of `len` octets, as text or in hex.
fn shown(octets: &[u8], len: u64, text: bool, show: usize) -> String {
    let mut front = octets.get(..show).unwrap_or(octets);
    let cut = len > front.len() as u64;
    if let (true, true, Err(error)) = (cut, text, std::str::from_utf8(front)) {
        // A character that is cut in two by the display is no fault.
        front = if error.error_len().is_none() { front.get(..error.valid_up_to()).unwrap_or(front) } else { front };
    }
    let more = len.saturating_sub(front.len() as u64);
    let front = if text { quoted(front) } else { hex(front, " ") };
    if more == 0 { front } else { format!("{front} … and {} more", count(more)) }
}

/// In quotes, so that no octet reaches the terminal which could do something there.
fn quoted(octets: &[u8]) -> String {
    let mut text = "\"".to_owned();
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' => text.push(c),
                c => text.extend(c.escape_debug()),
            }
        }
        text.extend(chunk.invalid().iter().map(|octet| format!("\\x{octet:02x}")));
    }
    text + "\""
}

fn hex(octets: &[u8], between: &str) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(between)
}

fn count(octets: u64) -> String {
    if octets == 1 { "1 octet".to_owned() } else { format!("{octets} octets") }
}

fn told(rule: Rule) -> String {
    match rule {
        Rule::Broken(violation) => violation.to_string(),
        Rule::DataAfterClose => "data behind a Close (RFC 6455 section 5.5.1)".to_owned(),
    }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}

const fn name(opcode: u8) -> Option<&'static str> {
    match opcode {
        0 => Some("continuation"),
        1 => Some("text"),
        2 => Some("binary"),
        8 => Some("close"),
        9 => Some("ping"),
        10 => Some("pong"),
        _ => None,
    }
}

/// A frame as JSON.
#[derive(Serialize)]
struct Line {
    offset: usize,
    from: &'static str,
    #[serde(flatten)]
    header: Option<HeaderView>,
    #[serde(flatten)]
    payload: Option<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inflated: Option<Inflated>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close: Option<CloseView>,
    missing: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<FaultView>,
}

#[derive(Serialize)]
struct HeaderView {
    fin: bool,
    rsv1: bool,
    rsv2: bool,
    rsv3: bool,
    opcode: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    length: u64,
    length_bits: u8,
    mask: Option<String>,
}

/// Payload, at most as many octets as are to be shown.
#[derive(Serialize)]
struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

#[derive(Serialize)]
struct Inflated {
    length: u64,
    #[serde(flatten)]
    content: Content,
}

#[derive(Serialize)]
struct CloseView {
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    reason: String,
}

#[derive(Serialize)]
struct FaultView {
    offset: usize,
    rule: String,
    what: &'static str,
    rfc: u16,
    section: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    close_code: Option<u16>,
}

impl Line {
    fn of(frame: &Frame<'_>, from: Role, show: usize) -> Self {
        let header = frame.header.map(|header| HeaderView {
            fin: header.fin,
            rsv1: header.rsv[0],
            rsv2: header.rsv[1],
            rsv3: header.rsv[2],
            opcode: header.opcode,
            name: name(header.opcode),
            length: header.len,
            length_bits: header.len_bits,
            mask: header.key.map(|Key(key)| hex(&key, "")),
        });
        let header_is_whole = header.is_some();
        let close = frame.header.filter(|header| header.opcode == 8).and_then(|_| frame.payload.split_first_chunk());
        Self {
            offset: frame.offset,
            from: role(from),
            header,
            payload: header_is_whole
                .then(|| Content::of(&frame.payload, frame.plain.is_none() && is_text(frame), show)),
            inflated: frame
                .plain
                .as_ref()
                .map(|plain| Inflated { length: plain.len, content: Content::of(&plain.octets, frame.text, show) }),
            close: close.map(|(code, reason)| {
                let code = u16::from_be_bytes(*code);
                let name = CloseCode::new(code).map(CloseCode::describe);
                CloseView { code, name, reason: String::from_utf8_lossy(reason).into_owned() }
            }),
            missing: frame.missing,
            violation: frame.fault.as_ref().map(|fault| FaultView::of(fault, frame.offset)),
        }
    }
}

impl Content {
    /// What is no UTF-8 is in hex, also of a text.
    fn of(octets: &[u8], text: bool, show: usize) -> Self {
        let front = octets.get(..show).unwrap_or(octets);
        let front = match std::str::from_utf8(front) {
            Ok(utf8) => Some(utf8),
            Err(error) if error.error_len().is_none() && front.len() < octets.len() => {
                front.get(..error.valid_up_to()).and_then(|front| std::str::from_utf8(front).ok())
            }
            Err(_) => None,
        };
        match front.filter(|_| text) {
            Some(text) => Self { text: Some(text.to_owned()), hex: None },
            None => Self { text: None, hex: Some(hex(octets.get(..show).unwrap_or(octets), "")) },
        }
    }
}

impl FaultView {
    fn of(fault: &Fault, offset: usize) -> Self {
        let offset = offset.saturating_add(fault.at);
        match fault.rule {
            Rule::Broken(violation) => Self {
                offset,
                rule: format!("{violation:?}"),
                what: violation.describe(),
                rfc: violation.rfc(),
                section: violation.section(),
                close_code: Some(violation.close_code()),
            },
            Rule::DataAfterClose => Self {
                offset,
                rule: "DataAfterClose".to_owned(),
                what: "data behind a Close",
                rfc: 6455,
                section: "5.5.1",
                close_code: None,
            },
        }
    }
}
