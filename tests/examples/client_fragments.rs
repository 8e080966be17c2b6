//! A client that sends a message in fragments with a Ping between them, shows what comes, and closes: `client_fragments URL`.

use martlet_std::{Connector, Flags, Outgoing, Received};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: client_fragments URL")?;
    let connector = Connector::new();
    let (mut reader, mut writer) = connector.connect(&url)?.split();
    writer.send(Outgoing::from("one ").flags(Flags::NONE))?;
    writer.ping(b"between")?;
    writer.send(Outgoing::continuation(b"two"))?;
    loop {
        match reader.recv()? {
            Received::Text(text) => {
                println!("text: {text}");
                writer.close(4001, "done")?;
            }
            Received::Pong(body) => println!("pong: {}", body.escape_ascii()),
            Received::Closed { code, .. } => {
                println!("closed: {code}");
                return Ok(());
            }
            other => println!("{other:?}"),
        }
    }
}
