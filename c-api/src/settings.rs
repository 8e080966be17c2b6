//! Settings as C fills them in, and the configuration that connections share.

use crate::code::Code;
use crate::lend::{self, Octets};
use core::mem::MaybeUninit;
use core::ptr::{addr_of, addr_of_mut};
use martlet_state::HeadMode;

/// How many subprotocols a configuration holds at most.
pub const MARTLET_MAX_SUBPROTOCOLS: usize = 8;
/// The size of martlet_config, in octets.
pub const MARTLET_CONFIG_SIZE: usize = 256;
/// The alignment of martlet_config, in octets.
pub const MARTLET_CONFIG_ALIGN: usize = 8;

/// The settings of connections. martlet_settings_default fills them all in; change those that are to be different.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The longest payload of one data frame, in octets. Default: 2097152.
    pub max_frame_bytes: u64,
    /// The longest message, all its frames together, in octets. Default: 2097152.
    pub max_message_bytes: u64,
    /// The subprotocols that a server speaks or a client offers, the one it likes best first; at most MARTLET_MAX_SUBPROTOCOLS. The
    /// names stay where they are as long as the configuration is used; this list need not. Default: none.
    pub subprotocols: *const Octets,
    /// How many there are.
    pub subprotocol_count: usize,
    /// Octets of a whole request or response head. Default: 8192.
    pub max_head_bytes: u32,
    /// Octets of a line of a head; the input must hold so many. Default: 8192.
    pub max_line_bytes: u32,
    /// From the first moment to the end of the handshake, in milliseconds; 0 for ever. Default: 10000.
    pub handshake_timeout_ms: u32,
    /// After so many milliseconds without an octet from the peer a Ping is sent; 0 for never. Default: 30000.
    pub idle_ms: u32,
    /// How long after that Ping anything must come, in milliseconds. Default: 20000.
    pub pong_timeout_ms: u32,
    /// How long after our Close the peer's is awaited, in milliseconds. Default: 5000.
    pub close_timeout_ms: u32,
    /// Header lines of a head. Default: 64.
    pub max_headers: u16,
    /// How many control frames a peer may send within a second; 0 for any number. Default: 100.
    pub max_control_per_second: u16,
    /// How many empty fragments in a row are borne. Default: 32.
    pub max_empty_fragments: u8,
    /// Whether a Ping is answered without further ado; 0 if the caller does. Default: 1.
    pub auto_pong: u8,
    /// 0 if the input holds the longest head, which is then shown whole. Otherwise each line is an event, and the input needs to hold
    /// max_line_bytes only. Default: 0.
    pub head_by_lines: u8,
}

/// The configuration of any number of connections, checked. It stays where it is as long as one of them is used.
#[repr(C)]
#[derive(Debug)]
pub struct Config {
    /// Nobody's business.
    pub opaque: [u64; 32],
}

const _: () = assert!(size_of::<Config>() == MARTLET_CONFIG_SIZE && align_of::<Config>() <= MARTLET_CONFIG_ALIGN);
const _: () = assert!(size_of::<Slot>() <= size_of::<Config>() && align_of::<Slot>() <= align_of::<Config>());

/// What lies in a [`Config`].
#[repr(C)]
struct Slot {
    /// [`MARK`] and the address of this, so that one that was moved is told: `config` refers to `names`.
    mark: u64,
    names: [&'static str; MARTLET_MAX_SUBPROTOCOLS],
    config: MaybeUninit<martlet_state::Config<'static>>,
}

const MARK: u64 = 0x6d61_7274_6c65_7443;

/// Fills in the defaults.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_settings_default(settings: *mut Settings) -> Code {
    if let Err(code) = lend::check_place(settings) {
        return code;
    }
    let default = martlet_state::Config::DEFAULT;
    let value = Settings {
        max_frame_bytes: default.limits.max_frame_bytes,
        max_message_bytes: default.limits.max_message_bytes,
        subprotocols: core::ptr::null(),
        subprotocol_count: 0,
        max_head_bytes: default.head.max_head_bytes,
        max_line_bytes: default.head.max_line_bytes,
        handshake_timeout_ms: default.handshake_timeout_ms,
        idle_ms: default.idle_ms,
        pong_timeout_ms: default.pong_timeout_ms,
        close_timeout_ms: default.close_timeout_ms,
        max_headers: default.head.max_headers,
        max_control_per_second: default.max_control_per_second,
        max_empty_fragments: default.limits.max_empty_fragments,
        auto_pong: u8::from(default.auto_pong),
        head_by_lines: 0,
    };
    // SAFETY: neither null nor misaligned; the crate's contract says that it may be written.
    unsafe { settings.write(value) };
    Code::Ok
}

