//! Why something was not done.

use core::fmt;
use martlet_state::{Misuse, SendError};

/// Why a message, a Ping or a Close was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushError {
    /// There is no such connection, or no longer.
    Gone,
    /// The connection's state or the protocol does not allow it.
    Misuse(Misuse),
    /// More than [`max_backpressure_bytes`](crate::Settings::max_backpressure_bytes) wait for this peer: it is being closed with
    /// 1013.
    QueueFull,
    /// More than [`max_mailbox_bytes`](crate::Settings::max_mailbox_bytes) wait for the worker that has the connection.
    MailboxFull,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the connection is gone"),
            Self::Misuse(misuse) => misuse.fmt(f),
            Self::QueueFull => f.write_str("the peer reads too slowly"),
            Self::MailboxFull => f.write_str("the worker is too far behind"),
        }
    }
}

impl core::error::Error for PushError {}

impl From<Misuse> for PushError {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl From<SendError> for PushError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Misuse(misuse) => Self::Misuse(misuse),
            // Output grows as it is wanted, so that room is never what lacks; if it were, the queue is what is full.
            SendError::NoRoom(_) => Self::QueueFull,
        }
    }
}
