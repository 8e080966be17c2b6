//! What may be sent, to whom, and what is refused.

mod common;

use common::{BINARY, CLOSE, Client, Echo, PATIENCE, PING, PONG, Running, TEXT, settings};
use martlet_std::{
    ConnId, Context, Filter, Flags, Fragment, Frame, Handler, Misuse, Opcode, Outgoing, PushError, Request, Settings,
};
use std::io::{ErrorKind, Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Does what the text says, and says how that went.
struct Pusher {
    opened: Sender<ConnId>,
    heard: Sender<String>,
}

impl Handler for Pusher {
    fn open(&mut self, _: &mut Context<'_>, id: ConnId, _: &Request<'_>) {
        // Not every test listens.
        let _ = self.opened.send(id);
    }

    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        if frame.opcode() != Opcode::Text {
            // A control frame is whole (RFC 6455 section 5.5), and so is a message.
            assert_eq!(frame.flags(), Flags::FIN);
            let text = format!("{:?} {:?} {}", frame.opcode(), frame.close_code(), frame.payload().escape_ascii());
            let _ = self.heard.send(text);
            return;
        }
        let part = |text| Outgoing::from(text).flags(Flags::NONE);
        match frame.text().unwrap() {
            "fragments" => {
                ctx.push(id, part("Grü")).unwrap();
                assert_eq!(ctx.push(id, "another"), Err(PushError::Misuse(Misuse::MessageOpen)));
                assert_eq!(ctx.broadcast(Filter::All, part("half")), Err(PushError::NotWhole));
                ctx.push(id, Outgoing::ping(b"between")).unwrap();
                assert_eq!(ctx.push_frame(id, 0, Flags::NONE, b"\xff"), Err(PushError::NotUtf8));
                ctx.push_frame(id, 0, Flags::NONE, "ß".as_bytes()).unwrap();
                ctx.push(id, Outgoing::continuation(b"e")).unwrap();
                ctx.push(id, "whole again").unwrap();
            }
            "frames" => {
                for opcode in [3, 4, 5, 6, 7, 11, 15, 16, 255] {
                    assert_eq!(ctx.push_frame(id, opcode, Flags::FIN, b""), Err(PushError::ReservedOpcode(opcode)));
                }
                assert_eq!(ctx.push_frame(id, 8, Flags::FIN, b""), Err(PushError::CloseOpcode));
                assert_eq!(ctx.push_frame(id, 0, Flags::FIN, b""), Err(PushError::NothingToContinue));
                assert_eq!(ctx.push_frame(id, 1, Flags::FIN, b"\xc3"), Err(PushError::NotUtf8));
                let long = ctx.push_frame(id, 9, Flags::FIN, &[0; 126]);
                assert_eq!(long, Err(PushError::Misuse(Misuse::ControlTooLong(126))));
                ctx.push_frame(id, 10, Flags::FIN, b"unasked").unwrap();
                ctx.push_frame(id, 2, Flags::FIN, b"\xc3").unwrap();
            }
            "raw" => ctx.send_raw(id, b"\x81\x02Hi\x89\x00").unwrap(),
            "except" => ctx.broadcast(Filter::Except(id), "to the others").unwrap(),
            "cut" => {
                ctx.close(id, false).unwrap();
                assert_eq!(ctx.push(id, "too late"), Err(PushError::Closing));
            }
            "reset" => ctx.close(id, true).unwrap(),
            "pause" => ctx.pause(id).unwrap(),
            text => drop(self.heard.send(text.to_owned())),
        }
    }
}

fn start(settings: Settings) -> (Running, Receiver<ConnId>, Receiver<String>) {
    let ((opened, ids), (heard, texts)) = (channel(), channel());
    let senders = Mutex::new((opened, heard));
    let server = Running::start(settings, move |_| {
        let (opened, heard) = senders.lock().unwrap().clone();
        Pusher { opened, heard }
    });
    (server, ids, texts)
}

