//! Codes in words, and what the protocol says for each: one table for each kind of fault of the core.

use crate::code::Code;
use core::ffi::{CStr, c_char, c_int};
use martlet_codec::{InvalidClose, Violation};
use martlet_handshake::{HeadFault, Refusal, ResponseFault, WriteError};
use martlet_state::{Expired, Fault, Misuse};

/// What a code means, in a few English words that end in NUL: for a log. They are never freed.
#[unsafe(no_mangle)]
pub extern "C" fn martlet_describe(code: c_int) -> *const c_char {
    let (own, faults) = (OWN.iter().map(|row| (row.0, row.1)), FAULTS.iter().flat_map(|table| table.iter()));
    let mut rows = own.chain(faults.map(|row| (row.code, row.words)));
    rows.find(|row| row.0 as c_int == code).map_or(c"not a code", |row| row.1).as_ptr()
}

/// The close code that goes with a fault (RFC 6455 section 7.4.1), 0 if none does: of a broken rule the one that was sent, of a response
/// the one to report.
#[unsafe(no_mangle)]
pub extern "C" fn martlet_close_code(code: c_int) -> u16 {
    fault(code).map_or(0, |row| row.close_code)
}

/// The HTTP status that a server answers a refused request with, 0 if this is no reason to refuse one.
#[unsafe(no_mangle)]
pub extern "C" fn martlet_http_status(code: c_int) -> u16 {
    fault(code).map_or(0, |row| row.http_status)
}

impl From<Fault> for Code {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Violation(violation) => find(&VIOLATIONS, violation).unwrap_or(Self::ViolationOther),
            Fault::Refusal(Refusal::Head(head)) | Fault::Response(ResponseFault::Head(head)) => {
                find(&HEAD_FAULTS, head).unwrap_or(Self::HeadOther)
            }
            Fault::Refusal(refusal) => find(&REFUSALS, refusal).unwrap_or(Self::RefusalOther),
            Fault::Response(ResponseFault::Status(_)) => Self::ResponseStatus,
            Fault::Response(fault) => find(&RESPONSE_FAULTS, fault).unwrap_or(Self::ResponseOther),
        }
    }
}

impl From<Expired> for Code {
    fn from(expired: Expired) -> Self {
        match expired {
            Expired::Handshake => Self::ExpiredHandshake,
            Expired::Pong => Self::ExpiredPong,
            Expired::Close => Self::ExpiredClose,
        }
    }
}

impl From<Misuse> for Code {
    fn from(misuse: Misuse) -> Self {
        match misuse {
            Misuse::State(_) => Self::MisuseState,
            Misuse::NoUpgrade => Self::MisuseNoUpgrade,
            Misuse::MessageOpen => Self::MisuseMessageOpen,
            Misuse::KindChanged => Self::MisuseKindChanged,
            Misuse::ControlTooLong(_) => Self::MisuseControlTooLong,
            Misuse::Close(InvalidClose::Code(_)) => Self::MisuseCloseCode,
            Misuse::Close(_) => Self::MisuseCloseReason,
            Misuse::Head(error) => error.into(),
            _ => Self::MisuseOther,
        }
    }
}

impl From<WriteError> for Code {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::NoRoom { .. } => Self::NoRoom,
            WriteError::HeaderName(_) => Self::MisuseHeaderName,
            WriteError::HeaderValue(_) => Self::MisuseHeaderValue,
            WriteError::HeaderReserved(_) => Self::MisuseHeaderReserved,
            WriteError::StatusInvalid => Self::MisuseStatus,
            WriteError::BodyForbidden => Self::MisuseBody,
            WriteError::HostInvalid => Self::MisuseHost,
            WriteError::TargetInvalid => Self::MisuseTarget,
            WriteError::OriginInvalid => Self::MisuseOrigin,
            WriteError::SubprotocolInvalid | WriteError::SubprotocolDuplicate => Self::MisuseSubprotocol,
            _ => Self::MisuseOther,
        }
    }
}

/// A fault of the core with its code, and its words in C's form.
struct Row<F> {
    fault: F,
    known: Known,
}

