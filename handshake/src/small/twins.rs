//! Both scanners of each role, side by side: the same lines, down to every piece, and the same verdict.

use crate::{DeflateParams, Kind, Limits, Line, Offer, Refusal, ResponseFault, Spot};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::format;
use std::string::String;
use std::vec::Vec;

const SPEAKS: [&str; 3] = ["chat", "superchat", "x"];

/// What both scanners of a role have.
trait Scanner {
    type End: core::fmt::Debug + PartialEq;
    fn scan<'i>(&mut self, limits: &Limits, input: &'i [u8]) -> Result<Option<(usize, Line<'i>)>, Self::End>;
    fn spot(&mut self, limits: &Limits, input: &[u8]) -> Result<Option<Spot>, Self::End>;
    fn taken(&self) -> u32;
    fn finish(&self) -> Self::End;
}

macro_rules! scanner {
    ($scanner:ty, $what:expr, $agreed:ty, $fault:ty) => {
        impl Scanner for $scanner {
            type End = Result<$agreed, $fault>;
            fn scan<'i>(&mut self, limits: &Limits, input: &'i [u8]) -> Result<Option<(usize, Line<'i>)>, Self::End> {
                self.scan(limits, $what, input).map_err(Err)
            }
            fn spot(&mut self, limits: &Limits, input: &[u8]) -> Result<Option<Spot>, Self::End> {
                self.spot(limits, $what, input).map_err(Err)
            }
            fn taken(&self) -> u32 {
                self.taken()
            }
            fn finish(&self) -> Self::End {
                self.finish()
            }
        }
    };
}

const OFFER: Offer<'static> = Offer { subprotocols: &SPEAKS, extensions: Some("foo; a, x"), deflate: DEFLATE };
#[cfg(feature = "deflate")]
const DEFLATE: Option<DeflateParams> = Some(DeflateParams::CONTEXT_TAKEOVER);
#[cfg(not(feature = "deflate"))]
const DEFLATE: Option<DeflateParams> = None;

scanner!(crate::request::RequestScanner, &SPEAKS, Kind, Refusal);
scanner!(super::RequestScanner, &SPEAKS, Kind, Refusal);
scanner!(crate::response_scanner::ResponseScanner, &OFFER, crate::Agreed, ResponseFault);
scanner!(super::ResponseScanner, &OFFER, crate::Agreed, ResponseFault);

/// The lines that come of `head` in reads of these sizes and the rest in one, each with how much was there when it came, and the end.
fn read<S: Scanner>(mut scanner: S, head: &[u8], limits: &Limits, cuts: &[usize]) -> (Vec<String>, Option<S::End>) {
    let (mut lines, mut taken, mut come, mut cuts) = (Vec::new(), 0, 0, cuts.iter());
    loop {
        // Every other line is asked for in the other way.
        let input = &head[taken..come];
        let line = if lines.len() % 2 == 0 {
            scanner.scan(limits, input)
        } else {
            scanner.spot(limits, input).map(|spot| spot.map(|spot| (spot.used, spot.line(input))))
        };
        match line {
            Ok(Some((used, line))) => {
                taken += used;
                lines.push(format!("{come} {used} {line:?}"));
                assert_eq!(scanner.taken() as usize, taken);
                if line == Line::End {
                    return (lines, Some(scanner.finish()));
                }
            }
            Ok(None) if come == head.len() => return (lines, None),
            Ok(None) => come = head.len().min(come + cuts.next().copied().unwrap_or(head.len())),
            Err(end) => {
                lines.push(format!("{come}"));
                return (lines, Some(end));
            }
        }
    }
}

fn same(head: &[u8], limits: &Limits, cuts: &[usize]) {
    let octets = std::vec![1; head.len()];
    for cuts in [cuts, &[], &octets] {
        let ours = read(super::RequestScanner::new().with_deflate(DEFLATE), head, limits, cuts);
        let theirs = crate::request::RequestScanner::new().with_deflate(DEFLATE);
        assert_eq!(ours, read(theirs, head, limits, cuts), "{} in {limits:?}", head.escape_ascii());
        let nonce = *b"the sample nonce";
        let ours = read(super::ResponseScanner::new(nonce), head, limits, cuts);
        let theirs = crate::response_scanner::ResponseScanner::new(nonce);
        assert_eq!(ours, read(theirs, head, limits, cuts), "{} in {limits:?}", head.escape_ascii());
    }
}

