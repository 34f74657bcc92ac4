//! Variants of requests that no recording has one of each of: pages, heights, arguments, batches, searches.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use proto::cosmos::base::node::v1beta1::StatusResponse;
use proto::cosmos::base::query::v1beta1::PageRequest;
use proto::cosmos::base::tendermint::v1beta1::{
    AbciQueryRequest, AbciQueryResponse, GetLatestValidatorSetRequest,
    GetLatestValidatorSetResponse, GetValidatorSetByHeightRequest,
};
use proto::cosmos::tx::v1beta1::{
    BroadcastTxRequest, BroadcastTxResponse, GetBlockWithTxsRequest, GetBlockWithTxsResponse,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Running, address, at, open, transfer, write_genesis};
use crate::websocket::{connect, next, send};

const TX: &str = "/cosmos.tx.v1beta1.Service";
const COMET: &str = "/cosmos.base.tendermint.v1beta1.Service";
const NODE: &str = "/cosmos.base.node.v1beta1.Service";

/// Blocks of the chain.
const LAST: i64 = 5;

/// A node that stands after five blocks, the third of which has four transactions.
async fn standing() -> Running {
    let folder = tempfile::tempdir().unwrap();
    write_genesis(folder.path());
    let (mut solo, _, _) = open(folder.path());
    for second in 1..LAST {
        if second == 3 {
            for (sequence, amount) in [(0, 5), (1, 6), (2, 7_000_000)] {
                let tx = transfer("alice", 0, sequence, amount);
                assert_eq!(solo.check(tx.into()).unwrap().code, 0);
            }
            let tx = transfer("carol", 2, 0, 8);
            assert_eq!(solo.check(tx.into()).unwrap().code, 0);
        }
        solo.produce(at(second)).unwrap();
    }
    drop(solo);
    let node = Running::start(folder, Duration::from_secs(3_600)).await;
    node.handle.reached(LAST).await.unwrap();
    node
}

