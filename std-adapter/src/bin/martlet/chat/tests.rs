//! Tests of the chat: what each person gets, in order, as parsed JSON.

use super::rooms::{LOBBY, ROOMS};
use super::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ADA: &str = "key of ada, long enough";
const BOB: &str = "key of bob, long enough";
const EVE: &str = "key of eve, long enough";
const NOW: u64 = 1_000_000;

/// A chat, and the topics and users of a server that does what it says.
struct Talk {
    chat: Chat<u32>,
    topics: BTreeMap<String, BTreeSet<u32>>,
    users: BTreeMap<u32, String>,
}

/// What a message led to.
struct Done {
    actions: Vec<Action<u32>>,
    /// Who got what.
    sent: Vec<(u32, Value)>,
}

/// The first person has the number 1.
fn room() -> Talk {
    Talk { chat: Chat::new(0), topics: BTreeMap::new(), users: BTreeMap::new() }
}

impl Talk {
    fn act(&mut self, ask: impl FnOnce(&mut Chat<u32>, &mut Vec<Action<u32>>)) -> Done {
        let mut actions = Vec::new();
        ask(&mut self.chat, &mut actions);
        let mut sent = Vec::new();
        for action in &actions {
            let (to, text) = match action {
                Action::Send { to, text } => (vec![*to], text),
                Action::Publish { room, text } => {
                    (self.topics.get(room).into_iter().flatten().copied().collect(), text)
                }
                Action::Tell { user, text } => {
                    (self.users.iter().filter(|(_, bound)| *bound == user).map(|(id, _)| *id).collect(), text)
                }
                Action::Bind { id, user } => {
                    self.users.insert(*id, user.clone());
                    continue;
                }
                Action::Subscribe { id, room } => {
                    assert!(self.topics.entry(room.clone()).or_default().insert(*id));
                    continue;
                }
                Action::Unsubscribe { id, room } => {
                    assert!(self.topics.get_mut(room).unwrap().remove(id));
                    continue;
                }
                Action::Close { id, .. } => {
                    self.forget(*id);
                    continue;
                }
                Action::Report { .. } => continue,
            };
            sent.extend(to.into_iter().map(|to| (to, serde_json::from_str(text).unwrap())));
        }
        Done { actions, sent }
    }

    /// As the server does with a connection that closes.
    fn forget(&mut self, id: u32) {
        self.users.remove(&id);
        for topic in self.topics.values_mut() {
            topic.remove(&id);
        }
    }
}

fn receive(talk: &mut Talk, from: u32, message: &Value, now_ms: u64) -> Done {
    receive_text(talk, from, &message.to_string(), now_ms)
}

fn receive_text(talk: &mut Talk, from: u32, text: &str, now_ms: u64) -> Done {
    talk.act(|chat, out| chat.receive(from, text, now_ms, out))
}

fn join(talk: &mut Talk, from: u32, name: &str, key: &str) -> Done {
    receive(talk, from, &json!({"type": "join", "name": name, "key": key}), NOW)
}

fn join_room(talk: &mut Talk, from: u32, name: &str, key: &str, room: &str) -> Done {
    receive(talk, from, &json!({"type": "join", "name": name, "key": key, "room": room}), NOW)
}

fn leave(talk: &mut Talk, id: u32) -> Done {
    talk.forget(id);
    talk.act(|chat, out| chat.leave(id, NOW, out))
}

/// What this connection is sent, in order.
fn sent_to(done: &Done, id: u32) -> Vec<Value> {
    done.sent.iter().filter(|(to, _)| *to == id).map(|(_, message)| message.clone()).collect()
}

fn types(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["type"].as_str().unwrap()).collect()
}

#[track_caller]
fn refused(out: &Done, id: u32) -> String {
    let sent = sent_to(out, id);
    assert_eq!((out.sent.len(), sent.len()), (1, 1), "one answer, to the offender only: {:?}", out.actions);
    assert_eq!(sent[0]["type"], "error");
    assert!(sent[0]["text"].as_str().unwrap().len() > 10);
    sent[0]["code"].as_str().unwrap().to_owned()
}

