//! Servers on a single-threaded tokio that are streams and sinks of messages, so that one flush goes for many.

use crate::Mode;
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use std::io;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::{Receiver, Sender, channel};

/// Messages that are taken before any is answered.
const AT_ONCE: usize = 64;
/// Messages of a room that may wait for a receiver.
const WAITING: usize = 4096;

#[tokio::main(flavor = "current_thread")]
pub async fn tokio_websockets(address: SocketAddr, mode: Mode) -> io::Result<()> {
    use tokio_websockets::{Limits, Message, ServerBuilder};
    let (listener, room) = (TcpListener::bind(address).await?, channel(WAITING).0);
    loop {
        let stream = accept(&listener).await?;
        let room = room.clone();
        tokio::spawn(async move {
            let accepted = ServerBuilder::new().limits(Limits::unlimited()).accept(stream).await;
            let Ok((_, socket)) = accepted else { return };
            let is_data = |message: &Message| message.is_text() || message.is_binary();
            match mode {
                Mode::Broadcast => broadcast(socket, &room, room.subscribe(), is_data).await,
                _ => gathered_echo(socket, is_data).await,
            };
        });
    }
}

#[tokio::main(flavor = "current_thread")]
pub async fn sockudo(address: SocketAddr, mode: Mode) -> io::Result<()> {
    use sockudo_ws::{CompressedWebSocketStream, Config, Message, WebSocketStream, handshake};
    let is_data = |message: &Message| matches!(message, Message::Text(_) | Message::Binary(_));
    let (listener, room) = (TcpListener::bind(address).await?, channel(WAITING).0);
    loop {
        let mut stream = accept(&listener).await?;
        let room = room.clone();
        tokio::spawn(async move {
            if matches!(mode, Mode::Deflate | Mode::Takeover) {
                let Ok(deflate) = sockudo_deflate(&mut stream, mode).await else { return };
                serve(CompressedWebSocketStream::server(stream, Config::default(), deflate), mode, &room, is_data)
                    .await;
            } else if handshake::server_handshake(&mut stream).await.is_ok() {
                serve(WebSocketStream::server(stream, Config::default()), mode, &room, is_data).await;
            }
        });
    }
}

/// Its own server does not negotiate compression over HTTP/1.1, so that this puts its parts together.
async fn sockudo_deflate(stream: &mut TcpStream, mode: Mode) -> io::Result<sockudo_ws::deflate::DeflateConfig> {
    use sockudo_ws::deflate::{DeflateConfig, negotiate_server_deflate};
    use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request};
    let head = crate::fast::head(stream).await?;
    let unusable = || io::Error::other("not a request for compression");
    let (request, _) = parse_request(head.as_bytes()).map_err(io::Error::other)?.ok_or_else(unusable)?;
    let alone = mode == Mode::Deflate;
    let policy = DeflateConfig {
        server_no_context_takeover: alone,
        client_no_context_takeover: alone,
        ..DeflateConfig::default()
    };
    let agreed = negotiate_server_deflate(request.extensions.ok_or_else(unusable)?, &policy).ok_or_else(unusable)?;
    let response = build_response(&generate_accept_key(request.key), None, Some(&agreed.to_response_header()));
    stream.write_all(&response).await?;
    Ok(agreed.config)
}

#[tokio::main(flavor = "current_thread")]
pub async fn yawc(address: SocketAddr, mode: Mode) -> io::Result<()> {
    use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
    use yawc::{Frame, OpCode, Options, WebSocket};
    let is_data = |frame: &Frame| matches!(frame.opcode(), OpCode::Text | OpCode::Binary);
    let options = Options::default().with_utf8().with_limits(64 << 20, 128 << 20);
    let options = match mode {
        Mode::Echo | Mode::Broadcast => options.without_compression(),
        Mode::Takeover => options.with_balanced_compression(),
        Mode::Deflate => options.with_balanced_compression().server_no_context_takeover().client_no_context_takeover(),
    };
    let (listener, room) = (TcpListener::bind(address).await?, channel(WAITING).0);
    loop {
        let stream = accept(&listener).await?;
        let (room, options) = (room.clone(), options.clone());
        tokio::spawn(async move {
            let service = service_fn(move |mut request: Request<Incoming>| {
                let (room, options) = (room.clone(), options.clone());
                async move {
                    let (response, socket) = WebSocket::upgrade_with_options(&mut request, options)?;
                    tokio::spawn(async move {
                        let Ok(socket) = socket.await else { return };
                        let socket = socket.map(Ok::<_, yawc::WebSocketError>);
                        serve(socket, mode, &room, |frame| is_data(frame)).await;
                    });
                    Ok::<_, yawc::WebSocketError>(response)
                }
            });
            let io = hyper_util::rt::TokioIo::new(stream);
            let _ = http1::Builder::new().serve_connection(io, service).with_upgrades().await;
        });
    }
}

async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn serve<M: Clone, E>(
    socket: impl Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    mode: Mode,
    room: &Sender<M>,
    is_data: impl Fn(&M) -> bool,
) {
    // An error is the end of a connection, and nothing else is to be done about it.
    let _ = match mode {
        Mode::Broadcast => broadcast(socket, room, room.subscribe(), is_data).await,
        _ => echo(socket, is_data).await,
    };
}

/// Answers all that has come, one by one, then flushes.
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

/// Takes all that has come, answers it, then flushes: for who flushes whenever it is asked for more.
async fn gathered_echo<M, E>(
    mut socket: impl Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    is_data: impl Fn(&M) -> bool,
) -> Option<()> {
    let mut come = Vec::with_capacity(AT_ONCE);
    while let Some(message) = socket.next().await {
        come.push(message.ok()?);
        while come.len() < AT_ONCE
            && let Some(message) = socket.next().now_or_never()
        {
            come.push(message?.ok()?);
        }
        for message in come.drain(..).filter(&is_data) {
            socket.feed(message).await.ok()?;
        }
        socket.flush().await.ok()?;
    }
    None
}

/// Tells the room what has come; sends all that the room has told, then flushes.
async fn broadcast<M: Clone, E>(
    mut socket: impl Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    room: &Sender<M>,
    mut told: Receiver<M>,
    is_data: impl Fn(&M) -> bool,
) -> Option<()> {
    loop {
        tokio::select! {
            message = socket.next() => {
                let message = message?.ok()?;
                if is_data(&message) {
                    room.send(message).ok()?;
                }
            }
            message = told.recv() => {
                socket.feed(message.ok()?).await.ok()?;
                while let Ok(message) = told.try_recv() {
                    socket.feed(message).await.ok()?;
                }
                socket.flush().await.ok()?;
            }
        }
    }
}
