//! The closed vocabularies of alarms and incidents, and what each kind implies.

use transit::words;

words! {
    /// What a driver, passenger or device reports.
    AlarmKind as "alarm_kind" {
        /// Panic button.
        Panic = "panic",
        /// Attack on a person.
        Assault = "assault",
        /// Fire.
        Fire = "fire",
        /// Vehicle being evacuated.
        Evacuation = "evacuation",
        /// Collision.
        Collision = "collision",
        /// Suspicious item.
        SuspiciousItem = "suspicious_item",
        /// Medical emergency.
        Medical = "medical",
        /// Anything else, and any word we do not know: ranks as an emergency.
        Other = "other",
        /// Vehicle broken down.
        Breakdown = "breakdown",
        /// Driver asks to be called, soon.
        CallPriority = "call_priority",
        /// Driver asks to be called.
        CallRequest = "call_request",
    }

    /// Who or what raised an alarm.
    AlarmSource as "alarm_source" {
        /// The driver.
        Driver = "driver",
        /// A passenger's button.
        Passenger = "passenger",
        /// A detector on board.
        Device = "device",
    }

    /// Whether the source is in alarm or normal again.
    AlarmPhase as "alarm_state" {
        /// In alarm.
        Raised = "raised",
        /// Normal again.
        Ended = "ended",
    }

    /// What an alert endangers.
    AlertClass as "class" {
        /// People, now: never shed, shelved or cleared without a person.
        Emergency = "emergency",
        /// People, if nothing is done.
        Safety = "safety",
        /// The service.
        Service = "service",
        /// The ground it runs on.
        Infrastructure = "infrastructure",
        /// Our own means.
        System = "system",
    }

    /// How soon somebody must act. The order is the urgency.
    Priority as "priority" {
        /// Critical.
        P1 = "P1",
        /// High.
        P2 = "P2",
        /// Medium.
        P3 = "P3",
        /// Low.
        P4 = "P4",
    }

    /// What the API calls the state of an alert.
    AlertCondition as "state" {
        /// The condition holds, or is latched.
        Active = "active",
        /// Returned to normal, not yet acknowledged.
        Cleared = "cleared",
        /// Final.
        Closed = "closed",
    }

    /// What made an alert.
    AlertOrigin as "origin" {
        /// A vehicle's or device's own alarm.
        DeviceEvent = "device_event",
        /// A rule, from what was observed.
        Detector = "detector",
        /// A person in the control room.
        Operator = "operator",
        /// A warning from outside.
        ExternalCap = "external_cap",
    }

    /// How an alert leaves its shelf.
    ShelfKind as "shelf_kind" {
        /// When it clears, or when its time is over.
        OneShot = "one_shot",
        /// When its time is over.
        Timed = "timed",
    }

    /// A step reached outside the control room.
    MarkStep as "mark_step" {
        /// The police know.
        PoliceNotified = "police_notified",
        /// Somebody is there.
        OnScene = "on_scene",
        /// Traction or overhead power is off.
        PowerOff = "power_off",
        /// Nobody is left in the area.
        AreaClear = "area_clear",
        /// Another step, in the reference.
        Other = "other",
    }

    /// Why an alert is final.
    CloseReason as "close_reason" {
        /// Dealt with.
        Resolved = "resolved",
        /// Nothing was wrong.
        FalseAlarm = "false_alarm",
        /// It was a test.
        Test = "test",
        /// Another alert says the same.
        DuplicateOf = "duplicate_of",
        /// The source took it back.
        CancelledBySource = "cancelled_by_source",
        /// Its time passed.
        Expired = "expired",
        /// A newer one took its place.
        SupersededBy = "superseded_by",
    }

    /// What happened in the world: TOPIS A01..A13 in order, then ours.
    IncidentKind as "incident_kind" {
        /// A01.
        Crash = "crash",
        /// A02.
        Breakdown = "breakdown",
        /// A03.
        PedestrianCrash = "pedestrian_crash",
        /// A04.
        RoadWorks = "road_works",
        /// A05.
        FallenObject = "fallen_object",
        /// A06.
        BusCrash = "bus_crash",
        /// A07.
        SubwayAccident = "subway_accident",
        /// A08.
        Fire = "fire",
        /// A09.
        Weather = "weather",
        /// A10.
        Rally = "rally",
        /// A11, and any word we do not know.
        Other = "other",
        /// A12.
        Report = "report",
        /// A13.
        Notice = "notice",
        /// Flood.
        Flood = "flood",
        /// Earthquake.
        Earthquake = "earthquake",
        /// Ground collapse.
        GroundCollapse = "ground_collapse",
        /// Power failure.
        PowerFailure = "power_failure",
        /// Signal failure.
        SignalFailure = "signal_failure",
        /// Track obstruction.
        TrackObstruction = "track_obstruction",
        /// Medical emergency.
        Medical = "medical",
        /// Security.
        Security = "security",
        /// Police activity.
        PoliceActivity = "police_activity",
        /// Hazardous material.
        Hazmat = "hazmat",
        /// Strike.
        Strike = "strike",
        /// Special event.
        SpecialEvent = "special_event",
    }

    /// Whether an incident goes on.
    IncidentPhase as "incident_state" {
        /// It goes on.
        Active = "active",
        /// It is over.
        Closed = "closed",
    }

    /// CAP severity, least first; unknown last.
    Severity as "severity" {
        /// Minimal.
        Minor = "minor",
        /// Possible threat.
        Moderate = "moderate",
        /// Significant threat.
        Severe = "severe",
        /// Extraordinary threat.
        Extreme = "extreme",
        /// Not said.
        Unknown = "unknown",
    }

    /// CAP urgency.
    Urgency as "urgency" {
        /// Act now.
        Immediate = "Immediate",
        /// Act within the hour.
        Expected = "Expected",
        /// Act soon.
        Future = "Future",
        /// No longer needed.
        Past = "Past",
        /// Not said.
        Unknown = "Unknown",
    }

    /// CAP certainty.
    Certainty as "certainty" {
        /// It happened or happens.
        Observed = "Observed",
        /// More than half.
        Likely = "Likely",
        /// Half or less.
        Possible = "Possible",
        /// Not expected.
        Unlikely = "Unlikely",
        /// Not said.
        Unknown = "Unknown",
    }
}

