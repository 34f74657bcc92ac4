//! Verification with tables for the rings that are seen often.
//!
//! Members and key images are cached separately, because an application's key and a gateway's key
//! and image occur in many rings: a gateway of a thousand applications needs tables for a thousand
//! and one keys and one image. A signature is verified with tables when all its members and its key
//! image have them, otherwise the cold way; a key image that nobody has seen never costs more than
//! that.
//!
//! What enters is bounded twice. A member enters only if the caller expects it, a key image only
//! after [`HOT_AFTER`] signatures with it verified against expected members; and each member has
//! one image, or its signature would not verify. When there are more tables than the capacity, the
//! least recently used go.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use k256::elliptic_curve::BatchNormalize as _;
use k256::{ProjectivePoint, Scalar};

use super::codec::{Raw, strict_scalar};
use super::comb::{self, Comb, Digits};
use super::{RingSignature, VerifiedRing, hash, next_challenge, replay_key_of};
use crate::error::Error;
use crate::hash::sha256_parts;
use crate::keys::PublicKey;
use crate::limits::HOT_AFTER;

/// Tables of hot rings, shared by all threads.
pub struct Cache {
    capacity: usize,
    /// Counts uses, to know the least recent one.
    clock: AtomicU64,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    members: BTreeMap<[u8; 33], Arc<Slot<Member>>>,
    images: BTreeMap<[u8; 33], Arc<Slot<Comb>>>,
    /// Signatures verified the cold way, by the hash of key image and members.
    seen: BTreeMap<[u8; 32], u32>,
}

struct Slot<T> {
    tables: T,
    used: AtomicU64,
}

/// Tables of a member and the point that it hashes to.
struct Member {
    key: Comb,
    hashed: Comb,
}

/// A signature's scalars, read strictly.
struct Scalars {
    challenge: Scalar,
    responses: Vec<Scalar>,
}

