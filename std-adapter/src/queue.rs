//! What a socket did not take yet: octets in order, owned or shared with other connections.

use crate::budget::{Budget, Share};
use crate::common::Log;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

/// Small pieces are put together until a chunk has so many octets.
const CHUNK: usize = 64 * 1024;
/// Octets of another's buffer that are copied if they are not more than so many: a chunk of their own would cost more, so that a
/// peer that does not read could make the server keep many times what the queue is limited to.
pub(crate) const COPIED: usize = 512;
/// The most chunks that one `writev` takes.
const SLICES: usize = 32;
/// A queue that was emptied is worth keeping if it has room for at most so many chunks.
const FEW: usize = 8;

/// The output queue of a connection whose peer reads more slowly than we write.
#[derive(Debug)]
pub(crate) struct Queue {
    /// What comes first, and is in the round's log: it was never offered to the socket, or the socket takes all.
    piece: Option<Piece>,
    chunks: VecDeque<Chunk>,
    /// Octets of the piece, or else of the first chunk, that are gone.
    gone: usize,
    len: usize,
    /// The memory of its own chunks.
    share: Share,
    /// The socket refused something: it will say when it takes more.
    pub(crate) blocked: bool,
}

/// A part of a log.
#[derive(Debug)]
struct Piece {
    log: Rc<Log>,
    at: Range<usize>,
}

#[derive(Debug)]
enum Chunk {
    Owned(Vec<u8>),
    Shared(Rc<Shared>),
}

/// Octets that several connections of a worker send, and that count once.
#[derive(Debug)]
pub(crate) struct Shared {
    octets: Arc<[u8]>,
    _share: Share,
}

impl Shared {
    pub(crate) fn new(octets: &Arc<[u8]>, mut share: Share) -> Rc<Self> {
        share.grow(octets.len());
        Rc::new(Self { octets: Arc::clone(octets), _share: share })
    }

    /// Whether these are the same octets, and not only equal ones.
    pub(crate) fn is_of(&self, octets: &Arc<[u8]>) -> bool {
        Arc::ptr_eq(&self.octets, octets)
    }
}

impl Chunk {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Owned(octets) => octets,
            Self::Shared(shared) => &shared.octets,
        }
    }
}

impl Queue {
    pub(crate) fn new(budget: &Rc<Budget>) -> Self {
        Self { piece: None, chunks: VecDeque::new(), gone: 0, len: 0, share: Share::new(budget), blocked: false }
    }

