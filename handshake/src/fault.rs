//! What can be wrong with a head of either role: the syntax of HTTP/1.1, and the limits.

use core::fmt;

/// A head is no HTTP/1.1, or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeadFault {
    /// The head's end has not come.
    Unfinished,
    /// RFC 6585 section 5: the head is longer than [`max_head_bytes`](crate::Limits::max_head_bytes).
    HeadTooLong,
    /// RFC 6585 section 5: something that must be seen whole is longer than [`max_line_bytes`](crate::Limits::max_line_bytes).
    LineTooLong,
    /// RFC 6585 section 5: more than [`max_headers`](crate::Limits::max_headers).
    TooManyHeaders,
    /// RFC 9112 section 2.2: a CR without its LF.
    BareCr,
    /// RFC 9112 section 2.2: an LF without its CR. A recipient may take it for a line's end; here it is refused, see the
    /// crate's documentation.
    BareLf,
    /// RFC 9112 section 2.2: whitespace between the start line and the first header.
    SpaceBeforeHeaders,
    /// RFC 9112 section 5.2: a line that begins with whitespace goes on with the value before it, which is obsolete.
    ObsoleteFold,
    /// RFC 9112 section 5.1: whitespace between a header's name and its colon.
    SpaceBeforeColon,
    /// RFC 9112 section 5: a header line without a colon.
    ColonMissing,
    /// RFC 9110 section 5.1: a header's name is not a token.
    NameInvalid,
    /// RFC 9110 section 5.5: a header's value holds NUL or another control octet.
    ValueInvalid,
}

impl HeadFault {
    /// The status that refuses such a request.
    pub const fn status(self) -> u16 {
        use HeadFault::*;
        match self {
            HeadTooLong | LineTooLong | TooManyHeaders => 431,
            Unfinished | BareCr | BareLf | SpaceBeforeHeaders | ObsoleteFold | SpaceBeforeColon | ColonMissing
            | NameInvalid | ValueInvalid => 400,
        }
    }

    /// The reason in a few words.
    pub const fn reason(self) -> &'static str {
        use HeadFault::*;
        match self {
            Unfinished => "the head is not complete",
            HeadTooLong => "the head is too long",
            LineTooLong => "a line of the head is too long",
            TooManyHeaders => "too many headers",
            BareCr => "CR without LF in the head",
            BareLf => "LF without CR in the head",
            SpaceBeforeHeaders => "whitespace before the first header",
            ObsoleteFold => "a header is folded over several lines",
            SpaceBeforeColon => "whitespace before a header's colon",
            ColonMissing => "a header without a colon",
            NameInvalid => "a header's name is not a token",
            ValueInvalid => "control octet in a header's value",
        }
    }
}

impl fmt::Display for HeadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for HeadFault {}
