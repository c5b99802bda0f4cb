//! Every scenario of the repository, played to the real service with its clock running faster: what it expects comes
//! true, and afterwards the journal gives the very room that was live, byte for byte.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::Value;
use simulator::{CommandDeed, Deed, Expectation, Scenario};
use tests::{Broker, Home, eventually, http::Http, one_at_a_time, process, process::free_port, run_to_end};
use tokio::{
    task::spawn_blocking,
    time::{Instant, interval, sleep_until},
};

/// Seconds of the city in one of ours.
const SPEED: f64 = 5.0;
/// Those whose load is the point, and which a debug build could not bear faster.
const SLOWER: &[(&str, f64)] = &[("alarm_storm", 1.0), ("hostile_feed", 2.0)];
/// Played at the same time.
const AT_ONCE: usize = 3;
/// Our own time that an answer may take beyond what the scenario allows the service: many run on few cores.
const SLACK: Duration = Duration::from_millis(700);
/// How long an order looks for something to act on, in the city's seconds.
const FIND_WITHIN_S: f64 = 10.0;
const LOOK_EVERY: Duration = Duration::from_millis(40);
const START_WITHIN: Duration = Duration::from_secs(30);
const STOP_WITHIN: Duration = Duration::from_secs(20);
/// The last words of the demonstration's welcome: the scenario begins with them.
const BEGUN: &str = "Ctrl-C ends it";

/// A demonstration that plays one scenario and keeps its journal.
struct Demo {
    home: Home,
    child: Child,
    http: Http,
    begun: Instant,
    speed: f64,
}

impl Demo {
    async fn start(name: &str, speed: f64) -> anyhow::Result<Self> {
        let home = Home::new(Broker::Embedded);
        let mut command = home.command();
        for (key, _) in home.environment() {
            command.env_remove(key);
        }
        let (http_port, said) = (free_port(), home.folder().join("said"));
        command
            .args(["demo", "--scenario", name, "--speed", &speed.to_string()])
            .args(["--listen", &format!("127.0.0.1:{http_port}")])
            .args(["--broker-listen", &format!("127.0.0.1:{}", free_port())])
            .arg("--journal")
            .arg(journal(&home))
            .stdout(Stdio::null())
            .stderr(File::create(&said)?);
        let child = command.spawn()?;
        let begun = eventually(&format!("{name} begins"), START_WITHIN, async || {
            fs::read_to_string(&said).ok()?.contains(BEGUN).then(Instant::now)
        })
        .await;
        let http = Http::new(SocketAddr::from((Ipv4Addr::LOCALHOST, http_port)));
        Ok(Self { home, child, http, begun, speed })
    }

    fn moment(&self, at_s: f64) -> Instant {
        self.begun + Duration::from_secs_f64(at_s / self.speed)
    }

