//! Who takes part, and the chain that they start with.

use chain::genesis::{Document, GenesisBuilder};
use chain::{Rules, bank};
use proto::pocket::shared::{Params, Service};

use crate::support::{CHAIN_ID, address, key};

/// People. Each may be anything: application, gateway, supplier, owner of suppliers and services.
pub(super) const PEOPLE: usize = 20;

/// What everybody owns at first, in upokt.
const FUNDS: u128 = 50_000_000_000;

pub(super) fn name(index: usize) -> String {
    format!("person {index}")
}

pub(super) fn names() -> Vec<String> {
    (0..PEOPLE).map(name).collect()
}

pub(super) fn text(name: &str) -> String {
    address(name).to_bech32()
}

/// Short sessions, so that much settles: 5 blocks, claims at end + 2 to + 4, proofs at + 5 to + 7.
pub(super) const SHARED: Params = Params {
    num_blocks_per_session: 5,
    grace_period_end_offset_blocks: 1,
    claim_window_open_offset_blocks: 1,
    claim_window_close_offset_blocks: 2,
    proof_window_open_offset_blocks: 1,
    proof_window_close_offset_blocks: 2,
    supplier_unbonding_period_sessions: 2,
    application_unbonding_period_sessions: 2,
    compute_units_to_tokens_multiplier: 42_000_000,
    gateway_unbonding_period_sessions: 2,
    compute_unit_cost_granularity: 1_000_000,
    session_grid_anchor_height: 1,
    session_number_at_anchor: 1,
};

/// Genesis: people with keys, three services, nobody staked.
pub(crate) fn document(rules: Rules) -> Document {
    let mut builder = GenesisBuilder::new(CHAIN_ID, "2023-11-14T22:13:20Z");
    for name in names() {
        builder.account(address(&name), Some(key(&name).public()), FUNDS);
    }
    builder.rules = rules;
    builder.shared.params = SHARED;
    builder.session.params.num_suppliers_per_session = 4;
    builder.application.params.max_delegated_gateways = 2;
    builder.proof.params.proof_request_probability = 0.5;
    builder.proof.params.proof_requirement_threshold = Some(bank::upokt(400_000_000));
    builder.proof.params.proof_missing_penalty = Some(bank::upokt(700_000));
    builder.proof.params.proof_submission_fee = Some(bank::upokt(3));
    builder.supplier.params.staking_fee = Some(bank::upokt(7));
    builder.service.params.target_num_relays = 4;
    builder.tokenomics.params.mint_ratio = 0.975;
    builder.service.service_list = (0..3)
        .map(|index| Service {
            id: format!("svc{index}"),
            name: format!("service {index}"),
            compute_units_per_relay: 600_000 * (index + 1),
            owner_address: text(&name(usize::try_from(index).unwrap())),
            ..Default::default()
        })
        .collect();
    let mut document = builder.build().unwrap();
    let grants = proto::json::to_json(&super::authorised::genesis()).unwrap();
    let grants = serde_json::from_str(&grants).unwrap();
    document.app_state.insert("authz".to_owned(), grants);
    super::validators::genesis(&mut document.app_state);
    document
}
