//! Topics and the keys of users reach the connections of all workers, and end with them.

mod common;

use common::{Client, PATIENCE, Running, TEXT, clients, settings};
use martlet_std::{Closed, ConnId, Context, Frame, Handle, Handler, PushError, Request, Settings};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Does what it is told about the connection that tells it, or about others by their numbers, and answers with the outcome.
struct Hub {
    opened: Sender<ConnId>,
}

impl Handler for Hub {
    fn open(&mut self, ctx: &mut Context<'_>, id: ConnId, request: &Request<'_>) {
        if let Some(topic) = request.path().strip_prefix("/topic/") {
            ctx.subscribe(id, topic).unwrap();
        }
        if let Some(user) = request.path().strip_prefix("/user/") {
            ctx.bind(id, user).unwrap();
        }
        self.opened.send(id).unwrap();
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        let words: Vec<_> = frame.text().unwrap().split(' ').collect();
        let other = |bits: &str| ConnId::from_bits(bits.parse().unwrap());
        let done = match words[..] {
            ["subscribe", topic] => ctx.subscribe(id, topic),
            ["subscribe", topic, bits] => ctx.subscribe(other(bits), topic),
            ["unsubscribe", topic] => ctx.unsubscribe(id, topic),
            ["bind", user] => ctx.bind(id, user),
            ["bind", user, bits] => ctx.bind(other(bits), user),
            ["unbind"] => ctx.unbind(id),
            ["publish", topic, text] => ctx.publish(topic, text),
            ["user", user, text] => ctx.push_to_user(user, text),
            ["mine"] => {
                let mut topics: Vec<_> = ctx.topics(id).map(str::to_owned).collect();
                topics.sort();
                let mine = format!("{topics:?} {:?}", ctx.user(id));
                ctx.push(id, mine.as_str()).unwrap();
                return;
            }
            _ => panic!("{words:?}"),
        };
        ctx.push(id, format!("{done:?}").as_str()).unwrap();
    }

    fn close(&mut self, ctx: &mut Context<'_>, id: ConnId, _: &Closed<'_>) {
        // The key is still known, so that the application can say who left; a new one is no longer taken.
        if let Some(user) = ctx.user(id).map(str::to_owned) {
            assert_eq!(ctx.bind(id, "another"), Err(PushError::Closing));
            ctx.publish("leaving", format!("{user} left").as_str()).unwrap();
        }
    }
}

fn start(settings: Settings) -> (Running, Receiver<ConnId>) {
    let (opened, ids) = channel();
    let opened = Mutex::new(opened);
    (Running::start(settings, move |_| Hub { opened: opened.lock().unwrap().clone() }), ids)
}

fn tell(client: &mut Client, what: &str) {
    client.frame(TEXT, what.as_bytes());
    client.expect(TEXT, b"Ok(())");
}

/// A marker behind all that was sent before: what is not there comes no more.
fn marker(handle: &Handle, clients: &mut [(ConnId, Client)]) {
    for (id, client) in clients {
        handle.push(*id, "marker").unwrap();
        client.expect(TEXT, b"marker");
    }
}

#[test]
fn a_topic_reaches_its_subscribers_on_all_workers_and_nobody_else() {
    for workers in [1, 2, 4] {
        let (server, ids) = start(settings(workers));
        let mut clients = clients(&server, &ids, workers, 8);
        for (_, client) in clients.iter_mut().step_by(2) {
            tell(client, "subscribe news");
            // Twice is once.
            tell(client, "subscribe news");
        }
        let last = clients.len() - 1;
        clients[0].1.frame(TEXT, b"publish news one");
        clients[0].1.expect(TEXT, b"one");
        clients[0].1.expect(TEXT, b"Ok(())");
        for (_, client) in clients.iter_mut().step_by(2).skip(1) {
            client.expect(TEXT, b"one");
        }
        // One that is not a subscriber may publish.
        let quiet = if last % 2 == 1 { last } else { last - 1 };
        tell(&mut clients[quiet].1, "publish news two");
        server.handle.publish("other", "nobody hears it").unwrap();
        for (_, client) in clients.iter_mut().step_by(2) {
            client.expect(TEXT, b"two");
        }
        tell(&mut clients[0].1, "unsubscribe news");
        server.handle.publish("news", "three").unwrap();
        for (_, client) in clients.iter_mut().step_by(2).skip(1) {
            client.expect(TEXT, b"three");
        }
        marker(&server.handle, &mut clients);
    }
}

