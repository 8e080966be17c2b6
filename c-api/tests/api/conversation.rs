//! Both roles through the C API: what a C program does, against itself.

use crate::kit::*;
use martlet_c::*;
use std::ptr::null_mut;

#[test]
fn both_roles_from_the_handshake_to_the_close() {
    let names = [octets("chat.v2"), octets("chat.v1")];
    let config = config(|settings| (settings.subprotocols, settings.subprotocol_count) = (names.as_ptr(), names.len()));
    let mut client = End::client(config, Some(count), counter()).unwrap();
    let mut server = End::server(config);
    assert_eq!((client.state(), server.state()), (State::Handshake, State::Connection));

    let request = client.written();
    let len = request.len();
    assert_eq!(server.receive(request), [format!("request upgrade=true chat.v2 {len}")]);
    assert_eq!(client.receive(server.written()), ["open chat.v2"]);

    assert_eq!(client.text("Grüße".as_bytes()), Code::Ok);
    let wire = client.written();
    assert_eq!((wire[0], wire[1] & 0x80), (0x81, 0x80), "a client masks");
    assert_eq!(server.receive(wire), ["Text true true Gr\\xc3\\xbc\\xc3\\x9fe"]);
    let (ptr, len) = (b"\0\xff".as_ptr(), 2);
    assert_eq!(unsafe { martlet_send_binary(&mut server.connection, ptr, len, &mut server.output) }, Code::Ok);
    assert_eq!(unsafe { martlet_ping(&mut server.connection, ptr, len, &mut server.output) }, Code::Ok);
    assert_eq!(unsafe { martlet_pong(&mut server.connection, null_mut(), 0, &mut server.output) }, Code::Ok);
    assert_eq!(client.receive(server.written()), ["Binary true true \\x00\\xff", "ping \\x00\\xff", "pong "]);
    assert_eq!(server.receive(client.written()), ["pong \\x00\\xff"]);

    assert_eq!(client.close(4000, "genug".as_bytes()), Code::Ok);
    assert_eq!((client.state(), client.text(b"more")), (State::Closing, Code::MisuseState));
    assert_eq!(server.receive(client.written()), ["close 4000 genug"]);
    assert_eq!(client.receive(server.written()), ["close 4000 "]);
    for end in [&mut client, &mut server] {
        assert_eq!(end.state(), State::Closed);
        assert!(unsafe { martlet_eof(&mut end.connection) }, "a clean end");
        assert_eq!(unsafe { martlet_poll_timeout(&mut end.connection) }, MARTLET_NEVER);
    }
}

#[test]
fn fragments_of_text_may_end_inside_a_character_and_the_message_may_not() {
    let (mut client, mut server) = pair(config(|_| ()));
    for end in [&mut client, &mut server] {
        assert_eq!(end.fragment(Kind::Text, b"a\xe4", false), Code::Ok);
        let before = end.output.len;
        assert_eq!(end.text(b"b"), Code::MisuseMessageOpen);
        assert_eq!(end.fragment(Kind::Binary, b"b", false), Code::MisuseKindChanged);
        assert_eq!(end.fragment(Kind::Text, b"b", false), Code::MisuseUtf8);
        assert_eq!(end.fragment(Kind::Text, b"\xb8", true), Code::MisuseUtf8, "the character is not complete");
        assert_eq!(end.output.len, before, "nothing was done");
        assert_eq!(end.fragment(Kind::Text, b"\xb8\xad", true), Code::Ok);
        assert_eq!(end.fragment(Kind::Text, b"\xb8\xad", true), Code::MisuseUtf8, "a new message");
        assert_eq!(end.fragment(Kind::Binary, b"\xff", true), Code::Ok);
    }
    let expect = ["Text true false a\\xe4", "Text false true \\xb8\\xad", "Binary true true \\xff"];
    assert_eq!(server.receive(client.written()), expect);
    assert_eq!(client.receive(server.written()), expect);
}

