//! The lines of a head, as a scanner hands them on.

use core::fmt;
use core::ops::Deref;

/// A method, a target or a name: ASCII, and text for whoever uses it as such. It is made text only then, because that
/// takes a check, which a small machine that does without need not have.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Text<'i>(&'i [u8]);

impl<'i> Text<'i> {
    /// Octets that the grammar has found to be ASCII; of others nothing is shown.
    pub const fn new(octets: &'i [u8]) -> Self {
        Self(octets)
    }

    /// Its octets.
    pub const fn as_bytes(self) -> &'i [u8] {
        self.0
    }

    /// The text.
    pub const fn as_str(self) -> &'i str {
        match core::str::from_utf8(self.0) {
            Ok(text) => text,
            // No scanner makes one; an empty text is then as good an answer as any, and better than a panic.
            Err(_) => "",
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// One line of a head that was checked, or a part of one. It borrows the scanner's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'i> {
    /// An empty line that ends nothing: one before the request line (RFC 9112 section 2.2), or the one behind an interim response,
    /// after which another [`Line::Status`] comes (RFC 9110 section 15.2).
    Blank,
    /// The request line (RFC 9112 section 3).
    Request {
        /// The method, as it came: methods are case-sensitive.
        method: Text<'i>,
        /// The request target, as it came.
        target: Text<'i>,
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
        name: Text<'i>,
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
