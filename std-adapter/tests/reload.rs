//! Workers begin and end, and new ones take over while clients come and go: nobody is lost.

mod common;

use common::{CLOSE, Client, PATIENCE, Running, TEXT, request, settings};
use martlet_std::{Among, ConnId, Context, Filter, Frame, Handler, Server, ServerError, Settings};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a worker tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Start { seat: usize, worker: usize },
    Stop { worker: usize, open: usize },
}

/// Echoes, except for those who ask for its number.
struct Teller(Sender<Told>);

impl Handler for Teller {
    fn worker_start(&mut self, ctx: &mut Context<'_>) {
        self.0.send(Told::Start { seat: ctx.seat(), worker: ctx.worker() }).unwrap();
    }

    fn worker_stop(&mut self, ctx: &mut Context<'_>) {
        let open = ctx.connections_here().count();
        // At the end of a test nobody may listen any more.
        let _ = self.0.send(Told::Stop { worker: ctx.worker(), open });
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        match frame.text() {
            Some("worker") => ctx.push(id, ctx.worker().to_string().as_str()).unwrap(),
            Some("id") => ctx.push(id, id.to_bits().to_string().as_str()).unwrap(),
            _ => ctx.push(id, frame).unwrap(),
        }
    }
}

fn start(settings: Settings) -> (Running, Receiver<Told>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    (Running::start(settings, move |_| Teller(tell.lock().unwrap().clone())), told)
}

/// The next `count` starts, by seat; stops may come in between.
fn starts(told: &Receiver<Told>, count: usize) -> Vec<(usize, usize)> {
    let mut starts = Vec::new();
    while starts.len() < count {
        if let Told::Start { seat, worker } = told.recv_timeout(PATIENCE).unwrap() {
            starts.push((seat, worker));
        }
    }
    starts.sort_unstable();
    starts
}

fn patient(worker_num: usize) -> Settings {
    Settings { max_wait_time: PATIENCE, ..settings(worker_num) }
}

fn ask(client: &mut Client, question: &str) -> String {
    client.frame(TEXT, question.as_bytes());
    String::from_utf8(client.next().payload).unwrap()
}

#[test]
fn worker_start_and_worker_stop_come_once_for_each_worker_between_on_start_and_on_shutdown() {
    let (tell, told) = channel();
    let server = Server::bind(settings(3)).unwrap();
    let started = Arc::new(AtomicBool::new(false));
    let (seen, over) = (Arc::clone(&started), Arc::new(AtomicBool::new(false)));
    let done = Arc::clone(&over);
    let server = server
        .on_start(move |handle| {
            assert_eq!(handle.workers(), [0, 1, 2]);
            seen.store(true, Ordering::SeqCst);
            handle.stop();
        })
        .on_shutdown(move || assert!(!done.swap(true, Ordering::SeqCst)));
    let tell = Mutex::new(tell);
    server.run(move |_| Teller(tell.lock().unwrap().clone())).unwrap();
    assert!(started.load(Ordering::SeqCst) && over.load(Ordering::SeqCst));
    let told: Vec<_> = told.iter().collect();
    for worker in 0..3 {
        let own: Vec<_> = told
            .iter()
            .filter(|told| matches!(told, Told::Start { worker: w, .. } | Told::Stop { worker: w, .. } if *w == worker))
            .collect();
        assert_eq!(own, [&Told::Start { seat: worker, worker }, &Told::Stop { worker, open: 0 }]);
    }
    assert_eq!(told.len(), 6);
}

#[test]
fn a_panic_in_worker_start_keeps_the_server_from_starting() {
    struct Unable;
    impl Handler for Unable {
        fn worker_start(&mut self, _: &mut Context<'_>) {
            panic!("no database");
        }

        fn message(&mut self, _: &mut Context<'_>, _: ConnId, _: Frame<'_>) {}
    }
    let server = Server::bind(settings(2)).unwrap().on_start(|_| panic!("it has not started"));
    assert!(matches!(server.run(|_| Unable), Err(ServerError::Panicked)));
}

#[test]
fn after_a_reload_new_workers_serve_who_comes_and_the_old_ones_those_they_have() {
    let (server, told) = start(patient(2));
    assert_eq!(starts(&told, 2), [(0, 0), (1, 1)]);
    let mut old = server.client();
    let number = ask(&mut old, "worker");
    server.handle.reload();
    // Each seat gets a new worker, and the one of the old ones that has nobody ends.
    let (mut new, mut ended) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        match told.recv_timeout(PATIENCE).unwrap() {
            Told::Start { seat, worker } => new.push((seat, worker)),
            Told::Stop { worker, open } => ended.push((worker, open)),
        }
    }
    new.sort_unstable();
    let number: usize = number.parse().unwrap();
    assert_eq!((new, ended), (vec![(0, 2), (1, 3)], vec![(1 - number, 0)]));
    while server.handle.workers() != [2, 3] {
        std::thread::yield_now();
    }
    // The other one stays for its client, and answers.
    assert_eq!(ask(&mut old, "worker"), number.to_string());
    let mut client = server.client();
    assert!(["2", "3"].contains(&ask(&mut client, "worker").as_str()));
    // Old and new are reached alike.
    server.handle.broadcast(Filter::All, "to all").unwrap();
    for client in [&mut old, &mut client] {
        client.expect(TEXT, b"to all");
    }
    old.close();
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), Told::Stop { worker: number, open: 0 });
    assert_eq!(ask(&mut client, "still there"), "still there");
}

