//! Who is let in, and where: places, networks, listeners of each kind.

mod common;

use common::{CLOSE, Client, Echo, PATIENCE, Running, TEXT, frame, request, settings};
use martlet_std::{Address, ConnId, Context, Frame, Handler, Listener, OverLimit, Server, ServerError, Settings};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// What is answered to somebody who is not let in, who sees the stream's end behind it.
fn answer(client: &mut Client) -> (u16, String) {
    let mut text = String::new();
    client.socket.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nConnection: close") && head.contains("\r\nRetry-After: 1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head} {body}");
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// Comes when somebody has gone: the server needs a moment to hear of that.
fn come(address: SocketAddr) -> Client {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let mut client = Client::connect(address);
        client.send(&request("/"));
        if client.head().starts_with("HTTP/1.1 101 ") {
            return client;
        }
        assert!(std::time::Instant::now() < deadline, "there is no place");
    }
}

#[test]
fn beyond_max_connection_who_comes_is_answered_with_503() {
    let server = Running::start(Settings { max_connection: 3, ..settings(2) }, |_| Echo);
    let mut inside: Vec<_> = (0..3).map(|_| server.client()).collect();
    for _ in 0..10 {
        let mut refused = Client::connect(server.address);
        refused.send(&request("/"));
        assert_eq!(answer(&mut refused), (503, "the server is full\n".into()));
    }
    // Who says nothing hears it as well.
    assert_eq!(answer(&mut Client::connect(server.address)).0, 503);
    assert_eq!(server.handle.connection_count(), 3);
    inside.pop().unwrap().close();
    inside.push(come(server.address));
    for mut client in inside {
        client.frame(TEXT, b"served");
        client.expect(TEXT, b"served");
        client.close();
    }
}

#[test]
fn only_so_many_are_refused_at_once_and_the_others_wait() {
    let hasty = Settings { max_connection: 1, close_timeout: Duration::from_millis(500), ..settings(1) };
    let server = Running::start(hasty, |_| Echo);
    let inside = server.client();
    // They read the answer and stay, as long as they may.
    let mut refused: Vec<_> = (0..64).map(|_| Client::connect(server.address)).collect();
    for client in &mut refused {
        assert_eq!(answer(client).0, 503);
    }
    // This one's turn comes when the first have been cut off.
    assert_eq!(answer(&mut Client::connect(server.address)).0, 503);
    assert_eq!(server.handle.connection_count(), 1);
    inside.close();
    drop(refused);
    come(server.address).close();
}

#[test]
fn beyond_max_connection_who_comes_may_wait() {
    let wait = Settings { max_connection: 1, max_connection_policy: OverLimit::Wait, ..settings(1) };
    let server = Running::start(wait, |_| Echo);
    let inside = server.client();
    let mut waiting = Client::connect(server.address);
    waiting.send(&request("/"));
    waiting.socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let error = waiting.socket.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    waiting.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    inside.close();
    assert!(waiting.head().starts_with("HTTP/1.1 101 "));
    waiting.close();
}

#[test]
fn one_address_gets_so_many_connections_and_429_beyond_them() {
    for max_connection_policy in [OverLimit::Refuse, OverLimit::Wait] {
        let few = Settings { max_connection_per_ip: 2, max_connection: 4, max_connection_policy, ..settings(2) };
        let server = Running::start(few, |_| Echo);
        let mut inside = vec![server.client(), server.client()];
        for _ in 0..5 {
            let mut refused = Client::connect(server.address);
            refused.send(&request("/"));
            assert_eq!(answer(&mut refused).0, 429);
        }
        // All of 127.0.0.0/8 is here; another address has a share of its own.
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
        socket.connect(&server.address.into()).unwrap();
        let mut other = Client { socket: socket.into() };
        other.send(&request("/"));
        assert!(other.head().starts_with("HTTP/1.1 101 "));
        inside.pop().unwrap().close();
        inside.push(come(server.address));
        assert_eq!(server.handle.connection_count(), 3);
    }
}

