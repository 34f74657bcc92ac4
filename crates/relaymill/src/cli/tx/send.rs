//! From messages to a transaction in a block, or to what was asked for instead.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use client::Chain;
use client::tx::{Included, Outcome, Rejection, SendOptions, Sender};
use prost::Message as _;
use prost_types::Any;
use proto::cosmos::tx::v1beta1::TxRaw;
use serde_json::{Value, json};

use super::document::{self, Unsigned};
use super::signer::Signer;
use super::{Make, TxArgs};
use crate::cli::output::{Output, text};
use crate::keys::confirm;

/// Does with the messages what the options say.
pub(super) async fn run(args: &TxArgs, make: Make<'_>, tasks: &net::Tasks) -> Result<()> {
    let chain = args.node.connect(tasks).await?;
    let signer = Signer::find(args, chain.chain_id())?;
    let messages = make(&signer)?;
    let options = args.options.send_options(&chain).await?;
    if args.options.generate_only {
        let gas = match options.gas_limit {
            Some(gas) => gas,
            None => simulated(&chain, &signer, &messages, &options).await?.1,
        };
        let json = Unsigned::new(messages, &options, gas, chain.head().time).json()?;
        println!("{json}");
        return Ok(());
    }
    if args.options.dry_run {
        let (used, limit) = simulated(&chain, &signer, &messages, &options).await?;
        let fee = options.fee_upokt.unwrap_or(options.gas_price.fee(limit));
        return args.node.print(&json!({
            "gas_used": used.to_string(),
            "gas_limit": limit.to_string(),
            "fee": format!("{fee}upokt"),
        }));
    }
    consent(args, chain.chain_id(), &signer, &messages)?;
    let sender = Sender::new(Arc::clone(&chain), signer.key(args)?, options);
    let deadline = args.options.deadline(&chain);
    let sent = sender.send(&messages, deadline, None);
    let fate = format!(
        "`relaymill query txs --query \"message.sender='{}'\"` shows it if it is",
        signer.address
    );
    report(args, while_blocks_come(args, &chain, sent, &fate).await??)
}

/// Waits for what only blocks bring, as long as there are any; `fate` says how it is found out later.
pub(super) async fn while_blocks_come<T>(
    args: &TxArgs,
    chain: &Chain,
    work: impl Future<Output = T>,
    fate: &str,
) -> Result<T> {
    tokio::pin!(work);
    let patience = args.options.block_wait();
    let mut height = chain.height();
    loop {
        let next = tokio::time::timeout(patience, chain.wait_above(height));
        tokio::select! {
            done = &mut work => return Ok(done),
            next = next => match next {
                Ok(head) => height = head?.height,
                Err(_) => bail!(
                    "no block after {height} in {} s: the chain stands still, or the node does not follow it. The \
                     transaction may yet be taken; {fate}",
                    patience.as_secs()
                ),
            }
        }
    }
}

/// Shows on a terminal what will be signed, and asks. Without a terminal whoever called has decided.
fn consent(args: &TxArgs, chain_id: &str, signer: &Signer, messages: &[Any]) -> Result<()> {
    if args.options.yes || args.node.is_local_network() {
        return Ok(());
    }
    let shown: Vec<Value> = messages
        .iter()
        .filter_map(|one| document::message(one).ok())
        .collect();
    let question = format!(
        "{}Sign this as {} on {chain_id}?",
        text(&Value::Array(shown)),
        signer.address
    );
    match confirm(&question)? {
        Some(false) => bail!("nothing was sent"),
        Some(true) | None => Ok(()),
    }
}

