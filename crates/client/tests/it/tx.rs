use std::sync::Arc;

use client::tx::{Class, Outcome, SendOptions, Sender, TxHash};
use crypto::keys::SecretKey;
use prost::Message as _;
use proto::cosmos::auth::v1beta1::{BaseAccount, QueryAccountResponse};
use proto::cosmos::bank::v1beta1::MsgSend;
use proto::cosmos::base::abci::v1beta1::GasInfo;
use proto::cosmos::tx::v1beta1::{AuthInfo, SimulateResponse, TxBody, TxRaw};

use crate::node::{Answer, Node};
use crate::{connected, soon};

const SIMULATE: &str = "/cosmos.tx.v1beta1.Service/Simulate";
const BROADCAST: &str = "/cosmos.tx.v1beta1.Service/BroadcastTx";
const ACCOUNT: &str = "/cosmos.auth.v1beta1.Query/Account";

fn key() -> SecretKey {
    SecretKey::from_bytes(&[9; 32]).unwrap()
}

/// Lets the node know the account and what simulation says.
fn prepare(node: &Node) {
    let account = BaseAccount {
        address: key().public().address().to_bech32(),
        account_number: 4,
        sequence: 2,
        ..Default::default()
    };
    let answer = QueryAccountResponse {
        account: Some(proto::any::pack(&account)),
    };
    node.script(ACCOUNT, [Answer::Bytes(answer.encode_to_vec())]);
    let gas = GasInfo {
        gas_used: 100_000,
        ..Default::default()
    };
    let answer = SimulateResponse {
        gas_info: Some(gas),
        ..Default::default()
    };
    node.script(SIMULATE, [Answer::Bytes(answer.encode_to_vec())]);
}

fn message() -> prost_types::Any {
    proto::any::pack(&MsgSend::default())
}

#[tokio::test]
async fn a_lost_transaction_is_offered_again_until_a_block_holds_it() {
    let (node, chain, _tasks) = connected().await;
    prepare(&node);
    let options = SendOptions {
        gas_price: "0.00001".parse().unwrap(),
        ..Default::default()
    };
    let sender = Sender::new(chain.clone(), key(), options);
    let messages = [message()];
    let sending = sender.send(&messages, 95, None);
    let driving = async {
        while node.pool().is_empty() {
            tokio::task::yield_now().await;
        }
        let tx = node.pool().swap_remove(0);
        // The node forgets it; two blocks later it is offered again, and included.
        assert_eq!(node.lose_pool(), 1);
        for _ in 0..2 {
            let head = node.announce();
            chain.wait_above(head - 1).await.unwrap();
        }
        while node.pool().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(node.pool(), std::slice::from_ref(&tx));
        node.announce();
        tx
    };
    let (outcome, tx) = soon(async { tokio::join!(sending, driving) }).await;
    let Outcome::Included(included) = outcome.unwrap() else {
        panic!("not included")
    };
    assert_eq!(
        (included.height, included.code, included.hash),
        (88, 0, TxHash::of(&tx))
    );
    assert_eq!(node.calls(BROADCAST), 2);

    let raw = TxRaw::decode(tx.as_slice()).unwrap();
    let auth = AuthInfo::decode(raw.auth_info_bytes).unwrap();
    let fee = auth.fee.unwrap();
    assert_eq!(
        (fee.gas_limit, fee.amount[0].amount.as_str()),
        (170_000, "2")
    );
    let body = TxBody::decode(raw.body_bytes).unwrap();
    let timeout = std::time::SystemTime::try_from(body.timeout_timestamp.unwrap()).unwrap();
    let beyond = timeout
        .duration_since(chain.block(85).await.unwrap().time)
        .unwrap();
    assert!(
        body.unordered && (120..=121).contains(&beyond.as_secs()),
        "{beyond:?}"
    );
}

#[tokio::test]
async fn the_chains_refusal_arrives_in_its_own_words() {
    let (node, chain, _tasks) = connected().await;
    prepare(&node);
    let text = "failed to execute message; message index: 0: rpc error: code = FailedPrecondition \
                desc = proof not required";
    node.script(SIMULATE, [Answer::Status(2, text)]);
    let sender = Arc::new(Sender::new(chain, key(), SendOptions::default()));
    let outcome = soon(sender.send(&[message()], 95, None)).await.unwrap();
    let rejection = outcome.rejection().unwrap();
    assert_eq!(rejection.class(), Class::ProofNotRequired);
    assert_eq!(
        (rejection.message_index(), rejection.log.as_str()),
        (Some(0), text)
    );
    assert_eq!(node.calls(BROADCAST), 0);
}
