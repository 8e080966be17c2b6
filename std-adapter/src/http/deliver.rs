//! Answers on their way to the peer, as fast as it takes them, and those that come from other threads.

use super::Response;
use super::deferred::Reply;
use super::exchange::{Piece, Stage};
use super::serve::sorry;
use crate::context::Place;
use crate::flags::Flag;
use crate::handler::Handler;
use crate::id::ConnId;
use crate::worker::Worker;
use martlet_state::State;

/// Pieces of a body that are written before the others get their turn.
const PIECES_PER_TURN: usize = 16;

impl<H: Handler> Worker<'_, H> {
    /// What another thread says about a request. It may be too late: then nothing happens.
    pub(crate) fn reply(&mut self, id: ConnId, number: u32, reply: Reply) {
        let Place::Here(key) = self.ctx.find(id) else { return };
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        let fits = slot.conn.state() == State::Handshake && !slot.flags.has(Flag::Leaving);
        let Some(exchange) = slot.exchange_mut().filter(|exchange| fits && exchange.number == number) else { return };
        match (&mut exchange.stage, reply) {
            (Stage::Sending(_), Reply::More) => return self.settle(key),
            (Stage::Deciding { .. }, Reply::Accept { subprotocol, headers }) => {
                let Stage::Deciding { head, kind, .. } = std::mem::take(&mut exchange.stage) else { return };
                slot.flags.lower(Flag::HeldBack);
                self.accept_deferred(key, &head, &kind, subprotocol, &headers);
                self.take_up(key);
            }
            (Stage::Deciding { .. }, Reply::Response(response)) => self.answer(key, response.closing()),
            (Stage::Deferred { .. }, Reply::Response(response)) => self.answer(key, response),
            (Stage::Deferred { .. } | Stage::Deciding { .. }, Reply::Lost | Reply::Accept { .. }) => {
                tracing::error!(%id, "an answer that was deferred was not given, or not one to this request");
                self.answer(key, sorry());
            }
            (Stage::Head | Stage::Idle | Stage::Body { .. } | Stage::Sending(_), _) => return,
            (Stage::Deferred { .. } | Stage::Deciding { .. }, Reply::More) => return,
        }
        self.ctx.mark_dirty(key);
    }

    fn accept_deferred(
        &mut self,
        key: usize,
        head: &[u8],
        kind: &martlet_state::Kind,
        subprotocol: Option<String>,
        headers: &[(String, String)],
    ) {
        let Some(head) = martlet_handshake::Request::parse(head) else { return };
        let accept = || self.accept_handshake(key, &head, kind, subprotocol.as_deref(), headers);
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(accept)).is_err() {
            self.panicked(key);
        }
    }

    /// Writes more of the response, if the peer has taken what was written. Says whether there is any under way.
    pub(crate) fn deliver(&mut self, key: usize) {
        let now = self.ctx.now;
        for _ in 0..PIECES_PER_TURN {
            let Some(slot) = self.ctx.slots.get_mut(key) else { return };
            if slot.queue.is_some() || slot.flags.has(Flag::Broken) || slot.flags.has(Flag::Leaving) {
                return;
            }
            let patience = slot.profile.settings.request_timeout;
            let Some(exchange) = slot.exchange_mut() else { return };
            let Stage::Sending(source) = &mut exchange.stage else { return };
            let Some(source) = source else {
                self.answered(key);
                return self.take_up(key);
            };
            if self.scratch.is_empty() {
                self.scratch = vec![0; self.ctx.settings.read_buffer_bytes].into();
            }
            let piece = match source.next(&mut self.scratch) {
                Ok(piece) => piece,
                Err(error) => {
                    // The head is gone, and with it the chance to say so.
                    tracing::error!(id = %slot.id, %error, "the rest of a body cannot be read");
                    slot.flags.raise(Flag::Broken);
                    return;
                }
            };
            match piece {
                Piece::Wait => return,
                Piece::Octets { before, octets, behind } => {
                    exchange.until = Some(now.after(crate::settings::ms(patience)));
                    slot.write(now, [before.as_bytes(), octets, behind]);
                }
                Piece::End(last) => {
                    exchange.stage = Stage::Sending(None);
                    slot.write(now, [last]);
                }
            }
        }
        // There is more, and the socket takes it: after the others.
        self.take_turn(key);
    }

    /// Goes on with what came while the answer was under way.
    fn take_up(&mut self, key: usize) {
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        let held = slot.extras.as_ref().is_some_and(|extras| extras.held.is_some());
        slot.flags.put(Flag::TakenUp, held);
        if held || slot.flags.has(Flag::Readable) {
            self.take_turn(key);
        }
    }

    /// Gives the connection a turn after the others.
    pub(super) fn take_turn(&mut self, key: usize) {
        if let Some(slot) = self.ctx.slots.get_mut(key)
            && !slot.flags.raise(Flag::InReady)
        {
            self.ctx.turn_again(key);
        }
    }

    /// The exchange's deadline has passed.
    pub(crate) fn exchange_expired(&mut self, key: usize) {
        let now = self.ctx.now;
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        let (until, id) = (slot.until.into(), slot.id);
        let Some(exchange) = slot.exchange_mut() else { return };
        match exchange.stage {
            Stage::Idle => {
                slot.conn.eof();
            }
            Stage::Body { .. } => self.answer(key, Response::text(408, "the body did not come in time\n").closing()),
            Stage::Deferred { .. } => {
                tracing::error!(%id, "no answer in time");
                self.answer(key, Response::text(503, "no answer in time\n").closing());
            }
            // What the socket has taken since moves, however slowly.
            Stage::Sending(_) if now < until => return self.ctx.arm_at(key, until),
            Stage::Sending(_) => _ = slot.flags.raise(Flag::Broken),
            Stage::Head | Stage::Deciding { .. } => {}
        }
        self.ctx.mark_dirty(key);
        self.settle(key);
    }
}
