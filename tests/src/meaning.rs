//! What octets mean to a decoder that is fed by a plan.

use crate::cuts::Plan;
use crate::transcript::{Transcript, control};
use martlet_codec::{Decoder, Event, Limits, MIN_INPUT, Role};

/// What `wire` means to an end of that role when it is fed by `plan`.
pub fn meaning(role: Role, limits: &Limits, wire: &[u8], plan: &Plan) -> Vec<String> {
    decode(role, limits, wire, plan).0
}

/// The same, and how many octets were fed before a violation came, if one did.
pub fn decode(role: Role, limits: &Limits, wire: &[u8], plan: &Plan) -> (Vec<String>, Option<usize>) {
    decode_by(Decoder::new(role), limits, wire, plan)
}

/// The same by this decoder.
pub fn decode_by(mut decoder: Decoder, limits: &Limits, wire: &[u8], plan: &Plan) -> (Vec<String>, Option<usize>) {
    let mut transcript = Transcript::new();
    let mut violation = None;
    let fed = plan.feed(wire, |octets| {
        let mut input = octets;
        loop {
            match decoder.decode(limits, &mut input) {
                Ok(Some(event)) => record(&mut transcript, event),
                Ok(None) => break,
                Err(broken) => {
                    violation = Some(broken);
                    return None;
                }
            }
        }
        assert!(input.len() < MIN_INPUT, "{} octets are left", input.len());
        Some(input.len())
    });
    (transcript.finish(violation), violation.map(|_| fed))
}

fn record(transcript: &mut Transcript, event: Event<'_>) {
    match event {
        Event::Data(data) => {
            transcript.data(&data);
        }
        Event::Ping(body) => transcript.line(control("Ping", body)),
        Event::Pong(body) => transcript.line(control("Pong", body)),
        Event::Close(frame) => transcript.close(frame.as_ref()),
    }
}
