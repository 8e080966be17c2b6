//! The stream and sink: split over two tasks, against a peer that is not ours, and against peers that stall, break rules or leave.

mod common;

use common::{MOST, REQUEST, Slow, client, frames, poll, response, server};
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use martlet::codec::Key;
use martlet::state::{CloseFrame, Config, Connection, Expired, Fault, Instant, Outbox, Server, Side, Violation};
use martlet_runtimes::futures::WebSocketStream;
use martlet_runtimes::message::{Error, Message};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter, DuplexStream, duplex};
use tokio::runtime::Builder;
use tokio::time::timeout;
use tungstenite::protocol::{Role, frame::coding::CloseCode};

/// A server's end after the handshake, and the raw stream of its peer.
async fn active(config: &'static Config<'static>) -> (WebSocketStream<'static, DuplexStream, Server>, DuplexStream) {
    let (ours, mut theirs) = duplex(4096);
    theirs.write_all(REQUEST).await.unwrap();
    let connection = Connection::server(config, Instant(0));
    let socket = WebSocketStream::open(ours, connection, Outbox::new(Vec::new())).await.unwrap();
    assert!(theirs.read(&mut [0; 512]).await.unwrap() > 0);
    (socket, theirs)
}

/// The traits are those that users of tokio-tungstenite write into their bounds, and it goes to other tasks.
#[allow(dead_code)]
fn bounds(socket: WebSocketStream<'static, tokio::net::TcpStream, Server>) {
    fn is<W: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin + Send + 'static>(_: W) {}
    is(socket);
}

/// The peer is tungstenite, in a thread with a socket. The two halves are two tasks, on two threads.
#[test]
fn a_split_pair_talks_to_tungstenite_and_closes() {
    const COUNT: usize = 300;
    static GENEROUS: Config<'_> = Config { max_control_per_second: 0, ..Config::DEFAULT };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let peer = std::thread::spawn(move || {
        let stream = std::net::TcpStream::connect(address).unwrap();
        let (mut socket, _) = tungstenite::client("ws://a/", stream).unwrap();
        let mut heard = Vec::new();
        for number in 0..COUNT {
            socket.send(tungstenite::Message::binary(vec![number as u8; number * 100])).unwrap();
            socket.send(tungstenite::Message::Ping(vec![number as u8].into())).unwrap();
            heard.push(socket.read().unwrap());
        }
        loop {
            match socket.read() {
                Ok(message) => heard.push(message),
                Err(tungstenite::Error::ConnectionClosed) => return heard,
                Err(error) => panic!("{error}"),
            }
        }
    });
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ours = runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let (stream, _) = tokio::net::TcpListener::from_std(listener).unwrap().accept().await.unwrap();
        let (connection, outbox) = (Connection::server(&GENEROUS, Instant(0)), Outbox::new(Vec::new()));
        let (mut sink, mut stream) = WebSocketStream::open(stream, connection, outbox).await.unwrap().split();
        let (to, mut from) = tokio::sync::mpsc::channel(4);
        let writer = tokio::spawn(async move {
            while let Some(message) = from.recv().await {
                sink.send(message).await.unwrap();
            }
            sink.close().await.unwrap();
        });
        let reader = tokio::spawn(async move {
            let (mut echoed, mut to) = (0, Some(to));
            let mut last = None;
            while let Some(message) = stream.next().await {
                match message.unwrap() {
                    message @ Message::Binary(_) => {
                        to.as_ref().unwrap().send(message).await.unwrap();
                        echoed += 1;
                    }
                    Message::Ping(_) => {
                        // All is echoed: the writer's channel ends.
                        to = to.filter(|_| echoed < COUNT);
                    }
                    message => last = Some(message),
                }
            }
            assert!(stream.next().await.is_none(), "nothing comes after the end");
            last
        });
        writer.await.unwrap();
        reader.await.unwrap()
    });
    assert_eq!(ours, Some(Message::Close(None)), "the peer's answer to our Close");
    let heard = peer.join().unwrap();
    let data = heard.iter().filter_map(|message| match message {
        tungstenite::Message::Binary(octets) => Some(octets.len()),
        _ => None,
    });
    assert!(data.eq((0..COUNT).map(|number| number * 100)));
    assert_eq!(heard.iter().filter(|message| message.is_pong()).count(), COUNT);
    assert_eq!(heard.last(), Some(&tungstenite::Message::Close(None)));
}

