//! Request targets (RFC 9112 section 3.2).

use crate::value::is_same;

/// A target's parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target<'i> {
    /// Host and port, if the target is in absolute form. They then count instead of the Host header.
    pub(crate) authority: Option<&'i [u8]>,
    /// Begins with "/", or is "*".
    pub(crate) path: &'i [u8],
    pub(crate) query: Option<&'i [u8]>,
}

impl<'i> Target<'i> {
    /// The parts of a target in origin form, in absolute form with a scheme of HTTP or WebSocket, or of "*". The authority form
    /// is for proxies, and this is none.
    pub(crate) fn parse(target: &'i [u8]) -> Option<Self> {
        if target == b"*" {
            return Some(Self { authority: None, path: target, query: None });
        }
        let (authority, rest) = match absolute(target) {
            Some(rest) => {
                let (authority, rest) = cut(rest, b"/?");
                (Some(authority), rest)
            }
            None if target.starts_with(b"/") => (None, target),
            None => return None,
        };
        let (path, query) = cut(rest, b"?");
        // The path of "http://example.org?x" is that of the root (RFC 9110 section 4.2.3).
        let path = if path.is_empty() { b"/" } else { path };
        Some(Self { authority, path, query: query.strip_prefix(b"?") })
    }
}

/// What is behind the scheme and its "://".
fn absolute(target: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = cut(target, b":");
    let known = ["http", "https", "ws", "wss"].iter().any(|known| is_same(scheme, known.as_bytes()));
    rest.strip_prefix(b"://").filter(|_| known)
}

/// Cuts before the first of the octets in `ends`.
#[inline(never)]
pub(crate) fn cut<'i>(text: &'i [u8], ends: &[u8]) -> (&'i [u8], &'i [u8]) {
    let end = text.iter().position(|octet| ends.contains(octet)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn rfc_9112_section_3_2_forms() {
        let rows = [
            ("/", (None, "/", None)),
            ("/chat", (None, "/chat", None)),
            ("/chat?", (None, "/chat", Some(""))),
            ("/chat?a=b?c", (None, "/chat", Some("a=b?c"))),
            ("//x/y", (None, "//x/y", None)),
            ("/http://x", (None, "/http://x", None)),
            ("http://example.org", (Some("example.org"), "/", None)),
            ("HTTP://example.org?q", (Some("example.org"), "/", Some("q"))),
            ("wss://example.org:1/chat?q", (Some("example.org:1"), "/chat", Some("q"))),
            ("*", (None, "*", None)),
        ];
        for (target, (authority, path, query)) in rows {
            let shown = Target::parse(target.as_bytes()).map(|Target { authority, path, query }| {
                (authority.map(value::text), value::text(path), query.map(value::text))
            });
            assert_eq!(shown, Some((authority, path, query)), "{target}");
        }
        for target in ["", "chat", "example.org:80", "ftp://example.org/", "http:/x", "**", "?a"] {
            assert_eq!(Target::parse(target.as_bytes()), None, "{target}");
        }
    }
}
