//! permessage-deflate (RFC 7692) as a client of the server sees it. What judges the server's octets here is zlib's format in
//! another library's hands.

mod common;

use common::{CLOSE, Client, PATIENCE, PONG, Running, TEXT, frame, settings};
use martlet_std::{
    By, Closed, ConnId, Context, DataKind, Filter, Flags, Fragment, Frame, Handler, Outgoing, Request, Settings,
};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// A compressed message of one frame; a compressed fragment that others follow.
const ZIPPED: u8 = 0xc1;
const ZIPPED_FIRST: u8 = 0x41;

/// Tells what comes and what was agreed on, and answers by the first word.
struct Teller(Sender<String>, Sender<ConnId>);

impl Handler for Teller {
    fn open(&mut self, ctx: &mut Context<'_>, id: ConnId, request: &Request<'_>) {
        assert_eq!(ctx.info(id).unwrap().compression, request.compression());
        self.0.send(request.compression().map_or("plain".into(), |agreed| agreed.to_string())).unwrap();
        self.1.send(id).unwrap();
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        let zipped = frame.flags().contains(Flags::COMPRESS);
        match frame.text() {
            Some("parts") => {
                let parts =
                    [("first, ".repeat(9), Flags::COMPRESS), (String::new(), Flags::NONE), ("a".into(), Flags::NONE)];
                for (part, flags) in &parts {
                    let part = if flags.contains(Flags::COMPRESS) {
                        part.as_str().into()
                    } else {
                        Outgoing::continuation(part.as_bytes())
                    };
                    ctx.push(id, part.flags(*flags)).unwrap();
                    ctx.ping(id, b"between").unwrap();
                }
                ctx.push(id, Outgoing::continuation("last, ".repeat(9).as_bytes())).unwrap();
            }
            Some("twice") => {
                let before = ctx.info(id).unwrap().traffic.bytes_out;
                for _ in 0..2 {
                    ctx.push(id, Outgoing::from("twice and twice and twice").flags(Flags::FIN | Flags::COMPRESS))
                        .unwrap();
                }
                // They wait for the turn's end, to leave in one write.
                assert_eq!(ctx.info(id).unwrap().traffic.bytes_out, before);
            }
            Some("echo") => ctx.push(id, frame).unwrap(),
            Some(text) if text.starts_with("all ") => ctx.broadcast(Filter::All, text).unwrap(),
            _ => self.0.send(format!("{zipped} {} {}", frame.payload().len(), hash(frame.payload()))).unwrap(),
        }
    }

    fn close(&mut self, _ctx: &mut Context<'_>, _id: ConnId, closed: &Closed<'_>) {
        // Most tests do not listen to it.
        if closed.by == By::Server {
            self.0.send(format!("closed with {}: {}", closed.code, closed.reason)).unwrap();
        }
    }

    fn fragment(&mut self, _ctx: &mut Context<'_>, _id: ConnId, fragment: Fragment<'_>) {
        let Fragment { kind, first, last, payload } = fragment;
        assert_eq!(kind, DataKind::Text);
        self.0.send(format!("{first} {last} {}", payload.len())).unwrap();
    }
}

fn hash(octets: &[u8]) -> u64 {
    octets.iter().fold(7, |sum: u64, octet| sum.wrapping_mul(31).wrapping_add(u64::from(*octet)))
}

struct Test {
    server: Running,
    told: Receiver<String>,
    ids: Receiver<ConnId>,
}

impl Test {
    fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { websocket_compression: true, ..settings(1) };
        change(&mut settings);
        let ((tell, told), (open, ids)) = (channel(), channel());
        let parts = Mutex::new((tell, open));
        let server = Running::start(settings, move |_| {
            let (tell, open) = &*parts.lock().unwrap();
            Teller(tell.clone(), open.clone())
        });
        Self { server, told, ids }
    }

    fn told(&self) -> String {
        self.told.recv_timeout(PATIENCE).unwrap()
    }

    /// A client that offers this, its id, and what the server says to it.
    fn client(&self, offer: &str) -> (Client, ConnId, String) {
        let (client, head) = Client::open_with(self.server.address, "/", &format!("Sec-WebSocket-Extensions: {offer}"));
        let answer = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: ")).unwrap_or("plain");
        assert_eq!(self.told(), answer, "the handler and the client are told the same");
        (client, self.ids.recv_timeout(PATIENCE).unwrap(), answer.to_owned())
    }
}

