//! The one way out to the terminal: data on stdout, the rest on stderr.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

/// Writes data and a line end to stdout. A reader that has gone, as in `| head`, is no failure.
///
/// # Errors
/// Any other failure to write.
pub fn data(text: &str) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Writes a line for people to stderr; when even that cannot be written there is nobody to tell.
pub fn note(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}
