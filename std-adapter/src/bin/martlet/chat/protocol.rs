//! The messages between the chat page and the server, as serde types.
//!
//! # The protocol
//!
//! Every message is one WebSocket text message that holds one JSON object, told apart by `type`. Times (`at`) are
//! milliseconds since the Unix epoch. People (`id`, `you`, `from`, `to`) are numbers that are never used twice, and that a page
//! keeps when it comes back.
//!
//! From the page:
//!
//! | message | meaning |
//! |---|---|
//! | `join {name, key, room}` | enter a room, the lobby if none is named. `key` is a random secret of the page, which it keeps for all its connections |
//! | `enter {room}` | go to another room |
//! | `rename {name}` | go by another name |
//! | `say {text, n, to}` | say something to the room, or, if `to` is there, to this person in it alone; `n` counts the page's messages from 1 |
//! | `stats` | report the counters of this connection |
//! | `probe {…}` | only measure this message, whatever else it holds |
//! | `close {code, reason}` | close this connection from the server's side |
//! | a binary message | is measured as a probe is |
//!
//! From the server:
//!
//! | message | meaning |
//! |---|---|
//! | `welcome {you, name, room, opened, server, limits, people, recent}` | the answer to `join` and `enter`; `recent` holds what was said last, with `n` where this page said it |
//! | `joined {id, name, at}`, `left {…}`, `renamed {id, was, name, at}` | to the room; `joined` only to those who were there before |
//! | `said {seq, from, who, text, at, n}` | to the room; `n` is the number that the page of `from` gave it |
//! | `private {from, who, to, whom, text, at, n}` | to both of them; `n` only for the page that said it |
//! | `known {n}` | this `say` came before, over an earlier connection, and was said then |
//! | `stats {state, frames_in, frames_out, bytes_in, bytes_out, ping_us}` | [`Counters`] |
//! | `got {kind, bytes}` | the measure of a probe; `kind` is `text` or `binary` |
//! | `error {code, text, n, retry_ms}` | a message was refused; `n` if it was a `say`, `retry_ms` if waiting helps |
//!
//! Nothing that a page said is lost or said twice when its connection breaks: the page keeps a message until it gets
//! `said`, `private` or `known` with its `n`, sends one at a time, and sends it again after it joined with the same `key`.
//! `opened` is the time at which the room was opened, so that a page can tell a restarted server from the old one.

use serde::{Deserialize, Serialize};

/// What a page asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromPage {
    /// Enter a room.
    Join {
        name: String,
        key: String,
        #[serde(default)]
        room: String,
    },
    /// Go to another room.
    Enter { room: String },
    /// Go by another name.
    Rename { name: String },
    /// Say something to everyone in the room, or to one person alone.
    Say { text: String, n: u64, to: Option<u64> },
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
        room: &'a str,
        opened: u64,
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
    Private(PrivateView<'a>),
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

/// Something that was said to everyone in a room.
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

/// Something that was said to one person alone; `n` is there only for the page that said it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct PrivateView<'a> {
    pub(super) from: u64,
    pub(super) who: &'a str,
    pub(super) to: u64,
    pub(super) whom: &'a str,
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
