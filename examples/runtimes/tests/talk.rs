//! Two ends of the tokio adapter that talk, and a peer that does not, on a clock that is wound on.

mod common;

use common::{REQUEST, server};
use martlet::codec::{ControlOp, Key, Kind, Writer};
use martlet::state::{
    Client, ClientRequest, CloseFrame, Config, Connection, Expired, Fault, Instant, Outbox, Payload, Violation,
};
use martlet_runtimes::message::{Error, Message};
use martlet_runtimes::tokio::WebSocket;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter, DuplexStream, duplex};
use tokio::time::timeout;

/// A server's end after the handshake, and the raw stream of its peer.
async fn active(
    capacity: usize,
    config: &'static Config<'static>,
) -> (WebSocket<'static, DuplexStream, martlet::state::Server>, DuplexStream) {
    let (ours, mut theirs) = duplex(capacity);
    theirs.write_all(REQUEST).await.unwrap();
    let connection = Connection::server(config, Instant(0));
    let socket = WebSocket::open(ours, connection, Outbox::new(Vec::new())).await.unwrap();
    assert!(theirs.read(&mut [0; 512]).await.unwrap() > 0);
    (socket, theirs)
}

#[tokio::test(start_paused = true)]
async fn messages_of_all_sizes_go_both_ways_and_the_end_is_clean() {
    let (ours, theirs) = duplex(1000);
    let serve = async {
        let (connection, outbox) = server();
        let mut socket = WebSocket::open(ours, connection, outbox).await.unwrap();
        let mut last = None;
        while let Some(message) = socket.recv().await.unwrap() {
            match &message {
                Message::Text(text) => socket.send(Payload::Text(text)).await.unwrap(),
                Message::Binary(octets) => socket.send(Payload::Binary(octets)).await.unwrap(),
                _ => {}
            }
            last = Some(message);
        }
        last
    };
    let connect = async {
        let mut outbox = Outbox::new(Vec::new());
        let (request, rng) =
            (ClientRequest { host: "a", target: "/", ..ClientRequest::default() }, || ChaCha12Rng::from_seed([1; 32]));
        let connection: Connection<'_, Client<_>> =
            outbox.write(|w| Connection::client(&common::CONFIG, Instant(0), rng(), &request, w)).unwrap();
        let mut socket = WebSocket::open(theirs, connection, outbox).await.unwrap();
        for len in [0, 1, 125, 126, 65_535, 65_536, 900_000] {
            let (text, octets) = ("x".repeat(len), vec![0xff; len]);
            socket.send(Payload::Text(&text)).await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), Some(Message::Text(text)));
            socket.send(Payload::Binary(&octets)).await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), Some(Message::Binary(octets)));
        }
        socket.queue(|connection, writer| connection.ping(b"there?", writer)).unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some(Message::Pong(b"there?".to_vec())));
        socket.close(CloseFrame::new(1001, "bye").ok()).unwrap();
        assert_eq!(
            socket.recv().await.unwrap(),
            Some(Message::Close(CloseFrame::new(1001, "").ok().map(|close| close.to_owned())))
        );
        assert_eq!(socket.recv().await.unwrap(), None);
    };
    let (last, ()) = tokio::join!(serve, connect);
    assert_eq!(last, Some(Message::Close(CloseFrame::new(1001, "bye").ok().map(|close| close.to_owned()))));
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_told_once_to_both_sides() {
    let (mut socket, mut theirs) = active(4096, &common::CONFIG).await;
    theirs.write_all(b"\x81\x82\0\0\0\0hi\x81\x81\0\0\0\0\xff").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(Message::Text("hi".into())));
    let fault = socket.recv().await;
    assert!(matches!(fault, Err(Error::Peer(Fault::Violation(Violation::Utf8Invalid)))), "{fault:?}");
    assert!(matches!(socket.recv().await, Ok(None)));
    let mut said = [0; 128];
    let len = theirs.read(&mut said).await.unwrap();
    assert!(said[..len].starts_with(b"\x88") && said[2..4] == 1007u16.to_be_bytes(), "{:?}", &said[..len]);
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_no_websocket_is_told_so() {
    let (ours, mut theirs) = duplex(4096);
    theirs.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let (connection, outbox) = server();
    let refused = WebSocket::open(ours, connection, outbox).await.map(|_| ());
    assert!(matches!(refused, Err(Error::Send(_))), "{refused:?}");
    let mut said = String::new();
    theirs.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 426 "), "{said}");
}

