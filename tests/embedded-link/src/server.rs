//! The smallest complete server: handshake, strict frames, UTF-8, Ping and Close, and an echo. Answers to frames lie where the
//! frames lay, so that a connection has one buffer.

use crate::now;
use martlet::handshake::{Accept, Kind, Limits};
use martlet::state::{Config, Connection, Event, HeadMode, Instant, MIN_OUTPUT, Status, Writer};

pub use martlet::state::State as Stage;

/// The least that a header with a control frame's body takes. Longer lines of heads pass in pieces.
pub const BUFFER: usize = martlet::codec::MIN_INPUT;
/// Room for the answer to a request: it is sent at once, so that any number of connections has it on the stack in turn.
const HEAD: usize = if MIN_OUTPUT > 160 { MIN_OUTPUT } else { 160 };

static CONFIG: Config<'static> = Config {
    head: Limits { max_line_bytes: BUFFER as u32, ..Limits::DEFAULT },
    head_mode: HeadMode::Lines,
    ..Config::DEFAULT
};

/// Where octets come from and go to.
pub trait Port {
    /// Takes what has come; gives how much it is.
    fn read(&mut self, room: &mut [u8]) -> usize;
    /// Sends octets.
    fn write(&mut self, octets: &[u8]);
}

/// What a connection keeps besides its buffer.
pub type State = Connection<'static>;

/// One connection: all that the firmware keeps for it.
pub struct Server {
    connection: State,
    held: u8,
    buffer: [u8; BUFFER],
}

const _: () = assert!(BUFFER <= u8::MAX as usize);

impl Server {
    /// Before the first octet.
    pub const fn new() -> Self {
        Self { connection: Connection::server(&CONFIG, Instant(0)), held: 0, buffer: [0; BUFFER] }
    }

    /// Where the connection stands.
    pub fn stage(&self) -> Stage {
        self.connection.state()
    }

    /// Takes what has come, and says what there is to say to it.
    pub fn turn(&mut self, port: &mut impl Port) {
        let Self { connection, held, buffer } = self;
        let came = port.read(buffer.get_mut(usize::from(*held)..).unwrap_or_default());
        let end = usize::from(*held).wrapping_add(came);
        let mut rest = buffer.get_mut(..end).unwrap_or_default();
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
                Ok(Status::NoRoom(_)) if open(connection, &mut rest, port) => {}
                Ok(Status::NoRoom(_) | Status::More) => break,
                Err(_) => {
                    port.write(answer);
                    break;
                }
            }
        }
        let left = rest.len();
        crate::port::keep(buffer, end, left);
        *held = left as u8;
    }
}

/// Reads a line of the request, and answers when it is whole; says whether to go on.
#[inline(never)]
fn open(connection: &mut State, rest: &mut &mut [u8], port: &mut impl Port) -> bool {
    let mut room = [0; HEAD];
    let mut output = Writer::new(&mut room);
    let status = connection.receive(now(), rest, &mut output);
    let goes_on = match status {
        Ok(Status::Event(Event::Request { kind: Kind::Upgrade(_), .. })) => {
            connection.accept(now(), &Accept::default(), &mut output).is_ok()
        }
        Ok(Status::Event(Event::Request { .. })) => {
            connection.eof();
            false
        }
        Ok(Status::Event(_)) => true,
        Ok(_) | Err(_) => false,
    };
    port.write(output.written());
    goes_on
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}
