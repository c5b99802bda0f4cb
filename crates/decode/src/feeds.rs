//! The configured feeds: which of them a topic belongs to, and what its format makes of the payload.
//!
//! Knows topics and the format registry; what a payload means is the format's. Start at [`Feeds::decode`].

use alert::Fingerprint;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use smallvec::SmallVec;
use transit::{AgencyId, FeedId, IdError, Mode, VehicleKey};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::{
    Decoded, FeedSpec, Frame, Message, ProblemCode,
    fields::{Notes, nearest},
    formats::{FORMATS, FormatDef, Lane, native},
    topic::Filter,
};

/// In a feed's topics this stands for the configured prefix.
pub const PREFIX: &str = "{prefix}";

/// Why a feed cannot be configured so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The prefix is no plain topic.
    #[error("mqtt.prefix {0:?}: must be topic levels without wildcards")]
    Prefix(String),
    /// Two feeds of one id.
    #[error("feed {0}: is configured twice")]
    DuplicateId(FeedId),
    /// Not in the registry.
    #[error("feed {feed}: format {format:?} is not known; {hint}")]
    UnknownFormat {
        /// The feed.
        feed: FeedId,
        /// The word given.
        format: String,
        /// The nearest word, or all of them.
        hint: String,
    },
    /// Not an MQTT filter.
    #[error("feed {feed}: topic filter {topic:?} {reason}")]
    Topic {
        /// The feed.
        feed: FeedId,
        /// The filter given.
        topic: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The agency or namespace is no id.
    #[error("feed {feed}: {field} {reason}")]
    Id {
        /// The feed.
        feed: FeedId,
        /// `agency` or `namespace`.
        field: &'static str,
        /// What is wrong with it.
        reason: IdError,
    },
    /// Not in the time zone database.
    #[error("feed {feed}: timezone {name:?} is no zone like Europe/Helsinki")]
    TimeZone {
        /// The feed.
        feed: FeedId,
        /// The name given.
        name: String,
    },
}

/// One feed, ready to decode.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) feed: FeedId,
    pub(crate) format: &'static FormatDef,
    /// What the configuration subscribes to, as text; empty where it names none.
    topics: Vec<String>,
    pub(crate) filters: Vec<Filter>,
    /// What stands before `v1` in them: below it a native topic has its meaning.
    pub(crate) roots: Vec<Filter>,
    /// Agency where the format has none, the namespace before it.
    pub(crate) agency: AgencyId,
    namespace: Option<String>,
    pub(crate) mode: Option<Mode>,
    pub(crate) zone: TimeZone,
    /// Who may send; empty: everybody.
    senders: Vec<String>,
}

impl Source {
    /// That sender may speak by this feed.
    pub(crate) fn hears(&self, sender: &str) -> bool {
        self.senders.is_empty() || self.senders.iter().any(|known| known == sender)
    }

    /// The agency of a topic level: `<namespace>:<agency>` where the feed has a namespace.
    pub(crate) fn agency_of(&self, level: &str) -> Result<AgencyId, IdError> {
        let agency = AgencyId::parse_level(level)?;
        match &self.namespace {
            None => Ok(agency),
            Some(namespace) => AgencyId::parse(&format!("{namespace}:{agency}")),
        }
    }
}

/// What a format puts its findings into.
#[derive(Debug, Default)]
pub(crate) struct Out {
    pub(crate) messages: SmallVec<[Message; 1]>,
    pub(crate) notes: Notes,
    /// Whom the topic names, once known: a reject without a message still says whose it was.
    pub(crate) vehicle: Option<VehicleKey>,
}

/// The configured feeds.
#[derive(Debug)]
pub struct Feeds {
    prefix: String,
    sources: Vec<Source>,
    /// (literal levels, index into `sources`, filter), the most literal first.
    routes: Vec<(usize, Filter)>,
    /// Where native alarms and incidents live: (root, index into `sources`).
    roots: Vec<(Filter, usize)>,
    telemetry: Vec<String>,
    emergency: Vec<(String, Filter)>,
}

