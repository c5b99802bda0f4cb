//! Mosquitto as the foreign broker: its own configuration, a free loopback port, killed by its own id.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use tokio::net::TcpStream;

use crate::{eventually, process};

/// What one mosquitto may need beyond the defaults.
#[derive(Debug, Clone, Default)]
pub struct MosquittoOptions {
    /// Everybody may connect and publish, and every subscription is refused.
    pub refuse_subscriptions: bool,
}

/// Where Debian puts the plugin that can refuse subscriptions; an ACL file only drops what is then delivered.
const DYNAMIC_SECURITY: &str = "mosquitto_dynamic_security.so";
const PLUGIN_FOLDERS: [&str; 4] =
    ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/local/lib"];
const NOBODY_SUBSCRIBES: &str = r#"{"defaultACLAccess":{"publishClientSend":true,"publishClientReceive":true,
"subscribe":false,"unsubscribe":true},"clients":[],"roles":[],"groups":[{"groupname":"anyone","roles":[]}],
"anonymousGroup":"anyone"}"#;

/// A mosquitto that can be stopped and started on the same port.
#[derive(Debug)]
pub struct Mosquitto {
    port: u16,
    folder: PathBuf,
    child: Option<Child>,
}

impl Mosquitto {
    /// Whether it is installed; when not, says so for the test that wanted it.
    pub fn is_here() -> bool {
        let here = process::installed("mosquitto");
        if !here {
            process::skipped("mosquitto is not installed (tests/run installs it)");
        }
        here
    }

    /// Starts one and waits until it accepts connections.
    ///
    /// # Errors
    /// Its folder cannot be written or it does not start.
    pub async fn start(folder: &Path, options: &MosquittoOptions) -> anyhow::Result<Self> {
        let folder = folder.join("mosquitto");
        fs::create_dir_all(&folder)?;
        let port = process::free_port();
        let mut lines = vec![
            format!("listener {port} 127.0.0.1"),
            "allow_anonymous true".to_owned(),
            "persistence false".to_owned(),
            // The defaults drop: a flood of 18,000 messages a second passes more than 1,000 at a time.
            "max_queued_messages 1000000".to_owned(),
            "max_inflight_messages 1000".to_owned(),
            "user root".to_owned(),
        ];
        if options.refuse_subscriptions {
            let plugin = PLUGIN_FOLDERS.iter().map(|lib| Path::new(lib).join(DYNAMIC_SECURITY)).find(|so| so.exists());
            let rules = folder.join("rules.json");
            fs::write(&rules, NOBODY_SUBSCRIBES)?;
            lines.push(format!("plugin {}", plugin.context("mosquitto came without its security plugin")?.display()));
            lines.push(format!("plugin_opt_config_file {}", rules.display()));
        }
        fs::write(folder.join("mosquitto.conf"), lines.join("\n") + "\n")?;
        let mut broker = Self { port, folder, child: None };
        broker.resume().await?;
        Ok(broker)
    }

    /// Starts it again on the same port after [`Self::stop`].
    ///
    /// # Errors
    /// It does not start.
    pub async fn resume(&mut self) -> anyhow::Result<()> {
        let log = File::create(self.folder.join("log"))?;
        let program = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
        let child = Command::new(program)
            .arg("-c")
            .arg(self.folder.join("mosquitto.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("mosquitto did not start")?;
        self.child = Some(child);
        let port = self.port;
        eventually("mosquitto accepts connections", Duration::from_secs(10), async || {
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Ok(())
    }

    /// Kills it as a power cut would.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `mqtt://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.stop();
    }
}
