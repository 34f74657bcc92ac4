//! Proofs that the reference takes and this chain does not, each refused by one rule (relay protocol 9): the state
//! machine's side of what `protocol` tests by itself.

use crypto::gob::encode_proof;
use crypto::trie::{ClosestProof, Root, SealedTrie, SiblingData, Trie, leaf_digest};
use prost::Message as _;
use proto::pocket::proof::{Claim, ClaimProofStatus, MsgSubmitProof};
use protocol::claim::proof_path;
use protocol::relay::{leaf_path, relay_hash};

use super::messages::{SUBMIT, address, start};
use super::world::*;
use crate::modules::proof;
use crate::rules::Rules;

/// Compute units of a relay of the example.
const WEIGHT: u64 = 1_000;

/// The relay of the example: both keys signed it.
fn relay() -> Vec<u8> {
    bytes(&relay_protocol()["end_to_end"]["relay"]["relay_dehydrated"])
}

fn own_path(value: &[u8]) -> [u8; 32] {
    leaf_path(&relay_hash(value))
}

fn seal(leaves: &[([u8; 32], &[u8], u64)]) -> SealedTrie {
    let mut trie = Trie::new();
    for (position, (path, value, weight)) in (0_u64..).zip(leaves) {
        trie.insert(*path, leaf_digest(path, value, *weight), position);
    }
    trie.seal()
}

fn prove(trie: &SealedTrie, challenge: &[u8; 32], value: &[u8]) -> ClosestProof {
    let load = |_: &crypto::trie::Leaf| Ok::<_, crypto::Error>(value.to_vec());
    trie.prove(challenge, SiblingData::Omit, load).unwrap()
}

fn challenge(seed: &[u8]) -> [u8; 32] {
    proof_path(seed, &example_header().session_id)
}

/// What becomes of a claim with this root and proof, when the block before the proof window has this hash.
fn verdict(rules: Rules, seed: &[u8], root: &Root, forged: &ClosestProof) -> ClaimProofStatus {
    let mut chain = start(rules, |world| world.proof = proof_params(1.0, 0, 1, 1));
    block_hash(&mut chain, 142, seed);
    let supplier = address("supplier").to_owned();
    let header = example_header();
    let claim = Claim {
        supplier_operator_address: supplier.clone(),
        session_header: Some(header.clone()),
        root_hash: root.as_bytes().to_vec().into(),
        proof_validation_status: 0,
    };
    put_claim(&mut chain, &claim);
    chain.go_to(143);
    let message = MsgSubmitProof {
        supplier_operator_address: supplier.clone(),
        session_header: Some(header.clone()),
        proof: encode_proof(&forged.compact()).into(),
    };
    execute(&mut chain, SUBMIT, &message.encode_to_vec()).unwrap();
    chain.run(proof::end_block).unwrap();
    let stored = chain.read(|ctx| proof::claim(ctx, &header.session_id, &supplier));
    let status = stored.unwrap().unwrap().proof_validation_status;
    ClaimProofStatus::try_from(status).unwrap()
}

/// Valid by the reference's rules, invalid with the one rule more.
#[track_caller]
fn refused_by(rule: impl FnOnce(&mut Rules), seed: &[u8], root: &Root, forged: &ClosestProof) {
    let reference = Rules::reference();
    assert_eq!(
        verdict(reference, seed, root, forged),
        ClaimProofStatus::Validated
    );
    let mut with = reference;
    rule(&mut with);
    assert_eq!(verdict(with, seed, root, forged), ClaimProofStatus::Invalid);
    assert_eq!(
        verdict(Rules::mended(), seed, root, forged),
        ClaimProofStatus::Invalid
    );
}

#[test]
fn a_leaf_of_the_provers_choice_is_refused_by_its_rule() {
    let (liked, other) = (relay(), b"another relay".to_vec());
    let trie = seal(&[
        (own_path(&liked), &liked, WEIGHT),
        (own_path(&other), &other, WEIGHT),
    ]);
    // A block whose challenge draws the other leaf.
    let mut seed = vec![0; 32];
    while trie.draw(&challenge(&seed)).unwrap().path == own_path(&liked) {
        seed[0] += 1;
    }
    let mut forged = prove(&trie, &own_path(&liked), &liked);
    (forged.path, forged.depth, forged.flipped_bits) = (challenge(&seed), 0, Vec::new());
    refused_by(
        |rules| rules.bind_leaf_to_challenge = true,
        &seed,
        &trie.root(),
        &forged,
    );
}

#[test]
fn a_relay_at_another_path_is_refused_by_its_rule() {
    let (seed, value) = (vec![7; 32], relay());
    let trie = seal(&[([9; 32], &value, WEIGHT)]);
    let forged = prove(&trie, &challenge(&seed), &value);
    refused_by(
        |rules| rules.bind_path_to_relay = true,
        &seed,
        &trie.root(),
        &forged,
    );
}

#[test]
fn a_leaf_of_any_weight_is_refused_by_its_rule() {
    let (seed, value) = (vec![7; 32], relay());
    let trie = seal(&[(own_path(&value), &value, 1_000 * WEIGHT)]);
    let forged = prove(&trie, &challenge(&seed), &value);
    refused_by(
        |rules| rules.bind_leaf_weight = true,
        &seed,
        &trie.root(),
        &forged,
    );
}

#[test]
fn a_tree_whose_sum_wraps_is_refused_by_its_rule() {
    let value = relay();
    let path = own_path(&value);
    let mut other = path;
    other[0] ^= 0x80;
    let heavy = u64::MAX - WEIGHT + 2;
    let trie = seal(&[(path, &value, WEIGHT), (other, b"heavy", heavy)]);
    assert_eq!(trie.root().sum(), 1);
    let mut seed = vec![0; 32];
    while trie.draw(&challenge(&seed)).unwrap().path != path {
        seed[0] += 1;
    }
    let forged = prove(&trie, &challenge(&seed), &value);
    refused_by(
        |rules| rules.checked_claim_sums = true,
        &seed,
        &trie.root(),
        &forged,
    );
}
