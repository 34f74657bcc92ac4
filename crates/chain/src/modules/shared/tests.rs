//! Params: when a change counts, and the two mended rules.

use proto::pocket::application::MsgUnstakeApplication;
use proto::pocket::shared::msg_update_param::AsType;
use proto::pocket::shared::{GenesisState, MsgUpdateParam, MsgUpdateParams, Params, ParamsUpdate};

use super::{authority, params, params_at};
use crate::error::GrpcCode;
use crate::modules::application;
use crate::modules::tests::fixture::{self, PARAMS, address, send};
use crate::router;
use crate::rules::Rules;
use crate::testing::{TestChain, refused};

fn update(name: &str, value: u64) -> MsgUpdateParam {
    MsgUpdateParam {
        authority: authority::gov().to_bech32(),
        name: name.to_owned(),
        as_type: Some(AsType::AsUint64(value)),
    }
}

#[test]
fn bytes_that_are_no_message_are_no_request() {
    let chain = fixture::chain(Rules::reference(), &[]);
    let ask = |method: &str, data: &[u8]| {
        let path = format!("/pocket.shared.Query/{method}");
        chain.read(|ctx| router::query(ctx, &path, data))
    };
    assert!(ask("Params", &[]).is_ok());
    // An unknown field may be there.
    assert!(ask("Params", &[0x7a, 0]).is_ok());
    let code = |method, data| ask(method, data).unwrap_err().grpc;
    assert_eq!(code("Params", b"zz"), GrpcCode::Internal);
    assert_eq!(code("Nothing", b"zz"), GrpcCode::Unimplemented);
}

#[test]
fn a_change_that_moves_no_window_is_live_at_once_and_counts_from_the_next_session() {
    let mut chain = fixture::chain(Rules::reference(), &[]);
    chain.go_to(15);
    send(&mut chain, &update("compute_units_to_tokens_multiplier", 9)).unwrap();
    chain.read(|ctx| {
        assert_eq!(params(ctx).unwrap().compute_units_to_tokens_multiplier, 9);
        assert_eq!(params_at(ctx, 20).unwrap(), PARAMS);
        assert_eq!(
            params_at(ctx, 21)
                .unwrap()
                .compute_units_to_tokens_multiplier,
            9
        );
    });
}

#[test]
fn a_change_of_a_window_becomes_live_at_the_end_of_its_first_block() {
    let mut chain = fixture::chain(Rules::reference(), &[]);
    chain.go_to(15);
    send(&mut chain, &update("proof_window_close_offset_blocks", 5)).unwrap();
    let live = |chain: &TestChain| chain.read(|ctx| params(ctx).unwrap());
    fixture::run_to(&mut chain, 21);
    assert_eq!(live(&chain), PARAMS);
    fixture::end_block(&mut chain);
    assert_eq!(
        live(&chain),
        Params {
            proof_window_close_offset_blocks: 5,
            ..PARAMS
        }
    );
}

#[test]
fn a_second_change_of_a_session_undoes_the_pending_one_unless_mended() {
    let pending = |rules| {
        let mut chain = fixture::chain(rules, &[]);
        chain.go_to(15);
        send(&mut chain, &update("proof_window_close_offset_blocks", 5)).unwrap();
        send(&mut chain, &update("compute_units_to_tokens_multiplier", 9)).unwrap();
        chain.read(|ctx| params_at(ctx, 21).unwrap())
    };
    let changed = Params {
        compute_units_to_tokens_multiplier: 9,
        ..PARAMS
    };
    assert_eq!(pending(Rules::reference()), changed);
    let both = Params {
        proof_window_close_offset_blocks: 5,
        ..changed
    };
    assert_eq!(pending(Rules::mended()), both);
}

#[test]
fn an_unstake_in_the_first_block_of_a_new_length_ends_with_the_old_session_length_unless_mended() {
    let stopped = |rules| {
        let mut chain = fixture::chain(rules, &["app"]);
        send(
            &mut chain,
            &crate::modules::application::tests::stake("app", 2_000, "svc1"),
        )
        .unwrap();
        chain.go_to(15);
        send(&mut chain, &update("num_blocks_per_session", 20)).unwrap();
        fixture::run_to(&mut chain, 21);
        let message = MsgUnstakeApplication {
            address: address("app"),
        };
        send(&mut chain, &message).unwrap();
        let app = chain.read(|ctx| application::get(ctx, &address("app")).unwrap().unwrap());
        app.unstake_session_end_height
    };
    assert_eq!(stopped(Rules::reference()), 30);
    assert_eq!(stopped(Rules::mended()), 40);
}

#[test]
fn only_governance_changes_params() {
    let mut chain = fixture::chain(Rules::reference(), &[]);
    let message = MsgUpdateParams {
        authority: address("eve"),
        params: PARAMS,
    };
    let log = refused(send(&mut chain, &message), "undefined", 1).unwrap();
    assert!(
        log.starts_with("rpc error: code = PermissionDenied desc = invalid authority; expected")
    );
    assert!(log.ends_with("expected gov account as only signer for proposal message"));
}

#[test]
fn params_that_do_not_fit_together_are_refused_by_the_state_machine() {
    let mut chain = fixture::chain(Rules::reference(), &[]);
    let message = update("proof_window_close_offset_blocks", 14);
    let log = refused(send(&mut chain, &message).map(drop), "undefined", 1);
    // Two sessions of ten blocks still cover 19 blocks; 20 more do not.
    assert!(log.is_err());
    let message = update("proof_window_close_offset_blocks", 30);
    let log = refused(send(&mut chain, &message), "undefined", 1).unwrap();
    assert!(
        log.contains("SupplierUnbondingPeriodSessions (2 session) (20 blocks)"),
        "{log}"
    );
}

#[test]
fn a_genesis_with_an_unordered_history_is_refused_by_place() {
    let entry = |effective_height| ParamsUpdate {
        effective_height,
        params: Some(PARAMS),
    };
    let state = GenesisState {
        params: PARAMS,
        params_history: vec![entry(5), entry(5)],
    };
    let mut chain = TestChain::new(Rules::reference());
    let error = chain
        .run(|ctx| super::init_genesis(ctx, state))
        .unwrap_err();
    assert_eq!(error.path, "params_history.1");
    let mut chain = fixture::chain(Rules::reference(), &[]);
    assert!(
        chain
            .run(|ctx| super::init_genesis(ctx, GenesisState::default()))
            .is_err()
    );
}
