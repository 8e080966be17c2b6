//! SIGTERM and SIGINT: the first one stops the server, the second one the process.

use martlet_std::Handle;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;

/// What a process that was told twice ends with.
const TOLD_TWICE: i32 = 1;

/// Stops the server when the process is told to end.
pub(crate) fn stop_on_signals(handle: Handle) -> io::Result<()> {
    let (mut told, tell) = UnixStream::pair()?;
    pipe::register(SIGINT, tell.try_clone()?)?;
    pipe::register(SIGTERM, tell)?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut signal = [0];
        if told.read_exact(&mut signal).is_ok() {
            tracing::info!("stopping");
            handle.stop();
            if told.read_exact(&mut signal).is_ok() {
                std::process::exit(TOLD_TWICE);
            }
        }
    })?;
    Ok(())
}
