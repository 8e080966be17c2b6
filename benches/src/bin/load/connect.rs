//! Connects, upgrades, closes, and again, so many at once.

use crate::process::Process;
use crate::{Count, upgrade};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

/// A Close with code 1000, masked with zeros, and how many octets its echo has.
const CLOSE: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8];
const CLOSE_ECHO: usize = 4;

enum Step {
    /// The request has to go, as soon as the socket is connected.
    Connecting,
    /// The response comes: its octets so far.
    Opening(Vec<u8>),
    /// The Close went; so much of its echo has come.
    Closing(usize),
}

/// Against a raw echo the request itself comes back, and so does the whole Close.
pub fn run(port: u16, server: &Process, raw: bool, at_once: usize, seconds: usize) -> io::Result<()> {
    let (mut poll, request) = (Poll::new()?, upgrade::request(None));
    let mut clients = Vec::new();
    for token in 0..at_once {
        clients.push(open(&poll, port, token)?);
    }
    let mut events = Events::with_capacity(1024);
    let mut count = Count::new(server, seconds);
    loop {
        poll.poll(&mut events, Some(Duration::from_secs(5)))?;
        if events.is_empty() {
            return Err(io::Error::other("nothing moves any more"));
        }
        let mut done = 0;
        for event in &events {
            let token = event.token().0;
            let (socket, step) = &mut clients[token];
            if advance(socket, step, &request, if raw { CLOSE.len() } else { CLOSE_ECHO })? {
                done += 1;
                clients[token] = open(&poll, port, token)?;
            }
        }
        if count.add(done)? {
            return Ok(());
        }
    }
}

fn open(poll: &Poll, port: u16, token: usize) -> io::Result<(TcpStream, Step)> {
    let mut socket = TcpStream::connect(upgrade::address(port))?;
    poll.registry().register(&mut socket, Token(token), Interest::READABLE | Interest::WRITABLE)?;
    Ok((socket, Step::Connecting))
}

/// Whether the connection has closed properly.
fn advance(socket: &mut TcpStream, step: &mut Step, request: &[u8], echo: usize) -> io::Result<bool> {
    loop {
        let mut buffer = [0; 1024];
        let came = match step {
            Step::Connecting => match socket.write(request) {
                Ok(_) => {
                    *step = Step::Opening(Vec::new());
                    continue;
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    return Ok(false);
                }
                Err(error) => return Err(error),
            },
            _ => match socket.read(&mut buffer) {
                // A Close without a code is one as well.
                Ok(0) if matches!(step, Step::Closing(2..)) => return Ok(true),
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => &buffer[..len],
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            },
        };
        match step {
            Step::Connecting => {}
            Step::Opening(head) => {
                head.extend_from_slice(came);
                if head.ends_with(b"\r\n\r\n") {
                    *step = Step::Closing(0);
                    socket.write_all(&CLOSE)?;
                }
            }
            Step::Closing(come) => {
                *come += came.len();
                if *come >= echo {
                    return Ok(true);
                }
            }
        }
    }
}
