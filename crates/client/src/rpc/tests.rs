use super::*;
use crate::testing;

fn recorded(method: &str) -> Vec<(Value, Vec<u8>)> {
    let rows = testing::golden_plain("chain-a/rpc.jsonl");
    let rows = rows
        .into_iter()
        .filter(|row| row["request"]["method"] == method && row["truncated"].is_null());
    rows.map(|row| (row["request"].clone(), row["body"].as_str().unwrap().into()))
        .collect()
}

/// Every recorded answer of `method` is understood or is an error of the node; returns what was
/// understood.
fn read<T: DeserializeOwned>(method: &str) -> Vec<T> {
    let mut answers = Vec::new();
    for (request, body) in recorded(method) {
        match unwrap::<T>(method, &body) {
            Ok(answer) => answers.push(answer),
            Err(Error::Rpc { code, .. }) => assert!(code < 0),
            Err(error) => panic!("{request}: {error}"),
        }
    }
    assert!(!answers.is_empty(), "no recorded `{method}`");
    answers
}

#[test]
fn recorded_answers_are_understood() {
    let status = &read::<Status>("status")[0];
    assert_eq!(status.node_info.network, "golden-1");
    assert_eq!(status.sync_info.latest_block_height, 356);
    assert!(!status.sync_info.catching_up);

    let block = &read::<BlockAnswer>("block")[0];
    assert_eq!(
        crate::header::hash(&block.block.header).as_slice(),
        block.block_id.hash
    );

    let results = read::<BlockResults>("block_results");
    assert!(
        results
            .iter()
            .any(|results| !results.finalize_block_events.is_empty())
    );

    let tx = &read::<TxAnswer>("tx")[0];
    assert_eq!(TxHash::of(&tx.tx).0.as_slice(), tx.hash);
    assert_eq!(tx.tx_result.gas_wanted, 400_000);

    assert!(
        read::<TxSearchAnswer>("tx_search")
            .iter()
            .any(|page| page.txs.len() == 2)
    );
    assert!(
        read::<ValidatorsAnswer>("validators")
            .iter()
            .any(|page| page.total == 2)
    );
    read::<BroadcastAnswer>("broadcast_tx_sync");

    #[derive(Deserialize)]
    struct Answer {
        response: QueryAnswer,
    }
    let queries = read::<Answer>("abci_query");
    assert!(
        queries
            .iter()
            .any(|answer| answer.response.code == 0 && !answer.response.value.is_empty())
    );
    assert!(queries.iter().any(|answer| answer.response.code != 0));
}

#[test]
fn errors_keep_the_text_that_clients_look_at() {
    let body = br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error","data":"height 9 must be"}}"#;
    let error = unwrap::<Status>("block", body).unwrap_err();
    assert_eq!(
        error.to_string(),
        "block: Internal error: height 9 must be (JSON-RPC -32603)"
    );
    assert!(!error.is_transient());
    let empty = unwrap::<Status>("status", br#"{"jsonrpc":"2.0","id":1}"#).unwrap_err();
    assert!(matches!(empty, Error::Malformed { .. }));
    assert!(unwrap::<Status>("status", br#"{"jsonrpc":"2.0","id":1,"result":{}}"#).is_err());
}
