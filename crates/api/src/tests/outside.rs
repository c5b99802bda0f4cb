//! What goes outside, as the rest of the world polls it.

use std::collections::BTreeMap;

use serde_json::Value;
use transit::Coordinate;

use super::Desk;

#[tokio::test]
async fn i21_the_time_of_what_goes_outside_moves_with_its_content_and_never_back() {
    let mut desk = Desk::new();
    let mut before: BTreeMap<&str, (i64, Value)> = BTreeMap::new();
    let pauses = [1_000, 1_000, 200, 300, 0, 1_000, -3_600_000, 100, 1_000, 900, 50, 60];
    for step in 0..36 {
        let pause = pauses[step as usize % pauses.len()];
        desk.pass(pause);
        match step % 3 {
            0 => desk.put("18/1", |v| v.coordinate = Coordinate::parse(60.2 + f64::from(step) / 1e3, 24.9).ok()),
            1 => desk.report("its", "1", |r| {
                r.title = Some(format!("v{step}"));
                r.affects = vec![alert::Affected { route_id: Some("550".to_owned()), ..alert::Affected::default() }];
            }),
            _ => {
                let actor = alert::Actor { by: "kim".to_owned(), ..alert::Actor::default() };
                let key = alert::IncidentKey { source: "its".to_owned(), id: "1".to_owned() };
                let text = BTreeMap::from([("en".to_owned(), format!("words of {step}"))]);
                let deed = alert::IncidentDeed::Publish { title: Some("Crash".to_owned()), text };
                let order = alert::Order::Incident { key, deed, comment: None };
                desk.commit(&room::Input::Command(alert::Command { actor, request_id: step.to_string(), order }));
            }
        }
        for path in ["/gtfs-rt/alerts.json", "/gtfs-rt/vehicle-positions.json"] {
            let body = desk.get(path).await.json();
            let at: i64 = body["header"]["timestamp"].as_str().unwrap().parse().unwrap();
            let content = body["entity"].clone();
            if let Some((earlier, said)) = before.insert(path, (at, content.clone())) {
                assert!(at >= earlier, "{path} went back");
                assert!(content == said || at > earlier, "{path}: new content under an old time at {step}");
            }
            // A second later at most the newest is shown, also after the clock was set back.
            if path.contains("alerts") && step % 3 == 2 && pause.abs() >= 1_000 {
                assert!(content.to_string().contains(&format!("words of {step}")), "{step}: {content}");
            }
        }
    }
    assert!(before.values().all(|(_, content)| !content.is_null()), "both had something to say: {before:?}");
}
