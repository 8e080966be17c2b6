//! What comes from the peer, as C sees it.

use crate::code::Code;
use crate::connection::{Body, Connection, consume, either};
use crate::lend::{self, Input, Octets, Output};
use martlet_codec::{DataKind, Writer};
use martlet_handshake::{Kind as Asked, Line, ResponseFault, Text};
use martlet_state::{Event as CoreEvent, Fault, Instant, SendError, Status};

/// RFC 6455 section 7.1.5: what stands for a Close without a code. It is never sent.
const NO_STATUS: u16 = 1005;

/// What kind of event it is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// None.
    None = 0,
    /// A line of the head, only with `head_by_lines`: see `line`.
    Line = 1,
    /// A server got a whole, legal request: answer with martlet_accept or martlet_respond. Until then nothing more is taken. `upgrade`
    /// says whether it asks for a WebSocket. `name` is the subprotocol that is accepted with it, empty if none. `octets` is all of the
    /// head, empty with `head_by_lines`: see martlet_request_parse.
    Request = 2,
    /// A client's request was accepted, and all of the answer is right. `name` is the subprotocol, empty if there is none.
    Open = 3,
    /// A message, or as much of one as has come: `kind`, `first`, `last`, `octets`. Text that is whole is UTF-8; a piece of it may end
    /// inside a character.
    Data = 4,
    /// A Ping with `octets`; its Pong is in the output, unless `auto_pong` is off.
    Ping = 5,
    /// A Pong with `octets`.
    Pong = 6,
    /// The peer's Close: `code`, or 1005 if it has none, and the reason in `octets`, UTF-8. The answer is in the output; the connection
    /// is closed.
    Close = 7,
}

/// What kind of message it is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No message.
    None = 0,
    /// UTF-8 text.
    Text = 1,
    /// Octets.
    Binary = 2,
}

/// What kind of line it is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineType {
    /// An empty line that ends nothing: one before the request line, or the one behind an interim response, after which
    /// another status line comes.
    Blank = 0,
    /// The request line: the method in `name`, the target in `octets`.
    Request = 1,
    /// The status line: the status in `code`, the phrase in `octets`.
    Status = 2,
    /// A header: `name`, and the value in `octets`. If `last` is false, value pieces follow.
    Header = 3,
    /// More of the value of the header before, in `octets`. `last`: its end.
    ValuePiece = 4,
    /// The empty line that ends the head.
    End = 5,
}

/// What came from the peer. What it points to lies in the input, except for the names of subprotocols, which are the configuration's.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// What kind of event it is, and by that which of the fields mean something.
    pub r#type: EventType,
    /// Of a line.
    pub line: LineType,
    /// Of data.
    pub kind: Kind,
    /// A close code or an HTTP status. When martlet_receive answers a fault: what was told to the peer; or of
    /// MARTLET_CODE_RESPONSE_STATUS the server's status.
    pub code: u16,
    /// A message begins here.
    pub first: bool,
    /// The message, or the header's value, ends here.
    pub last: bool,
    /// The request asks for a WebSocket.
    pub upgrade: bool,
    /// A name.
    pub name: Octets,
    /// Payload, or whatever else it is about.
    pub octets: Octets,
}

impl Event {
    const NONE: Self = Self {
        r#type: EventType::None,
        line: LineType::Blank,
        kind: Kind::None,
        code: 0,
        first: false,
        last: false,
        upgrade: false,
        name: Octets::NONE,
        octets: Octets::NONE,
    };
}

