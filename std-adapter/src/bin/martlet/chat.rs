//! The chat behind `/chat`, without any I/O: who is in the room, what they say, and what is to be sent to whom.
//!
//! # The protocol
//!
//! Every message is one WebSocket text message that holds one JSON object, told apart by `type`. Times (`at`) are
//! milliseconds since the Unix epoch. People (`id`, `you`, `from`) are numbers that are never used twice in a room.
//!
//! From the page:
//!
//! | message | meaning |
//! |---|---|
//! | `join {name, key}` | enter the room. `key` is a random secret of the page, which it keeps for all its connections |
//! | `rename {name}` | go by another name |
//! | `say {text, n}` | say something; `n` counts the page's messages from 1 |
//! | `stats` | report the counters of this connection |
//! | `probe {…}` | only measure this message, whatever else it holds |
//! | `close {code, reason}` | close this connection from the server's side |
//! | a binary message | is measured as a probe is |
//!
//! From the server:
//!
//! | message | meaning |
//! |---|---|
//! | `welcome {you, name, room, server, limits, people, recent}` | the answer to `join`; `recent` holds what was said last |
//! | `joined {id, name, at}`, `left {…}`, `renamed {id, was, name, at}` | to all others in the room |
//! | `said {seq, from, who, text, at, n}` | to everyone in the room; `n` only for the page that said it |
//! | `known {n}` | this `say` came before, over an earlier connection, and was said then |
//! | `stats {state, frames_in, frames_out, bytes_in, bytes_out, ping_us}` | [`Counters`] |
//! | `got {kind, bytes}` | the measure of a probe; `kind` is `text` or `binary` |
//! | `error {code, text, n, retry_ms}` | a message was refused; `n` if it was a `say`, `retry_ms` if waiting helps |
//!
//! Nothing that a page said is lost or said twice when its connection breaks: the page keeps a message until it gets
//! `said` or `known` with its `n`, sends one at a time, and sends it again after it joined with the same `key`.
//! `room` is the time at which the room was opened, so that a page can tell a restarted server from the old one.

mod protocol;
mod refused;
mod rules;

use self::protocol::{ErrorView, FromPage, Kind, Limits, PersonView, SaidView, ToPage};
use self::refused::Refused;
use self::rules::{Meter, Pace, clean_name};
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

pub(crate) use self::protocol::Counters;

/// The longest name, in characters. A name that is taken gets a number in brackets behind it, which is not counted.
const NAME_CHARS: usize = 32;
/// The longest text, in characters.
const TEXT_CHARS: usize = 2000;
/// The longest message of a page, in octets: room for the page's probe of 64 KiB.
const BYTES: usize = 128 * 1024;
/// The length of a page's key, in octets.
const KEY_BYTES: RangeInclusive<usize> = 16..=64;
/// The most people in the room: each message goes to each of them.
const PEOPLE: usize = 200;
/// How many messages a newcomer is shown.
const RECENT: usize = 50;
/// How many people who left are remembered, so that what they send again is not said twice.
const DEPARTED: usize = 1000;
/// After so many refusals in a row a connection is closed with 1008: its program is broken, or worse.
const STRIKES: u32 = 50;
/// Joining, renaming, speaking: eight at once, then two a second.
const TALK: Pace = Pace { burst: 8, every_ms: 500 };
/// Reports and probes: twenty at once, then ten a second.
const ASK: Pace = Pace { burst: 20, every_ms: 100 };

/// What the server is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action<Id> {
    /// Send this text message to these connections.
    Send {
        /// To whom; never empty.
        to: Vec<Id>,
        /// The message.
        text: String,
    },
    /// Send [`report`] of this connection's counters to it, and ping it, so that the next report has a newer time.
    Report {
        /// Whose counters, and to whom.
        to: Id,
    },
    /// Close this connection. If the code or the reason must not be sent, send [`close_refused`] instead.
    Close {
        /// Which one.
        id: Id,
        /// The close code; unchecked.
        code: u16,
        /// The reason; unchecked.
        reason: String,
    },
}

