//! Both roles in one program: the smallest complete server, and a client that echoes what its server sends.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use martlet::handshake::ClientRequest;
use martlet::state::{Connection, Event, State, Status, Writer};
use martlet_embedded_link::port::{self, Serial};
use martlet_embedded_link::server::{BUFFER, ROOM, Server, Settings, Stage};
use martlet_embedded_link::{Noise, now};

static mut SERVER: MaybeUninit<Server> = MaybeUninit::uninit();
static mut ANSWER: [u8; ROOM] = [0; ROOM];
static mut INPUT: [u8; BUFFER] = [0; BUFFER];
static mut OUTPUT: [u8; 512] = [0; 512];

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names them, and this is called once.
    let (server, input, output) = unsafe { (&mut *(&raw mut SERVER), &mut *(&raw mut INPUT), &mut *(&raw mut OUTPUT)) };
    // SAFETY: nothing else names it, and this is called once.
    let room = unsafe { &mut *(&raw mut ANSWER) };
    let server = server.write(Server::new());
    port::keep_memory_functions(input);
    loop {
        server.turn(&mut Serial, room);
        if server.stage() == Stage::Closed {
            *server = Server::new();
            ask(input, output);
        }
    }
}

/// A client from its request to its end.
fn ask(input: &mut [u8], output: &mut [u8]) {
    let mut output = Writer::new(output);
    let request = ClientRequest { host: "example.org", target: "/", ..ClientRequest::default() };
    let Ok(mut connection) = Connection::client(Settings, now(), Noise, &request, &mut output) else { return };
    let mut held: usize = 0;
    while connection.state() != State::Closed {
        port::write(output.written());
        output.clear();
        held = held.saturating_add(port::read(input.get_mut(held..).unwrap_or_default()));
        let mut rest = input.get_mut(..held).unwrap_or_default();
        while let Ok(Status::Event(event)) = connection.receive(now(), &mut rest, &mut output) {
            let Event::Data(data) = event else { continue };
            port::write(output.written());
            output.clear();
            let kind = data.kind();
            let last = data.is_last();
            let payload = data.into_payload();
            if let Ok((header, Some(mut mask))) = connection.begin_frame(kind, payload.len() as u64, last) {
                port::write(header.as_ref());
                mask.apply(payload);
                port::write(payload);
            }
        }
        let left = rest.len();
        port::keep(input, held, left);
        held = left;
    }
    port::write(output.written());
}
