//! What a client's offer of subprotocols comes to, in one number.

use crate::count::Place;

/// The place in the server's list of the best subprotocol that was offered so far; or one of the numbers below, of which the lower
/// one is the better news as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice(Place);

/// No header came.
const NONE: Place = Place::MAX;
/// A header came without any name in it.
const EMPTY: Place = Place::MAX - 1;
/// Names came, and none of the server's.
const OTHERS: Place = Place::MAX - 2;

impl Choice {
    /// Before any header.
    pub(crate) const fn new() -> Self {
        Self(NONE)
    }

    /// A header came.
    pub(crate) fn line(&mut self) {
        self.note(EMPTY);
    }

    /// A name came.
    pub(crate) fn name(&mut self, name: &[u8], ours: &[&str]) {
        // Names of subprotocols are compared octet by octet (RFC 6455 section 11.5).
        let place = ours.iter().position(|ours| ours.as_bytes() == name).unwrap_or(usize::MAX);
        self.note(place.min(usize::from(OTHERS)) as Place);
    }

    fn note(&mut self, news: Place) {
        self.0 = self.0.min(news);
    }

    /// Whether there is a header that offers nothing.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == EMPTY
    }

    /// Whether any name came.
    pub(crate) const fn is_offer(self) -> bool {
        self.0 <= OTHERS
    }

    /// The best of `ours`.
    pub(crate) fn of<'s>(self, ours: &[&'s str]) -> Option<&'s str> {
        ours.get(usize::from(self.0)).copied().filter(|_| self.0 < OTHERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_best_of_all_lines_counts() {
        let ours = ["a", "b"];
        let mut choice = Choice::new();
        assert!(!choice.is_empty() && !choice.is_offer());
        choice.line();
        assert!(choice.is_empty() && !choice.is_offer());
        for (name, best) in
            [("x", None), ("A", None), ("b", Some("b")), ("a", Some("a")), ("b", Some("a")), ("x", Some("a"))]
        {
            choice.name(name.as_bytes(), &ours);
            choice.line();
            assert!(!choice.is_empty() && choice.is_offer());
            assert_eq!(choice.of(&ours), best, "{name}");
        }
    }

    /// What a list holds behind the last place that has a number is never taken for one of the other numbers.
    #[test]
    fn the_end_of_a_long_list_counts_for_nothing() {
        let names: Vec<std::string::String> = (0..=u32::from(Place::MAX) + 1).map(|at| std::format!("{at}")).collect();
        let ours: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        let last = usize::from(OTHERS);
        for at in last.saturating_sub(2)..names.len() {
            let mut choice = Choice::new();
            choice.name(names[at].as_bytes(), &ours);
            assert_eq!(choice.of(&ours), (at < last).then_some(ours[at]));
            assert!(choice.is_offer());
        }
        let mut choice = Choice::new();
        choice.name(b"x", &ours);
        assert_eq!(choice.of(&ours), None);
    }
}
