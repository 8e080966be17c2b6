//! The bodies of the fuzz targets. Each asserts something of any octets at all, so that `cargo test` can run committed seeds
//! through them on a stable toolchain.

use crate::check::ROLES;
use crate::cuts::{Cuts, Plan, Random};
use crate::drive::{App, Room, connect, serve};
pub use crate::fuzz_deflate::{deflate, inflate};
pub use crate::fuzz_negotiation::negotiation;
use crate::heads;
use crate::meaning::meaning;
use crate::naive;
use crate::pair::{Pair, Say};
use crate::transcript;
use crate::wire::Wire;
use martlet_codec::{CloseFrame, DataKind, Header, Key, Kind, Limits, MIN_INPUT, Mask, Role, Utf8, Violation};
use martlet_handshake::{Limits as HeadLimits, Line, Offer, Request, RequestScanner, ResponseScanner};
use martlet_state::{Config, HeadMode, State};

/// A target's name and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its shim in `fuzz/`.
pub const TARGETS: [Target; 10] = [
    ("head", head),
    ("negotiation", negotiation),
    ("inflate", inflate),
    ("deflate", deflate),
    ("header", header),
    ("receive_cuts", receive_cuts),
    ("utf8", utf8),
    ("mask", mask),
    ("close", close),
    ("roundtrip", roundtrip),
];

/// Cuts that depend on an octet of the input. A long input is not cut at each octet but behind one to three.
pub(crate) fn plans(seed: u8, len: usize) -> [Plan; 3] {
    let finest = if len <= 4096 { Cuts::Each } else { Cuts::Random(0) };
    [Cuts::Whole, finest, Cuts::Random(u64::from(seed))].map(|cuts| Plan { cuts, capacity: usize::MAX })
}

/// A request or response head: one reading however it is cut, and the view of a head that passed shows what a naive reader finds.
pub fn head(data: &[u8]) {
    let [mode, seed, octets @ ..] = data else { return };
    let max_line_bytes = [8192, 64, 100, 300][usize::from(*mode >> 1 & 3)];
    let limits = HeadLimits { max_head_bytes: 2000, max_headers: 20, max_line_bytes };
    let read = |plan: &Plan| {
        if mode & 1 == 0 { read_request(&limits, octets, plan) } else { read_response(&limits, octets, plan) }
    };
    let [whole, each, some] = plans(*seed, octets.len()).map(|plan| read(&plan));
    assert_eq!(whole, each, "octet by octet");
    assert_eq!(whole, some, "cut by {seed}");
    let passed = whole.1.as_deref().is_some_and(|end| end.starts_with("Ok"));
    if mode & 1 == 0 && passed {
        let request = Request::parse(octets).expect("a view of a head that passed");
        // Empty lines before the request line are not its end (RFC 9112 section 2.2).
        let empty_lines = octets.chunks_exact(2).take_while(|two| two == b"\r\n").count();
        let octets = &octets[2 * empty_lines..];
        let end = heads::end(octets).expect("the head has an end");
        let text = octets[..end].split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii);
        let mut lines = text.filter(|line| !line.is_empty());
        let start = [request.method().as_bytes(), b" ", request.target().as_bytes(), b" HTTP/1."].concat();
        assert!(lines.next().is_some_and(|line| line.starts_with(&start)));
        let naive: Vec<(&[u8], &[u8])> = lines
            .map(|line| {
                let colon = line.iter().position(|octet| *octet == b':').expect("a header has a colon");
                (&line[..colon], line[colon + 1..].trim_ascii())
            })
            .collect();
        let shown: Vec<(&[u8], &[u8])> = request.headers().map(|(name, value)| (name.as_bytes(), value)).collect();
        assert_eq!(shown, naive);
    }
}

/// The lines of a head, and how it ended, if it did.
pub(crate) type Reading = (Vec<String>, Option<String>);

fn read_request(limits: &HeadLimits, octets: &[u8], plan: &Plan) -> Reading {
    let mut scanner = RequestScanner::new();
    let mut reading = scan(octets, plan, |input| {
        scanner.scan(limits, &["chat", "soap"], input).map(shown).map_err(|refusal| format!("{refusal:?}"))
    });
    if reading.1.as_deref() == Some("End") {
        reading.1 = Some(format!("{:?}", scanner.finish()));
    }
    reading
}

