//! The keyring: a folder of named keys.
//!
//! Each key has two files: `NAME.key`, encrypted, and `NAME.json` with what everybody may know, so that listing asks for
//! no passphrase. What is public is compared when the key is opened.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use crypto::keys::{Address, PublicKey, SecretKey};
use serde::{Deserialize, Serialize};

use super::{Passphrase, PassphraseArgs};
use crate::files::write_atomically;

/// Longest name of a key.
const NAME_MAX: usize = 64;

/// Where the keyring is.
#[derive(Args, Clone, Debug)]
pub(crate) struct RingArgs {
    /// Folder of named keys. Default: .relaymill/keys in the home directory.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "RELAYMILL_KEYRING_DIR",
        hide_env_values = true
    )]
    keyring_dir: Option<PathBuf>,
}

impl RingArgs {
    /// The folder, which may not exist yet.
    pub(crate) fn open(&self) -> Result<Ring> {
        if let Some(folder) = &self.keyring_dir {
            return Ok(Ring {
                folder: folder.clone(),
            });
        }
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
        let home = home.context("there is no home directory: give --keyring-dir")?;
        Ok(Ring {
            folder: Path::new(&home).join(".relaymill/keys"),
        })
    }
}

/// A folder of named keys.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    folder: PathBuf,
}

/// What everybody may know of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its name in this keyring.
    pub(crate) name: String,
    /// Address of its account.
    pub(crate) address: Address,
    /// Compressed, in hex digits.
    pub(crate) public_key: String,
    /// Where in its mnemonic it is; absent for imported keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hd_path: Option<String>,
}

impl Ring {
    #[cfg(test)]
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Encrypts a new key.
    pub(crate) fn add(
        &self,
        name: &str,
        key: &SecretKey,
        hd_path: Option<String>,
        passphrase: &Passphrase,
    ) -> Result<Entry> {
        self.check_free(name)?;
        let public = key.public();
        let entry = Entry {
            name: name.to_owned(),
            address: public.address(),
            public_key: public.to_string(),
            hd_path,
        };
        super::write(&self.key_file(name), key, passphrase)?;
        self.write_entry(&entry)?;
        Ok(entry)
    }

    /// Fails unless a key of this name can be added.
    pub(crate) fn check_free(&self, name: &str) -> Result<()> {
        check_name(name)?;
        self.make()?;
        if self.key_file(name).exists() {
            bail!(
                "there is a key `{name}` in {} already",
                self.folder.display()
            );
        }
        Ok(())
    }

    /// All keys, by name.
    pub(crate) fn list(&self) -> Result<Vec<Entry>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(error).with_context(|| format!("keyring {}", self.folder.display()));
            }
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let key = path.extension().is_some_and(|extension| extension == "key");
            if let (true, Some(name)) = (key, path.file_stem().and_then(|name| name.to_str())) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names.iter().map(|name| self.entry(name)).collect()
    }

    /// The key of this name or address.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Entry>> {
        if check_name(name).is_ok() && self.key_file(name).exists() {
            return self.entry(name).map(Some);
        }
        let Ok(address) = name.parse::<Address>() else {
            return Ok(None);
        };
        let found = self.list()?;
        Ok(found.into_iter().find(|entry| entry.address == address))
    }

    /// As [`Ring::find`], where it must be.
    pub(crate) fn get(&self, name: &str) -> Result<Entry> {
        self.find(name)?.with_context(|| {
            format!(
                "there is no key `{name}` in {}; `relaymill keys list` shows those there are",
                self.folder.display()
            )
        })
    }

    /// Decrypts a key.
    pub(crate) fn open(&self, entry: &Entry, passphrase: &PassphraseArgs) -> Result<SecretKey> {
        let path = self.key_file(&entry.name);
        let key = super::read(&path, passphrase)?;
        if key.public().address() != entry.address {
            bail!(
                "{} holds the key of {}, its .json says {}",
                path.display(),
                key.public().address(),
                entry.address
            );
        }
        Ok(key)
    }

    /// The encrypted file as it is.
    pub(crate) fn sealed(&self, entry: &Entry) -> Result<String> {
        let bytes = super::read_private(&self.key_file(&entry.name))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Forgets a key for good.
    pub(crate) fn delete(&self, entry: &Entry) -> Result<()> {
        for path in [self.key_file(&entry.name), self.entry_file(&entry.name)] {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    /// Gives a key another name.
    pub(crate) fn rename(&self, entry: &Entry, name: &str) -> Result<Entry> {
        self.check_free(name)?;
        let renamed = Entry {
            name: name.to_owned(),
            ..entry.clone()
        };
        self.write_entry(&renamed)?;
        let (from, to) = (self.key_file(&entry.name), self.key_file(name));
        fs::rename(&from, &to).with_context(|| format!("cannot rename {}", from.display()))?;
        let old = self.entry_file(&entry.name);
        fs::remove_file(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        Ok(renamed)
    }

    fn entry(&self, name: &str) -> Result<Entry> {
        let path = self.entry_file(name);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut entry: Entry =
            serde_json::from_slice(&text).with_context(|| format!("{}", path.display()))?;
        let public = hex::decode(&entry.public_key)
            .ok()
            .and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
        if public.map(|public| public.address()) != Some(entry.address) {
            bail!(
                "{}: `public_key` and `address` do not belong together",
                path.display()
            );
        }
        name.clone_into(&mut entry.name);
        Ok(entry)
    }

    fn write_entry(&self, entry: &Entry) -> Result<()> {
        let text = serde_json::to_vec_pretty(entry)?;
        write_atomically(&self.entry_file(&entry.name), &text, 0o600)
    }

    /// The folder, for its owner only.
    fn make(&self) -> Result<()> {
        let name = || format!("keyring {}", self.folder.display());
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&self.folder).with_context(name)?;
        let mode = fs::metadata(&self.folder)
            .with_context(name)?
            .permissions()
            .mode();
        if mode & 0o022 != 0 {
            bail!(
                "keyring {} can be written by others (mode {:o}); run `chmod 700` on it",
                self.folder.display(),
                mode & 0o777
            );
        }
        Ok(())
    }

    fn key_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.key"))
    }

    fn entry_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

/// A name is a file's name, so it may not lead elsewhere.
fn check_name(name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let good = (1..=NAME_MAX).contains(&name.len())
        && name.chars().all(fits)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !good {
        bail!(
            "`{name}` is no name for a key: 1 to {NAME_MAX} letters, digits, `-`, `_` and `.`, a letter or digit first"
        );
    }
    Ok(())
}
