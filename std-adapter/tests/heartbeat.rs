//! The heartbeat: who is silent for too long is told so, and who lives is left alone.

mod common;

use common::{CLOSE, Client, Echo, PATIENCE, PONG, Running, TEXT, frame, settings};
use martlet_std::{By, Closed, ConnId, Context, Frame, Handler, Settings};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// No Pings, so that only what the peer says by itself counts.
fn idle(idle_ms: u64, check_ms: u64) -> Settings {
    Settings {
        ping_interval: Duration::ZERO,
        heartbeat_idle_time: Duration::from_millis(idle_ms),
        heartbeat_check_interval: Duration::from_millis(check_ms),
        ..settings(1)
    }
}

struct Tell(Sender<(u16, By, bool)>);

impl Handler for Tell {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        ctx.push(id, frame).unwrap();
    }

    fn close(&mut self, _: &mut Context<'_>, _: ConnId, closed: &Closed<'_>) {
        self.0.send((closed.code, closed.by, closed.clean)).unwrap();
    }
}

#[test]
fn a_silent_peer_gets_a_close_with_1008_first() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let settings = Settings { close_timeout: Duration::from_millis(200), ..idle(100, 0) };
    let server = Running::start(settings, move |_| Tell(tell.lock().unwrap().clone()));
    let mut polite = server.client();
    polite.expect_close(1008);
    polite.frame(CLOSE, &1008u16.to_be_bytes());
    polite.expect_end();
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (1008, By::Server, true));
    // Who does not answer the Close is cut off.
    let mut dead = server.client();
    dead.expect_close(1008);
    dead.expect_end();
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (1008, By::Server, false));
}

#[test]
fn every_octet_is_a_sign_of_life() {
    let server = Running::start(idle(1_000, 0), |_| Echo);
    let mut client = server.client();
    let started = Instant::now();
    // A message that takes longer than the idle time, octet by octet; a Pong that nobody asked for counts as well.
    let slow = [frame(PONG, b""), frame(TEXT, b"0123456789")].concat();
    for octet in &slow {
        client.send(&[*octet]);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(started.elapsed() > Duration::from_millis(1_500));
    client.expect(TEXT, b"0123456789");
    client.expect_close(1008);
}

#[test]
fn who_is_looked_for_now_and_then_is_found_later() {
    let server = Running::start(idle(100, 100), |_| Echo);
    let mut client = server.client();
    client.expect_close(1008);
    // A peer in its handshake has the handshake's time.
    let mut opening = Client::connect(server.address);
    opening.send(b"GET / HTTP/1.1\r\n");
    let mut other = server.client();
    other.expect_close(1008);
    opening.send(&common::request("/")[b"GET / HTTP/1.1\r\n".len()..]);
    assert!(opening.head().starts_with("HTTP/1.1 101 "));
    opening.expect_close(1008);
}

#[test]
fn a_peer_that_reads_what_waits_is_not_called_silent() {
    /// Pushes 20 MB.
    struct Megabytes;
    impl Handler for Megabytes {
        fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, _: Frame<'_>) {
            for _ in 0..20 {
                ctx.push(id, &vec![7; 1 << 20][..]).unwrap();
            }
        }
    }
    let server = Running::start(
        Settings { max_backpressure: 64 << 20, pong_timeout: Duration::from_millis(1_000), ..idle(300, 0) },
        |_| Megabytes,
    );
    let mut client = Client::narrow(server.address);
    client.frame(TEXT, b"go");
    // Slowness is what this is about: two seconds of reading, and not a word to the server.
    for _ in 0..20 {
        assert_eq!(client.next().payload.len(), 1 << 20);
        std::thread::sleep(Duration::from_millis(100));
    }
    client.expect_close(1008);
}

#[test]
fn pings_keep_a_peer_alive_that_answers_them() {
    let settings = Settings { ping_interval: Duration::from_millis(100), ..idle(1_000, 0) };
    let server = Running::start(settings, |_| Echo);
    let mut client = server.client();
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(2_000) {
        client.expect(common::PING, b"");
        client.frame(PONG, b"");
    }
}
