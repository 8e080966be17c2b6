//! The opening handshake: connections begin, requests are looked at and answered.

use crate::code::Code;
use crate::connection::{self, Body, Connection, End, produce};
use crate::lend::{self, Octets, Output};
use crate::random::{Random, Source};
use crate::settings::{self, Config};
use core::cell::Cell;
use core::ffi::c_void;
use martlet_codec::Writer;
use martlet_handshake::{Accept, Request as View};
use martlet_state::{Connection as Core, Instant, SendError};

/// How many headers of the caller's a request or an answer has at most.
pub const MARTLET_MAX_HEADERS: usize = 16;

/// A header of the caller's.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// A token.
    pub name: Octets,
    /// UTF-8 without control octets.
    pub value: Octets,
}

/// The request that opens a connection.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ClientRequest {
    /// The server's host, with its port unless that is the scheme's own: `example.org`, `[::1]:9501`.
    pub host: Octets,
    /// Path and query, percent-encoded: "/chat?room=1".
    pub target: Octets,
    /// For a browser, where the page comes from; otherwise empty.
    pub origin: Octets,
    /// More headers.
    pub headers: *const Header,
    /// How many there are: at most MARTLET_MAX_HEADERS.
    pub header_count: usize,
}

/// An answer that opens no connection.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Response {
    /// The body.
    pub body: Octets,
    /// Headers; Content-Length and Connection are written without being named here.
    pub headers: *const Header,
    /// How many there are: at most MARTLET_MAX_HEADERS.
    pub header_count: usize,
    /// The status: 200 to 599.
    pub status: u16,
}

/// What a request head says. It all lies in the head.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Such as "GET".
    pub method: Octets,
    /// The request target as it came.
    pub target: Octets,
    /// The target's path as it came, percent-encoding and all.
    pub path: Octets,
    /// What stands behind the target's first "?"; empty if there is none.
    pub query: Octets,
    /// Host, and port if there is one.
    pub host: Octets,
    /// Where the page comes from that opens the connection; empty if the client does not say. Whether to serve it is for the
    /// application to decide (RFC 6455 section 10.2).
    pub origin: Octets,
}

/// The end that accepted the transport, at `now_ms`. `size` is sizeof *connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_server_init(
    connection: *mut Connection,
    size: usize,
    config: *const Config,
    now_ms: u64,
) -> Code {
    // SAFETY: the crate's contract.
    unsafe {
        connection::settle(connection, size, || Ok(End::Server(Core::server(settings::of(config)?, Instant(now_ms)))))
    }
}

/// The end that made the transport, at `now_ms`: puts the request into the output and waits for the answer. `size` is sizeof *connection;
/// `random` gives the key of the handshake and that of every frame, and gets `context` each time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_client_init(
    connection: *mut Connection,
    size: usize,
    config: *const Config,
    now_ms: u64,
    request: *const ClientRequest,
    random: Random,
    context: *mut c_void,
    output: *mut Output,
) -> Code {
    let begin = || {
        let fill = random.ok_or(Code::MisuseNull)?;
        // SAFETY: the crate's contract.
        let (config, request, output) =
            unsafe { (settings::of(config)?, lend::place(request)?, lend::place_mut(output)?) };
        let mut room = [("", ""); MARTLET_MAX_HEADERS];
        // SAFETY: the crate's contract.
        let (request, mut writer) = unsafe {
            let origin = request.origin.text(Some(output))?;
            let request = martlet_state::ClientRequest {
                host: request.host.text(Some(output))?,
                target: request.target.text(Some(output))?,
                origin: (!origin.is_empty()).then_some(origin),
                headers: headers(request.headers, request.header_count, output, &mut room)?,
                ..Default::default()
            };
            (request, output.writer()?)
        };
        let source = Source { fill, context, failed: Cell::new(false) };
        let client = Core::client(config, Instant(now_ms), source, &request, &mut writer);
        match client {
            Ok(client) if client.key_source().failed.get() => Err(output.settle(output.len, Ok(Code::RandomFailed))),
            Ok(client) => {
                output.settle(writer.len(), Ok(Code::Ok));
                Ok(End::Client(client))
            }
            Err(error) => Err(output.settle(writer.len(), Err(error))),
        }
    };
    // SAFETY: the crate's contract.
    unsafe { connection::settle(connection, size, begin) }
}

