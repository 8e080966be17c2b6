//! Static files of a directory, and nothing that lies outside it or is hidden.

use crate::http::{Body, Response, full, sorry};
use crate::kinds::content_type;
use percent_encoding::percent_decode_str;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a directory shows.
const INDEX: &str = "index.html";

/// The answer with the file that a request asks for; `None` if there is none that may be shown.
///
/// The file is opened here and read as the peer takes it, in the worker's thread: a disk that is slow keeps the worker waiting.
pub(crate) fn find(root: &Path, request: &martlet_handshake::Request<'_>) -> Option<Response> {
    if !matches!(request.method(), "GET" | "HEAD") {
        return None;
    }
    let (wanted, is_directory) = wanted(request.path())?;
    let root = root
        .canonicalize()
        .inspect_err(|error| tracing::error!(root = %root.display(), %error, "document_root cannot be read"))
        .ok()?;
    let mut path = inside(&root, &root.join(wanted))?;
    let mut about = path.metadata().ok()?;
    if about.is_dir() {
        if !is_directory {
            // So that the links of the page mean what they say.
            let query = request.query().map(|query| format!("?{query}")).unwrap_or_default();
            return Some(Response::empty(301).with_header("Location", format!("{}/{query}", request.path())));
        }
        path = inside(&root, &path.join(INDEX))?;
        about = path.metadata().ok()?;
    } else if is_directory {
        return None;
    }
    // To open anything else, such as a pipe, may take for ever.
    if !about.is_file() {
        return None;
    }
    let file = match File::open(&path) {
        Ok(file) => file,
        // It has gone meanwhile, or is not to be shown.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => return None,
        // It is there, and may be had as soon as there are descriptors again.
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a file cannot be opened");
            return Some(full());
        }
    };
    let answered = file.metadata().and_then(|about| answer(request, &path, file, &about));
    Some(answered.unwrap_or_else(|error| {
        tracing::error!(path = %path.display(), %error, "a file cannot be read");
        sorry()
    }))
}

/// The relative path of a request's path, and whether it is to be a directory. `None` for one that no file has that may be shown.
fn wanted(path: &str) -> Option<(PathBuf, bool)> {
    let mut segments: Vec<_> = path.strip_prefix('/')?.split('/').collect();
    let is_directory = segments.pop_if(|last| last.is_empty()).is_some();
    let mut wanted = PathBuf::new();
    for segment in segments {
        // Decoded one by one, and once: "%2f" parts nothing, and "%252e" is no dot.
        let name: Vec<u8> = percent_decode_str(segment).collect();
        let hidden = name.first().is_none_or(|first| *first == b'.');
        if hidden || name.iter().any(|octet| matches!(octet, 0 | b'/' | b'\\')) {
            return None;
        }
        wanted.push(OsStr::from_bytes(&name));
    }
    Some((wanted, is_directory))
}

/// Where a path leads, if that lies in `root`, and nothing on the way there is hidden: what a link says is not believed.
fn inside(root: &Path, path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    let shown = |part: Component<'_>| match part {
        Component::Normal(name) => !name.as_bytes().starts_with(b"."),
        _ => false,
    };
    path.strip_prefix(root).ok()?.components().all(shown).then_some(path)
}

fn answer(
    request: &martlet_handshake::Request<'_>,
    path: &Path,
    mut file: File,
    about: &Metadata,
) -> io::Result<Response> {
    let length = about.len();
    let modified = about.modified()?;
    let age = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    let tag = format!("\"{:x}-{length:x}\"", age.as_nanos());
    // A date has no parts of a second.
    let since = UNIX_EPOCH + Duration::from_secs(age.as_secs());
    let date = httpdate::fmt_http_date(since);
    let with =
        |response: Response| response.with_header("ETag", tag.clone()).with_header("Last-Modified", date.clone());
    // In the order of RFC 9110 section 13.2.2.
    if is_another(request, &tag, since) {
        return Ok(Response::empty(412));
    }
    if is_known(request, &tag, since) {
        return Ok(with(Response::empty(304)));
    }
    let range = match range(request, length).filter(|_| is_same(request, &tag, &date)) {
        Some(Some((first, last))) => Some((first, last)),
        Some(None) => return Ok(Response::empty(416).with_header("Content-Range", format!("bytes */{length}"))),
        None => None,
    };
    let mut response = with(Response::empty(200))
        .with_header("Content-Type", content_type(path))
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Accept-Ranges", "bytes");
    let mut size = length;
    if let Some((first, last)) = range {
        file.seek(SeekFrom::Start(first))?;
        size = last - first + 1;
        response.status = 206;
        response = response.with_header("Content-Range", format!("bytes {first}-{last}/{length}"));
    }
    response.body = Body::Read { reader: Box::new(file.take(size)), length: Some(size) };
    Ok(response)
}

/// Whether the client wants this only as it was, and it is not (RFC 9110 sections 13.1.1 and 13.1.4: the tag counts, and the date without
/// one).
fn is_another(request: &martlet_handshake::Request<'_>, tag: &str, since: SystemTime) -> bool {
    match tags(request, "If-Match") {
        Some(mut tags) => !tags.any(|wanted| wanted == b"*" || wanted == tag.as_bytes()),
        None => date(request, "If-Unmodified-Since").is_some_and(|wanted| wanted < since),
    }
}

