//! Two ends on one virtual clock, joined by pipes in memory: an hour of heartbeats takes microseconds.
//!
//! Each thing that an end tells becomes a line of the log: when, which end, and what.

use crate::drive::{REQUEST, rng};
use crate::transcript::{Transcript, control};
use martlet_codec::{Role, Writer};
use martlet_state::{
    Accept, Client, CloseFrame, Config, Connection, Event, Expired, Instant, Kind, MIN_OUTPUT, Payload, SendError,
    Server, Side, State, Status,
};
use rand_chacha::ChaCha12Rng;
use std::collections::VecDeque;

/// A client and a server.
#[derive(Debug)]
pub struct Pair<'c> {
    /// Milliseconds since the beginning.
    now: u64,
    latency_ms: u64,
    client: End<'c, Client<ChaCha12Rng>>,
    server: End<'c, Server>,
    log: Vec<String>,
}

/// What an end can be told to do.
#[derive(Clone, Copy, Debug)]
pub enum Say<'a> {
    /// Send a text message.
    Text(&'a str),
    /// Send a binary message.
    Binary(&'a [u8]),
    /// Send a fragment of a text message, which may be the last.
    Fragment(&'a str, bool),
    /// Send a Ping.
    Ping(&'a [u8]),
    /// Send a Pong.
    Pong(&'a [u8]),
    /// Begin the closing handshake.
    Close(Option<(u16, &'a str)>),
}

#[derive(Debug)]
struct End<'c, S: Side> {
    name: &'static str,
    connection: Connection<'c, S>,
    /// Octets on their way to this end, with the time at which they come.
    pipe: VecDeque<(u64, Vec<u8>)>,
    /// Octets that came and were not taken.
    held: Vec<u8>,
    transcript: Transcript,
    /// What this end says is lost.
    is_mute: bool,
    /// Says 101 as soon as it is asked.
    accepts: bool,
    /// All that it has said, whether that was lost or not.
    said: Vec<u8>,
}

impl<'c> Pair<'c> {
    /// The client has said its request, which is on its way.
    pub fn new(server: &'c Config<'c>, client: &'c Config<'c>, latency_ms: u64) -> Self {
        let mut octets = [0; 1024];
        let mut output = Writer::new(&mut octets);
        let client = Connection::client(client, Instant(0), rng(), &REQUEST, &mut output).expect("a request that fits");
        let mut pair = Self {
            now: 0,
            latency_ms,
            client: End::new("client", client),
            server: End::new("server", Connection::server(server, Instant(0))),
            log: Vec::new(),
        };
        pair.client.said.extend(output.written());
        pair.server.pipe.push_back((latency_ms, output.written().to_vec()));
        pair
    }

    /// The same, with the handshake behind them.
    pub fn open(server: &'c Config<'c>, client: &'c Config<'c>, latency_ms: u64) -> Self {
        let mut pair = Self::new(server, client, latency_ms);
        pair.run_until(2 * latency_ms);
        assert_eq!(
            (pair.state(Role::Client), pair.state(Role::Server)),
            (State::Active, State::Active),
            "{:?}",
            pair.log
        );
        pair.log.clear();
        pair
    }

    /// Lets time pass until then: octets come, timers fire, each in its order.
    pub fn run_until(&mut self, until_ms: u64) {
        while let Some(next) = self.next().filter(|next| *next <= until_ms) {
            self.now = self.now.max(next);
            let (now, latency) = (Instant(self.now), self.latency_ms);
            let said = self.client.step(now, &mut self.log, |_, _, _| unreachable!("a client gets no request"));
            self.client.send(said, now, latency, &mut self.server);
            let said = self.server.step(now, &mut self.log, |connection, kind, output| match kind {
                Kind::Upgrade(_) => connection.accept(now, &Accept::default(), output),
                Kind::Plain(_) => unreachable!("the client asks for a WebSocket"),
            });
            self.server.send(said, now, latency, &mut self.client);
        }
        self.now = self.now.max(until_ms);
    }

    /// An end says something now.
    pub fn say(&mut self, role: Role, say: Say<'_>) -> Result<(), SendError> {
        let (now, latency) = (Instant(self.now), self.latency_ms);
        match role {
            Role::Client => {
                let said = self.client.say(say, now)?;
                self.client.send(said, now, latency, &mut self.server);
            }
            Role::Server => {
                let said = self.server.say(say, now)?;
                self.server.send(said, now, latency, &mut self.client);
            }
        }
        Ok(())
    }

    /// From now on what this end says is lost.
    pub fn mute(&mut self, role: Role) {
        match role {
            Role::Client => self.client.is_mute = true,
            Role::Server => self.server.is_mute = true,
        }
    }

    /// The server's application does not answer the request.
    pub fn never_accept(&mut self) {
        self.server.accepts = false;
    }

    /// Where an end stands.
    pub fn state(&self, role: Role) -> State {
        match role {
            Role::Client => self.client.connection.state(),
            Role::Server => self.server.connection.state(),
        }
    }

    /// All octets that an end has said.
    pub fn said(&self, role: Role) -> &[u8] {
        match role {
            Role::Client => &self.client.said,
            Role::Server => &self.server.said,
        }
    }

    /// When an end's timer is set, if one is.
    pub fn timeout(&self, role: Role) -> Option<u64> {
        match role {
            Role::Client => self.client.connection.poll_timeout(),
            Role::Server => self.server.connection.poll_timeout(),
        }
        .map(|at| at.0)
    }

    /// What was told since the last time that this was asked.
    pub fn log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    /// When something happens next.
    fn next(&self) -> Option<u64> {
        let comes = |pipe: &VecDeque<(u64, Vec<u8>)>| pipe.front().map(|(at, _)| *at);
        let (client, server) = (self.timeout(Role::Client), self.timeout(Role::Server));
        [client, server, comes(&self.client.pipe), comes(&self.server.pipe)].into_iter().flatten().min()
    }
}

impl<'c, S: Side> End<'c, S> {
    fn new(name: &'static str, connection: Connection<'c, S>) -> Self {
        Self {
            name,
            connection,
            pipe: VecDeque::new(),
            held: Vec::new(),
            transcript: Transcript::new(),
            is_mute: false,
            accepts: true,
            said: Vec::new(),
        }
    }

    /// Takes what has come and does what is due; gives what there is to say.
    fn step(
        &mut self,
        now: Instant,
        log: &mut Vec<String>,
        mut answer: impl FnMut(&mut Connection<'c, S>, Kind, &mut Writer<'_>) -> Result<(), SendError>,
    ) -> Vec<u8> {
        while self.pipe.front().is_some_and(|(at, _)| *at <= now.0) {
            self.held.extend(self.pipe.pop_front().map(|(_, octets)| octets).unwrap_or_default());
        }
        let mut said = Vec::new();
        let mut held = std::mem::take(&mut self.held);
        let mut input = &mut held[..];
        loop {
            let mut octets = [0; MIN_OUTPUT];
            let mut output = Writer::new(&mut octets);
            let status = self.connection.receive(now, &mut input, &mut output);
            let mut tell = |line: String| log.push(format!("{} {} {line}", now.0, self.name));
            match status {
                Ok(Status::More) => break,
                Ok(Status::NoRoom(no_room)) => panic!("{no_room:?} though there is enough"),
                Ok(Status::Event(Event::Request { kind, .. })) => {
                    tell("Request".to_owned());
                    if self.accepts {
                        answer(&mut self.connection, kind, &mut output).expect("an answer that fits");
                    }
                }
                Ok(Status::Event(Event::Open(_))) => tell("Open".to_owned()),
                Ok(Status::Event(Event::Line(line))) => tell(format!("{line:?}")),
                Ok(Status::Event(Event::Data(data))) => {
                    if let Some((kind, payload)) = self.transcript.data(&data) {
                        tell(crate::transcript::message(kind, &payload));
                    }
                }
                Ok(Status::Event(Event::Ping(body))) => tell(control("Ping", body)),
                Ok(Status::Event(Event::Pong(body))) => tell(control("Pong", body)),
                Ok(Status::Event(Event::Close(frame))) => {
                    tell(crate::transcript::close(frame.map(|frame| (frame.code().get(), frame.reason()))));
                }
                Err(fault) => tell(format!("{fault}")),
            }
            said.extend(output.written());
        }
        self.held = input.to_vec();
        let mut octets = [0; MIN_OUTPUT];
        let mut output = Writer::new(&mut octets);
        match self.connection.tick(now, &mut output).expect("there is enough room") {
            Some(expired @ (Expired::Handshake | Expired::Pong | Expired::Close)) => {
                log.push(format!("{} {} {expired:?} overdue", now.0, self.name));
            }
            None => {}
        }
        said.extend(output.written());
        said
    }

    fn say(&mut self, say: Say<'_>, now: Instant) -> Result<Vec<u8>, SendError> {
        let mut octets = vec![0; 70_000];
        let mut output = Writer::new(&mut octets);
        let connection = &mut self.connection;
        match say {
            Say::Text(text) => connection.send(Payload::Text(text), &mut output),
            Say::Binary(octets) => connection.send(Payload::Binary(octets), &mut output),
            Say::Fragment(text, fin) => connection.send_fragment(Payload::Text(text), fin, &mut output),
            Say::Ping(body) => connection.ping(body, &mut output),
            Say::Pong(body) => connection.pong(body, &mut output),
            Say::Close(None) => connection.close(now, None, &mut output),
            Say::Close(Some((code, reason))) => {
                let frame = CloseFrame::new(code, reason).map_err(|invalid| SendError::Misuse(invalid.into()))?;
                connection.close(now, Some(frame), &mut output)
            }
        }?;
        Ok(output.written().to_vec())
    }

    fn send<P: Side>(&mut self, said: Vec<u8>, now: Instant, latency_ms: u64, to: &mut End<'c, P>) {
        self.said.extend(&said);
        if !said.is_empty() && !self.is_mute {
            to.pipe.push_back((now.0 + latency_ms, said));
        }
    }
}