fn read_response(limits: &HeadLimits, octets: &[u8], plan: &Plan) -> Reading {
    let mut scanner = ResponseScanner::new(*b"the sample nonce");
    let offer =
        Offer { subprotocols: &["chat", "soap"], extensions: Some("permessage-deflate; x=1, foo"), deflate: None };
    let mut reading = scan(octets, plan, |input| {
        scanner.scan(limits, &offer, input).map(shown).map_err(|fault| format!("{fault:?}"))
    });
    if reading.1.as_deref() == Some("End") {
        reading.1 = Some(format!("{:?}", scanner.finish()));
    }
    reading
}

pub(crate) fn shown(scanned: Option<(usize, Line<'_>)>) -> Option<(usize, String)> {
    scanned.map(|(used, line)| (used, format!("{line:?}")))
}

pub(crate) fn scan(
    octets: &[u8],
    plan: &Plan,
    mut scan: impl FnMut(&[u8]) -> Result<Option<(usize, String)>, String>,
) -> Reading {
    let (mut lines, mut end) = (Vec::new(), None);
    plan.feed(octets, |octets| {
        let mut input = &*octets;
        loop {
            match scan(input) {
                Ok(None) => return Some(input.len()),
                Ok(Some((used, line))) => {
                    assert!(used <= input.len() && used != 0);
                    input = &input[used..];
                    if line == "End" {
                        end = Some(line);
                        return None;
                    }
                    lines.push(line);
                }
                Err(fault) => {
                    end = Some(fault);
                    return None;
                }
            }
        }
    });
    (lines, end)
}

/// A frame header: at every length of it what the definition says, and what is read is written again the same.
pub fn header(data: &[u8]) {
    let [mode, octets @ ..] = data else { return };
    let most = [u64::MAX, 125, 300, 65_536][usize::from(*mode & 3)];
    let limits = Limits {
        max_frame_bytes: most,
        max_message_bytes: most.rotate_right(u32::from(mode >> 7)),
        max_empty_fragments: 9,
    };
    for role in ROLES {
        for end in 0..=octets.len().min(15) {
            let octets = &octets[..end];
            let decoded = Header::decode(role, &limits, octets);
            match naive::judge_header(role, &limits, octets) {
                Err(violation) => assert_eq!(decoded, Err(violation), "{role:?} {octets:x?}"),
                Ok(None) => assert_eq!(decoded, Ok(None), "{role:?} {octets:x?}"),
                Ok(Some((expect, used))) => {
                    let Ok(Some((header, length))) = decoded else { panic!("{role:?} {octets:x?}: {decoded:?}") };
                    assert_eq!(length, used);
                    assert_eq!(fields(&header), (expect.fin, expect.opcode, expect.len, expect.key));
                    assert_eq!(header.encode().as_ref(), &octets[..used], "the shortest form is the only one");
                }
            }
        }
    }
}

fn fields(header: &Header) -> (bool, u8, u64, Option<[u8; 4]>) {
    let key = header.key.map(|key| key.0);
    match header.kind {
        Kind::Data { op, fin, len } => (fin, op as u8, len, key),
        Kind::Control { op, len } => (true, op as u8, u64::from(len), key),
    }
}

/// A stream of frames, by itself and behind a handshake: one meaning in any cutting, that of the naive decoder.
///
/// The input's first two octets say how: role, limits, cuts; and whether the rest is the wire itself, or frames in a form that
/// gets behind the mask bit more often: first octet, length, payload.
pub fn receive_cuts(data: &[u8]) {
    let [mode, seed, rest @ ..] = data else { return };
    let role = if mode & 1 == 0 { Role::Server } else { Role::Client };
    let most = [u64::MAX, 1 << 16, 130, 9][usize::from(mode >> 1 & 3)];
    let limits = Limits { max_frame_bytes: most, max_message_bytes: most.saturating_add(5), max_empty_fragments: 2 };
    let wire = if mode & 8 == 0 { rest.to_vec() } else { frames(role, rest) };
    let expect = naive::meaning(role, &limits, &wire);
    for plan in plans(*seed, wire.len()) {
        assert_eq!(meaning(role, &limits, &wire, &plan), expect, "{role:?} {plan:?}");
        let narrow = Plan { capacity: MIN_INPUT, ..plan };
        assert_eq!(meaning(role, &limits, &wire, &narrow), expect, "{role:?} {narrow:?}");
    }
    let head_mode = if mode & 16 == 0 { HeadMode::Whole } else { HeadMode::Lines };
    let config = Config { limits, head_mode, max_control_per_second: u16::from(mode >> 5), ..Config::DEFAULT };
    let app = App { echo: true, close_after: (mode & 64 != 0).then_some((1, 1001, "enough")), ..App::default() };
    let [whole, each, some] = plans(*seed, wire.len()).map(|plan| match role {
        Role::Server => serve(&config, app, &[heads::REQUEST.as_bytes(), &wire].concat(), &plan, Room::Enough),
        Role::Client => connect(
            &config,
            app,
            |request| [heads::response_to(request).as_bytes(), &wire].concat(),
            &plan,
            Room::Enough,
        ),
    });
    assert_eq!(whole, each, "octet by octet");
    assert_eq!(whole, some, "cut by {seed}");
    // What it says is right by the other end's naive decoder: whole frames, and nothing behind a Close.
    let said = whole.frames(role);
    let closes = said.iter().position(|line| line == "Close" || line.starts_with("Close "));
    assert!(closes.is_none_or(|at| at + 1 == said.len()), "{said:?}");
    let is_violation = |line: &String| Violation::ALL.iter().any(|violation| *line == format!("{violation:?}"));
    assert!(!said.iter().any(is_violation), "{said:?}");
    assert_eq!(
        whole.state == State::Closed,
        whole.lines.iter().any(|line| is_violation(line) || line.starts_with("Close"))
    );
}

/// Octets of frames from: first octet, length, payload.
fn frames(to: Role, mut rest: &[u8]) -> Vec<u8> {
    let mut wire = Wire::to(to);
    while let [b0, len, behind @ ..] = rest {
        // A few lengths are worth more than others.
        let len = match len {
            0..=199 => usize::from(*len),
            200..=220 => 65_535,
            221..=240 => 65_536,
            241.. => 126,
        };
        let (payload, next) = behind.split_at(len.min(behind.len()));
        wire = match len {
            65_535.. => wire.frame(
                *b0,
                &payload.iter().copied().cycle().take(len * usize::from(!payload.is_empty())).collect::<Vec<u8>>(),
            ),
            _ => wire.frame(*b0, payload),
        };
        rest = next;
    }
    wire.raw(rest).octets().to_vec()
}

/// Text in pieces: refused at the first octet that `core` would refuse, and complete when `core` says so.
pub fn utf8(data: &[u8]) {
    let [seed, text @ ..] = data else { return };
    for plan in plans(*seed, text.len()) {
        let (mut utf8, mut seen) = (Utf8::new(), 0);
        for piece in plan.cuts.pieces(text) {
            seen += piece.len();
            let goes_on = utf8.push(piece).is_ok();
            assert_eq!(goes_on, naive::utf8_may_go_on(&text[..seen]), "{plan:?}");
            if !goes_on {
                break;
            }
            assert_eq!(utf8.is_complete(), std::str::from_utf8(&text[..seen]).is_ok());
        }
    }
}

/// Masking in pieces, at any alignment: as defined, and its own inverse.
pub fn mask(data: &[u8]) {
    let [a, b, c, d, seed, offset, payload @ ..] = data else { return };
    let (key, offset) = ([*a, *b, *c, *d], usize::from(offset & 63));
    let expect = naive::mask(key, payload);
    for plan in plans(*seed, payload.len()) {
        let mut octets = [&vec![0xa5; offset][..], payload, &[0xa5; 9]].concat();
        for _ in 0..2 {
            let (mut mask, mut at) = (Mask::new(Key(key)), offset);
            for piece in plan.cuts.pieces(payload) {
                mask.apply(&mut octets[at..at + piece.len()]);
                at += piece.len();
            }
            if octets[offset..at] != *payload {
                assert_eq!(octets[offset..at], expect, "{plan:?}");
            }
            assert!(octets[..offset].iter().chain(&octets[at..]).all(|octet| *octet == 0xa5), "wrote outside");
        }
        assert_eq!(octets[offset..offset + payload.len()], *payload, "twice is the payload again");
    }
}

/// A Close body: as defined, alone and in a stream, whole and from each beginning of it.
pub fn close(data: &[u8]) {
    let body = &data[..data.len().min(125)];
    let decoded = CloseFrame::decode(body);
    let expect = naive::close(body);
    assert_eq!(decoded.map(|frame| frame.map(|frame| (frame.code().get(), frame.reason()))), expect);
    if let Ok(Some(frame)) = decoded {
        assert_eq!(CloseFrame::new(frame.code().get(), frame.reason()), Ok(frame));
        let owned = frame.to_owned();
        assert_eq!((owned.code, owned.reason.as_str()), (frame.code(), frame.reason()));
    }
    let wide = crate::check::WIDE;
    for role in ROLES {
        for end in 0..=body.len() {
            let wire = Wire::to(role).header(0x88, body.len() as u64).payload(&body[..end]);
            let lines = match naive::close_may_go_on(body.len() as u64, &body[..end]) {
                Err(violation) => vec![format!("{violation:?}")],
                Ok(()) if end < body.len() => vec![],
                Ok(()) => vec![expect.map_or_else(|violation| format!("{violation:?}"), transcript::close)],
            };
            assert_eq!(meaning(role, &wide, wire.octets(), &Plan::WHOLE), lines, "{role:?} {end}");
        }
    }
}

/// Two ends talk: what one says the other is told, and the naive decoder reads the same from the wire.
pub fn roundtrip(data: &[u8]) {
    const CONFIG: Config<'_> = Config { max_control_per_second: 0, idle_ms: 0, ..Config::DEFAULT };
    let [seed, rest @ ..] = data else { return };
    let mut random = Random(u64::from(*seed));
    let mut pair = Pair::open(&CONFIG, &CONFIG, 0);
    let mut expect: [Vec<String>; 2] = [Vec::new(), Vec::new()];
    let mut open: [Option<String>; 2] = [None, None];
    let (mut rest, mut now) = (rest, 0);
    while let [op, len, behind @ ..] = rest {
        let (payload, next) = behind.split_at(usize::from(*len).min(behind.len()));
        rest = next;
        let (role, at) = if op & 1 == 0 { (Role::Client, 0) } else { (Role::Server, 1) };
        let text = String::from_utf8_lossy(payload);
        let fin = op & 2 != 0;
        let (say, line) = match op >> 2 & 7 {
            0 => (Say::Text(&text), Some(transcript::message(DataKind::Text, text.as_bytes()))),
            1 => (Say::Binary(payload), Some(transcript::message(DataKind::Binary, payload))),
            2 | 3 => {
                let whole = open[at].clone().unwrap_or_default() + &text;
                (Say::Fragment(&text, fin), fin.then(|| transcript::message(DataKind::Text, whole.as_bytes())))
            }
            4 => (Say::Ping(payload), Some(transcript::control("Ping", payload))),
            5 => (Say::Pong(payload), Some(transcript::control("Pong", payload))),
            6 => (
                Say::Close(Some((u16::from(*op) * 40, &text))),
                Some(transcript::close(Some((u16::from(*op) * 40, &text)))),
            ),
            _ => (Say::Close(None), Some(transcript::close(None))),
        };
        if pair.say(role, say).is_err() {
            continue;
        }
        expect[at].extend(line);
        match say {
            Say::Fragment(text, false) => open[at].get_or_insert_default().push_str(text),
            Say::Fragment(_, true) => open[at] = None,
            Say::Ping(body) => expect[1 - at].push(transcript::control("Pong", body)),
            Say::Close(frame) => {
                let echo = frame.map(|(code, _)| (code, ""));
                expect[1 - at].push(transcript::close(echo));
            }
            Say::Text(_) | Say::Binary(_) | Say::Pong(_) => {}
        }
        now += random.below(3) as u64;
        pair.run_until(now);
        if let Say::Close(_) = say {
            break;
        }
    }
    let log = pair.log();
    for (at, role, peer) in [(0, Role::Client, "server"), (1, Role::Server, "client")] {
        let told: Vec<&str> = log
            .iter()
            .filter_map(|line| line.splitn(3, ' ').collect::<Vec<_>>()[1..].try_into().ok())
            .filter_map(|[name, line]: [&str; 2]| (name == peer).then_some(line))
            .collect();
        let mut said = naive::meaning(
            role.peer(),
            &crate::check::WIDE,
            &pair.said(role)[heads::end(pair.said(role)).unwrap_or(0)..],
        );
        if open[at].is_some() {
            // The naive decoder tells of a message without an end; the other end's application does not hear of it.
            said.pop();
        }
        assert_eq!(said, told, "{peer} is told what was said");
        assert_eq!(said, expect[at], "{role:?} says what it was asked to");
    }
}
