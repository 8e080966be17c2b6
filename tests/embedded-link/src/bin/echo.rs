//! The smallest complete server on a serial port.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use martlet_embedded_link::port::{self, Serial};
use martlet_embedded_link::server::{ROOM, Server, Stage};

static mut SERVER: MaybeUninit<Server> = MaybeUninit::uninit();
static mut ANSWER: [u8; ROOM] = [0; ROOM];

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names them, and this is called once.
    let (server, room) = unsafe { (&mut *(&raw mut SERVER), &mut *(&raw mut ANSWER)) };
    let server = server.write(Server::new());
    port::keep_memory_functions(&mut [0; 64]);
    loop {
        server.turn(&mut Serial, room);
        if server.stage() == Stage::Closed {
            *server = Server::new();
        }
    }
}
