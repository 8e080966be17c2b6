//! The first sample of every WebSocket server: what comes goes back, and who comes and goes is said.
//!
//! `cargo run --example echo [ADDRESS]`

use martlet_std::{Closed, ConnId, Context, Frame, Handler, Request, Server, ServerError, Settings};

struct Echo;

impl Handler for Echo {
    fn open(&mut self, _: &mut Context<'_>, id: ConnId, request: &Request<'_>) {
        println!("{id} opened {} from {}", request.target(), request.remote());
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        if let Err(why) = ctx.push(id, frame) {
            println!("{id} gets no answer: {why}");
        }
    }

    fn close(&mut self, _: &mut Context<'_>, id: ConnId, closed: &Closed<'_>) {
        println!("{id} closed by {:?} with {} {:?}", closed.by, closed.code, closed.reason);
    }
}

fn main() -> Result<(), ServerError> {
    let mut settings = Settings::default();
    if let Some(address) = std::env::args().nth(1) {
        settings.listen =
            vec![address.parse::<martlet_std::Address>().expect("an address such as 127.0.0.1:9501").into()];
    }
    Server::bind(settings)?.run(|_worker| Echo)
}
