//! The registry of formats: a new one is a file here and an entry in [`FORMATS`].

pub mod cap;
pub mod gtfs_rt;
pub mod hfp;
pub mod native;

use crate::{
    Frame,
    feeds::{Out, Source},
};

/// One wire format.
#[derive(Debug)]
pub struct FormatDef {
    /// The word for it in a feed's configuration.
    pub code: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    /// MQTT filters where the feed names none; [`crate::PREFIX`] stands for the configured prefix.
    pub topics: &'static [&'static str],
    /// IANA zone of its local times where the feed names none.
    pub timezone: Option<&'static str>,
    /// A feed of it is there without any configuration.
    pub by_default: bool,
    pub(crate) lane: Lane,
    pub(crate) decode: fn(&Source, &Frame<'_>, &mut Out),
    pub(crate) replaceable: fn(&str, &[u8]) -> bool,
}

/// By which lane a format's frames come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lane {
    /// The emergency lane, every one of them: the feed's own filters are the emergency session's.
    Emergency,
    /// The emergency lane where the topic says so, else the telemetry lane, to whose session the filters belong.
    ByTopic(fn(&str) -> bool),
}

impl Lane {
    /// Whether a frame of this topic belongs to the emergency lane.
    pub(crate) fn is_emergency(self, topic: &str) -> bool {
        match self {
            Self::Emergency => true,
            Self::ByTopic(is_emergency) => is_emergency(topic),
        }
    }
}

/// Every format, in the order in which feeds of equally literal filters are asked.
pub const FORMATS: &[FormatDef] = &[native::FORMAT, hfp::FORMAT, gtfs_rt::FORMAT, cap::FORMAT];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FeedSpec, Feeds};

    #[test]
    fn every_format_has_its_own_code_a_doc_and_defaults_that_compile() {
        for (i, format) in FORMATS.iter().enumerate() {
            assert!(FORMATS.iter().skip(i + 1).all(|other| other.code != format.code), "{}", format.code);
            assert!(format.doc.ends_with('.') && !format.topics.is_empty(), "{}", format.code);
        }
        let defaults: Vec<FeedSpec> = Feeds::defaults();
        assert_eq!(defaults.len(), FORMATS.iter().filter(|f| f.by_default).count());
        Feeds::new("topis", defaults).unwrap();
        let all = FORMATS.iter().map(|f| FeedSpec::new(transit::FeedId::parse(f.code).unwrap(), f.code));
        Feeds::new("topis", all.collect()).unwrap();
    }
}
