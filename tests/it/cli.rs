//! The command line's promises: exit codes, where words go, and what an error names.

use std::{fs, net::TcpListener, process::Command, time::Duration};

use tests::{Broker, Home, binaries, one_at_a_time, process::free_port, run_to_end};

const WITHIN: Duration = Duration::from_secs(30);

fn topis(arguments: &[&str]) -> (Option<i32>, String, String) {
    run_to_end(Home::new(Broker::Embedded).command().args(arguments), WITHIN).unwrap()
}

fn sim(arguments: &[&str]) -> (Option<i32>, String, String) {
    run_to_end(Command::new(binaries::topis_sim()).args(arguments), WITHIN).unwrap()
}

#[test]
fn usage_errors_are_2_and_every_help_ends_with_examples() {
    assert_eq!(topis(&["serv"]).0, Some(2));
    assert_eq!(topis(&["serve", "--no-such-flag"]).0, Some(2));
    assert_eq!(sim(&["ru"]).0, Some(2));
    for (code, out, _) in [topis(&["--help"]), topis(&["demo", "--help"]), sim(&["--help"]), sim(&["send", "--help"])] {
        assert_eq!(code, Some(0));
        assert!(out.contains("Examples:") || out.contains("EXAMPLES"), "{out}");
    }
    let (code, out, _) = topis(&["version"]);
    assert_eq!(code, Some(0));
    assert!(!out.trim().is_empty());
}

#[test]
fn an_unknown_key_is_3_and_names_the_nearest() {
    let home = Home::new(Broker::Embedded);
    let file = home.folder().join("topis.toml");
    fs::write(&file, "[http]\nlissten = \"127.0.0.1:8080\"\n[mqtt]\nprefx = \"x\"\n").unwrap();
    let command = |arguments: &[&str]| {
        run_to_end(home.command().env("TOPIS_CONFIG", &file).arg("--config").arg(&file).args(arguments), WITHIN)
            .unwrap()
    };
    let (code, _, err) = command(&["config", "check"]);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("listen") && err.contains("prefix"), "all errors together, each with the nearest key: {err}");
    assert_eq!(command(&["serve"]).0, Some(3));
}

#[test]
fn an_unknown_environment_key_and_an_unreadable_file_are_3() {
    let home = Home::new(Broker::Embedded).with("TOPIS__HTTP__LISTN", "127.0.0.1:1");
    let (code, _, err) = run_to_end(home.command().arg("serve"), WITHIN).unwrap();
    assert_eq!(code, Some(3), "{err}");
    assert!(err.to_lowercase().contains("listen"), "{err}");
    let (code, _, err) = topis(&["--config", "no/such/file.toml", "serve"]);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("no/such/file.toml"), "{err}");
}

#[test]
fn an_open_door_without_authentication_and_tls_that_is_not_built_are_refused() {
    for (key, value, names) in [
        ("TOPIS__HTTP__LISTEN", "0.0.0.0:0", "tokens_file"),
        ("TOPIS__BROKER__EMBEDDED_LISTEN", "0.0.0.0:18830", "users_file"),
        ("TOPIS__BROKER__URL", "mqtts://broker.example:8883", "mqtt://"),
    ] {
        let home = Home::new(Broker::Embedded).with(key, value);
        let (code, _, err) = run_to_end(home.command().arg("serve"), WITHIN).unwrap();
        assert_eq!(code, Some(3), "{key}={value}: {err}");
        assert!(err.contains(names), "{key}={value} names {names}: {err}");
    }
}

#[test]
fn a_taken_port_is_1_and_named() {
    let home = Home::new(Broker::Embedded);
    let _taken = TcpListener::bind(home.address()).unwrap();
    let (code, _, err) = run_to_end(home.command().arg("serve"), WITHIN).unwrap();
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(&home.address().port().to_string()), "{err}");
    let home = Home::new(Broker::Embedded);
    let _taken = TcpListener::bind(("127.0.0.1", home.broker_port())).unwrap();
    let (code, _, err) = run_to_end(home.command().arg("serve"), WITHIN).unwrap();
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(&home.broker_port().to_string()), "{err}");
}

