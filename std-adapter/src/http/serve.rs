//! Requests on their way through a worker: to the handler, and its answers back, one after the other on each connection.

use super::body::Incoming;
use super::exchange::{Exchange, Stage};
use super::request::Place;
use super::{Answer, Decision, Request, Response};
use crate::flags::Flag;
use crate::handler::Handler;
use crate::settings::ms;
use crate::worker::Worker;
use martlet_handshake::CONTINUE;
use martlet_state::{Accept, Connection, Kind, State};
use std::time::SystemTime;

/// The answer when the handler has none, or one that cannot be sent.
pub(crate) fn sorry() -> Response {
    Response::text(500, "the server made a mistake\n").closing()
}

/// Requests that one turn takes behind the first one, if so many have come: then the other connections have theirs.
const REQUESTS_PER_TURN: usize = 64;
/// Answers of no more octets are given even if the worker has no room.
const SHORT: usize = 8 * 1024;

/// The answer when there is no room now, of whatever is needed.
pub(crate) fn full() -> Response {
    Response::text(503, "the server has no room for this now\n").with_header("Retry-After", "1").closing()
}

impl<'c, H: Handler> Worker<'c, H> {
    /// A head has come: it is answered, or its body is awaited.
    pub(crate) fn request(&mut self, key: usize, head: &martlet_handshake::Request<'_>, kind: &Kind) {
        let (ending, now) = (self.is_ending(), self.ctx.now);
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        slot.profile.counters.requests.add(1);
        let most = slot.profile.settings.max_body_bytes;
        let latest = slot.profile.transfer_end(now);
        let exchange = slot.exchange_or_new();
        exchange.number = exchange.number.wrapping_add(1);
        exchange.head_only = head.method() == "HEAD";
        exchange.http_1_0 = head.minor_version() == 0;
        exchange.time = Some(SystemTime::now());
        exchange.keep_alive = matches!(kind, Kind::Plain(plain) if plain.keep_alive) && !ending;
        let plain = match kind {
            Kind::Upgrade(_) => return self.handshake(key, head, kind),
            Kind::Plain(plain) => plain,
        };
        let body = match Incoming::new(plain.body, most) {
            Ok(Some(body)) => body,
            Ok(None) => return self.plain(key, head, &[]),
            Err((status, why)) => return self.answer(key, Response::text(status, why).closing()),
        };
        let expects = match head.header("Expect") {
            Some(value) if head.minor_version() != 0 => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return self.answer(key, Response::text(417, "only 100-continue can be expected\n").closing());
                }
                true
            }
            _ => false,
        };
        self.stage(key, Stage::Body { head: head.as_bytes().into(), body, expects, latest });
    }

    /// Goes on with what is under way, now that the core takes nothing. Says whether the rest of the input may be taken.
    pub(crate) fn proceed(&mut self, key: usize, input: &mut &mut [u8]) -> bool {
        let now = self.ctx.now;
        let Some(slot) = self.ctx.slots.get_mut(key) else { return false };
        let profile = slot.profile;
        let patience = profile.settings.request_timeout;
        let Some(exchange) = slot.exchange_mut() else { return false };
        match &mut exchange.stage {
            Stage::Idle if !input.is_empty() && self.requests == REQUESTS_PER_TURN => {
                slot.flags.raise(Flag::TakenUp);
                self.take_turn(key);
                false
            }
            Stage::Idle if !input.is_empty() => {
                self.requests += 1;
                slot.conn = Connection::server(&slot.profile.config, now);
                self.stage(key, Stage::Head);
                true
            }
            Stage::Body { body, expects, latest, .. } => {
                if std::mem::take(expects) && input.is_empty() {
                    self.ctx.append(key, CONTINUE);
                    return false;
                }
                let before = input.len();
                let taken = body.take(input);
                if input.len() != before {
                    exchange.until = Some(now.after(ms(patience)).min(*latest));
                }
                let fits = body.fits(profile.budget);
                match taken {
                    _ if !fits => {
                        slot.overload("a body");
                        self.answer(key, full());
                    }
                    Ok(true) => self.body_came(key),
                    Ok(false) => return false,
                    Err((status, why)) => self.answer(key, Response::text(status, why).closing()),
                }
                true
            }
            Stage::Idle | Stage::Head | Stage::Deferred { .. } | Stage::Deciding { .. } | Stage::Sending(_) => false,
        }
    }

    fn body_came(&mut self, key: usize) {
        let Some(exchange) = self.ctx.slots.get_mut(key).and_then(|slot| slot.exchange_mut()) else { return };
        if let Stage::Body { head, body, .. } = std::mem::take(&mut exchange.stage)
            && let Some(head) = martlet_handshake::Request::parse(&head)
        {
            self.plain(key, &head, &body.octets);
        }
    }

    fn plain(&mut self, key: usize, head: &martlet_handshake::Request<'_>, body: &[u8]) {
        let Some(place) = self.place(key) else { return };
        let settings = self.ctx.settings;
        if let Some(response) = crate::metrics::answer(settings, head.path(), || self.ctx.stats()) {
            return self.answer(key, response);
        }
        let root = self.ctx.slots.get(key).and_then(|slot| slot.profile.settings.document_root.as_deref());
        if let Some(file) = root.and_then(|root| crate::files::find(root, head)) {
            tracing::debug!(id = %place.id, target = head.target(), status = file.status, "a file");
            return self.answer(key, file);
        }
        let request = Request::new(head, body, place);
        let answer = self.handler.request(&mut self.ctx, &request);
        match answer {
            Answer::Now(response) => {
                tracing::debug!(id = %place.id, target = head.target(), status = response.status, "answered");
                self.answer(key, response);
            }
            Answer::Deferred => match request.into_asker() {
                Some(_asker) => self.stage(key, Stage::Deferred { _asker }),
                None => self.not_deferred(key, head.target()),
            },
        }
    }

    fn handshake(&mut self, key: usize, head: &martlet_handshake::Request<'_>, kind: &Kind) {
        let Some(place) = self.place(key) else { return };
        let Some(slot) = self.ctx.slots.get(key) else { return };
        let allowed = &slot.profile.settings.allowed_origins;
        if !allowed.is_empty()
            && let Some(origin) = head.origin()
            && !allowed.iter().any(|allowed| allowed == origin)
        {
            tracing::debug!(id = %place.id, origin, "an origin that is not allowed");
            return self.answer(key, Response::text(403, "pages of this origin are not served\n").closing());
        }
        let request = Request::new(head, &[], place);
        match self.handler.handshake(&mut self.ctx, &request) {
            Decision::Accept { subprotocol, headers } => {
                self.accept_handshake(key, head, kind, subprotocol.as_deref(), &headers);
            }
            Decision::Reject(response) => {
                tracing::debug!(id = %place.id, target = head.target(), status = response.status, "rejected");
                self.answer(key, response.closing());
            }
            Decision::Deferred => match request.into_asker() {
                Some(_asker) => self.stage(key, Stage::Deciding { head: head.as_bytes().into(), kind: *kind, _asker }),
                None => self.not_deferred(key, head.target()),
            },
        }
    }

    fn not_deferred(&mut self, key: usize, target: &str) {
        tracing::error!(target, "the handler says that its answer is deferred, and nobody has the means to give it");
        self.answer(key, sorry());
    }

    pub(super) fn accept_handshake(
        &mut self,
        key: usize,
        head: &martlet_handshake::Request<'_>,
        kind: &Kind,
        subprotocol: Option<&str>,
        headers: &[(String, String)],
    ) {
        let (Some(place), Kind::Upgrade(upgrade)) = (self.place(key), kind) else { return self.answer(key, sorry()) };
        let target = head.target();
        let offered = subprotocol.and_then(|name| head.subprotocols().find(|offered| offered.as_str() == name));
        if subprotocol.is_some() != offered.is_some() {
            tracing::error!(subprotocol, target, "the handler chose a subprotocol that is not offered");
            return self.answer(key, sorry());
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let accept = Accept { subprotocol: offered, headers: &headers, ..Accept::default() };
        let now = self.ctx.now;
        if let Err(misuse) = self.ctx.write_with(key, |conn, writer| conn.accept(now, &accept, writer)) {
            tracing::error!(%misuse, target, "the handler's acceptance cannot be sent");
            return self.answer(key, sorry());
        }
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        slot.end_exchange();
        slot.flags.raise(Flag::Opened);
        slot.profile.counters.opened.add(1);
        let agreed = offered.or_else(|| upgrade.subprotocol(slot.profile.config.subprotocols));
        let agreed = agreed.map(|name| name.as_str());
        if let Some(subprotocol) = agreed {
            slot.agree_on(subprotocol);
        }
        let compression = slot.conn.compression();
        // The heartbeat may come before the end of the handshake would have.
        self.ctx.arm(key);
        tracing::debug!(id = %place.id, target, "opened");
        let request = Request::new(head, &[], place).agreed(agreed, compression);
        self.handler.open(&mut self.ctx, place.id, &request);
    }

    /// Answers the request at hand.
    pub(crate) fn answer(&mut self, key: usize, mut response: Response) {
        let stopping = self.is_ending();
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        let profile = slot.profile;
        if !profile.budget.has(response.memory()) && response.memory() > SHORT {
            slot.overload("an answer");
            response = full();
        }
        let awaited = slot.conn.state() == State::Handshake && !slot.flags.has(Flag::Leaving);
        let Some(exchange) = slot.exchange_mut().filter(|_| awaited) else { return };
        exchange.keep_alive &= !stopping;
        let budget = profile.budget;
        let encoded = exchange.encode(response, budget).or_else(|error| {
            tracing::error!(%error, "the handler's response cannot be sent");
            exchange.encode(sorry(), budget)
        });
        let Ok((octets, source)) = encoded else {
            slot.flags.raise(Flag::Broken);
            return;
        };
        self.ctx.append(key, &octets);
        let waits = source.is_some() || self.ctx.slots.get(key).is_some_and(|slot| slot.queue.is_some());
        if waits {
            self.stage(key, Stage::Sending(source));
        } else {
            self.answered(key);
        }
    }

    /// All of the answer has left: the next request may come, or the connection ends.
    pub(super) fn answered(&mut self, key: usize) {
        let ending = self.is_ending();
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        if slot.exchange_mut().is_some_and(|exchange| exchange.keep_alive) && !ending {
            self.stage(key, Stage::Idle);
        } else {
            slot.conn.eof();
        }
    }

    /// What is awaited now, and until when.
    pub(super) fn stage(&mut self, key: usize, stage: Stage) {
        let now = self.ctx.now;
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        let settings = slot.profile.settings;
        let patience = now.after(ms(settings.request_timeout));
        let until = match &stage {
            // The core has its own deadline for these.
            Stage::Head | Stage::Deciding { .. } => None,
            Stage::Idle => Some(now.after(ms(settings.keepalive_timeout))),
            Stage::Body { latest, .. } => Some(patience.min(*latest)),
            Stage::Deferred { .. } | Stage::Sending(_) => Some(patience),
        };
        let exchange = slot.exchange_or_new();
        exchange.until = until;
        exchange.stage = stage;
        let holds = slot.exchange_mut().is_some_and(|exchange| Exchange::holds(exchange));
        slot.flags.put(Flag::HeldBack, holds);
        self.ctx.arm(key);
    }

    fn place(&self, key: usize) -> Option<Place<'c>> {
        let slot = self.ctx.slots.get(key)?;
        let exchange = slot.exchange()?;
        Some(Place {
            handle: self.ctx.handle,
            id: slot.id,
            number: exchange.number,
            remote: slot.peer.get(),
            local: slot.local(),
            time: exchange.time.unwrap_or_else(SystemTime::now),
            patience: slot.profile.settings.request_timeout,
        })
    }
}
