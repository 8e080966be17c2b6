//! What a C program can do wrong, as far as it can be told: an error code, and nothing is done.

use crate::kit::*;
use martlet_c::*;
use std::ffi::{c_int, c_void};
use std::ptr::{null, null_mut};

#[test]
fn null_where_something_must_be() {
    let (config, size) = (config(|_| ()), size_of::<Connection>());
    let (mut client, mut server) = pair(config);
    let request = ClientRequest { host: octets("h"), target: octets("/"), ..storage() };
    let mut fresh = storage::<Connection>();
    let mut input = Input { ptr: null_mut(), len: 0 };
    let mut event = storage::<Event>();
    let (c, out, f, s) = (&raw mut server.connection, &raw mut server.output, &raw mut fresh, defaults());
    let no = null_mut::<Connection>();
    let codes = unsafe {
        [
            martlet_settings_default(null_mut()),
            martlet_config_init(null_mut(), MARTLET_CONFIG_SIZE, &s, null_mut()),
            martlet_config_init(&mut storage(), MARTLET_CONFIG_SIZE, null(), null_mut()),
            martlet_config_init(
                &mut storage(),
                MARTLET_CONFIG_SIZE,
                &Settings { subprotocol_count: 1, ..s },
                null_mut(),
            ),
            martlet_server_init(null_mut(), size, config, 0),
            martlet_server_init(f, size, null(), 0),
            martlet_client_init(null_mut(), size, config, 0, &request, Some(count), counter(), out),
            martlet_client_init(f, size, null(), 0, &request, Some(count), counter(), out),
            martlet_client_init(f, size, config, 0, null(), Some(count), counter(), out),
            martlet_client_init(f, size, config, 0, &request, None, counter(), out),
            martlet_client_init(f, size, config, 0, &request, Some(count), counter(), null_mut()),
            martlet_receive(no, 0, &mut input, out, &mut event),
            martlet_receive(c, 0, null_mut(), out, &mut event),
            martlet_receive(c, 0, &mut input, null_mut(), &mut event),
            martlet_receive(c, 0, &mut input, out, null_mut()),
            martlet_receive(c, 0, &mut Input { ptr: null_mut(), len: 1 }, out, &mut event),
            martlet_accept(no, 0, null(), 0, out),
            martlet_accept(c, 0, null(), 1, out),
            martlet_accept(c, 0, null(), 0, null_mut()),
            martlet_respond(c, null(), out),
            martlet_respond(no, &storage(), out),
            martlet_send_text(no, null(), 0, out),
            martlet_send_text(c, null(), 1, out),
            martlet_send_text(c, null(), 0, null_mut()),
            martlet_send_binary(no, null(), 0, out),
            martlet_send_binary(c, null(), 1, out),
            martlet_send_fragment(no, 1, null(), 0, true, out),
            martlet_send_fragment(c, 1, null(), 1, true, out),
            martlet_ping(no, null(), 0, out),
            martlet_ping(c, null(), 1, out),
            martlet_pong(no, null(), 0, out),
            martlet_pong(c, null(), 1, out),
            martlet_close(no, 0, 1000, null(), 0, out),
            martlet_close(c, 0, 1000, null(), 1, out),
            martlet_tick(no, 0, out),
            martlet_tick(c, 0, null_mut()),
            martlet_send_text(c, b"".as_ptr(), 0, &mut Output { ptr: null_mut(), size: 1, len: 0, wanted: 0 }),
            martlet_request_parse(octets(""), null_mut()),
            martlet_request_parse(Octets { ptr: null(), len: 1 }, &mut storage()),
        ]
    };
    for (at, code) in codes.into_iter().enumerate() {
        assert_eq!(code, Code::MisuseNull, "row {at}");
    }
    unsafe {
        assert_eq!(martlet_state_of(null_mut()), State::None);
        assert_eq!(martlet_poll_timeout(null_mut()), MARTLET_NEVER);
        assert_eq!(martlet_missing(null_mut()), 0);
        assert!(!martlet_eof(null_mut()));
        assert!(!martlet_request_header(octets(""), octets(""), 0, null_mut()));
    }
    // Nothing happened to either.
    assert_eq!((server.state(), server.output.len), (State::Active, 0));
    assert_eq!(client.text(b"still"), Code::Ok);
    assert_eq!(server.receive(client.written()), ["Text true true still"]);
    // NULL is fine for nothing at all.
    assert_eq!(unsafe { martlet_send_text(&mut server.connection, null(), 0, &mut server.output) }, Code::Ok);
    assert_eq!(server.written(), b"\x81\0");
}

