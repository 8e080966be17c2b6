//! Peers that read more slowly than is pushed to them: watermarks, policies, and how long a message may be.

mod common;

use common::{BINARY, CLOSE, Client, Echo, PATIENCE, PING, PONG, Running, TEXT, settings};
use martlet_std::{
    Among, Backpressure, Closed, ConnId, Context, Filter, Flags, Frame, Handler, Listener, Outgoing, PushError,
    Settings,
};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// What the handler was told, in order.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Full(usize),
    Drained(usize),
    Refused(PushError),
    Closed(u16),
}

/// Pushes as much as a message says, in pieces of 64 KiB; "done" for nothing.
struct Tell(Sender<Told>);

const PIECE: usize = 65_536;

impl Tell {
    fn tell(&self, told: Told) {
        self.0.send(told).unwrap();
    }

    fn start(settings: Settings) -> (Running, Receiver<Told>) {
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        (Running::start(settings, move |_| Self(tell.lock().unwrap().clone())), told)
    }
}

impl Handler for Tell {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        let pieces: usize = frame.text().unwrap().parse().unwrap();
        if pieces == 0 {
            ctx.push(id, "done").unwrap();
        }
        for _ in 0..pieces {
            if let Err(why) = ctx.push(id, &[7; PIECE][..]) {
                return self.tell(Told::Refused(why));
            }
        }
    }

    fn buffer_full(&mut self, ctx: &mut Context<'_>, id: ConnId) {
        self.tell(Told::Full(ctx.info(id).unwrap().queued_bytes));
    }

    fn drain(&mut self, ctx: &mut Context<'_>, id: ConnId) {
        self.tell(Told::Drained(ctx.info(id).unwrap().queued_bytes));
    }

    fn close(&mut self, _: &mut Context<'_>, _: ConnId, closed: &Closed<'_>) {
        self.tell(Told::Closed(closed.code));
    }
}

fn next(told: &Receiver<Told>) -> Told {
    told.recv_timeout(PATIENCE).unwrap()
}

fn read_pieces(client: &mut Client, pieces: usize) {
    for at in 0..pieces {
        let frame = client.next();
        assert_eq!((frame.first, frame.payload.len()), (BINARY, PIECE), "piece {at} of {pieces}");
    }
}

#[test]
fn the_high_watermark_is_told_once_and_then_the_low_one() {
    let marks = Settings { buffer_low_watermark: 100_000, max_backpressure: 64 << 20, ..settings(1) };
    let (server, told) = Tell::start(marks);
    let mut client = Client::narrow(server.address);
    for _ in 0..2 {
        // 20 MB are more than the sockets of both ends hold.
        client.frame(TEXT, b"320");
        let Told::Full(queued) = next(&told) else { panic!("buffer_full comes first") };
        assert!(queued > 262_144, "{queued}");
        read_pieces(&mut client, 320);
        let Told::Drained(queued) = next(&told) else { panic!("buffer_full comes once, and then drain") };
        assert!(queued <= 100_000, "{queued}");
        // What the socket takes at once is no news.
        client.frame(TEXT, b"1");
        read_pieces(&mut client, 1);
    }
    client.close();
    assert_eq!(next(&told), Told::Closed(1000));
    drop(server);
    assert!(told.recv().is_err());
}

#[test]
fn with_the_policy_close_who_reads_too_slowly_is_closed_with_1013() {
    let (server, told) = Tell::start(settings(1));
    let mut client = Client::narrow(server.address);
    client.frame(TEXT, b"10000");
    assert_eq!(next(&told), Told::Refused(PushError::QueueFull));
    while let frame = client.next()
        && frame.first != CLOSE
    {}
    client.frame(CLOSE, &1013u16.to_be_bytes());
    client.expect_end();
    assert_eq!(next(&told), Told::Closed(1013));
}

#[test]
fn with_the_policies_error_and_drop_a_push_fails_and_the_connection_stays() {
    for backpressure_policy in [Backpressure::Error, Backpressure::Drop] {
        let (server, told) = Tell::start(Settings { backpressure_policy, ..settings(1) });
        let mut client = Client::narrow(server.address);
        client.frame(TEXT, b"10000");
        assert_eq!(next(&told), Told::Refused(PushError::QueueFull));
        assert!(matches!(next(&told), Told::Full(_)));
        // All that was pushed before comes, and then it is served as ever.
        client.frame(TEXT, b"0");
        loop {
            let frame = client.next();
            if frame.first == TEXT {
                break assert_eq!(frame.payload, b"done");
            }
            assert_eq!((frame.first, frame.payload.len()), (BINARY, PIECE));
        }
        assert_eq!(next(&told), Told::Drained(0));
        client.close();
        assert_eq!(next(&told), Told::Closed(1000));
    }
}

