//! Answers that need no memory of their own: they lie where the frames lay that they answer.

use crate::active::Reply;
use crate::config::Config;
use crate::connection::{Connection, Phase};
use crate::event::{Event, Fault, Status};
use crate::instant::Instant;
use crate::side::Server;
use core::borrow::Borrow;
use martlet_codec::{Event as Frame, Violation, Writer};

impl<'c, C: Borrow<Config<'c>>> Connection<'c, Server, C> {
    /// [`receive`](Self::receive) without an output: a Pong and the echo of a Close are made where the client's frame lay, whose
    /// masking key leaves room for their header, and a Close over a violation has its code alone.
    ///
    /// `answer` becomes the protocol's answer to what came, a whole frame, or nothing. It goes out behind what is under way, and
    /// before anything else; the octets that were taken from `input` must not be used again before that.
    ///
    /// Before the handshake is over this takes nothing and gives [`Status::NoRoom`]: heads are answered by `receive`.
    #[inline(always)]
    pub fn receive_in_place<'i>(
        &mut self,
        now: Instant,
        input: &mut &'i mut [u8],
        answer: &mut &'i [u8],
    ) -> Result<Status<'i>, Fault> {
        *answer = &[];
        let Phase::Frames(frames) = &mut self.phase else {
            return self.receive_other(now, input, &mut Writer::new(&mut []));
        };
        if !input.is_empty() {
            (self.heard, frames.awaiting_pong) = (now, false);
        }
        match frames.decoder.decode_in_place(&self.config.borrow().limits, input, answer) {
            Ok(Some(Frame::Data(data))) => Ok(Status::Event(Event::Data(data))),
            Ok(None) => Ok(Status::More),
            other => self.choose_answer(now, other, answer),
        }
    }

    #[inline(never)]
    fn choose_answer<'i>(
        &mut self,
        now: Instant,
        decoded: Result<Option<Frame<'i>>, Violation>,
        answer: &mut &'i [u8],
    ) -> Result<Status<'i>, Fault> {
        let judged = self.judge(now, decoded);
        match judged.reply {
            Reply::None => *answer = &[],
            Reply::Pong(_) | Reply::Echo(_) => {}
            Reply::Violation(violation) => *answer = close(violation),
        }
        judged.status
    }
}