#[test]
fn the_simulator_says_4_when_no_broker_is_there() {
    let broker = format!("mqtt://127.0.0.1:{}", free_port());
    let (code, _, err) = sim(&["send", "position", "--broker", &broker]);
    assert_eq!(code, Some(4), "{err}");
    let (code, _, err) = sim(&["run", "--scenario", "no_such_scenario", "--dry-run"]);
    assert_eq!(code, Some(3), "{err}");
}

#[test]
fn the_openapi_document_and_the_schema_are_json_on_standard_output() {
    let (code, out, _) = topis(&["openapi"]);
    assert_eq!(code, Some(0));
    let document: serde_json::Value = serde_json::from_str(&out).expect("an OpenAPI document");
    assert!(document["openapi"].as_str().is_some_and(|v| v.starts_with("3.1")));
    for path in ["/v1/status", "/v1/vehicles", "/v1/alerts", "/v1/incidents", "/v1/changes", "/v1/stream", "/v1/feeds"]
    {
        assert!(document["paths"].get(path).is_some(), "{path} is documented");
    }
    let (code, out, _) = topis(&["config", "schema"]);
    assert_eq!(code, Some(0));
    serde_json::from_str::<serde_json::Value>(&out).expect("a JSON schema");
}

#[test]
fn the_same_seed_and_scenario_print_the_same_bytes() {
    let arguments =
        ["run", "--scenario", "panic_button", "--seed", "7", "--vehicles", "20", "--dry-run", "--duration", "60"];
    let (first, second) = (sim(&arguments), sim(&arguments));
    assert_eq!(first.0, Some(0), "{}", first.2);
    assert!(first.1.lines().count() > 20, "{}", first.1);
    assert_eq!(first.1, second.1);
}

#[tokio::test]
async fn the_simulator_publishes_one_message_so_that_nobody_needs_another_tool() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let service = home.start().await.unwrap();
    let broker = format!("mqtt://127.0.0.1:{}", home.broker_port());
    for what in ["position", "alarm", "incident"] {
        let (code, out, err) = sim(&["send", what, "--broker", &broker, "--lat", "37.5665", "--lon", "126.978"]);
        assert_eq!(code, Some(0), "{what}: {err}");
        assert!(out.contains("topis/v1/"), "{what} shows what it sent: {out}");
    }
    for path in ["/v1/vehicles", "/v1/alerts", "/v1/incidents"] {
        tests::eventually(path, Duration::from_secs(5), async || {
            service.http().find(path).await?["data"].as_array().filter(|list| list.len() == 1).cloned()
        })
        .await;
    }
}

#[tokio::test]
async fn tokens_open_what_their_role_may_and_nothing_else() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let file = home.folder().join("tokens");
    let file = file.display().to_string();
    let token = |role: &str| {
        let (code, out, err) =
            run_to_end(home.command().args(["token", "new", "--role", role, "--name", role, "--file", &file]), WITHIN)
                .unwrap();
        assert_eq!(code, Some(0), "{err}");
        out.split_whitespace().last().unwrap_or_default().to_owned()
    };
    let (viewer, operator) = (token("viewer"), token("operator"));
    assert!(!fs::read_to_string(&file).unwrap().contains(&viewer), "only the hash is kept");
    let home = home.with("TOPIS__HTTP__TOKENS_FILE", file);
    let service = home.start().await.unwrap();
    let http = service.http();
    let get = async |path: &str, token: Option<&str>| {
        let request = http.request(reqwest::Method::GET, path);
        let request = token.map_or(request.try_clone().unwrap(), |t| request.bearer_auth(t));
        http.send(request).await.unwrap().status
    };
    assert_eq!(get("/v1/vehicles", None).await, 401);
    assert_eq!(get("/v1/vehicles", Some("wrong")).await, 401);
    assert_eq!(get("/v1/vehicles", Some(&viewer)).await, 200);
    assert_eq!(get("/livez", None).await, 200);
    let order = async |token: &str| {
        let path = "/v1/alerts/20261124-1/acknowledge";
        let request = http.request(reqwest::Method::POST, path).bearer_auth(token).json(&serde_json::json!({}));
        http.send(request).await.unwrap().status
    };
    assert_eq!(order(&viewer).await, 403);
    assert_eq!(order(&operator).await, 404, "an operator may, but there is no such alert");
}
