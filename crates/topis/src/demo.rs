//! `topis demo`: broker, service and a city in one process, with a journal that is thrown away unless one is named.

use std::{io, net::SocketAddr, path::Path, process::ExitCode};

use anyhow::Context as _;
use simulator::{City, CitySize, Scenario};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    assembly::Assembly,
    cli::DemoOptions,
    clock::Clock,
    config::{Config, Sources},
    log, output,
    player::Player,
    serve::{install_metrics, told_to_stop},
};

/// What is played when nothing is named: a town with a panic button pressed within half a minute.
const SCENARIO: &str = "demo";
/// Ports tried after the one asked for.
const PORTS_TRIED: u16 = 200;

/// Plays a city to a service in this process.
///
/// # Errors
/// It cannot start, or a part of it failed.
pub(crate) async fn demo(options: DemoOptions, sources: Sources) -> anyhow::Result<ExitCode> {
    let scenario = read_scenario(&options)?;
    let folder = tempfile::tempdir().context("no temporary folder for the journal")?;
    let http = free_port(options.listen, "HTTP").await?;
    let broker = free_port(options.broker_listen, "the broker").await?;
    let broker_listen = broker.local_addr()?;
    // The broker binds it again, at once.
    drop(broker);
    let journal = options.journal.clone().unwrap_or_else(|| folder.path().join("journal.db"));
    let config = configure(&journal, broker_listen, sources)?;
    log::start(&config.log)?;
    // Exact for the usual speed, which is typed or the default.
    let clock =
        if (options.speed - 1.0).abs() < f64::EPSILON { Clock::wall() } else { Clock::simulated(options.speed) };
    let prefix = config.mqtt_prefix.clone();
    let city = City::generate(scenario.seed, scenario.city_size()?);
    let vehicles = city.vehicles.len();
    let service = Assembly::start(config, clock.clone(), http, install_metrics()?).await?;
    let broker = service.broker.context("the demo runs its own broker")?;
    // The scenario begins when people are told so.
    let player = Player::new(&scenario, city, &prefix, clock)?;
    output::note(&welcome(&scenario, vehicles, service.http, broker, options.journal.as_deref()));

    let stopper = service.stopper();
    let playing = tokio::spawn(player.play(broker, stopper.clone()));
    tokio::spawn(end(stopper.clone(), options.exit_after));
    service.join().await?;
    stopper.cancel();
    playing.await.context("the player panicked")??;
    Ok(ExitCode::SUCCESS)
}

/// Cancels when told to stop, or after the time given.
async fn end(stopper: CancellationToken, exit_after: Option<std::time::Duration>) {
    let over = async {
        match exit_after {
            Some(span) => tokio::time::sleep(span).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = over => {}
        () = told_to_stop() => {}
    }
    stopper.cancel();
}

fn read_scenario(options: &DemoOptions) -> anyhow::Result<Scenario> {
    let name = options.scenario.as_deref().unwrap_or(SCENARIO);
    let mut scenario = if Path::new(name).is_file() {
        let text = std::fs::read_to_string(name).with_context(|| format!("the scenario {name} cannot be read"))?;
        Scenario::parse(&text).with_context(|| format!("the scenario {name}"))?
    } else {
        Scenario::named(name)?
    };
    if let Some(seed) = options.seed {
        scenario.seed = seed;
    }
    if let Some(vehicles) = options.vehicles {
        scenario.vehicles = Some(usize::try_from(vehicles)?);
    }
    if let Some(size) = &options.size {
        CitySize::find(size).with_context(|| format!("there is no city size {size}; `topis-sim list` names them"))?;
        scenario.size = Some(size.clone());
        scenario.vehicles = None;
    }
    Ok(scenario)
}

/// What is configured otherwise holds here too, but for what makes it a demonstration: its own broker, open to its city,
/// and a journal to throw away.
fn configure(journal: &Path, broker: SocketAddr, given: Sources) -> anyhow::Result<Config> {
    let set = |key: &str, value: String| (key.to_owned(), value);
    let says_how_loud = given.file.is_some() || given.environment.iter().any(|(name, _)| name == "TOPIS__LOG__LEVEL");
    let quiet = (!says_how_loud).then(|| set("log.level", "warn".to_owned()));
    let own = [
        set("journal.path", journal.display().to_string()),
        set("broker.url", "embedded".to_owned()),
        set("broker.embedded_listen", broker.to_string()),
        set("broker.users_file", String::new()),
    ];
    let flags = quiet.into_iter().chain(given.flags).chain(own).collect();
    Ok(Config::load(&Sources { flags, ..given })?)
}

/// Binds `wanted`, or the next port that is free, and says so.
async fn free_port(wanted: SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    let mut address = wanted;
    for _ in 0..=PORTS_TRIED {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                if address != wanted {
                    output::note(&format!("{wanted} is taken; {what} listens on {address}"));
                }
                return Ok(listener);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && address.port() < u16::MAX => {
                address.set_port(address.port() + 1);
            }
            Err(error) => return Err(error).with_context(|| format!("{what} cannot listen on {address}")),
        }
    }
    anyhow::bail!("{what}: none of the {PORTS_TRIED} ports from {wanted} on is free")
}

fn welcome(
    scenario: &Scenario,
    vehicles: usize,
    http: SocketAddr,
    broker: SocketAddr,
    journal: Option<&Path>,
) -> String {
    let kept = journal.map_or("nothing is kept".to_owned(), |path| format!("{} is kept", path.display()));
    format!(
        "\
{title}: {vehicles} vehicles, broker and control room in this process

  the wall       watch curl -s 'http://{http}/v1/status?f=text'
  vehicles       curl http://{http}/v1/vehicles
  alerts         curl http://{http}/v1/alerts
  all routes     http://{http}/docs
  publish to     mqtt://{broker}

Ctrl-C ends it; {kept}.",
        title = scenario.title,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_configured_otherwise_holds_but_for_what_makes_it_a_demonstration() {
        let set = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let flags = vec![set("mqtt.prefix", "city"), set("broker.url", "mqtt://elsewhere:1883")];
        let listen = "127.0.0.1:1900".parse().unwrap();
        let given = Sources { flags, environment: vec![set("TOPIS__HTTP__LISTEN", "127.0.0.1:9999")], file: None };
        let config = configure(Path::new("j.db"), listen, given).unwrap();
        assert_eq!((config.mqtt_prefix.as_str(), config.journal_path.as_path()), ("city", Path::new("j.db")));
        assert!(config.broker.url.is_none() && config.broker.embedded_listen == listen);
        assert_eq!(config.http.listen.port(), 9999);
    }
}
