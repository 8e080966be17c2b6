//! Whole messages in storage that the caller lends.

use crate::decoder::Data;
use crate::kernel::{Best, Kernel};
use crate::opcode::DataKind;
use crate::violation::Violation;

/// A whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Text or binary.
    pub kind: DataKind,
    /// The octets; those of a text are valid UTF-8.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&'a str> {
        match self.kind {
            DataKind::Text => Best::text(self.payload),
            DataKind::Binary => None,
        }
    }
}

/// There is no room for more of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Where a message is put together.
pub trait Storage {
    /// Forgets what it holds.
    fn clear(&mut self);
    /// Adds octets behind what it holds, or none of them.
    fn extend(&mut self, octets: &[u8]) -> Result<(), Full>;
    /// What it holds.
    fn as_slice(&self) -> &[u8];
}

/// Storage in a lent slice.
#[derive(Debug)]
pub struct Store<'b> {
    room: &'b mut [u8],
    used: usize,
}

impl<'b> Store<'b> {
    /// Empty storage in `room`.
    pub const fn new(room: &'b mut [u8]) -> Self {
        Self { room, used: 0 }
    }
}

impl Storage for Store<'_> {
    fn clear(&mut self) {
        self.used = 0;
    }

    fn extend(&mut self, octets: &[u8]) -> Result<(), Full> {
        let end = self.used.checked_add(octets.len()).ok_or(Full)?;
        self.room.get_mut(self.used..end).ok_or(Full)?.copy_from_slice(octets);
        self.used = end;
        Ok(())
    }

    fn as_slice(&self) -> &[u8] {
        self.room.get(..self.used).unwrap_or_default()
    }
}

impl<const N: usize> Storage for heapless::Vec<u8, N> {
    fn clear(&mut self) {
        self.clear();
    }

    fn extend(&mut self, octets: &[u8]) -> Result<(), Full> {
        self.extend_from_slice(octets).map_err(|_| Full)
    }

    fn as_slice(&self) -> &[u8] {
        self
    }
}

/// Grows with what has come, never with what a header announced; the decoder's limit on a message bounds it.
#[cfg(any(feature = "alloc", test))]
impl Storage for alloc::vec::Vec<u8> {
    fn clear(&mut self) {
        self.clear();
    }

    fn extend(&mut self, octets: &[u8]) -> Result<(), Full> {
        self.try_reserve(octets.len()).map_err(|_| Full)?;
        self.extend_from_slice(octets);
        Ok(())
    }

    fn as_slice(&self) -> &[u8] {
        self
    }
}

/// Puts pieces together to messages. A message that comes in one piece is handed on as it lies, without a copy.
#[derive(Debug, Default)]
pub struct Assembler<S> {
    storage: S,
}

impl<S: Storage> Assembler<S> {
    /// An assembler over `storage`.
    pub const fn new(storage: S) -> Self {
        Self { storage }
    }

    /// Takes the next piece; gives the message when it is whole. Storage that is full is the peer's
    /// [`MessageTooBig`](Violation::MessageTooBig).
    #[inline]
    pub fn push<'a>(&'a mut self, data: Data<'a>) -> Result<Option<Message<'a>>, Violation> {
        let kind = data.kind();
        if data.is_whole() {
            return Ok(Some(Message { kind, payload: data.into_payload() }));
        }
        if data.is_first() {
            self.storage.clear();
        }
        self.storage.extend(data.payload()).map_err(|Full| Violation::MessageTooBig)?;
        Ok(data.is_last().then(|| Message { kind, payload: self.storage.as_slice() }))
    }

    /// The storage: what has come of the message at hand, or the last one.
    pub fn storage(&mut self) -> &mut S {
        &mut self.storage
    }
}
