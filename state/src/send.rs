//! What the application sends.

use crate::config::Config;
use crate::connection::{Connection, Phase};
use crate::event::{Misuse, Payload, SendError};
use crate::frames::{Frames, Sending};
use crate::instant::Instant;
use crate::side::Side;
use crate::states::Trigger;
use core::borrow::Borrow;
use martlet_codec::{
    CloseFrame, ControlOp, DataKind, DataOp, Header, HeaderBytes, Kind, MAX_CONTROL, Mask, NoRoom, Writer,
};

impl<'c, S: Side, C: Borrow<Config<'c>>> Connection<'c, S, C> {
    /// Sends a whole message in one frame.
    #[inline]
    pub fn send(&mut self, payload: Payload<'_>, output: &mut Writer<'_>) -> Result<(), SendError> {
        self.may_send()?;
        let kind = Kind::Data { op: payload.kind().op(), fin: true, len: 0 };
        Ok(output.frame(kind, self.side.key(), payload.as_bytes())?)
    }

    /// Sends the next fragment of a message (RFC 6455 section 5.4); the first one begins it, the one with `fin` ends it. Fragments
    /// of text hold whole characters.
    pub fn send_fragment(&mut self, payload: Payload<'_>, fin: bool, output: &mut Writer<'_>) -> Result<(), SendError> {
        self.data_frame(Sending { kind: payload.kind(), compressed: false }, payload.as_bytes(), fin, output)
    }

    /// Sends a piece of a message as a fragment of it; a whole message is a call with `fin` while none is open. Pieces of text may end
    /// anywhere, so that what comes in pieces goes on as it is; that all of it is UTF-8 is not looked at here.
    pub fn send_piece(
        &mut self,
        kind: DataKind,
        piece: &[u8],
        fin: bool,
        output: &mut Writer<'_>,
    ) -> Result<(), SendError> {
        self.data_frame(Sending { kind, compressed: false }, piece, fin, output)
    }

    /// Sends a message that the caller has compressed, as [`compression`](Self::compression) allows; or with `fin` false its first
    /// fragment, and then the next ones. Pieces of the compressed octets may end anywhere. A whole message is a call with `fin`
    /// while none is open.
    pub fn send_compressed(
        &mut self,
        kind: DataKind,
        deflated: &[u8],
        fin: bool,
        output: &mut Writer<'_>,
    ) -> Result<(), SendError> {
        self.may_compress()?;
        self.data_frame(Sending { kind, compressed: true }, deflated, fin, output)
    }

    /// The header of a frame whose `len` octets of payload the caller sends behind it, so that they need not be copied: a client
    /// masks them with the [`Mask`], a server has none. Text must be UTF-8, which is not looked at here.
    ///
    /// Nothing may come between the header and the payload's last octet: what was in an output before goes before the header,
    /// and what any other call puts into one in the meantime, such as a Pong, waits until the payload has gone.
    pub fn begin_frame(&mut self, kind: DataKind, len: u64, fin: bool) -> Result<(HeaderBytes, Option<Mask>), Misuse> {
        self.header(Sending { kind, compressed: false }, len, fin)
    }

    /// The same for `len` octets that the caller has compressed, see [`send_compressed`](Self::send_compressed).
    pub fn begin_compressed_frame(
        &mut self,
        kind: DataKind,
        len: u64,
        fin: bool,
    ) -> Result<(HeaderBytes, Option<Mask>), Misuse> {
        self.may_compress()?;
        self.header(Sending { kind, compressed: true }, len, fin)
    }

    /// Whether a whole message may be sent now: for frames that are encoded once for many connections. That is for servers:
    /// a client masks each frame with a key of its own (RFC 6455 section 5.3).
    #[inline]
    pub const fn may_send(&self) -> Result<(), Misuse> {
        match self.active() {
            Ok(frames) if frames.sending().is_none() => Ok(()),
            Ok(_) => Err(Misuse::MessageOpen),
            Err(misuse) => Err(misuse),
        }
    }

    /// The kind of the message of ours that is open: its fragments come next.
    pub const fn sending(&self) -> Option<DataKind> {
        match self.open_message() {
            Some(message) => Some(message.kind),
            None => None,
        }
    }

    /// Whether the message of ours that is open goes compressed: its fragments go by [`send_compressed`](Self::send_compressed).
    pub const fn is_sending_compressed(&self) -> bool {
        matches!(self.open_message(), Some(Sending { compressed: true, .. }))
    }

    const fn open_message(&self) -> Option<Sending> {
        match self.frames() {
            Some(frames) => frames.sending(),
            None => None,
        }
    }

    /// Sends a Ping with a body of at most 125 octets.
    pub fn ping(&mut self, body: &[u8], output: &mut Writer<'_>) -> Result<(), SendError> {
        self.send_control(ControlOp::Ping, body, output)
    }

    /// Sends a Pong with a body of at most 125 octets: the answer to a Ping when `auto_pong` is off, or unasked.
    pub fn pong(&mut self, body: &[u8], output: &mut Writer<'_>) -> Result<(), SendError> {
        self.send_control(ControlOp::Pong, body, output)
    }

    /// Begins the closing handshake (RFC 6455 section 7.1.2): nothing is sent after this. What the peer had under way is still
    /// delivered, until its Close comes or `close_timeout_ms` have passed.
    pub fn close(
        &mut self,
        now: Instant,
        frame: Option<CloseFrame<'_>>,
        output: &mut Writer<'_>,
    ) -> Result<(), SendError> {
        let body = frame.map_or(0, |frame| frame.reason_octets().len().saturating_add(2));
        self.may_control(body, output)?;
        match frame {
            Some(frame) => self.write_close(frame, output),
            None => self.control(ControlOp::Close, &[], output),
        }
        self.go(Trigger::CloseSent);
        self.set_due(now, self.config().close_timeout_ms);
        Ok(())
    }

    fn data_frame(
        &mut self,
        message: Sending,
        payload: &[u8],
        fin: bool,
        output: &mut Writer<'_>,
    ) -> Result<(), SendError> {
        let (op, rsv1) = self.next_op(message)?;
        let (kind, key) = (Kind::Data { op, fin, len: 0 }, self.side.key());
        if rsv1 {
            output.compressed_frame(kind, key, payload)?;
        } else {
            output.frame(kind, key, payload)?;
        }
        self.sent(message, fin);
        Ok(())
    }

    fn header(&mut self, message: Sending, len: u64, fin: bool) -> Result<(HeaderBytes, Option<Mask>), Misuse> {
        let (op, rsv1) = self.next_op(message)?;
        let key = self.side.key();
        let header = Header { kind: Kind::Data { op, fin, len }, key }.encode();
        self.sent(message, fin);
        Ok((if rsv1 { header.compressed() } else { header }, key.map(Mask::new)))
    }

    const fn may_compress(&self) -> Result<(), Misuse> {
        match self.active() {
            Ok(Frames { deflate: None, .. }) => Err(Misuse::CompressionNotAgreed),
            Ok(_) => Ok(()),
            Err(misuse) => Err(misuse),
        }
    }

    fn send_control(&mut self, op: ControlOp, body: &[u8], output: &mut Writer<'_>) -> Result<(), SendError> {
        self.may_control(body.len(), output)?;
        self.control(op, body, output);
        Ok(())
    }

    /// Control frames may stand between the fragments of a message (RFC 6455 section 5.4).
    fn may_control(&self, body: usize, output: &Writer<'_>) -> Result<(), SendError> {
        self.active()?;
        if body > usize::from(MAX_CONTROL) {
            return Err(Misuse::ControlTooLong(body).into());
        }
        let header = if S::ROLE == martlet_codec::Role::Client { 6 } else { 2 };
        let wanted = body.saturating_add(header);
        if output.room() < wanted { Err(NoRoom { wanted }.into()) } else { Ok(()) }
    }

    /// The opcode of the next fragment of a message, and whether it has RSV1: only a message's first frame does.
    fn next_op(&self, message: Sending) -> Result<(DataOp, bool), Misuse> {
        match self.active()?.sending() {
            None => Ok((message.kind.op(), message.compressed)),
            Some(open) if open == message => Ok((DataOp::Continuation, false)),
            Some(_) => Err(Misuse::KindChanged),
        }
    }

    /// Notes whether a message stays open behind a frame of it.
    const fn sent(&mut self, message: Sending, fin: bool) {
        if let Phase::Frames(frames) = &mut self.phase {
            frames.send(message, fin);
        }
    }
}
