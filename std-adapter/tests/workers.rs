//! Connections of several workers reach each other, in order and without loss.

mod common;

use common::{Client, Echo, PATIENCE, Running, TEXT, clients, settings};
use martlet_std::{Among, ConnId, Context, Filter, Frame, Handler, PushError, Request, Settings, Timer};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
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

/// How many times each source pushes to each connection.
const PUSHES: u32 = 500;

/// Pushes so many times to all, a few at each tick.
fn push_at_each_tick(ctx: &mut Context<'_>, ids: Vec<ConnId>, source: &'static str) {
    let (pushed, own) = (Cell::new(0), Rc::new(Cell::new(None)));
    let known = Rc::clone(&own);
    own.set(Some(ctx.tick(1, move |ctx| {
        for _ in 0..PUSHES / 100 {
            for id in &ids {
                ctx.push(*id, format!("{source} {}", pushed.get()).as_str()).unwrap();
            }
            pushed.set(pushed.get() + 1);
        }
        if pushed.get() == PUSHES {
            assert!(ctx.clear_timer(known.get().unwrap()));
        }
    })));
}

/// Pushes to all and has itself called again, until it was so many times.
fn push_and_defer(ctx: &mut Context<'_>, ids: Vec<ConnId>, source: &'static str, at: u32) {
    for id in &ids {
        ctx.push(*id, format!("{source} {at}").as_str()).unwrap();
    }
    if at + 1 < PUSHES {
        ctx.defer(move |ctx| push_and_defer(ctx, ids, source, at + 1));
    }
}

#[test]
fn pushes_from_a_timer_a_thread_and_another_worker_arrive_each_in_its_order() {
    let (server, opened) = start(settings(2));
    let mut clients = clients(&server, &opened, 2, 4);
    let ids: Vec<_> = clients.iter().map(|(id, _)| *id).collect();
    // Each source reaches connections of its own worker and of the other.
    for (worker, timer, deferred) in [(0, "timer 0", "worker 0"), (1, "timer 1", "worker 1")] {
        let ids = ids.clone();
        let both = move |ctx: &mut Context<'_>| {
            push_at_each_tick(ctx, ids.clone(), timer);
            push_and_defer(ctx, ids, deferred, 0);
        };
        server.handle.run_on(worker, both).unwrap();
    }
    let handle = server.handle.clone();
    let thread = std::thread::spawn(move || {
        for at in 0..PUSHES {
            for id in &ids {
                handle.push(*id, format!("thread {at}").as_str()).unwrap();
            }
        }
    });
    let sources = ["thread", "timer 0", "timer 1", "worker 0", "worker 1"];
    for (_, client) in &mut clients {
        let mut came = BTreeMap::<String, Vec<u32>>::new();
        for _ in 0..sources.len() * PUSHES as usize {
            let text = String::from_utf8(client.next().payload).unwrap();
            let (source, at) = text.rsplit_once(' ').unwrap();
            came.entry(source.to_owned()).or_default().push(at.parse().unwrap());
        }
        assert_eq!(came.keys().collect::<Vec<_>>(), sources);
        for (source, came) in came {
            assert!(came.into_iter().eq(0..PUSHES), "{source} is out of order");
        }
    }
    thread.join().unwrap();
}

/// Connects so many times while it is broadcast: who has a connection gets all that is sent from then on, until it leaves.
fn come_and_go(address: SocketAddr, times: usize) {
    for n in 0..times {
        let mut client = Client::open(address, "/");
        // Every other one goes without a word.
        if n % 2 == 0 {
            client.frame(common::CLOSE, &1000u16.to_be_bytes());
            let mut last = None;
            loop {
                let frame = client.next();
                if frame.first == common::CLOSE {
                    break;
                }
                let number: u32 = String::from_utf8(frame.payload).unwrap().parse().unwrap();
                assert!(last.is_none_or(|last| number == last + 1), "{number} came after {last:?}");
                last = Some(number);
            }
            client.expect_end();
        }
    }
}

#[test]
fn connections_that_come_and_go_under_a_broadcast_lose_nothing_and_leak_nothing() {
    for workers in [2, 4] {
        let (server, ids) = start(settings(workers));
        let mut stable = clients(&server, &ids, workers, 8);
        let (handle, address) = (server.handle.clone(), server.address);
        let crowd = std::thread::spawn(move || come_and_go(address, 1000));
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
        let mut left: Vec<_> = stable.iter().map(|(id, _)| *id).collect();
        left.sort();
        // The last ones are still being let go: ask until they are. Neither a slot nor a place is left behind.
        while server.handle.connections(Among::All).unwrap() != left
            || server.handle.connection_count() as usize != left.len()
        {
            let (_, client) = &mut stable[0];
            client.frame(TEXT, b"how many");
            client.next();
        }
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
            // None is written before the end of the round, when one write takes them all.
            assert_eq!(queued, [3, 6, 9]);
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
