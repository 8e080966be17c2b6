//! What the program serves: the chat page, the chat behind it, and an echo.

use crate::chat::{self, Action, Chat, Counters};
use martlet_std::{Answer, Closed, ConnId, Context, Decision, Frame, Handler, Opcode, PushError, Request, Response};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The tag of a connection that echoes, which all have until they get another.
const ECHO: u32 = 0;
/// The tag of a connection that chats.
const CHAT: u32 = 1;
/// The page.
const PAGE: &str = include_str!("chat.html");

/// The chat that the workers share. Talk among people is not what has to be fast: a lock is good enough for it.
pub(crate) type SharedChat = Arc<Mutex<Chat<ConnId>>>;

/// A chat that begins now.
pub(crate) fn shared_chat() -> SharedChat {
    Arc::new(Mutex::new(Chat::new(now_ms())))
}

/// The application in one worker.
pub(crate) struct App {
    chat: SharedChat,
    actions: Vec<Action<ConnId>>,
    started: Instant,
    /// Of this worker's connections that chat.
    pings: HashMap<ConnId, PingTime>,
}

/// The time that a Ping frame takes to be answered.
#[derive(Clone, Copy, Default)]
struct PingTime {
    /// The body of the Ping that is under way: when it was sent, in microseconds.
    sent_us: Option<u64>,
    latest_us: Option<u64>,
}

impl App {
    pub(crate) fn new(chat: &SharedChat) -> Self {
        Self { chat: Arc::clone(chat), actions: Vec::new(), started: Instant::now(), pings: HashMap::new() }
    }

    /// Asks the chat what is to be done, and does it before another worker can ask: all people see the same order.
    fn chat(&mut self, ctx: &mut Context<'_>, ask: impl FnOnce(&mut Chat<ConnId>, &mut Vec<Action<ConnId>>)) {
        let chat = Arc::clone(&self.chat);
        let mut chat = chat.lock().unwrap_or_else(PoisonError::into_inner);
        let mut actions = std::mem::take(&mut self.actions);
        ask(&mut chat, &mut actions);
        for action in actions.drain(..) {
            self.act(ctx, action);
        }
        self.actions = actions;
    }

    /// Does one thing, by way of the workers' mailboxes, that of this worker too: there it lies in the order in which the chat
    /// decided, and in no other.
    fn act(&mut self, ctx: &mut Context<'_>, action: Action<ConnId>) {
        let handle = ctx.handle();
        let done = match action {
            Action::Report { to } => {
                let sent = handle.push(to, chat::report(&self.counters(ctx, to)).as_str());
                self.send_ping(ctx, to);
                sent
            }
            Action::Send { to, text } => handle.push(to, text.as_str()),
            Action::Publish { room, text } => handle.publish(&room, text.as_str()),
            Action::Tell { user, text } => handle.push_to_user(&user, text.as_str()),
            Action::Bind { id, user } => handle.bind(id, &user),
            Action::Subscribe { id, room } => handle.subscribe(id, &room),
            Action::Unsubscribe { id, room } => handle.unsubscribe(id, &room),
            Action::Close { id, code, reason } => handle.disconnect(id, code, &reason).or_else(|why| match why {
                PushError::Misuse(why) => handle.push(id, chat::close_refused(&why.to_string()).as_str()),
                why => Err(why),
            }),
        };
        // Who goes gets nothing; the chat hears of it from `close`.
        if let Err(why) = done
            && !matches!(why, PushError::Gone | PushError::Closing)
        {
            tracing::warn!(%why, "somebody does not hear what is said");
        }
    }

    fn counters(&self, ctx: &Context<'_>, id: ConnId) -> Counters {
        let Some(info) = ctx.info(id) else { return Counters::default() };
        Counters {
            state: info.state as u8,
            frames_in: info.traffic.frames_in,
            frames_out: info.traffic.frames_out,
            bytes_in: info.traffic.bytes_in,
            bytes_out: info.traffic.bytes_out,
            ping_us: self.pings.get(&id).and_then(|ping| ping.latest_us),
        }
    }

    /// Sends a Ping that carries the time, unless one is under way.
    fn send_ping(&mut self, ctx: &mut Context<'_>, id: ConnId) {
        let now = self.now_us();
        let ping = self.pings.entry(id).or_default();
        if ping.sent_us.is_none() && ctx.ping(id, &now.to_be_bytes()).is_ok() {
            ping.sent_us = Some(now);
        }
    }

    /// Out of the way of the echo, which is what is measured.
    #[inline(never)]
    fn chat_message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        if frame.opcode() == Opcode::Pong {
            return self.pong(id, frame.payload());
        }
        self.chat(ctx, |chat, actions| match frame.text() {
            Some(text) => chat.receive(id, text, now_ms(), actions),
            None => chat.receive_binary(id, frame.payload().len(), now_ms(), actions),
        });
    }

    /// Microseconds since this worker's start.
    fn now_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn pong(&mut self, id: ConnId, body: &[u8]) {
        let now = self.now_us();
        let Some(ping) = self.pings.get_mut(&id) else { return };
        // A peer may send any Pong at any time: only the one that was asked for says something.
        if let Some(sent) = ping.sent_us.filter(|sent| body == sent.to_be_bytes()) {
            *ping = PingTime { sent_us: None, latest_us: Some(now.saturating_sub(sent)) };
        }
    }
}

impl Handler for App {
    fn handshake(&mut self, _: &mut Context<'_>, request: &Request<'_>) -> Decision {
        match request.path() {
            "/" | "/echo" | "/chat" => Decision::default(),
            _ => Decision::Reject(not_found()),
        }
    }

    fn open(&mut self, ctx: &mut Context<'_>, id: ConnId, request: &Request<'_>) {
        if request.path() == "/chat" {
            // It is this worker's, and was opened just now.
            let _ = ctx.set_tag(id, CHAT);
            self.send_ping(ctx, id);
        }
    }

    // The echo alone is what is inlined: the server calls it from one place for most messages.
    #[inline(always)]
    fn message(&mut self, ctx: &mut Context<'_>, id: ConnId, frame: Frame<'_>) {
        if ctx.tag(id) == Some(ECHO) && frame.opcode() != Opcode::Pong {
            // It fails only for a peer that is going already, or that does not read.
            let _ = ctx.push(id, frame);
        } else {
            self.chat_message(ctx, id, frame);
        }
    }

    fn close(&mut self, ctx: &mut Context<'_>, id: ConnId, _: &Closed<'_>) {
        if ctx.tag(id) == Some(CHAT) {
            self.pings.remove(&id);
            self.chat(ctx, |chat, actions| chat.leave(id, now_ms(), actions));
        }
    }

    fn request(&mut self, _: &mut Context<'_>, request: &Request<'_>) -> Answer {
        let response = match (request.path(), request.method()) {
            ("/", "GET" | "HEAD") => {
                Response::new(200, "text/html; charset=utf-8", PAGE.as_bytes()).with_header("Cache-Control", "no-cache")
            }
            ("/chat" | "/echo", "GET" | "HEAD") => {
                Response::text(426, "this is a WebSocket\n").with_header("Upgrade", "websocket")
            }
            ("/" | "/chat" | "/echo", _) => {
                Response::text(405, "only GET is possible here\n").with_header("Allow", "GET, HEAD")
            }
            _ => not_found(),
        };
        response.into()
    }
}

fn not_found() -> Response {
    Response::text(404, "there is nothing here\n")
}

/// Milliseconds since the epoch, by which the page shows times.
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
