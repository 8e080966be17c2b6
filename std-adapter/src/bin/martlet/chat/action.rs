//! What the chat has the server do.

/// What the server is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action<Id> {
    /// Send this text message to this connection.
    Send {
        /// To whom.
        to: Id,
        /// The message.
        text: String,
    },
    /// Send this text message to all who are subscribed to a room.
    Publish {
        /// The topic.
        room: String,
        /// The message.
        text: String,
    },
    /// Send this text message to the connection of a user.
    Tell {
        /// The user's key.
        user: String,
        /// The message.
        text: String,
    },
    /// This connection is this user's.
    Bind {
        /// Which one.
        id: Id,
        /// The user's key.
        user: String,
    },
    /// Subscribe this connection to a room.
    Subscribe {
        /// Which one.
        id: Id,
        /// The topic.
        room: String,
    },
    /// End its subscription.
    Unsubscribe {
        /// Which one.
        id: Id,
        /// The topic.
        room: String,
    },
    /// Send [`report`](super::report) of this connection's counters to it, and ping it, so that the next report has a newer time.
    Report {
        /// Whose counters, and to whom.
        to: Id,
    },
    /// Close this connection. If the code or the reason must not be sent, send [`close_refused`](super::close_refused) instead.
    Close {
        /// Which one.
        id: Id,
        /// The close code; unchecked.
        code: u16,
        /// The reason; unchecked.
        reason: String,
    },
}