/// Checks settings and makes a configuration of them. `size` is sizeof *config. If a setting makes no sense, its name is put into
/// `wrong`, which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn martlet_config_init(
    config: *mut Config,
    size: usize,
    settings: *const Settings,
    wrong: *mut Octets,
) -> Code {
    // SAFETY: the crate's contract.
    match unsafe { init(config, size, settings, wrong) } {
        Ok(()) => Code::Ok,
        Err(code) => code,
    }
}

unsafe fn init(config: *mut Config, size: usize, settings: *const Settings, wrong: *mut Octets) -> Result<(), Code> {
    lend::check_place(config)?;
    if size < size_of::<Config>() {
        return Err(Code::MisuseStorage);
    }
    // SAFETY: the crate's contract.
    let (settings, names) = unsafe {
        let settings = lend::place(settings)?;
        (settings, names(settings)?)
    };
    let slot = config.cast::<Slot>();
    // SAFETY: the storage is large and aligned enough for a slot, as is asserted above, and lent to us alone. What refers into it is
    // made of shared references, and nobody writes there after this: see the contract.
    let (names, place) = unsafe {
        addr_of_mut!((*slot).mark).write(0);
        addr_of_mut!((*slot).names).write(names);
        (&*addr_of!((*slot).names), addr_of_mut!((*slot).config))
    };
    let made = martlet_state::Config {
        limits: martlet_codec::Limits {
            max_frame_bytes: settings.max_frame_bytes,
            max_message_bytes: settings.max_message_bytes,
            max_empty_fragments: settings.max_empty_fragments,
        },
        head: martlet_handshake::Limits {
            max_head_bytes: settings.max_head_bytes,
            max_headers: settings.max_headers,
            max_line_bytes: settings.max_line_bytes,
        },
        subprotocols: names.get(..settings.subprotocol_count).ok_or(Code::MisuseTooMany)?,
        deflate: None,
        head_mode: if settings.head_by_lines == 0 { HeadMode::Whole } else { HeadMode::Lines },
        auto_pong: settings.auto_pong != 0,
        max_control_per_second: settings.max_control_per_second,
        handshake_timeout_ms: settings.handshake_timeout_ms,
        idle_ms: settings.idle_ms,
        pong_timeout_ms: settings.pong_timeout_ms,
        close_timeout_ms: settings.close_timeout_ms,
    };
    if let Err(invalid) = made.check() {
        if !wrong.is_null() {
            lend::check_place(wrong)?;
            // SAFETY: neither null nor misaligned; the crate's contract says that it may be written.
            unsafe { wrong.write(Octets::of(invalid.setting.as_bytes())) };
        }
        return Err(Code::MisuseConfig);
    }
    // SAFETY: as above.
    unsafe {
        place.write(MaybeUninit::new(made));
        addr_of_mut!((*slot).mark).write(mark(slot));
    }
    Ok(())
}

/// The configuration in `config`, if there is one and it was not moved.
///
/// # Safety
/// The crate's contract, for as long as the connections live that get it.
pub(crate) unsafe fn of(config: *const Config) -> Result<&'static martlet_state::Config<'static>, Code> {
    lend::check_place(config)?;
    let slot = config.cast::<Slot>();
    // SAFETY: storage of a configuration is there, by the contract; with the mark in it there is a configuration in it.
    unsafe {
        if addr_of!((*slot).mark).read() != mark(slot) {
            return Err(Code::MisuseNotInitialised);
        }
        Ok((*addr_of!((*slot).config)).assume_init_ref())
    }
}

fn mark(slot: *const Slot) -> u64 {
    MARK ^ slot.addr() as u64
}

unsafe fn names(settings: &Settings) -> Result<[&'static str; MARTLET_MAX_SUBPROTOCOLS], Code> {
    let mut names = [""; MARTLET_MAX_SUBPROTOCOLS];
    if settings.subprotocol_count > names.len() {
        return Err(Code::MisuseTooMany);
    }
    for (at, name) in names.iter_mut().enumerate().take(settings.subprotocol_count) {
        // SAFETY: the crate's contract: so many are in the list, and the names stay.
        *name = unsafe { lend::place(settings.subprotocols.wrapping_add(at))?.text(None)? };
    }
    Ok(names)
}
