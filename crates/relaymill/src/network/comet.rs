//! CometBFT's own files, as its version 0.38 reads them.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Home, InitArgs};

/// `priv_validator_state.json` of a key that has signed nothing.
pub(super) const NOTHING_SIGNED: &str =
    "{\n  \"height\": \"0\",\n  \"round\": 0,\n  \"step\": 0\n}\n";

/// A new key.
pub(super) fn random() -> Result<SigningKey> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("no randomness")?;
    Ok(SigningKey::from_bytes(&seed))
}

/// The address of a key, upper-case hex.
pub(super) fn address(key: &SigningKey) -> String {
    let hash = Sha256::digest(key.verifying_key().as_bytes());
    hex::encode_upper(&hash[..20])
}

fn private(key: &SigningKey) -> serde_json::Value {
    json!({ "type": "tendermint/PrivKeyEd25519", "value": STANDARD.encode(key.to_keypair_bytes()) })
}

/// A validator in CometBFT's genesis; its power is its stake in POKT, as the staking module counts.
pub(super) fn genesis_validator(name: &str, key: &SigningKey, stake: u64) -> serde_json::Value {
    let public = STANDARD.encode(key.verifying_key().as_bytes());
    json!({
        "address": address(key),
        "pub_key": { "type": "tendermint/PubKeyEd25519", "value": public },
        "power": (stake / 1_000_000).to_string(),
        "name": name,
    })
}

/// `priv_validator_key.json`.
pub(super) fn validator_key(key: &SigningKey) -> Result<String> {
    let public = STANDARD.encode(key.verifying_key().as_bytes());
    let json = json!({
        "address": address(key),
        "pub_key": { "type": "tendermint/PubKeyEd25519", "value": public },
        "priv_key": private(key),
    });
    Ok(serde_json::to_string_pretty(&json)?)
}

/// `node_key.json`.
pub(super) fn node_key(key: &SigningKey) -> Result<String> {
    Ok(serde_json::to_string_pretty(
        &json!({ "priv_key": private(key) }),
    )?)
}

/// What differs from CometBFT's defaults. Peers are fixed and may have private addresses; the largest transaction is the
/// chain's, not CometBFT's 1 MiB, because a proof carries a request.
#[derive(serde::Serialize)]
struct Config {
    proxy_app: String,
    moniker: String,
    rpc: Rpc,
    p2p: P2p,
    mempool: Mempool,
    consensus: Consensus,
}

#[derive(serde::Serialize)]
struct Rpc {
    laddr: String,
    pprof_laddr: &'static str,
    max_body_bytes: u64,
}

#[derive(serde::Serialize)]
struct P2p {
    laddr: String,
    external_address: String,
    persistent_peers: String,
    addr_book_strict: bool,
    allow_duplicate_ip: bool,
}

#[derive(serde::Serialize)]
struct Mempool {
    size: u32,
    max_txs_bytes: u64,
    max_tx_bytes: u64,
}

#[derive(serde::Serialize)]
struct Consensus {
    timeout_propose: String,
    timeout_prevote: String,
    timeout_precommit: String,
    timeout_commit: String,
}

/// `config.toml`.
pub(super) fn config(args: &InitArgs, home: &Home, homes: &[Home]) -> Result<String> {
    let peers: Vec<String> = homes
        .iter()
        .filter(|other| other.name != home.name)
        .map(Home::peer)
        .collect();
    // A round that fails must not take much longer than one that does not.
    let ms =
        |part: u64, least: u64| format!("{}ms", (args.timeout_commit_ms * part / 100).max(least));
    let config = Config {
        proxy_app: format!("tcp://127.0.0.1:{}", home.port(2)),
        moniker: home.name.clone(),
        rpc: Rpc {
            laddr: format!("tcp://127.0.0.1:{}", home.port(1)),
            pprof_laddr: "",
            max_body_bytes: node::limits::REQUEST_BYTES,
        },
        p2p: P2p {
            laddr: format!("tcp://{}", home.at(0)),
            external_address: home.at(0),
            persistent_peers: peers.join(","),
            addr_book_strict: false,
            allow_duplicate_ip: true,
        },
        mempool: Mempool {
            size: 5_000,
            max_txs_bytes: 256 * 1024 * 1024,
            max_tx_bytes: u64::try_from(chain::limits::TX_BYTES_MAX).unwrap_or(u64::MAX),
        },
        consensus: Consensus {
            timeout_propose: ms(60, 1_000),
            timeout_prevote: ms(20, 500),
            timeout_precommit: ms(20, 500),
            timeout_commit: ms(100, 100),
        },
    };
    let about = "What differs from CometBFT's defaults: cometbft start --home HOME";
    Ok(format!("# {about}\n{}", toml::to_string(&config)?))
}
