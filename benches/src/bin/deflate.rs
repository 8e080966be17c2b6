//! permessage-deflate over JSON, for benches/deflate/table.py: one compressor or the inflater, once counted and then by the clock.
//!
//! - `deflate messages SIZE` writes the messages: the length of each (four octets, the greatest first) and its octets.
//! - `deflate compress small|large SIZE yes|no BITS LEVEL`: with context takeover or without.
//! - `deflate inflate SIZE yes|no BITS` reads compressed messages in that form, which must become those messages.
//!
//! Callgrind counts what happens inside [`measured`], which goes over the later messages once; `quick` as the last argument stops there.

use martlet_benches::json;
use martlet_codec::{DataKind, Deflater, InflateLimits, Inflater, SmallDeflater, Window, WindowBits};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long the clock runs; the best pass counts.
const TIME: Duration = Duration::from_millis(200);

static HELD: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is handed on to `System` as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The part that counts. Its name stays as it is, so that the tool finds it.
#[inline(never)]
#[unsafe(no_mangle)]
fn measured(run: &mut dyn FnMut()) {
    run();
}

/// Messages that only go before, so that there is something to refer to, and those that count. All are more than a window.
fn counts(size: usize) -> (usize, usize) {
    match size {
        0..1000 => (220, 200),
        1000..10_000 => (40, 100),
        _ => (2, 8),
    }
}

fn messages(size: usize) -> Vec<Vec<u8>> {
    let (first, counted) = counts(size);
    json(size).take(first + counted).collect()
}

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let quick = args.pop_if(|last| last == "quick").is_some();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["messages", size] => {
            let mut out = Vec::new();
            for message in messages(size.parse().unwrap()) {
                out.extend((message.len() as u32).to_be_bytes());
                out.extend(message);
            }
            std::io::stdout().write_all(&out).unwrap();
        }
        ["compress", which, size, takeover, bits, level] => {
            let (bits, level, takeover) = (window(bits), level.parse().unwrap(), takeover == "yes");
            let messages = messages(size.parse().unwrap());
            let before = HELD.load(Relaxed);
            if which == "small" {
                let mut small = Box::new(SmallDeflater::<4096, 1024>::new(bits, takeover));
                println!("held {}", HELD.load(Relaxed) - before);
                compress(&messages, quick, |message, out| small.deflate(message, out));
            } else {
                let mut large = Box::new(Deflater::new(bits, takeover, level));
                println!("held {}", HELD.load(Relaxed) - before);
                compress(&messages, quick, |message, out| large.deflate(message, out));
            }
        }
        ["inflate", size, takeover, bits] => {
            inflate(&messages(size.parse().unwrap()), takeover == "yes", window(bits), quick)
        }
        _ => panic!("messages, compress or inflate"),
    }
}

fn window(bits: &str) -> WindowBits {
    WindowBits::new(bits.parse().unwrap()).unwrap()
}

fn compress(messages: &[Vec<u8>], quick: bool, mut deflate: impl FnMut(&[u8], &mut [u8]) -> Option<usize>) {
    let mut out = vec![0; messages[0].len() + 4];
    passes(messages, messages, quick, |message| black_box(deflate(message, &mut out)).unwrap_or(message.len()));
}

fn inflate(messages: &[Vec<u8>], takeover: bool, bits: WindowBits, quick: bool) {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).unwrap();
    let (mut payloads, mut rest) = (Vec::new(), &input[..]);
    while let Some((len, after)) = rest.split_first_chunk() {
        let (payload, after) = after.split_at(u32::from_be_bytes(*len) as usize);
        payloads.push(payload.to_vec());
        rest = after;
    }
    let mut window = Window::new(Vec::new(), bits).unwrap();
    let (mut inflater, limits, mut back) = (Inflater::new(), InflateLimits::DEFAULT, Vec::new());
    let mut expected = messages.iter().cycle();
    passes(messages, &payloads, quick, |payload| {
        back.clear();
        if !takeover {
            window.clear();
        }
        inflater.begin(DataKind::Text);
        assert_eq!(inflater.inflate_into(&limits, &mut window, payload, true, &mut back), Ok(true));
        assert!(expected.next() == Some(&back));
        payload.len()
    });
}

/// Goes over all of `inputs`, which are `messages` or made from them, again and again.
fn passes(messages: &[Vec<u8>], inputs: &[Vec<u8>], quick: bool, mut one: impl FnMut(&[u8]) -> usize) {
    let (first, counted) = counts(messages[0].len());
    assert_eq!(inputs.len(), first + counted);
    for input in &inputs[..first] {
        one(input);
    }
    let mut compressed = 0;
    measured(&mut || compressed = inputs[first..].iter().map(|input| one(input)).sum());
    let octets: usize = messages[first..].iter().map(Vec::len).sum();
    println!("messages {counted}");
    println!("ratio {:.3}", compressed as f64 / octets as f64);
    if quick {
        return;
    }
    let all: usize = messages.iter().map(Vec::len).sum();
    let (start, mut best) = (Instant::now(), Duration::MAX);
    while start.elapsed() < TIME {
        let pass = Instant::now();
        for input in inputs {
            one(input);
        }
        best = best.min(pass.elapsed());
    }
    println!("mbs {:.1}", all as f64 / best.as_secs_f64() / 1e6);
}
