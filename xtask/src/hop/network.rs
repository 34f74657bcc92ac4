//! A local network as separate processes, and what they spend.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;

/// For each process to come up; a fresh network makes its keys and first blocks in this time.
const START: Duration = Duration::from_secs(90);

/// Clock ticks a second in `/proc/<pid>/stat`: what Linux tells every program, whatever its own timer runs at.
const TICKS: f64 = 100.0;

/// Roles as processes; all are killed and their folder removed when this is dropped.
pub(crate) struct Network {
    /// Base URL for clients.
    pub(crate) gateway_url: String,
    /// Their key.
    pub(crate) api_key: String,
    /// Base URL of the embedded engine.
    pub(crate) engine_url: String,
    /// Process ids.
    pub(crate) node: Vec<u32>,
    /// Process ids of the suppliers that forward to the fixed backend.
    pub(crate) suppliers: Vec<u32>,
    /// Process ids.
    pub(crate) gateway: Vec<u32>,
    processes: Processes,
}

impl Network {
    /// Lays a local network out with the binary itself, then runs each role on its own. The first two suppliers forward to
    /// `backend`.
    pub(crate) async fn start(binary: &Path, ports_from: u16, backend: &str) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("relaymill-hop-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut processes = Processes {
            binary: binary.to_owned(),
            folder: folder.clone(),
            running: Vec::new(),
        };
        let (gateway_url, api_key) = processes.lay_out(ports_from).await?;
        let engine_url = format!("http://127.0.0.1:{}/v1", ports_from + 3);
        for number in [1, 2] {
            let file = folder.join(format!("supplier-{number}/supplier.toml"));
            let text = fs::read_to_string(&file)?;
            if !text.contains(&engine_url) {
                bail!("{} does not forward to {engine_url}", file.display());
            }
            fs::write(&file, text.replace(&engine_url, backend))?;
        }
        let start = |role: &str, name: &str| {
            let file = folder.join(name).join(format!("{role}.toml"));
            [role, "start", "--config", &file.to_string_lossy()].map(str::to_owned)
        };
        let node = processes
            .run("node", &start("node", "node"), ports_from)
            .await?;
        let listen = format!("{}:{}", Ipv4Addr::LOCALHOST, ports_from + 3);
        let engine = ["engine", "start", "--listen", &listen].map(str::to_owned);
        processes.run("engine", &engine, ports_from + 3).await?;
        let mut suppliers = Vec::new();
        for number in 1..=3 {
            let name = format!("supplier-{number}");
            let port = ports_from + 3 + number;
            let id = processes
                .run(&name, &start("supplier", &name), port)
                .await?;
            suppliers.push(id);
        }
        // The third serves the other model.
        suppliers.truncate(2);
        let gateway = start("gateway", "gateway");
        let gateway = processes.run("gateway", &gateway, ports_from + 2).await?;
        Ok(Self {
            gateway_url,
            api_key,
            engine_url,
            node: vec![node],
            suppliers,
            gateway: vec![gateway],
            processes,
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.processes.stop();
        // What cannot be removed is the system's to clean: it lies in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.processes.folder);
    }
}

struct Processes {
    binary: PathBuf,
    folder: PathBuf,
    running: Vec<(String, Child)>,
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Processes {
    /// Runs `relaymill localnet` until it is ready, and stops it again.
    async fn lay_out(&mut self, ports_from: u16) -> Result<(String, String)> {
        let ready = self.folder.join("ready.json");
        let arguments = [
            "localnet".to_owned(),
            "--data-dir".to_owned(),
            self.folder.to_string_lossy().into_owned(),
            "--ports-from".to_owned(),
            ports_from.to_string(),
            "--ready-file".to_owned(),
            ready.to_string_lossy().into_owned(),
        ];
        self.spawn("localnet", &arguments)?;
        let start = Instant::now();
        while !ready.exists() {
            self.check("localnet", start)?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.stop();
        let text = fs::read(&ready)?;
        let ready: serde_json::Value = serde_json::from_slice(&text)?;
        let field = |name: &str| {
            let value = ready.get(name).and_then(serde_json::Value::as_str);
            value
                .map(str::to_owned)
                .with_context(|| format!("the ready file has no `{name}`"))
        };
        Ok((field("gateway_url")?, field("api_key")?))
    }

    /// Starts a role and waits until its port answers HTTP, whatever it says.
    async fn run(&mut self, name: &str, arguments: &[String], port: u16) -> Result<u32> {
        let id = self.spawn(name, arguments)?;
        let client = net::Client::with_policy(net::AddressPolicy::Any)?;
        let start = Instant::now();
        loop {
            let url = format!("http://{}:{port}/health", Ipv4Addr::LOCALHOST);
            let request = Request::get(url).body(Empty::<Bytes>::new())?;
            if client.request(request).await.is_ok() {
                return Ok(id);
            }
            self.check(name, start)?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn spawn(&mut self, name: &str, arguments: &[String]) -> Result<u32> {
        let log = File::create(self.log(name))?;
        let child = Command::new(&self.binary)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let id = child.id();
        self.running.push((name.to_owned(), child));
        Ok(id)
    }

    /// Fails when a process ended, or `name` takes too long.
    fn check(&mut self, name: &str, start: Instant) -> Result<()> {
        for (other, child) in &mut self.running {
            if let Some(status) = child.try_wait()? {
                let log = fs::read_to_string(self.folder.join(format!("{other}.log")));
                bail!("{other} ended ({status}): {}", log.unwrap_or_default());
            }
        }
        if start.elapsed() > START {
            let log = fs::read_to_string(self.log(name)).unwrap_or_default();
            bail!("{name} is not ready after {} s: {log}", START.as_secs());
        }
        Ok(())
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    fn stop(&mut self) {
        for (_, mut child) in self.running.drain(..) {
            // Fails only for a process that ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// CPU time that these processes have used, in user and kernel, all threads.
pub(crate) fn cpu_seconds(processes: &[u32]) -> Result<f64> {
    let mut ticks = 0;
    for id in processes {
        let path = format!("/proc/{id}/stat");
        let stat = fs::read_to_string(&path).with_context(|| format!("{path}: did it end?"))?;
        ticks += stat_ticks(&stat).with_context(|| format!("{path}: {stat}"))?;
    }
    Ok(f64::from(ticks) / TICKS)
}

/// User and system ticks of a line of `/proc/<pid>/stat`. The name in parentheses may hold spaces and parentheses.
fn stat_ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::stat_ticks;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "42 (a) b) c) S 1 42 42 0 -1 4194560 100 0 0 0 123 45 6 7 20 0 4 0 99 1000 10";
        assert_eq!(stat_ticks(stat), Some(168));
        assert_eq!(stat_ticks("42 (a"), None);
    }
}
