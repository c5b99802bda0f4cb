//! `topis validate`: decodes one message offline with the configured feeds and says what came of it.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use decode::{Decoded, Feeds, Frame, Grade};
use transit::UtcMillis;

use crate::{cli::ValidateOptions, config::Config, output};

/// Decodes the message and prints it. The exit code is 1 when something of it was lost.
///
/// # Errors
/// The topic belongs to another feed than the one named; a body that cannot be read.
pub fn run(options: &ValidateOptions, config: Config) -> anyhow::Result<ExitCode> {
    let payload = body(&options.file)?;
    let frame = Frame {
        topic: &options.topic,
        payload: &payload,
        retained: false,
        dup: false,
        received_at: UtcMillis::from(jiff::Timestamp::now()),
    };
    let decoded = judge(&frame, options.feed.as_deref(), config)?;
    output::data(&serde_json::to_string_pretty(&api::verdict_json(&decoded))?)?;
    let lost = decoded.problems.iter().any(|problem| problem.grade == Grade::Reject);
    Ok(ExitCode::from(u8::from(lost)))
}

fn judge(frame: &Frame<'_>, asked: Option<&str>, config: Config) -> anyhow::Result<Decoded> {
    let Ok(feeds) = Feeds::new(&config.mqtt_prefix, config.feeds) else {
        unreachable!("a loaded configuration has feeds that compile")
    };
    let decoded = feeds.decode(frame);
    match asked {
        Some(asked) if asked != decoded.feed.as_str() => {
            bail!("the topic belongs to feed {}, not to {asked}; look at its topics: topis config show", decoded.feed)
        }
        Some(_) | None => Ok(decoded),
    }
}

fn body(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut payload = Vec::new();
        io::stdin().lock().read_to_end(&mut payload).context("standard input cannot be read")?;
        return Ok(payload);
    }
    fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}
