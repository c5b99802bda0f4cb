//! GTFS-Realtime 2.0 service alerts, FULL_DATASET, from advisories: protobuf, and canonical protobuf-JSON.
//!
//! Every period and every selector is kept; an open end is absent. The header's time is the caller's: it moves with the
//! content and never goes back. Knows no incident, only what is said outside.

use std::collections::BTreeMap;

use alert::{ActivePeriod, Affected, Severity};
use decode::gtfs_realtime::{
    Alert, EntitySelector, FeedEntity, FeedHeader, FeedMessage, TimeRange, TranslatedString, TripDescriptor,
    alert::{Cause, Effect, SeverityLevel},
    feed_header::Incrementality,
    translated_string::Translation,
};
use transit::UtcMillis;

use crate::Advisory;

/// The advisories as one message whose header has the time `at`.
pub fn service_alerts<'a>(advisories: impl IntoIterator<Item = &'a Advisory>, at: UtcMillis) -> FeedMessage {
    FeedMessage {
        header: FeedHeader {
            gtfs_realtime_version: "2.0".to_owned(),
            incrementality: Some(Incrementality::FullDataset.into()),
            timestamp: seconds(at),
            ..FeedHeader::default()
        },
        entity: advisories.into_iter().map(entity).collect(),
    }
}

fn entity(advisory: &Advisory) -> FeedEntity {
    let cause = Cause::from_str_name(&advisory.cause).unwrap_or(Cause::UnknownCause);
    let effect = advisory.effect.as_deref().and_then(Effect::from_str_name).unwrap_or(Effect::UnknownEffect);
    let url = advisory.url.as_ref().map(|url| translated(&BTreeMap::from([(String::new(), url.clone())])));
    FeedEntity {
        id: advisory.id.clone(),
        alert: Some(Alert {
            active_period: advisory.active_periods.iter().map(time_range).collect(),
            informed_entity: advisory.affects.iter().map(selector).collect(),
            cause: Some(cause.into()),
            effect: Some(effect.into()),
            url,
            header_text: Some(translated(&advisory.header)),
            description_text: Some(translated(&advisory.description)),
            severity_level: Some(severity_level(advisory.severity).into()),
            ..Alert::default()
        }),
        ..FeedEntity::default()
    }
}

fn time_range(period: &ActivePeriod) -> TimeRange {
    TimeRange { start: period.start.and_then(seconds), end: period.end.and_then(seconds) }
}

/// Whole seconds since 1970; absent before, where 0 would be read as a claim.
fn seconds(instant: UtcMillis) -> Option<u64> {
    u64::try_from(instant.0 / 1000).ok().filter(|seconds| *seconds > 0)
}

fn selector(entry: &Affected) -> EntitySelector {
    let direction_id = entry.direction_id.map(u32::from);
    EntitySelector {
        agency_id: entry.agency_id.clone(),
        route_id: entry.route_id.clone(),
        route_type: entry.route_type,
        trip: entry.trip_id.clone().map(|id| TripDescriptor { trip_id: Some(id), ..TripDescriptor::default() }),
        stop_id: entry.stop_id.clone(),
        // A direction without its route is an error to every validator.
        direction_id: direction_id.filter(|_| entry.route_id.is_some()),
    }
}

fn translated(texts: &BTreeMap<String, String>) -> TranslatedString {
    let translation = texts.iter().map(|(language, text)| Translation {
        text: text.clone(),
        language: Some(language.clone()).filter(|language| !language.is_empty()),
    });
    TranslatedString { translation: translation.collect() }
}

