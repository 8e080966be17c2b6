//! For callgrind, which counts what happens inside [`measured`]: `instructions in|out NAME KIND SIZE`; `instructions names in|out`.

use martlet_benches::Kind;
use martlet_benches::corpus::Corpus;
use martlet_benches::decode::DECODERS;
use martlet_benches::encode::ENCODERS;
use std::hint::black_box;

/// The part that counts. Its name stays as it is, so that the tool finds it.
#[inline(never)]
#[unsafe(no_mangle)]
fn measured(run: &mut dyn FnMut()) {
    run();
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["names", "in"] => DECODERS.iter().for_each(|(name, _)| println!("{name}")),
        ["names", "out"] => ENCODERS.iter().for_each(|(name, _)| println!("{name}")),
        [way, name, kind, size] => {
            let (kind, _) = Kind::ALL.into_iter().find(|(_, known)| *known == kind).expect("a kind of message");
            let size = size.parse().expect("a number of octets");
            if way == "in" { decode(name, kind, size) } else { encode(name, kind, size) }
        }
        _ => panic!("instructions in|out NAME KIND SIZE"),
    }
}

fn decode(name: &str, kind: Kind, size: usize) {
    let (_, make) = DECODERS.into_iter().find(|(known, _)| *known == name).expect("a decoder");
    let corpus = Corpus::new(kind, size, usize::MAX);
    let mut run = make(&corpus);
    // The first runs are not like the others: memory is touched for the first time, CPU features are looked for.
    run();
    run();
    measured(&mut || {
        black_box(run());
    });
    println!("messages {}", corpus.frames);
}

fn encode(name: &str, kind: Kind, size: usize) {
    let (_, make) = ENCODERS.into_iter().find(|(known, _)| *known == name).expect("an encoder");
    let count = (100_000 / (size + 10)).clamp(4, 1000);
    let mut send = make(kind, kind.payload(size).leak());
    send(count);
    send(count);
    measured(&mut || send(count));
    println!("messages {count}");
}
