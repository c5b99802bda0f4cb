//! The lines of an evidence file: one flat JSON object each, told apart by `row`. What is not known is left out.
//!
//! A format on disk: keys are only added. Knows no file.

use alert::AlertId;
use picture::{Quality, QualityFlag};
use publish::{Lack, LackKind, PointFrom, RecordedFor, RecordedPoint};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use transit::{AgencyId, Coordinate, Status, UtcMillis, VehicleId, VehicleKey};

/// What a file begins with; another number is another format.
pub(super) const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub(super) enum Line {
    /// What this file is about; always first.
    Evidence(Head),
    /// A vehicle that is recorded from here on.
    Vehicle(Chosen),
    /// Where the alert was when those near were chosen.
    Place(Spot),
    /// Where a vehicle was.
    Position(Fix),
    /// What was not known, or not written.
    Unknown(Missing),
    /// Nothing follows.
    End {
        /// When.
        at: Stamp,
    },
}

/// What a file is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) version: u32,
    pub(super) alert_id: AlertId,
    pub(super) rule: String,
    pub(super) subject: String,
    pub(super) status: Status,
    pub(super) raised_at: Stamp,
    pub(super) begun_at: Stamp,
    pub(super) radius_m: f64,
    pub(super) vehicles_max: usize,
    pub(super) before_minutes: u32,
    pub(super) after_minutes: u32,
}

/// A vehicle and why it is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Chosen {
    pub(super) at: Stamp,
    pub(super) agency_id: AgencyId,
    pub(super) vehicle_id: VehicleId,
    pub(super) why: RecordedFor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) distance_m: Option<f64>,
}

/// A place at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Spot {
    pub(super) at: Stamp,
    pub(super) lat: f64,
    pub(super) lon: f64,
}

/// A vehicle's position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Fix {
    pub(super) agency_id: AgencyId,
    pub(super) vehicle_id: VehicleId,
    pub(super) event_time: Stamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) received_at: Option<Stamp>,
    pub(super) lat: f64,
    pub(super) lon: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bearing: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) speed_mps: Option<f32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) quality: Vec<QualityFlag>,
    pub(super) from: PointFrom,
}

/// What was not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Missing {
    pub(super) at: Stamp,
    pub(super) what: LackKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) agency_id: Option<AgencyId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) vehicle_id: Option<VehicleId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

/// An instant, RFC 3339 in UTC with `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) UtcMillis);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        UtcMillis::parse_rfc3339(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Line {
    /// As bytes, the end of the line included.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Nothing in a line is anything that JSON cannot hold; a test writes each.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// From the bytes of one line; `None`: of another version, or damaged.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// Seven decimals of a degree are a centimetre.
fn degrees(value: f64) -> f64 {
    (value * 1e7).round() / 1e7
}

impl Spot {
    /// A place at an instant.
    pub(super) fn of(place: Coordinate, at: UtcMillis) -> Self {
        Self { at: Stamp(at), lat: degrees(place.lat()), lon: degrees(place.lon()) }
    }

    /// The place.
    pub(super) fn coordinate(&self) -> Option<Coordinate> {
        Coordinate::parse(self.lat, self.lon).ok()
    }
}

impl Fix {
    /// A point of a vehicle.
    pub(super) fn of(key: &VehicleKey, point: &RecordedPoint) -> Self {
        Self {
            agency_id: key.agency.clone(),
            vehicle_id: key.vehicle.clone(),
            event_time: Stamp(point.event_time),
            received_at: point.received_at.map(Stamp),
            lat: degrees(point.coordinate.lat()),
            lon: degrees(point.coordinate.lon()),
            bearing: point.bearing,
            speed_mps: point.speed_mps,
            quality: point.quality.iter().collect(),
            from: point.from,
        }
    }

    /// The vehicle.
    pub(super) fn key(&self) -> VehicleKey {
        VehicleKey { agency: self.agency_id.clone(), vehicle: self.vehicle_id.clone() }
    }

    /// The point; `None` where the file says a place that is none.
    pub(super) fn point(&self) -> Option<RecordedPoint> {
        let mut quality = Quality::default();
        self.quality.iter().for_each(|flag| quality.insert(*flag));
        Some(RecordedPoint {
            event_time: self.event_time.0,
            received_at: self.received_at.map(|at| at.0),
            coordinate: Coordinate::parse(self.lat, self.lon).ok()?,
            bearing: self.bearing,
            speed_mps: self.speed_mps,
            quality,
            from: self.from,
        })
    }
}

impl Chosen {
    /// The vehicle.
    pub(super) fn key(&self) -> VehicleKey {
        VehicleKey { agency: self.agency_id.clone(), vehicle: self.vehicle_id.clone() }
    }
}

