//! The scanners for machines whose flash is small: twins of the others, over a machine of one table.

mod head;
mod machine;
mod request;
mod response;
#[cfg(test)]
mod twins;
mod words;

pub use request::RequestScanner;
pub use response::ResponseScanner;

/// Whether a value is a host with perhaps a port.
pub(crate) fn is_host(value: &[u8]) -> bool {
    let mut tape = machine::Tape::new(value);
    // A line's end is none here.
    tape.host() && tape.at == value.len()
}
