//! The small engine: one decoder for blocks of every kind (RFC 1951 section 3.2), for machines on which flash and RAM are dearer than time.

mod bits;
mod code;

use super::{Engine, Stop};
use crate::window::Circle;
use bits::Bits;
use code::Code;

/// A step takes its bits as soon as they are all there, and otherwise none: what is cut off waits in `bits`, never in between.
pub(crate) struct Small {
    bits: Bits,
    place: Place,
    /// The block has BFINAL.
    last: bool,
    /// The symbol at hand.
    number: u16,
    /// What is left of a stored block or of a match, and the distance of that; or how many lengths of code lengths there are.
    left: u16,
    distance: u16,
    /// How many lengths of codes have come, how many are those of octets and lengths, and how many come in all.
    known: u16,
    octets: u16,
    all: u16,
    /// The lengths of both codes, one behind the other as they come; before them those of the code that they come in.
    lengths: [u8; 320],
    symbols: Code<[u16; 288]>,
    /// Of distances; before them the code of code lengths.
    distances: Code<[u16; 32]>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a block's header.
    Between,
    /// The same, behind a block with BFINAL.
    Ended,
    /// Before LEN of a stored block.
    Len,
    /// Before NLEN.
    Check,
    Stored,
    /// Before HLIT, HDIST and HCLEN.
    Counts,
    /// Before the 3 bits of a code length's length, before a code length, and behind it.
    LengthLengths,
    CodeLength,
    Run,
    /// Before a symbol, behind that of an octet, behind that of a length, before that of a distance, and behind it.
    Symbol,
    Octet,
    Length,
    Distance,
    Reach,
    Match,
}

/// The symbol that ends a block.
const END: u16 = 256;
/// The order in which lengths of code lengths come (RFC 1951 section 3.2.7).
static ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

impl Engine for Small {
    fn new() -> Self {
        Self {
            bits: Bits::NONE,
            place: Place::Between,
            last: false,
            number: 0,
            left: 0,
            distance: 0,
            known: 0,
            octets: 0,
            all: 0,
            lengths: [0; 320],
            symbols: Code::new(),
            distances: Code::new(),
        }
    }

    fn begin(&mut self) {
        (self.bits, self.place) = (Bits::NONE, Place::Between);
    }

    fn run(&mut self, input: &mut &[u8], out: &mut Circle<'_>) -> Stop {
        loop {
            if let Err(stop) = self.step(input, out) {
                return stop;
            }
        }
    }

    /// Whether a message may end here (RFC 7692 sections 7.2.1 and 7.2.3.5): the last octet taken has the header of a stored
    /// block, whose four octets the sender has cut off, or it ended a block with BFINAL.
    fn is_end(&self) -> bool {
        self.bits.is_empty() && (self.place == Place::Len || self.place == Place::Ended)
    }
}

impl Small {
    fn step(&mut self, input: &mut &[u8], out: &mut Circle<'_>) -> Result<(), Stop> {
        self.place = match self.place {
            Place::Between | Place::Ended => self.header(input)?,
            Place::Len => {
                self.left = self.bits.take(16, input)?;
                Place::Check
            }
            Place::Check => {
                if self.bits.take(16, input)? != !self.left {
                    return Err(Stop::Invalid);
                }
                Place::Stored
            }
            Place::Stored => self.stored(input, out)?,
            Place::Counts => self.counts(input)?,
            Place::LengthLengths => self.length_length(input)?,
            Place::CodeLength => {
                self.number = Code::<[u16]>::decode(&self.distances, &mut self.bits, input)?;
                Place::Run
            }
            Place::Run => self.run_of_lengths(input)?,
            Place::Symbol => {
                self.number = Code::<[u16]>::decode(&self.symbols, &mut self.bits, input)?;
                match self.number {
                    ..END => Place::Octet,
                    END => self.end(),
                    _ => Place::Length,
                }
            }
            Place::Octet => {
                if !out.push(self.number as u8) {
                    return Err(Stop::Room);
                }
                Place::Symbol
            }
            Place::Length => {
                self.left = self.length(input)?;
                Place::Distance
            }
            Place::Distance => {
                self.number = Code::<[u16]>::decode(&self.distances, &mut self.bits, input)?;
                Place::Reach
            }
            Place::Reach => {
                self.distance = self.reach(input)?;
                if usize::from(self.distance) > out.reach() {
                    return Err(Stop::Invalid);
                }
                Place::Match
            }
            Place::Match => {
                self.left = out.repeat_each(usize::from(self.left), usize::from(self.distance)) as u16;
                if self.left != 0 {
                    return Err(Stop::Room);
                }
                Place::Symbol
            }
        };
        Ok(())
    }

    fn header(&mut self, input: &mut &[u8]) -> Result<Place, Stop> {
        let header = self.bits.take(3, input)?;
        self.last = header & 1 != 0;
        match header >> 1 {
            0 => {
                self.bits = Bits::NONE;
                Ok(Place::Len)
            }
            1 => self.fixed_codes(),
            2 => Ok(Place::Counts),
            _ => Err(Stop::Invalid),
        }
    }

