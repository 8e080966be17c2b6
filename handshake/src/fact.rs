//! What is known of a head, each fact one bit. With feature `small` the bits of headers and words are those of their places in the
//! table of words, which the scanners there check; the others have the bits that are left.

pub(crate) const HOST: u16 = 1;
pub(crate) const ORIGIN: u16 = 1 << 1;
pub(crate) const KEY: u16 = 1 << 2;
pub(crate) const VERSION: u16 = 1 << 3;
pub(crate) const LENGTH: u16 = 1 << 4;
pub(crate) const CONNECTION_UPGRADE: u16 = 1 << 5;
pub(crate) const GET: u16 = 1 << 6;
pub(crate) const CODING_LINE: u16 = 1 << 7;
/// Not HTTP/1.0, but 1.1 or above.
pub(crate) const HTTP_1_1: u16 = 1 << 8;
pub(crate) const EXTENSIONS_LINE: u16 = 1 << 9;
/// The body has octets.
pub(crate) const BODY: u16 = 1 << 10;
/// Upgrade names "websocket".
pub(crate) const UPGRADE: u16 = 1 << 11;
pub(crate) const CLOSE: u16 = 1 << 12;
pub(crate) const KEEP_ALIVE: u16 = 1 << 13;
pub(crate) const CHUNKED: u16 = 1 << 14;
/// An extension is offered.
pub(crate) const EXTENSION: u16 = 1 << 15;

/// Of a response, where nobody asks for the version or a body.
pub(crate) const PROTOCOL: u16 = HTTP_1_1;
/// The same.
pub(crate) const ACCEPT: u16 = BODY;