impl Feeds {
    /// Checks and compiles the configuration. The native topics under `prefix` carry alarms and incidents even when
    /// no feed of format `native` is given: an alarm is never a matter of configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn new(prefix: &str, specs: Vec<FeedSpec>) -> Result<Self, Vec<FeedError>> {
        let mut errors = Vec::new();
        let plain = Filter::parse(prefix).is_ok() && !prefix.contains(['+', '#']) && !prefix.ends_with('/');
        if !plain {
            return Err(vec![FeedError::Prefix(prefix.to_owned())]);
        }
        let mut sources: Vec<Source> = Vec::new();
        for spec in specs {
            if sources.iter().any(|s| s.feed == spec.id) {
                errors.push(FeedError::DuplicateId(spec.id.clone()));
            }
            if let Some(source) = compile(prefix, &spec, &mut errors) {
                sources.push(source);
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        if !native_covers(&sources, prefix) {
            sources.push(implicit_native(prefix));
        }
        Ok(Self::assemble(prefix, sources))
    }

    fn assemble(prefix: &str, sources: Vec<Source>) -> Self {
        let mut routes: Vec<(usize, Filter)> = Vec::new();
        let mut roots: Vec<(Filter, usize)> = Vec::new();
        for (i, source) in sources.iter().enumerate() {
            routes.extend(source.filters.iter().map(|f| (i, f.clone())));
            if source.format.code == native::CODE {
                for root in &source.roots {
                    if !roots.iter().any(|(r, _)| r == root) {
                        roots.push((root.clone(), i));
                    }
                }
            }
        }
        routes.sort_by_key(|(_, filter)| std::cmp::Reverse(filter.literal_levels()));
        let topics_of = |emergency: bool| {
            let of_lane = move |s: &&Source| matches!(s.format.lane, Lane::Emergency) == emergency;
            sources.iter().filter(of_lane).flat_map(|s| s.topics.clone())
        };
        let emergency = roots
            .iter()
            .flat_map(|(root, _)| native::EMERGENCY_FILTERS.iter().map(|below| root.joined(below)))
            .chain(uncovered(topics_of(true).collect()))
            .filter_map(|text| Filter::parse(&text).ok().map(|filter| (text, filter)))
            .collect();
        let telemetry = uncovered(topics_of(false).collect());
        Self { prefix: prefix.to_owned(), sources, routes, roots, telemetry, emergency }
    }

    /// The feeds that are there without any configuration.
    pub fn defaults() -> Vec<FeedSpec> {
        let formats = FORMATS.iter().filter(|f| f.by_default);
        formats.filter_map(|f| FeedId::parse(f.code).ok().map(|id| FeedSpec::new(id, f.code))).collect()
    }

    /// What one frame says, on whichever lane it came. Total: never panics, never fails.
    pub fn decode(&self, frame: &Frame<'_>) -> Decoded {
        let Some(source) = self.source_of(frame.topic) else {
            return self.unknown_topic(frame);
        };
        let mut out = Out::default();
        (source.format.decode)(source, frame, &mut out);
        Decoded {
            feed: source.feed.clone(),
            messages: out.messages,
            vehicle: out.vehicle,
            unknown_fields: out.notes.unknown_fields,
            problems: out.notes.problems,
        }
    }

    /// Whether a newer frame of the same topic may take this one's place when we are behind: plain positions only,
    /// never a stop, door, sign-on or sign-off. Looks at no more of the payload than it must.
    pub fn is_replaceable(&self, topic: &str, payload: &[u8]) -> bool {
        self.source_of(topic).is_some_and(|source| (source.format.replaceable)(topic, payload))
    }

    /// Whether the topic carries alarms or incidents, well-formed or not: such a frame belongs to the emergency lane,
    /// whichever session it came by.
    pub fn is_emergency(&self, topic: &str) -> bool {
        self.emergency_source(topic).is_some()
            || self.routed(topic).is_some_and(|source| source.format.lane.is_emergency(topic))
    }

    /// Whether presses overtake this frame of the emergency lane: an incident, or an alarm that says of itself that it is
    /// no emergency. In doubt it may not wait.
    pub fn may_wait(&self, topic: &str, payload: &[u8]) -> bool {
        let below =
            self.roots.iter().filter_map(|(root, _)| root.strip(topic)).find(|below| native::is_emergency(below));
        // The other formats of this lane carry incidents.
        below.is_none_or(|below| native::may_wait(below, payload))
    }

    /// Whether the emergency session's own subscriptions deliver the topic. An emergency topic where this is false
    /// (an alarm with more levels than a filter can name) comes by the telemetry session only.
    pub fn has_emergency_filter(&self, topic: &str) -> bool {
        self.emergency.iter().any(|(_, filter)| filter.matches(topic))
    }

    /// What the telemetry session subscribes to; a filter that another one covers is left out. They may match
    /// emergency topics too, see [`Self::has_emergency_filter`].
    pub fn telemetry_filters(&self) -> Vec<String> {
        self.telemetry.clone()
    }

    /// What a feed is configured to subscribe to, by whichever session and whatever other filter covers it.
    pub fn filters_of(&self, feed: &FeedId) -> &[String] {
        self.sources.iter().find(|source| source.feed == *feed).map_or(&[], |source| &source.topics)
    }

    /// What the emergency session subscribes to.
    pub fn emergency_filters(&self) -> Vec<String> {
        self.emergency.iter().map(|(text, _)| text.clone()).collect()
    }

    fn emergency_source(&self, topic: &str) -> Option<&Source> {
        let is_native = |root: &Filter| root.strip(topic).is_some_and(native::is_emergency);
        let (_, i) = self.roots.iter().find(|(root, _)| is_native(root))?;
        self.sources.get(*i)
    }

    fn source_of(&self, topic: &str) -> Option<&Source> {
        self.emergency_source(topic).or_else(|| self.routed(topic))
    }

    /// The feed whose most literal filter matches.
    fn routed(&self, topic: &str) -> Option<&Source> {
        let (i, _) = self.routes.iter().find(|(_, filter)| filter.matches(topic))?;
        self.sources.get(*i)
    }

    /// The filter that begins as the topic does, where one does.
    fn nearest_filter(&self, topic: &str) -> Option<String> {
        let shared = |filter: &str| topic.split('/').zip(filter.split('/')).take_while(|(a, b)| a == b).count();
        let named = |filter: &&String| topic.split('/').take(shared(filter)).any(|level| !level.is_empty());
        self.telemetry.iter().filter(named).max_by_key(|filter| shared(filter)).cloned()
    }

    fn unknown_topic(&self, frame: &Frame<'_>) -> Decoded {
        let mut notes = Notes::default();
        let nearest = self.nearest_filter(frame.topic).unwrap_or_else(|| native::nearest(&self.prefix, frame.topic));
        let detail = format!("is matched by no feed; the nearest of ours is {nearest}");
        notes.reject(ProblemCode::UnknownTopic, Some("topic"), detail);
        Decoded {
            feed: native_id(),
            messages: SmallVec::new(),
            vehicle: None,
            unknown_fields: 0,
            problems: notes.problems,
        }
    }
}

/// Stable hash of a frame, the same on every machine and in every version: equal messages are equal, whichever broker
/// delivered them.
pub(crate) fn content_hash(topic: &str, payload: &[u8]) -> u64 {
    xxh3_64_with_seed(payload, xxh3_64(topic.as_bytes()))
}

/// Identity of what was said: SHA-256 over a topic or name, a zero byte and the content.
pub(crate) fn fingerprint(topic: &str, content: &[u8]) -> Fingerprint {
    let digest = Sha256::new().chain_update(topic).chain_update([0]).chain_update(content).finalize();
    let (first, _) = digest.split_at(16);
    Fingerprint(first.iter().fold(0, |print, byte| print << 8 | u128::from(*byte)))
}

fn native_id() -> FeedId {
    FeedId::parse(native::CODE).expect("a format's code is a short word")
}

fn compile(prefix: &str, spec: &FeedSpec, errors: &mut Vec<FeedError>) -> Option<Source> {
    let feed = || spec.id.clone();
    let before = errors.len();
    let format = FORMATS.iter().find(|f| f.code == spec.format);
    if format.is_none() {
        let codes: Vec<&str> = FORMATS.iter().map(|f| f.code).collect();
        let hint = match nearest(&spec.format, &codes, 3) {
            Some(code) => format!("did you mean {code}?"),
            None => format!("known are {}", codes.join(", ")),
        };
        errors.push(FeedError::UnknownFormat { feed: feed(), format: spec.format.clone(), hint });
    }
    let defaults = format.map_or(&[][..], |f| f.topics);
    let topics: Vec<String> = if spec.topics.is_empty() {
        defaults.iter().map(|t| t.replace(PREFIX, prefix)).collect()
    } else {
        spec.topics.iter().map(|t| t.replace(PREFIX, prefix)).collect()
    };
    let mut filters = Vec::new();
    for topic in &topics {
        match Filter::parse(topic) {
            Ok(filter) => filters.push(filter),
            Err(reason) => errors.push(FeedError::Topic { feed: feed(), topic: topic.clone(), reason }),
        }
    }
    let id = |field, text: &str| AgencyId::parse(text).map_err(|reason| (field, reason));
    let namespace = spec.namespace.as_deref().map(|n| id("namespace", n)).transpose();
    let agency = spec.agency.as_deref().unwrap_or(spec.id.as_str());
    let agency = match &spec.namespace {
        None => id("agency", agency),
        Some(namespace) => id("agency", &format!("{namespace}:{agency}")),
    };
    for (field, reason) in [agency.as_ref().err(), namespace.as_ref().err()].into_iter().flatten() {
        errors.push(FeedError::Id { feed: feed(), field, reason: reason.clone() });
    }
    let name = spec.timezone.as_deref().or(format.and_then(|f| f.timezone)).unwrap_or("UTC");
    let zone = TimeZone::get(name);
    if zone.is_err() {
        errors.push(FeedError::TimeZone { feed: feed(), name: name.to_owned() });
    }
    if errors.len() > before {
        return None;
    }
    Some(Source {
        feed: feed(),
        format: format?,
        roots: roots_of(&filters),
        topics,
        filters,
        agency: agency.ok()?,
        namespace: namespace.ok()?.map(|n| n.to_string()),
        mode: spec.mode,
        zone: zone.ok()?,
        senders: spec.senders.clone(),
    })
}

fn native_covers(sources: &[Source], prefix: &str) -> bool {
    let topic = format!("{prefix}/v1/incident/x/y");
    let natives = sources.iter().filter(|s| s.format.code == native::CODE);
    natives.flat_map(|s| &s.roots).any(|root| root.strip(&topic) == Some("v1/incident/x/y"))
}

/// The feed that takes the prefix's alarms and incidents where no native feed is configured: it subscribes to nothing
/// else.
fn implicit_native(prefix: &str) -> Source {
    let format = FORMATS.iter().find(|f| f.code == native::CODE).expect("native is in the registry, a test holds it");
    let filters: Vec<Filter> = Filter::parse(&format!("{prefix}/v1/incident/#")).into_iter().collect();
    Source {
        feed: native_id(),
        format,
        roots: roots_of(&filters),
        topics: Vec::new(),
        filters,
        agency: AgencyId::parse(native::CODE).expect("a format's code is a short word"),
        namespace: None,
        mode: None,
        zone: TimeZone::UTC,
        senders: Vec::new(),
    }
}

fn roots_of(filters: &[Filter]) -> Vec<Filter> {
    let mut roots: Vec<Filter> = filters.iter().map(|f| f.root_before("v1")).collect();
    roots.dedup();
    roots
}

/// The filters that no other one covers, in their order: a broker may deliver a message once a matching filter.
fn uncovered(texts: Vec<String>) -> Vec<String> {
    let mut kept: Vec<(String, Filter)> = Vec::new();
    for (text, filter) in texts.into_iter().filter_map(|t| Filter::parse(&t).ok().map(|f| (t, f))) {
        if kept.iter().any(|(_, k)| k.covers(&filter)) {
            continue;
        }
        kept.retain(|(_, k)| !filter.covers(k));
        kept.push((text, filter));
    }
    kept.into_iter().map(|(text, _)| text).collect()
}
