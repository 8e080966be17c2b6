//! Streams of frames with rare faults, each of which is known: plain random octets die at the mask bit.
//!
//! A [`Stream`] is a value without a role; [`Stream::octets`] puts it on the wire to either end, and [`Stream::lines`] says what
//! it means, in words that the structure gives, not a decoder.

use crate::cuts::{Cuts, Plan, Random};
use crate::transcript;
use crate::wire::{Wire, b0};
use martlet_codec::{DataKind, MIN_INPUT, Role, Violation};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// One thing that an end sends.
#[derive(Clone, Debug)]
pub enum Item {
    /// A message in fragments, with control frames between them.
    Message(Message),
    /// A control frame.
    Control(Control),
}

/// A message, and how it is sent.
#[derive(Clone, Debug)]
pub struct Message {
    /// Text or binary.
    pub kind: DataKind,
    /// All of its octets; a text's are UTF-8.
    pub payload: Vec<u8>,
    /// Where it is cut into fragments. Equal places make empty fragments; places within a character are as good as any.
    pub places: Vec<usize>,
    /// Control frames, each behind the fragment with that number.
    pub between: Vec<(usize, Control)>,
}

/// A control frame.
#[derive(Clone, Debug)]
pub enum Control {
    /// A Ping.
    Ping(Vec<u8>),
    /// A Pong.
    Pong(Vec<u8>),
}

