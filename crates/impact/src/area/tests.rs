//! GeoJSON in, an area or the name of the fault out.

use std::collections::BTreeMap;

use alert::{Fingerprint, IncidentPhase, IncidentReport};
use expect_test::{Expect, expect};
use transit::{FeedId, Status};

use super::*;

fn check(text: &str, radius_m: Option<f64>, expected: Expect) {
    let said = match Area::of_geojson(AreaName::query(), text, radius_m) {
        Ok(area) => format!("{} parts, extent {:.0} m {:?}", area.shape.parts().len(), area.extent_m(), area.remarks()),
        Err(e) => e.to_string(),
    };
    expected.assert_eq(&said);
}

#[test]
fn faults_are_named_with_field_and_fix() {
    check(
        "{",
        None,
        expect![
            "geometry: is no GeoJSON (Error while deserializing GeoJSON: EOF while parsing an object at line 1 column 1); send a Geometry, a Feature or a FeatureCollection"
        ],
    );
    check(
        r#"{"type":"FeatureCollection","features":[]}"#,
        None,
        expect!["geometry: holds no shape; give at least one point, line or polygon"],
    );
    check(
        r#"{"type":"Feature","properties":{},"geometry":null}"#,
        None,
        expect!["feature: has no geometry; give it one or leave the feature out"],
    );
    check(
        r#"{"type":"Point","coordinates":[127,37]}"#,
        None,
        expect!["geometry.coordinates: a point or a line covers nothing by itself; give `radius_m` in metres"],
    );
    check(
        r#"{"type":"Point","coordinates":[127,37]}"#,
        Some(0.0),
        expect!["radius_m: 0 is no radius; give metres above 0 and at most 20000000"],
    );
    check(
        r#"{"type":"Point","coordinates":[127,37]}"#,
        Some(f64::NAN),
        expect!["radius_m: NaN is no radius; give metres above 0 and at most 20000000"],
    );
    check(
        r#"{"type":"Point","coordinates":[37,127]}"#,
        Some(5.0),
        expect![
            "geometry.coordinates: [37, 127] is no place; GeoJSON wants [longitude, latitude], -180..180 and -90..90"
        ],
    );
    check(
        r#"{"type":"LineString","coordinates":[[127,37]]}"#,
        Some(5.0),
        expect!["geometry.coordinates: has 1 positions and needs 2"],
    );
}

