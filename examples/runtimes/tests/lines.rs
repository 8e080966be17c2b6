//! An adapter is small, or the core asks too much of its caller.

use std::fs;
use std::path::Path;

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lines that do something: no comments, no imports.
fn code(source: &str) -> usize {
    let mut inside_use = false;
    let does = |line: &&str| {
        let is_use = inside_use || line.starts_with("use ") || line.starts_with("pub use ");
        inside_use = is_use && !line.ends_with(';');
        !is_use && !line.is_empty() && !line.starts_with("//")
    };
    source.lines().map(str::trim).filter(does).count()
}

/// What is in README's table: the adapter's name, its files, the most that it may have, and whether that is with comments too.
const ADAPTERS: [(&str, &[&str], usize, bool); 5] = [
    ("blocking sockets", &["../blocking.rs"], 150, true),
    ("tokio", &["src/tokio.rs", "src/message.rs"], 150, true),
    ("`Stream` and `Sink`", &["src/futures.rs", "src/message.rs"], 150, false),
    ("`embedded-io`", &["../embedded-io/src/blocking.rs"], 40, false),
    ("`embedded-io-async`", &["../embedded-io/src/asynchronous.rs"], 40, false),
];

#[test]
fn each_adapter_is_small() {
    let readme = source("../../README.md");
    for (name, files, most, with_comments) in ADAPTERS {
        let sources: Vec<String> = files.iter().map(|path| source(path)).collect();
        for (path, source) in files.iter().zip(&sources).filter(|_| with_comments) {
            assert!(source.lines().count() <= most, "{path}: {} lines with comments", source.lines().count());
        }
        let code: usize = sources.iter().map(|source| code(source)).sum();
        assert!((10..=most).contains(&code), "{name}: {code} lines of code");
        let row = readme.lines().find(|line| line.starts_with(&format!("| {name} |")));
        let row = row.unwrap_or_else(|| panic!("{name} is not in README's table"));
        assert!(row.ends_with(&format!(" {code} of {most} |")), "{name}: {code} lines of code, and README says {row}");
    }
    assert_eq!(code("//! A\nuse a::{\n    b,\n};\n\nfn f() {\n    // c\n}\n"), 2);
}
