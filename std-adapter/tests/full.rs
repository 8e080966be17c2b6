//! A worker that keeps as much for its peers as it may: who would have it keep more is refused, and all others are served.

mod common;

use common::{BINARY, CLOSE, Client, PATIENCE, PING, PONG, Running, settings};
use martlet_std::{Answer, Backpressure, By, Closed, ConnId, Context, Frame, Handler, PushError, Request, Settings};
use std::io::Write;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

/// A worker that keeps no more than a few messages.
fn narrow() -> Settings {
    Settings { package_max_length: 1 << 20, max_body_bytes: 1 << 20, max_held_bytes: 4 << 20, ..settings(1) }
}

/// Waits until this is so.
#[track_caller]
fn until(mut so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "it never was so");
        std::thread::yield_now();
    }
}

/// Echoes, takes bodies, and pushes `message` octets as often as it is told to.
struct App {
    closed: Sender<(u16, By, bool)>,
    refused: Sender<PushError>,
}

impl App {
    fn echo(&self, ctx: &mut Context<'_>, id: ConnId, message: Frame<'_>) {
        // Fails for those that are cut.
        let _ = ctx.push(id, message);
    }
}

impl Handler for App {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, message: Frame<'_>) {
        let asked = message.text().and_then(|text| text.split_once(' '));
        let Some((times, octets)) = asked else { return self.echo(ctx, id, message) };
        let octets = vec![7; octets.parse().unwrap()];
        for _ in 0..times.parse().unwrap() {
            if let Err(why) = ctx.push(id, &octets[..]) {
                return self.refused.send(why).unwrap();
            }
        }
    }

    fn request(&mut self, _: &mut Context<'_>, request: &Request<'_>) -> Answer {
        martlet_std::Response::new(200, "text/plain", request.body().to_vec()).into()
    }

    fn close(&mut self, _: &mut Context<'_>, _: ConnId, closed: &Closed<'_>) {
        // Of those at a test's end nobody hears.
        let _ = self.closed.send((closed.code, closed.by, closed.clean));
    }
}

type Told = (Receiver<(u16, By, bool)>, Receiver<PushError>);

fn start(settings: Settings) -> (Running, Told) {
    let ((closed, closes), (refused, refusals)) = (channel(), channel());
    let tell = Mutex::new((closed, refused));
    let server = Running::start(settings, move |_| {
        let (closed, refused) = tell.lock().unwrap().clone();
        App { closed, refused }
    });
    (server, (closes, refusals))
}

fn echoes(client: &mut Client) {
    for len in [5, 1000, 20_000] {
        client.frame(BINARY, &vec![3; len]);
        client.expect(BINARY, &vec![3; len]);
    }
}

/// Messages of which the first half has come, in the order in which they came; `None` for those that were refused.
fn halves(server: &Running, first: u8, half: &[u8]) -> Vec<Option<Client>> {
    let offer = "Sec-WebSocket-Extensions: permessage-deflate";
    let one = || {
        let mut client = Client::open_with(server.address, "/", offer).0;
        client.frame(first, half);
        client.frame(PING, b"");
        let answer = client.next();
        if answer.first == PONG {
            return Some(client);
        }
        assert_eq!((answer.first, &answer.payload[..2]), (CLOSE, &1013_u16.to_be_bytes()[..]));
        None
    };
    (0..20).map(|_| one()).collect()
}

#[test]
fn messages_that_come_in_part_are_refused_until_others_go() {
    let mut payload = miniz_oxide::deflate::compress_to_vec(&vec![b'x'; 600_000], 6);
    payload.push(0);
    let (zipped, rest) = payload.split_at(payload.len() - 10);
    let (half, other) = (vec![b'x'; 600_000], vec![b'x'; 300_000]);
    // As it is, and compressed: what counts is what it is inflated to.
    let rows: [(u8, &[u8], &[u8]); 2] = [(0x02, &half, &other), (0x42, zipped, rest)];
    for (first, half, other) in rows {
        let (server, (closed, _)) = start(Settings { websocket_compression: true, ..narrow() });
        let mut fast = server.client();
        let begun = halves(&server, first, half);
        let kept = begun.iter().flatten().count();
        assert!((3..8).contains(&kept), "{kept} of them are there");
        assert_eq!(server.handle.stats().overloads, 20 - kept as u64);
        assert_eq!(closed.recv_timeout(PATIENCE), Ok((1013, By::Server, false)));
        echoes(&mut fast);
        // Who was there comes whole when the others have gone.
        let mut whole = begun.into_iter().flatten().next().unwrap();
        until(|| server.handle.stats().connections == 2);
        whole.frame(0x80, other);
        let echo = whole.next();
        assert_eq!(echo.first, 0xc2, "whole, and compressed");
        drop(whole);
        all_room_comes_back(&server, || halves(&server, first, half).into_iter().flatten().collect());
    }
}

/// Has the worker filled so often that what one of them left behind each time would leave no place for anybody. How many have theirs
/// differs: the room that is made for an octet depends on how many come at once.
fn all_room_comes_back(server: &Running, fill: impl Fn() -> Vec<Client>) {
    for round in 0..5 {
        until(|| server.handle.stats().connections == 1);
        let kept = fill().len();
        assert!((3..8).contains(&kept), "{kept} of them are there, in round {round}");
    }
}