/// The text of a `stats` message.
pub(crate) fn report(counters: &Counters) -> String {
    ToPage::Stats(counters).json()
}

/// The text of an `error` message for a page that asked for a close that is not allowed.
pub(crate) fn close_refused(why: &str) -> String {
    ToPage::Error(ErrorView { code: "close_refused", text: why, n: None, retry_ms: None }).json()
}

/// The room.
///
/// `Id` is whatever names a connection of the server. Whoever shares a room between threads does the actions before
/// letting go of it: otherwise two people may see the same things in a different order.
#[derive(Debug)]
pub(crate) struct Chat<Id> {
    opened_ms: u64,
    guests: BTreeMap<Id, Guest>,
    recent: VecDeque<Said>,
    departed: VecDeque<(String, u64)>,
    last_person: u64,
    last_seq: u64,
}

/// A connection, in the room or not yet.
#[derive(Debug, Default)]
struct Guest {
    talk: Meter,
    ask: Meter,
    strikes: u32,
    member: Option<Member>,
}

#[derive(Debug)]
struct Member {
    person: u64,
    name: String,
    key: String,
    /// The `n` of the last message that was said.
    last_n: u64,
}

#[derive(Debug)]
struct Said {
    seq: u64,
    from: u64,
    who: String,
    text: String,
    at: u64,
    key: String,
    n: u64,
}

impl<Id: Copy + Ord> Chat<Id> {
    /// An empty room, opened at this time (milliseconds since the epoch).
    pub(crate) const fn new(now_ms: u64) -> Self {
        Self {
            opened_ms: now_ms,
            guests: BTreeMap::new(),
            recent: VecDeque::new(),
            departed: VecDeque::new(),
            last_person: 0,
            last_seq: 0,
        }
    }

    /// Takes a text message of a page; appends what is to be done to `out`.
    ///
    /// `now_ms` is the time since the epoch. A message that breaks a rule is answered by an `error` to its sender.
    pub(crate) fn receive(&mut self, from: Id, text: &str, now_ms: u64, out: &mut Vec<Action<Id>>) {
        self.guests.entry(from).or_default();
        let message = match text.len() {
            0..=BYTES => serde_json::from_str(text).map_err(|_| Refused::MessageUnknown),
            _ => Err(Refused::MessageTooLong),
        };
        let n = match &message {
            Ok(FromPage::Say { n, .. }) => Some(*n),
            Ok(_) | Err(_) => None,
        };
        let done = message.and_then(|message| match message {
            FromPage::Join { name, key } => self.join(from, &name, key, now_ms, out),
            FromPage::Rename { name } => self.rename(from, &name, now_ms, out),
            FromPage::Say { text, n } => self.say(from, text, n, now_ms, out),
            FromPage::Stats => self.spend_ask(from, now_ms).map(|()| out.push(Action::Report { to: from })),
            FromPage::Probe => self.measure(from, Kind::Text, text.len(), now_ms, out),
            FromPage::Close { code, reason } => {
                self.spend_ask(from, now_ms).map(|()| out.push(Action::Close { id: from, code, reason }))
            }
        });
        self.judge(from, done, n, out);
    }

    /// Takes a binary message of a page: only its length matters.
    pub(crate) fn receive_binary(&mut self, from: Id, len: usize, now_ms: u64, out: &mut Vec<Action<Id>>) {
        self.guests.entry(from).or_default();
        let done = self.measure(from, Kind::Binary, len, now_ms, out);
        self.judge(from, done, None, out);
    }

    /// Forgets a connection that is gone, and tells the others.
    pub(crate) fn leave(&mut self, id: Id, now_ms: u64, out: &mut Vec<Action<Id>>) {
        let Some(Guest { member: Some(member), .. }) = self.guests.remove(&id) else { return };
        self.announce(&ToPage::Left { id: member.person, name: &member.name, at: now_ms }, None, out);
        self.departed.push_back((member.key, member.last_n));
        if self.departed.len() > DEPARTED {
            self.departed.pop_front();
        }
    }

