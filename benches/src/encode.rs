//! Encoders side by side: each makes server's frames of one message, and hands them to a transport that takes everything.

use crate::Kind;
use crate::corpus::{Shared, Wire, now};
use futures_util::SinkExt;
use std::io::{IoSlice, Write};
use std::str::from_utf8;

/// Sends so many messages.
pub type Send = Box<dyn FnMut(usize)>;

/// An encoder's name, and what makes it for a kind of message and a payload.
pub type Encoder = (&'static str, fn(Kind, &'static [u8]) -> Send);

/// All of them.
pub const ENCODERS: [Encoder; 8] = [
    ("martlet", martlet),
    ("tungstenite", tungstenite),
    ("fastwebsockets", fastwebsockets),
    ("tokio-websockets", tokio_websockets),
    ("sockudo-ws", sockudo),
    ("web-socket", web_socket),
    ("soketto", soketto),
    ("wslay (C)", crate::wslay::encoder),
];

/// Short frames are put together in one buffer, long ones go from where they lie, as the server does it.
fn martlet(kind: Kind, payload: &'static [u8]) -> Send {
    use martlet_codec::{DataOp, Header, Kind as FrameKind, Writer};
    let op = if kind == Kind::Binary { DataOp::Binary } else { DataOp::Text };
    let (mut wire, mut room) = (Wire::sink(), vec![0; 32 * 1024]);
    let kind = FrameKind::Data { op, fin: true, len: payload.len() as u64 };
    Box::new(move |count| {
        let mut writer = Writer::new(&mut room);
        for _ in 0..count {
            if payload.len() > 8 * 1024 {
                let header = Header { kind, key: None }.encode();
                // It takes everything.
                let _ = wire.write_vectored(&[header.as_ref(), payload].map(IoSlice::new)).unwrap();
            } else if writer.frame(kind, None, payload).is_err() {
                wire.write_all(writer.written()).unwrap();
                writer.clear();
                writer.frame(kind, None, payload).unwrap();
            }
        }
        wire.write_all(writer.written()).unwrap();
    })
}

fn tungstenite(kind: Kind, payload: &'static [u8]) -> Send {
    use tungstenite::{Bytes, Message, WebSocket, protocol::Role};
    let mut socket = WebSocket::from_raw_socket(Wire::sink(), Role::Server, None);
    let octets = Bytes::from_static(payload);
    let message = match kind {
        Kind::Binary => Message::Binary(octets),
        Kind::Ascii | Kind::Chinese => Message::Text(octets.try_into().unwrap()),
    };
    Box::new(move |count| (0..count).for_each(|_| socket.send(message.clone()).unwrap()))
}

fn fastwebsockets(kind: Kind, payload: &'static [u8]) -> Send {
    use fastwebsockets::{Frame, Role, WebSocket};
    let mut socket = WebSocket::after_handshake(Shared::new(Wire::sink()), Role::Server);
    let frame = if kind == Kind::Binary { Frame::binary } else { Frame::text };
    Box::new(move |count| {
        now(async {
            for _ in 0..count {
                socket.write_frame(frame(payload.into())).await.unwrap();
            }
        });
    })
}

fn tokio_websockets(kind: Kind, payload: &'static [u8]) -> Send {
    use tokio_websockets::{Message, ServerBuilder};
    let mut socket = ServerBuilder::new().serve(Shared::new(Wire::sink()));
    let message = match kind {
        Kind::Binary => Message::binary(payload),
        Kind::Ascii | Kind::Chinese => Message::text(from_utf8(payload).unwrap()),
    };
    Box::new(move |count| {
        now(async {
            for _ in 0..count {
                socket.send(message.clone()).await.unwrap();
            }
        });
    })
}

fn sockudo(kind: Kind, payload: &'static [u8]) -> Send {
    use sockudo_ws::frame::{OpCode, encode_frame};
    let op = if kind == Kind::Binary { OpCode::Binary } else { OpCode::Text };
    let (mut wire, mut buffer) = (Wire::sink(), bytes::BytesMut::with_capacity(payload.len() + 64));
    Box::new(move |count| {
        for _ in 0..count {
            buffer.clear();
            encode_frame(&mut buffer, op, payload, true, None);
            wire.write_all(&buffer).unwrap();
        }
    })
}

fn web_socket(kind: Kind, payload: &'static [u8]) -> Send {
    let mut socket = web_socket::WebSocket::server(Shared::new(Wire::sink()));
    let text = from_utf8(payload).ok();
    Box::new(move |count| {
        now(async {
            for _ in 0..count {
                match (kind, text) {
                    (Kind::Ascii | Kind::Chinese, Some(text)) => socket.send(text).await.unwrap(),
                    _ => socket.send(payload).await.unwrap(),
                }
            }
        });
    })
}

fn soketto(kind: Kind, payload: &'static [u8]) -> Send {
    use soketto::connection::{Builder, Mode};
    let (mut sender, receiver) = Builder::new(Shared::new(Wire::sink()), Mode::Server).finish();
    let text = from_utf8(payload).ok();
    Box::new(move |count| {
        let _open = &receiver;
        now(async {
            for _ in 0..count {
                match (kind, text) {
                    (Kind::Ascii | Kind::Chinese, Some(text)) => sender.send_text(text).await.unwrap(),
                    _ => sender.send_binary(payload).await.unwrap(),
                }
            }
        });
    })
}