#[test]
fn any_cutting_means_the_same() {
    let config = config(|_| ());
    let mut client = End::client(config, Some(count), counter()).unwrap();
    let request = client.written();
    client.receive({
        let mut server = End::server(config);
        server.receive(request.clone());
        server.written()
    });
    client.text("中文".as_bytes());
    client.fragment(Kind::Binary, &[7; 300], false);
    unsafe { martlet_ping(&mut client.connection, b"hey".as_ptr(), 3, &mut client.output) };
    client.fragment(Kind::Binary, &[8; 3], true);
    client.close(1000, b"bye");
    let stream = [request, client.written()].concat();

    // What a piece says depends on the cut, what all of them say does not.
    let told = |at: usize| {
        let (mut server, mut wire, mut payload, mut others) = (End::server(config), Vec::new(), Vec::new(), Vec::new());
        for piece in [&stream[..at], &stream[at..]] {
            wire.extend_from_slice(piece);
            let log = server.drain(&mut wire, |end, event| match event.r#type {
                EventType::Request => assert_eq!(end.accept(), Code::Ok),
                EventType::Data => payload.extend_from_slice(shown(event.octets)),
                _ => {}
            });
            others.extend(log.into_iter().filter(|line| !line.starts_with("Text") && !line.starts_with("Binary")));
        }
        assert_eq!(wire, b"");
        (payload, others, server.written())
    };
    let whole = told(stream.len());
    assert_eq!(whole.1[1..], ["ping hey", "close 1000 bye"]);
    for at in 0..stream.len() {
        assert_eq!(told(at), whole, "cut at {at}");
    }
}

#[test]
fn a_head_can_be_read_line_by_line_in_either_role() {
    let config = config(|settings| settings.head_by_lines = 1);
    let (mut client, mut server) = (End::client(config, Some(count), counter()).unwrap(), End::server(config));
    let lines = server.receive(client.written());
    assert_eq!(lines[0], "Request GET /chat?room=1 0 false");
    assert_eq!(lines[1], "Header Host example.org 0 true");
    assert_eq!(lines.last().unwrap(), "request upgrade=true  0");
    let lines = client.receive(server.written());
    assert_eq!(lines[0], "Status  Switching Protocols 101 false");
    assert_eq!(lines.last().unwrap(), "open ");
}

#[test]
fn a_request_is_taken_apart_and_answered_otherwise() {
    let head = "GET http://a.example:80/b%20c?d HTTP/1.1\r\nHost: x\r\nOrigin: http://e.example\r\nX-Y: one\r\nx-y:  two \r\n\r\n";
    let mut request = storage::<Request>();
    assert_eq!(unsafe { martlet_request_parse(octets(head), &mut request) }, Code::Ok);
    let parts = [request.method, request.target, request.path, request.query, request.host, request.origin];
    let expect = ["GET", "http://a.example:80/b%20c?d", "/b%20c", "d", "a.example:80", "http://e.example"];
    assert_eq!(parts.map(shown), expect.map(str::as_bytes));
    let mut value = storage();
    for (skip, expect) in [(0, Some("one")), (1, Some("two")), (2, None)] {
        let found = unsafe { martlet_request_header(octets(head), octets("X-y"), skip, &mut value) };
        assert_eq!(found.then(|| shown(value)), expect.map(str::as_bytes));
    }
    assert_eq!(unsafe { martlet_request_parse(octets("hello\r\n\r\n"), &mut request) }, Code::MisuseNoRequest);

    let mut server = End::server(config(|_| ()));
    let mut wire = head.as_bytes().to_vec();
    let headers = [Header { name: octets("X-Why"), value: octets("because") }];
    let log = server.drain(&mut wire, |end, event| {
        assert!(!event.upgrade && shown(event.octets) == head.as_bytes());
        assert_eq!(end.accept(), Code::MisuseNoUpgrade);
        let response = Response { body: octets("no\n"), headers: headers.as_ptr(), header_count: 1, status: 404 };
        assert_eq!(unsafe { martlet_respond(&mut end.connection, &response, &mut end.output) }, Code::Ok);
    });
    assert_eq!(log.len(), 1);
    let answer = String::from_utf8(server.written()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("\r\nX-Why: because\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nno\n") && server.state() == State::Closed, "{answer}");
}

