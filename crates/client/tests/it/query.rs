use client::{Code, Error};
use futures_util::future::join_all;

use crate::node::Answer;
use crate::{connected, soon};

const APP: &str = "pokt1mrqt5f7qh8uxs27cjm9t7v9e74a9vvdnq5jva4";
const OPERATOR: &str = "pokt1zfc6y3dxz9cqe56ykd300f9yze67lauuup5uy9";
const SESSION: &str = "f33cfc2e704e5725404d13c4a7655c6c71283d402920629e972ccb36ab69ea57";
const GET_SESSION: &str = "/pocket.session.Query/GetSession";
const CLAIM: &str = "/pocket.proof.Query/Claim";
const APPLICATION: &str = "/pocket.application.Query/Application";

/// Our requests are byte for byte those of the reference's miner, else the recording has no answer.
#[tokio::test]
async fn the_recorded_node_answers_our_questions() {
    let (_node, chain, _tasks) = connected().await;
    let session = chain.session(APP, "develop-http", 75).await.unwrap();
    let header = session.header.as_ref().unwrap();
    assert_eq!(header.session_id, SESSION);
    assert_eq!(
        (
            header.session_start_block_height,
            header.session_end_block_height
        ),
        (71, 80)
    );
    assert_eq!(session.suppliers.len(), 15);
    assert_eq!(
        chain.shared_params().await.unwrap().num_blocks_per_session,
        10
    );
    assert_eq!(
        chain
            .shared_params_at(80)
            .await
            .unwrap()
            .num_blocks_per_session,
        10
    );
    assert!(chain.application(APP).await.unwrap().is_some());
    let supplier = chain.supplier(OPERATOR).await.unwrap().unwrap();
    assert!(!supplier.services.is_empty());
    assert!(chain.service("develop-http").await.unwrap().is_some());
    let difficulty = chain
        .difficulty_at("develop-http", 71)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(difficulty.target_hash.len(), 32);
    assert!(
        chain
            .compute_units_at("develop-http", 71)
            .await
            .unwrap()
            .unwrap()
            > 0
    );
    chain.proof_params().await.unwrap();
    chain.supplier_params().await.unwrap();
    let account = chain.account(OPERATOR).await.unwrap().unwrap();
    assert_eq!(account.public_key.unwrap().address().to_bech32(), OPERATOR);
    assert!(chain.balance(OPERATOR, "upokt").await.unwrap() > 0);
    let claim = chain.claim(SESSION, OPERATOR).await.unwrap().unwrap();
    assert_eq!(claim.root_hash.len(), 48);
    let claims = chain.claims_of(OPERATOR).await.unwrap();
    assert!(
        claims
            .iter()
            .all(|claim| claim.supplier_operator_address == OPERATOR)
    );
}

