//! Frames in and out for a tool that counts instructions: `instructions in|out ascii|chinese|binary SIZE` runs so many frames in
//! [`measured`], and prints how many. `tests/run instructions` compares the counts with those in `tests/instructions.txt`.
//!
//! `instructions deflate|inflate json SIZE` does so with messages that the small compressor makes smaller, of which each refers to those before.

#[cfg(feature = "deflate")]
use martlet_codec::{DataKind, InflateLimits, Inflater, SmallDeflater, Storage, Store, Window, WindowBits};
use martlet_codec::{DataOp, Decoder, Event, Kind, Limits, MIN_INPUT, Role, Writer};
use std::hint::black_box;

/// Octets of a read.
const READ: usize = 16 * 1024;

/// What counts.
#[inline(never)]
fn measured(run: &mut dyn FnMut()) {
    run();
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [way, kind, size] = args.as_slice() else { panic!("instructions in|out ascii|chinese|binary SIZE") };
    let size = size.parse().expect("a number of octets");
    #[cfg(feature = "deflate")]
    if kind == "json" {
        return compressed(way, size);
    }
    let (op, payload): (DataOp, Vec<u8>) = match kind.as_str() {
        "ascii" => (DataOp::Text, b"The quick brown fox. ".iter().copied().cycle().take(size).collect()),
        "chinese" => (DataOp::Text, "天地玄黄宇宙洪荒".bytes().cycle().take(size / 3 * 3).collect()),
        "binary" => (DataOp::Binary, (0..size).map(|at| (at * 167 + 13) as u8).collect()),
        _ => panic!("ascii, chinese or binary"),
    };
    let frames = if size < 200 { 2000 } else { 64 };
    match way.as_str() {
        "in" => decode(op, &payload, frames),
        "out" => encode(op, &payload, frames),
        _ => panic!("in or out"),
    }
    println!("frames {frames}");
}

/// The first runs are not like the others: memory is touched for the first time, CPU features are looked for.
fn run_thrice(mut run: impl FnMut()) {
    run();
    run();
    measured(&mut run);
}

fn decode(op: DataOp, payload: &[u8], frames: usize) {
    let mut room = vec![0; payload.len() + 14];
    let mut wire = Vec::new();
    for at in 0..frames {
        let mut writer = Writer::new(&mut room);
        let kind = Kind::Data { op, fin: true, len: 0 };
        writer.frame(kind, Some(martlet_codec::Key([at as u8, 0x55, 3, 9])), payload).expect("room for a header");
        wire.extend_from_slice(writer.written());
    }
    let (mut decoder, limits) = (Decoder::new(Role::Server), Limits::DEFAULT);
    let mut buffer = vec![0; READ + MIN_INPUT];
    let (mut messages, mut octets) = (0, 0);
    run_thrice(|| {
        let mut kept = 0;
        for fresh in wire.chunks(READ) {
            let end = kept + fresh.len();
            buffer[kept..end].copy_from_slice(fresh);
            let mut input = &mut buffer[..end];
            while let Some(event) = decoder.decode(&limits, &mut input).expect("right frames") {
                let Event::Data(data) = event else { unreachable!("nothing but data") };
                messages += usize::from(data.is_last());
                octets += data.payload().len();
            }
            kept = input.len();
            buffer.copy_within(end - kept..end, 0);
        }
    });
    assert_eq!((messages, octets), (3 * frames, 3 * frames * payload.len()));
}

fn encode(op: DataOp, payload: &[u8], frames: usize) {
    let mut room = vec![0; (payload.len() + 10).max(READ)];
    run_thrice(|| {
        let mut writer = Writer::new(&mut room);
        for _ in 0..frames {
            let kind = Kind::Data { op, fin: true, len: 0 };
            if writer.frame(kind, None, payload).is_err() {
                black_box(writer.written());
                writer.clear();
                writer.frame(kind, None, payload).expect("room for a frame");
            }
        }
        black_box(writer.written());
    });
}

/// Messages as an application has them: the same names, other values.
#[cfg(feature = "deflate")]
fn json(size: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut chance = 1u64;
    let mut number = move |below: u64| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance % below
    };
    (0u64..).map(move |id| {
        let mut text = format!(r#"{{"id":{id},"type":"update","items":["#);
        while text.len() < size {
            let (user, price, quantity) = (number(10_000), number(500), number(1000));
            text += &format!(r#"{{"user":"user{user}","price":{price}.50,"quantity":{quantity},"side":"buy"}},"#);
        }
        text.truncate(size);
        text.into_bytes()
    })
}

#[cfg(feature = "deflate")]
fn compressed(way: &str, size: usize) {
    let messages: Vec<Vec<u8>> = json(size).take(200).collect();
    let mut deflater = Box::new(SmallDeflater::<4096, 1024>::new(WindowBits::MAX, true));
    let mut room = vec![0; size];
    match way {
        "deflate" => run_thrice(|| {
            for message in &messages {
                black_box(deflater.deflate(message, &mut room).expect("it gets smaller"));
            }
        }),
        "inflate" => {
            let deflate = |message: &Vec<u8>| deflater.deflate(message, &mut room).map(|len| room[..len].to_vec());
            let wire: Vec<Vec<u8>> = messages.iter().filter_map(deflate).collect();
            assert_eq!(wire.len(), messages.len());
            let (mut inflater, limits) = (Inflater::new(), InflateLimits::DEFAULT);
            let mut octets = vec![0; WindowBits::MAX.size()];
            let mut window = Window::new(&mut octets[..], WindowBits::MAX).expect("it is of that size");
            let mut storage = vec![0; size];
            run_thrice(|| {
                for (message, payload) in messages.iter().zip(&wire) {
                    let mut back = Store::new(&mut storage);
                    inflater.begin(DataKind::Text);
                    let whole = inflater.inflate_into(&limits, &mut window, payload, true, &mut back);
                    assert!(whole == Ok(true) && back.as_slice() == message);
                }
            });
        }
        _ => panic!("deflate or inflate"),
    }
    println!("frames {}", messages.len());
}
