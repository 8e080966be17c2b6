//! The test kit of martlet: everything that more than one test, property or fuzz target needs.
//!
//! - [`check`]: what octets mean, whole and at every cut. One function knows the decoder's API; every other test is a row.
//! - [`Wire`]: octets of frames, legal and not, for either role.
//! - [`naive`]: the RFC's definitions word for word, slow and plain, to compare with.
//! - [`generate`]: streams of frames with rare faults, each of which is known.
//! - [`fuzz`]: the bodies of the fuzz targets; [`seeds`]: where their corpora come from.

pub mod check;
pub mod cuts;
pub mod generate;
pub mod meaning;
pub mod naive;
pub mod transcript;
pub mod wire;

pub use check::{check, check_both, check_with, first_wrong};
pub use cuts::{Cuts, Plan};
pub use meaning::meaning;
pub use transcript::Transcript;
pub use wire::Wire;
