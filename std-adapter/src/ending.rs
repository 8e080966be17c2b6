//! How connections end: the handler hears of it once, what waits is written, and the peer may read it.

use crate::context::{Context, NOBODY};
use crate::flags::Flag;
use crate::handler::{By, Closed, Handler};
use crate::http::sorry;
use crate::present::Standing;
use crate::worker::Worker;
use martlet_state::{CloseFrame, Expired, NoRoom, SendError, State};
use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl<'c, H: Handler> Worker<'c, H> {
    /// Calls the handler so that its panic ends at most the connection in this slot; none if that is [`NOBODY`].
    pub(crate) fn guard(&mut self, key: usize, call: impl FnOnce(&mut H, &mut Context<'c>)) {
        let (handler, ctx) = (&mut self.handler, &mut self.ctx);
        if catch_unwind(AssertUnwindSafe(|| call(handler, ctx))).is_err() {
            self.panicked(key);
        }
    }

    /// The handler panicked while it dealt with this slot: nothing more is delivered from it.
    pub(crate) fn panicked(&mut self, key: usize) {
        // There is none where the panic was about no connection, or where that has gone.
        let Some(slot) = self.ctx.slots.get(key) else { return tracing::error!("the handler panicked") };
        tracing::error!(id = %slot.id, "the handler panicked");
        // The one works while the request is not answered, the other while a Close may go; at any other time nothing may.
        self.answer(key, sorry());
        if let Ok(frame) = CloseFrame::new(1011, "internal error") {
            let _ = self.ctx.start_close(key, frame);
        }
        self.ctx.leave(key);
        self.ctx.mark_dirty(key);
    }

    /// Tells the handler of the end of a connection, if it knows of it and was not told. A panic is the caller's to catch.
    pub(crate) fn tell(&mut self, key: usize, closed: &Closed<'_>) {
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        if slot.flags.has(Flag::Opened) && !slot.flags.raise(Flag::Told) {
            let id = slot.id;
            slot.profile.counters.ended.add(1);
            self.ctx.stands(key, Standing::Closing);
            tracing::debug!(%id, code = closed.code, reason = closed.reason, clean = closed.clean, by = ?closed.by, "closed");
            self.handler.close(&mut self.ctx, id, closed);
        }
    }

    /// The same with the panic caught.
    pub(crate) fn guard_tell(&mut self, key: usize, closed: &Closed<'_>) {
        if catch_unwind(AssertUnwindSafe(|| self.tell(key, closed))).is_err() {
            self.panicked(key);
        }
    }

    /// Sees to a connection that may have ended, outside its turn.
    pub(crate) fn settle(&mut self, key: usize) {
        let Some(slot) = self.ctx.slots.get(key) else { return };
        if slot.flags.has(Flag::HeldBack) {
            self.deliver(key);
        }
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        if slot.flags.has(Flag::Broken) {
            slot.conn.eof();
            return self.remove(key);
        }
        if slot.conn.state() == State::Closed && !slot.flags.has(Flag::Leaving) {
            self.ctx.leave(key);
        }
        let Some(slot) = self.ctx.slots.get_mut(key).filter(|slot| slot.flags.has(Flag::Leaving)) else { return };
        if !slot.flags.has(Flag::Told) {
            self.tell_ended(key);
        }
        let Some(slot) = self.ctx.slots.get_mut(key).filter(|slot| slot.queue.is_none()) else { return };
        // What the peer has under way must be read before the socket is closed: otherwise the system resets the connection,
        // and the peer may lose what was said to it last. After a clean end nothing is under way.
        let finished = slot.flags.has(Flag::Eof) || (slot.flags.has(Flag::Clean) && !slot.flags.has(Flag::Readable));
        if !finished && !slot.flags.raise(Flag::Shut) && slot.socket.shutdown(Shutdown::Write).is_err() {
            slot.flags.raise(Flag::Broken);
        }
        if finished || slot.flags.has(Flag::Broken) {
            self.remove(key);
        }
    }

    /// Looks at a connection one of whose deadlines may have passed.
    pub(crate) fn deadline(&mut self, key: usize) {
        let now = self.ctx.now;
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        let idle_ms = slot.profile.config.idle_ms;
        slot.release_idle(now);
        if slot.deadline().is_none_or(|deadline| now < deadline) {
            return self.ctx.arm(key);
        }
        if slot.flags.has(Flag::Leaving) {
            slot.flags.raise(Flag::Broken);
            return self.settle(key);
        }
        if slot.conn.state() == State::Handshake && slot.exchange().is_some_and(|exchange| exchange.until.is_some()) {
            return self.exchange_expired(key);
        }
        // Who is not read cannot show that it lives.
        if slot.flags.has(Flag::Paused) && slot.conn.state() == State::Active {
            return self.ctx.arm_at(key, now.after(idle_ms.max(1_000)));
        }
        // Who reads what waits is heard out, and our Close may lie behind it.
        if matches!(slot.conn.state(), State::Active | State::Closing) && now < slot.until.into() {
            let until = slot.until.into();
            return self.ctx.arm_at(key, until);
        }
        if self.end_overdue(key) {
            return;
        }
        let Some(slot) = self.ctx.slots.get(key) else { return };
        if slot.silent_at().is_some_and(|at| at <= now) {
            return self.close_silent(key);
        }
        let mut expired = None;
        let ticked = self.ctx.write_with(key, |conn, writer| {
            expired = conn.tick(now, writer).map_err(|NoRoom { wanted }| SendError::NoRoom(NoRoom { wanted }))?;
            Ok(())
        });
        debug_assert!(ticked.is_ok(), "time is no misuse");
        self.expired(key, expired);
        self.settle(key);
        self.ctx.arm(key);
        if expired.is_none() && self.ctx.slots.contains(key) {
            // When the Pong comes, the next Ping may be due before the Pong would have been.
            self.ctx.arm_at(key, now.after(idle_ms));
        }
    }

    /// The peer has said nothing for too long.
    fn close_silent(&mut self, key: usize) {
        tracing::debug!(id = %self.ctx.slots[key].id, "silent for too long: 1008");
        if let Ok(frame) = CloseFrame::new(1008, "nothing came for too long") {
            // It is Active, so that nothing speaks against a Close; it arms the deadline of the peer's.
            let _ = self.ctx.start_close(key, frame);
        }
    }

    fn expired(&mut self, key: usize, expired: Option<Expired>) {
        let Some(slot) = self.ctx.slots.get_mut(key) else { return };
        match expired {
            // The heartbeat's Ping.
            None => slot.count_no_message_out(),
            Some(Expired::Handshake) => {
                tracing::debug!(id = %slot.id, peer = %slot.peer.get(), "the handshake took too long");
                // Who has said nothing is told nothing.
                slot.flags.put(Flag::Broken, slot.queue.is_none());
            }
            Some(Expired::Pong) => {
                slot.count_no_message_out();
                slot.our_code = 1011;
                let closed = Closed { code: 1011, reason: "no answer to a ping", by: By::Server, clean: false };
                self.guard_tell(key, &closed);
            }
            Some(Expired::Close) => {
                // It has had its time, for the Close and for all that waits before it.
                slot.flags.raise(Flag::Broken);
            }
        }
    }

    /// Tells the handler of an end of which nobody else has told it.
    fn tell_ended(&mut self, key: usize) {
        let Some(slot) = self.ctx.slots.get(key) else { return };
        let (code, by) = if slot.our_code == 0 { (1006, By::Peer) } else { (slot.our_code, By::Server) };
        self.guard_tell(key, &Closed { code, reason: "", by, clean: false });
    }

    /// The end of a connection's slot; the socket is closed with it.
    fn remove(&mut self, key: usize) {
        self.tell_ended(key);
        // It may be the last one that the worker's end waits for.
        self.ctx.wake_at(self.ctx.now);
        if let Some(mut slot) = self.ctx.slots.try_remove(key) {
            self.ctx.wheel.cancel(key as u32);
            self.ctx.groups.forget(key, &mut slot);
            let id = slot.id;
            if let Some(present) = self.ctx.present() {
                present.remove(id);
            }
            tracing::debug!(%id, "disconnected");
            let refused = slot.flags.has(Flag::Refused);
            slot.profile.counters.closed.add(1);
            if refused {
                self.refusals -= 1;
            } else {
                self.ctx.handle.places().leave(slot.peer.get());
            }
            self.resume_accepting();
            if !slot.flags.has(Flag::Opened) && !refused {
                self.guard(NOBODY, |handler, ctx| handler.disconnect(ctx, id));
            }
        }
    }
}

impl Context<'_> {
    /// Ends a connection at once: nothing more is delivered, and nothing is waited for. It is removed at the end of its turn, or of
    /// this round.
    pub(crate) fn cut(&mut self, key: usize, reset: bool) {
        if reset {
            let slot = &mut self.slots[key];
            // Without it the end is one like others.
            if let Err(error) = slot.socket.reset_on_close() {
                tracing::debug!(id = %slot.id, %error, "no reset");
            }
            slot.flags.raise(Flag::Broken);
        }
        let slot = &mut self.slots[key];
        if slot.our_code == 0 {
            slot.our_code = 1006;
        }
        // What lies in the buffer is not delivered either.
        slot.conn.eof();
        self.leave(key);
        self.mark_dirty(key);
    }

    /// Nothing more is delivered from this connection. It stays until what waits is written and the peer has read it, but not for
    /// long.
    pub(crate) fn leave(&mut self, key: usize) {
        let now = self.now;
        let Some(slot) = self.slots.get_mut(key) else { return };
        slot.flags.raise(Flag::Leaving);
        // What comes is dropped: that the handler wants nothing of it makes no difference.
        slot.flags.lower(Flag::Paused);
        slot.message = None;
        slot.until = now.after(slot.profile.config.close_timeout_ms).into();
        if let Some(extras) = &mut slot.extras {
            (extras.held, extras.sender, extras.incoming) = (None, None, None);
        }
        slot.end_exchange();
        self.stands(key, Standing::Closing);
        self.arm(key);
    }
}

