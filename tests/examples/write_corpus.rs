//! Writes the seeds of every fuzz target to `fuzz/corpus`, beside what is there.

use martlet_tests::{fuzz::TARGETS, seeds::seeds};
use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (target, _) in TARGETS {
        fs::create_dir_all(corpus.join(target))?;
        for (name, octets) in seeds(target) {
            fs::write(corpus.join(target).join(name), octets)?;
        }
    }
    Ok(())
}
