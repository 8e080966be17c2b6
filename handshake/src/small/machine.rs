//! A machine of one table that reads every part of a head, an octet at a time: the grammar as data, for machines whose flash is small.
//!
//! A row of the table says which octet it wants, and where to go on if that is the octet at hand and if it is not:
//!
//! | row | the octet is at hand | it is not |
//! |---|---|---|
//! | `one(x)` | take it, next row | stop |
//! | `any(x)` | take it, same row | next row |
//! | `maybe(x, n)` | take it, next row | pass over n rows |
//! | `back(x, n)` | take it, n rows up | next row |
//! | `back_or_stop(x, n)` | take it, n rows up | stop |
//! | `jump(n)` | | pass over n rows |
//! | `END` | | stop: all of the part is there |
//!
//! A [`Tape`] has the octets. It reads one [`part`] after the other ([`run`](Tape::run)), and tells what it wants next. There are three reasons to
//! stop: it wants nothing, as the part is complete; the octet at hand is none that may follow; or there is none at hand.

use crate::class::{self, Class};
use crate::value::Number;

/// The octet that a row wants; and in four bits each how many rows above the next one the machine goes on if it is at hand, and how many
/// below this one if it is not, where 0 stops it.
type Row = [u8; 2];

/// With the number of a class's bit: any octet of that class. Below are octets of ASCII.
const CLASS: u8 = 0x80;
/// No octet, because the part is complete.
pub(crate) const NOTHING: u8 = CLASS | 8;
/// No octet, because no header may come.
pub(crate) const NO_HEADER: u8 = CLASS | 9;

pub(crate) const TOKEN: u8 = class(Class::Token);
const TARGET: u8 = class(Class::Target);
const VALUE: u8 = class(Class::Value);
const SPACE: u8 = class(Class::Space);
const ADDRESS: u8 = class(Class::Address);
const HOST_NAME: u8 = class(Class::HostName);
const DIGIT: u8 = class(Class::Digit);

const fn class(class: Class) -> u8 {
    CLASS | (class as u8).trailing_zeros() as u8
}

const fn one(what: u8) -> Row {
    [what, 0]
}
const fn any(what: u8) -> Row {
    [what, 0x11]
}
const fn maybe(what: u8, pass_over: u8) -> Row {
    [what, pass_over.wrapping_add(1)]
}
const fn back(what: u8, rows: u8) -> Row {
    [what, rows.wrapping_add(1) << 4 | 1]
}
const fn back_or_stop(what: u8, rows: u8) -> Row {
    [what, rows.wrapping_add(1) << 4]
}
const fn jump(pass_over: u8) -> Row {
    maybe(NOTHING, pass_over)
}
const END: Row = one(NOTHING);