#[tokio::test]
async fn absence_is_the_chains_word_and_every_failure_is_a_failure() {
    let (node, chain, _tasks) = connected().await;
    let claim = || chain.claim(SESSION, OPERATOR);
    node.script(CLAIM, [Answer::Status(5, "claim not found")]);
    assert!(claim().await.unwrap().is_none());
    for code in [2, 3, 9, 12, 13] {
        node.script(
            CLAIM,
            [Answer::Status(code, "rpc error: not found in the store")],
        );
        let error = claim().await.unwrap_err();
        assert!(
            matches!(error, Error::Refused { code, .. } if code != Code::NotFound),
            "{error}"
        );
    }
    // An empty answer is about nobody, and bytes that are no message are no answer.
    node.script(CLAIM, [Answer::Bytes(Vec::new())]);
    assert!(matches!(claim().await, Err(Error::Malformed { .. })));
    node.script(CLAIM, [Answer::Bytes(vec![0xff; 9])]);
    assert!(claim().await.is_err());
    node.script(APPLICATION, [Answer::Bytes(Vec::new())]);
    assert!(matches!(
        chain.application(APP).await,
        Err(Error::Malformed { .. })
    ));
    assert!(chain.application(APP).await.unwrap().is_some());
    node.script(
        "/pocket.shared.Query/ParamsAtHeight",
        [Answer::Bytes(Vec::new())],
    );
    assert!(matches!(
        chain.shared_params_at(79).await,
        Err(Error::Malformed { .. })
    ));
    node.script(GET_SESSION, [Answer::Bytes(Vec::new())]);
    assert!(matches!(
        chain.session(APP, "develop-http", 75).await,
        Err(Error::Malformed { .. })
    ));
    assert!(chain.session(APP, "develop-http", 75).await.is_ok());
    node.script(
        "/cosmos.bank.v1beta1.Query/Balance",
        [Answer::Bytes(Vec::new())],
    );
    assert!(matches!(
        chain.balance(OPERATOR, "upokt").await,
        Err(Error::Malformed { .. })
    ));
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_not_for_ever() {
    let (node, chain, _tasks) = connected().await;
    let busy = || Answer::Status(14, "busy");
    node.script(CLAIM, [busy(), busy()]);
    assert!(chain.claim(SESSION, OPERATOR).await.unwrap().is_some());
    assert_eq!(node.calls(CLAIM), 3);
    node.script(CLAIM, [busy(), busy(), busy(), busy()]);
    let error = chain.claim(SESSION, OPERATOR).await.unwrap_err();
    assert!(
        error.is_transient()
            && matches!(
                error,
                Error::Refused {
                    code: Code::Unavailable,
                    ..
                }
            )
    );
    assert_eq!(node.calls(CLAIM), 6);
    // What is final is asked once.
    node.script(CLAIM, [Answer::Status(13, "broken")]);
    assert!(chain.claim(SESSION, OPERATOR).await.is_err());
    assert_eq!(node.calls(CLAIM), 7);
}

#[tokio::test]
async fn a_silent_node_costs_a_deadline() {
    let node = crate::Node::start(85).await;
    let tasks = net::Tasks::new();
    let mut config = crate::config(&node);
    config.timeouts.query = std::time::Duration::from_millis(200);
    let chain = soon(client::Chain::connect(config, &tasks)).await.unwrap();
    node.script(CLAIM, [Answer::Silence, Answer::Silence, Answer::Silence]);
    let error = soon(chain.claim(SESSION, OPERATOR)).await.unwrap_err();
    assert!(
        matches!(error, Error::Timeout { after_ms: 200, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_hundred_askers_are_one_question_and_sessions_are_kept() {
    let (node, chain, _tasks) = connected().await;
    let ask = |height| chain.session(APP, "develop-http", height);
    let sessions = soon(join_all((0..100).map(|index| ask(71 + index % 10)))).await;
    assert!(sessions.iter().all(Result::is_ok));
    assert_eq!(node.calls(GET_SESSION), 1);
    ask(80).await.unwrap();
    assert_eq!(node.calls(GET_SESSION), 1);
}

#[tokio::test]
async fn live_answers_are_kept_for_one_block() {
    let (node, chain, _tasks) = connected().await;
    let ask = || async { chain.application(APP).await.unwrap().unwrap() };
    ask().await;
    ask().await;
    assert_eq!(node.calls(APPLICATION), 1);
    let head = node.announce();
    soon(chain.wait_above(head - 1)).await.unwrap();
    ask().await;
    ask().await;
    assert_eq!(node.calls(APPLICATION), 2);
}

#[tokio::test]
async fn a_key_is_kept_only_once_it_is_there() {
    let (node, chain, _tasks) = connected().await;
    const ACCOUNT: &str = "/cosmos.auth.v1beta1.Query/Account";
    node.script(ACCOUNT, [Answer::Status(5, "account not found")]);
    assert!(chain.public_key(OPERATOR).await.unwrap().is_none());
    assert!(chain.public_key(OPERATOR).await.unwrap().is_some());
    assert!(chain.public_key(OPERATOR).await.unwrap().is_some());
    assert_eq!(node.calls(ACCOUNT), 2);
}

#[tokio::test]
async fn what_is_kept_for_good_is_never_of_the_future() {
    let (node, chain, _tasks) = connected().await;
    let error = chain.difficulty_at("develop-http", 86).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Refused {
                code: Code::OutOfRange,
                ..
            }
        ),
        "{error}"
    );
    const PARAMS: &str = "/pocket.shared.Query/ParamsAtHeight";
    chain.shared_params_at(90).await.unwrap();
    chain.shared_params_at(90).await.unwrap();
    assert_eq!(node.calls(PARAMS), 1);
    let head = node.announce();
    soon(chain.wait_above(head - 1)).await.unwrap();
    chain.shared_params_at(90).await.unwrap();
    assert_eq!(node.calls(PARAMS), 2);
}

#[tokio::test]
async fn a_settlement_is_read_from_its_block() {
    let (_node, chain, _tasks) = connected().await;
    use client::events::PocketEvent;
    let events = chain.events(98).await.unwrap().pocket().unwrap();
    let settled = events
        .iter()
        .filter(|(_, event)| matches!(event, PocketEvent::ClaimSettled(_)));
    assert_eq!(settled.count(), 16);
}
