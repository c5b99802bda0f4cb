//! What is worse than it should be: links, feeds, lost frames. Read each tick, written into every answer's `degraded`.

use std::{collections::BTreeMap, sync::Arc};

use api::Degraded;
use ingest::{EmergencyLane, Lanes, LinkStatus};
use picture::{FeedCondition, Link, Publication};
use tokio::sync::watch;
use transit::{FeedId, Now, UtcMillis};

use crate::notify::Standing;

/// A counter that rose keeps its complaint this long.
const COMPLAINT_MS: u64 = 60_000;

/// The broker session behind each feed. Everybody who looks has one of their own.
#[derive(Clone)]
pub(crate) struct FeedLinks {
    session: Option<watch::Receiver<LinkStatus>>,
    feeds: Vec<FeedId>,
    /// Whether positions can reach us, and since when; `None` before the first look.
    flow: Option<(bool, Now)>,
}

impl FeedLinks {
    /// All of `feeds` come by `session`.
    pub(crate) fn new(session: Option<watch::Receiver<LinkStatus>>, feeds: Vec<FeedId>) -> Self {
        Self { session, feeds, flow: None }
    }

    /// The link behind each feed.
    pub(crate) fn look(&mut self, now: Now) -> Vec<Link> {
        let up = self.session.as_ref().is_some_and(|status| status.borrow().is_up());
        let (up, since) = match self.flow {
            Some((was_up, since)) if was_up == up => (up, since),
            Some(_) | None => (up, now),
        };
        self.flow = Some((up, since));
        self.feeds.iter().map(|feed| Link { feed: feed.clone(), up, since }).collect()
    }
}

/// Looks at everything that can be out of order outside the room.
pub(crate) struct Health {
    links: Vec<(&'static str, watch::Receiver<LinkStatus>)>,
    lanes: Arc<Lanes>,
    emergency: EmergencyLane,
    webhooks: Vec<Arc<Standing>>,
    rises: Rises,
}

/// A named check of `/readyz`.
pub(crate) type Check = (String, bool, String);

impl Health {
    /// Watches these links, lanes and webhooks.
    pub(crate) fn new(
        links: Vec<(&'static str, watch::Receiver<LinkStatus>)>,
        lanes: Arc<Lanes>,
        emergency: EmergencyLane,
        webhooks: Vec<Arc<Standing>>,
    ) -> Self {
        Self { links, lanes, emergency, webhooks, rises: BTreeMap::new() }
    }

    /// Everything that is out of order now, and the readiness checks.
    pub(crate) fn look(&mut self, picture: &Publication, now: Now) -> (Vec<Degraded>, Vec<Check>) {
        let mut complaints = Vec::new();
        let mut complain = |code: &str, scope: String, detail: String, since: UtcMillis| {
            complaints.push(Degraded { code: code.to_owned(), scope, since, detail });
        };
        let mut checks = Vec::new();
        for (name, status) in &self.links {
            let status = status.borrow();
            let state = format!("{:?}", status.state).to_lowercase();
            let detail = if status.detail.is_empty() { state } else { format!("{state}: {}", status.detail) };
            if !status.is_up() {
                complain("link_down", format!("broker:{name}"), detail.clone(), status.since);
            }
            checks.push((format!("broker_{name}"), status.is_up(), detail));
        }
        for feed in picture.feeds.values() {
            let code = match feed.condition {
                FeedCondition::Good | FeedCondition::Quiet | FeedCondition::Unheard => continue,
                FeedCondition::LinkDown => "feed_link_down",
                FeedCondition::Silent => "feed_silent",
                FeedCondition::Frozen => "feed_frozen",
                FeedCondition::Partial => "feed_partial",
            };
            let detail = format!("{} of {} vehicles live", feed.by_freshness[0], feed.vehicles);
            complain(code, format!("feed:{}", feed.id), detail, feed.condition_since);
        }
        let lanes = self.lanes.counters();
        let emergency = self.emergency.counters();
        for (code, scope, total, what) in [
            ("frames_dropped", "lane:telemetry", lanes.dropped_events, "stop, door or sign-on messages"),
            ("positions_dropped", "lane:telemetry", lanes.dropped_positions, "positions"),
            ("emergencies_shed", "lane:emergency", emergency.qos0_shed, "QoS 0 alarms; publish alarms at QoS 1"),
            (
                "emergencies_refused",
                "broker:embedded",
                emergency.refused,
                "alarms or incidents under a topic that the users file does not give their sender",
            ),
        ] {
            if let Some(rose_at) = rose(&mut self.rises, code, total, now) {
                complain(code, scope.to_owned(), format!("{total} {what} dropped since start"), rose_at);
            }
        }
        complaints.extend(self.webhooks.iter().filter_map(|webhook| webhook.complaint(now)));
        (complaints, checks)
    }
}

/// Counters that must not rise: last value, and when it first and last rose (wall and monotonic) in one complaint.
type Rises = BTreeMap<&'static str, (u64, Option<(UtcMillis, u64)>)>;

/// Since when the counter rises, while that is recent.
fn rose(rises: &mut Rises, code: &'static str, total: u64, now: Now) -> Option<UtcMillis> {
    let (last, risen) = rises.entry(code).or_default();
    if total > *last {
        *last = total;
        let first = risen.map_or(now.utc, |(at, _)| at);
        *risen = Some((first, now.mono_ms));
    }
    if risen.is_some_and(|(_, mono)| now.mono_ms.saturating_sub(mono) > COMPLAINT_MS) {
        *risen = None;
    }
    risen.map(|(at, _)| at)
}
