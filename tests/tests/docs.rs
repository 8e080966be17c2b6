//! What `docs/rfc.md`, `docs/others.md` and `docs/swoole.md` name exists: every test, and every item of code.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A table row: its cells, without the outer bars.
fn rows(markdown: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = markdown.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| section"));
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
}

/// The names between backticks that look like `path.rs::item` or a path.
fn names(cell: &str) -> Vec<(&str, Option<&str>)> {
    let names = cell.split('`').skip(1).step_by(2);
    names
        .map(|name| match name.split_once("::") {
            Some((path, item)) => (path, Some(item)),
            None => (name, None),
        })
        .filter(|(path, _)| [".rs", ".py", ".js"].iter().any(|end| path.ends_with(end)))
        .collect()
}

fn source(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether `word` stands in `text` by itself.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |octet: Option<&u8>| octet.is_some_and(|octet| octet.is_ascii_alphanumeric() || *octet == b'_');
    text.match_indices(word).any(|(at, _)| {
        let octets = text.as_bytes();
        !is_part(at.checked_sub(1).and_then(|before| octets.get(before))) && !is_part(octets.get(at + word.len()))
    })
}

/// Whether the test is defined there, as one that runs.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let defined = [format!("fn {name}("), format!("def {name}(")];
    lines.iter().enumerate().any(|(at, line)| {
        let is_python = line.starts_with(&defined[1]);
        // In Rust an attribute says so, or it stands in `proptest!`, which demands one too.
        let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with('#') || line.starts_with("//"));
        is_python || (line.starts_with(&defined[0]) && attributes.into_iter().any(|line| line.starts_with("#[test]")))
    })
}

#[test]
fn what_the_table_of_requirements_names_exists() {
    let markdown = source("docs/rfc.md");
    let mut count = 0;
    for row in rows(&markdown) {
        let [section, requirement, code, test] = row[..] else { panic!("four cells: {row:?}") };
        assert!(section.starts_with(|digit: char| digit.is_ascii_digit()), "{row:?}");
        assert!(!requirement.is_empty());
        count += 1;
        for (path, item) in names(code) {
            let source = source(path);
            assert!(item.is_none_or(|item| has_word(&source, item)), "{path} has no {item:?}");
        }
        let tests = names(test);
        // Who is spoken to is not us: the row says who, and there is nothing to test.
        assert_eq!(test == "none", names(code).is_empty(), "{row:?}");
        assert_eq!(test == "none", tests.is_empty(), "{row:?}");
        for (path, name) in tests {
            assert!(name.is_some_and(|name| is_test(&source(path), name)), "{path} has no test {name:?}");
        }
    }
    assert!(count > 80, "only {count} rows were found");
    // Each section from 4 to 10 has its table.
    for section in 4..=10 {
        assert!(rows(&markdown).any(|row| row[0].split('.').next() == Some(&section.to_string())), "{section}");
    }
}

#[test]
fn what_the_chapter_on_others_names_exists() {
    let markdown = source("docs/others.md");
    let mut count = 0;
    for (path, name) in rows(&markdown).flat_map(|row| row.into_iter().flat_map(names).collect::<Vec<_>>()) {
        count += 1;
        assert!(name.is_some_and(|name| is_test(&source(path), name)), "{path} has no test {name:?}");
    }
    assert!(count > 20, "only {count} tests were found");
}

/// A row says what it is in Swoole, here, what differs, and which test shows it, or that there is none to show.
#[test]
fn what_the_table_of_swoole_names_exists() {
    let markdown = source("docs/swoole.md");
    let mut count = 0;
    // Cells may be empty here.
    let lines = markdown.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Swoole"));
    for line in lines {
        let row: Vec<_> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [swoole, here, difference, test] = row[..] else { panic!("four cells: {row:?}") };
        assert!(!(swoole.is_empty() && here.is_empty()), "{row:?}");
        assert!(!(here.is_empty() && difference.is_empty()), "what is left out has its reason: {row:?}");
        let tests = names(test);
        assert_eq!(test == "none", tests.is_empty(), "{row:?}");
        for (path, name) in tests {
            assert!(name.is_some_and(|name| is_test(&source(path), name)), "{path} has no test {name:?}");
        }
        count += 1;
    }
    assert!(count > 50, "only {count} rows were found");
}

/// The chapter names all that a program can call on the server, and all that can be set.
#[test]
fn the_chapter_on_swoole_names_every_method_and_setting() {
    let markdown = source("docs/swoole.md");
    let files = ["context", "handle", "handler", "info", "server", "timers", "topics"];
    let methods: Vec<_> =
        files.iter().flat_map(|file| public_methods(&source(&format!("std-adapter/src/{file}.rs")))).collect();
    let settings: Vec<_> = settings(&source("std-adapter/src/settings.rs"));
    assert!(methods.len() > 50 && settings.len() > 50, "{} methods, {} settings", methods.len(), settings.len());
    let named = markdown.split('`').skip(1).step_by(2).collect::<Vec<_>>().join(" ");
    let missing: Vec<_> = methods.iter().chain(&settings).filter(|name| !has_word(&named, name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What a program can call: methods that are public, or a trait's.
fn public_methods(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with("pub ") || line.starts_with("fn ") && source.contains("pub trait"));
    let names = lines.filter_map(|line| line.split_once("fn ").map(|(_, rest)| rest));
    names.map(|rest| rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()).collect()
}

/// The fields of the server's settings.
fn settings(source: &str) -> Vec<String> {
    let fields = source.split_once("pub struct Settings {").and_then(|(_, rest)| rest.split_once("\n}"));
    let lines = fields.into_iter().flat_map(|(fields, _)| fields.lines());
    lines.filter_map(|line| Some(line.trim_start().strip_prefix("pub ")?.split_once(':')?.0.to_owned())).collect()
}

/// The check itself finds what is missing.
#[test]
fn what_does_not_exist_is_found() {
    let source = "#[test]\nfn there() {}\nfn helper() {}\n";
    assert!(is_test(source, "there") && !is_test(source, "helper") && !is_test(source, "missing"));
    assert!(has_word("let first_octet = 1;", "first_octet") && !has_word("let first_octets = 1;", "first_octet"));
    assert_eq!(names("`a/b.rs::c` and `no` and `d.rs`"), [("a/b.rs", Some("c")), ("d.rs", None)]);
}
