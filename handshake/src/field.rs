//! The headers that a handshake knows.

use crate::value::is_same;

/// A header, if it is one that is looked at here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Host,
    Upgrade,
    Connection,
    Key,
    Version,
    Accept,
    Protocol,
    Extensions,
    Origin,
    ContentLength,
    TransferEncoding,
    Other,
}

const NAMES: [(&str, Field); 11] = [
    ("Host", Field::Host),
    ("Upgrade", Field::Upgrade),
    ("Connection", Field::Connection),
    ("Sec-WebSocket-Key", Field::Key),
    ("Sec-WebSocket-Version", Field::Version),
    ("Sec-WebSocket-Accept", Field::Accept),
    ("Sec-WebSocket-Protocol", Field::Protocol),
    ("Sec-WebSocket-Extensions", Field::Extensions),
    ("Origin", Field::Origin),
    ("Content-Length", Field::ContentLength),
    ("Transfer-Encoding", Field::TransferEncoding),
];

impl Field {
    pub(crate) fn of(name: &[u8]) -> Self {
        let known = NAMES.iter().find(|(known, _)| is_same(known.as_bytes(), name));
        known.map_or(Self::Other, |(_, field)| *field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        for (name, field) in NAMES {
            assert_eq!(Field::of(name.as_bytes()), field);
            assert_eq!(Field::of(name.to_ascii_lowercase().as_bytes()), field);
            assert_eq!(Field::of(name.to_ascii_uppercase().as_bytes()), field);
            assert_eq!(Field::of(&name.as_bytes()[1..]), Field::Other);
        }
        assert_eq!(Field::of(b""), Field::Other);
        assert_eq!(Field::of(b"Sec-WebSocket-Key1"), Field::Other);
    }
}
