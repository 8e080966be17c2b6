//! Answers and decisions that come later, from other threads.

mod common;

use common::http::*;
use common::{Client, PATIENCE, TEXT, frame, request, settings};
use martlet_std::{Deferred, PushError, Response, Settings};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

#[test]
fn a_deferred_answer_comes_from_another_thread_and_before_those_to_later_requests() {
    let (server, told) = start(settings(2));
    let mut client = Client::connect(server.address);
    let requests = [get("/later"), get("/nothing"), get("/later"), get("/later"), get("/nothing")];
    client.send(requests.concat().as_bytes());
    deferred(&told).respond(Response::text(200, "at last")).unwrap();
    expect(&mut client, 200, b"at last");
    expect(&mut client, 404, b"nothing here");
    // The means to answer the first request are of no use for the second.
    deferred(&told).respond(Response::new(201, "text/plain", pattern(100_000))).unwrap();
    expect(&mut client, 201, &pattern(100_000));
    // What is still left of what was held back twice is another request than the first of that.
    deferred(&told).respond(Response::text(202, "and more")).unwrap();
    expect(&mut client, 202, b"and more");
    expect(&mut client, 404, b"nothing here");
    // One that nobody answers.
    client.send(get("/later").as_bytes());
    drop(deferred(&told));
    expect_last(&mut client, 500);
    // One that a plain request cannot have.
    let mut client = Client::connect(server.address);
    client.send(get("/later").as_bytes());
    deferred(&told).accept(None, Vec::new()).unwrap();
    expect_last(&mut client, 500);
}

#[test]
fn a_client_that_has_said_all_gets_a_deferred_answer_nevertheless() {
    let (server, told) = start(settings(1));
    let mut client = Client::connect(server.address);
    client.send(get("/later").as_bytes());
    client.socket.shutdown(Shutdown::Write).unwrap();
    deferred(&told).respond(Response::text(200, "at last")).unwrap();
    expect(&mut client, 200, b"at last");
    client.expect_end();
    gone(&told);
}

#[test]
fn a_body_is_streamed_from_another_thread() {
    let (server, told) = start(settings(1));
    let mut client = Client::connect(server.address);
    client.send([get("/later"), get("/nothing")].concat().as_bytes());
    let mut writer = deferred(&told).stream(Response::empty(200)).unwrap();
    let head = client.head();
    assert!(head.contains("Transfer-Encoding: chunked\r\n"), "{head}");
    // One piece at a time arrives without the end of the body.
    writer.write_all(b"first").unwrap();
    assert_eq!(line(&mut client), "5");
    assert_eq!(line(&mut client), "first");
    let thread = std::thread::spawn(move || {
        writer.write_all(&pattern(LONG)).unwrap();
        writer.end().unwrap();
    });
    assert!(chunks(&mut client) == pattern(LONG));
    thread.join().unwrap();
    expect(&mut client, 404, b"nothing here");
}

#[test]
fn a_streamed_body_fails_with_its_connection_and_breaks_it_when_nobody_ends_it() {
    let (server, told) = start(settings(1));
    let mut client = Client::connect(server.address);
    client.send(get("/later").as_bytes());
    let mut writer = deferred(&told).stream(Response::empty(200)).unwrap();
    client.head();
    drop(client);
    let error = writer.write_all(&pattern(50 << 20)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    gone(&told);

    let mut client = Client::connect(server.address);
    client.send(get("/later").as_bytes());
    let mut writer = deferred(&told).stream(Response::empty(200)).unwrap();
    writer.write_all(b"half").unwrap();
    drop(writer);
    client.head();
    let mut rest = Vec::new();
    let _ = client.socket.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"), "{}", rest.escape_ascii());
}

#[test]
fn a_handshake_is_decided_by_another_thread() {
    let (server, told) = start(Settings { websocket_subprotocol: vec!["chat".into()], ..settings(1) });
    let open = || {
        let mut client = Client::connect(server.address);
        let head = String::from_utf8(request("/later")).unwrap();
        let head = head.replace("Host", "Sec-WebSocket-Protocol: other, chat\r\nHost");
        // It does not wait for the 101 with its first message.
        client.send(&[head.as_bytes(), &frame(TEXT, b"early")].concat());
        (client, deferred(&told))
    };
    let (mut client, decision) = open();
    decision.accept(Some("other".into()), vec![("X-Room".into(), "7".into())]).unwrap();
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("X-Room: 7\r\n"), "{head}");
    client.expect(TEXT, b"early");
    client.close();
    assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), Told::Open(Some(name)) if name == "other"));

    let (mut client, decision) = open();
    decision.accept(None, Vec::new()).unwrap();
    assert!(client.head().contains("Sec-WebSocket-Protocol: chat\r\n"));
    client.expect(TEXT, b"early");
    assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), Told::Open(Some(name)) if name == "chat"));

    let (mut client, decision) = open();
    decision.respond(Response::text(401, "who are you")).unwrap();
    expect_last(&mut client, 401);
    let (mut client, decision) = open();
    drop(decision);
    expect_last(&mut client, 500);
    let (mut client, decision) = open();
    decision.accept(Some("unoffered".into()), Vec::new()).unwrap();
    expect_last(&mut client, 500);

    let mut client = Client::connect(server.address);
    client.send(&request("/never"));
    expect_last(&mut client, 500);
}

