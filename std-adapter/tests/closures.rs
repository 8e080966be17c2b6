//! Closures in place of a handler: each event calls its own, and a server that would lose messages does not start.

mod common;

use common::{BINARY, Client, PATIENCE, Running, TEXT, request, settings};
use martlet_std::{Closures, Decision, Response, Server, ServerError, Settings};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// What the closures are told, as words.
#[derive(Clone)]
struct Tell(Sender<String>);

impl Tell {
    fn channel() -> (Self, Receiver<String>) {
        let (tell, told) = channel();
        (Self(tell), told)
    }

    fn tell(&self, what: impl Into<String>) {
        self.0.send(what.into()).unwrap();
    }
}

/// A closure for each event, which tells that it was called.
fn telling(tell: &Tell) -> Closures {
    let say = |event: &'static str| {
        let tell = tell.clone();
        move |detail: &str| tell.tell(format!("{event}{detail}"))
    };
    let (start, stop, timer, handshake) = (say("worker_start"), say("worker_stop"), say("timer"), say("handshake "));
    let (open, message, fragment, close) = (say("open "), say("message "), say("fragment "), say("close "));
    let (full, drain, http, disconnect) = (say("buffer_full"), say("drain"), say("request "), say("disconnect"));
    Closures::new()
        .on_worker_start(move |ctx| {
            ctx.wake_after(0);
            start("");
        })
        .on_worker_stop(move |_| stop(""))
        .on_timer(move |_, _| timer(""))
        .on_handshake(move |_, request| {
            handshake(request.path());
            match request.path() {
                "/no" => Decision::Reject(Response::text(403, "no\n")),
                _ => Decision::default(),
            }
        })
        .on_open(move |_, _, request| open(request.path()))
        .on_message(move |ctx, id, frame| {
            message(frame.text().unwrap());
            if let Ok(octets) = frame.text().unwrap().parse() {
                ctx.push(id, &vec![7; octets][..]).unwrap();
            }
        })
        .on_fragment(move |_, _, piece| fragment(&piece.payload.escape_ascii().to_string()))
        .on_close(move |_, _, closed| close(&closed.code.to_string()))
        .on_buffer_full(move |_, _| full(""))
        .on_drain(move |_, _| drain(""))
        .on_request(move |_, request| {
            http(request.path());
            Response::text(200, "hello\n").into()
        })
        .on_disconnect(move |_, _| disconnect(""))
}

#[track_caller]
fn expect(told: &Receiver<String>, what: &[&str]) {
    for what in what {
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), *what);
    }
}

#[test]
fn every_event_calls_its_closure() {
    let (tell, told) = Tell::channel();
    let closures = telling(&tell);
    drop(tell);
    let patient = Settings { max_backpressure: 64 << 20, ..settings(1) };
    let server = Running::serve(patient, |server| server.run_closures(closures));
    expect(&told, &["worker_start", "timer"]);

    let mut client = Client::narrow(server.address);
    expect(&told, &["handshake /", "open /"]);
    client.frame(TEXT, b"hello");
    expect(&told, &["message hello"]);
    // 20 MB are more than the sockets of both ends hold.
    client.frame(TEXT, b"20000000");
    expect(&told, &["message 20000000", "buffer_full"]);
    client.expect(BINARY, &[7; 20_000_000]);
    expect(&told, &["drain"]);
    client.close();
    expect(&told, &["close 1000"]);

    let mut refused = Client::connect(server.address);
    refused.send(&request("/no"));
    assert!(refused.head().starts_with("HTTP/1.1 403 "));
    drop(refused);
    expect(&told, &["handshake /no", "disconnect"]);
    let mut http = Client::connect(server.address);
    http.send(b"GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(http.head().starts_with("HTTP/1.1 200 "));
    drop(http);
    expect(&told, &["request /page", "disconnect"]);
    drop(server);
    expect(&told, &["worker_stop"]);
    assert!(told.recv().is_err(), "and nothing else, ever: the closures are gone with the server");
}

#[test]
fn pieces_of_messages_go_to_their_closure() {
    let (tell, told) = Tell::channel();
    let closures = Closures::new().on_fragment(move |_, _, piece| {
        tell.tell(format!("{} {}", piece.payload.escape_ascii(), piece.last));
    });
    let streaming = Settings { stream_messages: true, ..settings(1) };
    let server = Running::serve(streaming, |server| server.run_closures(closures));
    let mut client = server.client();
    client.frame(0x01, b"one");
    expect(&told, &["one false"]);
    client.frame(0x80, b"two");
    expect(&told, &["two true"]);
    client.close();
}

#[test]
fn without_a_closure_for_what_comes_the_server_does_not_start_and_says_so() {
    let nothing_but_open = || Closures::new().on_open(|_, _, _| panic!("nothing is served"));
    let message = || nothing_but_open().on_message(|_, _, _| panic!("nothing is served"));
    for (stream_messages, closures, missing) in
        [(false, nothing_but_open(), "message"), (true, nothing_but_open(), "fragment"), (true, message(), "fragment")]
    {
        let started = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&started);
        let server = Server::bind(Settings { stream_messages, ..settings(1) }).unwrap();
        let server = server.on_start(move |handle| {
            count.fetch_add(1, Ordering::Relaxed);
            handle.stop();
        });
        let error = server.run_closures(closures).unwrap_err();
        assert!(matches!(error, ServerError::NoClosure(event) if event == missing), "{error:?}");
        let words = format!("there is no closure for the event `{missing}`: what comes would be lost");
        assert_eq!(error.to_string(), words);
        assert_eq!(started.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn all_workers_share_the_closures_and_what_is_left_out_is_as_in_a_handler() {
    let (log, heard) = channel();
    let (log, count) = (Mutex::new(log), AtomicUsize::new(0));
    let closures = Closures::new()
        .on_open(move |_, id, _| log.lock().unwrap().send(id).unwrap())
        .on_message(|_, _, _| unreachable!("the last closure of an event counts"))
        .on_message(move |ctx, id, _| {
            let number = count.fetch_add(1, Ordering::Relaxed);
            ctx.push(id, number.to_string().as_str()).unwrap();
        });
    let server = Running::serve(settings(2), |server| server.run_closures(closures));
    let clients = common::clients(&server, &heard, 2, 4);
    for (number, (_, mut client)) in clients.into_iter().enumerate() {
        client.frame(TEXT, b"next");
        client.expect(TEXT, number.to_string().as_bytes());
        client.close();
    }
    let mut http = Client::connect(server.address);
    http.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(http.head().starts_with("HTTP/1.1 400 "));
}
