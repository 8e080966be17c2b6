//! The floor: octets back as they came, over the same poll as ours.

use mio::{Events, Interest, Poll, Token, net::TcpListener};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

const LISTENER: Token = Token(usize::MAX);

pub fn echo(address: SocketAddr) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(address)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (mut events, mut buffer) = (Events::with_capacity(1024), vec![0; 16 * 1024]);
    let (mut sockets, mut free) = (Vec::new(), Vec::new());
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut socket, _)) = listener.accept() {
                    socket.set_nodelay(true)?;
                    let at = free.pop().unwrap_or_else(|| {
                        sockets.push(None);
                        sockets.len() - 1
                    });
                    poll.registry().register(&mut socket, Token(at), Interest::READABLE)?;
                    sockets[at] = Some(socket);
                }
                continue;
            }
            let at = event.token().0;
            if let Some(socket) = &mut sockets[at]
                && !turn(socket, &mut buffer)
            {
                sockets[at] = None;
                free.push(at);
            }
        }
    }
}

/// Whether the connection goes on.
fn turn(socket: &mut mio::net::TcpStream, buffer: &mut [u8]) -> bool {
    loop {
        match socket.read(buffer) {
            Ok(0) => return false,
            Ok(len) => {
                let mut rest = &buffer[..len];
                while !rest.is_empty() {
                    match socket.write(rest) {
                        Ok(len) => rest = &rest[len..],
                        Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                        Err(_) => return false,
                    }
                }
                if len < buffer.len() {
                    return true;
                }
            }
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}
