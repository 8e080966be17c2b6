//! What a connection costs in memory: nothing for an echo, its slot while it is idle.

mod common;

use common::{BINARY, Client, PATIENCE, Running, TEXT, frame, settings};
use martlet_std::{ConnId, Context, Filter, Frame, Handler, Settings};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};

thread_local! {
    /// Only what workers do counts, not what the clients of the test do.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);

struct Counting;

fn count(allocations: u64, octets: i64) {
    if COUNTED.get() {
        ALLOCATIONS.fetch_add(allocations, Ordering::Relaxed);
        LIVE.fetch_add(octets, Ordering::Relaxed);
    }
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as i64 - layout.size() as i64);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// An echo that tells how many allocations there were when it is asked.
struct Counted {
    tell: Sender<(u64, i64)>,
}

impl Handler for Counted {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, message: Frame<'_>) {
        if message.payload() == b"how many" {
            let numbers = (ALLOCATIONS.load(Ordering::Relaxed), LIVE.load(Ordering::Relaxed));
            // The channel's memory is none of the server's.
            COUNTED.set(false);
            self.tell.send(numbers).unwrap();
            COUNTED.set(true);
        }
        if message.payload() == b"in and out" {
            ctx.subscribe(id, "topic").unwrap();
            ctx.bind(id, "user").unwrap();
            ctx.unsubscribe(id, "topic").unwrap();
            ctx.unbind(id).unwrap();
        }
        if message.payload().starts_with(b"all") {
            return ctx.broadcast(Filter::All, message).unwrap();
        }
        ctx.push(id, message).unwrap();
    }
}

/// One test at a time: the numbers are those of the whole process.
static ALONE: Mutex<()> = Mutex::new(());

fn start(settings: Settings) -> (Running, impl Fn(&mut Client) -> (u64, i64)) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let server = Running::start(settings, move |_| {
        COUNTED.set(true);
        Counted { tell: tell.lock().unwrap().clone() }
    });
    let ask = move |client: &mut Client| {
        client.frame(TEXT, b"how many");
        let numbers = told.recv_timeout(PATIENCE).unwrap();
        client.expect(TEXT, b"how many");
        numbers
    };
    (server, ask)
}

#[test]
fn an_echo_of_whole_messages_allocates_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let (server, ask) = start(settings(1));
    let mut client = server.client();
    let rounds = |client: &mut Client| {
        for len in [0, 20, 125, 126, 1000, 16_000] {
            client.frame(BINARY, &vec![1; len]);
            client.expect(BINARY, &vec![1; len]);
            client.frame(TEXT, "ü".repeat(len / 2).as_bytes());
            client.next();
        }
        client.send(&frame(TEXT, b"pipelined").repeat(200));
        for _ in 0..200 {
            client.expect(TEXT, b"pipelined");
        }
    };
    // The first rounds may make room that is kept.
    rounds(&mut client);
    let (before, _) = ask(&mut client);
    for _ in 0..100 {
        rounds(&mut client);
    }
    let (after, _) = ask(&mut client);
    assert!(before > 0, "the count counts");
    assert_eq!(after - before, 0, "allocations in 21,200 messages");
}

/// Settings that compress, with context takeover or without.
fn zipping(takeover: bool) -> Settings {
    Settings {
        websocket_compression: true,
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        ..settings(1)
    }
}

fn zipping_client(server: &Running) -> Client {
    Client::open_with(server.address, "/", "Sec-WebSocket-Extensions: permessage-deflate").0
}

/// Sends this compressed, and takes the echo, which is compressed as well.
fn zipped_echo(client: &mut Client, message: &[u8]) {
    let mut payload = miniz_oxide::deflate::compress_to_vec(message, 6);
    payload.push(0);
    client.frame(0xc2, &payload);
    assert_eq!(client.next().first, 0xc2);
}

