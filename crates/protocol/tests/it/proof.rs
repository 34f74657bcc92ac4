//! `proof_chain.submit_proof`: every recorded proof message under the reference's rules and under all of ours, and one
//! forged proof for each rule that the reference lacks.

use bytes::Bytes;
use crypto::gob::{decode_proof, encode_proof};
use crypto::keys::{PublicKey, SecretKey};
use crypto::trie::{ClosestProof, Root, SiblingData, Trie, leaf_digest, verify_closest_strict};
use prost::Message as _;
use proto::pocket::proof::MsgSubmitProof;
use proto::pocket::service::Relay;
use proto::pocket::session::SessionHeader;
use protocol::claim::proof_path;
use protocol::difficulty::BASE_TARGET;
use protocol::proof::{Evidence, ProofFailure, Strictness, Submission, check_form, verify};
use protocol::relay::{leaf_path, relay_hash};
use protocol::ring::placeholder_key;
use serde_json::Value;

use crate::vectors::{bytes, bytes32, list, poktroll, relay_protocol, text};

/// Compute units of a relay in all of these vectors.
const WEIGHT: u64 = 1000;

/// The state that the recorded messages met.
#[derive(Clone)]
struct State {
    header: SessionHeader,
    supplier: String,
    application: String,
    operator_key: PublicKey,
    ring: Vec<PublicKey>,
    target: Vec<u8>,
    seed_block_hash: Vec<u8>,
}

impl State {
    fn new() -> State {
        let example = &relay_protocol()["end_to_end"];
        let relay = Relay::decode(bytes(&example["relay"]["relay_dehydrated"]).as_slice()).unwrap();
        State {
            header: relay.req.unwrap().meta.session_header.unwrap(),
            supplier: text(&example["keys"]["supplier"]["addr"]).to_owned(),
            application: text(&example["keys"]["app"]["addr"]).to_owned(),
            operator_key: key("supplier"),
            ring: vec![key("app"), key("gateway")],
            target: BASE_TARGET.to_vec(),
            seed_block_hash: bytes(
                &poktroll()["proof_chain"]["eight_leaf_tree"]["seed_block_hash_at_142"],
            ),
        }
    }

    fn challenge(&self) -> [u8; 32] {
        proof_path(&self.seed_block_hash, &self.header.session_id)
    }

    fn judge(&self, proof: &[u8], root: &[u8], rules: Strictness) -> Result<(), ProofFailure> {
        let submission = Submission {
            session_header: &self.header,
            supplier_operator_address: &self.supplier,
            target_hash: &self.target,
            proof,
        };
        let evidence = Evidence {
            application_address: &self.application,
            ring: &self.ring,
            ring_tables: None,
            operator_key: &self.operator_key,
            session_id: &self.header.session_id,
            seed_block_hash: &self.seed_block_hash,
            root,
            compute_units_per_relay: WEIGHT,
        };
        verify(&check_form(&submission, rules)?, &evidence, rules)
    }
}

fn key(name: &str) -> PublicKey {
    PublicKey::from_bytes(&bytes(&relay_protocol()["end_to_end"]["keys"][name]["pub"])).unwrap()
}

fn stranger() -> PublicKey {
    SecretKey::from_bytes(&[7; 32]).unwrap().public()
}

/// What the name of a recorded case says about the state it met.
fn state_of(name: &str) -> State {
    let mut state = State::new();
    let hash = bytes(&relay_protocol()["end_to_end"]["relay"]["relay_hash"]);
    match name {
        "target == relay hash (not strictly below)" => state.target = hash,
        "target == relay hash + 1" => {
            state.target = hash;
            state.target[31] += 1;
        }
        "target 31 bytes" => state.target = hash[..31].to_vec(),
        "gateway undelegated, pending key = earlier session end"
        | "gateway undelegated, pending key = session end - 1 (off grid)"
        | "gateway not delegated at all (placeholder ring expected)" => {
            state.ring = vec![key("app"), placeholder_key()];
        }
        "other gateway delegated instead" => state.ring = vec![key("app"), stranger()],
        "two gateways delegated (superset ring)" => state.ring.push(stranger()),
        _ => {}
    }
    state
}

