//! Grid, windows, ids and supplier choice.

use proptest::prelude::*;
use proto::pocket::shared::Params;
use protocol::Height;
use protocol::params::pending_sessions;
use protocol::session::{
    Grid, SessionId, Windows, is_active, select_suppliers, session_id, session_preimage,
    supplier_weight,
};
use serde_json::Value;

use crate::vectors::{bytes, list, number, poktroll, relay_protocol, text};

pub(crate) fn params_of(value: &Value) -> Params {
    let field = |name: &str| number(&value[name]);
    Params {
        num_blocks_per_session: field("num_blocks_per_session"),
        grace_period_end_offset_blocks: field("grace_period_end_offset_blocks"),
        claim_window_open_offset_blocks: field("claim_window_open_offset_blocks"),
        claim_window_close_offset_blocks: field("claim_window_close_offset_blocks"),
        proof_window_open_offset_blocks: field("proof_window_open_offset_blocks"),
        proof_window_close_offset_blocks: field("proof_window_close_offset_blocks"),
        supplier_unbonding_period_sessions: field("supplier_unbonding_period_sessions"),
        application_unbonding_period_sessions: field("application_unbonding_period_sessions"),
        compute_units_to_tokens_multiplier: field("compute_units_to_tokens_multiplier"),
        gateway_unbonding_period_sessions: field("gateway_unbonding_period_sessions"),
        compute_unit_cost_granularity: field("compute_unit_cost_granularity"),
        session_grid_anchor_height: field("session_grid_anchor_height"),
        session_number_at_anchor: field("session_number_at_anchor"),
    }
}

fn grid_of_blocks(blocks: u64) -> Grid {
    Grid::new(&Params {
        num_blocks_per_session: blocks,
        ..Params::default()
    })
    .unwrap()
}

/// `session.params` and `session.windows`: every column of every row.
#[test]
fn windows_at_every_height_of_eight_grids() {
    let session = &poktroll()["session"];
    let params: Vec<Params> = list(&session["params"]).iter().map(params_of).collect();
    let columns: Vec<&str> = list(&session["windows"]["columns"])
        .iter()
        .map(text)
        .collect();
    for row in list(&session["windows"]["rows"]) {
        let row: std::collections::BTreeMap<&str, &Value> =
            columns.iter().copied().zip(list(row)).collect();
        let params = &params[number::<usize>(row["params_index"])];
        let grid = Grid::new(params).unwrap();
        let height = Height(number(row["height"]));
        let windows = Windows::of_height(params, &grid, height);
        // A transfer stores the end of the current session and later asks for the end of the session of that height.
        let transfer = Windows::of_height(params, &grid, grid.end(height));
        let unbonding = |sessions: u64| {
            grid.end(height)
                .plus(sessions * params.num_blocks_per_session)
        };
        let numbers = [
            ("start", grid.start(height).0),
            ("end", grid.end(height).0),
            ("number", grid.number(height)),
            ("next_start", grid.next_start(height).0),
            ("grace_end", windows.grace_end.0),
            ("claim_open", windows.claim_open.0),
            ("earliest_claim_commit", windows.claim_open.0),
            ("claim_close", windows.claim_close.0),
            ("proof_open", windows.proof_open.0),
            ("earliest_proof_commit", windows.proof_open.0),
            ("proof_close", windows.proof_close.0),
            ("settlement", windows.settlement().0),
            ("application_transfer_end", transfer.settlement().0),
            (
                "num_pending_sessions",
                pending_sessions(params).cast_signed(),
            ),
            (
                "supplier_unbonding_end",
                unbonding(params.supplier_unbonding_period_sessions).0,
            ),
            (
                "application_unbonding_end",
                unbonding(params.application_unbonding_period_sessions).0,
            ),
            (
                "gateway_unbonding_end",
                unbonding(params.gateway_unbonding_period_sessions).0,
            ),
        ];
        let mut checked = 2 + 3;
        for (column, ours) in numbers {
            checked += 1;
            match row[column] {
                Value::Null => {}
                // The reference's sum wrapped into the past; ours stays at a height no block reaches.
                wrapped if height.0 > 1 << 62 && number::<i64>(wrapped) < 0 => {
                    assert_eq!(ours, i64::MAX, "{column} at {height}: {row:?}");
                }
                value => assert_eq!(number::<i64>(value), ours, "{column} at {height}: {row:?}"),
            }
        }
        for (column, ours) in [
            ("is_start", grid.is_start(height)),
            ("is_end", grid.is_end(height)),
            (
                "grace_elapsed_at_end_plus_grace",
                windows.grace_is_over(windows.grace_end),
            ),
        ] {
            assert_eq!(
                row[column].as_bool(),
                Some(ours),
                "{column} at {height}: {row:?}"
            );
        }
        assert_eq!(
            checked,
            columns.len(),
            "a column without a check: {columns:?}"
        );
    }
}