#[test]
fn storage_that_is_too_small_misaligned_or_holds_nothing() {
    let config = config(|_| ());
    let mut end = End::server(config);
    let mut room = [0u64; 64];
    unsafe {
        let (connection, odd) =
            (room.as_mut_ptr().cast::<Connection>(), room.as_mut_ptr().cast::<u8>().add(1).cast::<Connection>());
        assert_eq!(martlet_server_init(connection, MARTLET_CONNECTION_SIZE - 1, config, 0), Code::MisuseStorage);
        assert_eq!(martlet_server_init(odd, MARTLET_CONNECTION_SIZE, config, 0), Code::MisuseStorage);
        assert_eq!(martlet_tick(odd, 0, &mut end.output), Code::MisuseStorage);
        assert_eq!(martlet_tick(connection, 0, &mut end.output), Code::MisuseNotInitialised);
        assert_eq!(martlet_state_of(connection), State::None);
        assert_eq!(martlet_server_init(connection, MARTLET_CONNECTION_SIZE, config, 0), Code::Ok);
        assert_eq!(martlet_state_of(connection), State::Connection);

        let (small, settings) = (MARTLET_CONFIG_SIZE - 1, defaults());
        assert_eq!(martlet_config_init(&mut storage(), small, &settings, null_mut()), Code::MisuseStorage);
        assert_eq!(martlet_server_init(connection, 4096, &storage(), 0), Code::MisuseNotInitialised);
        let moved = Config { opaque: config.opaque };
        assert_eq!(martlet_server_init(connection, 4096, &moved, 0), Code::MisuseNotInitialised);
    }
}

/// The core's connection is not tied to its place, and so C may copy it: one of the two is used then.
#[test]
fn a_connection_may_be_moved() {
    let mut end = End::server(config(|_| ()));
    let moved = Connection { opaque: end.connection.opaque };
    end.connection = storage();
    assert_eq!(end.state(), State::None);
    end.connection = moved;
    assert_eq!(end.state(), State::Connection);
}

#[test]
fn lengths_and_places_that_cannot_be() {
    let mut server = pair(config(|_| ())).1;
    let (mut event, mut room) = (storage::<Event>(), [0u8; 1024]);
    let ptr = room.as_mut_ptr();
    let c = &raw mut server.connection;
    let output = |size, len| Output { ptr, size, len, wanted: 0 };
    unsafe {
        let huge = usize::MAX / 2 + 1;
        assert_eq!(martlet_send_text(c, ptr, huge, &mut server.output), Code::MisuseLength);
        assert_eq!(martlet_send_text(c, null(), 0, &mut output(1024, 1025)), Code::MisuseLength);
        assert_eq!(martlet_send_text(c, null(), 0, &mut output(huge, 0)), Code::MisuseLength);
        let (mut input, mut out) =
            (Input { ptr, len: 513 }, Output { ptr: ptr.add(512), size: 512, len: 0, wanted: 0 });
        assert_eq!(martlet_receive(c, 0, &mut input, &mut out, &mut event), Code::MisuseOverlap);
        assert_eq!((input.len, out.len), (513, 0));
        assert_eq!(martlet_send_binary(c, ptr.add(1023), 1, &mut out), Code::MisuseOverlap);
        assert_eq!(martlet_send_binary(c, ptr.add(511), 1, &mut out), Code::Ok);
        let response = Response { body: Octets { ptr: ptr.add(600), len: 1 }, status: 200, ..storage() };
        assert_eq!(martlet_respond(c, &response, &mut out), Code::MisuseOverlap);
        let header = Header { name: Octets { ptr: ptr.add(600), len: 1 }, value: octets("x") };
        assert_eq!(martlet_accept(c, 0, &header, 1, &mut out), Code::MisuseOverlap);
    }
    assert_eq!(server.state(), State::Active);
}

