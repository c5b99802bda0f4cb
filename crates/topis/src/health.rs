//! What is worse than it should be: links, feeds, lost frames. Read each tick, written into every answer's `degraded`.

use std::{collections::BTreeMap, sync::Arc};

use api::Degraded;
use decode::Feeds;
use detect::EmergencyLink;
use ingest::{EmergencyLane, Filter, Lanes, LinkStatus, Outbox};
use picture::{FeedCondition, Link, Publication};
use tokio::sync::watch;
use transit::{FeedId, Now, UtcMillis};

use crate::{
    links::{EMERGENCY, LinkStatuses},
    notify::Standing,
};

/// A counter that rose keeps its complaint this long.
const COMPLAINT_MS: u64 = 60_000;

/// The broker sessions behind each feed and behind the alarms. Everybody who looks has one of their own.
#[derive(Clone)]
pub(crate) struct FeedLinks {
    session: Option<watch::Receiver<LinkStatus>>,
    feeds: Vec<FeedLink>,
    /// With the embedded broker there is none: alarms come in by its hook.
    emergency: Option<(watch::Receiver<LinkStatus>, Flow)>,
}

#[derive(Clone)]
struct FeedLink {
    feed: FeedId,
    filters: Vec<Filter>,
    flow: Flow,
}

/// Whether messages can reach us, and since when; `None` before the first look.
#[derive(Clone, Copy, Default)]
struct Flow(Option<(bool, Now)>);

impl Flow {
    fn since(&mut self, up: bool, now: Now) -> Now {
        let since = self.0.filter(|(was_up, _)| *was_up == up).map_or(now, |(_, since)| since);
        self.0 = Some((up, since));
        since
    }
}

impl FeedLinks {
    /// All of `ids` come by the first of `links` that is not the one of the alarms.
    pub(crate) fn new(links: &LinkStatuses, ids: impl IntoIterator<Item = FeedId>, feeds: &Feeds) -> Self {
        let link = |emergency| links.iter().find(|(name, _)| (*name == EMERGENCY) == emergency);
        let parsed = |texts: &[String]| texts.iter().filter_map(|text| Filter::parse(text).ok()).collect();
        let feed = |feed| FeedLink { filters: parsed(feeds.filters_of(&feed)), feed, flow: Flow::default() };
        Self {
            session: link(false).map(|(_, session)| session.clone()),
            feeds: ids.into_iter().map(feed).collect(),
            emergency: link(true).map(|(_, session)| (session.clone(), Flow::default())),
        }
    }

    /// The link behind each feed. A filter that the broker refuses is that feed's trouble alone.
    pub(crate) fn look(&mut self, now: Now) -> Vec<Link> {
        let status = self.session.as_ref().map(|session| session.borrow().clone());
        let look = |link: &mut FeedLink| {
            let up = status.as_ref().is_some_and(|status| status.carries(&link.filters));
            Link { feed: link.feed.clone(), up, since: link.flow.since(up, now) }
        };
        self.feeds.iter_mut().map(look).collect()
    }

    /// The link that brings alarms from a foreign broker.
    pub(crate) fn look_at_emergency(&mut self, now: Now) -> Option<EmergencyLink> {
        let (session, flow) = self.emergency.as_mut()?;
        let status = session.borrow();
        let up = status.is_up();
        Some(EmergencyLink { up, since: flow.since(up, now), reason: in_words(&status) })
    }
}

fn in_words(status: &LinkStatus) -> String {
    let state = status.state.word();
    if status.detail.is_empty() { state.to_owned() } else { format!("{state}: {}", status.detail) }
}

/// Looks at everything that can be out of order outside the room.
pub(crate) struct Health {
    links: LinkStatuses,
    lanes: Arc<Lanes>,
    emergency: EmergencyLane,
    receipts: Receipts,
    webhooks: Vec<Arc<Standing>>,
    rises: Rises,
}

/// By which vehicles hear that somebody heard them.
pub(crate) struct Receipts {
    pub(crate) outbox: Outbox,
    pub(crate) link: watch::Receiver<LinkStatus>,
}

/// A named check of `/readyz`.
pub(crate) type Check = (String, bool, String);