impl Missing {
    /// What was not known, as of an instant.
    pub(super) fn of(lack: Lack, at: UtcMillis) -> Self {
        let (agency_id, vehicle_id) = lack.vehicle.map(|key| (key.agency, key.vehicle)).unzip();
        Self {
            at: Stamp(at),
            what: lack.what,
            agency_id,
            vehicle_id,
            since: lack.since.map(Stamp),
            until: lack.until.map(Stamp),
            count: lack.count,
            detail: lack.detail,
        }
    }

    /// As reports say it.
    pub(super) fn lack(self) -> Lack {
        let vehicle = self.agency_id.zip(self.vehicle_id).map(|(agency, vehicle)| VehicleKey { agency, vehicle });
        Lack {
            what: self.what,
            vehicle,
            since: self.since.map(|at| at.0),
            until: self.until.map(|at| at.0),
            count: self.count,
            detail: self.detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_text_of_a_line_is_a_format_on_disk() {
        let at = Stamp(UtcMillis(1_795_420_800_000));
        let key = VehicleKey::parse("22/8%2F0").unwrap();
        let mut quality = Quality::default();
        quality.insert(QualityFlag::Jump);
        let point = RecordedPoint {
            event_time: at.0,
            received_at: Some(at.0.plus_millis(400)),
            coordinate: Coordinate::parse(60.170_123_456_78, -24.94).unwrap(),
            bearing: Some(271.3),
            speed_mps: Some(0.0),
            quality,
            from: PointFrom::Report,
        };
        let trail = RecordedPoint {
            received_at: None,
            bearing: None,
            speed_mps: None,
            quality: Quality::default(),
            from: PointFrom::Trail,
            ..point.clone()
        };
        let silent = Lack { vehicle: Some(key.clone()), since: Some(at.0), ..Lack::of(LackKind::Silent) };
        let lines = [
            Line::Evidence(Head {
                version: VERSION,
                alert_id: AlertId { date: 20_261_123, number: 417 },
                rule: "EMG.PANIC".to_owned(),
                subject: "vehicle:22/800".to_owned(),
                status: Status::Exercise,
                raised_at: at,
                begun_at: at,
                radius_m: 2_000.0,
                vehicles_max: 20,
                before_minutes: 60,
                after_minutes: 30,
            }),
            Line::Vehicle(Chosen {
                at,
                agency_id: key.agency.clone(),
                vehicle_id: key.vehicle.clone(),
                why: RecordedFor::Near,
                distance_m: Some(12.5),
            }),
            Line::Place(Spot::of(point.coordinate, at.0)),
            Line::Position(Fix::of(&key, &point)),
            Line::Position(Fix::of(&key, &trail)),
            Line::Unknown(Missing::of(silent.clone(), at.0)),
            Line::End { at },
        ];
        let text: String = lines.iter().map(|line| String::from_utf8(line.to_bytes()).unwrap()).collect();
        expect![[r#"
            {"row":"evidence","version":1,"alert_id":"20261123-417","rule":"EMG.PANIC","subject":"vehicle:22/800","status":"exercise","raised_at":"2026-11-23T08:00:00.000Z","begun_at":"2026-11-23T08:00:00.000Z","radius_m":2000.0,"vehicles_max":20,"before_minutes":60,"after_minutes":30}
            {"row":"vehicle","at":"2026-11-23T08:00:00.000Z","agency_id":"22","vehicle_id":"8/0","why":"near","distance_m":12.5}
            {"row":"place","at":"2026-11-23T08:00:00.000Z","lat":60.1701235,"lon":-24.94}
            {"row":"position","agency_id":"22","vehicle_id":"8/0","event_time":"2026-11-23T08:00:00.000Z","received_at":"2026-11-23T08:00:00.400Z","lat":60.1701235,"lon":-24.94,"bearing":271.3,"speed_mps":0.0,"quality":["jump"],"from":"report"}
            {"row":"position","agency_id":"22","vehicle_id":"8/0","event_time":"2026-11-23T08:00:00.000Z","lat":60.1701235,"lon":-24.94,"from":"trail"}
            {"row":"unknown","at":"2026-11-23T08:00:00.000Z","what":"silent","agency_id":"22","vehicle_id":"8/0","since":"2026-11-23T08:00:00.000Z"}
            {"row":"end","at":"2026-11-23T08:00:00.000Z"}
        "#]].assert_eq(&text);
        let read: Vec<Line> = text.lines().map(|line| Line::parse(line.as_bytes()).unwrap()).collect();
        assert_eq!(read, lines);
        assert_eq!(Missing::of(silent.clone(), at.0).lack(), silent);
        assert_eq!((Fix::of(&key, &trail).key(), Fix::of(&key, &trail).point().unwrap().from), (key, PointFrom::Trail));
    }

    #[test]
    fn a_damaged_line_is_none() {
        for bad in ["", "{", r#"{"row":"what"}"#, r#"{"row":"end"}"#, r#"{"row":"end","at":"yesterday"}"#] {
            assert_eq!(Line::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