#[test]
fn fragments_are_one_message_with_room_for_a_ping_between() {
    let (server, ..) = start(settings(1));
    let mut client = server.client();
    client.frame(TEXT, b"fragments");
    client.expect(0x01, "Grü".as_bytes());
    client.expect(PING, b"between");
    client.expect(0x00, "ß".as_bytes());
    client.expect(0x80, b"e");
    client.expect(TEXT, b"whole again");
}

#[test]
fn fragments_from_another_thread_arrive_in_order_and_wrong_ones_are_refused_there() {
    let (server, ids, _) = start(settings(2));
    let mut client = server.client();
    let id = ids.recv_timeout(PATIENCE).unwrap();
    let handle = &server.handle;
    handle.push(id, Outgoing::from(&b"a"[..]).flags(Flags::NONE)).unwrap();
    handle.push_frame(id, 0, Flags::NONE, b"b").unwrap();
    handle.ping(id, b"").unwrap();
    handle.push_frame(id, 0, Flags::FIN, b"c").unwrap();
    assert_eq!(handle.push_frame(id, 8, Flags::FIN, b""), Err(PushError::CloseOpcode));
    assert_eq!(handle.push_frame(id, 3, Flags::FIN, b""), Err(PushError::ReservedOpcode(3)));
    handle.push(id, "end").unwrap();
    for (first, payload) in [(0x02, &b"a"[..]), (0x00, b"b"), (PING, b""), (0x80, b"c"), (TEXT, b"end")] {
        client.expect(first, payload);
    }
}

#[test]
fn what_is_no_frame_is_refused_by_its_reason() {
    let (server, ..) = start(settings(1));
    let mut client = server.client();
    client.frame(TEXT, b"frames");
    client.expect(PONG, b"unasked");
    client.expect(BINARY, b"\xc3");
}

#[test]
fn raw_octets_go_as_they_are() {
    let (server, ids, _) = start(settings(2));
    let mut client = server.client();
    client.frame(TEXT, b"raw");
    client.expect(TEXT, b"Hi");
    client.expect(PING, b"");
    server.handle.send_raw(ids.recv_timeout(PATIENCE).unwrap(), b"\x82\x01x").unwrap();
    client.expect(BINARY, b"x");
}

#[test]
fn a_broadcast_may_leave_one_out() {
    let (server, ..) = start(settings(2));
    let mut clients: Vec<_> = (0..6).map(|_| server.client()).collect();
    clients[3].frame(TEXT, b"except");
    clients[3].frame(TEXT, b"raw");
    for (at, client) in clients.iter_mut().enumerate() {
        let expect: &[u8] = if at == 3 { b"Hi" } else { b"to the others" };
        client.expect(TEXT, expect);
    }
}

