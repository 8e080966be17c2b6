//! Echo servers to compare with: `peer NAME PORT`, each at its best: on one thread, or on one a connection where it blocks, and with one
//! write for all that can be answered, where it lets its user have that.

use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = || {
        io::Error::new(ErrorKind::InvalidInput, "peer raw|tungstenite|fastwebsockets|tokio-websockets|sockudo-ws PORT")
    };
    let name = args.next().ok_or_else(usage)?;
    let port = args.next().and_then(|port| port.parse().ok()).ok_or_else(usage)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match name.as_str() {
        "raw" => raw(address),
        "tungstenite" => tungstenite(address),
        "fastwebsockets" => fastwebsockets(address),
        "tokio-websockets" => tokio_websockets(address),
        "sockudo-ws" => sockudo(address),
        _ => Err(usage()),
    }
}

/// The floor: octets back as they came, over the same poll.
fn raw(address: SocketAddr) -> io::Result<()> {
    use mio::{Events, Interest, Poll, Token, net::TcpListener};
    const LISTENER: Token = Token(usize::MAX);
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(address)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (mut events, mut sockets, mut buffer) = (Events::with_capacity(1024), Vec::new(), vec![0; 16 * 1024]);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut socket, _)) = listener.accept() {
                    socket.set_nodelay(true)?;
                    poll.registry().register(&mut socket, Token(sockets.len()), Interest::READABLE)?;
                    sockets.push(socket);
                }
                continue;
            }
            let socket = &mut sockets[event.token().0];
            loop {
                match socket.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(len) => {
                        let mut rest = &buffer[..len];
                        while !rest.is_empty() {
                            match socket.write(rest) {
                                Ok(len) => rest = &rest[len..],
                                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                                Err(_) => break,
                            }
                        }
                        if len < buffer.len() {
                            break;
                        }
                    }
                    Err(_) => break,
                }
            }
        }
    }
}

/// Blocking sockets, a thread for each connection: what tungstenite's own examples do.
fn tungstenite(address: SocketAddr) -> io::Result<()> {
    let listener = std::net::TcpListener::bind(address)?;
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        std::thread::spawn(move || {
            let Ok(mut socket) = tungstenite::accept(stream) else { return };
            while let Ok(message) = socket.read() {
                if (message.is_text() || message.is_binary()) && socket.send(message).is_err() {
                    break;
                }
            }
        });
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn fastwebsockets(address: SocketAddr) -> io::Result<()> {
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

    let listener = tokio::net::TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            let _ = http1::Builder::new().serve_connection(io, service_fn(serve)).with_upgrades().await;
        });
    }
}

#[tokio::main(flavor = "current_thread")]
async fn tokio_websockets(address: SocketAddr) -> io::Result<()> {
    use tokio_websockets::{Limits, Message, ServerBuilder};
    let listener = tokio::net::TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let accepted = ServerBuilder::new().limits(Limits::unlimited()).accept(stream).await;
            let Ok((_, socket)) = accepted else { return };
            echo(socket, |message: &Message| message.is_text() || message.is_binary()).await;
        });
    }
}

#[tokio::main(flavor = "current_thread")]
async fn sockudo(address: SocketAddr) -> io::Result<()> {
    use sockudo_ws::{Config, Message, WebSocketStream, handshake::server_handshake};
    let listener = tokio::net::TcpListener::bind(address).await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            if server_handshake(&mut stream).await.is_ok() {
                let socket = WebSocketStream::server(stream, Config::default());
                echo(socket, |message| matches!(message, Message::Text(_) | Message::Binary(_))).await;
            }
        });
    }
}

/// Answers all that has come, then flushes.
async fn echo<M, E>(
    mut socket: impl Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    is_data: impl Fn(&M) -> bool,
) -> Option<()> {
    while let Some(message) = socket.next().await {
        let mut message = message.ok()?;
        loop {
            if is_data(&message) {
                socket.feed(message).await.ok()?;
            }
            match socket.next().now_or_never() {
                Some(next) => message = next?.ok()?,
                None => break,
            }
        }
        socket.flush().await.ok()?;
    }
    None
}
