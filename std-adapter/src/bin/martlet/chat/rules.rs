//! The chat's rules about pace and names.

use super::NAME_CHARS;
use super::refused::Refused;

/// How often something may be done: `burst` times at once, then once every `every_ms`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) burst: u64,
    pub(super) every_ms: u64,
}

/// What of a [`Pace`] is used up, as the time at which all of it is free again.
#[derive(Debug, Default)]
pub(super) struct Meter {
    free_at_ms: u64,
}

impl Meter {
    pub(super) fn spend(&mut self, pace: Pace, now_ms: u64) -> Result<(), Refused> {
        let full = pace.burst.saturating_mul(pace.every_ms);
        // The wall clock may be set back; nobody is to wait longer than a full burst because of it.
        self.free_at_ms = self.free_at_ms.clamp(now_ms, now_ms.saturating_add(full));
        let after = self.free_at_ms.saturating_sub(now_ms).saturating_add(pace.every_ms);
        match after.checked_sub(full) {
            None | Some(0) => {
                self.free_at_ms = now_ms.saturating_add(after);
                Ok(())
            }
            Some(retry_ms) => Err(Refused::TooFast { retry_ms }),
        }
    }
}

/// The name with its white space made single, if it is one.
pub(super) fn clean_name(raw: &str) -> Result<String, Refused> {
    let name = raw.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(Refused::NameEmpty);
    }
    if name.chars().count() > NAME_CHARS {
        return Err(Refused::NameTooLong);
    }
    // Besides controls: zero-width space, marks, embeddings, overrides and isolates of direction, and the byte order
    // mark. The joiners U+200C and U+200D stay, because scripts and emoji need them.
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    match name.chars().any(unseen) {
        true => Err(Refused::NameUnprintable),
        false => Ok(name),
    }
}
