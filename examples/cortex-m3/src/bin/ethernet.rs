//! Four connections at once over Ethernet: an echo, telemetry, and a page that shows it.
#![no_std]
#![no_main]

use martlet_cortex_m3::app::App;
use martlet_cortex_m3::board::{self, Board, entry};
use martlet_cortex_m3::net::{Buffers, Net, PLACES, SocketStorage};

#[entry]
fn main() -> ! {
    // A reference to it: `entry` sees to it that there is one only.
    static mut BUFFERS: Buffers = Buffers::new();

    let Some(Board { mut clock, mut uart, mac }) = board::start() else { board::reset() };
    // As long as what the serial port queues.
    uart.send(b"martlet is on\r\n");
    let mut storage = [SocketStorage::EMPTY; PLACES];
    let mut net = Net::new(mac, &mut storage, BUFFERS, clock.now());
    let mut app = App::new();
    loop {
        let now = clock.now();
        let is_busy = net.poll(now) | app.turn(now, &mut net);
        if !is_busy {
            net.sleep();
        }
    }
}
