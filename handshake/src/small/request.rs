//! A server reads a request head (RFC 6455 section 4.2.1).

use super::head::{Found, Head};
use super::machine::{NOTHING, Tape, part};
use super::words::{self, Word, word};
use crate::choice::Choice;
use crate::deflate::DeflateParams;
use crate::extension::List;
use crate::fault::HeadFault;
use crate::key::{Nonce, read_key};
use crate::kind::{Body, Kind, Plain};
use crate::limits::Limits;
use crate::line::Line;
use crate::refusal::Refusal;
use crate::spot::{Shape, Spot};
use crate::upgrade::Upgrade;
use crate::value::Number;

/// What is known of the head: that a header of which there is one came, and what else a word says. The rest are bits of headers
/// that may be there or not.
mod fact {
    use super::words::*;

    pub(super) const HOST_LINE: u16 = 1 << HOST;
    pub(super) const KEY_LINE: u16 = 1 << KEY;
    pub(super) const VERSION_LINE: u16 = 1 << VERSION;
    pub(super) const LENGTH_LINE: u16 = 1 << LENGTH;
    pub(super) const CODING_LINE: u16 = 1 << CODING;
    pub(super) const EXTENSIONS_LINE: u16 = 1 << EXTENSIONS;
    pub(super) const CONNECTION_UPGRADE: u16 = 1 << UPGRADE;
    pub(super) const UPGRADE_WEBSOCKET: u16 = 1 << WEBSOCKET;
    pub(super) const CONNECTION_CLOSE: u16 = 1 << CLOSE;
    pub(super) const CONNECTION_KEEP_ALIVE: u16 = 1 << KEEP_ALIVE;
    pub(super) const CODING_CHUNKED: u16 = 1 << CHUNKED;
    pub(super) const GET: u16 = 1 << CONNECTION;
    /// Not HTTP/1.0, but 1.1 or above.
    pub(super) const HTTP_1_1: u16 = 1 << PROTOCOL;
    pub(super) const BODY: u16 = 1 << ACCEPT;
    /// An extension is offered.
    pub(super) const EXTENSION: u16 = 1 << 15;
}

/// What must be so of a request that asks for a WebSocket.
const DEMANDS: [(u16, Refusal); 5] = [
    (fact::GET, Refusal::MethodNotGet),
    (fact::HTTP_1_1, Refusal::HttpVersionTooOld),
    (fact::CONNECTION_UPGRADE, Refusal::ConnectionNotUpgrade),
    // Before the key: clients of earlier drafts have other keys, and shall learn which version is spoken.
    (fact::VERSION_LINE, Refusal::VersionMissing),
    (fact::KEY_LINE, Refusal::KeyMissing),
];

/// The rules for a header.
struct Rule {
    /// What its value is, or each element of it.
    part: u8,
    /// If it is not.
    invalid: Refusal,
    /// If there is another; for lists there may be.
    duplicate: Refusal,
    /// The words in a list that say something.
    options: u16,
}

const fn once(part: u8, invalid: Refusal, duplicate: Refusal) -> Rule {
    Rule { part, invalid, duplicate, options: 0 }
}

const fn list(part: u8, invalid: Refusal, options: u16) -> Rule {
    Rule { part, invalid, duplicate: invalid, options }
}

/// In the order of their words.
static RULES: [Rule; 10] = [
    once(part::HOST, Refusal::HostInvalid, Refusal::HostDuplicate),
    once(part::ORIGIN, Refusal::OriginInvalid, Refusal::OriginDuplicate),
    // Its form alone is less than what is demanded.
    once(part::ORIGIN, Refusal::KeyInvalid, Refusal::KeyDuplicate),
    once(part::VERSION, Refusal::VersionUnsupported, Refusal::VersionDuplicate),
    once(part::NUMBER, Refusal::ContentLengthInvalid, Refusal::ContentLengthDuplicate),
    list(part::PROTOCOL, Refusal::UpgradeInvalid, fact::UPGRADE_WEBSOCKET),
    list(
        part::WORD,
        Refusal::ConnectionInvalid,
        fact::CONNECTION_UPGRADE | fact::CONNECTION_CLOSE | fact::CONNECTION_KEEP_ALIVE,
    ),
    list(part::WORD, Refusal::TransferEncodingUnknown, fact::CODING_CHUNKED),
    list(part::WORD, Refusal::SubprotocolsInvalid, 0),
    list(part::EXTENSION, Refusal::ExtensionsInvalid, 0),
];

