//! The same network as separate processes, from the configuration files that `localnet` wrote.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::chain::Chain;
use super::load::Gateway;
use super::network::Network;
use super::process::Process;
use super::{wait_for, web};

const READY: Duration = Duration::from_secs(90);

/// One role of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Node,
    Engine,
    /// 1 to 3.
    Supplier(u16),
    Gateway,
}

impl Role {
    /// All of them, in the order of starting.
    pub(crate) const ALL: [Role; 6] = [
        Role::Node,
        Role::Engine,
        Role::Supplier(1),
        Role::Supplier(2),
        Role::Supplier(3),
        Role::Gateway,
    ];

    /// Place in a network's row of ports.
    pub(crate) fn port(self) -> u16 {
        match self {
            Role::Node => 0,
            Role::Gateway => 2,
            Role::Engine => 3,
            Role::Supplier(number) => 3 + number,
        }
    }

    fn name(self) -> String {
        match self {
            Role::Node => "node".to_owned(),
            Role::Engine => "engine".to_owned(),
            Role::Supplier(number) => format!("supplier-{number}"),
            Role::Gateway => "gateway".to_owned(),
        }
    }
}

/// Every role in a process of its own.
pub(crate) struct Processes {
    made_by: Network,
    running: Vec<(Role, Process)>,
}

impl Processes {
    /// Lets `localnet` make a network, stops it, and starts its roles one by one.
    pub(crate) fn start() -> Self {
        let mut made_by = Network::start(&[]);
        let (status, _) = made_by.interrupt();
        assert!(status.success(), "localnet ended with {status}");
        let mut all = Self {
            made_by,
            running: Vec::new(),
        };
        for role in Role::ALL {
            all.launch(role);
        }
        all
    }

    /// Starts a role and waits until it answers.
    pub(crate) fn launch(&mut self, role: Role) {
        let (data, port) = (self.data(), self.made_by.first_port + role.port());
        let listen = format!("127.0.0.1:{port}");
        let (file, url) = match role {
            Role::Node => (
                data.join("node/node.toml"),
                format!("http://{listen}/health"),
            ),
            Role::Gateway => (
                data.join("gateway/gateway.toml"),
                format!("http://{listen}/health"),
            ),
            Role::Engine => (PathBuf::new(), format!("http://{listen}/v1/models")),
            Role::Supplier(_) => (
                data.join(role.name()).join("supplier.toml"),
                format!("http://{listen}/health"),
            ),
        };
        let file = file.to_str().expect("a path in UTF-8");
        let command = match role {
            Role::Node => "node",
            Role::Gateway => "gateway",
            Role::Engine => "engine",
            Role::Supplier(_) => "supplier",
        };
        let arguments = match role {
            Role::Engine => [command, "start", "--listen", &listen],
            _ => [command, "start", "--config", file],
        };
        let log = data.join(format!("{}.log", role.name()));
        let mut process = Process::start(&role.name(), &arguments, &log);
        wait_for(&format!("answer of {}", role.name()), READY, || {
            process.assert_running();
            web::answers(&url).then_some(())
        });
        self.running.push((role, process));
    }

    /// kill -9 of one role.
    pub(crate) fn kill(&mut self, role: Role) {
        let place = self
            .running
            .iter()
            .position(|(other, _)| *other == role)
            .expect("running");
        self.running.remove(place).1.kill();
    }

    /// The process of a role.
    pub(crate) fn process(&self, role: Role) -> &Process {
        &self
            .running
            .iter()
            .find(|(other, _)| *other == role)
            .expect("running")
            .1
    }

    /// First of the network's ports.
    pub(crate) fn first_port(&self) -> u16 {
        self.made_by.first_port
    }

    /// The network's folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.made_by.data()
    }

    /// Its chain.
    pub(crate) fn chain(&self) -> Chain {
        self.made_by.chain()
    }

    /// Its front door.
    pub(crate) fn gateway(&self) -> Gateway {
        self.made_by.gateway()
    }

    /// Models on sale.
    pub(crate) fn models(&self) -> &[String] {
        &self.made_by.ready.models
    }
}

/// A role's configuration file.
pub(crate) fn read_toml(path: &Path) -> toml::Table {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