#[test]
fn numbers_that_are_used_again_give_no_id_twice() {
    let (server, told) = start(patient(1));
    starts(&told, 1);
    let mut ids = BTreeSet::new();
    let mut workers = BTreeSet::new();
    for _ in 0..6 {
        for _ in 0..3 {
            let mut client = server.client();
            workers.insert(ask(&mut client, "worker"));
            assert!(ids.insert(ask(&mut client, "id")));
            client.close();
        }
        server.handle.reload();
        let mut missing = (true, true);
        while missing != (false, false) {
            match told.recv_timeout(PATIENCE).unwrap() {
                Told::Start { .. } => missing.0 = false,
                Told::Stop { .. } => missing.1 = false,
            }
        }
    }
    assert!(workers.len() < 6, "{workers:?}");
}

#[test]
fn who_stays_longer_than_the_grace_gets_1001() {
    let (server, told) = start(Settings { max_wait_time: Duration::from_millis(100), ..settings(1) });
    starts(&told, 1);
    let mut client = server.client();
    ask(&mut client, "worker");
    server.handle.reload();
    client.expect_close(1001);
    client.frame(CLOSE, &1001u16.to_be_bytes());
    client.expect_end();
    assert_eq!(starts(&told, 1), [(0, 1)]);
    assert_eq!(ask(&mut server.client(), "worker"), "1");
}

#[test]
fn a_worker_that_does_not_start_leaves_its_seat_to_the_old_one() {
    let made = AtomicUsize::new(0);
    let failed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&failed);
    let server = Running::start(patient(1), move |_| {
        if made.fetch_add(1, Ordering::SeqCst) == 1 {
            count.fetch_add(1, Ordering::SeqCst);
            panic!("the new settings are wrong");
        }
        common::Echo
    });
    let mut client = server.client();
    server.handle.reload();
    while failed.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    assert_eq!(ask(&mut client, "old"), "old");
    assert_eq!(ask(&mut server.client(), "and for new ones"), "and for new ones");
    // The next one starts.
    server.handle.reload();
    while server.handle.workers() == [0] {
        std::thread::yield_now();
    }
    assert_eq!(ask(&mut server.client(), "new"), "new");
}

#[test]
fn a_reload_under_load_loses_no_message_and_no_connection() {
    for reuse_port in [true, false] {
        let (server, told) = start(Settings { reuse_port, ..patient(2) });
        starts(&told, 2);
        let over = Arc::new(AtomicBool::new(false));
        let counts: Vec<_> = (0..4).map(|_| Arc::new(AtomicUsize::new(0))).collect();
        let crowd: Vec<_> = counts
            .iter()
            .map(|count| {
                let (over, count, address) = (Arc::clone(&over), Arc::clone(count), server.address);
                std::thread::spawn(move || {
                    while !over.load(Ordering::SeqCst) {
                        // Everything is asked for at once, and the answers show whether all of it was served.
                        let mut client = Client::connect(address);
                        client.send(&[request("/"), common::frame(TEXT, b"one"), common::frame(TEXT, b"two")].concat());
                        assert!(client.head().starts_with("HTTP/1.1 101 "));
                        client.expect(TEXT, b"one");
                        client.expect(TEXT, b"two");
                        client.close();
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        // One that stays, and talks all the while.
        let mut stays = server.client();
        let busy = || counts.iter().all(|count| count.load(Ordering::SeqCst) >= 10);
        let healthy = || !crowd.iter().any(std::thread::JoinHandle::is_finished);
        let mut round = 0;
        while (round < 10 || !busy()) && healthy() {
            server.handle.reload();
            let mut missing = 2;
            while missing > 0 {
                missing -= usize::from(matches!(told.try_recv(), Ok(Told::Start { .. })));
                let text = format!("{round} {missing}");
                assert_eq!(ask(&mut stays, &text), text);
            }
            round += 1;
        }
        over.store(true, Ordering::SeqCst);
        for thread in crowd {
            thread.join().unwrap();
        }
        stays.close();
    }
}

/// Says when it begins and when it ends, and then waits to be told to go on.
struct Slow {
    begins: Option<Sender<Sender<()>>>,
    ends: Sender<Sender<()>>,
}

impl Slow {
    fn wait(at: &Sender<Sender<()>>) {
        let (go_on, told) = channel();
        // At the end of a test nobody may listen any more.
        if at.send(go_on).is_ok() {
            let _ = told.recv_timeout(PATIENCE);
        }
    }
}

impl Handler for Slow {
    fn worker_start(&mut self, _: &mut Context<'_>) {
        self.begins.iter().for_each(Self::wait);
    }

    fn worker_stop(&mut self, _: &mut Context<'_>) {
        Self::wait(&self.ends);
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        ctx.push(id, frame).unwrap();
    }
}

#[test]
fn workers_that_begin_or_end_slowly_keep_nobody_waiting_who_asks() {
    let ((begins, begun), (ends, ended)) = (channel(), channel());
    // The first worker begins at once.
    let parts = Mutex::new((None, Some(begins), ends));
    let server = Running::start(patient(1), move |_| {
        let (now, later, ends) = &mut *parts.lock().unwrap();
        let begins = std::mem::replace(now, later.clone());
        Slow { begins, ends: ends.clone() }
    });
    let mut client = server.client();
    client.frame(TEXT, b"there");
    client.expect(TEXT, b"there");
    server.handle.reload();
    let go_on = begun.recv_timeout(PATIENCE).unwrap();
    // The new worker is there and does not serve yet, so that it has no connection.
    assert_eq!(server.handle.connections(Among::All).map(|all| all.len()), Ok(1));
    go_on.send(()).unwrap();
    client.close();
    let go_on = ended.recv_timeout(PATIENCE).unwrap();
    // Nor has the old one, now that the last has gone.
    assert_eq!(server.handle.connections(Among::All), Ok(Vec::new()));
    go_on.send(()).unwrap();
    drop(ended);
}
