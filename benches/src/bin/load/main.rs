//! Load on a server, and what it cost: `load echo|deflate|takeover|broadcast|connect|idle PORT PID …` prints names and numbers.
//!
//! CPU times are user and system time of the server process and of this one, in microseconds for each message, delivery or connection.

mod broadcast;
mod connect;
mod echo;
mod frames;
mod idle;
mod process;
mod upgrade;

use process::Process;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

const USAGE: &str = "load echo PORT PID raw|ws KIND SIZE CONNECTIONS DEPTH SECONDS
load deflate|takeover PORT PID SIZE CONNECTIONS DEPTH SECONDS
load broadcast PORT PID SIZE RECEIVERS DEPTH SECONDS
load connect PORT PID raw|ws AT_ONCE SECONDS
load idle PORT PID raw|ws CONNECTIONS SECONDS";

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = || io::Error::new(ErrorKind::InvalidInput, USAGE);
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let [what, port, pid, rest @ ..] = words.as_slice() else { return Err(usage()) };
    let (port, server) = (port.parse().map_err(|_| usage())?, Process::new(pid));
    let number = |text: &str| text.parse::<usize>().map_err(|_| usage());
    match (*what, rest) {
        ("echo", [protocol, kind, size, connections, depth, seconds]) => {
            let script = frames::Script::plain(kind, number(size)?, *protocol == "raw");
            echo::run(port, &server, &script, number(connections)?, number(depth)?, number(seconds)?)
        }
        ("deflate" | "takeover", [size, connections, depth, seconds]) => {
            let script = frames::Script::compressed(number(size)?, *what == "takeover");
            echo::run(port, &server, &script, number(connections)?, number(depth)?, number(seconds)?)
        }
        ("broadcast", [size, receivers, depth, seconds]) => {
            broadcast::run(port, &server, number(size)?, number(receivers)?, number(depth)?, number(seconds)?)
        }
        ("connect", [protocol, at_once, seconds]) => {
            connect::run(port, &server, *protocol == "raw", number(at_once)?, number(seconds)?)
        }
        ("idle", [protocol, connections, seconds]) => {
            idle::run(port, &server, *protocol == "raw", number(connections)?, number(seconds)?)
        }
        _ => Err(usage()),
    }
}

/// Counts over a time, behind a quarter of a second to warm up.
struct Count<'s> {
    server: &'s Process,
    began: Instant,
    seconds: usize,
    /// When the count began, and the CPU seconds of the server and of this process then.
    start: Option<(Instant, [f64; 2])>,
    done: u64,
}

impl<'s> Count<'s> {
    fn new(server: &'s Process, seconds: usize) -> Self {
        Self { server, began: Instant::now(), seconds, start: None, done: 0 }
    }

    /// Whether the time is over; then the result is printed.
    fn add(&mut self, done: u64) -> io::Result<bool> {
        self.done += done;
        let cpu = || Ok::<_, io::Error>([self.server.cpu_seconds()?, Process::new("self").cpu_seconds()?]);
        match self.start {
            None if self.began.elapsed() > Duration::from_millis(250) => {
                self.start = Some((Instant::now(), cpu()?));
                self.done = 0;
            }
            Some((start, before)) if start.elapsed() > Duration::from_secs(self.seconds as u64) => {
                let (rate, after) = (self.done as f64 / start.elapsed().as_secs_f64(), cpu()?);
                let [server, own] = [0, 1].map(|whose| (after[whose] - before[whose]) * 1e6 / self.done as f64);
                println!("rate {rate:.1}\ncpu {server:.4}\nown {own:.4}");
                return Ok(true);
            }
            _ => {}
        }
        Ok(false)
    }
}
