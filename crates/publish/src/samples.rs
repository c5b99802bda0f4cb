//! Records for the tests of this crate, one of each kind.

use alert::{
    AlarmKind, AlarmSource, Alert, AlertClass, AlertCondition, AlertId, Fingerprint, Incident, IncidentKey,
    IncidentKind, IncidentPhase, IncidentReport, Priority, Severity, Subject,
};
use picture::{FeedCondition, FeedRecord, Freshness, Quality, VehicleRecord};
use transit::{
    AgencyId, Coordinate, FeedId, Journey, JourneyState, Mode, Occupancy, OccupancyStatus, PositionSource, RouteId,
    ServiceDate, ServiceTime, Status, StopId, StopReference, StopStatus, TripId, UtcMillis, VehicleId, VehicleKey,
};

/// 2026-11-23T08:00:00Z.
pub(crate) const NOW: UtcMillis = UtcMillis(1_795_420_800_000);

fn key(agency: &str, vehicle: &str) -> VehicleKey {
    VehicleKey { agency: AgencyId::parse(agency).unwrap(), vehicle: VehicleId::parse(vehicle).unwrap() }
}

/// A live bus of which everything is known.
pub(crate) fn bus() -> VehicleRecord {
    VehicleRecord {
        key: key("22", "800"),
        feed: FeedId::parse("hfp").unwrap(),
        mode: Mode::Bus,
        event_time: NOW.plus_millis(-2_500),
        received_at: NOW.plus_millis(-1_900),
        offset_ms: 400,
        freshness: Freshness::Live,
        quality: Quality::default(),
        coordinate: Some(Coordinate::parse(60.170_12, 24.940_11).unwrap()),
        position_event_time: Some(NOW.plus_millis(-2_500)),
        bearing: Some(271.3),
        speed_mps: Some(11.9),
        accuracy_m: Some(4.0),
        odometer_m: Some(18_250.0),
        position_source: Some(PositionSource::Gps),
        doors_open: Some(false),
        stop: StopReference { stop_id: Some(StopId::parse("1020450").unwrap()), current_stop_sequence: Some(7) },
        current_status: Some(StopStatus::InTransitTo),
        delay_s: Some(-30),
        occupancy: Occupancy { status: Some(OccupancyStatus::FewSeatsAvailable), percentage: Some(70) },
        journey: Journey {
            state: Some(JourneyState::InService),
            route_id: Some(RouteId::parse("1059").unwrap()),
            direction_id: Some(1),
            trip_id: Some(TripId::parse("T-17").unwrap()),
            service_date: Some(ServiceDate::parse("2026-11-22").unwrap()),
            start_time: Some(ServiceTime::parse("25:10:00").unwrap()),
            block_id: None,
            consist: None,
        },
        upcoming: Some(Box::new(Journey { route_id: Some(RouteId::parse("1059").unwrap()), ..Journey::default() })),
        boot: Some(3),
        seq: Some(417),
        revision: 9,
    }
}

/// A tram that never said where it is.
pub(crate) fn silent_tram() -> VehicleRecord {
    VehicleRecord {
        key: key("22", "1"),
        mode: Mode::Tram,
        freshness: Freshness::Stale,
        coordinate: None,
        position_event_time: None,
        bearing: None,
        speed_mps: None,
        accuracy_m: None,
        odometer_m: None,
        position_source: None,
        doors_open: None,
        stop: StopReference::default(),
        current_status: None,
        delay_s: None,
        occupancy: Occupancy::default(),
        journey: Journey::default(),
        upcoming: None,
        boot: None,
        seq: None,
        ..bus()
    }
}