#[test]
fn what_may_not_be_sent_or_asked() {
    let (mut client, mut server) = pair(config(|_| ()));
    let long = [b'x'; 126];
    let (c, out) = (&raw mut server.connection, &raw mut server.output);
    let header = Header { name: octets("A"), value: octets("b") };
    let headers = [header; MARTLET_MAX_HEADERS + 1];
    unsafe {
        assert_eq!(martlet_send_text(c, b"\xff".as_ptr(), 1, out), Code::MisuseUtf8);
        assert_eq!(martlet_send_fragment(c, 3, null(), 0, true, out), Code::MisuseKind);
        assert_eq!(martlet_send_fragment(c, 0, null(), 0, true, out), Code::MisuseKind);
        assert_eq!(martlet_ping(c, long.as_ptr(), 126, out), Code::MisuseControlTooLong);
        assert_eq!(martlet_pong(c, long.as_ptr(), 126, out), Code::MisuseControlTooLong);
        assert_eq!(martlet_close(c, 0, 1005, null(), 0, out), Code::MisuseCloseCode);
        assert_eq!(martlet_close(c, 0, 1000, long.as_ptr(), 124, out), Code::MisuseCloseReason);
        assert_eq!(martlet_close(c, 0, 0, long.as_ptr(), 1, out), Code::MisuseCloseReason);
        assert_eq!(martlet_close(c, 0, 1000, b"\xff".as_ptr(), 1, out), Code::MisuseUtf8);
        assert_eq!(martlet_accept(c, 0, null(), 0, out), Code::MisuseNoUpgrade);
        assert_eq!(martlet_accept(c, 0, headers.as_ptr(), headers.len(), out), Code::MisuseTooMany);
        let (c, out) = (&raw mut client.connection, &raw mut client.output);
        assert_eq!(martlet_accept(c, 0, null(), 0, out), Code::MisuseRole);
        assert_eq!(martlet_respond(c, &storage(), out), Code::MisuseRole);
    }
    assert_eq!((server.output.len, client.output.len), (0, 0));
}

#[test]
fn heads_that_may_not_be_written() {
    let config = config(|_| ());
    let asked = || {
        let mut server = End::server(config);
        let mut wire = End::client(config, Some(count), counter()).unwrap().written();
        server.drain(&mut wire, |_, _| ());
        server
    };
    let rows = [
        (octets("a b"), octets("c"), Code::MisuseHeaderName),
        (octets("a"), octets("b\r\nc"), Code::MisuseHeaderValue),
        (octets("Sec-WebSocket-Accept"), octets("b"), Code::MisuseHeaderReserved),
        (octets("a"), Octets { ptr: b"\xff".as_ptr(), len: 1 }, Code::MisuseUtf8),
    ];
    for (name, value, code) in rows {
        let (mut server, header) = (asked(), Header { name, value });
        let (c, out) = (&raw mut server.connection, &raw mut server.output);
        assert_eq!(unsafe { martlet_accept(c, 0, &header, 1, out) }, code);
        assert_eq!((server.accept(), server.state()), (Code::Ok, State::Active), "nothing was done before");
    }
    let mut server = asked();
    for (status, code) in [(199, Code::MisuseStatus), (204, Code::MisuseBody), (500, Code::Ok)] {
        let response = Response { body: octets("x"), status, ..storage() };
        let (c, out) = (&raw mut server.connection, &raw mut server.output);
        assert_eq!(unsafe { martlet_respond(c, &response, out) }, code);
    }
    let requests = [
        (octets(""), octets("/"), octets(""), Code::MisuseHost),
        (octets("h"), octets("no"), octets(""), Code::MisuseTarget),
        (octets("h"), octets("/"), octets("http://é"), Code::MisuseOrigin),
    ];
    for (host, target, origin, code) in requests {
        let request = ClientRequest { host, target, origin, ..storage() };
        let mut end = End::server(config);
        let (c, out) = (&raw mut end.connection, &raw mut end.output);
        let size = size_of::<Connection>();
        let told = unsafe { martlet_client_init(c, size, config, 0, &request, Some(count), counter(), out) };
        assert_eq!((told, end.output.len), (code, 0));
    }
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let long = [octets("a"); MARTLET_MAX_SUBPROTOCOLS + 1];
    let words = [octets("two words")];
    let rows = [
        (Settings { max_frame_bytes: 0, ..defaults() }, Code::MisuseConfig, "max_frame_bytes"),
        (Settings { max_head_bytes: 100, ..defaults() }, Code::MisuseConfig, "max_head_bytes"),
        (Settings { pong_timeout_ms: 0, ..defaults() }, Code::MisuseConfig, "pong_timeout_ms"),
        (
            Settings { subprotocols: words.as_ptr(), subprotocol_count: 1, ..defaults() },
            Code::MisuseConfig,
            "subprotocols",
        ),
        (
            Settings { subprotocols: long.as_ptr(), subprotocol_count: long.len(), ..defaults() },
            Code::MisuseTooMany,
            "",
        ),
    ];
    for (settings, code, name) in rows {
        let (mut config, mut wrong) = (storage::<Config>(), octets(""));
        let told = unsafe { martlet_config_init(&mut config, MARTLET_CONFIG_SIZE, &settings, &mut wrong) };
        assert_eq!((told, shown(wrong)), (code, name.as_bytes()));
        let server = unsafe { martlet_server_init(&mut storage(), MARTLET_CONNECTION_SIZE, &config, 0) };
        assert_eq!(server, Code::MisuseNotInitialised);
    }
}