#[test]
fn another_thread_hears_that_a_peer_reads_too_slowly_until_it_has_read() {
    for backpressure_policy in [Backpressure::Error, Backpressure::Drop, Backpressure::Close] {
        let (server, told) = Tell::start(Settings { backpressure_policy, ..settings(1) });
        let (mut client, handle) = (Client::narrow(server.address), &server.handle);
        let id = handle.connections(Among::Established).unwrap()[0];
        let mut pushed = 0;
        let refused = loop {
            match handle.push(id, &[7; PIECE][..]) {
                Ok(()) => pushed += 1,
                Err(why) => break why,
            }
            assert!(pushed < 10_000, "it was never refused");
            // The worker has seen to it when it answers.
            assert_eq!(handle.exist(id), Ok(true));
        };
        assert!(matches!(next(&told), Told::Full(_)));
        if backpressure_policy == Backpressure::Close {
            assert_eq!(refused, PushError::Closing);
            continue;
        }
        let calls = [handle.push(id, "x"), handle.ping(id, b""), handle.send_raw(id, b"x")];
        assert_eq!((refused, calls), (PushError::QueueFull, [Err(PushError::QueueFull); 3]));
        // It was the last one that found the queue full.
        read_pieces(&mut client, pushed - 1);
        assert_eq!(next(&told), Told::Drained(0));
        handle.push(id, "and now").unwrap();
        client.expect(TEXT, b"and now");
        client.close();
    }
}

/// On a message, pushes a megabyte to all until that fails or enough were sent, and says which.
struct Shout(Sender<Result<(), PushError>>);

impl Handler for Shout {
    fn message(&mut self, ctx: &mut Context<'_>, _: ConnId, _: Frame<'_>) {
        let megabyte = vec![7; 1 << 20];
        let done = (0..64).try_for_each(|_| ctx.broadcast(Filter::All, &megabyte[..]));
        self.0.send(done).unwrap();
    }
}

#[test]
fn a_broadcast_leaves_out_who_reads_too_slowly_and_says_so_if_it_is_to() {
    for (backpressure_policy, done) in
        [(Backpressure::Error, Err(PushError::QueueFull)), (Backpressure::Drop, Ok(())), (Backpressure::Close, Ok(()))]
    {
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        let policy = Settings { backpressure_policy, ..settings(1) };
        let server = Running::start(policy, move |_| Shout(tell.lock().unwrap().clone()));
        let mut slow = Client::narrow(server.address);
        slow.frame(TEXT, b"shout");
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), done, "{backpressure_policy:?}");
        // What came through came whole, and who is not closed is served as ever.
        slow.frame(PING, b"");
        let last = if backpressure_policy == Backpressure::Close { CLOSE } else { PONG };
        loop {
            let frame = slow.next();
            if frame.first == last {
                break;
            }
            assert_eq!((frame.first, frame.payload.len()), (BINARY, 1 << 20), "{backpressure_policy:?}");
        }
    }
}

#[test]
fn nothing_longer_than_max_push_bytes_is_pushed() {
    /// Tries all that can be pushed, with one octet more than may be.
    struct Try;
    impl Handler for Try {
        fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
            let most = frame.payload().len() - 1;
            let refused = Err(PushError::TooLarge(most as u64));
            assert_eq!(ctx.push(id, frame), refused);
            assert_eq!(ctx.push(id, Outgoing::from(frame.payload()).flags(Flags::NONE)), refused);
            assert_eq!(ctx.broadcast(Filter::All, frame), refused);
            // Whether anybody of this worker is among the receivers or not.
            assert_eq!(ctx.broadcast(Filter::Except(id), frame), refused);
            assert_eq!(ctx.publish("a topic", frame), refused);
            assert_eq!(ctx.push_to_user("somebody", frame), refused);
            assert_eq!(ctx.handle().push(id, frame), refused);
            assert_eq!(ctx.handle().broadcast(Filter::All, frame), refused);
            assert_eq!(ctx.push_frame(id, 2, Flags::FIN, frame.payload()), refused);
            ctx.push(id, &frame.payload()[1..]).unwrap();
            ctx.push(id, "x").unwrap();
        }
    }
    for most in [5, 125, 126, 1000, 65_535, 65_536, 100_000] {
        let server = Running::start(Settings { max_push_bytes: Some(most), ..settings(1) }, |_| Try);
        let mut client = server.client();
        client.frame(BINARY, &vec![b'x'; most as usize + 1]);
        client.expect(BINARY, &vec![b'x'; most as usize]);
        client.expect(TEXT, b"x");
        client.close();
    }
}

#[test]
fn a_listeners_max_push_bytes_is_for_its_connections() {
    let server_wide = settings(1);
    let address = server_wide.listen[0].address.clone();
    let own = Settings { max_push_bytes: Some(3), ..settings(1) };
    let listen = vec![address.clone().into(), Listener { address, settings: Some(Box::new(own)) }];
    let server = martlet_std::Server::bind(Settings { listen, ..server_wide }).unwrap();
    let handle = server.handle();
    let addresses = server.addresses();
    let thread = std::thread::spawn(move || server.run(|_| Echo).unwrap());
    let [mut free, mut bound] = [0, 1].map(|at| {
        let martlet_std::Address::Tcp(address) = addresses[at] else { unreachable!() };
        Client::open(address, "/")
    });
    // The echo of four octets is refused there.
    bound.frame(TEXT, b"1234");
    bound.frame(TEXT, b"123");
    bound.expect(TEXT, b"123");
    free.frame(TEXT, b"1234");
    free.expect(TEXT, b"1234");
    handle.broadcast(Filter::All, "for the free").unwrap();
    free.expect(TEXT, b"for the free");
    handle.broadcast(Filter::All, "all").unwrap();
    free.expect(TEXT, b"all");
    bound.expect(TEXT, b"all");
    handle.stop();
    free.expect_close(1001);
    bound.expect_close(1001);
    drop((free, bound));
    thread.join().unwrap();
}
