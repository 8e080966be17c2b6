//! The codes: each has words of its own, and stands for what the core calls so.

use crate::kit::describe;
use martlet_c::{Code, martlet_close_code, martlet_http_status};
use martlet_codec::Violation;
use martlet_state::Fault;
use std::collections::HashSet;

/// Names and numbers as the source has them.
fn codes() -> Vec<(&'static str, i32)> {
    let lines = include_str!("../../src/code.rs").lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines
        .filter_map(|line| line.strip_suffix(',')?.split_once(" = "))
        .map(|(name, number)| (name, number.parse().unwrap()))
        .collect()
}

/// The names of an enumeration's variants as the core's source has them.
fn variants(source: &'static str, name: &str) -> Vec<&'static str> {
    let (_, body) = source.split_once(&format!("pub enum {name} {{")).unwrap();
    let (body, _) = body.split_once("\n}\n").unwrap();
    let lines = body.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines.filter_map(|line| line.strip_suffix(',')).map(|line| line.split('(').next().unwrap()).collect()
}

#[test]
fn every_code_has_words_and_nothing_else_has() {
    let codes = codes();
    assert!(codes.len() > 100);
    let numbers: HashSet<i32> = codes.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers.len(), codes.len());
    for number in -10..1000 {
        assert_eq!(describe(number) != "not a code", numbers.contains(&number), "{number}");
    }
    for (name, number) in &codes {
        let (close_code, status) = (martlet_close_code(*number), martlet_http_status(*number));
        let is_other = name.ends_with("Other");
        assert_eq!((400..600).contains(&status), (300..500).contains(number) && !is_other, "{name}: {status}");
        let has_close_code = matches!(number, 200..400 | 500..600) && !is_other;
        assert_eq!((1000..2000).contains(&close_code), has_close_code, "{name}: {close_code}");
    }
}

/// The core may get more of them; then there is to be a code for each.
#[test]
fn every_fault_of_the_core_has_a_code() {
    let sources = [
        ("Violation", "Violation", include_str!("../../../codec/src/violation.rs")),
        ("Head", "HeadFault", include_str!("../../../handshake/src/fault.rs")),
        ("Refusal", "Refusal", include_str!("../../../handshake/src/refusal.rs")),
        ("Response", "ResponseFault", include_str!("../../../handshake/src/response_fault.rs")),
    ];
    let names: HashSet<&str> = codes().into_iter().map(|(name, _)| name).collect();
    for (prefix, name, source) in sources {
        let variants = variants(source, name);
        assert!(variants.len() > 10, "{name}: {variants:?}");
        for variant in variants.into_iter().filter(|variant| *variant != "Head") {
            let code =
                format!("{prefix}{}", if prefix == "Head" { variant.trim_start_matches("Head") } else { variant });
            assert!(names.contains(code.as_str()), "{name}::{variant} has no code {code}");
        }
    }
}

#[test]
fn a_violation_is_its_code_in_words_and_close_code() {
    for violation in Violation::ALL {
        let code = Code::from(Fault::Violation(violation));
        assert_eq!(format!("{code:?}"), format!("Violation{violation:?}"));
        assert_eq!(describe(code as i32), violation.describe());
        assert_eq!(martlet_close_code(code as i32), violation.close_code());
    }
}
