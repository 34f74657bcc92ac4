//! Subscriptions, against the recorded frames.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use net::{AddressPolicy, DialOptions, Dialer};
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Running, address, transfer};

pub(crate) type Socket = WebSocketStream<net::Stream>;

pub(crate) async fn connect(node: &Running) -> Socket {
    let options = DialOptions {
        policy: AddressPolicy::Any,
        ..DialOptions::default()
    };
    let dialer = Dialer::new(options).unwrap();
    let (host, port) = ("127.0.0.1", node.handle.rpc_addr.unwrap().port());
    let stream = dialer.connect_tcp(host, port).await.unwrap();
    let url = format!("ws://{host}:{port}/websocket");
    tokio_tungstenite::client_async(url, stream)
        .await
        .unwrap()
        .0
}

pub(crate) async fn send(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

pub(crate) async fn next(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(text.as_str()).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The recorded frames.
fn recorded() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/golden/chain-a/websocket.jsonl"
    );
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Paths of all keys outside the lists and maps of events, whose contents differ from chain to chain.
pub(crate) fn paths(prefix: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let path = format!("{prefix}.{key}");
                found.insert(path.clone());
                if key != "events" {
                    paths(&path, value, found);
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                paths(&format!("{prefix}[]"), value, found);
            }
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_have_the_recorded_keys_and_repeat_the_id() {
    let node = Running::fresh(Duration::from_millis(100)).await;
    node.handle.reached(1).await.unwrap();
    let mut socket = connect(&node).await;
    let alice = address("alice").to_bech32();
    let of_alice = format!("tm.event='Tx' AND message.sender='{alice}'");
    let of_bob = format!(
        "tm.event='Tx' AND message.sender='{}'",
        address("bob").to_bech32()
    );
    let queries = [
        "tm.event='NewBlock'",
        "tm.event='NewBlockHeader'",
        &of_alice,
        &of_bob,
    ];
    for (id, query) in ["path-block-monitor", "1", "2", "3"].iter().zip(queries) {
        let request = json!({
            "jsonrpc": "2.0",
            "id": id,
            "method": "subscribe",
            "params": { "query": query },
        });
        send(&mut socket, &request.to_string()).await;
        // Events of earlier subscriptions may come in between.
        while next(&mut socket).await != json!({ "jsonrpc": "2.0", "id": id, "result": {} }) {}
    }
    let tx = transfer("alice", 0, 0, 5);
    let params = json!({ "tx": STANDARD.encode(&tx) });
    let sent = node.call("broadcast_tx_sync", params).await;
    assert_eq!(sent["result"]["code"], 0, "{sent}");

    let mut block = None;
    let (mut header, mut last) = (None, 0);
    let event = loop {
        let frame = next(&mut socket).await;
        let value = &frame["result"]["data"]["value"];
        let height = |header: &Value| header["height"].as_str().unwrap().parse::<i64>().unwrap();
        match frame["id"].as_str().unwrap() {
            "path-block-monitor" => {
                let height = height(&value["block"]["header"]);
                // What is announced can be queried.
                assert!(node.handle.view.reader.latest_height().unwrap() >= Some(height));
                block = Some(frame);
            }
            "1" => {
                let height = height(&value["header"]);
                assert!(last == 0 || height == last + 1, "no gap");
                last = height;
                header = Some(frame);
            }
            "2" => break frame,
            other => panic!("{other}: {frame}"),
        }
    };
    let included = &event["result"]["data"]["value"]["TxResult"];
    assert_eq!(included["tx"], STANDARD.encode(&tx));
    assert_eq!(included["index"], Value::Null, "zero is left out");
    let hash = hex::encode_upper(crypto::hash::sha256(&tx));
    assert_eq!(event["result"]["events"]["tx.hash"], json!([hash]));
    assert_eq!(event["result"]["query"], of_alice);

    let recorded = recorded();
    for (ours, kind) in [
        (block.unwrap(), "tendermint/event/NewBlock"),
        (header.unwrap(), "tendermint/event/NewBlockHeader"),
        (event, "tendermint/event/Tx"),
    ] {
        assert_eq!(ours["result"]["data"]["type"], kind);
        let theirs = recorded.iter().filter_map(|row| {
            let frame: Value = serde_json::from_str(row["frame"].as_str()?).ok()?;
            (frame["result"]["data"]["type"] == kind).then_some(frame)
        });
        let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
        theirs.for_each(|frame| paths("", &frame, &mut expected));
        paths("", &ours, &mut found);
        // A block of ours may be empty, and its validator set does not change.
        let of_chain =
            |path: &String| path.contains("tx_results[]") || path.contains("validator_updates[]");
        expected.retain(|path| !of_chain(path));
        found.retain(|path| !of_chain(path));
        expected.remove(".result.data.value.TxResult.index");
        assert_eq!(found, expected, "{kind}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_answered_as_recorded() {
    let node = Running::fresh(Duration::from_secs(3_600)).await;
    node.handle.reached(1).await.unwrap();
    let mut socket = connect(&node).await;
    let mut compared = 0;
    let rows = recorded();
    let of_connection = |direction: &str| {
        let rows = rows
            .iter()
            .filter(|row| row["conn"] == "ws0-47593" && row["dir"] == direction);
        rows.map(|row| row["frame"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let answers = of_connection("s2c");
    for (request, theirs) in of_connection("c2s").iter().zip(answers) {
        send(&mut socket, request).await;
        let ours = next(&mut socket).await;
        let theirs: Value = serde_json::from_str(&theirs).unwrap();
        if request.contains("status") {
            assert_eq!(ours["id"], theirs["id"]);
        } else {
            assert_eq!(ours, theirs, "{request}");
        }
        compared += 1;
    }
    assert_eq!(compared, 9);
    let all = r#"{"jsonrpc":"2.0","id":4,"method":"unsubscribe_all","params":{}}"#;
    send(&mut socket, all).await;
    assert_eq!(
        next(&mut socket).await,
        json!({ "jsonrpc": "2.0", "id": 4, "result": {} })
    );
    socket.send(Message::Ping("x".into())).await.unwrap();
    assert!(matches!(socket.next().await.unwrap().unwrap(), Message::Pong(data) if data == "x"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_for_300_blocks_misses_none() {
    let node = Running::fresh(Duration::from_millis(10)).await;
    let first = node.handle.reached(1).await.unwrap();
    let mut socket = connect(&node).await;
    let request =
        r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"query":"tm.event='NewBlock'"}}"#;
    send(&mut socket, request).await;
    node.handle.reached(first + 310).await.unwrap();
    assert_eq!(next(&mut socket).await["result"], json!({}));
    let mut last = 0;
    for _ in 0..300 {
        let frame = next(&mut socket).await;
        let header = &frame["result"]["data"]["value"]["block"]["header"];
        let height: i64 = header["height"].as_str().unwrap().parse().unwrap();
        assert!(last == 0 || height == last + 1, "{last} {height}");
        last = height;
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_is_answered_by_a_close() {
    let node = Running::fresh(Duration::from_secs(3_600)).await;
    let mut socket = connect(&node).await;
    socket.close(None).await.unwrap();
    let answer = socket.next().await.unwrap();
    assert!(matches!(answer, Ok(Message::Close(_))), "{answer:?}");
    assert!(socket.next().await.is_none());
    node.stop().await;
}
