//! The parameters of permessage-deflate (RFC 7692 section 7.1): a client offers, a server chooses, the client checks.

use crate::extension::{Extension, Param};
use crate::response_fault::ResponseFault;
use core::fmt;

/// The extension's name (RFC 7692 section 7).
pub(crate) const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The base-2 logarithm of a window's octets, 8 to 15: no distance in the compressed stream reaches further back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum WindowBits {
    /// 256 octets.
    B8 = 8,
    /// 512 octets.
    B9 = 9,
    /// 1 KiB.
    B10 = 10,
    /// 2 KiB.
    B11 = 11,
    /// 4 KiB.
    B12 = 12,
    /// 8 KiB.
    B13 = 13,
    /// 16 KiB.
    B14 = 14,
    /// 32 KiB: all that DEFLATE can use.
    B15 = 15,
}

impl WindowBits {
    /// Every window, the smallest first.
    pub const ALL: [Self; 8] = [Self::B8, Self::B9, Self::B10, Self::B11, Self::B12, Self::B13, Self::B14, Self::B15];

    /// The window of that many bits: 8 to 15.
    pub const fn new(bits: u8) -> Option<Self> {
        Some(match bits {
            8 => Self::B8,
            9 => Self::B9,
            10 => Self::B10,
            11 => Self::B11,
            12 => Self::B12,
            13 => Self::B13,
            14 => Self::B14,
            15 => Self::B15,
            _ => return None,
        })
    }

    /// The number of bits: 8 to 15.
    pub const fn get(self) -> u8 {
        self as u8
    }

    /// The window's size in octets: 256 to 32,768.
    pub const fn window_bytes(self) -> usize {
        1 << self as usize
    }

    /// The number in decimal, without the machinery of formatting.
    const fn digits(self) -> &'static str {
        match self {
            Self::B8 => "8",
            Self::B9 => "9",
            Self::B10 => "10",
            Self::B11 => "11",
            Self::B12 => "12",
            Self::B13 => "13",
            Self::B14 => "14",
            Self::B15 => "15",
        }
    }
}

/// How one end compresses what it sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeflateSide {
    /// Each message is compressed by itself: its distances never reach into the message before.
    pub no_context_takeover: bool,
    /// The window, if anything is said about it; otherwise it is [`WindowBits::B15`].
    pub max_window_bits: Option<WindowBits>,
}

impl DeflateSide {
    /// The window that holds, whether it was said or not.
    pub const fn window_bits(&self) -> WindowBits {
        match self.max_window_bits {
            Some(bits) => bits,
            None => WindowBits::B15,
        }
    }
}

/// The parameters of permessage-deflate (RFC 7692 section 7.1), for each end how it compresses.
///
/// As a setting they are the most that this end wants, in both directions: a server's limit on its clients' windows is also
/// what its inflaters must remember for each of them. Once agreed they are what holds, and both ends keep to them; agreed
/// parameters written by [`Display`](fmt::Display) are the server's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeflateParams {
    /// How the server compresses: `server_no_context_takeover` and `server_max_window_bits`.
    pub server: DeflateSide,
    /// How the client compresses: `client_no_context_takeover` and `client_max_window_bits`.
    pub client: DeflateSide,
}

const _: () = assert!(size_of::<Option<DeflateParams>>() == 4);

impl DeflateParams {
    /// Full windows, and neither end keeps anything of a message when it is over.
    pub const NO_CONTEXT_TAKEOVER: Self = {
        let side = DeflateSide { no_context_takeover: true, max_window_bits: None };
        Self { server: side, client: side }
    };

    /// Full windows, and each end remembers what it sent in the messages before.
    pub const CONTEXT_TAKEOVER: Self = {
        let side = DeflateSide { no_context_takeover: false, max_window_bits: None };
        Self { server: side, client: side }
    };

