//! Proofs that arrive in one block, and their validation at its end.

use std::collections::BTreeMap;

use chain::modules::proof;
use chain::prices::BLOCK_GAS_MAX;
use chain::{Application, Options};
use crypto::keys::SecretKey;
use crypto::ring::Signer;
use prost::Message as _;
use proto::cosmos::crypto::secp256k1::PubKey;
use proto::cosmos::tx::signing::v1beta1::SignMode;
use proto::cosmos::tx::v1beta1::mode_info::{Single, Sum};
use proto::cosmos::tx::v1beta1::{AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw};
use proto::pocket::proof::{Claim, ClaimProofStatus, MsgSubmitProof, Proof};
use protocol::claim::proof_path;
use protocol::difficulty::BASE_TARGET;
use protocol::ring::placeholder_key;
use tendermint_proto::v0_38::abci::ResponseFinalizeBlock;

use crate::measure::{Cost, cost, each, load};
use crate::state::{self, CHAIN_ID, Network, SEED_BLOCK, WEIGHT, header, key};
use crate::work::Job;

/// Relays of each claim.
const RELAYS: u64 = 4;
/// Proofs of a transaction: all of a supplier.
const BLOCK: i64 = 17;

/// More proofs than the gas of a block allows on our own networks.
const MORE_THAN_FIT: usize = 16_000;

pub(crate) fn run() {
    println!("| proofs | threads | what | gas | wall | CPU | CPU a proof | load |");
    println!("|---:|---:|---|---:|---:|---:|---:|---:|");
    for proofs in [1_000, 3_000, 10_000] {
        let made = make(proofs);
        for threads in [1, 2] {
            validate(&made, threads);
            transact(&made, threads, -1);
        }
    }
    let made = make(MORE_THAN_FIT);
    for threads in [1, 2] {
        transact(&made, threads, BLOCK_GAS_MAX);
    }
}

/// Claims and their proofs, and the network they belong to.
struct Made {
    network: Network,
    claims: Vec<Claim>,
    proofs: Vec<Proof>,
}

/// The key of an actor by name; addresses follow from keys here, because they sign.
fn actor(name: &str) -> (SecretKey, String) {
    let key = key(name);
    let address = key.public().address().to_bech32();
    (key, address)
}

fn make(count: usize) -> Made {
    let named = Network::of(count, |name| name);
    let network = Network::of(count, |name| actor(&name).1);
    let pairs: Vec<_> = named.pairs().collect();
    let half = pairs.len().div_ceil(2);
    let made = std::thread::scope(|scope| {
        let parts: Vec<_> = pairs
            .chunks(half)
            .map(|part| scope.spawn(move || some(part)))
            .collect();
        let joined = parts.into_iter().flat_map(|part| part.join().unwrap());
        joined.collect::<Vec<_>>()
    });
    let (claims, proofs) = made.into_iter().unzip();
    Made {
        network,
        claims,
        proofs,
    }
}

/// Claims and proofs of some pairs; those of an application stand together.
fn some(pairs: &[(&str, &str, &str)]) -> Vec<(Claim, Proof)> {
    let by_app = pairs.chunk_by(|one, other| one.0 == other.0);
    let of_app = by_app.flat_map(|pairs| {
        let (app_key, app) = actor(pairs[0].0);
        let ring = vec![app_key.public(), placeholder_key()];
        let signer = Signer::new(app_key, ring).unwrap();
        let of_pair = pairs
            .iter()
            .map(|(_, service, supplier)| one(&app, &signer, service, supplier));
        of_pair.collect::<Vec<_>>()
    });
    of_app.collect()
}

fn one(app: &str, signer: &Signer, service: &str, supplier: &str) -> (Claim, Proof) {
    let (operator, operator_address) = actor(supplier);
    let header = header(app, service);
    let job = Job {
        header: &header,
        ring: signer,
        operator: &operator,
        operator_address: &operator_address,
        weight: WEIGHT,
        target: &BASE_TARGET,
    };
    let tree = job.mine(RELAYS, 0);
    let challenge = proof_path(&state::hash(SEED_BLOCK), &header.session_id);
    let claim = Claim {
        supplier_operator_address: operator_address.clone(),
        session_header: Some(header.clone()),
        root_hash: tree.root(),
        proof_validation_status: ClaimProofStatus::PendingValidation.into(),
    };
    let proof = Proof {
        supplier_operator_address: operator_address,
        session_header: Some(header),
        closest_merkle_proof: tree.prove(&challenge),
    };
    (claim, proof)
}

/// A chain before [`BLOCK`] with the claims in its state; the accounts' numbers by supplier.
fn prepare(made: &Made, directory: &std::path::Path, proofs: &[Proof], gas_max: i64) -> Vec<u64> {
    state::start(directory, |builder| {
        builder.session.params.num_suppliers_per_session = 51;
        builder.proof.params.proof_request_probability = 1.0;
        builder.consensus = builder.consensus.clone().with_block_gas_max(gas_max);
    });
    let named = Network::of(made.claims.len(), |name| name);
    let mut numbers = Vec::new();
    state::write(directory, |ctx| {
        made.network.put(ctx);
        for (app, _) in &named.apps {
            state::put_account(ctx, &key(app));
        }
        for (supplier, _) in &named.suppliers {
            numbers.push(state::put_account(ctx, &key(supplier)));
        }
        let params = proof::params(ctx).unwrap();
        let genesis = proto::pocket::proof::GenesisState {
            params,
            claim_list: made.claims.clone(),
            ..Default::default()
        };
        proof::init_genesis(ctx, genesis).unwrap();
    });
    let mut application = Application::open(directory, Options::default()).unwrap();
    state::run_to(&mut application, BLOCK - 2);
    drop(application);
    state::write(directory, |ctx| {
        let params = proof::params(ctx).unwrap();
        let genesis = proto::pocket::proof::GenesisState {
            params,
            proof_list: proofs.to_vec(),
            ..Default::default()
        };
        proof::init_genesis(ctx, genesis).unwrap();
    });
    numbers
}

