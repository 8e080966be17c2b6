//! Servers to compare with: `peer NAME MODE PORT`, each at its best: on one thread, or on one a connection where it blocks, and with one
//! write for all that can be answered, where it lets its user have that.

mod blocking;
mod fast;
mod ours;
mod raw;
mod streams;

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};

/// What a server does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Echo,
    /// Echoes, compressed, each message by itself.
    Deflate,
    /// Echoes, compressed, with context takeover.
    Takeover,
    /// Sends it to everyone, the sender among them.
    Broadcast,
}

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = || {
        io::Error::new(
            ErrorKind::InvalidInput,
            "peer NAME echo|deflate|takeover|broadcast PORT; or a server has no such mode",
        )
    };
    let [name, mode, port] = args.as_slice() else { return Err(usage()) };
    let mode = match mode.as_str() {
        "echo" => Mode::Echo,
        "deflate" => Mode::Deflate,
        "takeover" => Mode::Takeover,
        "broadcast" => Mode::Broadcast,
        _ => return Err(usage()),
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().map_err(|_| usage())?));
    match (name.as_str(), mode) {
        ("raw", Mode::Echo) => raw::echo(address),
        ("martlet", Mode::Broadcast) => ours::broadcast(address),
        ("tungstenite", Mode::Echo) => blocking::tungstenite(address),
        ("fastwebsockets", Mode::Echo) => fast::fastwebsockets(address),
        ("web-socket", Mode::Echo) => fast::web_socket(address),
        ("tokio-websockets", Mode::Echo | Mode::Broadcast) => streams::tokio_websockets(address, mode),
        ("sockudo-ws", _) => streams::sockudo(address, mode),
        ("yawc", _) => streams::yawc(address, mode),
        _ => Err(usage()),
    }
}