#[cfg(test)]
mod tests {
    use crate::{ConnId, Context, Handler, Server, Settings};
    use crate::{Frame, Handle};
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, SocketAddr, TcpStream};
    use std::time::{Duration, Instant};

    const PATIENCE: Duration = Duration::from_secs(60);
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    struct Deaf;

    impl Handler for Deaf {
        fn message(&mut self, _: &mut Context<'_>, _: ConnId, _: Frame<'_>) {}
    }

    /// When the worker is to look at a connection next.
    fn next(handle: &Handle) -> Option<u64> {
        let (tell, told) = std::sync::mpsc::channel();
        handle.run_on(0, move |ctx| tell.send(ctx.wheel.next()).unwrap()).unwrap();
        told.recv_timeout(PATIENCE).unwrap().map(|at| at.0)
    }

    #[test]
    fn a_worker_wakes_for_nobody_who_has_gone() {
        let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()];
        let server = Server::bind(Settings { listen, worker_num: 1, ..Settings::default() }).unwrap();
        let (handle, address) = (server.handle(), server.address().unwrap());
        let serving = std::thread::spawn(move || server.run(|_| Deaf));
        let mut clients: Vec<_> = (0..20).map(|_| TcpStream::connect(address).unwrap()).collect();
        for client in &mut clients[10..] {
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            client.write_all(REQUEST).unwrap();
            client.read_exact(&mut [0; 12]).unwrap();
        }
        assert!(next(&handle).is_some());
        drop(clients);
        let until = Instant::now() + PATIENCE;
        while handle.stats().accepted != 20 || handle.stats().connections != 0 {
            assert!(Instant::now() < until, "they stay: {:?}", handle.stats());
            std::thread::yield_now();
        }
        assert_eq!(next(&handle), None);
        handle.stop();
        serving.join().unwrap().unwrap();
    }
}
