//! A listener's settings as its connections use them.

use crate::settings::Settings;
use martlet_state::Config;

/// What all connections of one listener share.
#[derive(Debug)]
pub(crate) struct Profile<'c> {
    pub(crate) settings: &'c Settings,
    /// The core's part of them.
    pub(crate) config: Config<'c>,
}

impl<'c> Profile<'c> {
    pub(crate) fn new(settings: &'c Settings, subprotocols: &'c [&'c str]) -> Self {
        Self { settings, config: settings.config(subprotocols) }
    }
}
