//! Lines of what came: whole messages, control frames and the violation that ends them.

use martlet_codec::{CloseFrame, Data, DataKind, Violation};

/// Lines of what came. A message is one line, however many pieces it came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    lines: Vec<String>,
    open: Option<(DataKind, Vec<u8>)>,
    compressed: bool,
}

impl Transcript {
    /// Nothing has come.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    pub fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// A piece of a message; gives the message when it is whole. Pieces in an order that makes no sense are a bug of ours.
    pub fn data(&mut self, data: &Data<'_>) -> Option<(DataKind, Vec<u8>)> {
        assert_eq!(data.is_first(), self.open.is_none(), "a message begins exactly when none is open");
        let (kind, payload) = self.open.get_or_insert_with(|| (data.kind(), Vec::new()));
        assert_eq!(*kind, data.kind(), "a message is of one kind");
        assert!(data.is_first() || self.compressed == data.is_compressed(), "all of a message is compressed or none");
        self.compressed = data.is_compressed();
        payload.extend(data.payload());
        if !data.is_last() {
            return None;
        }
        let (kind, payload) = self.open.take()?;
        assert!(
            kind == DataKind::Binary || self.compressed || std::str::from_utf8(&payload).is_ok(),
            "text that is not UTF-8 was delivered"
        );
        let front = if self.compressed { "Compressed" } else { "" };
        self.lines.push(format!("{front}{}", message(kind, &payload)));
        Some((kind, payload))
    }

    /// A Close.
    pub fn close(&mut self, frame: Option<&CloseFrame<'_>>) {
        self.lines.push(close(frame.map(|frame| (frame.code().get(), frame.reason()))));
    }

    /// The end, by violation or for want of more octets. What of an open message came before a violation depends on the cuts,
    /// so that only the orderly end tells it.
    pub fn finish(mut self, violation: Option<Violation>) -> Vec<String> {
        match (violation, self.open.take()) {
            (Some(violation), _) => self.lines.push(format!("{violation:?}")),
            (None, Some((kind, payload))) => self.lines.push(unfinished(kind, &payload)),
            (None, None) => {}
        }
        self.lines
    }
}

/// A whole message as a line.
pub fn message(kind: DataKind, payload: &[u8]) -> String {
    format!("{kind:?} {}", octets(payload))
}

/// A message whose end has not come, as a line.
pub fn unfinished(kind: DataKind, payload: &[u8]) -> String {
    format!("{kind:?} {}...", octets(payload))
}

/// A Close as a line.
pub fn close(frame: Option<(u16, &str)>) -> String {
    match frame {
        None => "Close".to_owned(),
        Some((code, "")) => format!("Close {code}"),
        Some((code, reason)) => format!("Close {code} {}", octets(reason.as_bytes())),
    }
}

/// A control frame's name and body as a line.
pub fn control(name: &str, body: &[u8]) -> String {
    if body.is_empty() { name.to_owned() } else { format!("{name} {}", octets(body)) }
}

/// Octets as readable text if they are few, otherwise their number and a hash (FNV-1a).
fn octets(octets: &[u8]) -> String {
    if octets.len() > 160 {
        let hash = octets.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        return format!("[{} octets, {hash:016x}]", octets.len());
    }
    match std::str::from_utf8(octets) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => octets.escape_ascii().to_string(),
    }
}
