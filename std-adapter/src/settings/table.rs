//! All settings by name: what the command line and a file may say.

use super::Settings;

/// What there is to know about a setting without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// The name, which is the field's.
    pub name: &'static str,
    /// How it is written.
    pub kind: Kind,
    /// Whether listeners may have one of their own.
    pub scope: Scope,
    /// One line that says what it does, without the default.
    pub help: &'static str,
}

/// How a setting is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A number that is not negative.
    Number,
    /// `true` or `false`.
    Switch,
    /// Seconds, or a text such as `"250ms"`.
    Time,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A file's or directory's name.
    Path,
    /// A list of texts.
    Texts,
    /// A list of addresses, which in a file may be tables.
    Addresses,
}

/// What a setting is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The server as a whole.
    Server,
    /// Connections: each listener may have its own.
    Listener,
}

use Kind::{Addresses, Number, Path, Switch, Texts, Time, Word};
use Scope::{Listener, Server};

const fn row(scope: Scope, name: &'static str, kind: Kind, help: &'static str) -> Setting {
    Setting { name, kind, scope, help }
}

impl Settings {
    /// All settings, in the order of the fields.
    pub const TABLE: &'static [Setting] = &[
        row(
            Server,
            "listen",
            Addresses,
            "Where to listen: 127.0.0.1:9501, [::1]:9501 or unix:/path; port 0 lets the system choose one",
        ),
        row(Server, "worker_num", Number, "Worker threads, 1 to 255"),
        row(Server, "max_connection", Number, "The most connections of the whole server, 1 to 1048576"),
        row(
            Server,
            "max_connection_policy",
            Word(&["refuse", "wait"]),
            "Those beyond it get 503, or wait in the backlog",
        ),
        row(
            Server,
            "max_connection_per_ip",
            Number,
            "The most connections of one address or IPv6 network of 64 bits, others get 429; 0 for any number",
        ),
        row(Server, "backlog", Number, "Connections that the system keeps until they are accepted"),
        row(Server, "reuse_port", Switch, "Each worker has a listening socket of its own"),
        row(Server, "max_wait_time", Time, "How long a server that stops or reloads waits for the peers"),
        row(Server, "read_buffer_bytes", Number, "The buffer that a worker reads into, longer than the longest head"),
        row(Server, "max_mailbox_bytes", Number, "Octets of commands from other threads that may wait for a worker"),
        row(
            Server,
            "max_held_bytes",
            Number,
            "Octets that each worker keeps for all its peers: messages that have come in part, and what waits; beyond it 1013",
        ),
        row(
            Server,
            "compression_level",
            Number,
            "How hard large messages are compressed: 1, the fastest, to 9, the smallest",
        ),
        row(Server, "metrics", Switch, "/metrics shows counters as Prometheus reads them"),
        row(Server, "healthz", Switch, "/healthz answers 200 while the server takes connections"),
        row(Listener, "websocket_subprotocol", Texts, "The subprotocols that are spoken, the best first"),
        row(Listener, "allowed_origins", Texts, "Origins whose pages may open WebSockets, others get 403"),
        row(Listener, "open_websocket_close_frame", Switch, "A peer's Close comes to the handler as a frame"),
        row(
            Listener,
            "open_websocket_ping_frame",
            Switch,
            "Pings come to the handler as frames, which must answer them",
        ),
        row(Listener, "open_websocket_pong_frame", Switch, "Pongs come to the handler as frames"),
        row(Listener, "stream_messages", Switch, "Messages are handed out piece by piece as they come"),
        row(Listener, "websocket_compression", Switch, "Messages are compressed where the client offers it"),
        row(Listener, "compression_threshold", Number, "Messages of so many octets and more are compressed"),
        row(
            Listener,
            "server_no_context_takeover",
            Switch,
            "The server compresses each message by itself, and keeps nothing",
        ),
        row(Listener, "client_no_context_takeover", Switch, "Clients are to compress each message by itself"),
        row(Listener, "server_max_window_bits", Number, "The window that the server compresses with at most, 8 to 15"),
        row(Listener, "client_max_window_bits", Number, "The window that clients may compress with, 8 to 15"),
        row(
            Listener,
            "compression_idle_time",
            Time,
            "What is kept for compressing is given back after so long, 0 for never",
        ),
        row(
            Listener,
            "max_inflate_ratio",
            Number,
            "Octets that may come of a compressed one, 0 for any number; beyond it 1008",
        ),
        row(Listener, "inflate_ratio_floor_bytes", Number, "Messages of no more octets may have any ratio"),
        row(Listener, "package_max_length", Number, "The longest message a peer may send, in octets; beyond it 1009"),
        row(Listener, "max_frame_bytes", Number, "The longest frame a peer may send, in octets; beyond it 1009"),
        row(Listener, "max_empty_fragments", Number, "Empty fragments in a row; beyond it 1008"),
        row(
            Listener,
            "max_control_per_second",
            Number,
            "Control frames of a peer within a second, 0 for any number; beyond it 1008",
        ),
        row(Listener, "max_push_bytes", Number, "The longest message that may be pushed, in octets"),
        row(Listener, "max_head_bytes", Number, "The longest request head, in octets; beyond it 431"),
        row(Listener, "max_headers", Number, "The most headers of a request; beyond it 431"),
        row(Listener, "max_body_bytes", Number, "The longest body of an HTTP request, in octets; beyond it 413"),
        row(Listener, "max_topics", Number, "The most topics of one connection"),
        row(Listener, "handshake_timeout", Time, "How long a peer may take for its request, 0 for ever; beyond it 408"),
        row(Listener, "keepalive_timeout", Time, "How long an HTTP connection may be idle between two requests"),
        row(Listener, "request_timeout", Time, "How long nothing may move of an HTTP request or its answer"),
        row(
            Listener,
            "transfer_timeout",
            Time,
            "How long a message or a request's body may take to come whole, 0 for ever; beyond it 1008 or 408",
        ),
        row(
            Listener,
            "ping_interval",
            Time,
            "After so long without an octet from the peer a Ping is sent, 0 for never",
        ),
        row(Listener, "pong_timeout", Time, "How long after that Ping anything must come; beyond it 1011"),
        row(
            Listener,
            "heartbeat_idle_time",
            Time,
            "A peer of which nothing came for so long is closed with 1008, 0 for never",
        ),
        row(
            Listener,
            "heartbeat_check_interval",
            Time,
            "Those are looked for so often, 0 for as soon as their time has come",
        ),
        row(Listener, "close_timeout", Time, "How long the peer's Close is awaited after ours"),
        row(
            Listener,
            "buffer_high_watermark",
            Number,
            "While more octets than this wait for a peer, nothing is read from it",
        ),
        row(
            Listener,
            "buffer_low_watermark",
            Number,
            "When no more octets than this wait again, the handler hears of it",
        ),
        row(Listener, "max_backpressure", Number, "While more octets than this wait for a peer, nothing is added"),
        row(
            Listener,
            "backpressure_policy",
            Word(&["close", "drop", "error"]),
            "What becomes of what is pushed beyond it",
        ),
        row(Listener, "tcp_nodelay", Switch, "Small packets go at once"),
        row(
            Listener,
            "tcp_keepalive",
            Time,
            "The system asks after so long whether a silent peer is still there, 0 for never",
        ),
        row(
            Listener,
            "socket_buffer_size",
            Number,
            "The system's buffers for each connection, in octets, 0 for its own choice",
        ),
        row(Listener, "document_root", Path, "The directory whose files are served to GET and HEAD"),
        row(Listener, "ssl_cert_file", Path, "The certificates for TLS, the server's own first (PEM)"),
        row(Listener, "ssl_key_file", Path, "The first certificate's key (PEM)"),
    ];

    /// What there is to know about the setting of this name.
    pub fn setting(name: &str) -> Option<&'static Setting> {
        Self::TABLE.iter().find(|setting| setting.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_setting_as_it_is_written() {
        let all = Settings {
            max_frame_bytes: Some(1),
            max_push_bytes: Some(1),
            document_root: Some("www".into()),
            ssl_cert_file: Some("cert.pem".into()),
            ssl_key_file: Some("key.pem".into()),
            ..Settings::default()
        };
        let mut written = toml::Table::try_from(all).unwrap();
        for Setting { name, kind, .. } in Settings::TABLE {
            let value = written.remove(*name).unwrap_or_else(|| panic!("no setting {name}"));
            let fits = match kind {
                Number => value.is_integer(),
                Switch => value.is_bool(),
                Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
                Time => value.as_str().is_some_and(|time| humantime::parse_duration(time).is_ok()),
                Path => value.is_str(),
                Texts | Addresses => value.is_array(),
            };
            assert!(fits, "{name} is no {kind:?}: {value}");
        }
        assert!(written.is_empty(), "not in the table: {written}");
    }

    #[test]
    fn the_words_are_those_of_the_types() {
        for Setting { name, kind, .. } in Settings::TABLE {
            let Word(words) = kind else { continue };
            for word in *words {
                Settings::from_toml(&format!("{name} = {word:?}")).unwrap();
            }
        }
    }
}
