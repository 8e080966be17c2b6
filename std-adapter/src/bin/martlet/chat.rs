//! The chat behind `/chat`, without any I/O: who is in which room, what they say, and what is to be sent to whom.
//!
//! A room is a topic of the server, a page is one of its users: what is to be sent names those, and not connections.

mod action;
mod protocol;
mod refused;
mod rooms;
mod rules;

use self::protocol::{ErrorView, FromPage, Kind, Limits, PersonView, PrivateView, ToPage};
use self::refused::Refused;
use self::rooms::{Rooms, Said, room_name};
use self::rules::{Meter, Pace, clean_name};
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

pub(crate) use self::action::Action;
pub(crate) use self::protocol::Counters;

/// The longest name, in characters. A name that is taken gets a number in brackets behind it, which is not counted.
const NAME_CHARS: usize = 32;
/// The longest text, in characters.
const TEXT_CHARS: usize = 2000;
/// The longest message of a page, in octets: room for the page's probe of 64 KiB.
const BYTES: usize = 128 * 1024;
/// The length of a page's key, in octets.
const KEY_BYTES: RangeInclusive<usize> = 16..=64;
/// The most people in all rooms: each message may go to each of them.
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

/// The text of a `stats` message.
pub(crate) fn report(counters: &Counters) -> String {
    ToPage::Stats(counters).json()
}

/// The text of an `error` message for a page that asked for a close that is not allowed.
pub(crate) fn close_refused(why: &str) -> String {
    ToPage::Error(ErrorView { code: "close_refused", text: why, n: None, retry_ms: None }).json()
}

/// All rooms and the people in them.
///
/// `Id` is whatever names a connection of the server. Whoever shares a chat between threads does the actions before
/// letting go of it: otherwise two people may see the same things in a different order.
#[derive(Debug)]
pub(crate) struct Chat<Id> {
    rooms: Rooms,
    guests: BTreeMap<Id, Guest>,
    departed: VecDeque<Departed>,
    last_person: u64,
}

/// A connection, in a room or not yet.
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
    room: String,
    /// The `n` of the last message that was said.
    last_n: u64,
}

/// What is remembered of a page that is gone.
#[derive(Debug)]
struct Departed {
    key: String,
    person: u64,
    last_n: u64,
}

impl<Id: Copy + Ord> Chat<Id> {
    /// An empty lobby, opened at this time (milliseconds since the epoch).
    pub(crate) fn new(now_ms: u64) -> Self {
        let (rooms, guests, departed) = (Rooms::new(now_ms), BTreeMap::new(), VecDeque::new());
        // From the time on, so that a number is not another person's after a restart of the server: a page may still hold it.
        Self { rooms, guests, departed, last_person: now_ms }
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
            FromPage::Join { name, key, room } => self.join(from, &name, key, &room, now_ms, out),
            FromPage::Enter { room } => self.enter(from, &room, now_ms, out),
            FromPage::Rename { name } => self.rename(from, &name, now_ms, out),
            FromPage::Say { text, n, to } => self.say(from, text, n, to, now_ms, out),
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
        self.rooms.used(&member.room, now_ms);
        out.push(publish(&member.room, &ToPage::Left { id: member.person, name: &member.name, at: now_ms }));
        let Member { key, person, last_n, .. } = member;
        self.departed.push_back(Departed { key, person, last_n });
        if self.departed.len() > DEPARTED {
            self.departed.pop_front();
        }
    }

    fn join(
        &mut self,
        from: Id,
        name: &str,
        key: String,
        room: &str,
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
        let (name, room) = (clean_name(name)?, room_name(room)?);
        self.replace(&key, now_ms, out);
        if self.members().count() >= PEOPLE {
            return Err(Refused::ChatFull);
        }
        self.open(&room, now_ms)?;
        let name = self.free_name(name, from);
        let (person, last_n) = self.take_departed(&key);
        out.push(Action::Bind { id: from, user: key.clone() });
        let member = Member { person, name, key, room, last_n };
        self.guests.entry(from).or_default().member = Some(member);
        self.welcome(from, now_ms, out)
    }

