//! What the reference's own keepers of staking, distribution, slashing, mint and evidence did with random messages, votes
//! and misbehaviour, recorded by `interop/staking-oracle`: every event, result, update of the set, exported section and
//! answer is computed and compared.

use std::fs::File;
use std::io::{BufRead as _, BufReader};

use crypto::keys::Address;
use flate2::read::GzDecoder;
use proto::cosmos::base::v1beta1::Coin;
use serde_json::{Value, json};
use tendermint_proto::google::protobuf::Duration;
use tendermint_proto::v0_38::crypto::public_key::Sum;
use tendermint_proto::v0_38::types::{
    BlockParams, ConsensusParams, EvidenceParams, ValidatorParams,
};

use crate::context::{BlockTime, Context, LastCommit, Misbehaviour, Vote};
use crate::error::{ChainError, GenesisError, TxError};
use crate::rules::Rules;
use crate::testing::TestChain;
use crate::{auth, bank, consensus, distribution, evidence, mint, router, slashing, staking};

fn lines(name: &str) -> Vec<Value> {
    let path = format!(
        "{}/../../tests/vectors/staking-oracle/{name}.jsonl.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    BufReader::new(GzDecoder::new(File::open(path).unwrap()))
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

fn address(hex_text: &Value) -> Address {
    let bytes = hex::decode(hex_text.as_str().unwrap()).unwrap();
    Address(bytes.try_into().unwrap())
}

fn time(seconds: &Value, nanos: &Value) -> BlockTime {
    BlockTime {
        seconds: seconds.as_i64().unwrap(),
        nanos: i32::try_from(nanos.as_i64().unwrap()).unwrap(),
    }
}

/// Events as the recording writes them.
fn taken(ctx: &mut Context) -> Value {
    let events = ctx.take_events().into_iter().map(|event| {
        let pairs = event.attributes.into_iter();
        let pairs: Vec<Value> = pairs.map(|pair| json!([pair.key, pair.value])).collect();
        json!([event.r#type, pairs])
    });
    events.collect()
}

fn updates(ctx: &mut Context) -> Value {
    let updates = std::mem::take(&mut ctx.validator_updates).into_iter();
    let flat = updates.map(|update| {
        let Some(Sum::Ed25519(key)) = update.pub_key.unwrap().sum else {
            panic!("another key");
        };
        json!([hex::encode(key), update.power])
    });
    flat.collect()
}

fn params(line: &Value) -> ConsensusParams {
    let age = &line["evidence_max_age"];
    ConsensusParams {
        block: Some(BlockParams {
            max_bytes: 22_020_096,
            max_gas: -1,
        }),
        evidence: Some(EvidenceParams {
            max_age_num_blocks: age[0].as_i64().unwrap(),
            max_age_duration: Some(Duration {
                seconds: age[1].as_i64().unwrap(),
                nanos: 0,
            }),
            max_bytes: 1_048_576,
        }),
        validator: Some(ValidatorParams {
            pub_key_types: vec!["ed25519".to_owned()],
        }),
        ..Default::default()
    }
}

fn load(chain: &mut TestChain, line: &Value) {
    chain.block.chain_id = "oracle".to_owned();
    chain.block.time = time(&line["time"][0], &line["time"][1]);
    let read = |name: &str| &line[name];
    let known = chain
        .run(|ctx| {
            consensus::init(ctx, &params(line))?;
            for account in line["accounts"].as_array().unwrap() {
                let address = Address::from_bech32(account.as_str().unwrap()).unwrap();
                auth::ensure_account(ctx, &address)?;
            }
            bank::genesis::init(ctx, proto::json::from_json(read("bank")).unwrap())?;
            let section = proto::json::from_json(read("distribution")).unwrap();
            distribution::genesis::init(ctx, &section)?;
            let section = proto::json::from_json(read("staking")).unwrap();
            staking::genesis::init(ctx, &section)?;
            let section = proto::json::from_json(read("slashing")).unwrap();
            slashing::genesis::init(ctx, &section)?;
            let section = proto::json::from_json(read("mint")).unwrap();
            mint::init_genesis(ctx, &section)?;
            Ok::<_, GenesisError>(updates(ctx))
        })
        .unwrap();
    assert_eq!(known, line["updates"]);
}

fn begin(chain: &mut TestChain, line: &Value) {
    chain.block.height = line["begin"].as_i64().unwrap();
    chain.block.time = time(&line["time"][0], &line["time"][1]);
    chain.block.proposer = address(&line["proposer"]).as_bytes().to_vec();
    let votes = line["votes"].as_array().unwrap().iter().map(|vote| Vote {
        validator: address(&vote[0]),
        power: vote[1].as_i64().unwrap(),
        absent: vote[2] == json!(1),
    });
    let found = line["misbehaviour"].as_array().unwrap().iter();
    let found = found.map(|found| Misbehaviour {
        validator: address(&found[0]),
        power: found[1].as_i64().unwrap(),
        height: found[2].as_i64().unwrap(),
        time: time(&found[3], &found[4]),
    });
    let last_commit = LastCommit {
        votes: votes.collect(),
        misbehaviour: found.collect(),
        ..LastCommit::default()
    };
    let events = chain
        .run(|ctx| {
            ctx.last_commit = last_commit;
            mint::begin_block(ctx)?;
            distribution::begin_block(ctx)?;
            slashing::begin_block(ctx)?;
            evidence::begin_block(ctx)?;
            staking::begin_block(ctx)?;
            Ok::<_, ChainError>(taken(ctx))
        })
        .unwrap();
    same(&events, &line["events"], "begin", chain.block.height);
}

/// Compares lists so that the first difference is what a failure shows.
fn same(got: &Value, wanted: &Value, what: &str, height: i64) {
    let (got, wanted) = (got.as_array().unwrap(), wanted.as_array().unwrap());
    for (got, wanted) in got.iter().zip(wanted) {
        assert_eq!(got, wanted, "{what} at {height}");
    }
    assert_eq!(got.len(), wanted.len(), "{what} at {height}");
}

fn message(chain: &mut TestChain, line: &Value) {
    let name = line["msg"].as_str().unwrap();
    let value = hex::decode(line["value"].as_str().unwrap()).unwrap();
    let height = chain.block.height;
    let result = chain.run(|ctx| {
        router::check(name, &value).unwrap()?;
        let response = router::execute(ctx, name, &value).unwrap()?;
        Ok::<_, TxError>((response, taken(ctx)))
    });
    match result {
        Ok((response, events)) => {
            assert_eq!(line["code"], json!(0), "{name} at {height}: {line}");
            assert_eq!(json!(hex::encode(response)), line["response"], "{name}");
            same(&events, &line["events"], name, height);
        }
        Err(error) => {
            let what = format!("{name} at {height}: {error} / {}", line["log"]);
            assert_eq!(json!(error.code), line["code"], "{what}");
            assert_eq!(json!(error.codespace), line["codespace"], "{what}");
            if error.code != crate::sdk::PANIC {
                assert_eq!(json!(error.log), line["log"], "{what}");
            }
        }
    }
}

fn end(chain: &mut TestChain, line: &Value) {
    let height = chain.block.height;
    let (events, known) = chain
        .run(|ctx| {
            staking::end_block(ctx)?;
            Ok::<_, ChainError>((taken(ctx), updates(ctx)))
        })
        .unwrap();
    same(&events, &line["events"], "end", height);
    assert_eq!(known, line["updates"], "updates at {height}");
    if line.get("staking").is_some() {
        sections(chain, line);
        answers(chain, line);
    }
}

fn sections(chain: &TestChain, line: &Value) {
    let height = chain.block.height;
    let compare = |name: &str, text: Result<String, proto::ProtoError>| {
        let got: Value = serde_json::from_str(&text.unwrap()).unwrap();
        assert_eq!(got, line[name], "{name} at {height}");
    };
    chain.read(|ctx| {
        let own = staking::genesis::export(ctx).unwrap();
        compare("staking", proto::json::to_json(&own));
        let own = distribution::genesis::export(ctx).unwrap();
        compare("distribution", proto::json::to_json(&own));
        let own = slashing::genesis::export(ctx).unwrap();
        compare("slashing", proto::json::to_json(&own));
        let own = mint::export_genesis(ctx).unwrap().unwrap();
        compare("mint", proto::json::to_json(&own));
        let own = evidence::export_genesis(ctx).unwrap();
        compare("evidence", proto::json::to_json(&own));
        let own = bank::genesis::export(ctx).unwrap();
        let own: Value = serde_json::from_str(&proto::json::to_json(&own).unwrap()).unwrap();
        for part in ["balances", "supply"] {
            assert_eq!(own[part], line["bank"][part], "{part} at {height}");
        }
    });
}

fn answers(chain: &TestChain, line: &Value) {
    let height = chain.block.height;
    for query in line["queries"].as_array().unwrap() {
        let method = query[0].as_str().unwrap();
        let request = hex::decode(query[1].as_str().unwrap()).unwrap();
        let answer = chain.read(|ctx| router::query(ctx, method, &request));
        let what = format!("{method} at {height}: {} {}", query[1], query[3]);
        match answer {
            Ok(bytes) => assert_eq!(json!(hex::encode(bytes)), query[2], "{what}"),
            Err(error) => assert!(query[2].is_null(), "{what}: {error}"),
        }
    }
}

fn replay(name: &str) {
    let mut chain = TestChain::new(Rules::reference());
    let lines = lines(name);
    let (mut messages, mut refused) = (0, 0);
    for line in &lines {
        if line.get("seed").is_some() {
            load(&mut chain, line);
        } else if line.get("begin").is_some() {
            begin(&mut chain, line);
        } else if line.get("fee").is_some() {
            let payer = Address::from_bech32(line["fee"].as_str().unwrap()).unwrap();
            let coins = line["amount"].as_array().unwrap().iter().map(|coin| Coin {
                denom: coin["denom"].as_str().unwrap().to_owned(),
                amount: coin["amount"].as_str().unwrap().to_owned(),
            });
            let coins: Vec<Coin> = coins.collect();
            chain
                .run(|ctx| bank::account_to_module(ctx, &payer, "fee_collector", &coins))
                .unwrap();
        } else if line.get("msg").is_some() {
            messages += 1;
            refused += usize::from(line["code"] != json!(0));
            message(&mut chain, line);
        } else {
            end(&mut chain, line);
        }
    }
    assert!(messages > 100 && refused > 10, "{messages} {refused}");
}

#[test]
fn small_slashes_and_inflation_are_as_in_the_reference() {
    replay("seed-4");
}

#[test]
fn slashes_of_a_third_are_as_in_the_reference() {
    replay("seed-5");
}

#[test]
fn validators_that_lose_everything_are_as_in_the_reference() {
    replay("seed-2");
}

#[test]
fn slashes_of_nothing_and_no_inflation_are_as_in_the_reference() {
    replay("seed-3");
}

#[test]
fn two_more_seeds_are_as_in_the_reference() {
    replay("seed-7");
    replay("seed-10");
}
