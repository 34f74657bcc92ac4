//! Genesis documents: loaded whole or refused with the name of the culprit; exported as loaded.

use chain::genesis::Document;
use chain::{Application, ChainError, Options, Rules};
use prost::Message as _;
use serde_json::{Value, json};

use crate::support::*;

fn load(document: &Document) -> Result<Application, ChainError> {
    let mut application = Application::in_memory(Options::default()).unwrap();
    application.init_chain(&document.init_chain(Vec::new()).unwrap())?;
    Ok(application)
}

/// The error after changing the document's state in one place.
fn refused(pointer: &str, value: Value) -> String {
    let mut state = Value::Object(document().app_state);
    match state.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let parent = state.pointer_mut(parent).unwrap();
            parent
                .as_object_mut()
                .unwrap()
                .insert(name.to_owned(), value);
        }
    }
    let changed = Document {
        app_state: state.as_object().unwrap().clone(),
        ..document()
    };
    load(&changed).unwrap_err().to_string()
}

#[test]
fn a_corrupted_document_names_the_field() {
    let cases = [
        ("/bank/supply/0/amount", json!("1"), "app_state.bank.supply"),
        (
            "/bank/balances/0/coins/0/amount",
            json!("-4"),
            "app_state.bank.balances[0].coins",
        ),
        (
            "/bank/balances/1/address",
            json!("pokt1nonsense"),
            "app_state.bank.balances[1].address",
        ),
        ("/bank/colour", json!("red"), "colour"),
        (
            "/auth/accounts/1/address",
            json!(address("alice").to_bech32()),
            "duplicate account",
        ),
        (
            "/auth/accounts/0/@type",
            json!("/cosmos.auth.v1beta1.Odd"),
            "app_state.auth",
        ),
        (
            "/auth/params/tx_sig_limit",
            json!("0"),
            "app_state.auth.params.tx_sig_limit",
        ),
        ("/relaymill/rules/no_such_rule", json!(true), "no_such_rule"),
        ("/weather", json!({}), "app_state.weather: unknown section"),
        (
            "/staking",
            json!({
                "params": {
                    "unbonding_time": "60s",
                    "max_validators": 5,
                    "max_entries": 7,
                    "historical_entries": 1,
                    "bond_denom": "upokt",
                    "min_commission_rate": "0.05",
                },
                "validators": [{}],
            }),
            "app_state.staking.validators[0]: ",
        ),
        (
            "/mint",
            json!({"params": {"inflation_max": "0.13"}}),
            "app_state.mint.params",
        ),
        (
            "/authz",
            json!({"authorization": [{}]}),
            "app_state.authz.authorization[0].granter",
        ),
        ("/shared", json!(null), "app_state.shared"),
    ];
    for (pointer, value, expected) in cases {
        let error = refused(pointer, value);
        assert!(error.contains(expected), "{pointer}: {error}");
    }
    let mut without = document();
    without.app_state.shift_remove("bank");
    assert!(
        load(&without)
            .unwrap_err()
            .to_string()
            .contains("app_state.bank: missing section")
    );
}

#[test]
fn a_document_is_refused_before_its_state_is_read() {
    let text = document().to_json().unwrap();
    assert_eq!(Document::parse(&text).unwrap(), document());
    let cases = [
        ("\"chain_id\"", "\"chain_name\"", "chain_name"),
        ("2023-11-14T22:13:20Z", "yesterday", "genesis_time"),
        (
            "\"initial_height\": 1",
            "\"initial_height\": 0",
            "must be at least 1",
        ),
        (
            "\"max_bytes\": \"22020096\"",
            "\"max_bytes\": \"many\"",
            "not a 64-bit number",
        ),
    ];
    for (from, to, expected) in cases {
        let error = Document::parse(&text.replacen(from, to, 1))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{from} -> {to}: {error}");
    }
}