/// Echoes until the end, and drops each future when it was polled `patience` times in vain: what was heard, and what was said.
fn echo<S: Side + Unpin>(
    incoming: &[u8],
    connection: (Connection<'static, S>, Outbox<Vec<u8>>),
    (at_once, lazy, patience): (usize, u32, usize),
) -> (Vec<Message>, Vec<u8>) {
    let stream = Slow::new(incoming, at_once, lazy);
    let mut socket = poll(WebSocketStream::open(stream.clone(), connection.0, connection.1), MOST).unwrap().unwrap();
    let mut heard = Vec::new();
    for _ in 0..MOST {
        match poll(socket.next(), patience) {
            None => {}
            Some(None) => return (heard, stream.said()),
            Some(Some(Ok(message))) => {
                if let Message::Text(_) | Message::Binary(_) = message {
                    // If it is dropped meanwhile, it was fed already, and the rest goes with what comes next.
                    drop(poll(socket.send(message.clone()), patience));
                }
                heard.push(message);
            }
            Some(Some(Err(error))) => panic!("{error}"),
        }
    }
    panic!("no end after {heard:?}");
}

#[test]
fn any_cut_and_any_dropped_future_means_the_same() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    check(&[REQUEST, &frames(Some(Key([1, 2, 3, 4])))].concat(), server);
    check(&[response(), frames(None)].concat(), client);
}

fn check<S: Side + Unpin>(wire: &[u8], connection: impl Fn() -> (Connection<'static, S>, Outbox<Vec<u8>>)) {
    let expect = echo(wire, connection(), (usize::MAX, 1, usize::MAX));
    assert_eq!(expect.0.len(), 8, "{:?}", expect.0);
    assert!(matches!(expect.0.last(), Some(Message::Close(Some(_)))));
    for plan in common::plans(wire.len()) {
        assert_eq!(echo(wire, connection(), plan), expect, "{plan:?}");
    }
}

/// A peer that does not read: the sink takes what the bound allows, and is ready again when the peer reads, also if it is the other
/// half that finds out.
#[tokio::test(start_paused = true)]
async fn a_stalled_peer_is_felt_by_poll_ready() {
    let (socket, mut theirs) = active(&common::CONFIG).await;
    let (mut sink, mut stream) = socket.split();
    let mut fed = 0;
    while timeout(Duration::from_secs(1), sink.feed(Message::Binary(vec![7; 1000]))).await.is_ok() {
        fed += 1;
    }
    // The pipe holds 4,096 octets, and the split half one message.
    assert!((64..=71).contains(&fed), "{fed} messages of 1,000 octets were taken");
    let reader = tokio::spawn(async move { stream.next().await });
    let writer = tokio::spawn(async move { sink.send(Message::Text("more".into())).await.map(|()| sink) });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!writer.is_finished());
    let mut said = vec![0; fed * 1004 + 6];
    timeout(Duration::from_secs(1), theirs.read_exact(&mut said)).await.expect("all comes").unwrap();
    assert!(said.ends_with(b"\x81\x04more"));
    let mut sink = timeout(Duration::from_secs(1), writer).await.expect("the writer is woken").unwrap().unwrap();

    // A reader that waits is woken by what comes, though the writer was the last to poll the stream.
    assert!(sink.flush().now_or_never().is_some());
    theirs.write_all(b"\x81\x82\0\0\0\0hi").await.unwrap();
    let heard = timeout(Duration::from_secs(1), reader).await.expect("the reader is woken").unwrap();
    assert_eq!(heard.unwrap().unwrap(), Message::Text("hi".into()));
}

