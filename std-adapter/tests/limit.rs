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
    fn start(descriptors: u32) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -n {descriptors} && exec \"$0\" serve --listen 127.0.0.1:0 --worker-num 1")])
            .arg(env!("CARGO_BIN_EXE_martlet"))
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
    let program = Program::start(40);
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