#[test]
fn an_export_loads_and_exports_the_same() {
    let mut document = document();
    let crisis = json!({"constant_fee": {"denom": "upokt", "amount": "1000"}});
    document
        .app_state
        .insert("crisis".to_owned(), crisis.clone());
    let mut application = load(&document).unwrap();
    execute(&mut application, 1, &[transfer("alice", 0, 0, "bob", 5)]);
    let exported = application.reader().export(None).unwrap();
    assert_eq!(exported["crisis"], crisis);
    assert_eq!(
        exported["relaymill"]["rules"],
        serde_json::to_value(Rules::mended()).unwrap()
    );

    let again = Document {
        app_state: exported.clone(),
        ..document
    };
    let mut application = load(&again).unwrap();
    execute(&mut application, 1, &[]);
    assert_eq!(application.reader().export(None).unwrap(), exported);
    assert_eq!(balance(&application, "bob"), 1_000_005);
}

#[test]
fn rules_are_those_of_the_reference_unless_genesis_says_otherwise() {
    let mut document = document();
    let rules = |document: &Document| {
        let mut application = load(document).unwrap();
        execute(&mut application, 1, &[]);
        application
            .reader()
            .at::<_, ChainError>(None, |ctx| Ok(ctx.rules))
            .unwrap()
    };
    assert_eq!(rules(&document), Rules::mended());
    document.app_state.insert(
        "relaymill".to_owned(),
        json!({"rules": {"bind_leaf_weight": true}}),
    );
    assert_eq!(
        rules(&document),
        Rules {
            bind_leaf_weight: true,
            ..Rules::reference()
        }
    );
    document.app_state.shift_remove("relaymill");
    assert_eq!(rules(&document), Rules::reference());
}

#[test]
fn module_accounts_must_cover_the_stakes() {
    let mut builder = builder();
    builder
        .gateway
        .gateway_list
        .push(proto::pocket::gateway::Gateway {
            address: address("bob").to_bech32(),
            stake: Some(coin(500)),
            ..Default::default()
        });
    let mut document = builder.build().unwrap();
    let application = load(&document).unwrap();
    drop(application);

    // The same supply, but the coins are carol's.
    let module = crypto::keys::Address::module("gateway").to_bech32();
    let bank = document.app_state.get_mut("bank").unwrap();
    let balances = bank["balances"].as_array_mut().unwrap();
    let place = balances
        .iter()
        .position(|entry| entry["address"] == json!(module))
        .unwrap();
    balances[place]["coins"][0]["amount"] = json!("499");
    let carol = json!(address("carol").to_bech32());
    let place = balances
        .iter()
        .position(|entry| entry["address"] == carol)
        .unwrap();
    balances[place]["coins"][0]["amount"] = json!("1000001");
    let error = load(&document).unwrap_err().to_string();
    assert!(error.contains("app_state.bank.balances"), "{error}");
    assert!(
        error.contains("holds 499upokt, but 500upokt are staked"),
        "{error}"
    );

    // The reference starts from such a state, so its rules do.
    document.app_state.shift_remove("relaymill");
    assert!(load(&document).is_ok());
}

#[test]
fn validators_of_a_builder_are_bonded_by_the_first_load() {
    let mut builder = builder();
    builder.validator("first", address("alice"), [1; 32], 5_000_000);
    builder.validator("second", address("bob"), [2; 32], 7_000_000);
    let document = builder.build().unwrap();
    let mut application = Application::in_memory(Options::default()).unwrap();
    let answer = application
        .init_chain(&document.init_chain(Vec::new()).unwrap())
        .unwrap();
    let powers: Vec<i64> = answer
        .validators
        .iter()
        .map(|update| update.power)
        .collect();
    assert_eq!(powers, [7, 5]);
    // Consensus may name the same, in any order, and nobody else.
    let named = |first, second| {
        let validators = [
            chain::genesis::GenesisValidator::ed25519(&[1; 32], first, "first"),
            chain::genesis::GenesisValidator::ed25519(&[2; 32], second, "second"),
        ];
        let named = validators
            .iter()
            .map(|validator| validator.update().unwrap());
        let mut application = Application::in_memory(Options::default()).unwrap();
        application.init_chain(&document.init_chain(named.collect()).unwrap())
    };
    assert!(named(5, 7).is_ok());
    let error = named(5, 8).unwrap_err().to_string();
    assert!(error.contains("consensus.validators"), "{error}");

    execute(&mut application, 1, &[]);
    let exported = application.reader().export(None).unwrap();
    assert_eq!(exported["staking"]["exported"], json!(true));
    assert_eq!(
        exported["staking"]["validators"][0]["commission"]["commission_rates"]["rate"],
        json!("0.050000000000000000")
    );
    let again = Document {
        app_state: exported.clone(),
        ..document.clone()
    };
    let mut application = load(&again).unwrap();
    let response = execute(&mut application, 1, &[]);
    assert!(response.validator_updates.is_empty());
}

