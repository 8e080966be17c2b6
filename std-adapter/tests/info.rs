//! What is asked about connections is told by the worker that has them, whoever asks.

mod common;

use common::{Client, PATIENCE, PONG, Running, TEXT, clients, frame, settings};
use martlet_std::{Among, ConnId, Context, Decision, Frame, Handler, Info, PushError, Request, Settings, State};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

/// Echoes; `ask N` answers with what is known of connection N, `wait` says that it waits and does so until it is let go.
struct Asker {
    opened: Sender<ConnId>,
    wait: Option<(Sender<()>, Receiver<()>)>,
}

impl Handler for Asker {
    fn handshake(&mut self, _ctx: &mut Context<'_>, request: &Request<'_>) -> Decision {
        let second = request.subprotocols().nth(1).filter(|_| request.path() == "/second");
        Decision::Accept { subprotocol: second.map(|name| name.as_str().into()), headers: Vec::new() }
    }

    fn open(&mut self, _ctx: &mut Context<'_>, id: ConnId, _request: &Request<'_>) {
        self.opened.send(id).unwrap();
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        let words: Vec<_> = frame.text().unwrap().split(' ').collect();
        match words[..] {
            ["ask", bits] => {
                let asked = ConnId::from_bits(bits.parse().unwrap());
                let known = ctx.connection_info(asked).unwrap();
                assert_eq!(ctx.exist(asked), Ok(known.is_some()));
                assert_eq!(
                    ctx.is_established(asked),
                    Ok(known.as_ref().is_some_and(|info| info.state == State::Active))
                );
                let text = known.map_or("gone".into(), |info| format!("{} {}", info.id.to_bits(), info.messages_in));
                ctx.push(id, text.as_str()).unwrap();
            }
            ["list"] => {
                let open = ctx.connections(Among::Established).unwrap();
                assert!(ctx.client_list(None, 1000).unwrap().len() >= open.len());
                ctx.push(id, open.len().to_string().as_str()).unwrap();
            }
            ["wait"] => {
                let (waits, go_on) = self.wait.take().unwrap();
                waits.send(()).unwrap();
                go_on.recv_timeout(PATIENCE).unwrap();
            }
            _ => ctx.push(id, frame).unwrap(),
        }
    }
}

fn start(settings: Settings) -> (Running, Receiver<ConnId>) {
    let (opened, ids) = channel();
    let opened = Mutex::new(opened);
    (Running::start(settings, move |_| Asker { opened: opened.lock().unwrap().clone(), wait: None }), ids)
}

#[test]
fn each_connection_has_the_address_that_it_came_to() {
    let all = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let (server, ids) = start(Settings { listen: vec![all.into()], ..settings(1) });
    for last in [1, 2] {
        let address = SocketAddr::from(([127, 0, 0, last], server.address.port()));
        let (_client, _) = Client::open_with(address, "/", "X: y");
        let id = ids.recv_timeout(PATIENCE).unwrap();
        assert_eq!(server.handle.connection_info(id).unwrap().unwrap().local, Some(address));
    }
}

/// A client that offers these subprotocols.
fn offering(server: &Running, path: &str, subprotocols: &str) -> Client {
    Client::open_with(server.address, path, &format!("Sec-WebSocket-Protocol: {subprotocols}")).0
}

#[test]
fn what_is_known_of_a_connection_is_told() {
    let before = SystemTime::now();
    let settings = Settings { websocket_subprotocol: vec!["a".into(), "chat".into()], ..settings(1) };
    let (server, ids) = start(settings);
    let mut client = offering(&server, "/", "x, chat");
    let id = ids.recv_timeout(PATIENCE).unwrap();
    // A message of one frame, one of three with a Ping between them, and their echoes.
    client.frame(TEXT, b"one");
    client.expect(TEXT, b"one");
    for part in [frame(0x01, b"t"), frame(0x89, b"?"), frame(0x00, b"w"), frame(0x80, b"o")] {
        client.send(&part);
    }
    client.expect(PONG, b"?");
    client.expect(TEXT, b"two");

    let info = server.handle.connection_info(id).unwrap().unwrap();
    assert_eq!((info.id, info.worker(), info.state as u8), (id, 0, 3));
    assert_eq!(info.peer.address(), client.socket.local_addr().ok());
    assert_eq!(info.local, client.socket.peer_addr().ok());
    assert_eq!((info.traffic.frames_in, info.messages_in), (5, 2));
    assert_eq!((info.traffic.frames_out, info.messages_out), (3, 2));
    assert_eq!((info.subprotocol.as_deref(), info.compression, info.queued_bytes), (Some("chat"), None, 0));
    assert_eq!((info.tag, info.user), (0, None));
    let Info { connected, received, sent, .. } = info;
    assert!(connected <= received && received <= SystemTime::now() && connected <= sent && sent <= SystemTime::now());
    // Times count in whole milliseconds.
    assert!(before <= connected + Duration::from_millis(2), "{before:?} {connected:?}");

    assert_eq!((server.handle.exist(id), server.handle.is_established(id)), (Ok(true), Ok(true)));
    server.handle.disconnect(id, 1000, "").unwrap();
    // It is there until the peer has answered.
    assert_eq!((server.handle.exist(id), server.handle.is_established(id)), (Ok(true), Ok(false)));
    assert_eq!(server.handle.connection_info(id).unwrap().unwrap().state, State::Closing);
    let handle = &server.handle;
    let calls = [
        handle.push(id, "x"),
        handle.ping(id, b""),
        handle.send_raw(id, b"x"),
        handle.disconnect(id, 1001, ""),
        handle.subscribe(id, "x"),
        handle.bind(id, "x"),
    ];
    assert_eq!(calls, [Err(PushError::Closing); 6]);
    client.expect(0x88, &[3, 0xe8]);
    client.frame(0x88, &[3, 0xe8]);
    client.expect_end();
    let mut next = server.client();
    next.frame(TEXT, format!("ask {}", id.to_bits()).as_bytes());
    next.expect(TEXT, b"gone");
    assert_eq!((server.handle.exist(id), server.handle.is_established(id)), (Ok(false), Ok(false)));
    let nobody = ConnId::from_bits(u64::MAX);
    assert_eq!(server.handle.connection_info(nobody), Ok(None));
    let handle = server.handle.clone();
    let id = ids.recv_timeout(PATIENCE).unwrap();
    next.close();
    drop(server);
    assert_eq!((handle.exist(id), handle.connections(Among::All)), (Ok(false), Ok(Vec::new())));
}

