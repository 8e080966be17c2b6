//! Keeps messages under way on each connection and counts echoes.

use crate::frames::{Counter, Protocol, Script, check_compressed};
use crate::process::Process;
use crate::{Count, upgrade};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

/// Echoes that are looked at before anything is counted.
const CHECKED: usize = 16;

struct Client {
    socket: TcpStream,
    counter: Counter,
    /// Frames still to send, which of the script is next, and how much of that went.
    owed: u64,
    next: usize,
    gone: usize,
}

pub fn run(
    port: u16,
    server: &Process,
    script: &Script,
    connections: usize,
    depth: usize,
    seconds: usize,
) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut clients = Vec::new();
    for token in 0..connections {
        let (socket, next) = open(port, script, token == 0)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        poll.registry().register(&mut socket, Token(token), Interest::READABLE | Interest::WRITABLE)?;
        clients.push(Client { socket, counter: script.counter(), owed: depth as u64, next, gone: 0 });
    }
    let (mut events, mut buffer) = (Events::with_capacity(1024), vec![0; 256 * 1024]);
    let mut count = Count::new(server, seconds);
    loop {
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        let mut messages = 0;
        for event in &events {
            let client = &mut clients[event.token().0];
            messages += client.receive(&mut buffer)?;
            client.send(script)?;
        }
        if count.add(messages)? {
            return Ok(());
        }
    }
}

/// A connection, and the frame of the script that is next on it. The first one tells what was agreed on.
fn open(port: u16, script: &Script, first: bool) -> io::Result<(std::net::TcpStream, usize)> {
    if script.protocol == Protocol::Raw {
        return Ok((upgrade::plain(port)?, 0));
    }
    let (mut socket, agreed) = upgrade::upgraded(port, script.offer())?;
    let Protocol::Compressed { takeover } = script.protocol else { return Ok((socket, 0)) };
    let agreed = agreed.ok_or_else(|| io::Error::other("no compression was agreed on"))?;
    if !first {
        return Ok((socket, 0));
    }
    socket.write_all(&script.octets[..script.ends[CHECKED - 1]])?;
    let wire = check_compressed(&mut socket, &script.messages[..CHECKED], takeover)?;
    println!("agreed {}\nwire {}", agreed.replace(' ', ""), wire / CHECKED);
    Ok((socket, CHECKED))
}

impl Client {
    /// Reads what has come; owes a frame for each echo that is whole.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<u64> {
        let mut messages = 0;
        loop {
            match self.socket.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => {
                    let whole = self.counter.count(&buffer[..len]);
                    self.owed += whole;
                    messages += whole;
                    if len < buffer.len() {
                        return Ok(messages);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(messages),
                Err(error) => return Err(error),
            }
        }
    }

    fn send(&mut self, script: &Script) -> io::Result<()> {
        // Many small frames go in one write.
        let mut batch = Vec::new();
        while self.owed > 0 {
            batch.clear();
            let (mut frames, mut next, mut gone) = (0, self.next, self.gone);
            while frames < self.owed && (batch.is_empty() || batch.len() < 64 * 1024) {
                batch.extend_from_slice(&script.frame(next)[gone..]);
                (frames, next, gone) = (frames + 1, (next + 1) % script.ends.len(), 0);
            }
            match self.socket.write(&batch) {
                Ok(len) => self.went(script, len),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn went(&mut self, script: &Script, mut len: usize) {
        while len > 0 {
            let rest = script.frame(self.next).len() - self.gone;
            if len < rest {
                self.gone += len;
                return;
            }
            len -= rest;
            self.owed -= 1;
            (self.next, self.gone) = ((self.next + 1) % script.ends.len(), 0);
        }
    }
}