/// What is wrong with the last frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// These reserved bits are set: 1 to 7.
    Rsv(u8),
    /// A reserved opcode.
    Opcode(u8),
    /// A mask where none may be, or none where one must be.
    Mask,
    /// A length below 126 in 16 bits.
    NotMinimal16(u8),
    /// A length below 65,536 in 64 bits.
    NotMinimal64(u16),
    /// A length with the top bit set.
    TopBit,
    /// A control frame without FIN.
    ControlFragmented(u8),
    /// A control frame of more than 125 octets.
    ControlTooLong(u8),
    /// A continuation between messages.
    ContinuationUnexpected,
    /// A message within a message.
    ContinuationExpected,
    /// A text that is not UTF-8.
    Utf8(&'static [u8]),
    /// A Close body of one octet.
    CloseTooShort,
    /// A close code that must not travel.
    CloseCode(u16),
    /// A close reason that is not UTF-8.
    CloseReason(&'static [u8]),
}

/// Some items, and perhaps a fault behind them.
#[derive(Clone, Debug)]
pub struct Stream {
    /// What is right.
    pub items: Vec<Item>,
    /// What is wrong.
    pub fault: Option<Fault>,
    /// Where masking keys come from.
    pub keys: u64,
}

/// Octets that no UTF-8 text begins with, or holds.
pub const NOT_UTF8: [&[u8]; 14] = [
    b"\x80",
    b"\xbf",
    b"\xc0\xaf",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xe4\xb8A",
    b"\xf0\x9f\x98\xc3",
];

impl Fault {
    /// The rule that it breaks at an end of that role.
    pub const fn violation(self, to: Role) -> Violation {
        match self {
            Self::Rsv(_) => Violation::RsvUnclaimed,
            Self::Opcode(_) => Violation::OpcodeReserved,
            Self::Mask => match to {
                Role::Server => Violation::MaskMissing,
                Role::Client => Violation::MaskForbidden,
            },
            Self::NotMinimal16(_) | Self::NotMinimal64(_) => Violation::LengthNotMinimal,
            Self::TopBit => Violation::LengthTopBit,
            Self::ControlFragmented(_) => Violation::ControlFragmented,
            Self::ControlTooLong(_) => Violation::ControlTooLong,
            Self::ContinuationUnexpected => Violation::ContinuationUnexpected,
            Self::ContinuationExpected => Violation::ContinuationExpected,
            Self::Utf8(_) => Violation::Utf8Invalid,
            Self::CloseTooShort => Violation::CloseBodyTooShort,
            Self::CloseCode(_) => Violation::CloseCodeInvalid,
            Self::CloseReason(_) => Violation::CloseReasonInvalid,
        }
    }

    fn put(self, wire: Wire) -> Wire {
        match self {
            Self::Rsv(bits) => wire.frame(b0::TEXT | bits << 4, b"x"),
            Self::Opcode(opcode) => wire.frame(0x80 | opcode, b"x"),
            Self::Mask => match wire.role() {
                Role::Server => wire.raw(b"\x81\x01x"),
                Role::Client => wire.raw(b"\x81\x81\x01\x02\x03\x04x"),
            },
            Self::NotMinimal16(len) => wire.header_form(b0::BINARY, 126, &u16::from(len % 126).to_be_bytes()),
            Self::NotMinimal64(len) => wire.header_form(b0::BINARY, 127, &u64::from(len).to_be_bytes()),
            Self::TopBit => wire.header_form(b0::BINARY, 127, &(1_u64 << 63 | 5).to_be_bytes()),
            Self::ControlFragmented(op) => wire.frame(0x08 | (op % 3), b"x"),
            Self::ControlTooLong(op) => wire.frame(0x88 | (op % 3), &[b'x'; 126]),
            Self::ContinuationUnexpected => wire.frame(b0::CONTINUATION, b"x"),
            Self::ContinuationExpected => wire.frame(b0::TEXT_MORE, b"x").frame(b0::TEXT, b"y"),
            Self::Utf8(octets) => wire.frame(b0::TEXT, &[b"text ", octets].concat()),
            Self::CloseTooShort => wire.frame(b0::CLOSE, b"\x03"),
            Self::CloseCode(code) => wire.frame(b0::CLOSE, &code.to_be_bytes()),
            Self::CloseReason(octets) => wire.frame(b0::CLOSE, &[b"\x03\xe8bye ", octets].concat()),
        }
    }
}

impl Control {
    fn put(&self, wire: Wire) -> Wire {
        match self {
            Self::Ping(body) => wire.ping(body),
            Self::Pong(body) => wire.pong(body),
        }
    }

    /// What it means.
    pub fn line(&self) -> String {
        match self {
            Self::Ping(body) => transcript::control("Ping", body),
            Self::Pong(body) => transcript::control("Pong", body),
        }
    }
}

impl Message {
    /// The fragments, in order.
    pub fn fragments(&self) -> Vec<&[u8]> {
        let mut places: Vec<usize> = self.places.iter().map(|place| place % (self.payload.len() + 1)).collect();
        places.extend([0, self.payload.len()]);
        places.sort_unstable();
        places.windows(2).map(|ends| &self.payload[ends[0]..ends[1]]).collect()
    }

    fn controls(&self, behind: usize, count: usize) -> impl Iterator<Item = &Control> {
        self.between.iter().filter(move |(at, _)| at % count == behind).map(|(_, control)| control)
    }
}

impl Stream {
    /// Puts it on the wire to an end of that role.
    pub fn octets(&self, to: Role) -> Vec<u8> {
        self.put(Wire::to(to)).octets().to_vec()
    }

    /// Puts it behind what is on the wire.
    pub fn put(&self, mut wire: Wire) -> Wire {
        let mut keys = Random(self.keys);
        let mut fresh = |wire: Wire| wire.key((keys.next_u64() as u32).to_ne_bytes());
        for item in &self.items {
            match item {
                Item::Control(control) => wire = control.put(fresh(wire)),
                Item::Message(message) => {
                    let fragments = message.fragments();
                    for (at, fragment) in fragments.iter().enumerate() {
                        let op = if at == 0 { message.kind.op() as u8 } else { 0 };
                        let fin = if at + 1 == fragments.len() { 0x80 } else { 0 };
                        wire = fresh(wire).frame(op | fin, fragment);
                        for control in message.controls(at, fragments.len()) {
                            wire = control.put(fresh(wire));
                        }
                    }
                }
            }
        }
        match self.fault {
            Some(fault) => fault.put(fresh(wire)),
            None => wire,
        }
    }

    /// What is right in it, line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for item in &self.items {
            match item {
                Item::Control(control) => lines.push(control.line()),
                Item::Message(message) => {
                    let count = message.fragments().len();
                    let before = (0..count - 1).flat_map(|at| message.controls(at, count));
                    lines.extend(before.map(Control::line));
                    lines.push(transcript::message(message.kind, &message.payload));
                    lines.extend(message.controls(count - 1, count).map(Control::line));
                }
            }
        }
        lines
    }

    /// All that it means to an end of that role.
    pub fn meaning(&self, to: Role) -> Vec<String> {
        let violation = self.fault.map(|fault| format!("{:?}", fault.violation(to)));
        self.lines().into_iter().chain(violation).collect()
    }
}

/// A property's number of cases. What fails is shown, not stored: it becomes a row of a table.
pub fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Either role.
pub fn role() -> impl Strategy<Value = Role> {
    select(vec![Role::Server, Role::Client])
}

