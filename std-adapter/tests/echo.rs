//! Messages come back whole and in order, however they are cut, and through an independent client as well.

mod common;

use common::{BINARY, CLOSE, Client, Echo, PATIENCE, PING, PONG, Running, TEXT, frame, request, settings};
use martlet_std::{ConnId, Context, Frame, Handler, Settings};
use std::io::Write;
use std::net::Shutdown;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

#[test]
fn an_independent_client_gets_back_what_it_sends() {
    let server = Running::start(settings(2), |_| Echo);
    let (mut client, response) = tungstenite::connect(format!("ws://{}/", server.address)).unwrap();
    assert_eq!(response.status(), 101);
    let long = "Schwalbe \u{1f426} ".repeat(40_000);
    for text in ["", "Hello", &long] {
        client.send(text.into()).unwrap();
        assert_eq!(client.read().unwrap(), text.into());
    }
    for len in [0, 1, 125, 126, 65_535, 65_536, 1_000_000] {
        let octets: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        client.send(octets.clone().into()).unwrap();
        assert_eq!(client.read().unwrap(), octets.into());
    }
    client.close(None).unwrap();
    loop {
        match client.read() {
            Ok(_) => {}
            Err(tungstenite::Error::ConnectionClosed) => break,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn frames_that_come_with_the_handshake_are_answered() {
    let server = Running::start(settings(1), |_| Echo);
    let mut client = Client::connect(server.address);
    client.send(&[request("/"), frame(TEXT, b"early"), frame(PING, b"too")].concat());
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    client.expect(TEXT, b"early");
    client.expect(PONG, b"too");
    client.close();
}

#[test]
fn a_stream_in_single_octets_means_the_same() {
    let server = Running::start(settings(1), |_| Echo);
    let mut client = Client::connect(server.address);
    let frames = [frame(0x01, b"He"), frame(PING, b"p"), frame(0x80, b"llo"), frame(BINARY, &[7; 300])];
    for octet in [request("/"), frames.concat()].concat() {
        client.send(&[octet]);
    }
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    client.expect(PONG, b"p");
    client.expect(TEXT, b"Hello");
    client.expect(BINARY, &[7; 300]);
    client.close();
}

#[test]
fn a_message_in_fragments_over_many_reads_is_put_together() {
    let server = Running::start(settings(1), |_| Echo);
    let mut client = server.client();
    let message: Vec<u8> = (0..1_500_000u32).map(|at| (at % 253) as u8).collect();
    let pieces: Vec<_> = message.chunks(99_991).collect();
    let last = pieces.len() - 1;
    for (at, piece) in pieces.into_iter().enumerate() {
        let op = if at == 0 { 0x02 } else { 0x00 };
        client.frame(if at == last { 0x80 | op } else { op }, piece);
        if at != last {
            client.frame(PING, &[at as u8]);
            client.expect(PONG, &[at as u8]);
        }
    }
    client.expect(BINARY, &message);
    client.close();
}

/// Where only the message's own storage is read into.
#[test]
fn a_long_text_that_goes_wrong_far_behind_is_refused_before_its_end() {
    let server = Running::start(settings(1), |_| Echo);
    let right = "\u{1f426}".repeat(75_000);
    for wrong_at in [100_001, 299_999] {
        let mut text = right.clone().into_bytes();
        text[wrong_at] = 0xff;
        let mut client = server.client();
        client.frame(TEXT, right.as_bytes());
        client.expect(TEXT, right.as_bytes());
        let wrong = frame(TEXT, &text);
        let header = wrong.len() - text.len();
        client.send(&wrong[..header + wrong_at + 1]);
        client.expect_close(1007);
    }
    assert_eq!(server.handle.stats().frames_in, 2, "a frame that did not come whole is none");
}

#[test]
fn twenty_thousand_small_messages_in_one_go_all_come_back() {
    // Many more octets than one turn reads, and the socket says only once that they are there.
    let server = Running::start(settings(1), |_| Echo);
    let (count, mut client) = (20_000u32, server.client());
    let mut sender = client.socket.try_clone().unwrap();
    let all: Vec<u8> = (0..count).flat_map(|n| frame(BINARY, &n.to_be_bytes())).collect();
    let sending = std::thread::spawn(move || sender.write_all(&all).unwrap());
    for n in 0..count {
        client.expect(BINARY, &n.to_be_bytes());
    }
    sending.join().unwrap();
    client.close();
}

#[test]
fn two_busy_connections_of_one_worker_both_get_their_turns() {
    let server = Running::start(settings(1), |_| Echo);
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let mut client = server.client();
            std::thread::spawn(move || {
                let block = frame(BINARY, &[1; 1000]).repeat(100);
                for _ in 0..50 {
                    client.send(&block);
                    for _ in 0..100 {
                        client.expect(BINARY, &[1; 1000]);
                    }
                }
                client.close();
            })
        })
        .collect();
    for thread in busy {
        thread.join().unwrap();
    }
}

#[test]
fn what_lies_before_a_violation_is_answered_and_the_close_arrives() {
    let server = Running::start(settings(1), |_| Echo);
    let rows: [(&[u8], u16); 5] = [
        (b"\x81\x02Hi", 1002),
        (b"\xc1\x80\0\0\0\0", 1002),
        (b"\x81\x81\0\0\0\0\xff", 1007),
        (b"\x82\xff\x00\x00\x00\x00\x7f\xff\xff\xff", 1009),
        (b"\x88\x81\0\0\0\0\x03", 1002),
    ];
    for (wrong, code) in rows {
        let mut client = server.client();
        // What is under way behind it must not make the system throw the Close away.
        client.send(&[frame(TEXT, b"right"), wrong.to_vec(), vec![b'x'; 100_000]].concat());
        client.expect(TEXT, b"right");
        client.expect_close(code);
        client.expect_end();
    }
}

/// A text that is whole and none, alone and behind others, short and long, is refused by the turn that it ends.
#[test]
fn a_whole_text_that_is_none_is_refused_at_once() {
    let server = Running::start(settings(1), |_| Echo);
    let wrong = [
        "\u{e9}".as_bytes()[..1].to_vec(),
        b"\xff".to_vec(),
        [&[b'x'; 40][..], b"\xc0\xaf"].concat(),
        vec![0xed; 3000],
    ];
    for text in &wrong {
        for before in 0..3 {
            let mut client = server.client();
            // The first turn is another one.
            client.send(&frame(TEXT, b"first"));
            client.expect(TEXT, b"first");
            client.send(&[frame(BINARY, b"good").repeat(before), frame(TEXT, text)].concat());
            (0..before).for_each(|_| client.expect(BINARY, b"good"));
            client.expect_close(1007);
        }
    }
}

#[test]
fn a_half_closed_peer_gets_its_answers() {
    let server = Running::start(settings(1), |_| Echo);
    let mut client = server.client();
    client.send(&frame(TEXT, b"last words").repeat(1000));
    client.socket.shutdown(Shutdown::Write).unwrap();
    for _ in 0..1000 {
        client.expect(TEXT, b"last words");
    }
    client.expect_end();
}

#[test]
fn close_codes_come_back_and_nothing_after_the_close() {
    let server = Running::start(settings(1), |_| Echo);
    for body in [&b""[..], b"\x03\xe8", b"\x0b\xb8bye", b"\x13\x87"] {
        let mut client = server.client();
        client.send(&[frame(TEXT, b"before"), frame(CLOSE, body), frame(TEXT, b"after")].concat());
        client.expect(TEXT, b"before");
        client.expect(CLOSE, &body[..body.len().min(2)]);
        client.expect_end();
    }
}

#[test]
fn messages_up_to_the_limit_pass_and_one_octet_more_is_1009() {
    let server = Running::start(Settings { package_max_length: 70_000, ..settings(1) }, |_| Echo);
    let mut client = server.client();
    client.frame(BINARY, &[5; 70_000]);
    client.expect(BINARY, &[5; 70_000]);
    client.send(&[frame(0x02, &[5; 40_000]), frame(0x80, &[5; 30_001])].concat());
    client.expect_close(1009);
    client.expect_end();
}

/// A message that comes in parts takes the memory of the last one, whoever sent that.
#[test]
fn nothing_of_anothers_message_is_in_one_that_comes_in_parts() {
    let server = Running::start(settings(1), |_| Echo);
    let (mut one, mut other) = (server.client(), server.client());
    for len in [700_000, 5000, 1_000_000] {
        let octets = vec![7; len];
        one.send(&[frame(0x02, &octets[..len / 2]), frame(0x80, &octets[len / 2..])].concat());
        one.expect(BINARY, &octets);
        // The first of these is under way while the second takes memory of its own.
        other.send(&frame(0x02, b"o"));
        one.send(&frame(0x01, b"f"));
        other.send(&frame(0x00, b"th"));
        one.send(&frame(0x80, b"ew"));
        one.expect(TEXT, b"few");
        other.send(&frame(0x80, b"er"));
        other.expect(BINARY, b"other");
    }
    one.close();
    other.close();
}

/// Waits in the first message and in the last until it is told to go on, and says whether it was; echoes the others.
struct Waiting(Receiver<()>, Sender<bool>);

impl Handler for Waiting {
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        match frame.text() {
            Some(_) => self.1.send(self.0.recv_timeout(PATIENCE).is_ok()).unwrap(),
            None => ctx.push(id, frame).unwrap(),
        }
    }
}

#[test]
fn much_that_answers_one_read_goes_before_all_of_it_is_taken() {
    // The straight way, and what goes on behind something else.
    for lead in [&[][..], &frame(PING, b"")] {
        let ((go, goes), (tell, told)) = (channel(), channel());
        let waiting = Mutex::new(Some(Waiting(goes, tell)));
        let server = Running::start(settings(1), move |_| waiting.lock().unwrap().take().unwrap());
        let mut client = server.client();
        client.frame(TEXT, b"first");
        let message = [7; 16 * 1024];
        client.send(&[lead, &frame(BINARY, &message).repeat(3), &frame(TEXT, b"last")].concat());
        // All of it is there, and is read at once.
        go.send(()).unwrap();
        assert!(told.recv_timeout(PATIENCE).unwrap());
        if !lead.is_empty() {
            client.expect(PONG, b"");
        }
        client.expect(BINARY, &message);
        go.send(()).unwrap();
        assert!(told.recv_timeout(PATIENCE).unwrap(), "nothing came while the last was waited for");
        (0..2).for_each(|_| client.expect(BINARY, &message));
        client.close();
    }
}
