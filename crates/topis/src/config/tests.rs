//! Text in, faults or configuration out.

use std::{net::SocketAddr, path::PathBuf};

use expect_test::{Expect, expect};
use picture::Expect as Expected;

use super::*;

const EXAMPLE: &str = include_str!("../../../../config/topis.toml");

fn sources(toml: &str) -> Sources {
    Sources { file: Some((PathBuf::from("t.toml"), toml.to_owned())), ..Sources::default() }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn load(toml: &str) -> Config {
    Config::load(&sources(toml)).unwrap_or_else(|faults| panic!("{faults}"))
}

fn refused(sources: &Sources, expected: Expect) {
    let faults = Config::load(sources).expect_err("must be refused");
    expected.assert_eq(&format!("{faults}\n"));
}

#[test]
fn without_anything_it_runs_on_loopback() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.http.listen, "127.0.0.1:8080".parse::<SocketAddr>().unwrap());
    assert!(config.http.tokens.is_none() && config.broker.url.is_none() && config.broker.users.is_none());
    assert_eq!(config.broker.embedded_listen, "127.0.0.1:1883".parse::<SocketAddr>().unwrap());
    assert_eq!((config.mqtt_prefix.as_str(), config.mqtt_client_id.as_str()), ("topis", "topis"));
    assert_eq!(config.journal_path, PathBuf::from("./topis-data/journal.db"));
    assert_eq!(config.passenger_priority, alert::Priority::P2);
    let ids: Vec<&str> = config.feeds.iter().map(|feed| feed.id.as_str()).collect();
    assert_eq!(ids, ["native", "hfp", "gtfs-rt", "cap"]);
    let policies = config.picture.feeds.clone();
    assert_eq!(picture::PictureOptions { feeds: Vec::new(), ..config.picture }, picture::PictureOptions::default());
    assert!(policies.iter().all(|policy| policy.expect == Expected::Recent && policy.interval_s.is_none()));
}

#[test]
fn the_example_parses_and_uncommented_says_every_default() {
    assert_eq!(Typed::read(&sources(EXAMPLE)).unwrap().file, ConfigFile::default());

    let uncommented: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if !key.is_empty() && !key.starts_with(' ') => format!("{key}\n"),
            Some(_) | None => format!("{line}\n"),
        })
        .collect();
    let mut written: toml::Table = uncommented.parse().unwrap();
    let feeds = written.insert("feeds".to_owned(), toml::Value::Array(Vec::new()));
    assert_eq!(written, toml::Table::try_from(ConfigFile::default()).unwrap());
    let feeds: Vec<file::Feed> = feeds.unwrap().try_into().unwrap();
    assert_eq!(feeds, feed_layers::merged_feeds(&[]));
    load(&uncommented);
}

#[test]
fn the_command_line_goes_before_the_environment_before_the_file() {
    let toml = "[mqtt]\nprefix = 'file'\nclient_id = 'file'\n[journal]\npath = 'file'\n";
    let all = Sources {
        environment: pairs(&[
            ("TOPIS__MQTT__CLIENT_ID", "007"),
            ("TOPIS__JOURNAL__PATH", "environment"),
            ("TOPIS__HTTP__MAX_CONNECTIONS", "12"),
            ("TOPIS__SCHEDULE__GTFS", "a.zip, b.zip"),
            ("TOPIS__PICTURE__SERVICE_AREA", "126.7,37.4,127.2,37.7"),
            ("TOPIS__PICTURE__JUMP_MPS_BY_MODE__FERRY", "20"),
            ("TOPIS_RECORDINGS", "not ours"),
            ("PATH", "/bin"),
        ]),
        flags: pairs(&[("journal.path", "flag")]),
        ..sources(toml)
    };
    let config = Config::load(&all).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(config.mqtt_prefix, "file");
    assert_eq!(config.mqtt_client_id, "007");
    assert_eq!(config.journal_path, PathBuf::from("flag"));
    assert_eq!(config.http.max_connections, 12);
    assert_eq!(config.schedule_gtfs, [PathBuf::from("a.zip"), PathBuf::from("b.zip")]);
    assert!(config.picture.service_area.is_some());
    assert_eq!(config.picture.jump_limits.by_mode, [(transit::Mode::Ferry, 20.0)]);
}