#[test]
fn joining_is_answered_with_the_room_and_told_to_the_others() {
    let mut chat = room();
    let out = join(&mut chat, 10, "  Ada\t Lovelace ", ADA);
    let welcome = &sent_to(&out, 10)[0];
    assert_eq!(welcome["type"], "welcome");
    assert_eq!(welcome["name"], "Ada Lovelace");
    assert_eq!((&welcome["room"], &welcome["opened"]), (&json!(LOBBY), &json!(0)));
    assert_eq!(welcome["limits"], json!({"name": NAME_CHARS, "text": TEXT_CHARS}));
    assert_eq!(welcome["people"], json!([{"id": 1, "name": "Ada Lovelace"}]));
    assert_eq!(welcome["recent"], json!([]));
    assert!(welcome["server"].as_str().unwrap().starts_with("martlet "));

    let out = join(&mut chat, 20, "Bob", BOB);
    assert_eq!(sent_to(&out, 10), [json!({"type": "joined", "id": 2, "name": "Bob", "at": NOW})]);
    let got = sent_to(&out, 20);
    assert_eq!(got.len(), 1, "the newcomer is welcomed and not told of itself: {got:?}");
    assert_eq!(got[0]["people"], json!([{"id": 1, "name": "Ada Lovelace"}, {"id": 2, "name": "Bob"}]));
}

#[test]
fn what_is_said_goes_to_everyone_with_the_number_of_its_page() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    join(&mut chat, 20, "Bob", BOB);
    let out = receive(&mut chat, 10, &json!({"type": "say", "text": "<b>hi</b>\n\"'\u{1f426}", "n": 1}), NOW);
    let said = json!({
        "type": "said", "seq": 1, "from": 1, "who": "Ada", "text": "<b>hi</b>\n\"'\u{1f426}", "at": NOW, "n": 1
    });
    assert_eq!(sent_to(&out, 10), std::slice::from_ref(&said));
    assert_eq!(sent_to(&out, 20), [said]);
}

#[test]
fn a_room_hears_only_what_is_said_in_it() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    let out = join_room(&mut chat, 20, "Bob", BOB, "  Tea\tRoom ");
    assert_eq!(sent_to(&out, 10), [] as [Value; 0]);
    let welcome = &sent_to(&out, 20)[0];
    assert_eq!((&welcome["room"], &welcome["opened"]), (&json!("tea room"), &json!(NOW)));
    assert_eq!(welcome["people"], json!([{"id": 2, "name": "Bob"}]));
    let out = receive(&mut chat, 20, &json!({"type": "say", "text": "tea?", "n": 1}), NOW);
    assert_eq!((sent_to(&out, 10).len(), sent_to(&out, 20).len()), (0, 1));

    // Ada goes there: she is shown what was said, and is gone from where she was.
    join(&mut chat, 30, "Eve", EVE);
    let out = receive(&mut chat, 10, &json!({"type": "enter", "room": "TEA ROOM"}), NOW);
    assert_eq!(sent_to(&out, 30), [json!({"type": "left", "id": 1, "name": "Ada", "at": NOW})]);
    assert_eq!(sent_to(&out, 20), [json!({"type": "joined", "id": 1, "name": "Ada", "at": NOW})]);
    let got = sent_to(&out, 10);
    assert_eq!(types(&got), ["welcome"]);
    assert_eq!((&got[0]["you"], &got[0]["recent"][0]["text"]), (&json!(1), &json!("tea?")));
    let out = receive(&mut chat, 10, &json!({"type": "say", "text": "please", "n": 1}), NOW);
    assert_eq!((sent_to(&out, 10).len(), sent_to(&out, 20).len(), sent_to(&out, 30).len()), (1, 1, 0));
    let out = receive(&mut chat, 10, &json!({"type": "rename", "name": "Countess"}), NOW);
    assert_eq!((sent_to(&out, 20).len(), sent_to(&out, 30).len()), (1, 0));
    assert_eq!(types(&sent_to(&leave(&mut chat, 10), 20)), ["left"]);
}

