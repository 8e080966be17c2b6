//! The states of a connection, and every transition between them. The numbers are Swoole's.

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// The transport is there; nothing of the handshake has been said.
    Connection = 1,
    /// The opening handshake is under way (RFC 6455 section 4).
    Handshake = 2,
    /// Frames may go both ways (section 5).
    Active = 3,
    /// One Close has gone or come, the other has not (section 7).
    Closing = 4,
    /// Nothing more is sent or delivered.
    Closed = 5,
}

/// What moves a connection from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The first octet of a request or response head went or came.
    HeadStarted,
    /// The 101 was sent, or came and was verified.
    Upgraded,
    /// The handshake ended in another answer than 101.
    Refused,
    /// Our Close was sent.
    CloseSent,
    /// The peer's Close came.
    CloseReceived,
    /// The peer broke a rule; a Close that says so was sent, and nothing is awaited (section 7.1.7).
    Failed,
    /// A deadline passed: of the handshake, of a Pong or of the closing handshake.
    TimedOut,
    /// The transport ended.
    TransportGone,
}

use State::*;
use Trigger::*;

impl State {
    /// The states in order.
    pub const ALL: [Self; 5] = [Connection, Handshake, Active, Closing, Closed];

    /// The state after `trigger`; `None` if it cannot happen in this one.
    pub const fn after(self, trigger: Trigger) -> Option<Self> {
        match (self, trigger) {
            (Connection, HeadStarted) => Some(Handshake),
            (Handshake, Upgraded) => Some(Active),
            (Handshake, Refused) => Some(Closed),
            (Active, CloseSent | CloseReceived) => Some(Closing),
            // The second of the two: a connection sends one Close and heeds one.
            (Closing, CloseSent | CloseReceived) => Some(Closed),
            (Active | Closing, Failed) => Some(Closed),
            (Connection | Handshake | Active | Closing, TimedOut | TransportGone) => Some(Closed),
            (Closed, TransportGone) => Some(Closed),
            (Connection, Upgraded | Refused | CloseSent | CloseReceived | Failed)
            | (Handshake, HeadStarted | CloseSent | CloseReceived | Failed)
            | (Active | Closing, HeadStarted | Upgraded | Refused)
            | (Closed, HeadStarted | Upgraded | Refused | CloseSent | CloseReceived | Failed | TimedOut) => None,
        }
    }
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 8] =
        [HeadStarted, Upgraded, Refused, CloseSent, CloseReceived, Failed, TimedOut, TransportGone];
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;
    use std::string::String;

    fn table() -> String {
        let mut table = String::from("| state | number |");
        for trigger in Trigger::ALL {
            write!(table, " {trigger:?} |").unwrap();
        }
        table.push_str("\n|---|---|");
        table.push_str(&"---|".repeat(Trigger::ALL.len()));
        for state in State::ALL {
            write!(table, "\n| {state:?} | {} |", state as u8).unwrap();
            for trigger in Trigger::ALL {
                match state.after(trigger) {
                    Some(next) => write!(table, " {next:?} |").unwrap(),
                    None => table.push_str(" - |"),
                }
            }
        }
        table
    }

    #[test]
    fn the_documented_table_is_the_code() {
        let documented = include_str!("../../docs/states.md");
        assert!(documented.contains(&table()), "docs/states.md must hold this table:\n{}", table());
    }

    #[test]
    fn every_state_can_end_and_none_can_go_back() {
        for state in State::ALL {
            assert_eq!(state.after(TransportGone), Some(Closed));
            for next in Trigger::ALL.into_iter().filter_map(|trigger| state.after(trigger)) {
                assert!(next > state || state == Closed);
            }
        }
    }
}
