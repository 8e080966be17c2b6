//! The program `martlet`: a WebSocket server with a chat page and an echo, and tools around it.
#![forbid(unsafe_code)]

mod app;
mod bench;
mod chat;
mod cli;
mod completions;
mod connect;
mod frames;
mod signals;

use self::app::App;
use self::cli::Task;
use self::signals::Signals;
use martlet_std::{Address, Server, Settings};
use std::io::Write;
use std::process::ExitCode;

/// What a wrong command line or setting, or an address that cannot be listened on, ends with.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let done = cli::task().and_then(|task| match task {
        Task::Serve(settings) => serve(*settings),
        Task::Done(code) => Ok(code),
    });
    match done {
        Ok(code) => code,
        Err(why) => {
            eprintln!("martlet: {why}");
            ExitCode::from(USAGE)
        }
    }
}

fn serve(mut settings: Settings) -> Result<ExitCode, String> {
    // The chat times its Pings.
    settings.open_websocket_pong_frame = true;
    for own in settings.listen.iter_mut().filter_map(|listener| listener.settings.as_deref_mut()) {
        own.open_websocket_pong_frame = true;
    }
    cli::start_log()?;
    let signals = Signals::keep().map_err(|error| format!("signals: {error}"))?;
    let server = Server::bind(settings).map_err(|error| error.to_string())?;
    signals::obey(signals, server.handle()).map_err(|error| format!("signals: {error}"))?;
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
