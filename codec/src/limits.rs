//! What a peer may ask of us, in numbers.

/// Bounds on what a peer sends. Lent with each call, so that a connection stores none of it; the same for all calls of a
/// connection, or narrower ones may count only for what comes after the next `None`.
///
/// Lengths are compared before any conversion to `usize`: a 32-bit target refuses 2^32 + 1 octets as a 64-bit one does. Above
/// [`MAX_LENGTH`](crate::MAX_LENGTH) a limit counts as that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest payload of one data frame, in octets. Beyond it: [`FrameTooBig`](crate::Violation::FrameTooBig).
    pub max_frame_bytes: u64,
    /// The longest message, all its frames together, in octets. Beyond it: [`MessageTooBig`](crate::Violation::MessageTooBig).
    pub max_message_bytes: u64,
    /// How many empty fragments in a row are borne. Beyond it: [`TooManyEmptyFragments`](crate::Violation::TooManyEmptyFragments).
    pub max_empty_fragments: u8,
}

impl Limits {
    /// 2 MiB a message and a frame, 32 empty fragments in a row.
    pub const DEFAULT: Self = Self { max_frame_bytes: 2 << 20, max_message_bytes: 2 << 20, max_empty_fragments: 32 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
