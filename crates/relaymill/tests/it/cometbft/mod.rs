//! Real networks: the binary under unmodified CometBFT, each machine in a network namespace of its own.
//!
//! One network lives through everything that validators meet: kills, a pulled cable, a newcomer from a snapshot, a
//! validator more, one that stays away, one that signs twice. All of it under load, and every machine must have the same
//! app hash at every height that it has.

mod evidence;
mod lan;
mod load;
mod machine;
mod services;
mod wallet;

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::cosmos::crypto::ed25519::PubKey;
use proto::cosmos::slashing::v1beta1::MsgUnjail;
use proto::cosmos::staking::v1beta1::{
    CommissionRates, Description, MsgCreateValidator, QueryValidatorRequest,
    QueryValidatorResponse, Validator,
};
use serde_json::{Value, json};

use self::lan::Lan;
use self::load::Load;
use self::machine::{Machine, edit};
use self::wallet::{Wallet, upokt};
use crate::support::chain::Chain;
use crate::support::{process, root};

/// Chain id of the test's network. Plain keys are taken for names that begin so.
const CHAIN_ID: &str = "relaymill-local-cometbft";

/// What each validator bonds.
const STAKE: u64 = 1_000_000_000;

/// The CometBFT that `cargo xtask interop-setup` installed.
fn cometbft() -> PathBuf {
    root().join("interop/bin/cometbft")
}

/// Why this machine cannot run these tests, if it cannot; with `CI` set it must.
fn missing() -> Option<String> {
    let missing = if !cometbft().is_file() {
        Some("CometBFT is not installed (cargo xtask interop-setup)".to_owned())
    } else {
        Lan::possible()
            .err()
            .map(|error| format!("no network namespaces: {error}"))
    };
    let missing = missing?;
    assert!(std::env::var_os("CI").is_none(), "CI is set and {missing}");
    println!("skipped: {missing}");
    Some(missing)
}

/// A network of `count` machines, the first `validators` of them bonded.
struct Network {
    machines: Vec<Machine>,
    lan: Lan,
    _folder: tempfile::TempDir,
}

impl Network {
    fn new(validators: u8, spare: u8) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let lan = Lan::new(validators + spare);
        let home = folder.path().join("network");
        let (validators_text, spare_text) = (validators.to_string(), spare.to_string());
        let mut arguments = vec![
            "network",
            "init",
            CHAIN_ID,
            "--home",
            home.to_str().expect("text"),
        ];
        arguments.extend(["--validators", &validators_text, "--spare", &spare_text]);
        arguments.extend(["--timeout-commit-ms", "500", "--snapshot-interval", "10"]);
        for param in [
            "slashing.signed_blocks_window=40",
            "slashing.min_signed_per_window=0.500000000000000000",
            "slashing.downtime_jail_duration=3s",
        ] {
            arguments.extend(["--param", param]);
        }
        let addresses: Vec<String> = (1..=validators + spare)
            .map(|number| lan.address(number).to_string())
            .collect();
        for address in &addresses {
            arguments.extend(["--address", address]);
        }
        let (status, printed, error) = process::run(&arguments, Duration::from_secs(60));
        assert!(status.success(), "{printed}{error}");
        let machines = (1..=validators + spare).map(|number| {
            let home = home.join(format!("validator-{number}"));
            Machine::new(home, lan.space(number), lan.address(number))
        });
        Self {
            machines: machines.collect(),
            lan,
            _folder: folder,
        }
    }

    /// Machine `number`, counted from 1.
    fn machine(&mut self, number: usize) -> &mut Machine {
        &mut self.machines[number - 1]
    }

    fn rpc(&self, number: usize) -> Chain {
        self.machines[number - 1].rpc.clone()
    }

    fn wallet(&self, number: usize) -> Wallet {
        let key = self.machines[number - 1].operator();
        Wallet::open(key, CHAIN_ID, &self.machines[0].rpc)
    }

    /// Waits until these machines are at one height, and compares the app hashes of the last ten that all of them have.
    fn agree(&mut self, numbers: &[usize]) {
        let height = self.machine(numbers[0]).height();
        for number in numbers {
            self.machine(*number).reaches(height);
        }
        for height in (height - 9).max(2)..=height {
            let expected = self.machine(numbers[0]).app_hash(height);
            for number in &numbers[1..] {
                let machine = self.machine(*number);
                if first_height(&machine.rpc) <= height {
                    assert_eq!(
                        machine.app_hash(height),
                        expected,
                        "{} at {height}",
                        machine.name
                    );
                }
            }
        }
        println!("machines {numbers:?} agree up to {height}");
    }
}

fn first_height(node: &Chain) -> i64 {
    let status = node.call("status", &json!({}));
    let height = status["sync_info"]["earliest_block_height"].as_str();
    height
        .and_then(|height| height.parse().ok())
        .expect("a height")
}

