//! The end of a server: everyone is told, and nobody is waited for too long.

mod common;

use common::{CLOSE, Client, Echo, PATIENCE, Running, TEXT, frame, settings};
use martlet_std::{Closed, ConnId, Context, Frame, Handler, Server, ServerError, Settings};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

#[test]
fn every_client_gets_1001_and_the_server_ends() {
    let server = Running::start(settings(3), |_| Echo);
    let mut clients: Vec<_> = (0..50).map(|_| server.client()).collect();
    let mut handshaking = Client::connect(server.address);
    handshaking.send(b"GET / HT");
    server.handle.stop();
    for client in &mut clients {
        client.expect_close(1001);
        client.frame(CLOSE, &1001u16.to_be_bytes());
        client.expect_end();
    }
    let address = server.address;
    server.join();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

/// Tells how connections ended.
struct Ends(Sender<(u16, bool)>);

impl Handler for Ends {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, message: Frame<'_>) {
        ctx.push(id, message).unwrap();
    }

    fn close(&mut self, _: &mut Context<'_>, _: ConnId, closed: &Closed<'_>) {
        self.0.send((closed.code, closed.clean)).unwrap();
    }
}

#[test]
fn who_does_not_answer_is_left_behind_when_the_grace_is_over_and_its_end_is_told() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let short = Settings {
        max_wait_time: Duration::from_millis(200),
        close_timeout: Duration::from_millis(60_000),
        ..settings(2)
    };
    let server = Running::start(short, move |_| Ends(tell.lock().unwrap().clone()));
    let mut clients: Vec<_> = (0..5).map(|_| server.client()).collect();
    for client in &mut clients {
        // Known to be open in the server, not only here.
        client.frame(TEXT, b"x");
        client.expect(TEXT, b"x");
    }
    server.handle.stop();
    server.join();
    for client in &mut clients {
        client.expect_close(1001);
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (1001, false));
    }
    assert!(told.recv().is_err(), "each end is told once");
}

#[test]
fn what_is_under_way_is_delivered_before_the_end() {
    let server = Running::start(settings(1), |_| Echo);
    let mut client = server.client();
    client.send(&frame(TEXT, b"x").repeat(1000));
    for _ in 0..1000 {
        client.expect(TEXT, b"x");
    }
    server.handle.stop();
    server.handle.stop();
    client.expect_close(1001);
    client.frame(CLOSE, &1001u16.to_be_bytes());
    client.expect_end();
    server.join();
}

#[test]
fn a_port_in_use_is_refused_even_with_several_workers() {
    for (first, second) in [(1, 1), (2, 2), (1, 2), (2, 1)] {
        let server = Running::start(settings(first), |_| Echo);
        let again = Settings { listen: vec![server.address.into()], ..settings(second) };
        let error = Server::bind(again).unwrap_err();
        assert!(matches!(&error, ServerError::Listen(address, _) if *address == server.address.into()), "{error}");
        assert!(error.to_string().ends_with("it is in use"), "{error}");
    }
}

#[test]
fn nonsense_is_refused_before_anything_starts() {
    let error = Server::bind(Settings { worker_num: 0, ..settings(1) }).unwrap_err();
    assert_eq!(error.to_string(), "worker_num: must be 1 to 255");
    let root = Some("/no/such/directory".into());
    let error = Server::bind(Settings { document_root: root.clone(), ..settings(1) }).unwrap_err();
    assert_eq!(error.to_string(), "document_root: is no directory that can be read");
    let mut listening = settings(1);
    listening.listen[0].settings = Some(Box::new(Settings { document_root: root, ..settings(1) }));
    let error = Server::bind(listening).unwrap_err();
    assert_eq!(error.to_string(), "document_root: is no directory that can be read");
}
