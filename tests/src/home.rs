//! A place where one service lives: its folder, ports and configuration, which outlast its process.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::{binaries, eventually, http::Http, process};

/// How long a debug build may take from start to ready.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long a stopping service may take: its own limit for open streams and the last batch.
const STOP_WITHIN: Duration = Duration::from_secs(15);
/// Lines of its log shown when a test fails.
const LOG_TAIL_LINES: usize = 40;

/// Which broker a service listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broker {
    /// Its own.
    Embedded,
    /// Somebody else's, at this port of 127.0.0.1.
    Foreign(u16),
}

/// Folder, ports and configuration.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    http: SocketAddr,
    broker_port: u16,
    broker: Broker,
    settings: Vec<(String, String)>,
}

impl Home {
    /// A new place.
    ///
    /// # Panics
    /// When no folder can be made.
    pub fn new(broker: Broker) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, process::free_port()));
        let broker_port = match broker {
            Broker::Embedded => process::free_port(),
            Broker::Foreign(port) => port,
        };
        Self { folder, http, broker_port, broker, settings: Vec::new() }
    }

    /// Adds a setting by its environment key, e.g. `TOPIS__MQTT__PREFIX`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.settings.push((key.to_owned(), value.into()));
        self
    }

    /// The folder; the journal is `journal.db` in it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where publishers connect, whoever's broker it is.
    pub fn broker_port(&self) -> u16 {
        self.broker_port
    }

    /// Where the HTTP API is.
    pub fn address(&self) -> SocketAddr {
        self.http
    }

    /// A client of its HTTP API, whether it runs or not.
    pub fn http(&self) -> Http {
        Http::new(self.http)
    }

    /// The environment a service here runs with, and nothing else of ours.
    pub fn environment(&self) -> Vec<(String, String)> {
        let broker = match self.broker {
            Broker::Embedded => {
                ("TOPIS__BROKER__EMBEDDED_LISTEN".to_owned(), format!("127.0.0.1:{}", self.broker_port))
            }
            Broker::Foreign(port) => ("TOPIS__BROKER__URL".to_owned(), format!("mqtt://127.0.0.1:{port}")),
        };
        let journal = self.folder().join("journal.db").display().to_string();
        let own = [
            ("TOPIS__HTTP__LISTEN".to_owned(), self.http.to_string()),
            ("TOPIS__JOURNAL__PATH".to_owned(), journal),
            // Two services at one broker with one client id would throw each other out for ever.
            ("TOPIS__MQTT__CLIENT_ID".to_owned(), format!("topis-{}", self.http.port())),
            broker,
        ];
        own.into_iter().chain(self.settings.iter().cloned()).collect()
    }

    /// A `topis` command in this place, without arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binaries::topis());
        for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("TOPIS_")) {
            command.env_remove(key);
        }
        command.current_dir(self.folder()).stdin(Stdio::null()).envs(self.environment());
        command
    }

    /// Starts the service without waiting for anything.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn spawn(&self) -> anyhow::Result<Topis> {
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let child = self
            .command()
            .arg("serve")
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} did not start", binaries::topis().display()))?;
        Ok(Topis { child: Some(child), http: self.http(), log: self.log_path() })
    }

    /// Starts the service and waits until it says that it is ready.
    ///
    /// # Errors
    /// It ends before.
    pub async fn start(&self) -> anyhow::Result<Topis> {
        let mut topis = self.spawn()?;
        let http = self.http();
        let ready = eventually("/readyz answers 200", READY_WITHIN, async || {
            if topis.has_ended() {
                return Some(false);
            }
            http.get("/readyz").await.is_ok_and(|answer| answer.status == 200).then_some(true)
        })
        .await;
        if !ready {
            bail!("the service ended before it was ready:\n{}", topis.log_tail());
        }
        Ok(topis)
    }

    fn log_path(&self) -> PathBuf {
        self.folder().join("topis.log")
    }
}

/// One running service.
#[derive(Debug)]
pub struct Topis {
    child: Option<Child>,
    http: Http,
    log: PathBuf,
}

impl Topis {
    /// Its HTTP API.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Its process id.
    ///
    /// # Panics
    /// After it was killed or stopped.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the service runs until it is killed or stopped").id()
    }

    /// Whether its process is gone.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| child.try_wait().is_ok_and(|status| status.is_some()))
    }

    /// SIGKILL, as the worst moment would.
    pub fn kill(mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// SIGTERM; returns how it ended.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn stop(mut self) -> anyhow::Result<ExitStatus> {
        let mut child = self.child.take().context("it has ended already")?;
        process::signal(child.id(), "TERM");
        let status =
            eventually("the service ends after SIGTERM", STOP_WITHIN, async || child.try_wait().ok().flatten());
        Ok(status.await)
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(LOG_TAIL_LINES)).copied().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Topis {
    #[expect(clippy::print_stderr, reason = "a failed test shows what the service said")]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("---- the end of {} ----\n{}", self.log.display(), self.log_tail());
        }
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Runs a command to its end, at most for `within`, and returns its exit code and what it printed.
///
/// # Errors
/// It cannot be started, or it does not end in time (then it is killed).
pub fn run_to_end(command: &mut Command, within: Duration) -> anyhow::Result<(Option<i32>, String, String)> {
    let folder = TempDir::new()?;
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let mut child = command.stdout(File::create(&out)?).stderr(File::create(&err)?).spawn()?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > within {
            child.kill()?;
            child.wait()?;
            bail!("not ended within {within:?}:\n{}", fs::read_to_string(&err)?);
        }
        thread::park_timeout(Duration::from_millis(20));
    };
    Ok((status.code(), fs::read_to_string(&out)?, fs::read_to_string(&err)?))
}
