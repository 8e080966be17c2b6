//! An echo server in which everything around the core is in sight: blocking sockets, a thread for each connection.
//!
//! `cargo run --example blocking -- 127.0.0.1:9000`

use martlet::codec::{Assembler, Writer};
use martlet::state::{Accept, Config, Connection, Event, Instant, Message, Payload, SendError, State, Status};
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
    // What was read and not taken yet is the front of `input`, up to `held`. The longest head fits.
    let (mut input, mut held) = (vec![0; 16 * 1024], 0);
    let mut output = Vec::new();

    while connection.state() != State::Closed {
        // Sleep until something comes or a deadline passes.
        let wait = connection.poll_timeout().map(|at| Duration::from_millis(at.0.saturating_sub(now().0).max(1)));
        stream.set_read_timeout(wait)?;
        match stream.read(&mut input[held..]) {
            Ok(0) => break,
            Ok(fresh) => held += fresh,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        with_room(&mut output, |writer| connection.tick(now(), writer).map_err(SendError::NoRoom))?;
        let left = turn(&mut connection, now(), &mut input[..held], &mut messages, &mut output);
        // Also after a fault: the answers to what came before it, and the Close that names it, are in the output.
        stream.write_all(&output)?;
        output.clear();
        held = left?;
    }
    connection.eof();
    Ok(())
}

/// Drains what was read, and moves what is left to the front; gives its length.
fn turn(
    connection: &mut Connection<'_>,
    now: Instant,
    input: &mut [u8],
    messages: &mut Assembler<Vec<u8>>,
    output: &mut Vec<u8>,
) -> io::Result<usize> {
    let all = input.len();
    let mut rest = &mut input[..];
    loop {
        // An answer of the core always fits into so much.
        let status = append(output, martlet::state::MIN_OUTPUT, |writer| connection.receive(now, &mut rest, writer));
        match status.map_err(io::Error::other)? {
            Status::More => break,
            Status::NoRoom(_) => unreachable!("MIN_OUTPUT is always enough"),
            Status::Event(Event::Request { .. }) => {
                with_room(output, |writer| connection.accept(now, &Accept::default(), writer))?;
            }
            Status::Event(Event::Data(data)) => {
                if let Some(message) = messages.push(data).map_err(io::Error::other)? {
                    with_room(output, |writer| connection.send(echo(&message), writer))?;
                }
            }
            // Pings and the Close are answered already.
            Status::Event(_) => {}
        }
    }
    let left = rest.len();
    input.copy_within(all - left.., 0);
    Ok(left)
}

fn echo<'a>(message: &Message<'a>) -> Payload<'a> {
    message.text().map_or(Payload::Binary(message.payload), Payload::Text)
}

/// Lends `room` more octets behind `output` to `write`, and keeps those that were written.
fn append<T>(output: &mut Vec<u8>, room: usize, write: impl FnOnce(&mut Writer<'_>) -> T) -> T {
    let old = output.len();
    output.resize(old + room, 0);
    let mut writer = Writer::new(&mut output[old..]);
    let answer = write(&mut writer);
    let written = writer.len();
    output.truncate(old + written);
    answer
}

/// Does the same with as much room as it takes.
fn with_room<T>(output: &mut Vec<u8>, mut write: impl FnMut(&mut Writer<'_>) -> Result<T, SendError>) -> io::Result<T> {
    let mut room = martlet::state::MIN_OUTPUT;
    loop {
        match append(output, room, &mut write) {
            Ok(done) => return Ok(done),
            Err(SendError::NoRoom(no_room)) => room = no_room.wanted,
            Err(SendError::Misuse(misuse)) => return Err(io::Error::other(misuse)),
        }
    }
}