/// Text with characters of every length.
pub fn text() -> impl Strategy<Value = String> {
    let character =
        prop_oneof![4 => proptest::char::range(' ', '~'), 1 => any::<char>(), 1 => select(vec!['ß', '中', '😀', '\0'])];
    let short = vec(character, 0..40).prop_map(|characters| characters.into_iter().collect::<String>());
    (short, prop_oneof![12 => Just(1), 2 => 2..9_usize, 1 => 400..600_usize])
        .prop_map(|(text, times)| text.repeat(times))
}

/// A payload of any octets; lengths about the borders of the forms that a length has are frequent.
pub fn payload() -> impl Strategy<Value = Vec<u8>> {
    let border = select(vec![0_usize, 1, 124, 125, 126, 127, 128, 511, 512, 513, 65_535, 65_536, 65_537]);
    prop_oneof![12 => vec(any::<u8>(), 0..200), 1 => (border, any::<u64>()).prop_map(|(len, seed)| {
        let mut random = Random(seed);
        (0..len).map(|_| random.next_u64() as u8).collect()
    })]
}

/// A Ping or Pong.
pub fn control() -> impl Strategy<Value = Control> {
    let body = || prop_oneof![3 => vec(any::<u8>(), 0..20), 1 => vec(any::<u8>(), 120..=125)];
    prop_oneof![body().prop_map(Control::Ping), body().prop_map(Control::Pong)]
}

/// A message in one to six fragments.
pub fn message() -> impl Strategy<Value = Message> {
    let body = prop_oneof![
        text().prop_map(|text| (DataKind::Text, text.into_bytes())),
        payload().prop_map(|payload| (DataKind::Binary, payload)),
    ];
    let places = prop_oneof![2 => Just(Vec::new()), 1 => vec(any::<u16>().prop_map(usize::from), 0..6)];
    (body, places, vec((0..8_usize, control()), 0..3)).prop_map(|((kind, payload), places, between)| Message {
        kind,
        payload,
        places,
        between,
    })
}

/// Any fault, known by its name.
pub fn fault() -> impl Strategy<Value = Fault> {
    let bad = || select(NOT_UTF8.to_vec());
    let code = prop_oneof![0..1000_u16, select(vec![1004_u16, 1005, 1006, 1015, 1016, 2999, 5000]), 5000..=u16::MAX];
    prop_oneof![
        (1..8_u8).prop_map(Fault::Rsv),
        select(vec![3_u8, 4, 5, 6, 7, 11, 12, 13, 14, 15]).prop_map(Fault::Opcode),
        Just(Fault::Mask),
        any::<u8>().prop_map(Fault::NotMinimal16),
        any::<u16>().prop_map(Fault::NotMinimal64),
        Just(Fault::TopBit),
        any::<u8>().prop_map(Fault::ControlFragmented),
        any::<u8>().prop_map(Fault::ControlTooLong),
        Just(Fault::ContinuationUnexpected),
        Just(Fault::ContinuationExpected),
        bad().prop_map(Fault::Utf8),
        Just(Fault::CloseTooShort),
        code.prop_map(Fault::CloseCode),
        bad().prop_map(Fault::CloseReason),
    ]
}

/// A stream of up to six items; one in three ends with a fault.
pub fn stream() -> impl Strategy<Value = Stream> {
    let item = prop_oneof![3 => message().prop_map(Item::Message), 1 => control().prop_map(Item::Control)];
    let fault = prop_oneof![2 => Just(None), 1 => fault().prop_map(Some)];
    (vec(item, 0..6), fault, any::<u64>()).prop_map(|(items, fault, keys)| Stream { items, fault, keys })
}

/// A way to cut a stream, through a buffer of any size that is large enough.
pub fn plan() -> impl Strategy<Value = Plan> {
    let cuts = prop_oneof![
        Just(Cuts::Whole),
        Just(Cuts::Each),
        any::<u64>().prop_map(Cuts::Random),
        vec(1..300_usize, 1..12).prop_map(Cuts::Sizes),
    ];
    let capacity = prop_oneof![Just(usize::MAX), Just(MIN_INPUT), MIN_INPUT..2000];
    (cuts, capacity).prop_map(|(cuts, capacity)| Plan { cuts, capacity })
}

/// A legal close code and a reason of at most 123 octets.
pub fn close() -> impl Strategy<Value = (u16, String)> {
    let code = prop_oneof![1000..=1003_u16, 1007..=1014_u16, 3000..=4999_u16];
    (code, text()).prop_map(|(code, mut reason)| {
        while reason.len() > 123 {
            reason.pop();
        }
        (code, reason)
    })
}
