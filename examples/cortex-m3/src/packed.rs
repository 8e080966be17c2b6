//! What clients compress, inflated a piece at a time: in one turn no more comes of it than TCP has room for.

use crate::config::INPUT;
use martlet::codec::{self, InflateLimits, Inflated, Inflater, Window};
use martlet::state::{Data, DataKind, DeflateParams, DeflateSide, Violation, WindowBits};

/// How far back clients may reach in what they compress, in octets. A piece that comes of it is no longer.
pub const WINDOW: usize = 512;

/// What is negotiated: a client that does not offer to keep to this window sends nothing compressed. Nor does the chip.
pub const PARAMS: DeflateParams = DeflateParams {
    client: DeflateSide { no_context_takeover: false, max_window_bits: WindowBits::new(BITS) },
    server: DeflateSide { no_context_takeover: true, max_window_bits: None },
};

const BITS: u8 = WINDOW.ilog2() as u8;

/// A message of any length, as one that is not compressed.
const LIMITS: InflateLimits = InflateLimits { max_message_bytes: u64::MAX, ..InflateLimits::DEFAULT };

/// A connection's inflater, and a piece of a message that is not inflated yet.
pub struct Packed {
    inflater: Inflater,
    window: Window<[u8; WINDOW]>,
    piece: [u8; INPUT],
    /// What is left of the piece.
    begin: usize,
    end: usize,
    kind: DataKind,
    /// The message ends with the piece.
    last: bool,
    is_waiting: bool,
}

impl Packed {
    /// At a connection's beginning; `None` would mean a window of no legal size.
    pub fn new() -> Option<Self> {
        Some(Self {
            inflater: Inflater::new(),
            window: Window::new([0; WINDOW], codec::WindowBits::new(BITS)?)?,
            piece: [0; INPUT],
            begin: 0,
            end: 0,
            kind: DataKind::Binary,
            last: false,
            is_waiting: false,
        })
    }

    /// Whether [`next`](Self::next) has something to say before anything else is taken.
    pub const fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// Takes a piece of a message, which is no longer than the input.
    pub fn take(&mut self, data: &Data<'_>) {
        if data.is_first() {
            self.inflater.begin(data.kind());
        }
        (self.begin, self.end) = (0, data.payload().len().min(INPUT));
        self.piece[..self.end].copy_from_slice(&data.payload()[..self.end]);
        (self.kind, self.last, self.is_waiting) = (data.kind(), data.is_last(), true);
    }

    /// The message's kind, and what comes next of it; `None` once all of the piece is inflated.
    pub fn next(&mut self) -> Result<Option<(DataKind, Inflated<'_>)>, Violation> {
        let mut rest = &self.piece[self.begin..self.end];
        let inflated = self.inflater.inflate(&LIMITS, &mut self.window, &mut rest, self.last)?;
        self.begin = self.end - rest.len();
        self.is_waiting = inflated.is_some();
        Ok(inflated.map(|inflated| (self.kind, inflated)))
    }
}
