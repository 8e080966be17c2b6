//! The opening handshake as a client sees it, and what a server answers that refuses.

use super::error::{ClientError, ConnectError, Refused};
use super::reader::{Filled, Inflating, Reader};
use crate::http::Incoming;
use martlet_handshake::{Body, Line};
use martlet_state::{Agreed, Event, Expired, Fault, ResponseFault, Status};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most of a refusal's body that is kept, in octets.
const MOST: u64 = 64 * 1024;
/// How long a refusal's body is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What has come of the answer.
#[derive(Default)]
struct Answer {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
}

/// What one look led to.
enum Step {
    Open(Agreed),
    Again,
    More,
}

impl<'c> Reader<'c> {
    /// Sends the request, and waits for the answer; what follows that is not touched.
    pub(super) fn open(&mut self, subprotocols: &'c [&'c str]) -> Result<(), ConnectError> {
        self.link.flush().map_err(transport)?;
        let mut answer = Answer::default();
        loop {
            match self.look(&mut answer) {
                Ok(Step::Open(agreed)) => {
                    self.subprotocol = agreed.subprotocol(subprotocols);
                    self.agreed = agreed.deflate();
                    self.inflating = self.agreed.and_then(Inflating::new);
                    return Ok(());
                }
                Ok(Step::Again) => {}
                Ok(Step::More) => match self.fill(None) {
                    Ok(Filled::Some) => {}
                    Ok(Filled::End | Filled::TimeOut) => return Err(ConnectError::Ended),
                    Err(ClientError::TimedOut(Expired::Handshake)) => return Err(ConnectError::TimedOut),
                    Err(ClientError::Io(error)) => return Err(transport(error)),
                    Err(_) => return Err(ConnectError::Ended),
                },
                Err(ResponseFault::Status(_)) => return Err(ConnectError::Refused(Box::new(self.refused(answer)))),
                Err(fault) => return Err(ConnectError::Response(fault)),
            }
        }
    }

    fn look(&mut self, answer: &mut Answer) -> Result<Step, ResponseFault> {
        let link = Arc::clone(&self.link);
        let mut core = link.lock();
        let (now, end) = (link.now(), self.end);
        let mut rest = &mut self.input[self.start..end];
        let status = core.say(|conn, writer| Ok(conn.receive(now, &mut rest, writer)));
        self.start = end - rest.len();
        match status {
            Ok(Ok(Status::Event(Event::Line(line)))) => {
                answer.take(&line);
                Ok(Step::Again)
            }
            Ok(Ok(Status::Event(Event::Open(agreed)))) => Ok(Step::Open(agreed)),
            Ok(Ok(Status::More)) => Ok(Step::More),
            Ok(Err(Fault::Response(fault))) => Err(fault),
            // Nothing else comes before the first frame.
            _ => Ok(Step::Again),
        }
    }

    /// The rest of an answer that refuses: as much of its body as comes, is kept, and comes in time.
    fn refused(&mut self, answer: Answer) -> Refused {
        let refused = Refused { status: answer.status, headers: answer.headers, body: Vec::new() };
        let framing = match (refused.header("Transfer-Encoding"), refused.header("Content-Length")) {
            (Some(_), _) => Body::Chunked,
            (None, Some(length)) => Body::Length(decimal(length).unwrap_or(0).min(MOST)),
            // To the end of the connection.
            (None, None) => Body::Length(MOST),
        };
        let until = Instant::now() + PATIENCE;
        let Ok(Some(mut body)) = Incoming::new(framing, MOST) else { return refused };
        loop {
            let mut rest = &mut self.input[self.start..self.end];
            let whole = body.take(&mut rest);
            self.start = self.end - rest.len();
            if !matches!(whole, Ok(false)) || !matches!(self.fill(Some(until)), Ok(Filled::Some)) {
                return Refused { body: body.octets, ..refused };
            }
        }
    }
}

impl Answer {
    fn take(&mut self, line: &Line<'_>) {
        match *line {
            // Another one comes behind an interim response, whose headers say nothing about it.
            Line::Status { code, .. } => *self = Self { status: code, headers: Vec::new() },
            Line::Header { name, value, .. } => self.headers.push((name.as_str().to_owned(), value.to_vec())),
            Line::ValuePiece { value, .. } => {
                if let Some((_, whole)) = self.headers.last_mut() {
                    whole.extend_from_slice(value);
                }
            }
            Line::Blank | Line::Request { .. } | Line::End => {}
        }
    }
}

/// Why the transport failed: TLS says it in words.
fn transport(error: std::io::Error) -> ConnectError {
    #[cfg(feature = "tls")]
    if let Some(why) = super::sealed::fault(&error) {
        return ConnectError::Tls(why);
    }
    ConnectError::Io(error)
}

fn decimal(value: &[u8]) -> Option<u64> {
    core::str::from_utf8(value).ok()?.parse().ok()
}
