//! The command line.

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use martlet_std::Settings;
use std::net::SocketAddr;
use tracing_subscriber::EnvFilter;

/// Where the log's level is set.
const LOG: &str = "MARTLET_LOG";

/// A WebSocket server: a chat page at /, WebSockets at /chat and /echo.
///
/// Without a command it serves with the defaults.
#[derive(Debug, Parser)]
#[command(name = "martlet", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT; the second one ends at once.
    ///
    /// The log goes to standard error; MARTLET_LOG sets its level, such as `info` or `martlet_std=debug`.
    Serve(Serve),
}

#[derive(Args, Debug)]
struct Serve {
    /// Where to listen; port 0 lets the system choose one
    #[arg(long, value_name = "ADDR:PORT", default_value_t = defaults().listen)]
    listen: SocketAddr,
    /// Worker threads, 1 to 255 [default: one for each core]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// The longest message a peer may send, in octets
    #[arg(long, value_name = "N", default_value_t = defaults().max_message_bytes)]
    max_message_bytes: u64,
    /// The longest frame a peer may send, in octets [default: as long as a message]
    #[arg(long, value_name = "N")]
    max_frame_bytes: Option<u64>,
    /// Octets that may wait for a peer that reads slowly; beyond it the connection is closed with 1013
    #[arg(long, value_name = "N", default_value_t = defaults().max_backpressure_bytes)]
    max_backpressure_bytes: usize,
    /// Octets that wait for a peer before nothing is read from it until it reads
    #[arg(long, value_name = "N", default_value_t = defaults().high_watermark_bytes)]
    high_watermark_bytes: usize,
    /// The most connections; beyond it new ones wait
    #[arg(long, value_name = "N", default_value_t = defaults().max_connections)]
    max_connections: u32,
    /// Connections that the system keeps until they are accepted, for each worker
    #[arg(long, value_name = "N", default_value_t = defaults().backlog)]
    backlog: u32,
    /// Control frames that a peer may send within a second; 0 for any number
    #[arg(long, value_name = "N", default_value_t = defaults().max_control_per_second)]
    max_control_per_second: u16,
    /// How long a handshake may take; 0 for ever
    #[arg(long, value_name = "MS", default_value_t = defaults().handshake_timeout_ms)]
    handshake_timeout_ms: u32,
    /// A peer that was silent for so long gets a Ping; 0 for never
    #[arg(long, value_name = "MS", default_value_t = defaults().idle_ms)]
    idle_ms: u32,
    /// How long to wait for anything after that Ping
    #[arg(long, value_name = "MS", default_value_t = defaults().pong_timeout_ms)]
    pong_timeout_ms: u32,
    /// How long to wait for the peer's Close after ours
    #[arg(long, value_name = "MS", default_value_t = defaults().close_timeout_ms)]
    close_timeout_ms: u32,
    /// How long to wait for the peers when the server stops
    #[arg(long, value_name = "MS", default_value_t = defaults().shutdown_grace_ms)]
    shutdown_grace_ms: u32,
}

fn defaults() -> Settings {
    Settings::default()
}

/// The settings that the command line asks for; `None` if it asked for help, which was given. An error is one line.
pub(crate) fn settings() -> Result<Option<Settings>, String> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                    // If nobody reads the help, nobody misses it.
                    let _ = error.print();
                    Ok(None)
                }
                _ => Err(one_line(&error.to_string())),
            };
        }
    };
    let settings = match cli.command {
        Some(Command::Serve(serve)) => serve.into(),
        None => defaults(),
    };
    settings.check().map_err(|invalid| format!("--{}: {}", invalid.setting.replace('_', "-"), invalid.reason))?;
    Ok(Some(settings))
}

/// Starts the log on standard error.
pub(crate) fn start_log() -> Result<(), String> {
    let level = std::env::var(LOG).unwrap_or_else(|_| "warn".to_owned());
    let filter = EnvFilter::try_new(&level).map_err(|error| format!("{LOG}={level}: {error}"))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}

/// What went wrong, without the advice that clap puts below it.
fn one_line(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    format!("{} (martlet serve --help says what is possible)", first.trim_start_matches("error: "))
}

impl From<Serve> for Settings {
    fn from(serve: Serve) -> Self {
        let defaults = defaults();
        Self {
            listen: serve.listen,
            workers: serve.workers.unwrap_or(defaults.workers),
            max_message_bytes: serve.max_message_bytes,
            max_frame_bytes: serve.max_frame_bytes,
            max_backpressure_bytes: serve.max_backpressure_bytes,
            high_watermark_bytes: serve.high_watermark_bytes,
            max_connections: serve.max_connections,
            backlog: serve.backlog,
            max_control_per_second: serve.max_control_per_second,
            handshake_timeout_ms: serve.handshake_timeout_ms,
            idle_ms: serve.idle_ms,
            pong_timeout_ms: serve.pong_timeout_ms,
            close_timeout_ms: serve.close_timeout_ms,
            shutdown_grace_ms: serve.shutdown_grace_ms,
            ..defaults
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_without_options_is_the_default() {
        let Ok(Cli { command: Some(Command::Serve(serve)) }) = Cli::try_parse_from(["martlet", "serve"]) else {
            panic!("serve takes no options at least")
        };
        assert_eq!(Settings::from(serve), Settings::default());
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for arguments in
            [["martlet", "serve", "--bogus"], ["martlet", "serve", "--listen=nowhere"], ["martlet", "x", "y"]]
        {
            let error = Cli::try_parse_from(arguments).unwrap_err();
            assert_eq!(one_line(&error.to_string()).lines().count(), 1, "{arguments:?}");
        }
    }
}