/// `session.session_id`.
#[test]
fn session_ids_of_the_reference() {
    let session = &poktroll()["session"];
    for case in list(&session["session_id"]) {
        let params = params_of(&session["params"][number::<usize>(&case["params_index"])]);
        let start = Grid::new(&params)
            .unwrap()
            .start(Height(number(&case["height"])));
        assert_eq!(start.0, number::<i64>(&case["start"]));
        let hash = bytes(&case["block_hash"]);
        let preimage =
            session_preimage(&hash, text(&case["service_id"]), text(&case["app"]), start);
        assert_eq!(hex::encode(&preimage), text(&case["preimage"]));
        assert_eq!(session_id(&preimage).to_string(), text(&case["session_id"]));
    }
}

/// `relay-protocol-vectors.json` `session_id`: answers known from the reference's own tests.
#[test]
fn session_ids_with_known_answers() {
    for case in list(&relay_protocol()["session_id"]["items"]) {
        let preimage = session_preimage(
            &bytes(&case["block_hash_at_start"]),
            text(&case["service_id"]),
            text(&case["app"]),
            Height(number(&case["start_height"])),
        );
        let id = session_id(&preimage);
        assert_eq!(id.to_string(), text(&case["session_id"]));
        assert_eq!(SessionId::parse(text(&case["session_id"])), Some(id));
    }
}

/// `session_and_selection_example`, and the session of `end_to_end`, which is the same.
#[test]
fn the_worked_example_of_a_session() {
    for example in [
        &relay_protocol()["session_and_selection_example"],
        &relay_protocol()["end_to_end"]["session"],
    ] {
        let grid = grid_of_blocks(number(&example["num_blocks_per_session"]));
        let height = Height(number(&example["query_height"]));
        assert_eq!(grid.start(height).0, number::<i64>(&example["start"]));
        assert_eq!(grid.end(height).0, number::<i64>(&example["end"]));
        assert_eq!(grid.number(height), number::<i64>(&example["number"]));
        let preimage = session_preimage(
            &bytes(&example["block_hash_at_start"]),
            text(&example["service_id"]),
            text(&example["app"]),
            grid.start(height),
        );
        assert_eq!(hex::encode(&preimage), text(&example["preimage"]));
        assert_eq!(
            session_id(&preimage).to_string(),
            text(&example["session_id"])
        );
        for candidate in list(&example["candidates"]) {
            let weight = supplier_weight(&preimage, text(&candidate["addr"]));
            assert_eq!(weight, number::<i64>(&candidate["weight"]));
        }
        let candidates = list(&example["candidates"])
            .iter()
            .map(|c| text(&c["addr"]))
            .collect();
        let selected = select_suppliers(&preimage, candidates, |operator| *operator, 3);
        let expected: Vec<&str> = list(&example["selected_3"]).iter().map(text).collect();
        assert_eq!(selected, expected);
    }
}

struct Candidate {
    operator: String,
    activation: i64,
    deactivation: i64,
}

fn candidates_of(case: &Value) -> Vec<Candidate> {
    if let Some(compact) = case.get("candidates_operator_activation_deactivation") {
        return list(compact)
            .iter()
            .map(|row| {
                let mut parts = text(row).split('/');
                let mut next = || parts.next().unwrap();
                Candidate {
                    operator: next().to_owned(),
                    activation: next().parse().unwrap(),
                    deactivation: next().parse().unwrap(),
                }
            })
            .collect();
    }
    list(&case["candidates"])
        .iter()
        .map(|row| Candidate {
            operator: text(&row["operator"]).to_owned(),
            activation: number(&row["activation"]),
            deactivation: number(&row["deactivation"]),
        })
        .collect()
}

/// `session.supplier_selection`: up to 1,000 candidates, some of them not active.
#[test]
fn the_reference_chooses_the_same_suppliers() {
    for case in list(&poktroll()["session"]["supplier_selection"]) {
        if case["error"].is_string() {
            // No candidate at all: the chain's error, nothing to choose from.
            assert!(case["candidates"].is_null());
            continue;
        }
        let grid = grid_of_blocks(number(&case["num_blocks_per_session"]));
        let height = Height(number(&case["query_height"]));
        let preimage = session_preimage(
            &bytes(&case["block_hash_at_start"]),
            text(&case["service_id"]),
            text(&case["app"]),
            grid.start(height),
        );
        assert_eq!(session_id(&preimage).to_string(), text(&case["session_id"]));
        assert_eq!(grid.number(height), number::<i64>(&case["session_number"]));
        let header = &case["header"];
        assert_eq!(
            grid.start(height).0,
            number::<i64>(&header["session_start_block_height"])
        );
        assert_eq!(
            grid.end(height).0,
            number::<i64>(&header["session_end_block_height"])
        );

        let mut candidates = candidates_of(case);
        candidates.sort_by(|a, b| {
            a.activation
                .cmp(&b.activation)
                .then_with(|| a.operator.cmp(&b.operator))
        });
        let active: Vec<String> = candidates
            .into_iter()
            .filter(|c| is_active(Height(c.activation), Height(c.deactivation), height))
            .map(|c| c.operator)
            .collect();
        let count = number(&case["num_suppliers_per_session"]);
        let selected = select_suppliers(&preimage, active, |operator| operator, count);
        let expected: Vec<&str> = list(&case["selected_in_order"]).iter().map(text).collect();
        assert_eq!(
            selected,
            expected,
            "{count} of {}",
            text(&case["session_id"])
        );
    }
}

