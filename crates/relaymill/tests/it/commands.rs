//! Every command of `relaymill tx` on a running chain, seen by `relaymill query` afterwards; then the state of that chain in
//! a genesis document, and a chain that goes on from it.

use serde_json::{Value, json};

use crate::support::chain::integer;
use crate::support::network::Network;
use crate::support::person::Person;

/// Validators are jailed soon and for a moment, without loss; what is unbonded is free soon.
const PARAMS: [&str; 5] = [
    "staking.unbonding_time=30s",
    "slashing.signed_blocks_window=40",
    "slashing.min_signed_per_window=0.500000000000000000",
    "slashing.downtime_jail_duration=1s",
    "slashing.slash_fraction_downtime=0.000000000000000000",
];

/// Milliseconds from block to block.
const BLOCK_TIME_MS: u64 = 250;

/// A person on a network, with two accounts that have coins.
struct Scene {
    person: Person,
    alice: String,
    bob: String,
    /// Alice as a validator.
    newcomer: String,
    /// The network's own validator.
    incumbent: String,
}

impl Scene {
    fn new() -> Self {
        let person = Person::on(Network::fast(&PARAMS, BLOCK_TIME_MS));
        let (alice, bob) = (person.plain_key("alice"), person.plain_key("bob"));
        let outputs = [format!("{alice}=400pokt"), format!("{bob}=400pokt")];
        person.tx("faucet", &["bank", "multi-send", &outputs[0], &outputs[1]]);
        Self {
            newcomer: person.operator("alice"),
            incumbent: person.operator("validator"),
            person,
            alice,
            bob,
        }
    }

    fn tx(&self, from: &str, arguments: &[&str]) -> Value {
        self.person.tx(from, arguments)
    }

    fn query(&self, arguments: &[&str]) -> Value {
        self.person.query(arguments)
    }

