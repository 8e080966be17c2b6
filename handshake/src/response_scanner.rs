//! A client reads the response head (RFC 6455 section 4.1, what follows "the client MUST validate the server's response").

use crate::agreed::{Agreed, NONE, Offer, SWITCHING, is_interim};
use crate::deflate::{self, DeflateParams};
use crate::extension::{self, List};
use crate::fact;
use crate::fault::HeadFault;
use crate::field::Field;
use crate::grammar::{self, StatusLine, Stop};
use crate::head::{Head, Token};
use crate::key::{Nonce, accept_key, key_of};
use crate::limits::Limits;
use crate::line::Line;
use crate::response_fault::ResponseFault;
use crate::spot::Spot;
use crate::value;

/// Checks a response head line by line. It holds no line.
#[derive(Clone, Copy, Debug)]
pub struct ResponseScanner {
    head: Head,
    status: u16,
    subprotocol: u16,
    deflate: Option<DeflateParams>,
    nonce: Nonce,
}

const _: () = assert!(size_of::<ResponseScanner>() <= 48);

impl ResponseScanner {
    /// A scanner of one head, before its first octet. The request was written with the same `nonce`.
    pub const fn new(nonce: Nonce) -> Self {
        Self { head: Head::new(), status: 0, subprotocol: NONE, deflate: None, nonce }
    }

    /// Octets of the head, and of interim responses before it that were taken so far.
    pub const fn taken(&self) -> u32 {
        self.head.taken()
    }

