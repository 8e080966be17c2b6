//! The body of the fuzz target `negotiation`: any value of Sec-WebSocket-Extensions, as offers to a server and as an answer
//! to a client.

use crate::fuzz::{plans, scan, shown};
use crate::heads::{REQUEST, RESPONSE, with};
use martlet_handshake::{
    DeflateParams, DeflateSide, Kind, Limits, Offer, Request, RequestScanner, ResponseFault, ResponseScanner,
    WindowBits,
};

const LIMITS: Limits = Limits { max_head_bytes: 2000, max_headers: 20, max_line_bytes: 8192 };

/// What one end wants, of two octets.
fn settings(windows: u8, mode: u8) -> DeflateParams {
    let side = |bits: u8, forgets: u8| DeflateSide {
        no_context_takeover: mode & forgets != 0,
        max_window_bits: WindowBits::new(bits),
    };
    DeflateParams { server: side(windows >> 4, 1), client: side(windows & 15, 2) }
}

/// Nothing holds that this end did not want, however the head is cut; and what a server chooses is said so that it is read the same.
pub fn negotiation(data: &[u8]) {
    let [windows, mode, seed, octets @ ..] = data else { return };
    let wanted = settings(*windows, *mode);
    // A line's end begins another header: offers may go over several.
    let values = octets.split(|octet| *octet == b'\n').map(String::from_utf8_lossy);
    let lines: Vec<String> = values.map(|value| format!("Sec-WebSocket-Extensions: {value}")).collect();
    let holds = if mode & 4 == 0 {
        let head = with(REQUEST, &lines.join("\r\n"));
        offered(wanted, if mode & 8 == 0 { 8192 } else { 150 }, head.as_bytes(), *seed)
    } else {
        answered(wanted, with(RESPONSE, &lines.join("\r\n")).as_bytes(), *seed)
    };
    let Some(holds) = holds else { return };
    for (holds, wanted) in [(holds.server, wanted.server), (holds.client, wanted.client)] {
        assert!(holds.window_bits() <= wanted.window_bits(), "a window of {holds:?} for {wanted:?}");
        assert!(holds.no_context_takeover || !wanted.no_context_takeover, "{holds:?} for {wanted:?}");
    }
}

fn offered(wanted: DeflateParams, max_line_bytes: u32, head: &[u8], seed: u8) -> Option<DeflateParams> {
    let limits = Limits { max_line_bytes, ..LIMITS };
    let [whole, each, some] = plans(seed, head.len()).map(|plan| {
        let mut scanner = RequestScanner::new().with_deflate(Some(wanted));
        let reading = scan(head, &plan, |input| scanner.scan(&limits, &[], input).map(shown).map_err(debug));
        (reading, scanner.finish())
    });
    assert_eq!(whole, each, "octet by octet");
    assert_eq!(whole, some, "cut by {seed}");
    let (_, Ok(Kind::Upgrade(upgrade))) = whole else { return None };
    let view = Request::parse(head).expect("a view of a head that passed");
    assert_eq!(wanted.choose(view.extensions()), upgrade.deflate(), "the whole head and its lines");
    let holds = upgrade.deflate()?;
    // As an offer the answer says what holds, to a server that wants nothing of its own.
    let again = with(REQUEST, &format!("Sec-WebSocket-Extensions: {holds}"));
    let again = Request::parse(again.as_bytes()).expect("a request");
    assert_eq!(DeflateParams::default().choose(again.extensions()), Some(holds));
    Some(holds)
}

fn answered(wanted: DeflateParams, head: &[u8], seed: u8) -> Option<DeflateParams> {
    let offer = Offer { subprotocols: &[], extensions: Some("x"), deflate: Some(wanted) };
    let [whole, each, some] = plans(seed, head.len()).map(|plan| {
        let mut scanner = ResponseScanner::new(*b"the sample nonce");
        let mut fault: Option<ResponseFault> = None;
        let reading = scan(head, &plan, |input| {
            scanner.scan(&LIMITS, &offer, input).map(shown).map_err(|found| debug(*fault.insert(found)))
        });
        (reading, fault.map_or_else(|| scanner.finish(), Err))
    });
    assert_eq!(whole, each, "octet by octet");
    assert_eq!(whole, some, "cut by {seed}");
    whole.1.ok()?.deflate()
}

fn debug(fault: impl std::fmt::Debug) -> String {
    format!("{fault:?}")
}
