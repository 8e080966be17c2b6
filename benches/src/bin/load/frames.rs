//! What is sent, over and over, and how what comes back is counted.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use martlet_benches::{Kind, client_frame, json, server_frame_len};
use std::io::{self, Read};

/// Different messages, so many of them that a window does not hold them all: none is a mere copy of one before.
const DIFFERENT: usize = 512;

/// The frames that are sent, again from the first behind the last.
pub struct Script {
    pub octets: Vec<u8>,
    /// Where each frame ends.
    pub ends: Vec<usize>,
    pub messages: Vec<Vec<u8>>,
    pub protocol: Protocol,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Raw,
    Plain,
    Compressed { takeover: bool },
}

impl Script {
    /// One frame.
    pub fn plain(kind: &str, size: usize, raw: bool) -> Self {
        let kind = Kind::ALL.into_iter().find(|(_, name)| *name == kind).map_or(Kind::Binary, |(kind, _)| kind);
        let (mut octets, payload) = (Vec::new(), kind.payload(size));
        client_frame(&mut octets, kind, [0x12, 0xab, 0x34, 0xcd], &payload);
        let protocol = if raw { Protocol::Raw } else { Protocol::Plain };
        Self { ends: vec![octets.len()], octets, messages: vec![payload], protocol }
    }

    /// JSON as text, compressed as zlib does at level 6. The first refers to nothing before it, so that it may follow the last.
    pub fn compressed(size: usize, takeover: bool) -> Self {
        let (mut octets, mut ends) = (Vec::new(), Vec::new());
        let mut compressor = Compress::new(Compression::new(6), false);
        let messages: Vec<_> = json(size).take(DIFFERENT).collect();
        for message in &messages {
            if !takeover {
                compressor.reset();
            }
            let (mut body, consumed) = (Vec::with_capacity(message.len() * 2 + 64), compressor.total_in());
            compressor.compress_vec(message, &mut body, FlushCompress::Sync).expect("it has room");
            assert_eq!(compressor.total_in() - consumed, message.len() as u64, "all is taken");
            assert!(body.ends_with(&[0, 0, 0xff, 0xff]), "a flush ends a message");
            body.truncate(body.len() - 4);
            let first = octets.len();
            client_frame(&mut octets, Kind::Ascii, [0x12, 0xab, 0x34, 0xcd], &body);
            octets[first] |= 0x40;
            ends.push(octets.len());
        }
        Self { octets, ends, messages, protocol: Protocol::Compressed { takeover } }
    }

    pub fn frame(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.octets[start..self.ends[at]]
    }

    pub fn offer(&self) -> Option<&'static str> {
        match self.protocol {
            Protocol::Raw | Protocol::Plain => None,
            Protocol::Compressed { takeover: true } => Some("permessage-deflate"),
            Protocol::Compressed { takeover: false } => {
                Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
            }
        }
    }

    pub fn counter(&self) -> Counter {
        match self.protocol {
            Protocol::Raw => Counter::Equal { len: self.octets.len(), come: 0 },
            Protocol::Plain => Counter::Equal { len: server_frame_len(self.messages[0].len()), come: 0 },
            Protocol::Compressed { .. } => Counter::Headed { header: Vec::new(), payload: 0 },
        }
    }
}

/// Counts the messages that have come back.
pub enum Counter {
    /// They are all of one length: octets that have come of the one at hand.
    Equal { len: usize, come: usize },
    /// What has come of a header, and octets of payload that are still to come.
    Headed { header: Vec<u8>, payload: usize },
}

impl Counter {
    pub fn count(&mut self, mut octets: &[u8]) -> u64 {
        let mut messages = 0;
        match self {
            Self::Equal { len, come } => {
                *come += octets.len();
                messages = (*come / *len) as u64;
                *come %= *len;
            }
            Self::Headed { header, payload } => {
                while !octets.is_empty() {
                    if *payload == 0 {
                        header.push(octets[0]);
                        octets = &octets[1..];
                        let Some(len) = payload_len(header) else { continue };
                        *payload = len;
                        header.clear();
                    }
                    let taken = octets.len().min(*payload);
                    octets = &octets[taken..];
                    *payload -= taken;
                    messages += u64::from(*payload == 0);
                }
            }
        }
        messages
    }
}

/// The length that a whole header of a server tells.
fn payload_len(header: &[u8]) -> Option<usize> {
    match *header {
        [_, len @ 0..126] => Some(usize::from(len)),
        [_, 126, high, low] => Some(usize::from(u16::from_be_bytes([high, low]))),
        [_, 127, a, b, c, d, e, f, g, h] => Some(u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize),
        _ => None,
    }
}

/// Reads compressed echoes of the first messages; they must be compressed, and the same. Returns their octets on the wire.
pub fn check_compressed(socket: &mut impl Read, messages: &[Vec<u8>], takeover: bool) -> io::Result<usize> {
    let (mut inflater, mut wire) = (Decompress::new(false), 0);
    for expected in messages {
        let mut header = vec![0; 2];
        socket.read_exact(&mut header)?;
        let len = loop {
            if let Some(len) = payload_len(&header) {
                break len;
            }
            header.push(0);
            let last = header.len() - 1;
            socket.read_exact(&mut header[last..])?;
        };
        wire += header.len() + len;
        let mut body = vec![0; len];
        socket.read_exact(&mut body)?;
        if header[0] != 0xc1 {
            return Err(io::Error::other(format!("the echo is not one compressed text: {:#x}", header[0])));
        }
        body.extend([0, 0, 0xff, 0xff]);
        let mut message = Vec::with_capacity(expected.len() + 64);
        if !takeover {
            inflater.reset(false);
        }
        inflater.decompress_vec(&body, &mut message, FlushDecompress::Sync).map_err(io::Error::other)?;
        if message != *expected {
            return Err(io::Error::other("the echo is not what was sent"));
        }
    }
    Ok(wire)
}
