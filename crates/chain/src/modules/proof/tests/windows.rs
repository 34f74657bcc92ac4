//! `session.windows`: grid, windows and settlement of eight sets of params, asked of the state.

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message as _;
use proto::pocket::proof::MsgCreateClaim;
use proto::pocket::session::SessionHeader;
use proto::pocket::shared::msg_update_param::AsType;
use proto::pocket::shared::{MsgUpdateParam, Params};
use protocol::height::Height;
use protocol::params::pending_sessions;
use serde_json::Value;

use super::messages::{CREATE, SUBMIT, claim_of_case, start};
use super::world::*;
use crate::error::ChainError;
use crate::modules::proof::window::Window;
use crate::modules::proof::{self, Appraiser};
use crate::modules::shared::{self, authority, grid, keys};
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

#[test]
fn claim_proof_verdict_and_settlement_share_a_block_where_every_window_is_one_block_long() {
    let case = &list(&poktroll()["proof_chain"]["submit_proof"])[0];
    let proof = bytes(&case["msg_hex"]);
    let claim = claim_of_case(case, text(&case["name"])).unwrap();
    let claim = MsgCreateClaim {
        supplier_operator_address: claim.supplier_operator_address,
        session_header: claim.session_header,
        root_hash: claim.root_hash,
    }
    .encode_to_vec();
    let mut chain = start(Rules::reference(), |world| {
        world.shared.claim_window_open_offset_blocks = 22;
        world.shared.claim_window_close_offset_blocks = 0;
        world.shared.proof_window_open_offset_blocks = 0;
        world.shared.proof_window_close_offset_blocks = 0;
    });
    chain.go_to(142);
    execute(&mut chain, CREATE, &claim).unwrap_err();
    chain.go_to(143);
    execute(&mut chain, SUBMIT, &proof).unwrap_err();
    execute(&mut chain, CREATE, &claim).unwrap();
    execute(&mut chain, SUBMIT, &proof).unwrap();
    let events = chain
        .run(|ctx| {
            proof::end_block(ctx)?;
            tokenomics::end_block(ctx)?;
            Ok::<_, ChainError>(typed_events(ctx))
        })
        .unwrap();
    let of_kind = |suffix: &str| {
        let of_kind = events.iter().filter(|(kind, _)| kind.ends_with(suffix));
        of_kind.count()
    };
    assert_eq!(of_kind("EventProofValidityChecked"), 1, "{events:?}");
    assert_eq!(of_kind("EventClaimSettled"), 1, "{events:?}");
    let left = chain.read(proof::export_genesis).unwrap();
    assert!(left.claim_list.is_empty() && left.proof_list.is_empty());
}

/// A change of one param that moves sessions or windows: height, name, value.
fn changes() -> impl Strategy<Value = Vec<(i64, &'static str, u64)>> {
    let offset = prop::sample::select(vec![
        "claim_window_open_offset_blocks",
        "claim_window_close_offset_blocks",
        "proof_window_open_offset_blocks",
        "proof_window_close_offset_blocks",
        "compute_units_to_tokens_multiplier",
    ]);
    let change = prop_oneof![
        (1..150_i64, Just("num_blocks_per_session"), 2..25_u64),
        (1..150_i64, offset, 0..13_u64),
    ];
    prop::collection::vec(change, 0..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However often params change, a claim meets its settlement in the block that the params of its session's end
    /// name, and the seams of sessions leave no height out.
    #[test]
    fn every_session_settles_once_by_the_params_of_its_end(
        changes in changes(),
        mended in any::<bool>(),
    ) {
        let rules = if mended { Rules::mended() } else { Rules::reference() };
        let mut world = World::new();
        world.shared.application_unbonding_period_sessions = 60;
        world.shared.gateway_unbonding_period_sessions = 60;
        let mut chain = world.start(rules);
        // Session ends, and the blocks that settle them.
        let mut open: BTreeMap<i64, i64> = BTreeMap::new();
        for height in 1..260_i64 {
            chain.go_to(height);
            let before = chain.read(|ctx| shared::params_at(ctx, height - 1)).unwrap();
            let now = chain.read(|ctx| shared::params_at(ctx, height)).unwrap();
            if height > 1 {
                prop_assert_eq!(
                    grid::start(&now, height) == height,
                    grid::is_end(&before, height - 1),
                    "seam at {}", height
                );
            }
            if height > 1 && grid::is_end(&before, height - 1) {
                let end = height - 1;
                let header = SessionHeader {
                    application_address: person("nobody"),
                    service_id: "none".to_owned(),
                    session_id: format!("{end:064x}"),
                    session_start_block_height: grid::start(&before, end),
                    session_end_block_height: end,
                };
                put_claim(&mut chain, &claim_of(&header, &person("operator"), 1, 1, 0));
                open.insert(end, grid::settlement(&before, end));
            }
            for (_, name, value) in changes.iter().filter(|(at, _, _)| *at == height) {
                let message = MsgUpdateParam {
                    authority: authority::gov().to_bech32(),
                    name: (*name).to_owned(),
                    as_type: Some(AsType::AsUint64(*value)),
                };
                // Some do not fit together with the others and are refused.
                let _ = execute(
                    &mut chain,
                    "pocket.shared.MsgUpdateParam",
                    &message.encode_to_vec(),
                );
            }
            chain
                .run(|ctx| {
                    tokenomics::end_block(ctx)?;
                    shared::end_block(ctx)
                })
                .unwrap();
            open.retain(|_, settlement| *settlement > height);
            let left = chain.read(proof::export_genesis).unwrap().claim_list;
            let mut left: Vec<i64> = left
                .into_iter()
                .map(|claim| claim.session_header.unwrap().session_end_block_height)
                .collect();
            left.sort_unstable();
            prop_assert_eq!(left, open.keys().copied().collect::<Vec<_>>(), "after {}", height);
        }
        // The last change came long before the end.
        prop_assert!(open.keys().all(|end| *end > 150));
    }
}