/// What is known of a code.
#[derive(Clone, Copy)]
struct Known {
    code: Code,
    words: &'static CStr,
    close_code: u16,
    http_status: u16,
}

fn find<F: Copy + PartialEq>(table: &[Row<F>], fault: F) -> Option<Code> {
    table.iter().find(|row| row.fault == fault).map(|row| row.known.code)
}

fn fault(code: c_int) -> Option<&'static Known> {
    FAULTS.iter().flat_map(|table| table.iter()).find(|row| row.code as c_int == code)
}

/// All faults, without their types.
const FAULTS: [&[Known]; 4] = [&known(&VIOLATIONS), &known(&HEAD_FAULTS), &known(&REFUSALS), &known(&RESPONSE_FAULTS)];

const fn known<F, const N: usize>(table: &[Row<F>; N]) -> [Known; N] {
    let mut all = [Known { code: Code::Ok, words: c"", close_code: 0, http_status: 0 }; N];
    let (mut to, mut from): (&mut [Known], &[Row<F>]) = (&mut all, table);
    while let (Some((place, behind)), Some((row, rest))) = (to.split_first_mut(), from.split_first()) {
        *place = row.known;
        (to, from) = (behind, rest);
    }
    all
}

/// The words of the core with a NUL behind them.
const fn terminated<const N: usize>(words: &str) -> [u8; N] {
    let mut room = [0; N];
    let (mut to, mut from): (&mut [u8], &[u8]) = (&mut room, words.as_bytes());
    while let (Some((place, behind)), Some((octet, rest))) = (to.split_first_mut(), from.split_first()) {
        *place = *octet;
        (to, from) = (behind, rest);
    }
    room
}

macro_rules! row {
    ($code:ident, $fault:expr, $words:expr, $close_code:expr, $http_status:expr) => {{
        const WORDS: &str = $words;
        const OCTETS: [u8; WORDS.len().wrapping_add(1)] = terminated(WORDS);
        let words = match CStr::from_bytes_with_nul(&OCTETS) {
            Ok(words) => words,
            Err(_) => c"",
        };
        Row {
            fault: $fault,
            known: Known { code: Code::$code, words, close_code: $close_code, http_status: $http_status },
        }
    }};
}

macro_rules! violation {
    ($code:ident, $fault:ident) => {
        row!($code, Violation::$fault, Violation::$fault.describe(), Violation::$fault.close_code(), 0)
    };
}

macro_rules! head {
    ($code:ident, $fault:ident) => {
        row!(
            $code,
            HeadFault::$fault,
            HeadFault::$fault.reason(),
            ResponseFault::Head(HeadFault::$fault).close_code(),
            HeadFault::$fault.status()
        )
    };
}

macro_rules! refusal {
    ($code:ident, $fault:ident) => {
        row!($code, Refusal::$fault, Refusal::$fault.reason(), 0, Refusal::$fault.status())
    };
}

macro_rules! response {
    ($code:ident, $fault:ident $(($inside:expr))?) => {
        row!(
            $code,
            ResponseFault::$fault $(($inside))?,
            ResponseFault::$fault $(($inside))?.reason(),
            ResponseFault::$fault $(($inside))?.close_code(),
            0
        )
    };
}

/// The codes of [`Violation`].
const VIOLATIONS: [Row<Violation>; 20] = [
    violation!(ViolationRsvUnclaimed, RsvUnclaimed),
    violation!(ViolationOpcodeReserved, OpcodeReserved),
    violation!(ViolationMaskMissing, MaskMissing),
    violation!(ViolationMaskForbidden, MaskForbidden),
    violation!(ViolationLengthTopBit, LengthTopBit),
    violation!(ViolationLengthNotMinimal, LengthNotMinimal),
    violation!(ViolationControlFragmented, ControlFragmented),
    violation!(ViolationControlTooLong, ControlTooLong),
    violation!(ViolationContinuationUnexpected, ContinuationUnexpected),
    violation!(ViolationContinuationExpected, ContinuationExpected),
    violation!(ViolationFrameTooBig, FrameTooBig),
    violation!(ViolationMessageTooBig, MessageTooBig),
    violation!(ViolationUtf8Invalid, Utf8Invalid),
    violation!(ViolationCloseBodyTooShort, CloseBodyTooShort),
    violation!(ViolationCloseCodeInvalid, CloseCodeInvalid),
    violation!(ViolationCloseReasonInvalid, CloseReasonInvalid),
    violation!(ViolationTooManyEmptyFragments, TooManyEmptyFragments),
    violation!(ViolationTooManyControlFrames, TooManyControlFrames),
    violation!(ViolationDeflateInvalid, DeflateInvalid),
    violation!(ViolationInflateRatio, InflateRatio),
];

