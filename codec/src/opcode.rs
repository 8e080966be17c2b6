//! Roles and opcodes (RFC 6455 section 5.2).

/// Which end of the connection we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// We opened the connection: our frames are masked, the peer's are not.
    Client,
    /// We accepted the connection: the peer's frames are masked, ours are not.
    Server,
}

impl Role {
    /// The role of the other end.
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What a message is made of (RFC 6455 section 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataKind {
    /// UTF-8 text.
    Text,
    /// Arbitrary octets.
    Binary,
}

impl DataKind {
    /// The opcode of the message's first frame.
    pub const fn op(self) -> DataOp {
        match self {
            Self::Text => DataOp::Text,
            Self::Binary => DataOp::Binary,
        }
    }
}

/// Opcodes of data frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum DataOp {
    /// The message that was begun goes on (RFC 6455 section 5.4).
    Continuation = 0x0,
    /// A text message begins.
    Text = 0x1,
    /// A binary message begins.
    Binary = 0x2,
}

/// Opcodes of control frames (RFC 6455 section 5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ControlOp {
    /// The connection is to end (section 5.5.1).
    Close = 0x8,
    /// Asks for a Pong (section 5.5.2).
    Ping = 0x9,
    /// Answers a Ping, or comes unasked (section 5.5.3).
    Pong = 0xA,
}
