//! What a supplier does for its pay: relays signed by a ring and by itself, the tree over them, the proof of one.

use bytes::Bytes;
use crypto::keys::SecretKey;
use crypto::ring::Signer;
use crypto::trie::{SealedTrie, SiblingData, Trie, leaf_digest};
use proto::pocket::session::SessionHeader;
use protocol::relay::{
    MinedRelay, build_request, build_response, mined_relay, sign_response, signable_request,
};

/// Draws for a relay below the target before it is mined as it is; a target that 64 draws miss lets one in 64 pass.
const ATTEMPTS: u64 = 64;

/// The work of one supplier in one session.
pub(crate) struct Tree {
    sealed: SealedTrie,
    relays: Vec<Vec<u8>>,
}

impl Tree {
    /// The root as a claim carries it.
    pub(crate) fn root(&self) -> Bytes {
        self.sealed.root().as_bytes().to_vec().into()
    }

    /// The proof for a challenge as a message carries it.
    pub(crate) fn prove(&self, challenge: &[u8; 32]) -> Bytes {
        let load = |leaf: &crypto::trie::Leaf| {
            let position = usize::try_from(leaf.position).unwrap();
            Ok::<_, crypto::Error>(self.relays[position].clone())
        };
        let proof = self
            .sealed
            .prove(challenge, SiblingData::Omit, load)
            .unwrap();
        crypto::gob::encode_proof(&proof.compact()).into()
    }
}

/// Who works, for whom, under which conditions.
pub(crate) struct Job<'a> {
    pub(crate) header: &'a SessionHeader,
    pub(crate) ring: &'a Signer,
    pub(crate) operator: &'a SecretKey,
    pub(crate) operator_address: &'a str,
    /// Compute units of a relay.
    pub(crate) weight: u64,
    /// A relay must hash below it.
    pub(crate) target: &'a [u8],
}

impl Job<'_> {
    /// Serves so many relays; the same seed gives the same bytes.
    pub(crate) fn mine(&self, relays: u64, seed: u64) -> Tree {
        let mut trie = Trie::new();
        let mut values = Vec::new();
        for number in 0..relays {
            let relay = self.relay(seed, number);
            let digest = leaf_digest(&relay.path, &relay.bytes, self.weight);
            trie.insert(relay.path, digest, number);
            values.push(relay.bytes);
        }
        Tree {
            sealed: trie.seal(),
            relays: values,
        }
    }

    fn relay(&self, seed: u64, number: u64) -> MinedRelay {
        let mut attempt = 0;
        loop {
            let payload = format!("relay {seed} {number} {attempt}").into_bytes();
            let relay = self.sign(payload.into());
            attempt += 1;
            if relay.hash.as_slice() < self.target || attempt == ATTEMPTS {
                return relay;
            }
        }
    }

    fn sign(&self, payload: Bytes) -> MinedRelay {
        let mut request =
            build_request(self.header.clone(), self.operator_address, payload.clone());
        let message = signable_request(&request);
        let signature = self.ring.sign_from_seed(&message, &payload).unwrap();
        request.meta.signature = signature.into();
        let mut response = build_response(self.header.clone(), payload).unwrap();
        sign_response(&mut response, self.operator);
        mined_relay(&request, &response)
    }
}
