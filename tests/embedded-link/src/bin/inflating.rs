//! A compressed message of all kinds of blocks in a window of 512 octets: how deep the stack gets, and how many instructions an octet takes. For QEMU.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use martlet::codec::{InflateLimits, Inflater, Window, WindowBits};
use martlet::state::DataKind;
use martlet_embedded_link::bench;

static mut INFLATER: MaybeUninit<Inflater> = MaybeUninit::uninit();
static mut WINDOW: [u8; 512] = [0; 512];

/// As zlib compresses it at level 9, with fixed codes, and not at all.
static MESSAGE: &[u8] = include_bytes!("../readings.deflate");
static TEXT: &[u8] = include_bytes!("../readings.json");

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names them, and this is called once.
    let (inflater, room) = unsafe { (&mut *(&raw mut INFLATER), &mut *(&raw mut WINDOW)) };
    bench::paint();
    let inflater = inflater.write(Inflater::new());
    let begin = bench::ticks();
    let right = inflate(inflater, room);
    let end = bench::ticks();
    let stack = bench::deepest();
    bench::say("right ", u32::from(right));
    bench::say("inflater ", size_of::<Inflater>() as u32);
    bench::say("stack ", stack);
    bench::say("instructions ", bench::instructions(begin, end) / TEXT.len() as u32);
    bench::exit()
}

/// Whether the message is the text, cut into pieces of 50 octets.
#[inline(never)]
fn inflate(inflater: &mut Inflater, room: &mut [u8]) -> bool {
    let Some(mut window) = WindowBits::new(9).and_then(|bits| Window::new(room, bits)) else { return false };
    inflater.begin(DataKind::Text);
    let (mut rest, mut text) = (MESSAGE, TEXT);
    while !rest.is_empty() {
        let (mut piece, behind) = rest.split_at_checked(50).unwrap_or((rest, &[]));
        loop {
            match inflater.inflate(&InflateLimits::DEFAULT, &mut window, &mut piece, behind.is_empty()) {
                Ok(Some(made)) => match text.strip_prefix(made.payload) {
                    Some(behind) => text = behind,
                    None => return false,
                },
                Ok(None) => break,
                Err(_) => return false,
            }
        }
        rest = behind;
    }
    text.is_empty() && !inflater.is_open()
}