/// Start lines, right and wrong.
const STARTS: &[&str] = &[
    "GET / HTTP/1.1",
    "GET /chat?x=y HTTP/1.1",
    "\r\n\r\nGET / HTTP/1.1",
    "GET / HTTP/1.0",
    "GET / HTTP/2.0",
    "get / HTTP/1.1",
    "GETS /a HTTP/1.9",
    "POST http://a:80/x HTTP/1.1",
    "GET ws://[::1]?x HTTP/1.1",
    "GET wss://a:65536 HTTP/1.1",
    "GET HTTPS://a_b:1 HTTP/1.1",
    "GET http:///x HTTP/1.1",
    "GET http:/x HTTP/1.1",
    "GET ftp://a HTTP/1.1",
    "GET http HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "GET * HTTP/1.1",
    "OPTIONS ** HTTP/1.1",
    "OPTIONS *: HTTP/1.1",
    "GET a HTTP/1.1",
    "HTTP/1.1 101 Switching Protocols",
    "HTTP/1.1 101",
    "HTTP/1.1 101 ",
    "HTTP/1.0 101 x",
    "HTTP/1.9 101 a b",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 x",
    "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK",
    "HTTP/1.1 404 Not Found",
    "HTTP/1.0 200 OK",
];
/// Header lines, right and wrong.
const FIELDS: &[&str] = &[
    "Host: example.org:8080",
    "hOST:a",
    "Host: [2001:db8::1]:65535 \t",
    "Host: a:65536",
    "Host: a, b",
    "Host:",
    "Upgrade: websocket",
    "upgrade: h2c, WebSocket/13, a/b/c",
    "Upgrade:, websocket ,\t,",
    "Upgrade: a\"b,c\"d, e",
    "Connection: Upgrade",
    "Connection: keep-alive , Upgrade, close",
    "connection: CLOSE",
    "Connection: a b",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\u{e9}",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Version: 8",
    "Sec-WebSocket-Version: 13, 8",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
    "Sec-WebSocket-Protocol: superchat, chat",
    "Sec-WebSocket-Protocol: x",
    "Sec-WebSocket-Protocol: a,, b ,CHAT",
    "Sec-WebSocket-Protocol: ,",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover",
    "Sec-WebSocket-Extensions: foo",
    "Sec-WebSocket-Extensions: x; a=\"b\\\\,c\", foo ; a = b",
    "Sec-WebSocket-Extensions: x ; a=\"\\b\\c\" ;d=e,, foo",
    "Sec-WebSocket-Extensions: x, x;a",
    "Sec-WebSocket-Extensions: x;a=\"\"",
    "Sec-WebSocket-Extensions: x;a=\"b",
    "Sec-WebSocket-Extensions: x;a=\"b;,c\", d",
    "Sec-WebSocket-Extensions:",
    "Origin: http://example.org",
    "Origin: http://a http://b#\t",
    "Origin: a\tb",
    "Origin: \u{e4}",
    "Content-Length: 0",
    "Content-Length: 0017",
    "Content-Length: 4294967295",
    "Content-Length: 99999999999999999999999",
    "Content-Length: 1,1",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip",
    "Transfer-Encoding: chunked, Chunked",
    "Transfer-Encoding:",
    "close: 1",
    "http: 1",
    "Cookie: cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
    "X:",
    "X:  \t ",
    "X: y\t z \t",
    "X y",
    "X : y",
    ": y",
    " folded",
    "\tfolded",
    "X: \u{e9}",
    "X: \u{1}",
    "X\u{e9}: y",
];
const ODD: &[&str] = &[
    "\r", "\n", "\r\n", "\r\n\r\n", " ", "\t", ",", ":", "\"", "\\", ";", "=", "/", "0", "1", "9", "\0", "\u{7f}",
    "\u{e9}", "==",
];

