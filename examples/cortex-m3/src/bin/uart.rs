//! The smallest program: an echo over the serial port, one connection after another, without a network.
#![no_std]
#![no_main]

use martlet::handshake::{Accept, Kind, Response};
use martlet::state::{Connection, Event, Inbox, Instant, MIN_OUTPUT, Outbox, SendError, Server, Status};
use martlet_cortex_m3::board::{self, Board, entry};
use martlet_cortex_m3::config::{INPUT, Settings};
use martlet_cortex_m3::serial::Received;

/// The echo of all that lies in the input, and what an answer may need behind it.
const OUTPUT: usize = INPUT + MIN_OUTPUT;
/// So long the rest of a frame is waited for: the port queues a few octets only, and an echo of each few would be all headers.
const QUIET_MS: u32 = 20;

type Peer = Connection<'static, Server, Settings>;

#[entry]
fn main() -> ! {
    if let Some(mut board) = board::start() {
        loop {
            converse(&mut board);
        }
    }
    board::reset()
}

/// Drives one connection, from its first octet to the BREAK behind it.
fn converse(board: &mut Board) {
    let (mut inbox, mut outbox) = (Inbox::new([0; INPUT]), Outbox::new([0; OUTPUT]));
    let (mut connection, mut heard) = (None, Instant(0));
    loop {
        let received = match board.uart.receive(inbox.room()) {
            Received::Octets(received) => received,
            Received::Break => return,
        };
        let now = board.clock.now();
        if received > 0 {
            inbox.filled(received);
            heard = now;
            connection.get_or_insert_with(|| Peer::server(Settings, now));
        }
        if let Some(connection) = &mut connection
            && outbox.waiting().is_empty()
            && (now >= heard.after(QUIET_MS) || !is_more_due(connection, &mut inbox))
        {
            // After a fault too: what there is to say is in the outbox, and the connection takes whatever still comes.
            let _ = turn(connection, now, &mut inbox, &mut outbox);
        }
        // While the line is slow to send, what it receives meanwhile must be taken: it has no way to make the peer wait.
        outbox.sent(board.uart.send(outbox.waiting()));
        if outbox.waiting().is_empty() {
            board.uart.sleep();
        }
    }
}

/// Whether the rest of a frame should be on its way, and there is room for it.
fn is_more_due(connection: &Peer, inbox: &mut Inbox<[u8; INPUT]>) -> bool {
    let room = inbox.room().len();
    room > 0 && ((INPUT - room) as u64) < connection.missing()
}

/// Does what is due, and answers what has come.
fn turn(
    connection: &mut Peer,
    now: Instant,
    inbox: &mut Inbox<[u8; INPUT]>,
    outbox: &mut Outbox<[u8; OUTPUT]>,
) -> Result<(), SendError> {
    outbox.write(|writer| Ok(connection.tick(now, writer)?))?;
    while let Ok(Status::Event(event)) = connection.receive_from(now, inbox, outbox) {
        match event {
            Event::Request { kind: Kind::Upgrade(_), .. } => {
                outbox.write(|writer| connection.accept(now, &Accept::default(), writer))?;
            }
            Event::Request { .. } => {
                let only = Response::new(404, b"WebSockets only\n");
                outbox.write(|writer| connection.respond(&only, writer))?;
            }
            Event::Data(piece) => {
                let (kind, octets, last) = (piece.kind(), piece.payload(), piece.is_last());
                outbox.write(|writer| connection.send_piece(kind, octets, last, writer))?;
            }
            // Pings and the Close are answered already.
            _ => {}
        }
    }
    Ok(())
}