/// Whether a validator signed the last block whose commit is known.
fn signs(node: &Chain, address: &str) -> bool {
    let commit = node.call("commit", &json!({}));
    let votes = commit["signed_header"]["commit"]["signatures"]
        .as_array()
        .cloned();
    let votes = votes.unwrap_or_default();
    votes
        .iter()
        .any(|vote| vote["validator_address"] == address && vote["block_id_flag"] == 2)
}

/// Whether a validator is in the set of the last block.
fn is_validator(node: &Chain, address: &str) -> bool {
    let set = node.call("validators", &json!({ "per_page": "100" }))["validators"].take();
    let set: Vec<Value> = set.as_array().cloned().unwrap_or_default();
    set.iter().any(|validator| validator["address"] == address)
}

/// A validator as the staking module has it.
fn staked(node: &Chain, operator: &str) -> Option<Validator> {
    let request = QueryValidatorRequest {
        validator_addr: operator.to_owned(),
    };
    let path = "/cosmos.staking.v1beta1.Query/Validator";
    let answer: QueryValidatorResponse = node.query(path, &request, 0).ok()?;
    Some(answer.validator)
}

#[test]
fn four_validators_live_through_what_networks_meet() {
    if missing().is_some() {
        return;
    }
    let mut network = Network::new(4, 2);
    for number in 1..=4 {
        network.machine(number).start();
    }
    network.machine(1).reaches(3);
    let load = Load::start(network.wallet(6), network.rpc(1));

    let mut wallet = network.wallet(1);
    services::agree(
        &network.machines[0].rest.clone(),
        &network.rpc(1),
        &mut wallet,
        4,
    );
    killed_and_restarted(&mut network);
    cut_off_and_back(&mut network);
    from_a_snapshot(&mut network);
    one_more_validator(&mut network);
    away_and_back(&mut network);
    signed_twice(&mut network);

    let accepted = load.stop();
    println!("{accepted} transfers were accepted");
    assert!(
        accepted > 100,
        "only {accepted} transfers in the whole time"
    );
    network.agree(&[1, 2, 3, 4, 6]);
}

/// One of four is killed with everything it has, misses blocks, and replays what is missing; then its node alone, then its
/// CometBFT alone.
fn killed_and_restarted(network: &mut Network) {
    network.machine(2).kill();
    let height = network.machine(1).height();
    network.machine(1).reaches(height + 3);
    network.machine(2).start();
    network.machine(2).reaches(height + 3);
    network.machine(2).kill_node();
    network.machine(2).start();
    let height = network.machine(1).height();
    network.machine(2).reaches(height);
    network.machine(2).kill_comet();
    network.machine(2).start_comet();
    let height = network.machine(1).height();
    network.machine(2).reaches(height + 1);
    network.agree(&[1, 2, 3, 4]);
}

/// One of four has its cable pulled: it stands still, the others go on; plugged in again it follows.
fn cut_off_and_back(network: &mut Network) {
    network.lan.connect(3, false);
    let height = network.machine(1).height();
    network.machine(1).reaches(height + 4);
    network.lan.connect(3, true);
    network.machine(3).reaches(height + 4);
    network.agree(&[1, 2, 3, 4]);
}

/// A machine without a state gets it from a snapshot of its peers instead of from block 1.
fn from_a_snapshot(network: &mut Network) {
    let trusted = network.machine(1).reaches(12) - 1;
    let commit = network
        .rpc(1)
        .call("commit", &json!({ "height": trusted.to_string() }));
    let hash = commit["signed_header"]["commit"]["block_id"]["hash"]
        .as_str()
        .expect("a hash")
        .to_owned();
    let servers: Vec<String> = [1, 2]
        .iter()
        .map(|number| format!("http://{}:26657", network.lan.address(*number)))
        .collect();
    let sync = format!(
        "\n[statesync]\nenable = true\nrpc_servers = \"{}\"\ntrust_height = {trusted}\ntrust_hash = \"{hash}\"\n\
         trust_period = \"1h\"\ndiscovery_time = \"5s\"\n",
        servers.join(",")
    );
    let machine = network.machine(6);
    edit(&machine.home.join("config/config.toml"), |text| {
        text + &sync
    });
    machine.start();
    let height = network.machine(1).height();
    network.machine(6).reaches(height);
    let machine = network.machine(6);
    let first = first_height(&machine.rpc);
    assert!(
        first > 1,
        "the first block it has is {first}: it fetched all of them"
    );
    assert!(
        machine.printed().contains("restoring a snapshot"),
        "{}",
        machine.printed()
    );
    network.agree(&[1, 6]);
}

