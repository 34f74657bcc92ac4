//! REST and reflection over sockets.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use node::reflection::{self, Answer, Question};
use prost::Message;
use serde_json::{Value, json};

use crate::support::{CHAIN_ID, Running, address, transfer};

const HEIGHT: &str = "x-cosmos-block-height";
const METADATA_HEIGHT: &str = "grpc-metadata-x-cosmos-block-height";

async fn get(node: &Running, path: &str) -> Value {
    let (status, headers, body) = node.rest(Method::GET, path, &[], "").await;
    assert_eq!(status, 200, "{path}: {body}");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers[HEIGHT], headers[METADATA_HEIGHT]);
    serde_json::from_str(&body).unwrap()
}

async fn post(node: &Running, path: &str, body: &Value) -> (u16, Value) {
    let (status, _, body) = node.rest(Method::POST, path, &[], body.to_string()).await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_sends_and_finds_a_transaction() {
    let node = Running::fresh(Duration::from_millis(100)).await;
    node.handle.reached(1).await.unwrap();
    let alice = address("alice").to_bech32();
    let account = get(&node, &format!("/cosmos/auth/v1beta1/accounts/{alice}")).await;
    assert_eq!(
        account["account"]["@type"],
        "/cosmos.auth.v1beta1.BaseAccount"
    );
    assert_eq!(account["account"]["sequence"], "0");
    let info = get(&node, "/cosmos/base/tendermint/v1beta1/node_info").await;
    assert_eq!(info["default_node_info"]["network"], CHAIN_ID);

    let tx = STANDARD.encode(transfer("alice", 0, 0, 5_000));
    let (status, simulated) = post(
        &node,
        "/cosmos/tx/v1beta1/simulate",
        &json!({ "tx_bytes": tx }),
    )
    .await;
    assert_eq!(status, 200, "{simulated}");
    let gas: u64 = simulated["gas_info"]["gas_used"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(gas > 10_000);
    let sending = json!({ "tx_bytes": tx, "mode": "BROADCAST_MODE_SYNC" });
    let (status, sent) = post(&node, "/cosmos/tx/v1beta1/txs", &sending).await;
    assert_eq!(
        (status, &sent["tx_response"]["code"]),
        (200, &json!(0)),
        "{sent}"
    );
    let hash = sent["tx_response"]["txhash"].as_str().unwrap();
    let (_, again) = post(&node, "/cosmos/tx/v1beta1/txs", &sending).await;
    assert_eq!(again["tx_response"]["code"], 19);

    let sent_at = node.handle.view.height();
    node.handle.reached(sent_at + 2).await.unwrap();
    let found = get(&node, &format!("/cosmos/tx/v1beta1/txs/{hash}")).await;
    assert_eq!(found["tx_response"]["code"], 0);
    let message = &found["tx"]["body"]["messages"][0];
    assert_eq!(message["@type"], "/cosmos.bank.v1beta1.MsgSend");
    assert_eq!(
        message["amount"][0],
        json!({ "denom": "upokt", "amount": "5000" })
    );
    let height = found["tx_response"]["height"].as_str().unwrap();
    let path = format!(
        "/cosmos/tx/v1beta1/txs?query=message.sender%3D%27{alice}%27&order_by=ORDER_BY_DESC&limit=1"
    );
    assert_eq!(get(&node, &path).await["tx_responses"][0]["txhash"], hash);
    let block = get(&node, &format!("/cosmos/tx/v1beta1/txs/block/{height}")).await;
    assert_eq!(block["txs"].as_array().unwrap().len(), 1);
    let encoding = json!({ "tx": found["tx"] });
    let (status, encoded) = post(&node, "/cosmos/tx/v1beta1/encode", &encoding).await;
    assert_eq!(
        (status, &encoded["tx_bytes"]),
        (200, &json!(tx)),
        "{encoded}"
    );

    // The balance before the transfer, by the request's header.
    let bob = address("bob").to_bech32();
    let path = format!("/cosmos/bank/v1beta1/balances/{bob}/by_denom?denom=upokt");
    assert_eq!(get(&node, &path).await["balance"]["amount"], "1005000");
    for name in [HEIGHT, METADATA_HEIGHT] {
        let (status, headers, body) = node.rest(Method::GET, &path, &[(name, "1")], "").await;
        assert_eq!((status, &headers[HEIGHT]), (200, &"1".parse().unwrap()));
        assert!(body.contains("\"1000000\""), "{body}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_http_statuses_with_grpc_codes() {
    let node = Running::fresh(Duration::from_secs(3_600)).await;
    node.handle.reached(1).await.unwrap();
    let future = "codespace sdk code 26: invalid height: cannot query with height in the future; please provide a \
                  valid height";
    let cases = [
        (
            Method::GET,
            "/pokt-network/poktroll/nosuch",
            "",
            501,
            12,
            "Not Implemented",
            None,
        ),
        (
            Method::PUT,
            "/cosmos/bank/v1beta1/params",
            "",
            501,
            12,
            "Method Not Allowed",
            None,
        ),
        (
            Method::GET,
            "/pokt-network/poktroll/shared/params/abc",
            "",
            400,
            3,
            "type mismatch, parameter: height, error: strconv.ParseInt: parsing \"abc\": invalid syntax",
            None,
        ),
        (
            Method::GET,
            "/pokt-network/poktroll/application/application/zzz",
            "",
            404,
            5,
            "app address: zzz: application not found",
            Some("1"),
        ),
        (
            Method::POST,
            "/cosmos/tx/v1beta1/simulate",
            "junk",
            400,
            3,
            "invalid character 'j' looking for beginning of value",
            None,
        ),
        (
            Method::GET,
            "/pokt-network/poktroll/shared/params",
            "9",
            500,
            2,
            future,
            None,
        ),
    ];
    for (method, path, given, status, code, message, height) in cases {
        let (headers, body) = match given {
            "9" => (vec![(HEIGHT, "9")], ""),
            body => (vec![], body),
        };
        let (found, headers, body) = node.rest(method, path, &headers, body).await;
        let expected = json!({ "code": code, "message": message, "details": [] });
        assert_eq!(
            serde_json::from_str::<Value>(&body).unwrap(),
            expected,
            "{path}"
        );
        assert_eq!(found, status, "{path}");
        assert!(!headers.contains_key(HEIGHT));
        let told = headers
            .get(METADATA_HEIGHT)
            .map(|value| value.to_str().unwrap());
        assert_eq!(told, height, "{path}");
    }
    let (status, _, page) = node.rest(Method::GET, "/", &[], "").await;
    assert!(status == 200 && page.contains("/cosmos/tx/v1beta1/simulate"));
    let (status, _, _) = node
        .rest(Method::GET, "/", &[("host", "elsewhere.test")], "")
        .await;
    assert!((400..500).contains(&status), "{status}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reflection_answers_a_stream_of_questions() {
    let node = Running::fresh(Duration::from_secs(3_600)).await;
    let question = |question: Question| {
        let request = reflection::Request {
            host: String::new(),
            question: Some(question),
        };
        request.encode_to_vec()
    };
    let questions = [
        question(Question::ListServices(String::new())),
        question(Question::FileContainingSymbol(
            "pocket.session.Query".to_owned(),
        )),
    ];
    for path in reflection::METHODS {
        let (code, answers) = node.stream(path, &questions).await;
        assert_eq!((code, answers.len()), (0, 2));
        let answers = answers.into_iter().map(|answer| {
            reflection::Response::decode(answer)
                .unwrap()
                .answer
                .unwrap()
        });
        let answers: Vec<Answer> = answers.collect();
        assert!(matches!(&answers[0], Answer::Services(services) if services.service.len() > 20));
        assert!(
            matches!(&answers[1], Answer::Files(files) if files.file_descriptor_proto.len() > 3)
        );
    }
    let (code, answers) = node.stream(reflection::METHODS[0], &[vec![0xff]]).await;
    assert_eq!((code, answers.len()), (13, 0));
    node.stop().await;
}
