//! Time: the heartbeat, and the deadlines of the handshake, of the Pong and of the closing handshake, on a virtual clock.

use martlet_codec::Role::{Client, Server};
use martlet_state::{Config, Connection, Expired, Instant, MIN_OUTPUT, NoRoom, State, Writer};
use martlet_tests::{Pair, Say, check::WIDE, naive};

const BEATS: Config<'_> = Config { idle_ms: 500, pong_timeout_ms: 400, ..Config::DEFAULT };
const NONE: Config<'_> = Config { idle_ms: 0, ..Config::DEFAULT };

/// What an end has said behind its head.
fn frames(pair: &Pair<'_>, role: martlet_codec::Role) -> Vec<String> {
    let said = pair.said(role);
    let end = martlet_tests::heads::end(said).unwrap_or(said.len());
    naive::meaning(role.peer(), &WIDE, &said[end..])
}

#[test]
fn an_idle_peer_is_pinged_and_answers() {
    for (role, server, client) in [(Server, &BEATS, &NONE), (Client, &NONE, &BEATS)] {
        let mut pair = Pair::open(server, client, 10);
        pair.run_until(1500);
        // Both ends were last heard during the handshake: the server at 10, the client at 20.
        let (first, pinging, pinged) =
            if role == Server { (510, "server", "client") } else { (520, "client", "server") };
        let beat = |at: u64| [format!("{} {pinged} Ping", at + 10), format!("{} {pinging} Pong", at + 20)];
        assert_eq!(pair.log(), [beat(first), beat(first + 520)].concat());
        assert_eq!(pair.state(role), State::Active);
    }
}

/// 3,600 seconds of heartbeats: every Ping has its Pong, and nothing else is said.
#[test]
fn an_hour_of_heartbeats() {
    let mut pair = Pair::open(&Config::DEFAULT, &NONE, 25);
    pair.run_until(3_600_000);
    let log = pair.log();
    let (pings, pongs): (Vec<_>, Vec<_>) = log.iter().partition(|line| line.ends_with(" client Ping"));
    assert_eq!((pings.len(), pongs.len()), (119, 119));
    assert!(pongs.iter().all(|line| line.ends_with(" server Pong")));
    assert_eq!(frames(&pair, Server), ["Ping"; 119]);
    assert_eq!((pair.state(Server), pair.state(Client)), (State::Active, State::Active));
}

#[test]
fn what_comes_puts_the_ping_off() {
    let mut pair = Pair::open(&BEATS, &NONE, 0);
    for at in 1..=10 {
        pair.run_until(at * 400);
        pair.say(Client, Say::Text("here")).unwrap();
    }
    pair.run_until(4499);
    assert!(pair.log().iter().all(|line| line.ends_with("server Text here")), "nobody was pinged");
    pair.run_until(4500);
    assert_eq!(pair.log(), ["4500 client Ping", "4500 server Pong"]);
}

#[test]
fn a_peer_that_is_gone_is_given_up() {
    for (role, server, client, name) in [(Server, &BEATS, &NONE, "server"), (Client, &NONE, &BEATS, "client")] {
        let mut pair = Pair::open(server, client, 0);
        pair.mute(role.peer());
        pair.run_until(899);
        assert_eq!(pair.state(role), State::Active);
        pair.run_until(900);
        assert!(pair.log().contains(&format!("900 {name} Pong overdue")));
        assert_eq!(pair.state(role), State::Closed);
        assert_eq!(frames(&pair, role), ["Ping", "Close 1011 no answer to a ping"]);
        assert_eq!(pair.timeout(role), None, "a closed connection has no timers");
    }
}