#[tokio::test(start_paused = true)]
async fn deadlines_pass_while_it_waits() {
    let (ours, mut theirs) = duplex(4096);
    let (connection, outbox) = server();
    let late = WebSocket::open(ours, connection, outbox).await.map(|_| ());
    assert!(matches!(late, Err(Error::Late(Expired::Handshake))), "{late:?}");
    assert_eq!(theirs.read_to_end(&mut Vec::new()).await.unwrap(), 0, "who said nothing is told nothing");

    static HEARTBEAT: Config<'_> = Config::DEFAULT;
    let begin = tokio::time::Instant::now();
    let (mut socket, mut theirs) = active(4096, &HEARTBEAT).await;
    let late = socket.recv().await;
    assert!(matches!(late, Err(Error::Late(Expired::Pong))), "{late:?}");
    assert_eq!(begin.elapsed().as_secs(), 50);
    drop(socket);
    let mut said = Vec::new();
    theirs.read_to_end(&mut said).await.unwrap();
    assert!(said.starts_with(b"\x89\0\x88"), "a Ping, then a Close: {said:?}");
}

/// Octets that were heard count, though the future that heard them was dropped; a part of a frame counts once.
#[tokio::test(start_paused = true)]
async fn dropped_futures_do_not_stop_the_clock() {
    static HEARTBEAT: Config<'_> = Config::DEFAULT;
    let begin = tokio::time::Instant::now();
    let (mut socket, mut theirs) = active(4096, &HEARTBEAT).await;
    theirs.write_all(b"\x82\x85\0").await.unwrap();
    let late = loop {
        if let Ok(late) = timeout(Duration::from_millis(700), socket.recv()).await {
            break late;
        }
    };
    assert!(matches!(late, Err(Error::Late(Expired::Pong))), "{late:?}");
    assert_eq!(begin.elapsed().as_secs(), 50);
}

/// What waits for a peer that only talks is bounded.
#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_not_read() {
    static GENEROUS: Config<'_> = Config { max_control_per_second: 0, ..Config::DEFAULT };
    let (mut socket, mut theirs) = active(256, &GENEROUS).await;
    let mut room = [0; 256];
    let mut ping = Writer::new(&mut room);
    ping.frame(Kind::Control { op: ControlOp::Ping, len: 0 }, Some(Key([0; 4])), &[7; 125]).unwrap();
    let mut pings = 0_usize;
    let talk = async {
        while timeout(Duration::from_secs(1), theirs.write_all(ping.written())).await.is_ok() {
            pings += 1;
        }
    };
    let mut heard = 0_usize;
    let listen = async {
        while let Ok(Ok(Some(_))) = timeout(Duration::from_secs(3), socket.recv()).await {
            heard += 1;
        }
    };
    tokio::join!(talk, listen);
    let most = (64 * 1024 + 16 * 1024 + 4 * 256) / 127;
    assert!(heard > 400 && pings <= most + 1, "{heard} of {pings} pings were heard, {most} are the most");
}

/// What a stream keeps until it is flushed is flushed, though nothing but `recv` is called.
#[tokio::test(start_paused = true)]
async fn answers_do_not_stay_in_the_stream() {
    let (ours, mut theirs) = duplex(4096);
    let serve = async {
        let (connection, outbox) = server();
        let mut socket = WebSocket::open(BufWriter::new(ours), connection, outbox).await.unwrap();
        while socket.recv().await.unwrap().is_some() {}
    };
    let ask = async {
        theirs.write_all(REQUEST).await.unwrap();
        assert!(theirs.read(&mut [0; 512]).await.unwrap() > 0);
        for (said, answer) in
            [(b"\x89\x82\0\0\0\0hi", b"\x8a\x02hi"), (b"\x88\x82\0\0\0\0\x03\xe8", b"\x88\x02\x03\xe8")]
        {
            theirs.write_all(said).await.unwrap();
            let mut heard = [0; 4];
            timeout(Duration::from_secs(1), theirs.read_exact(&mut heard)).await.expect("an answer").unwrap();
            assert_eq!(&heard, answer);
        }
    };
    tokio::join!(serve, ask);
}
