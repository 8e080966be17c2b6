//! TCP over the board's Ethernet: one address, one port, and places for four peers.

use crate::board::Mac;
use martlet::state::Instant;
pub use smoltcp::iface::SocketStorage;
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address};

/// How many peers are connected at once. One more is told that nobody listens.
pub const PLACES: usize = 4;
/// What TCP keeps for a place in each direction: less than two segments would wait for the peer's delayed acknowledgements.
const BUFFER: usize = 4096;

/// The addresses that QEMU's user network gives; elsewhere ask smoltcp's DHCP socket.
const ADDRESS: Ipv4Address = Ipv4Address::new(10, 0, 2, 15);
const PREFIX: u8 = 24;
const GATEWAY: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);
const PORT: u16 = 80;
/// One that is locally administered. A board of your own has its own.
const ETHERNET_ADDRESS: [u8; 6] = [0x52, 0x54, 0x12, 0x00, 0xaa, 0x01];

/// How long a peer may take to open a connection, and to end one that we have ended.
const PATIENCE_MS: u32 = 3_000;

/// What TCP keeps in memory. All of it is zero at the start, so that it takes no flash.
pub struct Buffers {
    received: [[u8; BUFFER]; PLACES],
    to_send: [[u8; BUFFER]; PLACES],
}

impl Buffers {
    /// Empty ones.
    pub const fn new() -> Self {
        Self { received: [[0; BUFFER]; PLACES], to_send: [[0; BUFFER]; PLACES] }
    }
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

/// The network.
pub struct Net<'s> {
    mac: Mac,
    interface: Interface,
    sockets: SocketSet<'s>,
    places: [Place; PLACES],
}

#[derive(Clone, Copy)]
struct Place {
    socket: SocketHandle,
    /// When it last listened or had a peer to be served.
    settled: Instant,
}

impl<'s> Net<'s> {
    /// The network on `mac`.
    pub fn new(
        mut mac: Mac,
        storage: &'s mut [SocketStorage<'s>; PLACES],
        Buffers { received, to_send }: &'s mut Buffers,
        now: Instant,
    ) -> Self {
        mac.set_address(ETHERNET_ADDRESS);
        // A board with a source of noise sets `random_seed`, from which the numbers follow that TCP begins with.
        let config = Config::new(EthernetAddress(ETHERNET_ADDRESS).into());
        let mut interface = Interface::new(config, &mut mac, of(now));
        // There is room for one of each.
        interface.update_ip_addrs(|addresses| {
            let _ = addresses.push(IpCidr::new(ADDRESS.into(), PREFIX));
        });
        let _ = interface.routes_mut().add_default_ipv4_route(GATEWAY);

        let mut sockets = SocketSet::new(&mut storage[..]);
        let mut buffers = received.iter_mut().zip(to_send);
        let places = core::array::from_fn(|_| {
            let (received, to_send) = buffers.next().expect("there are as many");
            let mut socket = Socket::new(SocketBuffer::new(&mut received[..]), SocketBuffer::new(&mut to_send[..]));
            // What is sent is whole already, and small answers should not wait.
            socket.set_nagle_enabled(false);
            socket.set_ack_delay(None);
            Place { socket: sockets.add(socket), settled: now }
        });
        Self { mac, interface, sockets, places }
    }

    /// Takes what was received, and sends what can be sent; says whether that may have changed anything for a peer.
    pub fn poll(&mut self, now: Instant) -> bool {
        for place in &mut self.places {
            tend(self.sockets.get_mut(place.socket), place, now);
        }
        self.interface.poll(of(now), &mut self.mac, &mut self.sockets) == PollResult::SocketStateChanged
    }

    /// The peer at a place, as long as there is something to say to it.
    pub fn peer(&mut self, place: usize) -> Option<&mut Socket<'s>> {
        let socket = self.sockets.get_mut::<Socket<'_>>(self.places.get(place)?.socket);
        is_served(socket).then_some(socket)
    }

    /// Sleeps until a frame is received or a millisecond has passed.
    pub fn sleep(&self) {
        self.mac.sleep();
    }
}

fn is_served(socket: &Socket<'_>) -> bool {
    matches!(socket.state(), State::Established | State::CloseWait)
}

/// Has a free place listen, and frees one whose peer does not go on.
fn tend(socket: &mut Socket<'_>, place: &mut Place, now: Instant) {
    match socket.state() {
        // It cannot fail for a socket that is closed.
        State::Closed => drop(socket.listen(PORT)),
        // Our last word was acknowledged. A place is worth more than what may still stray about of that connection.
        State::TimeWait => socket.abort(),
        State::Listen | State::Established | State::CloseWait => place.settled = now,
        _ => {
            // What the peer still says fills the buffer in front of its end, and nobody wants it.
            while socket.recv(|octets| (octets.len(), octets.len())).is_ok_and(|len| len > 0) {}
            if now >= place.settled.after(PATIENCE_MS) {
                socket.abort();
            }
        }
    }
}

fn of(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_millis(now.0 as i64)
}
