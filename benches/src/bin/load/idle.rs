//! Many connections that say nothing: the memory of each, and what an echo on one of them costs.

use crate::frames::Script;
use crate::process::Process;
use crate::{echo, upgrade};
use std::io;
use std::net::TcpStream;
use std::time::Duration;

/// Connections that have been there and gone before memory is looked at.
const BEFORE: usize = 8;

pub fn run(port: u16, server: &Process, raw: bool, connections: usize, seconds: usize) -> io::Result<()> {
    let open = || -> io::Result<TcpStream> {
        if raw { upgrade::plain(port) } else { upgrade::upgraded(port, None).map(|(socket, _)| socket) }
    };
    for _ in 0..BEFORE {
        drop(open()?);
    }
    let settle = || std::thread::sleep(Duration::from_millis(500));
    settle();
    let before = server.private_octets()?;
    let held = (0..connections).map(|_| open()).collect::<io::Result<Vec<_>>>()?;
    settle();
    let octets = server.private_octets()?.saturating_sub(before);
    println!("memory {:.0}", octets as f64 / connections as f64);
    echo::run(port, server, &Script::plain("binary", 20, raw), 1, 1, seconds)?;
    drop(held);
    Ok(())
}