    /// Octets that wait.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Adds a copy of these octets.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        self.len += octets.len();
        match self.chunks.back_mut() {
            Some(Chunk::Owned(last)) if last.len() + octets.len() <= CHUNK => {
                if last.len() + octets.len() > last.capacity() {
                    // Twice as much, but never more than a chunk holds.
                    let most = (last.len() * 2).clamp(last.len() + octets.len(), CHUNK);
                    let before = last.capacity();
                    last.reserve_exact(most - last.len());
                    self.share.grow(last.capacity() - before);
                }
                last.extend_from_slice(octets);
            }
            _ => {
                let octets = octets.to_vec();
                self.share.grow(octets.capacity());
                self.chunks.push_back(Chunk::Owned(octets));
            }
        }
    }

    /// Adds octets without a copy if they are many.
    pub(crate) fn push_owned(&mut self, octets: Vec<u8>) {
        if octets.len() <= CHUNK / 16 {
            self.push(&octets);
        } else {
            self.len += octets.len();
            self.share.grow(octets.capacity());
            self.chunks.push_back(Chunk::Owned(octets));
        }
    }

    /// Adds octets that other connections send as well: without a copy if they are many, or the first, which often stays alone.
    pub(crate) fn push_shared(&mut self, octets: &Arc<[u8]>, shared: impl FnOnce() -> Rc<Shared>) {
        if octets.len() <= COPIED && !self.chunks.is_empty() {
            self.push(octets);
        } else {
            self.len += octets.len();
            self.chunks.push_back(Chunk::Shared(shared()));
        }
    }

    /// Adds octets that lie in a log, without a copy, if nothing else waits, or nothing but what lies right before them. Says whether
    /// it did.
    #[inline]
    pub(crate) fn push_piece(&mut self, log: &Rc<Log>, at: Range<usize>) -> bool {
        let len = at.len();
        match &mut self.piece {
            None if self.len == 0 => self.piece = Some(Piece { log: Rc::clone(log), at }),
            Some(piece) if self.chunks.is_empty() && piece.at.end == at.start => piece.at.end = at.end,
            _ => return false,
        }
        self.len += len;
        true
    }

    /// Whether nothing waits here, and it is small enough to be kept for what comes.
    pub(crate) fn is_spare(&self) -> bool {
        self.len == 0 && self.chunks.capacity() <= FEW
    }

    /// Writes until the queue is empty or the socket refuses, which is no error.
    pub(crate) fn write_to(&mut self, socket: &mut impl Write) -> io::Result<()> {
        while self.len != 0 {
            match self.offer(socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(taken) => self.advance(taken),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked = true;
                    self.keep_piece();
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.blocked = false;
        Ok(())
    }

    /// One `write` of as much as goes into one.
    fn offer(&self, socket: &mut impl Write) -> io::Result<usize> {
        let log = self.piece.as_ref().map(|piece| (piece.log.borrow(), piece.at.clone()));
        let first = log.as_ref().map(|(log, at)| &log[at.clone()]);
        let mut parts = first.into_iter().chain(self.chunks.iter().map(Chunk::as_slice));
        let parts_len = usize::from(first.is_some()) + self.chunks.len();
        let mut skip = self.gone;
        let mut next = || parts.next().map_or(&[][..], |part| &part[std::mem::take(&mut skip)..]);
        if parts_len == 1 {
            return socket.write(next());
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let slices = &mut slices[..parts_len.min(SLICES)];
        slices.iter_mut().for_each(|slice| *slice = IoSlice::new(next()));
        socket.write_vectored(slices)
    }

    /// Copies what is left of the piece: the log is for one round, and this queue for longer.
    fn keep_piece(&mut self) {
        if let Some(Piece { log, at }) = self.piece.take() {
            let left = log.borrow()[at.start + std::mem::take(&mut self.gone)..at.end].to_vec();
            self.share.grow(left.capacity());
            self.chunks.push_front(Chunk::Owned(left));
        }
    }

    fn advance(&mut self, taken: usize) {
        self.len -= taken;
        self.gone += taken;
        if let Some(piece) = &self.piece {
            if self.gone < piece.at.len() {
                return;
            }
            self.gone -= piece.at.len();
            self.piece = None;
        }
        while let Some(first) = self.chunks.front() {
            let len = first.as_slice().len();
            if self.gone < len {
                break;
            }
            self.gone -= len;
            if let Some(Chunk::Owned(octets)) = self.chunks.pop_front() {
                self.share.shrink(octets.capacity());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Takes what it is told to, then refuses once.
    struct Socket {
        taken: Vec<u8>,
        room: Vec<usize>,
    }

    impl Write for Socket {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            match self.room.pop() {
                None | Some(0) => Err(ErrorKind::WouldBlock.into()),
                Some(room) => {
                    let len = octets.len().min(room);
                    self.taken.extend_from_slice(&octets[..len]);
                    Ok(len)
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn octets_leave_in_the_order_in_which_they_came(
            pieces in prop::collection::vec((0..3u8, any::<u8>(), 0..6000usize), 0..40),
            room in prop::collection::vec(0..9000usize, 0..200),
        ) {
            let budget = Budget::new(0);
            let (mut queue, mut all) = (Queue::new(&budget), Vec::new());
            let mut socket = Socket { taken: Vec::new(), room };
            for (how, octet, len) in pieces {
                let piece: Vec<_> = (0..len).map(|at| octet.wrapping_add(at as u8)).collect();
                all.extend_from_slice(&piece);
                match how {
                    0 => queue.push(&piece),
                    1 => queue.push_owned(piece),
                    _ => {
                        let piece = piece.into();
                        queue.push_shared(&piece, || Shared::new(&piece, Share::new(&budget)));
                    }
                }
                queue.write_to(&mut socket).unwrap();
                prop_assert_eq!(queue.len() + socket.taken.len(), all.len());
            }
            socket.room = vec![5000; 1000];
            queue.write_to(&mut socket).unwrap();
            prop_assert!(queue.len() == 0 && !queue.blocked);
            prop_assert!(budget.has(0), "what has gone still counts");
            prop_assert_eq!(socket.taken, all);
        }
    }

    #[test]
    fn small_pieces_cost_little_more_than_their_octets() {
        for len in [1, 3, 100, COPIED, COPIED + 1] {
            let budget = Budget::new(1 << 30);
            let (mut queue, piece): (_, Arc<[u8]>) = (Queue::new(&budget), vec![7; len].into());
            let shared = Shared::new(&piece, Share::new(&budget));
            while queue.len() < 1 << 20 {
                queue.push_shared(&piece, || Rc::clone(&shared));
            }
            let chunks = queue.chunks.capacity() * size_of::<Chunk>();
            let copies: usize = queue
                .chunks
                .iter()
                .map(|chunk| match chunk {
                    Chunk::Owned(octets) => octets.capacity(),
                    Chunk::Shared(_) => 0,
                })
                .sum();
            assert!(chunks + copies <= queue.len() + queue.len() / 4, "{len}: {chunks} + {copies}");
            let counted = copies + len;
            assert!(budget.has((1 << 30) - counted) && !budget.has((1 << 30) - counted + 1), "{len}");
        }
    }

    #[test]
    fn a_socket_that_takes_nothing_is_an_error_not_a_loop() {
        struct Deaf;
        impl Write for Deaf {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Ok(0)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut queue = Queue::new(&Budget::new(1));
        queue.push(b"x");
        assert_eq!(queue.write_to(&mut Deaf).unwrap_err().kind(), ErrorKind::WriteZero);
    }
}