/// Checks a request head line by line, and remembers what the answer depends on. It holds no line.
#[derive(Clone, Copy, Debug)]
pub struct RequestScanner {
    head: Head,
    subprotocol: Choice,
    /// With [`fact::BODY`] the number of its octets lies here: an opening handshake has none, so that its nonce is then nobody's.
    nonce: Nonce,
    /// What the server wants of permessage-deflate.
    wanted: Option<DeflateParams>,
    /// What holds under the first offer that it can honour.
    deflate: Option<DeflateParams>,
}

const _: () = assert!(size_of::<RequestScanner>() <= 48);

impl RequestScanner {
    /// A scanner of one head, before its first octet.
    pub const fn new() -> Self {
        Self { head: Head::new(), subprotocol: Choice::new(), nonce: [0; 16], wanted: None, deflate: None }
    }

    /// A scanner that negotiates permessage-deflate for a server with these settings, as [`DeflateParams::choose`] does. A
    /// client's offer in full has 128 octets, which [`max_line_bytes`](Limits::max_line_bytes) must hold.
    pub const fn with_deflate(self, wanted: Option<DeflateParams>) -> Self {
        Self { wanted, ..self }
    }

    /// Octets of the head that were taken so far.
    pub const fn taken(&self) -> u32 {
        self.head.taken()
    }

