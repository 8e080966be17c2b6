//! What is to be remembered about a connection between events, a bit for each.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Flag {
    /// The socket may hold more than was read.
    Readable = 1,
    /// The peer has ended its half: a short read does not mean that nothing more comes.
    HalfClosed = 1 << 1,
    /// The end of what the peer sends was read.
    Eof = 1 << 2,
    /// The socket failed: nothing can be said any more.
    Broken = 1 << 3,
    /// It waits for its turn to be read again.
    InReady = 1 << 4,
    /// It waits to be flushed at the end of this round.
    InDirty = 1 << 5,
    /// The handler knows of it.
    Opened = 1 << 6,
    /// The handler was told of its end.
    Told = 1 << 7,
    /// Nothing more is delivered; what waits is written, and what comes is dropped.
    Leaving = 1 << 8,
    /// A Close went both ways, and nothing can be under way from a peer that keeps the protocol.
    Clean = 1 << 9,
    /// The handler wants nothing to be read. Not so once it is leaving.
    Paused = 1 << 10,
    /// A request waits for its answer, or the peer for the rest of that: nothing is read meanwhile.
    HeldBack = 1 << 11,
    /// What was held back is to be taken at the next turn, before anything is read.
    TakenUp = 1 << 12,
    /// Our half of the transport was ended.
    Shut = 1 << 13,
    /// There was no place for it: it is here only to be told so.
    Refused = 1 << 14,
}

/// Those of a connection: every idle one has them, so that they are bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u16);

impl Flags {
    /// These are up, and no others.
    pub(crate) const fn of<const N: usize>(flags: [Flag; N]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < N {
            bits |= flags[at] as u16;
            at += 1;
        }
        Self(bits)
    }

    /// Whether this one is up.
    #[inline]
    pub(crate) const fn has(self, flag: Flag) -> bool {
        self.0 & flag as u16 != 0
    }

    /// Whether one of these is up.
    #[inline]
    pub(crate) const fn has_any(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// Whether of `among` exactly this one is up.
    #[inline]
    pub(crate) const fn has_only(self, flag: Flag, among: Self) -> bool {
        self.0 & (among.0 | flag as u16) == flag as u16
    }

    /// Puts it up; says whether it was so before.
    #[inline]
    pub(crate) const fn raise(&mut self, flag: Flag) -> bool {
        let was = self.has(flag);
        self.0 |= flag as u16;
        was
    }

    /// Takes it down; says whether it was up before.
    #[inline]
    pub(crate) const fn lower(&mut self, flag: Flag) -> bool {
        let was = self.has(flag);
        self.0 &= !(flag as u16);
        was
    }

    /// Puts it up or takes it down.
    #[inline]
    pub(crate) const fn put(&mut self, flag: Flag, up: bool) {
        self.0 = self.0 & !(flag as u16) | if up { flag as u16 } else { 0 };
    }

    /// Puts it up if this is so.
    #[inline]
    pub(crate) const fn raise_if(&mut self, flag: Flag, up: bool) {
        self.0 |= if up { flag as u16 } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Flag; 15] = [
        Flag::Readable,
        Flag::HalfClosed,
        Flag::Eof,
        Flag::Broken,
        Flag::InReady,
        Flag::InDirty,
        Flag::Opened,
        Flag::Told,
        Flag::Leaving,
        Flag::Clean,
        Flag::Paused,
        Flag::HeldBack,
        Flag::TakenUp,
        Flag::Shut,
        Flag::Refused,
    ];

    #[test]
    fn each_flag_is_by_itself() {
        let mut flags = Flags::default();
        for (at, flag) in ALL.into_iter().enumerate() {
            assert!(!flags.has(flag) && !flags.raise(flag) && flags.raise(flag) && flags.has(flag));
            assert_eq!(ALL.into_iter().filter(|flag| flags.has(*flag)).count(), at + 1);
        }
        assert_eq!(flags, Flags::of(ALL));
        for flag in ALL {
            assert!(flags.lower(flag) && !flags.lower(flag) && !flags.has_any(Flags::of([flag])));
            flags.raise_if(flag, false);
            assert!(!flags.has(flag));
            flags.put(flag, true);
            assert!(flags.has_only(flag, Flags::of([flag])) && flags.has(flag));
            flags.put(flag, false);
        }
        assert_eq!(flags, Flags::default());
    }

    #[test]
    fn one_of_some_and_only_one() {
        let some = Flags::of([Flag::Broken, Flag::Paused]);
        for up in ALL {
            let flags = Flags::of([up, Flag::Readable]);
            let among = up == Flag::Broken || up == Flag::Paused;
            assert_eq!((flags.has_any(some), flags.has_only(Flag::Readable, some)), (among, !among), "{up:?}");
            assert!(!Flags::of([up]).has_only(Flag::Readable, some) || up == Flag::Readable);
        }
    }
}