/// Whether the client has this already (RFC 9110 sections 13.1.2 and 13.1.3).
fn is_known(request: &martlet_handshake::Request<'_>, tag: &str, since: SystemTime) -> bool {
    let weak = |known: &[u8]| known.strip_prefix(b"W/").unwrap_or(known) == tag.as_bytes();
    match tags(request, "If-None-Match") {
        Some(mut tags) => tags.any(|known| known == b"*" || weak(known)),
        None => date(request, "If-Modified-Since").is_some_and(|known| since <= known),
    }
}

/// The tags in all headers of this name; `None` if there is no such header. No tag of ours holds a comma.
fn tags<'r>(
    request: &martlet_handshake::Request<'r>,
    name: &'static str,
) -> Option<impl Iterator<Item = &'r [u8]> + use<'r>> {
    let mut values = request.header_values(name).peekable();
    values.peek()?;
    Some(values.flat_map(|value| value.split(|octet| *octet == b',')).map(<[u8]>::trim_ascii))
}

/// The date in the one header of this name; of several, and of what is no date, no notice is taken.
fn date(request: &martlet_handshake::Request<'_>, name: &str) -> Option<SystemTime> {
    let mut values = request.header_values(name);
    let value = values.next().filter(|_| values.next().is_none())?;
    httpdate::parse_http_date(core::str::from_utf8(value).ok()?).ok()
}

/// Whether a range may be sent: not if it is to be the rest of another version (RFC 9110 section 13.1.5).
fn is_same(request: &martlet_handshake::Request<'_>, tag: &str, date: &str) -> bool {
    request.header("If-Range").is_none_or(|known| known == tag.as_bytes() || known == date.as_bytes())
}

/// The range that is asked for (RFC 9110 section 14.2), its last octet included; `Some(None)` if the file has nothing there. Of
/// several ranges, and of what is no range of octets, no notice is taken, as is allowed.
fn range(request: &martlet_handshake::Request<'_>, length: u64) -> Option<Option<(u64, u64)>> {
    if request.method() != "GET" {
        return None;
    }
    let (first, last) = text(request, "Range")?.strip_prefix("bytes=")?.split_once('-')?;
    // `parse` would take a sign.
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| !text.starts_with('+'));
    let end = length.checked_sub(1);
    if first.is_empty() {
        let count = number(last)?;
        return Some(end.filter(|_| count != 0).map(|end| (length.saturating_sub(count), end)));
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    Some(end.filter(|end| first <= *end).map(|end| (first, last.min(end))))
}

fn text<'r>(request: &martlet_handshake::Request<'r>, name: &str) -> Option<&'r str> {
    core::str::from_utf8(request.header(name)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_climb_hide_or_cheat_are_no_paths() {
        let cheats = [
            "*",
            "/..",
            "/../x",
            "/a/../x",
            "/%2e%2e/x",
            "/.%2E/x",
            "/%2E./x",
            "/a/.%2e/x",
            "/.",
            "/a/./b",
            "/.git/config",
            "/%2egit",
            "/a/.env",
            "//",
            "//etc/passwd",
            "/a//b",
            "/a%00",
            "/a%00.html",
            "/%2fetc/passwd",
            "/a%2f..%2fx",
            "/a%5c..%5cx",
            "/..%c0%af",
        ];
        for path in cheats {
            assert_eq!(wanted(path), None, "{path}");
        }
        let rows = [
            ("/", "", true),
            ("/a", "a", false),
            ("/a/b.html", "a/b.html", false),
            ("/a/", "a", true),
            ("/%61%20b", "a b", false),
            ("/a..b", "a..b", false),
            ("/%252e%252e/x", "%2e%2e/x", false),
        ];
        for (path, file, is_directory) in rows {
            assert_eq!(wanted(path), Some((PathBuf::from(file), is_directory)), "{path}");
        }
    }

    #[test]
    fn rfc_9110_section_14_2_ranges() {
        let rows = [
            ("bytes=0-0", Some(Some((0, 0)))),
            ("bytes=2-4", Some(Some((2, 4)))),
            ("bytes=2-", Some(Some((2, 9)))),
            ("bytes=2-99", Some(Some((2, 9)))),
            ("bytes=-3", Some(Some((7, 9)))),
            ("bytes=-99", Some(Some((0, 9)))),
            ("bytes=10-", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=4-2", None),
            ("bytes=1-2,4-5", None),
            ("bytes=+1-2", None),
            ("bytes=x-", None),
            ("bytes=-", None),
            ("bytes=99999999999999999999-", None),
            ("lines=1-2", None),
        ];
        for (value, expect) in rows {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\nRange: {value}\r\n\r\n");
            let head = martlet_handshake::Request::parse(head.as_bytes()).unwrap();
            assert_eq!(range(&head, 10), expect, "{value}");
        }
        let head = b"GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\n\r\n";
        assert_eq!(range(&martlet_handshake::Request::parse(head).unwrap(), 0), Some(None));
    }
}
