//! What the operating system knows of a process, and free ports.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

/// Linux counts CPU time in hundredths of a second on every architecture we run on.
const TICKS_PER_S: u64 = 100;

/// First port tried. Below the range from which the kernel takes ports for outgoing connections, which could otherwise
/// hold the port in the moment between finding it free and listening on it.
const PORT_MIN: u16 = 20_000;
const PORT_SPAN: u16 = 9_000;

/// A TCP port of 127.0.0.1 on which nobody listens; not handed out twice by one process.
///
/// # Panics
/// When every port of the range is taken.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() * 97 % u32::from(PORT_SPAN)).expect("smaller than the span");
    for _ in 0..PORT_SPAN {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORT_MIN + (start + step % PORT_SPAN) % PORT_SPAN;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {PORT_MIN} on");
}

/// CPU time a process has used, user and system, all threads. `None` when it is gone.
pub fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold spaces; fields are counted from behind it.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1_000 / TICKS_PER_S))
}

/// Resident memory in bytes. `None` when the process is gone.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

/// Sends a signal by name (`TERM`, `STOP`, `CONT`) to one process by its id.
pub fn signal(pid: u32, name: &str) -> bool {
    Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().is_ok_and(|s| s.success())
}

/// Whether a program is on the PATH.
pub fn installed(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
        || Path::new("/usr/sbin").join(program).is_file()
}

/// A command that says nothing and reads nothing.
pub fn quiet(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Says loudly that a test did not run, and why. A test that is skipped returns after this.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen by whoever reads the run")]
pub fn skipped(why: &str) {
    eprintln!("\n********\nSKIPPED: {why}\n********\n");
}