    fn join(
        &mut self,
        from: Id,
        name: &str,
        key: String,
        now_ms: u64,
        out: &mut Vec<Action<Id>>,
    ) -> Result<(), Refused> {
        self.spend_talk(from, now_ms)?;
        if self.member(from).is_ok() {
            return Err(Refused::AlreadyJoined);
        }
        if !KEY_BYTES.contains(&key.len()) {
            return Err(Refused::KeyLength);
        }
        let name = clean_name(name)?;
        self.replace(&key, now_ms, out);
        if self.members().count() >= PEOPLE {
            return Err(Refused::RoomFull);
        }
        let name = self.free_name(name, from);
        let last_n = self.take_departed(&key);
        self.last_person = self.last_person.saturating_add(1);
        let person = self.last_person;
        self.announce(&ToPage::Joined { id: person, name: &name, at: now_ms }, None, out);
        let member = Member { person, name, key, last_n };
        self.guests.entry(from).or_default().member = Some(member);
        self.welcome(from, out)
    }

    fn welcome(&self, to: Id, out: &mut Vec<Action<Id>>) -> Result<(), Refused> {
        let member = self.member(to)?;
        let mut people: Vec<_> =
            self.members().map(|(_, member)| PersonView { id: member.person, name: &member.name }).collect();
        people.sort_unstable_by_key(|person| person.id);
        let recent = self.recent.iter().map(|said| said.view(said.key == member.key)).collect();
        let welcome = ToPage::Welcome {
            you: member.person,
            name: &member.name,
            room: self.opened_ms,
            server: concat!("martlet ", env!("CARGO_PKG_VERSION")),
            limits: Limits { name: NAME_CHARS, text: TEXT_CHARS },
            people,
            recent,
        };
        out.push(Action::Send { to: vec![to], text: welcome.json() });
        Ok(())
    }

    fn rename(&mut self, from: Id, name: &str, now_ms: u64, out: &mut Vec<Action<Id>>) -> Result<(), Refused> {
        self.spend_talk(from, now_ms)?;
        self.member(from)?;
        let name = self.free_name(clean_name(name)?, from);
        let Some(Guest { member: Some(member), .. }) = self.guests.get_mut(&from) else {
            return Err(Refused::NotJoined);
        };
        let was = std::mem::replace(&mut member.name, name.clone());
        let id = member.person;
        self.announce(&ToPage::Renamed { id, was: &was, name: &name, at: now_ms }, None, out);
        Ok(())
    }

    fn say(&mut self, from: Id, text: String, n: u64, now_ms: u64, out: &mut Vec<Action<Id>>) -> Result<(), Refused> {
        if n <= self.member(from)?.last_n {
            self.spend_ask(from, now_ms)?;
            out.push(Action::Send { to: vec![from], text: ToPage::Known { n }.json() });
            return Ok(());
        }
        if text.trim().is_empty() {
            return Err(Refused::TextEmpty);
        }
        if text.chars().count() > TEXT_CHARS {
            return Err(Refused::TextTooLong);
        }
        self.spend_talk(from, now_ms)?;
        let Some(Guest { member: Some(member), .. }) = self.guests.get_mut(&from) else {
            return Err(Refused::NotJoined);
        };
        member.last_n = n;
        self.last_seq = self.last_seq.saturating_add(1);
        let (who, key) = (member.name.clone(), member.key.clone());
        let said = Said { seq: self.last_seq, from: member.person, who, text, at: now_ms, key, n };
        out.push(Action::Send { to: vec![from], text: ToPage::Said(said.view(true)).json() });
        self.announce(&ToPage::Said(said.view(false)), Some(from), out);
        self.recent.push_back(said);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        Ok(())
    }

