//! The messages between the chat page and the server, as serde types; [`super`] documents them.

use serde::{Deserialize, Serialize};

/// What a page asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromPage {
    /// Enter the room.
    Join { name: String, key: String },
    /// Go by another name.
    Rename { name: String },
    /// Say something to everyone.
    Say { text: String, n: u64 },
    /// Report the connection's counters.
    Stats,
    /// Only measure this message; whatever else it holds is skipped.
    Probe,
    /// Close this connection from the server's side.
    Close { code: u16, reason: String },
}

/// What the server tells a page.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToPage<'a> {
    Welcome {
        you: u64,
        name: &'a str,
        room: u64,
        server: &'a str,
        limits: Limits,
        people: Vec<PersonView<'a>>,
        recent: Vec<SaidView<'a>>,
    },
    Joined {
        id: u64,
        name: &'a str,
        at: u64,
    },
    Left {
        id: u64,
        name: &'a str,
        at: u64,
    },
    Renamed {
        id: u64,
        was: &'a str,
        name: &'a str,
        at: u64,
    },
    Said(SaidView<'a>),
    Known {
        n: u64,
    },
    Stats(&'a Counters),
    Got {
        kind: Kind,
        bytes: u64,
    },
    Error(ErrorView<'a>),
}

/// The limits that a page can keep by itself.
#[derive(Debug, Serialize)]
pub(super) struct Limits {
    pub(super) name: usize,
    pub(super) text: usize,
}

/// Somebody in the room.
#[derive(Debug, Serialize)]
pub(super) struct PersonView<'a> {
    pub(super) id: u64,
    pub(super) name: &'a str,
}

/// Something that was said; `n` is there only for the page that said it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct SaidView<'a> {
    pub(super) seq: u64,
    pub(super) from: u64,
    pub(super) who: &'a str,
    pub(super) text: &'a str,
    pub(super) at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) n: Option<u64>,
}

/// A refusal as the page gets it.
#[derive(Debug, Serialize)]
pub(super) struct ErrorView<'a> {
    pub(super) code: &'static str,
    pub(super) text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) n: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_ms: Option<u64>,
}

/// The kind of a message that was only measured.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Text,
    Binary,
}

/// One connection as the server sees it: what a `stats` message carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counters {
    /// The connection's state by its number: 1 CONNECTION, 2 HANDSHAKE, 3 ACTIVE, 4 CLOSING.
    pub(crate) state: u8,
    /// Frames that came from the page, control frames included.
    pub(crate) frames_in: u64,
    /// Frames that went to the page, control frames included.
    pub(crate) frames_out: u64,
    /// Octets that came from the page: heads and bodies of frames, and the handshake if the server counts it.
    pub(crate) bytes_in: u64,
    /// Octets that went to the page, counted in the same way.
    pub(crate) bytes_out: u64,
    /// Microseconds from the latest Ping frame to its Pong; `None` before the first Pong.
    pub(crate) ping_us: Option<u64>,
}

impl ToPage<'_> {
    /// The text of the frame.
    pub(super) fn json(&self) -> String {
        // Numbers, strings and lists of them always have a JSON form; only maps with odd keys have none.
        serde_json::to_string(self).expect("the chat's messages hold only strings, numbers and lists")
    }
}
