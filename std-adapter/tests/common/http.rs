//! A server that answers plain HTTP in every way there is, and a client that looks closely.

use super::{Client, PATIENCE, Running};
use martlet_std::{
    Answer, Body, ConnId, Context, Decision, Deferred, Frame, Handler, PushError, Request, Response, Settings,
};
use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::SystemTime;

/// What the server's handler tells the test.
pub(crate) enum Told {
    Deferred(Deferred),
    Gone(ConnId),
    Open(Option<String>),
}

pub(crate) struct App {
    pub(crate) tell: Sender<Told>,
}

impl App {
    fn defer(&self, request: &Request<'_>) {
        // A test that no longer listens lets it be dropped, which is an answer too.
        let _ = self.tell.send(Told::Deferred(request.defer()));
    }
}

/// A body of so many octets that are not all the same.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 7) as u8).collect()
}

pub(crate) const LONG: usize = 5_000_000;

impl Handler for App {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        let _ = ctx.push(id, frame);
    }

    fn handshake(&mut self, _: &mut Context<'_>, request: &Request<'_>) -> Decision {
        match request.path() {
            "/later" => {
                self.defer(request);
                Decision::Deferred
            }
            "/never" => Decision::Deferred,
            _ => Decision::default(),
        }
    }

    fn open(&mut self, _: &mut Context<'_>, _: ConnId, request: &Request<'_>) {
        let _ = self.tell.send(Told::Open(request.subprotocol().map(str::to_owned)));
    }

    fn request(&mut self, _: &mut Context<'_>, request: &Request<'_>) -> Answer {
        let read = |reader: Box<dyn Read + Send>, length| {
            Response { body: Body::Read { reader, length }, ..Response::empty(200) }.into()
        };
        match request.path() {
            "/echo" => Response::new(200, "application/octet-stream", request.body().to_vec()).into(),
            "/about" => {
                let pairs: Vec<_> = request.query_pairs().collect();
                let cookies: Vec<_> = request.cookies().collect();
                let age = SystemTime::now().duration_since(request.time()).unwrap();
                assert!(age < PATIENCE);
                let text = format!(
                    "{} {} {pairs:?} {cookies:?} {} {}",
                    request.method(),
                    request.target(),
                    request.remote(),
                    request.local().unwrap()
                );
                Response::new(200, "text/plain", text.into_bytes()).into()
            }
            "/later" => {
                self.defer(request);
                Answer::Deferred
            }
            "/twice" => {
                self.defer(request);
                self.defer(request);
                Answer::Deferred
            }
            "/never" => Answer::Deferred,
            "/long" => Response::new(200, "application/octet-stream", pattern(LONG)).into(),
            "/read" => read(Box::new(io::Cursor::new(pattern(LONG))), Some(LONG as u64)),
            "/more-than-said" => read(Box::new(io::repeat(b'x')), Some(3)),
            "/chunks" => read(Box::new(io::Cursor::new(pattern(LONG))), None),
            "/short" => read(Box::new(io::Cursor::new(pattern(10))), Some(11)),
            "/panic-read" => read(Box::new(Broken), None),
            "/bad-header" => Response::text(200, "x").with_header("X", "a\r\nY: b").into(),
            "/bye" => Response::text(200, "bye").closing().into(),
            _ => Response::text(404, "nothing here").into(),
        }
    }

    fn disconnect(&mut self, ctx: &mut Context<'_>, id: ConnId) {
        assert_eq!(ctx.push(id, "x"), Err(PushError::Gone));
        let _ = self.tell.send(Told::Gone(id));
    }
}

pub(crate) struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("a mistake in a reader");
    }
}

pub(crate) fn start(settings: Settings) -> (Running, Receiver<Told>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    (Running::start(settings, move |_| App { tell: tell.lock().unwrap().clone() }), told)
}

pub(crate) fn deferred(told: &Receiver<Told>) -> Deferred {
    loop {
        if let Told::Deferred(deferred) = told.recv_timeout(PATIENCE).unwrap() {
            return deferred;
        }
    }
}

pub(crate) fn gone(told: &Receiver<Told>) -> ConnId {
    loop {
        if let Told::Gone(id) = told.recv_timeout(PATIENCE).unwrap() {
            return id;
        }
    }
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// Reads a response: its status, its head and its body.
#[track_caller]
pub(crate) fn response(client: &mut Client) -> (u16, String, Vec<u8>) {
    let head = client.head();
    let status = head[9..12].parse().unwrap();
    let body = if head.contains("Transfer-Encoding: chunked\r\n") {
        chunks(client)
    } else {
        let length = head.split("Content-Length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        client.socket.read_exact(&mut body).unwrap();
        body
    };
    (status, head, body)
}

pub(crate) fn line(client: &mut Client) -> String {
    let mut line = String::new();
    while !line.ends_with("\r\n") {
        let mut octet = [0];
        client.socket.read_exact(&mut octet).unwrap();
        line.push(char::from(octet[0]));
    }
    line.trim_end().to_owned()
}

pub(crate) fn chunks(client: &mut Client) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&line(client), 16).unwrap();
        let at = body.len();
        body.resize(at + size, 0);
        client.socket.read_exact(&mut body[at..]).unwrap();
        assert_eq!(line(client), "");
        if size == 0 {
            return body;
        }
    }
}

/// The next response has this status and body, and the connection stays.
#[track_caller]
pub(crate) fn expect(client: &mut Client, status: u16, body: &[u8]) {
    let (found, head, octets) = response(client);
    assert_eq!((found, octets.escape_ascii().to_string()), (status, body.escape_ascii().to_string()), "{head}");
    assert!(head.contains("Connection: keep-alive\r\n") && head.contains("\r\nDate: "), "{head}");
}

/// The next response has this status, and the connection ends.
#[track_caller]
pub(crate) fn expect_last(client: &mut Client, status: u16) {
    let (found, head, _) = response(client);
    assert_eq!(found, status, "{head}");
    assert!(head.contains("Connection: close\r\n"), "{head}");
    client.expect_end();
}
