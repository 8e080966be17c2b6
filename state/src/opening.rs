//! The opening handshake (RFC 6455 section 4): heads come in line by line, and one answer goes out.

use crate::config::{Config, HeadMode};
use crate::connection::{Connection, Phase};
use crate::event::{Event, Fault, Misuse, SendError, Status};
use crate::frames::Frames;
use crate::instant::Instant;
use crate::side::{Client, Server, Side};
use crate::states::{State, Trigger};
use core::borrow::Borrow;
use martlet_codec::{NoRoom, Writer};
use martlet_handshake::{
    Accept, ClientRequest, DeflateParams, Kind, Line, Offer, Refusal, RequestScanner, Response, ResponseScanner, Spot,
    WriteError,
};
use rand_core::CryptoRng;

impl<'c, C: Borrow<Config<'c>>> Connection<'c, Server, C> {
    /// The end that accepted the transport, at `now`.
    pub fn server(config: C, now: Instant) -> Self {
        let scanner = RequestScanner::new().with_deflate(config.borrow().deflate);
        Self::new(config, now, Server, Phase::Fresh(scanner))
    }

    fn refuse(&mut self, refusal: Refusal, output: &mut Writer<'_>) -> Fault {
        if let Ok(len) = refusal.write(output.spare()) {
            output.advance(len);
        }
        self.go(Trigger::Refused);
        Fault::Refusal(refusal)
    }

    /// The deadline has passed: the client's fault while its head is missing, ours when the answer is.
    pub(crate) fn handshake_expired(&mut self, output: &mut Writer<'_>) {
        if let Phase::Decision(_) = self.phase {
            let _ = self.respond(&Response::new(503, b"no decision in time\n"), output);
        } else {
            self.refuse(Refusal::TimedOut, output);
        }
    }

    pub(crate) fn read_request<'i>(
        &mut self,
        input: &mut &'i mut [u8],
        output: &mut Writer<'_>,
    ) -> Result<Status<'i>, Fault> {
        let Self { config, phase: Phase::Head(scanner), .. } = self else { return Ok(Status::More) };
        let config: &Config<'_> = (*config).borrow();
        let read = read_line(config.head_mode, scanner.taken(), input, |fresh| {
            scanner.spot(&config.head, config.subprotocols, fresh)
        });
        match read {
            Ok(Some(Read::Line(line))) => Ok(Status::Event(Event::Line(line))),
            Ok(Some(Read::Head(head))) => match scanner.finish() {
                Ok(kind) => {
                    self.phase = Phase::Decision(match kind {
                        Kind::Upgrade(upgrade) => Some(upgrade),
                        Kind::Plain(_) => None,
                    });
                    Ok(Status::Event(Event::Request { head, kind }))
                }
                Err(refusal) => Err(self.refuse(refusal, output)),
            },
            Ok(None) => Ok(Status::More),
            Err(refusal) => Err(self.refuse(refusal, output)),
        }
    }
}

impl<'c, R: CryptoRng, C: Borrow<Config<'c>>> Connection<'c, Client<R>, C> {
    /// The end that made the transport, at `now`: writes the request and waits for the answer. `rng` gives the key of the
    /// handshake and that of every frame. Offered are [`Config::subprotocols`] and [`Config::deflate`], whatever `request` says.
    pub fn client(
        config: C,
        now: Instant,
        mut rng: R,
        request: &ClientRequest<'_>,
        output: &mut Writer<'_>,
    ) -> Result<Self, SendError> {
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let Config { subprotocols, deflate, .. } = *config.borrow();
        let request = ClientRequest { subprotocols, extensions: None, deflate, ..*request };
        let len = request.write(&nonce, output.spare()).map_err(write_error)?;
        output.advance(len);
        Ok(Self::new(config, now, Client(rng), Phase::Head(ResponseScanner::new(nonce))))
    }

    pub(crate) fn read_response<'i>(&mut self, now: Instant, input: &mut &'i mut [u8]) -> Result<Status<'i>, Fault> {
        let Self { config, phase: Phase::Head(scanner), .. } = self else { return Ok(Status::More) };
        let config: &Config<'_> = (*config).borrow();
        let offer = Offer { subprotocols: config.subprotocols, extensions: None, deflate: config.deflate };
        let read =
            read_line(config.head_mode, scanner.taken(), input, |fresh| scanner.spot(&config.head, &offer, fresh));
        let fault = match read {
            Ok(Some(Read::Line(line))) => return Ok(Status::Event(Event::Line(line))),
            Ok(Some(Read::Head(_))) => match scanner.finish() {
                Ok(agreed) => {
                    self.open(now, agreed.deflate());
                    return Ok(Status::Event(Event::Open(agreed)));
                }
                Err(fault) => fault,
            },
            Ok(None) => return Ok(Status::More),
            Err(fault) => fault,
        };
        self.go(Trigger::Refused);
        Err(Fault::Response(fault))
    }
}