#[test]
fn a_connection_is_closed_at_once_with_or_without_a_reset() {
    let (server, ids, texts) = start(settings(2));
    let mut client = server.client();
    client.send(&[common::frame(TEXT, b"cut"), common::frame(TEXT, b"not heard")].concat());
    client.expect_end();
    let mut client = server.client();
    client.frame(TEXT, b"reset");
    assert_eq!(client.socket.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let mut client = server.client();
    let id = ids.iter().take(3).last().unwrap();
    server.handle.close(id, false).unwrap();
    client.expect_end();
    assert!(texts.try_recv().is_err());
}

#[test]
fn a_paused_connection_is_not_read_until_it_is_resumed() {
    let hasty = Settings {
        ping_interval: std::time::Duration::from_millis(100),
        pong_timeout: std::time::Duration::from_millis(100),
        ..settings(1)
    };
    let (server, ids, texts) = start(hasty);
    let mut client = server.client();
    let id = ids.recv_timeout(PATIENCE).unwrap();
    client.frame(TEXT, b"pause");
    client.socket.set_nonblocking(true).unwrap();
    // The sockets fill up: nobody reads.
    let piece = common::frame(BINARY, &[7; 60_000]);
    let mut sent = 0;
    while sent < 400 << 20 {
        match client.socket.write(&piece[sent % piece.len()..]) {
            Ok(taken) => sent += taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(sent < 400 << 20, "it was read");
    client.socket.set_nonblocking(false).unwrap();
    server.handle.resume(id).unwrap();
    client.send(&piece[sent % piece.len()..]);
    client.frame(TEXT, b"resumed");
    let frames = sent / piece.len() + 1;
    let all: Vec<_> = (0..=frames).map(|_| texts.recv_timeout(PATIENCE).unwrap()).collect();
    assert!(all[..frames].iter().all(|text| text.starts_with("Binary None ")) && all[frames] == "resumed");
}

/// Nobody reads it, and so nobody would notice.
#[test]
fn a_paused_connection_that_its_peer_resets_is_let_go() {
    let (server, ids, _texts) = start(settings(1));
    let mut client = server.client();
    let id = ids.recv_timeout(PATIENCE).unwrap();
    server.handle.pause(id).unwrap();
    server.handle.pong(id, b"paused").unwrap();
    client.expect(PONG, b"paused");
    socket2::SockRef::from(&client.socket).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(client);
    let begun = std::time::Instant::now();
    while server.handle.connection_count() != 0 {
        assert!(begun.elapsed() < PATIENCE, "it is kept");
        std::thread::yield_now();
    }
}

#[test]
fn control_frames_come_as_frames_where_that_is_asked_for() {
    let (server, _, texts) = start(Settings {
        open_websocket_close_frame: true,
        open_websocket_ping_frame: true,
        open_websocket_pong_frame: true,
        ..settings(1)
    });
    let mut client = server.client();
    client.frame(PING, b"a");
    client.frame(PONG, b"b");
    client.frame(CLOSE, b"\x03\xe8bye");
    // The Ping is the handler's to answer, and this one does not.
    client.expect_close(1000);
    let mut client = server.client();
    client.frame(CLOSE, b"");
    client.expect(CLOSE, b"");
    let heard: Vec<_> = texts.iter().take(4).collect();
    assert_eq!(heard, ["Ping None a", "Pong None b", "Close Some(1000) bye", "Close Some(1005) "]);
}

/// Says which pieces came.
struct Pieces(Sender<(bool, bool, usize)>);

impl Handler for Pieces {
    fn message(&mut self, _: &mut Context<'_>, _: ConnId, _: Frame<'_>) {
        panic!("messages come in pieces here");
    }

    fn fragment(&mut self, ctx: &mut Context<'_>, id: ConnId, fragment: Fragment<'_>) {
        self.0.send((fragment.first, fragment.last, fragment.payload.len())).unwrap();
        if fragment.last {
            ctx.push(id, "all").unwrap();
        }
    }
}

#[test]
fn a_streamed_message_is_handed_out_as_it_comes() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let streaming = Settings { stream_messages: true, ..settings(1) };
    let server = Running::start(streaming, move |_| Pieces(tell.lock().unwrap().clone()));
    let mut client = server.client();
    client.frame(TEXT, b"small");
    client.expect(TEXT, b"all");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (true, true, 5));
    client.frame(0x02, b"be");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (true, false, 2), "before the rest is sent");
    client.frame(0x80, &[0; 1_000_000]);
    client.expect(TEXT, b"all");
    let rest: Vec<_> = told.try_iter().collect();
    assert_eq!(rest.iter().map(|(.., len)| len).sum::<usize>(), 1_000_000);
    let firsts = rest.iter().filter(|(first, ..)| *first).count();
    let lasts = rest.iter().filter(|(_, last, _)| *last).count();
    assert!(rest.len() > 1 && firsts == 0 && lasts == 1 && rest.last().unwrap().1);
    // Text that is not UTF-8 is refused in the middle.
    client.frame(0x01, b"\xc3");
    client.frame(0x80, b"\x28");
    client.expect_close(1007);
}

#[test]
fn an_echo_of_control_frames_is_legal() {
    let server = Running::start(Settings { open_websocket_ping_frame: true, ..settings(1) }, |_| Echo);
    let mut client = Client::open(server.address, "/");
    client.frame(PING, b"x");
    client.expect(PING, b"x");
    client.close();
}
