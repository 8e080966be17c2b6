//! What the codec says to each frame, and to what is in it.

use martlet_codec::{Decoder, Event, InflateLimits, Inflater, Limits, Role, Violation, Window, WindowBits};

/// What a rule is broken with no limit says: everything may be long.
const LIMITS: Limits = Limits { max_frame_bytes: u64::MAX, max_message_bytes: u64::MAX, max_empty_fragments: u8::MAX };
const INFLATE_LIMITS: InflateLimits =
    InflateLimits { max_message_bytes: u64::MAX, max_ratio: 0, ratio_floor_bytes: u64::MAX };

/// A rule that a frame breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Which octet of the frame is the first wrong one.
    pub(crate) at: usize,
    pub(crate) rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Broken(Violation),
    /// RFC 6455 section 5.5.1: the connection's state refuses it, not the codec.
    DataAfterClose,
}

/// What compressed payload becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plain {
    /// The first octets, at most as many as are asked for.
    pub(crate) octets: Vec<u8>,
    pub(crate) len: u64,
}

/// Reads one direction of one connection, frame by frame, and goes on behind what is wrong.
pub(crate) struct Judge {
    role: Role,
    deflate: bool,
    decoder: Decoder,
    inflater: Box<Inflater>,
    window: Window<Vec<u8>>,
    /// A message could not be inflated: what refers to it cannot be either.
    lost: bool,
    closed: bool,
    keep: usize,
}

impl Judge {
    /// Of frames that `role` receives. Of what is inflated it keeps `keep` octets a frame. `None` has no window to inflate with.
    pub(crate) fn new(role: Role, deflate: bool, keep: usize) -> Option<Self> {
        Some(Self {
            role,
            deflate,
            decoder: fresh(role, deflate),
            inflater: Box::default(),
            window: Window::new(Vec::new(), WindowBits::MAX)?,
            lost: false,
            closed: false,
            keep,
        })
    }

    /// Whether the last message lacks a frame.
    pub(crate) const fn is_open(&self) -> bool {
        !self.decoder.is_idle()
    }

    /// Whether compressed messages are not inflated any more.
    pub(crate) const fn is_lost(&self) -> bool {
        self.lost
    }

    /// Takes a frame, or what there is of the last one; `opcode`, `fin` and `header`, the header's length, are what it says itself.
    pub(crate) fn frame(
        &mut self,
        octets: &[u8],
        opcode: u8,
        fin: bool,
        header: usize,
    ) -> (Option<Plain>, Option<Fault>) {
        let before = self.decoder.clone();
        let open = self.is_open();
        let (mut copy, mut plain, mut fault) = (octets.to_vec(), None, None);
        let (mut input, mut at) = (&mut copy[..], header);
        loop {
            match self.decoder.decode(&LIMITS, &mut input) {
                Ok(None) => break,
                Ok(Some(Event::Data(data))) => {
                    if data.is_compressed() && !self.lost {
                        if data.is_first() {
                            self.inflater.begin(data.kind());
                        }
                        let made = plain.get_or_insert_with(Plain::default);
                        fault = self.inflate(data.payload(), data.is_last(), made).map(|(violation, index)| Fault {
                            at: at.saturating_add(index),
                            rule: Rule::Broken(violation),
                        });
                    }
                    at = at.saturating_add(data.payload().len());
                }
                Ok(Some(Event::Ping(_) | Event::Pong(_))) => {}
                Ok(Some(Event::Close(_))) => self.closed = true,
                Err(violation) => {
                    fault = Some(Fault { at: first_wrong(before, octets), rule: Rule::Broken(violation) });
                    let is_control = opcode & 0x8 != 0;
                    self.go_on(if is_control { open } else { !fin });
                    break;
                }
            }
        }
        if fault.is_none() && self.closed && opcode & 0x8 == 0 {
            fault = Some(Fault { at: 0, rule: Rule::DataAfterClose });
        }
        (plain, fault)
    }

    /// One octet at a time, so that the wrong one is known: any cutting means the same.
    fn inflate(&mut self, payload: &[u8], last: bool, plain: &mut Plain) -> Option<(Violation, usize)> {
        let pieces = payload
            .chunks(1)
            .enumerate()
            .map(|(index, piece)| (index, piece, index.saturating_add(1) == payload.len()));
        let none = payload.is_empty().then_some((0, &[][..], true));
        for (index, mut piece, end) in pieces.chain(none) {
            loop {
                match self.inflater.inflate(&INFLATE_LIMITS, &mut self.window, &mut piece, last && end) {
                    Ok(Some(made)) => {
                        let room = self.keep.saturating_sub(plain.octets.len()).min(made.payload.len());
                        plain.octets.extend_from_slice(made.payload.get(..room).unwrap_or_default());
                        plain.len = plain.len.saturating_add(made.payload.len() as u64);
                        if made.last {
                            break;
                        }
                    }
                    Ok(None) => break,
                    Err(violation) => {
                        self.lost = true;
                        return Some((violation, index));
                    }
                }
            }
        }
        None
    }

    /// A decoder that broke off is followed by one that takes the next frame, inside a message if that is open.
    fn go_on(&mut self, open: bool) {
        // Of a message that was not decoded wholly nothing can be inflated, and its text may begin within a character.
        self.lost |= self.inflater.is_open();
        self.decoder = fresh(self.role, self.deflate);
        if open {
            let mut begin: Vec<u8> = match self.role {
                Role::Server => vec![0x02, 0x80, 0, 0, 0, 0],
                Role::Client => vec![0x02, 0],
            };
            // It is legal: nothing can be wrong.
            let _ = self.decoder.decode(&LIMITS, &mut &mut begin[..]);
        }
    }
}

fn fresh(role: Role, deflate: bool) -> Decoder {
    let mut decoder = Decoder::new(role);
    decoder.set_compression(deflate);
    decoder
}

/// The index of the octet at which a decoder refuses these.
fn first_wrong(mut decoder: Decoder, octets: &[u8]) -> usize {
    let mut held = Vec::new();
    for (index, octet) in octets.iter().enumerate() {
        held.push(*octet);
        let mut input = &mut held[..];
        loop {
            match decoder.decode(&LIMITS, &mut input) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return index,
            }
        }
        held = input.to_vec();
    }
    0
}
