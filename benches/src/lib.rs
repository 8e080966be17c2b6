//! What the benchmarks share: frames of a client, streams of them, the codecs that are compared, and JSON.

pub mod corpus;
pub mod decode;
pub mod encode;
mod wslay;

/// What a message is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ASCII text.
    Ascii,
    /// Chinese text: three octets a character.
    Chinese,
    /// All octets.
    Binary,
}

impl Kind {
    /// Every kind with its name.
    pub const ALL: [(Self, &str); 3] = [(Self::Ascii, "ascii"), (Self::Chinese, "chinese"), (Self::Binary, "binary")];

    /// A payload of about `size` octets: never more, and no character cut.
    pub fn payload(self, size: usize) -> Vec<u8> {
        match self {
            Self::Ascii => "The quick brown fox jumps over the lazy dog. ".bytes().cycle().take(size).collect(),
            Self::Chinese => {
                let mut text: Vec<u8> = "天地玄黄宇宙洪荒日月盈昃".bytes().cycle().take(size / 3 * 3).collect();
                text.resize(size, b'.');
                text
            }
            Self::Binary => (0..size).map(|i| (i * 167 + 13) as u8).collect(),
        }
    }

    /// The first octet of a final frame of this kind.
    pub fn first_octet(self) -> u8 {
        if self == Self::Binary { 0x82 } else { 0x81 }
    }
}

/// Appends a frame as a client sends it.
pub fn client_frame(out: &mut Vec<u8>, kind: Kind, key: [u8; 4], payload: &[u8]) {
    out.push(kind.first_octet());
    match payload.len() {
        len @ 0..126 => out.push(0x80 | len as u8),
        len @ 126..65536 => {
            out.push(0x80 | 126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    out.extend(key);
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(octet, mask)| octet ^ mask));
}

/// How many octets a server's frame with this payload has.
pub fn server_frame_len(payload: usize) -> usize {
    payload
        + if payload < 126 {
            2
        } else if payload < 65536 {
            4
        } else {
            10
        }
}

/// Messages of `size` octets as an application has them: the same names, other values.
pub fn json(size: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut chance = 0x2545_f491_4f6c_dd1du64;
    let mut number = move |below: u64| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance % below
    };
    (0u64..).map(move |id| {
        let mut text = format!(r#"{{"id":{id},"type":"update","items":["#);
        while text.len() < size {
            text += &format!(
                r#"{{"user":"user{}","price":{}.{:02},"quantity":{},"side":"{}"}},"#,
                number(10_000),
                number(500),
                number(100),
                number(1000),
                ["buy", "sell"][number(2) as usize]
            );
        }
        text.truncate(size - 3);
        (text + "\"]}").into_bytes()
    })
}