/// Answers a request with 101: frames may go both ways. The subprotocol is the first of the configuration's that the client offers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_accept(
    connection: *mut Connection,
    now_ms: u64,
    headers: *const Header,
    header_count: usize,
    output: *mut Output,
) -> Code {
    let answer = |core: &mut Core<'static>, head: &Head<'_>, writer: &mut Writer<'_>| {
        core.accept(Instant(now_ms), &Accept { headers: head.headers, ..Accept::default() }, writer)
    };
    // SAFETY: the crate's contract.
    unsafe { answer_with(connection, headers, header_count, Octets::NONE, output, answer) }
}

/// Answers a request in any other way; the connection is closed. Shut down the sending half of the transport and drain what still comes, so
/// that the answer arrives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_respond(
    connection: *mut Connection,
    response: *const Response,
    output: *mut Output,
) -> Code {
    // SAFETY: the crate's contract.
    let response = match unsafe { lend::place(response) } {
        Ok(response) => response,
        Err(code) => return code,
    };
    let answer = |core: &mut Core<'static>, head: &Head<'_>, writer: &mut Writer<'_>| {
        let whole = martlet_state::Response::new(response.status, head.body);
        core.respond(&martlet_state::Response { headers: head.headers, ..whole }, writer)
    };
    // SAFETY: the crate's contract.
    unsafe { answer_with(connection, response.headers, response.header_count, response.body, output, answer) }
}

/// Takes a whole request head apart.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_request_parse(head: Octets, request: *mut Request) -> Code {
    // SAFETY: the crate's contract.
    let view = match lend::check_place(request).and_then(|()| unsafe { head.slice(None) }) {
        Ok(head) => View::parse(head),
        Err(code) => return code,
    };
    let Some(view) = view else { return Code::MisuseNoRequest };
    let of = |text: Option<&str>| Octets::of(text.unwrap_or_default().as_bytes());
    let parts = Request {
        method: of(Some(view.method())),
        target: of(Some(view.target())),
        path: of(Some(view.path())),
        query: of(view.query()),
        host: of(view.host()),
        origin: of(view.origin()),
    };
    // SAFETY: neither null nor misaligned; the crate's contract says that it may be written.
    unsafe { request.write(parts) };
    Code::Ok
}

/// Whether a whole request head has another header of that name, in any case, behind the first `skip` of them. If so, its value without the
/// whitespace around it is put into `value`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_request_header(head: Octets, name: Octets, skip: usize, value: *mut Octets) -> bool {
    if lend::check_place(value).is_err() {
        return false;
    }
    // SAFETY: the crate's contract.
    let (Ok(head), Ok(name)) = (unsafe { (head.slice(None), name.text(None)) }) else { return false };
    let Some(found) = View::parse(head).and_then(|view| view.header_values(name).nth(skip)) else { return false };
    // SAFETY: neither null nor misaligned; the crate's contract says that it may be written.
    unsafe { value.write(Octets::of(found)) };
    true
}

/// What an answer is made of.
struct Head<'a> {
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

unsafe fn answer_with(
    connection: *mut Connection,
    list: *const Header,
    count: usize,
    body: Octets,
    output: *mut Output,
    answer: impl FnOnce(&mut Core<'static>, &Head<'_>, &mut Writer<'_>) -> Result<(), SendError>,
) -> Code {
    let mut room = [("", ""); MARTLET_MAX_HEADERS];
    // SAFETY: the crate's contract.
    let headers = match unsafe { lend::place(output).and_then(|output| headers(list, count, output, &mut room)) } {
        Ok(headers) => headers,
        Err(code) => return code,
    };
    let work = |entered: &mut Body, body: &[u8], writer: &mut Writer<'_>| match &mut entered.end {
        End::Server(core) => answer(core, &Head { headers, body }, writer).map(|()| Code::Ok),
        End::Client(_) => Ok(Code::MisuseRole),
    };
    // SAFETY: the crate's contract.
    unsafe { produce(connection, output, body, work) }
}

unsafe fn headers<'a>(
    list: *const Header,
    count: usize,
    output: &Output,
    room: &'a mut [(&'a str, &'a str); MARTLET_MAX_HEADERS],
) -> Result<&'a [(&'a str, &'a str)], Code> {
    let places = room.get_mut(..count).ok_or(Code::MisuseTooMany)?;
    for (at, place) in places.iter_mut().enumerate() {
        // SAFETY: the crate's contract: so many are in the list.
        *place = unsafe {
            let header = lend::place(list.wrapping_add(at))?;
            (header.name.text(Some(output))?, header.value.text(Some(output))?)
        };
    }
    Ok(places)
}
