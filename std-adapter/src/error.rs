//! Why something was not done.

use core::fmt;
use martlet_state::{Misuse, SendError, State};

/// Why a message, a Ping or a Close was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushError {
    /// There is no such connection, or no longer.
    Gone,
    /// Its handshake is not done.
    NotEstablished,
    /// It is closing: nothing is sent after a Close.
    Closing,
    /// More than [`max_backpressure`](crate::Settings::max_backpressure) octets wait for this peer.
    QueueFull,
    /// RFC 6455 section 5.2 reserves this opcode.
    ReservedOpcode(u8),
    /// A Close goes by `disconnect`, which knows its code.
    CloseOpcode,
    /// A continuation of no message.
    NothingToContinue,
    /// Only whole messages go to many.
    NotWhole,
    /// A message that is to be text, and is not UTF-8.
    NotUtf8,
    /// It is longer than [`max_push_bytes`](crate::Settings::max_push_bytes), which is this.
    TooLarge(u64),
    /// The connection is subscribed to [`max_topics`](crate::Settings::max_topics) topics, which are so many.
    TooManyTopics(u32),
    /// The protocol does not allow it.
    Misuse(Misuse),
    /// More than [`max_mailbox_bytes`](crate::Settings::max_mailbox_bytes) wait for the worker that has the connection.
    MailboxFull,
    /// The worker keeps [`max_held_bytes`](crate::Settings::max_held_bytes) octets for its peers, and this would be more.
    WorkerFull,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the connection is gone"),
            Self::NotEstablished => f.write_str("the connection's handshake is not done"),
            Self::Closing => f.write_str("the connection is closing"),
            Self::QueueFull => f.write_str("the peer reads too slowly"),
            Self::ReservedOpcode(opcode) => write!(f, "opcode {opcode:#x} is reserved"),
            Self::CloseOpcode => f.write_str("a Close is sent by disconnect"),
            Self::NothingToContinue => f.write_str("a continuation without a message that was begun"),
            Self::NotWhole => f.write_str("only whole messages go to many"),
            Self::NotUtf8 => f.write_str("a text that is not UTF-8"),
            Self::TooLarge(most) => write!(f, "a message of more than {most} octets"),
            Self::TooManyTopics(most) => write!(f, "subscribed to {most} topics already"),
            Self::Misuse(misuse) => misuse.fmt(f),
            Self::MailboxFull => f.write_str("the worker is too far behind"),
            Self::WorkerFull => f.write_str("the worker keeps as much for its peers as it may"),
        }
    }
}

impl core::error::Error for PushError {}

impl From<Misuse> for PushError {
    fn from(misuse: Misuse) -> Self {
        match misuse {
            Misuse::State(State::Connection | State::Handshake) => Self::NotEstablished,
            Misuse::State(State::Active | State::Closing | State::Closed) => Self::Closing,
            other => Self::Misuse(other),
        }
    }
}

impl From<SendError> for PushError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Misuse(misuse) => misuse.into(),
            // Output grows as it is wanted, so that room is never what lacks; if it were, the queue is what is full.
            SendError::NoRoom(_) => Self::QueueFull,
        }
    }
}
