//! Key files.
//!
//! A key of a local network is 64 hex digits in a file that only its owner can read. Such a plain file is taken only where
//! the configuration says `dev_plain_keys = true`, and that only for networks that `relaymill localnet` made.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use crypto::keys::SecretKey;

use crate::files::write_atomically;

/// Chain ids of local networks begin so.
pub(crate) const LOCAL_CHAIN_PREFIX: &str = "relaymill-local-";

/// Reads a role's key.
pub(crate) fn load(path: &Path, chain_id: &str, dev_plain_keys: bool) -> Result<SecretKey> {
    if !dev_plain_keys {
        bail!(
            "{}: encrypted keys are not supported yet; plain ones need `dev_plain_keys = true` on a local network",
            path.display()
        );
    }
    if !chain_id.starts_with(LOCAL_CHAIN_PREFIX) {
        bail!(
            "`dev_plain_keys` is only for networks made by `relaymill localnet`, not for `{chain_id}`"
        );
    }
    read_plain(path)
}

/// Reads 64 hex digits from a file that nobody else can read.
pub(crate) fn read_plain(path: &Path) -> Result<SecretKey> {
    let metadata = fs::metadata(path).with_context(|| format!("key file {}", path.display()))?;
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 {
        bail!(
            "key file {} can be read by others (mode {:o}); run `chmod 600` on it",
            path.display(),
            mode & 0o777
        );
    }
    let text = fs::read_to_string(path).with_context(|| format!("key file {}", path.display()))?;
    let bytes: Option<[u8; 32]> = hex::decode(text.trim())
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    let bytes =
        bytes.with_context(|| format!("key file {}: expected 64 hex digits", path.display()))?;
    SecretKey::from_bytes(&bytes).with_context(|| format!("key file {}", path.display()))
}

/// Reads a key, or makes one where there is none.
pub(crate) fn load_or_create(path: &Path) -> Result<SecretKey> {
    if path.exists() {
        return read_plain(path);
    }
    let key = SecretKey::random()?;
    write_atomically(
        path,
        format!("{}\n", hex::encode(*key.to_bytes())).as_bytes(),
        0o600,
    )?;
    Ok(key)
}
