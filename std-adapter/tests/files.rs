//! Static files: what is served, and every way to ask for what must not be.

mod common;

use common::{Client, Echo, Running, settings};
use martlet_std::Settings;
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A directory of files, with something beside it that nobody may see.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let tree = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{name}-{}", std::process::id())));
        let root = tree.root();
        for directory in ["sub", ".git", "empty"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        fs::write(tree.0.join("secret"), "secret").unwrap();
        for (name, content) in [
            ("index.html", "<p>hello"),
            ("sub/index.html", "<p>sub"),
            ("sub/a b.txt", "0123456789"),
            ("data.bin", ""),
            (".env", "secret"),
            (".git/config", "secret"),
        ] {
            fs::write(root.join(name), content).unwrap();
        }
        fs::write(root.join("long"), vec![b'x'; 3_000_000]).unwrap();
        symlink("../secret", root.join("out")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("/etc", root.join("etc")).unwrap();
        symlink(".env", root.join("env")).unwrap();
        symlink("index.html", root.join("in")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        tree
    }

    fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    fn serve(&self) -> Running {
        Running::start(Settings { document_root: Some(self.root()), ..settings(1) }, |_| Echo)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ask(client: &mut Client, method: &str, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    client.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n").as_bytes());
    let head = client.head();
    let length = head.split("Content-Length: ").nth(1).map_or("0", |rest| rest.split("\r\n").next().unwrap());
    let mut body = vec![0; if method == "HEAD" { 0 } else { length.parse().unwrap() }];
    client.socket.read_exact(&mut body).unwrap();
    (head[9..12].parse().unwrap(), head, body)
}

fn header(head: &str, name: &str) -> String {
    let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {head}")).to_owned()
}

#[test]
fn files_are_served_with_their_types_and_directories_by_their_index() {
    let tree = Tree::new("served");
    let server = tree.serve();
    let mut client = Client::connect(server.address);
    for (path, kind, content) in [
        ("/", "text/html; charset=utf-8", "<p>hello"),
        ("/index.html?x=y", "text/html; charset=utf-8", "<p>hello"),
        ("/in", "text/html; charset=utf-8", "<p>hello"),
        ("/sub/", "text/html; charset=utf-8", "<p>sub"),
        ("/sub/a%20b.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/data.bin", "application/octet-stream", ""),
    ] {
        let (status, head, body) = ask(&mut client, "GET", path, "");
        assert_eq!((status, body.as_slice()), (200, content.as_bytes()), "{path}: {head}");
        assert_eq!(header(&head, "X-Content-Type-Options"), "nosniff");
        // A link is shown as the file that it leads to.
        assert_eq!(header(&head, "Content-Type"), kind, "{path}");
        let (status, same, _) = ask(&mut client, "HEAD", path, "");
        assert_eq!((status, header(&same, "Content-Length")), (200, content.len().to_string()));
    }
    let (status, head, _) = ask(&mut client, "GET", "/sub?x=y", "");
    assert_eq!((status, header(&head, "Location")), (301, "/sub/?x=y".to_owned()));
    let (status, _, body) = ask(&mut client, "GET", "/long", "");
    assert!(status == 200 && body == vec![b'x'; 3_000_000]);
}

#[test]
fn nothing_outside_the_directory_and_nothing_hidden_is_served() {
    let tree = Tree::new("kept");
    let server = tree.serve();
    let mut client = Client::connect(server.address);
    for path in [
        "/../secret",
        "/sub/../../secret",
        "/%2e%2e/secret",
        "/.%2e/secret",
        "/..%2fsecret",
        "/sub/..%5c..%5csecret",
        "/%252e%252e/secret",
        "//secret",
        "/out",
        "/up/secret",
        "/etc/passwd",
        "/etc/",
        "/env",
        "/loop",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/.git/",
        "/.",
        "/index.html%00",
        "/index.html/",
        "/index.html/x",
        "/empty/",
        "/nothing",
        "*",
    ] {
        let method = if path == "*" { "OPTIONS" } else { "GET" };
        let (status, head, body) = ask(&mut client, method, path, "");
        assert_eq!(status, 404, "{path}: {head}");
        assert!(!body.windows(6).any(|part| part == b"secret"), "{path}");
    }
    let (status, ..) = ask(&mut client, "POST", "/index.html", "");
    assert_eq!(status, 404, "files are read only");
}

#[test]
fn a_part_of_a_file_is_served() {
    let tree = Tree::new("ranges");
    let server = tree.serve();
    let mut client = Client::connect(server.address);
    let path = "/sub/a%20b.txt";
    for (range, status, shown, content) in [
        ("bytes=2-4", 206, "bytes 2-4/10", "234"),
        ("bytes=7-", 206, "bytes 7-9/10", "789"),
        ("bytes=-1", 206, "bytes 9-9/10", "9"),
        ("bytes=0-99", 206, "bytes 0-9/10", "0123456789"),
        ("bytes=10-", 416, "bytes */10", ""),
        ("bytes=0-1,3-4", 200, "", "0123456789"),
        ("bytes=junk", 200, "", "0123456789"),
    ] {
        let (found, head, body) = ask(&mut client, "GET", path, &format!("Range: {range}\r\n"));
        assert_eq!((found, body.as_slice()), (status, content.as_bytes()), "{range}");
        if !shown.is_empty() {
            assert_eq!(header(&head, "Content-Range"), shown);
        }
    }
    let (status, _, body) = ask(&mut client, "GET", path, "Range: bytes=2-4\r\nIf-Range: \"older\"\r\n");
    assert_eq!((status, body.len()), (200, 10), "a part of another version is of no use");
}

#[test]
fn what_the_client_has_already_is_not_sent_again() {
    let tree = Tree::new("known");
    let server = tree.serve();
    let mut client = Client::connect(server.address);
    let (_, head, _) = ask(&mut client, "GET", "/", "");
    let (tag, date) = (header(&head, "ETag"), header(&head, "Last-Modified"));
    for (headers, status) in [
        (format!("If-None-Match: {tag}\r\n"), 304),
        (format!("If-None-Match: \"x\", W/{tag}\r\n"), 304),
        ("If-None-Match: *\r\n".to_owned(), 304),
        (format!("If-Modified-Since: {date}\r\n"), 304),
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}\r\n"), 200),
        ("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n".to_owned(), 200),
        ("If-Modified-Since: yesterday\r\n".to_owned(), 200),
        (format!("If-Modified-Since: {date}\r\nIf-Modified-Since: {date}\r\n"), 200),
        (format!("Range: bytes=1-1\r\nIf-Range: {tag}\r\n"), 206),
    ] {
        assert_eq!(ask(&mut client, "GET", "/", &headers).0, status, "{headers}");
    }
}

/// RFC 9110 sections 13.1.1, 13.1.4 and 13.2.2.
#[test]
fn who_wants_a_file_as_it_was_gets_no_other() {
    let tree = Tree::new("wanted");
    let server = tree.serve();
    let mut client = Client::connect(server.address);
    let (_, head, _) = ask(&mut client, "GET", "/", "");
    let (tag, date) = (header(&head, "ETag"), header(&head, "Last-Modified"));
    let before = "Thu, 01 Jan 1970 00:00:00 GMT";
    for (headers, status) in [
        (format!("If-Match: {tag}\r\n"), 200),
        (format!("If-Match: \"x\"\r\nIf-Match: \"y\", {tag}\r\n"), 200),
        ("If-Match: *\r\n".to_owned(), 200),
        ("If-Match: \"x\"\r\n".to_owned(), 412),
        (format!("If-Match: W/{tag}\r\n"), 412),
        (format!("If-Unmodified-Since: {date}\r\n"), 200),
        (format!("If-Unmodified-Since: {before}\r\n"), 412),
        ("If-Unmodified-Since: yesterday\r\n".to_owned(), 200),
        // The tag counts, and the date without one; what is wanted comes before what is there already.
        (format!("If-Match: {tag}\r\nIf-Unmodified-Since: {before}\r\n"), 200),
        (format!("If-Match: {tag}\r\nIf-None-Match: {tag}\r\n"), 304),
        (format!("If-Match: \"x\"\r\nIf-None-Match: {tag}\r\n"), 412),
        ("If-Match: \"x\"\r\nRange: bytes=1-1\r\n".to_owned(), 412),
    ] {
        for method in ["GET", "HEAD"] {
            assert_eq!(ask(&mut client, method, "/", &headers).0, status, "{method} {headers}");
        }
    }
}