/// What one kind of incident implies where its report is silent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KindFacts {
    /// The kind.
    pub kind: IncidentKind,
    /// TOPIS code, A01 to A13.
    pub topis_code: Option<&'static str>,
    /// GTFS-Realtime Alert cause.
    pub gtfs_rt_cause: &'static str,
    /// CAP category.
    pub cap_category: &'static str,
    /// Severity where none is given.
    pub default_severity: Severity,
    /// Radius in metres where a point is given without one.
    pub default_radius_m: f64,
}

macro_rules! facts {
    ($($kind:ident $code:expr, $cause:literal, $cap:literal, $severity:ident, $radius:literal;)*) => {
        &[$(KindFacts {
            kind: IncidentKind::$kind,
            topis_code: $code,
            gtfs_rt_cause: $cause,
            cap_category: $cap,
            default_severity: Severity::$severity,
            default_radius_m: $radius,
        },)*]
    };
}

/// The one table of kinds. Severities by `INC.SEVERE`; radii 100 m crash, 200 fire, 300 suspicious item, 500 flood.
const KIND_FACTS: &[KindFacts] = facts![
    Crash            Some("A01"), "ACCIDENT",          "Transport", Moderate, 100.0;
    Breakdown        Some("A02"), "TECHNICAL_PROBLEM", "Transport", Minor,    100.0;
    PedestrianCrash  Some("A03"), "ACCIDENT",          "Transport", Severe,   100.0;
    RoadWorks        Some("A04"), "CONSTRUCTION",      "Infra",     Minor,    100.0;
    FallenObject     Some("A05"), "OTHER_CAUSE",       "Transport", Minor,    100.0;
    BusCrash         Some("A06"), "ACCIDENT",          "Transport", Severe,   100.0;
    SubwayAccident   Some("A07"), "ACCIDENT",          "Transport", Severe,   300.0;
    Fire             Some("A08"), "OTHER_CAUSE",       "Fire",      Severe,   200.0;
    Weather          Some("A09"), "WEATHER",           "Met",       Moderate, 1000.0;
    Rally            Some("A10"), "DEMONSTRATION",     "Security",  Minor,    300.0;
    Other            Some("A11"), "OTHER_CAUSE",       "Other",     Minor,    100.0;
    Report           Some("A12"), "OTHER_CAUSE",       "Other",     Minor,    100.0;
    Notice           Some("A13"), "OTHER_CAUSE",       "Other",     Minor,    100.0;
    Flood            None,        "WEATHER",           "Met",       Severe,   500.0;
    Earthquake       None,        "OTHER_CAUSE",       "Geo",       Severe,   5000.0;
    GroundCollapse   None,        "OTHER_CAUSE",       "Geo",       Minor,    100.0;
    PowerFailure     None,        "TECHNICAL_PROBLEM", "Infra",     Moderate, 300.0;
    SignalFailure    None,        "TECHNICAL_PROBLEM", "Infra",     Moderate, 300.0;
    TrackObstruction None,        "OTHER_CAUSE",       "Transport", Minor,    100.0;
    Medical          None,        "MEDICAL_EMERGENCY", "Health",    Minor,    100.0;
    Security         None,        "POLICE_ACTIVITY",   "Security",  Minor,    300.0;
    PoliceActivity   None,        "POLICE_ACTIVITY",   "Security",  Minor,    300.0;
    Hazmat           None,        "OTHER_CAUSE",       "CBRNE",     Moderate, 500.0;
    Strike           None,        "STRIKE",            "Transport", Minor,    100.0;
    SpecialEvent     None,        "OTHER_CAUSE",       "Other",     Minor,    300.0;
];

