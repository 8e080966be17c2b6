//! Connections that have been upgraded.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

/// A request, with what is offered.
pub fn request(extensions: Option<&str>) -> Vec<u8> {
    let extensions = extensions.map_or_else(String::new, |offer| format!("Sec-WebSocket-Extensions: {offer}\r\n"));
    format!(
        "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n"
    )
    .into_bytes()
}

pub fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A blocking socket.
pub fn plain(port: u16) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address(port))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// The same behind the handshake, and what was agreed on.
pub fn upgraded(port: u16, extensions: Option<&str>) -> io::Result<(TcpStream, Option<String>)> {
    let mut socket = plain(port)?;
    socket.write_all(&request(extensions))?;
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    let head = String::from_utf8_lossy(&head);
    if !head.starts_with("HTTP/1.1 101") {
        return Err(io::Error::other(head));
    }
    let agreed = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("Sec-WebSocket-Extensions").then(|| value.trim().to_owned())
    });
    Ok((socket, agreed))
}