/// Cases decided by state that no proof shows: windows, the claim, fees, the requirement, accounts. `chain` tests them.
const DECIDED_BY_STATE: [&str; 12] = [
    "one block early",
    "one block late",
    "no claim",
    "proof not required (threshold high, probability 0)",
    "claimed = threshold - 1",
    "balance == fee",
    "balance 0, fee 0",
    "delegated gateway without account (not a signer)",
    "gateway account without pubkey",
    "supplier account without pubkey",
    "message supplier not in session",
    "claim header end height differs",
];

type Rule = fn(&ProofFailure) -> bool;

/// What the reference accepts and ours refuses, and by which rule.
const FORBIDDEN: [(&str, Rule); 6] = [
    ("relay: response payload kept (not dehydrated)", |f| {
        matches!(f, ProofFailure::NotExact(_))
    }),
    ("relay: response payload replaced by junk", |f| {
        matches!(f, ProofFailure::NotExact(_))
    }),
    ("relay: ring signature with trailing bytes", |f| {
        matches!(f, ProofFailure::RingForm(_))
    }),
    ("relay: unknown non-critical field appended", |f| {
        *f == ProofFailure::NotCanonical
    }),
    ("relay: unknown critical-range field 15 appended", |f| {
        *f == ProofFailure::NotCanonical
    }),
    ("relay: fields re-ordered (res before req)", |f| {
        *f == ProofFailure::NotCanonical
    }),
];

/// Texts that a Go decoder or a state lookup writes; here only the outcome is compared.
const OTHER_TEXT: [&str; 5] = [
    "three-leaf vector proof (leaf value is not a Relay)",
    "garbage proof",
    "target == relay hash (not strictly below)",
    "target 31 bytes",
    "relay: ring signature truncated",
];

fn failure_reason(case: &Value) -> &str {
    let events = list(&case["end_block"]["events"]);
    let attributes = list(&events[0]["attributes"]);
    let reason = attributes
        .iter()
        .find(|pair| pair[0] == "failure_reason")
        .unwrap();
    text(&reason[1]).trim_matches('"')
}

#[test]
fn recorded_proofs_under_the_references_rules() {
    let (mut accepted, mut refused) = (0, 0);
    for case in list(&poktroll()["proof_chain"]["submit_proof"]) {
        let name = text(&case["name"]);
        if DECIDED_BY_STATE.contains(&name) {
            continue;
        }
        let message = MsgSubmitProof::decode(bytes(&case["msg_hex"]).as_slice()).unwrap();
        let root = bytes(&case["claim_root"]);
        let ours = state_of(name).judge(&message.proof, &root, Strictness::REFERENCE);
        let accepts = case["claim_status_after"] == "VALIDATED";
        assert_eq!(ours.is_ok(), accepts, "{name}: {ours:?}");
        match ours {
            Ok(()) => accepted += 1,
            Err(failure) => {
                refused += 1;
                if !OTHER_TEXT.contains(&name) {
                    let theirs = match case["submit_result"].get("error") {
                        Some(error) => text(error).split_once("desc = ").unwrap().1,
                        None => failure_reason(case),
                    };
                    assert_eq!(failure.to_string(), theirs, "{name}");
                }
            }
        }
    }
    assert!(
        accepted >= 18 && refused >= 20,
        "{accepted} accepted, {refused} refused"
    );
}

#[test]
fn recorded_proofs_under_all_rules() {
    let mut forbidden = 0;
    for case in list(&poktroll()["proof_chain"]["submit_proof"]) {
        let name = text(&case["name"]);
        if DECIDED_BY_STATE.contains(&name) {
            continue;
        }
        let message = MsgSubmitProof::decode(bytes(&case["msg_hex"]).as_slice()).unwrap();
        let root = bytes(&case["claim_root"]);
        let ours = state_of(name).judge(&message.proof, &root, Strictness::FULL);
        if let Some((_, rule)) = FORBIDDEN.iter().find(|(forbidden, _)| *forbidden == name) {
            assert!(ours.as_ref().is_err_and(rule), "{name}: {ours:?}");
            assert_eq!(case["claim_status_after"], "VALIDATED", "{name}");
            forbidden += 1;
        } else {
            let accepts = case["claim_status_after"] == "VALIDATED";
            assert_eq!(ours.is_ok(), accepts, "{name}: {ours:?}");
        }
    }
    assert_eq!(forbidden, FORBIDDEN.len());
}

