//! Connections of several workers reach each other, in order and without loss.

mod common;

use common::{Client, Echo, PATIENCE, Running, TEXT, clients, settings};
use martlet_std::{ConnId, Context, Filter, Frame, Handler, PushError, Request, Settings, Timer};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// Passes on what it is told: `all …` to everyone, `tag …` to those with tag 7, `to N …` to a connection by its number.
struct Relay {
    opened: Sender<ConnId>,
    known: Arc<Mutex<Vec<ConnId>>>,
}

impl Handler for Relay {
    fn open(&mut self, ctx: &mut Context<'_>, id: ConnId, request: &Request<'_>) {
        assert_eq!(id.worker(), ctx.worker());
        if request.path() == "/seven" {
            ctx.set_tag(id, 7).unwrap();
        }
        self.known.lock().unwrap().push(id);
        self.opened.send(id).unwrap();
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, message: Frame<'_>) {
        match message.text().unwrap().split_once(' ') {
            Some(("all", text)) => ctx.broadcast(Filter::All, text).unwrap(),
            Some(("tag", text)) => ctx.broadcast(Filter::Tag(7), text).unwrap(),
            Some(("each", text)) => {
                for to in self.known.lock().unwrap().iter() {
                    ctx.push(*to, text).unwrap();
                }
            }
            _ => {
                let here = ctx.connections_here().count();
                ctx.push(id, format!("{here} of {}", ctx.handle().connection_count()).as_str()).unwrap();
            }
        }
    }
}

fn start(settings: Settings) -> (Running, Receiver<ConnId>) {
    let (opened, ids) = channel();
    let (opened, known) = (Mutex::new(opened), Arc::default());
    let make = move |_| Relay { opened: opened.lock().unwrap().clone(), known: Arc::clone(&known) };
    (Running::start(settings, make), ids)
}

#[test]
fn a_broadcast_reaches_everyone_on_all_workers() {
    for workers in [1, 2, 4] {
        let (server, ids) = start(settings(workers));
        let mut clients = clients(&server, &ids, workers, 8);
        clients[0].1.frame(TEXT, b"all hello from the first");
        for (_, client) in &mut clients {
            client.expect(TEXT, b"hello from the first");
        }
        server.handle.broadcast(Filter::All, "hello from a thread").unwrap();
        for (_, client) in &mut clients {
            client.expect(TEXT, b"hello from a thread");
        }
        let mut seven = Client::open(server.address, "/seven");
        ids.recv_timeout(PATIENCE).unwrap();
        clients[1].1.frame(TEXT, b"tag only for seven");
        seven.expect(TEXT, b"only for seven");
        clients[1].1.frame(TEXT, b"all for everyone");
        for (_, client) in &mut clients {
            client.expect(TEXT, b"for everyone");
        }
    }
}

#[test]
fn pushes_arrive_in_the_order_in_which_one_thread_made_them() {
    let (server, ids) = start(settings(2));
    let mut clients = clients(&server, &ids, 2, 4);
    for n in 0..2000u32 {
        for (id, _) in &clients {
            server.handle.push(*id, n.to_string().as_str()).unwrap();
        }
    }
    for (_, client) in &mut clients {
        for n in 0..2000u32 {
            client.expect(TEXT, n.to_string().as_bytes());
        }
    }
    // From a handler to connections of its own worker and of the other.
    for n in 0..500u32 {
        clients[0].1.frame(TEXT, format!("each {n}").as_bytes());
    }
    for (_, client) in &mut clients {
        for n in 0..500u32 {
            client.expect(TEXT, n.to_string().as_bytes());
        }
    }
}

#[test]
fn connections_that_come_and_go_under_a_broadcast_lose_nothing_and_leak_nothing() {
    let (server, ids) = start(settings(2));
    let mut stable = clients(&server, &ids, 2, 4);
    let handle = server.handle.clone();
    let address = server.address;
    let crowd = std::thread::spawn(move || {
        for n in 0..1000 {
            let mut client = Client::open(address, "/");
            if n % 2 == 0 {
                // One that closes as it should. Broadcasts may come before its Close.
                client.frame(common::CLOSE, &1000u16.to_be_bytes());
                while client.next().first != common::CLOSE {}
            }
        }
    });
    let mut sent = 0u32;
    while !crowd.is_finished() || sent < 100 {
        handle.broadcast(Filter::All, sent.to_string().as_str()).unwrap();
        // One of those who must get everything sets the pace.
        stable[0].1.expect(TEXT, sent.to_string().as_bytes());
        sent += 1;
    }
    crowd.join().unwrap();
    for (_, client) in &mut stable[1..] {
        for n in 0..sent {
            client.expect(TEXT, n.to_string().as_bytes());
        }
    }
    let left = stable.len();
    while server.handle.connection_count() as usize != left {
        // The last ones are still being let go: ask until they are.
        let (_, client) = &mut stable[0];
        client.frame(TEXT, b"how many");
        client.next();
    }
}

#[test]
fn a_server_that_has_stopped_says_so() {
    let server = Running::start(settings(2), |_| Echo);
    let handle = server.handle.clone();
    handle.stop();
    server.join();
    assert_eq!(handle.push(ConnId::from_bits(0), "x"), Err(PushError::Gone));
}

#[test]
fn what_is_broadcast_in_one_round_leaves_together() {
    struct Twice;
    impl Handler for Twice {
        fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, _: Frame<'_>) {
            let other = ctx.connections_here().find(|other| *other != id).unwrap();
            let queued: Vec<_> = ["a", "b", "c"]
                .map(|text| {
                    ctx.broadcast(Filter::All, text).unwrap();
                    ctx.info(other).unwrap().queued_bytes
                })
                .into();
            // The first is written at once, the others wait for the end of the round.
            assert_eq!(queued, [0, 3, 6]);
        }
    }
    let server = Running::start(settings(1), |_| Twice);
    let (mut one, mut other) = (server.client(), server.client());
    one.frame(TEXT, b"go");
    for client in [&mut one, &mut other] {
        for text in [b"a", b"b", b"c"] {
            client.expect(TEXT, text);
        }
    }
    one.close();
}

#[test]
fn a_timer_that_is_always_due_does_not_stop_the_worker() {
    struct Restless;
    impl Handler for Restless {
        fn open(&mut self, ctx: &mut Context<'_>, _: ConnId, _: &Request<'_>) {
            ctx.wake_after(0);
        }

        fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, message: Frame<'_>) {
            ctx.push(id, message).unwrap();
        }

        fn timer(&mut self, ctx: &mut Context<'_>, _: Timer) {
            ctx.wake_after(0);
        }
    }
    let server = Running::start(settings(1), |_| Restless);
    let mut client = server.client();
    client.frame(TEXT, b"still there");
    client.expect(TEXT, b"still there");
    client.close();
}
