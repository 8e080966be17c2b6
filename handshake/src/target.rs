//! Request targets (RFC 9112 section 3.2).

/// A target's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'i> {
    /// Host and port, if the target is in absolute form. They then count instead of the Host header.
    pub(crate) authority: Option<&'i str>,
    /// Begins with "/", or is "*".
    pub(crate) path: &'i str,
    pub(crate) query: Option<&'i str>,
}

impl<'i> Target<'i> {
    /// The parts of a target in origin form, in absolute form with a scheme of HTTP or WebSocket, or of "*". The authority form
    /// is for proxies, and this is none.
    pub(crate) fn parse(target: &'i str) -> Option<Self> {
        if target == "*" {
            return Some(Self { authority: None, path: target, query: None });
        }
        let (authority, rest) = match absolute(target) {
            Some(rest) => {
                let (authority, rest) = cut(rest, |octet| matches!(octet, b'/' | b'?'));
                (Some(authority), rest)
            }
            None if target.starts_with('/') => (None, target),
            None => return None,
        };
        let (path, query) = cut(rest, |octet| octet == b'?');
        // The path of "http://example.org?x" is that of the root (RFC 9110 section 4.2.3).
        let path = if path.is_empty() { "/" } else { path };
        Some(Self { authority, path, query: query.strip_prefix('?') })
    }
}

/// What is behind the scheme and its "://".
fn absolute(target: &str) -> Option<&str> {
    ["http://", "https://", "ws://", "wss://"].iter().find_map(|scheme| {
        let (front, rest) = target.split_at_checked(scheme.len())?;
        front.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// Cuts before the first octet, an ASCII one, that `is_end` names.
fn cut(text: &str, is_end: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(is_end).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(Target::parse(target), Some(Target { authority, path, query }), "{target}");
        }
        for target in ["", "chat", "example.org:80", "ftp://example.org/", "http:/x", "**", "?a"] {
            assert_eq!(Target::parse(target), None, "{target}");
        }
    }
}
