//! The program `martlet`: a WebSocket server with a chat page and an echo.
#![forbid(unsafe_code)]

mod app;
mod chat;
mod cli;
mod signals;

use self::app::App;
use martlet_std::{Address, Server};
use std::io::Write;
use std::process::ExitCode;

/// What a wrong command line or setting, or an address that cannot be listened on, ends with.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match serve() {
        Ok(code) => code,
        Err(why) => {
            eprintln!("martlet: {why}");
            ExitCode::from(USAGE)
        }
    }
}

fn serve() -> Result<ExitCode, String> {
    let Some(mut settings) = cli::settings()? else { return Ok(ExitCode::SUCCESS) };
    // The chat times its Pings.
    settings.open_websocket_pong_frame = true;
    for own in settings.listen.iter_mut().filter_map(|listener| listener.settings.as_deref_mut()) {
        own.open_websocket_pong_frame = true;
    }
    cli::start_log()?;
    let server = Server::bind(settings).map_err(|error| error.to_string())?;
    signals::obey_signals(server.handle()).map_err(|error| format!("signals: {error}"))?;
    // If nobody reads where it is, it serves nevertheless.
    for address in server.addresses() {
        let mut out = std::io::stdout();
        let _ = match address {
            Address::Tcp(_) => writeln!(
                out,
                "martlet: the chat is at http://{address}/ and an echo at ws://{address}/echo; Ctrl-C stops"
            ),
            Address::Unix(_) => writeln!(out, "martlet: the same is at {address}"),
        };
    }
    let chat = app::shared_chat();
    match server.run(|_worker| App::new(&chat)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("martlet: {error}");
            Ok(ExitCode::FAILURE)
        }
    }
}