/// A server's Close with the code that answers a violation.
fn close(violation: Violation) -> &'static [u8] {
    static CLOSES: [u8; 16] = *b"\x88\x02\x03\xea\x88\x02\x03\xef\x88\x02\x03\xf0\x88\x02\x03\xf1";
    // In eight bits, because a compiler makes a table of this.
    let at = match violation.close_code() {
        1007 => 4,
        1008 => 8,
        1009 => 12,
        _ => 0u8,
    };
    CLOSES.get(usize::from(at)..).and_then(|from| from.get(..4)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::tests::active;
    use crate::{Config, MIN_OUTPUT, State};
    use std::format;
    use std::vec::Vec;

    #[test]
    fn every_violation_has_its_code() {
        for violation in Violation::ALL {
            let &[0x88, 2, high, low] = close(violation) else { panic!("no Close with a code alone") };
            assert_eq!(u16::from_be_bytes([high, low]), violation.close_code(), "{violation:?}");
        }
    }

    /// What is told and what is answered, with an output and without. The words of a Close are for people, and not compared.
    fn both(wire: &[u8], cuts: &[usize]) {
        let (config, now) = (Config { max_control_per_second: 3, ..Config::DEFAULT }, Instant(0));
        let (mut usual, mut lean) = (active(&config, now), active(&config, now));
        let (mut told, mut answers) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let mut at = 0;
        for end in cuts.iter().copied().chain([wire.len()]) {
            one.extend_from_slice(&wire[at..end]);
            other.extend_from_slice(&wire[at..end]);
            at = end;
            let (mut input, mut place) = (&mut one[..], &mut other[..]);
            loop {
                let mut room = [0; MIN_OUTPUT];
                let mut output = Writer::new(&mut room);
                let status = usual.receive(now, &mut input, &mut output);
                let is_over = !matches!(status, Ok(Status::Event(_)));
                told.0.push(format!("{status:?}"));
                let mut written = output.written().to_vec();
                if let (Err(_), Some(len)) = (&status, written.get_mut(1)) {
                    *len = 2;
                    written.truncate(4);
                }
                answers.0.extend(written);
                let mut answer = &b"what was there before"[..];
                let status = lean.receive_in_place(now, &mut place, &mut answer);
                told.1.push(format!("{status:?}"));
                answers.1.extend_from_slice(answer);
                if is_over {
                    break;
                }
            }
            let (left, lean_left) = (input.len(), place.len());
            assert_eq!(left, lean_left);
            one.drain(..one.len() - left);
            other.drain(..other.len() - left);
        }
        assert_eq!(told.0, told.1, "{wire:x?} {cuts:?}");
        assert_eq!(answers.0, answers.1, "{wire:x?} {cuts:?}");
        assert_eq!(usual.state(), lean.state());
    }

    #[test]
    fn the_same_is_told_and_answered_at_every_cut() {
        let longest = [&[0x89, 0xfd, 1, 2, 3, 4][..], &[0x61; 125]].concat();
        let wires: [&[u8]; 12] = [
            b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x80\0\0\0\0",
            b"\x89\x83\x37\xfa\x21\x3dabc\x8a\x81\0\0\0\0x\x88\x80\0\0\0\0",
            b"\x88\x82\x37\xfa\x21\x3d\x34\x12",
            b"\x88\x85\0\0\0\0\x0f\xa0bye",
            b"\x88\x83\0\0\0\0\x03\xe8\xff",
            b"\x01\x81\0\0\0\0a\x89\x81\0\0\0\0p\x80\x81\0\0\0\0b",
            b"\x89\x80\0\0\0\0\x89\x80\0\0\0\0\x89\x80\0\0\0\0\x89\x80\0\0\0\0",
            b"\x81\x81\0\0\0\0\xff",
            b"\xff",
            b"\x82\xff\0\0\0\0\x7f\0\0\0",
            b"",
            &longest,
        ];
        for wire in wires {
            both(wire, &[]);
            both(wire, &(1..wire.len()).collect::<Vec<_>>());
            for cut in 1..wire.len() {
                both(wire, &[cut]);
            }
        }
    }

    #[test]
    fn heads_are_answered_elsewhere_and_nothing_is_answered_behind_our_close() {
        let (config, now) = (Config::DEFAULT, Instant(0));
        let mut head = *b"GET / HTTP/1.1\r\n";
        let mut input = &mut head[..];
        let mut answer = &[][..];
        let got = Connection::server(&config, now).receive_in_place(now, &mut input, &mut answer);
        assert!(matches!((&got, answer), (Ok(Status::NoRoom(_)), [])), "{got:?}");
        assert_eq!(input.len(), 16);

        let mut connection = active(&config, now);
        connection.close(now, None, &mut Writer::new(&mut [0; 2])).unwrap();
        for (wire, state) in [(*b"\x89\x80\0\0\0\0", State::Closing), (*b"\x88\x80\0\0\0\0", State::Closed)] {
            let mut wire = wire;
            let mut answer = &[][..];
            let got = connection.receive_in_place(now, &mut &mut wire[..], &mut answer);
            assert!(matches!((&got, answer), (Ok(Status::Event(Event::Ping([]) | Event::Close(None))), [])), "{got:?}");
            assert_eq!(connection.state(), state);
        }
    }

    /// A head is read as `receive` reads it, and of frames nothing is taken, cut or whole.
    #[test]
    fn heads_are_read_by_themselves() {
        let lines = Config { head_mode: crate::HeadMode::Lines, ..Config::DEFAULT };
        let good = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x01\x02";
        for config in [&Config::DEFAULT, &lines] {
            for head in [good, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n", "GET /"] {
                let (mut one, mut other) = (head.as_bytes().to_vec(), head.as_bytes().to_vec());
                let (mut input, mut same) = (&mut one[..], &mut other[..]);
                let (mut usual, mut lean) =
                    (Connection::server(config, Instant(0)), Connection::server(config, Instant(0)));
                let (mut room, mut space) = ([0; MIN_OUTPUT], [0; MIN_OUTPUT]);
                let (mut output, mut written) = (Writer::new(&mut room), Writer::new(&mut space));
                loop {
                    let status = usual.receive(Instant(1), &mut input, &mut output);
                    let told = lean.receive_head(Instant(1), &mut same, &mut written);
                    assert_eq!(format!("{status:?}"), format!("{told:?}"));
                    if let Ok(Status::Event(Event::Request { head, .. })) = told {
                        // All of it, or nothing where it was shown line by line.
                        assert_eq!(head.is_empty(), config.head_mode == crate::HeadMode::Lines);
                    }
                    if !matches!(status, Ok(Status::Event(_))) {
                        break;
                    }
                }
                assert_eq!((input.len(), output.written()), (same.len(), written.written()));
                assert_eq!(usual.state(), lean.state());
            }
        }
        let (mut frames, mut room) = (*b"\x89\x80\0\0\0\0\xff", [0; MIN_OUTPUT]);
        let (mut connection, mut input) = (active(&Config::DEFAULT, Instant(0)), &mut frames[..]);
        let told = connection.receive_head(Instant(0), &mut input, &mut Writer::new(&mut room));
        assert!(matches!((told, input.len()), (Ok(Status::More), 7)));
    }
}