    fn refused(&self, from: &str, arguments: &[&str], words: &str) {
        let error = self
            .person
            .refused(&[&["tx"], arguments, &["--from", from]].concat());
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
}

#[test]
fn every_command_does_on_a_chain_what_it_says() {
    let mut scene = Scene::new();
    validators_and_delegations(&scene);
    grants(&scene);
    allowances(&scene);
    pocket_roles(&scene);
    parameters(&scene);
    jailed_and_back(&scene);
    rewards(&scene);
    what_is_refused(&scene);
    exported_and_gone_on(&mut scene);
}

fn validators_and_delegations(scene: &Scene) {
    let Scene {
        newcomer,
        incumbent,
        bob,
        ..
    } = scene;
    let key = r#"{"@type":"/cosmos.crypto.ed25519.PubKey","key":"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}"#;
    let create = [
        "staking",
        "create-validator",
        "100pokt",
        "--pubkey",
        key,
        "--moniker",
        "alice's",
    ];
    let more = [
        "--commission-rate",
        "0.07",
        "--website",
        "https://alice.example",
    ];
    scene.tx("alice", &[&create[..], &more].concat());
    scene.person.comes_to(
        &["staking", "validator", newcomer],
        "/validator/status",
        "BOND_STATUS_BONDED",
    );
    scene.tx(
        "alice",
        &["staking", "edit-validator", "--details", "a second one"],
    );
    let made = scene.query(&["staking", "validator", newcomer]);
    let description = &made["validator"]["description"];
    assert_eq!(description["details"], "a second one", "{made}");
    assert_eq!(
        description["website"], "https://alice.example",
        "what is not named stays: {made}"
    );
    let rate = &made["validator"]["commission"]["commission_rates"]["rate"];
    assert_eq!(rate, "0.070000000000000000", "{made}");
    let hasty = ["staking", "edit-validator", "--commission-rate", "0.08"];
    scene.refused("alice", &hasty, "24h");

    let delegation = ["staking", "delegation", bob, newcomer];
    scene.tx("bob", &["staking", "delegate", newcomer, "10pokt"]);
    let amount = |answer: Value| answer["delegation_response"]["balance"]["amount"].clone();
    assert_eq!(amount(scene.query(&delegation)), "10000000");
    scene.tx(
        "bob",
        &["staking", "redelegate", newcomer, incumbent, "4pokt"],
    );
    let moved = scene.query(&["staking", "redelegations", bob]);
    let entry = &moved["redelegation_responses"][0];
    assert_eq!(
        entry["redelegation"]["validator_dst_address"], **incumbent,
        "{moved}"
    );
    assert_eq!(entry["entries"][0]["balance"], "4000000", "{moved}");

    scene.tx("bob", &["staking", "unbond", newcomer, "3pokt"]);
    let unbonding = ["staking", "unbonding-delegation", bob, newcomer];
    let entry = scene.query(&unbonding)["unbond"]["entries"][0].take();
    assert_eq!(entry["balance"], "3000000", "{entry}");
    let height = entry["creation_height"].as_str().unwrap();
    scene.tx(
        "bob",
        &["staking", "cancel-unbond", newcomer, "1pokt", height],
    );
    let left = scene.query(&unbonding);
    assert_eq!(left["unbond"]["entries"][0]["balance"], "2000000", "{left}");
    assert_eq!(amount(scene.query(&delegation)), "4000000");
    let nobody = scene.person.operator("faucet");
    scene.refused(
        "bob",
        &["staking", "delegate", &nobody, "1pokt"],
        "validator does not exist",
    );
}

fn grants(scene: &Scene) {
    let Scene {
        person, alice, bob, ..
    } = scene;
    let send = |name: &str, amount: &str| {
        let coins = json!([{ "denom": "upokt", "amount": amount }]);
        let message = json!({
            "@type": "/cosmos.bank.v1beta1.MsgSend", "from_address": alice, "to_address": bob, "amount": coins,
        });
        person.file(name, &message)
    };
    let (little, much) = (send("little", "400000"), send("much", "700000"));
    scene.refused(
        "bob",
        &["authz", "exec", &little],
        "authorization not found",
    );
    scene.tx(
        "alice",
        &[
            "authz",
            "grant",
            bob,
            "--spend-limit",
            "1pokt",
            "--expiration",
            "2100-01-01T00:00:00Z",
        ],
    );
    let before = person.balance(alice);
    scene.tx("bob", &["authz", "exec", &little]);
    assert_eq!(person.balance(alice), before - 400_000);
    let grants = scene.query(&["authz", "grants", alice, bob]);
    let left = &grants["grants"][0]["authorization"]["spend_limit"][0];
    assert_eq!(left["amount"], "600000", "{grants}");
    scene.refused("bob", &["authz", "exec", &much], "insufficient funds");
    scene.tx(
        "alice",
        &["authz", "revoke", bob, "/cosmos.bank.v1beta1.MsgSend"],
    );
    scene.refused(
        "bob",
        &["authz", "exec", &little],
        "authorization not found",
    );
    scene.tx(
        "alice",
        &[
            "authz",
            "grant",
            bob,
            "--msg-type",
            "/cosmos.bank.v1beta1.MsgSend",
        ],
    );
    scene.tx("bob", &["authz", "exec", &much]);
    assert_eq!(person.balance(alice), before - 1_100_000);
    let typo = [
        "authz",
        "grant",
        bob,
        "--msg-type",
        "/cosmos.bank.v1beta1.MsgSent",
    ];
    scene.refused("alice", &typo, "is no message");
}

fn allowances(scene: &Scene) {
    let Scene {
        person, alice, bob, ..
    } = scene;
    let carol = person.plain_key("carol");
    scene.tx("faucet", &["bank", "send", &carol, "1upokt"]);
    let payment = ["bank", "send", bob, "1upokt", "--fees", "300upokt"];
    scene.refused("carol", &payment, "insufficient funds");
    let granted = [&payment[..], &["--fee-granter", alice]].concat();
    scene.refused("carol", &granted, "fee-grant not found");
    let limits = [
        "--spend-limit",
        "1000upokt",
        "--period",
        "3600",
        "--period-limit",
        "500upokt",
    ];
    let only = ["--allow-msg", "/cosmos.bank.v1beta1.MsgSend"];
    scene.tx(
        "alice",
        &[&["feegrant", "grant", &carol], &limits[..], &only].concat(),
    );
    let before = person.balance(alice);
    scene.tx("carol", &granted);
    assert_eq!(person.balance(alice), before - 300);
    let found = scene.query(&["feegrant", "allowance", alice, &carol]);
    let periodic = &found["allowance"]["allowance"]["allowance"];
    assert_eq!(
        periodic["basic"]["spend_limit"][0]["amount"], "700",
        "{found}"
    );
    assert_eq!(periodic["period_can_spend"][0]["amount"], "200", "{found}");
    scene.tx("faucet", &["bank", "send", &carol, "2upokt"]);
    scene.refused("carol", &granted, "fee limit exceeded");
    scene.tx("alice", &["feegrant", "revoke", &carol]);
    scene.refused("carol", &granted, "fee-grant not found");
    scene.tx("alice", &["feegrant", "grant", &carol]);
    scene.tx("carol", &granted);
    scene.tx("bob", &["feegrant", "prune"]);
}

fn pocket_roles(scene: &Scene) {
    let Scene {
        person, alice, bob, ..
    } = scene;
    let card = person.file("card.json", &json!({ "what": "made here" }));
    let add = ["service", "add", "made-here", "7", "--card", &card];
    scene.tx("alice", &add);
    scene.tx("alice", &["service", "transfer", "made-here", bob]);
    let service = scene.query(&["service", "service", "made-here"]);
    assert_eq!(service["service"]["owner_address"], **bob, "{service}");
    scene.refused("alice", &add, "owner");

    scene.tx("bob", &["gateway", "stake", "2pokt"]);
    scene.tx("bob", &["gateway", "update-metadata", &card]);
    let gateway = scene.query(&["gateway", "show-gateway", bob]);
    assert_eq!(
        gateway["gateway"]["stake"]["amount"], "2000000",
        "{gateway}"
    );
    assert!(!gateway["gateway"]["metadata"].is_null(), "{gateway}");

    let application = person.plain_key("app");
    let heir = person.plain_key("heir");
    scene.tx("faucet", &["bank", "send", &application, "60pokt"]);
    let stake = [
        "application",
        "stake",
        "50pokt",
        "made-here",
        "--spend-limit",
        "1pokt",
    ];
    scene.tx("app", &stake);
    scene.tx("app", &["application", "delegate", bob]);
    let staked = ["application", "show-application", &application];
    let asked = scene.query(&staked);
    assert_eq!(
        asked["application"]["delegatee_gateway_addresses"],
        json!([bob]),
        "{asked}"
    );
    assert_eq!(
        asked["application"]["per_session_spend_limit"]["amount"], "1000000",
        "{asked}"
    );
    scene.tx("app", &["application", "undelegate", bob]);
    scene.tx("app", &["application", "transfer", &heir]);
    let asked = scene.query(&staked);
    assert_eq!(
        asked["application"]["pending_transfer"]["destination_address"], heir,
        "{asked}"
    );
    let inherited = ["application", "show-application", &heir];
    person.comes_to(&inherited, "/application/stake/amount", "50000000");
    scene.tx("faucet", &["bank", "send", &heir, "1pokt"]);
    scene.tx("heir", &["application", "unstake"]);
    let leaving = scene.query(&inherited);
    let end = leaving["application"]["unstake_session_end_height"].as_str();
    assert_ne!(end, Some("0"), "{leaving}");

    let operator = person.plain_key("operator");
    scene.tx("bob", &["bank", "send", &operator, "61pokt"]);
    let at = ["--service", "made-here", "--url", "http://127.0.0.1:9"];
    let who = ["supplier", "stake", "--stake", "60pokt", "--owner", alice];
    let whole = [&who[..], &at].concat();
    let other = [&whole[..], &["--operator", &operator]].concat();
    scene.refused("alice", &other, "only the operator");
    scene.tx("operator", &whole);
    let supplier = scene.query(&["supplier", "supplier", &operator]);
    assert_eq!(supplier["supplier"]["owner_address"], **alice, "{supplier}");
    scene.tx("operator", &["supplier", "unstake"]);
    let supplier = scene.query(&["supplier", "supplier", &operator]);
    assert_ne!(
        supplier["supplier"]["unstake_session_end_height"], "0",
        "{supplier}"
    );
    scene.tx("bob", &["gateway", "unstake"]);
    let gateway = scene.query(&["gateway", "show-gateway", bob]);
    assert_ne!(
        gateway["gateway"]["unstake_session_end_height"], "0",
        "{gateway}"
    );
    // What nobody has a command for is sent as JSON.
    let message = person.file("message.json", &json!([
        { "@type": "/pocket.gateway.MsgStakeGateway", "address": alice, "stake": { "denom": "upokt", "amount": "1000000" } },
        { "@type": "/pocket.gateway.MsgUnstakeGateway", "address": alice },
    ]));
    scene.tx("alice", &["messages", &message]);
    assert_ne!(
        scene.query(&["gateway", "show-gateway", alice])["gateway"],
        json!(null)
    );
}

fn parameters(scene: &Scene) {
    let person = &scene.person;
    let set = ["params", "set", "gateway", "min_stake", "123upokt"];
    scene.refused("alice", &set, "authorization not found");
    scene.tx("dao", &set);
    person.comes_to(&["params", "gateway"], "/params/min_stake/amount", "123");
    let mut all = scene.query(&["params", "staking"]);
    assert_eq!(all["params"]["unbonding_time"], "30s", "{all}");
    all["params"]["max_entries"] = json!(5);
    let file = person.file("staking.json", &all);
    scene.tx("dao", &["params", "set-all", "staking", &file]);
    person.comes_to(&["params", "staking"], "/params/max_entries", 5);
}

/// The newcomer has no node, so it signs nothing.
fn jailed_and_back(scene: &Scene) {
    let asked = ["staking", "validator", &scene.newcomer];
    scene.person.comes_to(&asked, "/validator/jailed", true);
    scene.refused("bob", &["slashing", "unjail"], "validator does not exist");
    // A second of jail has passed when a few blocks have.
    let chain = scene.person.network.chain();
    chain.wait_until(chain.height() + 8);
    scene.tx("alice", &["slashing", "unjail"]);
    let back = scene.query(&asked);
    assert_eq!(back["validator"]["jailed"], false, "{back}");
    scene.refused("alice", &["slashing", "unjail"], "not jailed");
}

fn rewards(scene: &Scene) {
    let Scene {
        person,
        alice,
        bob,
        incumbent,
        ..
    } = scene;
    let other = person.plain_key("purse");
    scene.tx(
        "bob",
        &["bank", "send", alice, "1upokt", "--fees", "100pokt"],
    );
    let pending = ["distribution", "delegation-rewards", bob, incumbent];
    let chain = person.network.chain();
    chain.wait_until(chain.height() + 2);
    let waiting = scene.query(&pending);
    assert_eq!(waiting["rewards"][0]["denom"], "upokt", "{waiting}");
    scene.tx("bob", &["distribution", "set-withdraw-address", &other]);
    let address = scene.query(&["distribution", "delegator-withdraw-address", bob]);
    assert_eq!(address["withdraw_address"], other, "{address}");
    scene.tx("bob", &["distribution", "withdraw-rewards", incumbent]);
    assert!(person.balance(&other) > 0);
    let before = person.balance(&person.address("validator"));
    scene.tx(
        "validator",
        &[
            "distribution",
            "withdraw-rewards",
            incumbent,
            "--commission",
        ],
    );
    let after = person.balance(&person.address("validator"));
    assert!(after > before + 50_000_000, "{before} {after}");
    let nothing = ["distribution", "withdraw-commission"];
    scene.refused("bob", &nothing, "no validator commission to withdraw");
    scene.tx(
        "bob",
        &["bank", "send", alice, "1upokt", "--fees", "10pokt"],
    );
    chain.wait_until(chain.height() + 2);
    scene.tx("validator", &nothing);
    let pool = |answer: Value| -> u128 {
        let amount = answer["pool"][0]["amount"].as_str().unwrap().to_owned();
        amount.split('.').next().unwrap().parse().unwrap()
    };
    let before = pool(scene.query(&["distribution", "community-pool"]));
    scene.tx("alice", &["distribution", "fund", "3pokt"]);
    let after = pool(scene.query(&["distribution", "community-pool"]));
    assert!(after >= before + 3_000_000, "{before} {after}");
    // What was unbonded at the beginning is free.
    let gone = [
        "query",
        "staking",
        "unbonding-delegation",
        bob,
        &scene.newcomer,
    ];
    crate::support::wait_for(
        "the end of unbonding",
        std::time::Duration::from_secs(90),
        || {
            let (status, _, error) = person.run(&gone);
            (!status.success() && error.contains("not found")).then_some(())
        },
    );
}

fn what_is_refused(scene: &Scene) {
    let Scene { person, bob, .. } = scene;
    let dry = [
        "tx",
        "bank",
        "send",
        bob,
        "1pokt",
        "--from",
        "alice",
        "--dry-run",
    ];
    let told = person.json(&dry);
    assert!(
        told["gas_used"].as_str().unwrap().parse::<u64>().unwrap() > 0,
        "{told}"
    );
    let poor = [&dry[..4], &["900000pokt"], &dry[5..]].concat();
    assert!(person.refused(&poor).contains("insufficient funds"));

    let generate = [
        "tx",
        "bank",
        "send",
        bob,
        "1pokt",
        "--from",
        "alice",
        "--generate-only",
    ];
    let unsigned = person.file("unsigned", &person.json(&generate));
    let late = [
        "tx",
        "sign",
        &unsigned,
        "--from",
        "alice",
        "--sequence",
        "9999",
    ];
    let signed = person.file("signed", &person.json(&late));
    let wrong = person.refused(&["tx", "broadcast", &signed]);
    assert!(
        wrong.contains("account sequence mismatch") && wrong.contains("tx sign"),
        "{wrong}"
    );

    scene.refused("nobody", &["gateway", "unstake"], "keys list");
    let address = person.ring.json(&["add", "elsewhere"])["address"].clone();
    let address = address.as_str().unwrap();
    scene.refused(address, &["gateway", "unstake"], "never received coins");
    person.ring.json(&["rename", "elsewhere", "here"]);
    scene.refused("here", &["bank", "send", bob, "1"], "never received coins");
    scene.refused(bob, &["bank", "send", bob, "1"], "--generate-only");
    let (status, _, error) = person.run(&["tx", "bank", "send", "pokt1nobody", "1"]);
    assert_eq!(status.code(), Some(2), "{error}");
    assert!(error.contains("pokt1nobody"), "{error}");
}

/// The chain's state as a document, and a node that starts from it.
fn exported_and_gone_on(scene: &mut Scene) {
    let file = scene.person.ring.path("exported.json");
    let config = scene.person.network.data().join("node/node.toml");
    let export = [
        "genesis",
        "export",
        "--config",
        config.to_str().unwrap(),
        "--file",
        file.to_str().unwrap(),
    ];
    let (alice, bob) = (scene.alice.clone(), scene.bob.clone());
    let balances = (scene.person.balance(&alice), scene.person.balance(&bob));
    let questions: [&[&str]; 8] = [
        &["bank", "total-supply"],
        &["staking", "validators"],
        &["staking", "redelegations", &bob],
        &["distribution", "delegator-withdraw-address", &bob],
        &["authz", "granter-grants", &alice],
        &["feegrant", "allowances-by-granter", &alice],
        &["service", "list-services"],
        &["params", "staking"],
    ];
    let before = questions.map(|question| scene.query(question));
    let running = scene.person.network.data();
    let (status, _, error) =
        crate::support::process::run(&export, std::time::Duration::from_secs(60));
    assert!(
        !status.success() && error.contains("stop"),
        "{}: {error}",
        running.display()
    );
    scene.person.network.stop();
    let (status, _, error) =
        crate::support::process::run(&export, std::time::Duration::from_secs(60));
    assert!(status.success(), "{error}");
    let document: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let first = document["initial_height"].as_i64().unwrap();
    let mended = serde_json::to_value(chain::rules::Rules::mended()).unwrap();
    assert_eq!(document["app_state"]["relaymill"]["rules"], mended);

    let _node = scene.person.network.node_from(&file);
    let chain = scene.person.network.chain();
    chain.wait_until(first + 1);
    assert_eq!(
        integer(&chain.header(first)["block"]["header"]["height"]),
        first
    );
    let person = &scene.person;
    assert_eq!((person.balance(&alice), person.balance(&bob)), balances);
    for (question, before) in questions.into_iter().zip(before) {
        assert_eq!(person.query(question), before, "{question:?}");
    }
    scene.tx("bob", &["bank", "send", &alice, "1pokt"]);
    scene.tx("alice", &["staking", "delegate", &scene.incumbent, "1pokt"]);
    scene.tx(
        "dao",
        &["params", "set", "gateway", "min_stake", "124upokt"],
    );
    assert_eq!(person.balance(&alice), balances.0);
}
