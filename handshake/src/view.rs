//! Views of whole heads: nothing is copied, and lines are parsed again when they are asked for.

use crate::agreed::is_interim;
use crate::extension::{Extension, List};
use crate::grammar::{self, RequestLine, StatusLine};
use crate::line::Text;
use crate::offered::Offered;
use crate::target::Target;
use crate::value;

/// The header lines of a head, in the order they came: names and values, with no whitespace around a value.
///
/// It ends where the head does, or at the first line that is no header line: a head that a scanner passed has none.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'i> {
    lines: &'i [u8],
}

impl<'i> Headers<'i> {
    /// The value of the first header of that name, in any case.
    pub fn first(mut self, name: &str) -> Option<&'i [u8]> {
        self.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }

    /// The values of all headers of that name, in any case.
    pub fn all<'n>(self, name: &'n str) -> impl Iterator<Item = &'i [u8]> + use<'i, 'n> {
        self.filter_map(move |(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }

    /// The subprotocols in all `Sec-WebSocket-Protocol` headers: those that a client offers, or the one that a server chose.
    pub fn subprotocols(self) -> impl Iterator<Item = &'i str> + use<'i> {
        self.all("Sec-WebSocket-Protocol").flat_map(value::elements).map(value::text)
    }

    /// The extensions in all `Sec-WebSocket-Extensions` headers: those that a client offers, or those that a server accepted.
    pub fn extensions(self) -> impl Iterator<Item = Extension<'i>> + use<'i> {
        self.all("Sec-WebSocket-Extensions").flat_map(List::new)
    }
}

impl<'i> Iterator for Headers<'i> {
    type Item = (&'i str, &'i [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let Ok((rest, Some((name, value)))) = grammar::field_line(self.lines) else { return None };
        self.lines = rest;
        Some((value::text(name), value.trim_ascii()))
    }
}

/// A request head that a [`RequestScanner`](crate::RequestScanner) has passed, whole.
#[derive(Clone, Copy, Debug)]
pub struct Request<'i> {
    octets: &'i [u8],
    minor: u8,
    method: Text<'i>,
    target: Text<'i>,
    headers: Headers<'i>,
}

impl<'i> Request<'i> {
    /// A view of `head`, from its first octet to its empty line. What lies behind that does not matter.
    ///
    /// `None` if this begins with no request line. For a head that a scanner passed there is always a view; a view of another head
    /// shows what it shows.
    pub fn parse(octets: &'i [u8]) -> Option<Self> {
        let mut head = octets;
        let (lines, RequestLine { method, target, minor }) = loop {
            match grammar::request_line(head).ok()? {
                (rest, None) => head = rest,
                (rest, Some(line)) => break (rest, line),
            }
        };
        Target::parse(target)?;
        let (method, target) = (Text::new(method), Text::new(target));
        Some(Self { octets, minor, method, target, headers: Headers { lines } })
    }

    /// What this is a view of: to be kept, and viewed again.
    pub const fn as_bytes(&self) -> &'i [u8] {
        self.octets
    }

    /// The minor version of HTTP/1: a client of version 0 knows no chunks (RFC 9112 section 7.1).
    pub const fn minor_version(&self) -> u8 {
        self.minor
    }

    /// The method, such as `GET`.
    pub const fn method(&self) -> &'i str {
        self.method.as_str()
    }

    /// The request target as it came (RFC 9112 section 3.2).
    pub const fn target(&self) -> &'i str {
        self.target.as_str()
    }

    /// The target's path as it came, percent-encoding and all. It begins with "/", or is "*".
    pub fn path(&self) -> &'i str {
        value::text(self.parts().path)
    }

    /// What stands behind the target's first "?", as it came.
    pub fn query(&self) -> Option<&'i str> {
        self.parts().query.map(value::text)
    }

    /// Host, and port if there is one: of a target in absolute form, otherwise of the Host header (RFC 9112 section 3.2.2).
    /// `None` only in HTTP/1.0.
    pub fn host(&self) -> Option<&'i str> {
        self.parts().authority.or_else(|| self.header("Host")).map(value::text)
    }

    /// The target's parts: found when they are asked for, so that what is handed around stays small.
    fn parts(&self) -> Target<'i> {
        // There are some: `parse` has seen to that.
        Target::parse(self.target.as_bytes()).unwrap_or_default()
    }

    /// Where the page comes from that opens the connection (RFC 6455 section 10.2); a client other than a browser need not say.
    /// Whether to serve it is for the application to decide, and comparing the whole value is the way.
    pub fn origin(&self) -> Option<&'i str> {
        self.header("Origin").map(value::text)
    }

    /// All headers.
    pub const fn headers(&self) -> Headers<'i> {
        self.headers
    }

    /// The value of the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&'i [u8]> {
        self.headers.first(name)
    }

    /// The values of all headers of that name, in any case.
    pub fn header_values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'i [u8]> + use<'i, 'n> {
        self.headers.all(name)
    }

    /// The subprotocols that the client offers, the one it likes best first.
    pub fn subprotocols(&self) -> impl Iterator<Item = Offered<'i>> + use<'i> {
        self.headers.subprotocols().map(Offered::new)
    }

    /// The extensions that the client offers, the one it likes best first.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'i>> + use<'i> {
        self.headers.extensions()
    }
}

/// A response head that a [`ResponseScanner`](crate::ResponseScanner) has read, whole.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'i> {
    code: u16,
    headers: Headers<'i>,
}

impl<'i> ResponseHead<'i> {
    /// A view of `head`, from its first octet to its empty line. What lies behind that does not matter. Interim responses before it
    /// are left out.
    ///
    /// `None` if this begins with no status line.
    pub fn parse(mut head: &'i [u8]) -> Option<Self> {
        loop {
            let (lines, StatusLine { code, .. }) = grammar::status_line(head).ok()?;
            if !is_interim(code) {
                return Some(Self { code, headers: Headers { lines } });
            }
            let mut headers = Headers { lines };
            while headers.next().is_some() {}
            (head, _) = grammar::field_line(headers.lines).ok()?;
        }
    }

    /// The status code.
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// All headers.
    pub const fn headers(&self) -> Headers<'i> {
        self.headers
    }

    /// The value of the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&'i [u8]> {
        self.headers.first(name)
    }
}