#[test]
fn an_echo_of_compressed_messages_allocates_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for takeover in [false, true] {
        let (server, ask) = start(zipping(takeover));
        let mut client = zipping_client(&server);
        let rounds = |client: &mut Client| {
            for len in [20, 200, 2000, 15_000] {
                zipped_echo(client, &b"so it goes, and goes on. ".repeat(len / 25 + 1));
            }
        };
        // The first rounds make room that is kept: for the histories too.
        (0..4).for_each(|_| rounds(&mut client));
        let (before, _) = ask(&mut client);
        (0..100).for_each(|_| rounds(&mut client));
        let (after, _) = ask(&mut client);
        assert_eq!(after - before, 0, "allocations in 400 messages");
    }
}

#[test]
fn a_connection_keeps_for_compression_what_context_takeover_makes_it_keep() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    // Without it nothing at all: so many connections have room from the beginning. With it the small compressor and a window.
    for (takeover, bits, least, most) in [
        (false, 15, 0, 0),
        (true, 15, 38 << 10, (1 << 10) + (38 << 10)),
        (true, 9, 6 << 10, (1 << 10) + (6 << 10) + 512),
    ] {
        let (server, ask) = start(Settings { client_max_window_bits: bits, ..zipping(takeover) });
        let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
        let client = || Client::open_with(server.address, "/", offer).0;
        let mut first = client();
        zipped_echo(&mut first, &[b'x'; 500]);
        zipped_echo(&mut first, &[b'x'; 50_000]);
        let (_, before) = ask(&mut first);
        let mut idle: Vec<_> = (0..100).map(|_| client()).collect();
        for client in &mut idle {
            (0..2).for_each(|_| zipped_echo(client, &b"so it goes. ".repeat(4000)));
        }
        let (_, after) = ask(&mut first);
        let each = (after - before) / 100;
        println!("a connection with takeover {takeover} and windows of {bits} bits costs {each} octets");
        assert!((least..=most).contains(&each), "takeover {takeover}, {bits} bits: {each} octets");
    }
}

#[test]
fn what_few_connections_have_is_given_back_when_it_is_over() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let (server, ask) = start(zipping(false));
    let mut clients: Vec<_> = (0..100).map(|_| zipping_client(&server)).collect();
    let in_fragments = |client: &mut Client| {
        let mut payload = miniz_oxide::deflate::compress_to_vec(&[b'x'; 5000], 6);
        payload.push(0);
        client.frame(0x42, &payload[..7]);
        client.frame(common::PING, b"");
        client.expect(common::PONG, b"");
        client.frame(0x80, &payload[7..]);
        assert_eq!(client.next().first, 0xc2);
    };
    let groups = |client: &mut Client| {
        client.frame(TEXT, b"in and out");
        client.expect(TEXT, b"in and out");
    };
    for rounds in [&in_fragments as &dyn Fn(&mut Client), &groups] {
        // The first one makes the worker's own room.
        rounds(&mut clients[0]);
        let (_, before) = ask(&mut clients[0]);
        clients.iter_mut().for_each(rounds);
        let (_, after) = ask(&mut clients[0]);
        assert_eq!(after - before, 0, "octets that 100 connections keep");
    }
}

#[test]
fn what_does_not_get_smaller_leaves_no_buffer_behind() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let (server, ask) = start(zipping(false));
    let mut client = zipping_client(&server);
    let noise = |begin: &[u8]| {
        let mut state = 1u64;
        let mut octets = begin.to_vec();
        octets.extend((0..1_900_000).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        }));
        octets
    };
    let (_, before) = ask(&mut client);
    for begin in [b"one", b"all"] {
        client.frame(BINARY, &noise(begin));
        client.expect(BINARY, &noise(begin));
        let (_, after) = ask(&mut client);
        // The compressor itself stays, and a small buffer for what it makes.
        assert!(after - before < 700 << 10, "{} octets are kept", after - before);
    }
}