#[test]
fn faults_of_polygons_and_features_are_named_with_their_place() {
    check(
        r#"{"type":"Polygon","coordinates":[]}"#,
        None,
        expect!["geometry.coordinates: has 0 positions and needs 4: three corners and the first one again"],
    );
    check(
        r#"{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2]]]}"#,
        None,
        expect!["geometry.coordinates[0]: the ring is not closed; repeat its first position at its end"],
    );
    check(
        r#"{"type":"Polygon","coordinates":[[[1,1],[2,1],[1,1]]]}"#,
        None,
        expect!["geometry.coordinates[0]: has 3 positions and needs 4: three corners and the first one again"],
    );
    check(
        r#"{"type":"MultiPolygon","coordinates":[[[[1,1],[2,1],[2,2],[1,1]]],[[[1,1],[2,1],[2,95],[1,1]]]]}"#,
        None,
        expect![
            "geometry.coordinates[1][0][2]: [2, 95] is no place; GeoJSON wants [longitude, latitude], -180..180 and -90..90"
        ],
    );
    check(
        r#"{"type":"Feature","properties":{"radius_m":"wide"},"geometry":{"type":"Point","coordinates":[127,37]}}"#,
        None,
        expect![[r#"feature.properties.radius_m: "wide" is no radius; give metres above 0 and at most 20000000"#]],
    );
    let many = vec!["[127,37]"; 20_001].join(",");
    check(
        &format!(r#"{{"type":"MultiPoint","coordinates":[{many}]}}"#),
        Some(5.0),
        expect!["geometry.coordinates[20000]: more than 20000 positions; simplify the shape"],
    );
}

#[test]
fn every_kind_of_geometry_is_an_area() {
    check(r#"{"type":"Point","coordinates":[127,37]}"#, Some(100.0), expect!["1 parts, extent 102 m []"]);
    check(
        r#"{"type":"LineString","coordinates":[[127,37],[127.001,37]]}"#,
        Some(5.0),
        expect!["1 parts, extent 51 m []"],
    );
    check(
        r#"{"type":"GeometryCollection","geometries":[{"type":"MultiPoint","coordinates":[[127,37],[127.1,37]]},
            {"type":"Polygon","coordinates":[[[127,37],[127.01,37],[127.01,37.01],[127,37]]]}]}"#,
        Some(50.0),
        expect!["3 parts, extent 4571 m []"],
    );
    check(
        r#"{"type":"Feature","properties":{"radius_m":250},"geometry":{"type":"Point","coordinates":[127,37]}}"#,
        Some(5.0),
        expect!["1 parts, extent 254 m []"],
    );
}

#[test]
fn a_polygon_that_crosses_itself_is_taken_and_said() {
    check(
        r#"{"type":"Polygon","coordinates":[[[127,37],[127.01,37.01],[127.01,37],[127,37.01],[127,37]]]}"#,
        None,
        expect![[r#"1 parts, extent 720 m [NotSimple("geometry.coordinates")]"#]],
    );
}

/// A ring of so many positions around 37.005, 127.005 that goes twice around it, so that it crosses itself.
fn pentagram(positions: usize) -> String {
    let corner = |at: usize| {
        let angle = at as f64 * std::f64::consts::TAU * 2.0 / (positions - 1) as f64;
        let radius = if at.is_multiple_of(2) { 0.004 } else { 0.005 };
        format!("[{},{}]", 127.005 + radius * angle.cos(), 37.005 + radius * angle.sin())
    };
    let mut ring: Vec<String> = (0..positions - 1).map(corner).collect();
    ring.push(corner(0));
    format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, ring.join(","))
}

#[test]
fn a_polygon_of_thousands_of_positions_is_not_asked_whether_it_crosses_itself_and_holds_what_it_holds() {
    let remarks =
        |positions: usize| Area::of_geojson(AreaName::query(), &pentagram(positions), None).unwrap().remarks().len();
    assert_eq!([remarks(500), remarks(501), remarks(20_000)], [1, 0, 0]);
    let ring: Vec<String> = (0..20_000_u32)
        .map(|at| {
            let angle = f64::from(at % 19_999) * std::f64::consts::TAU / 19_999.0;
            format!("[{},{}]", 127.005 + 0.005 * angle.cos(), 37.005 + 0.005 * angle.sin())
        })
        .collect();
    let text = format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, ring.join(","));
    let area = Area::of_geojson(AreaName::query(), &text, None).unwrap();
    assert_eq!((area.remarks().len(), area.shape.parts().len()), (0, 1));
    let metres = |lat: f64, lon: f64| area.distance_m(Coordinate::parse(lat, lon).unwrap()).round() as i64;
    assert_eq!([metres(37.005, 127.005), metres(37.0099, 127.005), metres(37.0101, 127.005)], [0, 0, 11]);
    assert_eq!(metres(37.02, 127.005), 1112);
}

fn incident(geometry: Option<&str>, place: Option<(f64, f64)>, radius_m: Option<f64>) -> Incident {
    let report = IncidentReport {
        key: IncidentKey { source: "topis".to_owned(), id: "7".to_owned() },
        feed: FeedId::parse("native").unwrap(),
        version: None,
        phase: IncidentPhase::Active,
        status: Status::Actual,
        kind: IncidentKind::Fire,
        kind_word: None,
        subkind: None,
        severity: None,
        urgency: None,
        certainty: None,
        effect: None,
        active_periods: Vec::new(),
        expected_end: None,
        lat: place.map(|(lat, _)| lat),
        lon: place.map(|(_, lon)| lon),
        geometry: geometry.map(str::to_owned),
        radius_m,
        affects: Vec::new(),
        title: None,
        text: BTreeMap::new(),
        public_title: None,
        public_text: BTreeMap::new(),
        road_control: None,
        areas: Vec::new(),
        cancelled: false,
        proposes_clear: false,
        names: Vec::new(),
        fingerprint: Fingerprint(1),
        retained: false,
        received_at: UtcMillis(0),
    };
    Incident::record(None, &report, UtcMillis(9))
}

#[test]
fn an_incident_is_a_circle_a_corridor_a_polygon_or_says_why_not() {
    let told = |incident: &Incident| match ArmedArea::of_incident(incident) {
        Ok(armed) => {
            let area = &armed.area;
            let (id, remarks) = (area.id(), area.remarks());
            format!("{id} {:?} {:.0} m {:?} {remarks:?}", area.name().label, area.extent_m(), armed.purpose)
        }
        Err(e) => e.to_string(),
    };
    let closed = |kind, road_control: Option<&str>| {
        let mut incident = incident(None, Some((37.0, 127.0)), None);
        incident.report.kind = kind;
        incident.report.road_control = road_control.map(str::to_owned);
        ArmedArea::of_incident(&incident).unwrap().purpose
    };
    let rally = |road_control| closed(IncidentKind::Rally, road_control);
    assert_eq!(
        [rally(None), rally(Some("partial")), rally(Some("full"))],
        [AreaPurpose::Watch, AreaPurpose::Watch, AreaPurpose::Hazard]
    );
    assert_eq!(closed(IncidentKind::Fire, Some("full")), AreaPurpose::Evacuation);
    let line = r#"{"type":"LineString","coordinates":[[127,37],[127.001,37]]}"#;
    let ring = r#"{"type":"Polygon","coordinates":[[[127,37],[127.01,37],[127.01,37.01],[127,37]]]}"#;
    let lines = [
        told(&incident(None, Some((37.0, 127.0)), None)),
        told(&incident(None, Some((37.0, 127.0)), Some(50.0))),
        told(&incident(Some(line), None, Some(20.0))),
        told(&incident(Some(ring), None, None)),
        told(&incident(None, None, None)),
        told(&incident(Some("[]"), Some((37.0, 127.0)), None)),
    ];
    expect![[r#"
        topis/7 "fire topis/7" 203 m Evacuation [RadiusDefaulted]
        topis/7 "fire topis/7" 52 m Evacuation []
        topis/7 "fire topis/7" 66 m Evacuation []
        topis/7 "fire topis/7" 720 m Evacuation []
        incident topis/7: has neither `geometry` nor `lat` and `lon`; a stop, route or vehicle alone gives no area without the network
        geometry: is no GeoJSON (Error while deserializing GeoJSON: invalid type: sequence, expected GeoJson object at line 1 column 0); send a Geometry, a Feature or a FeatureCollection"#]].assert_eq(&lines.join("\n"));
}
