//! `relaymill query`: what the chain says.
//!
//! Every query of every module comes from the descriptors ([`module`]); what people ask most has a form of its own here.

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use client::Chain;
use client::tx::TxHash;
use serde_json::{Value, json};

use super::node::NodeArgs;
use super::relay;

mod method;
mod module;

pub(crate) use method::{Method, call};

/// What `--help` ends with.
const AFTER_HELP: &str = "\
Ends 0 with the answer; 1 where there is none, with the reason, or nobody answers; 2 where the command line is wrong.

Examples:
  relaymill query relay req_…
  relaymill query balances pokt1…
  relaymill query params shared --output json
  relaymill query supplier supplier pokt1… --height 100
  relaymill query txs --query \"message.sender='pokt1…' AND tx.height>10\"";

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    node: NodeArgs,
    /// State at this height; 0 for the latest.
    #[arg(long, global = true, default_value_t = 0)]
    height: i64,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Follows an answer from its request id to the coins.
    Relay {
        /// The `x-request-id` of the answer.
        request_id: String,
    },
    /// Height, time and identity of the node.
    Status,
    /// A transaction by its hash.
    Tx {
        /// 64 hex digits.
        hash: String,
    },
    /// Transactions by their events.
    Txs {
        /// Conditions, e.g. `message.sender='pokt1…' AND tx.height>10`.
        #[arg(long)]
        query: String,
        /// Which page, from 1 on.
        #[arg(long, default_value_t = 1)]
        page: u32,
        /// Transactions on a page.
        #[arg(long, default_value_t = 30)]
        limit: u32,
        /// Newest first.
        #[arg(long)]
        reverse: bool,
    },
    /// A block; the latest without a height.
    Block {
        /// Its height, or its hash in hex digits.
        block: Option<String>,
    },
    /// What a block did: results of its transactions and events; the latest without a height.
    BlockResults {
        /// Its height.
        #[arg(value_name = "HEIGHT")]
        block: Option<i64>,
    },
    /// The parameters of a module, e.g. shared.
    Params {
        /// Name of the module.
        module: String,
    },
    /// Balances of an account.
    Balances {
        /// Its address.
        address: String,
    },
    /// An account: number, sequence, public key.
    Account {
        /// Its address.
        address: String,
    },
    /// Any method by its name, with a request in proto-JSON.
    Call {
        /// e.g. cosmos.base.node.v1beta1.Service/Config.
        method: String,
        /// The request.
        #[arg(default_value = "{}")]
        request: String,
    },
    #[command(flatten)]
    Module(module::Call),
}

/// Asks and prints.
pub(crate) async fn run(args: QueryArgs, tasks: &net::Tasks) -> Result<()> {
    let chain = args.node.connect(tasks).await?;
    let json = match &args.what {
        What::Relay { request_id } => return relay::run(&args.node, &chain, request_id).await,
        What::Status => status(&chain).await?,
        What::Tx { hash } => transaction(&chain, hash).await?,
        What::Txs {
            query,
            page,
            limit,
            reverse,
        } => {
            let order = if *reverse { "desc" } else { "asc" };
            let params = json!({
                "query": query, "prove": false, "page": page.to_string(),
                "per_page": limit.to_string(), "order_by": order,
            });
            let mut found = chain.rpc().raw("tx_search", params).await?;
            for tx in found["txs"].as_array_mut().into_iter().flatten() {
                decode_tx(tx);
            }
            found
        }
        What::Block { block } => {
            let (route, params) = match block {
                None => ("block", json!({})),
                Some(text) if text.len() == 64 => {
                    let hash = hex::decode(text).context("the hash of a block is in hex digits")?;
                    ("block_by_hash", json!({ "hash": base64(&hash) }))
                }
                Some(height) => ("block", json!({ "height": height })),
            };
            chain.rpc().raw(route, params).await?
        }
        What::BlockResults { block: height } => {
            let height = height.unwrap_or(chain.height()).to_string();
            let params = json!({ "height": height });
            chain.rpc().raw("block_results", params).await?
        }
        What::Params { module } => {
            let method = Method::find(&module::service(module)?, "Params")?;
            call(&chain, &method, &json!({}), args.height).await?
        }
        What::Balances { address } => {
            let method = Method::find("cosmos.bank.v1beta1.Query", "AllBalances")?;
            let request = json!({ "address": address });
            call(&chain, &method, &request, args.height).await?
        }
        What::Account { address } => {
            let method = Method::find("cosmos.auth.v1beta1.Query", "Account")?;
            let request = json!({ "address": address });
            call(&chain, &method, &request, args.height).await?
        }
        What::Call { method, request } => {
            let (service, name) = method
                .trim_start_matches('/')
                .rsplit_once('/')
                .with_context(|| format!("`{method}`: expected package.Service/Method"))?;
            let request = serde_json::from_str(request).context("the request is no JSON")?;
            call(&chain, &Method::find(service, name)?, &request, args.height).await?
        }
        What::Module(asked) => call(&chain, &asked.method, &asked.request, args.height).await?,
    };
    args.node.print(&json)
}

async fn status(chain: &Chain) -> Result<Value> {
    let status = chain.rpc().raw("status", json!({})).await?;
    let of = |path: &str| status.pointer(path).cloned().unwrap_or_default();
    Ok(json!({
        "chain_id": chain.chain_id(),
        "height": of("/sync_info/latest_block_height"),
        "time": of("/sync_info/latest_block_time"),
        "block_hash": of("/sync_info/latest_block_hash"),
        "app_hash": of("/sync_info/latest_app_hash"),
        "earliest_height": of("/sync_info/earliest_block_height"),
        "catching_up": of("/sync_info/catching_up"),
        "node": { "moniker": of("/node_info/moniker"), "version": of("/node_info/version"), "id": of("/node_info/id") },
        "validator": of("/validator_info"),
    }))
}

async fn transaction(chain: &Chain, hash: &str) -> Result<Value> {
    let parsed = TxHash::parse(hash.trim_start_matches("0x"));
    let parsed = parsed.with_context(|| format!("`{hash}`: expected 64 hex digits"))?;
    let params = json!({ "hash": base64(&parsed.0), "prove": false });
    match chain.rpc().raw("tx", params).await {
        Ok(mut found) => {
            decode_tx(&mut found);
            Ok(found)
        }
        Err(client::Error::Rpc { data, .. }) if data.contains("not found") => {
            bail!("no block holds a transaction {parsed}")
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts a transaction's content in place of its bytes.
fn decode_tx(found: &mut Value) {
    let bytes = found["tx"].as_str().and_then(|text| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.decode(text).ok()
    });
    let decoded = bytes.and_then(|bytes| super::tx::decoded(&bytes).ok());
    if let Some(decoded) = decoded {
        found["tx"] = decoded;
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
