//! The rules that a peer can break: one name each, and one map to the close code.

use core::fmt;

/// The peer broke a rule. The name is the diagnosis, [`section`](Self::section) the proof, [`close_code`](Self::close_code)
/// what to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// RFC 6455 §5.2, RFC 7692 §6.1: a reserved bit is set that no negotiated extension claims, or RSV1 where compression
    /// does not put it: on a control frame, or on a continuation.
    RsvUnclaimed,
    /// RFC 6455 §5.2: an opcode that is reserved for later.
    OpcodeReserved,
    /// RFC 6455 §5.1: a client's frame came without a mask.
    MaskMissing,
    /// RFC 6455 §5.1: a server's frame came with a mask.
    MaskForbidden,
    /// RFC 6455 §5.2: a 64-bit length has its most significant bit set.
    LengthTopBit,
    /// RFC 6455 §5.2: a length is not in its shortest form.
    LengthNotMinimal,
    /// RFC 6455 §5.5: a control frame has FIN clear.
    ControlFragmented,
    /// RFC 6455 §5.5: a control frame announces more than 125 octets.
    ControlTooLong,
    /// RFC 6455 §5.4: a continuation came while no message was open.
    ContinuationUnexpected,
    /// RFC 6455 §5.4: a new message began while another was open.
    ContinuationExpected,
    /// RFC 6455 §10.4: a frame longer than our limit.
    FrameTooBig,
    /// RFC 6455 §10.4: a message longer than our limit.
    MessageTooBig,
    /// RFC 6455 §8.1: a text message is not UTF-8.
    Utf8Invalid,
    /// RFC 6455 §5.5.1: a Close body of one octet.
    CloseBodyTooShort,
    /// RFC 6455 §7.4: a close code that must not travel, or that nobody may use.
    CloseCodeInvalid,
    /// RFC 6455 §5.5.1: a close reason is not UTF-8.
    CloseReasonInvalid,
    /// RFC 6455 §10.4: more empty fragments in a row than our limit.
    TooManyEmptyFragments,
    /// RFC 6455 §10.4: more control frames in a second than our limit.
    TooManyControlFrames,
    /// RFC 7692 §7.2.2: a compressed message is no DEFLATE data, reaches further back than the window, or is cut off.
    DeflateInvalid,
    /// RFC 6455 §10.4: a compressed message grows by more than our limit. It is within the limit on its size, so that it is
    /// not 1009 but our policy that it breaks.
    InflateRatio,
}

use Violation::*;

impl Violation {
    /// Every violation, in the order of the RFC's sections.
    pub const ALL: [Self; 20] = [
        MaskMissing,
        MaskForbidden,
        RsvUnclaimed,
        OpcodeReserved,
        LengthTopBit,
        LengthNotMinimal,
        ContinuationUnexpected,
        ContinuationExpected,
        ControlFragmented,
        ControlTooLong,
        CloseBodyTooShort,
        CloseReasonInvalid,
        CloseCodeInvalid,
        Utf8Invalid,
        FrameTooBig,
        MessageTooBig,
        TooManyEmptyFragments,
        TooManyControlFrames,
        InflateRatio,
        DeflateInvalid,
    ];

    /// The close code to send (RFC 6455 §7.4.1). The only place that chooses one.
    pub const fn close_code(self) -> u16 {
        match self {
            MaskMissing | MaskForbidden | RsvUnclaimed | OpcodeReserved | LengthTopBit | LengthNotMinimal => 1002,
            ContinuationUnexpected | ContinuationExpected | ControlFragmented | ControlTooLong => 1002,
            CloseBodyTooShort | CloseCodeInvalid => 1002,
            Utf8Invalid | CloseReasonInvalid | DeflateInvalid => 1007,
            TooManyEmptyFragments | TooManyControlFrames | InflateRatio => 1008,
            FrameTooBig | MessageTooBig => 1009,
        }
    }

    /// The number of the RFC that holds the rule.
    pub const fn rfc(self) -> u16 {
        match self {
            DeflateInvalid => 7692,
            MaskMissing | MaskForbidden | RsvUnclaimed | OpcodeReserved | LengthTopBit | LengthNotMinimal => 6455,
            ContinuationUnexpected | ContinuationExpected | ControlFragmented | ControlTooLong => 6455,
            CloseBodyTooShort | CloseCodeInvalid | Utf8Invalid | CloseReasonInvalid => 6455,
            TooManyEmptyFragments | TooManyControlFrames | InflateRatio | FrameTooBig | MessageTooBig => 6455,
        }
    }

    /// The section of that [`rfc`](Self::rfc) that holds the rule.
    pub const fn section(self) -> &'static str {
        match self {
            MaskMissing | MaskForbidden => "5.1",
            RsvUnclaimed | OpcodeReserved | LengthTopBit | LengthNotMinimal => "5.2",
            ContinuationUnexpected | ContinuationExpected => "5.4",
            ControlFragmented | ControlTooLong => "5.5",
            CloseBodyTooShort | CloseReasonInvalid => "5.5.1",
            CloseCodeInvalid => "7.4",
            Utf8Invalid => "8.1",
            FrameTooBig | MessageTooBig | TooManyEmptyFragments | TooManyControlFrames | InflateRatio => "10.4",
            DeflateInvalid => "7.2.2",
        }
    }

    /// What was wrong, in a few words: fit for a log line and for a close reason.
    pub const fn describe(self) -> &'static str {
        match self {
            MaskMissing => "client frame without mask",
            MaskForbidden => "server frame with mask",
            RsvUnclaimed => "reserved bit set",
            OpcodeReserved => "reserved opcode",
            LengthTopBit => "length over 2^63",
            LengthNotMinimal => "length not in shortest form",
            ContinuationUnexpected => "continuation without a message",
            ContinuationExpected => "message inside a message",
            ControlFragmented => "fragmented control frame",
            ControlTooLong => "control frame over 125 octets",
            CloseBodyTooShort => "close body of one octet",
            CloseReasonInvalid => "close reason is not UTF-8",
            CloseCodeInvalid => "invalid close code",
            Utf8Invalid => "text is not UTF-8",
            FrameTooBig => "frame too big",
            MessageTooBig => "message too big",
            TooManyEmptyFragments => "too many empty fragments",
            TooManyControlFrames => "too many control frames",
            DeflateInvalid => "compressed data is invalid",
            InflateRatio => "compressed data grows too much",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, rfc, section, code) = (self.describe(), self.rfc(), self.section(), self.close_code());
        write!(f, "{what} (RFC {rfc} section {section}, close code {code})")
    }
}

impl core::error::Error for Violation {}