/// What these messages, sent one after the other by the server, are when they are inflated.
fn inflated(messages: &[&[u8]]) -> String {
    let mut stream = Vec::new();
    for message in messages {
        stream.extend_from_slice(message);
        stream.extend_from_slice(&[0, 0, 0xff, 0xff]);
    }
    stream.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    String::from_utf8(miniz_oxide::inflate::decompress_to_vec(&stream).unwrap()).unwrap()
}

/// A message as a client may send it: with BFINAL, and an empty block behind it.
fn deflated(message: &[u8]) -> Vec<u8> {
    let mut stream = miniz_oxide::deflate::compress_to_vec(message, 6);
    stream.push(0);
    stream
}

fn expect_zipped(client: &mut Client) -> Vec<u8> {
    let frame = client.next();
    assert_eq!(frame.first, ZIPPED, "{frame:?}");
    frame.payload
}

#[test]
fn what_is_offered_is_agreed_on_within_the_settings() {
    let default = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let test = Test::start(|_| {});
    for (offer, agreed) in [
        ("permessage-deflate", default),
        ("permessage-deflate; unknown, permessage-deflate; client_max_window_bits", default),
        ("permessage-deflate; server_max_window_bits=\"10\"", &format!("{default}; server_max_window_bits=10")),
        ("x-webkit-deflate-frame", "plain"),
        ("permessage-deflate; server_max_window_bits=7", "plain"),
    ] {
        let (client, _, answer) = test.client(offer);
        assert_eq!(answer, agreed, "{offer}");
        client.close();
    }
    let narrow = Test::start(|settings| {
        settings.client_max_window_bits = 9;
        settings.client_no_context_takeover = false;
        settings.server_no_context_takeover = false;
    });
    // Who cannot be told how little is kept is not compressed.
    assert_eq!(narrow.client("permessage-deflate").2, "plain");
    let (_client, _, answer) = narrow.client("permessage-deflate; client_max_window_bits=15");
    assert_eq!(answer, "permessage-deflate; client_max_window_bits=9");
    let off = Test::start(|settings| settings.websocket_compression = false);
    assert_eq!(off.client("permessage-deflate").2, "plain");
}

#[test]
fn what_is_long_goes_compressed_and_what_the_push_says() {
    let test = Test::start(|_| {});
    let (mut client, id, _) = test.client("permessage-deflate");
    let handle = &test.server.handle;
    let (short, long) = ("a".repeat(1023), "a".repeat(1024));
    handle.push(id, short.as_str()).unwrap();
    client.expect(TEXT, short.as_bytes());
    handle.push(id, long.as_str()).unwrap();
    assert_eq!(inflated(&[&expect_zipped(&mut client)]), long);
    handle.push(id, Outgoing::from(short.as_str()).flags(Flags::FIN | Flags::COMPRESS)).unwrap();
    assert_eq!(inflated(&[&expect_zipped(&mut client)]), short);
    // Never larger than it is, and never because of it.
    handle.push(id, Outgoing::from("a").flags(Flags::FIN | Flags::COMPRESS)).unwrap();
    client.expect(TEXT, b"a");
    let mut state = 1u64;
    let noise = [(); 5000].map(|()| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    });
    handle.push(id, &noise[..]).unwrap();
    client.expect(0x82, &noise);
    let (mut plain, id, _) = test.client("none");
    handle.push(id, Outgoing::from(long.as_str()).flags(Flags::FIN | Flags::COMPRESS)).unwrap();
    plain.expect(TEXT, long.as_bytes());
    // What came compressed goes back compressed.
    client.frame(ZIPPED, &deflated(b"echo"));
    client.expect(TEXT, b"echo");
}

#[test]
fn what_one_turn_sends_compressed_leaves_together() {
    let test = Test::start(|_| {});
    let (mut client, ..) = test.client("permessage-deflate");
    client.frame(TEXT, b"twice");
    for _ in 0..2 {
        assert_eq!(inflated(&[&expect_zipped(&mut client)]), "twice and twice and twice");
    }
    // The handler has nothing to complain about.
    client.close();
}

