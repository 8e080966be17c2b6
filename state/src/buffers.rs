//! Buffers beside a connection: what came and was not taken yet, and what waits for the transport.

use crate::config::Config;
use crate::connection::{Connection, MIN_OUTPUT, Phase};
use crate::event::{Error, Expired, Fault, SendError, Status};
use crate::instant::Instant;
use crate::side::Side;
use crate::states::{State, Trigger};
use core::borrow::Borrow;
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
/// [`Connection::receive_from`] until it answers [`Status::More`] or this [`is_drained`](Self::is_drained).
/// [`Config::min_input`](crate::Config::min_input) octets are enough.
#[derive(Debug)]
pub struct Inbox<B> {
    buffer: B,
    begin: usize,
    end: usize,
    /// What is left is a part of something: looking at it again is no sign of life of the peer.
    is_drained: bool,
    /// The transport will give nothing more.
    is_ended: bool,
}

impl<B: Buffer> Inbox<B> {
    /// An empty one. The buffer is used as long as it is.
    pub const fn new(buffer: B) -> Self {
        Self { buffer, begin: 0, end: 0, is_drained: true, is_ended: false }
    }

    /// Where the transport's next octets belong: all that is free. It is empty only if the buffer is too small.
    pub fn room(&mut self) -> &mut [u8] {
        self.end = to_front(self.buffer.as_mut(), self.begin, self.end);
        self.begin = 0;
        self.buffer.as_mut().get_mut(self.end..).unwrap_or_default()
    }

    /// Counts so many octets of [`room`](Self::room) as come; at most all of it. None, as from every `read`, is the transport's end:
    /// when what came before is taken, the connection is closed, and [`Connection::eof`] says whether that was to be.
    pub fn filled(&mut self, octets: usize) {
        self.end = self.end.saturating_add(octets).min(self.buffer.as_ref().len());
        self.is_drained = false;
        self.is_ended |= octets == 0;
    }

