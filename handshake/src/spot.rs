//! Where a line's parts lie, so that it can be shown again when the octets have been split off.

use crate::line::{Line, Text};

/// A [`Line`] that borrows nothing.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// Octets that the line takes.
    pub used: usize,
    pub(crate) shape: Shape,
    /// Octets of the name or method that it begins with.
    pub(crate) name: usize,
    /// Where its value, target or reason begins and ends.
    pub(crate) begin: usize,
    pub(crate) end: usize,
}

/// A line with its parts left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Blank,
    Request,
    Status(u16),
    Header { last: bool },
    Piece { last: bool },
    End,
}

impl Spot {
    /// That of a line in `octets`.
    #[cfg(any(test, not(feature = "small")))]
    pub(crate) fn of(used: usize, line: &Line<'_>, octets: &[u8]) -> Self {
        let (shape, name, value): (_, &[u8], &[u8]) = match *line {
            Line::Blank => (Shape::Blank, b"", b""),
            Line::End => (Shape::End, b"", b""),
            Line::Request { method, target } => (Shape::Request, method.as_bytes(), target.as_bytes()),
            Line::Status { code, reason } => (Shape::Status(code), b"", reason),
            Line::Header { name, value, last } => (Shape::Header { last }, name.as_bytes(), value),
            Line::ValuePiece { value, last } => (Shape::Piece { last }, b"", value),
        };
        // Only addresses are compared. A value that lies elsewhere would be shown as empty.
        let begin = (value.as_ptr() as usize).wrapping_sub(octets.as_ptr() as usize);
        Self { used, shape, name: name.len(), begin, end: begin.wrapping_add(value.len()) }
    }

    /// Whether the head ends here.
    pub fn is_end(&self) -> bool {
        self.shape == Shape::End
    }

    /// The line, among the octets that were scanned.
    pub fn line<'i>(&self, octets: &'i [u8]) -> Line<'i> {
        let name = Text::new(octets.get(..self.name).unwrap_or_default());
        let value = octets.get(self.begin..self.end).unwrap_or_default();
        match self.shape {
            Shape::Blank => Line::Blank,
            Shape::Request => Line::Request { method: name, target: Text::new(value) },
            Shape::Status(code) => Line::Status { code, reason: value },
            Shape::Header { last } => Line::Header { name, value, last },
            Shape::Piece { last } => Line::ValuePiece { value, last },
            Shape::End => Line::End,
        }
    }
}
