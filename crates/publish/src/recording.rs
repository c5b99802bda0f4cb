//! What was recorded of the vehicles around an alert, as a report reads it.
//!
//! Knows no file: whoever reads one fills this in. A point or a span that is missing is a [`Lack`], never a gap that
//! nobody mentions.

use picture::{Quality, QualityFlag};
use transit::{Coordinate, UtcMillis, VehicleKey, words};

words! {
    /// Why a vehicle's way is recorded.
    RecordedFor as "recorded_for" {
        /// The alert is about it.
        Subject = "subject",
        /// It is one of those the alert is made of.
        Member = "member",
        /// It was near when the alert was raised.
        Near = "near",
    }

    /// How a point is known.
    PointFrom as "point_from" {
        /// From the thinned trail of good positions: place and time alone.
        Trail = "trail",
        /// As the vehicle reported it, doubts included.
        Report = "report",
    }

    /// What was not known, or is not in a report.
    LackKind as "lack" {
        /// The alarm said no place and nothing else gave one: nobody near could be chosen.
        NoPlace = "no_place",
        /// The vehicle never said where it is.
        NoPosition = "no_position",
        /// Nothing was ever heard of the vehicle.
        NeverHeard = "never_heard",
        /// The vehicle was heard no more.
        Silent = "silent",
        /// The vehicle fell silent in a danger area or on its way in, and was neither heard again nor accounted for.
        Unaccounted = "unaccounted",
        /// It is doubtful, for the reasons given.
        Doubtful = "doubtful",
        /// Fields that nobody ever filled in.
        NeverSaid = "never_said",
        /// More vehicles were near than are recorded.
        VehiclesLeftOut = "vehicles_left_out",
        /// Points that the hourly budget left no room for.
        PointsDropped = "points_dropped",
        /// Nothing was recorded then: the service did not run, or the disk refused.
        NotRecorded = "not_recorded",
        /// There is no recording at all.
        NoRecording = "no_recording",
        /// Recording is switched off.
        RecordingOff = "recording_off",
        /// The recording, or lines of it, cannot be read.
        Unreadable = "unreadable",
        /// Points that are recorded and left out of this report, evenly.
        PointsThinned = "points_thinned",
        /// Shown, and not on disk then.
        NotDurable = "not_durable",
        /// Repeats that are counted and not listed.
        RepeatsFolded = "repeats_folded",
        /// Alerts of the incident that are left out of this report.
        AlertsLeftOut = "alerts_left_out",
    }
}

/// One thing that was not known, or is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// What.
    pub what: LackKind,
    /// Of which vehicle; `None`: of the alert or incident itself.
    pub vehicle: Option<VehicleKey>,
    /// Since when; `None`: always, or not said.
    pub since: Option<UtcMillis>,
    /// Until when; `None`: still, or not said.
    pub until: Option<UtcMillis>,
    /// How many.
    pub count: Option<u64>,
    /// In words of ours: names of fields, flags, reasons.
    pub detail: Option<String>,
}

impl Lack {
    /// Only that.
    pub fn of(what: LackKind) -> Self {
        Self { what, vehicle: None, since: None, until: None, count: None, detail: None }
    }
}

/// One point of a vehicle's way.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedPoint {
    /// The device's clock.
    pub event_time: UtcMillis,
    /// When it reached us; `None`: not kept.
    pub received_at: Option<UtcMillis>,
    /// Where.
    pub coordinate: Coordinate,
    /// Degrees clockwise from north.
    pub bearing: Option<f32>,
    /// Metres a second.
    pub speed_mps: Option<f32>,
    /// What to doubt.
    pub quality: Quality,
    /// How it is known.
    pub from: PointFrom,
}

impl RecordedPoint {
    /// What there is to doubt about the place or its time. Being placed at a stop is none, nor being one of too many.
    pub fn doubts(&self) -> impl Iterator<Item = QualityFlag> {
        self.quality.iter().filter(|flag| !matches!(flag, QualityFlag::AtStop | QualityFlag::Overflow))
    }
}

/// One vehicle and where it went.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedVehicle {
    /// Which.
    pub key: VehicleKey,
    /// Why it is here.
    pub why: RecordedFor,
    /// Metres from the alert's place when it was chosen; `None`: not known.
    pub distance_m: Option<f64>,
    /// Its points in the order of the record.
    pub points: Vec<RecordedPoint>,
    /// Points recorded in all, those left out here among them.
    pub recorded: u64,
    /// Of them, how many are doubtful, and by which flags.
    pub doubtful: u64,
    /// Every doubt that occurred.
    pub doubts: Quality,
}

/// The recording of one alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// When it began.
    pub begun_at: UtcMillis,
    /// When it ended; `None`: it goes on, or was cut.
    pub ended_at: Option<UtcMillis>,
    /// Where the alert was when the vehicles near were chosen.
    pub place: Option<Coordinate>,
    /// How far away a vehicle may be to be near, in metres.
    pub radius_m: f64,
    /// How far back it was meant to go, in minutes before the raise.
    pub before_minutes: u32,
    /// The vehicles, the subject first.
    pub vehicles: Vec<RecordedVehicle>,
    /// What was not known or not written.
    pub lacks: Vec<Lack>,
}

/// What there is of an alert's surroundings.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// This alert is of no class that is recorded.
    NotMeant,
    /// Recording is switched off.
    Off,
    /// None on file.
    Absent,
    /// On file, and it cannot be read now.
    Unreadable,
    /// This.
    Kept(Box<Recording>),
}

impl Recorded {
    /// In a word, as the API says it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotMeant => "not_meant",
            Self::Off => "off",
            Self::Absent => "absent",
            Self::Unreadable => "unreadable",
            Self::Kept(_) => "kept",
        }
    }

    /// The recording, where there is one.
    pub fn kept(&self) -> Option<&Recording> {
        if let Self::Kept(recording) = self { Some(recording) } else { None }
    }
}
