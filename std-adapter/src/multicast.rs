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
    /// What all of these may come to.
    most: usize,
}

impl Multicast {
    /// Only whole messages can be for many. Those of `compressed_from` octets and more some connection may get compressed; `None` if all
    /// get them as they are.
    pub(crate) fn new(message: &Outgoing<'_>, compressed_from: Option<usize>) -> Result<Arc<Self>, PushError> {
        let (kind, flags) = (message.whole().ok_or(PushError::NotWhole)?, message.flag());
        let frame: Arc<[u8]> = Outgoing::encode(kind, message.octets()).into();
        let long = compressed_from.is_some_and(|least| message.octets().len() >= least);
        let compressed = long || (compressed_from.is_some() && flags.contains(Flags::COMPRESS));
        let forms = if compressed { 1 + windows(message.octets().len()) } else { 1 };
        let most = frame.len().saturating_mul(forms);
        Ok(Arc::new(Self { kind, flags, frame, deflated: Default::default(), most }))
    }

    /// Octets that it may take in all. Whichever worker needs it compressed for a window makes that, also while others have not come to
    /// it; it is no longer than the frame.
    pub(crate) const fn most_octets(&self) -> usize {
        self.most
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

/// For how many windows a message may be compressed, by those that are not as good as a larger one for it.
fn windows(len: usize) -> usize {
    let differ = |bits: &u8| WindowBits::new(*bits).is_some_and(|bits| bits != WindowBits::MAX && bits.size() < len);
    1 + (WindowBits::MIN.get()..=WindowBits::MAX.get()).filter(differ).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_may_take_is_bounded_by_what_is_made_for_all_windows() {
        for (len, flags, from, forms) in [
            (0, Flags::FIN, Some(0), 2),
            (256, Flags::FIN, Some(256), 2),
            (257, Flags::FIN, Some(256), 3),
            (257, Flags::FIN, Some(258), 1),
            (257, Flags::FIN | Flags::COMPRESS, Some(258), 3),
            (257, Flags::FIN | Flags::COMPRESS, None, 1),
            (16_384, Flags::FIN, Some(0), 8),
            (16_385, Flags::FIN, Some(0), 9),
            (1 << 20, Flags::FIN, Some(0), 9),
        ] {
            let octets = vec![7; len];
            let shared = Multicast::new(&Outgoing::from(&octets[..]).flags(flags), from).unwrap();
            assert_eq!(shared.most_octets(), forms * shared.frame().len(), "{len} {flags:?} {from:?}");
            let windows = (8..=15).filter_map(WindowBits::new);
            if forms != 1 {
                let mut made = 1;
                windows.for_each(|bits| {
                    shared.deflated(bits, |_| {
                        made += 1;
                        None
                    });
                });
                assert_eq!(made, forms, "{len}");
            }
        }
    }

    #[test]
    fn a_message_is_compressed_once_for_each_window_that_makes_a_difference() {
        let mut asked = Vec::new();
        let bits = |bits| WindowBits::new(bits).unwrap();
        let shared = Multicast::new(&Outgoing::from(&[7; 1000][..]), Some(0)).unwrap();
        for window in [15, 9, 10, 8, 12, 9, 8] {
            let frame = shared.deflated(bits(window), |bits| {
                asked.push(bits.get());
                (bits.get() != 8).then(|| Arc::from(&[bits.get()][..]))
            });
            let expect = if window < 10 { window } else { 15 };
            assert_eq!(frame.map(|frame| frame[0]), (window != 8).then_some(expect));
        }
        assert_eq!((asked, shared.most_octets()), (vec![15, 9, 8], 4 * 1004));
        assert_eq!(shared.message(), (DataKind::Binary, &[7; 1000][..]));
        assert_eq!(Multicast::new(&Outgoing::ping(b""), None).unwrap_err(), PushError::NotWhole);
    }
}
