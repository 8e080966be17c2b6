//! An echo server over tokio. `cargo run -p martlet-runtimes --example tokio -- 127.0.0.1:9000`

use martlet::state::{Config, Connection, Instant, Outbox, Payload};
use martlet_runtimes::message::{Error, Message};
use martlet_runtimes::tokio::WebSocket;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

static CONFIG: Config<'_> = Config::DEFAULT;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9000".into());
    let listener = TcpListener::bind(&address).await?;
    println!("echo on ws://{}/", listener.local_addr()?);
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = echo(&mut stream).await {
                eprintln!("{error}");
            }
            linger(&mut stream).await;
        });
    }
}

async fn echo(stream: &mut TcpStream) -> Result<(), Error> {
    stream.set_nodelay(true).map_err(Error::Transport)?;
    let connection = Connection::server(&CONFIG, Instant(0));
    let mut socket = WebSocket::open(stream, connection, Outbox::new(Vec::new())).await?;
    while let Some(message) = socket.recv().await? {
        match message {
            Message::Text(text) => socket.send(Payload::Text(&text)).await?,
            Message::Binary(octets) => socket.send(Payload::Binary(&octets)).await?,
            // These were answered already.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }
    Ok(())
}

/// What the peer had under way must be read, or its system is told that it was lost, and throws away our last words.
async fn linger(stream: &mut TcpStream) {
    let _ = tokio::io::AsyncWriteExt::shutdown(stream).await;
    let drained = async { while stream.read(&mut [0; 1024]).await.is_ok_and(|len| len > 0) {} };
    let _ = tokio::time::timeout(Duration::from_secs(1), drained).await;
}