#[test]
fn a_compressed_message_may_go_in_fragments_with_a_ping_between() {
    for takeover in [false, true] {
        let test = Test::start(|settings| settings.server_no_context_takeover = !takeover);
        let (mut client, id, _) = test.client("permessage-deflate");
        let mut stream = Vec::new();
        for n in 1..=3 {
            client.frame(TEXT, b"parts");
            let (mut firsts, mut payload) = (Vec::new(), Vec::new());
            while firsts.len() < 4 {
                let frame = client.next();
                if frame.first == 0x89 {
                    assert_eq!(frame.payload, b"between");
                    continue;
                }
                firsts.push(frame.first);
                payload.extend(frame.payload);
            }
            assert_eq!(firsts, [ZIPPED_FIRST, 0x00, 0x00, 0x80]);
            stream.push(payload);
            let parts: Vec<_> = stream.iter().map(Vec::as_slice).collect();
            assert_eq!(inflated(&parts), ["first, ".repeat(9), "a".into(), "last, ".repeat(9)].concat().repeat(n));
        }
        let info = test.server.handle.connection_info(id).unwrap().unwrap();
        assert_eq!((info.messages_out, info.traffic.frames_out), (3, 21));
    }
}

#[test]
fn with_context_takeover_a_message_refers_to_those_before_it() {
    let test = Test::start(|settings| {
        settings.server_no_context_takeover = false;
        settings.compression_threshold = 1;
        settings.compression_idle_time = Duration::from_millis(100);
    });
    let (mut client, id, answer) = test.client("permessage-deflate");
    assert_eq!(answer, "permessage-deflate; client_no_context_takeover");
    let handle = &test.server.handle;
    let text = "each word of this stands twice, twice each word of this stands; and so it gets a little smaller";
    let mut stream = Vec::new();
    let mut push = |client: &mut Client| {
        handle.push(id, text).unwrap();
        stream.push(expect_zipped(client));
        let parts: Vec<_> = stream.iter().map(Vec::as_slice).collect();
        assert_eq!(inflated(&parts), text.repeat(parts.len()));
        parts.last().unwrap().len()
    };
    let (first, second) = (push(&mut client), push(&mut client));
    assert!(second < first / 3, "{second} of {first}");
    // When nothing was sent for a while, what it knew is given back, and the next one is as long as the first.
    let asked = Instant::now();
    let mut wait = Duration::from_millis(200);
    loop {
        std::thread::sleep(wait);
        if push(&mut client) == first {
            break;
        }
        wait *= 2;
        assert!(asked.elapsed() < PATIENCE);
    }
}

#[test]
fn what_is_for_many_is_compressed_for_those_who_agreed() {
    let test = Test::start(|settings| {
        settings.server_no_context_takeover = false;
        settings.worker_num = 2;
    });
    let offers = [
        "permessage-deflate",
        "permessage-deflate; server_max_window_bits=9",
        "none",
        "permessage-deflate; server_no_context_takeover",
    ];
    let mut clients: Vec<_> = (0..12).map(|n| test.client(offers[n % offers.len()])).collect();
    let mut streams = vec![Vec::new(); clients.len()];
    // What goes to one between two that go to all must not lead the compressors of those with context takeover astray.
    let texts: Vec<_> = (0..6).map(|n| format!("all {}", "lorem ipsum dolor ".repeat(100 + n))).collect();
    for text in &texts {
        clients[2].0.frame(TEXT, text.as_bytes());
        for (_, id, _) in &clients {
            test.server.handle.push(*id, text.as_str()).unwrap();
        }
        for ((client, _, answer), stream) in clients.iter_mut().zip(&mut streams) {
            for _ in 0..2 {
                if answer == "plain" {
                    client.expect(TEXT, text.as_bytes());
                } else {
                    stream.push(expect_zipped(client));
                }
            }
        }
    }
    let expect: String = texts.iter().map(|text| text.repeat(2)).collect();
    for ((.., answer), stream) in clients.iter().zip(&streams) {
        if answer != "plain" {
            assert_eq!(inflated(&stream.iter().map(Vec::as_slice).collect::<Vec<_>>()), expect, "{answer}");
        }
    }
}

#[test]
fn what_comes_compressed_is_handed_out_whole_however_it_is_cut() {
    let text = "中文, Кириллица, and the rest of it. ".repeat(3000);
    let expect = format!("true {} {}", text.len(), hash(text.as_bytes()));
    for takeover in [false, true] {
        let test = Test::start(|settings| settings.client_no_context_takeover = !takeover);
        let (mut client, id, _) = test.client("permessage-deflate");
        let zipped = deflated(text.as_bytes());
        client.frame(ZIPPED, &zipped);
        assert_eq!(test.told(), expect);
        for cut in [1, 2, zipped.len() / 2, zipped.len() - 1] {
            client.frame(ZIPPED_FIRST, &zipped[..cut]);
            client.frame(0x89, b"");
            client.expect(PONG, b"");
            let rest = frame(0x80, &zipped[cut..]);
            for piece in rest.chunks(rest.len() / 7) {
                client.send(piece);
            }
            assert_eq!(test.told(), expect);
        }
        // An empty one, and one that is not compressed, between.
        client.frame(ZIPPED, b"\0");
        assert_eq!(test.told(), format!("true 0 {}", hash(b"")));
        client.frame(TEXT, b"plain");
        assert_eq!(test.told(), format!("false 5 {}", hash(b"plain")));
        assert_eq!(test.server.handle.connection_info(id).unwrap().unwrap().messages_in, 7);
        client.close();
    }
}

