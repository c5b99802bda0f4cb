//! The picture's tick: takes away what the workers counted and makes what they folded visible.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use picture::{Picture, Publisher, Tally};
use tokio_util::sync::CancellationToken;

use crate::{
    board::{Board, Tick},
    clock::Clock,
    health::{FeedLinks, Health},
    ledger::Ledger,
    workers::TallySlot,
};

/// How often the picture is published when something changed.
const TICK: Duration = Duration::from_millis(100);

/// What a tick reads and writes.
pub(crate) struct Ticker {
    pub(crate) picture: Arc<Picture>,
    pub(crate) publisher: Publisher,
    pub(crate) board: Arc<Board>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) slots: Vec<TallySlot>,
    pub(crate) links: FeedLinks,
    pub(crate) health: Health,
    pub(crate) clock: Clock,
    /// Version of the ledger's pages already published.
    pub(crate) pages_seen: u64,
}

impl Ticker {
    /// Ticks until told to stop. Runs on a thread of its own, because building a publication is work and no waiting.
    pub(crate) fn run(mut self, runtime: &tokio::runtime::Handle, stop: &CancellationToken) {
        let _entered = runtime.enter();
        let mut ticks = tokio::time::interval(self.clock.pause(TICK));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while runtime.block_on(async {
            tokio::select! {
                () = stop.cancelled() => false,
                _ = ticks.tick() => true,
            }
        }) {
            self.tick();
        }
    }

    fn tick(&mut self) {
        let mut tallies: Vec<Tally> = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            tallies.push(std::mem::take(&mut *slot.lock().unwrap_or_else(PoisonError::into_inner)));
        }
        let now = self.clock.now();
        let pages = self.ledger.changed_since(self.pages_seen);
        if let Some(pages) = &pages {
            self.pages_seen = pages.version;
        }
        let Self { picture, publisher, health, board, .. } = self;
        let links = self.links.look(now);
        board.post_picture(now, |revision| {
            let picture = publisher.publish(picture, tallies, &links, now, revision);
            let (degraded, checks) = health.look(&picture, now);
            Tick { picture, pages, degraded, checks }
        });
    }
}
