//! Signing (relay-protocol.md §2.2).

use std::sync::Arc;

use k256::elliptic_curve::BatchNormalize as _;
use k256::elliptic_curve::ops::Reduce as _;
use k256::{ProjectivePoint, Scalar, WideBytes};
use zeroize::{Zeroize as _, Zeroizing};

use super::comb::{self, Comb, Digits, SecretComb};
use super::{check_size, codec, hash, next_challenge};
use crate::error::Error;
use crate::keys::{PublicKey, SecretKey, compress};
use crate::limits::MAX_SIGN_ATTEMPTS;

/// A private key with what all its rings share: its key image and tables (87 KiB). Cheap to clone.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    secret: SecretKey,
    public: PublicKey,
    /// Compressed key image.
    image: [u8; 33],
    /// Table of the key image.
    image_comb: Comb,
    /// Table of the point that the public key hashes to, for nonces.
    hashed: SecretComb,
}

/// Signs for one ring. Its tables take 87 KiB for each other member, and what the [`SigningKey`]
/// shares.
pub struct Signer {
    key: SigningKey,
    members: Vec<PublicKey>,
    /// Place of the signer in the ring.
    place: usize,
    /// Tables of the members after the signer, around the ring.
    others: Vec<Other>,
}

/// Tables of a member and the point that it hashes to.
struct Other {
    key: Comb,
    hashed: Comb,
}

/// A signature, and whether some challenge of it is short.
pub(super) struct Attempt {
    pub(super) bytes: Vec<u8>,
    pub(super) short: bool,
}

impl SigningKey {
    /// Computes the key image and the tables (about 0.6 ms).
    ///
    /// # Errors
    /// [`Error::HashDeadEnd`], which nobody has seen.
    pub fn new(secret: SecretKey) -> Result<Self, Error> {
        let public = secret.public();
        let hashed = hash::to_curve(&public)?;
        let image = (ProjectivePoint::from(hashed) * *secret.scalar()).to_affine();
        Ok(Self(Arc::new(Inner {
            public,
            image: compress(&image),
            image_comb: Comb::new(&image),
            hashed: SecretComb::new(&hashed),
            secret,
        })))
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    /// Compressed key image: what all signatures of this key have in common.
    pub fn key_image(&self) -> &[u8; 33] {
        &self.0.image
    }

    /// A signer for a ring (about 0.5 ms for each other member).
    ///
    /// # Errors
    /// [`Error::RingSize`] for fewer than two members or too many, [`Error::RingSigner`] when this
    /// key is not among them.
    pub fn signer(&self, ring: Vec<PublicKey>) -> Result<Signer, Error> {
        check_size(ring.len(), 2)?;
        self.signer_of_any_size(ring)
    }

    /// As [`SigningKey::signer`]; one member is enough, as verifiers accept it.
    pub(super) fn signer_of_any_size(&self, ring: Vec<PublicKey>) -> Result<Signer, Error> {
        let place = ring
            .iter()
            .position(|member| member == self.public())
            .ok_or_else(|| Error::RingSigner {
                signer: self.public().to_string(),
            })?;
        let others = ring.iter().cycle().skip(place + 1).take(ring.len() - 1);
        let others: Result<_, Error> = others
            .map(|member| {
                Ok(Other {
                    key: Comb::new(member.point()),
                    hashed: Comb::new(&hash::to_curve(member)?),
                })
            })
            .collect();
        Ok(Signer {
            key: self.clone(),
            others: others?,
            members: ring,
            place,
        })
    }
}

impl Signer {
    /// A signer with tables of its own; see [`SigningKey::signer`] to share them between rings.
    ///
    /// # Errors
    /// As [`SigningKey::signer`].
    pub fn new(secret: SecretKey, ring: Vec<PublicKey>) -> Result<Self, Error> {
        SigningKey::new(secret)?.signer(ring)
    }

    /// The ring, in the order of the signatures.
    pub fn members(&self) -> &[PublicKey] {
        &self.members
    }

