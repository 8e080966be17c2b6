//! The test kit of martlet: everything that more than one test, property or fuzz target needs.
//!
//! - [`check()`]: what octets mean, whole and at every cut. One function knows the decoder's API; every other test is a row.
//! - [`check_connection`]: the same for a whole connection, from the handshake to its end.
//! - [`Wire`]: octets of frames, legal and not, for either role; [`heads`]: heads.
//! - [`naive`]: the RFC's definitions word for word, slow and plain, to compare with.
//! - [`generate`]: streams of frames with rare faults, each of which is known.
//! - [`Pair`]: two ends on a virtual clock.
//! - [`fuzz`]: the bodies of the fuzz targets; [`seeds`]: what their corpora hold at least.

pub mod check;
pub mod cuts;
pub mod drive;
pub mod fuzz;
mod fuzz_deflate;
mod fuzz_negotiation;
pub mod generate;
pub mod generate_heads;
pub mod heads;
pub mod meaning;
pub mod naive;
pub mod naive_inflate;
pub mod pair;
pub mod seeds;
pub mod transcript;
pub mod wire;

pub use check::{check, check_both, check_with, first_wrong};
pub use cuts::{Cuts, Plan};
pub use drive::check_connection;
pub use meaning::meaning;
pub use pair::{Pair, Say};
pub use transcript::Transcript;
pub use wire::Wire;

/// The code of the README is tested as it stands there.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// So is that of the page about microcontrollers.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedded.md")]
pub struct Embedded;
