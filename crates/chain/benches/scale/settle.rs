//! Claims of one session end settled in one block.

use chain::modules::proof;
use chain::{Application, Options};
use proto::pocket::proof::{Claim, ClaimProofStatus};

use crate::measure::{cost, each, load};
use crate::state::{self, Network, SESSION_END, SETTLEMENT, WEIGHT, header};

const RELAYS: u64 = 100;

pub(crate) fn run() {
    println!(
        "| claims | finalize, wall | CPU | CPU a claim | memory | events | bytes of events | commit, CPU | load |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for claims in [10_000, 30_000, 100_000] {
        settle(claims);
    }
}

fn settle(claims: usize) {
    let directory = tempfile::tempdir().unwrap();
    state::start(directory.path(), |_| {});
    let network = Network::of(claims, |name| state::address(&name).to_bech32());
    state::write(directory.path(), |ctx| {
        network.put(ctx);
        let claim_list: Vec<Claim> = network
            .pairs()
            .map(|(app, service, operator)| claim(app, service, operator))
            .collect();
        assert_eq!(claim_list.len(), claims);
        let params = proof::params(ctx).unwrap();
        let genesis = proto::pocket::proof::GenesisState {
            params,
            claim_list,
            ..Default::default()
        };
        proof::init_genesis(ctx, genesis).unwrap();
    });
    let mut application = Application::open(directory.path(), Options::default()).unwrap();
    state::run_to(&mut application, SETTLEMENT - 1);
    let (response, finalize) = cost(|| state::execute(&mut application, SETTLEMENT, Vec::new()));
    let (_, commit) = cost(|| application.commit().unwrap());
    let settled = response.events.iter();
    let settled = settled.filter(|event| event.r#type == "pocket.tokenomics.EventClaimSettled");
    assert_eq!(settled.count(), claims);
    let bytes = response.events.iter().flat_map(|event| &event.attributes);
    let bytes: usize = bytes.map(|pair| pair.key.len() + pair.value.len()).sum();
    println!(
        "| {claims} | {:.2} s | {:.2} s | {:.1} µs | {} MiB | {} | {} MB | {:.2} s | {} |",
        finalize.wall.as_secs_f64(),
        finalize.cpu.as_secs_f64(),
        each(finalize.cpu, claims as u64),
        finalize.memory_mib,
        response.events.len(),
        bytes / 1_000_000,
        commit.cpu.as_secs_f64(),
        load(),
    );
    // Nothing is left to settle.
    let next = state::execute(&mut application, SETTLEMENT + 1, Vec::new());
    assert!(next.events.len() < 100, "{} events", next.events.len());
    assert_eq!(SESSION_END + 10, SETTLEMENT);
}

fn claim(app: &str, service: &str, operator: &str) -> Claim {
    let mut root = crypto::hash::sha256(format!("{app}{operator}").as_bytes()).to_vec();
    root.extend_from_slice(&(RELAYS * WEIGHT).to_be_bytes());
    root.extend_from_slice(&RELAYS.to_be_bytes());
    Claim {
        supplier_operator_address: operator.to_owned(),
        session_header: Some(header(app, service)),
        root_hash: root.into(),
        proof_validation_status: ClaimProofStatus::Validated.into(),
    }
}