#[test]
fn what_is_said_to_one_is_heard_by_both_and_nobody_else_and_not_kept() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    join(&mut chat, 20, "Bob", BOB);
    join(&mut chat, 30, "Eve", EVE);
    let say = json!({"type": "say", "text": "psst", "n": 1, "to": 2});
    let out = receive(&mut chat, 10, &say, NOW);
    let private =
        json!({"type": "private", "from": 1, "who": "Ada", "to": 2, "whom": "Bob", "text": "psst", "at": NOW});
    assert_eq!(sent_to(&out, 20), std::slice::from_ref(&private));
    let mut own = private;
    own["n"] = 1.into();
    assert_eq!(sent_to(&out, 10), [own]);
    assert_eq!(sent_to(&out, 30), [] as [Value; 0]);
    assert_eq!(types(&sent_to(&receive(&mut chat, 10, &say, NOW), 10)), ["known"]);
    let out = join(&mut chat, 40, "Max", "key of max, long enough");
    assert_eq!(sent_to(&out, 40)[0]["recent"], json!([]));

    // A page that comes back is the same person.
    leave(&mut chat, 20);
    let gone = json!({"type": "say", "text": "still there?", "n": 2, "to": 2});
    assert_eq!(refused(&receive(&mut chat, 10, &gone, NOW), 10), "nobody_there");
    join(&mut chat, 21, "Bob", BOB);
    let out = receive(&mut chat, 10, &gone, NOW);
    assert_eq!(types(&sent_to(&out, 21)), ["private"], "what was refused was not taken as said");
    // One in another room is not there, and oneself is.
    receive(&mut chat, 21, &json!({"type": "enter", "room": "elsewhere"}), NOW);
    let say = |n: u64, to: u64| json!({"type": "say", "text": "hello", "n": n, "to": to});
    assert_eq!(refused(&receive(&mut chat, 10, &say(3, 2), NOW), 10), "nobody_there");
    assert_eq!(types(&sent_to(&receive(&mut chat, 10, &say(3, 1), NOW), 10)), ["private"]);
}

#[test]
fn rooms_are_bounded_and_the_one_that_was_left_first_is_forgotten_first() {
    let mut chat = room();
    for number in 1..ROOMS {
        let out = join_room(&mut chat, 10, "Ada", ADA, &format!("room {number}"));
        assert_eq!(types(&sent_to(&out, 10)), ["welcome"]);
        receive(&mut chat, 10, &json!({"type": "say", "text": "x", "n": number}), NOW);
        leave_later(&mut chat, number as u64);
    }
    // The lobby is older than all others, and stays.
    join_room(&mut chat, 20, "Bob", BOB, "one more");
    let rooms: Vec<bool> =
        ["lobby", "room 1", "room 2", "one more"].map(|room| chat.chat.rooms.get(room).is_some()).into();
    assert_eq!(rooms, [true, false, true, true]);
    let out = join_room(&mut chat, 30, "Eve", EVE, "room 2");
    assert_eq!(sent_to(&out, 30)[0]["recent"][0]["text"], "x");

    let mut chat = room();
    for number in 1..ROOMS {
        join_room(&mut chat, number as u32, "Ada", &format!("a key long enough {number}"), &format!("room {number}"));
    }
    assert_eq!(refused(&join_room(&mut chat, 99, "Bob", BOB, "one more"), 99), "too_many_rooms");
    assert_eq!(types(&sent_to(&join(&mut chat, 99, "Bob", BOB), 99)), ["welcome"]);
    assert_eq!(
        refused(&receive(&mut chat, 99, &json!({"type": "enter", "room": "one more"}), NOW), 99),
        "too_many_rooms"
    );
    assert_eq!(
        types(&sent_to(&receive(&mut chat, 99, &json!({"type": "say", "text": "x", "n": 1}), NOW), 99)),
        ["said"]
    );
}

/// Ada leaves, so much later.
fn leave_later(talk: &mut Talk, later_ms: u64) {
    talk.forget(10);
    talk.act(|chat, out| chat.leave(10, NOW + later_ms, out));
}

#[test]
fn no_message_carries_a_key() {
    let mut chat = room();
    let mut all = join(&mut chat, 10, "Ada", ADA).sent;
    all.extend(receive(&mut chat, 10, &json!({"type": "say", "text": "x", "n": 1}), NOW).sent);
    all.extend(join(&mut chat, 20, "Bob", BOB).sent);
    all.extend(receive(&mut chat, 10, &json!({"type": "say", "text": "x", "n": 2, "to": 2}), NOW).sent);
    all.extend(leave(&mut chat, 10).sent);
    assert_eq!(all.len(), 7);
    assert!(!format!("{all:?}").contains("long enough"));
}

