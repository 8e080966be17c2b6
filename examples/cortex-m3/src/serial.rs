//! A serial line that carries one connection after another: a BREAK stands between them.

/// What a serial port has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many octets.
    Octets(usize),
    /// A BREAK, before anything else: the peer has gone, and the next one may come.
    Break,
}
