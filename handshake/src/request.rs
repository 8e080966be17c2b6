//! A server reads a request head (RFC 6455 section 4.2.1).

use crate::choice::Choice;
use crate::class::Class;
use crate::deflate::DeflateParams;
use crate::extension::List;
use crate::fact;
use crate::fault::HeadFault;
use crate::field::Field;
use crate::grammar::{self, RequestLine, Stop, is_token_octets};
use crate::head::{Head, Token};
use crate::key::{Nonce, read_key};
use crate::kind::{Asked, Kind, keep_length};
use crate::limits::Limits;
use crate::line::{Line, Text};
use crate::refusal::Refusal;
use crate::spot::Spot;
use crate::target::Target;
use crate::value::{self, Number};

/// The elements of lists that say something, and the facts that they are.
const OPTIONS: [(Field, &str, u16); 5] = [
    (Field::Upgrade, "websocket", fact::UPGRADE),
    (Field::Connection, "upgrade", fact::CONNECTION_UPGRADE),
    (Field::Connection, "close", fact::CLOSE),
    (Field::Connection, "keep-alive", fact::KEEP_ALIVE),
    (Field::TransferEncoding, "chunked", fact::CHUNKED),
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
        if self.head.at_start() {
            return self.start(limits, input);
        }
        let Some((used, token)) = self.head.next(limits, input)? else { return Ok(None) };
        let line = match token {
            Token::Value { field, name: Some(name), value, last } => {
                self.field(field, value, subprotocols)?;
                Line::Header { name, value, last }
            }
            Token::Value { field, name: None, value, last } => {
                self.list(field, value, subprotocols)?;
                Line::ValuePiece { value, last }
            }
            Token::End => Line::End,
        };
        Ok(Some((used, line)))
    }

    /// Does the same, and tells where the line is instead of lending it.
    pub fn spot(&mut self, limits: &Limits, subprotocols: &[&str], input: &[u8]) -> Result<Option<Spot>, Refusal> {
        Ok(self.scan(limits, subprotocols, input)?.map(|(used, line)| Spot::of(used, &line, input)))
    }

    /// What the request is, once [`Line::End`] was reached. Refuses what only the whole head can show.
    pub fn finish(&self) -> Result<Kind, Refusal> {
        if !self.head.is_done() {
            return Err(HeadFault::Unfinished.into());
        }
        let Self { head, subprotocol, nonce, deflate, .. } = *self;
        Asked { facts: head.facts.bits(), subprotocol, nonce, deflate }.kind()
    }

    fn start<'i>(&mut self, limits: &Limits, input: &'i [u8]) -> Result<Option<(usize, Line<'i>)>, Refusal> {
        let window = self.head.window(limits, input);
        if self.head.unfinished(&window) {
            return Ok(None);
        }
        match (grammar::request_line(window.octets), window.bound) {
            (Ok((rest, None)), _) => Ok(Some((self.head.take_start(&window, rest, true), Line::Blank))),
            (Ok((rest, Some(line))), _) => {
                let used = self.head.take_start(&window, rest, false);
                Ok(Some((used, self.request_line(line)?)))
            }
            (Err(Stop::Wrong(flaw)), _) => Err(flaw.into()),
            (Err(Stop::More(within)), None) => {
                self.head.pause(within, &window);
                Ok(None)
            }
            (Err(Stop::More(Some(Class::Target))), Some(_)) => Err(Refusal::TargetTooLong),
            (Err(Stop::More(_)), Some(bound)) => Err(bound.fault().into()),
        }
    }

    fn request_line<'i>(&mut self, line: RequestLine<'i>) -> Result<Line<'i>, Refusal> {
        let parts = Target::parse(line.target).ok_or(Refusal::TargetInvalid)?;
        // RFC 9112 section 3.2.4: "*" is the target of OPTIONS alone.
        if line.target == b"*" && line.method != b"OPTIONS" {
            return Err(Refusal::TargetInvalid);
        }
        if parts.authority.is_some_and(|authority| !value::is_host(authority)) {
            return Err(Refusal::HostInvalid);
        }
        if line.method == b"GET" {
            self.head.facts.set(fact::GET);
        }
        if line.minor != 0 {
            self.head.facts.set(fact::HTTP_1_1);
        }
        Ok(Line::Request { method: Text::new(line.method), target: Text::new(line.target) })
    }

    /// Checks a header line, or the front of a list.
    fn field(&mut self, field: Field, value: &[u8], subprotocols: &[&str]) -> Result<(), Refusal> {
        let rules = match field {
            Field::Host => (fact::HOST, Refusal::HostDuplicate, value::is_host(value), Refusal::HostInvalid),
            Field::Origin => (fact::ORIGIN, Refusal::OriginDuplicate, value::is_origin(value), Refusal::OriginInvalid),
            Field::Version => (fact::VERSION, Refusal::VersionDuplicate, value == b"13", Refusal::VersionUnsupported),
            Field::Key => {
                let mut nonce = Nonce::default();
                let legal = read_key(value, &mut nonce);
                if !self.head.facts.has(fact::BODY) {
                    self.nonce = nonce;
                }
                (fact::KEY, Refusal::KeyDuplicate, legal, Refusal::KeyInvalid)
            }
            Field::ContentLength => return self.length(value),
            Field::Protocol => {
                self.subprotocol.line();
                return self.list(field, value, subprotocols);
            }
            Field::Extensions => return self.list_line(fact::EXTENSIONS_LINE, field, value, subprotocols),
            Field::TransferEncoding if !self.head.facts.has(fact::HTTP_1_1) => {
                return Err(Refusal::TransferEncodingInvalid);
            }
            Field::TransferEncoding => return self.list_line(fact::CODING_LINE, field, value, subprotocols),
            Field::Upgrade | Field::Connection => return self.list(field, value, subprotocols),
            // The second is a server's header; RFC 6455 says nothing about one in a request.
            Field::Other | Field::Accept => return Ok(()),
        };
        let (fact, duplicate, legal, invalid) = rules;
        if self.head.facts.put(fact) {
            return Err(duplicate);
        }
        if legal { Ok(()) } else { Err(invalid) }
    }

    fn list_line(&mut self, fact: u16, field: Field, value: &[u8], subprotocols: &[&str]) -> Result<(), Refusal> {
        self.head.facts.set(fact);
        self.list(field, value, subprotocols)
    }

    /// Checks whole elements of a list, which may go on over further pieces and further lines.
    fn list(&mut self, field: Field, value: &[u8], subprotocols: &[&str]) -> Result<(), Refusal> {
        if field == Field::Extensions {
            return self.extensions(value);
        }
        for element in value::elements(value) {
            let legal = if field == Field::Upgrade { value::is_protocol(element) } else { is_token_octets(element) };
            let option =
                OPTIONS.iter().find(|(list, name, _)| *list == field && value::is_same(element, name.as_bytes()));
            let fact = option.map_or(0, |(.., fact)| *fact);
            match field {
                Field::Upgrade if !legal => return Err(Refusal::UpgradeInvalid),
                Field::Connection if !legal => return Err(Refusal::ConnectionInvalid),
                Field::Protocol if !legal => return Err(Refusal::SubprotocolsInvalid),
                Field::TransferEncoding if fact == 0 => return Err(Refusal::TransferEncodingUnknown),
                Field::TransferEncoding if self.head.facts.has(fact) => return Err(Refusal::TransferEncodingInvalid),
                Field::Protocol => self.subprotocol.name(element, subprotocols),
                Field::Upgrade | Field::Connection | Field::TransferEncoding => self.head.facts.set(fact),
                // They are no lists, or are treated before.
                Field::Host | Field::Key | Field::Version | Field::Accept => return Ok(()),
                Field::Origin | Field::ContentLength | Field::Extensions | Field::Other => return Ok(()),
            }
        }
        Ok(())
    }

    fn extensions(&mut self, value: &[u8]) -> Result<(), Refusal> {
        let count = value::extensions(value).ok_or(Refusal::ExtensionsInvalid)?;
        if count != 0 {
            self.head.facts.set(fact::EXTENSION);
        }
        // Offers come in the client's order of preference, over all lines: the first that can be honoured stays.
        self.deflate = self.deflate.or_else(|| self.wanted?.choose(List::new(value)));
        Ok(())
    }

    fn length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.head.facts.put(fact::LENGTH) {
            return Err(Refusal::ContentLengthDuplicate);
        }
        // One less than fits, so that who counts octets may count one further.
        let length = value::decimal(value).filter(|length| *length != Number::MAX);
        let length = length.ok_or(Refusal::ContentLengthInvalid)?;
        if length != 0 {
            self.head.facts.set(fact::BODY);
            keep_length(length, &mut self.nonce);
        }
        Ok(())
    }
}

impl Default for RequestScanner {
    fn default() -> Self {
        Self::new()
    }
}
