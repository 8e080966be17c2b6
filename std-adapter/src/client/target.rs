//! What a URL says: where to connect, and what to ask for (RFC 6455 section 3).

use core::fmt;
use http::Uri;

/// The parts of a `ws` or `wss` URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Whether it is to be encrypted.
    pub(super) secure: bool,
    /// The name or address to connect to, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The host as the request names it: with the port unless that is the scheme's.
    pub(super) authority: String,
    /// Path and query.
    pub(super) path: String,
}

/// Why a text is no URL of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// It is no URI (RFC 3986), or holds octets that must be percent-encoded.
    Syntax,
    /// The scheme is neither `ws` nor `wss`.
    Scheme,
    /// It has no host.
    Host,
    /// It has a user or a password, which a WebSocket's URL has not.
    User,
    /// It has a fragment, which "MUST NOT be used" (RFC 6455 section 3).
    Fragment,
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not a URL: what it is made of must be ASCII, all else percent-encoded",
            Self::Scheme => "a WebSocket's URL begins with ws:// or wss://",
            Self::Host => "the URL has no host",
            Self::User => "a WebSocket's URL has no user and no password",
            Self::Fragment => "a WebSocket's URL has no fragment (#)",
        })
    }
}

impl core::error::Error for InvalidUrl {}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, InvalidUrl> {
        // The parser drops it.
        if url.contains('#') {
            return Err(InvalidUrl::Fragment);
        }
        let uri: Uri = url.parse().map_err(|_| InvalidUrl::Syntax)?;
        let secure = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
            Some("ws") => false,
            Some("wss") => true,
            _ => return Err(InvalidUrl::Scheme),
        };
        let authority = uri.authority().ok_or(InvalidUrl::Host)?;
        if authority.as_str().contains('@') {
            return Err(InvalidUrl::User);
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(InvalidUrl::Host);
        }
        let default = if secure { 443 } else { 80 };
        let port = match (authority.port_u16(), authority.as_str().len() - host.len()) {
            (Some(port), _) => port,
            // "host:" is the scheme's port as well (RFC 3986 section 3.2.3).
            (None, 0 | 1) => default,
            (None, _) => return Err(InvalidUrl::Syntax),
        };
        let named = if port == default { host.to_owned() } else { format!("{host}:{port}") };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { secure, host, port, authority: named, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_3_urls() {
        let rows = [
            ("ws://example.org", false, "example.org", 80, "example.org", "/"),
            ("WS://example.org:80/", false, "example.org", 80, "example.org", "/"),
            ("wss://example.org/chat?room=1&x=%20", true, "example.org", 443, "example.org", "/chat?room=1&x=%20"),
            ("ws://example.org?x", false, "example.org", 80, "example.org", "/?x"),
            ("ws://[::1]:9501/a", false, "::1", 9501, "[::1]:9501", "/a"),
            ("wss://127.0.0.1:80", true, "127.0.0.1", 80, "127.0.0.1:80", "/"),
            ("ws://example.org:/", false, "example.org", 80, "example.org", "/"),
        ];
        for (url, secure, host, port, authority, path) in rows {
            let (host, authority, path) = (host.to_owned(), authority.to_owned(), path.to_owned());
            assert_eq!(Target::parse(url), Ok(Target { secure, host, port, authority, path }), "{url}");
        }
        let wrong = [
            ("http://example.org", InvalidUrl::Scheme),
            ("example.org", InvalidUrl::Scheme),
            ("/chat", InvalidUrl::Scheme),
            ("ws://", InvalidUrl::Syntax),
            ("ws://a b/", InvalidUrl::Syntax),
            ("ws://example.org/ä ö", InvalidUrl::Syntax),
            ("ws://example.org:65536/", InvalidUrl::Syntax),
            ("ws://me:secret@example.org/", InvalidUrl::User),
            ("ws://example.org/#top", InvalidUrl::Fragment),
        ];
        for (url, error) in wrong {
            assert_eq!(Target::parse(url), Err(error), "{url}");
        }
    }
}
