//! Heads into a lent slice: each whole or not at all.

use crate::class::Class;
use crate::field::Field;
use crate::grammar::is_token_octets;
use core::fmt;

/// It does not fit. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom {
    /// Octets of room that would have been enough.
    pub wanted: usize,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no room for a head of {} octets", self.wanted)
    }
}

impl core::error::Error for NoRoom {}

/// Why a head was not written. Nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// It does not fit.
    NoRoom {
        /// Octets of room that would have been enough.
        wanted: usize,
    },
    /// The name of the header at this place in the list is not a token (RFC 9110 section 5.1).
    HeaderName(usize),
    /// The value of the header at this place in the list holds CR, LF, NUL or another control octet (RFC 9110 section 5.5).
    HeaderValue(usize),
    /// The header at this place in the list is one that is written by itself, or that must not be here.
    HeaderReserved(usize),
    /// The status is not a final one: 200 to 599.
    StatusInvalid,
    /// A response of this status has no body (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5), or the body was to follow the head.
    BodyForbidden,
    /// The host is no host with perhaps a port (RFC 9110 section 7.2).
    HostInvalid,
    /// The target does not begin with "/", or holds what a target may not (RFC 9112 section 3.2.1).
    TargetInvalid,
    /// The origin is no origin (RFC 6454 section 7.1).
    OriginInvalid,
    /// A subprotocol is not a token (RFC 6455 section 4.1 item 10).
    SubprotocolInvalid,
    /// A subprotocol is offered twice (RFC 6455 section 4.1 item 10).
    SubprotocolDuplicate,
    /// A subprotocol is chosen, but none is offered (RFC 6455 section 4.2.2 item 5).
    SubprotocolNotOffered,
    /// This is no list of extensions (RFC 6455 section 9.1).
    ExtensionsInvalid,
    /// An extension is accepted, but none is offered (RFC 6455 section 4.2.2 item 5).
    ExtensionsNotOffered,
    /// permessage-deflate is among the extensions, though it is negotiated already.
    ExtensionTwice,
}

impl From<NoRoom> for WriteError {
    fn from(no_room: NoRoom) -> Self {
        Self::NoRoom { wanted: no_room.wanted }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom { wanted } => NoRoom { wanted: *wanted }.fmt(f),
            Self::HeaderName(at) => write!(f, "the name of header {at} is not a token"),
            Self::HeaderValue(at) => write!(f, "the value of header {at} holds a control octet"),
            Self::HeaderReserved(at) => write!(f, "header {at} is not for the caller to set"),
            Self::StatusInvalid => f.write_str("the status is not between 200 and 599"),
            Self::BodyForbidden => f.write_str("a response of this status has no body"),
            Self::HostInvalid => f.write_str("the host is invalid"),
            Self::TargetInvalid => f.write_str("the request target is invalid"),
            Self::OriginInvalid => f.write_str("the origin is invalid"),
            Self::SubprotocolInvalid => f.write_str("a subprotocol is not a token"),
            Self::SubprotocolDuplicate => f.write_str("a subprotocol is offered twice"),
            Self::SubprotocolNotOffered => f.write_str("a subprotocol is chosen, but none is offered"),
            Self::ExtensionsInvalid => f.write_str("not a list of extensions"),
            Self::ExtensionsNotOffered => f.write_str("an extension is accepted, but none is offered"),
            Self::ExtensionTwice => f.write_str("permessage-deflate is negotiated already"),
        }
    }
}

impl core::error::Error for WriteError {}

/// Takes what is written, and counts it. Without room it only counts.
pub(crate) struct Sink<'o> {
    room: &'o mut [u8],
    wanted: usize,
}