    /// Whether only the transport's next octets can bring an event: it is time to read.
    pub const fn is_drained(&self) -> bool {
        self.is_drained
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

    /// Octets that fit behind what waits, while the buffer stays as long as it is.
    pub fn room(&self) -> usize {
        self.buffer.as_ref().len().saturating_sub(self.waiting().len())
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

impl<'c, S: Side, C: Borrow<Config<'c>>> Connection<'c, S, C> {
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
        if let Ok(Status::More) = status {
            // Before the request is answered, what lies behind its head is not looked at.
            inbox.is_drained = !matches!(self.phase, Phase::Decision(_));
            if inbox.is_ended {
                self.eof();
            }
        }
        status
    }

    /// [`receive_from`](Self::receive_from), and then what is due, so that no peer puts off a deadline by talking. Last words are not
    /// given up here, because the transport may not have been asked to take them yet.
    pub fn advance<'i, E>(
        &mut self,
        now: Instant,
        inbox: &'i mut Inbox<impl Buffer>,
        outbox: &mut Outbox<impl Buffer>,
    ) -> Result<Status<'i>, Error<E>> {
        let status = self.receive_from(now, inbox, outbox)?;
        if self.state() != State::Closed {
            self.tick_to(now, outbox)?;
        }
        Ok(status)
    }

    /// When [`tick_to`](Self::tick_to) has something to do: at [`poll_timeout`](Self::poll_timeout), and when the connection is closed
    /// and our last words wait, [`close_timeout_ms`](crate::Config::close_timeout_ms) after the peer was last heard.
    pub fn deadline(&self, outbox: &Outbox<impl Buffer>) -> Option<Instant> {
        match self.state() {
            State::Closed if outbox.waiting().is_empty() => None,
            State::Closed => Some(self.heard.after(self.config().close_timeout_ms)),
            State::Connection | State::Handshake | State::Active | State::Closing => self.poll_timeout(),
        }
    }

    /// [`tick`](Self::tick) into such a buffer; and last words that the peer did not take in time are given up, so that
    /// writing out what waits comes to an end.
    ///
    /// There is room for the heartbeat's Ping if the application leaves [`MIN_OUTPUT`] octets, or `outbox` grows. If there is none, it is
    /// the peer that took nothing for as long as it said nothing, and the connection ends.
    pub fn tick_to(&mut self, now: Instant, outbox: &mut Outbox<impl Buffer>) -> Result<(), Expired> {
        if self.deadline(outbox).is_none_or(|due| now < due) {
            return Ok(());
        }
        if self.state() == State::Closed {
            outbox.sent(usize::MAX);
            return Err(Expired::Close);
        }
        let expired = match outbox.write(|writer| Ok(self.tick(now, writer)?)) {
            Ok(expired) => expired,
            Err(_) => {
                let expired = if self.state() == State::Active { Expired::Pong } else { Expired::Handshake };
                self.go(Trigger::TimedOut);
                Some(expired)
            }
        };
        expired.map_or(Ok(()), Err)
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
            while !inbox.is_drained() {
                let sent = match connection.receive_from(NOW, &mut inbox, &mut outbox).unwrap() {
                    Status::More | Status::NoRoom(_) => Ok(()),
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
        let (mut connection, mut outbox) = (active(&config, NOW), Outbox::new([0; 512]));
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
            assert!(inbox.is_drained());
        }
        inbox.room()[..1].copy_from_slice(b"\0");
        inbox.filled(1);
        assert!(connection.receive_from(Instant(400), &mut inbox, &mut outbox).is_ok());
        assert_eq!((connection.heard(), inbox.room().len()), (Instant(400), 252));
    }

    #[test]
    fn the_end_of_the_transport_comes_behind_what_it_gave() {
        let config = Config::DEFAULT;
        for (wire, clean) in [(&b"\x88\x80\0\0\0\0"[..], true), (b"\x89\x80\0\0\0\0", false)] {
            let (mut connection, mut outbox) = (active(&config, NOW), Outbox::new([0; MIN_OUTPUT]));
            let mut inbox = Inbox::new([0; 256]);
            assert!(inbox.is_drained());
            inbox.room()[..wire.len()].copy_from_slice(wire);
            inbox.filled(wire.len());
            inbox.filled(0);
            let first = connection.receive_from(NOW, &mut inbox, &mut outbox);
            assert!(matches!(first, Ok(Status::Event(Event::Close(None) | Event::Ping(b"")))), "{first:?}");
            assert!(matches!(connection.receive_from(NOW, &mut inbox, &mut outbox), Ok(Status::More)));
            assert_eq!((connection.state(), connection.eof()), (State::Closed, clean));
        }
    }

    #[test]
    fn nothing_is_read_for_while_a_request_waits_for_its_answer() {
        let config = Config::DEFAULT;
        let (mut connection, mut outbox) = (Connection::server(&config, NOW), Outbox::new([0; MIN_OUTPUT]));
        let mut inbox = Inbox::new([0; 1024]);
        inbox.room()[..REQUEST.len()].copy_from_slice(REQUEST);
        inbox.filled(REQUEST.len() - 1);
        assert!(matches!(connection.receive_from(NOW, &mut inbox, &mut outbox), Ok(Status::More)));
        assert!(inbox.is_drained(), "a part of a head wants more");
        inbox.filled(1);
        let asked = connection.receive_from(NOW, &mut inbox, &mut outbox);
        assert!(matches!(asked, Ok(Status::Event(Event::Request { .. }))), "{asked:?}");
        assert!(matches!(connection.receive_from(NOW, &mut inbox, &mut outbox), Ok(Status::More)));
        assert!(!inbox.is_drained());
    }

    /// A peer that floods us with messages after our Close, and one that does not read our last words.
    #[test]
    fn no_peer_puts_off_a_deadline() {
        let config = Config::DEFAULT;
        let (mut connection, mut outbox) = (active(&config, NOW), Outbox::new([0; MIN_OUTPUT]));
        let mut inbox = Inbox::new([0; 256]);
        outbox.write(|writer| connection.close(NOW, None, writer)).unwrap();
        for now in [1, 4_999, 5_000] {
            inbox.room()[..6].copy_from_slice(b"\x82\x80\0\0\0\0");
            inbox.filled(6);
            let status = connection.advance::<()>(Instant(now), &mut inbox, &mut outbox);
            match now {
                5_000 => assert!(matches!(status, Err(Error::Late(Expired::Close))), "{status:?}"),
                _ => assert!(matches!(status, Ok(Status::Event(Event::Data(_)))), "{status:?}"),
            }
        }
        assert_eq!((connection.state(), outbox.waiting()), (State::Closed, &b"\x88\0"[..]));
        assert_eq!(connection.deadline(&outbox), Some(Instant(10_000)));
        assert_eq!(connection.tick_to(Instant(9_999), &mut outbox), Ok(()));
        assert_eq!(connection.tick_to(Instant(10_000), &mut outbox), Err(Expired::Close));
        assert_eq!((outbox.waiting(), connection.deadline(&outbox)), (&[][..], None));
    }

    #[test]
    fn the_heartbeat_needs_room_or_is_the_end() {
        let config = Config::DEFAULT;
        for (spare, expect, state) in [(131, Ok(()), State::Active), (130, Err(Expired::Pong), State::Closed)] {
            let (mut connection, mut outbox) = (active(&config, NOW), Outbox::new([0; MIN_OUTPUT]));
            outbox.write(|writer| Ok(writer.put(&[7; MIN_OUTPUT][spare..])?)).unwrap();
            assert_eq!(outbox.room(), spare);
            assert_eq!(connection.tick_to(Instant(30_000), &mut outbox), expect);
            assert_eq!(connection.state(), state);
        }
        let (mut connection, mut small) = (Connection::server(&config, NOW), Outbox::new([0; MIN_OUTPUT - 1]));
        assert_eq!(connection.tick_to(Instant(10_000), &mut small), Err(Expired::Handshake));
    }

    #[test]
    fn pieces_of_text_end_anywhere() {
        use martlet_codec::DataKind::{Binary, Text};
        let config = Config::DEFAULT;
        let (mut connection, mut outbox) = (active(&config, NOW), Outbox::new([0; MIN_OUTPUT]));
        outbox.write(|writer| connection.send_piece(Text, b"\xc3", false, writer)).unwrap();
        let other = outbox.write(|writer| connection.send_piece(Binary, b"\xbc", true, writer));
        assert_eq!(other, Err(SendError::Misuse(crate::Misuse::KindChanged)));
        outbox.write(|writer| connection.send_piece(Text, b"\xbc", true, writer)).unwrap();
        outbox.write(|writer| connection.send_piece(Binary, b"\0", true, writer)).unwrap();
        assert_eq!(outbox.waiting(), b"\x01\x01\xc3\x80\x01\xbc\x82\x01\0");
    }
}
