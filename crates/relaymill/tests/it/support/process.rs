//! A process of the binary that dies with its test, however the test ends.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{until, wait_for};

/// Longest wait for a process that was told to end.
const ENDING: Duration = Duration::from_secs(20);

/// The binary under test.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relaymill"));
    // A developer's own settings must not decide a test.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RELAYMILL_") {
            command.env_remove(name);
        }
    }
    command.env_remove("RUST_LOG").env("NO_COLOR", "1");
    command
}

/// A running process of ours; what it prints goes to a file.
pub(crate) struct Process {
    name: String,
    child: Child,
    guard: Guard,
    log: PathBuf,
}

impl Process {
    /// Starts the binary with `arguments`; output is appended to `log`.
    pub(crate) fn start(name: &str, arguments: &[&str], log: &Path) -> Self {
        let mut command = binary();
        command.args(arguments);
        Self::spawn(name, command, log)
    }

    /// Starts any program; output is appended to `log`.
    pub(crate) fn spawn(name: &str, mut command: Command, log: &Path) -> Self {
        let mut options = OpenOptions::new();
        let out = options
            .create(true)
            .append(true)
            .open(log)
            .expect("log file");
        command
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("log file"))
            .stderr(out);
        let child = command.process_group(0).spawn().expect("the binary starts");
        let guard = Guard::of(child.id(), log);
        Self {
            name: name.to_owned(),
            child,
            guard,
            log: log.to_owned(),
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed, all runs that share the log together.
    pub(crate) fn printed(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Fails when the process has ended by itself.
    pub(crate) fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().expect("child status") {
            panic!(
                "{} ended by itself ({status}):\n{}",
                self.name,
                tail(&self.printed())
            );
        }
    }

    /// kill -9, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("child status");
    }

    /// What Ctrl-C does; gives how it ended and how long that took.
    pub(crate) fn interrupt(&mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        self.signal(Signal::INT);
        let status = self.wait(ENDING);
        (status, start.elapsed())
    }

    /// Waits for its own end.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("end of {}", self.name);
        wait_for(&what, limit, || {
            self.child.try_wait().expect("child status")
        })
    }

    /// Whether it ends by itself in time.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> bool {
        until(limit, || self.child.try_wait().expect("child status")).is_some()
    }

    fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.guard.dismiss();
        if std::thread::panicking() {
            eprintln!("--- {} printed:\n{}", self.name, tail(&self.printed()));
        }
    }
}

/// The last lines of a log.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// A shell that kills a process and removes its log's folder when the test process is gone before it let go: its end closes
/// the pipe, whatever it dies of.
struct Guard {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Guard {
    fn of(id: u32, log: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "read -r done || { kill -9 \"$0\"; rm -rf -- \"$1\"; }",
        ]);
        command
            .arg(id.to_string())
            .arg(log.parent().expect("a folder"));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut shell = command.process_group(0).spawn().expect("a shell");
        let pipe = shell.stdin.take();
        Self { shell, pipe }
    }

    fn dismiss(&mut self) {
        if let Some(mut pipe) = self.pipe.take() {
            let _ = pipe.write_all(b"done\n");
        }
        let _ = self.shell.wait();
    }
}

/// Runs the binary to its end and gives status, stdout and stderr.
pub(crate) fn run(arguments: &[&str], limit: Duration) -> (ExitStatus, String, String) {
    let mut command = binary();
    command.args(arguments);
    finish(command, limit)
}

/// Runs a command to its end and gives status, stdout and stderr.
pub(crate) fn finish(mut command: Command, limit: Duration) -> (ExitStatus, String, String) {
    let folder = tempfile::tempdir().expect("folder");
    let (out, error) = (folder.path().join("out"), folder.path().join("err"));
    command.stdin(Stdio::null());
    command
        .stdout(File::create(&out).expect("file"))
        .stderr(File::create(&error).expect("file"));
    let child = command.process_group(0).spawn().expect("the binary starts");
    let guard = Guard::of(child.id(), &error);
    let name = format!("{command:?}");
    let mut process = Process {
        name,
        child,
        guard,
        log: error.clone(),
    };
    let status = process.wait(limit);
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    (status, text(&out), text(&error))
}