    fn end(&mut self) -> Place {
        if self.last {
            // The next block begins with the next octet.
            self.bits = Bits::NONE;
            return Place::Ended;
        }
        Place::Between
    }

    fn stored(&mut self, input: &mut &[u8], out: &mut Circle<'_>) -> Result<Place, Stop> {
        while self.left != 0 {
            let Some((octet, rest)) = input.split_first() else { return Err(Stop::Input) };
            if !out.push(*octet) {
                return Err(Stop::Room);
            }
            *input = rest;
            self.left = self.left.wrapping_sub(1);
        }
        Ok(self.end())
    }

    fn fixed_codes(&mut self) -> Result<Place, Stop> {
        for (number, length) in self.lengths.iter_mut().enumerate() {
            *length = match number {
                0..=143 | 280..=287 => 8,
                144..=255 => 9,
                256..=279 => 7,
                _ => 5,
            };
        }
        (self.octets, self.all) = (288, 320);
        self.codes()
    }

    /// Both codes by their lengths.
    fn codes(&mut self) -> Result<Place, Stop> {
        let lengths = self.lengths.get(..usize::from(self.all)).unwrap_or_default();
        let (octets, distances) = lengths.split_at_checked(usize::from(self.octets)).unwrap_or_default();
        if Code::<[u16]>::set(&mut self.symbols, octets, true)
            && Code::<[u16]>::set(&mut self.distances, distances, true)
        {
            Ok(Place::Symbol)
        } else {
            Err(Stop::Invalid)
        }
    }

    fn counts(&mut self, input: &mut &[u8]) -> Result<Place, Stop> {
        let counts = self.bits.take(14, input)?;
        let (octets, distances) = (counts & 31, counts >> 5 & 31);
        if octets > 29 || distances > 29 {
            return Err(Stop::Invalid);
        }
        self.octets = octets.wrapping_add(257);
        self.all = distances.wrapping_add(self.octets).wrapping_add(1);
        self.left = (counts >> 10).wrapping_add(4);
        self.known = 0;
        self.lengths.fill(0);
        Ok(Place::LengthLengths)
    }

    fn length_length(&mut self, input: &mut &[u8]) -> Result<Place, Stop> {
        let length = self.bits.take(3, input)? as u8;
        let place = ORDER.get(usize::from(self.known)).and_then(|place| self.lengths.get_mut(usize::from(*place)));
        if let Some(place) = place {
            *place = length;
        }
        self.known = self.known.wrapping_add(1);
        if self.known < self.left {
            return Ok(Place::LengthLengths);
        }
        self.known = 0;
        let lengths = self.lengths.get(..ORDER.len()).unwrap_or_default();
        if Code::<[u16]>::set(&mut self.distances, lengths, false) { Ok(Place::CodeLength) } else { Err(Stop::Invalid) }
    }

    /// Behind the symbol of a code length, or of some that are equal.
    fn run_of_lengths(&mut self, input: &mut &[u8]) -> Result<Place, Stop> {
        let known = usize::from(self.known);
        let (extra, fewest) = match self.number {
            16 => (2, 3),
            17 => (3, 3),
            18 => (7, 11),
            _ => (0, 1),
        };
        let length = match self.number {
            // As the one before; there must be one.
            16 => self.lengths.get(known.wrapping_sub(1)).copied().ok_or(Stop::Invalid)?,
            17 | 18 => 0,
            number => number as u8,
        };
        let behind = known.wrapping_add(fewest).wrapping_add(usize::from(self.bits.take(extra, input)?));
        if behind > usize::from(self.all) {
            return Err(Stop::Invalid);
        }
        self.lengths.get_mut(known..behind).unwrap_or_default().fill(length);
        self.known = behind as u16;
        if self.known < self.all { Ok(Place::CodeLength) } else { self.codes() }
    }

    fn length(&mut self, input: &mut &[u8]) -> Result<u16, Stop> {
        match self.number {
            257..=284 => Ok(self.stepped(self.number.wrapping_sub(257), 2, input)?.wrapping_add(3)),
            285 => Ok(258),
            _ => Err(Stop::Invalid),
        }
    }

    fn reach(&mut self, input: &mut &[u8]) -> Result<u16, Stop> {
        match self.number {
            0..=29 => Ok(self.stepped(self.number, 1, input)?.wrapping_add(1)),
            _ => Err(Stop::Invalid),
        }
    }

    /// The value of a symbol with its extra bits: symbols double what they span each `1 << low` of them.
    fn stepped(&mut self, number: u16, low: u32, input: &mut &[u8]) -> Result<u16, Stop> {
        let step = number >> low;
        let extra = u32::from(step.saturating_sub(1));
        let bits = self.bits.take(extra, input)?;
        let first = if step == 0 {
            number
        } else {
            number.wrapping_sub(step.wrapping_sub(1).wrapping_shl(low)).wrapping_shl(extra)
        };
        Ok(first | bits)
    }
}

#[cfg(test)]
mod tests;