/// `session.grid_after_param_changes`: the grid that each stored parameter epoch gives, at every height it governs.
#[test]
fn the_grid_follows_parameter_changes() {
    let group = &poktroll()["session"]["grid_after_param_changes"];
    let columns: Vec<&str> = list(&group["columns"]).iter().map(text).collect();
    let column = |row: &Value, name: &str| -> i64 {
        let index = columns.iter().position(|column| *column == name).unwrap();
        number(&row[index])
    };
    for row in list(&group["rows"]) {
        let params = Params {
            num_blocks_per_session: column(row, "n_at_height").cast_unsigned(),
            session_grid_anchor_height: column(row, "anchor").cast_unsigned(),
            session_number_at_anchor: column(row, "anchor_number").cast_unsigned(),
            ..Params::default()
        };
        let grid = Grid::new(&params).unwrap();
        let height = Height(column(row, "height"));
        assert_eq!(
            grid.start(height).0,
            column(row, "start"),
            "start at {height}"
        );
        assert_eq!(grid.end(height).0, column(row, "end"), "end at {height}");
        assert_eq!(
            grid.number(height),
            column(row, "number"),
            "number at {height}"
        );
    }
}

#[test]
fn fifty_of_a_hundred_thousand_candidates() {
    let operators: Vec<String> = (0..100_000).map(|i| format!("operator-{i}")).collect();
    let mut weights: Vec<i64> = operators
        .iter()
        .map(|operator| supplier_weight(b"preimage", operator))
        .collect();
    weights.sort_unstable();
    let selected = select_suppliers(b"preimage", operators, |operator| operator, 50);
    let chosen: Vec<i64> = selected
        .iter()
        .map(|s| supplier_weight(b"preimage", s))
        .collect();
    assert_eq!(chosen, weights[..50]);
}

#[test]
fn heights_near_the_end_of_time_neither_wrap_nor_panic() {
    let params = Params {
        num_blocks_per_session: u64::MAX >> 1,
        proof_window_close_offset_blocks: u64::MAX,
        session_grid_anchor_height: 5,
        session_number_at_anchor: u64::MAX >> 1,
        ..Params::default()
    };
    let grid = Grid::new(&params).unwrap();
    for height in [i64::MIN, -1, 0, 1, 4, 5, i64::MAX] {
        let height = Height(height);
        let windows = Windows::of_height(&params, &grid, height);
        assert!(windows.proof_close >= windows.proof_open);
        assert!(grid.end(height) >= grid.start(height));
    }
    assert!(
        Grid::new(&Params {
            num_blocks_per_session: 0,
            ..params
        })
        .is_err()
    );
    assert!(
        Grid::new(&Params {
            num_blocks_per_session: 1 << 63,
            ..params
        })
        .is_err()
    );
}

proptest! {
    /// The naive model: hash all, sort all, take the first.
    #[test]
    fn partial_selection_equals_a_full_sort(
        preimage in proptest::collection::vec(any::<u8>(), 0..200),
        candidates in 0usize..120,
        count in 0usize..130,
    ) {
        let operators: Vec<String> = (0..candidates).map(|i| format!("operator-{i}")).collect();
        let mut model = operators.clone();
        if candidates >= count {
            model.sort_by_key(|operator| (supplier_weight(&preimage, operator), operator.clone()));
            model.truncate(count);
        }
        prop_assert_eq!(select_suppliers(&preimage, operators, |operator| operator, count), model);
    }

    /// Sessions tile the heights: each height is in exactly one, and the next begins where one ends.
    #[test]
    fn sessions_tile_the_heights(
        blocks in 1u64..200,
        anchor in 0u64..2_000,
        number in 0u64..50,
        height in 1i64..10_000,
    ) {
        let params = Params {
            num_blocks_per_session: blocks,
            session_grid_anchor_height: anchor,
            session_number_at_anchor: number,
            ..Params::default()
        };
        let grid = Grid::new(&params).unwrap();
        let height = Height(height);
        let (start, end) = (grid.start(height), grid.end(height));
        // An epoch begins where a session of the one before ends; inside of a session no anchor can be.
        prop_assume!(anchor <= start.0.cast_unsigned() || anchor > (end.0 + 1).cast_unsigned());
        prop_assert!(start <= height && height <= end);
        prop_assert_eq!(grid.start(end), start);
        prop_assert_eq!(grid.end(start), end);
        prop_assert_eq!(grid.next_start(height), end.next());
        prop_assert_eq!(grid.start(end.next()), end.next());
        prop_assert_eq!(grid.number(end.next()), grid.number(height) + 1);
    }
}