/// A document in which carol makes a validator by a transaction of the section `genutil`.
fn document_with_transaction(account_number: u64) -> Document {
    use proto::cosmos::staking::v1beta1 as staking;
    let mut builder = builder();
    builder.validator("none", address("alice"), [1; 32], 5_000_000);
    let mut document = builder.build().unwrap();
    let state = &mut document.app_state;
    state["staking"]["validators"] = json!([]);
    state["staking"]["delegations"] = json!([]);
    let pool = json!(crypto::keys::Address::module("not_bonded_tokens_pool").to_bech32());
    let balances = state["bank"]["balances"].as_array_mut().unwrap();
    balances.retain(|entry| entry["address"] != pool);
    for entry in balances {
        entry["coins"][0]["amount"] = json!("9000000");
    }
    state["bank"]["supply"] = json!([]);

    let key = proto::cosmos::crypto::ed25519::PubKey {
        key: vec![3; 32].into(),
    };
    let message = staking::MsgCreateValidator {
        description: staking::Description {
            moniker: "third".to_owned(),
            ..Default::default()
        },
        commission: staking::CommissionRates {
            rate: "100000000000000000".to_owned(),
            max_rate: "200000000000000000".to_owned(),
            max_change_rate: "10000000000000000".to_owned(),
        },
        min_self_delegation: "1".to_owned(),
        validator_address: address("carol").to_bech32_with("poktvaloper"),
        pubkey: Some(proto::any::pack(&key)),
        value: coin(8_000_000),
        ..Default::default()
    };
    let mut draft = Draft::new("carol", account_number, 0, &message);
    draft.fee.amount.clear();
    let bytes = draft.sign();
    let raw = proto::cosmos::tx::v1beta1::TxRaw::decode(&*bytes).unwrap();
    let part = |name: &str, bytes: &[u8]| -> Value {
        serde_json::from_str(&proto::json::bytes_to_json(name, bytes).unwrap()).unwrap()
    };
    let tx = json!({
        "body": part("cosmos.tx.v1beta1.TxBody", &raw.body_bytes),
        "auth_info": part("cosmos.tx.v1beta1.AuthInfo", &raw.auth_info_bytes),
        "signatures": part("cosmos.tx.v1beta1.TxRaw", &bytes)["signatures"],
    });
    document
        .app_state
        .insert("genutil".to_owned(), json!({ "gen_txs": [tx] }));
    document
}

#[test]
fn transactions_of_a_genesis_make_validators() {
    let document = document_with_transaction(0);
    let mut application = Application::in_memory(Options::default()).unwrap();
    let answer = application
        .init_chain(&document.init_chain(Vec::new()).unwrap())
        .unwrap();
    assert_eq!(answer.validators.len(), 1);
    assert_eq!(answer.validators[0].power, 8);
    execute(&mut application, 1, &[]);
    let exported = application.reader().export(None).unwrap();
    assert_eq!(exported["genutil"], json!({ "gen_txs": [] }));
    assert_eq!(
        exported["staking"]["validators"][0]["status"],
        json!("BOND_STATUS_BONDED")
    );

    let error = load(&document_with_transaction(2)).unwrap_err().to_string();
    assert!(error.contains("app_state.genutil.gen_txs[0]"), "{error}");
    assert!(error.contains("signature verification failed"), "{error}");
}
