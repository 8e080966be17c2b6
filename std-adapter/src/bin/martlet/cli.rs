//! The command line.

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use martlet_std::{Address, Settings};
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
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9501")]
    listen: Vec<Address>,
    /// Worker threads, 1 to 255 [default: one for each core]
    #[arg(long, value_name = "N")]
    worker_num: Option<usize>,
    /// The longest message a peer may send, in octets
    #[arg(long, value_name = "N", default_value_t = defaults().package_max_length)]
    package_max_length: u64,
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
            listen: serve.listen.into_iter().map(Into::into).collect(),
            worker_num: serve.worker_num.unwrap_or(defaults.worker_num),
            package_max_length: serve.package_max_length,
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