impl IncidentKind {
    /// What this kind implies.
    pub fn facts(self) -> &'static KindFacts {
        KIND_FACTS.iter().find(|f| f.kind == self).expect("a test holds that every kind has a row")
    }

    /// The kind of a word or of a TOPIS code, in any case.
    pub fn find_word_or_code(text: &str) -> Option<Self> {
        transit::Word::find(text).or_else(|| {
            KIND_FACTS.iter().find(|f| f.topis_code.is_some_and(|c| c.eq_ignore_ascii_case(text))).map(|f| f.kind)
        })
    }
}

impl Default for AlertOrigin {
    /// Records from before there was a choice hold devices' alarms alone.
    fn default() -> Self {
        Self::DeviceEvent
    }
}

impl AlarmKind {
    /// The class an alarm of this kind raises.
    pub fn class(self) -> AlertClass {
        match self {
            Self::Breakdown | Self::CallPriority | Self::CallRequest => AlertClass::Service,
            Self::Panic
            | Self::Assault
            | Self::Fire
            | Self::Evacuation
            | Self::Collision
            | Self::SuspiciousItem
            | Self::Medical
            | Self::Other => AlertClass::Emergency,
        }
    }

    /// The rule that raises it.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Panic => "EMG.PANIC",
            Self::Assault => "EMG.ASSAULT",
            Self::Fire => "EMG.FIRE",
            Self::Evacuation => "EMG.EVACUATION",
            Self::Collision => "EMG.COLLISION",
            Self::SuspiciousItem => "EMG.SUSPICIOUS_ITEM",
            Self::Medical => "EMG.MEDICAL",
            Self::Other => "EMG.OTHER",
            Self::Breakdown => "CALL.BREAKDOWN",
            Self::CallPriority => "CALL.PRIORITY",
            Self::CallRequest => "CALL.REQUEST",
        }
    }

    /// Covert where the alarm does not say: a display must not give a threatened driver away.
    pub fn covert_by_default(self) -> bool {
        matches!(self, Self::Panic | Self::Assault)
    }
}

#[cfg(test)]
mod tests {
    use transit::Word;

    use super::*;

    #[test]
    fn every_incident_kind_has_exactly_one_row() {
        for kind in IncidentKind::ALL {
            assert_eq!(KIND_FACTS.iter().filter(|f| f.kind == *kind).count(), 1, "{}", kind.word());
        }
    }

    #[test]
    fn topis_codes_are_read_in_order() {
        for (i, kind) in IncidentKind::ALL.iter().take(13).enumerate() {
            assert_eq!(IncidentKind::find_word_or_code(&format!("a{:02}", i + 1)), Some(*kind));
        }
        assert_eq!(IncidentKind::find_word_or_code("A14"), None);
    }
}