/// A fifth validator joins by a transaction of its operator, and signs.
fn one_more_validator(network: &mut Network) {
    network.machine(5).start();
    let height = network.machine(1).height();
    network.machine(5).reaches(height);
    let (address, public, _) = network.machine(5).consensus();
    let mut wallet = network.wallet(5);
    let message = MsgCreateValidator {
        description: Description {
            moniker: "fifth".to_owned(),
            ..Description::default()
        },
        commission: CommissionRates {
            rate: "100000000000000000".to_owned(),
            max_rate: "200000000000000000".to_owned(),
            max_change_rate: "10000000000000000".to_owned(),
        },
        min_self_delegation: "1".to_owned(),
        validator_address: operator_address(&network.machine(5).operator()),
        pubkey: Some(proto::any::pack(&PubKey {
            key: STANDARD.decode(public).expect("base64").into(),
        })),
        value: upokt(STAKE),
        ..MsgCreateValidator::default()
    };
    let node = network.rpc(1);
    wallet.send(&message, &node);
    network
        .machine(1)
        .waits_for("a vote of the fifth validator", |node| {
            (is_validator(node, &address) && signs(node, &address)).then_some(())
        });
    network.agree(&[1, 2, 3, 4, 5, 6]);
}

/// A validator that stays down is jailed; its operator gets it back by unjail.
fn away_and_back(network: &mut Network) {
    let (address, ..) = network.machine(4).consensus();
    let operator = operator_address(&network.machine(4).operator());
    network.machine(4).kill();
    network
        .machine(1)
        .waits_for("jail for the one that is down", |node| {
            let jailed = staked(node, &operator).is_some_and(|validator| validator.jailed);
            (jailed && !is_validator(node, &address)).then_some(())
        });
    network.machine(4).start();
    let height = network.machine(1).height();
    network.machine(4).reaches(height);
    let jailed_at = network.machine(1).height();
    // A block takes half a second at least, so these are more than the three seconds of jail.
    network.machine(1).reaches(jailed_at + 8);
    let mut wallet = network.wallet(4);
    let node = network.rpc(1);
    wallet.send(
        &MsgUnjail {
            validator_addr: operator,
        },
        &node,
    );
    network
        .machine(1)
        .waits_for("a vote of the one that was away", |node| {
            (is_validator(node, &address) && signs(node, &address)).then_some(())
        });
    network.agree(&[1, 2, 3, 4, 5, 6]);
}

/// Two votes of one validator for one round cost it stake and its place for good.
fn signed_twice(network: &mut Network) {
    let (address, _, key) = network.machine(5).consensus();
    let operator = operator_address(&network.machine(5).operator());
    let node = network.rpc(1);
    let before = staked(&node, &operator).expect("the fifth validator");
    let height = network.machine(1).height() - 1;
    let evidence = evidence::duplicate_vote(CHAIN_ID, &node, height, &address, &key);
    node.call("broadcast_evidence", &json!({ "evidence": evidence }));
    let after = network
        .machine(1)
        .waits_for("the end of the one that signed twice", |node| {
            let validator = staked(node, &operator)?;
            (validator.jailed && !is_validator(node, &address)).then_some(validator)
        });
    let tokens = |validator: &Validator| -> u64 { validator.tokens.parse().expect("tokens") };
    assert_eq!(tokens(&before), STAKE);
    assert_eq!(tokens(&after), STAKE - STAKE / 20, "a twentieth is slashed");
}

/// The operator's address in the form of the staking module.
fn operator_address(key: &crypto::keys::SecretKey) -> String {
    key.public().address().to_bech32_with("poktvaloper")
}

#[test]
fn homes_are_written_whole_and_never_over_others() {
    let folder = tempfile::tempdir().expect("folder");
    let home = folder.path().join("homes");
    let home = home.to_str().expect("text");
    let init = |name: &str, more: &[&str]| {
        let arguments = [&["network", "init", name, "--home", home], more].concat();
        let (status, _, error) = process::run(&arguments, Duration::from_secs(60));
        (status.success(), error)
    };
    for taken in [
        "pocket",
        "pocket-beta",
        "pocket-alpha",
        "pocket-lego-testnet",
    ] {
        let (made, error) = init(taken, &[]);
        assert!(
            !made && error.contains("chain id of a network of POKT"),
            "{error}"
        );
    }
    let (made, error) = init("relaymill-a", &["--passphrase-file", "/dev/null"]);
    assert!(!made && error.contains("passphrase"), "{error}");
    let zero = ["--param", "shared.proof_window_open_offset_blocks=0"];
    let (made, error) = init("relaymill-local-a", &zero);
    assert!(
        !made && error.contains("proof_window_open_offset_blocks"),
        "{error}"
    );
    assert!(
        !Path::new(home).exists(),
        "a refused network leaves nothing"
    );
    let (made, error) = init("relaymill-local-a", &["--ports-from", "30000"]);
    assert!(made, "{error}");
    for number in 1..=4 {
        let file = |path: &str| {
            Path::new(home)
                .join(format!("validator-{number}"))
                .join(path)
        };
        let config = std::fs::read_to_string(file("config/config.toml")).expect("config.toml");
        assert_eq!(config.matches("@127.0.0.1:").count(), 3, "{config}");
        for path in [
            "config/genesis.json",
            "config/node_key.json",
            "node.toml",
            "keys/operator.key",
        ] {
            assert!(file(path).is_file(), "{path}");
        }
    }
    let (made, error) = init("relaymill-local-a", &[]);
    assert!(!made && error.contains("exists"), "{error}");
}