#[test]
fn a_message_that_comes_again_is_said_once() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    join(&mut chat, 20, "Bob", BOB);
    let say = json!({"type": "say", "text": "hello", "n": 3});
    receive(&mut chat, 10, &say, NOW);
    let out = receive(&mut chat, 10, &say, NOW);
    assert_eq!(sent_to(&out, 10), [json!({"type": "known", "n": 3})]);
    assert_eq!(sent_to(&out, 20), [] as [Value; 0]);

    // The same after a new connection, whether the room knew of the old one's end or not.
    leave(&mut chat, 10);
    join(&mut chat, 11, "Ada", ADA);
    let out = receive(&mut chat, 11, &say, NOW);
    assert_eq!(sent_to(&out, 11), [json!({"type": "known", "n": 3})]);
    join(&mut chat, 12, "Ada", ADA);
    let out = receive(&mut chat, 12, &say, NOW);
    assert_eq!(sent_to(&out, 12), [json!({"type": "known", "n": 3})]);
    let out = receive(&mut chat, 12, &json!({"type": "say", "text": "new", "n": 4}), NOW);
    assert_eq!(sent_to(&out, 20)[0]["text"], "new");
}

#[test]
fn the_memory_of_those_who_left_is_bounded() {
    let mut chat = room();
    for id in 0..DEPARTED as u32 + 9 {
        join(&mut chat, id, "Ada", &format!("a key long enough {id}"));
        leave(&mut chat, id);
    }
    assert_eq!(chat.chat.departed.len(), DEPARTED);
    assert!(chat.chat.guests.is_empty());
}

#[test]
fn a_page_that_comes_back_replaces_its_dead_connection() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    join(&mut chat, 20, "Bob", BOB);
    let out = join(&mut chat, 11, "Ada", ADA);
    assert_eq!(types(&sent_to(&out, 20)), ["left", "joined"]);
    assert_eq!(sent_to(&out, 11)[0]["name"], "Ada", "the name is free again");
    assert!(out.actions.iter().any(|action| matches!(action, Action::Close { id: 10, code: 4001, .. })));
    assert_eq!(sent_to(&out, 10), [] as [Value; 0], "it is closed before anything else");
    assert_eq!(leave(&mut chat, 10).actions, [], "its end is no news any more");
    assert_eq!(chat.chat.members().count(), 2);
}

#[test]
fn newcomers_get_the_last_messages_and_know_their_own() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    for n in 1..=RECENT as u64 + 5 {
        receive(&mut chat, 10, &json!({"type": "say", "text": format!("message {n}"), "n": n}), NOW + n * 1000);
    }
    let out = join(&mut chat, 20, "Bob", BOB);
    let recent = sent_to(&out, 20)[0]["recent"].clone();
    assert_eq!(recent.as_array().unwrap().len(), RECENT);
    assert_eq!(recent[0]["text"], "message 6");
    assert_eq!(recent[0].get("n"), None);
    leave(&mut chat, 10);
    let out = join(&mut chat, 11, "Ada", ADA);
    assert_eq!(sent_to(&out, 11)[0]["recent"][0]["n"], 6);
}

#[test]
fn renaming_is_told_to_everyone_and_keeps_what_was_said() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    join(&mut chat, 20, "Bob", BOB);
    let out = receive(&mut chat, 10, &json!({"type": "rename", "name": "Countess"}), NOW);
    let renamed = json!({"type": "renamed", "id": 1, "was": "Ada", "name": "Countess", "at": NOW});
    assert_eq!(sent_to(&out, 10), std::slice::from_ref(&renamed));
    assert_eq!(sent_to(&out, 20), [renamed]);
    let out = receive(&mut chat, 10, &json!({"type": "rename", "name": "COUNTESS"}), NOW);
    assert_eq!(sent_to(&out, 10)[0]["name"], "COUNTESS", "one's own name is not taken");
}

#[test]
fn a_name_that_is_taken_gets_a_number() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    assert_eq!(sent_to(&join(&mut chat, 20, "ADA", BOB), 20)[0]["name"], "ADA (2)");
    assert_eq!(sent_to(&join(&mut chat, 30, "Ada", "another key, long enough"), 30)[0]["name"], "Ada (3)");
}