#[test]
fn a_subprotocol_that_the_handler_chose_is_known_as_well() {
    let (server, ids) = start(Settings { websocket_subprotocol: vec!["a".into()], ..settings(1) });
    for (path, offer, agreed) in [("/second", "a, b", Some("b")), ("/", "b, a", Some("a")), ("/", "b", None)] {
        let client = offering(&server, path, offer);
        let id = ids.recv_timeout(PATIENCE).unwrap();
        assert_eq!(server.handle.connection_info(id).unwrap().unwrap().subprotocol.as_deref(), agreed, "{offer}");
        client.close();
    }
}

#[test]
fn who_orders_something_and_then_asks_sees_what_became_of_it() {
    let (server, ids) = start(settings(1));
    let _client = server.client();
    let id = ids.recv_timeout(PATIENCE).unwrap();
    for tag in 1..=20_000 {
        server.handle.run_on(id.worker(), move |ctx| ctx.set_tag(id, tag).unwrap()).unwrap();
        assert_eq!(server.handle.connection_info(id).unwrap().unwrap().tag, tag);
    }
}

#[test]
fn workers_that_ask_each_other_at_the_same_time_get_their_answers() {
    let (server, ids) = start(settings(3));
    let mut clients = clients(&server, &ids, 3, 6);
    let names: Vec<_> = clients.iter().map(|(id, _)| id.to_bits()).collect();
    for _ in 0..50 {
        for (_, client) in &mut clients {
            let questions: Vec<_> = names.iter().flat_map(|id| frame(TEXT, format!("ask {id}").as_bytes())).collect();
            client.send(&questions);
        }
        for (_, client) in &mut clients {
            for id in &names {
                let answer = String::from_utf8(client.next().payload).unwrap();
                assert_eq!(answer.split(' ').next(), Some(id.to_string().as_str()));
            }
        }
    }
}

#[test]
fn a_worker_that_is_kept_busy_is_not_waited_for_without_end() {
    let (opened, ids) = channel();
    let (waits, waiting) = channel();
    let (let_go, go_on) = channel();
    let parts = Mutex::new(Some((opened, Some((waits, go_on)))));
    let server = Running::start(settings(1), move |_| {
        let (opened, wait) = parts.lock().unwrap().take().unwrap();
        Asker { opened, wait }
    });
    let mut client = server.client();
    let id = ids.recv_timeout(PATIENCE).unwrap();
    client.frame(TEXT, b"wait");
    waiting.recv_timeout(PATIENCE).unwrap();
    let error = server.handle.exist(id).unwrap_err();
    assert_eq!((error.worker, error.to_string().as_str()), (0, "worker 0 does not answer"));
    let_go.send(()).unwrap();
    client.frame(TEXT, b"list");
    client.expect(TEXT, b"1");
    assert_eq!(server.handle.exist(id), Ok(true));
}

#[test]
fn pages_lose_nobody_who_stays_and_tell_nobody_twice() {
    let (server, ids) = start(settings(3));
    let mut stay = clients(&server, &ids, 3, 40);
    // Those that have said nothing yet are connections as well.
    let silent: Vec<_> = (0..5).map(|_| Client::connect(server.address)).collect();
    let (mut passing, mut pages, mut seen) = (Vec::new(), 0, Vec::new());
    loop {
        // Between any two pages some come and some go, in slots before and behind the place.
        for _ in 0..3 {
            passing.push(server.client());
            ids.recv_timeout(PATIENCE).unwrap();
        }
        let page = server.handle.client_list(seen.last().copied(), 7).unwrap();
        if pages % 2 == 1 {
            passing.drain(..3).for_each(Client::close);
        }
        assert!(page.len() <= 7);
        pages += 1;
        if page.is_empty() || pages > 100 {
            break;
        }
        seen.extend(page);
    }
    let once: BTreeSet<_> = seen.iter().copied().collect();
    assert_eq!(once.len(), seen.len(), "nobody comes twice");
    assert!(stay.iter().all(|(id, _)| once.contains(id)), "nobody who stays is left out");

    passing.into_iter().for_each(Client::close);
    let ask = &mut stay[0].1;
    ask.frame(TEXT, b"list");
    assert_eq!(ask.next().payload, b"40");
    // The silent ones may wait in a backlog still, and those that have closed may not be gone yet.
    let asked = Instant::now();
    while server.handle.connections(Among::All).unwrap().len() != stay.len() + silent.len() {
        assert!(asked.elapsed() < PATIENCE, "{:?}", server.handle.connections(Among::All));
    }
}