#[test]
fn bodies_that_come_in_part_are_refused_until_others_go() {
    let (server, _told) = start(narrow());
    let mut fast = server.client();
    let fill = || {
        let mut kept = Vec::new();
        for _ in 0..20 {
            let (overloads, octets) = (server.handle.stats().overloads, server.handle.stats().bytes_in);
            let mut client = Client::connect(server.address);
            let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
            client.send(&[&head[..], &vec![b'x'; 600_000]].concat());
            let sent = (head.len() + 600_000) as u64;
            until(|| server.handle.stats().overloads > overloads || server.handle.stats().bytes_in == octets + sent);
            if server.handle.stats().overloads > overloads {
                assert!(client.head().starts_with("HTTP/1.1 503 "));
            } else {
                kept.push(client);
            }
        }
        kept
    };
    let kept = fill();
    let count = kept.len();
    assert!((3..8).contains(&count), "{count} of them are there");
    echoes(&mut fast);
    let mut whole = kept.into_iter().next().unwrap();
    until(|| server.handle.stats().connections == 2);
    whole.send(&vec![b'x'; 400_000]);
    assert!(whole.head().starts_with("HTTP/1.1 200 "));
    drop(whole);
    all_room_comes_back(&server, fill);
}

/// Clients that do not read, each of which had so many messages of so many octets pushed.
fn deaf(server: &Running, ask: &str) -> Vec<Client> {
    let one = |_| {
        let mut client = Client::narrow(server.address);
        client.frame(common::TEXT, ask.as_bytes());
        client
    };
    (0..20).map(one).collect()
}

#[test]
fn pushes_to_slow_readers_fail_until_others_have_read() {
    for policy in [Backpressure::Error, Backpressure::Close] {
        let (server, (closed, refused)) =
            start(Settings { backpressure_policy: policy, socket_buffer_size: 65_536, ..narrow() });
        let mut fast = server.client();
        let mut clients = deaf(&server, "12 65536");
        let why = refused.recv_timeout(PATIENCE).unwrap();
        assert_eq!(why, PushError::WorkerFull);
        echoes(&mut fast);
        assert!(server.handle.stats().overloads > 0);
        match policy {
            Backpressure::Error => assert!(closed.try_recv().is_err()),
            _ => {
                // Those that read now get all that was promised, and the Close behind it.
                let codes: Vec<_> = clients.iter_mut().map(last_close).collect();
                assert!(codes.contains(&Some(1013)) && codes.contains(&None), "{codes:?}");
            }
        }
        drop(clients);
        until(|| server.handle.stats().connections == 1);
        let mut client = Client::narrow(server.address);
        client.frame(common::TEXT, b"12 65536");
        (0..12).for_each(|_| client.expect(BINARY, &[7; 65_536]));
    }
}

/// The code of the Close behind twelve messages, or fewer.
fn last_close(client: &mut Client) -> Option<u16> {
    for _ in 0..12 {
        let frame = client.next();
        if frame.first == CLOSE {
            return frame.payload.first_chunk().map(|code| u16::from_be_bytes(*code));
        }
    }
    None
}

#[test]
fn answers_to_those_who_do_not_read_are_cut_when_the_worker_is_full() {
    // An echo is not asked for: it goes with the turn, and what the socket does not take of it is kept.
    let (server, (closed, _)) = start(Settings { socket_buffer_size: 65_536, ..narrow() });
    let mut fast = server.client();
    let mut clients: Vec<_> = (0..40).map(|_| Client::narrow(server.address)).collect();
    clients.iter().for_each(|client| client.socket.set_nonblocking(true).unwrap());
    // Each sends as much as its socket takes, which ends when nothing is read from it any more.
    let message = common::frame(BINARY, &[5; 20_000]);
    let mut sent = vec![0; clients.len()];
    let mut first = None;
    until(|| {
        for (client, sent) in clients.iter_mut().zip(&mut sent) {
            while let Ok(written) = client.socket.write(&message[*sent..]) {
                *sent = (*sent + written) % message.len();
            }
        }
        first = closed.try_recv().ok();
        first.is_some()
    });
    assert_eq!(first, Some((1013, By::Server, false)));
    echoes(&mut fast);
    drop(clients);
    until(|| server.handle.stats().connections == 1);
    let mut client = server.client();
    echoes(&mut client);
    client.close();
}

#[test]
fn a_long_broadcast_counts_once_for_all_its_slow_readers() {
    let (server, (_, refused)) = start(Settings { socket_buffer_size: 65_536, max_backpressure: 4 << 20, ..narrow() });
    let mut clients: Vec<_> = (0..20).map(|_| Client::narrow(server.address)).collect();
    // Twenty times as much as there is room for, if it counted for each.
    for octet in 0..3 {
        server.handle.broadcast(martlet_std::Filter::All, &vec![octet; 1 << 20][..]).unwrap();
    }
    for client in &mut clients {
        (0..3).for_each(|octet| client.expect(BINARY, &vec![octet; 1 << 20]));
    }
    assert_eq!(server.handle.stats().overloads, 0);
    assert!(refused.try_recv().is_err());
}

#[test]
fn requests_behind_one_that_is_not_answered_are_kept_only_while_there_is_room() {
    /// Answers nobody.
    struct Later(Vec<martlet_std::Deferred>);
    impl Handler for Later {
        fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, message: Frame<'_>) {
            let _ = ctx.push(id, message);
        }
        fn request(&mut self, _: &mut Context<'_>, request: &Request<'_>) -> Answer {
            self.0.push(request.defer());
            Answer::Deferred
        }
    }
    let server = Running::start(
        Settings { max_held_bytes: 1 << 20, package_max_length: 30_000, max_body_bytes: 1000, ..settings(1) },
        |_| Later(Vec::new()),
    );
    let mut fast = server.client();
    let mut clients: Vec<_> = (0..60).map(|_| Client::connect(server.address)).collect();
    let pipelined = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2000);
    for client in &mut clients {
        let _ = client.socket.write(&pipelined);
    }
    until(|| server.handle.stats().overloads > 0);
    echoes(&mut fast);
}