#[test]
fn leaving_is_told_to_the_others_only_if_one_was_there() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    receive(&mut chat, 30, &json!({"type": "stats"}), NOW);
    assert_eq!(leave(&mut chat, 30).actions, []);
    assert_eq!(leave(&mut chat, 99).actions, []);
    join(&mut chat, 20, "Bob", BOB);
    let out = leave(&mut chat, 20);
    assert_eq!(sent_to(&out, 10), [json!({"type": "left", "id": 2, "name": "Bob", "at": NOW})]);
    assert_eq!(out.sent.len(), 1);
    assert_eq!(leave(&mut chat, 10).sent, [], "nobody is left to be told");
}

#[test]
fn each_rule_has_its_answer() {
    let long_name = "n".repeat(NAME_CHARS + 1);
    let long_text = "t".repeat(TEXT_CHARS + 1);
    let rows = [
        (json!({"type": "join", "name": "Ada", "key": ADA}), "already_joined"),
        (json!({"type": "enter", "room": ""}), "already_joined"),
        (json!({"type": "enter", "room": "a\u{0}b"}), "room_name"),
        (json!({"type": "enter", "room": long_name}), "room_name"),
        (json!({"type": "say", "text": "x", "n": 1, "to": 3}), "nobody_there"),
        (json!({"type": "say", "text": "x", "n": 1, "to": "Bob"}), "message_unknown"),
        (json!({"type": "rename", "name": " \n "}), "name_empty"),
        (json!({"type": "rename", "name": long_name}), "name_too_long"),
        (json!({"type": "rename", "name": "a\u{202e}b"}), "name_unprintable"),
        (json!({"type": "rename", "name": "a\u{0}b"}), "name_unprintable"),
        (json!({"type": "say", "text": " \n", "n": 1}), "text_empty"),
        (json!({"type": "say", "text": long_text, "n": 1}), "text_too_long"),
        (json!({"type": "say", "text": "x", "n": -1}), "message_unknown"),
        (json!({"type": "say", "text": "x"}), "message_unknown"),
        (json!({"type": "shout", "text": "x"}), "message_unknown"),
        (json!({"type": "close", "code": 65536, "reason": ""}), "message_unknown"),
        (json!(["type", "say"]), "message_unknown"),
        (json!({"type": "probe", "fill": "x".repeat(BYTES)}), "message_too_long"),
    ];
    for (message, code) in rows {
        let mut chat = room();
        join(&mut chat, 10, "Ada", ADA);
        join(&mut chat, 20, "Bob", BOB);
        assert_eq!(refused(&receive(&mut chat, 10, &message, NOW), 10), code, "{message}");
    }
    let mut chat = room();
    join(&mut chat, 20, "Bob", BOB);
    for (message, code) in [
        (json!({"type": "say", "text": "x", "n": 1}), "not_joined"),
        (json!({"type": "rename", "name": "x"}), "not_joined"),
        (json!({"type": "enter", "room": "x"}), "not_joined"),
        (json!({"type": "join", "name": "x", "key": ADA, "room": "r".repeat(33)}), "room_name"),
        (json!({"type": "join", "name": "x", "key": "short"}), "key_length"),
        (json!({"type": "join", "name": "x", "key": "k".repeat(65)}), "key_length"),
    ] {
        assert_eq!(refused(&receive(&mut chat, 10, &message, NOW), 10), code, "{message}");
    }
    assert_eq!(refused(&receive_text(&mut chat, 10, "{\"type\":", NOW), 10), "message_unknown");
    let out = receive_text(&mut chat, 10, &"[".repeat(BYTES), NOW);
    assert_eq!(refused(&out, 10), "message_unknown", "deep nesting is an error, not a crash");
}

#[test]
fn limits_are_in_characters_and_exact() {
    let mut chat = room();
    assert_eq!(sent_to(&join(&mut chat, 10, &"ü".repeat(NAME_CHARS), ADA), 10)[0]["type"], "welcome");
    let out = receive(&mut chat, 10, &json!({"type": "say", "text": "\u{1f426}".repeat(TEXT_CHARS), "n": 1}), NOW);
    assert_eq!(sent_to(&out, 10)[0]["type"], "said");
}

#[test]
fn the_chat_has_an_end() {
    let mut chat = room();
    for id in 0..PEOPLE as u32 {
        join(&mut chat, id, "Ada", &format!("a key long enough {id}"));
    }
    assert_eq!(refused(&join(&mut chat, 999, "Bob", BOB), 999), "chat_full");
    let out = join(&mut chat, 1000, "Ada", "a key long enough 5");
    assert!(sent_to(&out, 1000).iter().any(|message| message["type"] == "welcome"), "who comes back has its place");
}

