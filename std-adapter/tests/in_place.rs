//! What a handler pushes of the message that it has may leave from where it came: whatever else the turn does, octets and order are the
//! same as if it had been copied.

mod common;

use common::{BINARY, Client, Echo, PATIENCE, PING, Running, TEXT, frame, settings};
use martlet_std::{ConnId, Context, Filter, Frame, Handler, Settings};
use std::io::Write;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Lengths around those at which something changes: the header's form, what is copied, and what one read holds.
const LENGTHS: [usize; 16] =
    [0, 1, 125, 126, 127, 128, 255, 256, 300, 1024, 4096, 16_384, 24_576, 24_577, 65_535, 65_536];
/// More than is copied.
const LONG: usize = 100_000;

/// Does what the first word of a message says; tells whose buffers are full.
struct Script(Sender<ConnId>, Option<ConnId>);

impl Script {
    fn start(settings: Settings) -> (Running, Receiver<ConnId>) {
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        (Running::start(settings, move |_| Self(tell.lock().unwrap().clone(), None)), told)
    }
}

impl Handler for Script {
    fn buffer_full(&mut self, _: &mut Context<'_>, id: ConnId) {
        self.0.send(id).unwrap();
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        let octets = frame.payload();
        let word = octets.split(|octet| *octet == b' ').next().unwrap();
        match word {
            b"remember" => return self.1 = Some(id),
            b"nothing" => return,
            b"short" => return ctx.push(id, "ok").unwrap(),
            b"other" => return ctx.push(self.1.unwrap(), frame).unwrap(),
            b"behind" => ctx.push(id, "before").unwrap(),
            b"tail" => return ctx.push(id, &octets[octets.len() / 2..]).unwrap(),
            b"end" => return ctx.push(id, &octets[octets.len() - 5..]).unwrap(),
            b"head" => return ctx.push(id, &octets[..octets.len() / 2]).unwrap(),
            b"middle" => return ctx.push(id, &octets[200..octets.len() - 1]).unwrap(),
            b"tails" => ctx.push(id, &octets[octets.len() / 2..]).unwrap(),
            _ => {}
        }
        ctx.push(id, frame).unwrap();
        match word {
            b"twice" => ctx.push(id, frame).unwrap(),
            b"more" => ctx.push(id, "behind").unwrap(),
            b"long" => {
                ctx.push(id, &vec![7; LONG][..]).unwrap();
                ctx.push(id, frame).unwrap();
                ctx.push(id, "behind").unwrap();
            }
            b"raw" => ctx.send_raw(id, b"\x81\x03raw").unwrap(),
            b"ping" => ctx.ping(id, b"there?").unwrap(),
            b"all" => ctx.broadcast(Filter::All, "to all").unwrap(),
            b"much" => ctx.broadcast(Filter::All, &vec![9; LONG][..]).unwrap(),
            b"both" => ctx.push(self.1.unwrap(), frame).unwrap(),
            b"fill" => (0..40).for_each(|_| ctx.push(id, &[3; 5000][..]).unwrap()),
            b"close" => ctx.disconnect(id, 1000, "that was it").unwrap(),
            b"cut" => ctx.close(id, false).unwrap(),
            b"reset" => ctx.close(id, true).unwrap(),
            b"panic" => panic!("a mistake behind a push"),
            _ => {}
        }
    }
}

/// A message that begins with a word.
fn message(word: &str, len: usize) -> Vec<u8> {
    let rest = (0..len).map(|at| b'a' + (at * 7 % 23) as u8);
    word.bytes().chain([b' ']).chain(rest).take(len.max(word.len())).collect()
}

/// Sends a message of some length that is to do something; what comes back is for the test.
fn ask(client: &mut Client, word: &str) -> Vec<u8> {
    let message = message(word, 1000);
    client.frame(BINARY, &message);
    message
}

#[test]
fn an_echo_is_what_came_at_every_length() {
    let server = Running::start(settings(1), |_| Echo);
    let mut client = server.client();
    for len in LENGTHS {
        let octets: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        client.frame(BINARY, &octets);
        client.expect(BINARY, &octets);
        let text = "中文".repeat(len / 6) + &"x".repeat(len % 6);
        client.frame(TEXT, text.as_bytes());
        client.expect(TEXT, text.as_bytes());
        client.send(&[frame(BINARY, &octets), frame(TEXT, text.as_bytes()), frame(BINARY, &octets)].concat());
        client.expect(BINARY, &octets);
        client.expect(TEXT, text.as_bytes());
        client.expect(BINARY, &octets);
    }
    let traffic = server.handle.stats();
    assert_eq!((traffic.frames_in, traffic.frames_out), (5 * 16, 5 * 16));
    client.close();
}

#[test]
fn it_does_not_matter_where_a_message_ends_in_what_was_read() {
    let server = Running::start(settings(1), |_| Echo);
    let mut client = server.client();
    let (long, next) = (message("x", 700), frame(BINARY, &message("y", 300)));
    for cut in 0..next.len() {
        client.send(&[&frame(TEXT, &long), &next[..cut]].concat());
        client.expect(TEXT, &long);
        client.send(&next[cut..]);
        client.expect(BINARY, &message("y", 300));
    }
    client.close();
}