/// Makes the table of its parts, and for each a constant that says where it begins.
macro_rules! table {
    ($($(#[$doc:meta])* $part:ident [$($row:expr),* $(,)?])*) => {
        /// Where the parts of a head begin in the table.
        pub(crate) mod part {
            use super::*;
            table!(@begin 0; $($(#[$doc])* $part [$($row),*])*);
        }
        static TABLE: [Row; part::ROWS as usize] = [$($($row),*),*];
    };
    (@begin $begin:expr;) => {
        pub(super) const ROWS: u8 = $begin;
    };
    (@begin $begin:expr; $(#[$doc:meta])* $part:ident [$($row:expr),*] $($more:tt)*) => {
        $(#[$doc])*
        pub(crate) const $part: u8 = $begin;
        table!(@begin $part + [$($row),*].len() as u8; $($more)*);
    };
}

table! {
    /// A request line (RFC 9112 section 3), or an empty line before it. Its number is the digit behind "HTTP/1.".
    REQUEST [maybe(b'\r', 2)]
    /// The rest of the empty line.
    BLANK [one(b'\n'), END, one(TOKEN), any(TOKEN), one(b' ')]
    /// The target in a request line.
    TARGET [one(TARGET), any(TARGET), one(b' ')]
    /// What is behind the target.
    HTTP [one(b'H'), one(b'T'), one(b'T'), one(b'P'), one(b'/'), one(b'1'), one(b'.'), one(DIGIT), one(b'\r'), one(b'\n'), END]

    /// A header line (RFC 9112 section 5), or the empty line behind the last.
    FIELD [maybe(b'\r', 2)]
    /// The rest of the empty line.
    LAST [one(b'\n'), END, one(TOKEN), any(TOKEN), one(b':')]
    /// What is behind the colon of a header line.
    VALUE [any(VALUE), one(b'\r'), one(b'\n'), END]
    /// The empty line behind the last header, and no other.
    NO_FIELD [maybe(b'\r', 2), one(b'\n'), END, one(NO_HEADER)]

    /// The element of an Upgrade list: a token, and perhaps "/" and one more (RFC 9110 section 7.8). Whitespace may follow, as it may
    /// behind any other element or value below.
    PROTOCOL [one(TOKEN), any(TOKEN), maybe(b'/', 2)]
    /// A token, the element of most lists.
    WORD [one(TOKEN), any(TOKEN)]
    /// Whitespace.
    BLANKS [any(SPACE), END]
    /// Whitespace and commas, which elements of a list that are empty leave between others (RFC 9110 section 5.6.1).
    GAP [any(SPACE), back(b',', 1), END]
    /// A value up to a comma that is not between quotes.
    CUT [
        maybe(b'"', 4), maybe(b'\\', 1), back(VALUE, 1), back(b'"', 3), back_or_stop(VALUE, 3),
        maybe(b',', 1), END, back_or_stop(VALUE, 7),
    ]

    /// The element of a list of extensions (RFC 6455 section 9.1): its name,
    EXTENSION [one(TOKEN), any(TOKEN), jump(13)]
    /// the name of a parameter, and perhaps its value, which may be between quotes, where it is a token too once backslashes are resolved;
    PARAM [
        any(SPACE), one(TOKEN), any(TOKEN), maybe(b'=', 9),
        maybe(b'"', 6), maybe(b'\\', 0), one(TOKEN), any(TOKEN), back(b'\\', 2), one(b'"'), jump(2),
        one(TOKEN), any(TOKEN),
    ]
    /// and perhaps another parameter.
    PARAMS [any(SPACE), back(b';', 14), END]

    /// Behind the scheme of a target in absolute form: "://" and a host.
    AUTHORITY [one(b':'), one(b'/'), one(b'/')]
    /// A host, an IPv6 address in brackets or a name or IPv4 address, and perhaps a port, which is its number (RFC 9110 section 7.2).
    HOST [
        maybe(b'[', 4), one(ADDRESS), any(ADDRESS), one(b']'), jump(2),
        one(HOST_NAME), any(HOST_NAME), maybe(b':', 1),
    ]
    /// Digits, and their number.
    NUMBER [any(DIGIT), any(SPACE), END]
    /// An origin (RFC 6454 section 7.1): visible ASCII, and spaces between several.
    ORIGIN [any(TARGET), back(b' ', 1), back(b'#', 2), any(SPACE), END]
    /// The version of the WebSocket protocol.
    VERSION [one(b'1'), one(b'3'), any(SPACE), END]

    /// The front of a request with the method that opens a WebSocket.
    GET [one(b'G'), one(b'E'), one(b'T'), one(b' '), END]
    /// The front of a request of the only method that has "*" for its target (RFC 9112 section 3.2.4).
    OPTIONS [
        one(b'O'), one(b'P'), one(b'T'), one(b'I'), one(b'O'), one(b'N'), one(b'S'), one(b' '), one(b'*'), one(b' '), END,
    ]

    /// A status line (RFC 9112 section 4). Its number is the digit behind "HTTP/1." and the three of the status. The space before an
    /// empty reason phrase may be missing: the phrase means nothing, so that nothing can be misread.
    STATUS [
        one(b'H'), one(b'T'), one(b'T'), one(b'P'), one(b'/'), one(b'1'), one(b'.'), one(DIGIT), one(b' '),
        one(DIGIT), one(DIGIT), one(DIGIT), maybe(b' ', 1), any(VALUE), one(b'\r'), one(b'\n'), END,
    ]
}

/// The octets that the machine reads, and where it is.
pub(crate) struct Tape<'i> {
    pub(crate) octets: &'i [u8],
    /// Where it stands among the octets.
    pub(crate) at: usize,
    /// Where it stood when the part began.
    pub(crate) begin: usize,
    /// Behind the last octet of the part that is no whitespace.
    pub(crate) end: usize,
    /// The digits of the part that stand for a number; what does not fit is the largest there is.
    pub(crate) number: Number,
    /// Where it stands in the table.
    pub(crate) row: u8,
}

impl<'i> Tape<'i> {
    pub(crate) const fn new(octets: &'i [u8]) -> Self {
        Self { octets, at: 0, begin: 0, end: 0, number: 0, row: 0 }
    }

    /// Reads a part from where the machine stands. Says what it wants next: [`NOTHING`], if all of the part is there.
    #[inline(never)]
    pub(crate) fn run(&mut self, part: u8) -> u8 {
        (self.begin, self.end, self.number, self.row) = (self.at, self.at, 0, part);
        while let Some(&[wants, jumps]) = TABLE.get(usize::from(self.row)) {
            if let Some(octet) = self.octets.get(self.at).filter(|octet| is(wants, **octet)) {
                self.at = self.at.wrapping_add(1);
                if *octet > b' ' {
                    self.end = self.at;
                }
                if wants == DIGIT {
                    self.number = self.number.saturating_mul(10).saturating_add(Number::from(octet & 0x0f));
                }
                self.row = self.row.wrapping_add(1).wrapping_sub(jumps >> 4);
            } else if jumps & 0x0f == 0 {
                return wants;
            } else {
                self.row = self.row.wrapping_add(jumps & 0x0f);
            }
        }
        NOTHING
    }

    /// Reads a part from its beginning once more.
    pub(crate) fn run_from(&mut self, at: usize, part: u8) -> u8 {
        self.at = at;
        self.run(part)
    }

    /// Reads a value that is such a part. Says whether it is, to its line's end.
    pub(crate) fn value(&mut self, part: u8) -> bool {
        self.run(part) == NOTHING && self.octet() == b'\r' && self.end != self.begin
    }

    /// Reads a value that is a host with perhaps a port. Says whether it is, to its line's end.
    pub(crate) fn host(&mut self) -> bool {
        self.value(part::HOST) && self.number <= Number::from(u16::MAX)
    }

    /// Reads the next element of a list (RFC 9110 section 5.6.1). Says whether it is such a part; nothing if there is no other
    /// element. Empty ones count for nothing.
    pub(crate) fn element(&mut self, part: u8) -> Option<bool> {
        self.run(part::GAP);
        if self.octet() == b'\r' {
            return None;
        }
        Some(self.run(part) == NOTHING && matches!(self.octet(), b',' | b'\r'))
    }

    /// The octet at hand; at the end the one that a line's end begins with.
    #[inline(never)]
    pub(crate) fn octet(&self) -> u8 {
        self.octets.get(self.at).copied().unwrap_or(b'\r')
    }

    /// The part that was read, without the whitespace behind it.
    #[inline(never)]
    pub(crate) fn part(&self) -> &'i [u8] {
        self.octets.get(self.begin..self.end).unwrap_or_default()
    }
}

fn is(wanted: u8, octet: u8) -> bool {
    if wanted < CLASS { octet == wanted } else { u32::from(class::of(octet)) >> (wanted & 0x0f) & 1 != 0 }
}
