//! Every committed seed of the fuzz targets, through the target's body, on a stable toolchain.

use martlet_tests::fuzz::TARGETS;
use martlet_tests::seeds::seeds;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, panic};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn committed(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(fuzz().join("corpus").join(target)).expect("each target has a corpus");
    let mut seeds: Vec<(PathBuf, Vec<u8>)> =
        entries.map(|entry| entry.unwrap().path()).map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    seeds.sort();
    seeds
}

#[test]
fn every_committed_seed_passes() {
    for (target, body) in TARGETS {
        for (path, octets) in committed(target) {
            let passed = panic::catch_unwind(|| body(&octets)).is_ok();
            assert!(passed, "{target} fails with {}", path.display());
        }
    }
}

#[test]
fn seeds_are_few_small_and_different() {
    for (target, _) in TARGETS {
        let seeds = committed(target);
        assert!((10..200).contains(&seeds.len()), "{target} has {} seeds", seeds.len());
        let different: BTreeSet<&[u8]> = seeds.iter().map(|(_, octets)| &octets[..]).collect();
        assert_eq!(different.len(), seeds.len(), "{target} has seeds twice");
        assert!(seeds.iter().all(|(_, octets)| octets.len() < 1024), "{target} has a seed of a KiB");
    }
}

/// The corpora hold what `seeds` makes, and perhaps what was found since.
#[test]
fn the_seeds_that_the_kit_makes_are_committed() {
    for (target, _) in TARGETS {
        let committed = committed(target);
        for (name, octets) in seeds(target) {
            let there = committed.iter().any(|(path, committed)| path.ends_with(&name) && *committed == octets);
            assert!(there, "{target}/{name} is not as the kit makes it: see `seeds`");
        }
    }
}

/// Each target is a shim of three lines over its body, and each shim is a target.
#[test]
fn every_target_has_its_shim() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let count = manifest.matches("[[bin]]").count();
    assert_eq!(count, TARGETS.len());
    for (target, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
        let shim = fs::read_to_string(fuzz().join(format!("fuzz_targets/{target}.rs"))).unwrap();
        assert!(shim.contains(&format!("martlet_tests::fuzz::{target}(data)")), "{target}");
    }
}