#[test]
fn what_the_peer_does_wrong_has_its_code() {
    let config = config(|settings| settings.max_frame_bytes = 1000);
    let rows: [(&[u8], Code, u16); 5] = [
        (b"\x81\x01a", Code::ViolationMaskMissing, 1002),
        (b"\x81\x81\0\0\0\0\xff", Code::ViolationUtf8Invalid, 1007),
        (b"\x82\xfe\x03\xe9", Code::ViolationFrameTooBig, 1009),
        (b"\x88\x82\0\0\0\0\x03\xed", Code::ViolationCloseCodeInvalid, 1002),
        (b"\x83\x80\0\0\0\0", Code::ViolationOpcodeReserved, 1002),
    ];
    for (wire, code, close_code) in rows {
        let mut server = pair(config).1;
        assert_eq!(server.receive(wire.to_vec()), [format!("{code:?} {close_code}")]);
        assert_eq!((server.state(), martlet_close_code(code as i32)), (State::Closed, close_code));
        assert_eq!(server.written()[2..4], close_code.to_be_bytes());
        assert_eq!(server.receive(b"whatever comes".to_vec()), [""; 0]);
    }
    let heads: [(&str, Code, u16); 3] = [
        ("\0garbage", Code::RefusalRequestLineInvalid, 400),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", Code::HeadBareLf, 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Code::RefusalHostDuplicate, 400),
    ];
    for (head, code, status) in heads {
        let mut server = End::server(config);
        assert_eq!(server.receive(head.as_bytes().to_vec()), [format!("{code:?} {status}")]);
        assert_eq!(martlet_http_status(code as i32), status);
        assert!(server.written().starts_with(format!("HTTP/1.1 {status} ").as_bytes()));
    }
    let answers: [(&str, Code, u16); 3] = [
        ("HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", Code::ResponseStatus, 301),
        ("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", Code::ResponseAcceptMissing, 0),
        ("SSH-2.0\r\n", Code::ResponseStatusLineInvalid, 0),
    ];
    for (head, code, said) in answers {
        let mut client = End::client(config, Some(count), counter()).unwrap();
        assert_eq!(client.receive(head.as_bytes().to_vec()), [format!("{code:?} {said}")]);
        assert_eq!((client.state(), martlet_close_code(code as i32)), (State::Closed, 1002));
    }
}

#[test]
fn time_is_an_argument() {
    let config = config(|settings| (settings.idle_ms, settings.pong_timeout_ms) = (1000, 500));
    let mut late = End::server(config);
    assert_eq!(unsafe { martlet_poll_timeout(&mut late.connection) }, 10_000);
    assert_eq!(unsafe { martlet_tick(&mut late.connection, 9_999, &mut late.output) }, Code::Ok);
    assert_eq!(unsafe { martlet_tick(&mut late.connection, 10_000, &mut late.output) }, Code::ExpiredHandshake);

    let (mut client, _) = pair(config);
    client.output.size = 10;
    assert_eq!(unsafe { martlet_tick(&mut client.connection, 1000, &mut client.output) }, Code::NoRoom);
    assert!(client.output.wanted > 10);
    client.output.size = ROOM;
    assert_eq!(unsafe { martlet_tick(&mut client.connection, 1000, &mut client.output) }, Code::Ok);
    assert_eq!((client.output.wanted, client.written()[0]), (0, 0x89));
    assert_eq!(unsafe { martlet_poll_timeout(&mut client.connection) }, 1500);
    assert_eq!(unsafe { martlet_tick(&mut client.connection, 1500, &mut client.output) }, Code::ExpiredPong);

    let (mut closing, _) = pair(config);
    assert_eq!(closing.close(0, b""), Code::Ok);
    assert_eq!(unsafe { martlet_tick(&mut closing.connection, 5000, &mut closing.output) }, Code::ExpiredClose);
    assert!(!unsafe { martlet_eof(&mut closing.connection) }, "no clean end");
}

#[test]
fn what_does_not_fit_is_not_sent_and_says_how_much_room_it_wants() {
    let (client, server) = pair(config(|_| ()));
    for (mut end, header) in [(client, 8), (server, 4)] {
        for whole in [true, false] {
            end.output.size = 300 + header - 1;
            let send = |end: &mut End| match whole {
                true => unsafe { martlet_send_binary(&mut end.connection, [1; 300].as_ptr(), 300, &mut end.output) },
                false => end.fragment(Kind::Binary, &[1; 300], true),
            };
            assert_eq!(send(&mut end), Code::NoRoom);
            assert_eq!((end.output.len, end.output.wanted), (0, 300 + header));
            end.output.size = end.output.wanted;
            assert_eq!(send(&mut end), Code::Ok);
            assert_eq!((end.output.wanted, end.written().len()), (0, 300 + header));
        }
        let mut event = storage();
        let mut input = Input { ptr: [0u8; 1].as_mut_ptr(), len: 0 };
        end.output.size = 20;
        let code = unsafe { martlet_receive(&mut end.connection, 0, &mut input, &mut end.output, &mut event) };
        assert_eq!((code, event.r#type), (Code::NoRoom, EventType::None));
        assert!((21..=MARTLET_MIN_OUTPUT).contains(&end.output.wanted));
    }
}

#[test]
fn a_frame_says_how_much_of_it_is_missing() {
    let mut server = pair(config(|_| ())).1;
    assert_eq!(server.receive(b"\x82\xfe\x01\0\0\0\0\0abc".to_vec()), ["Binary true false abc"]);
    assert_eq!(unsafe { martlet_missing(&mut server.connection) }, 253);
}