/// Both wait for the same stream; the waker of neither replaces the other's.
#[tokio::test(start_paused = true)]
async fn neither_half_takes_the_other_ones_waker() {
    let (socket, mut theirs) = active(&common::CONFIG).await;
    let (mut sink, mut stream) = socket.split();
    let writer = tokio::spawn(async move { sink.send(Message::Binary(vec![7; 20_000])).await });
    tokio::task::yield_now().await;
    // The reader polls last, and finds the stream full as well: it has a Pong to write.
    theirs.write_all(b"\x89\x80\0\0\0\0").await.unwrap();
    let reader = tokio::spawn(async move {
        assert_eq!(stream.next().await.unwrap().unwrap(), Message::Ping(Vec::new()));
        stream.next().await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!writer.is_finished() && !reader.is_finished());
    let mut said = vec![0; 4 + 20_000 + 2];
    timeout(Duration::from_secs(1), theirs.read_exact(&mut said)).await.expect("all comes").unwrap();
    assert!(said.ends_with(b"\x8a\0"));
    timeout(Duration::from_secs(1), writer).await.expect("the writer is woken").unwrap().unwrap();
    theirs.write_all(b"\x88\x80\0\0\0\0").await.unwrap();
    let close = timeout(Duration::from_secs(1), reader).await.expect("the reader is woken").unwrap();
    assert_eq!(close.unwrap().unwrap(), Message::Close(None));
}

/// A reader that polled last and then does something else does not keep the writer waiting.
#[tokio::test(start_paused = true)]
async fn a_busy_reader_does_not_keep_the_writer() {
    let (socket, mut theirs) = active(&common::CONFIG).await;
    let (mut sink, mut stream) = socket.split();
    let writer = tokio::spawn(async move { sink.send(Message::Binary(vec![7; 20_000])).await });
    tokio::task::yield_now().await;
    let reader = tokio::spawn(async move {
        assert!(timeout(Duration::from_millis(10), stream.next()).await.is_err());
        std::future::pending::<()>().await;
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!writer.is_finished());
    let mut said = vec![0; 4 + 20_000];
    timeout(Duration::from_secs(1), theirs.read_exact(&mut said)).await.expect("all comes").unwrap();
    timeout(Duration::from_secs(1), writer).await.expect("the writer is woken").unwrap().unwrap();
    reader.abort();
}

#[tokio::test(start_paused = true)]
async fn close_is_a_handshake_and_then_the_stream_ends() {
    let (mut socket, mut theirs) = active(&common::CONFIG).await;
    socket.close().await.unwrap();
    let mut said = [0; 2];
    theirs.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"\x88\0");
    let late = socket.send(Message::Text("late".into())).await;
    assert!(matches!(late, Err(Error::Send(_))), "{late:?}");
    theirs.write_all(b"\x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8").await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Text("hi".into()));
    let close = CloseFrame::new(1000, "").ok().map(|close| close.to_owned());
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Close(close));
    assert!(socket.next().await.is_none());
    assert!(socket.next().await.is_none());
    socket.close().await.unwrap();
}

