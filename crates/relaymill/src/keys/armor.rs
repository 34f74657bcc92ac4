//! Private keys as `pocketd keys export` writes them: the SDK's armor, read and never written.
//!
//! OpenPGP's ASCII armor with headers; inside, the key in Amino, encrypted with ChaCha20-Poly1305 under a key that
//! Argon2id draws from the passphrase. The nonce is zero, as each salt is used once.

use anyhow::{Context as _, Result, bail};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use crypto::keys::SecretKey;
use zeroize::Zeroizing;

use super::Passphrase;

const BEGIN: &str = "-----BEGIN TENDERMINT PRIVATE KEY-----";
const END: &str = "-----END TENDERMINT PRIVATE KEY-----";
/// Name and length of a secp256k1 key in Amino.
const AMINO_PREFIX: [u8; 5] = [0xe1, 0xb0, 0xf7, 0x9b, 32];
/// KiB, passes and lanes of the SDK's Argon2id.
const WORK: (u32, u32, u32) = (64 * 1024, 1, 4);

/// Whether a file's first bytes say that it is such a key.
pub(super) fn is_armored(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(BEGIN.as_bytes())
}

/// Decrypts a key.
pub(super) fn open(text: &str, passphrase: &Passphrase) -> Result<SecretKey> {
    let inner = text
        .trim()
        .strip_prefix(BEGIN)
        .and_then(|text| text.strip_suffix(END))
        .context("the armor has no end")?;
    let (headers, body) = inner
        .trim_start_matches(['\r', '\n'])
        .split_once("\n\n")
        .or_else(|| inner.split_once("\r\n\r\n"))
        .context("the armor has no body")?;
    let header = |name: &str| {
        let line = headers
            .lines()
            .find_map(|line| line.split_once(':').filter(|(key, _)| *key == name));
        line.map(|(_, value)| value.trim())
    };
    match header("kdf") {
        Some("argon2") => {}
        Some("bcrypt") => bail!(
            "it was exported by an SDK before v0.50 (bcrypt); export it again, or with --unarmored-hex --unsafe"
        ),
        other => bail!("its kdf is `{}`, expected argon2", other.unwrap_or("")),
    }
    if header("type").is_some_and(|kind| kind != "secp256k1") {
        bail!("its type is not secp256k1");
    }
    let salt = header("salt").and_then(|salt| hex::decode(salt).ok());
    let salt = salt.context("its salt is not in hex digits")?;
    // The last line, after `=`, is a checksum; the cipher has a better one.
    let lines = body
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('='));
    let sealed = STANDARD
        .decode(lines.collect::<String>())
        .context("its body is not base64")?;
    let (memory, passes, lanes) = WORK;
    let params =
        Params::new(memory, passes, lanes, Some(32)).map_err(|_| anyhow::anyhow!("Argon2"))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), &salt, key.as_mut_slice())
        .map_err(|_| anyhow::anyhow!("its salt is too short"))?;
    let plain = ChaCha20Poly1305::new(&(*key).into())
        .decrypt(&Nonce::from([0; 12]), sealed.as_slice())
        .map(Zeroizing::new);
    let Ok(plain) = plain else {
        bail!("the passphrase does not open it");
    };
    let scalar = plain
        .strip_prefix(&AMINO_PREFIX)
        .and_then(|scalar| <&[u8; 32]>::try_from(scalar).ok());
    Ok(SecretKey::from_bytes(
        scalar.context("it holds no secp256k1 key")?,
    )?)
}