    /// Takes one line, or a piece of a long one, from the front of `input`, and says how many octets that was.
    ///
    /// The contract is that of [`RequestScanner::scan`](crate::RequestScanner::scan). A response of another status than 101 is
    /// read to the end of its head, so that the caller sees its headers, and only its syntax is checked. So are interim responses, and
    /// then the one that they announce is read; the limit of a head's length is for all of them together.
    pub fn scan<'i>(
        &mut self,
        limits: &Limits,
        offer: &Offer<'_>,
        input: &'i [u8],
    ) -> Result<Option<(usize, Line<'i>)>, ResponseFault> {
        if self.head.at_start() {
            return self.start(limits, input);
        }
        let Some((used, token)) = self.head.next(limits, input)? else { return Ok(None) };
        let line = match token {
            Token::Value { field, name: Some(name), value, last } => {
                self.field(field, value, last, offer)?;
                Line::Header { name, value, last }
            }
            Token::Value { field, name: None, value, last } => {
                self.list(field, value)?;
                Line::ValuePiece { value, last }
            }
            Token::End if is_interim(self.status) => {
                self.head.again();
                Line::Blank
            }
            Token::End => Line::End,
        };
        Ok(Some((used, line)))
    }

    /// Does the same, and tells where the line is instead of lending it.
    pub fn spot(&mut self, limits: &Limits, offer: &Offer<'_>, input: &[u8]) -> Result<Option<Spot>, ResponseFault> {
        Ok(self.scan(limits, offer, input)?.map(|(used, line)| Spot::of(used, &line, input)))
    }

    /// Whether the connection is open, once [`Line::End`] was reached.
    pub fn finish(&self) -> Result<Agreed, ResponseFault> {
        if !self.head.is_done() {
            return Err(HeadFault::Unfinished.into());
        }
        Agreed::of(self.status, self.head.facts.bits(), self.subprotocol, self.deflate)
    }

    fn start<'i>(&mut self, limits: &Limits, input: &'i [u8]) -> Result<Option<(usize, Line<'i>)>, ResponseFault> {
        let window = self.head.window(limits, input);
        if self.head.unfinished(&window) {
            return Ok(None);
        }
        match (grammar::status_line(window.octets), window.bound) {
            // RFC 9110 section 15.2: HTTP/1.0 knows no such status, so that what says it knows no upgrade.
            (Ok((_, StatusLine { minor: 0, code: SWITCHING, .. })), _) => Err(ResponseFault::HttpVersionUnsupported),
            (Ok((rest, StatusLine { code, reason, .. })), _) => {
                self.status = code;
                let used = self.head.take_start(&window, rest, false);
                Ok(Some((used, Line::Status { code, reason })))
            }
            (Err(Stop::Wrong(flaw)), _) => Err(flaw.into()),
            (Err(Stop::More(within)), None) => {
                self.head.pause(within, &window);
                Ok(None)
            }
            (Err(Stop::More(_)), Some(bound)) => Err(bound.fault().into()),
        }
    }

    /// Checks a header line, or the front of a list.
    fn field(&mut self, field: Field, value: &[u8], last: bool, offer: &Offer<'_>) -> Result<(), ResponseFault> {
        if self.status != SWITCHING {
            return Ok(());
        }
        match field {
            // What the server chose is checked as a whole, so that it must fit at once.
            Field::Protocol | Field::Extensions if !last => Err(HeadFault::LineTooLong.into()),
            Field::Accept => {
                if self.head.facts.put(fact::ACCEPT) {
                    return Err(ResponseFault::AcceptDuplicate);
                }
                let expect = accept_key(&key_of(&self.nonce));
                if value == expect { Ok(()) } else { Err(ResponseFault::AcceptMismatch) }
            }
            Field::Protocol => self.protocol(value, offer.subprotocols),
            Field::Extensions => self.extensions(value, offer),
            Field::Upgrade | Field::Connection => self.list(field, value),
            // RFC 9112 section 6.3: a response 101 has no body, whatever its headers say.
            Field::ContentLength | Field::TransferEncoding => Ok(()),
            Field::Host | Field::Key | Field::Version | Field::Origin | Field::Other => Ok(()),
        }
    }

    /// Checks whole elements of a list, which may go on over further pieces and further lines.
    fn list(&mut self, field: Field, value: &[u8]) -> Result<(), ResponseFault> {
        if self.status != SWITCHING {
            return Ok(());
        }
        for element in value::elements(value) {
            match field {
                Field::Upgrade if value::is_same(element, b"websocket") => self.head.facts.set(fact::UPGRADE),
                Field::Upgrade => return Err(ResponseFault::UpgradeInvalid),
                Field::Connection if value::is_same(element, b"upgrade") => {
                    self.head.facts.set(fact::CONNECTION_UPGRADE);
                }
                Field::Connection if !grammar::is_token_octets(element) => {
                    return Err(ResponseFault::ConnectionInvalid);
                }
                _ => (),
            }
        }
        Ok(())
    }

    fn protocol(&mut self, value: &[u8], offered: &[&str]) -> Result<(), ResponseFault> {
        if self.head.facts.put(fact::PROTOCOL) {
            return Err(ResponseFault::SubprotocolDuplicate);
        }
        if !grammar::is_token_octets(value) {
            return Err(ResponseFault::SubprotocolInvalid);
        }
        let place = offered.iter().position(|name| name.as_bytes() == value);
        let place = place.and_then(|place| u16::try_from(place).ok());
        self.subprotocol = place.ok_or(ResponseFault::SubprotocolNotOffered)?;
        Ok(())
    }

    fn extensions(&mut self, value: &[u8], offer: &Offer<'_>) -> Result<(), ResponseFault> {
        if self.head.facts.put(fact::EXTENSIONS_LINE) {
            return Err(ResponseFault::ExtensionsDuplicate);
        }
        if !extension::is_list(value) {
            return Err(ResponseFault::ExtensionsInvalid);
        }
        let mut accepted = List::new(value);
        while let Some(extension) = accepted.next() {
            let name = extension.name_octets();
            let deflate = offer.deflate.filter(|_| name == deflate::NAME.as_bytes());
            if deflate.is_none() && !offer.extensions.is_some_and(|others| extension::names(others, name)) {
                return Err(ResponseFault::ExtensionNotOffered);
            }
            if let Some(offered) = deflate {
                self.deflate = offered.agree(&extension)?;
            }
            if accepted.clone().any(|other| other.name_octets() == name) {
                return Err(ResponseFault::ExtensionTwice);
            }
        }
        Ok(())
    }
}
