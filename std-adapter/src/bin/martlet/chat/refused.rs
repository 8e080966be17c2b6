//! Why the chat refuses a message: one variant per rule, with the code and the words that the page gets.

use super::rooms::ROOMS;
use super::{BYTES, KEY_BYTES, NAME_CHARS, PEOPLE, TEXT_CHARS};

/// A rule of the chat that a message broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The message is longer than any that the chat knows.
    MessageTooLong,
    /// The message is no JSON object of a known type with the fields of that type.
    MessageUnknown,
    /// Only people in the room can do this.
    NotJoined,
    /// This connection is in a room already.
    AlreadyJoined,
    /// Too many people are here.
    ChatFull,
    /// There are too many rooms with people in them.
    TooManyRooms,
    /// The room's name is too long, or holds characters that cannot be seen.
    RoomName,
    /// Nobody in the room has this number.
    NobodyThere,
    /// The page's key is too short to be a secret, or too long.
    KeyLength,
    /// The name holds nothing but white space.
    NameEmpty,
    /// The name is too long.
    NameTooLong,
    /// The name holds characters that cannot be seen, or that turn the direction of writing.
    NameUnprintable,
    /// The text holds nothing but white space.
    TextEmpty,
    /// The text is too long.
    TextTooLong,
    /// Messages come too fast; the next one is welcome after so many milliseconds.
    TooFast {
        /// Milliseconds to wait.
        retry_ms: u64,
    },
}

impl Refused {
    /// The name of the rule, for the page's program.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::MessageTooLong => "message_too_long",
            Self::MessageUnknown => "message_unknown",
            Self::NotJoined => "not_joined",
            Self::AlreadyJoined => "already_joined",
            Self::ChatFull => "chat_full",
            Self::TooManyRooms => "too_many_rooms",
            Self::RoomName => "room_name",
            Self::NobodyThere => "nobody_there",
            Self::KeyLength => "key_length",
            Self::NameEmpty => "name_empty",
            Self::NameTooLong => "name_too_long",
            Self::NameUnprintable => "name_unprintable",
            Self::TextEmpty => "text_empty",
            Self::TextTooLong => "text_too_long",
            Self::TooFast { .. } => "too_fast",
        }
    }

    /// The rule in words, for the person.
    pub(super) fn text(self) -> String {
        match self {
            Self::MessageTooLong => format!("A message of the chat has at most {BYTES} bytes."),
            Self::MessageUnknown => "The chat does not know this kind of message.".to_owned(),
            Self::NotJoined => "Join a room first.".to_owned(),
            Self::AlreadyJoined => "This connection is in a room already.".to_owned(),
            Self::ChatFull => format!("The chat is full: {PEOPLE} people are here."),
            Self::TooManyRooms => format!("There are people in {ROOMS} rooms already: go to one of those."),
            Self::RoomName => format!("A room's name has at most {NAME_CHARS} characters, all of which can be seen."),
            Self::NobodyThere => "This person is not in the room any more.".to_owned(),
            Self::KeyLength => {
                format!("The page's key must have {} to {} bytes.", KEY_BYTES.start(), KEY_BYTES.end())
            }
            Self::NameEmpty => "A name needs at least one letter.".to_owned(),
            Self::NameTooLong => format!("A name has at most {NAME_CHARS} characters."),
            Self::NameUnprintable => "A name must not hold invisible characters.".to_owned(),
            Self::TextEmpty => "There is nothing in this message.".to_owned(),
            Self::TextTooLong => format!("A message has at most {TEXT_CHARS} characters."),
            Self::TooFast { retry_ms } => format!("Slow down a little: try again in {retry_ms} ms."),
        }
    }

    /// How long to wait, if waiting helps.
    pub(super) const fn retry_ms(self) -> Option<u64> {
        match self {
            Self::TooFast { retry_ms } => Some(retry_ms),
            Self::MessageTooLong
            | Self::MessageUnknown
            | Self::NotJoined
            | Self::AlreadyJoined
            | Self::ChatFull
            | Self::TooManyRooms
            | Self::RoomName
            | Self::NobodyThere
            | Self::KeyLength
            | Self::NameEmpty
            | Self::NameTooLong
            | Self::NameUnprintable
            | Self::TextEmpty
            | Self::TextTooLong => None,
        }
    }
}
