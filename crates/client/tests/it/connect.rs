use std::time::Duration;

use client::{Chain, Config, Error};
use serde_json::json;

use crate::node::Node;
use crate::{config, soon};

async fn refused(node: &Node, config: Config) -> Error {
    let tasks = net::Tasks::new();
    let error = soon(Chain::connect(config, &tasks)).await.unwrap_err();
    assert_eq!(
        tasks.len(),
        0,
        "nothing runs after a refusal; node {}",
        node.url()
    );
    error
}

#[tokio::test]
async fn a_node_of_another_chain_is_refused_at_once() {
    let node = Node::start(85).await;
    let mut config = config(&node).expecting("relaymill-local-1");
    config.startup_wait = Duration::from_secs(3_600);
    let error = refused(&node, config).await;
    assert!(matches!(&error, Error::WrongChain { actual, expected, .. }
        if actual == "pocket" && expected == "relaymill-local-1"));
    assert!(!error.is_transient());
    assert!(
        error.to_string().contains("is on chain `pocket`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_node_behind_its_network_is_refused() {
    let node = Node::start(85).await;
    let mut old = config(&node);
    // The recording's clock is not ours; the oldest it may be is less than the time since 1970.
    old.max_block_age = Some(Duration::ZERO);
    node.say(json!({"/sync_info/latest_block_time": "2020-01-01T00:00:00Z"}));
    let error = refused(&node, old).await;
    assert!(
        matches!(
            error,
            Error::Behind {
                height: 85,
                catching_up: false,
                ..
            }
        ),
        "{error}"
    );

    node.say(json!({"/sync_info/catching_up": true}));
    let error = refused(&node, config(&node)).await;
    assert!(
        matches!(
            error,
            Error::Behind {
                catching_up: true,
                ..
            }
        ),
        "{error}"
    );

    node.say(json!({"/sync_info/latest_block_height": "0"}));
    let error = refused(&node, config(&node)).await;
    assert!(matches!(error, Error::Behind { height: 0, .. }), "{error}");
}

#[tokio::test]
async fn a_node_that_comes_up_late_is_waited_for() {
    let node = Node::start(85).await;
    node.say(json!({"/sync_info/catching_up": true}));
    let mut config = config(&node);
    config.startup_wait = Duration::from_secs(3_600);
    let tasks = net::Tasks::new();
    let connecting = Chain::connect(config, &tasks);
    tokio::pin!(connecting);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut connecting).await;
    assert!(early.is_err());
    node.say(json!({}));
    assert_eq!(soon(connecting).await.unwrap().height(), 85);
}

#[tokio::test]
async fn nobody_there_is_named_as_such() {
    let node = Node::start(85).await;
    let mut config = config(&node);
    config.rpc_url = "http://127.0.0.1:1/".parse().unwrap();
    let error = refused(&node, config).await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.is_transient() && error.to_string().contains("http://127.0.0.1:1/"));
}

#[tokio::test]
async fn a_lying_node_is_not_connected_to() {
    let node = Node::start(85).await;
    node.lie_about(85);
    let error = refused(&node, config(&node)).await;
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}