/// Methods that are described and not served, because no client asks them: the binary amino form of transactions.
const NOT_SERVED: [&str; 2] = ["TxEncodeAmino", "TxDecodeAmino"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_that_is_described_is_served() {
    let node = standing().await;
    let mut asked = 0;
    let methods = proto::descriptor_pool().services().flat_map(|service| {
        let methods: Vec<_> = service.methods().collect();
        methods
            .into_iter()
            .map(move |method| (service.full_name().to_owned(), method))
    });
    for (service, method) in methods {
        if !service.ends_with(".Query") && !service.ends_with(".Service") {
            continue;
        }
        let reply = node
            .grpc(&format!("/{service}/{}", method.name()), &[], None)
            .await;
        let served = !NOT_SERVED.contains(&method.name());
        assert_eq!(
            reply.code != 12,
            served,
            "{service}/{}: {}",
            method.name(),
            reply.message
        );
        asked += 1;
    }
    assert!(asked > 130, "{asked}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_of_the_node_tell_the_height_asked_for() {
    let node = standing().await;
    for method in [
        format!("{COMET}/GetLatestBlock"),
        format!("{NODE}/Config"),
        format!("{NODE}/Status"),
    ] {
        let told = async |height: Option<&str>| {
            let reply = node.grpc(&method, &[], height).await;
            assert_eq!(reply.code, 0, "{method}: {}", reply.message);
            reply.headers["x-cosmos-block-height"]
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(told(None).await, "5", "{method}");
        assert_eq!(told(Some("0")).await, "5", "{method}");
        assert_eq!(told(Some("2")).await, "2", "{method}");
        let future = node.grpc(&method, &[], Some("6")).await;
        assert_eq!(future.code, 2, "{method}");
        assert!(future.message.contains("sdk code 26"), "{}", future.message);
        assert!(!future.headers.contains_key("x-cosmos-block-height"));
    }
    let status = async |height| {
        let reply = node.grpc(&format!("{NODE}/Status"), &[], height).await;
        StatusResponse::decode(reply.body).unwrap()
    };
    let (now, then) = (status(None).await, status(Some("2")).await);
    assert_eq!((now.height, then.height), (5, 2));
    assert!(now.timestamp.unwrap().seconds > then.timestamp.unwrap().seconds);
    assert_eq!(now.app_hash, then.app_hash);
    let header = node.call("header", json!({})).await;
    let header = &header["result"]["header"];
    let hex = |bytes: &[u8]| Value::from(hex::encode_upper(bytes));
    assert_eq!(header["next_validators_hash"], hex(&now.validator_hash));
    assert_eq!(header["app_hash"], hex(&now.app_hash));
    let params = json!({ "path": format!("{NODE}/Config"), "data": "", "height": "6" });
    let refused = node.call("abci_query", params).await;
    let refused = &refused["result"]["response"];
    assert_eq!(
        (&refused["code"], &refused["height"]),
        (&json!(26), &json!("0"))
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_of_validators_are_cut_into_pages_of_cometbft() {
    let node = standing().await;
    let ask = async |offset, limit| {
        let pagination = Some(PageRequest {
            offset,
            limit,
            ..PageRequest::default()
        });
        let request = GetLatestValidatorSetRequest { pagination }.encode_to_vec();
        node.grpc(&format!("{COMET}/GetLatestValidatorSet"), &request, None)
            .await
    };
    let all = ask(0, 0).await;
    let all = GetLatestValidatorSetResponse::decode(all.body).unwrap();
    // The set known last signs the block to come.
    assert_eq!((all.block_height, all.validators.len()), (6, 1));
    assert_eq!(all.pagination.unwrap().total, 1);
    // An offset inside of the first page is on it.
    assert_eq!(ask(1, 2).await.code, 0);
    assert_eq!(ask(1, 1).await.code, 2);
    assert_eq!(ask(0, u64::MAX).await.code, 3);
    assert_eq!(ask(u64::MAX, 0).await.code, 3);
    let request = GetValidatorSetByHeightRequest {
        height: 6,
        pagination: None,
    };
    let by_height = format!("{COMET}/GetValidatorSetByHeight");
    let reply = node.grpc(&by_height, &request.encode_to_vec(), None).await;
    assert_eq!(reply.code, 3);

    let told = async |method: &str, params: Value| {
        let answer = node.call(method, params).await;
        answer["result"]["block_height"].clone()
    };
    for method in ["validators", "consensus_params"] {
        assert_eq!(told(method, json!({})).await, "6");
        assert_eq!(told(method, json!({ "height": "6" })).await, "6");
        assert_eq!(told(method, json!({ "height": "7" })).await, Value::Null);
        assert_eq!(told(method, json!({ "height": "2" })).await, "2");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_with_its_transactions_is_cut_as_the_reference_cuts_it() {
    let node = standing().await;
    let method = format!("{TX}/GetBlockWithTxs");
    let ask = async |height, pagination, at: Option<&str>| {
        let request = GetBlockWithTxsRequest { height, pagination };
        let reply = node.grpc(&method, &request.encode_to_vec(), at).await;
        let answer = GetBlockWithTxsResponse::decode(reply.body).unwrap_or_default();
        (
            reply.code,
            answer.txs.len(),
            answer.pagination.map_or(0, |page| page.total),
        )
    };
    let page = |offset, limit, reverse| {
        Some(PageRequest {
            offset,
            limit,
            reverse,
            ..PageRequest::default()
        })
    };
    assert_eq!(ask(3, None, None).await, (0, 4, 4));
    assert_eq!(ask(3, page(0, 0, false), None).await, (0, 0, 4));
    assert_eq!(ask(3, page(1, 2, false), None).await, (0, 2, 4));
    assert_eq!(ask(3, page(3, 9, true), None).await, (0, 3, 4));
    assert_eq!(ask(3, page(4, 1, false), None).await.0, 2);
    // A block without transactions has no offset beyond its end.
    assert_eq!(ask(2, page(4, 1, false), None).await, (0, 0, 0));
    assert_eq!(ask(3, None, Some("3")).await.0, 0);
    assert_eq!(ask(3, None, Some("2")).await.0, 2);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_not_taken_is_refused_whoever_waits() {
    let node = standing().await;
    let send = async |tx: &[u8], mode| {
        let request = BroadcastTxRequest {
            tx_bytes: tx.to_vec().into(),
            mode,
        };
        let reply = node
            .grpc(&format!("{TX}/BroadcastTx"), &request.encode_to_vec(), None)
            .await;
        let answer = BroadcastTxResponse::decode(reply.body).unwrap_or_default();
        (reply.code, answer.tx_response.unwrap_or_default().code)
    };
    assert_eq!(send(&[], 2).await, (3, 0));
    assert_eq!(send(&[], 1).await, (3, 0));
    let tx = transfer("alice", 0, 3, 1);
    assert_eq!(send(&tx, 3).await, (0, 0));
    assert_eq!(send(&tx, 3).await, (0, 19));
    // What the check says is not told to who does not wait for it.
    assert_eq!(send(b"junk", 3).await, (0, 0));
    let params = json!({ "tx": STANDARD.encode(&tx) });
    let again = node.call("broadcast_tx_async", params).await;
    assert_eq!(again["error"]["data"], "tx already exists in cache");
    let params = json!({ "tx": STANDARD.encode(b"more junk") });
    let taken = node.call("broadcast_tx_async", params).await;
    assert_eq!(taken["result"]["code"], 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_of_the_application_are_asked_over_grpc() {
    let node = standing().await;
    let ask = async |path: &str| {
        let request = AbciQueryRequest {
            path: path.to_owned(),
            ..AbciQueryRequest::default()
        };
        let reply = node
            .grpc(
                &format!("{COMET}/ABCIQuery"),
                &request.encode_to_vec(),
                None,
            )
            .await;
        (
            reply.code,
            AbciQueryResponse::decode(reply.body).unwrap_or_default(),
        )
    };
    let (code, version) = ask("/app/version").await;
    assert_eq!((code, version.code), (0, 0));
    assert_eq!(version.value, "0.1.35");
    assert_eq!(ask("app/version").await.1, version);
    assert_eq!(ask("/p2p/filter/addr/1").await.0, 0);
    assert_eq!(ask("/custom/x").await.1.code, 6);
    assert_eq!(ask("").await.0, 3);
    assert_eq!(ask("/pocket.shared.Query/Params").await.0, 3);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_no_requests_are_refused_as_a_whole() {
    let node = standing().await;
    let health = r#"{"jsonrpc":"2.0","id":1,"method":"health"}"#;
    let healthy = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    // One answer is no list.
    assert_eq!(
        node.post(format!("[{health}]")).await,
        (200, healthy.to_owned())
    );
    assert_eq!(
        node.post(format!("[{health},null]")).await,
        (200, healthy.to_owned())
    );
    assert_eq!(node.post("null").await, (200, String::new()));
    for wrong in [
        "5".to_owned(),
        "\"health\"".to_owned(),
        format!("[{health},1]"),
        health.replace("1,", "true,"),
        health.replace("\"health\"", "7"),
        health.replace("\"2.0\"", "2"),
    ] {
        let (status, body) = node.post(wrong.clone()).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (status, &answer["error"]["code"]),
            (500, &json!(-32700)),
            "{wrong}"
        );
        assert!(answer.get("id").is_none(), "{wrong}");
    }
    // Lists of arguments are neither shorter nor longer.
    for params in [json!([]), json!(["2", "3"])] {
        let answer = node.call("block", params).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_answer_whatever_the_verb_and_a_socket_has_its_own() {
    let node = standing().await;
    for name in ["subscribe", "unsubscribe", "unsubscribe_all"] {
        let (status, body) = node.get(&format!("/{name}?query=%22x%22")).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &answer["error"]["code"]), (404, &json!(-32601)));
    }
    assert_eq!(
        node.get("/websocket").await,
        (400, "Bad Request\n".to_owned())
    );
    let wrong = node.get("/broadcast_evidence?evidence=1").await;
    assert!(wrong.0 == 500 && wrong.1.contains("-32602"), "{wrong:?}");
    let evidence = "%7B%22type%22:%22tendermint/DuplicateVoteEvidence%22,%22value%22:%7B%7D%7D";
    let given = node
        .get(&format!("/broadcast_evidence?evidence={evidence}"))
        .await;
    assert!(
        given.0 == 500 && given.1.contains("takes no evidence"),
        "{given:?}"
    );
    let (_, tx) = node
        .get("/tx_search?query=0x74782e6865696768743d33&per_page=1")
        .await;
    assert!(tx.contains("\"total_count\":\"4\""), "{tx}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_are_met_by_one_event() {
    let node = standing().await;
    let found = async |query: &str| {
        let answer = node
            .call("tx_search", json!({ "query": query, "order_by": "desc" }))
            .await;
        let total = answer["result"]["total_count"]
            .as_str()
            .unwrap_or("error")
            .to_owned();
        (
            total,
            answer["result"]["txs"][0]["index"].as_u64().unwrap_or(99),
        )
    };
    let total = async |query: &str| found(query).await.0;
    let (alice, bob) = (address("alice").to_bech32(), address("bob").to_bech32());
    let action = "message.action='/cosmos.bank.v1beta1.MsgSend'";
    // The third failed, and has the events of its checks only.
    assert_eq!(found(action).await, ("3".to_owned(), 3));
    assert_eq!(
        total(&format!("message.sender='{alice}' AND {action}")).await,
        "2"
    );
    assert_eq!(
        total(&format!("message.sender='{bob}' AND {action}")).await,
        "0"
    );
    let transfer = format!("transfer.recipient='{bob}' AND transfer.amount='5upokt'");
    assert_eq!(total(&transfer).await, "1");
    assert_eq!(total(&format!("{transfer} AND tx.height=3")).await, "1");
    assert_eq!(total(&format!("{transfer} AND tx.height>3")).await, "0");
    // They are met, but by two events.
    assert_eq!(
        total(&format!("{action} AND transfer.amount='5upokt'")).await,
        "0"
    );
    // What is no number is not compared as one, and a number is text.
    assert_eq!(total("transfer.amount > 1").await, "0");
    assert_eq!(total("transfer.amount = 5").await, "0");
    assert_eq!(total("transfer.amount EXISTS").await, "4");
    assert_eq!(total("transfer.amount CONTAINS 'upo'").await, "4");
    assert_eq!(total("message.msg_index >= 0").await, "3");
    // A hash stands alone.
    let answer = node
        .call("tx_search", json!({ "query": "tx.height=3" }))
        .await;
    let hash = answer["result"]["txs"][0]["hash"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        total(&format!("tx.hash='{hash}' AND tx.height=99")).await,
        "1"
    );
    assert_eq!(total("tx.hash='00'").await, "0");
    assert_eq!(total("tx.hash='zz'").await, "error");
    let params = json!({ "query": "block.height>2 AND block.height<5" });
    let blocks = node.call("block_search", params).await;
    assert_eq!(blocks["result"]["total_count"], "2");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_tells_events_of_blocks_and_errors_of_its_own() {
    let node = Running::fresh(Duration::from_millis(100)).await;
    node.handle.reached(1).await.unwrap();
    let mut socket = connect(&node).await;
    let request = r#"{"jsonrpc":"2.0","id":1,"method":"block","params":{"height":5}}"#;
    send(&mut socket, request).await;
    assert_eq!(next(&mut socket).await["error"]["code"], -32603);
    let subscribe = r#"{"jsonrpc":"2.0","id":2,"method":"subscribe","params":{"query":"tm.event='NewBlockEvents'"}}"#;
    send(&mut socket, subscribe).await;
    assert_eq!(next(&mut socket).await["result"], json!({}));
    let event = next(&mut socket).await;
    let data = &event["result"]["data"];
    assert_eq!(data["type"], "tendermint/event/NewBlockEvents");
    assert_eq!(data["value"]["num_txs"], "0");
    let height = data["value"]["height"].as_str().unwrap();
    let results = node
        .call("block_results", json!({ "height": height }))
        .await;
    let events = &results["result"]["finalize_block_events"];
    assert_eq!(&data["value"]["events"], events);
    node.stop().await;
}

/// A gateway pings its idle connection every half minute and gives up on a server that objects (chain specification 5.1).
/// How far apart the pings are does not matter to a server that counts none, so here they come at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_grpc_connection_is_pinged_as_often_as_one_likes() {
    const PING: u8 = 6;
    const GO_AWAY: u8 = 7;
    let node = standing().await;
    let options = net::DialOptions {
        policy: net::AddressPolicy::Any,
        ..net::DialOptions::default()
    };
    let dialer = net::Dialer::new(options).unwrap();
    let port = node.handle.grpc_addr.port();
    let mut stream = dialer.connect_tcp("127.0.0.1", port).await.unwrap();
    let frame = |kind: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, 0, 0, 0, 0, 0], payload].concat()
    };
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    stream.write_all(&frame(4, &[])).await.unwrap();
    for number in 0..200_u64 {
        stream
            .write_all(&frame(PING, &number.to_be_bytes()))
            .await
            .unwrap();
        // Settings come in between.
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            stream.read_exact(&mut payload).await.unwrap();
            assert_ne!(head[3], GO_AWAY, "after {number} pings");
            if head[3] == PING {
                assert_eq!(
                    (head[4], payload.as_slice()),
                    (1, &number.to_be_bytes()[..])
                );
                break;
            }
        }
    }
    drop(stream);
    node.stop().await;
}
