//! The first sample of every WebSocket server: what comes goes back, and who comes and goes is said.
//!
//! `cargo run --example echo [ADDRESS]`

use martlet_std::{Closures, Server, ServerError, Settings};

fn main() -> Result<(), ServerError> {
    let mut settings = Settings::default();
    if let Some(address) = std::env::args().nth(1) {
        settings.listen =
            vec![address.parse::<martlet_std::Address>().expect("an address such as 127.0.0.1:9501").into()];
    }
    let echo = Closures::new()
        .on_open(|_, id, request| println!("{id} opened {} from {}", request.target(), request.remote()))
        .on_message(|ctx, id, frame| {
            if let Err(why) = ctx.push(id, frame) {
                println!("{id} gets no answer: {why}");
            }
        })
        .on_close(|_, id, closed| {
            println!("{id} closed by {:?} with {} {:?}", closed.by, closed.code, closed.reason);
        });
    Server::bind(settings)?.run_closures(echo)
}