#[test]
fn an_idle_connection_costs_at_most_384_octets() {
    const MOST: i64 = 384;
    const CONNECTIONS: usize = 5000;
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    // Both ends live in this process.
    let wanted = 2 * CONNECTIONS + 100;
    if descriptors("soft") < wanted {
        if std::env::var_os("MARTLET_TEST_RAISED").is_none() && descriptors("hard") >= wanted {
            return raise_and_repeat(wanted);
        }
        panic!("this test needs {wanted} descriptors (ulimit -n); the limit is {}", descriptors("hard"));
    }
    let (server, ask) = start(settings(1));
    let mut first = server.client();
    first.frame(TEXT, b"warm");
    first.expect(TEXT, b"warm");
    let (_, before) = ask(&mut first);
    let mut idle: Vec<_> = (0..CONNECTIONS).map(|_| server.client()).collect();
    // Each has been busy, and is idle again: part of a message, a message, a ping.
    for client in &mut idle {
        client.frame(0x01, &[b'x'; 3000]);
        client.frame(0x80, b"y");
        client.frame(common::PING, b"z");
    }
    for client in &mut idle {
        assert_eq!(client.next().payload.len(), 3001);
        client.expect(common::PONG, b"z");
    }
    let (_, after) = ask(&mut first);
    let each = (after - before) / CONNECTIONS as i64;
    println!("an idle connection costs {each} octets");
    assert!((1..=MOST).contains(&each), "an idle connection costs {each} octets");
}

#[test]
fn a_message_takes_memory_as_it_comes_not_as_it_is_announced() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let (server, ask) = start(settings(1));
    let mut first = server.client();
    let whole = frame(BINARY, &[b'x'; 1 << 20]);
    let mut clients: Vec<_> = (0..100).map(|_| server.client()).collect();
    // So many octets, header included; in two parts, so that the second one is read while the message is there already.
    for (come, most) in [(21, 1024), (2000, 8 << 10), (10_000, 100 << 10)] {
        let (_, before) = ask(&mut first);
        let octets = server.handle.stats().bytes_in;
        for part in [0..20, 20..come] {
            clients.iter_mut().for_each(|client| client.send(&whole[part.clone()]));
            while server.handle.stats().bytes_in - octets < 100 * part.end as u64 {
                std::thread::yield_now();
            }
        }
        let (_, after) = ask(&mut first);
        let each = (after - before) / 100;
        println!("a message of 1 MiB of which {come} octets have come takes {each}");
        assert!(each < most, "{each} octets for {come}");
        clients = (0..100).map(|_| server.client()).collect();
        while server.handle.stats().connections != 101 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn what_a_worker_keeps_for_all_its_peers_is_bounded() {
    const MOST: usize = 16 << 20;
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let (server, ask) = start(Settings { max_held_bytes: MOST, ..settings(1) });
    let mut first = server.client();
    let half = |client: &mut Client| {
        client.frame(0x02, &vec![b'x'; 1_200_000]);
        client.frame(common::PING, b"");
        client.next().first == common::PONG
    };
    let (_, before) = ask(&mut first);
    for _ in 0..2 {
        // Half a message each, in all many times what there is room for.
        let mut clients: Vec<_> = (0..100).map(|_| server.client()).collect();
        let kept = clients.iter_mut().filter_map(|client| half(client).then_some(())).count();
        let (_, after) = ask(&mut first);
        println!("{} octets for {kept} messages of which half has come", after - before);
        // The memory of one message may be kept for the next.
        assert!(after - before < MOST as i64 + (3 << 20), "{} octets", after - before);
        assert!((6..14).contains(&kept), "{kept} are kept");
        first.frame(BINARY, &[1; 50_000]);
        first.expect(BINARY, &[1; 50_000]);
        drop(clients);
        while server.handle.stats().connections != 1 {
            std::thread::yield_now();
        }
        let (_, gone) = ask(&mut first);
        assert!(gone - before < 5 << 20, "{} octets are left", gone - before);
    }
}

/// How many descriptors this process may have.
fn descriptors(kind: &str) -> usize {
    let flag = if kind == "soft" { "ulimit -Sn" } else { "ulimit -Hn" };
    let output = Command::new("sh").args(["-c", flag]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap_or(usize::MAX)
}

/// Runs this test once more in a process that may have more descriptors.
fn raise_and_repeat(wanted: usize) {
    let status = Command::new("sh")
        .args(["-c", &format!("ulimit -Sn {wanted} && exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "an_idle_connection_costs_at_most_384_octets", "--nocapture"])
        .env("MARTLET_TEST_RAISED", "1")
        .status()
        .unwrap();
    assert!(status.success());
}