#[test]
fn what_is_sent_behind_it_comes_behind_it() {
    let (server, _) = Script::start(settings(1));
    let mut client = server.client();
    let seven = vec![7; LONG];
    for (word, behind) in [
        ("only", &[][..]),
        ("more", &[(TEXT, &b"behind"[..])]),
        ("raw", &[(TEXT, b"raw")]),
        ("ping", &[(PING, b"there?")]),
        ("all", &[(TEXT, b"to all")]),
        ("much", &[(BINARY, &[9; LONG])]),
        ("fill", &[(BINARY, &[3; 5000][..]); 40]),
    ] {
        let message = ask(&mut client, word);
        client.expect(BINARY, &message);
        for (first, payload) in behind {
            client.expect(*first, payload);
        }
    }
    let message = ask(&mut client, "long");
    client.expect(BINARY, &message);
    client.expect(BINARY, &seven);
    client.expect(BINARY, &message);
    client.expect(TEXT, b"behind");
    let message = ask(&mut client, "twice");
    client.expect(BINARY, &message);
    client.expect(BINARY, &message);
    let message = ask(&mut client, "behind");
    client.expect(TEXT, b"before");
    client.expect(BINARY, &message);
    client.close();
}

#[test]
fn a_part_of_a_message_is_that_part() {
    let (server, _) = Script::start(settings(1));
    let mut client = server.client();
    for word in ["tail", "end", "head", "middle", "tails"] {
        let message = ask(&mut client, word);
        let part = match word {
            "tail" | "tails" => &message[500..],
            "end" => &message[995..],
            "head" => &message[..500],
            _ => &message[200..999],
        };
        client.expect(BINARY, part);
        if word == "tails" {
            client.expect(BINARY, &message);
        }
    }
    client.close();
}

/// An answer of as many octets as the header that would have been made, or none.
#[test]
fn an_answer_that_is_no_echo_is_that_answer() {
    let (server, _) = Script::start(settings(1));
    let mut client = server.client();
    for _ in 0..3 {
        ask(&mut client, "nothing");
        ask(&mut client, "short");
        client.expect(TEXT, b"ok");
    }
    let (quiet, said) = (frame(BINARY, &message("nothing", 1000)), message("only", 1000));
    client.send(&[&quiet[..], &quiet, &frame(TEXT, &said)].concat());
    client.expect(TEXT, &said);
    client.close();
}

#[test]
fn it_comes_before_the_end() {
    let (server, _) = Script::start(settings(1));
    for word in ["close", "panic", "cut", "reset"] {
        let mut client = server.client();
        let message = ask(&mut client, word);
        if word == "reset" {
            // The system may drop what it has.
            assert!(client.try_next().is_err() || client.try_next().is_err());
            continue;
        }
        client.expect(BINARY, &message);
        match word {
            "close" => client.expect_close(1000),
            "panic" => client.expect_close(1011),
            _ => client.expect_end(),
        }
    }
    let mut client = server.client();
    let message = ask(&mut client, "only");
    client.expect(BINARY, &message);
    client.close();
}

#[test]
fn another_connection_gets_it_too() {
    let (server, _) = Script::start(settings(1));
    let (mut one, mut other) = (server.client(), server.client());
    other.frame(TEXT, b"remember");
    // Its turn is over when this has come.
    let message = ask(&mut other, "only");
    other.expect(BINARY, &message);
    for word in ["both", "other", "both"] {
        let message = ask(&mut one, word);
        other.expect(BINARY, &message);
        if word == "both" {
            one.expect(BINARY, &message);
        }
    }
    one.close();
    other.close();
}

/// The socket takes some of a frame, and the rest of it waits: nothing of the input may be read over it.
#[test]
fn a_peer_that_does_not_read_gets_all_of_it_later() {
    let many = 1000u32;
    let (server, full) = Script::start(settings(1));
    let mut client = Client::narrow(server.address);
    let said = |number: u32| message(&format!("number {number}"), 20_000 + number as usize % 7);
    let mut sender = client.socket.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        (0..many).for_each(|number| sender.write_all(&frame(BINARY, &said(number))).unwrap());
    });
    full.recv_timeout(PATIENCE).unwrap();
    for number in 0..many {
        client.expect(BINARY, &said(number));
    }
    sending.join().unwrap();
    client.close();
}

#[test]
fn settings_that_compress_or_limit_change_nothing_of_it() {
    let compressed = Settings { websocket_compression: true, compression_threshold: 2000, ..settings(1) };
    let server = Running::start(compressed, |_| Echo);
    let mut client = server.client();
    let (mut offering, head) = Client::open_with(server.address, "/", "Sec-WebSocket-Extensions: permessage-deflate");
    assert!(head.contains("permessage-deflate"), "{head}");
    for len in [126, 1000, 1999, 2000, 5000] {
        client.frame(BINARY, &message("x", len));
        client.expect(BINARY, &message("x", len));
        offering.frame(BINARY, &message("x", len));
        let came = offering.next();
        assert_eq!(came.first, if len < 2000 { BINARY } else { BINARY | 0x40 });
        assert!(len >= 2000 || came.payload == message("x", len));
    }
    let server = Running::start(Settings { max_push_bytes: Some(500), ..settings(1) }, |_| Echo);
    let mut client = server.client();
    client.frame(BINARY, &message("x", 501));
    client.frame(BINARY, &message("x", 500));
    client.expect(BINARY, &message("x", 500));
    client.close();
}
