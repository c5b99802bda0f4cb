//! CSV (RFC 4180) for spreadsheets: header, stable column order, empty = unknown.
//!
//! Lists are joined by a space, nested objects are JSON text. Text that a spreadsheet would run as a formula gets a
//! leading apostrophe; numbers are left as they are.

use alert::{Alert, Incident};
use picture::VehicleRecord;
use serde_json::Value;
use transit::UtcMillis;

use crate::{
    FormatDef, Lang,
    columns::{ALERT, Column, INCIDENT, VEHICLE},
    report::Report,
};

mod report_rows;

/// The registry entry.
pub const FORMAT: FormatDef = FormatDef {
    code: "csv",
    media_type: "text/csv; charset=utf-8; header=present",
    doc: "CSV with a header line; empty cells are unknown, text that looks like a formula has a leading apostrophe.",
    own_route: false,
    vehicles: Some(vehicles_csv),
    alerts: Some(alerts_csv),
    incidents: Some(incidents_csv),
    reports: Some(report_csv),
};

/// Vehicles as CSV.
pub fn vehicles_csv(vehicles: &mut dyn Iterator<Item = &VehicleRecord>, as_of: UtcMillis) -> Vec<u8> {
    table(VEHICLE, vehicles, as_of)
}

/// Alerts as CSV.
pub fn alerts_csv(alerts: &mut dyn Iterator<Item = (&Alert, usize)>, _as_of: UtcMillis, lang: Lang) -> Vec<u8> {
    table(ALERT, &mut alerts.map(|(alert, _)| alert), lang)
}

/// Incidents as CSV.
pub fn incidents_csv(incidents: &mut dyn Iterator<Item = &Incident>) -> Vec<u8> {
    table(INCIDENT, incidents, ())
}

/// A report as CSV: one row a line of the timeline, a span of an owner, a mark, a position and a thing that was not
/// known; the column `row` says which.
pub fn report_csv(report: &Report<'_>, _lang: Lang) -> Vec<u8> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(report_rows::COLUMNS).expect(INFALLIBLE);
    report_rows::each(report, &mut |mut row| {
        let cells = report_rows::COLUMNS.iter().map(|column| {
            let at = row.iter().position(|(key, _)| key == column);
            cell(at.map_or(Value::Null, |at| row.swap_remove(at).1))
        });
        writer.write_record(cells).expect(INFALLIBLE);
    });
    writer.into_inner().expect(INFALLIBLE)
}

const INFALLIBLE: &str = "a Vec takes every byte and each row has the header's length";

fn table<R, A: Copy>(columns: &[Column<R, A>], records: &mut dyn Iterator<Item = &R>, argument: A) -> Vec<u8> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|c| c.key)).expect(INFALLIBLE);
    for record in records {
        writer.write_record(columns.iter().map(|c| cell((c.of)(record, argument)))).expect(INFALLIBLE);
    }
    writer.into_inner().expect(INFALLIBLE)
}

fn cell(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => disarm(text),
        Value::Array(parts) => disarm(parts.into_iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Object(_) => value.to_string(),
    }
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            other.to_string()
        }
    }
}