/// A Close with a code goes by the sink as well; the peer's frame says what tungstenite made of it.
#[tokio::test(start_paused = true)]
async fn a_close_says_why() {
    let (mut socket, mut theirs) = active(&common::CONFIG).await;
    let close = CloseFrame::new(1001, "bye").ok().map(|close| close.to_owned());
    socket.send(Message::Close(close)).await.unwrap();
    let mut said = vec![0; 64];
    let len = theirs.read(&mut said).await.unwrap();
    let wire = std::io::Cursor::new(said[..len].to_vec());
    let mut peer = tungstenite::WebSocket::from_raw_socket(wire, Role::Client, None);
    match peer.read() {
        Ok(tungstenite::Message::Close(Some(frame))) => {
            assert_eq!((frame.code, frame.reason.as_str()), (CloseCode::Away, "bye"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn faults_and_ends_are_told_once() {
    let (mut socket, mut theirs) = active(&common::CONFIG).await;
    theirs.write_all(b"\x81\x82\0\0\0\0hi\x81\x81\0\0\0\0\xff").await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Text("hi".into()));
    let fault = socket.next().await;
    assert!(matches!(fault, Some(Err(Error::Peer(Fault::Violation(Violation::Utf8Invalid))))), "{fault:?}");
    assert!(socket.next().await.is_none());
    let mut said = [0; 128];
    let len = theirs.read(&mut said).await.unwrap();
    assert!(said[..len].starts_with(b"\x88") && said[2..4] == 1007u16.to_be_bytes(), "{:?}", &said[..len]);

    let (mut socket, theirs) = active(&common::CONFIG).await;
    drop(theirs);
    let end = socket.next().await;
    assert!(matches!(end, Some(Err(Error::Transport(_)))), "{end:?}");
    assert!(socket.next().await.is_none());

    let (ours, mut theirs) = duplex(4096);
    theirs.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let (connection, outbox) = server();
    let refused = WebSocketStream::open(ours, connection, outbox).await.map(|_| ());
    assert!(matches!(refused, Err(Error::Send(_))), "{refused:?}");
    let mut said = String::new();
    theirs.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 426 "), "{said}");
}

#[tokio::test(start_paused = true)]
async fn deadlines_pass_in_either_half() {
    static HEARTBEAT: Config<'_> = Config::DEFAULT;
    let begin = tokio::time::Instant::now();
    let (mut socket, mut theirs) = active(&HEARTBEAT).await;
    let late = socket.next().await;
    assert!(matches!(late, Some(Err(Error::Late(Expired::Pong)))), "{late:?}");
    assert_eq!(begin.elapsed().as_secs(), 50);
    drop(socket);
    let mut said = Vec::new();
    theirs.read_to_end(&mut said).await.unwrap();
    assert!(said.starts_with(b"\x89\0\x88"), "a Ping, then a Close: {said:?}");

    // A peer that neither reads nor speaks, and nobody polls the stream.
    let begin = tokio::time::Instant::now();
    let (mut socket, _theirs) = active(&HEARTBEAT).await;
    let late = socket.send(Message::Binary(vec![7; 10_000])).await;
    assert!(matches!(late, Err(Error::Late(Expired::Pong))), "{late:?}");
    assert_eq!(begin.elapsed().as_secs(), 50);

    // Our Close is not answered: the reader hears so in time, though it was the writer that closed.
    let begin = tokio::time::Instant::now();
    let (socket, _theirs) = active(&HEARTBEAT).await;
    let (mut sink, mut stream) = socket.split();
    let reader = tokio::spawn(async move { stream.next().await });
    tokio::task::yield_now().await;
    sink.close().await.unwrap();
    let late = reader.await.unwrap();
    assert!(matches!(late, Some(Err(Error::Late(Expired::Close)))), "{late:?}");
    assert_eq!(begin.elapsed().as_secs(), 5);
}

/// What a stream keeps until it is flushed is flushed.
#[tokio::test(start_paused = true)]
async fn answers_do_not_stay_in_the_stream() {
    let (ours, mut theirs) = duplex(4096);
    theirs.write_all(REQUEST).await.unwrap();
    let (connection, outbox) = server();
    let mut socket = WebSocketStream::open(BufWriter::new(ours), connection, outbox).await.unwrap();
    assert!(theirs.read(&mut [0; 512]).await.unwrap() > 0);
    theirs.write_all(b"\x89\x82\0\0\0\0hi\x88\x80\0\0\0\0").await.unwrap();
    while let Some(message) = Pin::new(&mut socket).next().await {
        message.unwrap();
    }
    let mut heard = [0; 6];
    timeout(Duration::from_secs(1), theirs.read_exact(&mut heard)).await.expect("answers").unwrap();
    assert_eq!(&heard, b"\x8a\x02hi\x88\0");
}
