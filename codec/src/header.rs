//! The frame header (RFC 6455 section 5.2), both ways.

use crate::length::{Length, bound, of_octets, wide};
use crate::limits::Limits;
use crate::mask::Key;
use crate::opcode::{ControlOp, DataOp, Role};
use crate::violation::Violation;

/// The longest header: 2 octets, a 64-bit length and a masking key.
pub const MAX_HEADER: usize = 14;
/// The longest body of a control frame (RFC 6455 section 5.5).
pub const MAX_CONTROL: u8 = 125;
/// The smallest receive buffer: a header and a control body are all that must lie in it at once.
pub const MIN_INPUT: usize = MAX_HEADER + MAX_CONTROL as usize;

pub(crate) mod bits {
    pub(crate) const FIN: u8 = 0x80;
    pub(crate) const RSV: u8 = 0x70;
    pub(crate) const RSV1: u8 = 0x40;
    pub(crate) const OPCODE: u8 = 0x0f;
    pub(crate) const MASK: u8 = 0x80;
    pub(crate) const LEN: u8 = 0x7f;
    pub(crate) const LEN_16: u8 = 126;
    pub(crate) const LEN_64: u8 = 127;
}

/// What a frame is: there is no value for a fragmented ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A data frame.
    Data {
        /// Which kind of data frame.
        op: DataOp,
        /// Whether it is its message's last frame.
        fin: bool,
        /// Octets of payload, at most 2^63 - 1.
        len: u64,
    },
    /// A control frame.
    Control {
        /// Which control frame.
        op: ControlOp,
        /// Octets of body, at most 125.
        len: u8,
    },
}

/// A frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Opcode, FIN and length.
    pub kind: Kind,
    /// The masking key, if there is one.
    pub key: Option<Key>,
}

/// A header's octets. Aligned so that a machine of 32 bits moves it in four words.
#[derive(Clone, Copy, Debug)]
#[repr(align(4))]
pub struct HeaderBytes {
    octets: [u8; MAX_HEADER],
    len: u8,
}

impl HeaderBytes {
    /// The same header with RSV1: that of the first frame of a compressed message (RFC 7692 §6).
    #[must_use]
    pub const fn compressed(mut self) -> Self {
        self.octets[0] |= bits::RSV1;
        self
    }
}

impl AsRef<[u8]> for HeaderBytes {
    fn as_ref(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// What the connection allows of the next header: octets are refused in the order in which they come.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) role: Role,
    /// `Some(octets so far)` while a message is open; `None` between messages.
    pub(crate) open: Option<Length>,
    /// Whether one more empty fragment is one too many.
    pub(crate) fed_up: bool,
    /// Whether RSV1 says "compressed" on the first frame of a message (RFC 7692 §6.1).
    pub(crate) compression: bool,
    pub(crate) limits: &'a Limits,
}

impl Header {
    /// Reads a header from the front of `bytes`; `role` is ours. Says how many octets it takes, or `None` when more are needed.
    ///
    /// A longer prefix of the same stream never gets a different answer, and the first octet that no legal header could
    /// have is refused though the rest has not come; a limit is compared with the octets of the length that have come, not with
    /// the least that its form could mean. Message order is not checked here, and no extension claims a reserved bit: see
    /// [`Decoder`](crate::Decoder).
    pub fn decode(role: Role, limits: &Limits, bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        // A continuation is legal in an open message only, anything else between messages only.
        let continues = bytes.first().is_some_and(|b0| b0 & bits::OPCODE == DataOp::Continuation as u8);
        parse(Rules { role, open: continues.then_some(0), fed_up: false, compression: false, limits }, bytes)
    }

