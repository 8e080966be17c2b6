//! Settings that make no sense are refused by name.

use super::{Listener, Settings};
use crate::id::MAX_SLOTS;
use core::fmt;
use core::time::Duration;

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

/// Whether a rule is broken, by which setting, and what to say.
type Rule = (bool, &'static str, &'static str);

fn obey(rules: impl IntoIterator<Item = Rule>) -> Result<(), InvalidSetting> {
    match rules.into_iter().find(|(broken, ..)| *broken) {
        Some((_, setting, reason)) => Err(InvalidSetting { setting, reason }),
        None => Ok(()),
    }
}

impl Settings {
    /// Refuses what makes no sense, here or at a listener.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        obey(self.rules_of_the_server())?;
        self.check_connections()?;
        for Listener { settings, .. } in &self.listen {
            if let Some(own) = settings {
                obey(self.rules_of_a_listener(own))?;
                own.check_connections()?;
            }
        }
        Ok(())
    }

    fn rules_of_the_server(&self) -> [Rule; 10] {
        let twice = self.listen.iter().enumerate().any(|(at, one)| {
            let fixed = !matches!(one.address, crate::Address::Tcp(address) if address.port() == 0);
            fixed && self.listen.iter().skip(at + 1).any(|other| other.address == one.address)
        });
        [
            (self.listen.is_empty(), "listen", "a server listens somewhere"),
            (self.listen.len() > 255, "listen", "at most 255 places"),
            (twice, "listen", "the same address twice"),
            (!(1..=255).contains(&self.worker_num), "worker_num", "must be 1 to 255"),
            (!(1..=MAX_SLOTS).contains(&self.max_connection), "max_connection", "must be 1 to 1048576"),
            (!(1..=i32::MAX as u32).contains(&self.backlog), "backlog", "must be 1 to 2147483647"),
            (self.read_buffer_bytes > 1 << 30, "read_buffer_bytes", "must be at most 1 GiB"),
            (self.max_mailbox_bytes == 0, "max_mailbox_bytes", "0 allows no command"),
            (!(1..=9).contains(&self.compression_level), "compression_level", "must be 1 to 9"),
            (self.max_wait_time > LONGEST, "max_wait_time", "must be at most 49 days"),
        ]
    }

    /// A listener's settings may not differ in what the server has once.
    fn rules_of_a_listener(&self, own: &Self) -> [Rule; 14] {
        const WHY: &str = "is for the server as a whole, and cannot differ at a listener";
        [
            (own.worker_num != self.worker_num, "worker_num", WHY),
            (own.max_connection != self.max_connection, "max_connection", WHY),
            (own.max_connection_policy != self.max_connection_policy, "max_connection_policy", WHY),
            (own.max_connection_per_ip != self.max_connection_per_ip, "max_connection_per_ip", WHY),
            (own.backlog != self.backlog, "backlog", WHY),
            (own.reuse_port != self.reuse_port, "reuse_port", WHY),
            (own.max_wait_time != self.max_wait_time, "max_wait_time", WHY),
            (own.read_buffer_bytes != self.read_buffer_bytes, "read_buffer_bytes", WHY),
            (own.max_mailbox_bytes != self.max_mailbox_bytes, "max_mailbox_bytes", WHY),
            (own.max_held_bytes != self.max_held_bytes, "max_held_bytes", WHY),
            (own.compression_level != self.compression_level, "compression_level", WHY),
            (own.metrics != self.metrics, "metrics", WHY),
            (own.healthz != self.healthz, "healthz", WHY),
            (
                own.max_head_bytes as usize >= self.read_buffer_bytes,
                "max_head_bytes",
                "must be less than read_buffer_bytes",
            ),
        ]
    }

    fn check_connections(&self) -> Result<(), InvalidSetting> {
        let longest = self.package_max_length.max(self.max_frame_bytes());
        let head = usize::try_from(self.max_head_bytes).unwrap_or(usize::MAX);
        let heartbeat = self.heartbeat_check_interval;
        obey([
            (self.package_max_length == 0, "package_max_length", "0 allows no message"),
            (longest > isize::MAX as u64, "package_max_length", "no memory of this machine could hold such a message"),
            (self.read_buffer_bytes <= head, "read_buffer_bytes", "must be more than max_head_bytes"),
            (self.holds_too_little(), "max_held_bytes", "must be at least twice package_max_length and max_body_bytes"),
            (self.buffer_high_watermark == 0, "buffer_high_watermark", "0 would never read"),
            (
                self.buffer_low_watermark >= self.buffer_high_watermark,
                "buffer_low_watermark",
                "must be less than buffer_high_watermark",
            ),
            (
                self.max_backpressure < self.buffer_high_watermark,
                "max_backpressure",
                "must be at least buffer_high_watermark",
            ),
            (!(8..=15).contains(&self.server_max_window_bits), "server_max_window_bits", "must be 8 to 15"),
            (!(8..=15).contains(&self.client_max_window_bits), "client_max_window_bits", "must be 8 to 15"),
            (
                self.ssl_cert_file.is_some() != self.ssl_key_file.is_some(),
                "ssl_cert_file",
                "certificate and key (ssl_key_file) go together",
            ),
            (
                self.ssl_cert_file.is_some() && cfg!(not(feature = "tls")),
                "ssl_cert_file",
                "needs a build with the feature `tls`",
            ),
            (self.max_push_bytes == Some(0), "max_push_bytes", "0 allows no push"),
            (
                heartbeat > self.heartbeat_idle_time,
                "heartbeat_check_interval",
                "must be at most heartbeat_idle_time, without which nobody is looked for",
            ),
            (self.keepalive_timeout.is_zero(), "keepalive_timeout", "must be more than zero"),
            (self.request_timeout.is_zero(), "request_timeout", "must be more than zero"),
            (self.close_timeout.is_zero(), "close_timeout", "must be more than zero"),
            (
                self.pong_timeout.is_zero() && !self.ping_interval.is_zero(),
                "pong_timeout",
                "must be more than zero where Pings are sent",
            ),
            (
                !self.tcp_keepalive.is_zero() && !(1..=32_767).contains(&self.tcp_keepalive.as_secs()),
                "tcp_keepalive",
                "must be 1 to 32767 seconds, or 0 for never",
            ),
            (self.socket_buffer_size > i32::MAX as usize, "socket_buffer_size", "must be at most 2147483647"),
        ])?;
        obey(self.times().map(|(time, name)| (time > LONGEST, name, "must be at most 49 days")))?;
        obey(self.allowed_origins.iter().map(|origin| {
            (!is_origin(origin), "allowed_origins", "an origin is scheme://host or scheme://host:port, without a path")
        }))?;
        let subprotocols = self.subprotocols();
        self.config(&subprotocols)
            .check()
            .map_err(|error| InvalidSetting { setting: name_here(error.setting), reason: error.reason })
    }

    /// Memory that grows is twice as much as it was, so that a message which has half come may take as much as the whole.
    const fn holds_too_little(&self) -> bool {
        let message = if self.stream_messages { 0 } else { self.package_max_length };
        let longest = if message > self.max_body_bytes { message } else { self.max_body_bytes };
        (self.max_held_bytes as u64) < longest.saturating_mul(2)
    }

    const fn times(&self) -> [(Duration, &'static str); 11] {
        [
            (self.handshake_timeout, "handshake_timeout"),
            (self.keepalive_timeout, "keepalive_timeout"),
            (self.request_timeout, "request_timeout"),
            (self.transfer_timeout, "transfer_timeout"),
            (self.ping_interval, "ping_interval"),
            (self.pong_timeout, "pong_timeout"),
            (self.heartbeat_idle_time, "heartbeat_idle_time"),
            (self.heartbeat_check_interval, "heartbeat_check_interval"),
            (self.close_timeout, "close_timeout"),
            (self.compression_idle_time, "compression_idle_time"),
            (self.tcp_keepalive, "tcp_keepalive"),
        ]
    }
}

