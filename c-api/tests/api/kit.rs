//! C's side of the API, as far as the tests need it: storage, buffers and a source of random octets.

use martlet_c::*;
use std::ffi::{CStr, c_int, c_void};
use std::mem::zeroed;
use std::ptr::null_mut;

/// Room for whatever a test sends.
pub(crate) const ROOM: usize = 4096;

/// A configuration where it stays.
pub(crate) fn config(change: impl FnOnce(&mut Settings)) -> &'static Config {
    let (mut settings, config) = (defaults(), Box::leak(Box::new(storage::<Config>())));
    change(&mut settings);
    assert_eq!(unsafe { martlet_config_init(config, size_of::<Config>(), &settings, null_mut()) }, Code::Ok);
    config
}

pub(crate) fn defaults() -> Settings {
    let mut settings = storage::<Settings>();
    assert_eq!(unsafe { martlet_settings_default(&mut settings) }, Code::Ok);
    settings
}

/// As C's `= {0}`.
pub(crate) fn storage<T>() -> T {
    // SAFETY: only for structures of integers, booleans, pointers and enumerations that have a zero.
    unsafe { zeroed() }
}

pub(crate) fn octets(text: &'static str) -> Octets {
    Octets { ptr: text.as_ptr(), len: text.len() }
}

pub(crate) fn shown(octets: Octets) -> &'static [u8] {
    if octets.len == 0 {
        return &[];
    }
    // SAFETY: the tests look at what they lent while it is there.
    unsafe { std::slice::from_raw_parts(octets.ptr, octets.len) }
}

pub(crate) fn describe(code: c_int) -> &'static str {
    // SAFETY: it ends in NUL and is there for ever.
    unsafe { CStr::from_ptr(martlet_describe(code)) }.to_str().unwrap()
}

/// One end with the buffers around it.
pub(crate) struct End {
    pub(crate) connection: Connection,
    room: Box<[u8]>,
    pub(crate) output: Output,
}

impl End {
    pub(crate) fn server(config: &'static Config) -> Self {
        let mut end = Self::new();
        let code = unsafe { martlet_server_init(&mut end.connection, size_of::<Connection>(), config, 0) };
        assert_eq!(code, Code::Ok);
        end
    }

    pub(crate) fn client(config: &'static Config, random: Random, context: *mut c_void) -> Result<Self, Code> {
        let mut end = Self::new();
        let request = ClientRequest { host: octets("example.org"), target: octets("/chat?room=1"), ..storage() };
        let size = size_of::<Connection>();
        let code = unsafe {
            martlet_client_init(&mut end.connection, size, config, 0, &request, random, context, &mut end.output)
        };
        if code == Code::Ok { Ok(end) } else { Err(code) }
    }

    fn new() -> Self {
        let mut room = vec![0; ROOM].into_boxed_slice();
        let output = Output { ptr: room.as_mut_ptr(), size: ROOM, len: 0, wanted: 0 };
        Self { connection: storage(), room, output }
    }

    /// Takes out what was written.
    pub(crate) fn written(&mut self) -> Vec<u8> {
        let written = self.room[..self.output.len].to_vec();
        self.output.len = 0;
        written
    }

    pub(crate) fn state(&mut self) -> State {
        unsafe { martlet_state_of(&mut self.connection) }
    }

    /// Drains octets, with an answer to each event; gives what was said of each, and leaves in `wire` what was not taken.
    pub(crate) fn drain(&mut self, wire: &mut Vec<u8>, mut answer: impl FnMut(&mut Self, &Event)) -> Vec<String> {
        let mut input = Input { ptr: wire.as_mut_ptr(), len: wire.len() };
        let mut log = Vec::new();
        loop {
            let mut event = storage();
            let code = unsafe { martlet_receive(&mut self.connection, 0, &mut input, &mut self.output, &mut event) };
            match code {
                Code::Ok => {
                    log.push(line(&event));
                    answer(self, &event);
                }
                Code::More => break,
                fault => log.push(format!("{fault:?} {}", event.code)),
            }
            assert!(log.len() < 1000, "no end: {:?}", log.last());
        }
        let taken = wire.len() - input.len;
        wire.drain(..taken);
        log
    }

    /// The same for whole octets, with the handshake accepted.
    pub(crate) fn receive(&mut self, mut wire: Vec<u8>) -> Vec<String> {
        let log = self.drain(&mut wire, |end, event| {
            if event.r#type == EventType::Request {
                assert_eq!(end.accept(), Code::Ok);
            }
        });
        assert_eq!(wire, b"");
        log
    }

    pub(crate) fn accept(&mut self) -> Code {
        unsafe { martlet_accept(&mut self.connection, 0, std::ptr::null(), 0, &mut self.output) }
    }

    pub(crate) fn text(&mut self, text: &[u8]) -> Code {
        unsafe { martlet_send_text(&mut self.connection, text.as_ptr(), text.len(), &mut self.output) }
    }

    pub(crate) fn fragment(&mut self, kind: Kind, octets: &[u8], fin: bool) -> Code {
        let (ptr, len) = (octets.as_ptr(), octets.len());
        unsafe { martlet_send_fragment(&mut self.connection, kind as c_int, ptr, len, fin, &mut self.output) }
    }

    pub(crate) fn close(&mut self, code: u16, reason: &[u8]) -> Code {
        let (ptr, len) = (reason.as_ptr(), reason.len());
        unsafe { martlet_close(&mut self.connection, 0, code, ptr, len, &mut self.output) }
    }
}

fn line(event: &Event) -> String {
    let (name, octets) = (shown(event.name).escape_ascii(), shown(event.octets).escape_ascii());
    match event.r#type {
        EventType::None => "nothing".into(),
        EventType::Line => format!("{:?} {name} {octets} {} {}", event.line, event.code, event.last),
        EventType::Request => format!("request upgrade={} {name} {}", event.upgrade, event.octets.len),
        EventType::Open => format!("open {name}"),
        EventType::Data => format!("{:?} {} {} {octets}", event.kind, event.first, event.last),
        EventType::Ping => format!("ping {octets}"),
        EventType::Pong => format!("pong {octets}"),
        EventType::Close => format!("close {} {octets}", event.code),
    }
}

/// Counts up; good enough for tests only.
pub(crate) unsafe extern "C" fn count(context: *mut c_void, room: *mut u8, len: usize) -> c_int {
    let next = unsafe { &mut *context.cast::<u8>() };
    for at in 0..len {
        *next = next.wrapping_add(1);
        unsafe { room.add(at).write(*next) };
    }
    0
}

/// What [`count`] counts with.
pub(crate) fn counter() -> *mut c_void {
    Box::into_raw(Box::new(0u8)).cast()
}

/// Both ends after their handshake.
pub(crate) fn pair(config: &'static Config) -> (End, End) {
    let (mut client, mut server) = (End::client(config, Some(count), counter()).unwrap(), End::server(config));
    server.receive(client.written());
    client.receive(server.written());
    assert_eq!((client.state(), server.state()), (State::Active, State::Active));
    (client, server)
}
