//! What a connection says: events, and whose fault it is when something goes wrong.

use crate::states::State;
use core::fmt;
use martlet_codec::{CloseFrame, Data, InvalidClose, NoRoom, Violation};
use martlet_handshake::{Agreed, Kind, Line, Refusal, ResponseFault, WriteError};

/// The answer of [`Connection::receive`](crate::Connection::receive).
#[derive(Debug)]
pub enum Status<'i> {
    /// Something came; call again.
    Event(Event<'i>),
    /// More octets are needed: read behind what is left of the input.
    More,
    /// Nothing was taken: an answer might not fit. Write out what is in the output, and call again.
    NoRoom(NoRoom),
}

/// What came from the peer.
// A whole word for the tag: what stands behind it is moved by words on a machine of 32 bits.
#[derive(Debug)]
#[repr(u32)]
pub enum Event<'i> {
    /// A line of the head ([`HeadMode::Lines`](crate::HeadMode::Lines) only).
    Line(Line<'i>),
    /// A server got a whole, legal request: answer with [`accept`](crate::Connection::accept) or
    /// [`respond`](crate::Connection::respond). Until then nothing more is taken.
    Request {
        /// All of the head, for [`Request::parse`](crate::Request::parse), which is left to who wants to see it
        /// ([`HeadMode::Whole`](crate::HeadMode::Whole); otherwise empty).
        head: &'i [u8],
        /// Whether it asks for a WebSocket.
        kind: Kind,
    },
    /// A client's request was accepted, and all of the answer is right.
    Open(Agreed),
    /// A message, or as much of one as has come; of a compressed one as it came.
    Data(Data<'i>),
    /// A Ping; its Pong is in the output, unless `auto_pong` is off.
    Ping(&'i [u8]),
    /// A Pong.
    Pong(&'i [u8]),
    /// The peer's Close. If we had not sent ours, the echo is in the output. The connection is closed.
    Close(Option<CloseFrame<'i>>),
}

/// The peer did wrong. What is to be said to it is in the output; the connection is closed. This comes once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A frame broke a rule.
    Violation(Violation),
    /// The request is refused.
    Refusal(Refusal),
    /// The response does not open the connection.
    Response(ResponseFault),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => violation.fmt(f),
            Self::Refusal(refusal) => refusal.fmt(f),
            Self::Response(fault) => fault.fmt(f),
        }
    }
}

impl core::error::Error for Fault {}

/// A deadline passed. What is to be said is in the output; the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// The handshake took too long.
    Handshake,
    /// Nothing came after the heartbeat's Ping.
    Pong,
    /// The peer's Close did not come.
    Close,
}

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "the handshake took too long",
            Self::Pong => "nothing came after a ping",
            Self::Close => "the peer did not take or answer the close in time",
        })
    }
}

impl core::error::Error for Expired {}

/// A message, or a fragment of one, to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Text.
    Text(&'a str),
    /// Octets.
    Binary(&'a [u8]),
}

impl<'a> Payload<'a> {
    /// Its octets.
    pub const fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(octets) => octets,
        }
    }

    /// Which of the two.
    pub const fn kind(&self) -> martlet_codec::DataKind {
        match self {
            Self::Text(_) => martlet_codec::DataKind::Text,
            Self::Binary(_) => martlet_codec::DataKind::Binary,
        }
    }
}

/// The caller asked for what the state or the protocol does not allow. Nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// This is not done in this state: for one, nothing is sent after our Close.
    State(State),
    /// There is no request to answer, or it asks for no WebSocket.
    NoUpgrade,
    /// A message of ours is open: its fragments come first.
    MessageOpen,
    /// A fragment of the other kind than its message, or one compressed and the other not.
    KindChanged,
    /// Compression was not agreed on.
    CompressionNotAgreed,
    /// A control frame's body of so many octets: 125 is the most.
    ControlTooLong(usize),
    /// This is no Close body.
    Close(InvalidClose),
    /// A header that may not be sent.
    Head(WriteError),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => write!(f, "not possible in state {state:?}"),
            Self::NoUpgrade => f.write_str("no handshake to accept"),
            Self::MessageOpen => f.write_str("a fragmented message is being sent"),
            Self::KindChanged => f.write_str("a fragment of another kind than its message"),
            Self::CompressionNotAgreed => f.write_str("compression was not agreed on"),
            Self::ControlTooLong(len) => write!(f, "control body of {len} octets, 125 is the most"),
            Self::Close(invalid) => invalid.fmt(f),
            Self::Head(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Misuse {}

impl From<InvalidClose> for Misuse {
    fn from(invalid: InvalidClose) -> Self {
        Self::Close(invalid)
    }
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The output is too full.
    NoRoom(NoRoom),
    /// It must not be sent.
    Misuse(Misuse),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom(no_room) => no_room.fmt(f),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

impl core::error::Error for SendError {}

impl From<NoRoom> for SendError {
    fn from(no_room: NoRoom) -> Self {
        Self::NoRoom(no_room)
    }
}

impl From<Misuse> for SendError {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

/// Why an adapter cannot go on, over a transport whose errors are `E`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error<E> {
    /// The transport failed.
    Transport(E),
    /// The peer did wrong.
    Peer(Fault),
    /// A deadline passed.
    Late(Expired),
    /// This was not sent.
    Send(SendError),
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => error.fmt(f),
            Self::Peer(fault) => fault.fmt(f),
            Self::Late(expired) => expired.fmt(f),
            Self::Send(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for Error<E> {}

impl<E> From<Fault> for Error<E> {
    fn from(fault: Fault) -> Self {
        Self::Peer(fault)
    }
}

impl<E> From<Expired> for Error<E> {
    fn from(expired: Expired) -> Self {
        Self::Late(expired)
    }
}

impl<E> From<SendError> for Error<E> {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}