#[test]
fn any_thread_and_any_worker_may_subscribe_and_bind_a_connection() {
    let (server, ids) = start(settings(2));
    let mut clients = clients(&server, &ids, 2, 4);
    let first = clients[0].0;
    let other = clients.iter().position(|(id, _)| id.worker() != first.worker()).unwrap();
    let bits = clients[other].0.to_bits();
    tell(&mut clients[0].1, &format!("subscribe far {bits}"));
    tell(&mut clients[0].1, &format!("bind ann {bits}"));
    tell(&mut clients[0].1, "publish far hello");
    tell(&mut clients[0].1, "user ann hi");
    clients[other].1.expect(TEXT, b"hello");
    clients[other].1.expect(TEXT, b"hi");

    server.handle.subscribe(first, "near").unwrap();
    server.handle.bind(first, "bob").unwrap();
    server.handle.publish("near", "from a thread").unwrap();
    server.handle.push_to_user("bob", "to bob").unwrap();
    clients[0].1.expect(TEXT, b"from a thread");
    clients[0].1.expect(TEXT, b"to bob");
    server.handle.unsubscribe(first, "near").unwrap();
    server.handle.unbind(first).unwrap();
    server.handle.publish("near", "not any more").unwrap();
    server.handle.push_to_user("bob", "not any more").unwrap();
    marker(&server.handle, &mut clients);
}

#[test]
fn a_key_reaches_all_connections_of_its_user_and_a_connection_has_one_key() {
    let (server, ids) = start(settings(2));
    let mut ann: Vec<_> = (0..6).map(|_| Client::open(server.address, "/user/ann")).collect();
    let mut bob = Client::open(server.address, "/user/bob");
    for _ in 0..7 {
        ids.recv_timeout(PATIENCE).unwrap();
    }
    tell(&mut bob, "user ann hello");
    for client in &mut ann {
        client.expect(TEXT, b"hello");
    }
    // Another key takes the place of the first.
    tell(&mut ann[0], "bind eve");
    server.handle.push_to_user("ann", "five").unwrap();
    server.handle.push_to_user("eve", "one").unwrap();
    ann[0].expect(TEXT, b"one");
    for client in &mut ann[1..] {
        client.expect(TEXT, b"five");
    }
    ann[0].frame(TEXT, b"mine");
    ann[0].expect(TEXT, b"[] Some(\"eve\")");
    tell(&mut ann[0], "unbind");
    ann[0].frame(TEXT, b"mine");
    ann[0].expect(TEXT, b"[] None");
    server.handle.push_to_user("nobody", "no error").unwrap();
}

#[test]
fn a_connection_has_at_most_max_topics() {
    let (server, ids) = start(Settings { max_topics: 2, ..settings(1) });
    let mut client = server.client();
    let id = ids.recv_timeout(PATIENCE).unwrap();
    tell(&mut client, "subscribe a");
    tell(&mut client, "subscribe b");
    tell(&mut client, "subscribe a");
    client.frame(TEXT, b"subscribe c");
    client.expect(TEXT, b"Err(TooManyTopics(2))");
    // From elsewhere it is not done either.
    server.handle.subscribe(id, "d").unwrap();
    client.frame(TEXT, b"mine");
    client.expect(TEXT, b"[\"a\", \"b\"] None");
    tell(&mut client, "unsubscribe a");
    tell(&mut client, "unsubscribe never");
    tell(&mut client, "subscribe c");
    client.frame(TEXT, b"mine");
    client.expect(TEXT, b"[\"b\", \"c\"] None");
}

#[test]
fn a_connection_that_ends_leaves_its_topics_and_its_key() {
    let (server, ids) = start(settings(1));
    let mut observer = Client::open(server.address, "/topic/leaving");
    ids.recv_timeout(PATIENCE).unwrap();
    for n in 0..50 {
        let mut client = Client::open(server.address, "/user/ann");
        let id = ids.recv_timeout(PATIENCE).unwrap();
        tell(&mut client, "subscribe news");
        if n % 2 == 0 {
            client.close();
        } else {
            drop(client);
        }
        observer.expect(TEXT, b"ann left");
        // It may be known already that it is gone; if not, the worker finds out.
        assert!(matches!(server.handle.subscribe(id, "news"), Ok(()) | Err(PushError::Gone)));
        // The next one has the slot, and nothing of what the slot's last connection was.
        let mut next = server.client();
        ids.recv_timeout(PATIENCE).unwrap();
        server.handle.publish("news", "who is there").unwrap();
        server.handle.push_to_user("ann", "who is there").unwrap();
        next.frame(TEXT, b"mine");
        next.expect(TEXT, b"[] None");
        next.close();
    }
}

#[test]
fn only_whole_messages_are_published() {
    let server = Running::start(settings(1), |_| common::Echo);
    let ping = martlet_std::Outgoing::ping(b"x");
    assert_eq!(server.handle.publish("t", ping), Err(PushError::NotWhole));
    assert_eq!(server.handle.push_to_user("u", ping), Err(PushError::NotWhole));
}