/// Writes what `put` does to the front of `out`, if all of it fits; says how many octets that is.
pub(crate) fn whole(out: &mut [u8], put: impl Fn(&mut Sink<'_>)) -> Result<usize, NoRoom> {
    let (mut sink, mut out) = (Sink { room: &mut [], wanted: 0 }, Some(out));
    // The first time only counts. Both times are one call, of which a compiler leaves out what this caller has none of.
    loop {
        put(&mut sink);
        let wanted = core::mem::take(&mut sink.wanted);
        let Some(out) = out.take() else { return Ok(wanted) };
        sink.room = out.get_mut(..wanted).ok_or(NoRoom { wanted })?;
    }
}

impl Sink<'_> {
    #[cfg_attr(feature = "small", inline(never))]
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        self.wanted = self.wanted.saturating_add(octets.len());
        let room = core::mem::take(&mut self.room);
        if let Some((here, behind)) = room.split_at_mut_checked(octets.len()) {
            here.copy_from_slice(octets);
            self.room = behind;
        }
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.octets(text.as_bytes());
    }

    /// A number in decimal. By hand, because formatting costs a small machine more than all of the handshake.
    pub(crate) fn number(&mut self, mut number: u64) {
        let mut digits = [b'0'; 20];
        let mut used = 0usize;
        for digit in digits.iter_mut().rev() {
            *digit |= split_last_digit(&mut number);
            used = used.saturating_add(1);
            if number == 0 {
                break;
            }
        }
        self.octets(digits.split_at_checked(digits.len().saturating_sub(used)).map_or(&[], |(_, digits)| digits));
    }

    /// A header line, which begins with the end of the line before.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        self.text("\r\n");
        self.text(name);
        self.text(": ");
        self.text(value);
    }

    /// The same for the extensions: `deflate` puts permessage-deflate, if that is one of them, before `others`.
    pub(crate) fn extensions(&mut self, deflate: Option<impl Fn(&mut Self)>, others: Option<&str>) {
        if deflate.is_none() && others.is_none() {
            return;
        }
        self.text("\r\nSec-WebSocket-Extensions: ");
        let both = deflate.is_some() && others.is_some();
        if let Some(deflate) = deflate {
            deflate(self);
        }
        self.text(if both { ", " } else { "" });
        self.text(others.unwrap_or_default());
    }

    pub(crate) fn headers(&mut self, headers: &[(&str, &str)]) {
        for (name, value) in headers {
            self.header(name, value);
        }
    }
}

/// Takes the last decimal digit off. Sixteen bits at a time, because a division of 64 bits costs half a kilobyte where the
/// processor has none.
fn split_last_digit(number: &mut u64) -> u8 {
    let mut octets = number.to_be_bytes();
    let mut rest = 0u32;
    for pair in octets.as_chunks_mut::<2>().0 {
        let part = rest << 16 | u32::from(u16::from_be_bytes(*pair));
        // The rest before is below ten, so that the quotient fits.
        *pair = ((part / 10) as u16).to_be_bytes();
        rest = part % 10;
    }
    *number = u64::from_be_bytes(octets);
    // A remainder by ten is a digit.
    rest as u8
}

/// Refuses custom headers that would break the head, or that `reserved` names.
pub(crate) fn check_headers(headers: &[(&str, &str)], reserved: impl Fn(Field) -> bool) -> Result<(), WriteError> {
    for (at, (name, value)) in headers.iter().enumerate() {
        if !is_token_octets(name.as_bytes()) {
            return Err(WriteError::HeaderName(at));
        }
        if !Class::Value.has_all(value.as_bytes()) {
            return Err(WriteError::HeaderValue(at));
        }
        if reserved(Field::of(name.as_bytes())) {
            return Err(WriteError::HeaderReserved(at));
        }
    }
    Ok(())
}

/// "HTTP/1.1", the status, and its name if it is a common one, without the line's end: the name means nothing to a recipient.
pub(crate) fn put_status_line(sink: &mut Sink<'_>, status: u16) {
    sink.text("HTTP/1.1 ");
    let (mut digits, mut rest) = (*b"000 ", status);
    for digit in digits.iter_mut().rev().skip(1) {
        *digit |= (rest % 10) as u8;
        rest /= 10;
    }
    sink.octets(&digits);
    if !cfg!(feature = "small") {
        sink.text(status_name(status));
    }
}

const fn status_name(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
