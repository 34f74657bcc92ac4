//! Which rules a local network runs: the mended ones, in its genesis document, in its state, and in what it does.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::network::{Network, genesis};
use crate::support::person::Person;
use crate::support::{process, wait_for};

/// Milliseconds from block to block.
const BLOCK_TIME_MS: u64 = 250;

/// Until an allowance ends that is granted, revoked, and granted again without an end.
const LIFE: Duration = Duration::from_secs(12);

/// The case: the reference removes the second allowance at the time of the first, whose place in the queue of expirations
/// nobody took away. Whether the second one lives on shows which rules run.
fn second_allowance_lives(person: &Person, grantee: &str) -> bool {
    let faucet = person.address("faucet");
    let end = SystemTime::now() + LIFE;
    let seconds = end
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let expiration = proto::time::rfc3339(i64::try_from(seconds).unwrap(), 0);
    let grant = ["feegrant", "grant", grantee];
    person.tx(
        "faucet",
        &[&grant[..], &["--expiration", &expiration]].concat(),
    );
    person.tx("faucet", &["feegrant", "revoke", grantee]);
    person.tx("faucet", &grant);
    let asked = ["query", "feegrant", "allowance", &faucet, grantee];
    let (there, _, error) = person.run(&asked);
    assert!(
        there.success(),
        "the steps took longer than {LIFE:?}: {error}"
    );
    let chain = person.network.chain();
    wait_for(
        "a block after the first allowance's end",
        Duration::from_secs(60),
        || {
            let header = chain.header(chain.height())["block"]["header"].take();
            let time = header["time"].as_str().unwrap_or_default().to_owned();
            let (now, _) = proto::time::parse_rfc3339(&time).unwrap();
            (now > i64::try_from(seconds).unwrap() + 1).then_some(())
        },
    );
    let (status, _, error) = person.run(&asked);
    assert!(status.success() || error.contains("not found"), "{error}");
    status.success()
}

#[test]
fn localnet_runs_mended_rules() {
    let mut person = Person::on(Network::fast(&[], BLOCK_TIME_MS));
    let mended = serde_json::to_value(chain::rules::Rules::mended()).unwrap();
    let mut document = genesis(&person.network.data());
    assert_eq!(document["app_state"]["relaymill"]["rules"], mended);
    let all = mended.as_object().unwrap();
    assert!(
        all.len() > 10 && all.values().all(|rule| *rule == json!(true)),
        "{mended}"
    );
    let grantee = person.plain_key("grantee");
    assert!(
        second_allowance_lives(&person, &grantee),
        "the rules are not mended"
    );

    // What the node's state says, in its own words.
    person.network.stop();
    let text = |name: &str| {
        person
            .network
            .data()
            .join(name)
            .to_str()
            .unwrap()
            .to_owned()
    };
    let (config, exported) = (text("node/node.toml"), text("exported.json"));
    let export = [
        "genesis", "export", "--config", &config, "--file", &exported,
    ];
    let (status, _, error) = process::run(&export, Duration::from_secs(60));
    assert!(status.success(), "{error}");
    let state: Value = serde_json::from_slice(&std::fs::read(&exported).unwrap()).unwrap();
    assert_eq!(state["app_state"]["relaymill"]["rules"], mended);

    // The same steps on the same network with the reference's rules end differently, so they show what they should.
    document["app_state"]["relaymill"]["rules"] = json!({});
    document["genesis_time"] = json!(proto::time::rfc3339(now(), 0));
    let other = person.network.data().join("reference.json");
    std::fs::write(&other, document.to_string()).unwrap();
    let _node = person.network.node_from(&other);
    assert!(
        !second_allowance_lives(&person, &grantee),
        "the rules are not the reference's"
    );
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_secs()).unwrap()
}
