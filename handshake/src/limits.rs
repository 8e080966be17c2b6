//! Bounds on a head.

/// How long a request or response head may be. Shared by any number of scanners.
///
/// With feature `small` a head of more than 65,535 octets or 255 header lines is refused whatever stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the whole head, its empty line included. Default: 8192, as most HTTP servers have it.
    pub max_head_bytes: u32,
    /// Header lines. Default: 64.
    pub max_headers: u16,
    /// Octets of a line, CRLF included, that are in the input at once; the caller's buffer holds at least so many.
    ///
    /// The value of a longer line is handed on in pieces. What must be seen whole is refused when it is longer: the start line,
    /// a header's name, one element of a list, and the values that the handshake depends on. With `max_head_bytes` or more
    /// nothing is ever in pieces. Less than 64 makes no sense, because the header with the key has 43 octets at least. Default: 8192.
    pub max_line_bytes: u32,
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self { max_head_bytes: 8192, max_headers: 64, max_line_bytes: 8192 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
