//! What a connection costs in memory: nothing for an echo, its slot while it is idle.

mod common;

use common::{BINARY, Client, PATIENCE, Running, TEXT, frame, settings};
use martlet_std::{ConnId, Context, Frame, Handler, Settings};
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

#[test]
fn an_idle_connection_costs_at_most_512_octets() {
    const MOST: i64 = 512;
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
        .args(["--exact", "an_idle_connection_costs_at_most_512_octets", "--nocapture"])
        .env("MARTLET_TEST_RAISED", "1")
        .status()
        .unwrap();
    assert!(status.success());
}