impl<'c, S: Side, C: Borrow<Config<'c>>> Connection<'c, S, C> {
    /// Answers [`Event::Request`] with 101: frames may go both ways. The subprotocol is the first of
    /// [`Config::subprotocols`] that the client offers, unless `accept` names one. permessage-deflate is accepted if
    /// [`Config::deflate`] wants it and the client offers it so, unless `accept` declines it. No other extension is spoken.
    ///
    /// A client gets no request, so that this is [`Misuse::NoUpgrade`] there: one loop drives either end.
    pub fn accept(&mut self, now: Instant, accept: &Accept<'_>, output: &mut Writer<'_>) -> Result<(), SendError> {
        let Phase::Decision(Some(upgrade)) = &self.phase else { return Err(Misuse::NoUpgrade.into()) };
        // No other extension is spoken, and what is not honoured must not be accepted (RFC 6455 section 9.1).
        if accept.extensions.is_some() {
            return Err(Misuse::Head(WriteError::ExtensionsNotOffered).into());
        }
        let subprotocol = accept.subprotocol.or_else(|| upgrade.subprotocol(self.config().subprotocols));
        let accept = Accept { subprotocol, ..*accept };
        let deflate = upgrade.deflate().filter(|_| !accept.decline_deflate);
        let len = accept.write(upgrade, output.spare()).map_err(write_error)?;
        output.advance(len);
        self.open(now, deflate);
        Ok(())
    }

    /// Answers [`Event::Request`] in any other way; the connection is closed. The transport should shut down its sending half
    /// and drain what still comes, so that the answer arrives.
    pub fn respond(&mut self, response: &Response<'_>, output: &mut Writer<'_>) -> Result<(), SendError> {
        let Phase::Decision(_) = self.phase else { return Err(Misuse::NoUpgrade.into()) };
        let response = Response { keep_alive: false, ..*response };
        let len = response.write(output.spare()).map_err(write_error)?;
        output.advance(len);
        self.go(Trigger::Refused);
        Ok(())
    }

    fn open(&mut self, now: Instant, deflate: Option<DeflateParams>) {
        debug_assert_eq!(self.state().after(Trigger::Upgraded), Some(State::Active));
        self.phase = Phase::Frames(Frames::new(now, S::ROLE, deflate));
        self.heard = now;
    }
}

/// What was read of a head.
enum Read<'i> {
    /// A line, which was taken.
    Line(Line<'i>),
    /// The end: all of the head that was not taken line by line, taken.
    Head(&'i [u8]),
}

/// Scans lines until there is something to say. Where the head stays whole, the `taken` octets that were read of it before lie at
/// the front of `input`.
fn read_line<'i, F>(
    mode: HeadMode,
    taken: u32,
    input: &mut &'i mut [u8],
    mut scan: impl FnMut(&[u8]) -> Result<Option<Spot>, F>,
) -> Result<Option<Read<'i>>, F> {
    let mut checked = match mode {
        HeadMode::Whole => usize::try_from(taken).unwrap_or(usize::MAX),
        HeadMode::Lines => 0,
    };
    loop {
        let fresh = input.get(checked..).unwrap_or_default();
        let Some(spot) = scan(fresh)? else { return Ok(None) };
        checked = checked.saturating_add(spot.used);
        if mode == HeadMode::Whole && !spot.is_end() {
            continue;
        }
        let taken: &'i [u8] = input.split_off_mut(..checked).unwrap_or_default();
        return Ok(Some(match mode {
            HeadMode::Lines if !spot.is_end() => Read::Line(spot.line(taken)),
            HeadMode::Lines => Read::Head(&[]),
            HeadMode::Whole => Read::Head(taken),
        }));
    }
}

fn write_error(error: WriteError) -> SendError {
    match error {
        WriteError::NoRoom { wanted } => SendError::NoRoom(NoRoom { wanted }),
        error => SendError::Misuse(Misuse::Head(error)),
    }
}
