//! Questions to a worker about its connections, answered between two rounds or while the worker itself waits for an answer.

use crate::context::Context;
use crate::handle::Handle;
use crate::mailbox::Mailbox;
use core::fmt;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// Questions that may wait for one worker. Who asks waits, so that there are no more than threads that ask.
pub(crate) const MOST: usize = 1024;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A worker did not answer within two seconds, because a handler keeps it busy, or cannot, because it is its own handler that asks
/// by a [`Handle`] and not by the [`Context`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoAnswer {
    /// The worker's number.
    pub worker: usize,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {} does not answer", self.worker)
    }
}

impl core::error::Error for NoAnswer {}

/// Looks at a worker's connections; runs in its thread.
pub(crate) type Question = Box<dyn FnOnce(&Context<'_>) + Send>;

/// Where questions to a worker lie, and where it is rung for when an answer to its own is there.
#[derive(Default)]
pub(crate) struct Desk {
    inner: Mutex<Inner>,
    bell: Condvar,
}

#[derive(Default)]
struct Inner {
    questions: VecDeque<Question>,
    /// Questions that were taken from it so far.
    taken: u64,
    /// The worker's thread, while there may be connections to ask about: not before it serves, and not when all are gone.
    worker: Option<ThreadId>,
}

impl Inner {
    fn take(&mut self) -> Option<Question> {
        let question = self.questions.pop_front()?;
        self.taken += 1;
        Some(question)
    }

    /// The number of the latest question.
    fn latest(&self) -> u64 {
        self.taken + self.questions.len() as u64
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// What became of a question that was put on a desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is the only one there: the worker may have to be woken.
    First,
    /// It lies behind others.
    Behind,
    /// Too many lie there.
    Full,
    /// There is no connection to ask about: the worker does not serve yet, or has ended.
    Closed,
    /// It is the worker's own thread that asks, and would wait for itself.
    Own,
}

impl Desk {
    /// Puts a question on the desk. One that is not taken is dropped, after the lock was given back: who asked is rung for then.
    pub(crate) fn put(&self, question: Question) -> Put {
        let mut inner = self.lock();
        match inner.worker {
            None => return Put::Closed,
            Some(worker) if worker == std::thread::current().id() => return Put::Own,
            Some(_) => {}
        }
        if inner.questions.len() >= MOST {
            return Put::Full;
        }
        inner.questions.push_back(question);
        self.bell.notify_all();
        if inner.questions.len() == 1 { Put::First } else { Put::Behind }
    }

    /// The worker serves: from now on this thread answers.
    pub(crate) fn open(&self, worker: ThreadId) {
        self.lock().worker = Some(worker);
    }

    /// The number of the latest question.
    pub(crate) fn latest(&self) -> u64 {
        self.lock().latest()
    }

    /// The question that has waited longest, if its number is not beyond this one.
    pub(crate) fn take(&self, latest: u64) -> Option<Question> {
        let mut inner = self.lock();
        if inner.taken < latest { inner.take() } else { None }
    }

    /// The worker has no connections any more: nothing is answered.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.worker = None;
        let unanswered = std::mem::take(&mut inner.questions);
        // Their ends ring at other desks, whose workers may be ringing here.
        drop(inner);
        drop(unanswered);
    }

    fn ring(&self) {
        let _inner = self.lock();
        self.bell.notify_all();
    }

    /// Waits for an answer; a worker answers the questions of others meanwhile, so that two that ask each other get on.
    fn wait<T>(&self, asked: &Asked<T>, ctx: Option<&Context<'_>>, until: Instant) -> Result<Option<T>, NoAnswer> {
        let mut inner = self.lock();
        loop {
            match asked.answer.try_recv() {
                Ok(answer) => return Ok(Some(answer)),
                Err(TryRecvError::Disconnected) => return Ok(None),
                Err(TryRecvError::Empty) => {}
            }
            if let Some(ctx) = ctx
                && let Some(question) = inner.take()
            {
                drop(inner);
                question(ctx);
                inner = self.lock();
                continue;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoAnswer { worker: asked.worker });
            }
            inner = self.bell.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A panic elsewhere cannot leave the list half-changed.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that was asked.
struct Asked<T> {
    worker: usize,
    answer: Receiver<T>,
}

/// The way of an answer. However it ends, who asked is rung for.
struct Reply<T> {
    sender: Option<Sender<T>>,
    desk: Arc<Desk>,
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        self.sender = None;
        self.desk.ring();
    }
}

/// Who asks: a worker, or any other thread.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a, 'c> {
    handle: &'a Handle,
    ctx: Option<&'a Context<'c>>,
}

impl<'a, 'c> Asker<'a, 'c> {
    pub(crate) const fn thread(handle: &'a Handle) -> Self {
        Self { handle, ctx: None }
    }

    pub(crate) const fn worker(ctx: &'a Context<'c>) -> Self {
        Self { handle: ctx.handle, ctx: Some(ctx) }
    }

    /// Asks one worker; `None` if there is none, or no longer.
    pub(crate) fn ask<T: Send + 'static>(
        self,
        worker: usize,
        question: impl FnOnce(&Context<'_>) -> T + Send + 'static,
    ) -> Result<Option<T>, NoAnswer> {
        match self.ctx {
            Some(ctx) if ctx.worker() == worker => Ok(Some(question(ctx))),
            _ => {
                let desk = self.desk();
                let Some(asked) = self.post(worker, &desk, question)? else { return Ok(None) };
                desk.wait(&asked, self.ctx, Instant::now() + PATIENCE)
            }
        }
    }

    /// Asks all workers at the same time; the answers are in the workers' order.
    pub(crate) fn ask_all<T: Send + 'static>(
        self,
        question: impl Fn(&Context<'_>) -> T + Clone + Send + 'static,
    ) -> Result<Vec<T>, NoAnswer> {
        let desk = self.desk();
        let until = Instant::now() + PATIENCE;
        let mut asked = Vec::new();
        for worker in self.workers() {
            let own = self.ctx.filter(|ctx| ctx.worker() == worker);
            asked.push(match own {
                Some(ctx) => Ok(question(ctx)),
                None => match self.post(worker, &desk, question.clone())? {
                    Some(asked) => Err(asked),
                    None => continue,
                },
            });
        }
        let mut answers = Vec::new();
        for asked in asked {
            match asked {
                Ok(answer) => answers.push(answer),
                Err(asked) => answers.extend(desk.wait(&asked, self.ctx, until)?),
            }
        }
        Ok(answers)
    }

    /// All workers there are, in the order of their numbers; those that serve their last connections too.
    pub(crate) fn workers(self) -> impl Iterator<Item = usize> {
        let mailboxes = self.handle.roster().mailboxes();
        mailboxes.filter(|(_, mailbox)| mailbox.is_open()).map(|(worker, _)| worker)
    }

    /// Where the one who asks waits: a worker at its own desk, another thread at one that is only for this.
    fn desk(self) -> Arc<Desk> {
        let own = self.ctx.and_then(|ctx| self.handle.mailbox(ctx.worker()));
        own.map_or_else(Arc::default, Mailbox::desk)
    }

    fn post<T: Send + 'static>(
        self,
        worker: usize,
        desk: &Arc<Desk>,
        question: impl FnOnce(&Context<'_>) -> T + Send + 'static,
    ) -> Result<Option<Asked<T>>, NoAnswer> {
        let Some(mailbox) = self.handle.mailbox(worker) else { return Ok(None) };
        let (sender, answer) = channel();
        let reply = Reply { sender: Some(sender), desk: Arc::clone(desk) };
        let put = mailbox.ask(Box::new(move |ctx| {
            if let Some(sender) = &reply.sender {
                // Who asked may have gone.
                let _ = sender.send(question(ctx));
            }
        }));
        match put {
            Put::First | Put::Behind => Ok(Some(Asked { worker, answer })),
            Put::Full | Put::Own => Err(NoAnswer { worker }),
            Put::Closed => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread that is not the test's.
    fn elsewhere() -> ThreadId {
        std::thread::spawn(|| std::thread::current().id()).join().unwrap()
    }

    fn asked(desk: &Arc<Desk>) -> (Asked<u32>, Reply<u32>) {
        let (sender, answer) = channel();
        (Asked { worker: 3, answer }, Reply { sender: Some(sender), desk: Arc::clone(desk) })
    }

    #[test]
    fn an_answer_is_waited_for_and_its_loss_is_noticed() {
        let desk = Arc::<Desk>::default();
        let until = Instant::now() + Duration::from_secs(60);
        let (question, reply) = asked(&desk);
        let thread = std::thread::spawn(move || reply.sender.as_ref().unwrap().send(7));
        assert_eq!(desk.wait(&question, None, until), Ok(Some(7)));
        thread.join().unwrap().unwrap();
        let (question, reply) = asked(&desk);
        let thread = std::thread::spawn(move || drop(reply));
        assert_eq!(desk.wait(&question, None, until), Ok(None));
        thread.join().unwrap();
        let (question, _reply) = asked(&desk);
        assert_eq!(desk.wait(&question, None, Instant::now()), Err(NoAnswer { worker: 3 }));
    }

    #[test]
    fn a_desk_is_bounded_and_closes_with_its_questions() {
        let (desk, other) = (Desk::default(), Arc::<Desk>::default());
        assert_eq!(desk.put(Box::new(|_| {})), Put::Closed, "not open yet");
        desk.open(elsewhere());
        let (question, reply) = asked(&other);
        assert_eq!(desk.put(Box::new(move |_| drop(reply))), Put::First);
        for _ in 1..MOST {
            assert_eq!(desk.put(Box::new(|_| {})), Put::Behind);
        }
        assert_eq!(desk.put(Box::new(|_| {})), Put::Full);
        desk.close();
        assert_eq!(desk.put(Box::new(|_| {})), Put::Closed);
        assert!(desk.take(u64::MAX).is_none());
        assert_eq!(other.wait(&question, None, Instant::now() + PATIENCE), Ok(None));
    }

    #[test]
    fn nobody_waits_for_itself() {
        let desk = Desk::default();
        desk.open(std::thread::current().id());
        assert_eq!(desk.put(Box::new(|_| {})), Put::Own);
    }

    /// What came before a question is done before it is answered: who takes asks first what the latest one is.
    #[test]
    fn questions_that_come_late_are_left_for_later() {
        let desk = Desk::default();
        desk.open(elsewhere());
        let latest = desk.latest();
        assert_eq!(desk.put(Box::new(|_| {})), Put::First);
        assert!(desk.take(latest).is_none());
        let latest = desk.latest();
        assert_eq!(desk.put(Box::new(|_| {})), Put::Behind);
        assert!(desk.take(latest).is_some());
        assert!(desk.take(latest).is_none());
        assert_eq!(desk.latest(), latest + 1);
    }
}