/// The codes of [`HeadFault`].
const HEAD_FAULTS: [Row<HeadFault>; 12] = [
    head!(HeadUnfinished, Unfinished),
    head!(HeadTooLong, HeadTooLong),
    head!(HeadLineTooLong, LineTooLong),
    head!(HeadTooManyHeaders, TooManyHeaders),
    head!(HeadBareCr, BareCr),
    head!(HeadBareLf, BareLf),
    head!(HeadSpaceBeforeHeaders, SpaceBeforeHeaders),
    head!(HeadObsoleteFold, ObsoleteFold),
    head!(HeadSpaceBeforeColon, SpaceBeforeColon),
    head!(HeadColonMissing, ColonMissing),
    head!(HeadNameInvalid, NameInvalid),
    head!(HeadValueInvalid, ValueInvalid),
];

/// The codes of [`Refusal`].
const REFUSALS: [Row<Refusal>; 29] = [
    refusal!(RefusalTimedOut, TimedOut),
    refusal!(RefusalRequestLineInvalid, RequestLineInvalid),
    refusal!(RefusalTargetTooLong, TargetTooLong),
    refusal!(RefusalTargetInvalid, TargetInvalid),
    refusal!(RefusalHttpVersionUnsupported, HttpVersionUnsupported),
    refusal!(RefusalHttpVersionTooOld, HttpVersionTooOld),
    refusal!(RefusalMethodNotGet, MethodNotGet),
    refusal!(RefusalHostMissing, HostMissing),
    refusal!(RefusalHostDuplicate, HostDuplicate),
    refusal!(RefusalHostInvalid, HostInvalid),
    refusal!(RefusalUpgradeInvalid, UpgradeInvalid),
    refusal!(RefusalConnectionInvalid, ConnectionInvalid),
    refusal!(RefusalConnectionNotUpgrade, ConnectionNotUpgrade),
    refusal!(RefusalKeyMissing, KeyMissing),
    refusal!(RefusalKeyDuplicate, KeyDuplicate),
    refusal!(RefusalKeyInvalid, KeyInvalid),
    refusal!(RefusalVersionMissing, VersionMissing),
    refusal!(RefusalVersionDuplicate, VersionDuplicate),
    refusal!(RefusalVersionUnsupported, VersionUnsupported),
    refusal!(RefusalSubprotocolsInvalid, SubprotocolsInvalid),
    refusal!(RefusalExtensionsInvalid, ExtensionsInvalid),
    refusal!(RefusalOriginDuplicate, OriginDuplicate),
    refusal!(RefusalOriginInvalid, OriginInvalid),
    refusal!(RefusalContentLengthDuplicate, ContentLengthDuplicate),
    refusal!(RefusalContentLengthInvalid, ContentLengthInvalid),
    refusal!(RefusalTransferEncodingInvalid, TransferEncodingInvalid),
    refusal!(RefusalTransferEncodingUnknown, TransferEncodingUnknown),
    refusal!(RefusalBodyLengthAmbiguous, BodyLengthAmbiguous),
    refusal!(RefusalBodyOnUpgrade, BodyOnUpgrade),
];

