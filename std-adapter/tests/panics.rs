//! A handler that makes its mistakes in the rarer calls: each ends at most one connection, and the worker goes on.

mod common;

use common::{BINARY, CLOSE, Client, PATIENCE, PING, PONG, Running, TEXT, request, settings};
use martlet_std::{Answer, Closed, ConnId, Context, Frame, Handler, Opcode, Request, Settings, Timer};
use std::io::Read;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Panics wherever it can, but echoes messages, and tells of each end.
struct Clumsy(Sender<(u16, bool)>);

impl Handler for Clumsy {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        if matches!(frame.opcode(), Opcode::Ping | Opcode::Pong) {
            panic!("a mistake with a {:?}", frame.opcode());
        }
        match frame.text() {
            Some("timer") => {
                ctx.wake_after(0);
            }
            Some("much") => ctx.push(id, &vec![1; 20 << 20][..]).unwrap(),
            _ => ctx.push(id, frame).unwrap(),
        }
    }

    fn close(&mut self, _: &mut Context<'_>, _: ConnId, closed: &Closed<'_>) {
        self.0.send((closed.code, closed.clean)).unwrap();
        panic!("a mistake when it closes");
    }

    fn drain(&mut self, _: &mut Context<'_>, _: ConnId) {
        panic!("a mistake when all is read");
    }

    fn request(&mut self, _: &mut Context<'_>, request: &Request<'_>) -> Answer {
        panic!("a mistake with {}", request.target());
    }

    fn timer(&mut self, _: &mut Context<'_>, _: Timer) {
        panic!("a mistake with the time");
    }
}

fn start() -> (Running, Receiver<(u16, bool)>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    (
        Running::start(
            Settings { open_websocket_ping_frame: true, open_websocket_pong_frame: true, ..settings(1) },
            move |_| Clumsy(tell.lock().unwrap().clone()),
        ),
        told,
    )
}

#[test]
fn in_a_ping_or_a_pong_it_is_1011() {
    let (server, told) = start();
    for first in [PING, PONG] {
        let mut client = server.client();
        client.frame(first, b"");
        client.expect_close(1011);
        client.expect_end();
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (1011, false));
    }
}

#[test]
fn when_all_is_read_it_is_1011_behind_all_that_was_sent() {
    let (server, told) = start();
    let mut client = Client::narrow(server.address);
    client.frame(TEXT, b"much");
    client.expect(BINARY, &vec![1; 20 << 20]);
    client.expect_close(1011);
    client.expect_end();
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (1011, false));
}

#[test]
fn in_a_request_it_is_500() {
    let (server, told) = start();
    let mut client = Client::connect(server.address);
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    client.socket.read_to_end(&mut Vec::new()).unwrap();
    drop(client);
    drop(server);
    assert!(told.recv().is_err(), "what was never opened is not closed");
}

#[test]
fn in_a_timer_or_at_a_close_it_harms_nobody_and_no_end_is_told_twice() {
    let (server, told) = start();
    let mut client = server.client();
    client.frame(TEXT, b"timer");
    client.frame(TEXT, b"still here");
    client.expect(TEXT, b"still here");
    client.close();
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (1000, true));
    // One that just goes, and one that is let go.
    drop(server.client());
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (1006, false));
    let mut client = Client::connect(server.address);
    client.send(&[request("/"), b"\xff\xff".to_vec()].concat());
    client.head();
    assert_eq!(client.next().first, CLOSE);
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (1002, false));
    client.expect_end();
    drop(client);
    drop(server);
    assert!(told.recv().is_err());
}
