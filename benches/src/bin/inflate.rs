//! For callgrind, which counts what happens inside [`measured`]: `inflate SIZE yes|no` inflates JSON messages of about `SIZE` octets, with
//! context takeover or without.

use flate2::{Compress, Compression, FlushCompress};
use martlet_benches::json;
use martlet_codec::{DataKind, InflateLimits, Inflater, Window, WindowBits};
use std::hint::black_box;

/// The first messages are not like the others: they have nothing to refer to, and the window grows with them.
const FIRST: usize = 220;
const COUNTED: usize = 200;

/// The part that counts. Its name stays as it is, so that the tool finds it.
#[inline(never)]
#[unsafe(no_mangle)]
fn measured(run: &mut dyn FnMut()) {
    run();
}

fn main() {
    let mut args = std::env::args().skip(1);
    let size = args.next().and_then(|size| size.parse().ok()).unwrap_or(200);
    let takeover = args.next().is_some_and(|mode| mode == "yes");
    let mut deflater = Compress::new(Compression::new(6), false);
    let mut wire = Vec::new();
    let (mut octets, mut compressed) = (0, 0);
    for message in json(size).take(FIRST + COUNTED) {
        if !takeover {
            deflater.reset();
        }
        let mut out = Vec::with_capacity(message.len() + 64);
        deflater.compress_vec(&message, &mut out, FlushCompress::Sync).unwrap();
        let payload = out.strip_suffix(b"\x00\x00\xff\xff").unwrap().to_vec();
        octets += message.len();
        compressed += payload.len();
        wire.push(payload);
    }
    let (mut inflater, mut window) = (Inflater::new(), Window::new(Vec::new(), WindowBits::MAX).unwrap());
    let mut back = Vec::with_capacity(2 * size);
    let mut run = |wire: &[Vec<u8>]| {
        for payload in wire {
            back.clear();
            if !takeover {
                window.clear();
            }
            inflater.begin(DataKind::Text);
            let limits = InflateLimits::DEFAULT;
            assert_eq!(inflater.inflate_into(&limits, &mut window, payload, true, &mut back), Ok(true));
            black_box(&back);
        }
    };
    let (first, rest) = wire.split_at(FIRST);
    run(first);
    measured(&mut || run(rest));
    println!("messages {}", rest.len());
    println!("ratio {:.3}", compressed as f64 / octets as f64);
}
