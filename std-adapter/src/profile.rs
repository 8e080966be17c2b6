//! A listener's settings as its connections use them.

use crate::budget::Budget;
use crate::settings::{Settings, ms};
use crate::socket::Socket;
use crate::stats::Counters;
#[cfg(feature = "tls")]
use crate::tls::TlsSocket;
use martlet_codec::InflateLimits;
use martlet_state::{Config, Instant};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

/// Longer payloads are not copied but written from where they lie. Below it a copy costs less than one more write and what comes of it.
pub(crate) const COPIED: usize = 24 * 1024;

/// What all connections of one listener share.
#[derive(Debug)]
pub(crate) struct Profile<'c> {
    pub(crate) settings: &'c Settings,
    /// Those of the worker.
    pub(crate) counters: &'c Counters,
    /// What the worker keeps for all its peers.
    // A reference, so that nothing is left to be done with profiles at a worker's end: that would take a register of its loop.
    pub(crate) budget: &'c Rc<Budget>,
    /// The address that all connections are to; `None` if it listens at all of the host's, or at a path.
    pub(crate) local: Option<SocketAddr>,
    /// The core's part of them.
    pub(crate) config: Config<'c>,
    /// Longer messages are no matter of course: they are compressed, not copied, or may not be pushed at all.
    pub(crate) short: usize,
    /// Messages are handed out in pieces. Here, where the data path has it at hand.
    pub(crate) streams: bool,
    /// What compressed messages may grow to.
    pub(crate) inflate: InflateLimits,
    /// How long a message or a body may take to come, 0 for ever.
    transfer_ms: u32,
    /// The heartbeat's idle time and its check interval, 0 for none.
    heartbeat_ms: (u32, u32),
    #[cfg(feature = "tls")]
    tls: Option<std::sync::Arc<rustls::ServerConfig>>,
}

impl<'c> Profile<'c> {
    /// Fails if a certificate cannot be read.
    pub(crate) fn new(
        settings: &'c Settings,
        subprotocols: &'c [&'c str],
        counters: &'c Counters,
        budget: &'c Rc<Budget>,
        local: Option<SocketAddr>,
    ) -> Result<Self, String> {
        let pushed = settings.max_push_bytes.map_or(COPIED, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let threshold = settings.websocket_compression.then_some(settings.compression_threshold);
        let plain = threshold.map_or(COPIED, |threshold| threshold.saturating_sub(1));
        Ok(Self {
            #[cfg(feature = "tls")]
            tls: crate::tls::config(settings)?,
            settings,
            counters,
            budget,
            local,
            config: settings.config(subprotocols),
            short: pushed.min(plain).min(COPIED),
            streams: settings.stream_messages,
            inflate: InflateLimits {
                max_message_bytes: settings.package_max_length,
                max_ratio: settings.max_inflate_ratio,
                ratio_floor_bytes: settings.inflate_ratio_floor_bytes,
            },
            transfer_ms: ms(settings.transfer_timeout),
            heartbeat_ms: (ms(settings.heartbeat_idle_time), ms(settings.heartbeat_check_interval)),
        })
    }

    /// Has a new socket speak TLS where that is set.
    pub(crate) fn seal(&self, socket: Socket) -> io::Result<Socket> {
        match (socket, self) {
            #[cfg(feature = "tls")]
            (Socket::Tcp(socket), Self { tls: Some(config), .. }) => {
                Ok(Socket::Tls(Box::new(TlsSocket::new(socket, config)?)))
            }
            (socket, _) => Ok(socket),
        }
    }

    /// When a message or a body must be whole that begins to come at this moment.
    pub(crate) fn transfer_end(&self, now: Instant) -> Instant {
        if self.transfer_ms == 0 { Instant(u64::MAX) } else { now.after(self.transfer_ms) }
    }

    /// When the heartbeat ends a connection that was last heard of at this moment; `None` for never.
    pub(crate) fn silent_at(&self, heard: Instant) -> Option<Instant> {
        let (idle_ms, check_ms) = self.heartbeat_ms;
        if idle_ms == 0 {
            return None;
        }
        let at = heard.after(idle_ms);
        let check_ms = u64::from(check_ms.max(1));
        // Who is looked for now and then is found at the first look after that.
        Some(Instant(at.0.div_ceil(check_ms).saturating_mul(check_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn who_is_silent_is_found_when_it_is_looked_for() {
        let at = |idle, check, heard| {
            let settings = Settings {
                heartbeat_idle_time: Duration::from_millis(idle),
                heartbeat_check_interval: Duration::from_millis(check),
                ..Settings::default()
            };
            Profile::new(&settings, &[], &Counters::default(), &Budget::new(0), None)
                .unwrap()
                .silent_at(Instant(heard))
                .map(|at| at.0)
        };
        assert_eq!(at(0, 0, 5), None);
        assert_eq!(at(1000, 0, 5), Some(1005));
        for (heard, found) in [(0, 1200), (200, 1200), (201, 1500), (500, 1500), (501, 1800), (u64::MAX, u64::MAX)] {
            assert_eq!(at(1000, 300, heard), Some(found), "{heard}");
        }
    }
}
