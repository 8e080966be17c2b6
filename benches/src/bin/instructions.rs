//! For callgrind, which counts what happens inside [`measured`]: `instructions KIND SIZE` decodes a stream of equal frames.

use martlet_benches::{Kind, client_frame};
use martlet_codec::{Decoder, Event, Limits, MIN_INPUT, Role};
use std::hint::black_box;

const READ: usize = 16 * 1024;

/// The part that counts. Its name stays as it is, so that the tool finds it.
#[inline(never)]
#[unsafe(no_mangle)]
fn measured(run: &mut dyn FnMut()) {
    run();
}

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|(_, known)| *known == name).map_or(Kind::Binary, |(kind, _)| kind);
    let size = args.next().and_then(|size| size.parse().ok()).unwrap_or(20);
    let frames = if size < 200 { 2000 } else { 64 };
    let mut wire = Vec::new();
    for i in 0..frames {
        client_frame(&mut wire, kind, [i as u8, 0x55, 3, 9], &kind.payload(size));
    }

    let (mut decoder, limits) = (Decoder::new(Role::Server), Limits::DEFAULT);
    let mut buffer = vec![0; READ + MIN_INPUT];
    let mut sum = (0u64, 0u64, 0u8);
    let mut run = || {
        let (mut rest, mut kept) = (&wire[..], 0);
        while !rest.is_empty() {
            let fresh = rest.len().min(READ);
            let end = kept + fresh;
            buffer[kept..end].copy_from_slice(&rest[..fresh]);
            rest = &rest[fresh..];
            let mut input = &mut buffer[..end];
            while let Some(event) = decoder.decode(&limits, &mut input).unwrap() {
                let Event::Data(data) = event else { unreachable!() };
                sum.0 += u64::from(data.is_last());
                sum.1 += data.payload().len() as u64;
                if let (Some(first), Some(last)) = (data.payload().first(), data.payload().last()) {
                    sum.2 ^= first ^ last;
                }
            }
            kept = input.len();
            buffer.copy_within(end - kept..end, 0);
        }
    };
    // The first runs are not like the others: memory is touched for the first time, CPU features are looked for.
    run();
    run();
    measured(&mut run);
    assert_eq!(black_box(sum).0, 3 * frames as u64);
    println!("frames {frames}");
}
