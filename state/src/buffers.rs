//! Buffers beside a connection: what came and was not taken yet, and what waits for the transport.

use crate::connection::{Connection, MIN_OUTPUT};
use crate::event::{Fault, SendError, Status};
use crate::instant::Instant;
use crate::side::Side;
use crate::states::State;
use core::cell::Cell;
use martlet_codec::{NoRoom, Writer};

/// Storage of an [`Inbox`] or an [`Outbox`]: an array, a lent slice, or with feature `alloc` a `Vec`, which grows.
pub trait Buffer: AsRef<[u8]> + AsMut<[u8]> {
    /// Grows to `len` octets at least, if it is shorter and can.
    fn grow(&mut self, _len: usize) {}
}

impl<const N: usize> Buffer for [u8; N] {}

impl Buffer for &mut [u8] {}

#[cfg(feature = "alloc")]
impl Buffer for alloc::vec::Vec<u8> {
    fn grow(&mut self, len: usize) {
        let more = len.saturating_sub(self.len());
        // When there is no memory it stays as it is: the caller looks at what there is.
        if more > 0 && self.try_reserve(more).is_ok() {
            self.resize(len, 0);
        }
    }
}

/// What came from the transport and was not taken yet.
///
/// Read into [`room`](Self::room), say how much it was with [`filled`](Self::filled), and call
/// [`Connection::receive_from`] until it answers [`Status::More`]. [`Config::min_input`](crate::Config::min_input) octets are enough.
#[derive(Debug)]
pub struct Inbox<B> {
    buffer: B,
    begin: usize,
    end: usize,
    /// What is left is a part of something: looking at it again is no sign of life of the peer.
    is_drained: bool,
}

impl<B: Buffer> Inbox<B> {
    /// An empty one. The buffer is used as long as it is.
    pub const fn new(buffer: B) -> Self {
        Self { buffer, begin: 0, end: 0, is_drained: false }
    }

    /// Where the transport's next octets belong: all that is free. It is empty only if the buffer is too small.
    pub fn room(&mut self) -> &mut [u8] {
        self.end = to_front(self.buffer.as_mut(), self.begin, self.end);
        self.begin = 0;
        self.buffer.as_mut().get_mut(self.end..).unwrap_or_default()
    }

    /// Counts so many octets of [`room`](Self::room) as come; at most all of it.
    pub fn filled(&mut self, octets: usize) {
        self.end = self.end.saturating_add(octets).min(self.buffer.as_ref().len());
        self.is_drained &= octets == 0;
    }
}

/// What waits for the transport.
///
/// Put frames into it with [`write`](Self::write), let the transport take from the front of [`waiting`](Self::waiting), and say how
/// much it took with [`sent`](Self::sent). Over storage that grows nothing bounds it but the caller, who looks at how much waits.
#[derive(Debug)]
pub struct Outbox<B> {
    buffer: B,
    begin: usize,
    end: usize,
}

impl<B: Buffer> Outbox<B> {
    /// An empty one. A buffer that does not grow has [`MIN_OUTPUT`] octets at least.
    pub const fn new(buffer: B) -> Self {
        Self { buffer, begin: 0, end: 0 }
    }

    /// What waits, in its order.
    pub fn waiting(&self) -> &[u8] {
        self.buffer.as_ref().get(self.begin..self.end).unwrap_or_default()
    }

