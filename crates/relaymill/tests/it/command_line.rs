//! The command line, as people and scripts meet it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::accounting::SETTLED_AFTER;
use crate::support::network::{Network, journal};
use crate::support::process;

/// A command that does one thing and ends.
const SHORT: Duration = Duration::from_secs(30);

/// How long an orderly end may take.
const ENDING: Duration = Duration::from_secs(5);

/// Runs a query of a network's node and reads its JSON.
fn query(network: &Network, arguments: &[&str]) -> Value {
    let data = network.data();
    let mut all = vec!["query"];
    all.extend(arguments);
    all.extend(["--data-dir", data.to_str().unwrap(), "--output", "json"]);
    let (status, out, error) = process::run(&all, SHORT);
    assert!(status.success(), "{all:?}: {error}");
    serde_json::from_str(&out).unwrap_or_else(|failure| panic!("{all:?}: {failure} in {out}"))
}

#[test]
fn an_interrupted_network_ends_in_time_and_resumes_as_it_was() {
    let mut network = Network::start(&["tokenomics.mint_ratio=0.975"]);
    let before = network.ready.clone();
    assert!(
        before.gateway_url.ends_with("/v1") && before.gateway_url.starts_with("http://127.0.0.1:")
    );
    assert_eq!(before.models, ["millstone", "grist"]);
    let id = network
        .gateway()
        .answer("millstone", "add 2 3", true)
        .request_id
        .expect("an id");
    let height = network.chain().height();
    let chain_id = network.chain().header(1)["block"]["header"]["chain_id"].clone();

    // A stream under way does not hold it up.
    let gateway = network.gateway();
    let busy = std::thread::spawn(move || gateway.chat("millstone", "What is a relay?", true));
    let (status, took) = network.interrupt();
    assert!(status.success(), "Ctrl-C ended it with {status}");
    assert!(took < ENDING, "Ctrl-C took {took:?}");
    busy.join().expect("no panic");
    assert!(
        journal(&network.data())
            .iter()
            .any(|entry| entry.request_id == id)
    );

    std::fs::write(network.ready_file(), "left over").unwrap();
    network.launch();
    let after = network.ready.clone();
    assert_eq!(after.api_key, before.api_key, "the same key");
    assert_eq!(after.gateway_url, before.gateway_url, "the same address");
    assert_eq!(
        (after.rpc_url, after.grpc_url),
        (before.rpc_url, before.grpc_url)
    );
    let chain = network.chain();
    assert!(chain.height() >= height, "the chain goes on");
    assert_eq!(
        chain.header(1)["block"]["header"]["chain_id"],
        chain_id,
        "the same chain"
    );
    let params = query(&network, &["params", "tokenomics"]).to_string();
    assert!(params.contains("0.975"), "--param was kept: {params}");
    network.gateway().answer("grist", "add 2 3", false);

    // What was answered before the end is paid after it.
    let session_end = journal(&network.data())
        .iter()
        .find(|entry| entry.request_id == id)
        .map(|entry| entry.session_end_height)
        .expect("journaled");
    chain.wait_until(session_end + SETTLED_AFTER);
    let walk = query(&network, &["relay", &id]);
    assert_eq!(walk["settlement"]["state"], "settled", "{walk}");
}

#[test]
fn a_second_network_on_the_same_ports_or_folder_says_what_is_wrong() {
    let network = Network::shared();
    let port = network.first_port.to_string();
    let other = tempfile::tempdir().unwrap();
    let folder = other.path().join("net");
    let arguments = [
        "localnet",
        "--data-dir",
        folder.to_str().unwrap(),
        "--ports-from",
        &port,
    ];
    let (status, _, error) = process::run(&arguments, SHORT);
    assert!(!status.success(), "two networks on one port");
    let ports = (network.first_port..network.first_port + 7).map(|port| port.to_string());
    assert!(
        ports.into_iter().any(|port| error.contains(&port)),
        "the port is named: {error}"
    );
    assert!(
        error.contains("in use"),
        "and what is wrong with it: {error}"
    );
    assert!(!error.contains("panicked"), "{error}");

    let mut same = network.arguments();
    let ready_file = other.path().join("ready");
    let place = same
        .iter()
        .position(|argument| *argument == "--ready-file")
        .unwrap()
        + 1;
    same[place] = ready_file.to_str().unwrap();
    let (status, _, error) = process::run(&same, SHORT);
    assert!(!status.success(), "two networks in one folder");
    assert!(
        error.contains("--data-dir"),
        "the way out is named: {error}"
    );
    network.gateway().answer("grist", "add 1 2", false);
}

#[test]
fn a_relay_is_followed_from_its_request_to_the_coins() {
    let network = Network::shared();
    let outcome = network.gateway().answer("millstone", "add 4 5", false);
    let id = outcome.request_id.expect("an id");
    let entry = journal(&network.data())
        .into_iter()
        .find(|entry| entry.request_id == id);
    let entry = entry.expect("journaled");
    assert_eq!(
        (entry.status, entry.stream, entry.model.as_str()),
        (200, false, "millstone")
    );

    let early = query(network, &["relay", &id]);
    let expected = json!({"request_id": id, "model": "millstone"});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(early["request"][name], *value, "{early}");
    }
    for (name, value) in [
        ("relay_hash", &entry.relay_hash),
        ("supplier", &entry.supplier),
        ("application", &entry.application),
        ("session_id", &entry.session_id),
    ] {
        assert_eq!(early["relay"][name], **value, "{early}");
    }
    assert_ne!(early["settlement"]["state"], "settled", "{early}");

    network
        .chain()
        .wait_until(entry.session_end_height + SETTLED_AFTER);
    let late = query(network, &["relay", &id]);
    assert_eq!(late["settlement"]["state"], "settled", "{late}");
    assert_eq!(
        late["settlement"]["height"],
        entry.session_end_height + SETTLED_AFTER,
        "{late}"
    );
    assert_eq!(
        late["settlement"]["burned_from"], *entry.application,
        "{late}"
    );
    let paid = late["settlement"]["paid"].as_array().expect("payments");
    assert!(
        paid.iter().any(|one| one["to"] == *entry.supplier),
        "the supplier is paid: {late}"
    );
    assert!(
        late["settlement"]["relays"].as_u64().unwrap() >= 1,
        "{late}"
    );
}

#[test]
fn a_query_that_finds_nothing_fails_and_says_so() {
    let network = Network::shared();
    let data = network.data();
    let data = data.to_str().unwrap();
    for (arguments, words) in [
        (
            ["query", "relay", "req_none", "--data-dir", data],
            "req_none",
        ),
        (
            ["query", "service", "no-such-service", "--data-dir", data],
            "no-such-service",
        ),
        (
            ["query", "params", "no-such-module", "--data-dir", data],
            "no-such-module",
        ),
    ] {
        let (status, _, error) = process::run(&arguments, SHORT);
        assert!(!status.success(), "{arguments:?}");
        assert!(error.contains(words), "{arguments:?}: {error}");
        assert!(!error.contains("panicked"), "{arguments:?}: {error}");
    }
}
