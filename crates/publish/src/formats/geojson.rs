//! GeoJSON (RFC 7946): longitude first, WGS84; what has no place has a null geometry and is still there.

use ::geojson::{Feature, FeatureCollection, Geometry, feature::Id};
use alert::{Alert, Incident};
use picture::VehicleRecord;
use serde_json::{Map, Value};
use transit::{Coordinate, UtcMillis};

use crate::{
    FormatDef, Lang,
    columns::{ALERT, INCIDENT, VEHICLE, object},
};

/// The registry entry.
pub const FORMAT: FormatDef = FormatDef {
    code: "geojson",
    media_type: "application/geo+json",
    doc: "GeoJSON FeatureCollection; the properties are the record's keys, the geometry is null where no place is known.",
    own_route: false,
    vehicles: Some(vehicles_geojson),
    alerts: Some(alerts_geojson),
    incidents: Some(incidents_geojson),
    reports: None,
};

/// Vehicles as points; the member `as_of` says as of when.
pub fn vehicles_geojson(vehicles: &mut dyn Iterator<Item = &VehicleRecord>, as_of: UtcMillis) -> Vec<u8> {
    let features =
        vehicles.map(|v| feature(v.key.to_string(), v.coordinate.map(point), object(VEHICLE, v, as_of))).collect();
    collection(features, Some(as_of))
}

/// Alerts as points.
pub fn alerts_geojson(alerts: &mut dyn Iterator<Item = (&Alert, usize)>, as_of: UtcMillis, lang: Lang) -> Vec<u8> {
    let features =
        alerts.map(|(a, _)| feature(a.id.to_string(), place(a.lat, a.lon), object(ALERT, a, lang))).collect();
    collection(features, Some(as_of))
}

/// Incidents as the geometry they were reported with, else as points.
pub fn incidents_geojson(incidents: &mut dyn Iterator<Item = &Incident>) -> Vec<u8> {
    let features = incidents
        .map(|i| {
            let drawn = i.report.geometry.as_deref().and_then(|text| text.parse::<Geometry>().ok());
            let geometry = drawn.or_else(|| place(i.report.lat, i.report.lon));
            feature(format!("{}/{}", i.report.key.source, i.report.key.id), geometry, object(INCIDENT, i, ()))
        })
        .collect();
    collection(features, None)
}

fn point(at: Coordinate) -> Geometry {
    Geometry::new_point([at.lon(), at.lat()])
}

fn place(lat: Option<f64>, lon: Option<f64>) -> Option<Geometry> {
    Coordinate::parse(lat?, lon?).ok().map(point)
}

fn feature(id: String, geometry: Option<Geometry>, properties: Map<String, Value>) -> Feature {
    Feature { id: Some(Id::String(id)), geometry, properties: Some(properties), ..Feature::default() }
}

fn collection(features: Vec<Feature>, as_of: Option<UtcMillis>) -> Vec<u8> {
    let foreign_members = as_of.map(|t| Map::from_iter([("as_of".to_owned(), Value::String(t.to_string()))]));
    let collection = FeatureCollection { bbox: None, features, foreign_members };
    serde_json::to_vec(&collection).expect("string keys and finite numbers are always JSON")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::samples;

    fn read(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn a_vehicle_is_a_point_with_longitude_first_and_all_its_keys() {
        let bus = samples::bus();
        let value = read(&vehicles_geojson(&mut [&bus].into_iter(), samples::NOW));
        expect![[r#"
            {
              "as_of": "2026-11-23T08:00:00.000Z",
              "features": [
                {
                  "geometry": {
                    "coordinates": [
                      24.94011,
                      60.17012
                    ],
                    "type": "Point"
                  },
                  "id": "22/800",
                  "properties": {
                    "accuracy_m": 4.0,
                    "age_s": 2.1,
                    "agency_id": "22",
                    "bearing": 271.3,
                    "block_id": null,
                    "boot": 3,
                    "consist": null,
                    "current_status": "IN_TRANSIT_TO",
                    "current_stop_sequence": 7,
                    "delay_s": -30,
                    "direction_id": 1,
                    "doors_open": false,
                    "event_time": "2026-11-23T07:59:57.500Z",
                    "feed_id": "hfp",
                    "freshness": "live",
                    "id": "22/800",
                    "journey_state": "in_service",
                    "lat": 60.17012,
                    "lon": 24.94011,
                    "mode": "bus",
                    "occupancy_percentage": 70,
                    "occupancy_status": "FEW_SEATS_AVAILABLE",
                    "odometer_m": 18250.0,
                    "position_source": "gps",
                    "quality": [],
                    "received_at": "2026-11-23T07:59:58.100Z",
                    "route_id": "1059",
                    "seq": 417,
                    "service_date": "2026-11-22",
                    "speed_mps": 11.9,
                    "start_time": "25:10:00",
                    "stop_id": "1020450",
                    "trip_id": "T-17",
                    "upcoming": {
                      "block_id": null,
                      "consist": null,
                      "direction_id": null,
                      "journey_state": null,
                      "route_id": "1059",
                      "service_date": null,
                      "start_time": null,
                      "trip_id": null
                    },
                    "vehicle_id": "800"
                  },
                  "type": "Feature"
                }
              ],
              "type": "FeatureCollection"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn a_vehicle_without_a_place_is_a_feature_without_a_geometry() {
        let tram = samples::silent_tram();
        let value = read(&vehicles_geojson(&mut [&tram].into_iter(), samples::NOW));
        assert_eq!(value["features"][0]["geometry"], Value::Null);
        assert_eq!(value["features"][0]["properties"]["lat"], Value::Null);
        assert_eq!(value["features"][0]["id"], json!("22/1"));
    }

    #[test]
    fn an_incident_keeps_the_geometry_it_was_reported_with() {
        let mut flood = samples::flood();
        let value = read(&incidents_geojson(&mut [&flood].into_iter()));
        assert_eq!(value["features"][0]["geometry"], json!({"type": "Point", "coordinates": [24.95, 60.18]}));
        flood.report.geometry = Some(r#"{"type":"LineString","coordinates":[[24.9,60.1],[24.8,60.2]]}"#.to_owned());
        let value = read(&incidents_geojson(&mut [&flood].into_iter()));
        assert_eq!(value["features"][0]["geometry"]["type"], json!("LineString"));
    }

    #[test]
    fn an_alert_at_no_place_on_the_globe_has_no_geometry() {
        let mut alert = samples::panic();
        let value = read(&alerts_geojson(&mut [(&alert, 0)].into_iter(), samples::NOW, Lang::En));
        assert_eq!(value["features"][0]["geometry"]["coordinates"], json!([24.94, 60.17]));
        alert.lat = Some(400.0);
        let value = read(&alerts_geojson(&mut [(&alert, 0)].into_iter(), samples::NOW, Lang::En));
        assert_eq!(value["features"][0]["geometry"], Value::Null);
    }
}
