//! What a server says of itself.

mod common;

use common::{BINARY, Client, Echo, PATIENCE, PING, Running, TEXT, settings};
use martlet_std::Settings;
use std::io::Read;
use std::sync::mpsc::channel;
use std::time::Duration;

/// A server all of whose workers serve: one may be reached by clients while another still starts.
fn start(settings: Settings) -> Running {
    let (tell, told) = channel();
    let server = Running::serve(settings, |server| server.on_start(move |_| tell.send(()).unwrap()).run(|_| Echo));
    told.recv_timeout(PATIENCE).unwrap();
    server
}

/// The answer to a plain request, which ends the connection.
fn get(server: &Running, path: &str) -> String {
    let mut client = Client::connect(server.address);
    client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
    let mut answer = String::new();
    client.socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn stats_count_what_all_workers_did() {
    let server = start(settings(3));
    let mut clients: Vec<_> = (0..9).map(|_| server.client()).collect();
    for client in &mut clients {
        client.frame(BINARY, &[7; 1000]);
        client.expect(BINARY, &[7; 1000]);
    }
    let stats = server.handle.stats();
    assert_eq!((stats.connections, stats.websockets, stats.accepted, stats.opened), (9, 9, 9, 9));
    assert_eq!((stats.requests, stats.frames_in, stats.frames_out, stats.worker_num), (9, 9, 9, 3));
    assert!(stats.bytes_in >= 9 * 1008 && stats.bytes_out >= 9 * 1004, "{stats:?}");
    for client in clients {
        client.close();
    }
    server.handle.stop();
    let handle = server.handle.clone();
    server.join();
    let stats = handle.stats();
    assert_eq!((stats.connections, stats.websockets, stats.accepted, stats.closed), (0, 0, 9, 9));
    // A Close each way.
    assert_eq!((stats.frames_in, stats.frames_out), (18, 18));
}

#[test]
fn what_the_server_says_by_itself_is_counted_if_it_is_a_frame() {
    let mut settings = settings(1);
    (settings.ping_interval, settings.pong_timeout) = (Duration::from_millis(50), Duration::from_millis(50));
    let server = start(settings);
    // A head without a Host is refused before anybody is asked.
    let mut refused = Client::connect(server.address);
    refused.send(b"GET / HTTP/1.1\r\n\r\n");
    assert!(refused.head().starts_with("HTTP/1.1 400 "));
    assert_eq!(server.handle.stats().frames_out, 0);
    // The heartbeat's Ping, and the Close of one who does not answer.
    let mut dead = server.client();
    dead.expect(PING, b"");
    dead.expect_close(1011);
    assert_eq!(server.handle.stats().frames_out, 2);
}

#[test]
fn metrics_and_healthz_are_there_when_they_are_asked_for() {
    let server = start(Settings { metrics: true, healthz: true, ..settings(2) });
    let mut client = server.client();
    client.frame(TEXT, b"x");
    client.expect(TEXT, b"x");
    let health = get(&server, "/healthz");
    assert!(health.starts_with("HTTP/1.1 200 ") && health.ends_with("\r\n\r\nok\n"), "{health}");
    let metrics = get(&server, "/metrics?all");
    assert!(metrics.contains("\r\nContent-Type: application/openmetrics-text; version=1.0.0"), "{metrics}");
    for line in ["martlet_websockets 1", "martlet_frames_received_total 1", "martlet_workers 2", "# EOF"] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    let server = start(settings(1));
    assert!(get(&server, "/metrics").starts_with("HTTP/1.1 400 "), "off by default");
    assert!(get(&server, "/healthz").starts_with("HTTP/1.1 400 "));
}
