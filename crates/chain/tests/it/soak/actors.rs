//! Who takes part, and the chain that they start with.

use chain::auth::Account;
use chain::genesis::{Document, GenesisBuilder};
use chain::{Rules, bank};
use proto::cosmos::auth::v1beta1::{BaseAccount, GenesisState};
use proto::cosmos::vesting::v1beta1::{
    BaseVestingAccount, ContinuousVestingAccount, DelayedVestingAccount, Period,
    PeriodicVestingAccount, PermanentLockedAccount,
};
use proto::pocket::shared::{Params, Service};

use crate::support::{CHAIN_ID, START, address, key};

/// People with a key of their own. Each may be anything: application, gateway, supplier, owner of suppliers and services.
pub(super) const PEOPLE: usize = 20;

/// The last of them own coins that are bound for a while.
pub(super) const VESTING: usize = 4;

/// People who decide together.
pub(super) const COMMITTEE: &str = "2 of person 1, person 2, person 3";

/// What everybody owns at first, in upokt.
const FUNDS: u128 = 50_000_000_000;

pub(super) fn name(index: usize) -> String {
    format!("person {index}")
}

/// Everybody who signs.
pub(super) fn names() -> Vec<String> {
    let people = (0..PEOPLE).map(name);
    people.chain([COMMITTEE.to_owned()]).collect()
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
        // A key of several is told by the first signature.
        let key = (name != COMMITTEE).then(|| key(&name).public());
        builder.account(address(&name), key, FUNDS);
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
    bind(&mut document);
    let grants = proto::json::to_json(&super::authorised::genesis()).unwrap();
    let grants = serde_json::from_str(&grants).unwrap();
    document.app_state.insert("authz".to_owned(), grants);
    super::validators::genesis(&mut document.app_state);
    document
}

/// Binds most coins of the last people, each in a way of its own.
fn bind(document: &mut Document) {
    let section = document.app_state.get("auth").unwrap();
    let mut auth: GenesisState = proto::json::from_json(section).unwrap();
    for kind in 0..VESTING {
        let address = text(&name(PEOPLE - VESTING + kind));
        let account = auth.accounts.iter_mut();
        let account = account.map(|any| (Account::from_any(any).unwrap(), any));
        let mut same = account.filter(|(account, _)| account.base().unwrap().address == address);
        let (account, any) = same.next().unwrap();
        let base = account.base().unwrap().clone();
        *any = vesting(kind, base).to_any();
    }
    let json = proto::json::to_json(&auth).unwrap();
    let section = serde_json::from_str(&json).unwrap();
    document.app_state.insert("auth".to_owned(), section);
}

fn vesting(kind: usize, base_account: BaseAccount) -> Account {
    let original = FUNDS / 10 * 9;
    let mut own = BaseVestingAccount {
        base_account: Some(base_account),
        original_vesting: vec![bank::upokt(original)],
        end_time: START + 4_000,
        ..Default::default()
    };
    let start_time = START + 20;
    match kind {
        0 => Account::ContinuousVesting(ContinuousVestingAccount {
            base_vesting_account: Some(own),
            start_time,
        }),
        1 => Account::DelayedVesting(DelayedVestingAccount {
            base_vesting_account: Some(own),
        }),
        2 => {
            let period = Period {
                length: 1_000,
                amount: vec![bank::upokt(original / 3)],
            };
            own.end_time = start_time + 3_000;
            Account::PeriodicVesting(PeriodicVestingAccount {
                base_vesting_account: Some(own),
                start_time,
                vesting_periods: vec![period; 3],
            })
        }
        _ => {
            own.end_time = 0;
            Account::PermanentLocked(PermanentLockedAccount {
                base_vesting_account: Some(own),
            })
        }
    }
}

/// What the last people may not have given away, at least: counted from the start, without what the chain keeps.
pub(super) fn bound_at(kind: usize, seconds: i64) -> u128 {
    let original = FUNDS / 10 * 9;
    let since = u128::try_from((seconds - START - 20).max(0)).unwrap();
    match kind {
        // Rounded down here: some coin less than the chain.
        0 => original * 3_980_u128.saturating_sub(since) / 3_980,
        1 if seconds < START + 4_000 => original,
        2 => original / 3 * 3_u128.saturating_sub(since / 1_000),
        1 => 0,
        _ => original,
    }
}