#[test]
fn every_fault_is_told_at_once_with_key_value_origin_and_fix() {
    let all = Sources {
        environment: pairs(&[("TOPIS__BROKER__MAX_PACKET_BYTES", "lots"), ("TOPIS__HTPP__LISTEN", "x")]),
        flags: pairs(&[("mqtt.prefx", "city")]),
        ..sources(
            "[http]\nlisten = 8080\nmax_conections = 5\n[log]\nformat = 'xml'\n[[feeds]]\nid = 'a'\ntopcs = ['x']\n[[feeds]]\nid = 'b'\nenabled = 'maybe'\n[zzz]\n",
        )
    };
    refused(
        &all,
        expect![[r#"
            the configuration has 11 faults:
              broker.max_packet_bytes = "lots" (environment TOPIS__BROKER__MAX_PACKET_BYTES): must be a whole number, not negative
              feeds.0.topcs (t.toml): is no key; did you mean `topics`?
              feeds.1.enabled = "maybe" (t.toml): must be true or false
              htpp (environment TOPIS__HTPP): is no key; did you mean `http`?
              http.listen = 8080 (t.toml): must be a string
              http.max_conections = 5 (t.toml): is no key; did you mean `max_connections`?
              mqtt.prefx = "city" (command line): is no key; did you mean `prefix`?
              zzz (t.toml): is no key; there are http, broker, mqtt, journal, evidence, schedule, alarms, detect, places, runbooks, picture, notify, log, feeds, webhooks
              feeds.0.id = "a" (t.toml): is a new feed and has no `format`: native, hfp, gtfs-rt or cap
              feeds.1.id = "b" (t.toml): is a new feed and has no `format`: native, hfp, gtfs-rt or cap
              log.format = "xml" (t.toml): must be `text` or `json`
        "#]],
    );
    refused(
        &sources(
            "[http]\nlisten = 'here'\n[broker]\nurl = 'mqtts://kim:hush@h'\n[alarms]\npassenger_priority = 'P5'\n\
             [schedule]\ntimezone = 'Mars'\n[log]\nformat = 'xml'\nlevel = 'topis=loud'\n[mqtt]\nclient_id = 'a/b'\n\
             [picture]\ntrail_minutes = 0\njump_road_mps = -1.0\nservice_area = [1.0]\njump_mps_by_mode = {buss = 30}\n\
             [journal]\npath = ''\n",
        ),
        expect![[r#"
            the configuration has 12 faults:
              http.listen = "here" (t.toml): is no address and port; write it like 127.0.0.1:8080 or [::1]:8080
              broker.url = "mqtts://kim:***@h" (t.toml): `mqtts://` is not supported yet: write `mqtt://` and let a TLS proxy on this host (stunnel, HAProxy) or a bridging broker carry the encryption; or write `embedded` for the broker in here
              schedule.timezone = "Mars" (t.toml): is no time zone; write it like Asia/Seoul
              picture.jump_road_mps = -1 (t.toml): is no speed of a vehicle; use 1 to 500 m/s
              picture.jump_mps_by_mode.buss = 30 (t.toml): is no mode; did you mean `bus`?
              picture.trail_minutes = 0 (t.toml): would keep nothing; use 1 or more
              picture.service_area = [1.0] (t.toml): must be four numbers: west, south, east, north
              alarms.passenger_priority = "P5" (t.toml): is no priority; there are P1, P2, P3, P4
              log.format = "xml" (t.toml): must be `text` or `json`
              log.level = "topis=loud" (t.toml): error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5; write `info`, or `warn,topis=debug`
              mqtt.client_id = "a/b" (t.toml): must be 1 to 48 bytes without `+`, `#`, `/` and control characters
              journal.path = "" (t.toml): must not be empty
        "#]],
    );
}

#[test]
fn a_listener_beyond_loopback_needs_secrets() {
    let open = "[http]\nlisten = '0.0.0.0:8080'\n[broker]\nembedded_listen = '[::]:1883'\n";
    refused(
        &sources(open),
        expect![[r#"
        the configuration has 2 faults:
          http.listen = "0.0.0.0:8080" (t.toml): would let everybody who reaches this machine read and order: run `topis token new --role operator --name NAME --file tokens` and set http.tokens_file = "tokens", or listen on 127.0.0.1
          broker.embedded_listen = "[::]:1883" (t.toml): would let everybody who reaches this machine raise alarms: run `topis user new --role vehicle --name AGENCY/VEHICLE --file users.toml` and set broker.users_file = "users.toml", or listen on 127.0.0.1
    "#]],
    );
    let folder = tempfile::tempdir().unwrap();
    let (tokens, users) = (folder.path().join("tokens"), folder.path().join("users.toml"));
    std::fs::write(&tokens, "").unwrap();
    std::fs::write(&users, "").unwrap();
    let guarded = Sources {
        flags: pairs(&[("http.tokens_file", tokens.to_str().unwrap()), ("broker.users_file", users.to_str().unwrap())]),
        ..sources(open)
    };
    let config = Config::load(&guarded).unwrap();
    assert!(config.http.tokens.is_some() && config.broker.users.is_some());
    // The embedded broker does not listen when another one is used.
    load("[broker]\nurl = 'mqtt://h'\nembedded_listen = '0.0.0.0:1883'\n");
}

#[test]
fn a_secrets_file_that_is_absent_or_broken_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("tokens");
    std::fs::write(&broken, "hello\n").unwrap();
    let toml = format!("[http]\ntokens_file = '{}'\n[broker]\nusers_file = '/nowhere/users'\n", broken.display());
    let faults = Config::load(&sources(&toml)).unwrap_err().to_string().replace(&*folder.path().to_string_lossy(), "");
    expect![[r#"
        the configuration has 2 faults:
          http.tokens_file = "/tokens" (t.toml): line 1: is not `role sha256 name`; lines are made by `topis token new`
          broker.users_file = "/nowhere/users" (t.toml): cannot be read: No such file or directory (os error 2)"#]]
    .assert_eq(&faults);
}

#[test]
fn places_and_runbooks_are_read_and_everything_wrong_in_them_is_a_fault() {
    assert_eq!(load("").runbooks, impact::Runbooks::shipped());
    assert!(load("").places.all().is_empty());
    let folder = tempfile::tempdir().unwrap();
    let (places, runbooks) = (folder.path().join("places.geojson"), folder.path().join("runbooks.toml"));
    let toml = format!("[places]\nfile = '{}'\n[runbooks]\nfile = '{}'\n", places.display(), runbooks.display());
    std::fs::write(&places, include_str!("../../../../config/places.geojson")).unwrap();
    std::fs::write(&runbooks, "['EMG.FIRE']\nsteps = [{ en = 'Get out', ko = '대피' }]\n").unwrap();
    let config = load(&toml);
    assert!(config.places.find("depot-east").is_some());
    assert!(config.runbooks.find("EMG.FIRE").is_some() && config.runbooks.find("EMG.PANIC").is_none());

    let pub_without_name = r#"{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","properties":
        {"kind":"pub"},"geometry":null},{"type":"Feature","id":"b","properties":{"kind":"police"},"geometry":null}]}"#;
    std::fs::write(&places, pub_without_name).unwrap();
    std::fs::write(&runbooks, "['EMG.FIRE']\nsteps = []\n['panic']\nsteps = []\n").unwrap();
    let faults = Config::load(&sources(&toml)).unwrap_err().to_string().replace(&*folder.path().to_string_lossy(), "");
    expect![[r#"
        the configuration has 5 faults:
          places.file = "/places.geojson" (t.toml): features[0] (a) kind: "pub" is none of hospital, police, fire_station, depot, turn_back, camera, contact, underpass, tunnel, bridge, other
          places.file = "/places.geojson" (t.toml): features[1] (b) name: is missing; write what people call it
          runbooks.file = "/runbooks.toml" (t.toml): runbooks.EMG.FIRE.steps: is empty; give one to five steps or leave the rule out
          runbooks.file = "/runbooks.toml" (t.toml): runbooks.panic: is no rule's code; write it like EMG.PANIC, or EMG.* for a family
          runbooks.file = "/runbooks.toml" (t.toml): runbooks.panic.steps: is empty; give one to five steps or leave the rule out"#]]
    .assert_eq(&faults);
}

#[test]
fn a_feed_entry_changes_what_it_names_and_a_new_one_is_added() {
    let config = load(
        "[[feeds]]\nid = 'hfp'\nexpect = 'always'\ninterval_s = 1\nnamespace = 'hsl'\n[[feeds]]\nid = 'native'\n\
         enabled = false\n[[feeds]]\nid = 'ferries'\nformat = 'gtfs-rt'\ntopics = ['{prefix}/x/#']\nmode = 'FERRY'\n",
    );
    let ids: Vec<&str> = config.feeds.iter().map(|feed| feed.id.as_str()).collect();
    assert_eq!(ids, ["hfp", "gtfs-rt", "cap", "ferries"]);
    assert_eq!(config.feeds[0].format, "hfp");
    assert_eq!(config.feeds[0].namespace.as_deref(), Some("hsl"));
    assert_eq!(config.feeds[3].mode, Some(transit::Mode::Ferry));
    assert_eq!((config.picture.feeds[0].expect, config.picture.feeds[0].interval_s), (Expected::Always, Some(1.0)));
    let faults = Config::load(&sources(
        "[[feeds]]\nformat = 'hfp'\n[[feeds]]\nid = 'x'\n[[feeds]]\nid = 'y'\nformat = 'hpf'\nmode = 'buss'\n\
             interval_s = 0\n[[feeds]]\nid = 'z'\nformat = 'smoke'\n[[feeds]]\nid = 'z'\n",
    ))
    .unwrap_err()
    .to_string();
    // What the decoder finds it says in its own words.
    let (decoders, ours): (Vec<&str>, Vec<&str>) = faults.lines().partition(|line| line.contains(": feed "));
    assert!(decoders.len() == 2 && decoders[0].contains("hpf") && decoders[1].contains("smoke"), "{faults}");
    expect![[r#"
        the configuration has 7 faults:
          feeds.0.id (t.toml): is missing; give the feed a name
          feeds.4.id = "z" (t.toml): is given twice; put both entries into one
          feeds.1.id = "x" (t.toml): is a new feed and has no `format`: native, hfp, gtfs-rt or cap
          feeds.2.mode = "buss" (t.toml): is no mode; did you mean `bus`?
          feeds.2.interval_s = 0 (t.toml): is no reporting interval; use 0.1 to 3600 seconds
    "#]]
    .assert_eq(&format!("{}\n", ours.join("\n")));
}

#[test]
fn evidence_goes_no_further_back_than_trails_do() {
    let config = load("[evidence]\nradius_m = 500\nbefore_minutes = 30\n[picture]\ntrail_minutes = 30\n");
    let evidence = config.evidence;
    assert_eq!((evidence.enabled, evidence.before_minutes, evidence.bytes_per_hour), (true, 30, 50_000_000));
    refused(
        &sources(
            "[evidence]\nradius_m = 0\nvehicles_max = 0\nafter_minutes = 2000\nmb_per_hour = 0\n\
             [picture]\ntrail_minutes = 30\n",
        ),
        expect![[r#"
            the configuration has 5 faults:
              evidence.radius_m = 0 (t.toml): is no neighbourhood; use 1 to 50000 m
              evidence.vehicles_max = 0 (t.toml): must be 1 to 100
              evidence.before_minutes = 60: is more than is kept of a trail; lower it, or raise picture.trail_minutes
              evidence.after_minutes = 2000 (t.toml): is more than a day; use 1440 or less
              evidence.mb_per_hour = 0 (t.toml): would record nothing; use 1 or more, or enabled = false
        "#]],
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    refused(
        &sources("[http\nlisten = 1\n"),
        expect![[r#"
        the configuration has a fault:
          (t.toml): is no TOML: TOML parse error at line 1, column 6
          |
        1 | [http
          |      ^
        unclosed table, expected `]`
    "#]],
    );
}

#[test]
fn show_leaves_secrets_out_and_can_be_read_again() {
    let toml = "[broker]\nurl = 'mqtt://kim:hush@broker:1884'\n[[feeds]]\nid = 'hfp'\ninterval_s = 1.0\n";
    let shown = show(&Typed::read(&sources(toml)).unwrap());
    assert!(shown.contains("mqtt://kim:***@broker:1884") && !shown.contains("hush"), "{shown}");
    let again = load(&shown);
    assert_eq!(again.feeds, load(toml).feeds);
    let fault = Config::load(&sources("[broker]\nurl = 'http://kim:hush@h'\n")).unwrap_err().to_string();
    assert!(!fault.contains("hush"), "{fault}");
}

#[test]
fn the_schema_describes_every_key() {
    let schema = schema().to_string();
    for key in [
        "tokens_file",
        "embedded_listen",
        "jump_mps_by_mode",
        "interval_s",
        "passenger_priority",
        "before_minutes",
        "allow_hosts",
        "give_up_after_h",
    ] {
        assert!(schema.contains(&format!("\"{key}\"")), "{key}");
    }
    assert!(schema.contains("additionalProperties\":false"));
}

#[test]
fn hours_of_service_are_read_in_the_zone_of_the_timetable_and_a_timetable_is_not_there_yet() {
    let config = load(
        "[schedule]\ntimezone = 'Asia/Seoul'\n[[feeds]]\nid = 'native'\nexpect = 'hours'\nservice_hours = ['04:30-25:30']\n",
    );
    let policy = &config.picture.feeds[0];
    let open = |at: &str| {
        let at = transit::UtcMillis::parse_rfc3339(at).unwrap();
        policy.hours.as_ref().unwrap().open_for_ms(at).is_some()
    };
    assert_eq!(policy.expect, Expected::Hours);
    assert!(open("2026-11-23T04:30:00+09:00") && !open("2026-11-23T19:00:00Z"));
    refused(
        &sources(
            "[[feeds]]\nid = 'native'\nexpect = 'schedule'\n[[feeds]]\nid = 'hfp'\nexpect = 'hours'\n[[feeds]]\n\
             id = 'gtfs-rt'\nservice_hours = ['04:30-25:30']\n[[feeds]]\nid = 'cap'\nexpect = 'hours'\n\
             service_hours = ['Mo-Xx 04:30-05:00']\n",
        ),
        expect![[r#"
            the configuration has 5 faults:
              feeds.0.expect = "schedule" (t.toml): needs a timetable, which this version does not read; use "hours" with service_hours
              feeds.1.expect = "hours" (t.toml): needs service_hours, like ["Mo-Fr 04:30-25:30", "Sa,Su 05:00-24:00"]
              feeds.2.service_hours = "04:30-25:30" (t.toml): mean nothing without expect = "hours"; write that too, or leave them out
              schedule.timezone = "": is empty, and service_hours are in it; write it like Asia/Seoul, or UTC
              feeds.3.service_hours = "Mo-Xx 04:30-05:00" (t.toml): hold "Xx", which is no day; there are Mo, Tu, We, Th, Fr, Sa, Su, as a list Mo,We or a range Mo-Fr
        "#]],
    );
}

#[test]
fn desks_are_named_once_and_a_family_of_rules_is_written_with_a_star() {
    let config = load(
        "[[alarms.desks]]\nname = 'north'\nagencies = ['22']\n[[alarms.desks]]\nname = 'feeds'\nrules = ['FEED.*', 'SYS.POISON']\n",
    );
    let desks: Vec<_> = config.desks.iter().map(|d| (d.name.as_str(), d.agencies.len(), d.rules.join(" "))).collect();
    assert_eq!(desks, [("north", 1, String::new()), ("feeds", 0, "FEED. SYS.POISON".to_owned())]);
    let wrong = "[alarms]\ndesks = [{ name = 'all' }, { agencies = ['22'] }, { name = 'a' }, { name = 'a' }, { name = 'b', rules = ['fire', ''] }, { name = 'c', ruls = [] }]\n";
    refused(
        &sources(wrong),
        expect![[r#"
        the configuration has 6 faults:
          alarms.desks.5.ruls (t.toml): is no key; did you mean `rules`?
          alarms.desks.0.name = "all" (t.toml): is the whole room's; give the desk another name
          alarms.desks.1.name = "": must be 1 to 64 characters that can be printed
          alarms.desks.3.name = "a" (t.toml): is given twice; put both entries into one
          alarms.desks.4.rules.0 = "fire" (t.toml): is no rule; write it like EMG.PANIC, or FEED.* for a family
          alarms.desks.4.rules.1 = "" (t.toml): is no rule; write it like EMG.PANIC, or FEED.* for a family
    "#]],
    );
    let many: String = (0..51).map(|n| format!("[[alarms.desks]]\nname = 'd{n}'\n")).collect();
    refused(
        &sources(&many),
        expect![[r#"
        the configuration has a fault:
          alarms.desks = 51 (t.toml): are too many; use 50 at most
    "#]],
    );
}

const WEBHOOK: &str =
    "[notify]\nallow_hosts = ['pager.example', '127.0.0.1:9000', '[::1]']\n[[webhooks]]\nid = 'pager'\n";

#[test]
fn a_webhook_reaches_listed_hosts_alone_however_an_address_is_written() {
    let url_of = |url: &str| {
        Config::load(&sources(&format!("{WEBHOOK}url = '{url}'\n")))
            .map(|config| config.notify.webhooks[0].url.to_string())
    };
    for (written, meant) in [
        ("https://pager.example/topis?k=v", "https://pager.example/topis?k=v"),
        ("http://PAGER.example:8080", "http://pager.example:8080/"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/"),
        ("http://127.1:9000/", "http://127.0.0.1:9000/"),
        ("http://0x7f.0.0.1:9000/", "http://127.0.0.1:9000/"),
        ("http://[0:0::1]/", "http://[::1]/"),
        // A backslash is a slash, as browsers have it: what follows is a path.
        ("http://pager.example\\\\@evil/", "http://pager.example//@evil/"),
    ] {
        assert_eq!(url_of(written).unwrap(), meant);
    }
    for refused in [
        "http://127.0.0.1/",
        "http://127.0.0.1:9001/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.0.0.1.nip.io:9000/",
        "http://[::ffff:127.0.0.1]:9000/",
        "http://[::ffff:7f00:1]:9000/",
        "http://0.0.0.0:9000/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://10.0.0.1/",
        "http://localhost:9000/",
        "http://localhost./",
        "http://sub.pager.example/",
        "http://pager.example.evil/",
        "http://evil/pager.example",
        "http://evil?pager.example",
        "http://evil#@pager.example",
        "http://pager.example@evil/",
        "http://kim:hush@pager.example/",
        "http://evil\\\\@pager.example/",
        "http://pager%2eexample%2f@evil/",
        "ftp://pager.example/",
        "file:///etc/passwd",
        "gopher://pager.example/",
        "unix:/run/x",
        "pager.example",
        "//pager.example/",
        "",
    ] {
        assert!(url_of(refused).is_err(), "{refused}: {:?}", url_of(refused));
    }
}

#[test]
fn every_fault_of_webhooks_names_its_key_and_what_to_write() {
    refused(
        &sources(
            "[notify]\nallow_hosts = ['a b']\nsource = 'north'\n[[webhooks]]\nid = 'Pager!'\nurl = 'https://x.example/secret'\n\
             secret_file = '/nowhere/secret'\npriorities = ['P5']\nclasses = ['emergncy']\nstatuses = ['test']\n\
             timeout_s = 0\ngive_up_after_h = 200\n[[webhooks]]\nid = 'b'\nurl = 'x'\nstatuses = []\n[[webhooks]]\nid = 'b'\n\
             url = 'http://kim:hush@x'\n",
        ),
        expect![[r#"
            the configuration has 14 faults:
              notify.allow_hosts = "a b" (t.toml): is no host; write it like pager.example or 10.0.0.7:8443
              notify.source = "north" (t.toml): is no URI; write it like urn:topis:north or https://topis.example
              webhooks.0.id = "Pager!" (t.toml): must be 1 to 64 small letters, digits, `-` and `_`
              webhooks.0.url = "https://x.example/secret" (t.toml): its host is not listed; add "x.example" to notify.allow_hosts if it may hear of alerts
              webhooks.0.secret_file = "/nowhere/secret" (t.toml): cannot be read: No such file or directory (os error 2)
              webhooks.0.priorities = "P5" (t.toml): is no priority; there are P1, P2, P3, P4
              webhooks.0.classes = "emergncy" (t.toml): is no class; did you mean `emergency`?
              webhooks.0.statuses = "test" (t.toml): tests stay inside; there are actual and exercise
              webhooks.0.timeout_s = 0 (t.toml): must be 1 to 60 seconds
              webhooks.0.give_up_after_h = 200 (t.toml): must be 1 to 168 hours, for as long as closed alerts are in memory
              webhooks.1.url = "x" (t.toml): is no URL; write it like https://pager.example/topis
              webhooks.1.statuses = [] (t.toml): would tell nothing; leave it out for actual and exercise
              webhooks.2.id = "b" (t.toml): is given twice; every webhook has a name of its own
              webhooks.2.url = "http://kim:***@x" (t.toml): has a login in it; receivers know us by the signature, see secret_file
        "#]],
    );
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("secret");
    std::fs::write(&short, "hush\n").unwrap();
    let toml = format!("{WEBHOOK}url = 'https://pager.example'\nsecret_file = '{}'\n", short.display());
    let fault = Config::load(&sources(&toml)).unwrap_err().to_string();
    assert!(fault.contains("has 4 bytes; a secret has 16 or more") && !fault.contains("hush"), "{fault}");
    std::fs::write(&short, "0123456789abcdef\n").unwrap();
    let config = load(&toml);
    let webhook = &config.notify.webhooks[0];
    assert_eq!(webhook.secret.as_ref().unwrap().0, b"0123456789abcdef");
    assert!(!format!("{config:?}").contains("0123456789abcdef"), "a secret is never printed");
    assert_eq!((webhook.timeout.as_secs(), webhook.give_up_after_ms), (5, 24 * 3_600_000));
    assert_eq!(config.notify.source, "urn:topis:topis");
}
