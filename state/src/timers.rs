//! Deadlines: of the handshake, of the heartbeat, of the closing handshake. Time is an argument.

use crate::connection::{Connection, MIN_OUTPUT};
use crate::event::Expired;
use crate::instant::Instant;
use crate::side::Side;
use crate::states::{State, Trigger};
use martlet_codec::{CloseCode, CloseFrame, ControlOp, NoRoom, Writer};

impl<S: Side> Connection<'_, S> {
    /// When [`tick`](Self::tick) has something to do, if nothing comes before.
    ///
    /// It may be asked rarely. While frames come it only moves on, so that a timer that was set for an earlier answer is early
    /// at worst, and `tick` then does nothing. It may come nearer when the handshake is accepted, when we close, and when the
    /// heartbeat's Ping is answered while `idle_ms` is less than `pong_timeout_ms`: ask again then.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Connection | State::Handshake if self.config.handshake_timeout_ms == 0 => None,
            State::Connection | State::Handshake | State::Closing => Some(self.due),
            State::Active if self.awaits_pong() => Some(self.due),
            State::Active if self.config.idle_ms != 0 => Some(self.heard.after(self.config.idle_ms)),
            State::Active | State::Closed => None,
        }
    }

    /// Does what is due: sends the heartbeat's Ping, or ends the connection.
    ///
    /// Does nothing if nothing is due. [`MIN_OUTPUT`] octets of room are enough; with less, nothing happens.
    pub fn tick(&mut self, now: Instant, output: &mut Writer<'_>) -> Result<Option<Expired>, NoRoom> {
        if self.poll_timeout().is_none_or(|due| now < due) {
            return Ok(None);
        }
        if output.room() < MIN_OUTPUT {
            return Err(NoRoom { wanted: MIN_OUTPUT });
        }
        let expired = match self.state {
            State::Connection => Expired::Handshake,
            State::Handshake => {
                S::handshake_expired(self, output);
                Expired::Handshake
            }
            State::Active if self.awaits_pong() => {
                if let Ok(frame) = CloseFrame::new(CloseCode::INTERNAL_ERROR.get(), "no answer to a ping") {
                    self.write_close(frame, output);
                }
                Expired::Pong
            }
            State::Active => {
                self.control(ControlOp::Ping, &[], output);
                self.awaiting_pong = true;
                self.due = now.after(self.config.pong_timeout_ms);
                return Ok(None);
            }
            State::Closing | State::Closed => Expired::Close,
        };
        self.go(Trigger::TimedOut);
        Ok(Some(expired))
    }

    /// Whether nothing at all has come since the heartbeat's Ping. Any octet is a sign of life: the Pong may queue behind a
    /// long message. The Ping goes `idle_ms` after the last octet, so that `heard` lies before it until something comes.
    const fn awaits_pong(&self) -> bool {
        self.awaiting_pong && self.heard.after(self.config.pong_timeout_ms).0 < self.due.0
    }
}
