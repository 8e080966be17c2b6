//! Settings as text: TOML, in which a listener's table holds only what differs there.

use super::{Listener, Settings};
use crate::address::Address;
use serde::{Deserialize, Serialize};

/// A listener as it is written: its address, or a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum ListenerText {
    Address(Address),
    Own { address: Address, settings: Option<Box<Settings>> },
}

impl From<ListenerText> for Listener {
    fn from(text: ListenerText) -> Self {
        match text {
            ListenerText::Address(address) => address.into(),
            ListenerText::Own { address, settings } => Self { address, settings },
        }
    }
}

impl From<Listener> for ListenerText {
    fn from(Listener { address, settings }: Listener) -> Self {
        match settings {
            None => Self::Address(address),
            Some(settings) => Self::Own { address, settings: Some(settings) },
        }
    }
}
