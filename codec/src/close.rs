//! Close codes and the body of a Close frame (RFC 6455 sections 5.5.1 and 7.4).

use crate::header::MAX_CONTROL;
use crate::utf8::Utf8;
use crate::violation::Violation;
use core::fmt;

/// A close code that may travel in a frame: 1000 to 1003, 1007 to 1014, 3000 to 4999.
///
/// 1004, 1005, 1006 and 1015 must not be sent, 1016 to 2999 are for later RFCs, below 1000 and from 5000 on nothing is
/// defined (RFC 6455 section 7.4 and the IANA registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose of the connection was fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The endpoint goes away: a server stops, a page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// Data of a kind that the endpoint does not take.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// Data that does not fit its type, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// The peer did what the endpoint's policy does not allow.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// A message was too big.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// The server did not negotiate an extension that the client needs.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// The endpoint met something that it did not expect.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The service restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// The service is overloaded: try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The code, if it is one that may travel.
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// What the code says, in a few words: its name in the IANA registry, or whose it is (RFC 6455 section 7.4.2).
    pub const fn describe(self) -> &'static str {
        match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1007 => "invalid payload data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "mandatory extension",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            3000 => "unauthorized",
            3003 => "forbidden",
            3008 => "timeout",
            4000.. => "private use",
            // From 3000 to 3999: no other value is ever made.
            _ => "for libraries and frameworks",
        }
    }

    /// The code as a number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl From<Violation> for CloseCode {
    fn from(violation: Violation) -> Self {
        Self(violation.close_code())
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The longest close reason: 125 octets of body less two for the code.
pub(crate) const MAX_REASON: usize = MAX_CONTROL as usize - 2;

/// A close reason, owned: at most 123 octets of UTF-8.
pub type CloseReason = heapless::String<MAX_REASON>;

/// The body of a Close frame that is not empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CloseFrame<'a> {
    code: CloseCode,
    /// UTF-8. Whoever does not ask for the text need not have what makes one of octets.
    reason: &'a [u8],
}

impl fmt::Debug for CloseFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseFrame").field("code", &self.code).field("reason", &self.reason()).finish()
    }
}

/// What a caller asked to send is no Close body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidClose {
    /// This code must not be sent (RFC 6455 section 7.4).
    Code(u16),
    /// The reason has this many octets; 123 is the most (section 5.5).
    ReasonTooLong(usize),
}

impl fmt::Display for InvalidClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "close code {code} must not be sent"),
            Self::ReasonTooLong(len) => write!(f, "close reason of {len} octets, 123 is the most"),
        }
    }
}

impl core::error::Error for InvalidClose {}

impl<'a> CloseFrame<'a> {
    /// A body from its parts.
    pub const fn new(code: u16, reason: &'a str) -> Result<Self, InvalidClose> {
        let Some(code) = CloseCode::new(code) else {
            return Err(InvalidClose::Code(code));
        };
        if reason.len() > MAX_REASON {
            return Err(InvalidClose::ReasonTooLong(reason.len()));
        }
        Ok(Self { code, reason: reason.as_bytes() })
    }

    /// What to tell a peer that broke a rule: the code and a few words.
    pub fn refusing(violation: Violation) -> Self {
        Self { code: violation.into(), reason: violation.describe().as_bytes() }
    }

    /// The code alone.
    #[must_use]
    pub const fn without_reason(self) -> Self {
        Self { code: self.code, reason: &[] }
    }

    /// Reads a whole, unmasked body; an empty one carries no code and gives `None` (RFC 6455 section 7.1.5: "1005").
    pub fn decode(body: &'a [u8]) -> Result<Option<Self>, Violation> {
        if body.is_empty() {
            return Ok(None);
        }
        let Some((code, reason)) = body.split_first_chunk() else {
            return Err(Violation::CloseBodyTooShort);
        };
        let code = CloseCode(u16::from_be_bytes(*code));
        match check_prefix(body)?.is_complete() {
            true => Ok(Some(Self { code, reason })),
            false => Err(Violation::CloseReasonInvalid),
        }
    }

    /// The code.
    pub const fn code(&self) -> CloseCode {
        self.code
    }

    /// The reason: at most 123 octets, often empty.
    pub const fn reason(&self) -> &'a str {
        // Checked when this was made, so that it never is the second.
        match core::str::from_utf8(self.reason) {
            Ok(reason) => reason,
            Err(_) => "",
        }
    }

    /// The reason's octets: UTF-8.
    pub const fn reason_octets(&self) -> &'a [u8] {
        self.reason
    }

    /// A copy that borrows nothing.
    pub fn to_owned(&self) -> OwnedClose {
        let mut reason = CloseReason::new();
        // A reason is at most 123 octets by construction, so that this always fits.
        let _ = reason.push_str(self.reason());
        OwnedClose { code: self.code, reason }
    }
}