/// The codes of [`ResponseFault`].
const RESPONSE_FAULTS: [Row<ResponseFault>; 23] = [
    response!(ResponseStatusLineInvalid, StatusLineInvalid),
    response!(ResponseHttpVersionUnsupported, HttpVersionUnsupported),
    response!(ResponseStatus, Status(0)),
    response!(ResponseUpgradeMissing, UpgradeMissing),
    response!(ResponseUpgradeInvalid, UpgradeInvalid),
    response!(ResponseConnectionInvalid, ConnectionInvalid),
    response!(ResponseConnectionNotUpgrade, ConnectionNotUpgrade),
    response!(ResponseAcceptMissing, AcceptMissing),
    response!(ResponseAcceptDuplicate, AcceptDuplicate),
    response!(ResponseAcceptMismatch, AcceptMismatch),
    response!(ResponseExtensionsDuplicate, ExtensionsDuplicate),
    response!(ResponseExtensionsInvalid, ExtensionsInvalid),
    response!(ResponseExtensionNotOffered, ExtensionNotOffered),
    response!(ResponseExtensionTwice, ExtensionTwice),
    response!(ResponseDeflateParamUnknown, DeflateParamUnknown),
    response!(ResponseDeflateParamTwice, DeflateParamTwice),
    response!(ResponseDeflateParamInvalid, DeflateParamInvalid),
    response!(ResponseDeflateTakeoverNotGranted, DeflateTakeoverNotGranted),
    response!(ResponseDeflateWindowNotGranted, DeflateWindowNotGranted),
    response!(ResponseDeflateWindowTooLarge, DeflateWindowTooLarge),
    response!(ResponseSubprotocolDuplicate, SubprotocolDuplicate),
    response!(ResponseSubprotocolInvalid, SubprotocolInvalid),
    response!(ResponseSubprotocolNotOffered, SubprotocolNotOffered),
];

/// The codes that stand for nothing in the core.
const OWN: [(Code, &CStr); 40] = [
    (Code::Ok, c"done"),
    (Code::More, c"more octets are needed"),
    (Code::NoRoom, c"no room in the output"),
    (Code::ExpiredHandshake, c"the handshake took too long"),
    (Code::ExpiredPong, c"no answer to a ping"),
    (Code::ExpiredClose, c"no answer to our close"),
    (Code::RandomFailed, c"the source of random octets failed"),
    (Code::MisuseNull, c"a pointer is NULL"),
    (Code::MisuseStorage, c"the storage is too small or misaligned"),
    (Code::MisuseNotInitialised, c"the storage is not initialised"),
    (Code::MisuseBusy, c"the connection is in a call already"),
    (Code::MisuseLength, c"a length makes no sense"),
    (Code::MisuseOverlap, c"the output lies over the input or the payload"),
    (Code::MisuseRole, c"a server does this, and this is a client"),
    (Code::MisuseUtf8, c"a text is not UTF-8"),
    (Code::MisuseKind, c"neither text nor binary"),
    (Code::MisuseTooMany, c"too many headers or subprotocols"),
    (Code::MisuseConfig, c"a setting makes no sense"),
    (Code::MisuseState, c"not possible in this state"),
    (Code::MisuseNoUpgrade, c"no handshake to accept"),
    (Code::MisuseMessageOpen, c"a fragmented message is being sent"),
    (Code::MisuseKindChanged, c"a fragment of another kind than its message"),
    (Code::MisuseControlTooLong, c"a control body over 125 octets"),
    (Code::MisuseCloseCode, c"the close code must not be sent"),
    (Code::MisuseCloseReason, c"no close reason that can be sent"),
    (Code::MisuseHeaderName, c"a header's name is not a token"),
    (Code::MisuseHeaderValue, c"control octet in a header's value"),
    (Code::MisuseHeaderReserved, c"a header that is not for the caller to set"),
    (Code::MisuseStatus, c"the status is not between 200 and 599"),
    (Code::MisuseBody, c"a response of this status has no body"),
    (Code::MisuseHost, c"the host is invalid"),
    (Code::MisuseTarget, c"the request target is invalid"),
    (Code::MisuseOrigin, c"the origin is invalid"),
    (Code::MisuseSubprotocol, c"a subprotocol is not a token, or there twice"),
    (Code::MisuseNoRequest, c"not a request head"),
    (Code::MisuseOther, c"misuse"),
    (Code::ViolationOther, c"a rule about frames is broken"),
    (Code::HeadOther, c"a head is wrong"),
    (Code::RefusalOther, c"the request is refused"),
    (Code::ResponseOther, c"the response is wrong"),
];
