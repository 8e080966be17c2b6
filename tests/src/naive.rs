//! The definitions, word for word from the RFC: slow, plain, and written without a look at the code that they judge.
//!
//! The header is read by a nom parser of section 5.2's figure, UTF-8 is judged by `core::str`, masking is octet i XOR key
//! octet i mod 4, and the stream decoder looks at all that has come, from the first octet, each time.

use crate::transcript;
use martlet_codec::{DataKind, Limits, MAX_LENGTH, Role, Violation};
use nom::number::complete::{be_u8, be_u16, be_u64};
use nom::{IResult, Parser};

/// RFC 6455 section 5.3: "Octet i of the transformed data is the XOR of octet i of the original data with octet at index
/// i modulo 4 of the masking key."
pub fn mask(key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    payload.iter().enumerate().map(|(i, octet)| octet ^ key[i % 4]).collect()
}

/// Whether `text` begins some valid UTF-8 text, as `core` sees it.
pub fn utf8_may_go_on(text: &[u8]) -> bool {
    // Without a length the error is that the text ends too early.
    std::str::from_utf8(text).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// A header as the figure of section 5.2 has it; no rule is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// FIN.
    pub fin: bool,
    /// RSV1 to RSV3.
    pub rsv: u8,
    /// The opcode.
    pub opcode: u8,
    /// The payload length as it stands in the second octet: 0 to 127.
    pub short: u8,
    /// The payload length.
    pub len: u64,
    /// The masking key, if MASK is set.
    pub key: Option<[u8; 4]>,
}

/// Reads a whole header; the rest is what lies behind it.
pub fn header(input: &[u8]) -> IResult<&[u8], Header, ()> {
    let (input, (b0, b1)) = (be_u8, be_u8).parse(input)?;
    let short = b1 & 0x7f;
    let (input, len) = match short {
        126 => be_u16.map(u64::from).parse(input)?,
        127 => be_u64.parse(input)?,
        short => (input, u64::from(short)),
    };
    let (input, key) = if b1 & 0x80 != 0 {
        let (input, (a, b, c, d)) = (be_u8, be_u8, be_u8, be_u8).parse(input)?;
        (input, Some([a, b, c, d]))
    } else {
        (input, None)
    };
    Ok((input, Header { fin: b0 & 0x80 != 0, rsv: b0 >> 4 & 7, opcode: b0 & 0xf, short, len, key }))
}

/// Whether the close code may be in a frame (RFC 6455 section 7.4 and IANA's registry of 1012 to 1014).
pub fn close_code_may_travel(code: u16) -> bool {
    match code {
        0..=999 => false,            // "are not used"
        1004..=1006 | 1015 => false, // reserved: "MUST NOT be set as a status code in a Close control frame"
        1000..=1014 => true,
        1016..=2999 => false, // for later revisions and extensions; none is defined
        3000..=4999 => true,  // registered by others, or private
        5000.. => false,
    }
}

/// What came before a header.
#[derive(Clone, Copy)]
struct Before {
    /// Octets that the open message's frames have announced; `None` between messages.
    message: Option<u64>,
    /// Empty fragments just before.
    empty_in_a_row: u8,
}

/// What the beginning of a header that is not complete, or all of one, breaks: rule by rule, in the order of the octets.
fn broken(role: Role, limits: &Limits, before: Before, octets: &[u8]) -> Option<Violation> {
    let message = before.message;
    let b0 = *octets.first()?;
    if b0 & 0x70 != 0 {
        return Some(Violation::RsvUnclaimed);
    }
    let (opcode, fin) = (b0 & 0xf, b0 & 0x80 != 0);
    if matches!(opcode, 3..=7 | 0xb..=0xf) {
        return Some(Violation::OpcodeReserved);
    }
    let is_control = opcode >= 8;
    if is_control && !fin {
        return Some(Violation::ControlFragmented);
    }
    if opcode == 0 && message.is_none() {
        return Some(Violation::ContinuationUnexpected);
    }
    if !is_control && opcode != 0 && message.is_some() {
        return Some(Violation::ContinuationExpected);
    }
    let b1 = *octets.get(1)?;
    match (role, b1 & 0x80 != 0) {
        (Role::Server, false) => return Some(Violation::MaskMissing),
        (Role::Client, true) => return Some(Violation::MaskForbidden),
        _ => {}
    }
    if is_control {
        return match b1 & 0x7f {
            126.. => Some(Violation::ControlTooLong),
            1 if opcode == 8 => Some(Violation::CloseBodyTooShort),
            _ => None,
        };
    }
    if b1 & 0x7f == 0 && !fin && before.empty_in_a_row >= limits.max_empty_fragments {
        return Some(Violation::TooManyEmptyFragments);
    }
    // Of the octets of the length that have not come, the smallest and the largest that could.
    let complete = |with: u8| {
        let mut all = octets.to_vec();
        all.resize(octets.len().max(14), with);
        header(&all).map_or(0, |(_, header)| header.len)
    };
    let (smallest, largest) = (complete(0x00), complete(0xff));
    let shortest_form_starts_at = match b1 & 0x7f {
        126 => 126,
        127 => 0x1_0000,
        _ => 0,
    };
    if smallest >= 1 << 63 {
        return Some(Violation::LengthTopBit);
    }
    if largest < shortest_form_starts_at {
        return Some(Violation::LengthNotMinimal);
    }
    // The tighter of the two limits is passed first.
    #[allow(clippy::unnecessary_min_or_max)] // With `small` it does something.
    let (longest, all) = (limits.max_frame_bytes.min(MAX_LENGTH), limits.max_message_bytes.min(MAX_LENGTH));
    let left = all.saturating_sub(message.unwrap_or(0));
    let (limit, violation) =
        if longest <= left { (longest, Violation::FrameTooBig) } else { (left, Violation::MessageTooBig) };
    (smallest > limit).then_some(violation)
}