    fn enter(&mut self, from: Id, room: &str, now_ms: u64, out: &mut Vec<Action<Id>>) -> Result<(), Refused> {
        self.spend_talk(from, now_ms)?;
        let room = room_name(room)?;
        if self.member(from)?.room == room {
            return Err(Refused::AlreadyJoined);
        }
        self.open(&room, now_ms)?;
        let member = self.member_mut(from)?;
        let left = std::mem::replace(&mut member.room, room);
        out.push(Action::Unsubscribe { id: from, room: left.clone() });
        out.push(publish(&left, &ToPage::Left { id: member.person, name: &member.name, at: now_ms }));
        self.rooms.used(&left, now_ms);
        self.welcome(from, now_ms, out)
    }

    fn open(&mut self, room: &str, now_ms: u64) -> Result<(), Refused> {
        let guests = &self.guests;
        let is_there = |guest: &Guest, room: &str| guest.member.as_ref().is_some_and(|member| member.room == room);
        self.rooms.open(room, now_ms, |room| !guests.values().any(|guest| is_there(guest, room)))
    }

    /// Tells a room of its new member, and the new member of the room. What was said before is in the welcome, what is said from
    /// then on comes by the subscription.
    fn welcome(&self, to: Id, now_ms: u64, out: &mut Vec<Action<Id>>) -> Result<(), Refused> {
        let member = self.member(to)?;
        let room = self.rooms.get(&member.room).ok_or(Refused::NotJoined)?;
        let mut people: Vec<_> = self
            .members()
            .filter(|(_, other)| other.room == member.room)
            .map(|(_, other)| PersonView { id: other.person, name: &other.name })
            .collect();
        people.sort_unstable_by_key(|person| person.id);
        let recent = room.recent.iter().map(|said| said.view(said.key == member.key)).collect();
        let welcome = ToPage::Welcome {
            you: member.person,
            name: &member.name,
            room: &member.room,
            opened: room.opened_ms,
            server: concat!("martlet ", env!("CARGO_PKG_VERSION")),
            limits: Limits { name: NAME_CHARS, text: TEXT_CHARS },
            people,
            recent,
        };
        out.push(publish(&member.room, &ToPage::Joined { id: member.person, name: &member.name, at: now_ms }));
        out.push(Action::Send { to, text: welcome.json() });
        out.push(Action::Subscribe { id: to, room: member.room.clone() });
        Ok(())
    }

    fn rename(&mut self, from: Id, name: &str, now_ms: u64, out: &mut Vec<Action<Id>>) -> Result<(), Refused> {
        self.spend_talk(from, now_ms)?;
        self.member(from)?;
        let name = self.free_name(clean_name(name)?, from);
        let member = self.member_mut(from)?;
        let was = std::mem::replace(&mut member.name, name);
        let renamed = ToPage::Renamed { id: member.person, was: &was, name: &member.name, at: now_ms };
        out.push(publish(&member.room, &renamed));
        Ok(())
    }

    fn say(
        &mut self,
        from: Id,
        text: String,
        n: u64,
        to: Option<u64>,
        now_ms: u64,
        out: &mut Vec<Action<Id>>,
    ) -> Result<(), Refused> {
        if n <= self.member(from)?.last_n {
            self.spend_ask(from, now_ms)?;
            out.push(Action::Send { to: from, text: ToPage::Known { n }.json() });
            return Ok(());
        }
        if text.trim().is_empty() {
            return Err(Refused::TextEmpty);
        }
        if text.chars().count() > TEXT_CHARS {
            return Err(Refused::TextTooLong);
        }
        self.spend_talk(from, now_ms)?;
        if let Some(to) = to {
            self.say_to_one(from, &text, n, to, now_ms, out)?;
        } else {
            let Member { person, name, key, room, .. } = self.member(from)?;
            let (person, who, key, topic) = (*person, name.clone(), key.clone(), room.clone());
            let room = self.rooms.used(&topic, now_ms).ok_or(Refused::NotJoined)?;
            let said = Said { seq: room.next_seq(), from: person, who, text, at: now_ms, key, n };
            out.push(publish(&topic, &ToPage::Said(said.view(true))));
            room.keep(said);
        }
        self.member_mut(from)?.last_n = n;
        Ok(())
    }

