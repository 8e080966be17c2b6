//! The echo over the serial port as a task of embassy: the core's adapter for `embedded-io-async`, and timers by `embassy-time`.
#![no_std]
#![no_main]

use core::convert::Infallible;
use embassy_executor::Spawner;
use embassy_time::Timer;
use martlet::handshake::{Accept, Kind, Response};
use martlet::state::{Config, Connection, Error, Event, Inbox, Instant, MIN_OUTPUT, Outbox, State, Status};
use martlet_cortex_m3::board;
use martlet_cortex_m3::board::asynchronous::Stream;
use martlet_cortex_m3::config::{self, INPUT};
use martlet_embedded_io::asynchronous::WebSocket;

/// The longest piece and its header, and room for an answer.
const OUTPUT: usize = INPUT + 14 + MIN_OUTPUT;

// Nobody knows when a peer has come, until it says something.
static CONFIG: Config<'static> = Config { handshake_timeout_ms: 0, ..config::CONFIG };

#[embassy_executor::main]
async fn main(_spawner: Spawner) -> ! {
    let Some(board) = board::start() else { board::reset() };
    let mut stream = Stream::start(board);
    loop {
        // How it ended nobody wants to know here.
        let _ = converse(&mut stream).await;
        stream.next().await;
    }
}

async fn converse(stream: &mut Stream) -> Result<(), Error<Infallible>> {
    let (mut inbox, mut room) = (Inbox::new([0; INPUT]), [0; OUTPUT]);
    let mut socket = WebSocket {
        connection: Connection::server(&CONFIG, now()),
        outbox: Outbox::new(&mut room[..]),
        stream,
        now,
        until,
    };
    while socket.connection.state() != State::Closed {
        match socket.recv(&mut inbox).await {
            Ok(Status::Event(Event::Request { kind: Kind::Upgrade(_), .. })) => {
                socket.outbox.write(|writer| socket.connection.accept(now(), &Accept::default(), writer))?;
            }
            Ok(Status::Event(Event::Request { .. })) => {
                let only = Response::new(404, b"WebSockets only\n");
                socket.outbox.write(|writer| socket.connection.respond(&only, writer))?;
            }
            Ok(Status::Event(Event::Data(piece))) => {
                socket.send(piece.kind(), piece.payload(), piece.is_last()).await?
            }
            // Pings and the Close are answered already, and after a fault what there is to say waits.
            _ => {}
        }
    }
    socket.flush().await
}

fn now() -> Instant {
    Instant(embassy_time::Instant::now().as_millis())
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => Timer::at(embassy_time::Instant::from_millis(at.0)).await,
        None => core::future::pending().await,
    }
}
