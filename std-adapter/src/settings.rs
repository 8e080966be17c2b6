//! The settings of a server, with defaults that are safe.

use crate::id::MAX_SLOTS;
use core::fmt;
use martlet_codec::Limits;
use martlet_state::{Config, HeadMode};
use std::net::{Ipv4Addr, SocketAddr};

/// The settings of a server. [`check`](Self::check) says whether they make sense; so does the server when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where to listen. Port 0 lets the system choose one. Default: 127.0.0.1:9501.
    pub listen: SocketAddr,
    /// Worker threads, 1 to 255, each with its own listening socket and connections. Default: one for each core.
    pub workers: usize,
    /// The longest message that a peer may send, in octets; beyond it the connection is closed with 1009. Default: 2 MiB.
    pub max_message_bytes: u64,
    /// The longest frame that a peer may send, in octets. Default: as long as a message.
    pub max_frame_bytes: Option<u64>,
    /// How many empty fragments in a row a peer may send; beyond it 1008. Default: 32.
    pub max_empty_fragments: u8,
    /// How many control frames a peer may send within a second, 0 for any number; beyond it 1008. Default: 100.
    pub max_control_per_second: u16,
    /// The longest request head, in octets; beyond it 431. Default: 8 KiB.
    pub max_head_bytes: u32,
    /// The most headers of a request; beyond it 431. Default: 64.
    pub max_headers: u16,
    /// The subprotocols that the server speaks, the one it likes best first. Default: none.
    pub subprotocols: Vec<String>,
    /// Whether a Ping is answered by the server, not by the handler. Default: yes.
    pub auto_pong: bool,
    /// How long a peer may take for its request, in milliseconds, 0 for ever; beyond it 408. Default: 10,000.
    pub handshake_timeout_ms: u32,
    /// After so many milliseconds without an octet from the peer a Ping is sent, 0 for never. Default: 30,000.
    pub idle_ms: u32,
    /// How long after that Ping anything must come, in milliseconds. Default: 20,000.
    pub pong_timeout_ms: u32,
    /// How long after our Close the peer's is awaited, and how long a peer that is being let go may take to read what is under
    /// way, in milliseconds. Default: 5,000.
    pub close_timeout_ms: u32,
    /// How long a server that stops waits for the peers' Closes, in milliseconds. Default: 5,000.
    pub shutdown_grace_ms: u32,
    /// While more than so many octets wait for a peer that does not read, nothing is read from it. Default: 256 KiB.
    pub high_watermark_bytes: usize,
    /// While more than so many octets wait for a peer, nothing is added: the next push fails and the connection is closed with
    /// 1013. One frame more than this may wait, however long it is, so that no frame is impossible. Default: 1 MiB.
    pub max_backpressure_bytes: usize,
    /// The most connections of the whole server, 1 to 1,048,576. Beyond it connections wait in the backlog. Default: 100,000.
    pub max_connections: u32,
    /// Connections that the system keeps for each worker until they are accepted. Default: 1,024.
    pub backlog: u32,
    /// Whether small packets go at once (`TCP_NODELAY`). Default: yes, for what is sent in one turn is put together anyway.
    pub tcp_nodelay: bool,
    /// The buffer that a worker reads into, in octets, longer than the longest head. Default: 16 KiB, which stays in the
    /// first-level cache.
    pub read_buffer_bytes: usize,
    /// Octets of commands from other threads that may wait for a worker, beyond which they fail. Default: 64 MiB.
    pub max_mailbox_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let core = Config::DEFAULT;
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9501)),
            workers: std::thread::available_parallelism().map_or(1, |cores| cores.get().min(255)),
            max_message_bytes: core.limits.max_message_bytes,
            max_frame_bytes: None,
            max_empty_fragments: core.limits.max_empty_fragments,
            max_control_per_second: core.max_control_per_second,
            max_head_bytes: core.head.max_head_bytes,
            max_headers: core.head.max_headers,
            subprotocols: Vec::new(),
            auto_pong: true,
            handshake_timeout_ms: core.handshake_timeout_ms,
            idle_ms: core.idle_ms,
            pong_timeout_ms: core.pong_timeout_ms,
            close_timeout_ms: core.close_timeout_ms,
            shutdown_grace_ms: 5_000,
            high_watermark_bytes: 256 * 1024,
            max_backpressure_bytes: 1024 * 1024,
            max_connections: 100_000,
            backlog: 1_024,
            tcp_nodelay: true,
            read_buffer_bytes: 16 * 1024,
            max_mailbox_bytes: 64 * 1024 * 1024,
        }
    }
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSetting {
    /// The name of the field.
    pub setting: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.reason)
    }
}

