//! What the server says by itself goes through `tracing`, with the connection's id.

mod common;

use common::{PATIENCE, Running, TEXT, settings};
use martlet_std::{ConnId, Context, Frame, Handler, Request};
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use tracing_subscriber::filter::LevelFilter;

/// All that was logged. One for the whole process, so that this file has one test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Whether there is a line with all of these.
    fn has(&self, parts: &[&str]) -> bool {
        self.text().lines().any(|line| parts.iter().all(|part| line.contains(part)))
    }

    /// Waits for one.
    #[track_caller]
    fn until(&self, parts: &[&str]) {
        let begun = std::time::Instant::now();
        while !self.has(parts) {
            assert!(begun.elapsed() < PATIENCE, "{parts:?} is not in {}", self.text());
            std::thread::yield_now();
        }
    }
}

/// Panics when it is told to.
struct Clumsy(Sender<ConnId>);

impl Handler for Clumsy {
    fn open(&mut self, _: &mut Context<'_>, id: ConnId, _: &Request<'_>) {
        self.0.send(id).unwrap();
    }

    fn message(&mut self, _: &mut Context<'_>, _: ConnId, _: Frame<'_>) {
        panic!("a mistake");
    }
}

#[test]
fn who_comes_and_goes_and_a_handlers_panic_are_logged() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt().with_ansi(false).with_max_level(LevelFilter::DEBUG);
    tracing::subscriber::set_global_default(lines.with_writer(move || writer.clone()).finish()).unwrap();

    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let server = Running::start(settings(1), move |_| Clumsy(tell.lock().unwrap().clone()));
    let polite = server.client();
    let id = told.recv_timeout(PATIENCE).unwrap().to_string();
    polite.close();
    log.until(&["INFO", "listening"]);
    log.until(&["DEBUG", "connected", &id, "127.0.0.1:"]);
    log.until(&["DEBUG", "opened", &id]);
    log.until(&["DEBUG", "closed", &id, "code=1000", "by=Peer"]);
    log.until(&["DEBUG", "disconnected", &id]);
    assert!(!log.has(&["ERROR"]), "{}", log.text());

    let mut client = server.client();
    let id = told.recv_timeout(PATIENCE).unwrap().to_string();
    client.frame(TEXT, b"panic");
    client.expect_close(1011);
    log.until(&["ERROR", "the handler panicked", &id]);
    drop(client);
    drop(server);
    log.until(&["INFO", "stopped"]);
}
