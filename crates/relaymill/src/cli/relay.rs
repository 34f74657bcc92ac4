//! `relaymill query relay`: from the request id to the coins.

use anyhow::{Context as _, Result};
use client::Chain;
use client::events::PocketEvent;
use gateway::journal::{self, Entry};
use protocol::height::Height;
use protocol::session::Windows;
use serde_json::{Value, json};

use super::node::NodeArgs;
use super::output::Output;
use crate::localnet;

/// Walks request → supplier → claim → settlement and prints each step.
pub(crate) async fn run(node: &NodeArgs, chain: &Chain, request_id: &str) -> Result<()> {
    let places = localnet::places(&node.data_dir)?;
    let entry = journal::find(&places.journal, request_id)
        .with_context(|| format!("cannot read {}", places.journal.display()))?
        .with_context(|| {
            format!(
                "no answered request `{request_id}` in {}",
                places.journal.display()
            )
        })?;
    let params = chain.shared_params_at(entry.session_end_height).await?;
    let windows = Windows::new(&params, Height(entry.session_end_height));
    let claim = claim(chain, &entry, &windows).await?;
    let settlement = settlement(chain, &entry, &windows).await?;
    let json = json!({
        "request": {
            "request_id": entry.request_id,
            "model": entry.model,
            "status": entry.status,
            "duration_ms": entry.duration_ms,
            "stream": entry.stream,
        },
        "relay": {
            "relay_hash": entry.relay_hash,
            "supplier": entry.supplier,
            "application": entry.application,
            "service_id": entry.service_id,
            "session_id": entry.session_id,
            "session_end_height": entry.session_end_height,
        },
        "claim": claim,
        "settlement": settlement,
        "windows": {
            "claim": [windows.claim_open.0, windows.claim_close.0],
            "proof": [windows.proof_open.0, windows.proof_close.0],
            "settles_at": windows.settlement().0,
            "height": chain.height(),
        },
    });
    if node.output == Output::Json {
        return node.print(&json);
    }
    print_steps(&json);
    Ok(())
}

/// The claim as the chain holds it, or as it was created if it is settled already.
async fn claim(chain: &Chain, entry: &Entry, windows: &Windows) -> Result<Value> {
    if let Some(claim) = chain.claim(&entry.session_id, &entry.supplier).await? {
        let root = crypto::trie::Root(claim.root_hash.as_ref().try_into().unwrap_or([0; 48]));
        return Ok(json!({
            "state": claim.proof_validation_status().as_str_name(),
            "root_hash": hex::encode(&claim.root_hash),
            "relays": root.count(),
            "compute_units": root.sum(),
        }));
    }
    for height in windows.claim_open.0..=windows.claim_close.0.min(chain.height()) {
        for (_, event) in chain.events(height).await?.pocket()? {
            let (PocketEvent::ClaimCreated(found), true) = (&event, true) else {
                continue;
            };
            let same = found.supplier_operator_address == entry.supplier
                && found.application_address == entry.application
                && found.session_end_block_height == entry.session_end_height;
            if same {
                return Ok(json!({
                    "state": "created",
                    "height": height,
                    "relays": found.num_relays,
                    "compute_units": found.num_claimed_compute_units,
                    "claimed": found.claimed_upokt,
                }));
            }
        }
    }
    Ok(json!({ "state": "not made yet" }))
}

async fn settlement(chain: &Chain, entry: &Entry, windows: &Windows) -> Result<Value> {
    let height = windows.settlement().0;
    if chain.height() < height {
        return Ok(json!({ "state": "not due yet", "height": height }));
    }
    for (_, event) in chain.events(height).await?.pocket()? {
        match event {
            PocketEvent::ClaimSettled(found)
                if found.session_id == entry.session_id
                    && found.supplier_operator_address == entry.supplier =>
            {
                let paid: Vec<Value> = found
                    .reward_distribution_detailed
                    .iter()
                    .map(|detail| {
                        json!({
                            "to": detail.recipient_address,
                            "amount": detail.amount,
                            "reason": detail.op_reason().as_str_name(),
                        })
                    })
                    .collect();
                return Ok(json!({
                    "state": "settled",
                    "height": height,
                    "relays": found.num_relays,
                    "burned_from": found.application_address,
                    "burned": found.settled_upokt,
                    "minted": found.minted_upokt,
                    "paid": paid,
                }));
            }
            PocketEvent::ClaimExpired(found)
                if found.supplier_operator_address == entry.supplier
                    && found.application_address == entry.application
                    && found.session_end_block_height == entry.session_end_height =>
            {
                return Ok(json!({
                    "state": "expired",
                    "height": height,
                    "reason": found.expiration_reason().as_str_name(),
                }));
            }
            _ => {}
        }
    }
    Ok(json!({ "state": "no settlement found", "height": height }))
}

fn print_steps(json: &Value) {
    let text = |path: &str| match json.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    println!(
        "request     {}  {}  status {}  {} ms",
        text("/request/request_id"),
        text("/request/model"),
        text("/request/status"),
        text("/request/duration_ms")
    );
    println!("relay       {}", text("/relay/relay_hash"));
    println!("supplier    {}", text("/relay/supplier"));
    println!(
        "session     {}  ends at {}",
        text("/relay/session_id"),
        text("/relay/session_end_height")
    );
    println!(
        "claim       {}  {} relays  {} compute units",
        text("/claim/state"),
        text("/claim/relays"),
        text("/claim/compute_units")
    );
    println!(
        "settlement  {}  at height {} (now {})",
        text("/settlement/state"),
        text("/windows/settles_at"),
        text("/windows/height")
    );
    if text("/settlement/state") != "settled" {
        return;
    }
    println!(
        "  burned    {} from {}",
        text("/settlement/burned"),
        text("/settlement/burned_from")
    );
    for paid in json
        .pointer("/settlement/paid")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let of = |key: &str| {
            paid.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        println!(
            "  paid      {} to {}  ({})",
            of("amount"),
            of("to"),
            of("reason")
        );
    }
}
