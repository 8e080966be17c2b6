//! Load on an echo server: `load PORT PID raw|ws KIND SIZE CONNECTIONS DEPTH SECONDS`.
//!
//! Keeps `DEPTH` messages under way on each connection and counts echoes. Prints messages a second and the CPU time that
//! the server process and this one spent on each, user and system, in microseconds.

use martlet_benches::{Kind, client_frame, server_frame_len};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

struct Client {
    socket: TcpStream,
    /// Octets of the endless stream of equal frames still to send, and where in it we are.
    owed: usize,
    at: usize,
    /// Octets of the echo at hand that have come.
    come: usize,
}

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [port, pid, protocol, kind, size, connections, depth, seconds] = args.as_slice() else {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "load PORT PID raw|ws KIND SIZE CONNECTIONS DEPTH SECONDS",
        ));
    };
    let number = |text: &str| text.parse::<usize>().map_err(|error| io::Error::new(ErrorKind::InvalidInput, error));
    let (size, connections, depth) = (number(size)?, number(connections)?, number(depth)?);
    let kind = Kind::ALL.into_iter().find(|(_, name)| name == kind).map_or(Kind::Binary, |(kind, _)| kind);
    let (mut frame, raw) = (Vec::new(), protocol == "raw");
    client_frame(&mut frame, kind, [0x12, 0xab, 0x34, 0xcd], &kind.payload(size));
    let echo = if raw { frame.len() } else { server_frame_len(size) };

    let mut poll = Poll::new()?;
    let mut clients = Vec::new();
    for token in 0..connections {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, number(port)? as u16));
        let mut socket = std::net::TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        if !raw {
            upgrade(&mut socket)?;
        }
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        poll.registry().register(&mut socket, Token(token), Interest::READABLE | Interest::WRITABLE)?;
        clients.push(Client { socket, owed: depth * frame.len(), at: 0, come: 0 });
    }

    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 256 * 1024];
    let mut messages = 0u64;
    // A quarter of a second to warm up, then the count begins.
    let mut start = None;
    let began = Instant::now();
    let cpu = || Ok::<_, io::Error>([cpu_seconds(pid)?, cpu_seconds("self")?]);
    let mut cpu_before = [0.0; 2];
    loop {
        let elapsed = began.elapsed();
        if start.is_none() && elapsed > Duration::from_millis(250) {
            (start, messages, cpu_before) = (Some(Instant::now()), 0, cpu()?);
        }
        if let Some(start) = start
            && start.elapsed() > Duration::from_secs(number(seconds)? as u64)
        {
            let rate = messages as f64 / start.elapsed().as_secs_f64();
            let [after, before] = [cpu()?, cpu_before];
            let [server, own] = [0, 1].map(|whose| (after[whose] - before[whose]) * 1e6 / messages as f64);
            println!("{rate:.0} {server:.3} {own:.3}");
            return Ok(());
        }
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            let client = &mut clients[event.token().0];
            messages += client.receive(&mut buffer, frame.len(), echo)?;
            client.send(&frame)?;
        }
    }
}

impl Client {
    /// Reads what has come; owes a frame for each echo that is whole.
    fn receive(&mut self, buffer: &mut [u8], frame: usize, echo: usize) -> io::Result<u64> {
        let mut messages = 0;
        loop {
            match self.socket.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => {
                    self.come += len;
                    let whole = self.come / echo;
                    self.come %= echo;
                    self.owed += whole * frame;
                    messages += whole as u64;
                    if len < buffer.len() {
                        return Ok(messages);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(messages),
                Err(error) => return Err(error),
            }
        }
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        // Many small frames go in one write.
        let mut batch = Vec::new();
        while self.owed > 0 {
            batch.clear();
            let mut at = self.at;
            while batch.len() < self.owed && (batch.is_empty() || batch.len() < 64 * 1024) {
                let rest = &frame[at..];
                let take = rest.len().min(self.owed - batch.len());
                batch.extend_from_slice(&rest[..take]);
                at = (at + take) % frame.len();
            }
            match self.socket.write(&batch) {
                Ok(len) => {
                    self.owed -= len;
                    self.at = (self.at + len) % frame.len();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn upgrade(socket: &mut std::net::TcpStream) -> io::Result<()> {
    socket.write_all(
        b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    )?;
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    if head.starts_with(b"HTTP/1.1 101") { Ok(()) } else { Err(io::Error::other(String::from_utf8_lossy(&head))) }
}

/// User and system time of a process: fields 14 and 15 of its `stat`, in hundredths of a second.
fn cpu_seconds(pid: &str) -> io::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / 100.0)
}
