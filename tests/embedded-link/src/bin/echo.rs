//! The smallest complete server: handshake, strict frames, UTF-8, Ping and Close, and an echo.
#![no_std]
#![no_main]

use martlet::handshake::{Accept, Kind, Limits};
use martlet::state::{Config, Connection, Event, HeadMode, State, Status, Writer};
use martlet_embedded_link::{now, port};

const LINE: usize = 256;
static mut INPUT: [u8; LINE] = [0; LINE];
static mut OUTPUT: [u8; 512] = [0; 512];
static CONFIG: Config<'static> =
    Config { head: Limits { max_line_bytes: LINE as u32, ..Limits::DEFAULT }, head_mode: HeadMode::Lines, ..Config::DEFAULT };

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names them, and this is called once.
    let (input, output) = unsafe { (&mut *(&raw mut INPUT), &mut *(&raw mut OUTPUT)) };
    port::keep_memory_functions(input);
    loop {
        let mut connection = Connection::server(&CONFIG, now());
        let mut held: usize = 0;
        while connection.state() != State::Closed {
            held = held.saturating_add(port::read(input.get_mut(held..).unwrap_or_default()));
            let mut rest = input.get_mut(..held).unwrap_or_default();
            let mut output = Writer::new(output);
            while let Ok(Status::Event(event)) = connection.receive(now(), &mut rest, &mut output) {
                match event {
                    Event::Request { kind: Kind::Upgrade(_), .. } => {
                        let _ = connection.accept(now(), &Accept::default(), &mut output);
                    }
                    Event::Request { kind: Kind::Plain { .. }, .. } => {
                        connection.eof();
                    }
                    Event::Data(data) => {
                        let payload = data.payload();
                        port::write(output.written());
                        output.clear();
                        if let Ok((header, _)) = connection.begin_frame(data.kind(), payload.len() as u64, data.is_last()) {
                            port::write(header.as_ref());
                            port::write(payload);
                        }
                    }
                    _ => {}
                }
            }
            port::write(output.written());
            let left = rest.len();
            port::keep(input, held, left);
            held = left;
        }
    }
}
