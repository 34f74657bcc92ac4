//! Claims and proofs of real work: the sessions of the chain, rings of its applications, trees over signed relays.

use std::collections::BTreeMap;

use bytes::Bytes;
use chain::modules::{application, service, session, shared};
use chain::{ChainError, auth};
use crypto::keys::{Address, PublicKey, SecretKey};
use crypto::ring::Signer;
use prost_types::Any;
use proto::pocket::proof::{MsgCreateClaim, MsgSubmitProof};
use proto::pocket::session::Session;
use protocol::claim::proof_path;
use protocol::height::Height;
use protocol::ring::{expected_members, placeholder_key};
use protocol::session::{Grid, Windows};

use super::actors::{SHARED, name, text};
use super::blocks::{World, block_hash};
use crate::support::key;
use crate::work::{Job, Tree};

/// What a supplier keeps until its proof is due.
pub(super) struct Work {
    operator: String,
    session: Session,
    tree: Tree,
}

/// Everything between claim and settlement.
#[derive(Default)]
pub(super) struct Ledger {
    open: Vec<Work>,
}

impl World {
    /// A claim for a session that ended a short while ago, with its signer.
    pub(super) fn claim(&mut self) -> Option<(Any, String)> {
        let (app, session) = self.past_session()?;
        let supplier = self.rng.pick(&session.suppliers).clone();
        let operator = self.person(&supplier.operator_address)?;
        let tree = self.work(&app, &session, &operator)?;
        let mut header = session.header.clone()?;
        let mut root = tree.root().to_vec();
        match self.rng.below(20) {
            0 => header.session_end_block_height += 1,
            1 => header.session_start_block_height += 1,
            2 => root[40] ^= 1,
            3 => root.truncate(40),
            4 => header.session_id = "ab".repeat(32),
            _ => {}
        }
        let message = MsgCreateClaim {
            supplier_operator_address: supplier.operator_address,
            session_header: Some(header),
            root_hash: root.into(),
        };
        self.ledger.open.push(Work {
            operator: operator.clone(),
            session,
            tree,
        });
        Some((proto::any::pack(&message), operator))
    }

    /// A proof for one of the claims that may have been made, with its signer.
    pub(super) fn proof(&mut self) -> Option<(Any, String)> {
        let height = self.height;
        self.ledger.open.retain(|work| {
            let header = work.session.header.as_ref().unwrap();
            header.session_end_block_height + 12 > height
        });
        if self.ledger.open.is_empty() {
            return None;
        }
        // Mostly one whose proof window is open with the params of the start.
        let in_window: Vec<usize> = (0..self.ledger.open.len())
            .filter(|index| {
                let session = &self.ledger.open[*index].session;
                let end = session.header.as_ref().unwrap().session_end_block_height;
                (end + 5..=end + 7).contains(&height)
            })
            .collect();
        let index = if in_window.is_empty() || self.rng.percent(15) {
            self.rng.index(self.ledger.open.len())
        } else {
            *self.rng.pick(&in_window)
        };
        let work = &self.ledger.open[index];
        let header = work.session.header.clone()?;
        let end = Height(header.session_end_block_height);
        let params = self
            .reader
            .at(None, |ctx| shared::params_at(ctx, end.0))
            .unwrap();
        let grid = Grid::new(&params).unwrap();
        let seed = Windows::of_height(&params, &grid, end).seed().0;
        let challenge = proof_path(&block_hash(self.seed, seed), &header.session_id);
        let mut proof = work.tree.prove(&challenge).to_vec();
        let operator = work.operator.clone();
        match self.rng.below(12) {
            0 => {
                let at = self.rng.index(proof.len());
                proof[at] ^= 1 << self.rng.below(8);
            }
            1 => proof.truncate(self.rng.index(proof.len())),
            _ => {}
        }
        let message = MsgSubmitProof {
            supplier_operator_address: text(&operator),
            session_header: Some(header),
            proof: Bytes::from(proof),
        };
        Some((proto::any::pack(&message), operator))
    }

    /// The session of some application one or two sessions ago.
    fn past_session(&mut self) -> Option<(String, Session)> {
        if self.view.applications.is_empty() {
            return None;
        }
        let app = self.rng.pick(&self.view.applications).clone();
        let service_id = app.service_configs.first()?.service_id.clone();
        let blocks = i64::try_from(SHARED.num_blocks_per_session).unwrap();
        let back = if self.rng.percent(90) { 1 } else { 2 };
        let height = self.height - blocks * back;
        if height < 1 {
            return None;
        }
        let session = self.reader.at(None, |ctx| {
            Ok::<_, ChainError>(session::hydrate(ctx, &app.address, &service_id, height).ok())
        });
        Some((app.address, session.unwrap()?)).filter(|(_, session)| !session.suppliers.is_empty())
    }

    /// Some relays of a session, signed by the application or one of its gateways.
    fn work(&mut self, app: &str, session: &Session, operator: &str) -> Option<Tree> {
        let header = session.header.clone()?;
        let (members, weight, target) = self
            .reader
            .at(None, |ctx| {
                let app = application::get(ctx, app)?.unwrap_or_default();
                let end = Height(header.session_end_block_height);
                let mut keys = Vec::new();
                for address in expected_members(&app, end).addresses() {
                    let address = Address::from_bech32(address).unwrap();
                    keys.extend(auth::public_key(ctx, &address)?);
                }
                let start = header.session_start_block_height;
                let weight = service::compute_units_at(ctx, &header.service_id, start)?;
                let target = service::difficulty_at(ctx, &header.service_id, start)?.target_hash;
                Ok::<_, ChainError>((keys, weight, target))
            })
            .unwrap();
        let (ring, secret) = self.ring(members)?;
        let signer = self.signers.get(secret, &ring);
        let (relays, seed) = (1 + self.rng.below(6), self.rng.next());
        let job = Job {
            header: &header,
            ring: signer,
            operator: &key(operator),
            operator_address: &text(operator),
            weight: weight?,
            target: &target,
        };
        Some(job.mine(relays, seed))
    }

    /// The ring in the form in which it is signed, and who signs.
    fn ring(&mut self, mut members: Vec<PublicKey>) -> Option<(Vec<PublicKey>, SecretKey)> {
        if members.len() == 1 {
            members.push(placeholder_key());
        }
        let known: Vec<SecretKey> = (0..super::actors::PEOPLE)
            .map(|index| key(&name(index)))
            .filter(|key| members.contains(&key.public()))
            .collect();
        if known.is_empty() {
            return None;
        }
        let secret = self.rng.pick(&known).clone();
        // Somebody who forgot the ring signs alone with the placeholder.
        if self.rng.percent(3) {
            members = vec![secret.public(), placeholder_key()];
        }
        Some((members, secret))
    }

    /// The name of somebody whose key is known.
    pub(super) fn person(&self, address: &str) -> Option<String> {
        self.people.get(address).cloned()
    }
}

/// Tables of signers, by ring and signer.
#[derive(Default)]
pub(super) struct Signers(BTreeMap<Vec<u8>, Signer>);

impl Signers {
    fn get(&mut self, secret: SecretKey, ring: &[PublicKey]) -> &Signer {
        let mut id = secret.public().as_bytes().to_vec();
        for member in ring {
            id.extend_from_slice(member.as_bytes());
        }
        self.0
            .entry(id)
            .or_insert_with(|| Signer::new(secret, ring.to_vec()).unwrap())
    }
}
