//! Octets of frames, legal and not, put together by the definitions of RFC 6455 section 5.2.

use martlet_codec::Role;

/// The key that the examples of RFC 6455 section 5.7 use.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// First octets of frames with FIN set; without it a data frame is one of several.
pub mod b0 {
    /// A continuation that ends its message.
    pub const CONTINUATION: u8 = 0x80;
    /// A whole text message.
    pub const TEXT: u8 = 0x81;
    /// A whole binary message.
    pub const BINARY: u8 = 0x82;
    /// A Close.
    pub const CLOSE: u8 = 0x88;
    /// A Ping.
    pub const PING: u8 = 0x89;
    /// A Pong.
    pub const PONG: u8 = 0x8a;
    /// Without FIN: a continuation, more follow.
    pub const CONTINUATION_MORE: u8 = 0x00;
    /// Without FIN: a text message begins.
    pub const TEXT_MORE: u8 = 0x01;
    /// Without FIN: a binary message begins.
    pub const BINARY_MORE: u8 = 0x02;
}

/// Octets on their way to one end, which grow frame by frame.
#[derive(Clone, Debug)]
pub struct Wire {
    to: Role,
    key: [u8; 4],
    octets: Vec<u8>,
}

impl Wire {
    /// Nothing yet, on its way to that end: frames to a server are masked, those to a client are not.
    pub const fn to(role: Role) -> Self {
        Self { to: role, key: KEY, octets: Vec::new() }
    }

    /// The end that these octets go to.
    pub const fn role(&self) -> Role {
        self.to
    }

    /// Masks the frames that follow with this key.
    pub const fn key(mut self, key: [u8; 4]) -> Self {
        self.key = key;
        self
    }

    /// A frame with that first octet and a length in its shortest form.
    pub fn frame(self, b0: u8, payload: &[u8]) -> Self {
        let len = payload.len() as u64;
        self.header(b0, len).payload(payload)
    }

    /// A header that announces `len` octets in the shortest form.
    pub fn header(self, b0: u8, len: u64) -> Self {
        let wide = len.to_be_bytes();
        match len {
            0..126 => self.header_form(b0, len as u8, &[]),
            126..0x1_0000 => self.header_form(b0, 126, &wide[6..]),
            _ => self.header_form(b0, 127, &wide),
        }
    }

    /// A header of any form: the seven bits of the length and the octets behind them.
    pub fn header_form(mut self, b0: u8, short: u8, extended: &[u8]) -> Self {
        let masked = self.to == Role::Server;
        self.octets.extend([b0, short | if masked { 0x80 } else { 0 }]);
        self.octets.extend(extended);
        if masked {
            self.octets.extend(self.key);
        }
        self
    }

    /// Payload from the beginning of a frame's, masked if it must be.
    pub fn payload(mut self, payload: &[u8]) -> Self {
        match self.to {
            Role::Server => {
                self.octets.extend(payload.iter().zip(self.key.iter().cycle()).map(|(octet, key)| octet ^ key))
            }
            Role::Client => self.octets.extend(payload),
        }
        self
    }

    /// Octets as they are.
    pub fn raw(mut self, octets: &[u8]) -> Self {
        self.octets.extend(octets);
        self
    }

    /// The first octets of a frame, as far as its header's second: the mask bit is set by role.
    pub fn two(mut self, b0: u8, short: u8) -> Self {
        let mask = if self.to == Role::Server { 0x80 } else { 0 };
        self.octets.extend([b0, short | mask]);
        self
    }

    /// A whole text message in one frame.
    pub fn text(self, text: &str) -> Self {
        self.frame(b0::TEXT, text.as_bytes())
    }

    /// A whole binary message in one frame.
    pub fn binary(self, octets: &[u8]) -> Self {
        self.frame(b0::BINARY, octets)
    }

    /// A Ping.
    pub fn ping(self, body: &[u8]) -> Self {
        self.frame(b0::PING, body)
    }

    /// A Pong.
    pub fn pong(self, body: &[u8]) -> Self {
        self.frame(b0::PONG, body)
    }

    /// A Close with a code and a reason.
    pub fn close(self, code: u16, reason: &str) -> Self {
        let body = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
        self.frame(b0::CLOSE, &body)
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// How many octets there are.
    pub const fn len(&self) -> usize {
        self.octets.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}

impl AsRef<[u8]> for Wire {
    fn as_ref(&self) -> &[u8] {
        &self.octets
    }
}
