//! The binary as people use it: exit codes, output, and what arrives at a real broker. Where mosquitto is not
//! installed, the tests that need a broker say so and pass.

use std::{
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

fn topis_sim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_topis-sim")).args(args).output().expect("the binary was built with the test")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    socket.local_addr().expect("it is bound").port()
}

/// mosquitto on a port of its own, ended with the test.
struct Mosquitto {
    child: Child,
    url: String,
    config: PathBuf,
}

impl Mosquitto {
    fn start() -> Option<Self> {
        let port = free_port();
        let config = std::env::temp_dir().join(format!("topis-sim-test-{}-{port}.conf", std::process::id()));
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_packet_size 65536\n");
        std::fs::write(&config, text).expect("the temporary folder is writable");
        let places = ["mosquitto", "/usr/sbin/mosquitto"];
        let child = places.iter().find_map(|place| {
            Command::new(place).arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        });
        let Some(child) = child else {
            writeln!(std::io::stderr(), "SKIPPED: mosquitto is not installed").expect("stderr is open");
            return None;
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "mosquitto does not listen");
            std::thread::yield_now();
        }
        Some(Self { child, url: format!("mqtt://127.0.0.1:{port}"), config })
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.child.kill().expect("it was started by us");
        self.child.wait().expect("it was started by us");
        std::fs::remove_file(&self.config).expect("it was written by us");
    }
}

#[test]
fn a_dry_run_prints_the_same_json_lines_every_time() {
    let args = ["run", "--scenario", "panic_button", "--dry-run", "--duration", "12s"];
    let (first, second) = (topis_sim(&args), topis_sim(&args));
    assert_eq!(code(&first), 0);
    assert!(first.stdout == second.stdout);
    let lines: Vec<Value> = text(&first.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 1000);
    let alarms = lines.iter().filter(|line| line["topic"].as_str().is_some_and(|topic| topic.ends_with("/alarm")));
    assert_eq!(alarms.count(), 1);
}

#[test]
fn bad_input_ends_with_the_documented_code_and_says_what_to_do() {
    let refused = |args: &[&str], expected: i32, needle: &str| {
        let output = topis_sim(args);
        let said = text(&output.stderr);
        assert_eq!(code(&output), expected, "{args:?}: {said}");
        assert!(said.contains(needle), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?} wrote to stdout");
    };
    refused(&["run", "--seconds", "3"], 2, "--seconds");
    refused(&["run", "--speed", "0"], 2, "above 0");
    refused(&["run", "--scenario", "panic_buton"], 3, "did you mean `panic_button`?");
    refused(&["run", "--scenario", "./nowhere.toml"], 3, "nowhere.toml");
    refused(&["run", "--size", "metropolitan"], 3, "metropolis");
    refused(&["run", "--broker", "mqtts://x"], 3, "TLS");
    refused(&["replay", "/nowhere"], 1, "/nowhere");
    refused(&["run", "--duration", "soon"], 2, "5m");
    refused(&["send", "incident"], 2, "add a place: `--lat 37.5665 --lon 126.978`");
    refused(&["send", "incident", "--lat", "37.5"], 2, "--lon");
    refused(&["send", "position", "--stop-status", "PARKED"], 2, "STOPPED_AT");
    let nobody = format!("mqtt://127.0.0.1:{}", free_port());
    let no_broker =
        |args: &[&str]| refused(&[&["send", "incident", "--broker", &nobody], args].concat(), 4, "no broker");
    no_broker(&["--raw", "{}"]);
    no_broker(&["--withdraw", "--id", "42"]);
    no_broker(&["--field", "affects=[{\"route_id\":\"101\"}]"]);
    no_broker(&["--field", "geometry={\"type\":\"Point\",\"coordinates\":[127,37.5]}"]);
    refused(&["send", "alarm", "--broker", &nobody], 4, "mosquitto -p 1883");
}

#[test]
fn one_message_is_sent_and_printed_once_the_broker_has_it() {
    let Some(broker) = Mosquitto::start() else { return };
    let sent = topis_sim(&["send", "alarm", "--broker", &broker.url, "--text", "Hilfe, schnell!"]);
    assert_eq!(code(&sent), 0, "{}", text(&sent.stderr));
    let said: Value = serde_json::from_slice(&sent.stdout).unwrap();
    assert_eq!(said["topic"], "topis/v1/vehicle/0012/00001/alarm");
    assert_eq!(said["body"]["kind"], "panic");
    assert_eq!(said["body"]["text"], "Hilfe, schnell!");
    let again = topis_sim(&["send", "alarm", "--broker", &broker.url]);
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_ne!(said["body"]["event_id"], again["body"]["event_id"]);
}

#[test]
fn everything_published_is_acknowledged_although_connections_come_and_go() {
    let Some(broker) = Mosquitto::start() else { return };
    let scenario = std::env::temp_dir().join(format!("topis-sim-test-{}.toml", std::process::id()));
    std::fs::write(
        &scenario,
        "title = 'Storm'\ndoc = 'A short cut and a storm.'\nduration_s = 3\nvehicles = 200\n
        [[faults]]\ncode = 'feed_outage'\nfrom_s = 1\nuntil_s = 1.5\n
        [[faults]]\ncode = 'reconnect_storm'\nfrom_s = 2\noptions = { clients = 20, waves = 1 }\n",
    )
    .unwrap();
    let path = scenario.to_str().expect("the temporary folder has a plain name");
    let played = topis_sim(&["run", "--broker", &broker.url, "--scenario", path, "--qos", "1", "--unchecked"]);
    std::fs::remove_file(&scenario).unwrap();
    assert_eq!(code(&played), 0, "{}", text(&played.stderr));
    let summary: Value = serde_json::from_slice(&played.stdout).unwrap();
    assert!(summary["published"].as_u64().unwrap() > 200, "{summary}");
    assert_eq!(summary["published"], summary["acknowledged"], "{summary}");
    assert_eq!((&summary["refused"], &summary["reconnects"]), (&Value::from(0), &Value::from(0)), "{summary}");
}

#[test]
fn failed_expectations_end_with_5_and_say_which_and_why() {
    let Some(broker) = Mosquitto::start() else { return };
    let api = format!("http://127.0.0.1:{}", free_port());
    let scenario = std::env::temp_dir().join(format!("topis-sim-test-expect-{}.toml", std::process::id()));
    std::fs::write(
        &scenario,
        "title = 'Hope'\ndoc = 'Nobody answers.'\nduration_s = 1\nvehicles = 2\n
        [[expectations]]\nat_s = 0\nwithin_s = 0.5\ntitle = 'somebody answers'\nget = '/v1/vehicles'\n",
    )
    .unwrap();
    let path = scenario.to_str().expect("the temporary folder has a plain name");
    let played = topis_sim(&["run", "--broker", &broker.url, "--scenario", path, "--api", &api]);
    std::fs::remove_file(&scenario).unwrap();
    assert_eq!(code(&played), 5);
    let summary: Value = serde_json::from_slice(&played.stdout).unwrap();
    assert_eq!(summary["checked"][0]["ok"], false);
    let said = text(&played.stderr);
    assert!(said.contains("FAILED  somebody answers") && said.contains("refused"), "{said}");
}
