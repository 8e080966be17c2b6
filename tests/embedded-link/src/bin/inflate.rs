//! The core as a client that has compressed messages inflated, in the window that it asks for.
#![no_std]
#![no_main]

use martlet::codec::{InflateLimits, Inflater, Window};
use martlet::handshake::{ClientRequest, DeflateParams, DeflateSide, Limits};
use martlet::state::{Config, Connection, Data, Event, HeadMode, Violation, WindowBits, Writer};
use martlet_embedded_link::{Noise, drive, log, now, respond};

/// Heads pass through line by line, so that the buffer need not hold them; its length is the longest line's.
const LINE: usize = 256;
static mut INPUT: [u8; LINE] = [0; LINE];
static mut OUTPUT: [u8; 768] = [0; 768];

/// The window: 1 KiB, or 512 octets.
#[cfg(not(feature = "window-512"))]
const BITS: u8 = 10;
#[cfg(feature = "window-512")]
const BITS: u8 = 9;
static mut WINDOW: [u8; 1 << BITS] = [0; 1 << BITS];
/// What the documents say that the inflater has on the stack: in a static it would be made on the stack and then moved.
const _: () = assert!(size_of::<Inflater>() <= 10_600);

static CONFIG: Config<'static> = Config {
    head: Limits { max_line_bytes: LINE as u32, ..Limits::DEFAULT },
    head_mode: HeadMode::Lines,
    deflate: Some(DeflateParams {
        server: DeflateSide { no_context_takeover: false, max_window_bits: WindowBits::new(BITS) },
        client: DeflateSide { no_context_takeover: true, max_window_bits: None },
    }),
    ..Config::DEFAULT
};

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names them, and this is called once.
    let (input, output, room) = unsafe { (&mut *(&raw mut INPUT), &mut *(&raw mut OUTPUT), &mut *(&raw mut WINDOW)) };
    #[cfg(feature = "provoke")]
    martlet_embedded_link::provoke(input);
    let mut inflater = Inflater::new();
    loop {
        let mut output = Writer::new(output);
        let request = ClientRequest {
            host: "example.org",
            target: "/echo",
            origin: None,
            subprotocols: &[],
            deflate: None,
            extensions: None,
            headers: &[("User-Agent", "board")],
        };
        let Some(mut window) = martlet::codec::WindowBits::new(BITS).and_then(|bits| Window::new(&mut room[..], bits))
        else {
            continue;
        };
        if let Ok(mut connection) = Connection::client(&CONFIG, now(), Noise, &request, &mut output) {
            drive(&mut connection, input, &mut output, |connection, event, output| match event {
                Event::Data(data) if data.is_compressed() => {
                    if let Err(violation) = inflate(&mut inflater, &mut window, &data) {
                        let _ = connection.fail(violation, output);
                    }
                }
                event => respond(connection, event, output),
            });
        }
    }
}

/// Sends what a compressed message says over the serial port, as it comes.
fn inflate(inflater: &mut Inflater, window: &mut Window<&mut [u8]>, data: &Data<'_>) -> Result<(), Violation> {
    if data.is_first() {
        inflater.begin(data.kind());
    }
    let mut rest = data.payload();
    while let Some(piece) = inflater.inflate(&InflateLimits::DEFAULT, window, &mut rest, data.is_last())? {
        log(piece.payload);
    }
    Ok(())
}
