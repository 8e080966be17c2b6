//! A whole connection, from the first octet of the handshake to its end, fed by a plan: what it tells, what it says, where it stands.

use crate::cuts::Plan;
use crate::heads;
use crate::naive;
use crate::transcript::{Transcript, control};
use crate::wire::Wire;
use martlet_codec::{DataKind, MIN_INPUT, Role, Violation, Writer};
use martlet_state::{
    Accept, Client, ClientRequest, CloseFrame, Config, Connection, Event, Fault, Instant, Kind, MIN_OUTPUT, Payload,
    Request, Response, SendError, Side, State, Status,
};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;
use std::fmt;

/// What the application does.
#[derive(Clone, Copy, Debug, Default)]
pub struct App<'a> {
    /// What it says to a request for a WebSocket, unless it responds.
    pub accept: Accept<'a>,
    /// The status that it answers every request with.
    pub respond: Option<u16>,
    /// Whether it sends each message back.
    pub echo: bool,
    /// Behind how many messages it closes, with which code and reason.
    pub close_after: Option<(usize, u16, &'a str)>,
}

/// How much room there is for what the connection says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// As much as is always enough.
    Enough,
    /// One octet more with each call, from none, until it is enough.
    Growing,
}

/// What came of a connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it told, line by line; a fault is the last.
    pub lines: Vec<String>,
    /// What it said, octet for octet.
    pub said: Vec<u8>,
    /// Where it stands.
    pub state: State,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, having told {:?} and said \"{}\"", self.state, self.lines, self.said.escape_ascii())
    }
}

impl Outcome {
    /// What it said behind its head, as its peer's naive decoder reads it.
    pub fn frames(&self, role: Role) -> Vec<String> {
        let end = heads::end(&self.said).unwrap_or(self.said.len());
        naive::meaning(role.peer(), &crate::check::WIDE, &self.said[end..])
    }
}

/// The random numbers of every client here: any stream will do, if it is always the same.
pub fn rng() -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(7)
}

/// What a client asks for, in every test that does not say otherwise.
pub const REQUEST: ClientRequest<'static> = ClientRequest {
    host: "server.example.com",
    target: "/chat",
    origin: None,
    subprotocols: &[],
    deflate: None,
    extensions: None,
    headers: &[],
};

/// A server that gets `wire`, from the request on.
pub fn serve(config: &Config<'_>, app: App<'_>, wire: &[u8], plan: &Plan, room: Room) -> Outcome {
    let mut connection = Connection::server(config, Instant(0));
    let mut driver =
        Driver { app, room, plan, transcript: Transcript::new(), said: Vec::new(), messages: 0, fault: None };
    driver.run(&mut connection, wire, &mut |connection, kind, output| match (app.respond, kind) {
        (Some(status), _) => connection.respond(&Response::new(status, b"no\n"), output),
        (None, Kind::Upgrade(_)) => connection.accept(Instant(0), &app.accept, output),
        (None, Kind::Plain(_)) => connection.respond(&Response::new(404, b"nothing here\n"), output),
    });
    driver.outcome(&connection)
}

/// A client that gets what `wire` makes of its request, from the response on.
pub fn connect(
    config: &Config<'_>,
    app: App<'_>,
    wire: impl FnOnce(&[u8]) -> Vec<u8>,
    plan: &Plan,
    room: Room,
) -> Outcome {
    let mut octets = [0xa5; 1024];
    let mut output = Writer::new(&mut octets);
    let connection = Connection::client(config, Instant(0), rng(), &REQUEST, &mut output);
    let mut connection = connection.expect("a request that fits");
    let said = output.written().to_vec();
    let wire = wire(&said);
    let mut driver = Driver { app, room, plan, transcript: Transcript::new(), said, messages: 0, fault: None };
    driver.run(&mut connection, &wire, &mut |_: &mut Connection<'_, Client<ChaCha12Rng>>, _, _| {
        unreachable!("a client gets no request")
    });
    driver.outcome(&connection)
}