    /// The transport has taken so many octets of [`waiting`](Self::waiting); at most all of them.
    pub fn sent(&mut self, octets: usize) {
        self.begin = self.begin.saturating_add(octets).min(self.end);
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        }
    }

    /// Lends a writer behind what waits: `|writer| connection.send(payload, writer)`. If there is no room, room is made, and `put` is
    /// called once more. [`SendError::NoRoom`] then says that the buffer cannot grow so far: let the transport take what waits.
    pub fn write<T>(&mut self, mut put: impl FnMut(&mut Writer<'_>) -> Result<T, SendError>) -> Result<T, SendError> {
        match self.lend(&mut put) {
            Err(SendError::NoRoom(no_room)) => {
                self.make_room(no_room)?;
                self.lend(put)
            }
            done => done,
        }
    }

    fn lend<T>(&mut self, put: impl FnOnce(&mut Writer<'_>) -> T) -> T {
        let mut writer = Writer::resume(self.buffer.as_mut(), self.end);
        let done = put(&mut writer);
        self.end = writer.len();
        done
    }

    fn make_room(&mut self, NoRoom { wanted }: NoRoom) -> Result<(), NoRoom> {
        self.end = to_front(self.buffer.as_mut(), self.begin, self.end);
        self.begin = 0;
        let len = self.end.saturating_add(wanted);
        self.buffer.grow(len);
        if self.buffer.as_ref().len() < len { Err(NoRoom { wanted }) } else { Ok(()) }
    }
}

impl<S: Side> Connection<'_, S> {
    /// [`receive`](Self::receive) from and to such buffers. [`Status::NoRoom`] comes only if `outbox` cannot grow.
    ///
    /// What is left of `inbox` counts as a sign of life of the peer once, so that this may be called at any time.
    pub fn receive_from<'i>(
        &mut self,
        now: Instant,
        inbox: &'i mut Inbox<impl Buffer>,
        outbox: &mut Outbox<impl Buffer>,
    ) -> Result<Status<'i>, Fault> {
        if inbox.is_drained {
            return Ok(Status::More);
        }
        if outbox.lend(|writer| writer.room()) < MIN_OUTPUT {
            // If it fails, the connection says what it needs at this moment, which may be less.
            let _ = outbox.make_room(NoRoom { wanted: MIN_OUTPUT });
        }
        let mut input = inbox.buffer.as_mut().get_mut(inbox.begin..inbox.end).unwrap_or_default();
        let status = outbox.lend(|writer| self.receive(now, &mut input, writer));
        inbox.begin = inbox.end.saturating_sub(input.len());
        // Before the request is answered, what lies behind its head is not looked at.
        inbox.is_drained = matches!((&status, self.state), (Ok(Status::More), State::Active | State::Closing));
        status
    }
}

