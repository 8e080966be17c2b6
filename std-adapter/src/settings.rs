//! The settings of a server, with defaults that are safe.

mod check;
mod duration;
mod table;
mod text;

use crate::address::Address;
use core::time::Duration;
use martlet_codec::{InflateLimits, Limits};
use martlet_handshake::WindowBits;
use martlet_state::{Config, DeflateParams, DeflateSide, HeadMode};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

pub use check::InvalidSetting;
pub use table::{Kind, Scope, Setting};
pub use text::SettingsError;

/// The settings of a server. [`check`](Self::check) says whether they make sense; so does the server when it starts.
///
/// Names are Swoole's where it has one. In TOML a time is a number of seconds, `0.25`, or a text such as `"250ms"`; sizes are
/// octets. [`from_toml`](Self::from_toml) reads a file's text, [`TABLE`](Self::TABLE) names them all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
// The derived functions leave the listeners out, which `text` puts over them: a listener's table holds what differs there.
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct Settings {
    // The server as a whole.
    /// Where to listen; each may have settings of its own. Default: 127.0.0.1:9501.
    #[serde(skip)]
    pub listen: Vec<Listener>,
    /// Worker threads, 1 to 255. Default: one for each core.
    pub worker_num: usize,
    /// The most connections of the whole server, 1 to 1,048,576. Default: 100,000.
    pub max_connection: u32,
    /// What becomes of those beyond it. Default: 503.
    pub max_connection_policy: OverLimit,
    /// The most connections of one address, an IPv6 network of 64 bits being one; 0 for any number. Beyond it 429. Default: any.
    pub max_connection_per_ip: u32,
    /// Connections that the system keeps for each worker until they are accepted. Default: 1,024.
    pub backlog: u32,
    /// Whether each worker has a listening socket of its own on a TCP port (`SO_REUSEPORT`), among which the system spreads
    /// those who connect; otherwise they share one. Default: yes.
    pub reuse_port: bool,
    /// How long a server that stops or reloads waits for the peers. Default: 5 s.
    #[serde(with = "duration")]
    pub max_wait_time: Duration,
    /// The buffer that a worker reads into, in octets, longer than the longest head. Default: 80 KiB: four messages of 16 KiB are one
    /// read, and what they lead to one write.
    pub read_buffer_bytes: usize,
    /// Octets of commands from other threads that may wait for a worker, beyond which they fail. A message for many that may be
    /// compressed counts once more for each window that it may be compressed for. Default: 64 MiB.
    pub max_mailbox_bytes: usize,
    /// Octets that each worker keeps for all its peers together: messages and bodies that have come in part, and what waits for slow
    /// readers; a frame for many counts once. Who would have it keep more is closed with 1013, gets 503, or is not pushed to, see
    /// [`backpressure_policy`](Self::backpressure_policy). At least twice the longest message. Default: 256 MiB.
    pub max_held_bytes: usize,
    /// How hard large messages are compressed: 1, the fastest, to 9, the smallest. The small compressor, which has what is shorter than
    /// 1 KiB and all messages with context takeover, knows no levels. Default: 1.
    pub compression_level: u8,
    /// Whether `/metrics` shows counters as Prometheus reads them. Default: no.
    pub metrics: bool,
    /// Whether `/healthz` answers 200 while the server takes connections. Default: no.
    pub healthz: bool,

    // What may differ between listeners.
    /// The subprotocols that the server speaks, the one it likes best first. Default: none.
    pub websocket_subprotocol: Vec<String>,
    /// The origins whose pages may open WebSockets, such as `https://example.org`; others get 403. Clients that name none are no
    /// browsers and are let in. Default: any.
    pub allowed_origins: Vec<String>,
    /// Whether a peer's Close comes to `message` as a frame, before `close`. Default: no.
    pub open_websocket_close_frame: bool,
    /// Whether Pings come to `message` as frames. Then to answer them is the handler's duty. Default: no.
    pub open_websocket_ping_frame: bool,
    /// Whether Pongs come to `message` as frames. Default: no.
    pub open_websocket_pong_frame: bool,
    /// Whether messages are handed out piece by piece as they come, by `fragment` instead of `message`. Default: no.
    pub stream_messages: bool,
    /// Whether messages are compressed where the client offers it (permessage-deflate, RFC 7692). Default: no.
    pub websocket_compression: bool,
    /// Messages of so many octets and more are compressed unasked; shorter ones only with [`Flags::COMPRESS`](crate::Flags::COMPRESS).
    /// Default: 1 KiB.
    pub compression_threshold: usize,
    /// Whether the server compresses each message by itself. Then it keeps nothing for a connection; otherwise 6 KiB, once it has
    /// compressed something. Default: yes.
    pub server_no_context_takeover: bool,
    /// Whether clients are told to compress each message by itself. Then nothing is kept for a connection; otherwise what came
    /// last, as much as the client's window holds. Default: yes.
    pub client_no_context_takeover: bool,
    /// The window that the server compresses with at most, 8 to 15 bits. Default: 15, 32 KiB.
    pub server_max_window_bits: u8,
    /// The window that clients may compress with, 8 to 15 bits. With less than 15, clients that cannot be told so are not
    /// compressed. Default: 15, 32 KiB.
    pub client_max_window_bits: u8,
    /// After so long without a compressed message what context takeover keeps for compressing is given back, zero for never. Default: never.
    #[serde(with = "duration")]
    pub compression_idle_time: Duration,
    /// How many octets may come of each compressed one, 0 for any number; beyond it 1008. Default: 1,000.
    pub max_inflate_ratio: u32,
    /// Messages of no more octets may have any ratio. Default: 2 MiB, as long as a message may be.
    pub inflate_ratio_floor_bytes: u64,
    /// The longest message that a peer may send, in octets, inflated if it comes compressed; beyond it the connection is closed with
    /// 1009. Default: 2 MiB.
    pub package_max_length: u64,
    /// The longest frame that a peer may send, in octets. Default: as long as a message.
    pub max_frame_bytes: Option<u64>,
    /// How many empty fragments in a row a peer may send; beyond it 1008. Default: 32.
    pub max_empty_fragments: u8,
    /// How many control frames a peer may send within a second, 0 for any number; beyond it 1008. Default: 100.
    pub max_control_per_second: u16,
    /// The longest message, or fragment of one, that may be pushed, in octets. Default: any.
    pub max_push_bytes: Option<u64>,
    /// The longest request head, in octets; beyond it 431. Default: 8 KiB.
    pub max_head_bytes: u32,
    /// The most headers of a request; beyond it 431. Default: 64.
    pub max_headers: u16,
    /// The longest body of an HTTP request, in octets; beyond it 413. Default: 2 MiB.
    pub max_body_bytes: u64,
    /// The most topics that one connection may be subscribed to. Default: 128.
    pub max_topics: u32,
    /// How long a peer may take for its request, zero for ever; beyond it 408. Default: 10 s.
    #[serde(with = "duration")]
    pub handshake_timeout: Duration,
    /// How long an HTTP connection may be idle between two requests. Default: 15 s.
    #[serde(with = "duration")]
    pub keepalive_timeout: Duration,
    /// How long nothing may move of an HTTP request's body, of its answer when that is deferred, or of the response. Default: 30 s.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// How long a message, or the body of an HTTP request, may take to come whole, zero for ever; beyond it 1008, or 408. Not for
    /// messages that are handed out in pieces. Default: 5 min.
    #[serde(with = "duration")]
    pub transfer_timeout: Duration,
    /// After so long without an octet from the peer a Ping is sent, zero for never. Default: 30 s.
    #[serde(with = "duration")]
    pub ping_interval: Duration,
    /// How long after that Ping anything must come. Default: 20 s.
    #[serde(with = "duration")]
    pub pong_timeout: Duration,
    /// A peer of which nothing came for so long is closed with 1008, zero for never. Default: never, for Pings find the dead.
    #[serde(with = "duration")]
    pub heartbeat_idle_time: Duration,
    /// Those are looked for so often. Default: whenever their time has come.
    #[serde(with = "duration")]
    pub heartbeat_check_interval: Duration,
    /// How long after our Close the peer's is awaited, and how long a peer that is being let go may take to read what is under
    /// way. Default: 5 s.
    #[serde(with = "duration")]
    pub close_timeout: Duration,
    /// While more than so many octets wait for a peer that does not read, nothing is read from it, and `buffer_full` has been
    /// called. Default: 256 KiB.
    pub buffer_high_watermark: usize,
    /// When no more than so many octets wait for a peer that was too slow, `drain` is called. Default: 0, all is gone.
    pub buffer_low_watermark: usize,
    /// While more than so many octets wait for a peer, nothing is added. One frame more than this may wait, however long it is,
    /// so that no frame is impossible. Default: 1 MiB.
    pub max_backpressure: usize,
    /// What becomes of what is pushed beyond it. Default: the connection is closed with 1013.
    pub backpressure_policy: Backpressure,
    /// Whether small packets go at once (`TCP_NODELAY`). Default: yes, for what is sent in one turn is put together anyway.
    pub tcp_nodelay: bool,
    /// How long a connection is silent before the system asks whether it is still there (`SO_KEEPALIVE`), zero for never.
    /// Default: never, for Pings ask.
    #[serde(with = "duration")]
    pub tcp_keepalive: Duration,
    /// The system's buffers for each connection, in octets, 0 for its own choice. Default: 0.
    pub socket_buffer_size: usize,
    /// The directory whose files are served to GET and HEAD. Default: none.
    pub document_root: Option<PathBuf>,
    /// The certificates of a listener that speaks TLS, the server's own first, in PEM. Read again when workers are
    /// [reloaded](crate::Handle::reload). Default: none, no TLS.
    pub ssl_cert_file: Option<PathBuf>,
    /// The key of the first certificate, in PEM. Default: none.
    pub ssl_key_file: Option<PathBuf>,
}

