//! A small network of namespaces: one hub with a bridge, one namespace for each machine, and this process beside them.
//!
//! Nothing of the machine's own network is touched but for one end of a cable, which goes with the hub. The namespaces are
//! removed when this is dropped, and by a shell of their own when the test process dies before.

use std::net::Ipv4Addr;
use std::process::{Child, ChildStdin, Command, Stdio};

/// A hub and its machines.
pub(super) struct Lan {
    name: String,
    network: [u8; 2],
    machines: u8,
    guard: Child,
    pipe: Option<ChildStdin>,
}

/// Runs `ip`.
fn ip(arguments: &str) -> Result<(), String> {
    let mut command = Command::new("ip");
    command.args(arguments.split_whitespace());
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("ip {arguments}: {error}"))
}

fn must(arguments: &str) {
    ip(arguments).unwrap_or_else(|error| panic!("{error}"));
}

impl Lan {
    /// Whether this machine lets the test make namespaces.
    pub(super) fn possible() -> Result<(), String> {
        let name = format!("rmill{}probe", std::process::id());
        ip(&format!("netns add {name}"))?;
        ip(&format!("netns del {name}"))
    }

    /// Makes the hub and `machines` namespaces with addresses .1, .2 and so on.
    pub(super) fn new(machines: u8) -> Self {
        let id = std::process::id();
        let name = format!("rmill{id}");
        // A network of its own for each test process, far from what routers and containers use.
        let network = [200 + (id % 50) as u8, (id / 50 % 250) as u8];
        let guard = guard(&name, machines);
        let mut lan = Self {
            name,
            network,
            machines,
            guard: guard.0,
            pipe: Some(guard.1),
        };
        lan.build();
        lan
    }

    fn build(&mut self) {
        let (name, hub) = (&self.name, self.hub());
        must(&format!("netns add {hub}"));
        must(&format!("-n {hub} link add bridge type bridge"));
        must(&format!("-n {hub} link set bridge up"));
        let outside = self.cable();
        must(&format!(
            "link add {outside} type veth peer name outside netns {hub}"
        ));
        must(&format!("-n {hub} link set outside master bridge"));
        must(&format!("-n {hub} link set outside up"));
        must(&format!("addr add {}/24 dev {outside}", self.address(254)));
        must(&format!("link set {outside} up"));
        for machine in 1..=self.machines {
            let space = self.space(machine);
            must(&format!("netns add {space}"));
            must(&format!("-n {space} link set lo up"));
            must(&format!(
                "-n {hub} link add port{machine} type veth peer name lan netns {space}"
            ));
            must(&format!("-n {hub} link set port{machine} master bridge"));
            must(&format!("-n {hub} link set port{machine} up"));
            must(&format!(
                "-n {space} addr add {}/24 dev lan",
                self.address(machine)
            ));
            must(&format!("-n {space} link set lan up"));
        }
        assert!(name.len() < 12, "names of interfaces have 15 characters");
    }

    fn hub(&self) -> String {
        format!("{}hub", self.name)
    }

    fn cable(&self) -> String {
        format!("{}c", self.name)
    }

    /// Name of a machine's namespace.
    pub(super) fn space(&self, machine: u8) -> String {
        format!("{}m{machine}", self.name)
    }

    /// Address of a machine.
    pub(super) fn address(&self, machine: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.network[0], self.network[1], machine)
    }

    /// Pulls a machine's cable, or plugs it in again.
    pub(super) fn connect(&self, machine: u8, connected: bool) {
        let state = if connected { "up" } else { "down" };
        must(&format!("-n {} link set port{machine} {state}", self.hub()));
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        // The guard does the work in either case: its input ends here.
        drop(self.pipe.take());
        let _ = self.guard.wait();
    }
}

/// A shell that removes the namespaces when its input ends, whatever the test process dies of.
fn guard(name: &str, machines: u8) -> (Child, ChildStdin) {
    let script = r#"read -r never
        for space in $(seq -f "$0m%g" 1 "$1") "$0hub"; do
            ip netns pids "$space" 2>/dev/null | xargs -r kill -9
            ip netns del "$space" 2>/dev/null
        done
        ip link del "$0c" 2>/dev/null
        true"#;
    let mut command = Command::new("sh");
    command.args(["-c", script, name, &machines.to_string()]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut shell = command.spawn().expect("a shell");
    let pipe = shell.stdin.take().expect("its input");
    (shell, pipe)
}