/// Spreadsheets run a cell that begins with one of these, quoted or not.
fn disarm(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::samples;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_vehicle_is_one_line_under_a_stable_header() {
        let bus = samples::bus();
        let tram = samples::silent_tram();
        let csv = text(vehicles_csv(&mut [&bus, &tram].into_iter(), samples::NOW));
        expect![[r#"
            id,agency_id,vehicle_id,feed_id,event_time,received_at,age_s,freshness,quality,lat,lon,bearing,speed_mps,accuracy_m,odometer_m,mode,route_id,direction_id,trip_id,service_date,start_time,block_id,stop_id,current_stop_sequence,current_status,delay_s,occupancy_status,occupancy_percentage,doors_open,position_source,journey_state,consist,boot,seq,upcoming
            22/800,22,800,hfp,2026-11-23T07:59:57.500Z,2026-11-23T07:59:58.100Z,2.1,live,,60.17012,24.94011,271.3,11.9,4.0,18250.0,bus,1059,1,T-17,2026-11-22,25:10:00,,1020450,7,IN_TRANSIT_TO,-30,FEW_SEATS_AVAILABLE,70,false,gps,in_service,,3,417,"{""block_id"":null,""consist"":null,""direction_id"":null,""journey_state"":null,""route_id"":""1059"",""service_date"":null,""start_time"":null,""trip_id"":null}"
            22/1,22,1,hfp,2026-11-23T07:59:57.500Z,2026-11-23T07:59:58.100Z,2.1,stale,,,,,,,,tram,,,,,,,,,,,,,,,,,,,
        "#]].assert_eq(&csv);
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_disarmed_and_a_number_is_not() {
        let mut alert = samples::panic();
        for (given, written) in [
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@sum", "'@sum"),
            ("\t=1", "'\t=1"),
            ("a=b", "a=b"),
        ] {
            alert.text = Some(given.to_owned());
            alert.lat = Some(-33.5);
            let csv = text(alerts_csv(&mut [(&alert, 0)].into_iter(), samples::NOW, Lang::En));
            assert!(csv.contains(&format!(",{written},")), "{given}: {csv}");
            assert!(csv.contains(",-33.5,"), "{csv}");
        }
    }

    #[test]
    fn nothing_is_a_header() {
        let csv = text(incidents_csv(&mut std::iter::empty()));
        assert_eq!(csv.lines().count(), 1);
        assert!(csv.starts_with("id,source,incident_id,"));
    }

    #[test]
    fn a_report_is_one_table_whose_rows_say_what_they_are() {
        use crate::{
            recording::Recorded,
            report::{
                Reported,
                tests::{handled, recording},
            },
        };
        let alert = handled();
        let reported = Reported { alert: &alert, recorded: Recorded::Kept(Box::new(recording())) };
        let report = Report { as_of: samples::NOW, incident: None, alerts: vec![reported], alerts_left_out: 0 };
        let csv = text(report_csv(&report, Lang::En));
        expect![[r#"
            row,alert_id,at,until,seq,reason,actor_kind,actor,desk,from,to,comment,step,party,reference,reached_at,agency_id,vehicle_id,recorded_for,event_time,received_at,lat,lon,bearing,speed_mps,quality,point_from,count,detail
            timeline,20261123-417,2026-11-23T07:58:59.000Z,,1,raised,person,driver,,none,active/unacknowledged,,,,,,,,,,,,,,,,,,
            timeline,20261123-417,2026-11-23T08:00:05.000Z,,2,acknowledged,person,kim,,active/unacknowledged,active/acknowledged,,,,,,,,,,,,,,,,,,
            timeline,20261123-417,2026-11-23T08:00:30.000Z,,3,mark,person,kim,,active/acknowledged,active/acknowledged,"<script>alert(1)</script>
            # not a heading | nor a cell www.x.example",,,,,,,,,,,,,,,,,
            timeline,20261123-417,2026-11-23T08:01:00.000Z,,4,handover,person,kim,,active/acknowledged,active/acknowledged,,,,,,,,,,,,,,,,,,
            owner,20261123-417,2026-11-23T08:00:05.000Z,2026-11-23T08:01:00.000Z,,handover,person,kim,,,,,,,,,,,,,,,,,,,,,
            owner,20261123-417,2026-11-23T08:01:00.000Z,,,,person,lee,north,,,,,,,,,,,,,,,,,,,,
            mark,20261123-417,2026-11-23T08:00:30.000Z,,3,,person,kim,,,,"<script>alert(1)</script>
            # not a heading | nor a cell www.x.example",on_scene,'=cmd|' /C calc'!A0,[119](http://x.example),2026-11-23T08:00:20.000Z,,,,,,,,,,,,,
            unknown,20261123-417,2026-11-23T08:00:00.000Z,2026-11-23T08:01:35.000Z,,silent,,,,,,,,,,,22,800,,,,,,,,,,,
            unknown,20261123-417,,,,never_heard,,,,,,,,,,,22,9,,,,,,,,,,,
            unknown,20261123-417,,,,doubtful,,,,,,,,,,,22,800,,,,,,,,,,1,jump
            position,20261123-417,,,,,,,,,,,,,,,22,800,subject,2026-11-23T07:59:30.000Z,2026-11-23T07:59:30.400Z,60.17,24.937,90.0,7.5,,report,,
            position,20261123-417,,,,,,,,,,,,,,,22,800,subject,2026-11-23T08:00:00.000Z,2026-11-23T08:00:00.400Z,60.17,24.94,90.0,7.5,jump,report,,
            position,20261123-417,,,,,,,,,,,,,,,22,800,subject,2026-11-23T08:01:35.000Z,2026-11-23T08:01:35.400Z,60.17,24.9495,90.0,7.5,at_stop,report,,
            position,20261123-417,,,,,,,,,,,,,,,22,7,near,2026-11-23T08:00:00.000Z,2026-11-23T08:00:00.400Z,60.17,24.94,90.0,7.5,,report,,
        "#]].assert_eq(&csv);
        report_rows::each(&report, &mut |row| {
            assert!(row.iter().all(|(key, _)| report_rows::COLUMNS.contains(key)), "{row:?}");
        });
    }
}