/// Any octet is a sign of life: the Pong may queue behind a long message.
#[test]
fn a_message_counts_for_a_pong() {
    let quiet = Config { auto_pong: false, ..NONE };
    let mut pair = Pair::open(&BEATS, &quiet, 0);
    pair.run_until(600);
    pair.say(Client, Say::Binary(b"no pong, but alive")).unwrap();
    pair.run_until(1099);
    assert_eq!(pair.log(), ["500 client Ping", "600 server Binary no pong, but alive"]);
    // The next Ping comes idle_ms after that, and now nothing follows.
    pair.run_until(1600);
    assert_eq!(
        pair.log(),
        ["1100 client Ping", "1500 server Pong overdue", "1500 client Close 1011 no answer to a ping"]
    );
}

#[test]
fn pongs_that_nobody_asked_for_are_told_and_count_as_life() {
    let mut pair = Pair::open(&BEATS, &NONE, 0);
    pair.run_until(400);
    pair.say(Client, Say::Pong(b"unasked")).unwrap();
    pair.run_until(899);
    assert_eq!(pair.log(), ["400 server Pong unasked"]);
}

#[test]
fn a_request_that_does_not_come_is_not_awaited_for_ever() {
    let mut pair = Pair::new(&Config::DEFAULT, &NONE, 60_000);
    assert_eq!(pair.timeout(Server), Some(10_000));
    pair.run_until(10_000);
    assert_eq!(pair.log(), ["10000 client Handshake overdue", "10000 server Handshake overdue"]);
    assert_eq!((pair.state(Server), pair.state(Client)), (State::Closed, State::Closed));
    // Not an octet of a request has come, so that there is nobody to answer.
    assert_eq!(pair.said(Server), b"");
}

#[test]
fn half_a_request_is_answered_by_408() {
    let config = Config::DEFAULT;
    for (sent, status) in [(1, "408"), (60, "408"), (usize::MAX, "503")] {
        let mut connection = Connection::server(&config, Instant(5));
        let (mut room, request) = ([0; MIN_OUTPUT], martlet_tests::heads::REQUEST.as_bytes());
        let mut head = request[..sent.min(request.len())].to_vec();
        let (mut output, mut input) = (Writer::new(&mut room), &mut head[..]);
        while let Ok(martlet_state::Status::Event(_)) = connection.receive(Instant(6), &mut input, &mut output) {}
        assert_eq!(connection.poll_timeout(), Some(Instant(10_005)));
        assert_eq!(connection.tick(Instant(10_004), &mut output), Ok(None));
        assert_eq!(connection.tick(Instant(10_005), &mut output), Ok(Some(Expired::Handshake)));
        assert!(
            output.written().starts_with(format!("HTTP/1.1 {status} ").as_bytes()),
            "{}",
            output.written().escape_ascii()
        );
        assert_eq!(connection.state(), State::Closed);
        assert_eq!(connection.tick(Instant(99_999), &mut output), Ok(None));
    }
}

#[test]
fn without_a_deadline_the_handshake_may_take_any_time() {
    let patient = Config { handshake_timeout_ms: 0, idle_ms: 0, ..Config::DEFAULT };
    let mut pair = Pair::open(&patient, &patient, 5_000_000);
    assert_eq!((pair.timeout(Server), pair.timeout(Client)), (None, None));
    pair.run_until(20_000_000);
    assert_eq!(pair.log(), [""; 0]);
}

#[test]
fn the_close_of_the_peer_is_not_awaited_for_ever() {
    for role in [Server, Client] {
        let mut pair = Pair::open(&NONE, &NONE, 0);
        pair.run_until(1000);
        pair.mute(role.peer());
        pair.say(role, Say::Close(Some((1001, "")))).unwrap();
        assert_eq!((pair.state(role), pair.timeout(role)), (State::Closing, Some(6000)));
        pair.run_until(5999);
        assert_eq!(pair.state(role), State::Closing);
        pair.run_until(6000);
        assert!(pair.log().last().unwrap().ends_with("Close overdue"));
        assert_eq!((pair.state(role), frames(&pair, role)), (State::Closed, vec!["Close 1001".to_owned()]));
    }
}

