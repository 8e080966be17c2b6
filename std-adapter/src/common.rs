//! What a round sends to many: its short frames one behind the other, so that each receiver's share is one piece to write.

use crate::budget::{Budget, Share};
use crate::queue::{COPIED, Queue, Shared};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// Frames one behind the other.
pub(crate) type Log = RefCell<Vec<u8>>;

/// The most octets of a log. What a round sends beyond them each receiver gets for itself.
const MOST: usize = 64 * 1024;
/// Queues that are kept for the next receivers, at most.
const SPARE: usize = 1024;
/// A message has so many forms: as it is, and compressed for each window. They come to a worker's connections in any order.
const FORMS: usize = 9;

/// The log of the round at hand, and queues that were emptied.
#[derive(Debug)]
pub(crate) struct Common {
    budget: Rc<Budget>,
    log: Rc<Log>,
    /// The frame that was added last, and where it is.
    last: Option<(Arc<[u8]>, Range<usize>)>,
    /// Long frames that were added last, if somebody has them still.
    shared: Vec<Weak<Shared>>,
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    spare: Vec<Box<Queue>>,
}

impl Common {
    pub(crate) fn new(budget: &Rc<Budget>) -> Self {
        let budget = Rc::clone(budget);
        Self { budget, log: Rc::default(), last: None, shared: Vec::new(), spare: Vec::new() }
    }

    /// Adds a frame to a queue; `None` is one in which nothing waits. It is copied once for all whose queues had nothing else, and for
    /// each of the others as ever.
    #[inline]
    pub(crate) fn push(&mut self, queue: &mut Option<Box<Queue>>, frame: &Arc<[u8]>) {
        let queue = queue.get_or_insert_with(|| self.spare.pop().unwrap_or_else(|| Box::new(Queue::new(&self.budget))));
        let known = match &self.last {
            Some((last, piece)) if Arc::ptr_eq(last, frame) => Some(piece.clone()),
            _ => self.add(frame),
        };
        if !known.is_some_and(|piece| queue.push_piece(&self.log, piece)) {
            queue.push_shared(frame, || share(&mut self.shared, frame, &self.budget));
        }
    }

    /// Keeps a queue for the next receiver, if nothing waits in it and it is small.
    pub(crate) fn keep(&mut self, queue: Option<Box<Queue>>) {
        if let Some(queue) = queue
            && queue.is_spare()
            && self.spare.len() < SPARE
        {
            self.spare.push(queue);
        }
    }

    /// Where this frame lies in the log, behind all others; `None` if it is long, or they are many.
    #[inline(never)]
    fn add(&mut self, frame: &Arc<[u8]>) -> Option<Range<usize>> {
        if Rc::strong_count(&self.log) == 1 {
            // Everybody has what was in it.
            self.log.borrow_mut().clear();
            self.last = None;
        }
        let mut log = self.log.borrow_mut();
        let piece = log.len()..log.len() + frame.len();
        if frame.len() > COPIED || piece.end > MOST {
            return None;
        }
        log.extend_from_slice(frame);
        self.last = Some((Arc::clone(frame), piece.clone()));
        Some(piece)
    }
}

