//! As many connections as there are descriptors: the others wait, and no time is spent on that.

mod common;

use common::{Client, TEXT, request};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The program with few descriptors.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(descriptors: u32, options: &[&str]) -> Self {
        let serve = "serve --listen 127.0.0.1:0 --worker-num 1";
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -n {descriptors} && exec \"$0\" {serve} \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_martlet"))
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (_, rest) = line.split_once("http://").expect("the first line names the address");
        let address = rest.split_once('/').unwrap().0.parse().unwrap();
        Self { child, address }
    }

    /// Clock ticks of processor time, user and system.
    #[cfg(target_os = "linux")]
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The fields behind the name in parentheses: utime and stime are the 12th and 13th of them.
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn at_the_limit_of_descriptors_nobody_is_lost_and_no_time_is_spent() {
    let program = Program::start(40, &[]);
    let mut clients: Vec<_> = (0..100)
        .map(|_| {
            let mut client = Client::connect(program.address);
            client.send(&request("/echo"));
            client
        })
        .collect();
    // Nearly all of the descriptors there are serve somebody.
    for client in &mut clients[..25] {
        assert!(client.head().starts_with("HTTP/1.1 101 "));
    }
    let before = program.ticks();
    let waiting = &mut clients[99];
    waiting.socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let error = waiting.socket.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    waiting.socket.set_read_timeout(Some(common::PATIENCE)).unwrap();
    // Two seconds of trying again and again would be 200 ticks of 10 ms.
    let spent = program.ticks() - before;
    assert!(spent < 50, "{spent} ticks of processor time while there was nothing to do");
    // Those inside are served as ever.
    clients[0].frame(TEXT, b"still here");
    clients[0].expect(TEXT, b"still here");
    // As soon as some go, the others get their turn: all of them, in the end.
    let last: Vec<_> = clients.split_off(25);
    drop(clients);
    for mut client in last {
        assert!(client.head().starts_with("HTTP/1.1 101 "));
        client.frame(TEXT, b"at last");
        client.expect(TEXT, b"at last");
        client.close();
    }
}

/// A file that is there is not said to be missing.
#[test]
#[cfg(target_os = "linux")]
fn without_a_descriptor_for_a_file_the_answer_is_503_and_later_the_file() {
    let root = env!("CARGO_MANIFEST_DIR");
    let program = Program::start(40, &["--document-root", root]);
    let ask = b"GET /Cargo.toml HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut early = Client::connect(program.address);
    early.send(ask);
    assert!(early.head().starts_with("HTTP/1.1 200 "));
    let length = std::fs::metadata(format!("{root}/Cargo.toml")).unwrap().len();
    early.socket.read_exact(&mut vec![0; length as usize]).unwrap();
    // More than there are descriptors: those that are let in have all of them.
    let mut clients: Vec<_> = (0..100)
        .map(|_| {
            let mut client = Client::connect(program.address);
            client.send(&request("/echo"));
            client
        })
        .collect();
    for client in &mut clients[..25] {
        assert!(client.head().starts_with("HTTP/1.1 101 "));
    }
    let limit = std::time::Instant::now() + common::PATIENCE;
    while std::fs::read_dir(format!("/proc/{}/fd", program.child.id())).unwrap().count() < 40 {
        assert!(std::time::Instant::now() < limit, "some descriptors are free");
        std::thread::sleep(Duration::from_millis(5));
    }
    early.send(ask);
    let head = early.head();
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("\r\nRetry-After: "), "{head}");
    drop(clients);
    let mut late = Client::connect(program.address);
    late.send(ask);
    assert!(late.head().starts_with("HTTP/1.1 200 "));
}