#[test]
fn too_fast_names_the_time_to_wait_and_the_message() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    for n in 1..TALK.burst {
        let out = receive(&mut chat, 10, &json!({"type": "say", "text": "x", "n": n}), NOW);
        assert_eq!(sent_to(&out, 10)[0]["type"], "said");
    }
    let say = json!({"type": "say", "text": "x", "n": TALK.burst});
    let out = receive(&mut chat, 10, &say, NOW + 1);
    assert_eq!(refused(&out, 10), "too_fast");
    let error = &sent_to(&out, 10)[0];
    assert_eq!((&error["n"], &error["retry_ms"]), (&json!(TALK.burst), &json!(TALK.every_ms - 1)));
    let out = receive(&mut chat, 10, &say, NOW + TALK.every_ms - 1);
    assert_eq!(refused(&out, 10), "too_fast");
    let out = receive(&mut chat, 10, &say, NOW + TALK.every_ms);
    assert_eq!(sent_to(&out, 10)[0]["type"], "said", "what was refused was not taken as said");
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out() {
    let mut chat = room();
    join(&mut chat, 10, "Ada", ADA);
    let say = |n: u64| json!({"type": "say", "text": "x", "n": n});
    let out = receive(&mut chat, 10, &say(1), NOW - 900_000);
    assert_eq!(refused(&out, 10), "too_fast");
    let out = receive(&mut chat, 10, &say(1), NOW - 900_000 + TALK.every_ms);
    assert_eq!(sent_to(&out, 10)[0]["type"], "said");
}

#[test]
fn stats_probes_and_closes_become_actions() {
    let mut chat = room();
    assert_eq!(receive(&mut chat, 10, &json!({"type": "stats"}), NOW).actions, [Action::Report { to: 10 }]);
    let close = json!({"type": "close", "code": 1005, "reason": "why"});
    let expect = Action::Close { id: 10, code: 1005, reason: "why".to_owned() };
    assert_eq!(receive(&mut chat, 10, &close, NOW).actions, [expect]);
    let probe = json!({"type": "probe", "fill": "x".repeat(65536)});
    let out = receive(&mut chat, 10, &probe, NOW);
    assert_eq!(sent_to(&out, 10), [json!({"type": "got", "kind": "text", "bytes": probe.to_string().len()})]);
    let out = chat.act(|chat, out| chat.receive_binary(10, 256, NOW, out));
    assert_eq!(sent_to(&out, 10), [json!({"type": "got", "kind": "binary", "bytes": 256})]);
    assert_eq!(
        (0..50).filter(|_| receive(&mut chat, 10, &close, NOW).actions.len() == 1).count(),
        50,
        "none is silent"
    );
}

#[test]
fn an_endless_offender_is_closed_once() {
    let mut chat = room();
    let closes = |chat: &mut Talk| {
        let out = receive(chat, 10, &json!({"type": "nonsense"}), NOW);
        out.actions.iter().filter(|action| matches!(action, Action::Close { id: 10, code: 1008, .. })).count()
    };
    let told: Vec<_> = (0..STRIKES + 5).filter(|_| closes(&mut chat) > 0).collect();
    assert_eq!(told, [STRIKES - 1]);
    receive(&mut chat, 20, &json!({"type": "nonsense"}), NOW);
    receive(&mut chat, 20, &json!({"type": "stats"}), NOW);
    assert_eq!(chat.chat.guests[&20].strikes, 0, "a good message is forgiveness");
}

#[test]
fn counters_are_reported_by_their_names() {
    let counters = Counters { state: 3, frames_in: 1, frames_out: 2, bytes_in: 3, bytes_out: 4, ping_us: Some(417) };
    let expect = json!({"type": "stats", "state": 3, "frames_in": 1, "frames_out": 2, "bytes_in": 3, "bytes_out": 4, "ping_us": 417});
    assert_eq!(serde_json::from_str::<Value>(&report(&counters)).unwrap(), expect);
    let none = report(&Counters::default());
    assert_eq!(serde_json::from_str::<Value>(&none).unwrap()["ping_us"], Value::Null);
    let refused: Value = serde_json::from_str(&close_refused("close code 1005 must not be sent")).unwrap();
    assert_eq!(refused, json!({"type": "error", "code": "close_refused", "text": "close code 1005 must not be sent"}));
}