/// A path for a socket that is free again after the test.
fn socket_path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("martlet-{}-{name}.sock", std::process::id()))
}

/// What the server says to a request and a message over a Unix socket, up to its Close.
fn over_unix(path: &PathBuf, message: &[u8]) -> Vec<u8> {
    let mut socket = UnixStream::connect(path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(&[request("/"), frame(TEXT, message), frame(CLOSE, b"\x03\xe8")].concat()).unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    let mut octets = Vec::new();
    socket.read_to_end(&mut octets).unwrap();
    let head = octets.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    octets.split_off(head + 4)
}

#[test]
fn a_server_listens_at_several_places_with_settings_of_their_own() {
    let path = socket_path("several");
    let own = |address: Address, package_max_length| Listener {
        address,
        settings: Some(Box::new(Settings { package_max_length, ..settings(2) })),
    };
    let listen = vec![
        "127.0.0.1:0".parse::<Address>().unwrap().into(),
        own("[::1]:0".parse().unwrap(), 10),
        own(Address::Unix(path.clone()), 20),
    ];
    let server = Server::bind(Settings { listen, package_max_length: 5, ..settings(2) }).unwrap();
    let (handle, addresses) = (server.handle(), server.addresses());
    let tcp: Vec<_> = addresses
        .iter()
        .filter_map(|address| match address {
            Address::Tcp(address) => Some(*address),
            Address::Unix(_) => None,
        })
        .collect();
    assert!(tcp[0].is_ipv4() && tcp[1].is_ipv6() && addresses[2] == Address::Unix(path.clone()));
    let thread = std::thread::spawn(move || server.run(|_| Echo).unwrap());
    for (address, most) in tcp.into_iter().zip([5, 10]) {
        let mut client = Client::open(address, "/");
        client.frame(TEXT, &b"0123456789abcdef"[..most]);
        client.expect(TEXT, &b"0123456789abcdef"[..most]);
        client.frame(TEXT, &b"0123456789abcdef"[..most + 1]);
        client.expect_close(1009);
    }
    assert_eq!(over_unix(&path, &[b'x'; 20]), [&[TEXT, 20][..], &[b'x'; 20], b"\x88\x02\x03\xe8"].concat());
    let refused = over_unix(&path, &[b'x'; 21]);
    assert_eq!((refused[0], &refused[2..4]), (CLOSE, &1009u16.to_be_bytes()[..]));
    handle.stop();
    thread.join().unwrap();
    assert!(!path.exists(), "the server removes its socket's file");
}

#[test]
fn a_unix_socket_that_a_dead_server_left_is_taken_over_and_a_living_ones_is_not() {
    let path = socket_path("left");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let there = || Settings { listen: vec![Address::Unix(path.clone()).into()], ..settings(1) };
    let server = Server::bind(there()).unwrap();
    match Server::bind(there()).unwrap_err() {
        ServerError::Listen(address, error) => {
            assert_eq!((address, error.kind()), (Address::Unix(path.clone()), ErrorKind::AddrInUse));
        }
        other => panic!("{other}"),
    }
    drop(server);
    std::fs::write(&path, "a file of somebody else").unwrap();
    assert!(Server::bind(there()).is_err());
    assert!(path.exists());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn without_reuse_port_the_workers_share_a_socket() {
    /// Says which worker it is.
    struct Which(usize);
    impl Handler for Which {
        fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, _: Frame<'_>) {
            ctx.push(id, self.0.to_string().as_str()).unwrap();
        }
    }
    let server = Running::start(Settings { reuse_port: false, ..settings(2) }, Which);
    let mut clients: Vec<_> = (0..20).map(|_| server.client()).collect();
    for client in &mut clients {
        client.frame(TEXT, b"who?");
        let worker = client.next().payload;
        assert!(worker == b"0" || worker == b"1");
    }
    for client in clients {
        client.close();
    }
}
