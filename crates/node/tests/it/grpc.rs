//! Transactions and queries over gRPC and RPC of a running chain.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use proto::cosmos::bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse};
use proto::cosmos::base::abci::v1beta1::TxResponse;
use proto::cosmos::base::node::v1beta1::{ConfigResponse, StatusResponse};
use proto::cosmos::base::tendermint::v1beta1::{
    GetBlockByHeightRequest, GetBlockByHeightResponse, GetNodeInfoResponse,
    GetValidatorSetByHeightResponse,
};
use proto::cosmos::tx::v1beta1::{
    BroadcastTxRequest, BroadcastTxResponse, GetBlockWithTxsRequest, GetBlockWithTxsResponse,
    GetTxRequest, GetTxResponse, GetTxsEventRequest, GetTxsEventResponse, SimulateRequest,
    SimulateResponse,
};
use serde_json::json;

use crate::support::{CHAIN_ID, Running, address, transfer};

const TX: &str = "/cosmos.tx.v1beta1.Service";
const COMET: &str = "/cosmos.base.tendermint.v1beta1.Service";
const NODE: &str = "/cosmos.base.node.v1beta1.Service";
const BALANCE: &str = "/cosmos.bank.v1beta1.Query/Balance";

/// Path, request, height asked for; status, text, and whether a height comes back.
type Refusal<'a> = (&'a str, Vec<u8>, Option<&'a str>, i32, String, bool);

fn balance_of(name: &str) -> Vec<u8> {
    let request = QueryBalanceRequest {
        address: address(name).to_bech32(),
        denom: "upokt".into(),
    };
    request.encode_to_vec()
}

async fn balance(node: &Running, name: &str, height: Option<i64>) -> String {
    let height = height.map(|height| height.to_string());
    let reply = node
        .grpc(BALANCE, &balance_of(name), height.as_deref())
        .await;
    assert_eq!(reply.code, 0, "{}", reply.message);
    assert_eq!(
        reply
            .headers
            .get_all("x-cosmos-block-height")
            .iter()
            .count(),
        1
    );
    QueryBalanceResponse::decode(reply.body)
        .unwrap()
        .balance
        .unwrap()
        .amount
}

