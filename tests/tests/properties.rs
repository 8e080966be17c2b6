//! Any octets, any cuts, one meaning: for frames, in both roles.

use martlet_codec::Limits;
use martlet_tests::check::{ROLES, WIDE};
use martlet_tests::generate::{cases, plan, role, stream};
use martlet_tests::{Plan, meaning, naive};
use proptest::collection::vec;
use proptest::prelude::*;

fn limits() -> impl Strategy<Value = Limits> {
    let most = || prop_oneof![Just(0_u64), 1..300_u64, Just(65_536), Just(u64::MAX)];
    (most(), most(), any::<u8>().prop_map(|most| most % 4)).prop_map(
        |(max_frame_bytes, max_message_bytes, max_empty_fragments)| Limits {
            max_frame_bytes,
            max_message_bytes,
            max_empty_fragments,
        },
    )
}

proptest! {
    #![proptest_config(cases(400))]

    /// A stream means what its structure says, however it is cut, and the naive decoder agrees.
    #[test]
    fn a_stream_means_what_it_was_made_of(stream in stream(), plans in vec(plan(), 4)) {
        for role in ROLES {
            let (wire, expect) = (stream.octets(role), stream.meaning(role));
            prop_assert_eq!(naive::meaning(role, &WIDE, &wire), &expect[..]);
            for plan in &plans {
                prop_assert_eq!(meaning(role, &WIDE, &wire, plan), &expect[..], "{:?} {:?}", role, plan);
            }
        }
    }

    /// The same stream within any limits, cut off anywhere, and with octets changed: one meaning, that of the naive decoder.
    #[test]
    fn a_damaged_stream_has_one_meaning(
        stream in stream(),
        limits in limits(),
        damage in vec((any::<usize>(), any::<u8>()), 0..4),
        keep in any::<usize>(),
        plans in vec(plan(), 4),
    ) {
        for role in ROLES {
            let mut wire = stream.octets(role);
            for (at, octet) in &damage {
                let len = wire.len().max(1);
                if let Some(place) = wire.get_mut(at % len) {
                    *place ^= *octet;
                }
            }
            // Half of the streams are whole.
            wire.truncate(keep % (2 * wire.len() + 1));
            let expect = naive::meaning(role, &limits, &wire);
            for plan in &plans {
                prop_assert_eq!(meaning(role, &limits, &wire, plan), &expect[..], "{:?} {:?}", role, plan);
            }
        }
    }

    /// Octets of no structure at all.
    #[test]
    fn any_octets_have_one_meaning(wire in vec(any::<u8>(), 0..200), role in role(), limits in limits(), plan in plan()) {
        let expect = naive::meaning(role, &limits, &wire);
        prop_assert_eq!(meaning(role, &limits, &wire, &Plan::WHOLE), &expect[..]);
        prop_assert_eq!(meaning(role, &limits, &wire, &plan), &expect[..]);
    }
}