impl Cache {
    /// A cache of at most `capacity` tables, 43 KiB each: two for a member, one for a key image. A
    /// ring of two needs five.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            clock: AtomicU64::new(0),
            state: RwLock::default(),
        }
    }

    /// Accepts a signature (relay-protocol.md §2.5): strictly formed, all members among `expected`,
    /// and verified. Tables are built on the way when a ring becomes hot, once 1 to 2 ms; see
    /// [`Cache::prepare`].
    ///
    /// # Errors
    /// The errors of [`super::parse`]; [`Error::RingMember`] before any cost;
    /// [`Error::RingMismatch`].
    pub fn verify(
        &self,
        message: &[u8; 32],
        signature: &[u8],
        expected: &[PublicKey],
    ) -> Result<VerifiedRing, Error> {
        let raw = Raw::read(signature)?;
        let members: Result<Vec<PublicKey>, Error> = raw
            .pairs
            .iter()
            .map(|pair| {
                expected
                    .iter()
                    .find(|key| key.as_bytes() == pair.member)
                    .copied()
                    .ok_or_else(|| {
                        let member = pair
                            .member
                            .iter()
                            .map(|byte| format!("{byte:02x}"))
                            .collect();
                        Error::RingMember { member }
                    })
            })
            .collect();
        let members = members?;
        let scalars = Scalars {
            challenge: strict_scalar(raw.challenge)?,
            responses: raw
                .pairs
                .iter()
                .map(|pair| strict_scalar(pair.response))
                .collect::<Result<_, _>>()?,
        };
        match self.tables(&members, raw.key_image) {
            Some((slots, image)) => verify_warm(message, &scalars, &slots, &image.tables)?,
            None => {
                let key_image =
                    PublicKey::from_bytes(raw.key_image).map_err(|_| Error::RingPoint)?;
                let Scalars {
                    challenge,
                    responses,
                } = scalars;
                let cold = RingSignature {
                    members,
                    key_image,
                    challenge,
                    responses,
                };
                cold.verify(message)?;
                self.count(&cold.members, &cold.key_image)?;
                return Ok(cold.verified(message));
            }
        }
        Ok(VerifiedRing {
            members,
            key_image: *raw.key_image,
            replay_key: replay_key_of(message, raw.pairs.iter().map(|pair| *pair.bytes).collect()),
        })
    }

    /// Builds the tables of members ahead of their first signatures, for instance when a session
    /// starts; about 0.5 ms a member that has none yet. Key images follow by themselves.
    ///
    /// # Errors
    /// [`Error::HashDeadEnd`], which nobody has seen.
    pub fn prepare(&self, members: &[PublicKey]) -> Result<(), Error> {
        for member in members {
            if !self.read(|state| state.members.contains_key(member.as_bytes())) {
                let tables = Member {
                    key: Comb::new(member.point()),
                    hashed: Comb::new(&hash::to_curve(member)?),
                };
                let slot = self.slot(tables);
                self.write(|state| {
                    state
                        .members
                        .entry(*member.as_bytes())
                        .or_insert(slot)
                        .touch(&self.clock)
                });
            }
        }
        self.write(|state| state.shrink(self.capacity));
        Ok(())
    }

    /// Tables held now.
    pub fn tables_held(&self) -> usize {
        self.read(State::tables)
    }

    /// The tables of a signature, if it has all of them.
    #[allow(clippy::type_complexity)]
    fn tables(
        &self,
        members: &[PublicKey],
        image: &[u8; 33],
    ) -> Option<(Vec<Arc<Slot<Member>>>, Arc<Slot<Comb>>)> {
        let found = self.read(|state| {
            let image = Arc::clone(state.images.get(image)?);
            let slots = members
                .iter()
                .map(|member| state.members.get(member.as_bytes()).cloned());
            Some((slots.collect::<Option<Vec<_>>>()?, image))
        })?;
        found.0.iter().for_each(|slot| slot.touch(&self.clock));
        found.1.touch(&self.clock);
        Some(found)
    }

    /// Counts a signature that verified the cold way, and builds the tables that its ring lacks at
    /// the one that makes it hot. Counting whole rings also keeps a working set above the capacity
    /// from building tables at every signature.
    fn count(&self, members: &[PublicKey], image: &PublicKey) -> Result<(), Error> {
        if 2 * members.len() + 1 > self.capacity {
            return Ok(());
        }
        let keys: Vec<&[u8]> = std::iter::once(image)
            .chain(members)
            .map(|key| &key.as_bytes()[..])
            .collect();
        let ring = sha256_parts(&keys);
        let hot = self.write(|state| {
            if state.seen.len() > self.capacity {
                state.seen.clear();
            }
            let seen = state.seen.entry(ring).or_default();
            *seen = seen.saturating_add(1);
            // One thread only meets this number; the others go on the cold way while it builds.
            *seen == HOT_AFTER
        });
        if hot {
            self.prepare(members)?;
            if !self.read(|state| state.images.contains_key(image.as_bytes())) {
                let slot = self.slot(Comb::new(image.point()));
                self.write(|state| state.images.insert(*image.as_bytes(), slot));
            }
            self.write(|state| {
                state.seen.remove(&ring);
                state.shrink(self.capacity);
            });
        }
        Ok(())
    }

    /// Gives a key image its table at once.
    #[cfg(test)]
    pub(super) fn insert_image(&self, image: &PublicKey) {
        let slot = self.slot(Comb::new(image.point()));
        self.write(|state| state.images.insert(*image.as_bytes(), slot));
    }

    fn slot<T>(&self, tables: T) -> Arc<Slot<T>> {
        let slot = Slot {
            tables,
            used: AtomicU64::new(0),
        };
        slot.touch(&self.clock);
        Arc::new(slot)
    }

    /// The state is whole between statements, so a panic of another thread does not spoil it.
    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        write(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Slot<T> {
    fn touch(&self, clock: &AtomicU64) {
        self.used
            .store(clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

impl State {
    fn tables(&self) -> usize {
        2 * self.members.len() + self.images.len()
    }

    /// Drops the least recently used tables above the capacity.
    fn shrink(&mut self, capacity: usize) {
        while self.tables() > capacity {
            let member = self
                .members
                .iter()
                .map(|(key, slot)| (slot.used(), *key))
                .min();
            let image = self
                .images
                .iter()
                .map(|(key, slot)| (slot.used(), *key))
                .min();
            match (member, image) {
                (Some(member), Some(image)) if image < member => drop(self.images.remove(&image.1)),
                (Some(member), _) => drop(self.members.remove(&member.1)),
                (None, Some(image)) => drop(self.images.remove(&image.1)),
                (None, None) => return,
            }
        }
    }
}

fn verify_warm(
    message: &[u8; 32],
    scalars: &Scalars,
    members: &[Arc<Slot<Member>>],
    image: &Comb,
) -> Result<(), Error> {
    let mut challenge = scalars.challenge;
    for (member, response) in members.iter().zip(&scalars.responses) {
        let (s, c) = (Digits::new(response), Digits::new(&challenge));
        let points = [
            comb::sum([(comb::generator(), &s), (&member.tables.key, &c)]),
            comb::sum([(&member.tables.hashed, &s), (image, &c)]),
        ];
        challenge =
            next_challenge(message, &ProjectivePoint::batch_normalize_vartime(&points))?.scalar;
    }
    if challenge == scalars.challenge {
        Ok(())
    } else {
        Err(Error::RingMismatch)
    }
}
