//! Plain HTTP on the port of the WebSockets: connections that stay, and bodies both ways.

mod common;

use common::http::*;
use common::{Client, PATIENCE, Running, TEXT, request, settings};
use martlet_std::{Answer, ConnId, Context, Frame, Handler, PushError, Request, Response, Settings};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn a_connection_stays_for_one_request_after_the_other_and_then_for_a_websocket() {
    let (server, told) = start(settings(1));
    let mut client = Client::connect(server.address);
    for round in 0..3 {
        client.send(get("/nothing").as_bytes());
        expect(&mut client, 404, b"nothing here");
        client.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n{round}").as_bytes());
        expect(&mut client, 200, round.to_string().as_bytes());
    }
    client.send(&request("/chat"));
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    client.frame(TEXT, b"hello");
    client.expect(TEXT, b"hello");
    client.close();
    assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), Told::Open(None)));
    drop(server);
    assert!(told.recv().is_err(), "what became a WebSocket does not disconnect as HTTP does");
}

#[test]
fn pipelined_requests_are_answered_in_order_however_they_are_cut() {
    let (server, _told) = start(settings(1));
    let mut wire = String::new();
    for round in 0..20 {
        wire += &format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{round:02}");
        wire += &format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{round:02}\r\n0\r\n\r\n"
        );
        wire += &get("/nothing");
    }
    for cut in [1, 7, 100, wire.len()] {
        let mut client = Client::connect(server.address);
        for piece in wire.as_bytes().chunks(cut) {
            client.send(piece);
        }
        for round in 0..20 {
            expect(&mut client, 200, format!("{round:02}").as_bytes());
            expect(&mut client, 200, format!("{round:02}").as_bytes());
            expect(&mut client, 404, b"nothing here");
        }
    }
    // The responses are many times what a socket holds, and nothing is read while the client does not read either.
    let mut client = Client::connect(server.address);
    client.send(get("/long").repeat(8).as_bytes());
    for _ in 0..8 {
        let (status, _, body) = response(&mut client);
        assert!(status == 200 && body == pattern(LONG));
    }
}