/// `proof_chain.eight_leaf_tree`: built again, the tree has the recorded root and gives a proof that verifies.
#[test]
fn the_eight_leaf_tree() {
    let tree = &poktroll()["proof_chain"]["eight_leaf_tree"];
    let state = State::new();
    assert_eq!(state.challenge(), bytes32(&tree["proof_path"]));
    let leaves = list(&tree["leaves"]);
    let values: Vec<Vec<u8>> = leaves.iter().map(|leaf| bytes(&leaf["value"])).collect();
    for (leaf, value) in leaves.iter().zip(&values) {
        assert_eq!(relay_hash(value), bytes32(&leaf["key"]));
    }
    let (root, proof) = prove(
        &values,
        |value| leaf_path(&relay_hash(value)),
        state.challenge(),
    );
    assert_eq!(root.0.as_slice(), bytes(&tree["root48"]));
    let recorded = decode_proof(&bytes(&tree["compact_gob"])).unwrap();
    for proof in [encode_proof(&proof.compact()), encode_proof(&recorded)] {
        for rules in [Strictness::REFERENCE, Strictness::FULL] {
            assert_eq!(state.judge(&proof, &root.0, rules), Ok(()));
        }
    }
}

/// Builds a trie of `values` and proves `challenge`.
fn prove(
    values: &[Vec<u8>],
    path: impl Fn(&[u8]) -> [u8; 32],
    challenge: [u8; 32],
) -> (Root, ClosestProof) {
    let mut trie = Trie::new();
    for (position, value) in (0u64..).zip(values) {
        let path = path(value);
        trie.insert(path, leaf_digest(&path, value, WEIGHT), position);
    }
    let sealed = trie.seal();
    let load = |leaf: &crypto::trie::Leaf| {
        Ok::<_, crypto::Error>(values[usize::try_from(leaf.position).unwrap()].clone())
    };
    (
        sealed.root(),
        sealed
            .prove(&challenge, SiblingData::Include, load)
            .unwrap(),
    )
}

/// Asserts that `rule` alone refuses a proof that the reference accepts, and that all other rules together do not.
#[track_caller]
fn only(state: &State, proof: &ClosestProof, root: &Root, rule: fn(&mut Strictness) -> &mut bool) {
    let gob = encode_proof(&proof.compact());
    assert_eq!(state.judge(&gob, &root.0, Strictness::REFERENCE), Ok(()));
    let mut alone = Strictness::REFERENCE;
    *rule(&mut alone) = true;
    assert!(state.judge(&gob, &root.0, alone).is_err());
    let mut others = Strictness::FULL;
    *rule(&mut others) = false;
    assert_eq!(state.judge(&gob, &root.0, others), Ok(()));
    assert!(state.judge(&gob, &root.0, Strictness::FULL).is_err());
}

fn eight_relays() -> Vec<Vec<u8>> {
    let leaves = list(&poktroll()["proof_chain"]["eight_leaf_tree"]["leaves"]);
    leaves.iter().map(|leaf| bytes(&leaf["value"])).collect()
}

/// The end-to-end relay: the only one here that both keys signed.
fn the_relay() -> Vec<u8> {
    bytes(&relay_protocol()["end_to_end"]["relay"]["relay_dehydrated"])
}

/// H1: a prover of a real tree shows the leaf it likes, by claiming a depth of 0.
#[test]
fn a_leaf_of_the_provers_choice() {
    let values = eight_relays();
    let path = |value: &[u8]| leaf_path(&relay_hash(value));
    let liked = path(&the_relay());
    // A challenge that draws another leaf.
    let mut state = State::new();
    while prove(&values, path, state.challenge()).1.closest_path == liked {
        state.seed_block_hash[0] += 1;
    }
    let (root, mut forged) = prove(&values, path, liked);
    assert_eq!(forged.closest_path, liked);
    (forged.path, forged.depth, forged.flipped_bits) = (state.challenge(), 0, Vec::new());
    only(&state, &forged, &root, |rules| {
        &mut rules.leaf_bound_to_challenge
    });
    assert!(verify_closest_strict(&root, &state.challenge(), &forged.compact()).is_err());
}

