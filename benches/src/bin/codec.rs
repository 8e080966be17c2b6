//! Time of decoders and encoders, interleaved, in one process: nanoseconds a message, the minimum of the rounds. Without feature `simd` that of
//! our decoder alone, whose code is safe then.

use martlet_benches::Kind;
use martlet_benches::corpus::Corpus;
use martlet_benches::decode::{DECODERS, Decoder};
use martlet_benches::encode::ENCODERS;
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 15;
const SIZES: [usize; 8] = [2, 20, 125, 126, 1024, 16 * 1024, 64 * 1024, 1 << 20];
/// A segment of Ethernet.
const SEGMENT: usize = 1460;

fn main() {
    for (kind, name) in Kind::ALL {
        println!("{name}, reads of any length:\n");
        decoders(kind, &SIZES, usize::MAX);
    }
    if !cfg!(feature = "simd") {
        return;
    }
    for (kind, name) in Kind::ALL {
        println!("{name}, reads of {SEGMENT} octets:\n");
        decoders(kind, &[20, 1024, 16 * 1024], SEGMENT);
    }
    println!("ASCII, out:\n");
    table(&SIZES, &ENCODERS.map(|(name, _)| name), |size| encoders(Kind::Ascii, size));
}

/// Prints a table with a row for each name and a column for each size.
fn table(sizes: &[usize], names: &[&str], column: impl Fn(usize) -> Vec<f64>) {
    let columns: Vec<_> = sizes.iter().map(|size| column(*size)).collect();
    println!("| octets a message |{}", sizes.iter().map(|size| format!(" {size} |")).collect::<String>());
    println!("|---|{}", "---:|".repeat(sizes.len()));
    for (at, name) in names.iter().enumerate() {
        println!("| {name} |{}", columns.iter().map(|column| format!(" {:.1} |", column[at])).collect::<String>());
    }
    println!();
}

fn decoders(kind: Kind, sizes: &[usize], cut: usize) {
    let ours = &DECODERS[..2];
    let all = if cfg!(feature = "simd") { &DECODERS[..] } else { ours };
    let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
    table(sizes, &names, |size| decode(all, &Corpus::new(kind, size, cut)));
}

fn decode(decoders: &[Decoder], corpus: &Corpus) -> Vec<f64> {
    let mut runs: Vec<_> = decoders.iter().map(|(_, make)| make(corpus)).collect();
    let sums: Vec<_> = runs.iter_mut().map(|run| run()).collect();
    assert_eq!(sums[1].messages, corpus.frames as u64);
    for ((name, _), sum) in decoders.iter().zip(&sums).skip(2) {
        assert_eq!(*sum, sums[1], "{name} delivered something else");
    }
    let passes = (4_000_000 / corpus.octets.len()).clamp(1, 50);
    interleave(runs.len(), passes * corpus.frames, |at| {
        for _ in 0..passes {
            black_box(runs[at]());
        }
    })
}

fn encoders(kind: Kind, size: usize) -> Vec<f64> {
    let payload = kind.payload(size).leak();
    let mut sends: Vec<_> = ENCODERS.iter().map(|(_, make)| make(kind, payload)).collect();
    let count = (16_000_000 / (size + 100)).clamp(4, 20_000);
    interleave(sends.len(), count, |at| sends[at](count))
}

/// Nanoseconds of one of `messages`, for each of `count` candidates.
fn interleave(count: usize, messages: usize, mut run: impl FnMut(usize)) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; count];
    for _ in 0..ROUNDS {
        for (at, best) in best.iter_mut().enumerate() {
            let start = Instant::now();
            run(at);
            *best = best.min(start.elapsed().as_nanos() as f64 / messages as f64);
        }
    }
    best
}