/// A place to listen at. In TOML either the address alone, or a table of `address` and the settings that differ there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub address: Address,
    /// The settings of the connections that come from there; `None` for the server's. Those that are for the server as a whole must
    /// be the server's.
    pub settings: Option<Box<Settings>>,
}

/// What becomes of connections beyond [`max_connection`](Settings::max_connection).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OverLimit {
    /// They are answered with 503 and closed.
    Refuse,
    /// They wait in the backlog until there is room.
    Wait,
}

/// What becomes of a push beyond [`max_backpressure`](Settings::max_backpressure). It fails in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backpressure {
    /// The connection is closed with 1013 as well.
    Close,
    /// What `publish` and `broadcast` send is left out silently for this connection; a push of its own fails.
    Drop,
    /// A push fails, and the caller decides. `publish` and `broadcast` leave the connection out, and say that they did.
    Error,
}

impl Default for Settings {
    fn default() -> Self {
        let core = Config::DEFAULT;
        let ms = |ms: u32| Duration::from_millis(u64::from(ms));
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 9501)).into()],
            worker_num: std::thread::available_parallelism().map_or(1, |cores| cores.get().min(255)),
            max_connection: 100_000,
            max_connection_policy: OverLimit::Refuse,
            max_connection_per_ip: 0,
            backlog: 1_024,
            reuse_port: true,
            max_wait_time: Duration::from_secs(5),
            read_buffer_bytes: 80 * 1024,
            max_mailbox_bytes: 64 * 1024 * 1024,
            max_held_bytes: 256 * 1024 * 1024,
            compression_level: 1,
            metrics: false,
            healthz: false,
            websocket_subprotocol: Vec::new(),
            allowed_origins: Vec::new(),
            open_websocket_close_frame: false,
            open_websocket_ping_frame: false,
            open_websocket_pong_frame: false,
            stream_messages: false,
            websocket_compression: false,
            compression_threshold: 1024,
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
            compression_idle_time: Duration::ZERO,
            max_inflate_ratio: InflateLimits::DEFAULT.max_ratio,
            inflate_ratio_floor_bytes: core.limits.max_message_bytes,
            package_max_length: core.limits.max_message_bytes,
            max_frame_bytes: None,
            max_empty_fragments: core.limits.max_empty_fragments,
            max_control_per_second: core.max_control_per_second,
            max_push_bytes: None,
            max_head_bytes: core.head.max_head_bytes,
            max_headers: core.head.max_headers,
            max_body_bytes: 2 * 1024 * 1024,
            max_topics: 128,
            handshake_timeout: ms(core.handshake_timeout_ms),
            keepalive_timeout: Duration::from_secs(15),
            request_timeout: Duration::from_secs(30),
            transfer_timeout: Duration::from_secs(300),
            ping_interval: ms(core.idle_ms),
            pong_timeout: ms(core.pong_timeout_ms),
            heartbeat_idle_time: Duration::ZERO,
            heartbeat_check_interval: Duration::ZERO,
            close_timeout: ms(core.close_timeout_ms),
            buffer_high_watermark: 256 * 1024,
            buffer_low_watermark: 0,
            max_backpressure: 1024 * 1024,
            backpressure_policy: Backpressure::Close,
            tcp_nodelay: true,
            tcp_keepalive: Duration::ZERO,
            socket_buffer_size: 0,
            document_root: None,
            ssl_cert_file: None,
            ssl_key_file: None,
        }
    }
}