#[test]
fn in_time_the_closing_handshake_is_complete() {
    for role in [Server, Client] {
        let mut pair = Pair::open(&BEATS, &BEATS, 100);
        pair.run_until(300);
        pair.say(role, Say::Close(Some((4000, "done")))).unwrap();
        pair.run_until(9000);
        let names = if role == Server { ["client", "server"] } else { ["server", "client"] };
        assert_eq!(pair.log(), [format!("400 {} Close 4000 done", names[0]), format!("500 {} Close 4000", names[1])]);
        assert_eq!((pair.state(Server), pair.state(Client)), (State::Closed, State::Closed));
    }
}

#[test]
fn both_close_at_the_same_moment() {
    let mut pair = Pair::open(&BEATS, &BEATS, 100);
    pair.say(Server, Say::Close(Some((1001, "")))).unwrap();
    pair.say(Client, Say::Close(Some((1000, "bye")))).unwrap();
    pair.run_until(9000);
    let mut log = pair.log();
    log.sort_unstable();
    assert_eq!(log, ["300 client Close 1001", "300 server Close 1000 bye"]);
    assert_eq!(
        (frames(&pair, Server), frames(&pair, Client)),
        (vec!["Close 1001".into()], vec!["Close 1000 bye".into()])
    );
    assert_eq!((pair.state(Server), pair.state(Client)), (State::Closed, State::Closed));
}

/// A tick that must say something, a Ping or a server's 408, does nothing without room for it, and does it later.
#[test]
fn a_tick_needs_room() {
    let config = Config::DEFAULT;
    for room in [0, 1, 200, MIN_OUTPUT - 1] {
        let mut connection = Connection::server(&config, Instant(0));
        let mut octets = vec![0xa5; room];
        let mut output = Writer::new(&mut octets);
        assert_eq!(connection.tick(Instant(10_000), &mut output), Err(NoRoom { wanted: MIN_OUTPUT }));
        assert_eq!((connection.state(), output.len()), (State::Connection, 0));
        let mut octets = vec![0xa5; MIN_OUTPUT];
        assert_eq!(connection.tick(Instant(10_000), &mut Writer::new(&mut octets)), Ok(Some(Expired::Handshake)));
    }
}

/// A clock that goes back delays timers and breaks nothing.
#[test]
fn a_clock_that_goes_back() {
    let config = BEATS;
    let mut connection = Connection::server(&config, Instant(1_000_000));
    let mut octets = [0; MIN_OUTPUT];
    let mut output = Writer::new(&mut octets);
    for now in [0, 999_999, 1_009_999, 5] {
        assert_eq!(connection.tick(Instant(now), &mut output), Ok(None));
    }
    assert_eq!(connection.tick(Instant(u64::MAX), &mut output), Ok(Some(Expired::Handshake)));
    // At the end of time deadlines do not wrap.
    let late = Connection::server(&config, Instant(u64::MAX - 1));
    assert_eq!(late.poll_timeout(), Some(Instant(u64::MAX)));
}

/// An application may take its time over a request. The client was not idle meanwhile: it waited, and is pinged `idle_ms` later.
#[test]
fn the_heartbeat_begins_with_the_answer() {
    let config = BEATS;
    let mut connection = Connection::server(&config, Instant(0));
    let (mut room, mut head) = ([0; MIN_OUTPUT * 2], martlet_tests::heads::REQUEST.as_bytes().to_vec());
    let (mut output, mut input) = (Writer::new(&mut room), &mut head[..]);
    let status = connection.receive(Instant(6), &mut input, &mut output);
    assert!(matches!(status, Ok(martlet_state::Status::Event(_))), "{status:?}");
    connection.accept(Instant(5000), &martlet_state::Accept::default(), &mut output).unwrap();
    assert_eq!(connection.poll_timeout(), Some(Instant(5500)));
    let said = output.len();
    assert_eq!((connection.tick(Instant(5499), &mut output), output.len()), (Ok(None), said));
    assert_eq!(connection.tick(Instant(5500), &mut output), Ok(None));
    assert_eq!(output.written()[said..], *b"\x89\x00");
}
