//! The bodies of requests as they come (RFC 9112 sections 6 and 7.1).

use crate::budget::{Budget, Share};
use httparse::Status;
use std::rc::Rc;

/// The longest line between chunks: a size with its extensions, or a trailer.
const MAX_LINE: usize = 1024;
/// The most octets of all trailers, which nobody reads.
const MAX_TRAILERS: usize = 8 * 1024;

/// A request's body that is not whole yet.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) octets: Vec<u8>,
    /// Their memory.
    share: Option<Share>,
    most: u64,
    next: Next,
    trailers: usize,
}

/// What comes next.
#[derive(Debug)]
enum Next {
    /// So many octets, and no more.
    Length(u64),
    /// The size of a chunk.
    Size,
    /// So many octets of a chunk.
    Chunk(u64),
    /// The end of the line behind a chunk.
    LineEnd,
    /// Trailers, or the empty line that ends the body.
    Trailer,
    Whole,
}

/// What is wrong with a body: the status that says so, and why.
pub(crate) type Fault = (u16, &'static str);

const TOO_LONG: Fault = (413, "the body is too long\n");
const MALFORMED: Fault = (400, "the chunks of the body are malformed\n");

impl Incoming {
    /// A body of at most `most` octets; `None` when the request has none.
    pub(crate) fn new(body: martlet_handshake::Body, most: u64) -> Result<Option<Self>, Fault> {
        let next = match body {
            martlet_handshake::Body::None => return Ok(None),
            martlet_handshake::Body::Length(length) if length > most => return Err(TOO_LONG),
            martlet_handshake::Body::Length(length) => Next::Length(length),
            martlet_handshake::Body::Chunked => Next::Size,
        };
        Ok(Some(Self { octets: Vec::new(), share: None, most, next, trailers: 0 }))
    }

    /// Whether the worker has room for what it has grown to.
    pub(crate) fn fits(&mut self, budget: &Rc<Budget>) -> bool {
        self.share.get_or_insert_with(|| Share::new(budget)).set(self.octets.capacity())
    }

    /// Takes what belongs to it from the front of the input; says whether it is whole.
    pub(crate) fn take(&mut self, input: &mut &mut [u8]) -> Result<bool, Fault> {
        loop {
            self.next = match self.next {
                Next::Length(left) => match self.data(input, left) {
                    0 => Next::Whole,
                    left => Next::Length(left),
                },
                Next::Chunk(left) => match self.data(input, left) {
                    0 => Next::LineEnd,
                    left => Next::Chunk(left),
                },
                Next::Size => match size(input)? {
                    Some(0) => Next::Trailer,
                    Some(size) if size > self.most.saturating_sub(self.octets.len() as u64) => return Err(TOO_LONG),
                    Some(size) => Next::Chunk(size),
                    None => return Ok(false),
                },
                Next::LineEnd => match line(input)? {
                    Some(0) => Next::Size,
                    Some(_) => return Err(MALFORMED),
                    None => return Ok(false),
                },
                Next::Trailer => match line(input)? {
                    Some(0) => Next::Whole,
                    Some(len) => {
                        self.trailers += len;
                        if self.trailers > MAX_TRAILERS {
                            return Err((431, "the trailers are too long\n"));
                        }
                        Next::Trailer
                    }
                    None => return Ok(false),
                },
                Next::Whole => return Ok(true),
            };
            if input.is_empty() && !matches!(self.next, Next::Whole) {
                return Ok(false);
            }
        }
    }

    /// Takes up to `left` octets; says how many are left.
    fn data(&mut self, input: &mut &mut [u8], left: u64) -> u64 {
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        // Grows with what has come, not with what is announced.
        self.octets.extend_from_slice(split(input, len));
        left - len as u64
    }
}

/// Takes the line with a chunk's size; `None` while it is not whole.
fn size(input: &mut &mut [u8]) -> Result<Option<u64>, Fault> {
    match input.first() {
        // The parser would take no digit at all for a zero.
        Some(digit) if !digit.is_ascii_hexdigit() => return Err(MALFORMED),
        _ => {}
    }
    match httparse::parse_chunk_size(input) {
        // It ends at CRLF; a line feed alone in an extension would be an end of the line to others (RFC 9112 section 7.1.1).
        Ok(Status::Complete((len, _))) if len > MAX_LINE || input[..len - 2].contains(&b'\n') => Err(MALFORMED),
        Ok(Status::Complete((len, size))) => {
            split(input, len);
            Ok(Some(size))
        }
        Ok(Status::Partial) if input.len() > MAX_LINE => Err(MALFORMED),
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(MALFORMED),
    }
}

/// Takes a line and says how long it is without its CRLF; `None` while it is not whole.
fn line(input: &mut &mut [u8]) -> Result<Option<usize>, Fault> {
    match input.iter().take(MAX_LINE).position(|octet| *octet == b'\n') {
        Some(end) => match end.checked_sub(1).filter(|cr| input[*cr] == b'\r') {
            Some(len) => {
                split(input, end + 1);
                Ok(Some(len))
            }
            None => Err(MALFORMED),
        },
        None if input.len() >= MAX_LINE => Err(MALFORMED),
        None => Ok(None),
    }
}

fn split<'i>(input: &mut &'i mut [u8], len: usize) -> &'i mut [u8] {
    input.split_off_mut(..len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use martlet_handshake::Body;
    use proptest::prelude::*;

    /// Gives the octets in pieces; the outcome, the body and what was left.
    fn run(body: Body, most: u64, octets: &[u8], cut: usize) -> (Result<bool, Fault>, Vec<u8>, Vec<u8>) {
        let mut incoming = Incoming::new(body, most).unwrap().unwrap();
        let (mut held, mut outcome) = (Vec::new(), Ok(false));
        for piece in octets.chunks(cut.max(1)) {
            held.extend_from_slice(piece);
            if outcome == Ok(false) {
                let mut input = &mut held[..];
                outcome = incoming.take(&mut input);
                held = input.to_vec();
            }
        }
        (outcome, incoming.octets, held)
    }

    #[test]
    fn rfc_9112_section_7_1_chunks_in_any_cutting() {
        let wire =
            b"4\r\nWiki\r\n5;ext=\"1;2\"\r\npedia\r\n0A \r\n in\r\n\r\nchu\r\n0\r\nX-Trailer: 1\r\n\r\nGET /next";
        for cut in 1..wire.len() {
            let (outcome, body, left) = run(Body::Chunked, 100, wire, cut);
            assert_eq!((outcome, &body[..], &left[..]), (Ok(true), &b"Wikipedia in\r\n\r\nchu"[..], &b"GET /next"[..]));
        }
        assert_eq!(run(Body::Length(3), 3, b"abcGET", 1), (Ok(true), b"abc".to_vec(), b"GET".to_vec()));
    }

    #[test]
    fn bodies_that_are_wrong_or_too_long_are_refused() {
        let long = [b"1;".as_slice(), &[b'x'; MAX_LINE]].concat();
        let trailers = [b"0\r\n".as_slice(), &b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(200)].concat();
        let rows: [(&[u8], u16); 14] = [
            (b"\r\n", 400),
            (b";x\r\n", 400),
            (b"-1\r\n", 400),
            (b"0x1\r\n", 400),
            (b"1\n", 400),
            (b"1;a\nb\r\n", 400),
            (b"g\r\n", 400),
            (b"1\r\nab\r\n", 400),
            (b"1\r\na\n", 400),
            (b"0\r\nX: y\n\r\n", 400),
            (b"11111111111111111\r\n", 400),
            (b"b\r\n", 413),
            (b"ffffffffffffffff\r\nx", 413),
            (b"9\r\n123456789\r\n2\r\n12", 413),
        ];
        for (wire, status) in rows.into_iter().chain([(&long[..], 400), (&trailers[..], 431)]) {
            for cut in [1, 7, wire.len()] {
                let (outcome, ..) = run(Body::Chunked, 10, wire, cut);
                assert_eq!(outcome.map_err(|(status, _)| status), Err(status), "{} by {cut}", wire.escape_ascii());
            }
        }
        assert_eq!(Incoming::new(Body::Length(11), 10).unwrap_err().0, 413);
    }

    proptest! {
        #[test]
        fn any_octets_give_an_answer_that_does_not_depend_on_the_cutting(
            wire in prop::collection::vec(prop::sample::select(&b"0123aF;\r\n x"[..]), 0..60),
            cut in 1..20usize,
        ) {
            let (whole, body, _) = run(Body::Chunked, 40, &wire, wire.len());
            let (piecemeal, same, _) = run(Body::Chunked, 40, &wire, cut);
            prop_assert_eq!(whole, piecemeal);
            if whole == Ok(true) {
                prop_assert_eq!(body, same);
            }
        }
    }
}
