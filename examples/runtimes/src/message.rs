//! What the adapters with an allocator hand out: messages that own their octets, and why there are no more.

pub use martlet::state::OwnedMessage as Message;

/// Why there is no message, or why none was sent.
pub type Error = martlet::state::Error<std::io::Error>;
