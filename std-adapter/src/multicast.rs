//! A message for many connections, of all workers: encoded once, and compressed once for each window that needs it.

use crate::backpressure::payload_len;
use crate::error::PushError;
use crate::frame::{Flags, Outgoing};
use martlet_codec::{DataKind, WindowBits};
use std::sync::{Arc, OnceLock};

/// One frame, and what it is when it is compressed.
#[derive(Debug)]
pub(crate) struct Multicast {
    kind: DataKind,
    flags: Flags,
    frame: Arc<[u8]>,
    /// By the window's size, once somebody asks; `None` within if it does not get smaller.
    deflated: [OnceLock<Option<Arc<[u8]>>>; 8],
}

impl Multicast {
    /// Only whole messages can be for many.
    pub(crate) fn new(message: &Outgoing<'_>) -> Result<Arc<Self>, PushError> {
        let kind = message.whole().ok_or(PushError::NotWhole)?;
        let frame = Outgoing::encode(kind, message.octets()).into();
        Ok(Arc::new(Self { kind, flags: message.flag(), frame, deflated: Default::default() }))
    }

    /// The frame as it is.
    pub(crate) const fn frame(&self) -> &Arc<[u8]> {
        &self.frame
    }

    pub(crate) const fn flags(&self) -> Flags {
        self.flags
    }

    /// What the frame carries.
    pub(crate) fn message(&self) -> (DataKind, &[u8]) {
        (self.kind, &self.frame[self.frame.len() - payload_len(&self.frame)..])
    }

    /// The frame compressed for a window; `None` if it does not get smaller. Whoever comes first compresses it, whichever worker
    /// that is, and the others wait for it: it would take each of them as long.
    pub(crate) fn deflated(
        &self,
        bits: WindowBits,
        deflate: impl FnOnce(WindowBits) -> Option<Arc<[u8]>>,
    ) -> Option<&Arc<[u8]>> {
        // What is no longer than a window is the same for all windows that are as large.
        let bits = if payload_len(&self.frame) <= bits.size() { WindowBits::MAX } else { bits };
        let variant = self.deflated.get(usize::from(bits.get() - WindowBits::MIN.get()))?;
        variant.get_or_init(|| deflate(bits)).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_compressed_once_for_each_window_that_makes_a_difference() {
        let mut asked = Vec::new();
        let bits = |bits| WindowBits::new(bits).unwrap();
        let shared = Multicast::new(&Outgoing::from(&[7; 1000][..])).unwrap();
        for window in [15, 9, 10, 8, 12, 9, 8] {
            let frame = shared.deflated(bits(window), |bits| {
                asked.push(bits.get());
                (bits.get() != 8).then(|| Arc::from(&[bits.get()][..]))
            });
            let expect = if window < 10 { window } else { 15 };
            assert_eq!(frame.map(|frame| frame[0]), (window != 8).then_some(expect));
        }
        assert_eq!(asked, [15, 9, 8]);
        assert_eq!(shared.message(), (DataKind::Binary, &[7; 1000][..]));
        assert_eq!(Multicast::new(&Outgoing::ping(b"")).unwrap_err(), PushError::NotWhole);
    }
}
