//! The twin of `seen.rs` for machines whose memory is small: a line that has not ended is looked at again whenever more of it has come.
//! [`max_line_bytes`](crate::Limits::max_line_bytes) bounds what that costs.

use crate::class::Class;
use crate::head::Window;

/// Nothing is remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen;

impl Seen {
    pub(crate) const fn none() -> Self {
        Self
    }

    pub(crate) const fn unfinished(self, _: &Window<'_>) -> bool {
        false
    }

    pub(crate) const fn pause(self, _: Option<Class>, _: &Window<'_>) {}
}