    /// Asks until the expectation is met or its time is up.
    async fn expect(&self, expectation: &Expectation) -> Result<(), String> {
        sleep_until(self.moment(expectation.at_s)).await;
        let until = self.moment(expectation.at_s + expectation.within_s) + SLACK;
        let mut looks = interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            let problem = match self.http.get(&expectation.get).await {
                Ok(answer) if answer.status == 200 => match expectation.check(&answer.json()) {
                    Ok(()) => return Ok(()),
                    Err(problem) => problem,
                },
                Ok(answer) => format!("status {}: {}", answer.status, answer.text),
                Err(error) => format!("no answer: {error}"),
            };
            if Instant::now() >= until {
                return Err(format!("{expectation}: {problem}"));
            }
        }
    }

    /// Gives an operator's order, on what its list shows first.
    async fn order(&self, at_s: f64, command: &CommandDeed) -> Result<(), String> {
        sleep_until(self.moment(at_s)).await;
        let until = self.moment(at_s + FIND_WITHIN_S) + SLACK;
        let mut looks = interval(LOOK_EVERY);
        let id = loop {
            looks.tick().await;
            let Some(list) = &command.find else { break String::new() };
            let found = self.http.find(list).await.unwrap_or_default();
            if let Some(id) = found["data"][0]["id"].as_str() {
                break id.to_owned();
            }
            if Instant::now() >= until {
                return Err(format!("{} s: GET {list} shows nothing to act on", at_s));
            }
        };
        let request = self.http.request(Method::POST, &command.post.replace("{id}", &id)).json(&command.body);
        match self.http.send(request).await {
            Ok(answer) if answer.status == command.status => Ok(()),
            Ok(answer) => Err(format!("{at_s} s: POST {}: status {}: {}", command.post, answer.status, answer.text)),
            Err(error) => Err(format!("{at_s} s: POST {}: {error}", command.post)),
        }
    }

    /// Stops it as a supervisor would, and reads its journal back.
    async fn verify(mut self) -> anyhow::Result<String> {
        process::signal(self.child.id(), "TERM");
        let ended = eventually("it ends", STOP_WITHIN, async || self.child.try_wait().ok().flatten()).await;
        ensure!(ended.code() == Some(0), "it ended with {ended}");
        let mut command = self.home.command();
        command.args(["journal", "verify"]).arg(journal(&self.home));
        // Other scenarios go on meanwhile.
        let (code, out, err) = spawn_blocking(move || run_to_end(&mut command, STOP_WITHIN)).await??;
        ensure!(code == Some(0), "journal verify ends with {code:?}:\n{out}{err}");
        if !out.contains("records   none") {
            ensure!(out.contains("the same room as the records give"), "no snapshot to compare:\n{out}");
        }
        Ok(out)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn journal(home: &Home) -> PathBuf {
    Path::new(home.folder()).join("journal.db")
}

/// Plays one scenario; what its journal holds, or everything that was otherwise than expected.
async fn play(name: &'static str, scenario: Scenario) -> anyhow::Result<String> {
    let speed = SLOWER.iter().find(|(slow, _)| *slow == name).map_or(SPEED, |(_, speed)| *speed);
    let demo = Demo::start(name, speed).await?;
    let checks = scenario.expectations.iter().map(|expectation| demo.expect(expectation));
    let orders = scenario.actions.iter().filter_map(|action| match &action.deed {
        Deed::Command(command) => Some(demo.order(action.at_s, command)),
        Deed::Alarm(_)
        | Deed::Incident(_)
        | Deed::Withdraw(_)
        | Deed::Cap(_)
        | Deed::Storm(_)
        | Deed::Flap(_)
        | Deed::Publish(_)
        | Deed::SwitchOff(_) => None,
    });
    let (checks, orders) = tokio::join!(together(checks), together(orders));
    let failed: Vec<String> = checks.into_iter().chain(orders).filter_map(Result::err).collect();
    let alerts = demo.http.find("/v1/alerts?shelved=any").await.unwrap_or_default();
    let verified = demo.verify().await.context("replay")?;
    if !failed.is_empty() {
        bail!("{}\n    alerts at the end: {}", failed.join("\n    "), brief(&alerts));
    }
    let word =
        |key: &str| verified.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim().to_owned();
    let digest: String = word("digest").chars().take(12).collect();
    Ok(format!("{} expectations, records {}, digest {digest}", scenario.expectations.len(), word("records")))
}

/// All at the same time; their results in order.
async fn together<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    futures_util::future::join_all(all).await
}

/// Rule, subject and state of each.
fn brief(alerts: &Value) -> String {
    let word = |alert: &Value, key: &str| alert[key].as_str().unwrap_or("-").to_owned();
    let all = alerts["data"].as_array().cloned().unwrap_or_default();
    let lines = all.iter().take(30).map(|a| {
        format!(
            "{} {} {} {} {}",
            word(a, "priority"),
            word(a, "rule"),
            word(a, "subject"),
            word(a, "state"),
            a["members"]
        )
    });
    format!("{} in all\n      {}", all.len(), lines.collect::<Vec<_>>().join("\n      "))
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "what each scenario came to belongs to the record of a run")]
async fn every_scenario_comes_true_and_its_journal_gives_the_room_that_was_live() {
    let _turn = one_at_a_time().await;
    let wanted = std::env::var("TOPIS_SCENARIO").ok();
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted.split(',').any(|one| one == name));
    let mut scenarios = Scenario::all();
    scenarios.retain(|(name, _)| is_wanted(name));
    // The longest first, so that none is left over at the end.
    scenarios.sort_by(|(_, a), (_, b)| b.duration_s.total_cmp(&a.duration_s));
    let played = scenarios.into_iter().map(async |(name, scenario)| (name, play(name, scenario).await));
    let mut plays = stream::iter(played).buffer_unordered(AT_ONCE);
    let mut wrong = Vec::new();
    while let Some(played) = plays.next().await {
        match played {
            (name, Ok(said)) => eprintln!("scenario {name}: {said}"),
            (name, Err(error)) => {
                eprintln!("scenario {name}: FAILED");
                wrong.push(format!("{name}: {error:#}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
