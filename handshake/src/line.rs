//! The lines of a head, as a scanner hands them on.

/// One line of a head that was checked, or a part of one. It borrows the scanner's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'i> {
    /// An empty line before the request line, which counts for nothing (RFC 9112 section 2.2).
    Blank,
    /// The request line (RFC 9112 section 3).
    Request {
        /// The method, as it came: methods are case-sensitive.
        method: &'i str,
        /// The request target, as it came.
        target: &'i str,
    },
    /// The status line (RFC 9112 section 4).
    Status {
        /// The status code, three digits.
        code: u16,
        /// The reason phrase, which means nothing and may be empty.
        reason: &'i [u8],
    },
    /// A header line (RFC 9112 section 5), or the front of one.
    Header {
        /// The name, as it came: names are case-insensitive.
        name: &'i str,
        /// The value without the whitespace around it; or, if `last` is false, as much of it as lies in the first
        /// [`max_line_bytes`](crate::Limits::max_line_bytes) of the line.
        value: &'i [u8],
        /// Whether this is all of the line. Otherwise [`Line::ValuePiece`]s follow.
        last: bool,
    },
    /// More of the value of the header before. Whitespace at a piece's end belongs to the value if more of it follows.
    ValuePiece {
        /// The next octets of the value.
        value: &'i [u8],
        /// Whether the value ends here.
        last: bool,
    },
    /// The empty line that ends the head.
    End,
}