#[test]
fn who_lets_somebody_in_may_push_at_once() {
    let (server, told) = start(settings(1));
    let mut client = Client::connect(server.address);
    client.send(&request("/later"));
    let decision = deferred(&told);
    let id = decision.id();
    decision.accept(None, Vec::new()).unwrap();
    server.handle.push(id, "welcome").unwrap();
    server.handle.subscribe(id, "topic").unwrap();
    server.handle.publish("topic", "news").unwrap();
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    client.expect(TEXT, b"welcome");
    client.expect(TEXT, b"news");
    client.close();
}

#[test]
fn a_client_that_has_said_all_is_let_in_and_gone() {
    let (server, told) = start(settings(1));
    let mut client = Client::connect(server.address);
    client.send(&[request("/later"), frame(TEXT, b"early")].concat());
    client.socket.shutdown(Shutdown::Write).unwrap();
    deferred(&told).accept(None, Vec::new()).unwrap();
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    client.expect(TEXT, b"early");
    client.expect_end();
    assert!(matches!(told.recv_timeout(PATIENCE).unwrap(), Told::Open(None)));
    let end = Instant::now() + PATIENCE;
    while server.handle.stats().websockets != 0 {
        assert!(Instant::now() < end, "its end was not told");
        std::thread::yield_now();
    }
    assert_eq!(server.handle.stats().opened, 1);
}

/// Waits until the worker has heard of it.
#[track_caller]
fn until_nobody_waits(answer: &Deferred) {
    let end = Instant::now() + PATIENCE;
    while answer.is_awaited() {
        assert!(Instant::now() < end, "it is awaited still");
        std::thread::yield_now();
    }
}

#[test]
fn who_is_to_answer_sees_that_nobody_waits() {
    let (server, told) = start(Settings {
        request_timeout: Duration::from_millis(300),
        handshake_timeout: Duration::from_millis(300),
        ..settings(1)
    });
    for asks in [get("/later").into_bytes(), request("/later")] {
        // A reset: what an end of its half would mean nobody knows.
        let mut client = Client::connect(server.address);
        client.send(&asks);
        let (one, other) = (deferred(&told), Response::text(200, "too late"));
        assert!(one.is_awaited());
        socket2::SockRef::from(&client.socket).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        until_nobody_waits(&one);
        assert_eq!(one.respond(other), Err(PushError::Gone));
        gone(&told);
        // The time is over.
        let mut client = Client::connect(server.address);
        client.send(&asks);
        let one = deferred(&told);
        assert!(client.head().starts_with("HTTP/1.1 503 "));
        until_nobody_waits(&one);
        assert_eq!(one.stream(Response::empty(200)).unwrap_err(), PushError::Gone);
        gone(&told);
    }
    // It was answered, and the connection goes on.
    let mut client = Client::connect(server.address);
    client.send(get("/twice").as_bytes());
    let (first, second) = (deferred(&told), deferred(&told));
    assert!(first.is_awaited() && second.is_awaited());
    first.respond(Response::text(200, "at once")).unwrap();
    expect(&mut client, 200, b"at once");
    until_nobody_waits(&second);
}

#[test]
fn a_server_that_stops_gives_the_answer_that_is_awaited() {
    let (server, told) = start(settings(1));
    let mut idle = Client::connect(server.address);
    idle.send(get("/nothing").as_bytes());
    expect(&mut idle, 404, b"nothing here");
    let mut client = Client::connect(server.address);
    client.send(get("/later").as_bytes());
    let answer = deferred(&told);
    server.handle.stop();
    idle.expect_end();
    answer.respond(Response::text(200, "at last")).unwrap();
    expect_last(&mut client, 200);
    drop((idle, client));
    server.join();
}
