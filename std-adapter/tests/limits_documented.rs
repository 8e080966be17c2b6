//! `docs/limits.md` says what the code says.

use martlet_codec::Limits;
use martlet_state::Config;
use martlet_std::Settings;
use std::fmt::Display;

fn documented(setting: &str, default: impl Display) {
    let row = format!("\n| `{setting}` | {default} |");
    let text = include_str!("../../docs/limits.md");
    assert!(text.contains(&row), "docs/limits.md must have a row that begins with {row:?}");
}

/// Takes the settings apart without leaving any out, so that a new one does not compile until it has its row.
#[test]
fn every_setting_of_the_core_has_its_row() {
    let Config {
        limits: Limits { max_frame_bytes, max_message_bytes, max_empty_fragments },
        head: martlet_handshake::Limits { max_head_bytes, max_headers, max_line_bytes },
        max_control_per_second,
        handshake_timeout_ms,
        idle_ms,
        pong_timeout_ms,
        close_timeout_ms,
        // No bounds.
        subprotocols: _,
        head_mode: _,
        auto_pong: _,
    } = Config::DEFAULT;
    documented("max_frame_bytes", max_frame_bytes);
    documented("max_message_bytes", max_message_bytes);
    documented("max_empty_fragments", max_empty_fragments);
    documented("max_control_per_second", max_control_per_second);
    documented("max_head_bytes", max_head_bytes);
    documented("max_headers", max_headers);
    documented("max_line_bytes", max_line_bytes);
    documented("handshake_timeout_ms", handshake_timeout_ms);
    documented("idle_ms", idle_ms);
    documented("pong_timeout_ms", pong_timeout_ms);
    documented("close_timeout_ms", close_timeout_ms);
}

#[test]
fn every_setting_of_the_server_has_its_row_and_the_others_are_the_core_s() {
    let Settings {
        max_message_bytes,
        max_frame_bytes,
        max_empty_fragments,
        max_control_per_second,
        max_head_bytes,
        max_headers,
        handshake_timeout_ms,
        idle_ms,
        pong_timeout_ms,
        close_timeout_ms,
        shutdown_grace_ms,
        high_watermark_bytes,
        max_backpressure_bytes,
        max_connections,
        backlog,
        read_buffer_bytes,
        max_mailbox_bytes,
        // The machine's.
        workers: _,
        // No bounds.
        listen: _,
        subprotocols: _,
        auto_pong: _,
        tcp_nodelay: _,
    } = Settings::default();
    documented("max_message_bytes", max_message_bytes);
    documented("max_frame_bytes", max_frame_bytes.unwrap_or(max_message_bytes));
    documented("max_empty_fragments", max_empty_fragments);
    documented("max_control_per_second", max_control_per_second);
    documented("max_head_bytes", max_head_bytes);
    documented("max_headers", max_headers);
    documented("handshake_timeout_ms", handshake_timeout_ms);
    documented("idle_ms", idle_ms);
    documented("pong_timeout_ms", pong_timeout_ms);
    documented("close_timeout_ms", close_timeout_ms);
    documented("shutdown_grace_ms", shutdown_grace_ms);
    documented("high_watermark_bytes", high_watermark_bytes);
    documented("max_backpressure_bytes", max_backpressure_bytes);
    documented("max_connections", max_connections);
    documented("backlog", backlog);
    documented("read_buffer_bytes", read_buffer_bytes);
    documented("max_mailbox_bytes", max_mailbox_bytes);
    documented("workers", "one for each core");
}
