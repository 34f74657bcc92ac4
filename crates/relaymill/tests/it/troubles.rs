//! What goes wrong for people, and whether the words they get say what to do.

use std::path::Path;
use std::time::Duration;

use crate::support::network::Network;
use crate::support::person::Person;
use crate::support::process;

const SHORT: Duration = Duration::from_secs(60);

/// Runs a command that must fail with `status`; its words.
fn refused(arguments: &[&str], status: i32) -> String {
    let (ended, out, error) = process::run(arguments, SHORT);
    assert_eq!(ended.code(), Some(status), "{arguments:?}: {out}{error}");
    assert!(!error.contains("panicked"), "{arguments:?}: {error}");
    error
}

fn says(error: &str, words: &[&str]) {
    for word in words {
        assert!(error.contains(word), "`{word}` is not said: {error}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_node_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    let error = refused(&["query", "status", "--data-dir", text(&nothing)], 1);
    says(&error, &["--node", "--data-dir", "relaymill localnet"]);
    let error = refused(&["query", "status", "--node", "http://127.0.0.1:1"], 1);
    says(&error, &["127.0.0.1:1", "is the node running"]);

    // A local network that was stopped, asked by its folder, and one of its roles alone.
    let mut network = Network::start(&[]);
    let data = network.data();
    network.stop();
    let error = refused(&["query", "status", "--data-dir", text(&data)], 1);
    says(
        &error,
        &["unreachable", "is `relaymill localnet", "running"],
    );
    let file = data.join("gateway/gateway.toml");
    let error = refused(&["gateway", "start", "--config", text(&file)], 1);
    says(&error, &["unreachable", "rpc_url", "gateway.toml"]);
    // What is wrong in the file is told first.
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        config.replace("applications = [", "applications = [\"x\", "),
    )
    .unwrap();
    let error = refused(&["gateway", "start", "--config", text(&file)], 1);
    says(&error, &["applications", "line"]);
}

#[test]
fn a_chain_that_stands_still() {
    let person = Person::on(Network::fast(&[], 600_000));
    let faucet = person.address("faucet");
    let send = ["tx", "bank", "send", &faucet, "1upokt", "--block-wait", "2"];
    says(
        &person.refused(&send),
        &["no block after", "stands still", "query txs"],
    );
    // Questions are answered all the same.
    assert!(person.balance(&faucet) > 0);
}

#[test]
fn parameters_and_documents_that_no_chain_can_start_with() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("net");
    let zero = "shared.num_blocks_per_session=0";
    let error = refused(&["localnet", "--data-dir", text(&data), "--param", zero], 1);
    says(&error, &["genesis", "shared.params", "NumBlocksPerSession"]);
    assert!(
        !data.join("localnet.json").exists(),
        "a refused network is not kept"
    );

    // A document that was wrong is mended in place, as nothing was made of it yet.
    let mut network = Network::start(&[]);
    network.stop();
    let good = std::fs::read_to_string(network.data().join("genesis.json")).unwrap();
    let file = folder.path().join("genesis.json");
    let node = network.data().join("node/node.toml");
    network.edit_node(|config| {
        let config = config.replace("../genesis.json", text(&file));
        config.replace("data_dir = \"data\"", "data_dir = \"other\"")
    });
    let other = network.data().join("node/other");
    std::fs::create_dir(&other).unwrap();
    std::fs::copy(
        network.data().join("node/data/validator.key"),
        other.join("validator.key"),
    )
    .unwrap();
    let start = ["node", "start", "--config", text(&node)];
    says(&refused(&start, 1), &["genesis.json", "No such file"]);
    std::fs::write(&file, &good[..good.len() / 2]).unwrap();
    says(&refused(&start, 1), &["genesis"]);
    std::fs::write(
        &file,
        good.replace(
            "\"num_blocks_per_session\": \"10\"",
            "\"num_blocks_per_session\": \"0\"",
        ),
    )
    .unwrap();
    says(&refused(&start, 1), &["NumBlocksPerSession"]);
    std::fs::write(&file, &good).unwrap();
    let mut process = process::Process::start("node", &start, &folder.path().join("log"));
    network.chain().wait_until_there();
    process.assert_running();
    drop(process);
    std::fs::write(
        &file,
        good.replace(
            "\"num_blocks_per_session\": \"10\"",
            "\"num_blocks_per_session\": \"20\"",
        ),
    )
    .unwrap();
    says(
        &refused(&start, 1),
        &["does not describe the chain", "another data_dir"],
    );
}

#[test]
fn words_that_nobody_knows() {
    says(
        &refused(&["--log", "a=b=c", "query", "status"], 2),
        &["--log", "supplier=debug"],
    );
    let error = refused(
        &[
            "genesis",
            "set-param",
            "shared.x=1",
            "--file",
            "/nowhere/g.json",
        ],
        1,
    );
    says(&error, &["/nowhere/g.json", "genesis new"]);
    let error = refused(&["replay", "/nowhere"], 2);
    says(&error, &["/nowhere/genesis.json"]);
    assert_eq!(error.matches("No such file").count(), 1, "{error}");
}
