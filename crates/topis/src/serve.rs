//! `topis serve`: the service until it is told to stop.

use std::process::ExitCode;

use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{net::TcpListener, signal::unix};

use crate::{assembly::Assembly, clock::Clock, config::Config};

/// Runs the control room until it is told to stop.
///
/// # Errors
/// It cannot start, or a part of it failed.
pub async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let listen = config.http.listen;
    let http = TcpListener::bind(listen).await.with_context(|| {
        format!("HTTP cannot listen on {listen}; is it in use? Set http.listen, for instance --listen 127.0.0.1:8081")
    })?;
    let service = Assembly::start(config, Clock::wall(), http, install_metrics()?).await?;
    tracing::info!(http.url = %format!("http://{}", service.http), "ready for operators");
    if let Some(broker) = service.broker {
        tracing::info!(broker.url = %format!("mqtt://{broker}"), "the embedded broker listens");
    }
    let stopper = service.stopper();
    tokio::spawn(async move {
        told_to_stop().await;
        tracing::info!("stopping");
        stopper.cancel();
    });
    service.join().await?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that is counted anywhere from here on is in the handle's text.
pub(crate) fn install_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().context("the metrics recorder could not be installed")
}

/// Waits for Ctrl-C or a supervisor's SIGTERM.
pub(crate) async fn told_to_stop() {
    let terminated = async {
        match unix::signal(unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