impl Health {
    /// Watches these links, lanes and webhooks.
    pub(crate) fn new(
        links: LinkStatuses,
        lanes: Arc<Lanes>,
        emergency: EmergencyLane,
        receipts: Receipts,
        webhooks: Vec<Arc<Standing>>,
    ) -> Self {
        Self { links, lanes, emergency, receipts, webhooks, rises: BTreeMap::new() }
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
            let detail = in_words(&status);
            if !status.is_up() {
                complain("link_down", format!("broker:{name}"), detail.clone(), status.since);
            }
            checks.push((format!("broker_{name}"), status.is_up(), detail));
        }
        // Everything is heard without it: nothing to be out of service for.
        let out = self.receipts.link.borrow().clone();
        if !out.is_up() {
            complain("receipts_link_down", "broker:out".to_owned(), in_words(&out), out.since);
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
            ("receipts_lost", "broker:out", self.receipts.outbox.dropped(), "receipts to vehicles"),
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

#[cfg(test)]
mod tests {
    use ingest::LinkState;

    use super::*;

    fn status(state: LinkState, detail: &str) -> LinkStatus {
        LinkStatus { state, since: UtcMillis(0), detail: detail.to_owned(), epoch: 1, connects: 1, oversized: 0 }
    }

    fn refused(filters: &[&str]) -> LinkStatus {
        let filters = filters.iter().map(|filter| Filter::parse(filter).unwrap()).collect();
        status(LinkState::Refused { filters, code: 0x87 }, "refuses us")
    }

    fn at(second: u64) -> Now {
        Now { utc: UtcMillis(second as i64 * 1000), mono_ms: second * 1000 }
    }

    /// Each feed's link as `id up since`.
    fn seen(links: &mut FeedLinks, second: u64) -> Vec<String> {
        let links = links.look(at(second));
        let seen = |link: &Link| format!("{} {} {}", link.feed, link.up, link.since.mono_ms / 1000);
        let mut seen: Vec<String> = links.iter().filter(|link| link.feed.as_str() != "cap").map(seen).collect();
        seen.sort();
        seen
    }

    fn by_default(links: &LinkStatuses) -> FeedLinks {
        let feeds = Feeds::new("topis", Feeds::defaults()).unwrap();
        FeedLinks::new(links, Feeds::defaults().into_iter().map(|feed| feed.id), &feeds)
    }

    #[test]
    fn a_refused_filter_is_down_for_its_own_feeds_and_up_for_the_others() {
        let telemetry = watch::Sender::new(status(LinkState::Up, ""));
        let mut links = by_default(&vec![("telemetry", telemetry.subscribe())]);
        assert_eq!(seen(&mut links, 0), ["gtfs-rt true 0", "hfp true 0", "native true 0"]);
        telemetry.send_replace(refused(&["/hfp/v2/#"]));
        assert_eq!(seen(&mut links, 1), ["gtfs-rt true 0", "hfp false 1", "native true 0"]);
        // The subscription of the native feed carries those below the same prefix.
        telemetry.send_replace(refused(&["topis/#"]));
        assert_eq!(seen(&mut links, 2), ["gtfs-rt false 2", "hfp true 2", "native false 2"]);
        telemetry.send_replace(status(LinkState::Down, "gone"));
        assert_eq!(seen(&mut links, 3), ["gtfs-rt false 2", "hfp false 3", "native false 2"]);
        telemetry.send_replace(status(LinkState::Connecting, ""));
        assert_eq!(seen(&mut links, 4), ["gtfs-rt false 2", "hfp false 3", "native false 2"]);
        telemetry.send_replace(status(LinkState::Up, ""));
        assert_eq!(seen(&mut links, 5), ["gtfs-rt true 5", "hfp true 5", "native true 5"]);
    }

    #[test]
    fn the_emergency_session_is_looked_at_by_itself_and_is_no_feeds() {
        let telemetry = watch::Sender::new(status(LinkState::Up, ""));
        let emergency = watch::Sender::new(status(LinkState::Up, ""));
        let mut links = by_default(&vec![(EMERGENCY, emergency.subscribe()), ("telemetry", telemetry.subscribe())]);
        let up = EmergencyLink { up: true, since: at(0), reason: "up".to_owned() };
        assert_eq!(links.look_at_emergency(at(0)), Some(up));
        emergency.send_replace(refused(&["topis/v1/vehicle/+/+/alarm"]));
        let down = EmergencyLink { up: false, since: at(1), reason: "refused: refuses us".to_owned() };
        assert_eq!(links.look_at_emergency(at(1)), Some(down));
        emergency.send_replace(status(LinkState::Down, "gone"));
        let down = EmergencyLink { up: false, since: at(1), reason: "down: gone".to_owned() };
        assert_eq!(links.look_at_emergency(at(2)), Some(down));
        assert!(links.look(at(2)).iter().all(|link| link.up));
    }

    #[test]
    fn with_the_embedded_broker_there_is_no_emergency_session() {
        let embedded = watch::Sender::new(status(LinkState::Up, ""));
        let mut links = by_default(&vec![("embedded", embedded.subscribe())]);
        assert_eq!(links.look_at_emergency(at(0)), None);
        assert_eq!(seen(&mut links, 0), ["gtfs-rt true 0", "hfp true 0", "native true 0"]);
    }
}
