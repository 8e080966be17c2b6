//! Servers on a single-threaded tokio that write for each frame, for their interface has nothing else.

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
pub async fn fastwebsockets(address: SocketAddr) -> io::Result<()> {
    use fastwebsockets::{FragmentCollector, OpCode, upgrade};
    use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};

    async fn echo(socket: upgrade::UpgradeFut) -> Result<(), fastwebsockets::WebSocketError> {
        let mut socket = FragmentCollector::new(socket.await?);
        loop {
            let frame = socket.read_frame().await?;
            match frame.opcode {
                OpCode::Close => return Ok(()),
                OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
                _ => {}
            }
        }
    }
    async fn serve(
        mut request: Request<Incoming>,
    ) -> Result<Response<http_body_util::Empty<bytes::Bytes>>, fastwebsockets::WebSocketError> {
        let (response, socket) = upgrade::upgrade(&mut request)?;
        tokio::spawn(echo(socket));
        Ok(response)
    }

    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            let _ = http1::Builder::new().serve_connection(io, service_fn(serve)).with_upgrades().await;
        });
    }
}

/// It has no handshake of its own, and checks no UTF-8.
#[tokio::main(flavor = "current_thread")]
pub async fn web_socket(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let _ = web_socket_echo(stream).await;
        });
    }
}

async fn web_socket_echo(mut stream: TcpStream) -> io::Result<()> {
    use web_socket::{CloseCode, DataType, Event, MessageType, WebSocket};
    let head = head(&mut stream).await?;
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(response.as_bytes()).await?;
    // It reads a header octet by octet: the user is to put a buffer beneath.
    let mut socket = WebSocket::server(tokio::io::BufReader::with_capacity(16 * 1024, stream));
    loop {
        match socket.recv().await? {
            Event::Data { ty: DataType::Complete(MessageType::Text), data } => {
                socket.send(std::str::from_utf8(&data).map_err(io::Error::other)?).await?;
            }
            Event::Data { data, .. } => socket.send(&data[..]).await?,
            Event::Ping(data) => socket.send_pong(data).await?,
            Event::Pong(_) => {}
            Event::Error(_) => return socket.close(CloseCode::ProtocolError).await,
            Event::Close { .. } => return socket.close(()).await,
        }
    }
}

/// A request's head. Our clients send nothing behind it before they have the answer.
pub async fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    String::from_utf8(head).map_err(io::Error::other)
}