/// What 32 bits of milliseconds hold.
const LONGEST: Duration = Duration::from_millis(u32::MAX as u64);

/// RFC 6454 section 6.2, or the word that stands for an opaque one.
fn is_origin(text: &str) -> bool {
    let after =
        text.split_once("://").map(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty() && !rest.contains('/'));
    text == "null" || after == Some(true)
}

/// The core's names of settings that have another one here.
fn name_here(core: &'static str) -> &'static str {
    match core {
        "max_message_bytes" => "package_max_length",
        "subprotocols" => "websocket_subprotocol",
        "handshake_timeout_ms" => "handshake_timeout",
        "idle_ms" => "ping_interval",
        "pong_timeout_ms" => "pong_timeout",
        "close_timeout_ms" => "close_timeout",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Kind, OverLimit};
    use std::net::{Ipv4Addr, SocketAddr};

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(Settings::default().check(), Ok(()));
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let base = Settings::default;
        let own = |settings| Listener { settings: Some(Box::new(settings)), ..base().listen.remove(0) };
        let rows = [
            (Settings { listen: Vec::new(), ..base() }, "listen"),
            (Settings { listen: [base().listen, base().listen].concat(), ..base() }, "listen"),
            (Settings { listen: vec![own(Settings { backlog: 7, ..base() })], ..base() }, "backlog"),
            (Settings { listen: vec![own(Settings { max_headers: 1, ..base() })], ..base() }, "max_headers"),
            (Settings { worker_num: 0, ..base() }, "worker_num"),
            (Settings { worker_num: 256, ..base() }, "worker_num"),
            (Settings { package_max_length: 0, ..base() }, "package_max_length"),
            (Settings { package_max_length: u64::MAX, ..base() }, "package_max_length"),
            (Settings { max_frame_bytes: Some(0), ..base() }, "max_frame_bytes"),
            (Settings { max_push_bytes: Some(0), ..base() }, "max_push_bytes"),
            (Settings { max_connection: 0, ..base() }, "max_connection"),
            (Settings { max_connection: MAX_SLOTS + 1, ..base() }, "max_connection"),
            (Settings { backlog: 0, ..base() }, "backlog"),
            (Settings { read_buffer_bytes: 8192, ..base() }, "read_buffer_bytes"),
            (Settings { max_held_bytes: (4 << 20) - 1, ..base() }, "max_held_bytes"),
            (Settings { max_body_bytes: 1 << 28, ..base() }, "max_held_bytes"),
            (Settings { buffer_high_watermark: 0, ..base() }, "buffer_high_watermark"),
            (Settings { buffer_low_watermark: 256 * 1024, ..base() }, "buffer_low_watermark"),
            (Settings { max_backpressure: 1000, ..base() }, "max_backpressure"),
            (Settings { close_timeout: Duration::ZERO, ..base() }, "close_timeout"),
            (Settings { pong_timeout: Duration::ZERO, ..base() }, "pong_timeout"),
            (Settings { ping_interval: Duration::MAX, ..base() }, "ping_interval"),
            (
                Settings {
                    heartbeat_idle_time: Duration::from_secs(1),
                    heartbeat_check_interval: Duration::from_secs(2),
                    ..base()
                },
                "heartbeat_check_interval",
            ),
            (Settings { heartbeat_check_interval: Duration::from_secs(2), ..base() }, "heartbeat_check_interval"),
            (Settings { tcp_keepalive: Duration::from_millis(999), ..base() }, "tcp_keepalive"),
            (Settings { socket_buffer_size: usize::MAX, ..base() }, "socket_buffer_size"),
            (Settings { allowed_origins: vec!["https://a/b".into()], ..base() }, "allowed_origins"),
            (Settings { websocket_subprotocol: vec!["not a token".into()], ..base() }, "websocket_subprotocol"),
            (Settings { max_headers: 1, ..base() }, "max_headers"),
            (Settings { listen: (0..256).flat_map(|_| any()).collect(), ..base() }, "listen"),
            (Settings { read_buffer_bytes: (1 << 30) + 1, ..base() }, "read_buffer_bytes"),
            (Settings { max_mailbox_bytes: 0, ..base() }, "max_mailbox_bytes"),
            (Settings { compression_level: 0, ..base() }, "compression_level"),
            (Settings { compression_level: 10, ..base() }, "compression_level"),
            (Settings { server_max_window_bits: 7, ..base() }, "server_max_window_bits"),
            (Settings { client_max_window_bits: 16, ..base() }, "client_max_window_bits"),
            (Settings { ssl_cert_file: Some("a".into()), ..base() }, "ssl_cert_file"),
            (Settings { ssl_key_file: Some("a".into()), ..base() }, "ssl_cert_file"),
            (Settings { keepalive_timeout: Duration::ZERO, ..base() }, "keepalive_timeout"),
            (Settings { request_timeout: Duration::ZERO, ..base() }, "request_timeout"),
            (Settings { tcp_keepalive: Duration::from_secs(32_768), ..base() }, "tcp_keepalive"),
        ];
        for (settings, name) in rows {
            assert_eq!(settings.check().map_err(|error| error.setting), Err(name));
        }
        assert_eq!(Settings { listen: (0..255).flat_map(|_| any()).collect(), ..base() }.check(), Ok(()));
    }

    /// Any place, which is not twice the same.
    fn any() -> Vec<Listener> {
        vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()]
    }

    #[test]
    fn what_a_server_has_once_cannot_differ_at_a_listener() {
        let base = Settings::default;
        let rows = [
            (Settings { worker_num: 255, ..base() }, "worker_num"),
            (Settings { max_connection: 7, ..base() }, "max_connection"),
            (Settings { max_connection_policy: OverLimit::Wait, ..base() }, "max_connection_policy"),
            (Settings { max_connection_per_ip: 7, ..base() }, "max_connection_per_ip"),
            (Settings { reuse_port: false, ..base() }, "reuse_port"),
            (Settings { max_wait_time: Duration::ZERO, ..base() }, "max_wait_time"),
            (Settings { read_buffer_bytes: 1 << 20, ..base() }, "read_buffer_bytes"),
            (Settings { max_mailbox_bytes: 7, ..base() }, "max_mailbox_bytes"),
            (Settings { max_held_bytes: 1 << 30, ..base() }, "max_held_bytes"),
            (Settings { compression_level: 7, ..base() }, "compression_level"),
            (Settings { metrics: true, ..base() }, "metrics"),
            (Settings { healthz: true, ..base() }, "healthz"),
            (Settings { max_head_bytes: 80 * 1024, ..base() }, "max_head_bytes"),
        ];
        for (own, name) in rows {
            let listen = vec![Listener { settings: Some(Box::new(own)), ..any().remove(0) }];
            assert_eq!(Settings { listen, ..base() }.check().map_err(|error| error.setting), Err(name));
        }
    }

    #[test]
    fn no_time_is_longer_than_its_milliseconds_can_be_counted() {
        for setting in Settings::TABLE.iter().filter(|setting| setting.kind == Kind::Time) {
            let error = Settings::from_toml(&format!("{} = \"60d\"", setting.name)).unwrap_err();
            assert_eq!(error.setting(), Some(setting.name), "{error}");
            assert!(error.reason().starts_with("must be "), "{error}");
        }
    }
}