    /// A server's choice, whose settings these are: what holds under the first of a client's offers, which come in the order
    /// of its preference, that can be honoured. `None` if there is none: then the connection is not compressed.
    ///
    /// An offer with an unknown parameter, one that comes twice, or one with an invalid value is passed over (RFC 7692
    /// section 7). So is one that does not let the server limit the client's window as its settings demand.
    pub fn choose<'i>(&self, offers: impl IntoIterator<Item = Extension<'i>>) -> Option<Self> {
        offers.into_iter().find_map(|offer| self.accept_offer(&offer))
    }

    /// What holds under this one offer.
    fn accept_offer(&self, offer: &Extension<'_>) -> Option<Self> {
        let Said { server, client, client_window } = Said::read(offer, Speaker::Client).ok()??;
        let client_limit = match (client_window, self.client.max_window_bits) {
            // Section 7.1.2.2: without the parameter in the offer there must be none in the answer, and the client does
            // as it likes.
            (false, None | Some(WindowBits::B15)) => None,
            (false, Some(_)) => return None,
            (true, limit) => least(client.max_window_bits, limit),
        };
        Some(Self {
            server: DeflateSide {
                no_context_takeover: self.server.no_context_takeover || server.no_context_takeover,
                // Section 7.1.2.1: what the client demands is answered with the same or less, which must be said; what it
                // does not mention may be said all the same.
                max_window_bits: least(server.max_window_bits, self.server.max_window_bits),
            },
            client: DeflateSide {
                no_context_takeover: self.client.no_context_takeover || client.no_context_takeover,
                max_window_bits: client_limit,
            },
        })
    }

    /// A client's check of the answer, which offered these: what holds. `None` if this is another extension.
    ///
    /// The offer is `permessage-deflate` with each parameter that is set, and with `client_max_window_bits` in any case, so
    /// that the server may limit our window.
    pub fn agree(&self, answer: &Extension<'_>) -> Result<Option<Self>, ResponseFault> {
        let Some(Said { server, client, .. }) = Said::read(answer, Speaker::Server)? else { return Ok(None) };
        if self.server.no_context_takeover && !server.no_context_takeover {
            return Err(ResponseFault::DeflateTakeoverNotGranted);
        }
        match (self.server.max_window_bits, server.max_window_bits) {
            (Some(_), None) => return Err(ResponseFault::DeflateWindowNotGranted),
            (Some(most), Some(bits)) if bits > most => return Err(ResponseFault::DeflateWindowNotGranted),
            _ => (),
        }
        if client.max_window_bits.is_some_and(|bits| bits > self.client.window_bits()) {
            return Err(ResponseFault::DeflateWindowTooLarge);
        }
        // What we said of ourselves holds even if the server did not repeat it (sections 7.1.1.2 and 7.1.2.2).
        let client = DeflateSide {
            no_context_takeover: self.client.no_context_takeover || client.no_context_takeover,
            max_window_bits: client.max_window_bits.or(self.client.max_window_bits),
        };
        Ok(Some(Self { server, client }))
    }

    /// Hands on the parts of the client's offer.
    pub(crate) fn offer(&self, mut put: impl FnMut(&str)) {
        self.answer(&mut put);
        if self.client.max_window_bits.is_none() {
            put("; ");
            put(CLIENT_MAX_WINDOW_BITS);
        }
    }

    /// Hands on the parts of the server's answer.
    pub(crate) fn answer(&self, mut put: impl FnMut(&str)) {
        let Self { server, client } = self;
        put(NAME);
        for (name, set) in [
            (SERVER_NO_CONTEXT_TAKEOVER, server.no_context_takeover),
            (CLIENT_NO_CONTEXT_TAKEOVER, client.no_context_takeover),
        ] {
            if set {
                put("; ");
                put(name);
            }
        }
        for (name, bits) in
            [(SERVER_MAX_WINDOW_BITS, server.max_window_bits), (CLIENT_MAX_WINDOW_BITS, client.max_window_bits)]
        {
            if let Some(bits) = bits {
                put("; ");
                put(name);
                put("=");
                put(bits.digits());
            }
        }
    }
}

impl fmt::Display for DeflateParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        self.answer(|part| result = result.and_then(|()| f.write_str(part)));
        result
    }
}

/// The smaller of two limits, where no limit is none.
fn least(one: Option<WindowBits>, other: Option<WindowBits>) -> Option<WindowBits> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (limit, None) | (None, limit) => limit,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Client,
    Server,
}

/// What an offer or an answer says.
struct Said {
    server: DeflateSide,
    client: DeflateSide,
    /// `client_max_window_bits` is there, with a value or without.
    client_window: bool,
}

impl Said {
    /// `None` for another extension.
    fn read(extension: &Extension<'_>, speaker: Speaker) -> Result<Option<Self>, ResponseFault> {
        // Names of extensions and of parameters are compared octet by octet, as they stand in the RFC.
        if extension.name_octets() != NAME.as_bytes() {
            return Ok(None);
        }
        let mut said = Self { server: DeflateSide::default(), client: DeflateSide::default(), client_window: false };
        for param in extension.params() {
            let twice = match param.name {
                SERVER_NO_CONTEXT_TAKEOVER => put_flag(&mut said.server, &param)?,
                CLIENT_NO_CONTEXT_TAKEOVER => put_flag(&mut said.client, &param)?,
                SERVER_MAX_WINDOW_BITS => said.server.max_window_bits.replace(bits(&param)?).is_some(),
                CLIENT_MAX_WINDOW_BITS => {
                    // Section 7.1.2.2: without a value it is a client's word that it can be limited.
                    said.client.max_window_bits = match param.value {
                        None if speaker == Speaker::Client => None,
                        _ => Some(bits(&param)?),
                    };
                    core::mem::replace(&mut said.client_window, true)
                }
                _ => return Err(ResponseFault::DeflateParamUnknown),
            };
            if twice {
                return Err(ResponseFault::DeflateParamTwice);
            }
        }
        Ok(Some(said))
    }
}

/// Notes a parameter without a value; says whether it was there already.
fn put_flag(side: &mut DeflateSide, param: &Param<'_>) -> Result<bool, ResponseFault> {
    match param.value {
        None => Ok(core::mem::replace(&mut side.no_context_takeover, true)),
        Some(_) => Err(ResponseFault::DeflateParamInvalid),
    }
}

/// The value of a parameter that must have one: 8 to 15, in decimal without a zero in front.
fn bits(param: &Param<'_>) -> Result<WindowBits, ResponseFault> {
    let number = param.value.and_then(|value| value.number());
    number.and_then(WindowBits::new).ok_or(ResponseFault::DeflateParamInvalid)
}