    fn measure(
        &mut self,
        from: Id,
        kind: Kind,
        len: usize,
        now_ms: u64,
        out: &mut Vec<Action<Id>>,
    ) -> Result<(), Refused> {
        self.spend_ask(from, now_ms)?;
        let got = ToPage::Got { kind, bytes: u64::try_from(len).unwrap_or(u64::MAX) };
        out.push(Action::Send { to: vec![from], text: got.json() });
        Ok(())
    }

    /// Answers a refusal, and loses patience after too many of them.
    fn judge(&mut self, from: Id, done: Result<(), Refused>, n: Option<u64>, out: &mut Vec<Action<Id>>) {
        let Some(guest) = self.guests.get_mut(&from) else { return };
        let Err(refused) = done else {
            guest.strikes = 0;
            return;
        };
        guest.strikes = guest.strikes.saturating_add(1);
        let view = ErrorView { code: refused.code(), text: &refused.text(), n, retry_ms: refused.retry_ms() };
        out.push(Action::Send { to: vec![from], text: ToPage::Error(view).json() });
        if guest.strikes == STRIKES {
            out.push(Action::Close { id: from, code: 1008, reason: "too many messages were refused".to_owned() });
        }
    }

    /// A page that comes back may be faster than the news that its old connection is dead.
    fn replace(&mut self, key: &str, now_ms: u64, out: &mut Vec<Action<Id>>) {
        let old = self.members().find(|(_, member)| member.key == key).map(|(id, _)| id);
        if let Some(old) = old {
            self.leave(old, now_ms, out);
            let reason = "a newer connection of the same page took over".to_owned();
            out.push(Action::Close { id: old, code: 4001, reason });
        }
    }

    fn take_departed(&mut self, key: &str) -> u64 {
        let place = self.departed.iter().position(|(departed, _)| departed == key);
        place.and_then(|place| self.departed.remove(place)).map_or(0, |(_, last_n)| last_n)
    }

    /// The name, with a number behind it if somebody else has it.
    fn free_name(&self, name: String, of: Id) -> String {
        let taken = |name: &str| {
            let name = name.to_lowercase();
            self.members().any(|(id, member)| id != of && member.name.to_lowercase() == name)
        };
        if !taken(&name) {
            return name;
        }
        // There are fewer people than numbers, so that one is free.
        (2..=PEOPLE.saturating_add(1))
            .map(|number| format!("{name} ({number})"))
            .find(|name| !taken(name))
            .unwrap_or(name)
    }

    fn announce(&self, message: &ToPage<'_>, except: Option<Id>, out: &mut Vec<Action<Id>>) {
        let to: Vec<_> = self.members().map(|(id, _)| id).filter(|id| Some(*id) != except).collect();
        if !to.is_empty() {
            out.push(Action::Send { to, text: message.json() });
        }
    }

    fn members(&self) -> impl Iterator<Item = (Id, &Member)> {
        self.guests.iter().filter_map(|(id, guest)| Some((*id, guest.member.as_ref()?)))
    }

    fn member(&self, id: Id) -> Result<&Member, Refused> {
        self.guests.get(&id).and_then(|guest| guest.member.as_ref()).ok_or(Refused::NotJoined)
    }

    fn spend_talk(&mut self, id: Id, now_ms: u64) -> Result<(), Refused> {
        self.guests.entry(id).or_default().talk.spend(TALK, now_ms)
    }

    fn spend_ask(&mut self, id: Id, now_ms: u64) -> Result<(), Refused> {
        self.guests.entry(id).or_default().ask.spend(ASK, now_ms)
    }
}

impl Said {
    fn view(&self, own: bool) -> SaidView<'_> {
        let n = own.then_some(self.n);
        SaidView { seq: self.seq, from: self.from, who: &self.who, text: &self.text, at: self.at, n }
    }
}

#[cfg(test)]
mod tests;
