//! The feeds that a file means: what it says of each, over what is there without a word.

use decode::Feeds;

use super::file;

/// The default feeds with the file's entries laid over them, in order; entries without an id are left out.
pub(super) fn merged_feeds(entries: &[file::Feed]) -> Vec<file::Feed> {
    let mut feeds: Vec<file::Feed> = Feeds::defaults()
        .into_iter()
        .map(|spec| file::Feed { id: spec.id.to_string(), format: Some(spec.format), ..file::Feed::default() })
        .collect();
    for entry in entries.iter().filter(|entry| !entry.id.is_empty()) {
        match feeds.iter_mut().find(|feed| feed.id == entry.id) {
            Some(feed) => lay_over(feed, entry),
            None => feeds.push(entry.clone()),
        }
    }
    feeds
}

fn lay_over(feed: &mut file::Feed, entry: &file::Feed) {
    fn take<T: Clone>(slot: &mut Option<T>, given: &Option<T>) {
        if given.is_some() {
            slot.clone_from(given);
        }
    }
    take(&mut feed.format, &entry.format);
    take(&mut feed.topics, &entry.topics);
    take(&mut feed.agency, &entry.agency);
    take(&mut feed.namespace, &entry.namespace);
    take(&mut feed.mode, &entry.mode);
    take(&mut feed.expect, &entry.expect);
    take(&mut feed.service_hours, &entry.service_hours);
    take(&mut feed.interval_s, &entry.interval_s);
    take(&mut feed.enabled, &entry.enabled);
    take(&mut feed.timezone, &entry.timezone);
    take(&mut feed.senders, &entry.senders);
}
