//! The complete server on its own board: how deep its stack gets, and how many instructions a frame takes. For QEMU, which counts.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use martlet_embedded_link::bench;
use martlet_embedded_link::server::{Port, ROOM, Server};

static mut SERVER: MaybeUninit<Server> = MaybeUninit::uninit();
static mut ANSWER: [u8; ROOM] = [0; ROOM];

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: extern "C" fn() -> ! = reset;

#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing else names them, and this is called once.
    let (server, room) = unsafe { (&mut *(&raw mut SERVER), &mut *(&raw mut ANSWER)) };
    let server = begin(server);
    bench::paint();
    serve(server, room);
    bench::exit()
}

/// By itself, because a value that is made here passes over the stack.
#[inline(never)]
fn begin(server: &mut MaybeUninit<Server>) -> &mut Server {
    server.write(Server::new())
}

/// A handshake and echoes, and then what they took.
#[inline(always)]
fn serve(server: &mut Server, room: &mut [u8; ROOM]) {
    let mut memory = Memory { round: 0, at: 0, sent: 0, answer: 0 };
    while memory.at < REQUEST.len() {
        server.turn(&mut memory, room);
    }
    bench::say("handshake ", memory.answer);
    memory.round = 1;
    let begin = bench::ticks();
    for _ in 0..ROUNDS {
        memory.at = 0;
        server.turn(&mut memory, room);
    }
    let end = bench::ticks();
    bench::say("stack ", bench::deepest());
    bench::say("echoed ", memory.sent / ROUNDS);
    let alone = port_alone(&mut memory);
    bench::say("state ", size_of::<martlet_embedded_link::server::State>() as u32);
    bench::say("connection ", size_of::<Server>() as u32);
    bench::say("instructions ", bench::instructions(begin, end).wrapping_sub(alone) / ROUNDS);
}

/// The instructions of as many rounds through the port without a server between: what is not its own.
#[inline(never)]
fn port_alone(memory: &mut Memory) -> u32 {
    let mut room = [0; 64];
    let begin = bench::ticks();
    for _ in 0..ROUNDS {
        memory.at = 0;
        let came = memory.read(&mut room);
        memory.write(room.get(4..6).unwrap_or_default());
        memory.write(room.get(6..came).unwrap_or_default());
    }
    bench::instructions(begin, bench::ticks())
}

const ROUNDS: u32 = 1000;

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://example.org\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

/// A masked text of 20 octets.
const FRAME: &[u8] = &[
    0x81, 0x94, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58, 0xd6, 0x01, 0x4a, 0x58, 0x88, 0x4d, 0x59, 0x17,
    0x95, 0x47, 0x1d, 0x51, 0x95, 0x4d, 0x0a,
];

/// Octets from memory, as a port would have them, and a count of what is sent.
struct Memory {
    round: u32,
    at: usize,
    sent: u32,
    /// The status of the answer to the request, in decimal.
    answer: u32,
}

impl Port for Memory {
    fn read(&mut self, room: &mut [u8]) -> usize {
        let from = if self.round == 0 { REQUEST } else { FRAME };
        let rest = from.get(self.at..).unwrap_or_default();
        for (place, octet) in room.iter_mut().zip(rest) {
            *place = *octet;
        }
        let count = rest.len().min(room.len());
        self.at = self.at.saturating_add(count);
        count
    }

    fn write(&mut self, octets: &[u8]) {
        if self.round == 0 && self.answer == 0 {
            let digits = octets.get(9..12).unwrap_or_default();
            self.answer = digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit & 0x0f));
            return;
        }
        for octet in octets {
            core::hint::black_box(octet);
            self.sent = self.sent.wrapping_add(1);
        }
    }
}
