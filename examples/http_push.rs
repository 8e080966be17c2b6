//! What comes by HTTP goes to all WebSockets: `curl --data 'the news' http://127.0.0.1:9501/push`.
//!
//! `cargo run --example http_push [ADDRESS]`

use martlet_std::{Answer, ConnId, Context, Filter, Frame, Handler, Request, Response, Server, ServerError, Settings};

struct Push;

impl Handler for Push {
    fn message(&mut self, _: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        println!("{id} says {:?}, which nobody asked for", frame.text());
    }

    fn request(&mut self, ctx: &mut Context<'_>, request: &Request<'_>) -> Answer {
        if request.path() != "/push" {
            return Response::text(404, "POST to /push\n").into();
        }
        if request.method() != "POST" {
            return Response::text(405, "POST to /push\n").with_header("Allow", "POST").into();
        }
        let Ok(news) = std::str::from_utf8(request.body()) else {
            return Response::text(400, "news are text\n").into();
        };
        match ctx.broadcast(Filter::All, news) {
            Ok(()) => Response::text(200, "pushed\n").into(),
            Err(_) => Response::text(503, "a worker is too far behind\n").into(),
        }
    }
}

fn main() -> Result<(), ServerError> {
    let mut settings = Settings::default();
    if let Some(address) = std::env::args().nth(1) {
        settings.listen =
            vec![address.parse::<martlet_std::Address>().expect("an address such as 127.0.0.1:9501").into()];
    }
    Server::bind(settings)?.run(|_worker| Push)
}