#[test]
fn with_context_takeover_a_clients_message_refers_to_those_before_it() {
    let test = Test::start(|settings| settings.client_no_context_takeover = false);
    let (mut client, ..) = test.client("permessage-deflate");
    // RFC 7692 section 7.2.3.2: the second "Hello" refers to the first.
    for message in [&b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..], b"\xf2\x00\x11\x00\x00"] {
        client.frame(ZIPPED, message);
        assert_eq!(test.told(), format!("true 5 {}", hash(b"Hello")));
    }
    // Where nothing is taken over there is nothing to refer to.
    let test = Test::start(|_| {});
    let (mut client, ..) = test.client("permessage-deflate");
    client.frame(ZIPPED, b"\xf2\x48\xcd\xc9\xc9\x07\x00");
    client.frame(ZIPPED, b"\xf2\x00\x11\x00\x00");
    client.expect_close(1007);
}

#[test]
fn a_streamed_message_is_inflated_as_it_comes() {
    let test = Test::start(|settings| settings.stream_messages = true);
    let (mut client, ..) = test.client("permessage-deflate");
    client.frame(ZIPPED, b"\xf2\x48\xcd\xc9\xc9\x07\x00");
    let mut last = String::new();
    let (mut sum, mut pieces) = (0, 0);
    while !last.starts_with("true") || pieces == 0 {
        let told = test.told();
        let parts: Vec<_> = told.split(' ').collect();
        assert_eq!(parts[0], (pieces == 0).to_string());
        (sum, pieces) = (sum + parts[2].parse::<usize>().unwrap(), pieces + 1);
        last = parts[1].into();
    }
    assert_eq!(sum, 5);
    let zipped = deflated(&[b'a'; 100_000]);
    client.frame(ZIPPED_FIRST, &zipped[..zipped.len() / 2]);
    assert!(test.told().starts_with("true false "));
    client.frame(0x80, &zipped[zipped.len() / 2..]);
    while !test.told().contains(" true ") {}
}

#[test]
fn garbage_bombs_and_what_is_cut_off_end_in_the_code_that_says_so() {
    let bomb = deflated(&vec![0; 4 << 20]);
    let rows: &[(&[u8], u16)] = &[
        (b"\xff\xff\xff", 1007),
        (b"", 1007),
        // Cut off within a block.
        (b"\xf2\x48\xcd", 1007),
        // The first symbol refers to something before the first message.
        (b"\x02\x03\x00\x00", 1007),
        // No UTF-8.
        (b"\x00\x01\x00\xfe\xff\xff\x00", 1007),
        (&bomb, 1009),
    ];
    let test = Test::start(|_| {});
    for (message, code) in rows {
        let (mut client, ..) = test.client("permessage-deflate");
        client.frame(ZIPPED, message);
        let close = client.next();
        assert_eq!((close.first, &close.payload[..2]), (CLOSE, &code.to_be_bytes()[..]));
        client.expect_end();
        // The handler hears what the peer hears.
        let reason = str::from_utf8(&close.payload[2..]).unwrap();
        assert!(!reason.is_empty());
        assert_eq!(test.told(), format!("closed with {code}: {reason}"));
    }
    let strict = Test::start(|settings| {
        settings.max_inflate_ratio = 100;
        settings.inflate_ratio_floor_bytes = 10_000;
    });
    let (mut client, ..) = strict.client("permessage-deflate");
    client.frame(ZIPPED, &deflated(&[0; 10_000]));
    assert_eq!(strict.told(), format!("true 10000 {}", hash(&[0; 10_000])));
    client.frame(ZIPPED, &deflated(&[0; 1 << 20]));
    client.expect_close(1008);
    // Where nothing was agreed on, RSV1 is a fault of the protocol (RFC 6455 section 5.2).
    let (mut client, ..) = test.client("none");
    client.frame(ZIPPED, b"\0");
    let frame = client.next();
    assert_eq!((frame.first, &frame.payload[..2]), (CLOSE, &1002u16.to_be_bytes()[..]));
}