/// Gas that a transaction would use, and the limit that follows. It is not signed, which a simulation does not mind.
async fn simulated(
    chain: &Chain,
    signer: &Signer,
    messages: &[Any],
    options: &SendOptions,
) -> Result<(u64, u64)> {
    let account = chain.account(&signer.account()).await?;
    let account = account.with_context(|| {
        format!(
            "{} is not on chain: it never received coins",
            signer.address
        )
    })?;
    let public = signer.public.or(account.public_key).with_context(|| {
        format!(
            "{} has no public key on chain yet, and the keyring has none",
            signer.address
        )
    })?;
    let unsigned = Unsigned::new(messages.to_vec(), options, 0, chain.head().time);
    let (body, auth_info) = unsigned.signed_by(&public, account.sequence);
    let raw = TxRaw {
        body_bytes: body.into(),
        auth_info_bytes: auth_info.into(),
        signatures: vec![vec![0; 64].into()],
    };
    match chain.simulate(&raw.encode_to_vec()).await? {
        Ok(used) => Ok((used, used.saturating_mul(options.gas_percent).div_ceil(100))),
        Err(rejection) => bail!("{}", refused(&rejection)),
    }
}

/// Prints what became of it; an error unless a block holds it and it did what it says.
pub(super) fn report(args: &TxArgs, outcome: Outcome) -> Result<()> {
    match outcome {
        Outcome::Included(included) => {
            let json = included_json(&included);
            if included.code == 0 || args.node.output == Output::Json {
                args.node.print(&json)?;
            }
            match included.rejection() {
                None => Ok(()),
                Some(rejection) => bail!(
                    "{} (in block {}, {}; its fee is paid)",
                    refused(&rejection),
                    included.height,
                    included.hash
                ),
            }
        }
        Outcome::Observed { height } => args.node.print(&json!({ "height": height.to_string() })),
        Outcome::Rejected(rejection) => bail!("{}", refused(&rejection)),
        Outcome::TimedOut {
            hash,
            deadline,
            last,
        } => {
            let hash = hash.map(|hash| format!(" ({hash})")).unwrap_or_default();
            let last = last
                .map(|last| format!(": {}", refused(&last)))
                .unwrap_or_default();
            bail!("no block up to {deadline} took it{hash}{last}")
        }
    }
}

fn refused(rejection: &Rejection) -> String {
    let hint = hint(rejection).map(|hint| format!("; {hint}"));
    format!(
        "refused: {} ({} {}){}",
        rejection.log,
        rejection.codespace,
        rejection.code,
        hint.unwrap_or_default()
    )
}

/// What helps against the refusals that people meet most, by what all of their texts contain: a simulation has no other code
/// for them than gRPC's.
fn hint(rejection: &Rejection) -> Option<&'static str> {
    const HINTS: [(&str, &str); 6] = [
        (
            "insufficient funds",
            "`relaymill query balances ADDRESS` shows what there is",
        ),
        ("out of gas", "give a higher --gas or --gas-adjustment"),
        ("insufficient fee", "give higher --fees or --gas-prices"),
        (
            "account sequence mismatch",
            "sign it again: `relaymill tx sign` asks for the present sequence",
        ),
        (
            "fee-grant not found",
            "the granter gives one with `relaymill tx feegrant grant`",
        ),
        (
            "authorization not found",
            "the granter gives one with `relaymill tx authz grant`",
        ),
    ];
    let found = HINTS.iter().find(|(text, _)| rejection.log.contains(text));
    found.map(|(_, hint)| *hint)
}

/// A transaction in a block, with the names of the SDK's answers.
fn included_json(included: &Included) -> Value {
    let events: Vec<Value> = included
        .events
        .iter()
        .map(|event| {
            let attributes: Vec<Value> = event
                .attributes
                .iter()
                .map(|attribute| json!({ "key": attribute.key, "value": attribute.value }))
                .collect();
            json!({ "type": event.kind, "attributes": attributes })
        })
        .collect();
    json!({
        "height": included.height.to_string(),
        "txhash": included.hash.to_string(),
        "codespace": included.codespace,
        "code": included.code,
        "raw_log": included.log,
        "gas_wanted": included.gas_wanted.to_string(),
        "gas_used": included.gas_used.to_string(),
        "events": events,
    })
}
