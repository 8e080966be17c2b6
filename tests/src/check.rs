//! `check`: the same octets mean the same however they are cut.

use crate::cuts::{Cuts, Plan};
use crate::meaning::{decode, meaning};
use crate::naive;
use crate::wire::Wire;
use martlet_codec::{Limits, Role};

/// Both roles, for tables that hold for each.
pub const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// The longest frame: of 2^63 - 1 octets, or with feature `small` as long as 32 bits count.
pub const LONGEST: u64 = if cfg!(feature = "small") { martlet_codec::MAX_LENGTH } else { u64::MAX >> 1 };

/// Limits that no short test reaches.
pub const WIDE: Limits = Limits { max_frame_bytes: 1 << 30, max_message_bytes: 1 << 30, max_empty_fragments: 32 };

/// Octets that an end of that role gets must mean what is expected, whole and in every cutting, and to the naive decoder too.
#[track_caller]
pub fn check(role: Role, wire: &[u8], expect: &[&str]) {
    check_with(role, &WIDE, wire, expect);
}

/// The same within these limits.
#[track_caller]
pub fn check_with(role: Role, limits: &Limits, wire: &[u8], expect: &[&str]) {
    assert_eq!(naive::meaning(role, limits, wire), expect, "{role:?}, the naive decoder");
    for plan in Plan::of_frames(wire.len()) {
        assert_eq!(meaning(role, limits, wire, &plan), expect, "{role:?}, {plan:?}, {}", wire.escape_ascii());
    }
}

/// The same for both roles: `build` gets an empty wire to an end of each.
#[track_caller]
pub fn check_both(build: impl Fn(Wire) -> Wire, expect: &[&str]) {
    for role in ROLES {
        check(role, build(Wire::to(role)).octets(), expect);
    }
}

/// The last octet of what `build` gives must be the first wrong one, for both roles: without it all is well, with it the
/// violation comes at once, and what follows changes nothing.
#[track_caller]
pub fn first_wrong(build: impl Fn(Wire) -> Wire, expect: &[&str]) {
    for role in ROLES {
        first_wrong_with(role, &WIDE, build(Wire::to(role)).octets(), expect);
    }
}

/// The same for one role within these limits.
#[track_caller]
pub fn first_wrong_with(role: Role, limits: &Limits, wire: &[u8], expect: &[&str]) {
    let Some((_, before)) = wire.split_last() else { panic!("an empty wire has no last octet") };
    for plan in Plan::of_frames(before.len()) {
        let (lines, refused) = decode(role, limits, before, &plan);
        assert_eq!(refused, None, "{role:?}: refused before the wrong octet: {lines:?}, {}", wire.escape_ascii());
    }
    check_with(role, limits, wire, expect);
    for tail in [&[0; 160][..], &[0xff; 160], b"\x81\x05Hello"] {
        for plan in Plan::some() {
            assert_eq!(meaning(role, limits, &[wire, tail].concat(), &plan), expect, "{role:?}: what follows matters");
        }
    }
    let octet_by_octet = Plan { cuts: Cuts::Each, capacity: usize::MAX };
    let (_, refused) = decode(role, limits, &[wire, b"\x81\x05Hello"].concat(), &octet_by_octet);
    assert_eq!(refused, Some(wire.len()), "{role:?}: the violation comes with the wrong octet");
}
