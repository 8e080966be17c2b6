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

#[test]
fn each_adapter_is_small() {
    let rows: &[(&str, &[&str], usize)] =
        &[("blocking", &["../blocking.rs"], 150), ("tokio", &["src/tokio.rs", "src/message.rs"], 150)];
    for (name, files, most) in rows {
        let sources: Vec<String> = files.iter().map(|path| source(path)).collect();
        for (path, source) in files.iter().zip(&sources) {
            assert!(source.lines().count() <= *most, "{path}: {} lines with comments", source.lines().count());
        }
        let code: usize = sources.iter().map(|source| code(source)).sum();
        println!("{name}: {code} lines of code");
        assert!((10..=*most).contains(&code), "{name}: {code} lines of code");
    }
    assert_eq!(code("//! A\nuse a::{\n    b,\n};\n\nfn f() {\n    // c\n}\n"), 2);
}