/// Either of the two: a right handshake, and `frames` behind it.
pub fn talk(role: Role, config: &Config<'_>, app: App<'_>, frames: &[u8], plan: &Plan, room: Room) -> Outcome {
    match role {
        Role::Server => serve(config, app, &[heads::REQUEST.as_bytes(), frames].concat(), plan, room),
        Role::Client => {
            connect(config, app, |request| [heads::response_to(request).as_bytes(), frames].concat(), plan, room)
        }
    }
}

/// The whole state machine, for both roles: the handshake and what `build` puts behind it, as one stream, must be told as `lines`,
/// be answered by frames as `said`, and end in `state`; in every cutting octet for octet the same, with little room for answers too.
#[track_caller]
pub fn check_connection(
    config: &Config<'_>,
    app: App<'_>,
    build: impl Fn(Wire) -> Wire,
    lines: &[&str],
    said: &[&str],
    state: State,
) {
    for role in crate::check::ROLES {
        let frames = build(Wire::to(role));
        let whole = talk(role, config, app, frames.octets(), &Plan::WHOLE, Room::Enough);
        let opened = match role {
            Role::Server => "Request GET /chat",
            Role::Client => "Open",
        };
        assert_eq!(whole.lines.first().map(String::as_str), Some(opened), "{role:?}");
        assert_eq!(&whole.lines[1..], lines, "{role:?}: what it tells");
        assert_eq!(whole.frames(role), said, "{role:?}: what it says");
        assert_eq!(whole.state, state, "{role:?}");
        let head = heads::REQUEST.len().max(heads::RESPONSE.len());
        for plan in Plan::all(head + frames.len(), head + MIN_INPUT) {
            let cut = talk(role, config, app, frames.octets(), &plan, Room::Enough);
            assert_eq!(cut, whole, "{role:?}, {plan:?}");
        }
        for plan in Plan::some().into_iter().filter(|plan| plan.capacity > head) {
            let tight = talk(role, config, app, frames.octets(), &plan, Room::Growing);
            // A client may draw a key for a frame that then finds no room: keys differ, what they mask does not.
            let same = tight.frames(role) == said && (role == Role::Client || tight.said == whole.said);
            assert!(same, "{role:?}, {plan:?}, with growing room: {tight:?}, not {whole:?}");
            assert_eq!(
                (tight.lines, tight.state),
                (whole.lines.clone(), state),
                "{role:?}, {plan:?}, with growing room"
            );
        }
    }
}

type Answer<'f, 'c, S> = &'f mut dyn FnMut(&mut Connection<'c, S>, Kind, &mut Writer<'_>) -> Result<(), SendError>;

struct Driver<'a> {
    app: App<'a>,
    room: Room,
    plan: &'a Plan,
    transcript: Transcript,
    said: Vec<u8>,
    messages: usize,
    fault: Option<Fault>,
}

