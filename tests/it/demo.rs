//! The newcomer's one command.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    time::{Duration, Instant},
};

use tests::{Broker, Home, eventually, http::Http, one_at_a_time, process::free_port, run_to_end};

#[tokio::test]
async fn the_demo_shows_vehicles_in_five_seconds_an_emergency_in_thirty_and_ends_well() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let (http_port, broker_port) = (free_port(), free_port());
    let started = Instant::now();
    let mut command = home.command();
    for (key, _) in home.environment() {
        command.env_remove(key);
    }
    command
        .args(["demo", "--exit-after", "40s"])
        .args(["--listen", &format!("127.0.0.1:{http_port}")])
        .args(["--broker-listen", &format!("127.0.0.1:{broker_port}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut demo = command.spawn().unwrap();
    let http = Http::new(SocketAddr::from((Ipv4Addr::LOCALHOST, http_port)));
    eventually("vehicles over HTTP", Duration::from_secs(5), async || {
        http.find("/v1/vehicles").await?["data"].as_array().filter(|list| !list.is_empty()).map(Vec::len)
    })
    .await;
    eventually("an emergency", Duration::from_secs(30).saturating_sub(started.elapsed()), async || {
        let body = http.find("/v1/alerts").await?;
        body["data"].as_array()?.iter().find(|alert| alert["class"] == "emergency").cloned()
    })
    .await;
    let status =
        eventually("it ends by itself", Duration::from_secs(60), async || demo.try_wait().ok().flatten()).await;
    assert_eq!(status.code(), Some(0));
}

#[test]
fn the_demo_takes_the_next_free_port_and_says_so() {
    let home = Home::new(Broker::Embedded);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut command = home.command();
    for (key, _) in home.environment() {
        command.env_remove(key);
    }
    command.args(["demo", "--exit-after", "2s", "--listen", &address.to_string()]);
    command.args(["--broker-listen", &format!("127.0.0.1:{}", free_port())]);
    let (code, out, err) = run_to_end(&mut command, Duration::from_secs(30)).unwrap();
    assert_eq!(code, Some(0), "{err}");
    assert!(format!("{out}{err}").contains("http://127.0.0.1:"), "the address it took: {out}{err}");
}