    /// Says something to one person alone, and to who says it. It is not kept.
    fn say_to_one(
        &self,
        from: Id,
        text: &str,
        n: u64,
        to: u64,
        now_ms: u64,
        out: &mut Vec<Action<Id>>,
    ) -> Result<(), Refused> {
        let own = self.member(from)?;
        let is_meant = |other: &&Member| other.person == to && other.room == own.room;
        let other = self.members().map(|(_, other)| other).find(is_meant).ok_or(Refused::NobodyThere)?;
        let (who, whom) = (own.name.as_str(), other.name.as_str());
        let private = PrivateView { from: own.person, who, to, whom, text, at: now_ms, n: Some(n) };
        out.push(Action::Tell { user: own.key.clone(), text: ToPage::Private(private).json() });
        if own.person != to {
            let private = PrivateView { n: None, ..private };
            out.push(Action::Tell { user: other.key.clone(), text: ToPage::Private(private).json() });
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
        out.push(Action::Send { to: from, text: got.json() });
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
        out.push(Action::Send { to: from, text: ToPage::Error(view).json() });
        if guest.strikes == STRIKES {
            out.push(Action::Close { id: from, code: 1008, reason: "too many messages were refused".to_owned() });
        }
    }

    /// A page that comes back may be faster than the news that its old connection is dead.
    fn replace(&mut self, key: &str, now_ms: u64, out: &mut Vec<Action<Id>>) {
        let old = self.members().find(|(_, member)| member.key == key).map(|(id, _)| id);
        if let Some(old) = old {
            // First of all, so that nothing else reaches it.
            let reason = "a newer connection of the same page took over".to_owned();
            out.push(Action::Close { id: old, code: 4001, reason });
            self.leave(old, now_ms, out);
        }
    }

    /// The person and the last message of a page that was here, or a new person.
    fn take_departed(&mut self, key: &str) -> (u64, u64) {
        let place = self.departed.iter().position(|departed| departed.key == key);
        match place.and_then(|place| self.departed.remove(place)) {
            Some(Departed { person, last_n, .. }) => (person, last_n),
            None => {
                self.last_person = self.last_person.saturating_add(1);
                (self.last_person, 0)
            }
        }
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

    fn members(&self) -> impl Iterator<Item = (Id, &Member)> {
        self.guests.iter().filter_map(|(id, guest)| Some((*id, guest.member.as_ref()?)))
    }

    fn member(&self, id: Id) -> Result<&Member, Refused> {
        self.guests.get(&id).and_then(|guest| guest.member.as_ref()).ok_or(Refused::NotJoined)
    }

    fn member_mut(&mut self, id: Id) -> Result<&mut Member, Refused> {
        self.guests.get_mut(&id).and_then(|guest| guest.member.as_mut()).ok_or(Refused::NotJoined)
    }

    fn spend_talk(&mut self, id: Id, now_ms: u64) -> Result<(), Refused> {
        self.guests.entry(id).or_default().talk.spend(TALK, now_ms)
    }

    fn spend_ask(&mut self, id: Id, now_ms: u64) -> Result<(), Refused> {
        self.guests.entry(id).or_default().ask.spend(ASK, now_ms)
    }
}

fn publish<Id>(room: &str, message: &ToPage<'_>) -> Action<Id> {
    Action::Publish { room: room.to_owned(), text: message.json() }
}

#[cfg(test)]
mod tests;
