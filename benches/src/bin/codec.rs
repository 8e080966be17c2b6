//! Masked client frames in memory into whole, validated messages: ours against peers, interleaved, in one process.
//!
//! `codec` prints nanoseconds a frame (the minimum of the rounds) and the ratio to the copy of the octets alone.

use martlet_benches::{Kind, client_frame};
use std::hint::black_box;
use std::io::{Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

const READ: usize = 16 * 1024;
const ROUNDS: usize = 15;

/// What every decoder reads from: one copy a read, as a socket makes one.
struct Wire {
    octets: &'static [u8],
    at: usize,
}

impl Read for Wire {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.octets[self.at..];
        let len = rest.len().min(to.len()).min(READ);
        to[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
        Ok(from.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a decoder delivered, so that none can cheat.
#[derive(Default, Debug, PartialEq, Eq, Clone, Copy)]
struct Sum {
    messages: u64,
    octets: u64,
    ends: u64,
}

impl Sum {
    #[inline]
    fn message(&mut self, payload: &[u8]) {
        self.messages += 1;
        self.octets += payload.len() as u64;
        if let (Some(first), Some(last)) = (payload.first(), payload.last()) {
            self.ends += u64::from(*first) + u64::from(*last);
        }
    }
}

struct Corpus {
    octets: &'static [u8],
    frames: usize,
}

type Run = Box<dyn FnMut() -> Sum>;

fn copy_alone(corpus: &Corpus) -> Run {
    let mut wire = Wire { octets: corpus.octets, at: 0 };
    let mut buffer = vec![0; READ];
    Box::new(move || {
        wire.at = 0;
        while wire.read(&mut buffer).unwrap() > 0 {
            black_box(&mut buffer);
        }
        Sum::default()
    })
}

fn martlet(corpus: &Corpus) -> Run {
    use martlet_codec::{Assembler, Decoder, Event, Limits, Role};
    let mut wire = Wire { octets: corpus.octets, at: 0 };
    let limits = Limits { max_frame_bytes: 64 << 20, max_message_bytes: 64 << 20, ..Limits::DEFAULT };
    let (mut decoder, mut assembler) = (Decoder::new(Role::Server), Assembler::new(Vec::new()));
    let mut buffer = vec![0; READ + martlet_codec::MIN_INPUT];
    let mut kept = 0;
    Box::new(move || {
        wire.at = 0;
        let mut sum = Sum::default();
        loop {
            let fresh = wire.read(&mut buffer[kept..]).unwrap();
            if fresh == 0 {
                return sum;
            }
            let end = kept + fresh;
            let mut input = &mut buffer[..end];
            while let Some(event) = decoder.decode(&limits, &mut input).unwrap() {
                let Event::Data(data) = event else { unreachable!() };
                if let Some(message) = assembler.push(data).unwrap() {
                    sum.message(message.payload);
                }
            }
            kept = input.len();
            buffer.copy_within(end - kept..end, 0);
        }
    })
}

fn tungstenite(corpus: &Corpus) -> Run {
    use tungstenite::{Message, WebSocket, protocol::Role};
    let frames = corpus.frames;
    let mut socket = WebSocket::from_raw_socket(Wire { octets: corpus.octets, at: 0 }, Role::Server, None);
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

/// An asynchronous view of a wire that a benchmark can rewind while the peer owns it.
struct Shared(std::rc::Rc<std::cell::RefCell<Wire>>);

impl tokio::io::AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let len = self.0.borrow_mut().read(to.initialize_unfilled())?;
        to.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncWrite for Shared {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, from: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(from.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn fastwebsockets(corpus: &Corpus) -> Run {
    use fastwebsockets::{FragmentCollector, Role, WebSocket};
    let wire = std::rc::Rc::new(std::cell::RefCell::new(Wire { octets: corpus.octets, at: 0 }));
    let mut socket = FragmentCollector::new(WebSocket::after_handshake(Shared(wire.clone()), Role::Server));
    let frames = corpus.frames;
    Box::new(move || {
        wire.borrow_mut().at = 0;
        let mut sum = Sum::default();
        for _ in 0..frames {
            let mut frame = std::pin::pin!(socket.read_frame());
            // The wire is always ready, so that one poll is enough.
            match frame.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(frame) => sum.message(&frame.unwrap().payload),
                Poll::Pending => unreachable!(),
            }
        }
        sum
    })
}

fn corpus(kind: Kind, size: usize) -> Corpus {
    let frames = (256 * 1024 / (size + 6)).clamp(4, 4000);
    let payload = kind.payload(size);
    let mut octets = Vec::new();
    for i in 0..frames {
        client_frame(&mut octets, kind, [i as u8, 0x5a, (i >> 8) as u8, 0xc3], &payload);
    }
    Corpus { octets: octets.leak(), frames }
}

fn main() {
    println!(
        "| message | size | copy alone | martlet | tungstenite | fastwebsockets | martlet / copy | best peer / martlet |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for (kind, name) in Kind::ALL {
        for size in [2, 20, 125, 126, 1024, 16 * 1024, 1 << 20] {
            let corpus = corpus(kind, size);
            let mut runs = [copy_alone(&corpus), martlet(&corpus), tungstenite(&corpus), fastwebsockets(&corpus)];
            let sums = runs.each_mut().map(|run| run());
            assert_eq!(sums[1].messages, corpus.frames as u64);
            assert!(sums[1] == sums[2] && sums[1] == sums[3], "a decoder delivered something else: {sums:?}");
            let passes = (4_000_000 / corpus.octets.len()).clamp(1, 50);
            let mut best = [f64::INFINITY; 4];
            for _ in 0..ROUNDS {
                for (run, best) in runs.iter_mut().zip(&mut best) {
                    let start = Instant::now();
                    for _ in 0..passes {
                        black_box(run());
                    }
                    *best = best.min(start.elapsed().as_nanos() as f64 / (passes * corpus.frames) as f64);
                }
            }
            let [copy, ours, peers @ ..] = best;
            let peer = peers.into_iter().fold(f64::INFINITY, f64::min);
            println!(
                "| {name} | {size} | {copy:.1} | {ours:.1} | {:.1} | {:.1} | {:.2} | {:.2} |",
                peers[0],
                peers[1],
                ours / copy,
                peer / ours
            );
        }
    }
}