/// Moves the octets from `begin` to `end` to the front; says how many they are.
fn to_front(buffer: &mut [u8], begin: usize, end: usize) -> usize {
    let len = end.saturating_sub(begin);
    if begin > 0 {
        // In cells, because `copy_within` can panic.
        let octets = Cell::from_mut(buffer).as_slice_of_cells();
        for (to, from) in octets.iter().zip(octets.iter().skip(begin).take(len)) {
            to.set(from.get());
        }
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::tests::active;
    use crate::{Accept, Config, Event, Payload};
    use martlet_codec::{Assembler, Store};
    use std::vec::Vec;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const NOW: Instant = Instant(0);

    /// Serves an echo to what comes in pieces of `at_once` octets and is taken likewise; gives what the peer reads.
    fn echo(wire: &[u8], at_once: usize, mut inbox: Inbox<impl Buffer>, mut outbox: Outbox<impl Buffer>) -> Vec<u8> {
        let (config, mut wire, mut said) = (Config::DEFAULT, wire, Vec::new());
        let mut connection = Connection::server(&config, NOW);
        let mut store = [0; 16];
        let mut messages = Assembler::new(Store::new(&mut store));
        loop {
            let room = inbox.room();
            let len = room.len().min(at_once).min(wire.len());
            let (fresh, rest) = wire.split_at(len);
            room[..len].copy_from_slice(fresh);
            inbox.filled(len);
            wire = rest;
            loop {
                let sent = match connection.receive_from(NOW, &mut inbox, &mut outbox).unwrap() {
                    Status::More => break,
                    Status::NoRoom(_) => Ok(()),
                    Status::Event(Event::Request { .. }) => {
                        outbox.write(|writer| connection.accept(NOW, &Accept::default(), writer))
                    }
                    Status::Event(Event::Data(data)) => match messages.push(data).unwrap() {
                        Some(message) => {
                            outbox.write(|writer| connection.send(Payload::Binary(message.payload), writer))
                        }
                        None => Ok(()),
                    },
                    Status::Event(_) => Ok(()),
                };
                sent.unwrap();
                // The transport takes a little at a time, but never leaves less room than an answer needs.
                while outbox.waiting().len() > at_once {
                    said.extend_from_slice(&outbox.waiting()[..at_once]);
                    outbox.sent(at_once);
                }
            }
            if len == 0 {
                said.extend_from_slice(outbox.waiting());
                return said;
            }
        }
    }

    #[test]
    fn any_buffers_and_any_pieces_say_the_same() {
        let wire = [
            REQUEST,
            b"\x82\x85\0\0\0\0Hello\x89\x82\0\0\0\0hi\x02\x83\0\0\0\0abc\x80\x83\0\0\0\0def\x88\x82\0\0\0\0\x03\xe8",
        ]
        .concat();
        let expect = echo(&wire, usize::MAX, Inbox::new([0; 1024]), Outbox::new([0; 2048]));
        assert!(expect.ends_with(b"\r\n\r\n\x82\x05Hello\x8a\x02hi\x82\x06abcdef\x88\x02\x03\xe8"), "{expect:?}");
        for at_once in 1..wire.len() {
            // What the transport has not taken stands in front of the room.
            let mut room = std::vec![0; MIN_OUTPUT + at_once];
            assert_eq!(echo(&wire, at_once, Inbox::new([0; 256]), Outbox::new(&mut room[..])), expect, "{at_once}");
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_vec_grows_with_what_is_written() {
        let config = Config::DEFAULT;
        let (mut connection, mut outbox) = (active(&config, NOW), Outbox::new(Vec::new()));
        for len in [1, 600, 70_000] {
            outbox.write(|writer| connection.send(Payload::Binary(&std::vec![7; len]), writer)).unwrap();
        }
        assert_eq!(outbox.waiting().len(), 3 + 604 + 70_010);
        outbox.sent(3);
        assert!(outbox.waiting().starts_with(b"\x82\x7e\x02\x58"));
        outbox.sent(usize::MAX);
        assert!(outbox.waiting().is_empty());
    }

    #[test]
    fn what_does_not_fit_is_refused_until_there_is_room() {
        let config = Config::DEFAULT;
        let (mut connection, mut outbox) = (active(&config, NOW), Outbox::new([0; MIN_OUTPUT]));
        let long = [7; 300];
        let mut send = |outbox: &mut Outbox<_>| outbox.write(|writer| connection.send(Payload::Binary(&long), writer));
        assert_eq!(send(&mut outbox), Ok(()));
        assert_eq!(send(&mut outbox), Err(SendError::NoRoom(NoRoom { wanted: 304 })));
        outbox.sent(200);
        assert_eq!(send(&mut outbox), Ok(()), "room is made by moving what waits");
        assert_eq!(outbox.waiting().len(), 408);
        assert!(outbox.waiting().iter().skip(104).zip(b"\x82\x7e\x01\x2c").all(|(is, due)| is == due));
    }

    /// A peer that stops inside a frame is silent, however often somebody looks.
    #[test]
    fn a_part_of_a_frame_is_no_sign_of_life_twice() {
        let config = Config::DEFAULT;
        let (mut connection, mut outbox) = (active(&config, NOW), Outbox::new([0; MIN_OUTPUT]));
        let mut inbox = Inbox::new([0; 256]);
        inbox.room()[..3].copy_from_slice(b"\x82\x85\0");
        inbox.filled(3);
        for (at, heard) in [(100, 100), (200, 100), (300, 100)] {
            let status = connection.receive_from(Instant(at), &mut inbox, &mut outbox);
            assert!(matches!(status, Ok(Status::More)), "{status:?}");
            assert_eq!(connection.heard(), Instant(heard));
            inbox.filled(0);
        }
        inbox.room()[..1].copy_from_slice(b"\0");
        inbox.filled(1);
        assert!(connection.receive_from(Instant(400), &mut inbox, &mut outbox).is_ok());
        assert_eq!((connection.heard(), inbox.room().len()), (Instant(400), 252));
    }
}
