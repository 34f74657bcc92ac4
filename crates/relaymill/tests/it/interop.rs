//! Clients of the chain that others wrote: CosmJS, and the modules of cosmos-sdk and CometBFT in Go. They get the address
//! of a node, a key with coins and our descriptor set, nothing else.

use std::process::Command;

use crate::support::network::{Network, genesis};
use crate::support::root;

/// Points a program at the shared network and gives what it printed.
fn run(name: &str, mut client: Command) -> String {
    let network = Network::shared();
    let document = genesis(&network.data());
    let state = &document["app_state"];
    let text = |pointer: &str| {
        let value = state.pointer(pointer).and_then(serde_json::Value::as_str);
        value.unwrap_or_else(|| panic!("{pointer}")).to_owned()
    };
    let key = std::fs::read_to_string(network.data().join("keys/faucet.key")).expect("a key");
    client
        .env("RELAYMILL_RPC", &network.ready.rpc_url)
        .env(
            "RELAYMILL_GRPC",
            network.ready.grpc_url.trim_start_matches("http://"),
        )
        .env("RELAYMILL_KEY", key.trim())
        .env("RELAYMILL_GATEWAY", text("/gateway/gateway_list/0/address"))
        .env(
            "RELAYMILL_APPLICATION",
            text("/application/application_list/0/address"),
        )
        .env(
            "RELAYMILL_SERVICE",
            text("/application/application_list/0/service_configs/0/service_id"),
        )
        .env(
            "RELAYMILL_DESCRIPTORS",
            root().join("interop/descriptors.binpb"),
        );
    for proxy in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        client.env_remove(proxy);
    }
    let output = client
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    println!("{out}");
    assert!(
        output.status.success(),
        "{name}: {}\n{out}{error}",
        output.status
    );
    out
}

/// Whether what a test needs is there; with `CI` set it must be.
fn present(name: &str, there: bool) -> bool {
    assert!(
        there || std::env::var_os("CI").is_none(),
        "CI is set and {name} is missing: cargo xtask interop-setup"
    );
    if !there {
        println!("skipped: {name} (cargo xtask interop-setup)");
    }
    there
}

/// Keys are spent one transaction after the other, so the two clients take turns.
fn turn() -> std::sync::MutexGuard<'static, ()> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    TURN.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[test]
fn cosmjs() {
    if !present(
        "CosmJS",
        root()
            .join("interop/node/node_modules/@cosmjs/stargate")
            .is_dir(),
    ) {
        return;
    }
    let _turn = turn();
    let mut client = Command::new("node");
    client.arg(root().join("interop/node/cosmjs_client.mjs"));
    let out = run("CosmJS", client);
    assert!(
        out.lines().filter(|line| line.starts_with("ok ")).count() >= 20,
        "{out}"
    );
}

#[test]
fn cosmos_sdk_and_cometbft_in_go() {
    let built = root().join("interop/.cache/go-client");
    if !present("cosmos-sdk and CometBFT in Go", built.is_file()) {
        return;
    }
    // What was set up may be older than the sources; nothing is fetched here.
    let mut build = Command::new("go");
    build.args(["build", "-mod=readonly", "-buildvcs=false", "-o"]);
    build
        .arg(&built)
        .arg(".")
        .current_dir(root().join("interop/go"));
    let status = build.env("GOPROXY", "off").status().expect("go");
    assert!(status.success(), "go build: {status}");
    let _turn = turn();
    let out = run("Go", Command::new(built));
    assert!(out.contains("blocks hash as CometBFT hashes them"), "{out}");
    assert!(
        out.lines().filter(|line| line.starts_with("ok ")).count() >= 30,
        "{out}"
    );
}
