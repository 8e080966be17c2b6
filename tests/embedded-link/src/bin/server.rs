//! The core as a server.
#![no_std]
#![no_main]

use martlet::handshake::Limits;
use martlet::state::{Config, Connection, HeadMode, Writer};
use martlet_embedded_link::{drive, now, respond};

/// Heads pass through line by line, so that the buffer need not hold them; its length is the longest line's.
const LINE: usize = 256;
static mut INPUT: [u8; LINE] = [0; LINE];
static mut OUTPUT: [u8; 768] = [0; 768];

static CONFIG: Config<'static> = Config {
    head: Limits { max_line_bytes: LINE as u32, ..Limits::DEFAULT },
    head_mode: HeadMode::Lines,
    subprotocols: &["echo.example"],
    ..Config::DEFAULT
};

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names them, and this is called once.
    let (input, output) = unsafe { (&mut *(&raw mut INPUT), &mut *(&raw mut OUTPUT)) };
    #[cfg(feature = "provoke")]
    martlet_embedded_link::provoke(input);
    loop {
        let mut output = Writer::new(output);
        drive(&mut Connection::server(&CONFIG, now()), input, &mut output, respond);
    }
}
