//! Everyone hears what anyone says, whichever worker has them.
//!
//! `cargo run --example chat [ADDRESS]`, then connect with `?name=…` in the path.

use martlet_std::{Closed, ConnId, Context, Filter, Frame, Handler, Request, Server, ServerError, Settings};
use std::collections::HashMap;

/// The people of one worker, by name.
#[derive(Default)]
struct Chat {
    names: HashMap<ConnId, String>,
}

impl Chat {
    fn say(ctx: &mut Context<'_>, text: &str) {
        // It fails for a worker that is too far behind; all others have heard it.
        if let Err(why) = ctx.broadcast(Filter::All, text) {
            eprintln!("not everyone heard {text:?}: {why}");
        }
    }
}

impl Handler for Chat {
    fn open(&mut self, ctx: &mut Context<'_>, id: ConnId, request: &Request<'_>) {
        let name = request.query_pairs().find(|(key, _)| key == "name");
        let name = name.map_or_else(|| format!("guest {id}"), |(_, name)| name.into_owned());
        Self::say(ctx, &format!("{name} came"));
        self.names.insert(id, name);
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        if let (Some(name), Some(text)) = (self.names.get(&id), frame.text()) {
            Self::say(ctx, &format!("{name}: {text}"));
        }
    }

    fn close(&mut self, ctx: &mut Context<'_>, id: ConnId, _: &Closed<'_>) {
        if let Some(name) = self.names.remove(&id) {
            Self::say(ctx, &format!("{name} went"));
        }
    }
}

fn main() -> Result<(), ServerError> {
    let mut settings = Settings::default();
    if let Some(address) = std::env::args().nth(1) {
        settings.listen =
            vec![address.parse::<martlet_std::Address>().expect("an address such as 127.0.0.1:9501").into()];
    }
    Server::bind(settings)?.run(|_worker| Chat::default())
}
