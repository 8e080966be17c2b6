//! Decoders side by side: each makes whole messages of a corpus, and validates texts.

use crate::Kind;
use crate::corpus::{Corpus, READ, Shared, Sum, now};
use futures_util::StreamExt;
use std::io::Read;
use std::str::from_utf8;

/// One pass over a corpus. What a connection keeps lives from pass to pass.
pub type Run = Box<dyn FnMut() -> Sum>;

/// A decoder's name, and what makes its runs. The star is for those that validate no text: it is done for them.
pub type Decoder = (&'static str, fn(&Corpus) -> Run);

/// All of them; the first is the copy that the others' reads cost, without a decoder.
pub const DECODERS: [Decoder; 9] = [
    ("copy alone", copy_alone),
    ("martlet", martlet),
    ("tungstenite", tungstenite),
    ("fastwebsockets", fastwebsockets),
    ("tokio-websockets", tokio_websockets),
    ("sockudo-ws", sockudo),
    ("web-socket*", web_socket),
    ("soketto*", soketto),
    ("wslay (C)", crate::wslay::decoder),
];

fn copy_alone(corpus: &Corpus) -> Run {
    let (mut wire, mut buffer) = (corpus.wire(), vec![0; READ]);
    Box::new(move || {
        wire.at = 0;
        while wire.read(&mut buffer).unwrap() > 0 {
            std::hint::black_box(&mut buffer);
        }
        Sum::default()
    })
}

/// As our server does it: while much of a message is missing, it is read straight to where the message is put together, in memory that
/// was cleared once; and a read has room for a header beside a message of 16 KiB. The server reads 80 KiB at once, which saves system
/// calls; for a decoder 16 KiB are quicker.
fn martlet(corpus: &Corpus) -> Run {
    use martlet_codec::{Decoder, Event, Limits, MAX_HEADER, Role};
    let mut wire = corpus.wire();
    let limits = Limits { max_frame_bytes: 64 << 20, max_message_bytes: 64 << 20, ..Limits::DEFAULT };
    let mut decoder = Decoder::new(Role::Server);
    let (mut buffer, mut kept) = (vec![0; READ + MAX_HEADER], 0);
    let mut gathered = Gathered::default();
    Box::new(move || {
        wire.at = 0;
        let mut sum = Sum::default();
        loop {
            let missing = decoder.missing() as usize;
            if missing >= 2048 {
                let fresh = wire.read(gathered.room(missing.min(READ))).unwrap();
                let mut input = &mut gathered.room(fresh)[..];
                let Some(Event::Data(data)) = decoder.decode(&limits, &mut input).unwrap() else { return sum };
                let last = data.is_last();
                gathered.used += fresh;
                if last {
                    sum.message(gathered.take());
                }
                continue;
            }
            let fresh = wire.read(&mut buffer[kept..]).unwrap();
            if fresh == 0 {
                return sum;
            }
            let end = kept + fresh;
            let mut input = &mut buffer[..end];
            while let Some(event) = decoder.decode(&limits, &mut input).unwrap() {
                let Event::Data(data) = event else { unreachable!() };
                if data.is_whole() {
                    sum.message(data.payload());
                    continue;
                }
                gathered.room(data.payload().len()).copy_from_slice(data.payload());
                gathered.used += data.payload().len();
                if data.is_last() {
                    sum.message(gathered.take());
                }
            }
            kept = input.len();
            buffer.copy_within(end - kept..end, 0);
        }
    })
}

/// A message that does not come at once.
#[derive(Default)]
struct Gathered {
    memory: Vec<u8>,
    used: usize,
}

impl Gathered {
    /// Room behind what has come.
    fn room(&mut self, len: usize) -> &mut [u8] {
        let end = self.used + len;
        if self.memory.len() < end {
            self.memory.resize(end, 0);
        }
        &mut self.memory[self.used..end]
    }

    /// All that has come; the next message begins.
    fn take(&mut self) -> &[u8] {
        &self.memory[..std::mem::take(&mut self.used)]
    }
}

fn tungstenite(corpus: &Corpus) -> Run {
    use tungstenite::{Message, WebSocket, protocol::Role};
    let frames = corpus.frames;
    let mut socket = WebSocket::from_raw_socket(corpus.wire(), Role::Server, None);
    Box::new(move || {
        socket.get_mut().at = 0;
        let mut sum = Sum::default();
        for _ in 0..frames {
            match socket.read().unwrap() {
                Message::Text(text) => sum.message(text.as_bytes()),
                Message::Binary(octets) => sum.message(&octets),
                other => unreachable!("{other}"),
            }
        }
        sum
    })
}

fn fastwebsockets(corpus: &Corpus) -> Run {
    use fastwebsockets::{FragmentCollector, Role, WebSocket};
    let (wire, frames) = (Shared::new(corpus.wire()), corpus.frames);
    let mut socket = FragmentCollector::new(WebSocket::after_handshake(wire.clone(), Role::Server));
    Box::new(move || {
        wire.rewind();
        let mut sum = Sum::default();
        now(async {
            for _ in 0..frames {
                sum.message(&socket.read_frame().await.unwrap().payload);
            }
        });
        sum
    })
}

fn tokio_websockets(corpus: &Corpus) -> Run {
    let (wire, frames) = (Shared::new(corpus.wire()), corpus.frames);
    let mut socket = tokio_websockets::ServerBuilder::new().serve(wire.clone());
    Box::new(move || {
        wire.rewind();
        let mut sum = Sum::default();
        now(async {
            for _ in 0..frames {
                sum.message(socket.next().await.unwrap().unwrap().as_payload());
            }
        });
        sum
    })
}

/// Its core without I/O, which takes half of what its stream takes.
fn sockudo(corpus: &Corpus) -> Run {
    use sockudo_ws::{Message, Role, protocol::Protocol};
    let mut wire = corpus.wire();
    let mut protocol = Protocol::new(Role::Server, 64 << 20, 64 << 20);
    let (mut buffer, mut messages) = (bytes::BytesMut::with_capacity(64 * 1024), Vec::new());
    Box::new(move || {
        wire.at = 0;
        let mut sum = Sum::default();
        loop {
            let kept = buffer.len();
            buffer.resize(kept + READ, 0);
            let fresh = wire.read(&mut buffer[kept..]).unwrap();
            buffer.truncate(kept + fresh);
            if fresh == 0 {
                return sum;
            }
            protocol.process_into(&mut buffer, &mut messages).unwrap();
            for message in messages.drain(..) {
                match message {
                    Message::Text(octets) | Message::Binary(octets) => sum.message(&octets),
                    _ => unreachable!(),
                }
            }
        }
    })
}

fn web_socket(corpus: &Corpus) -> Run {
    use web_socket::{Event, WebSocket};
    let (wire, frames, is_text) = (Shared::new(corpus.wire()), corpus.frames, corpus.kind != Kind::Binary);
    let mut socket = WebSocket::server(tokio::io::BufReader::with_capacity(READ, wire.clone()));
    Box::new(move || {
        wire.rewind();
        let mut sum = Sum::default();
        now(async {
            for _ in 0..frames {
                let Event::Data { data, .. } = socket.recv().await.unwrap() else { unreachable!() };
                assert!(!is_text || from_utf8(&data).is_ok());
                sum.message(&data);
            }
        });
        sum
    })
}

fn soketto(corpus: &Corpus) -> Run {
    use soketto::connection::{Builder, Mode};
    let (wire, frames, is_text) = (Shared::new(corpus.wire()), corpus.frames, corpus.kind != Kind::Binary);
    let reader = futures_util::io::BufReader::with_capacity(READ, wire.clone());
    let (sender, mut receiver) = Builder::new(reader, Mode::Server).finish();
    let mut message = Vec::new();
    Box::new(move || {
        let _open = &sender;
        wire.rewind();
        let mut sum = Sum::default();
        now(async {
            for _ in 0..frames {
                message.clear();
                receiver.receive_data(&mut message).await.unwrap();
                assert!(!is_text || from_utf8(&message).is_ok());
                sum.message(&message);
            }
        });
        sum
    })
}