/// H2: one real relay under a path that is not its own.
#[test]
fn a_relay_at_another_path() {
    let (root, forged) = prove(&[the_relay()], |_| [9; 32], State::new().challenge());
    only(&State::new(), &forged, &root, |rules| {
        &mut rules.path_bound_to_content
    });
}

/// H3: one real relay that weighs as much as a thousand.
#[test]
fn a_leaf_of_any_weight() {
    let value = the_relay();
    let path = leaf_path(&relay_hash(&value));
    let mut trie = Trie::new();
    trie.insert(path, leaf_digest(&path, &value, 1000 * WEIGHT), 0);
    let sealed = trie.seal();
    let challenge = State::new().challenge();
    let load = |_: &crypto::trie::Leaf| Ok::<_, crypto::Error>(value.clone());
    let forged = sealed.prove(&challenge, SiblingData::Omit, load).unwrap();
    only(&State::new(), &forged, &sealed.root(), |rules| {
        &mut rules.leaf_weight
    });
}

/// H4: beside one real relay a leaf so heavy that the sum wraps to what is claimed.
#[test]
fn a_sum_that_wraps() {
    let value = the_relay();
    let path = leaf_path(&relay_hash(&value));
    let mut other = path;
    other[0] ^= 0x80;
    let mut trie = Trie::new();
    trie.insert(path, leaf_digest(&path, &value, WEIGHT), 0);
    trie.insert(
        other,
        leaf_digest(&other, b"heavy", u64::MAX - WEIGHT + 2),
        1,
    );
    let sealed = trie.seal();
    assert_eq!(sealed.root().sum(), 1);
    // The challenge must draw the real relay; a block hash that does is found by trying.
    let mut state = State::new();
    while (state.challenge()[0] ^ path[0]) & 0x80 != 0 {
        state.seed_block_hash[0] += 1;
    }
    let load = |_: &crypto::trie::Leaf| Ok::<_, crypto::Error>(value.clone());
    let forged = sealed
        .prove(&state.challenge(), SiblingData::Omit, load)
        .unwrap();
    let gob = encode_proof(&forged.compact());
    let judge = |rules| state.judge(&gob, &sealed.root().0, rules);
    assert_eq!(judge(Strictness::REFERENCE), Ok(()));
    assert_eq!(
        judge(Strictness {
            no_wrapping: true,
            ..Strictness::REFERENCE
        }),
        Err(ProofFailure::Wraps)
    );
    assert_eq!(
        judge(Strictness {
            no_wrapping: false,
            ..Strictness::FULL
        }),
        Ok(())
    );
}

/// H5 and the odd `22 00`: its presence decides over the signed bytes under the reference's rules, and no more under
/// ours.
#[test]
fn a_payload_hash_of_no_length() {
    let operator = SecretKey::from_bytes(&bytes32(
        &relay_protocol()["end_to_end"]["keys"]["supplier"]["priv"],
    ))
    .unwrap();
    let mut relay = Relay::decode(the_relay().as_slice()).unwrap();
    let response = relay.res.as_mut().unwrap();
    response.payload_hash = Bytes::new();
    response.payload = Bytes::from_static(b"never signed");
    let signable = protocol::relay::signable_response_as_sent(response, true);
    response.meta.supplier_operator_signature = operator.sign(&signable).to_vec().into();

    let mut odd_response = relay.res.take().unwrap().encode_to_vec();
    odd_response.extend([0x22, 0x00]);
    let mut value = relay.encode_to_vec();
    value.push(0x12);
    prost::encoding::encode_varint(odd_response.len() as u64, &mut value);
    value.extend(odd_response);

    let path = leaf_path(&relay_hash(&value));
    let (root, proof) = prove(&[value], |_| path, State::new().challenge());
    let gob = encode_proof(&proof.compact());
    assert_eq!(
        State::new().judge(&gob, &root.0, Strictness::REFERENCE),
        Ok(())
    );
    let judged = State::new().judge(&gob, &root.0, Strictness::FULL);
    assert_eq!(judged, Err(ProofFailure::NotCanonical));
}

