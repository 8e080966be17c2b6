//! SIGTERM and SIGINT: the first one stops the server, the second one the process. SIGHUP: new workers take over.

use martlet_std::Handle;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;

/// What a process that was told twice ends with.
const TOLD_TWICE: i32 = 1;

/// The signals that are for the server, which from now on are kept until there is one that obeys them: who sees it listen may send them.
pub(crate) struct Signals {
    reload: UnixStream,
    stop: UnixStream,
}

impl Signals {
    pub(crate) fn keep() -> io::Result<Self> {
        Ok(Self { reload: readable(&[SIGHUP])?, stop: readable(&[SIGINT, SIGTERM])? })
    }
}

/// Stops the server when the process is told to end, and has its workers followed by new ones when it is told to reload.
pub(crate) fn obey(signals: Signals, handle: Handle) -> io::Result<()> {
    let Signals { mut reload, mut stop } = signals;
    let other = handle.clone();
    std::thread::Builder::new().name("reload".to_owned()).spawn(move || {
        while reload.read_exact(&mut [0]).is_ok() {
            tracing::info!("reloading");
            other.reload();
        }
    })?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if stop.read_exact(&mut [0]).is_ok() {
            tracing::info!("stopping");
            handle.stop();
            if stop.read_exact(&mut [0]).is_ok() {
                std::process::exit(TOLD_TWICE);
            }
        }
    })?;
    Ok(())
}

/// A socket that one octet comes from for each of these signals.
fn readable(signals: &[i32]) -> io::Result<UnixStream> {
    let (told, tell) = UnixStream::pair()?;
    for signal in signals {
        pipe::register(*signal, tell.try_clone()?)?;
    }
    Ok(told)
}
