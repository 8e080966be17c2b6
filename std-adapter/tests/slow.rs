//! Peers that take their time: with the handshake, with reading, with the last word.

mod common;

use common::{BINARY, CLOSE, Client, Echo, PATIENCE, PING, PONG, Running, TEXT, frame, request, settings};
use martlet_std::{Among, Closed, ConnId, Context, Frame, Handler, PushError, Settings, State};
use std::io::{Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

#[test]
fn a_slow_handshake_gets_408_and_silence_nothing() {
    let server = Running::start(
        Settings {
            handshake_timeout: Duration::from_millis(1_000),
            close_timeout: Duration::from_millis(100),
            ..settings(1)
        },
        |_| Echo,
    );
    let mut silent = Client::connect(server.address);
    silent.expect_end();
    let mut slow = Client::connect(server.address);
    slow.send(b"GET / HTTP/1.1\r\nHost: x\r\n");
    let head = slow.head();
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    let mut rest = Vec::new();
    slow.socket.read_to_end(&mut rest).unwrap();
}

#[test]
fn a_head_without_end_is_431() {
    let server = Running::start(settings(1), |_| Echo);
    let mut client = Client::connect(server.address);
    let endless = [&b"GET / HTTP/1.1\r\nX: "[..], &[b'a'; 20_000]].concat();
    client.send(&endless);
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
}

/// Pushes pieces of 64 KiB until it is told to stop doing so.
struct Flood {
    refused: Sender<(u64, PushError)>,
    closed: Sender<(u16, bool)>,
}

impl Handler for Flood {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, _: Frame<'_>) {
        let piece = [7; 65_536];
        for pushed in 0.. {
            if let Err(why) = ctx.push(id, &piece[..]) {
                let queued = ctx.info(id).unwrap().queued_bytes as u64;
                assert!(queued < (1 << 20) + 2 * 65_536, "{queued} octets wait");
                self.refused.send((pushed, why)).unwrap();
                return;
            }
            assert!(pushed < 10_000, "640 MB are no bound");
        }
    }

    fn close(&mut self, _: &mut Context<'_>, _: ConnId, closed: &Closed<'_>) {
        self.closed.send((closed.code, closed.clean)).unwrap();
    }
}

fn flood(settings: Settings) -> (Running, impl Fn() -> (u64, PushError), impl Fn() -> (u16, bool)) {
    let ((refused, refusals), (closed, closes)) = (channel(), channel());
    let tell = Mutex::new((refused, closed));
    let server = Running::start(settings, move |_| {
        let (refused, closed) = &*tell.lock().unwrap();
        Flood { refused: refused.clone(), closed: closed.clone() }
    });
    (server, move || refusals.recv_timeout(PATIENCE).unwrap(), move || closes.recv_timeout(PATIENCE).unwrap())
}

#[test]
fn a_peer_that_does_not_read_gets_1013_behind_what_waits() {
    let (server, refused, closed) = flood(settings(1));
    let mut client = server.client();
    client.frame(TEXT, b"go");
    let (pushed, why) = refused();
    assert_eq!(why, PushError::QueueFull);
    // It may still read all that was promised, and answer.
    for _ in 0..pushed {
        client.expect(BINARY, &[7; 65_536]);
    }
    client.expect_close(1013);
    client.frame(CLOSE, &1013u16.to_be_bytes());
    client.expect_end();
    assert_eq!(closed(), (1013, true));
}

#[test]
fn a_peer_that_never_reads_is_cut_off() {
    let (server, refused, closed) = flood(Settings { close_timeout: Duration::from_millis(100), ..settings(1) });
    let mut client = server.client();
    client.frame(TEXT, b"go");
    assert_eq!(refused().1, PushError::QueueFull);
    assert_eq!(closed(), (1013, false));
    drop(client);
}

#[test]
fn nothing_is_read_from_a_peer_that_does_not_read_and_nothing_is_lost() {
    // The queue may hold 1 MiB, the peer sends 32 MiB, more than the sockets hold, without reading: it must wait, not be closed.
    let server = Running::start(settings(1), |_| Echo);
    let mut client = server.client();
    let mut sender = client.socket.try_clone().unwrap();
    let frames: Vec<_> = (0..8).map(|n| frame(BINARY, &[n; 65_536])).collect();
    let (sent, half) = channel();
    let sending = std::thread::spawn(move || {
        for n in 0..512 {
            sender.write_all(&frames[n % 8]).unwrap();
            sent.send(n).unwrap();
        }
    });
    // Nothing is read here until the sender comes no further: it says so by its silence.
    while half.recv_timeout(Duration::from_millis(200)).is_ok() {}
    for n in 0..512 {
        client.expect(BINARY, &[n as u8 % 8; 65_536]);
    }
    sending.join().unwrap();
    client.close();
}

/// Answers a number with so many messages of 1 MiB.
struct Megabytes;

impl Handler for Megabytes {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, message: Frame<'_>) {
        for n in 0..message.text().unwrap().parse().unwrap() {
            ctx.push(id, &vec![n; 1 << 20][..]).unwrap();
        }
    }
}