/// A header by itself: what it breaks, or what it says and how many octets it takes, or nothing yet. A continuation counts as one
/// of an open message without octets.
pub fn judge_header(role: Role, limits: &Limits, octets: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
    let continues = octets.first().is_some_and(|b0| b0 & 0xf == 0);
    let before = Before { message: continues.then_some(0), empty_in_a_row: 0 };
    match (broken(role, limits, before, octets), header(octets)) {
        (Some(violation), _) => Err(violation),
        (None, Ok((rest, head))) => Ok(Some((head, octets.len() - rest.len()))),
        (None, Err(_)) => Ok(None),
    }
}

/// A message whose end has not come.
struct Open {
    kind: DataKind,
    payload: Vec<u8>,
    announced: u64,
}

/// What `wire` means, all of it looked at once, in the lines of [`meaning()`](crate::meaning()).
pub fn meaning(role: Role, limits: &Limits, wire: &[u8]) -> Vec<String> {
    let (mut lines, mut open) = (Vec::new(), None);
    match frames(role, limits, wire, &mut lines, &mut open) {
        Err(violation) => lines.push(format!("{violation:?}")),
        Ok(()) => lines.extend(open.map(|open: Open| transcript::unfinished(open.kind, &open.payload))),
    }
    lines
}

fn frames(
    role: Role,
    limits: &Limits,
    wire: &[u8],
    lines: &mut Vec<String>,
    open: &mut Option<Open>,
) -> Result<(), Violation> {
    let (mut rest, mut empty_in_a_row) = (wire, 0);
    loop {
        let before = Before { message: open.as_ref().map(|open| open.announced), empty_in_a_row };
        if let Some(violation) = broken(role, limits, before, rest) {
            return Err(violation);
        }
        let Ok((behind, head)) = header(rest) else { return Ok(()) };
        let here = usize::try_from(head.len).unwrap_or(usize::MAX).min(behind.len());
        let whole = here as u64 == head.len;
        let (payload, next) = behind.split_at(here);
        let payload = mask(head.key.unwrap_or_default(), payload);
        rest = next;
        if head.opcode >= 8 {
            control(head, whole, &payload, lines)?;
            if !whole {
                return Ok(());
            }
            continue;
        }
        empty_in_a_row = if head.len == 0 && !head.fin { empty_in_a_row + 1 } else { 0 };
        if !whole && here == 0 && open.is_none() {
            // A header by itself begins no message yet: nothing of it can be told.
            return Ok(());
        }
        let kind = if head.opcode == 1 { DataKind::Text } else { DataKind::Binary };
        let message = open.get_or_insert_with(|| Open { kind, payload: Vec::new(), announced: 0 });
        message.announced += head.len;
        message.payload.extend(payload);
        if message.kind == DataKind::Text && !utf8_may_go_on(&message.payload) {
            return Err(Violation::Utf8Invalid);
        }
        if !whole {
            return Ok(());
        }
        if head.fin {
            if message.kind == DataKind::Text && std::str::from_utf8(&message.payload).is_err() {
                return Err(Violation::Utf8Invalid);
            }
            lines.push(transcript::message(message.kind, &message.payload));
            *open = None;
        }
    }
}

/// A control frame, or what has come of one.
fn control(head: Header, whole: bool, body: &[u8], lines: &mut Vec<String>) -> Result<(), Violation> {
    match (head.opcode, whole) {
        (9, true) => lines.push(transcript::control("Ping", body)),
        (10, true) => lines.push(transcript::control("Pong", body)),
        (8, true) => lines.push(transcript::close(close(body)?)),
        (8, false) => close_may_go_on(head.len, body)?,
        _ => {}
    }
    Ok(())
}

/// RFC 6455 section 5.5.1: nothing, or a code that may travel and a reason in UTF-8.
pub fn close(body: &[u8]) -> Result<Option<(u16, &str)>, Violation> {
    match body {
        [] => Ok(None),
        [_] => Err(Violation::CloseBodyTooShort),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !close_code_may_travel(code) {
                return Err(Violation::CloseCodeInvalid);
            }
            let reason = std::str::from_utf8(reason).map_err(|_| Violation::CloseReasonInvalid)?;
            Ok(Some((code, reason)))
        }
    }
}

/// Whether a Close body of `len` octets may begin so.
pub fn close_may_go_on(len: u64, body: &[u8]) -> Result<(), Violation> {
    match body {
        _ if len == 1 => Err(Violation::CloseBodyTooShort),
        [] => Ok(()),
        [high] if (0..=255).any(|low| close_code_may_travel(u16::from_be_bytes([*high, low]))) => Ok(()),
        [high, low, reason @ ..] if close_code_may_travel(u16::from_be_bytes([*high, *low])) => {
            if utf8_may_go_on(reason) { Ok(()) } else { Err(Violation::CloseReasonInvalid) }
        }
        [_, ..] => Err(Violation::CloseCodeInvalid),
    }
}