fn options(threads: usize) -> Options {
    Options {
        threads,
        ..Options::default()
    }
}

fn report(count: usize, threads: usize, what: &str, gas: i64, cost: &Cost) {
    println!(
        "| {count} | {threads} | {what} | {gas} | {:.2} s | {:.2} s | {:.0} µs | {} |",
        cost.wall.as_secs_f64(),
        cost.cpu.as_secs_f64(),
        each(cost.cpu, count as u64),
        load(),
    );
}

/// How many proofs were found valid.
fn valid(response: &ResponseFinalizeBlock) -> usize {
    let checked = response.events.iter().filter(|event| {
        event.r#type == "pocket.proof.EventProofValidityChecked"
            && event
                .attributes
                .iter()
                .any(|pair| pair.key == "claim_proof_status_int" && pair.value == "1")
    });
    checked.count()
}

/// Proofs that are in the state already: EndBlock alone.
fn validate(made: &Made, threads: usize) {
    let directory = tempfile::tempdir().unwrap();
    prepare(made, directory.path(), &made.proofs, -1);
    let mut application = Application::open(directory.path(), options(threads)).unwrap();
    let (response, cost) = cost(|| state::execute(&mut application, BLOCK, Vec::new()));
    assert_eq!(valid(&response), made.proofs.len());
    let what = "validated at the end of a block";
    report(made.proofs.len(), threads, what, 0, &cost);
}

/// Proofs that come in transactions, one for each supplier; as many as the gas of a block allows.
fn transact(made: &Made, threads: usize, gas_max: i64) {
    let directory = tempfile::tempdir().unwrap();
    let numbers = prepare(made, directory.path(), &[], gas_max);
    let named = Network::of(made.claims.len(), |name| name);
    let mut by_supplier = BTreeMap::<&str, Vec<&Proof>>::new();
    for proof in &made.proofs {
        let operator = proof.supplier_operator_address.as_str();
        by_supplier.entry(operator).or_default().push(proof);
    }
    let txs = named.suppliers.iter().zip(numbers);
    let txs = txs.map(|((supplier, _), number)| transaction(&by_supplier, supplier, number));
    let txs = txs.collect();
    let mut application = Application::open(directory.path(), options(threads)).unwrap();
    let (response, cost) = cost(|| state::execute(&mut application, BLOCK, txs));
    let accepted = response.tx_results.iter().filter(|result| result.code == 0);
    let gas = accepted.map(|result| result.gas_used).sum();
    let what = if gas_max < 0 {
        for result in &response.tx_results {
            assert_eq!(result.code, 0, "{}", result.log);
        }
        assert_eq!(valid(&response), made.proofs.len());
        "the whole block with their transactions"
    } else {
        let first = response.tx_results.iter().find(|result| result.code != 0);
        let first = first.expect("the block is not full");
        assert_eq!(
            (first.codespace.as_str(), first.code),
            ("sdk", 11),
            "{}",
            first.log
        );
        "a block full by the gas limit of our networks"
    };
    report(valid(&response), threads, what, gas, &cost);
}

fn transaction(
    by_supplier: &BTreeMap<&str, Vec<&Proof>>,
    supplier: &str,
    account_number: u64,
) -> Vec<u8> {
    let (key, address) = actor(supplier);
    let of_supplier = by_supplier.get(address.as_str()).into_iter().flatten();
    let messages = of_supplier.map(|proof| {
        proto::any::pack(&MsgSubmitProof {
            supplier_operator_address: address.clone(),
            session_header: proof.session_header.clone(),
            proof: proof.closest_merkle_proof.clone(),
        })
    });
    let body = TxBody {
        messages: messages.collect(),
        ..Default::default()
    };
    let auth_info = AuthInfo {
        signer_infos: vec![SignerInfo {
            public_key: Some(proto::any::pack(&PubKey {
                key: key.public().as_bytes().to_vec().into(),
            })),
            mode_info: Some(ModeInfo {
                sum: Some(Sum::Single(Single {
                    mode: SignMode::Direct.into(),
                })),
            }),
            sequence: 0,
        }],
        fee: Some(Fee {
            gas_limit: 50_000_000,
            ..Default::default()
        }),
        ..Default::default()
    };
    let document = SignDoc {
        body_bytes: body.encode_to_vec().into(),
        auth_info_bytes: auth_info.encode_to_vec().into(),
        chain_id: CHAIN_ID.to_owned(),
        account_number,
    };
    let signature = key.sign(&document.encode_to_vec()).to_vec().into();
    let raw = TxRaw {
        body_bytes: document.body_bytes,
        auth_info_bytes: document.auth_info_bytes,
        signatures: vec![signature],
    };
    raw.encode_to_vec()
}
