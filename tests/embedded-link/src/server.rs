//! The smallest complete server: handshake, strict frames, UTF-8, Ping and Close, and an echo. Answers to frames lie where the
//! frames lay, so that a connection has one buffer.

use crate::now;
use core::borrow::Borrow;
use martlet::handshake::{Accept, Kind, Limits};
use martlet::state::{Config, Connection, Event, HeadMode, Instant, MIN_OUTPUT, Status, Writer};

pub use martlet::state::State as Stage;

/// The least that a header with a control frame's body takes. Longer lines of heads pass in pieces.
pub const BUFFER: usize = martlet::codec::MIN_INPUT;
/// Room for the answer to a request.
pub const ROOM: usize = if MIN_OUTPUT > 160 { MIN_OUTPUT } else { 160 };

/// Settings that are known when this is compiled: they take no memory, and what they rule out takes no flash.
#[derive(Clone, Copy)]
pub struct Settings;

impl Borrow<Config<'static>> for Settings {
    #[inline(always)]
    fn borrow(&self) -> &Config<'static> {
        static CONFIG: Config<'static> = Config {
            head: Limits { max_line_bytes: BUFFER as u32, ..Limits::DEFAULT },
            head_mode: HeadMode::Lines,
            ..Config::DEFAULT
        };
        &CONFIG
    }
}

/// Where octets come from and go to.
pub trait Port {
    /// Takes what has come; gives how much it is.
    fn read(&mut self, room: &mut [u8]) -> usize;
    /// Sends octets.
    fn write(&mut self, octets: &[u8]);
}

/// What a connection keeps besides its buffer.
pub type State = Connection<'static, martlet::state::Server, Settings>;

/// One connection: all that the firmware keeps for it.
pub struct Server {
    connection: State,
    held: u8,
    buffer: [u8; BUFFER],
}

const _: () = assert!(BUFFER <= u8::MAX as usize);

impl Server {
    /// Before the first octet.
    pub fn new() -> Self {
        Self { connection: Connection::server(Settings, Instant(0)), held: 0, buffer: [0; BUFFER] }
    }

    /// Where the connection stands.
    pub fn stage(&self) -> Stage {
        self.connection.state()
    }

    /// Takes what has come, and says what there is to say to it. Any number of connections has `room` in turn: the answer to a
    /// request, which lies there, is sent at once.
    pub fn turn(&mut self, port: &mut impl Port, room: &mut [u8; ROOM]) {
        let came = port.read(self.buffer.get_mut(usize::from(self.held)..).unwrap_or_default());
        self.held = self.held.wrapping_add(came as u8);
        while self.held > 0 && self.opens() {
            let mut output = Writer::new(room);
            let head = self.read_head(&mut output);
            if head == Head::Upgrade {
                self.accept(&mut output);
            }
            port.write(output.written());
            if head == Head::Nothing {
                break;
            }
        }
        if !self.opens() {
            self.frames(port);
        }
    }

    /// Whether the handshake is still under way.
    fn opens(&self) -> bool {
        matches!(self.stage(), Stage::Connection | Stage::Handshake)
    }

    #[inline(never)]
    fn accept(&mut self, output: &mut Writer<'_>) {
        // There is room, and something to accept.
        let _ = self.connection.accept(now(), &Accept::default(), output);
    }

    /// Reads a line of the request.
    #[inline(never)]
    fn read_head(&mut self, output: &mut Writer<'_>) -> Head {
        let Self { connection, held, buffer } = self;
        let mut rest = buffer.get_mut(..usize::from(*held)).unwrap_or_default();
        let head = match connection.receive_head(now(), &mut rest, output) {
            Ok(Status::Event(Event::Request { kind: Kind::Upgrade(_), .. })) => Head::Upgrade,
            Ok(Status::Event(Event::Request { .. })) => {
                connection.eof();
                Head::Nothing
            }
            Ok(Status::Event(_)) => Head::Line,
            Ok(_) | Err(_) => Head::Nothing,
        };
        let left = rest.len();
        self.keep(left);
        head
    }

    /// Echoes messages piece by piece, and answers control frames where they lie.
    #[inline(never)]
    fn frames(&mut self, port: &mut impl Port) {
        let Self { connection, held, buffer } = self;
        let mut rest = buffer.get_mut(..usize::from(*held)).unwrap_or_default();
        while !rest.is_empty() {
            let mut answer = &[][..];
            match connection.receive_in_place(now(), &mut rest, &mut answer) {
                Ok(Status::Event(Event::Data(data))) => {
                    let payload = data.payload();
                    if let Ok((header, _)) = connection.begin_frame(data.kind(), payload.len() as u64, data.is_last()) {
                        port.write(header.as_ref());
                        port.write(payload);
                    }
                }
                Ok(Status::Event(_)) => port.write(answer),
                Ok(_) => break,
                Err(_) => {
                    port.write(answer);
                    break;
                }
            }
        }
        let left = rest.len();
        self.keep(left);
    }

    /// Moves the last `left` octets of what is held to the front.
    fn keep(&mut self, left: usize) {
        crate::port::keep(&mut self.buffer, usize::from(self.held), left);
        self.held = left as u8;
    }
}

/// What came of a request.
#[derive(PartialEq)]
enum Head {
    /// A line, or the front of one.
    Line,
    /// All of it, and it asks for a WebSocket.
    Upgrade,
    /// Nothing that goes on by itself.
    Nothing,
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}
