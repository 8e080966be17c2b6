//! A request and its answer, as far as they have come.

use super::body::Incoming;
use super::{Body, Response};
use crate::budget::{Budget, Share};
use martlet_handshake::{Framing, WriteError};
use martlet_state::{Instant, Kind};
use std::io::{self, Cursor, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

/// Longer bodies are not copied into the output, but written piece by piece.
const COPIED: usize = 8 * 1024;

/// What a connection that speaks plain HTTP keeps.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) stage: Stage,
    /// The number of the request at hand: an answer to another one is too late.
    pub(crate) number: u32,
    /// Whether more requests may follow.
    pub(crate) keep_alive: bool,
    /// Whether the answer is one to HEAD.
    pub(crate) head_only: bool,
    /// Whether the client knows no chunks.
    pub(crate) http_1_0: bool,
    /// When patience ends; `None` while the core's deadline holds, for a head or a handshake.
    pub(crate) until: Option<Instant>,
    /// When the request at hand came.
    pub(crate) time: Option<SystemTime>,
}

/// What is awaited.
#[derive(Debug, Default)]
pub(crate) enum Stage {
    /// A head, or the handler's answer in this very moment.
    #[default]
    Head,
    /// The first octet of the next request.
    Idle,
    /// The body of the request with this head; when it must be whole.
    Body { head: Box<[u8]>, body: Incoming, expects: bool, latest: Instant },
    /// The answer, as long as this is there.
    Deferred { _asker: Arc<()> },
    /// The decision about a handshake with this head.
    Deciding { head: Box<[u8]>, kind: Kind, _asker: Arc<()> },
    /// The peer takes the response: what is queued, and then this.
    Sending(Option<Source>),
}

impl Exchange {
    /// Whether what comes from the peer must wait.
    pub(crate) const fn holds(&self) -> bool {
        match self.stage {
            Stage::Deferred { .. } | Stage::Deciding { .. } | Stage::Sending(_) => true,
            Stage::Head | Stage::Idle | Stage::Body { .. } => false,
        }
    }

    /// Whether a request is under way.
    pub(crate) const fn is_busy(&self) -> bool {
        !matches!(self.stage, Stage::Head | Stage::Idle)
    }

    /// The response's octets as far as they are to be put together, and the rest of its body.
    pub(crate) fn encode(
        &mut self,
        response: Response,
        budget: &Rc<Budget>,
    ) -> Result<(Vec<u8>, Option<Source>), WriteError> {
        let memory = response.memory();
        let Response { status, headers, body, close } = response;
        let (framing, bytes, source): (_, &[u8], _) = match &body {
            Body::Bytes(bytes) if bytes.len() <= COPIED => (Framing::Whole, bytes, None),
            Body::Bytes(bytes) => (Framing::Length(bytes.len() as u64), &[], Some(Left::Octets(bytes.len() as u64))),
            Body::Read { length: Some(length), .. } => (Framing::Length(*length), &[], Some(Left::Octets(*length))),
            Body::Read { length: None, .. } if self.http_1_0 => (Framing::Close, &[], Some(Left::Unknown)),
            Body::Read { length: None, .. } => (Framing::Chunked, &[], Some(Left::Chunks)),
        };
        let date = httpdate::fmt_http_date(self.time.unwrap_or_else(SystemTime::now));
        let mut lines: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        if !lines.iter().any(|(name, _)| name.eq_ignore_ascii_case("Date")) {
            // RFC 9110 section 6.6.1: a server with a clock says what time it is.
            lines.push(("Date", &date));
        }
        self.keep_alive &= !close && framing != Framing::Close;
        let response = martlet_handshake::Response {
            headers: &lines,
            framing,
            keep_alive: self.keep_alive,
            head_only: self.head_only,
            ..martlet_handshake::Response::new(status, bytes)
        };
        let mut octets = vec![0; 512];
        let len = match response.write(&mut octets) {
            Err(WriteError::NoRoom { wanted }) => {
                octets.resize(wanted, 0);
                response.write(&mut octets)?
            }
            len => len?,
        };
        octets.truncate(len);
        let source = source.filter(|_| !self.head_only).map(|left| {
            let mut share = Share::new(budget);
            share.grow(memory);
            let reader: Box<dyn Read + Send> = match body {
                Body::Bytes(bytes) => Box::new(Cursor::new(bytes)),
                Body::Read { reader, .. } => reader,
            };
            Source { reader, left, _share: share }
        });
        Ok((octets, source))
    }
}

/// The rest of a response's body.
pub(crate) struct Source {
    reader: Box<dyn Read + Send>,
    left: Left,
    /// The octets that are there already.
    _share: Share,
}

/// How much is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Octets(u64),
    Chunks,
    Unknown,
}

impl core::fmt::Debug for Source {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.left.fmt(f)
    }
}

/// What to write next.
pub(crate) enum Piece<'b> {
    /// This: what stands before a chunk, its octets, and what stands behind it.
    Octets { before: String, octets: &'b [u8], behind: &'static [u8] },
    /// Nothing now.
    Wait,
    /// This, and it is all.
    End(&'static [u8]),
}

impl Source {
    /// Reads the next piece, by way of `buffer`. A panic of the reader is an error of its.
    pub(crate) fn next<'b>(&mut self, buffer: &'b mut [u8]) -> io::Result<Piece<'b>> {
        let room = match self.left {
            Left::Octets(0) => return Ok(Piece::End(b"")),
            Left::Octets(left) => {
                let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                &mut buffer[..most]
            }
            Left::Chunks | Left::Unknown => buffer,
        };
        let read = loop {
            match catch_unwind(AssertUnwindSafe(|| self.reader.read(room))) {
                Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => {}
                Ok(Err(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(Piece::Wait),
                Ok(read) => break read?,
                Err(_) => return Err(io::Error::other("the reader of a body panicked")),
            }
        };
        // A reader may say what it likes.
        let octets = room.get(..read).ok_or(ErrorKind::InvalidData)?;
        let (before, behind): (_, &[u8]) = match &mut self.left {
            Left::Octets(_) if read == 0 => return Err(ErrorKind::UnexpectedEof.into()),
            Left::Octets(left) => {
                *left -= read as u64;
                (String::new(), b"")
            }
            Left::Unknown if read == 0 => return Ok(Piece::End(b"")),
            Left::Unknown => (String::new(), b""),
            Left::Chunks if read == 0 => return Ok(Piece::End(b"0\r\n\r\n")),
            Left::Chunks => (format!("{read:x}\r\n"), b"\r\n"),
        };
        Ok(Piece::Octets { before, octets, behind })
    }
}
