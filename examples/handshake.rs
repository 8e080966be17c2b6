//! A handshake of one's own: who may come in, over which subprotocol, and what the answer says.
//!
//! `cargo run --example handshake [ADDRESS]`, then connect with the subprotocol `superchat` and `?token=secret`.

use martlet_std::{ConnId, Context, Decision, Frame, Handler, Request, Response, Server, ServerError, Settings};

struct Doorman;

impl Handler for Doorman {
    fn handshake(&mut self, _: &mut Context<'_>, request: &Request<'_>) -> Decision {
        if !request.query_pairs().any(|(key, value)| key == "token" && value == "secret") {
            return Decision::Reject(Response::text(401, "who are you?\n").with_header("WWW-Authenticate", "Token"));
        }
        let Some(subprotocol) = request.subprotocols().find(|offered| offered.as_str() == "superchat") else {
            return Decision::Reject(Response::text(400, "only superchat is spoken here\n"));
        };
        Decision::Accept {
            subprotocol: Some(subprotocol.to_string()),
            headers: vec![("X-Doorman".to_owned(), "come in".to_owned())],
        }
    }

    fn open(&mut self, ctx: &mut Context<'_>, id: ConnId, request: &Request<'_>) {
        let welcome = format!("welcome to {}", request.path());
        if let Err(why) = ctx.push(id, welcome.as_str()) {
            println!("{id} is not welcomed: {why}");
        }
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        if let Err(why) = ctx.push(id, frame) {
            println!("{id} gets no answer: {why}");
        }
    }
}

fn main() -> Result<(), ServerError> {
    let mut settings = Settings::default();
    if let Some(address) = std::env::args().nth(1) {
        settings.listen =
            vec![address.parse::<martlet_std::Address>().expect("an address such as 127.0.0.1:9501").into()];
    }
    Server::bind(settings)?.run(|_worker| Doorman)
}
