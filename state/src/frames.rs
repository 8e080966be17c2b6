//! What a connection keeps while frames come and go.

use crate::instant::Instant;
use martlet_codec::{DataKind, Decoder, Role};
use martlet_handshake::DeflateParams;

/// Frames in both directions.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(crate) decoder: Decoder,
    /// How messages are compressed.
    pub(crate) deflate: Option<DeflateParams>,
    /// Where the second begins for which `controls` counts: the lower half.
    second: u32,
    controls: u16,
    facts: u8,
    /// Nothing has come since the heartbeat's Ping. Any octet is a sign of life: the Pong may queue behind a long message.
    pub(crate) awaiting_pong: bool,
}

/// What is so, each one bit: together they take the one octet that there is.
mod fact {
    /// One Close has gone or come.
    pub(super) const CLOSING: u8 = 1;
    /// A message of ours is open.
    pub(super) const SENDING: u8 = 1 << 1;
    /// That is a text.
    pub(super) const TEXT: u8 = 1 << 2;
    /// That is compressed.
    pub(super) const COMPRESSED: u8 = 1 << 3;
}

/// A message of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sending {
    pub(crate) kind: DataKind,
    pub(crate) compressed: bool,
}

impl Frames {
    /// Behind the handshake, at `now`.
    pub(crate) const fn new(now: Instant, role: Role, deflate: Option<DeflateParams>) -> Self {
        let mut decoder = Decoder::new(role);
        decoder.set_compression(deflate.is_some());
        Self { decoder, deflate, second: now.low(), controls: 0, facts: 0, awaiting_pong: false }
    }

    const fn has(&self, fact: u8) -> bool {
        self.facts & fact != 0
    }

    pub(crate) const fn begin_to_close(&mut self) {
        self.facts |= fact::CLOSING;
    }

    pub(crate) const fn is_closing(&self) -> bool {
        self.has(fact::CLOSING)
    }

    /// The message of ours that is open.
    pub(crate) const fn sending(&self) -> Option<Sending> {
        if !self.has(fact::SENDING) {
            return None;
        }
        let kind = if self.has(fact::TEXT) { DataKind::Text } else { DataKind::Binary };
        Some(Sending { kind, compressed: self.has(fact::COMPRESSED) })
    }

    /// A frame of such a message goes; `fin` if that is its last.
    pub(crate) const fn send(&mut self, message: Sending, fin: bool) {
        self.facts &= !(fact::SENDING | fact::TEXT | fact::COMPRESSED);
        if fin {
            return;
        }
        self.facts |= match message.kind {
            DataKind::Text => fact::SENDING | fact::TEXT,
            DataKind::Binary => fact::SENDING,
        };
        if message.compressed {
            self.facts |= fact::COMPRESSED;
        }
    }

    /// Counts a control frame against this second's budget.
    pub(crate) const fn may_afford(&mut self, now: Instant, most: u16) -> bool {
        // Of a clock that went back nothing is known, so that a second begins as well.
        if now.low().wrapping_sub(self.second) >= 1000 {
            (self.second, self.controls) = (now.low(), 0);
        }
        self.controls = self.controls.saturating_add(1);
        most == 0 || self.controls <= most
    }
}
