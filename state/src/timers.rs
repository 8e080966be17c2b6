//! Deadlines: of the handshake, of the heartbeat, of the closing handshake. Time is an argument.

use crate::config::Config;
use crate::connection::{Connection, MIN_FRAME_OUTPUT, MIN_OUTPUT, Phase};
use crate::event::Expired;
use crate::instant::Instant;
use crate::side::Side;
use crate::states::{State, Trigger};
use core::borrow::Borrow;
use martlet_codec::{CloseCode, CloseFrame, ControlOp, NoRoom, Role, Writer};

impl<'c, S: Side, C: Borrow<Config<'c>>> Connection<'c, S, C> {
    /// When [`tick`](Self::tick) has something to do, if nothing comes before.
    ///
    /// It may be asked rarely. While frames come it only moves on, so that a timer that was set for an earlier answer is early
    /// at worst, and `tick` then does nothing. It may come nearer when the handshake is accepted, when we close, and when the
    /// heartbeat's Ping is answered while `idle_ms` is less than `pong_timeout_ms`: ask again then.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state() {
            State::Connection | State::Handshake if self.config().handshake_timeout_ms == 0 => None,
            State::Connection | State::Handshake | State::Closing => Some(self.due()),
            State::Active if self.is_awaiting_pong() => Some(self.due()),
            State::Active if self.config().idle_ms != 0 => Some(self.heard.after(self.config().idle_ms)),
            State::Active | State::Closed => None,
        }
    }

    /// Does what is due: sends the heartbeat's Ping, or ends the connection.
    ///
    /// Does nothing if nothing is due. [`MIN_OUTPUT`] octets of room are enough. With less, a server's answer to a handshake that
    /// takes too long and the heartbeat's Ping wait for room, and nothing happens: write out what is in the output, and call
    /// again. The ends that nothing but a dead or deaf peer brings about wait for nothing, because such a peer makes no room:
    /// the connection ends, if need be without a last word.
    pub fn tick(&mut self, now: Instant, output: &mut Writer<'_>) -> Result<Option<Expired>, NoRoom> {
        if self.poll_timeout().is_none_or(|due| now < due) {
            return Ok(None);
        }
        let wanted = self.room_to_expire();
        if output.room() < wanted {
            return Err(NoRoom { wanted });
        }
        let expired = match self.state() {
            State::Connection => Expired::Handshake,
            State::Handshake => {
                S::handshake_expired(self, output);
                Expired::Handshake
            }
            State::Active if self.is_awaiting_pong() => {
                if output.room() >= MIN_FRAME_OUTPUT
                    && let Ok(frame) = CloseFrame::new(CloseCode::INTERNAL_ERROR.get(), "no answer to a ping")
                {
                    self.write_close(frame, output);
                }
                Expired::Pong
            }
            State::Active => {
                self.control(ControlOp::Ping, &[], output);
                if let Phase::Frames(frames) = &mut self.phase {
                    frames.awaiting_pong = true;
                }
                self.set_due(now, self.config().pong_timeout_ms);
                return Ok(None);
            }
            State::Closing | State::Closed => Expired::Close,
        };
        self.go(Trigger::TimedOut);
        Ok(Some(expired))
    }

    const fn is_awaiting_pong(&self) -> bool {
        matches!(&self.phase, Phase::Frames(frames) if frames.awaiting_pong)
    }

    /// Room without which nothing is done about what is due.
    const fn room_to_expire(&self) -> usize {
        match (self.state(), S::ROLE) {
            // Nothing of a server's own stands before this answer, so that room for it can always be made.
            (State::Connection | State::Handshake, Role::Server) => MIN_OUTPUT,
            (State::Active, _) if !self.is_awaiting_pong() => MIN_FRAME_OUTPUT,
            (State::Connection | State::Handshake, Role::Client)
            | (State::Active | State::Closing | State::Closed, _) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::connection::tests::{active, receive};

    /// The output is full because the peer does not read: that must not keep the connection.
    #[test]
    fn a_peer_that_does_not_read_cannot_put_off_the_end() {
        let config = Config::DEFAULT;
        let mut room = [0; MIN_FRAME_OUTPUT + 2];
        let mut closing = active(&config, Instant(0));
        let mut output = Writer::new(&mut room);
        closing.close(Instant(0), None, &mut output).unwrap();
        output.put(&[0; MIN_FRAME_OUTPUT]).unwrap();
        assert_eq!(closing.tick(Instant(5_000), &mut output), Ok(Some(Expired::Close)));

        let mut silent = active(&config, Instant(0));
        let mut output = Writer::new(&mut room);
        assert_eq!(silent.tick(Instant(30_000), &mut output), Ok(None));
        output.put(&[0; MIN_FRAME_OUTPUT]).unwrap();
        assert_eq!(output.room(), 0);
        assert_eq!(silent.tick(Instant(50_000), &mut output), Ok(Some(Expired::Pong)));
        assert_eq!((silent.state(), silent.poll_timeout()), (State::Closed, None));

        // The Ping itself has to be sent before it can stay without an answer.
        let mut full = active(&config, Instant(0));
        let wanted = MIN_FRAME_OUTPUT;
        assert_eq!(
            full.tick(Instant(30_000), &mut Writer::new(&mut [0; MIN_FRAME_OUTPUT - 1])),
            Err(NoRoom { wanted })
        );
        assert_eq!(full.tick(Instant(90_000), &mut Writer::new(&mut [0; MIN_FRAME_OUTPUT])), Ok(None));
        assert_eq!(full.poll_timeout(), Some(Instant(110_000)));
    }

    /// The Pong counts though the clock was set back before it came.
    #[test]
    fn a_clock_that_goes_back_ends_no_connection() {
        let config = Config::DEFAULT;
        let mut room = [0; MIN_OUTPUT];
        let mut output = Writer::new(&mut room);
        let mut connection = active(&config, Instant(100_000));
        assert_eq!(connection.tick(Instant(130_000), &mut output), Ok(None));
        assert_eq!(output.written(), b"\x89\0");
        receive(&mut connection, Instant(70_000), b"\x8a\x80\0\0\0\0").unwrap();
        assert_eq!(connection.poll_timeout(), Some(Instant(100_000)));
        output.clear();
        assert_eq!(connection.tick(Instant(150_000), &mut output), Ok(None));
        assert_eq!((connection.state(), output.written()), (State::Active, &b"\x89\0"[..]));
    }

    /// Of a deadline the lower half is kept: it is the same wherever the clock stands, and after any silence.
    #[test]
    fn deadlines_hold_whatever_the_clock_shows() {
        let config = Config { idle_ms: 0, ..Config::DEFAULT };
        let mut room = [0; MIN_OUTPUT];
        for start in [0, 0x7fff_fff0, 0xffff_f000, 0xffff_ffff, 1 << 40, u64::MAX >> 1] {
            for silence in [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 36] {
                let mut connection = active(&config, Instant(start));
                assert_eq!(connection.poll_timeout(), None);
                let closed = Instant(start + silence);
                connection.close(closed, None, &mut Writer::new(&mut room)).unwrap();
                assert_eq!(connection.poll_timeout(), Some(closed.after(5_000)), "{start:x} {silence:x}");
            }
            assert_eq!(Connection::server(&config, Instant(start)).poll_timeout(), Some(Instant(start + 10_000)));
        }
    }
}
