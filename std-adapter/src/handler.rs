//! What the application makes of it: one handler for each worker.

use crate::context::Context;
use crate::frame::{Fragment, Frame};
use crate::http::{Answer, Decision, Request, Response};
use crate::id::ConnId;

/// The application. Each worker has its own instance and calls it from one thread, one event after the other.
///
/// A panic in it closes the connection at hand with 1011, or answers its request with 500, and harms no other; the instance goes on.
pub trait Handler {
    /// This worker begins: it serves as soon as this returns. Timers may be set. A panic here means that the worker does not start.
    fn worker_start(&mut self, ctx: &mut Context<'_>) {
        let _ = ctx;
    }

    /// This worker ends: all its connections have, and nothing comes after this.
    fn worker_stop(&mut self, ctx: &mut Context<'_>) {
        let _ = ctx;
    }

    /// A message came, or a control frame if the settings ask for those. It lies in the worker's buffer: keep a copy, not the
    /// slice.
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>);

    /// A piece of a message came, in place of `message`, when [`stream_messages`](crate::Settings::stream_messages) is on. It lies in
    /// the worker's buffer: keep a copy, not the slice.
    fn fragment(&mut self, ctx: &mut Context<'_>, id: ConnId, fragment: Fragment<'_>) {
        let _ = (ctx, id, fragment);
    }

    /// A handshake that is right came: accept it, or answer otherwise. Default: accept.
    fn handshake(&mut self, ctx: &mut Context<'_>, request: &Request<'_>) -> Decision {
        let _ = (ctx, request);
        Decision::default()
    }

    /// A connection was opened: the 101 is under way, and messages may be pushed behind it.
    fn open(&mut self, ctx: &mut Context<'_>, id: ConnId, request: &Request<'_>) {
        let _ = (ctx, id, request);
    }

    /// A connection that was opened has ended; comes exactly once for each. Nothing can be pushed to it any more.
    fn close(&mut self, ctx: &mut Context<'_>, id: ConnId, closed: &Closed<'_>) {
        let _ = (ctx, id, closed);
    }

    /// More than [`buffer_high_watermark`](crate::Settings::buffer_high_watermark) octets wait for a peer that reads too slowly: nothing
    /// more is read from it, and little more should be pushed until `drain`. Comes once before that.
    fn buffer_full(&mut self, ctx: &mut Context<'_>, id: ConnId) {
        let _ = (ctx, id);
    }

    /// A peer that read too slowly, so that its socket refused something, has read what waited for it, but for
    /// [`buffer_low_watermark`](crate::Settings::buffer_low_watermark) octets. Comes after each `buffer_full`, and for less than that too.
    fn drain(&mut self, ctx: &mut Context<'_>, id: ConnId) {
        let _ = (ctx, id);
    }

    /// A plain HTTP request came, with its body, for which [`document_root`](field@crate::Settings::document_root) has no file. Default:
    /// 400, and the connection ends; 404 if the server has files.
    fn request(&mut self, ctx: &mut Context<'_>, request: &Request<'_>) -> Answer {
        let _ = request;
        if ctx.settings().document_root.is_some() {
            return Response::text(404, "there is nothing here\n").into();
        }
        Response::text(400, "this is a WebSocket server\n").closing().into()
    }

    /// A connection has ended that never became a WebSocket: of plain HTTP, of a handshake that was refused, or of a client that
    /// said nothing.
    fn disconnect(&mut self, ctx: &mut Context<'_>, id: ConnId) {
        let _ = (ctx, id);
    }

    /// The time of [`Context::wake_after`] has come.
    fn timer(&mut self, ctx: &mut Context<'_>, timer: Timer) {
        let _ = (ctx, timer);
    }
}

/// A timer of one worker; see [`Context::after`], [`Context::tick`] and [`Context::wake_after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timer(pub(crate) u64);

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed<'a> {
    /// The code of the peer's Close, 1005 if that had none (RFC 6455 section 7.1.5). If none came: the code of ours, or 1006 if
    /// there was none either.
    pub code: u16,
    /// The reason in the Close that the code is from; often empty.
    pub reason: &'a str,
    /// Who began to end it.
    pub by: By,
    /// Whether a Close went both ways (RFC 6455 section 7.1.4).
    pub clean: bool,
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// The peer, by a Close or by ending the transport.
    Peer,
    /// This server: the handler, a rule that the peer broke, a deadline, or its stop.
    Server,
}
