//! Webhooks: every change of an alert, as a CloudEvent, to those outside who asked for it.
//!
//! The journal is the outbox: an endpoint's cursor says up to which record it has been told, and what it has not been
//! told is read from the room. So nothing is written twice, and a receiver that was away hears the last state of every
//! alert when it is back. `pending` says what is due, `pace` when, `courier` brings it; start at [`start`].

mod address;
mod courier;
mod cursor;
mod endpoint;
mod pace;
mod pending;
mod standing;

use std::{path::Path, sync::Arc};

use alert::Finding;
use anyhow::Context as _;
use api::Published;
use room::ControlRoom;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, config::NotifyConfig, recurrence::Recurrence};
use courier::{Courier, system_roots};
use cursor::Cursor;
use endpoint::{Endpoint, subject_of};
use pending::SYS_NOTIFY;
pub(crate) use standing::Standing;

/// What endpoints read, and where they say what went wrong.
pub(crate) struct Desk {
    /// The room on disk, after every commit.
    pub(crate) recorded: watch::Receiver<ControlRoom>,
    /// Where vehicles are.
    pub(crate) published: Arc<Published>,
    /// The door that rules use.
    pub(crate) findings: mpsc::Sender<Vec<Finding>>,
    pub(crate) clock: Clock,
}

/// Starts a task for each endpoint; how each stands can be read from what it gives.
///
/// # Errors
/// A cursor cannot be read or kept, or no TLS can be set up.
pub(crate) fn start(
    config: &NotifyConfig,
    journal: &Path,
    desk: Desk,
    stop: &CancellationToken,
    tasks: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<Vec<Arc<Standing>>> {
    let roots = system_roots(&config.webhooks)?;
    let folder = Cursor::folder(journal);
    let (source, newest) = (Arc::from(config.source.as_str()), desk.recorded.borrow().seq());
    let mut standings = Vec::new();
    for webhook in &config.webhooks {
        let cursor = Cursor::open(&folder, &webhook.id, newest)
            .with_context(|| format!("the cursor of webhook {} in {}", webhook.id, folder.display()))?;
        let standing = Arc::new(Standing::new(&webhook.id));
        standings.push(Arc::clone(&standing));
        let endpoint = Endpoint {
            source: Arc::clone(&source),
            recorded: desk.recorded.clone(),
            published: Arc::clone(&desk.published),
            findings: desk.findings.clone(),
            courier: Courier::new(webhook, config.allow_private, roots.clone())?,
            cursor,
            standing,
            clock: desk.clock.clone(),
            failing: None,
            retry_at: None,
            parcel: None,
            given_up: Recurrence::new(SYS_NOTIFY, subject_of(&webhook.id)),
            webhook: webhook.clone(),
        };
        let stop = stop.clone();
        tasks.spawn(async move {
            endpoint.run(stop).await;
            Ok(())
        });
    }
    Ok(standings)
}

#[cfg(test)]
mod tests;