impl Settings {
    /// The subprotocols as the core takes them.
    pub(crate) fn subprotocols(&self) -> Vec<&str> {
        self.websocket_subprotocol.iter().map(String::as_str).collect()
    }

    /// The core's part of the settings.
    pub(crate) fn config<'c>(&self, subprotocols: &'c [&'c str]) -> Config<'c> {
        Config {
            deflate: self.websocket_compression.then(|| self.compression()),
            limits: Limits {
                max_frame_bytes: self.max_frame_bytes(),
                max_message_bytes: self.package_max_length,
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
            auto_pong: !self.open_websocket_ping_frame,
            max_control_per_second: self.max_control_per_second,
            handshake_timeout_ms: ms(self.handshake_timeout),
            idle_ms: ms(self.ping_interval),
            pong_timeout_ms: ms(self.pong_timeout),
            close_timeout_ms: ms(self.close_timeout),
        }
    }

    /// What is agreed to at most.
    fn compression(&self) -> DeflateParams {
        let side = |no_context_takeover, bits| DeflateSide {
            no_context_takeover,
            max_window_bits: WindowBits::new(bits).filter(|bits| *bits != WindowBits::B15),
        };
        DeflateParams {
            server: side(self.server_no_context_takeover, self.server_max_window_bits),
            client: side(self.client_no_context_takeover, self.client_max_window_bits),
        }
    }

    /// The longest message that may be pushed to the connections of some listener.
    pub(crate) fn longest_push(&self) -> u64 {
        let of = |listener: &Listener| listener.settings.as_deref().unwrap_or(self).max_push_bytes;
        self.listen.iter().map(|listener| of(listener).unwrap_or(u64::MAX)).max().unwrap_or(u64::MAX)
    }

    /// From how many octets on a message is compressed for the connections of some listener; `None` for none.
    pub(crate) fn compressed_from(&self) -> Option<usize> {
        let listeners = self.listen.iter().map(|listener| listener.settings.as_deref().unwrap_or(self));
        listeners.filter(|own| own.websocket_compression).map(|own| own.compression_threshold).min()
    }

    pub(crate) fn max_frame_bytes(&self) -> u64 {
        self.max_frame_bytes.unwrap_or(self.package_max_length)
    }
}

/// Whole milliseconds, as the core counts; a time that is not zero does not become zero.
pub(crate) fn ms(time: Duration) -> u32 {
    let ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    if time.is_zero() { 0 } else { ms.max(1) }
}

impl From<Address> for Listener {
    fn from(address: Address) -> Self {
        Self { address, settings: None }
    }
}

impl From<SocketAddr> for Listener {
    fn from(address: SocketAddr) -> Self {
        Address::Tcp(address).into()
    }
}
