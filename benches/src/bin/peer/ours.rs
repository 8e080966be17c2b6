//! martlet, where its program has no such mode.

use martlet_std::{Address, Context, Filter, Frame, Handler, Server, Settings};
use std::io;
use std::net::SocketAddr;

struct Room;

impl Handler for Room {
    fn message(&mut self, ctx: &mut Context<'_>, _: martlet_std::ConnId, frame: Frame<'_>) {
        // It fails only where the peer does not read, which the load does.
        let _ = ctx.broadcast(Filter::All, frame);
    }
}

/// On one worker, with the settings as they are by default.
pub fn broadcast(address: SocketAddr) -> io::Result<()> {
    let listen = address.to_string().parse::<Address>().map_err(io::Error::other)?;
    let settings = Settings { listen: vec![listen.into()], worker_num: 1, ..Settings::default() };
    Server::bind(settings).map_err(io::Error::other)?.run(|_| Room).map_err(io::Error::other)
}
