//! The half of a client that sends.

use super::error::ClientError;
use super::link::{Core, Link};
use crate::error::PushError;
use crate::frame::{Flags, Opcode, Outgoing};
use martlet_codec::{CloseFrame, DataKind, Deflater};
use martlet_state::Misuse;
use std::sync::Arc;

/// Sends, from a thread of its own or that of the [`Reader`](super::Reader).
#[derive(Debug)]
pub struct Writer<'c> {
    link: Arc<Link<'c>>,
    compressor: Compressor,
}

/// What compresses what is sent, and what came out of it.
#[derive(Debug)]
pub(super) struct Compressor {
    pub(super) threshold: usize,
    pub(super) level: u8,
    deflater: Option<Deflater>,
    out: Vec<u8>,
}

impl<'c> Writer<'c> {
    pub(super) const fn new(link: Arc<Link<'c>>, compressor: Compressor) -> Self {
        Self { link, compressor }
    }

    /// Sends a message, or with other [flags](Outgoing::flags) a fragment of one. Returns when the system has taken all of it, or another thread is about to give it.
    pub fn send<'m>(&mut self, message: impl Into<Outgoing<'m>>) -> Result<(), ClientError> {
        let message = message.into();
        message.check()?;
        let mut core = self.link.lock_to_add();
        let body = message.octets();
        match message.opcode() {
            Opcode::Ping => core.say(|conn, writer| conn.ping(body, writer))?,
            Opcode::Pong => core.say(|conn, writer| conn.pong(body, writer))?,
            Opcode::Close => return Err(PushError::CloseOpcode.into()),
            Opcode::Text => self.compressor.send(&mut core, DataKind::Text, &message)?,
            Opcode::Binary => self.compressor.send(&mut core, DataKind::Binary, &message)?,
            Opcode::Continuation => match core.conn.sending() {
                Some(DataKind::Text) if !message.is_utf8() => return Err(PushError::NotUtf8.into()),
                Some(kind) => frame(&mut core, kind, message.is_final(), body)?,
                None => return Err(PushError::NothingToContinue.into()),
            },
        }
        drop(core);
        Ok(self.link.flush()?)
    }

    /// Sends a Ping with a body of at most 125 octets.
    pub fn ping(&mut self, body: &[u8]) -> Result<(), ClientError> {
        self.send(Outgoing::ping(body))
    }

    /// Begins the closing handshake: nothing is sent after this. What the server had under way still comes, and its Close behind it.
    pub fn close(&mut self, code: u16, reason: &str) -> Result<(), ClientError> {
        let frame = CloseFrame::new(code, reason).map_err(Misuse::from)?;
        let now = self.link.now();
        self.link.lock().say(|conn, writer| conn.close(now, Some(frame), writer))?;
        Ok(self.link.flush()?)
    }
}

impl Compressor {
    pub(super) const fn new(threshold: usize, level: u8) -> Self {
        Self { threshold, level, deflater: None, out: Vec::new() }
    }

    /// Sends a message that begins, compressed if that was agreed on, is worth it and makes it smaller.
    fn send(&mut self, core: &mut Core<'_>, kind: DataKind, message: &Outgoing<'_>) -> Result<(), Misuse> {
        core.conn.may_send()?;
        let (fin, body) = (message.is_final(), message.octets());
        let wanted = message.flag().contains(Flags::COMPRESS) || body.len() >= self.threshold;
        if fin
            && wanted
            && let Some(len) = self.deflate(core, body)
        {
            let (header, mask) = core.conn.begin_compressed_frame(kind, len as u64, true)?;
            core.put(header.as_ref());
            let sent = core.put(&self.out[..len]);
            mask.into_iter().for_each(|mut mask| mask.apply(sent));
            return Ok(());
        }
        frame(core, kind, fin, body)
    }

    fn deflate(&mut self, core: &Core<'_>, message: &[u8]) -> Option<usize> {
        let side = core.conn.compression()?.client;
        let bits = crate::compress::window(side);
        let deflater = self.deflater.get_or_insert_with(|| Deflater::new(bits, !side.no_context_takeover, self.level));
        // Room of four octets more than the message is always enough.
        self.out.resize(message.len() + 4, 0);
        deflater.deflate(message, &mut self.out)
    }
}

/// Adds a frame to what waits, masked.
fn frame(core: &mut Core<'_>, kind: DataKind, fin: bool, body: &[u8]) -> Result<(), Misuse> {
    let (header, mask) = core.conn.begin_frame(kind, body.len() as u64, fin)?;
    core.put(header.as_ref());
    let sent = core.put(body);
    mask.into_iter().for_each(|mut mask| mask.apply(sent));
    Ok(())
}