/// The body of a Close frame, owned, without an allocator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedClose {
    /// The code.
    pub code: CloseCode,
    /// The reason.
    pub reason: CloseReason,
}

/// Refuses the beginning of a Close body as soon as no continuation of it could be legal.
pub(crate) fn check_prefix(body: &[u8]) -> Result<Utf8, Violation> {
    let mut utf8 = Utf8::new();
    let reason = match *body {
        [] => return Ok(utf8),
        // 1000 to 1014 begin with 0x03, 3000 to 4999 with 0x0b to 0x13.
        [0x03 | 0x0b..=0x13] => return Ok(utf8),
        [high, low, ref reason @ ..] if CloseCode::new(u16::from_be_bytes([high, low])).is_some() => reason,
        [..] => return Err(Violation::CloseCodeInvalid),
    };
    utf8.push_octets(reason).map_err(|_| Violation::CloseReasonInvalid)?;
    Ok(utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_7_4_codes_that_may_travel() {
        for code in 0..=u16::MAX {
            let legal = (1000..=1003).contains(&code) || (1007..=1014).contains(&code) || (3000..=4999).contains(&code);
            assert_eq!(CloseCode::new(code).is_some(), legal, "{code}");
            assert_eq!(CloseFrame::new(code, "").is_ok(), legal, "{code}");
            if let Some(known) = CloseCode::new(code) {
                let library = known.describe() == "for libraries and frameworks";
                assert_eq!(library, (3000..4000).contains(&code) && ![3000, 3003, 3008].contains(&code), "{code}");
            }
        }
    }

    #[test]
    fn every_violation_maps_to_a_code_that_may_travel() {
        for violation in Violation::ALL {
            assert!(CloseCode::new(violation.close_code()).is_some());
            assert!(CloseFrame::refusing(violation).reason().len() <= MAX_REASON);
        }
    }

    #[test]
    fn section_5_5_1_bodies() {
        type Row<'a> = (&'a [u8], Result<Option<(u16, &'a str)>, Violation>);
        let rows: &[Row<'_>] = &[
            (b"", Ok(None)),
            (b"\x03", Err(Violation::CloseBodyTooShort)),
            (b"\x03\xe8", Ok(Some((1000, "")))),
            (b"\x03\xe8bye", Ok(Some((1000, "bye")))),
            (b"\x0f\xa0\xe4\xb8\xad", Ok(Some((4000, "中")))),
            (b"\x03\xed", Err(Violation::CloseCodeInvalid)),
            (b"\x03\xee", Err(Violation::CloseCodeInvalid)),
            (b"\x03\xf7", Err(Violation::CloseCodeInvalid)),
            (b"\x03\xe8\xff", Err(Violation::CloseReasonInvalid)),
            (b"\x03\xe8\xe4\xb8", Err(Violation::CloseReasonInvalid)),
        ];
        for (body, expect) in rows {
            let got = CloseFrame::decode(body).map(|frame| frame.map(|f| (f.code().get(), f.reason())));
            assert_eq!(got, *expect, "{body:x?}");
        }
    }

    #[test]
    fn a_prefix_is_refused_only_when_no_continuation_is_legal() {
        // The two-octet code decides: a first octet is refused exactly if all its 256 codes are.
        for high in 0..=255u8 {
            let some_legal = (0..=255u8).any(|low| CloseCode::new(u16::from_be_bytes([high, low])).is_some());
            assert_eq!(check_prefix(&[high]).is_ok(), some_legal, "{high:#x}");
        }
        assert!(check_prefix(&[]).is_ok_and(|utf8| utf8.is_complete()));
        assert!(check_prefix(&[3, 0xe8, 0xe4]).is_ok_and(|utf8| !utf8.is_complete()));
        assert_eq!(check_prefix(&[3, 0xe8, 0xe4, 0x41]), Err(Violation::CloseReasonInvalid));
    }

    #[test]
    fn a_reason_has_at_most_123_octets() {
        let long = std::string::String::from_utf8(std::vec![b'x'; 124]).unwrap();
        assert_eq!(CloseFrame::new(1000, &long), Err(InvalidClose::ReasonTooLong(124)));
        let frame = CloseFrame::new(1000, &long[..123]).unwrap();
        assert_eq!(frame.to_owned().reason.as_str(), &long[..123]);
    }
}
