//! wslay through its event API, from Debian's libwslay: what of its header is needed here.
#![allow(unsafe_code)]

use crate::Kind;
use crate::corpus::{Corpus, Sum, Wire};
use crate::decode::Run;
use crate::encode::Send;
use std::ffi::{c_int, c_void};
use std::io::{Read, Write};

type Context = *mut c_void;

/// `wslay_event_on_msg_recv_arg`.
#[repr(C)]
struct Received {
    rsv: u8,
    opcode: u8,
    octets: *const u8,
    len: usize,
    status: u16,
}

/// `wslay_event_msg`.
#[repr(C)]
struct Message {
    opcode: u8,
    octets: *const u8,
    len: usize,
}

/// `wslay_event_callbacks`.
#[repr(C)]
struct Callbacks {
    recv: unsafe extern "C" fn(Context, *mut u8, usize, c_int, *mut c_void) -> isize,
    send: unsafe extern "C" fn(Context, *const u8, usize, c_int, *mut c_void) -> isize,
    genmask: Option<unsafe extern "C" fn(Context, *mut u8, usize, *mut c_void) -> c_int>,
    frame_start: Option<unsafe extern "C" fn(Context, *const c_void, *mut c_void)>,
    frame_chunk: Option<unsafe extern "C" fn(Context, *const c_void, *mut c_void)>,
    frame_end: Option<unsafe extern "C" fn(Context, *mut c_void)>,
    message: unsafe extern "C" fn(Context, *const Received, *mut c_void),
}

const WOULD_BLOCK: c_int = -401;

#[link(name = "wslay")]
unsafe extern "C" {
    fn wslay_event_context_server_init(context: *mut Context, callbacks: *const Callbacks, user: *mut c_void) -> c_int;
    fn wslay_event_recv(context: Context) -> c_int;
    fn wslay_event_send(context: Context) -> c_int;
    fn wslay_event_set_error(context: Context, value: c_int);
    fn wslay_event_queue_msg(context: Context, message: *const Message) -> c_int;
}

struct Peer {
    context: Context,
    /// Leaked: the benchmark's process ends soon, and the context points there.
    state: *mut State,
}

struct State {
    wire: Wire,
    sum: Sum,
}

unsafe extern "C" fn recv(context: Context, to: *mut u8, len: usize, _: c_int, user: *mut c_void) -> isize {
    // SAFETY: `user` is the state of `Peer::new`, which lives for ever, and `to` has room for `len` octets.
    let (state, to) = unsafe { (&mut *user.cast::<State>(), std::slice::from_raw_parts_mut(to, len)) };
    match state.wire.read(to) {
        Ok(fresh @ 1..) => fresh as isize,
        _ => {
            // SAFETY: called with the context that calls.
            unsafe { wslay_event_set_error(context, WOULD_BLOCK) };
            -1
        }
    }
}

unsafe extern "C" fn send(_: Context, from: *const u8, len: usize, _: c_int, user: *mut c_void) -> isize {
    // SAFETY: as above; there are `len` octets.
    let (state, from) = unsafe { (&mut *user.cast::<State>(), std::slice::from_raw_parts(from, len)) };
    state.wire.write(from).map_or(-1, |taken| taken as isize)
}

unsafe extern "C" fn message(_: Context, received: *const Received, user: *mut c_void) {
    // SAFETY: as above; what was received lives during the call.
    let (state, received) = unsafe { (&mut *user.cast::<State>(), &*received) };
    let octets = match received.len {
        0 => &[][..],
        // SAFETY: there are so many octets.
        len => unsafe { std::slice::from_raw_parts(received.octets, len) },
    };
    state.sum.message(octets);
}

impl Peer {
    fn new(wire: Wire) -> Self {
        let state = Box::into_raw(Box::new(State { wire, sum: Sum::default() }));
        let callbacks =
            Callbacks { recv, send, genmask: None, frame_start: None, frame_chunk: None, frame_end: None, message };
        let mut context = std::ptr::null_mut();
        // SAFETY: the callbacks are copied, the state lives for ever.
        let made = unsafe { wslay_event_context_server_init(&mut context, &callbacks, state.cast()) };
        assert_eq!(made, 0);
        Self { context, state }
    }
}

/// See [`DECODERS`](crate::decode::DECODERS).
pub fn decoder(corpus: &Corpus) -> Run {
    let peer = Peer::new(corpus.wire());
    Box::new(move || {
        // SAFETY: nobody else has the state at this moment.
        unsafe { (*peer.state).wire.at = 0 };
        // SAFETY: the context was made above; its callbacks use the state only within this call.
        assert_eq!(unsafe { wslay_event_recv(peer.context) }, 0);
        // SAFETY: nobody else has the state at this moment.
        std::mem::take(unsafe { &mut (*peer.state).sum })
    })
}

/// See [`ENCODERS`](crate::encode::ENCODERS).
pub fn encoder(kind: Kind, payload: &'static [u8]) -> Send {
    let peer = Peer::new(Wire::sink());
    let message = Message { opcode: kind.first_octet() & 0x0f, octets: payload.as_ptr(), len: payload.len() };
    Box::new(move |count| {
        for _ in 0..count {
            // SAFETY: the context was made above, and copies the message.
            assert_eq!(unsafe { wslay_event_queue_msg(peer.context, &message) }, 0);
            // SAFETY: the same context.
            assert_eq!(unsafe { wslay_event_send(peer.context) }, 0);
        }
    })
}
