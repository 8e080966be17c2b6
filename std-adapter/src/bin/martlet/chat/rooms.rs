//! The rooms: what was said in each, and which ones are kept.

use super::RECENT;
use super::protocol::SaidView;
use super::refused::Refused;
use super::rules::clean_name;
use std::collections::{BTreeMap, VecDeque};

/// Where one is who names no room. It is always there.
pub(super) const LOBBY: &str = "lobby";
/// The most rooms. Beyond them those that are empty are forgotten, the one that was left first.
pub(super) const ROOMS: usize = 50;

/// All rooms by their names.
#[derive(Debug)]
pub(super) struct Rooms {
    rooms: BTreeMap<String, Room>,
}

/// One room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) opened_ms: u64,
    pub(super) recent: VecDeque<Said>,
    last_seq: u64,
    used_ms: u64,
}

/// Something that was said to everyone in a room.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) seq: u64,
    pub(super) from: u64,
    pub(super) who: String,
    pub(super) text: String,
    pub(super) at: u64,
    pub(super) key: String,
    pub(super) n: u64,
}

impl Rooms {
    pub(super) fn new(now_ms: u64) -> Self {
        Self { rooms: BTreeMap::from([(LOBBY.to_owned(), Room::new(now_ms))]) }
    }

    /// Finds a room or opens it; `is_empty` says whether nobody is in one.
    pub(super) fn open(&mut self, name: &str, now_ms: u64, is_empty: impl Fn(&str) -> bool) -> Result<(), Refused> {
        if !self.rooms.contains_key(name) && self.rooms.len() >= ROOMS {
            let empty = self.rooms.iter().filter(|(name, _)| *name != LOBBY && is_empty(name));
            let oldest = empty.min_by_key(|(_, room)| room.used_ms).map(|(name, _)| name.clone());
            self.rooms.remove(&oldest.ok_or(Refused::TooManyRooms)?);
        }
        self.rooms.entry(name.to_owned()).or_insert_with(|| Room::new(now_ms)).used_ms = now_ms;
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Room> {
        self.rooms.get(name)
    }

    /// Writes down that somebody speaks or leaves.
    pub(super) fn used(&mut self, name: &str, now_ms: u64) -> Option<&mut Room> {
        let room = self.rooms.get_mut(name)?;
        room.used_ms = now_ms;
        Some(room)
    }
}

impl Room {
    const fn new(now_ms: u64) -> Self {
        Self { opened_ms: now_ms, recent: VecDeque::new(), last_seq: 0, used_ms: now_ms }
    }

    /// The number of what is said next.
    pub(super) const fn next_seq(&mut self) -> u64 {
        self.last_seq = self.last_seq.saturating_add(1);
        self.last_seq
    }

    /// Keeps what was said, for those who come later.
    pub(super) fn keep(&mut self, said: Said) {
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(said);
    }
}

impl Said {
    /// As a page gets it, with the number that the sender's page gave it or without.
    pub(super) fn view(&self, with_n: bool) -> SaidView<'_> {
        let n = with_n.then_some(self.n);
        SaidView { seq: self.seq, from: self.from, who: &self.who, text: &self.text, at: self.at, n }
    }
}

/// The name of a room as all call it, however it was written; none is the lobby.
pub(super) fn room_name(raw: &str) -> Result<String, Refused> {
    match clean_name(raw) {
        Ok(name) => Ok(name.to_lowercase()),
        Err(Refused::NameEmpty) => Ok(LOBBY.to_owned()),
        Err(_) => Err(Refused::RoomName),
    }
}
