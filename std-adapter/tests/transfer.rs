//! What comes octet by octet, and never to its end: messages and bodies of requests have a time to be whole.

mod common;

use common::{BINARY, Client, Echo, PATIENCE, Running, TEXT, frame, settings};
use martlet_std::{ConnId, Context, Fragment, Frame, Handler, Settings};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(300);

fn short() -> Settings {
    Settings { transfer_timeout: SHORT, close_timeout: Duration::from_millis(200), ..settings(1) }
}

/// Sends an octet every few milliseconds, so that the peer is never silent, until the other closure has what it waits for.
fn while_dripping<T>(client: &mut Client, wait: impl FnOnce(&mut Client) -> T) -> T {
    let mut drip = client.socket.try_clone().unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) && drip.write_all(b"a").is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let found = wait(client);
        over.store(true, Ordering::Relaxed);
        found
    })
}

#[test]
fn a_message_that_drips_is_1008() {
    let server = Running::start(Settings { websocket_compression: true, ..short() }, |_| Echo);
    // A megabyte is announced; the masking key is the one that changes nothing.
    let begun = |first: u8| [&[first, 0xff][..], &(1u64 << 20).to_be_bytes(), &[0; 4]].concat();
    let rows = [begun(BINARY), begun(TEXT), [frame(0x01, b"a fragment"), begun(0x80)].concat()];
    for wire in rows {
        let mut client = server.client();
        client.send(&wire);
        while_dripping(&mut client, |client| client.expect_close(1008));
    }
    // Compressed: a stored block of 65,535 octets, of which the first come.
    let (mut client, _) = Client::open_with(server.address, "/", "Sec-WebSocket-Extensions: permessage-deflate");
    client.send(&[&begun(BINARY | 0x40)[..], b"\x00\xff\xff\x00\x00"].concat());
    while_dripping(&mut client, |client| client.expect_close(1008));
}

#[test]
fn the_body_of_a_request_that_drips_is_408() {
    let server = Running::start(short(), |_| Echo);
    let bodies = ["Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nfffff\r\n"];
    for body in bodies {
        let mut client = Client::connect(server.address);
        client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{body}").as_bytes());
        let head = while_dripping(&mut client, Client::head);
        assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    }
}

#[test]
fn each_message_has_the_time_anew() {
    let server = Running::start(short(), |_| Echo);
    let mut client = server.client();
    let begun = Instant::now();
    while begun.elapsed() < 3 * SHORT {
        client.send(&[frame(0x01, b"in two "), frame(0x80, b"parts")].concat());
        client.expect(TEXT, b"in two parts");
    }
    client.close();
}

#[test]
fn without_a_limit_a_message_may_take_as_long_as_it_likes() {
    /// Answers the end of a message.
    struct Pieces;
    impl Handler for Pieces {
        fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, _: Frame<'_>) {
            ctx.push(id, "whole").unwrap();
        }

        fn fragment(&mut self, ctx: &mut Context<'_>, id: ConnId, fragment: Fragment<'_>) {
            if fragment.last {
                ctx.push(id, "whole").unwrap();
            }
        }
    }
    // For ever, or nothing is kept of it.
    for settings in
        [Settings { transfer_timeout: Duration::ZERO, ..short() }, Settings { stream_messages: true, ..short() }]
    {
        let server = Running::start(settings, |_| Pieces);
        let mut client = server.client();
        let begun = Instant::now();
        client.frame(0x01, b"begun");
        while begun.elapsed() < 3 * SHORT {
            client.frame(0x00, b"and on");
            client.socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            let nothing = client.socket.read(&mut [0; 1]).unwrap_err();
            assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
        }
        client.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        client.frame(0x80, b"");
        client.expect(TEXT, b"whole");
        client.close();
    }
}