impl Driver<'_> {
    fn run<'c, S: Side>(&mut self, connection: &mut Connection<'c, S>, wire: &[u8], answer: Answer<'_, 'c, S>) {
        self.plan.feed(wire, |octets| {
            let mut input = octets;
            while self.turn(connection, &mut input, answer) {}
            if connection.state() == State::Closed {
                assert!(input.is_empty(), "a closed connection takes whatever comes");
            }
            Some(input.len())
        });
    }

    /// One call of `receive`, and what the application does about it; false if more octets are needed.
    fn turn<'c, S: Side>(
        &mut self,
        connection: &mut Connection<'c, S>,
        input: &mut &mut [u8],
        answer: Answer<'_, 'c, S>,
    ) -> bool {
        let mut room = match self.room {
            Room::Enough => MIN_OUTPUT,
            Room::Growing => 0,
        };
        loop {
            // With enough room there is nothing to compare with.
            let before = (room < MIN_OUTPUT).then(|| (input.to_vec(), connection.state()));
            let mut octets = [0xa5; MIN_OUTPUT];
            let mut output = Writer::new(&mut octets[..room]);
            let status = connection.receive(Instant(0), input, &mut output);
            self.said.extend(output.written());
            match status {
                Ok(Status::More) => return false,
                Ok(Status::NoRoom(no_room)) => {
                    assert!(output.is_empty() && room < no_room.wanted && no_room.wanted <= MIN_OUTPUT);
                    assert_eq!(before, Some((input.to_vec(), connection.state())), "without room nothing happens");
                    room += 1;
                }
                Ok(Status::Event(event)) => {
                    self.came(connection, event, answer);
                    return true;
                }
                Err(fault) => {
                    assert_eq!(self.fault.replace(fault), None, "a fault comes once");
                    assert_eq!(connection.state(), State::Closed, "a fault closes");
                    return true;
                }
            }
        }
    }

    fn came<'c, S: Side>(&mut self, connection: &mut Connection<'c, S>, event: Event<'_>, answer: Answer<'_, 'c, S>) {
        assert_eq!(self.fault, None, "nothing comes behind a fault");
        match event {
            Event::Line(line) => self.transcript.line(format!("{line:?}")),
            Event::Request { head, kind } => {
                let line = match Request::parse(head) {
                    Some(head) => format!("Request {} {}", head.method(), head.target()),
                    None => "Request".to_owned(),
                };
                self.transcript.line(line);
                self.say(MIN_OUTPUT, |output| answer(connection, kind, output));
                self.close_if_due(connection);
            }
            Event::Open(_) => {
                self.transcript.line("Open");
                self.close_if_due(connection);
            }
            Event::Data(data) => {
                let Some((kind, payload)) = self.transcript.data(&data) else { return };
                self.messages += 1;
                if self.app.echo && connection.state() == State::Active {
                    let payload = match kind {
                        DataKind::Text => Payload::Text(std::str::from_utf8(&payload).expect("checked")),
                        DataKind::Binary => Payload::Binary(&payload),
                    };
                    self.say(payload.as_bytes().len() + 14, |output| connection.send(payload, output));
                }
                self.close_if_due(connection);
            }
            Event::Ping(body) => self.transcript.line(control("Ping", body)),
            Event::Pong(body) => self.transcript.line(control("Pong", body)),
            Event::Close(frame) => self.transcript.close(frame.as_ref()),
        }
    }

    fn close_if_due<S: Side>(&mut self, connection: &mut Connection<'_, S>) {
        if let Some((messages, code, reason)) = self.app.close_after
            && messages == self.messages
            && connection.state() == State::Active
        {
            let frame = CloseFrame::new(code, reason).expect("a legal Close");
            self.say(MIN_OUTPUT, |output| connection.close(Instant(0), Some(frame), output));
        }
    }

    /// The application says something: whole, or not at all while there is too little room for it.
    fn say(&mut self, most: usize, mut say: impl FnMut(&mut Writer<'_>) -> Result<(), SendError>) {
        let mut room = match self.room {
            Room::Enough => most,
            Room::Growing => 0,
        };
        loop {
            let mut octets = vec![0xa5; room];
            let mut output = Writer::new(&mut octets);
            match say(&mut output) {
                Ok(()) => return self.said.extend(output.written()),
                Err(SendError::NoRoom(no_room)) => {
                    assert!(output.is_empty() && room < no_room.wanted, "{no_room:?} with {room}");
                    // Long messages would take long: what is left is tried near the end.
                    room = (room + 1).max(no_room.wanted.saturating_sub(300));
                }
                Err(SendError::Misuse(misuse)) => panic!("{misuse:?}"),
            }
        }
    }

    fn outcome<S: Side>(self, connection: &Connection<'_, S>) -> Outcome {
        let violation: Option<Violation> = match self.fault {
            Some(Fault::Violation(violation)) => Some(violation),
            Some(Fault::Refusal(_) | Fault::Response(_)) | None => None,
        };
        let mut lines = self.transcript.finish(violation);
        match self.fault {
            Some(Fault::Refusal(refusal)) => lines.push(format!("{refusal:?}")),
            Some(Fault::Response(fault)) => lines.push(format!("{fault:?}")),
            Some(Fault::Violation(_)) | None => {}
        }
        Outcome { lines, said: self.said, state: connection.state() }
    }
}
