//! The settings of connections, with defaults that are safe.

use crate::instant::MAX_WAIT_MS;
use core::fmt;
use martlet_codec::Limits;
use martlet_handshake::DeflateParams;

/// How the peer's head is read: by a server the request's, by a client the response's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadMode {
    /// The caller's buffer holds the longest head: nothing is taken until all of it has come, and
    /// [`Event::Request`](crate::Event::Request) shows all of it. A client is shown nothing of a response's head.
    Whole,
    /// Each line is taken as it comes, as [`Event::Line`](crate::Event::Line): a head of any length passes through a buffer that
    /// holds `head.max_line_bytes`.
    Lines,
}

/// Settings shared by any number of connections, which borrow them.
#[derive(Clone, Copy, Debug)]
pub struct Config<'c> {
    /// Bounds on frames and messages.
    pub limits: Limits,
    /// Bounds on the request or response head.
    pub head: martlet_handshake::Limits,
    /// The subprotocols that a server speaks, the one it likes best first. A handshake gets the first that its client offers,
    /// unless [`Accept`](crate::Accept) says otherwise.
    pub subprotocols: &'c [&'c str],
    /// What is wanted of permessage-deflate (RFC 7692): a server chooses from its client's offers within these parameters, a client
    /// offers them. What was agreed is [`Connection::compression`](crate::Connection::compression), and whoever sets this
    /// inflates and compresses accordingly: here payload stays as it is. Default: none, nothing is compressed.
    pub deflate: Option<DeflateParams>,
    /// How the peer's head is read. Default: whole.
    pub head_mode: HeadMode,
    /// Whether a Ping is answered here (RFC 6455 section 5.5.2). Otherwise the application must. Default: yes.
    pub auto_pong: bool,
    /// How many control frames a peer may send within a second; 0 for any number. Default: 100.
    pub max_control_per_second: u16,
    /// From the first moment to the end of the handshake, in milliseconds; 0 for ever. Default: 10,000.
    pub handshake_timeout_ms: u32,
    /// After so many milliseconds without an octet from the peer a Ping is sent; 0 for never. Default: 30,000.
    pub idle_ms: u32,
    /// How long after that Ping anything must come, in milliseconds. Default: 20,000.
    pub pong_timeout_ms: u32,
    /// How long after our Close the peer's is awaited, in milliseconds. Default: 5,000.
    pub close_timeout_ms: u32,
}

/// A setting that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidConfig {
    /// The setting's name.
    pub setting: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.reason)
    }
}

impl core::error::Error for InvalidConfig {}

impl Config<'_> {
    /// The defaults.
    pub const DEFAULT: Config<'static> = Config {
        limits: Limits::DEFAULT,
        head: martlet_handshake::Limits::DEFAULT,
        subprotocols: &[],
        deflate: None,
        head_mode: HeadMode::Whole,
        auto_pong: true,
        max_control_per_second: 100,
        handshake_timeout_ms: 10_000,
        idle_ms: 30_000,
        pong_timeout_ms: 20_000,
        close_timeout_ms: 5_000,
    };

    /// Room in the input that is always enough, in octets: for the peer's head, and for the longest part of a frame.
    pub const fn min_input(&self) -> usize {
        let head = match self.head_mode {
            HeadMode::Whole => self.head.max_head_bytes,
            HeadMode::Lines => self.head.max_line_bytes,
        };
        // Lengths of 32 bits fit on every machine that has the memory for them.
        let head = head as usize;
        if head < martlet_codec::MIN_INPUT { martlet_codec::MIN_INPUT } else { head }
    }

    /// Refuses settings that make no sense, so that a server can do so at its start.
    pub fn check(&self) -> Result<(), InvalidConfig> {
        let rules = [
            (self.limits.max_message_bytes == 0, "max_message_bytes", "0 allows no message"),
            (self.limits.max_frame_bytes == 0, "max_frame_bytes", "0 allows no message"),
            (self.head.max_head_bytes < 128, "max_head_bytes", "no handshake fits into fewer than 128 octets"),
            (self.head.max_headers < 5, "max_headers", "a handshake has at least 5 headers"),
            (self.head.max_line_bytes < 64, "max_line_bytes", "the key's header alone has 43 octets: 64 is the least"),
            (
                self.deflate.is_some() && self.head.max_line_bytes < 160,
                "max_line_bytes",
                "compression's header has up to 156 octets: 160 is the least with it",
            ),
            (self.idle_ms != 0 && self.pong_timeout_ms == 0, "pong_timeout_ms", "0 gives a peer no time to answer"),
            (self.close_timeout_ms == 0, "close_timeout_ms", "0 gives a peer no time to answer"),
            (self.handshake_timeout_ms > MAX_WAIT_MS, "handshake_timeout_ms", "12 days are the most"),
            (self.pong_timeout_ms > MAX_WAIT_MS, "pong_timeout_ms", "12 days are the most"),
            (self.close_timeout_ms > MAX_WAIT_MS, "close_timeout_ms", "12 days are the most"),
            (
                !self.subprotocols.iter().all(|name| martlet_handshake::is_token(name)),
                "subprotocols",
                "a name is no token",
            ),
        ];
        match rules.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, setting, reason)) => Err(InvalidConfig { setting, reason }),
            None => Ok(()),
        }
    }
}

impl Default for Config<'_> {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_holds_the_head_and_a_header_with_a_control_body() {
        let head = |max_line_bytes| martlet_handshake::Limits { max_line_bytes, ..martlet_handshake::Limits::DEFAULT };
        assert_eq!(Config::DEFAULT.min_input(), 8192);
        for (line, input) in [(64, 139), (139, 139), (256, 256)] {
            let config = Config { head: head(line), head_mode: HeadMode::Lines, ..Config::DEFAULT };
            assert_eq!(config.min_input(), input);
        }
    }

    #[test]
    fn the_defaults_make_sense_and_nonsense_is_named() {
        assert_eq!(Config::DEFAULT.check(), Ok(()));
        let nonsense = [
            (Config { close_timeout_ms: 0, ..Config::DEFAULT }, "close_timeout_ms"),
            (Config { pong_timeout_ms: 0, ..Config::DEFAULT }, "pong_timeout_ms"),
            (Config { handshake_timeout_ms: MAX_WAIT_MS + 1, ..Config::DEFAULT }, "handshake_timeout_ms"),
            (Config { pong_timeout_ms: u32::MAX, ..Config::DEFAULT }, "pong_timeout_ms"),
            (Config { close_timeout_ms: u32::MAX, ..Config::DEFAULT }, "close_timeout_ms"),
            #[cfg(feature = "deflate")]
            (
                Config {
                    deflate: Some(DeflateParams::CONTEXT_TAKEOVER),
                    head: martlet_handshake::Limits { max_line_bytes: 159, ..martlet_handshake::Limits::DEFAULT },
                    ..Config::DEFAULT
                },
                "max_line_bytes",
            ),
            (Config { subprotocols: &["chat", "two words"], ..Config::DEFAULT }, "subprotocols"),
            (
                Config { limits: Limits { max_message_bytes: 0, ..Limits::DEFAULT }, ..Config::DEFAULT },
                "max_message_bytes",
            ),
        ];
        for (config, setting) in nonsense {
            assert_eq!(config.check().map_err(|error| error.setting), Err(setting));
        }
        assert_eq!(Config { idle_ms: 0, pong_timeout_ms: 0, ..Config::DEFAULT }.check(), Ok(()));
    }
}
