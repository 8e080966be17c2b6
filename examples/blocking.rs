//! An echo server in which everything around the core is in sight: blocking sockets, a thread for each connection.
//!
//! `cargo run --example blocking -- 127.0.0.1:9000`

use martlet::codec::Assembler;
use martlet::state::{Accept, Config, Connection, Event, Inbox, Instant, Message, Outbox, Payload, State, Status};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9000".into());
    let listener = TcpListener::bind(&address)?;
    println!("echo on ws://{}/", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(move || {
            if let Err(error) = serve(stream) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

/// Drives one connection to its end.
fn serve(mut stream: TcpStream) -> io::Result<()> {
    let ended = converse(&mut stream);
    // What the peer had under way must be read, or its system is told that it was lost, and throws away our last words.
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    while stream.read(&mut [0; 1024]).is_ok_and(|len| len > 0) {}
    ended
}

fn converse(stream: &mut TcpStream) -> io::Result<()> {
    let begin = std::time::Instant::now();
    let now = || Instant(begin.elapsed().as_millis() as u64);
    let config = Config::DEFAULT;
    let mut connection = Connection::server(&config, now());
    let mut messages = Assembler::new(Vec::new());
    let (mut inbox, mut outbox) = (Inbox::new(vec![0; 16 * 1024]), Outbox::new(Vec::new()));

    while connection.state() != State::Closed {
        // Sleep until something comes or a deadline passes.
        let wait = connection.poll_timeout().map(|at| Duration::from_millis(at.0.saturating_sub(now().0).max(1)));
        stream.set_read_timeout(wait)?;
        match stream.read(inbox.room()) {
            Ok(0) => break,
            Ok(fresh) => inbox.filled(fresh),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        // What came is heard before it is asked what is late.
        let drained = drain(&mut connection, now(), &mut inbox, &mut messages, &mut outbox);
        outbox.write(|writer| Ok(connection.tick(now(), writer)?)).map_err(io::Error::other)?;
        // Also after a fault: the answers to what came before it, and the Close that names it, wait there.
        stream.write_all(outbox.waiting())?;
        outbox.sent(usize::MAX);
        drained?;
    }
    connection.eof();
    Ok(())
}

/// Takes all that came, and answers it.
fn drain(
    connection: &mut Connection<'_>,
    now: Instant,
    inbox: &mut Inbox<Vec<u8>>,
    messages: &mut Assembler<Vec<u8>>,
    outbox: &mut Outbox<Vec<u8>>,
) -> io::Result<()> {
    loop {
        match connection.receive_from(now, inbox, outbox).map_err(io::Error::other)? {
            Status::More => return Ok(()),
            Status::NoRoom(no_room) => return Err(io::Error::other(no_room)), // no memory
            Status::Event(Event::Request { .. }) => {
                outbox.write(|writer| connection.accept(now, &Accept::default(), writer)).map_err(io::Error::other)?;
            }
            Status::Event(Event::Data(data)) => {
                if let Some(message) = messages.push(data).map_err(io::Error::other)? {
                    outbox.write(|writer| connection.send(echo(&message), writer)).map_err(io::Error::other)?;
                }
            }
            // Pings and the Close are answered already.
            Status::Event(_) => {}
        }
    }
}

fn echo<'a>(message: &Message<'a>) -> Payload<'a> {
    message.text().map_or(Payload::Binary(message.payload), Payload::Text)
}