async fn broadcast(node: &Running, tx: &[u8]) -> TxResponse {
    let request = BroadcastTxRequest {
        tx_bytes: tx.to_vec().into(),
        mode: 2,
    };
    let reply = node
        .grpc(&format!("{TX}/BroadcastTx"), &request.encode_to_vec(), None)
        .await;
    assert_eq!(reply.code, 0, "{}", reply.message);
    BroadcastTxResponse::decode(reply.body)
        .unwrap()
        .tx_response
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_is_sent_included_and_found() {
    let node = Running::fresh(Duration::from_millis(100)).await;
    node.handle.reached(2).await.unwrap();
    let tx = transfer("alice", 0, 0, 5_000);

    let request = SimulateRequest {
        tx_bytes: tx.clone().into(),
        tx: None,
    };
    let reply = node
        .grpc(&format!("{TX}/Simulate"), &request.encode_to_vec(), None)
        .await;
    assert_eq!(reply.code, 0, "{}", reply.message);
    let simulated = SimulateResponse::decode(reply.body).unwrap();
    assert!(simulated.gas_info.unwrap().gas_used > 10_000);

    let sent = broadcast(&node, &tx).await;
    assert_eq!((sent.code, sent.raw_log.as_str()), (0, ""));
    let again = broadcast(&node, &tx).await;
    assert_eq!(
        (again.code, again.codespace.as_str(), again.raw_log.as_str()),
        (19, "sdk", "")
    );
    assert_eq!(again.txhash, sent.txhash);
    let refused = node
        .call("broadcast_tx_sync", json!({ "tx": STANDARD.encode(&tx) }))
        .await;
    let error = json!({
        "code": -32603,
        "message": "Internal error",
        "data": "tx already exists in cache",
    });
    assert_eq!(refused["error"], error);

    // A second of the same sender waits for its turn, and `broadcast_tx_commit` for its block.
    let second = transfer("alice", 0, 1, 7);
    let params = json!({ "tx": STANDARD.encode(&second) });
    let done = node.call("broadcast_tx_commit", params).await;
    let done = &done["result"];
    assert_eq!(done["tx_result"]["code"], 0, "{done}");
    let height: i64 = done["height"].as_str().unwrap().parse().unwrap();
    assert_eq!(balance(&node, "bob", None).await, "1005007");
    assert_eq!(balance(&node, "bob", Some(1)).await, "1000000");

    let request = GetTxRequest {
        hash: sent.txhash.clone(),
    };
    let reply = node
        .grpc(&format!("{TX}/GetTx"), &request.encode_to_vec(), None)
        .await;
    let found = GetTxResponse::decode(reply.body).unwrap();
    let response = found.tx_response.unwrap();
    assert_eq!((response.txhash, response.code), (sent.txhash.clone(), 0));
    assert_eq!(found.tx.unwrap().signatures.len(), 1);
    assert!(response.timestamp.ends_with('Z') && response.height <= height);

    let query = format!("message.sender='{}'", address("alice").to_bech32());
    for request in [
        GetTxsEventRequest {
            query: query.clone(),
            limit: 1,
            order_by: 2,
            ..Default::default()
        },
        GetTxsEventRequest {
            events: vec![query],
            limit: 1,
            order_by: 2,
            ..Default::default()
        },
    ] {
        let path = format!("{TX}/GetTxsEvent");
        let reply = node.grpc(&path, &request.encode_to_vec(), None).await;
        let found = GetTxsEventResponse::decode(reply.body).unwrap();
        assert_eq!((found.total, found.tx_responses.len()), (2, 1));
        assert_eq!(found.tx_responses[0].height, height);
        let fee = found.txs[0].auth_info.clone().unwrap().fee.unwrap();
        assert_eq!(fee.amount[0].amount, "10");
    }
    let request = GetBlockWithTxsRequest {
        height,
        pagination: None,
    };
    let reply = node
        .grpc(
            &format!("{TX}/GetBlockWithTxs"),
            &request.encode_to_vec(),
            None,
        )
        .await;
    let found = GetBlockWithTxsResponse::decode(reply.body).unwrap();
    let count = found.pagination.unwrap().total;
    assert_eq!(count, u64::try_from(found.txs.len()).unwrap());
    assert!(count >= 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nodes_own_services_answer() {
    let node = Running::fresh(Duration::from_millis(50)).await;
    node.handle.reached(3).await.unwrap();
    let reply = node.grpc(&format!("{COMET}/GetNodeInfo"), &[], None).await;
    let info = GetNodeInfoResponse::decode(reply.body).unwrap();
    assert_eq!(info.default_node_info.unwrap().network, CHAIN_ID);
    assert_eq!(info.application_version.unwrap().version, "0.1.35");

    let request = GetBlockByHeightRequest { height: 2 }.encode_to_vec();
    let reply = node
        .grpc(&format!("{COMET}/GetBlockByHeight"), &request, None)
        .await;
    let answer = GetBlockByHeightResponse::decode(reply.body).unwrap();
    let block = answer.block.unwrap();
    assert_eq!(node::block::block_id(&block), answer.block_id);
    let proposer = answer.sdk_block.unwrap().header.proposer_address;
    assert!(proposer.starts_with("poktvalcons1"), "{proposer}");

    let reply = node
        .grpc(&format!("{COMET}/GetValidatorSetByHeight"), &request, None)
        .await;
    let set = GetValidatorSetByHeightResponse::decode(reply.body).unwrap();
    assert_eq!((set.block_height, set.validators.len()), (2, 1));
    assert_eq!(set.validators[0].address, proposer);

    let reply = node.grpc(&format!("{NODE}/Status"), &[], None).await;
    assert!(StatusResponse::decode(reply.body).unwrap().height >= 3);
    let reply = node.grpc(&format!("{NODE}/Config"), &[], None).await;
    assert_eq!(
        ConfigResponse::decode(reply.body)
            .unwrap()
            .minimum_gas_price,
        "0upokt"
    );
    for method in ["GetSyncing", "GetLatestBlock", "GetLatestValidatorSet"] {
        assert_eq!(
            node.grpc(&format!("{COMET}/{method}"), &[], None)
                .await
                .code,
            0
        );
    }
    // The same services over abci_query.
    let params = json!({ "path": format!("{NODE}/Config"), "data": "" });
    let answer = node.call("abci_query", params).await;
    assert_eq!(answer["result"]["response"]["code"], 0, "{answer}");
    // Of the application's own paths the slash in front may be missing, of methods it may not.
    for (path, height, code) in [
        ("app/version", "0", 0),
        ("pocket.proof.Query/Params", "99", 6),
    ] {
        let params = json!({ "path": path, "data": "", "height": height });
        let answer = node.call("abci_query", params).await;
        assert_eq!(answer["result"]["response"]["code"], code, "{answer}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_carry_the_recorded_codes_and_texts() {
    let node = Running::fresh(Duration::from_secs(3_600)).await;
    node.handle.reached(1).await.unwrap();
    let request = |height: i64| GetBlockByHeightRequest { height }.encode_to_vec();
    let by_hash = |hash: &str| GetTxRequest { hash: hash.into() }.encode_to_vec();
    let by_query = |query: &str| {
        GetTxsEventRequest {
            query: query.into(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    let zeros = "0".repeat(64);
    let block_by_height = format!("{COMET}/GetBlockByHeight");
    let get_tx = format!("{TX}/GetTx");
    let search = format!("{TX}/GetTxsEvent");
    let balance = balance_of("bob");
    let bad_mode = BroadcastTxRequest {
        tx_bytes: vec![1].into(),
        mode: 1,
    }
    .encode_to_vec();
    let height = "codespace sdk code";
    let cases: Vec<Refusal> = vec![
        (
            &get_tx,
            by_hash(""),
            None,
            3,
            "tx hash cannot be empty".into(),
            true,
        ),
        (
            &get_tx,
            by_hash("zz"),
            None,
            2,
            "encoding/hex: invalid byte: U+007A 'z'".into(),
            true,
        ),
        (
            &get_tx,
            by_hash(&zeros),
            None,
            5,
            format!("tx not found: {zeros}"),
            true,
        ),
        (
            &search,
            by_query(""),
            None,
            13,
            "query cannot be empty".into(),
            true,
        ),
        (
            &search,
            by_query("nonsense ="),
            None,
            13,
            "failed to search for txs: offset 10: EOF".into(),
            true,
        ),
        (
            &block_by_height,
            request(99),
            None,
            3,
            "requested block height is bigger then the chain length".into(),
            true,
        ),
        (
            &block_by_height,
            request(0),
            None,
            2,
            "height must be greater than 0, but got 0".into(),
            true,
        ),
        (
            "/cosmos.tx.v1beta1.Service/BroadcastTx",
            bad_mode,
            None,
            2,
            "unsupported return type unspecified; supported types: sync, async".into(),
            true,
        ),
        (
            BALANCE,
            balance.clone(),
            Some("1000000"),
            2,
            format!(
                "{height} 26: invalid height: cannot query with height in the future; please provide a valid height"
            ),
            false,
        ),
        (
            BALANCE,
            balance.clone(),
            Some("-1"),
            2,
            format!(
                "{height} 18: invalid request: cannot query with height < 0; please provide a valid height"
            ),
            false,
        ),
        (
            BALANCE,
            balance,
            Some("abc"),
            2,
            format!(
                "{height} 18: invalid request: Baseapp.RegisterGRPCServer: invalid height header \"x-cosmos-block-height\": strconv.ParseInt: parsing \"abc\": invalid syntax"
            ),
            false,
        ),
    ];
    for (path, message, at, code, text, has_height) in cases {
        let reply = node.grpc(path, &message, at).await;
        assert_eq!(
            (reply.code, reply.message.as_str()),
            (code, text.as_str()),
            "{path}"
        );
        assert!(reply.body.is_empty());
        assert_eq!(
            reply.headers.contains_key("x-cosmos-block-height"),
            has_height,
            "{text}"
        );
    }
    let unknown = node.grpc("/pocket.nosuch.Query/Params", &[], None).await;
    let text = "unknown service pocket.nosuch.Query";
    assert_eq!((unknown.code, unknown.message.as_str()), (12, text));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_node_goes_on_where_it_was() {
    let node = Running::fresh(Duration::from_millis(50)).await;
    let before = node.handle.reached(3).await.unwrap();
    let folder = node.stop().await;
    let node = Running::start(folder, Duration::from_secs(3_600)).await;
    let after = node.handle.reached(before + 1).await.unwrap();
    let status = node.call("status", json!({})).await;
    assert_eq!(
        status["result"]["sync_info"]["latest_block_height"],
        after.to_string()
    );
    let first = node.call("block", json!({ "height": "1" })).await;
    assert_eq!(
        first["result"]["block"]["header"]["time"],
        "2023-11-14T22:13:20Z"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pruned_height_says_so_everywhere() {
    let node = Running::pruning(Duration::from_millis(20), 2).await;
    node.handle.reached(8).await.unwrap();
    let asked = balance_of("bob");
    let start = "failed to load state at height 2; version does not exist (latest height: ";
    let reply = node.grpc(BALANCE, &asked, Some("2")).await;
    assert_eq!(reply.code, 2);
    let text = format!("codespace sdk code 38: not found: {start}");
    assert!(reply.message.starts_with(&text), "{}", reply.message);
    assert!(!reply.headers.contains_key("x-cosmos-block-height"));
    let path = format!(
        "/cosmos/bank/v1beta1/balances/{}/by_denom?denom=upokt",
        address("bob").to_bech32()
    );
    let height = [("x-cosmos-block-height", "2")];
    let (status, headers, body) = node.rest(http::Method::GET, &path, &height, "").await;
    assert!(status == 500 && body.contains(start), "{status} {body}");
    assert!(!headers.contains_key("grpc-metadata-x-cosmos-block-height"));
    let params = json!({ "path": BALANCE, "data": hex::encode(&asked), "height": "2" });
    let answer = node.call("abci_query", params).await;
    let response = &answer["result"]["response"];
    assert_eq!(
        (&response["code"], &response["codespace"]),
        (&json!(38), &json!("sdk"))
    );
    assert!(
        response["log"].as_str().unwrap().starts_with(start),
        "{response}"
    );
    // The latest state is there, and blocks are kept longer than states.
    assert_eq!(balance(&node, "bob", None).await, "1000000");
    let block = node.call("block", json!({ "height": "2" })).await;
    assert_eq!(block["result"]["block"]["header"]["height"], "2");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_no_block_can_hold_is_refused() {
    let node = Running::fresh(Duration::from_secs(3_600)).await;
    node.handle.reached(1).await.unwrap();
    let tx = vec![10; node::limits::TX_BYTES + 1];
    let sent = broadcast(&node, &tx).await;
    assert_eq!((sent.code, sent.codespace.as_str()), (21, "sdk"));
    let answer = node
        .call("broadcast_tx_sync", json!({ "tx": STANDARD.encode(&tx) }))
        .await;
    let text = answer["error"]["data"].as_str().unwrap();
    assert!(text.starts_with("Tx too large. Max size is "), "{text}");
    node.stop().await;
}
