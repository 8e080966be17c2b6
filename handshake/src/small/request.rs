//! A server reads a request head (RFC 6455 section 4.2.1).

use super::head::{Found, Head};
use super::machine::{NOTHING, Tape, part};
use super::words::{self, Word, word};
use crate::choice::Choice;
use crate::deflate::DeflateParams;
use crate::extension::List;
use crate::fact;
use crate::fault::HeadFault;
use crate::key::{Nonce, read_key};
use crate::kind::{Asked, Kind, keep_length};
use crate::limits::Limits;
use crate::line::Line;
use crate::refusal::Refusal;
use crate::spot::{Shape, Spot};
use crate::value::Number;

// The facts that the words themselves are.
const _: () = assert!(
    fact::HOST == words::bit(words::HOST)
        && fact::ORIGIN == words::bit(words::ORIGIN)
        && fact::KEY == words::bit(words::KEY)
        && fact::VERSION == words::bit(words::VERSION)
        && fact::LENGTH == words::bit(words::LENGTH)
        && fact::CODING_LINE == words::bit(words::CODING)
        && fact::EXTENSIONS_LINE == words::bit(words::EXTENSIONS)
        && fact::CONNECTION_UPGRADE == words::bit(words::UPGRADE)
        && fact::UPGRADE == words::bit(words::WEBSOCKET)
        && fact::CLOSE == words::bit(words::CLOSE)
        && fact::KEEP_ALIVE == words::bit(words::KEEP_ALIVE)
        && fact::CHUNKED == words::bit(words::CHUNKED)
);

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
    list(part::PROTOCOL, Refusal::UpgradeInvalid, fact::UPGRADE),
    list(part::WORD, Refusal::ConnectionInvalid, fact::CONNECTION_UPGRADE | fact::CLOSE | fact::KEEP_ALIVE),
    list(part::WORD, Refusal::TransferEncodingUnknown, fact::CHUNKED),
    list(part::WORD, Refusal::SubprotocolsInvalid, 0),
    list(part::EXTENSION, Refusal::ExtensionsInvalid, 0),
];

/// Checks a request head line by line, and remembers what the answer depends on. It holds no line.
#[derive(Clone, Copy, Debug)]
pub struct RequestScanner {
    head: Head,
    subprotocol: Choice,
    /// With [`fact::BODY`] the number of its octets [lies here](keep_length).
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
        if !self.head.is_done() {
            return Err(HeadFault::Unfinished.into());
        }
        let Self { head, subprotocol, nonce, deflate, .. } = *self;
        Asked { facts: head.facts, subprotocol, nonce, deflate }.kind()
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
                let legal = legal && read_key(tape.part(), &mut nonce);
                if !self.head.has(fact::BODY) {
                    self.nonce = nonce;
                }
                legal
            }
            words::LENGTH => {
                if tape.number != 0 {
                    self.head.facts |= fact::BODY;
                    keep_length(tape.number, &mut self.nonce);
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
