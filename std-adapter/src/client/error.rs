//! Why a client did not connect, and why it is connected no more.

use super::target::InvalidUrl;
use crate::error::PushError;
use core::fmt;
use martlet_state::{Expired, Misuse, ResponseFault, Violation};
use std::io;

/// Why there is no connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is none that can be connected to.
    Url(InvalidUrl),
    /// `wss` needs the feature `tls`.
    NoTls,
    /// The server does not prove to be the host, or does not speak TLS as it should; in words.
    Tls(String),
    /// The host's name leads nowhere.
    Resolve(io::Error),
    /// None of the host's addresses takes connections; the error of the last.
    Connect(io::Error),
    /// A setting makes no sense: its name, and why.
    Setting(&'static str, &'static str),
    /// The settings cannot be a request: a header that may not be sent, an origin that is none.
    Request(Misuse),
    /// The system has no random numbers.
    Random(io::Error),
    /// The server answered with another status than 101: a refusal, or a redirection.
    Refused(Box<Refused>),
    /// The server's answer is wrong.
    Response(ResponseFault),
    /// The connection ended before the answer did.
    Ended,
    /// The answer did not come in time.
    TimedOut,
    /// The transport failed.
    Io(io::Error),
}

/// A response that opens no WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The status: 200 to 599.
    pub status: u16,
    /// The headers, names as they came.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, or its first 64 KiB.
    pub body: Vec<u8>,
}

impl Refused {
    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// Where a redirection (301, 302, 303, 307, 308) leads: `Location` as it came, often without a host. It is not followed, for
    /// whoever answers would decide where the application connects to.
    pub fn location(&self) -> Option<&str> {
        let redirects = matches!(self.status, 301 | 302 | 303 | 307 | 308);
        self.header("Location").filter(|_| redirects).and_then(|value| core::str::from_utf8(value).ok())
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(invalid) => invalid.fmt(f),
            Self::NoTls => f.write_str("wss:// needs a build with the feature `tls`"),
            Self::Tls(why) => f.write_str(why),
            Self::Resolve(error) => write!(f, "the host cannot be found: {error}"),
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Setting(setting, reason) => write!(f, "{setting}: {reason}"),
            Self::Request(misuse) => write!(f, "no request can be made of this: {misuse}"),
            Self::Random(error) => write!(f, "no random numbers: {error}"),
            Self::Refused(refused) => match refused.location() {
                Some(location) => write!(f, "the server answered {}, and points to {location}", refused.status),
                None => write!(f, "the server answered {}", refused.status),
            },
            Self::Response(fault) => write!(f, "the server's answer is wrong: {fault}"),
            Self::Ended => f.write_str("the server ended the connection without an answer"),
            Self::TimedOut => f.write_str("the server did not answer in time"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::Resolve(error) | Self::Connect(error) | Self::Random(error) | Self::Io(error) => Some(error),
            Self::Request(error) => Some(error),
            Self::Response(error) => Some(error),
            Self::Setting(..) | Self::NoTls | Self::Tls(_) | Self::Refused(_) | Self::Ended | Self::TimedOut => None,
        }
    }
}

/// Why nothing was sent or received. But for [`Send`](Self::Send) the connection has ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// This cannot be sent; nothing was.
    Send(PushError),
    /// The server broke a rule; a Close that says so was sent.
    Violation(Violation),
    /// The server did not answer a Ping, or our Close.
    TimedOut(Expired),
    /// The end of the connection was told already.
    Closed,
    /// The transport failed.
    Io(io::Error),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(error) => error.fmt(f),
            Self::Violation(violation) => write!(f, "the server broke a rule: {violation}"),
            Self::TimedOut(Expired::Pong) => f.write_str("the server does not answer a ping"),
            Self::TimedOut(_) => f.write_str("the server does not answer"),
            Self::Closed => f.write_str("the connection is closed"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Send(error) => Some(error),
            Self::Violation(violation) => Some(violation),
            Self::Io(error) => Some(error),
            Self::TimedOut(_) | Self::Closed => None,
        }
    }
}

impl From<PushError> for ClientError {
    fn from(error: PushError) -> Self {
        Self::Send(error)
    }
}

impl From<Misuse> for ClientError {
    fn from(misuse: Misuse) -> Self {
        Self::Send(misuse.into())
    }
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
