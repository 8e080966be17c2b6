//! The smallest complete server on a serial port.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use martlet_embedded_link::port::{self, Serial};
use martlet_embedded_link::server::{Server, Stage};

static mut SERVER: MaybeUninit<Server> = MaybeUninit::uninit();

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names it, and this is called once.
    let server = unsafe { &mut *(&raw mut SERVER) }.write(Server::new());
    port::keep_memory_functions(&mut [0; 64]);
    loop {
        server.turn(&mut Serial);
        if server.stage() == Stage::Closed {
            *server = Server::new();
        }
    }
}