    /// Signs a 32-byte message (the hash of a request's signable bytes). Two signatures of one
    /// message differ. Nonces are drawn again until no challenge is short, which takes
    /// a second attempt once in 128 signatures of a ring of two.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn sign(&self, message: &[u8; 32]) -> Result<Vec<u8>, Error> {
        self.sign_drawing(message, |random| {
            getrandom::fill(random).map_err(|_| Error::Randomness)
        })
    }

    /// The same with nonces that follow from a seed, so that a test can be run again. Whoever knows the seed knows the
    /// private key: this exists for tests alone.
    ///
    /// # Errors
    /// [`Error::Randomness`] when the seed is bad luck, which nobody has seen.
    #[cfg(any(test, feature = "testing"))]
    pub fn sign_from_seed(&self, message: &[u8; 32], seed: &[u8]) -> Result<Vec<u8>, Error> {
        let mut counter = 0_u64;
        self.sign_drawing(message, |random| {
            for part in random.chunks_mut(32) {
                counter += 1;
                let bytes = [seed, message.as_slice(), &counter.to_be_bytes()].concat();
                part.copy_from_slice(&crate::hash::sha256(&bytes)[..part.len()]);
            }
            Ok(())
        })
    }

    fn sign_drawing(
        &self,
        message: &[u8; 32],
        mut draw: impl FnMut(&mut [u8]) -> Result<(), Error>,
    ) -> Result<Vec<u8>, Error> {
        let mut random = Zeroizing::new(vec![0; 64 * self.members.len()]);
        for _ in 0..MAX_SIGN_ATTEMPTS {
            draw(&mut random)?;
            // 64 bytes reduced are uniform but for one part in 2^256.
            let mut scalars = random
                .as_chunks::<64>()
                .0
                .iter()
                .map(|wide| Scalar::reduce(&WideBytes::from(*wide)));
            let nonce = Zeroizing::new(scalars.next().unwrap_or_default());
            let decoys: Vec<Scalar> = scalars.collect();
            let attempt = self.attempt(message, &nonce, &decoys)?;
            if !attempt.short {
                return Ok(attempt.bytes);
            }
        }
        Err(Error::Randomness)
    }

    /// One attempt with a given nonce and given responses of the others, in the order around the
    /// ring after the signer.
    pub(super) fn attempt(
        &self,
        message: &[u8; 32],
        nonce: &Scalar,
        decoys: &[Scalar],
    ) -> Result<Attempt, Error> {
        let shared = &self.key.0;
        let size = self.members.len();
        let mut responses = vec![Scalar::ZERO; size];
        let mut challenges = vec![Scalar::ZERO; size];

        let commitments = [
            comb::secret_generator().multiply(nonce),
            shared.hashed.multiply(nonce),
        ];
        // In constant time as well: the projective coordinates tell about the nonce.
        let points = ProjectivePoint::batch_normalize(&commitments);
        let mut challenge = next_challenge(message, &points)?;
        let mut short = challenge.short;
        for (step, (other, response)) in self.others.iter().zip(decoys).enumerate() {
            let place = (self.place + 1 + step) % size;
            (challenges[place], responses[place]) = (challenge.scalar, *response);
            let (s, c) = (Digits::new(response), Digits::new(&challenge.scalar));
            let points = [
                comb::sum([(comb::generator(), &s), (&other.key, &c)]),
                comb::sum([(&other.hashed, &s), (&shared.image_comb, &c)]),
            ];
            challenge =
                next_challenge(message, &ProjectivePoint::batch_normalize_vartime(&points))?;
            short |= challenge.short;
        }
        challenges[self.place] = challenge.scalar;
        let mut product = challenge.scalar * *shared.secret.scalar();
        responses[self.place] = *nonce - product;
        product.zeroize();
        let bytes = codec::write(&challenges[0], &shared.image, &responses, &self.members);
        Ok(Attempt { bytes, short })
    }
}
