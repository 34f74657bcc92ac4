//! Every socket of a running node, supplier and gateway sends small packets at once: TCP_NODELAY is read back from the
//! sockets themselves, through a copy of each taken from the process that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::fd::OwnedFd;

use rustix::net::sockopt::tcp_nodelay;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::support::network::Network;
use crate::support::separate::{Processes, Role};

/// States of a socket in the kernel's table.
const ESTABLISHED: &str = "01";
const LISTENING: &str = "0A";

/// A line of the kernel's table.
#[derive(Debug)]
struct Entry {
    /// Address in the kernel's hex.
    local_address: String,
    local_port: u16,
    remote_port: u16,
    state: String,
}

/// The TCP sockets of a process: file descriptor and table entry.
fn sockets(process: u32) -> Vec<(i32, Entry)> {
    let mut table = BTreeMap::new();
    for file in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{process}/net/{file}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let end = |field: &str| {
                let (address, port) = field.split_once(':').expect("address:port");
                (
                    address.to_owned(),
                    u16::from_str_radix(port, 16).expect("a port"),
                )
            };
            let ((local_address, local_port), (_, remote_port)) = (end(fields[1]), end(fields[2]));
            let state = fields[3].to_owned();
            let entry = Entry {
                local_address,
                local_port,
                remote_port,
                state,
            };
            table.insert(format!("socket:[{}]", fields[9]), entry);
        }
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(format!("/proc/{process}/fd"))
        .expect("file descriptors")
        .flatten()
    {
        let Ok(link) = fs::read_link(entry.path()) else {
            continue;
        };
        if let Some(socket) = table.remove(&*link.to_string_lossy()) {
            let descriptor = entry
                .file_name()
                .to_string_lossy()
                .parse()
                .expect("a number");
            found.push((descriptor, socket));
        }
    }
    found
}

/// A copy of another process's socket.
fn copy(process: u32, descriptor: i32) -> OwnedFd {
    let id = Pid::from_raw(process.try_into().expect("a process id")).expect("a process id");
    let handle = pidfd_open(id, PidfdFlags::empty()).expect("a handle of the process");
    pidfd_getfd(handle, descriptor, PidfdGetfdFlags::empty()).expect("a copy of its socket")
}

/// Ports on which a process accepted connections, and ports to which it dialled; all without delay.
fn undelayed(name: &str, process: u32) -> (BTreeSet<u16>, BTreeSet<u16>) {
    let sockets = sockets(process);
    let listening = sockets
        .iter()
        .filter(|(_, socket)| socket.state == LISTENING);
    let listening: BTreeSet<u16> = listening.map(|(_, socket)| socket.local_port).collect();
    let (mut accepted, mut dialled) = (BTreeSet::new(), BTreeSet::new());
    for (descriptor, socket) in sockets
        .iter()
        .filter(|(_, socket)| socket.state == ESTABLISHED)
    {
        let nodelay = tcp_nodelay(copy(process, *descriptor)).expect("a TCP socket");
        assert!(nodelay, "{name}: {socket:?} waits before it sends");
        if listening.contains(&socket.local_port) {
            accepted.insert(socket.local_port);
        } else {
            dialled.insert(socket.remote_port);
        }
    }
    (accepted, dialled)
}

#[test]
fn no_socket_delays_what_it_sends() {
    let processes = Processes::start();
    // A streamed and a plain answer of each model leave open connections all the way.
    for model in processes.models() {
        for stream in [true, false] {
            processes.gateway().answer(model, "add 1 2", stream);
        }
    }
    let first = processes.first_port();
    let port = |role: Role| first + role.port();
    let (rpc, grpc) = (port(Role::Node), port(Role::Node) + 1);
    let look = |role: Role| undelayed(&format!("{role:?}"), processes.process(role).id());

    let (accepted, _) = look(Role::Node);
    assert!(
        accepted.contains(&rpc) && accepted.contains(&grpc),
        "node accepted at {accepted:?}"
    );
    let (accepted, dialled) = look(Role::Gateway);
    assert!(
        accepted.contains(&port(Role::Gateway)),
        "gateway accepted at {accepted:?}"
    );
    assert!(
        dialled.contains(&rpc) || dialled.contains(&grpc),
        "gateway dialled {dialled:?}"
    );
    assert!(
        dialled.contains(&port(Role::Supplier(3))),
        "gateway dialled {dialled:?}"
    );
    // The third supplier is the only one of its model, so it was asked.
    let (accepted, dialled) = look(Role::Supplier(3));
    assert!(
        accepted.contains(&port(Role::Supplier(3))),
        "supplier accepted at {accepted:?}"
    );
    assert!(
        dialled.contains(&port(Role::Engine)),
        "supplier dialled {dialled:?}"
    );
    assert!(
        dialled.contains(&rpc) || dialled.contains(&grpc),
        "supplier dialled {dialled:?}"
    );
    let (accepted, _) = look(Role::Engine);
    assert!(
        accepted.contains(&port(Role::Engine)),
        "engine accepted at {accepted:?}"
    );
}

#[test]
fn a_local_network_listens_on_loopback_only() {
    let network = Network::shared();
    let sockets = sockets(network.process().id());
    let listening = sockets
        .iter()
        .filter(|(_, socket)| socket.state == LISTENING);
    let mut ports = BTreeSet::new();
    for (_, socket) in listening {
        // 127.0.0.1 in the kernel's byte order.
        let loopback = ["0100007F", "7F000001"].contains(&socket.local_address.as_str());
        assert!(loopback, "{socket:?} is open to others");
        ports.insert(socket.local_port);
    }
    let first = network.first_port;
    assert_eq!(
        ports,
        (first..first + 7).chain([first + 8]).collect(),
        "RPC, gRPC, gateway, engine, three suppliers, REST"
    );
}
