//! What was found right of a line that has not ended, so that none of it is looked at again for each new octet.

use crate::class::Class;
use crate::head::Window;

/// Octets in front of the line at hand that end within a run of one class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    octets: u16,
    class: Class,
}

impl Seen {
    pub(crate) const fn none() -> Self {
        Self { octets: 0, class: Class::Token }
    }

    /// Whether the line at hand is still unfinished, known from the new octets alone.
    pub(crate) fn unfinished(&mut self, window: &Window<'_>) -> bool {
        let seen = usize::from(self.octets);
        if seen == 0 || window.bound.is_some() {
            return false;
        }
        let Some((_, fresh)) = window.octets.split_at_checked(seen) else { return false };
        let plain = self.class.has_all(fresh);
        if plain {
            *self = Self::of(self.class, window);
        }
        plain
    }

    /// Notes what the octets at hand end with.
    pub(crate) fn pause(&mut self, within: Option<Class>, window: &Window<'_>) {
        match within {
            // The CR may be that of the line's end.
            Some(Class::Value) if window.octets.last() == Some(&b'\r') => {}
            Some(class) => *self = Self::of(class, window),
            None => {}
        }
    }

    fn of(class: Class, window: &Window<'_>) -> Self {
        // A longer line is merely looked at again from an octet that was seen before.
        Self { octets: u16::try_from(window.octets.len()).unwrap_or(u16::MAX), class }
    }
}