    /// The header's octets. A length over 2^63 - 1 has no form; it is cut to that, and no slice is so long.
    #[inline]
    pub fn encode(&self) -> HeaderBytes {
        let (b0, len) = match self.kind {
            Kind::Data { op, fin, len } => (op as u8 | if fin { bits::FIN } else { 0 }, len.min(u64::MAX >> 1)),
            Kind::Control { op, len } => (op as u8 | bits::FIN, u64::from(len.min(MAX_CONTROL))),
        };
        let mask = if self.key.is_some() { bits::MASK } else { 0 };
        let [l0, l1, l2, l3, l4, l5, l6, l7] = len.to_be_bytes();
        let [k0, k1, k2, k3] = self.key.unwrap_or_default().0;
        let (octets, len): (_, u8) = match len {
            0..126 => ([b0, mask | l7, k0, k1, k2, k3, 0, 0, 0, 0, 0, 0, 0, 0], 2),
            126..0x1_0000 => ([b0, mask | bits::LEN_16, l6, l7, k0, k1, k2, k3, 0, 0, 0, 0, 0, 0], 4),
            _ => ([b0, mask | bits::LEN_64, l0, l1, l2, l3, l4, l5, l6, l7, k0, k1, k2, k3], 10),
        };
        HeaderBytes { octets, len: if mask == 0 { len } else { len.wrapping_add(4) } }
    }
}

/// Reads a header and checks it against `rules`, octet by octet.
pub(crate) fn parse(rules: Rules<'_>, bytes: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
    let Some((&b0, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let op = first_octet(b0, rules.open.is_some(), rules.compression)?;
    let Some((&b1, rest)) = rest.split_first() else {
        return Ok(None);
    };
    match (rules.role, b1 & bits::MASK != 0) {
        (Role::Server, false) => return Err(Violation::MaskMissing),
        (Role::Client, true) => return Err(Violation::MaskForbidden),
        (Role::Server, true) | (Role::Client, false) => {}
    }
    let short = b1 & bits::LEN;
    let (len, rest) = match &op {
        Op::Control(_) if short > MAX_CONTROL => return Err(Violation::ControlTooLong),
        Op::Control(ControlOp::Close) if short == 1 => return Err(Violation::CloseBodyTooShort),
        Op::Control(_) => (Length::from(short), Some(rest)),
        Op::Data(_) if short == 0 && b0 & bits::FIN == 0 && rules.fed_up => {
            return Err(Violation::TooManyEmptyFragments);
        }
        Op::Data(_) => {
            let (len, rest) = length(short, rest)?;
            within(len, &rules)?;
            (len, rest)
        }
    };
    let Some(rest) = rest else {
        return Ok(None);
    };
    let (key, rest) = match rules.role {
        Role::Client => (None, rest),
        Role::Server => match rest.split_first_chunk() {
            Some((key, rest)) => (Some(Key(*key)), rest),
            None => return Ok(None),
        },
    };
    let kind = match op {
        Op::Data(op) => Kind::Data { op, fin: b0 & bits::FIN != 0, len: wide(len) },
        Op::Control(op) => Kind::Control { op, len: short },
    };
    Ok(Some((Header { kind, key }, bytes.len().saturating_sub(rest.len()))))
}

enum Op {
    Data(DataOp),
    Control(ControlOp),
}

/// FIN, RSV and opcode, and whether the opcode may come now (RFC 6455 §5.4). RSV1 may stand on the first frame of a message
/// only (RFC 7692 §6.1): with Text or Binary.
fn first_octet(b0: u8, open: bool, compression: bool) -> Result<Op, Violation> {
    let begins = matches!(b0 & bits::OPCODE, 0x1 | 0x2);
    if b0 & bits::RSV != 0 && !(compression && begins && b0 & bits::RSV == bits::RSV1) {
        return Err(Violation::RsvUnclaimed);
    }
    let op = match b0 & bits::OPCODE {
        0x0 => Op::Data(DataOp::Continuation),
        0x1 => Op::Data(DataOp::Text),
        0x2 => Op::Data(DataOp::Binary),
        0x8 => Op::Control(ControlOp::Close),
        0x9 => Op::Control(ControlOp::Ping),
        0xA => Op::Control(ControlOp::Pong),
        _ => return Err(Violation::OpcodeReserved),
    };
    match (&op, open) {
        (Op::Control(_), _) if b0 & bits::FIN == 0 => Err(Violation::ControlFragmented),
        (Op::Data(DataOp::Continuation), false) => Err(Violation::ContinuationUnexpected),
        (Op::Data(DataOp::Text | DataOp::Binary), true) => Err(Violation::ContinuationExpected),
        _ => Ok(op),
    }
}

/// A length of which some octets may not have come yet: the least that it can be, and what follows it, `None` while octets of it are
/// missing.
///
/// RFC 6455 §5.2: "the minimal number of bytes MUST be used", and the top bit is 0. As soon as no length that can still come is
/// legal, it is refused.
fn length(short: u8, bytes: &[u8]) -> Result<(Length, Option<&[u8]>), Violation> {
    // The octets of the form, how many of them show whether it is the shortest, and the least that has no shorter one.
    let (octets, settled, floor) = match short {
        bits::LEN_16 => (2usize, 2, 126),
        bits::LEN_64 => (8, 6, 0x1_0000),
        short => return Ok((Length::from(short), Some(bytes))),
    };
    if octets == 8 && bytes.first().is_some_and(|top| top & 0x80 != 0) {
        return Err(Violation::LengthTopBit);
    }
    let low = of_octets((0..octets).map(|at| bytes.get(at).copied().unwrap_or(0)));
    if bytes.len() >= settled && low < floor {
        return Err(Violation::LengthNotMinimal);
    }
    Ok((low, bytes.get(octets..)))
}

/// Names the tighter of the two limits, whichever octets of the length have come.
fn within(len: Length, rules: &Rules<'_>) -> Result<(), Violation> {
    let longest = bound(rules.limits.max_frame_bytes);
    let left = bound(rules.limits.max_message_bytes).saturating_sub(rules.open.unwrap_or(0));
    if len > longest.min(left) {
        let frame = longest <= left;
        return Err(if frame { Violation::FrameTooBig } else { Violation::MessageTooBig });
    }
    Ok(())
}