/// The frame as those share it that have it in their queues.
#[inline(never)]
fn share(shared: &mut Vec<Weak<Shared>>, frame: &Arc<[u8]>, budget: &Rc<Budget>) -> Rc<Shared> {
    if let Some(known) = shared.iter().rev().filter_map(Weak::upgrade).find(|known| known.is_of(frame)) {
        return known;
    }
    shared.retain(|known| known.strong_count() != 0);
    if shared.len() == FORMS {
        shared.remove(0);
    }
    let new = Shared::new(frame, Share::new(budget));
    shared.push(Rc::downgrade(&new));
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{self, ErrorKind, Write};

    /// Takes so many octets and then refuses, once.
    struct Socket {
        taken: Vec<u8>,
        room: usize,
        calls: usize,
    }

    impl Write for Socket {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            if self.room == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            let taken = octets.len().min(self.room);
            self.room -= taken;
            self.taken.extend_from_slice(&octets[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn frames_of_a_round_are_one_write_and_the_log_begins_anew() {
        let mut common = Common::new(&Budget::new(1 << 30));
        for round in 0..3_u8 {
            let frames: Vec<Arc<[u8]>> = (0..16).map(|at| vec![at + round; 66].into()).collect();
            let mut queues: Vec<_> = (0..10).map(|_| None).collect();
            for frame in &frames {
                queues.iter_mut().for_each(|queue| common.push(queue, frame));
            }
            assert_eq!((common.log.borrow().len(), common.spare.len()), (16 * 66, 0));
            for queue in &mut queues {
                let mut socket = Socket { taken: Vec::new(), room: usize::MAX, calls: 0 };
                queue.as_mut().unwrap().write_to(&mut socket).unwrap();
                assert_eq!((socket.taken, socket.calls), (frames.concat(), 1));
                common.keep(queue.take());
            }
            assert_eq!((Rc::strong_count(&common.log), common.spare.len()), (1, 10));
        }
    }

    #[test]
    fn a_round_cannot_make_the_log_long_nor_the_queues_many() {
        let budget = Budget::new(1 << 30);
        let (mut common, mut queue) = (Common::new(&budget), None);
        let frames: Vec<Arc<[u8]>> = (0..1000_usize).map(|at| vec![at as u8; 500].into()).collect();
        frames.iter().for_each(|frame| common.push(&mut queue, frame));
        assert!(common.log.borrow().len() <= MOST);
        let mut socket = Socket { taken: Vec::new(), room: usize::MAX, calls: 0 };
        queue.as_mut().unwrap().write_to(&mut socket).unwrap();
        assert!(socket.taken == frames.concat());
        (0..2 * SPARE).for_each(|_| common.keep(Some(Box::new(Queue::new(&budget)))));
        assert_eq!(common.spare.len(), SPARE);
        let mut waiting = Box::new(Queue::new(&budget));
        waiting.push(b"x");
        common.spare.clear();
        common.keep(Some(waiting));
        assert!(common.spare.is_empty());
    }

    #[test]
    fn a_long_frame_counts_once_for_all_in_whatever_form_they_get_it() {
        let budget = Budget::new(3000);
        let mut common = Common::new(&budget);
        let forms: [Arc<[u8]>; 2] = [vec![1; 1000].into(), vec![2; 2000].into()];
        let mut queues: Vec<_> = (0..10).map(|_| None).collect();
        queues.iter_mut().zip(forms.iter().cycle()).for_each(|(queue, form)| common.push(queue, form));
        assert!(budget.has(0) && !budget.has(1));
        // Those that have the first form.
        queues.iter_mut().step_by(2).for_each(|queue| *queue = None);
        assert!(budget.has(1000) && !budget.has(1001));
        drop(queues);
        assert!(budget.has(3000));
        assert_eq!(common.shared.len(), 2);
        common.push(&mut None, &forms[0]);
        assert_eq!(common.shared.len(), 1, "what nobody has is forgotten");
    }

    proptest! {
        /// Whoever gets whatever in between, and whenever the sockets take it: each gets its own, in order.
        #[test]
        fn each_receiver_gets_what_was_sent_to_it(
            steps in prop::collection::vec((0..4_usize, 0..6_u8, 1..700_usize), 0..120)
        ) {
            let mut common = Common::new(&Budget::new(1 << 30));
            let mut receivers: Vec<(Option<Box<Queue>>, Socket, Vec<u8>)> =
                (0..4).map(|_| (None, Socket { taken: Vec::new(), room: 0, calls: 0 }, Vec::new())).collect();
            for (number, (at, what, len)) in steps.into_iter().enumerate() {
                let octets = vec![number as u8; len];
                match what {
                    // To all, and to all but one.
                    0..=2 => {
                        let frame: Arc<[u8]> = octets.into();
                        for (_, (queue, _, wanted)) in
                            receivers.iter_mut().enumerate().filter(|(other, _)| what != 2 || *other != at)
                        {
                            common.push(queue, &frame);
                            wanted.extend_from_slice(&frame);
                        }
                    }
                    3 => {
                        let queue = receivers[at].0.get_or_insert_with(|| Box::new(Queue::new(&common.budget)));
                        queue.push(&octets);
                        receivers[at].2.extend_from_slice(&octets);
                    }
                    // The sockets take some, or all.
                    _ => {
                        for (queue, socket, _) in &mut receivers {
                            socket.room = if what == 4 { len } else { usize::MAX };
                            if let Some(waiting) = queue {
                                waiting.write_to(socket).unwrap();
                                if waiting.len() == 0 {
                                    common.keep(queue.take());
                                }
                            }
                        }
                        // What is left is in no log.
                        prop_assert_eq!(Rc::strong_count(&common.log), 1);
                    }
                }
                for (queue, socket, wanted) in &receivers {
                    prop_assert_eq!(queue.as_ref().map_or(0, |queue| queue.len()) + socket.taken.len(), wanted.len());
                }
            }
            for (queue, mut socket, wanted) in receivers {
                socket.room = usize::MAX;
                if let Some(mut queue) = queue {
                    queue.write_to(&mut socket).unwrap();
                }
                prop_assert_eq!(socket.taken, wanted);
            }
        }
    }
}
