//! `session.windows`: grid, windows and settlement of eight sets of params, asked of the state.

use std::collections::BTreeMap;

use proto::pocket::session::SessionHeader;
use proto::pocket::shared::Params;
use protocol::height::Height;
use protocol::params::pending_sessions;
use serde_json::Value;

use super::world::*;
use crate::error::ChainError;
use crate::modules::proof::Appraiser;
use crate::modules::proof::window::Window;
use crate::modules::shared::{self, grid, keys};
use crate::modules::tokenomics;
use crate::rules::Rules;
use crate::testing::TestChain;

type Row<'a> = BTreeMap<&'a str, &'a Value>;

/// A state with these params, valid or not.
fn chain_with(params: &Params) -> TestChain {
    let mut chain = World::new().start(Rules::reference());
    chain
        .run(|ctx| {
            ctx.save(keys::PARAMS.to_vec(), params);
            Ok::<_, ChainError>(())
        })
        .unwrap();
    chain
}

fn assert_row(row: &Row, chain: &TestChain) {
    let height: i64 = number(row["height"]);
    let params = chain.read(shared::params).unwrap();
    let windows = chain.read(|ctx| Appraiser::new(ctx)?.windows(ctx, height));
    let windows = windows.map_err(|error| error.to_string()).unwrap();
    let end = grid::end(&params, height);
    let unbonding = |sessions| grid::unbonding_end(&params, end, sessions);
    let ours = [
        ("start", grid::start(&params, height)),
        ("end", end),
        ("number", grid::number(&params, height)),
        ("next_start", grid::next_start(&params, height)),
        ("claim_open", windows.claim_open.0),
        ("earliest_claim_commit", windows.claim_open.0),
        ("claim_close", windows.claim_close.0),
        ("proof_open", windows.proof_open.0),
        ("earliest_proof_commit", windows.proof_open.0),
        ("proof_close", windows.proof_close.0),
        ("settlement", grid::settlement(&params, end)),
        (
            "application_transfer_end",
            grid::settlement(&params, grid::end(&params, end)),
        ),
        (
            "num_pending_sessions",
            grid::signed(pending_sessions(&params)),
        ),
        (
            "supplier_unbonding_end",
            unbonding(params.supplier_unbonding_period_sessions),
        ),
        (
            "application_unbonding_end",
            unbonding(params.application_unbonding_period_sessions),
        ),
        (
            "gateway_unbonding_end",
            unbonding(params.gateway_unbonding_period_sessions),
        ),
    ];
    for (column, ours) in ours {
        match row[column] {
            Value::Null => {}
            // The reference's sum wrapped into the past; ours stays at a height no block reaches.
            theirs if height > 1 << 62 && number::<i64>(theirs) < 0 => assert_eq!(ours, i64::MAX),
            theirs => assert_eq!(number::<i64>(theirs), ours, "{column} at {height}: {row:?}"),
        }
    }
    assert_eq!(row["is_end"].as_bool(), Some(grid::is_end(&params, height)));
    let is_start = grid::start(&params, height) == height;
    assert_eq!(row["is_start"].as_bool(), Some(is_start));
    for (window, open, close) in [
        (Window::of_claims(&windows), "claim_open", "claim_close"),
        (Window::of_proofs(&windows), "proof_open", "proof_close"),
    ] {
        let [open, close] = [open, close].map(|column| number::<i64>(row[column]));
        for (at, is_in) in [
            (open - 1, false),
            (open, true),
            (close, true),
            (close + 1, false),
        ] {
            assert_eq!(window.require(Height(at)).is_ok(), is_in, "{at}: {row:?}");
        }
    }
}

/// A claim of the session in a row is dealt with at the end of the row's settlement block, and not before.
fn assert_settled_in_time(row: &Row, chain: &mut TestChain) {
    let settlement: i64 = number(row["settlement"]);
    let header = SessionHeader {
        application_address: person("nobody"),
        service_id: "none".to_owned(),
        session_id: "5e".repeat(32),
        session_start_block_height: number(row["start"]),
        session_end_block_height: number(row["end"]),
    };
    put_claim(chain, &claim_of(&header, &person("operator"), 1, 1, 0));
    for (height, dealt_with) in [(settlement - 1, 0), (settlement, 1)] {
        chain.go_to(height);
        let events = chain
            .run(|ctx| {
                tokenomics::end_block(ctx)?;
                Ok::<_, ChainError>(typed_events(ctx))
            })
            .unwrap();
        // Nobody whom the claim names exists.
        let discarded = events
            .iter()
            .filter(|(kind, _)| kind.ends_with("EventClaimDiscarded"));
        assert_eq!(discarded.count(), dealt_with, "{height}: {row:?}");
    }
}

#[test]
fn windows_of_the_vectors_in_the_state() {
    let session = &poktroll()["session"];
    let params = list(&session["params"]).iter();
    let params = params.map(|params| proto::json::from_json(params).unwrap());
    let mut chains: Vec<TestChain> = params.map(|params: Params| chain_with(&params)).collect();
    let columns: Vec<&str> = list(&session["windows"]["columns"])
        .iter()
        .map(text)
        .collect();
    let mut settled = 0;
    for row in list(&session["windows"]["rows"]) {
        let row: Row = columns.iter().copied().zip(list(row)).collect();
        let chain = &mut chains[number::<usize>(row["params_index"])];
        assert_row(&row, chain);
        if number::<i64>(row["height"]) > 0 {
            assert_settled_in_time(&row, chain);
            settled += 1;
        }
    }
    assert!(settled > 250, "{settled}");
}
