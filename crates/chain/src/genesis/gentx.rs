//! Transactions of a genesis document: validators that make themselves, before the first block.
//!
//! They run as in a block, with signatures over account number 0, as nobody has a number yet. Each must succeed.

use prost::Message as _;
use proto::cosmos::tx::v1beta1::{Tx, TxRaw};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::GenesisError;
use crate::staking;
use crate::tx::{Gas, GasPrice, run};

/// The section that holds them.
pub(super) const SECTION: &str = "genutil";

/// Runs the transactions of the section, and bonds the validators that they made.
///
/// # Errors
/// Names the transaction and why it failed.
pub(super) fn run_all(ctx: &mut Context, section: Option<&Value>) -> Result<(), GenesisError> {
    let list = match section.and_then(|section| section.get("gen_txs")) {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(GenesisError::new("gen_txs", "is no list")),
    };
    if list.is_empty() {
        return Ok(());
    }
    let height = std::mem::replace(&mut ctx.block.height, 0);
    let result = list
        .iter()
        .enumerate()
        .try_for_each(|(position, tx)| {
            run_one(ctx, tx)
                .map_err(|reason| GenesisError::new(format!("gen_txs[{position}]"), reason))
        })
        .and_then(|()| Ok(staking::apply_set_changes(ctx)?));
    ctx.block.height = height;
    let changes = result?;
    if !changes.is_empty() && !ctx.validator_updates.is_empty() {
        let reason = "makes validators, but the section `staking` has some already";
        return Err(GenesisError::new("gen_txs", reason));
    }
    ctx.validator_updates.extend(changes);
    Ok(())
}

fn run_one(ctx: &mut Context, tx: &Value) -> Result<(), String> {
    let tx: Tx = proto::json::from_json(tx).map_err(|error| error.to_string())?;
    let encode = |part: Option<Vec<u8>>| part.unwrap_or_default().into();
    let raw = TxRaw {
        body_bytes: encode(tx.body.map(|body| body.encode_to_vec())),
        auth_info_bytes: encode(tx.auth_info.map(|info| info.encode_to_vec())),
        signatures: tx.signatures,
    };
    let outcome = run(
        ctx,
        &raw.encode_to_vec(),
        GasPrice::ZERO,
        None,
        Gas::Counted,
    );
    outcome
        .result
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// The section after its transactions have run.
pub(super) fn done() -> Value {
    json!({ "gen_txs": [] })
}
