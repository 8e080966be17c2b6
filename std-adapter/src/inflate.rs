//! What comes compressed (RFC 7692): a connection keeps a history if it must, and an inflater only while a message is under way.

use crate::budget::{Budget, Share};
use crate::compress::{KEPT, window};
use crate::context::Context;
use crate::flags::Flag;
use crate::frame::{Fragment, Frame};
use crate::handler::Handler;
use crate::wheel::Tick;
use crate::worker::Worker;
use martlet_codec::{Data, Inflater, Violation, Window};
use martlet_state::DeflateSide;
use std::rc::Rc;

/// What a connection keeps of what came compressed.
pub(crate) struct Incoming {
    /// What the next octets may refer to: at most the window that was negotiated, and no more than has come.
    window: Window<Vec<u8>>,
    /// The message that is under way.
    open: Option<Box<Open>>,
}

/// A compressed message of which a part has come.
#[derive(Default)]
struct Open {
    inflater: Inflater,
    /// What has come of it and was not handed out.
    message: Vec<u8>,
    /// Nothing of it was handed out.
    untold: bool,
    /// When it must be whole.
    until: Tick,
    /// What it takes while it is under way.
    share: Option<Share>,
}

impl Open {
    /// Whether the worker has room for what it has grown to.
    fn fits(&mut self, budget: &Rc<Budget>) -> bool {
        let octets = size_of::<Self>() + self.message.capacity();
        self.share.get_or_insert_with(|| Share::new(budget)).set(octets)
    }
}

impl Incoming {
    /// When the message must be whole of which a part has come.
    pub(crate) fn until(&self) -> Option<Tick> {
        self.open.as_ref().map(|open| open.until)
    }

    /// Gives it another time.
    pub(crate) fn renew(&mut self, until: Tick) {
        if let Some(open) = &mut self.open {
            open.until = until;
        }
    }
}

/// What a worker lends to the connection whose message it inflates.
#[derive(Default)]
pub(crate) struct Lent {
    open: Option<Box<Open>>,
    /// A window for those that keep none.
    incoming: Option<Box<Incoming>>,
}

/// What became of a piece of a compressed message.
enum Outcome {
    /// The message was handed out.
    Whole,
    /// More of it must come.
    More,
    /// The handler wants nothing more.
    Over,
}

impl<H: Handler> Worker<'_, H> {
    /// Takes a piece of a compressed message, which may be all of it.
    #[inline(never)]
    pub(crate) fn inflate(&mut self, key: usize, data: &Data<'_>) {
        let Some(side) = self.ctx.slots[key].conn.compression().map(|params| params.client) else { return };
        let Some(mut incoming) = self.ctx.take_incoming(key, side) else { return };
        let mut open = incoming.open.take().or_else(|| self.ctx.lent.open.take()).unwrap_or_default();
        if data.is_first() {
            open.inflater.begin(data.kind());
            open.message.clear();
            open.untold = true;
            open.until = self.ctx.slots[key].transfer_until(self.ctx.now);
            if side.no_context_takeover {
                incoming.window.clear();
            }
        }
        match self.hand_out(key, &mut incoming.window, &mut open, data) {
            Ok(Outcome::Whole) => {
                self.ctx.lend(open);
                if side.no_context_takeover {
                    self.ctx.lent.incoming = Some(incoming);
                    self.ctx.slots[key].tidy();
                } else {
                    self.ctx.keep_incoming(key, incoming);
                }
            }
            Ok(Outcome::More) if !open.fits(self.ctx.slots[key].profile.budget) => self.refuse_overload(key),
            Ok(Outcome::More) => {
                incoming.open = Some(open);
                self.ctx.keep_incoming(key, incoming);
                if data.is_first() {
                    self.ctx.arm(key);
                }
            }
            Ok(Outcome::Over) => {}
            Err(violation) => self.refuse_message(key, violation),
        }
    }

    fn hand_out(
        &mut self,
        key: usize,
        window: &mut Window<Vec<u8>>,
        open: &mut Open,
        data: &Data<'_>,
    ) -> Result<Outcome, Violation> {
        let slot = &self.ctx.slots[key];
        let (id, profile, kind) = (slot.id, slot.profile, data.kind());
        let Open { inflater, message, untold, .. } = open;
        let mut input = data.payload();
        while let Some(piece) = inflater.inflate(&profile.inflate, window, &mut input, data.is_last())? {
            if profile.streams {
                let (first, last) = (std::mem::take(untold), piece.last);
                self.handler.fragment(&mut self.ctx, id, Fragment { kind, first, last, payload: piece.payload });
            } else if piece.last && message.is_empty() {
                self.message(id, Frame::message(kind, piece.payload).compressed());
            } else {
                grow(message, piece.payload.len(), profile.inflate.max_message_bytes);
                message.extend_from_slice(piece.payload);
                if piece.last {
                    self.message(id, Frame::message(kind, message).compressed());
                }
            }
            if piece.last {
                return Ok(Outcome::Whole);
            }
            if self.ctx.slots[key].flags.has(Flag::Leaving) {
                return Ok(Outcome::Over);
            }
        }
        Ok(Outcome::More)
    }
}

impl Context<'_> {
    /// What the connection has kept, or an empty window.
    fn take_incoming(&mut self, key: usize, side: DeflateSide) -> Option<Box<Incoming>> {
        let kept = self.slots[key].extras.as_mut().and_then(|extras| extras.incoming.take());
        let lent = if side.no_context_takeover { &mut self.lent.incoming } else { &mut None };
        kept.or_else(|| {
            // A room that grows is never too small.
            let empty = Window::new(Vec::new(), window(side))?;
            let Some(mut lent) = lent.take() else { return Some(Box::new(Incoming { window: empty, open: None })) };
            let room = std::mem::replace(&mut lent.window, empty).into_room();
            lent.window = Window::new(room, window(side))?;
            Some(lent)
        })
    }

    fn keep_incoming(&mut self, key: usize, incoming: Box<Incoming>) {
        let slot = &mut self.slots[key];
        // The handler may have ended it meanwhile.
        if !slot.flags.has(Flag::Leaving) {
            slot.extras.get_or_insert_default().incoming = Some(incoming);
        }
    }

    fn lend(&mut self, mut open: Box<Open>) {
        // It is the worker's own again.
        open.share = None;
        if open.message.capacity() > KEPT {
            open.message = Vec::new();
        }
        self.lent.open = Some(open);
    }
}

/// Makes room for more of a message: twice as much each time, and never for more than a message may have.
fn grow(message: &mut Vec<u8>, more: usize, most: u64) {
    let wanted = message.len() + more;
    if wanted > message.capacity() {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        message.reserve_exact((wanted.max(2 * message.len()).min(most.max(wanted))) - message.len());
    }
}
