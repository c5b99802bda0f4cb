//! Real recordings through a real broker: in whatever order and however often messages come, the picture is one, and a
//! program that shares no code with the decoder finds the same.

use std::{collections::BTreeMap, path::Path, process::Command, time::Duration};

use serde_json::Value;
use tests::{
    Broker, Home, eventually,
    load::seed,
    mosquitto::{Mosquitto, MosquittoOptions},
    mqtt::Mqtt,
    one_at_a_time, process,
    recordings::{self, Line},
    workspace,
};

const FOLDED_WITHIN: Duration = Duration::from_secs(60);
/// What depends on when a message arrived, which is outside the claim.
const BY_ARRIVAL: &[&str] = &["received_at", "age_s", "freshness", "quality", "revision"];

type Picture = BTreeMap<String, Value>;

/// The picture a fresh service has after these messages came through a fresh mosquitto.
async fn picture_of(lines: &[Line]) -> Picture {
    let folder = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await.unwrap();
    let home = Home::new(Broker::Foreign(broker.port()));
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(broker.port()).await.unwrap();
    for line in lines {
        mqtt.publish(&line.topic, line.payload.clone()).await.unwrap();
    }
    mqtt.disconnect().await;
    let expected = lines.len() as u64;
    eventually(&format!("{expected} messages are counted"), FOLDED_WITHIN, async || {
        let feed = topis.http().find("/v1/feeds/hfp").await?;
        (feed["data"]["received"].as_u64()? >= expected).then_some(())
    })
    .await;
    // Counted and shown in one publication: the list asked for after the count holds every message.
    let strip = |mut vehicle: Value| {
        let id = vehicle["id"].as_str().unwrap().to_owned();
        vehicle.as_object_mut().unwrap().retain(|key, _| !BY_ARRIVAL.contains(&key.as_str()));
        (id, vehicle)
    };
    topis.http().list("/v1/vehicles").await.into_iter().map(strip).collect()
}

fn assert_same(what: &str, a: &Picture, b: &Picture) {
    let differ: Vec<String> = a
        .keys()
        .chain(b.keys())
        .filter(|id| a.get(*id) != b.get(*id))
        .map(|id| format!("{id}:\n  {:?}\n  {:?}", a.get(id), b.get(id)))
        .take(5)
        .collect();
    assert!(differ.is_empty(), "{what} differ:\n{}", differ.join("\n"));
}

/// Vehicle to group to (stamp, candidates), by the independent program.
fn oracle(recording: &Path) -> BTreeMap<String, BTreeMap<String, Value>> {
    let program = workspace::root().join("tests/oracle/hfp_newest.py");
    let run = Command::new("python3").arg(program).arg(recording).output().expect("python3 runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).expect("the oracle prints JSON")
}

/// The same fact of our vehicle, in the oracle's form.
fn ours(vehicle: &Value, group: &str) -> Value {
    let pick = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), vehicle[key].clone())).collect::<Value>();
    match group {
        "position" => pick(&["lat", "lon"]),
        "journey" => pick(&["journey_state", "route_id"]),
        single => vehicle[single].clone(),
    }
}

fn compare_with_oracle(picture: &Picture, recording: &Path) {
    let expected = oracle(recording);
    assert_eq!(picture.len(), expected.len(), "vehicles");
    let mut wrong = Vec::new();
    for (id, groups) in &expected {
        let Some(vehicle) = picture.get(id) else {
            wrong.push(format!("{id}: not in the picture"));
            continue;
        };
        for (group, newest) in groups {
            let said = ours(vehicle, group);
            if !newest["candidates"].as_array().is_some_and(|candidates| candidates.contains(&said)) {
                wrong.push(format!("{id} {group}: we say {said}, the oracle {}", newest["candidates"]));
            }
        }
    }
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} facts differ from the oracle:\n{shown}", wrong.len());
}

async fn one_picture_however_it_comes(recording: &Path) -> Picture {
    let lines = recordings::lines(recording);
    let seed = seed();
    let recorded = picture_of(&lines).await;
    let shuffled = picture_of(&recordings::shuffled(&lines, seed)).await;
    assert_same(&format!("as recorded and shuffled with seed {seed}"), &recorded, &shuffled);
    let four_times: Vec<Line> = lines.iter().flat_map(|line| vec![line.clone(); 4]).collect();
    let copied = picture_of(&recordings::shuffled(&four_times, seed)).await;
    assert_same(&format!("as recorded and four times each, shuffled with seed {seed}"), &recorded, &copied);
    compare_with_oracle(&recorded, recording);
    recorded
}

fn ready() -> bool {
    let python = process::installed("python3");
    if !python {
        process::skipped("python3 is not installed (tests/run installs it)");
    }
    python && Mosquitto::is_here()
}

#[tokio::test]
async fn a_fleet_s_burst_gives_one_picture_as_recorded_shuffled_and_four_times() {
    let _turn = one_at_a_time().await;
    let Some(recording) = recordings::find("hfp/hsl-v1-fleet-burst-5000.txt") else { return };
    if ready() {
        let picture = one_picture_however_it_comes(&recording).await;
        assert_eq!(picture.len(), 1_460);
    }
}

#[tokio::test]
async fn stops_doors_and_sign_offs_are_right_in_the_v2_recordings() {
    let _turn = one_at_a_time().await;
    if !ready() {
        return;
    }
    for name in ["v2-currentStopNull", "v2-serviceJourneyChangeSameStop", "v2-stopChange"] {
        let Some(recording) = recordings::find(&format!("hfp/{name}/hfp.dump")) else { return };
        one_picture_however_it_comes(&recording).await;
    }
}

/// Sign-off, as the recordings do not hold one: the end of a journey, not of a vehicle.
#[tokio::test]
async fn a_sign_off_ends_the_journey_and_keeps_the_vehicle() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let tail = "bus/0012/01913/4400/1/Vantaankoski/15:21/1130110/4/60;24/19/72/15";
    let body = |key: &str, second: u32| {
        let time = format!("2023-10-29T13:24:{second:02}.000Z");
        format!(
            r#"{{"{key}":{{"desi":"400","dir":"1","oper":12,"veh":1913,"tst":"{time}","lat":60.17,"long":24.92,"route":"4400"}}}}"#
        )
    };
    let shows = async |what: &str, is: &dyn Fn(&Value) -> bool| {
        eventually(what, FOLDED_WITHIN, async || {
            topis.http().find("/v1/vehicles/0012/01913").await.map(|b| b["data"].clone()).filter(|v| is(v))
        })
        .await
    };
    mqtt.publish(&format!("/hfp/v2/journey/ongoing/vp/{tail}"), body("VP", 10)).await.unwrap();
    shows("in service", &|v| v["journey_state"] == "in_service" && v["route_id"] == "4400").await;
    mqtt.publish(&format!("/hfp/v2/journey/ongoing/vjout/{tail}"), body("VJOUT", 20)).await.unwrap();
    let off = shows("signed off", &|v| v["journey_state"] == "signed_off").await;
    assert_eq!(off["route_id"], Value::Null, "{off:#}");
}
