//! `docs/limits.md`, `docs/martlet.toml` and the README say what the code says.

use martlet_codec::Limits;
use martlet_state::Config;
use martlet_std::{Settings, SettingsError};
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
        deflate: _,
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
fn every_setting_of_the_server_has_its_row() {
    let table = toml::Table::try_from(Settings { worker_num: 1, ..Settings::default() }).unwrap();
    let text = include_str!("../../docs/limits.md");
    for (setting, default) in &table {
        let row = match default {
            // The machine's, or a list.
            _ if setting == "worker_num" || default.is_array() => format!("\n| `{setting}` | "),
            toml::Value::String(text) => format!("\n| `{setting}` | {text} |"),
            other => format!("\n| `{setting}` | {other} |"),
        };
        assert!(text.contains(&row), "docs/limits.md must have a row that begins with {row:?}");
    }
}

#[test]
fn every_setting_without_a_default_is_named() {
    let table = toml::Table::try_from(Settings::default()).unwrap();
    let text = include_str!("../../docs/limits.md");
    for setting in Settings::TABLE.iter().filter(|setting| !table.contains_key(setting.name)) {
        assert!(text.contains(&format!("`{}` (", setting.name)), "docs/limits.md must name {}", setting.name);
    }
}

const EXAMPLE: &str = include_str!("../../docs/martlet.toml");

#[test]
fn the_example_file_is_the_defaults() {
    assert_eq!(Settings::from_toml(EXAMPLE), Ok(Settings::default()));
}

#[test]
fn the_example_file_names_every_setting_and_what_it_leaves_out_can_be_said() {
    let mut written: toml::Table = EXAMPLE.parse().unwrap();
    for line in EXAMPLE.lines().filter_map(|line| line.strip_prefix('#')) {
        // Prose has a space behind its mark.
        if !line.is_empty() && !line.starts_with(' ') {
            match Settings::from_toml(line) {
                // Certificate and key go only together, and only with the feature `tls`: that much was read.
                Err(SettingsError::Invalid(invalid))
                    if line.starts_with("ssl_") && invalid.setting == "ssl_cert_file" => {}
                done => drop(done.unwrap_or_else(|why| panic!("{line}: {why}"))),
            }
            written.extend(line.parse::<toml::Table>().unwrap());
        }
    }
    let names: Vec<_> =
        Settings::TABLE.iter().map(|setting| setting.name).filter(|name| !written.contains_key(*name)).collect();
    assert!(names.is_empty(), "docs/martlet.toml must name {names:?}");
}

#[test]
fn the_readmes_settings_are_settings() {
    let readme = include_str!("../../README.md");
    let (_, text) = readme.split_once("```toml\n# martlet serve").expect("a file of settings");
    let (text, _) = text.split_once("```").unwrap();
    let settings = Settings::from_toml(&format!("#{text}")).unwrap();
    assert_eq!((settings.max_connection, settings.listen.len()), (50_000, 3));
}
