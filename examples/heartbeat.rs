//! Who says nothing for too long is let go, with a Close that says so.
//!
//! `cargo run --example heartbeat [ADDRESS [SECONDS]]`

use martlet_std::{Closed, ConnId, Context, Frame, Handler, Server, ServerError, Settings};
use std::time::Duration;

struct Heartbeat;

impl Handler for Heartbeat {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        // The page's own heartbeat; a Ping frame would do as well, and is answered without our help.
        let answer = if frame.text() == Some("ping") { "pong" } else { "what?" };
        if let Err(why) = ctx.push(id, answer) {
            println!("{id} gets no answer: {why}");
        }
    }

    fn close(&mut self, _: &mut Context<'_>, id: ConnId, closed: &Closed<'_>) {
        println!("{id} closed by {:?} with {}", closed.by, closed.code);
    }
}

fn main() -> Result<(), ServerError> {
    let mut arguments = std::env::args().skip(1);
    let mut settings = Settings::default();
    if let Some(address) = arguments.next() {
        settings.listen =
            vec![address.parse::<martlet_std::Address>().expect("an address such as 127.0.0.1:9501").into()];
    }
    let seconds = arguments.next().map_or(60.0, |seconds| seconds.parse().expect("a number of seconds"));
    settings.heartbeat_idle_time = Duration::from_secs_f64(seconds);
    // The server asks nobody: it is the peers' duty to be heard.
    settings.ping_interval = Duration::ZERO;
    Server::bind(settings)?.run(|_worker| Heartbeat)
}
