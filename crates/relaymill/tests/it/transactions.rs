//! `relaymill tx`, from the command line into a block, and `relaymill query` after it.

use serde_json::{Value, json};

use crate::support::network::genesis;
use crate::support::person::Person;

#[test]
fn every_role_is_set_up_from_the_command_line() {
    let person = Person::new();
    let (alice, bob) = (person.key("alice"), person.key("bob"));
    let document = genesis(&person.network.data());
    let gateway = document["app_state"]["gateway"]["gateway_list"][0]["address"].clone();
    let gateway = gateway.as_str().unwrap();

    let both = [format!("{alice}=200pokt"), format!("{bob}=100000000upokt")];
    let sent = person.tx("faucet", &["bank", "multi-send", &both[0], &both[1]]);
    assert_eq!(person.balance(&alice), 200_000_000);
    let hash = sent["txhash"].as_str().unwrap();
    let found = person.query(&["tx", hash]);
    assert_eq!(found["height"], sent["height"], "{found}");
    let multi = "/cosmos.bank.v1beta1.MsgMultiSend";
    assert_eq!(found["tx"]["body"]["messages"][0]["@type"], multi);
    let searched = person.query(&["txs", "--query", &format!("message.action='{multi}'")]);
    assert_eq!(searched["total_count"], "1", "{searched}");
    let results = person.query(&["block-results", sent["height"].as_str().unwrap()]);
    assert_eq!(results["txs_results"][0]["code"], 0, "{results}");
    let block = person.query(&["block", sent["height"].as_str().unwrap()]);
    assert_eq!(block["block"]["header"]["height"], sent["height"]);

    // A dry run tells and does nothing.
    let send = ["tx", "bank", "send", &bob, "1pokt", "--from", "alice"];
    let dry = person.json(&[&send[..], &["--dry-run", "--gas-prices", "0.00001upokt"]].concat());
    let gas = |name: &str| dry[name].as_str().unwrap().parse::<u64>().unwrap();
    assert!(
        gas("gas_used") > 10_000 && gas("gas_limit") > gas("gas_used"),
        "{dry}"
    );
    assert_eq!(person.balance(&bob), 100_000_000);

    // Keys of an encrypted ring, by name and by address.
    person.tx("alice", &["application", "stake", "50pokt", "millstone"]);
    person.tx(
        &alice,
        &[
            "application",
            "delegate",
            gateway,
            "--unordered",
            "--memo",
            "hello",
        ],
    );
    let asked = person.query(&["application", "show-application", &alice]);
    assert_eq!(
        asked["application"]["stake"]["amount"], "50000000",
        "{asked}"
    );
    assert_eq!(
        asked["application"]["delegatee_gateway_addresses"],
        json!([gateway])
    );
    let config = person.ring.path("supplier.yaml");
    let yaml = format!(
        "owner_address: {bob}\noperator_address: {bob}\nstake_amount: 50000000upokt\nservices:\n  - service_id: grist\n    endpoints:\n      - publicly_exposed_url: http://127.0.0.1:9\n        rpc_type: REST\n"
    );
    std::fs::write(&config, yaml).unwrap();
    person.tx(
        "bob",
        &["supplier", "stake", "--config", config.to_str().unwrap()],
    );
    let supplier = person.query(&["supplier", "supplier", &bob]);
    assert_eq!(
        supplier["supplier"]["owner_address"],
        bob.as_str(),
        "{supplier}"
    );
    person.tx(
        "alice",
        &["service", "add", "made-here", "7", "--name", "Made here"],
    );
    let service = person.query(&["service", "service", "made-here"]);
    assert_eq!(
        service["service"]["compute_units_per_relay"], "7",
        "{service}"
    );
    person.tx("alice", &["gateway", "stake", "1pokt"]);
    person.tx("alice", &["gateway", "unstake"]);
    person.tx("alice", &["application", "undelegate", gateway]);
    person.tx("alice", &["application", "unstake"]);
    person.tx("bob", &["supplier", "unstake"]);
    let pages = person.query(&["service", "list-services", "--limit", "2", "--count-total"]);
    assert_eq!(pages["pagination"]["total"], "3", "{pages}");
    assert_eq!(pages["service"].as_array().unwrap().len(), 2);
}

#[test]
fn a_transaction_is_generated_signed_and_broadcast_in_three_places() {
    let person = Person::new();
    let (alice, bob) = (person.key("alice"), person.key("bob"));
    person.tx("faucet", &["bank", "send", &alice, "10pokt"]);
    let write = |name: &str, json: &Value| {
        let file = person.ring.path(name);
        std::fs::write(&file, json.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let generate = |amount: &str| {
        let arguments = ["tx", "bank", "send", &bob, amount, "--from", "alice"];
        person.json(&[&arguments[..], &["--generate-only", "--gas", "300000"]].concat())
    };
    let (one, other) = (
        write("one", &generate("1pokt")),
        write("other", &generate("2pokt")),
    );
    let not_signed = person.refused(&["tx", "broadcast", &one]);
    assert!(not_signed.contains("tx sign"), "{not_signed}");
    let signed = person.json(&["tx", "sign", &one, "--from", "alice"]);
    let included = person.json(&["tx", "broadcast", &write("signed", &signed)]);
    assert_eq!(included["code"], 0, "{included}");
    assert_eq!(person.balance(&bob), 1_000_000);
    // Both messages in one transaction.
    person.tx("alice", &["multi", &one, &other]);
    assert_eq!(person.balance(&bob), 4_000_000);
    // Once more: it is the same transaction, and it is told where that is.
    let again = person.json(&["tx", "broadcast", &write("signed", &signed)]);
    assert_eq!(again["height"], included["height"], "{again}");
    assert_eq!(person.balance(&bob), 4_000_000);

    // What the chain refuses ends in its codespace, code and words.
    let poor = person.refused(&["tx", "bank", "send", &bob, "1000pokt", "--from", "alice"]);
    assert!(poor.contains("insufficient funds"), "{poor}");
    let out_of_gas = [
        "tx", "bank", "send", &bob, "1pokt", "--from", "alice", "--gas", "30000",
    ];
    let short = person.refused(&out_of_gas);
    assert!(short.contains("(sdk 11)"), "{short}");
    let value = [
        "tx",
        "params",
        "set",
        "shared",
        "num_blocks_per_session",
        "20",
        "--from",
        "alice",
    ];
    let ungranted = person.refused(&value);
    assert!(ungranted.contains("authorization not found"), "{ungranted}");
    let nobody = person.refused(&["tx", "bank", "send", &bob, "1", "--from", "nobody"]);
    assert!(nobody.contains("nobody"), "{nobody}");
    let chain = person.refused(&["query", "status", "--chain-id", "another-chain"]);
    assert!(chain.contains("another-chain"), "{chain}");
}
