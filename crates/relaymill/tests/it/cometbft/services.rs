//! REST of a node whose blocks are CometBFT's: every service that must ask CometBFT.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::cosmos::bank::v1beta1::MsgSend;
use proto::cosmos::base::node::v1beta1::{ConfigRequest, ConfigResponse};
use proto::cosmos::base::tendermint::v1beta1::{GetLatestBlockRequest, GetLatestBlockResponse};
use serde_json::{Value, json};

use super::wallet::{Wallet, upokt};
use crate::support::chain::Chain;
use crate::support::{wait_for, web};

/// What the services of the node at `rest` say, beside what the CometBFT at `node` says.
pub(super) fn agree(rest: &str, node: &Chain, wallet: &mut Wallet, validators: usize) {
    let get = |path: &str| -> Value {
        let answer = web::try_send(web::get(&format!("{rest}{path}"))).expect("an answer");
        assert!(
            answer.status.is_success(),
            "{path}: {} {}",
            answer.status,
            answer.text()
        );
        answer.json()
    };
    let base = "/cosmos/base/tendermint/v1beta1";
    let info = get(&format!("{base}/node_info"));
    let status = node.call("status", &json!({}));
    for (ours, theirs) in [
        ("default_node_id", "id"),
        ("network", "network"),
        ("moniker", "moniker"),
    ] {
        assert_eq!(
            info["default_node_info"][ours], status["node_info"][theirs],
            "{ours}"
        );
    }
    assert_eq!(get(&format!("{base}/syncing")), json!({ "syncing": false }));

    let ours = get(&format!("{base}/blocks/3"));
    let theirs = node.header(3);
    let hash = theirs["block_id"]["hash"].as_str().expect("a hash");
    let hash = STANDARD.encode(hex::decode(hash).expect("hex"));
    assert_eq!(ours["block_id"]["hash"], json!(hash));
    for field in ["chain_id", "height"] {
        assert_eq!(
            ours["block"]["header"][field], theirs["block"]["header"][field],
            "{field}"
        );
    }
    let votes = |block: &Value| {
        block["block"]["last_commit"]["signatures"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(votes(&ours), votes(&theirs));
    let latest = get(&format!("{base}/blocks/latest"));
    let height: i64 = latest["block"]["header"]["height"]
        .as_str()
        .and_then(|it| it.parse().ok())
        .expect("a height");
    assert!(height >= 3 && height <= node.height(), "{height}");
    let set = get(&format!("{base}/validatorsets/latest"));
    assert_eq!(set["validators"].as_array().map(Vec::len), Some(validators));

    // Clients that speak no gRPC ask the same services through CometBFT.
    let path = "/cosmos.base.node.v1beta1.Service/Config";
    let config: ConfigResponse = node.query(path, &ConfigRequest {}, 0).expect("an answer");
    assert_eq!(config.minimum_gas_price, "0.001upokt");
    let path = "/cosmos.base.tendermint.v1beta1.Service/GetLatestBlock";
    let latest: GetLatestBlockResponse = node
        .query(path, &GetLatestBlockRequest {}, 0)
        .expect("a block");
    let header = latest
        .sdk_block
        .map(|block| block.header)
        .expect("a header");
    assert!(header.height >= height, "{} after {height}", header.height);

    transaction(rest, node, wallet, &get);
}

/// Sent through REST, found by hash, by query and in its block.
fn transaction(rest: &str, node: &Chain, wallet: &mut Wallet, get: &dyn Fn(&str) -> Value) {
    let bytes = wallet.sign(&MsgSend {
        from_address: wallet.address(),
        to_address: wallet.address(),
        amount: vec![upokt(7)],
    });
    let body = json!({ "tx_bytes": STANDARD.encode(&bytes), "mode": "BROADCAST_MODE_SYNC" });
    let send = || {
        let request = web::post(&format!("{rest}/cosmos/tx/v1beta1/txs"), body.to_string());
        web::try_send(request).expect("an answer").json()["tx_response"].take()
    };
    let sent = send();
    assert_eq!(sent["code"], 0, "{sent}");
    let hash = hex::encode_upper(crypto::hash::sha256(&bytes));
    assert_eq!(sent["txhash"], json!(hash));
    let path = format!("/cosmos/tx/v1beta1/txs/{hash}");
    let found = wait_for(
        "the transaction by REST",
        std::time::Duration::from_secs(60),
        || {
            let answer = web::try_send(web::get(&format!("{rest}{path}"))).ok()?;
            answer.status.is_success().then(|| answer.json())
        },
    );
    let response = &found["tx_response"];
    assert_eq!(response["code"], 0, "{response}");
    assert_eq!(send()["code"], 19, "the same transaction again");
    let height = response["height"].as_str().expect("a height").to_owned();
    let by_rpc = node.call(
        "tx",
        &json!({ "hash": STANDARD.encode(crypto::hash::sha256(&bytes)), "prove": false }),
    );
    assert_eq!(by_rpc["height"], json!(height));
    let kinds = |events: &Value| -> Vec<Value> {
        events
            .as_array()
            .into_iter()
            .flatten()
            .map(|event| event["type"].clone())
            .collect()
    };
    assert_eq!(
        kinds(&response["events"]),
        kinds(&by_rpc["tx_result"]["events"])
    );
    let block = get(&format!("/cosmos/tx/v1beta1/txs/block/{height}"));
    assert_eq!(block["block"]["header"]["height"], json!(height));
    let query = format!("tx.height={height}&order_by=ORDER_BY_DESC&limit=50");
    let listed = get(&format!("/cosmos/tx/v1beta1/txs?query={query}"));
    let hashes: Vec<&Value> = listed["tx_responses"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tx| &tx["txhash"])
        .collect();
    assert!(hashes.contains(&&json!(hash)), "{hashes:?}");
}