/// Takes one event's worth from the front of the input, and puts the protocol's answer to it into the output. MARTLET_CODE_OK: there is an
/// event; call again. MARTLET_CODE_MORE: read more behind what is left of the input (at most 138 octets, or the head), and call again.
/// MARTLET_CODE_NO_ROOM: nothing was taken; write out the output, and call again. Anything from 200 on: a fault of the peer's, which
/// comes once; then the connection is closed, takes whatever comes, and says MARTLET_CODE_MORE.
///
/// Call it when octets have come: whatever lies in the input counts as a sign of life of the peer's at `now_ms`, in milliseconds since any
/// moment. Any cutting of the stream gives the same events and the same answers. MARTLET_MIN_OUTPUT octets of room are always enough.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_receive(
    connection: *mut Connection,
    now_ms: u64,
    input: *mut Input,
    output: *mut Output,
    event: *mut Event,
) -> Code {
    if let Err(code) = lend::check_place(event) {
        return code;
    }
    let mut told = Event::NONE;
    let work = |body: &mut Body, cursor: &mut &mut [u8], writer: &mut Writer<'_>| {
        let now = Instant(now_ms);
        let names = either!(&body.end, connection => connection.config()).subprotocols;
        match either!(&mut body.end, connection => connection.receive(now, cursor, writer)) {
            Ok(Status::Event(event)) => {
                told = Event::of(event, names);
                Ok(Code::Ok)
            }
            Ok(Status::More) => Ok(Code::More),
            Ok(Status::NoRoom(no_room)) => Err(SendError::NoRoom(no_room)),
            Err(fault) => {
                told.code = said(fault);
                Ok(fault.into())
            }
        }
    };
    // SAFETY: the crate's contract.
    let code = unsafe { consume(connection, input, output, work) };
    if code == Code::RandomFailed {
        told = Event::NONE;
    }
    // SAFETY: neither null nor misaligned; the crate's contract says that it may be written.
    unsafe { event.write(told) };
    code
}

/// What a fault's event says in its `code`.
const fn said(fault: Fault) -> u16 {
    match fault {
        Fault::Violation(violation) => violation.close_code(),
        Fault::Refusal(refusal) => refusal.status(),
        Fault::Response(ResponseFault::Status(status)) => status,
        // Nothing is said to such a server.
        Fault::Response(_) => 0,
    }
}

impl Event {
    fn of(event: CoreEvent<'_>, names: &[&str]) -> Self {
        let with = |r#type, octets: &[u8]| Self { r#type, octets: Octets::of(octets), ..Self::NONE };
        match event {
            CoreEvent::Line(line) => Self::of_line(line),
            CoreEvent::Request { head, kind } => {
                let (upgrade, name) = match kind {
                    Asked::Upgrade(upgrade) => (true, upgrade.subprotocol(names).map(|offered| offered.as_str())),
                    Asked::Plain(_) => (false, None),
                };
                Self { upgrade, name: named(name), ..with(EventType::Request, head) }
            }
            CoreEvent::Open(agreed) => Self { name: named(agreed.subprotocol(names)), ..with(EventType::Open, &[]) },
            CoreEvent::Data(data) => {
                let kind = match data.kind() {
                    DataKind::Text => Kind::Text,
                    DataKind::Binary => Kind::Binary,
                };
                let (first, last) = (data.is_first(), data.is_last());
                Self { kind, first, last, ..with(EventType::Data, data.into_payload()) }
            }
            CoreEvent::Ping(body) => with(EventType::Ping, body),
            CoreEvent::Pong(body) => with(EventType::Pong, body),
            CoreEvent::Close(None) => Self { code: NO_STATUS, ..with(EventType::Close, &[]) },
            CoreEvent::Close(Some(frame)) => {
                Self { code: frame.code().get(), ..with(EventType::Close, frame.reason_octets()) }
            }
        }
    }

    fn of_line(line: Line<'_>) -> Self {
        let with = |line, name: Text<'_>, octets: &[u8]| Self {
            r#type: EventType::Line,
            line,
            name: Octets::of(name.as_bytes()),
            octets: Octets::of(octets),
            ..Self::NONE
        };
        match line {
            Line::Blank => with(LineType::Blank, Text::default(), &[]),
            Line::Request { method, target } => with(LineType::Request, method, target.as_bytes()),
            Line::Status { code, reason } => Self { code, ..with(LineType::Status, Text::default(), reason) },
            Line::Header { name, value, last } => Self { last, ..with(LineType::Header, name, value) },
            Line::ValuePiece { value, last } => Self { last, ..with(LineType::ValuePiece, Text::default(), value) },
            Line::End => with(LineType::End, Text::default(), &[]),
        }
    }
}

fn named(name: Option<&str>) -> Octets {
    name.map_or(Octets::NONE, |name| Octets::of(name.as_bytes()))
}
