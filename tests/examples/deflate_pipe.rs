//! Our half of permessage-deflate as a pipe, for an independent zlib to judge: `deflate_pipe BITS TAKEOVER compress LEVEL` turns
//! messages into compressed ones (level 0: by the small compressor), `deflate_pipe BITS TAKEOVER inflate CUT` the other way, in pieces of CUT octets.
//! To compress, BITS may be several numbers with commas between: the window changes every eight messages.
//!
//! In and out, a message is its length (four octets, the greatest first) and its octets. One that is better sent as it is has the
//! greatest length and no octets; at one that does not inflate the pipe ends with the violation's name.

use martlet_codec::{DataKind, Deflater, InflateLimits, Inflater, SmallDeflater, Violation, Window, WindowBits};
use std::io::{self, Read, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [bits, takeover, way, number] = &args[..] else { return Err("BITS TAKEOVER compress|inflate NUMBER".into()) };
    let windows = bits.split(',').map(|bits| WindowBits::new(bits.parse().ok()?)).collect::<Option<Vec<_>>>();
    let windows = windows.ok_or("BITS are 8 to 15")?;
    let (takeover, number) = (takeover == "1", number.parse()?);
    let mut input = Vec::new();
    io::stdin().read_to_end(&mut input)?;
    let output = match way.as_str() {
        "compress" => compress(&windows, takeover, u8::try_from(number)?, &messages(&input)),
        "inflate" => {
            inflate(windows[0], takeover, number, &messages(&input)).map_err(|violation| format!("{violation:?}"))?
        }
        _ => return Err("compress or inflate".into()),
    };
    Ok(io::stdout().write_all(&output)?)
}

fn messages(mut input: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while let Some((len, rest)) = input.split_first_chunk() {
        let (message, rest) = rest.split_at(u32::from_be_bytes(*len) as usize);
        messages.push(message);
        input = rest;
    }
    messages
}

fn say(output: &mut Vec<u8>, message: &[u8]) {
    output.extend((message.len() as u32).to_be_bytes());
    output.extend(message);
}

fn compress(windows: &[WindowBits], takeover: bool, level: u8, messages: &[&[u8]]) -> Vec<u8> {
    let mut small = (level == 0).then(|| Box::new(SmallDeflater::<8192, 2048>::new(windows[0], takeover)));
    let mut large = Deflater::new(windows[0], takeover, level);
    let (mut output, mut room) = (Vec::new(), Vec::new());
    for (eight, bits) in messages.chunks(8).zip(windows.iter().cycle()) {
        if windows.len() > 1 {
            large.set_window(*bits);
            small.iter_mut().for_each(|small| small.set_window(*bits));
        }
        for message in eight {
            room.resize(message.len() + 4, 0);
            let compressed = match &mut small {
                Some(small) => small.deflate(message, &mut room),
                None => large.deflate(message, &mut room),
            };
            match compressed {
                Some(len) => say(&mut output, &room[..len]),
                None => output.extend(u32::MAX.to_be_bytes()),
            }
        }
    }
    output
}

fn inflate(bits: WindowBits, takeover: bool, cut: usize, messages: &[&[u8]]) -> Result<Vec<u8>, Violation> {
    let mut window = Window::new(Vec::new(), bits).expect("a vector grows");
    let (mut inflater, mut output) = (Inflater::new(), Vec::new());
    for message in messages {
        if !takeover {
            window.clear();
        }
        inflater.begin(DataKind::Binary);
        let (mut back, mut rest) = (Vec::new(), *message);
        loop {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            rest = after;
            if inflater.inflate_into(&InflateLimits::DEFAULT, &mut window, piece, rest.is_empty(), &mut back)? {
                break;
            }
        }
        say(&mut output, &back);
    }
    Ok(output)
}