impl core::error::Error for InvalidSetting {}

impl Settings {
    /// Refuses what makes no sense.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let head = usize::try_from(self.max_head_bytes).unwrap_or(usize::MAX);
        let longest = self.max_message_bytes.max(self.max_frame_bytes());
        let rules = [
            (!(1..=255).contains(&self.workers), "workers", "must be 1 to 255"),
            (longest > isize::MAX as u64, "max_message_bytes", "no memory of this machine could hold such a message"),
            (!(1..=MAX_SLOTS).contains(&self.max_connections), "max_connections", "must be 1 to 1048576"),
            (!(1..=i32::MAX as u32).contains(&self.backlog), "backlog", "must be 1 to 2147483647"),
            (self.read_buffer_bytes <= head, "read_buffer_bytes", "must be more than max_head_bytes"),
            (self.read_buffer_bytes > 1 << 30, "read_buffer_bytes", "must be at most 1 GiB"),
            (self.high_watermark_bytes == 0, "high_watermark_bytes", "0 would never read"),
            (
                self.max_backpressure_bytes < self.high_watermark_bytes,
                "max_backpressure_bytes",
                "must be at least high_watermark_bytes",
            ),
            (self.max_mailbox_bytes == 0, "max_mailbox_bytes", "0 allows no command"),
        ];
        if let Some((_, setting, reason)) = rules.into_iter().find(|(wrong, ..)| *wrong) {
            return Err(InvalidSetting { setting, reason });
        }
        let subprotocols = self.subprotocols();
        self.config(&subprotocols)
            .check()
            .map_err(|error| InvalidSetting { setting: error.setting, reason: error.reason })
    }

    /// The subprotocols as the core takes them.
    pub(crate) fn subprotocols(&self) -> Vec<&str> {
        self.subprotocols.iter().map(String::as_str).collect()
    }

    /// The core's part of the settings.
    pub(crate) fn config<'c>(&self, subprotocols: &'c [&'c str]) -> Config<'c> {
        Config {
            limits: Limits {
                max_frame_bytes: self.max_frame_bytes(),
                max_message_bytes: self.max_message_bytes,
                max_empty_fragments: self.max_empty_fragments,
            },
            head: martlet_handshake::Limits {
                max_head_bytes: self.max_head_bytes,
                max_headers: self.max_headers,
                // A worker's buffer holds the whole head: nothing is split.
                max_line_bytes: self.max_head_bytes,
            },
            subprotocols,
            head_mode: HeadMode::Whole,
            auto_pong: self.auto_pong,
            max_control_per_second: self.max_control_per_second,
            handshake_timeout_ms: self.handshake_timeout_ms,
            idle_ms: self.idle_ms,
            pong_timeout_ms: self.pong_timeout_ms,
            close_timeout_ms: self.close_timeout_ms,
        }
    }

    fn max_frame_bytes(&self) -> u64 {
        self.max_frame_bytes.unwrap_or(self.max_message_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(Settings::default().check(), Ok(()));
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let base = Settings::default;
        let rows = [
            (Settings { workers: 0, ..base() }, "workers"),
            (Settings { workers: 256, ..base() }, "workers"),
            (Settings { max_message_bytes: 0, ..base() }, "max_message_bytes"),
            (Settings { max_message_bytes: u64::MAX, ..base() }, "max_message_bytes"),
            (Settings { max_frame_bytes: Some(0), ..base() }, "max_frame_bytes"),
            (Settings { max_connections: 0, ..base() }, "max_connections"),
            (Settings { max_connections: MAX_SLOTS + 1, ..base() }, "max_connections"),
            (Settings { backlog: 0, ..base() }, "backlog"),
            (Settings { read_buffer_bytes: 8192, ..base() }, "read_buffer_bytes"),
            (Settings { high_watermark_bytes: 0, ..base() }, "high_watermark_bytes"),
            (Settings { max_backpressure_bytes: 1000, ..base() }, "max_backpressure_bytes"),
            (Settings { close_timeout_ms: 0, ..base() }, "close_timeout_ms"),
            (Settings { pong_timeout_ms: 0, ..base() }, "pong_timeout_ms"),
            (Settings { subprotocols: vec!["not a token".into()], ..base() }, "subprotocols"),
            (Settings { max_headers: 1, ..base() }, "max_headers"),
        ];
        for (settings, name) in rows {
            assert_eq!(settings.check().map_err(|error| error.setting), Err(name));
        }
    }
}
