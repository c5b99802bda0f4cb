//! SIGKILL at random moments while alarms arrive, operators work and positions pour in: nothing promised may be missing
//! afterwards, and nothing may be there twice.
//!
//! Every alarm, incident and order is classed by what its sender was told: acknowledged (PUBACK, receipt or 2xx), failed
//! (an error answer, or no connection) or unknown (the connection was cut). Afterwards, and again after every sender of
//! an unknown one has repeated it, `audit` compares.

mod audit;
mod ledger;
mod people;

use std::{sync::Arc, time::Duration};

use tests::{
    Broker, Home,
    load::{self, Dice, Fleet, count, seed},
    messages,
    mosquitto::{Mosquitto, MosquittoOptions},
    mqtt::Mqtt,
    one_at_a_time, process,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use audit::audit;
use ledger::{Shared, Verb, locked};
use people::{Desk, note_receipts, publish, repeat_unknown};

/// Kills of each of the two variants; the full run is 200.
const KILLS: usize = 10;
/// The same on the build machine.
const KILLS_IN_CI: usize = 50;
/// Drivers who press at the same time, each with a desk of two operators.
const DRIVERS: usize = 4;
/// Vehicles that report all the time, and their reports a second.
const VEHICLES: usize = 200;
const REPORTS_PER_S: f64 = 200.0;
/// The latest moment of a kill after the service is ready.
const KILL_WITHIN: Duration = Duration::from_millis(900);
/// One kill in so many falls into the start, while the journal is read back.
const IN_START_ONE_IN: usize = 8;
/// The latest moment of such a kill.
const START_WITHIN: Duration = Duration::from_millis(500);

/// One run of the service that ends with SIGKILL.
async fn one_life(home: &Home, round: usize, dice: &mut Dice, ledger: &Shared) {
    let topis = home.start().await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let port = home.broker_port();
    let mut around = JoinSet::new();
    around.spawn(note_receipts(port, Arc::clone(ledger)));
    around.spawn(async move {
        load::drive(Fleet::new(VEHICLES), port, REPORTS_PER_S).await;
    });
    let mut desks = JoinSet::new();
    for driver in 0..DRIVERS {
        let (name, http, stop) = (format!("r{round}d{driver}"), home.http(), stopped.clone());
        let (ledger, dice) = (Arc::clone(ledger), Dice::new(dice.number()));
        desks.spawn(Desk { name, port, http, ledger, dice, stop }.work());
    }
    let moment = dice.moment(KILL_WITHIN);
    let all = async { while desks.join_next().await.is_some() {} };
    timeout(moment, all).await.ok();
    topis.kill();
    stop.send(true).ok();
    while desks.join_next().await.is_some() {}
    around.abort_all();
}

/// The service is dead and its broker takes over: what that acknowledges must be there too.
async fn press_while_dead(port: u16, round: usize, ledger: &Shared) {
    let mqtt = Mqtt::connect(port).await.unwrap();
    for number in 0..3 {
        let vehicle = format!("r{round}dead-{number}");
        publish(&mqtt, ledger, Verb::Alarm, &vehicle, messages::panic(&vehicle)).await;
    }
}

#[expect(clippy::print_stderr, reason = "the seed and the tally belong to the record of a run")]
async fn kill_often(home: Home, broker_survives: bool) {
    let kills = count("TOPIS_KILLS", if std::env::var_os("CI").is_some() { KILLS_IN_CI } else { KILLS });
    let (seed, started) = (seed(), std::time::Instant::now());
    let broker = if broker_survives { "a broker that lives on" } else { "the embedded broker" };
    eprintln!("kill: seed {seed}, {kills} kills, {broker}, {REPORTS_PER_S} positions a second");
    let (mut dice, ledger, mut in_start) = (Dice::new(seed), Shared::default(), 0);
    // The persistent session must exist before the broker can hold anything for it.
    home.start().await.unwrap().stop().await.unwrap();
    for round in 0..kills {
        if dice.below(IN_START_ONE_IN) == 0 {
            let topis = home.spawn().unwrap();
            sleep(dice.moment(START_WITHIN)).await;
            topis.kill();
            in_start += 1;
        } else {
            one_life(&home, round, &mut dice, &ledger).await;
        }
        if broker_survives {
            press_while_dead(home.broker_port(), round, &ledger).await;
        }
    }
    let lived = started.elapsed();
    let topis = home.start().await.unwrap();
    eprint!("{}", locked(&ledger).table());
    audit(topis.http(), &ledger, seed).await;
    let repeated = repeat_unknown(home.broker_port(), topis.http(), &ledger).await;
    audit(topis.http(), &ledger, seed).await;
    let ledger = locked(&ledger);
    eprintln!(
        "kill: {kills} kills ({in_start} in the start) in {:.0} s, {:.1} s in all; {repeated} unknown repeated, {} \
         receipts: 0 lost, 0 doubled, 0 in part, 0 effects of what failed",
        lived.as_secs_f64(),
        started.elapsed().as_secs_f64(),
        ledger.receipted.len()
    );
    assert!(ledger.messages.len() >= kills, "seed {seed}: the test pressed too little to show anything");
    if kills >= KILLS {
        let counts = ledger.counts();
        let idle: Vec<&str> = counts.iter().filter(|(_, [done, ..])| *done == 0).map(|(verb, _)| verb.word()).collect();
        assert!(idle.is_empty(), "seed {seed}: never carried out, so nothing is shown of {idle:?}");
    }
}

#[tokio::test]
async fn nothing_acknowledged_by_a_broker_that_lives_on_is_lost_when_the_service_is_killed() {
    let _turn = one_at_a_time().await;
    if !Mosquitto::is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await.unwrap();
    kill_often(Home::new(Broker::Foreign(broker.port())), true).await;
}

#[tokio::test]
async fn nothing_acknowledged_or_receipted_by_the_embedded_broker_is_lost_when_it_is_killed() {
    let _turn = one_at_a_time().await;
    kill_often(Home::new(Broker::Embedded), false).await;
}

#[tokio::test]
async fn two_services_do_not_share_one_journal() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let first = home.start().await.unwrap();
    let second = home
        .command()
        .env("TOPIS__HTTP__LISTEN", format!("127.0.0.1:{}", process::free_port()))
        .env("TOPIS__BROKER__EMBEDDED_LISTEN", format!("127.0.0.1:{}", process::free_port()))
        .arg("serve")
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("journal"), "{said}");
    assert_eq!(first.http().get("/livez").await.unwrap().status, 200);
}
