//! What the settings of all programs have in common.

use core::borrow::Borrow;
use martlet::codec::{Limits, MIN_INPUT};
use martlet::state::{Config, HeadMode};

/// Octets that are received and not taken yet, for each connection: heads pass through line by line, messages piece by piece.
pub const INPUT: usize = 256;
const _: () = assert!(INPUT >= MIN_INPUT);

/// For such an input.
pub const CONFIG: Config<'static> = Config {
    // Nothing is kept of a message, so that a long one costs no more than a short one.
    limits: Limits { max_frame_bytes: u64::MAX, max_message_bytes: u64::MAX, ..Limits::DEFAULT },
    head: martlet::handshake::Limits { max_line_bytes: INPUT as u32, ..martlet::handshake::Limits::DEFAULT },
    head_mode: HeadMode::Lines,
    ..Config::DEFAULT
};

/// The same for connections that take them from the program itself: they keep no reference to them, and nothing is compiled that they
/// rule out.
pub struct Settings;

impl Borrow<Config<'static>> for Settings {
    fn borrow(&self) -> &Config<'static> {
        &CONFIG
    }
}