fn severity_level(severity: Severity) -> SeverityLevel {
    match severity {
        Severity::Minor => SeverityLevel::Info,
        Severity::Moderate => SeverityLevel::Warning,
        Severity::Severe | Severity::Extreme => SeverityLevel::Severe,
        Severity::Unknown => SeverityLevel::UnknownSeverity,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use alert::Incident;
    use decode::{Feeds, Frame, Message};
    use expect_test::expect;
    use prost::Message as _;

    use super::*;
    use crate::{formats::gtfs_rt::to_pb, samples::NOW};

    fn advisory() -> Advisory {
        let period = |start, end| ActivePeriod { start: Some(NOW.plus_millis(start)), end };
        Advisory {
            id: "topis/77".to_owned(),
            active_periods: vec![period(0, Some(NOW.plus_millis(60_000))), period(3_600_000, None)],
            affects: vec![
                Affected { route_id: Some("9404".to_owned()), direction_id: Some(1), ..Affected::default() },
                Affected { stop_id: Some("111".to_owned()), ..Affected::default() },
                Affected { trip_id: Some("t".to_owned()), ..Affected::default() },
            ],
            cause: "WEATHER".to_owned(),
            effect: Some("DETOUR".to_owned()),
            severity: Severity::Severe,
            header: BTreeMap::from([(String::new(), "Underpass closed".to_owned())]),
            description: BTreeMap::from([
                ("en".to_owned(), "Diverted".to_owned()),
                ("ko".to_owned(), "우회 운행".to_owned()),
            ]),
            url: None,
            updated_at: NOW,
        }
    }

    #[test]
    fn an_advisory_as_protobuf_json() {
        let value: serde_json::Value = serde_json::to_value(service_alerts([&advisory()], NOW)).unwrap();
        expect![[r#"
            {
              "entity": [
                {
                  "alert": {
                    "activePeriod": [
                      {
                        "end": "1795420860",
                        "start": "1795420800"
                      },
                      {
                        "start": "1795424400"
                      }
                    ],
                    "cause": "WEATHER",
                    "descriptionText": {
                      "translation": [
                        {
                          "language": "en",
                          "text": "Diverted"
                        },
                        {
                          "language": "ko",
                          "text": "우회 운행"
                        }
                      ]
                    },
                    "effect": "DETOUR",
                    "headerText": {
                      "translation": [
                        {
                          "text": "Underpass closed"
                        }
                      ]
                    },
                    "informedEntity": [
                      {
                        "directionId": 1,
                        "routeId": "9404"
                      },
                      {
                        "stopId": "111"
                      },
                      {
                        "trip": {
                          "tripId": "t"
                        }
                      }
                    ],
                    "severityLevel": "SEVERE"
                  },
                  "id": "topis/77"
                }
              ],
              "header": {
                "gtfsRealtimeVersion": "2.0",
                "incrementality": "FULL_DATASET",
                "timestamp": "1795420800"
              }
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn nothing_to_say_is_an_empty_data_set_with_a_time() {
        let message = service_alerts([], NOW);
        assert!(message.entity.is_empty());
        assert_eq!(message.header.timestamp, seconds(NOW));
    }

    /// A file of the recordings, or `None` after saying loudly that it is not there.
    #[expect(clippy::disallowed_methods, reason = "recordings are found by the environment and read from files")]
    fn recording(name: &str) -> Option<Vec<u8>> {
        let folder = std::env::var_os("TOPIS_RECORDINGS")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
        let path = folder.join(name);
        let bytes = std::fs::read(&path).ok();
        if bytes.is_none() {
            #[expect(clippy::print_stderr, reason = "a test that is skipped must be seen to be")]
            {
                eprintln!("SKIPPED: recordings not present ({})", path.display());
            }
        }
        bytes
    }

    /// What a selector says, whichever way it is written.
    fn said(selector: &EntitySelector) -> String {
        let trip = selector.trip.as_ref().and_then(|trip| trip.trip_id.as_ref());
        format!(
            "{:?} {:?} {:?} {:?} {:?} {trip:?}",
            selector.agency_id, selector.route_id, selector.route_type, selector.direction_id, selector.stop_id
        )
    }

    #[test]
    fn every_period_and_selector_of_real_alerts_survives_the_way_in_and_out() {
        let Some(bytes) = recording("gtfs-rt/alerts.pb") else { return };
        let wire = FeedMessage::decode(bytes.as_slice()).unwrap();
        let feeds = Feeds::new("topis", Feeds::defaults()).unwrap();
        // As of the recording: later some of them are over.
        let at = UtcMillis(i64::try_from(wire.header.timestamp.unwrap()).unwrap() * 1_000);
        let topic = "topis/v1/gtfs-rt/mbta/alerts";
        let frame = Frame { topic, payload: &bytes, retained: false, dup: false, received_at: NOW };
        let mut advisories = Vec::new();
        for message in feeds.decode(&frame).messages {
            let Message::Incident(mut report) = message else { panic!("{message:?}") };
            // Some say all in their title; outside, a text is required, so that somebody has to write one.
            if report.public_text.is_empty() {
                report.public_text.insert(String::new(), "See title".to_owned());
            }
            let mut incident = Incident::record(None, &report, at);
            let (title, text) = (report.public_title.clone(), report.public_text.clone());
            incident.publication = Some(alert::Publication { title, text, by: "kim".to_owned(), at: NOW });
            advisories.push(Advisory::of(&incident).unwrap());
        }
        let out = FeedMessage::decode(to_pb(&service_alerts(&advisories, NOW)).as_slice()).unwrap();
        assert_eq!((out.entity.len(), wire.entity.len()), (51, 51));
        let (mut periods, mut selectors) = (0, 0);
        for (before, after) in wire.entity.iter().zip(&out.entity) {
            assert_eq!(after.id, format!("gtfs-rt/{}", before.id));
            let (before, after) = (before.alert.as_ref().unwrap(), after.alert.as_ref().unwrap());
            assert_eq!(before.active_period, after.active_period);
            let of = |alert: &Alert| alert.informed_entity.iter().map(said).collect::<Vec<_>>();
            assert_eq!(of(before), of(after));
            assert_eq!((before.cause, before.effect), (after.cause, after.effect));
            periods += after.active_period.len();
            selectors += after.informed_entity.len();
        }
        assert_eq!((periods, selectors), (2069, 275));
    }
}