#[derive(Clone, Debug)]
enum Fault {
    Insert(Index, &'static str),
    Remove(Index, usize),
    Repeat(Index, usize),
    End(Index),
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![
        4 => (any::<Index>(), select(ODD)).prop_map(|(at, odd)| Fault::Insert(at, odd)),
        2 => (any::<Index>(), 1usize..20).prop_map(|(at, len)| Fault::Remove(at, len)),
        2 => (any::<Index>(), 1usize..80).prop_map(|(at, len)| Fault::Repeat(at, len)),
        1 => any::<Index>().prop_map(Fault::End),
    ];
    vec(fault, 0..4)
}

fn spoil(mut head: Vec<u8>, faults: &[Fault]) -> Vec<u8> {
    for fault in faults {
        let place = |at: &Index| at.index(head.len() + 1);
        match fault {
            Fault::Insert(at, odd) => {
                let at = place(at);
                head.splice(at..at, odd.bytes());
            }
            Fault::Remove(at, len) => {
                let at = place(at);
                head.drain(at..head.len().min(at + len));
            }
            Fault::Repeat(at, len) => {
                let at = place(at);
                let part = head[at..head.len().min(at + len)].to_vec();
                head.splice(at..at, part);
            }
            Fault::End(at) => head.truncate(place(at)),
        }
    }
    head
}

/// Heads that open a WebSocket for one role or the other unless something is put into them, and heads of anything.
fn heads() -> impl Strategy<Value = Vec<u8>> {
    let ask = [0, 6, 10, 14, 17].map(|at| FIELDS[at]);
    let answer = [6, 10, 20].map(|at| FIELDS[at]);
    let right = prop_oneof![Just((STARTS[0], ask.to_vec())), Just((STARTS[20], answer.to_vec()))];
    let odd = vec((any::<Index>(), select(FIELDS)), 0..3);
    let right = (right, odd).prop_map(|((start, mut fields), odd)| {
        for (at, field) in odd {
            fields.insert(at.index(fields.len() + 1), field);
        }
        (start, fields)
    });
    let any = (select(STARTS), vec(select(FIELDS), 0..8));
    let head = prop_oneof![3 => right, 2 => any];
    (head, faults()).prop_map(|((start, fields), faults)| {
        let mut head = start.as_bytes().to_vec();
        for field in fields {
            head.extend(b"\r\n");
            head.extend(field.chars().map(|char| char as u8));
        }
        head.extend(b"\r\n\r\nbehind");
        spoil(head, &faults)
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let line = prop_oneof![2 => 0u32..80, 3 => 60u32..300, 1 => Just(8192u32), 1 => Just(u32::MAX)];
    let head = prop_oneof![1 => 0u32..200, 1 => 100u32..600, 3 => Just(8192u32), 1 => Just(u32::MAX)];
    let count = prop_oneof![1 => 0u16..10, 3 => Just(64u16), 1 => Just(u16::MAX)];
    (line, head, count).prop_map(|(max_line_bytes, max_head_bytes, max_headers)| Limits {
        max_head_bytes,
        max_headers,
        max_line_bytes,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_tell_the_same(head in heads(), limits in limits(), cuts in vec(1usize..60, 0..40)) {
        same(&head, &limits, &cuts);
    }

    #[test]
    fn they_tell_the_same_of_any_octets(head in vec(any::<u8>(), 0..60), limits in limits(), cuts in vec(1usize..9, 0..40)) {
        same(&head, &limits, &cuts);
    }
}

/// Each line by itself, at every size of line.
#[test]
fn they_tell_the_same_of_every_line_at_every_size() {
    for max_line_bytes in 0..=110 {
        let limits = Limits { max_line_bytes, ..Limits::DEFAULT };
        for start in STARTS {
            same(format!("{start}\r\n\r\n").as_bytes(), &limits, &[]);
        }
        for field in FIELDS {
            for start in [STARTS[0], STARTS[20]] {
                same(format!("{start}\r\n{field}\r\n\r\n").as_bytes(), &limits, &[]);
            }
        }
    }
}

/// Every octet at every place of the lines on which the handshake depends.
#[test]
fn they_tell_the_same_of_every_octet_at_every_place() {
    let heads = [
        "GET / HTTP/1.1\r\nHost: a:1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: a\r\nSec-WebSocket-Extensions: x;a=\"b\\c\";d=e\r\n\r\n",
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: chat\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: x;a, foo\r\n\r\n",
        "POST ws://a:1/ HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 17\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n",
    ];
    for head in heads {
        for at in 0..head.len() {
            for octet in 0..=u8::MAX {
                let mut head = head.as_bytes().to_vec();
                head[at] = octet;
                let ours = read(super::RequestScanner::new(), &head, &Limits::DEFAULT, &[at, 1]);
                let theirs = read(crate::request::RequestScanner::new(), &head, &Limits::DEFAULT, &[at, 1]);
                assert_eq!(ours, theirs, "{}", head.escape_ascii());
                let nonce = *b"the sample nonce";
                let ours = read(super::ResponseScanner::new(nonce), &head, &Limits::DEFAULT, &[at, 1]);
                let theirs = crate::response_scanner::ResponseScanner::new(nonce);
                assert_eq!(ours, read(theirs, &head, &Limits::DEFAULT, &[at, 1]), "{}", head.escape_ascii());
            }
        }
    }
}