#[test]
fn tables_and_plain_verification_agree() {
    let state = State::new();
    let tables = crypto::ring::Cache::new(16);
    for case in list(&poktroll()["proof_chain"]["submit_proof"])
        .iter()
        .take(3)
    {
        let message = MsgSubmitProof::decode(bytes(&case["msg_hex"]).as_slice()).unwrap();
        let submission = Submission {
            session_header: &state.header,
            supplier_operator_address: &state.supplier,
            target_hash: &state.target,
            proof: &message.proof,
        };
        let formed = check_form(&submission, Strictness::FULL).unwrap();
        assert!(!formed.relay_bytes().is_empty());
        let root = bytes(&case["claim_root"]);
        let evidence = Evidence {
            application_address: &state.application,
            ring: &state.ring,
            ring_tables: Some(&tables),
            operator_key: &state.operator_key,
            session_id: &state.header.session_id,
            seed_block_hash: &state.seed_block_hash,
            root: &root,
            compute_units_per_relay: WEIGHT,
        };
        assert_eq!(verify(&formed, &evidence, Strictness::FULL), Ok(()));
        let stranger = [stranger()];
        let evidence = Evidence {
            ring: &stranger,
            ..evidence
        };
        let judged = verify(&formed, &evidence, Strictness::FULL);
        assert!(
            matches!(judged, Err(ProofFailure::RingMember(_))),
            "{judged:?}"
        );
    }
}

/// T16: gateways of the reference sign for an application without delegation with the ring [app, app].
#[test]
fn a_ring_of_twice_the_application_is_no_forgery() {
    let example = &relay_protocol()["end_to_end"];
    let secret = SecretKey::from_bytes(&bytes32(&example["keys"]["app"]["priv"])).unwrap();
    let signer = crypto::ring::Signer::new(secret, vec![key("app"), key("app")]).unwrap();
    let mut relay = Relay::decode(the_relay().as_slice()).unwrap();
    let request = relay.req.as_mut().unwrap();
    let signature = signer
        .sign(&protocol::relay::signable_request(request))
        .unwrap();
    request.meta.signature = signature.into();
    let value = relay.encode_to_vec();
    let path = leaf_path(&relay_hash(&value));
    let (root, proof) = prove(&[value], |_| path, State::new().challenge());
    let gob = encode_proof(&proof.compact());
    for rules in [Strictness::REFERENCE, Strictness::FULL] {
        assert_eq!(State::new().judge(&gob, &root.0, rules), Ok(()));
        let without = State {
            ring: vec![key("gateway")],
            ..State::new()
        };
        assert!(without.judge(&gob, &root.0, rules).is_err());
    }
}

proptest::proptest! {
    /// A proof with any byte changed is refused or is the same proof; nothing panics.
    #[test]
    fn tampering_is_found(at in proptest::prelude::any::<proptest::sample::Index>(), bit in 0u8..8) {
        let tree = &poktroll()["proof_chain"]["eight_leaf_tree"];
        let original = bytes(&tree["compact_gob"]);
        let mut tampered = original.clone();
        let index = at.index(tampered.len());
        tampered[index] ^= 1 << bit;
        let root = bytes(&tree["root48"]);
        let state = State::new();
        let _ = state.judge(&tampered, &root, Strictness::REFERENCE);
        if state.judge(&tampered, &root, Strictness::FULL).is_ok() {
            // Names and ids of the stream's types carry nothing, and a sibling whose name is unknown may be absent.
            let meaning = |gob: &[u8]| {
                let mut proof = decode_proof(gob).unwrap();
                proof.closest_proof.as_mut().unwrap().sibling_data.clear();
                proof
            };
            proptest::prop_assert_eq!(meaning(&tampered), meaning(&original));
        }
    }
}
