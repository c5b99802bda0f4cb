//! Changes to bytes and back: the body of a journal record, one JSON object.

use alert::Change;

/// A journal record that is no change this version knows.
#[derive(Debug, thiserror::Error)]
#[error("is no change that this version of the program knows: {0}")]
pub struct CodecError(#[from] serde_json::Error);

/// The bytes of a journal record.
pub fn encode(change: &Change) -> Vec<u8> {
    serde_json::to_vec(change).expect("a change holds only text keys, so it always has a JSON form")
}

/// Reads a journal record.
///
/// # Errors
/// Not a change: written by a newer version, or not by this program.
pub fn decode(bytes: &[u8]) -> Result<Change, CodecError> {
    Ok(serde_json::from_slice(bytes)?)
}