#[test]
fn a_client_may_end_the_connection_and_so_may_the_handler() {
    let (server, _told) = start(settings(1));
    let rows = [
        ("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200),
        ("GET /echo HTTP/1.0\r\n\r\n", 200),
        ("GET /bye HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET /bad-header HTTP/1.1\r\nHost: a\r\n\r\n", 500),
        ("GET /never HTTP/1.1\r\nHost: a\r\n\r\n", 500),
        ("GET / HTTP/1.1\r\n\r\n", 400),
    ];
    for (head, status) in rows {
        let mut client = Client::connect(server.address);
        client.send(get("/nothing").as_bytes());
        expect(&mut client, 404, b"nothing here");
        client.send(head.as_bytes());
        expect_last(&mut client, status);
    }
    let mut old = Client::connect(server.address);
    old.send(b"GET /nothing HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect(&mut old, 404, b"nothing here");
}

#[test]
fn head_is_answered_like_get_without_the_body() {
    let (server, _told) = start(settings(1));
    let mut client = Client::connect(server.address);
    for (path, header) in [
        ("/nothing", "Content-Length: 12\r\n"),
        ("/long", "Content-Length: 5000000\r\n"),
        ("/read", "Content-Length: 5000000\r\n"),
        ("/chunks", "Transfer-Encoding: chunked\r\n"),
    ] {
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        let head = client.head();
        assert!(head.contains(header), "{head}");
    }
    client.send(get("/nothing").as_bytes());
    expect(&mut client, 404, b"nothing here");
}

#[test]
fn a_request_shows_its_query_its_cookies_and_its_addresses() {
    let (server, _told) = start(settings(1));
    let mut client = Client::connect(server.address);
    client.send(b"GET /about?a=1+2&a=%26&b HTTP/1.1\r\nHost: a\r\nCookie: x=1; y=2=3\r\nCookie: z=; junk\r\n\r\n");
    let text = format!(
        "GET /about?a=1+2&a=%26&b [(\"a\", \"1 2\"), (\"a\", \"&\"), (\"b\", \"\")] [(\"x\", \"1\"), (\"y\", \"2=3\"), (\"z\", \"\")] {} {}",
        client.socket.local_addr().unwrap(),
        server.address
    );
    expect(&mut client, 200, text.as_bytes());
}

#[test]
fn bodies_beyond_max_body_bytes_are_413_and_malformed_ones_400() {
    let (server, _told) = start(Settings { max_body_bytes: 10, ..settings(1) });
    let rows = [
        ("Content-Length: 11\r\n\r\n", 413),
        ("Content-Length: 99999999999999\r\n\r\n", 413),
        ("Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n5\r\n12345\r\n0\r\n\r\n", 413),
        ("Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        ("Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400),
        ("Transfer-Encoding: gzip\r\n\r\n", 501),
        ("Expect: 100-continue\r\nContent-Length: 11\r\n\r\n", 413),
        ("Expect: miracles\r\nContent-Length: 1\r\n\r\n", 417),
    ];
    for (rest, status) in rows {
        let mut client = Client::connect(server.address);
        client.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\n{rest}").as_bytes());
        expect_last(&mut client, status);
    }
    let mut client = Client::connect(server.address);
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
    expect(&mut client, 200, b"0123456789");
}

#[test]
fn a_client_that_expects_it_gets_100_before_it_sends_its_body() {
    let (server, _told) = start(settings(1));
    let mut client = Client::connect(server.address);
    for framing in ["Content-Length: 5\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"] {
        client.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n{framing}").as_bytes());
        assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
        client.send(if framing.starts_with('C') { b"hello" } else { b"5\r\nhello\r\n0\r\n\r\n" });
        expect(&mut client, 200, b"hello");
    }
    // Who sends it at once is not told to.
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    expect(&mut client, 200, b"hello");
}

#[test]
fn a_body_may_be_longer_than_any_buffer() {
    let (server, _told) = start(settings(1));
    let mut client = Client::connect(server.address);
    let body = pattern(1_000_000);
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for piece in body.chunks(70_001) {
        client.send(format!("{:X};x=y\r\n", piece.len()).as_bytes());
        client.send(piece);
        client.send(b"\r\n");
    }
    client.send(b"0\r\n\r\n");
    expect(&mut client, 200, &body);
}

#[test]
fn response_bodies_are_read_as_the_peer_takes_them() {
    let (server, _told) = start(settings(1));
    let mut client = Client::connect(server.address);
    for path in ["/read", "/chunks", "/long"] {
        client.send(get(path).as_bytes());
        let (status, _, body) = response(&mut client);
        assert!(status == 200 && body == pattern(LONG), "{path}");
    }
    client.send(get("/more-than-said").as_bytes());
    expect(&mut client, 200, b"xxx");
    // A client of HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
    let mut old = Client::connect(server.address);
    old.send(b"GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let head = old.head();
    assert!(head.contains("Connection: close\r\n") && !head.contains("Transfer-Encoding"), "{head}");
    let mut body = Vec::new();
    old.socket.read_to_end(&mut body).unwrap();
    assert!(body == pattern(LONG));
}

#[test]
fn a_body_that_ends_too_early_breaks_the_connection_and_no_other() {
    let (server, _told) = start(settings(1));
    let mut other = Client::connect(server.address);
    for path in ["/short", "/panic-read"] {
        let mut client = Client::connect(server.address);
        client.send(get(path).as_bytes());
        client.head();
        let mut rest = Vec::new();
        // Whether it was reset or ended: what came is not whole.
        let _ = client.socket.read_to_end(&mut rest);
        assert!(rest.len() < 11 && !rest.ends_with(b"0\r\n\r\n"), "{}", rest.escape_ascii());
    }
    other.send(get("/nothing").as_bytes());
    expect(&mut other, 404, b"nothing here");
}

#[test]
fn who_takes_too_long_is_let_go() {
    let short = Duration::from_millis(50);
    let (server, told) =
        start(Settings { keepalive_timeout: short, request_timeout: short, handshake_timeout: short, ..settings(1) });
    // Between two requests nothing is said.
    let mut idle = Client::connect(server.address);
    idle.send(get("/nothing").as_bytes());
    expect(&mut idle, 404, b"nothing here");
    idle.expect_end();
    drop(idle);
    gone(&told);
    let mut half = Client::connect(server.address);
    half.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1");
    expect_last(&mut half, 408);
    let mut waits = Client::connect(server.address);
    waits.send(get("/later").as_bytes());
    let late = deferred(&told);
    expect_last(&mut waits, 503);
    assert_eq!(late.respond(Response::text(200, "too late")), Err(PushError::Gone));
    let mut undecided = Client::connect(server.address);
    undecided.send(&request("/later"));
    let late = deferred(&told);
    expect_last(&mut undecided, 503);
    assert_eq!(late.accept(None, Vec::new()), Err(PushError::Gone));
    // The head of the next request has its own time, and its own answer.
    let mut slow = Client::connect(server.address);
    slow.send([get("/nothing").as_str(), "GET /"].concat().as_bytes());
    expect(&mut slow, 404, b"nothing here");
    expect_last(&mut slow, 408);
    // A peer that does not read the response.
    let mut deaf = Client::connect(server.address);
    deaf.send(get("/long").repeat(4).as_bytes());
    // The last of six connections; each has its own serial number.
    while !gone(&told).to_string().ends_with("/6") {}
}

/// Answers with the number of the request. At the first one it has the worker say, as soon as it does something else, how many there
/// were by then.
struct Numbers {
    asked: Arc<AtomicUsize>,
    tell: Sender<usize>,
}

impl Handler for Numbers {
    fn message(&mut self, _: &mut Context<'_>, _: ConnId, _: Frame<'_>) {}

    fn request(&mut self, ctx: &mut Context<'_>, _: &Request<'_>) -> Answer {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        if number == 0 {
            let (asked, tell) = (Arc::clone(&self.asked), self.tell.clone());
            ctx.handle().run_on(0, move |_| tell.send(asked.load(Ordering::Relaxed)).unwrap()).unwrap();
        }
        Response::new(200, "text/plain", number.to_string().into_bytes()).into()
    }
}

#[test]
fn many_requests_at_once_do_not_keep_the_others_waiting() {
    const REQUESTS: usize = 2500;
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let server =
        Running::start(settings(1), move |_| Numbers { asked: Arc::default(), tell: tell.lock().unwrap().clone() });
    let mut client = Client::connect(server.address);
    let mut socket = client.socket.try_clone().unwrap();
    let sending = std::thread::spawn(move || socket.write_all(get("/").repeat(REQUESTS).as_bytes()).unwrap());
    for number in 0..REQUESTS {
        expect(&mut client, 200, number.to_string().as_bytes());
    }
    sending.join().unwrap();
    // A turn takes 65. There are two in the round of the first request, and two in that which finds what was asked for then: in each the
    // socket's event and what was left may both lead to one.
    let before_others = told.recv_timeout(PATIENCE).unwrap();
    assert!(before_others <= 4 * 65, "{before_others} requests were taken before anything else was done");
}

#[test]
fn connections_that_never_became_websockets_disconnect() {
    let (server, told) = start(settings(1));
    drop(Client::connect(server.address));
    gone(&told);
    let mut refused = Client::connect(server.address);
    refused.send(b"nonsense\r\n\r\n");
    expect_last(&mut refused, 400);
    // A peer that stays is waited for, so that it can read what was said.
    drop(refused);
    gone(&told);
    let mut closed = Client::connect(server.address);
    closed.send(get("/bye").as_bytes());
    expect_last(&mut closed, 200);
    drop(closed);
    gone(&told);
}

#[test]
fn pages_of_other_origins_open_no_websocket() {
    let (server, told) = start(Settings { allowed_origins: vec!["https://example.org".into()], ..settings(1) });
    let ask = |origin: &str| {
        let mut client = Client::connect(server.address);
        let head = String::from_utf8(request("/")).unwrap();
        client.send(head.replace("Host", &format!("{origin}Host")).as_bytes());
        client
    };
    for origin in ["", "Origin: https://example.org\r\n"] {
        assert!(ask(origin).head().starts_with("HTTP/1.1 101 "), "{origin}");
        assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), Told::Open(None)));
    }
    for origin in ["https://example.org.evil", "http://example.org", "null", "https://example.org:444"] {
        expect_last(&mut ask(&format!("Origin: {origin}\r\n")), 403);
    }
}

#[test]
fn without_a_handler_for_requests_it_is_400_and_the_end() {
    let server = Running::start(settings(1), |_| common::Echo);
    let mut client = Client::connect(server.address);
    client.send(get("/").as_bytes());
    expect_last(&mut client, 400);
}
