//! Claims and proofs of real work: the sessions of the chain, rings of its applications, trees over signed relays.

use std::collections::BTreeMap;

use bytes::Bytes;
use chain::modules::{application, service, session, shared};
use chain::{ChainError, auth};
use crypto::keys::{Address, PublicKey, SecretKey};
use crypto::ring::Signer;
use prost_types::Any;
use proto::pocket::proof::{Claim, MsgCreateClaim, MsgSubmitProof};
use proto::pocket::session::Session;
use protocol::claim::proof_path;
use protocol::height::Height;
use protocol::ring::{expected_members, placeholder_key};
use protocol::session::{Grid, Windows};

use super::actors::{name, text};
use super::blocks::{World, block_hash};
use crate::support::key;
use crate::work::{Job, Tree};

/// What a supplier keeps until its proof is due.
pub(super) struct Work {
    operator: String,
    session: Session,
    tree: Tree,
    windows: Windows,
    /// Block in which it may have been claimed.
    claimed: i64,
    /// Whether a proof was made that is right.
    proved: bool,
}

/// Everything between claim and settlement.
#[derive(Default)]
pub(super) struct Ledger {
    open: Vec<Work>,
}

/// Claims in the state: their roots by session and operator.
pub(super) type Claims = BTreeMap<(String, String), Bytes>;

/// What is read of claims for the next drafts.
pub(super) fn claims(list: Vec<Claim>) -> Claims {
    let key = |claim: Claim| {
        let session = claim.session_header.unwrap_or_default().session_id;
        ((session, claim.supplier_operator_address), claim.root_hash)
    };
    list.into_iter().map(key).collect()
}

impl World {
    /// A claim, mostly for a session whose claims are due, with its signer.
    pub(super) fn claim(&mut self) -> Option<(Any, String)> {
        let (app, session) = self.past_session()?;
        let supplier = self.rng.pick(&session.suppliers).clone();
        let operator = self.person(&supplier.operator_address)?;
        let mut header = session.header.clone()?;
        let key = (header.session_id.clone(), supplier.operator_address.clone());
        if self.view.claims.contains_key(&key) && self.rng.percent(80) {
            return None;
        }
        let tree = self.work(&app, &session, &operator)?;
        let mut root = tree.root().to_vec();
        match self.rng.below(40) {
            0 => header.session_end_block_height += 1,
            1 => header.session_start_block_height += 1,
            2 => root[40] ^= 1,
            3 => root.truncate(40),
            4 => header.session_id = "ab".repeat(32),
            _ => {}
        }
        let end = session.header.as_ref()?.session_end_block_height;
        let windows = self.windows(end);
        let message = MsgCreateClaim {
            supplier_operator_address: supplier.operator_address,
            session_header: Some(header),
            root_hash: root.into(),
        };
        self.ledger.open.push(Work {
            operator: operator.clone(),
            session,
            tree,
            windows,
            claimed: self.height,
            proved: false,
        });
        Some((proto::any::pack(&message), operator))
    }

    /// A proof for one of the claims that were made, mostly in its window, with its signer.
    pub(super) fn proof(&mut self) -> Option<(Any, String)> {
        let (height, claims) = (self.height, &self.view.claims);
        self.ledger.open.retain(|work| {
            let header = work.session.header.as_ref().unwrap();
            let key = (header.session_id.clone(), text(&work.operator));
            // Of several trees claimed for one session the last one counts.
            let counts = claims
                .get(&key)
                .is_some_and(|root| *root == work.tree.root());
            work.windows.proof_close.0 >= height && (work.claimed >= height || counts)
        });
        let any = self.rng.percent(10);
        let due: Vec<usize> = (0..self.ledger.open.len())
            .filter(|index| {
                let work = &self.ledger.open[*index];
                any || work.windows.proof_is_open(Height(height)) && !work.proved
            })
            .collect();
        if due.is_empty() {
            return None;
        }
        let index = *self.rng.pick(&due);
        let fault = self.rng.below(12);
        let Work {
            operator,
            session,
            tree,
            windows,
            proved,
            ..
        } = &mut self.ledger.open[index];
        let header = session.header.clone()?;
        let mut seed = windows.seed().0;
        if fault == 0 {
            seed -= 1;
        }
        let challenge = proof_path(&block_hash(self.seed, seed), &header.session_id);
        let mut proof = tree.prove(&challenge).to_vec();
        *proved = fault > 2;
        let operator = operator.clone();
        match fault {
            1 => {
                let at = self.rng.index(proof.len());
                proof[at] ^= 1 << self.rng.below(8);
            }
            2 => proof.truncate(self.rng.index(proof.len())),
            _ => {}
        }
        let message = MsgSubmitProof {
            supplier_operator_address: text(&operator),
            session_header: Some(header),
            proof: Bytes::from(proof),
        };
        Some((proto::any::pack(&message), operator))
    }

    /// The windows after the session that ends at a height.
    fn windows(&self, end: i64) -> Windows {
        let params = self.reader.at(None, |ctx| shared::params_at(ctx, end));
        Windows::new(&params.unwrap(), Height(end))
    }

    /// The last height of the session that contains a height, with the params of that height.
    fn session_end(&self, height: i64) -> i64 {
        let params = self.reader.at(None, |ctx| shared::params_at(ctx, height));
        Grid::new(&params.unwrap()).unwrap().end(Height(height)).0
    }

    /// A session of some application, mostly one whose claims are due.
    fn past_session(&mut self) -> Option<(String, Session)> {
        if self.view.applications.is_empty() {
            return None;
        }
        let app = self.rng.pick(&self.view.applications).clone();
        let service_id = app.service_configs.first()?.service_id.clone();
        let height = if self.rng.percent(8) {
            self.height - 1 - i64::try_from(self.rng.below(12)).unwrap()
        } else {
            let past = (self.height - 12).max(1)..self.height;
            past.rev().find(|height| {
                let end = self.session_end(*height);
                end < self.height && self.windows(end).claim_is_open(Height(self.height))
            })?
        };
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
        // A table takes some hundred kilobytes, and rings come and go.
        if self.0.len() > 200 {
            self.0.clear();
        }
        self.0
            .entry(id)
            .or_insert_with(|| Signer::new(secret, ring.to_vec()).unwrap())
    }
}