#[test]
fn replies_never_land_inside_a_frame_that_is_under_way() {
    // So that little of it lies in the socket, and the rest waits.
    let patient = Settings {
        max_backpressure: 16 << 20,
        buffer_high_watermark: 16 << 20,
        socket_buffer_size: 65_536,
        ..settings(1)
    };
    let server = Running::start(patient, |_| Megabytes);
    let mut client = Client::narrow(server.address);
    let id = server.handle.connections(Among::Established).unwrap()[0];
    let info = || server.handle.connection_info(id).unwrap().expect("it is there until it has read everything");
    client.frame(TEXT, b"6");
    while info().traffic.frames_out < 6 {}
    client.send(&[frame(PING, b"where does this go"), frame(CLOSE, b"\x03\xe8")].concat());
    // The replies are made while megabytes wait, the first octets of which have left with a part of a frame.
    while info().traffic.frames_in < 3 {}
    let queued = info().queued_bytes;
    assert!(queued > (4 << 20) && queued < (6 << 20), "{queued} octets wait");
    assert_ne!(info().state, State::Active);
    for n in 0..6 {
        client.expect(BINARY, &vec![n; 1 << 20]);
    }
    client.expect(PONG, b"where does this go");
    client.expect(CLOSE, b"\x03\xe8");
    client.expect_end();
}

#[test]
fn the_handler_hears_when_all_that_waited_is_read() {
    struct Tell(Sender<ConnId>);
    impl Handler for Tell {
        fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, message: Frame<'_>) {
            ctx.push(id, &vec![1; message.payload().len() << 10][..]).unwrap();
        }

        fn drain(&mut self, ctx: &mut Context<'_>, id: ConnId) {
            assert_eq!(ctx.info(id).unwrap().queued_bytes, 0);
            self.0.send(id).unwrap();
        }
    }
    let (tell, drained) = channel();
    let tell = Mutex::new(tell);
    let server = Running::start(settings(1), move |_| Tell(tell.lock().unwrap().clone()));
    let mut client = Client::narrow(server.address);
    client.frame(TEXT, &[b'x'; 20_000]);
    assert_eq!(client.next().payload.len(), 20_000 << 10);
    drained.recv_timeout(PATIENCE).unwrap();
    // What the socket takes at once is no news.
    client.frame(TEXT, b"x");
    client.expect(BINARY, &[1; 1024]);
    client.close();
    drop(server);
    assert!(drained.recv().is_err());
}

#[test]
fn a_slow_reader_is_alive_as_long_as_it_reads() {
    // Nothing is read from it while more than 256 KiB wait, and the Ping waits with them: the heartbeat must not take it for
    // dead.
    let hasty = Settings {
        ping_interval: Duration::from_millis(50),
        pong_timeout: Duration::from_millis(2_000),
        max_backpressure: 16 << 20,
        ..settings(1)
    };
    let server = Running::start(hasty, |_| Megabytes);
    let mut client = Client::narrow(server.address);
    client.frame(TEXT, b"12");
    read_slowly(&mut client, 12 * ((1 << 20) + 10));
    // Behind the messages lies at most a Ping, not a Close; then everything is as ever.
    client.frame(PONG, b"");
    client.frame(TEXT, b"1");
    loop {
        match client.next().first {
            PING => {}
            first => break assert_eq!(first, BINARY),
        }
    }
}

#[test]
fn a_slow_reader_gets_all_that_was_sent_before_our_close() {
    struct Farewell;
    impl Handler for Farewell {
        fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, _: Frame<'_>) {
            let megabyte = vec![0; 1 << 20];
            for _ in 0..16 {
                ctx.push(id, &megabyte[..]).unwrap();
            }
            ctx.disconnect(id, 3000, "").unwrap();
        }
    }
    // Four seconds of reading, and two from our Close to the peer's if it did not read.
    let hasty = Settings { close_timeout: Duration::from_millis(2_000), max_backpressure: 32 << 20, ..settings(1) };
    let server = Running::start(hasty, |_| Farewell);
    let mut client = Client::narrow(server.address);
    client.frame(TEXT, b"go");
    read_slowly(&mut client, 16 * ((1 << 20) + 10));
    client.expect_close(3000);
    client.frame(CLOSE, b"\x0b\xb8");
    client.expect_end();
}

/// Reads so many octets at four megabytes a second. Slowness is what this is about, so that it has to wait.
fn read_slowly(client: &mut Client, all: usize) {
    const OCTETS_A_SECOND: u128 = 4_000_000;
    let (started, mut left) = (Instant::now(), all);
    while left > 0 {
        let due = started.elapsed().as_millis() * OCTETS_A_SECOND / 1000;
        if (all - left) as u128 > due {
            std::thread::sleep(Duration::from_millis(10));
        } else {
            let mut room = [0; 16_384];
            let most = left.min(room.len());
            let len = client.socket.read(&mut room[..most]).unwrap();
            assert_ne!(len, 0, "the connection ended with {left} octets to come");
            left -= len;
        }
    }
}

#[test]
fn a_silent_peer_is_asked_and_then_let_go() {
    let server = Running::start(
        Settings { ping_interval: Duration::from_millis(50), pong_timeout: Duration::from_millis(50), ..settings(1) },
        |_| Echo,
    );
    let mut client = server.client();
    client.expect(PING, b"");
    client.expect_close(1011);
    client.expect_end();
    drop(server);
    let server = Running::start(Settings { ping_interval: Duration::from_millis(50), ..settings(1) }, |_| Echo);
    let mut client = server.client();
    for _ in 0..3 {
        client.expect(PING, b"");
        client.frame(PONG, b"");
    }
}

#[test]
fn who_lets_the_close_unanswered_is_cut_off() {
    struct Rude;
    impl Handler for Rude {
        fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, _: Frame<'_>) {
            ctx.disconnect(id, 3000, "").unwrap();
            // Nothing is sent after our Close.
            assert!(ctx.push(id, "x").is_err());
        }
    }
    let server = Running::start(Settings { close_timeout: Duration::from_millis(100), ..settings(1) }, |_| Rude);
    let mut client = Client::connect(server.address);
    client.send(&[request("/"), frame(TEXT, b"x")].concat());
    client.head();
    client.expect_close(3000);
    client.expect_end();
}
