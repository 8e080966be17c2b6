//! A message goes back as it comes, in fragments, so that the longest needs no more room than a short one.

use martlet::codec::MAX_HEADER;
use martlet::state::{Connection, Data, NoRoom, SendError, Writer};

/// Sends a piece of a message back as a fragment of the same message.
///
/// A piece of text may end inside a character, which the protocol allows a fragment too.
pub fn echo(connection: &mut Connection<'_>, piece: &Data<'_>, output: &mut Writer<'_>) -> Result<(), SendError> {
    let payload = piece.payload();
    let wanted = MAX_HEADER + payload.len();
    if output.room() < wanted {
        return Err(NoRoom { wanted }.into());
    }
    let (header, _) = connection.begin_frame(piece.kind(), payload.len() as u64, piece.is_last())?;
    output.put(header.as_ref())?;
    output.put(payload)?;
    Ok(())
}
