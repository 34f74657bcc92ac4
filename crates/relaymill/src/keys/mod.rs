//! Key files.
//!
//! A key file holds 64 hex digits, encrypted with a passphrase in the format of `age` ([`crypto::age`]), in a file that
//! only its owner can read. The passphrase comes from a file, the environment, or a terminal ([`passphrase`]), never from
//! an argument. Local networks keep the digits plain; a plain file is taken only where the configuration says
//! `dev_plain_keys = true`, and that only for networks that `relaymill localnet` made.
//!
//! Start with [`load`]; the folder of named keys is [`ring`].

mod armor;
mod passphrase;
pub(crate) mod ring;
mod terminal;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use crypto::keys::SecretKey;
use zeroize::Zeroizing;

use crate::files::write_atomically;
pub(crate) use passphrase::{Passphrase, PassphraseArgs};
pub(crate) use terminal::confirm;

/// Chain ids of local networks begin so.
pub(crate) const LOCAL_CHAIN_PREFIX: &str = "relaymill-local-";

/// Bytes of a key file that are read; the format allows fewer.
const FILE_BYTES_MAX: u64 = 128 << 10;

/// Reads a role's key.
pub(crate) fn load(
    path: &Path,
    chain_id: &str,
    dev_plain_keys: bool,
    passphrase: &PassphraseArgs,
) -> Result<SecretKey> {
    let local = chain_id.starts_with(LOCAL_CHAIN_PREFIX);
    if dev_plain_keys && !local {
        bail!(
            "`dev_plain_keys` is only for networks made by `relaymill localnet`, not for `{chain_id}`"
        );
    }
    let bytes = read_private(path)?;
    if is_plain(&bytes) && !dev_plain_keys {
        bail!(
            "key file {} is not encrypted; `relaymill keys import` makes an encrypted one, plain ones need `dev_plain_keys = true` on a network made by `relaymill localnet`",
            path.display()
        );
    }
    decode(path, &bytes, passphrase)
}

/// Reads a key that signs one transaction: encrypted for any chain, plain for local networks.
pub(crate) fn load_for(
    path: &Path,
    chain_id: &str,
    passphrase: &PassphraseArgs,
) -> Result<SecretKey> {
    let local = chain_id.starts_with(LOCAL_CHAIN_PREFIX);
    let bytes = read_private(path)?;
    if is_plain(&bytes) && !local {
        bail!(
            "key file {} is not encrypted: plain ones sign for local networks only, not for `{chain_id}`; `relaymill keys import` makes an encrypted one",
            path.display()
        );
    }
    decode(path, &bytes, passphrase)
}

/// Reads a key file of either kind.
pub(crate) fn read(path: &Path, passphrase: &PassphraseArgs) -> Result<SecretKey> {
    decode(path, &read_private(path)?, passphrase)
}

/// Encrypts a key and writes its file.
pub(crate) fn write(path: &Path, key: &SecretKey, passphrase: &Passphrase) -> Result<()> {
    let digits = Zeroizing::new(format!("{}\n", *hex_digits(key)));
    let sealed = crypto::age::seal(digits.as_bytes(), passphrase.as_bytes())?;
    write_atomically(path, sealed.as_bytes(), 0o600)
}

/// Whether no passphrase protects a key file.
fn is_plain(bytes: &[u8]) -> bool {
    !crypto::age::is_sealed(bytes) && !armor::is_armored(bytes)
}

/// The digits of a key.
pub(crate) fn hex_digits(key: &SecretKey) -> Zeroizing<String> {
    Zeroizing::new(hex::encode(key.to_bytes().as_slice()))
}

/// Reads a key of hex digits, with or without `0x`.
pub(crate) fn from_hex(text: &str) -> Option<SecretKey> {
    let text = text.trim();
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(
        text.strip_prefix("0x").unwrap_or(text),
        bytes.as_mut_slice(),
    )
    .ok()?;
    SecretKey::from_bytes(&bytes).ok()
}

fn decode(path: &Path, bytes: &[u8], passphrase: &PassphraseArgs) -> Result<SecretKey> {
    let name = || format!("key file {}", path.display());
    let opened;
    let digits = if crypto::age::is_sealed(bytes) {
        let passphrase = passphrase.get(&path.display().to_string())?;
        opened = crypto::age::open(bytes, passphrase.as_bytes()).with_context(name)?;
        opened.as_slice()
    } else if armor::is_armored(bytes) {
        let text = std::str::from_utf8(bytes).with_context(name)?;
        let passphrase = passphrase.get(&path.display().to_string())?;
        return armor::open(text, &passphrase).with_context(name);
    } else {
        bytes
    };
    std::str::from_utf8(digits)
        .ok()
        .and_then(from_hex)
        .with_context(|| format!("{}: expected 64 hex digits", name()))
}

/// The bytes of a file that nobody else can read.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    read_private_file(path).with_context(|| format!("key file {}", path.display()))
}

/// As [`read_private`], of a file that holds something else.
pub(crate) fn read_private_file(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let file = fs::File::open(path)?;
    // Of the file that is open, not of what has its name by now.
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!(
            "it can be read by others (mode {:o}); run `chmod 600` on it",
            mode & 0o777
        );
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the plain key of a local network, or makes one where there is none.
pub(crate) fn load_or_create(path: &Path) -> Result<SecretKey> {
    if path.exists() {
        return read(path, &PassphraseArgs::default());
    }
    let key = SecretKey::random()?;
    let digits = Zeroizing::new(format!("{}\n", *hex_digits(&key)));
    write_atomically(path, digits.as_bytes(), 0o600)?;
    Ok(key)
}
