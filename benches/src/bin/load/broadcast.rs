//! One of many connections sends; the server sends to all. When everyone has everything, it sends again.

use crate::process::Process;
use crate::{Count, upgrade};
use martlet_benches::{Kind, client_frame, server_frame_len};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

/// `depth` messages go in one write.
pub fn run(port: u16, server: &Process, size: usize, receivers: usize, depth: usize, seconds: usize) -> io::Result<()> {
    let mut burst = Vec::new();
    for _ in 0..depth {
        client_frame(&mut burst, Kind::Ascii, [0x12, 0xab, 0x34, 0xcd], &Kind::Ascii.payload(size));
    }
    let (mut poll, mut sockets) = (Poll::new()?, Vec::new());
    for token in 0..receivers {
        let (socket, _) = upgrade::upgraded(port, None)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        poll.registry().register(&mut socket, Token(token), Interest::READABLE)?;
        sockets.push(socket);
    }
    // A server may still be busy with the last of them.
    std::thread::sleep(Duration::from_millis(200));
    let frame = server_frame_len(size);
    let (mut events, mut buffer) = (Events::with_capacity(1024), vec![0; 64 * 1024]);
    let mut count = Count::new(server, seconds);
    let mut missing = 0;
    loop {
        if missing == 0 {
            if count.add((receivers * depth) as u64)? {
                return Ok(());
            }
            sockets[0].write_all(&burst)?;
            missing = receivers * depth * frame;
        }
        poll.poll(&mut events, Some(Duration::from_secs(5)))?;
        if events.is_empty() {
            return Err(io::Error::other(format!("{missing} octets are missing")));
        }
        for event in &events {
            // Nothing is left behind: another read would cost more than it finds.
            match sockets[event.token().0].read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => missing -= len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}
