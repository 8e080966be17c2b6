//! The bodies of the fuzz targets `inflate` and `deflate`: any octets as compressed messages, and messages there and back.

use crate::cuts::Plan;
use crate::fuzz::plans;
use crate::naive_inflate::History;
use martlet_codec::{DataKind, Deflater, InflateLimits, Inflater, SmallDeflater, Violation, Window, WindowBits};

/// A compressed message is never longer here, so that octet by octet costs little.
const LONGEST: u64 = 1 << 14;

/// The ratio of shorter messages does not matter.
const FLOOR: u64 = 100;

/// What one end of a connection makes of compressed messages, up to the first that it refuses.
struct End<'s> {
    inflater: Inflater,
    window: Window<&'s mut [u8]>,
    limits: InflateLimits,
    kind: DataKind,
    takeover: bool,
}

impl End<'_> {
    fn message(&mut self, payload: &[u8], plan: &Plan) -> Result<Vec<u8>, Violation> {
        if !self.takeover {
            self.window.clear();
        }
        self.inflater.begin(self.kind);
        let mut back = Vec::new();
        for piece in plan.cuts.pieces(payload) {
            assert!(!self.inflater.inflate_into(&self.limits, &mut self.window, piece, false, &mut back)?);
        }
        // The last fragment is empty.
        assert!(self.inflater.inflate_into(&self.limits, &mut self.window, &[], true, &mut back)?);
        Ok(back)
    }
}

/// Compressed messages mean the same however they are cut, and what the naive inflater makes of them.
pub fn inflate(data: &[u8]) {
    let [mode, seed, octets @ ..] = data else { return };
    let bits = WindowBits::new(8 + (mode & 7)).expect("8 to 15");
    let kind = if mode & 8 == 0 { DataKind::Binary } else { DataKind::Text };
    let max_message_bytes = if mode & 16 == 0 { LONGEST } else { 300 };
    let takeover = mode & 32 == 0;
    let max_ratio = if mode & 64 == 0 { 0 } else { 3 };
    let limits = InflateLimits { max_message_bytes, max_ratio, ratio_floor_bytes: FLOOR };
    // An octet says how long a message is; the last takes the rest.
    let (mut messages, mut rest) = (Vec::new(), octets);
    while let Some((len, behind)) = rest.split_first() {
        let (message, behind) = behind.split_at_checked(usize::from(*len)).unwrap_or((behind, &[]));
        messages.push(message);
        rest = behind;
    }
    let [whole, each, some] = plans(*seed, octets.len()).map(|plan| {
        let mut room = vec![b'S'; bits.size()];
        let window = Window::new(&mut room[..], bits).expect("it is of that size");
        let mut end = End { inflater: Inflater::new(), window, limits, kind, takeover };
        let mut read = Vec::new();
        for message in &messages {
            read.push(end.message(message, &plan));
            if read.last().is_some_and(Result::is_err) {
                break;
            }
        }
        read
    });
    assert_eq!(whole, each, "octet by octet");
    assert_eq!(whole, some, "cut by {seed}");
    let mut history = History::new(bits.size());
    for (message, read) in messages.iter().zip(&whole) {
        if !takeover {
            history = History::new(bits.size());
        }
        // The naive inflater knows no window: beyond one it has nothing to say.
        let Some(naive) = history.inflate(message, LONGEST as usize) else { return };
        match read {
            Ok(read) => assert_eq!(Some(read), naive.as_ref()),
            Err(Violation::DeflateInvalid) => assert_eq!(naive, None),
            Err(Violation::MessageTooBig) => assert!(naive.is_none_or(|naive| naive.len() as u64 > max_message_bytes)),
            Err(Violation::InflateRatio) => {
                assert!(max_ratio != 0 && naive.is_none_or(|naive| naive.len() as u64 > FLOOR));
            }
            Err(Violation::Utf8Invalid) => assert!(naive.is_none_or(|naive| std::str::from_utf8(&naive).is_err())),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Messages come back, whatever the window, the level and the cuts.
pub fn deflate(data: &[u8]) {
    let [mode, level, seed, octets @ ..] = data else { return };
    let bits = WindowBits::new(8 + (mode & 7)).expect("8 to 15");
    let takeover = mode & 8 == 0;
    let mut room = vec![b'S'; bits.size()];
    let window = Window::new(&mut room[..], bits).expect("it is of that size");
    let limits = InflateLimits { max_ratio: 0, ..InflateLimits::DEFAULT };
    let mut end = End { inflater: Inflater::new(), window, limits, kind: DataKind::Binary, takeover };
    let mut small = SmallDeflater::<512, 256>::new(bits, takeover);
    // Without a level: the small one.
    let mut large = (*level != 0).then(|| Deflater::new(bits, takeover, *level));
    // An octet says how long a message is, and how often it repeats.
    let mut rest = octets;
    while let Some((len, behind)) = rest.split_first() {
        let (message, behind) = behind.split_at_checked(usize::from(*len & 63)).unwrap_or((behind, &[]));
        rest = behind;
        let message = message.repeat(1 << (2 * (*len >> 6)));
        let mut out = vec![0xa5; message.len() + 8];
        let made = match &mut large {
            Some(large) => large.deflate(&message, &mut out),
            None => small.deflate(&message, &mut out),
        };
        let Some(len) = made else { continue };
        assert!(len < message.len());
        for plan in &plans(*seed, len)[usize::from(*seed) % 3..][..1] {
            assert_eq!(end.message(&out[..len], plan).as_ref(), Ok(&message));
        }
    }
}