/// An open panic alarm that nobody has.
pub(crate) fn panic() -> Alert {
    Alert {
        id: AlertId { date: 20_261_123, number: 417 },
        rule: "EMG.PANIC".to_owned(),
        subject: Subject::Vehicle(key("22", "800")),
        priority: Priority::P1,
        class: AlertClass::Emergency,
        kind: Some(AlarmKind::Panic),
        kind_word: None,
        source: Some(AlarmSource::Driver),
        feed: Some(FeedId::parse("native").unwrap()),
        event_id: Some("e1".to_owned()),
        event_at: Some(NOW.plus_millis(-62_000)),
        last_event_at: Some(NOW.plus_millis(-62_000)),
        received_at: NOW.plus_millis(-61_000),
        raised_at: NOW.plus_millis(-61_000),
        last_seen_at: NOW.plus_millis(-61_000),
        annunciated_at: NOW.plus_millis(-61_000),
        condition: AlertCondition::Active,
        latched: true,
        source_normal_at: None,
        acknowledgement: None,
        previous_owner: None,
        count: 1,
        re_alarmed_count: None,
        status: Status::Actual,
        covert: true,
        retained: false,
        lat: Some(60.17),
        lon: Some(24.94),
        quality: Vec::new(),
        text: None,
        passengers: Some(12),
        closing: None,
        history: Vec::new(),
        repeats_folded: 0,
        origin: alert::AlertOrigin::DeviceEvent,
        evidence: None,
        accounted: Vec::new(),
        parents: Vec::new(),
        silence: alert::Silence::default(),
        flap: alert::Flap::default(),
        due: alert::Due::default(),
        incident: None,
        annunciations: 1,
        cleared_at: None,
        hidden_seq: None,
        seq: 1,
        durable: true,
    }
}

/// An open flood.
pub(crate) fn flood() -> Incident {
    Incident {
        report: IncidentReport {
            key: IncidentKey { source: "topis".to_owned(), id: "77".to_owned() },
            feed: FeedId::parse("native").unwrap(),
            version: Some(2),
            phase: IncidentPhase::Active,
            status: Status::Actual,
            kind: IncidentKind::Flood,
            kind_word: None,
            subkind: None,
            severity: None,
            urgency: None,
            certainty: None,
            effect: None,
            active_periods: Vec::new(),
            expected_end: None,
            lat: Some(60.18),
            lon: Some(24.95),
            geometry: None,
            radius_m: None,
            affects: Vec::new(),
            title: Some("Underpass under water".to_owned()),
            text: std::collections::BTreeMap::new(),
            public_title: None,
            public_text: std::collections::BTreeMap::new(),
            road_control: None,
            areas: Vec::new(),
            cancelled: false,
            proposes_clear: false,
            names: Vec::new(),
            fingerprint: Fingerprint(1),
            retained: false,
            received_at: NOW,
        },
        severity: Severity::Severe,
        severity_defaulted: true,
        radius_m: 500.0,
        radius_defaulted: true,
        phase: IncidentPhase::Active,
        withdrawn: false,
        opened_at: NOW,
        updated_at: NOW,
        closed_at: None,
        starts_at: None,
        publication: None,
        clear_proposed: None,
        armed: None,
        history: Vec::new(),
        seq: 2,
    }
}

/// A feed in a condition.
pub(crate) fn feed(id: &str, condition: FeedCondition) -> FeedRecord {
    FeedRecord {
        id: FeedId::parse(id).unwrap(),
        condition,
        condition_since: NOW.plus_millis(-125_000),
        vehicles: 1_460,
        by_freshness: [1_400, 40, 15, 5],
        rate_per_s: 948.5,
        interval_s: Some(1.0),
        interval_s_by_mode: std::collections::BTreeMap::new(),
        interval_configured: false,
        lag_ms_min: Some(40),
        lag_ms_typical: Some(400),
        skewed_vehicles: 0,
        received: 1_000_000,
        duplicates: 44,
        out_of_order: 12,
        rejected: 0,
        warned: 0,
        retained: 0,
        last_message_at: Some(NOW),
        last_advance_at: Some(NOW),
        stamps_move: true,
        revision: 9,
    }
}
