//! The genesis of a new network: validators bonded by themselves, accounts of their operators, a treasury and a faucet,
//! mended rules, gas that has limits.

use anyhow::{Context as _, Result, bail};
use chain::genesis::{Document, GenesisBuilder};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Home, InitArgs};
use crate::cli::load_genesis;
use crate::localnet::genesis::{parameters, with_overrides};

/// Least price of gas in the new nodes' mempools: a claim of 100,000 gas costs 100 upokt.
pub(super) const MIN_GAS_PRICE: &str = "0.001upokt";

/// What each operator has beside its stake, in upokt.
const OPERATOR_UPOKT: u128 = 10_000_000_000;

/// The document in the reference's form.
pub(super) fn build(args: &InitArgs, homes: &[Home]) -> Result<Document> {
    let now = OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .context("the clock")?;
    let mut genesis = GenesisBuilder::new(args.name.clone(), now);
    for home in homes {
        let key = home.operator.public();
        let address = key.address();
        genesis.account(address, Some(key), OPERATOR_UPOKT);
        if home.bonded {
            let consensus = home.consensus.verifying_key().to_bytes();
            genesis.validator(&home.name, address, consensus, u128::from(args.stake));
        }
    }
    // Rewards that belong to nobody else go to the first operator, until governance says otherwise.
    if let Some(first) = homes.first() {
        let address = first.operator.public().address();
        genesis.tokenomics.params.dao_reward_address = address.to_bech32();
    }
    if let Some(authority) = args.authority {
        genesis.authority(authority);
    }
    parameters(&mut genesis);
    let mut json = serde_json::to_value(genesis.build()?)?;
    if let Some(max_gas) = args.max_gas {
        json["consensus"]["params"]["block"]["max_gas"] = max_gas.to_string().into();
    }
    let text = with_overrides(json.to_string(), &args.params)?;
    Ok(Document::parse(&text)?)
}

/// The same document as CometBFT reads it; the node reads both forms. The validators stand in the state and here, and
/// the chain compares them.
pub(super) fn cometbft(args: &InitArgs, homes: &[Home], document: &Document) -> Result<String> {
    let validators = homes.iter().filter(|home| home.bonded);
    let validators: Vec<Value> = validators
        .map(|home| super::comet::genesis_validator(&home.name, &home.consensus, args.stake))
        .collect();
    let value = serde_json::to_value(document)?;
    let json = json!({
        "genesis_time": value["genesis_time"],
        "chain_id": value["chain_id"],
        "initial_height": document.initial_height.value().to_string(),
        "consensus_params": value["consensus"]["params"],
        "validators": validators,
        "app_hash": "",
        "app_state": value["app_state"],
    });
    Ok(serde_json::to_string_pretty(&json)? + "\n")
}

/// Loads the document as the first block would, so that what is wrong with it is told here and not by the first start.
pub(super) fn check(document: &Document, allow_offset_zero: bool) -> Result<()> {
    let offset = &document.app_state["shared"]["params"]["proof_window_open_offset_blocks"];
    let zero = matches!(offset, Value::Null) || *offset == json!("0") || *offset == json!(0);
    if zero && !allow_offset_zero {
        bail!(
            "shared.proof_window_open_offset_blocks is 0: the leaf that a claim must prove is then drawn from the hash of a \
             block that may still take claims; set it to 1 or more, or give --allow-proof-window-open-offset-zero"
        );
    }
    load_genesis(document)
}