/// A source that gives random octets so many times and then has none.
unsafe extern "C" fn runs_dry(context: *mut c_void, _: *mut u8, _: usize) -> c_int {
    let left = unsafe { &mut *context.cast::<c_int>() };
    *left -= 1;
    if *left < 0 { -1 } else { 0 }
}

#[test]
fn without_random_octets_nothing_goes_out() {
    let config = config(|_| ());
    let dry = |left: c_int| Box::into_raw(Box::new(left)).cast();
    assert_eq!(End::client(config, Some(runs_dry), dry(0)).err(), Some(Code::RandomFailed));

    type Act = fn(&mut End) -> Code;
    let acts: [Act; 5] = [
        |client| client.text(b"secret"),
        |client| client.fragment(Kind::Text, b"secret", false),
        |client| unsafe { martlet_ping(&mut client.connection, null(), 0, &mut client.output) },
        |client| client.close(1000, b""),
        |client| unsafe { martlet_tick(&mut client.connection, 30_000, &mut client.output) },
    ];
    let opened = |left| {
        let (mut client, mut server) = (End::client(config, Some(runs_dry), dry(left)).unwrap(), End::server(config));
        server.receive(client.written());
        client.receive(server.written());
        client
    };
    for act in acts {
        let mut client = opened(2);
        assert_eq!(client.text(b"first"), Code::Ok);
        let before = client.output.len;
        assert_eq!(act(&mut client), Code::RandomFailed);
        assert_eq!((client.output.len, client.state()), (before, State::Closed));
    }
    // The Pong that receiving would have sent.
    let mut client = opened(1);
    let mut wire = b"\x89\x01x".to_vec();
    let log = client.drain(&mut wire, |_, _| panic!("no event"));
    assert_eq!(log, ["RandomFailed 0"]);
    assert_eq!((client.output.len, client.state()), (0, State::Closed));
}

/// A source that uses the connection which asks it.
unsafe extern "C" fn calls_back(context: *mut c_void, _: *mut u8, _: usize) -> c_int {
    let connection = context.cast::<Connection>();
    if unsafe { (*connection).opaque[0] } == 0 {
        return 0; // It does not live yet.
    }
    let mut room = [0; 64];
    let mut output = Output { ptr: room.as_mut_ptr(), size: room.len(), len: 0, wanted: 0 };
    let state = unsafe { martlet_state_of(connection) };
    let sent = unsafe { martlet_send_text(connection, null(), 0, &mut output) };
    c_int::from((state, sent) != (State::None, Code::MisuseBusy))
}

#[test]
fn a_call_from_inside_a_call_is_told() {
    let config = config(|_| ());
    let connection = Box::into_raw(Box::new(storage::<Connection>()));
    let mut room = [0; 1024];
    let mut output = Output { ptr: room.as_mut_ptr(), size: room.len(), len: 0, wanted: 0 };
    let request = ClientRequest { host: octets("h"), target: octets("/"), ..storage() };
    let size = size_of::<Connection>();
    unsafe {
        let random: Random = Some(calls_back);
        let begun = martlet_client_init(connection, size, config, 0, &request, random, connection.cast(), &mut output);
        assert_eq!(begun, Code::Ok);
        let mut server = End::server(config);
        server.receive(room[..output.len].to_vec());
        let mut answer = server.written();
        let (mut input, mut event) = (Input { ptr: answer.as_mut_ptr(), len: answer.len() }, storage());
        assert_eq!(martlet_receive(connection, 0, &mut input, &mut output, &mut event), Code::Ok);
        assert_eq!(martlet_ping(connection, null(), 0, &mut output), Code::Ok, "the source says that it was told");
        assert_eq!(martlet_state_of(connection), State::Active);
        drop(Box::from_raw(connection));
    }
}