    /// Takes one line, or a piece of a long one, from the front of `input`, and says how many octets that was.
    ///
    /// `input` begins where the last call's answer ended, whether the octets before that are kept or not. `None`: more are
    /// needed, and none was taken; call again with these and what comes behind them. After [`Line::End`] the answer is always
    /// `None`, and [`finish`](Self::finish) says what the request is.
    ///
    /// `subprotocols` are those that the server speaks, the one it likes best first; of more than 65,533, with feature `small`
    /// 253, the rest counts for nothing.
    ///
    /// Any cutting of the same octets gives the same lines and the same refusal. An octet that no legal head has there is refused
    /// when it comes; what depends on a whole line, when that is complete; what depends on all of the head, by `finish`. After
    /// a refusal the scanner is of no more use.
    pub fn scan<'i>(
        &mut self,
        limits: &Limits,
        subprotocols: &[&str],
        input: &'i [u8],
    ) -> Result<Option<(usize, Line<'i>)>, Refusal> {
        Ok(self.spot(limits, subprotocols, input)?.map(|spot| (spot.used, spot.line(input))))
    }

    /// Does the same, and tells where the line is instead of lending it.
    pub fn spot(&mut self, limits: &Limits, subprotocols: &[&str], input: &[u8]) -> Result<Option<Spot>, Refusal> {
        let mut found = Found::new(input);
        if !self.head.next(part::REQUEST, limits, &mut found)? {
            return Ok(None);
        }
        match found.spot.shape {
            Shape::Request => self.request_line(&mut found)?,
            Shape::Header { .. } | Shape::Piece { .. } => self.field(&mut found, subprotocols)?,
            Shape::Blank | Shape::Status(_) | Shape::End => {}
        }
        Ok(Some(found.spot))
    }

    /// What the request is, once [`Line::End`] was reached. Refuses what only the whole head can show.
    pub fn finish(&self) -> Result<Kind, Refusal> {
        use fact::*;
        let has = |fact| self.head.has(fact);
        if !self.head.is_done() {
            return Err(HeadFault::Unfinished.into());
        }
        let body = self.body()?;
        // HTTP/1.0 knows no Host; an upgrade in it is refused below.
        if !has(HOST_LINE) && has(HTTP_1_1) {
            return Err(Refusal::HostMissing);
        }
        if self.subprotocol.is_empty() {
            return Err(Refusal::SubprotocolsInvalid);
        }
        if has(EXTENSIONS_LINE) && !has(EXTENSION) {
            return Err(Refusal::ExtensionsInvalid);
        }
        if !has(UPGRADE_WEBSOCKET) {
            let keep_alive = !has(CONNECTION_CLOSE) && (has(HTTP_1_1) || has(CONNECTION_KEEP_ALIVE));
            return Ok(Kind::Plain(Plain { keep_alive, body }));
        }
        match DEMANDS.iter().find(|(fact, _)| !has(*fact)) {
            Some((_, refusal)) => Err(*refusal),
            None if body != Body::None => Err(Refusal::BodyOnUpgrade),
            None => Ok(Kind::Upgrade(Upgrade {
                nonce: self.nonce,
                deflate: self.deflate,
                subprotocol: self.subprotocol,
                offers_extensions: has(EXTENSION),
            })),
        }
    }

    fn body(&self) -> Result<Body, Refusal> {
        match (self.head.has(fact::CODING_LINE), self.head.has(fact::LENGTH_LINE)) {
            (true, _) if !self.head.has(fact::CODING_CHUNKED) => Err(Refusal::TransferEncodingInvalid),
            (true, false) => Ok(Body::Chunked),
            (true, true) => Err(Refusal::BodyLengthAmbiguous),
            #[allow(clippy::useless_conversion)] // With `small` it is none.
            (false, _) if self.head.has(fact::BODY) => {
                let number = self.nonce.first_chunk().map_or(0, |octets| Number::from_le_bytes(*octets));
                Ok(Body::Length(number.into()))
            }
            (false, _) => Ok(Body::None),
        }
    }

    fn request_line(&mut self, found: &mut Found<'_>) -> Result<(), Refusal> {
        let Found { tape, spot, .. } = found;
        if tape.number != 0 {
            self.head.facts |= fact::HTTP_1_1;
        }
        spot.end = tape.end.saturating_sub(b" HTTP/1.1".len());
        if tape.run_from(0, part::GET) == NOTHING {
            self.head.facts |= fact::GET;
        }
        let any_target = tape.run_from(0, part::OPTIONS) == NOTHING;
        tape.run_from(0, part::WORD);
        (spot.name, spot.begin) = (tape.end, tape.at);
        if any_target || tape.octet() == b'/' { Ok(()) } else { absolute(tape) }
    }

    /// Checks a header line, or a piece of a list.
    fn field(&mut self, found: &mut Found<'_>, subprotocols: &[&str]) -> Result<(), Refusal> {
        let Found { ref mut tape, spot, field } = *found;
        let Some(rule) = RULES.get(usize::from(field)) else { return Ok(()) };
        let bit = words::bit(field);
        if field < words::UPGRADE {
            if self.head.has(bit) {
                return Err(rule.duplicate);
            }
            self.head.facts |= bit;
            return if self.once(field, rule, tape) { Ok(()) } else { Err(rule.invalid) };
        }
        if spot.name != 0 {
            match field {
                words::PROTOCOL => self.subprotocol.line(),
                words::CODING if !self.head.has(fact::HTTP_1_1) => return Err(Refusal::TransferEncodingInvalid),
                words::CODING | words::EXTENSIONS => self.head.facts |= bit,
                _ => {}
            }
        }
        while let Some(legal) = tape.element(rule.part) {
            let option = words::bit(word(tape)) & rule.options;
            match field {
                _ if !legal => return Err(rule.invalid),
                words::CODING if option == 0 => return Err(rule.invalid),
                words::CODING if self.head.has(option) => return Err(Refusal::TransferEncodingInvalid),
                words::PROTOCOL => self.subprotocol.name(tape.part(), subprotocols),
                words::EXTENSIONS => self.head.facts |= fact::EXTENSION,
                _ => {}
            }
            self.head.facts |= option;
        }
        if field == words::EXTENSIONS {
            let value = tape.octets.get(spot.begin..spot.end).unwrap_or_default();
            // Offers come in the client's order of preference, over all lines: the first that can be honoured stays.
            self.deflate = self.deflate.or_else(|| self.wanted?.choose(List::new(value)));
        }
        Ok(())
    }

    /// Whether the value is legal of a header that is there once.
    fn once(&mut self, field: Word, rule: &Rule, tape: &mut Tape<'_>) -> bool {
        let legal = tape.value(rule.part);
        match field {
            words::HOST => legal && tape.number <= Number::from(u16::MAX),
            words::KEY => {
                let mut nonce = Nonce::default();
                let legal = read_key(tape.part(), &mut nonce);
                if !self.head.has(fact::BODY) {
                    self.nonce = nonce;
                }
                legal
            }
            words::LENGTH => {
                if tape.number != 0 {
                    self.head.facts |= fact::BODY;
                    if let Some(place) = self.nonce.first_chunk_mut() {
                        *place = tape.number.to_le_bytes();
                    }
                }
                // One less than fits, so that who counts octets may count one further.
                legal && tape.number != Number::MAX
            }
            _ => legal,
        }
    }
}

/// Checks a target in absolute form, with a scheme of HTTP or WebSocket. The authority form is for proxies, and this is none.
fn absolute(tape: &mut Tape<'_>) -> Result<(), Refusal> {
    tape.run(part::WORD);
    let is_known = words::is_scheme(word(tape));
    let legal = tape.run(part::AUTHORITY) == NOTHING && tape.number <= Number::from(u16::MAX);
    if !is_known || tape.row < part::HOST {
        return Err(Refusal::TargetInvalid);
    }
    // A path or a query may follow, or the space behind the target.
    let ends = tape.end != tape.at || matches!(tape.octet(), b'/' | b'?');
    if legal && ends { Ok(()) } else { Err(Refusal::HostInvalid) }
}

impl Default for RequestScanner {
    fn default() -> Self {
        Self::new()
    }
}
