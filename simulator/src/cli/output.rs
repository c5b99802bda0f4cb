//! The one door to stdout, stderr and the terminal. Knows nothing of what goes through it.

use std::{
    io::{self, BufWriter, Stdout, Write as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use simulator::Outgoing;

use super::Failure;

/// A line to stderr; what cannot be said there can be said nowhere.
pub(crate) fn note(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// Records on stdout, one JSON value a line.
pub(crate) struct Lines(BufWriter<Stdout>);

impl Lines {
    pub(crate) fn new() -> Self {
        Self(BufWriter::new(io::stdout()))
    }

    pub(crate) fn put(&mut self, record: &Value) -> Result<(), Failure> {
        writeln!(self.0, "{record}").map_err(unwritten)
    }

    pub(crate) fn text(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.0, "{line}").map_err(unwritten)
    }

    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.0.flush().map_err(unwritten)
    }
}

/// A reader that has seen enough, as `head` has, is no failure.
fn unwritten(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe { Failure::ReaderLeft } else { anyhow::Error::from(error).into() }
}

/// A message as a record: the body as text, or in hexadecimal when it is none.
pub(crate) fn record(message: &Outgoing) -> Value {
    let at = message.at.to_string();
    if let Some(control) = message.control {
        return json!({"at": at, "control": format!("{control:?}")});
    }
    let mut record = json!({"at": at, "topic": message.topic, "qos": message.qos, "retain": message.retain});
    match std::str::from_utf8(&message.payload) {
        Ok(text) => record["payload"] = Value::from(text),
        Err(_) => {
            let hex: String = message.payload.iter().map(|byte| format!("{byte:02x}")).collect();
            record["payload_hex"] = Value::from(hex);
        }
    }
    record
}

/// A line of progress on a terminal's stderr; nothing where stderr is no terminal.
pub(crate) fn progress(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    let style = ProgressStyle::with_template("{spinner} {msg}  {human_pos} messages, {per_sec}, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
