//! A client reads the response head (RFC 6455 section 4.1, what follows "the client MUST validate the server's response").

use super::head::{Found, Head};
use super::machine::{Tape, part};
use super::words::{self, word};
use crate::agreed::{Agreed, NONE, Offer, SWITCHING, is_interim};
use crate::deflate::{self, DeflateParams};
use crate::extension::List;
use crate::fact;
use crate::fault::HeadFault;
use crate::key::{Nonce, accept_key, key_of};
use crate::limits::Limits;
use crate::line::Line;
use crate::refusal::Refusal;
use crate::response_fault::ResponseFault;
use crate::spot::{Shape, Spot};

// The facts that only responses have; for the others see the scanner of requests.
const _: () = assert!(fact::PROTOCOL == words::bit(words::PROTOCOL) && fact::ACCEPT == words::bit(words::ACCEPT));

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
        Ok(self.spot(limits, offer, input)?.map(|spot| (spot.used, spot.line(input))))
    }

    /// Does the same, and tells where the line is instead of lending it.
    pub fn spot(&mut self, limits: &Limits, offer: &Offer<'_>, input: &[u8]) -> Result<Option<Spot>, ResponseFault> {
        let mut found = Found::new(input);
        if !self.head.next(part::STATUS, limits, &mut found).map_err(fault)? {
            return Ok(None);
        }
        match found.spot.shape {
            Shape::Request => self.status_line(&mut found)?,
            Shape::Header { .. } | Shape::Piece { .. } if self.status == SWITCHING => {
                self.field(&mut found, offer)?;
            }
            Shape::End if is_interim(self.status) => {
                self.head.again();
                found.spot.shape = Shape::Blank;
            }
            _ => {}
        }
        Ok(Some(found.spot))
    }

    /// Whether the connection is open, once [`Line::End`] was reached.
    pub fn finish(&self) -> Result<Agreed, ResponseFault> {
        if !self.head.is_done() {
            return Err(HeadFault::Unfinished.into());
        }
        Agreed::of(self.status, self.head.facts, self.subprotocol, self.deflate)
    }

    fn status_line(&mut self, found: &mut Found<'_>) -> Result<(), ResponseFault> {
        let Found { tape, spot, .. } = found;
        let code = (tape.number % 1000) as u16;
        // RFC 9110 section 15.2: HTTP/1.0 knows no such status, so that what says it knows no upgrade.
        if code == SWITCHING && tape.number < 1000 {
            return Err(ResponseFault::HttpVersionUnsupported);
        }
        self.status = code;
        (spot.begin, spot.end, spot.shape) = (b"HTTP/1.1 101 ".len(), spot.used.saturating_sub(2), Shape::Status(code));
        Ok(())
    }

    /// Checks a header line, or a piece of a list.
    fn field(&mut self, found: &mut Found<'_>, offer: &Offer<'_>) -> Result<(), ResponseFault> {
        let Found { ref mut tape, spot, field } = *found;
        let duplicate = match field {
            words::UPGRADE | words::CONNECTION => return self.list(field == words::UPGRADE, tape),
            words::ACCEPT => ResponseFault::AcceptDuplicate,
            words::PROTOCOL => ResponseFault::SubprotocolDuplicate,
            words::EXTENSIONS => ResponseFault::ExtensionsDuplicate,
            // RFC 9112 section 6.3: a response 101 has no body, whatever its headers say.
            _ => return Ok(()),
        };
        // What the server chose is checked as a whole, so that it must fit at once.
        if spot.shape != (Shape::Header { last: true }) {
            return Err(HeadFault::LineTooLong.into());
        }
        let bit = words::bit(field);
        if self.head.has(bit) {
            return Err(duplicate);
        }
        self.head.facts |= bit;
        match field {
            words::ACCEPT => {
                let expect = accept_key(&key_of(&self.nonce));
                let value = tape.octets.get(spot.begin..spot.end).unwrap_or_default();
                if value == expect { Ok(()) } else { Err(ResponseFault::AcceptMismatch) }
            }
            words::PROTOCOL => {
                if !tape.value(part::WORD) {
                    return Err(ResponseFault::SubprotocolInvalid);
                }
                let place = offer.subprotocols.iter().position(|name| name.as_bytes() == tape.part());
                let place = place.and_then(|place| u16::try_from(place).ok());
                self.subprotocol = place.ok_or(ResponseFault::SubprotocolNotOffered)?;
                Ok(())
            }
            _ => self.extensions(tape, offer),
        }
    }

    /// Checks whole elements of a list, which may go on over further pieces and further lines.
    fn list(&mut self, is_upgrade: bool, tape: &mut Tape<'_>) -> Result<(), ResponseFault> {
        while let Some(legal) = tape.element(part::WORD) {
            let option = words::bit(word(tape));
            if is_upgrade {
                if !legal || option != fact::UPGRADE {
                    return Err(ResponseFault::UpgradeInvalid);
                }
                self.head.facts |= option;
            } else {
                if !legal {
                    return Err(ResponseFault::ConnectionInvalid);
                }
                self.head.facts |= option & fact::CONNECTION_UPGRADE;
            }
        }
        Ok(())
    }

    fn extensions(&mut self, tape: &mut Tape<'_>, offer: &Offer<'_>) -> Result<(), ResponseFault> {
        let begin = tape.at;
        let mut legal = false;
        while let Some(is_legal) = tape.element(part::EXTENSION) {
            legal = is_legal;
            if !legal {
                break;
            }
        }
        if !legal {
            return Err(ResponseFault::ExtensionsInvalid);
        }
        tape.at = begin;
        while let Some(true) = tape.element(part::EXTENSION) {
            let (extension, behind) = (tape.part(), tape.at);
            let name = name_of(extension);
            let deflate = offer.deflate.filter(|_| name == deflate::NAME.as_bytes());
            let is_other = |others: &str| has_name(&mut Tape::new(others.as_bytes()), name);
            if deflate.is_none() && !offer.extensions.is_some_and(is_other) {
                return Err(ResponseFault::ExtensionNotOffered);
            }
            if let Some(offered) = deflate
                && let Some(extension) = List::new(extension).next()
            {
                self.deflate = offered.agree(&extension)?;
            }
            if has_name(tape, name) {
                return Err(ResponseFault::ExtensionTwice);
            }
            tape.at = behind;
        }
        Ok(())
    }
}

/// The name of an extension, before its parameters.
fn name_of(extension: &[u8]) -> &[u8] {
    let mut tape = Tape::new(extension);
    tape.run(part::WORD);
    tape.part()
}

/// Whether a list of extensions has one of that name.
fn has_name(tape: &mut Tape<'_>, name: &[u8]) -> bool {
    while let Some(true) = tape.element(part::EXTENSION) {
        if name_of(tape.part()) == name {
            return true;
        }
    }
    false
}

/// What a client calls it that a line is no head's.
fn fault(refusal: Refusal) -> ResponseFault {
    match refusal {
        Refusal::Head(fault) => ResponseFault::Head(fault),
        Refusal::HttpVersionUnsupported => ResponseFault::HttpVersionUnsupported,
        _ => ResponseFault::StatusLineInvalid,
    }
}
