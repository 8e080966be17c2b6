//! What a worker keeps for all its peers together, which has a bound of its own: what one of them may have is little, and there are many.

use std::cell::Cell;
use std::rc::Rc;

/// Octets that a worker keeps for its peers: what has come in part, and what waits for those that read slowly.
#[derive(Debug)]
pub(crate) struct Budget {
    used: Cell<usize>,
    most: usize,
    /// A warning was given since there was much room.
    warned: Cell<bool>,
}

impl Budget {
    pub(crate) fn new(most: usize) -> Rc<Self> {
        Rc::new(Self { used: Cell::new(0), most, warned: Cell::new(false) })
    }

    /// Whether there is room for so many octets more; for none, whether no more is kept than may be.
    #[inline]
    pub(crate) fn has(&self, more: usize) -> bool {
        self.used.get().saturating_add(more) <= self.most
    }

    /// Says that somebody was refused for want of room: once, until half of it is free again.
    #[cold]
    pub(crate) fn warn(&self) {
        if !self.warned.replace(true) {
            tracing::warn!(most = self.most, "the worker keeps as much for its peers as it may: some are refused");
        }
    }

    fn change(&self, less: usize, more: usize) {
        let used = self.used.get() - less + more;
        self.used.set(used);
        if used <= self.most / 2 {
            self.warned.set(false);
        }
    }
}

/// What one thing counts that is kept, as long as it is there.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Rc<Budget>,
    octets: usize,
}

impl Share {
    /// One that counts nothing yet.
    pub(crate) fn new(budget: &Rc<Budget>) -> Self {
        Self { budget: Rc::clone(budget), octets: 0 }
    }

    /// It takes so many octets now. Says whether that is within the budget, if it has grown; what is not is to be dropped.
    pub(crate) fn set(&mut self, octets: usize) -> bool {
        let grew = octets > self.octets;
        self.budget.change(std::mem::replace(&mut self.octets, octets), octets);
        !grew || self.budget.has(0)
    }

    /// It takes more: whether that may be was asked before, or will be.
    pub(crate) fn grow(&mut self, more: usize) {
        self.octets += more;
        self.budget.change(0, more);
    }

    /// It takes less.
    pub(crate) fn shrink(&mut self, less: usize) {
        self.octets -= less;
        self.budget.change(less, 0);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.change(self.octets, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_does_not_count_and_only_growth_is_refused() {
        let budget = Budget::new(100);
        let (mut one, mut other) = (Share::new(&budget), Share::new(&budget));
        assert!(one.set(60) && other.set(40) && budget.has(0) && !budget.has(1));
        assert!(!other.set(41) && !budget.has(0));
        assert!(one.set(60), "it has not grown");
        assert!(one.set(59) && budget.has(0));
        other.grow(10);
        assert!(!budget.has(0));
        other.shrink(11);
        assert!(budget.has(1) && !budget.has(2));
        drop(one);
        assert!(budget.has(60) && !budget.has(61));
        drop(other);
        assert_eq!(budget.used.get(), 0);
    }

    #[test]
    fn a_warning_is_given_once_until_half_is_free() {
        let budget = Budget::new(100);
        let mut share = Share::new(&budget);
        share.grow(101);
        budget.warn();
        assert!(budget.warned.get());
        share.shrink(50);
        assert!(budget.warned.get());
        share.shrink(1);
        assert!(!budget.warned.get());
    }
}
