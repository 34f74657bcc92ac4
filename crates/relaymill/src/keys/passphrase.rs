//! Where passphrases come from.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use zeroize::Zeroizing;

use super::{read_private_file, terminal};

/// The variable that holds a passphrase.
const VARIABLE: &str = "RELAYMILL_PASSPHRASE";

/// Shortest passphrase that a new key is encrypted with. A file that leaks is guessed at offline, at about one guess a
/// second and core.
const CHARACTERS_MIN: usize = 8;

/// How to get at encrypted keys.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PassphraseArgs {
    /// File that holds the passphrase of encrypted keys, readable by its owner only. Without it: the variable
    /// RELAYMILL_PASSPHRASE, else a question on the terminal.
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// A passphrase, wiped when dropped.
pub(crate) struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// For the key derivation only.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

impl PassphraseArgs {
    /// The passphrase for something that is encrypted already.
    pub(crate) fn get(&self, what: &str) -> Result<Passphrase> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        let text = terminal::ask_secret(&format!("passphrase of {what}: "))?;
        let text = text.with_context(|| {
            format!("{what} is encrypted: give --passphrase-file or set {VARIABLE}")
        })?;
        Ok(Passphrase(text))
    }

    /// The passphrase for something new; on a terminal it is asked for twice.
    pub(crate) fn get_new(&self, what: &str) -> Result<Passphrase> {
        let passphrase = match self.given()? {
            Some(given) => given,
            None => {
                let first = terminal::ask_secret(&format!("new passphrase of {what}: "))?;
                let first = first.with_context(|| {
                    format!("{what} will be encrypted: give --passphrase-file or set {VARIABLE}")
                })?;
                let again = terminal::ask_secret("the same again: ")?;
                if again.as_ref() != Some(&first) {
                    bail!("the two passphrases are not the same");
                }
                Passphrase(first)
            }
        };
        if passphrase.0.chars().count() < CHARACTERS_MIN {
            bail!("the passphrase has fewer than {CHARACTERS_MIN} characters");
        }
        Ok(passphrase)
    }

    /// The one that needs no question.
    fn given(&self) -> Result<Option<Passphrase>> {
        if let Some(path) = &self.passphrase_file {
            let bytes = read_private_file(path)
                .with_context(|| format!("--passphrase-file {}", path.display()))?;
            let text = std::str::from_utf8(&bytes)
                .with_context(|| format!("--passphrase-file {}: no text", path.display()))?;
            // Editors end the last line.
            let text = text.strip_suffix('\n').unwrap_or(text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            if text.is_empty() {
                bail!("--passphrase-file {} is empty", path.display());
            }
            return Ok(Some(Passphrase(Zeroizing::new(text.to_owned()))));
        }
        match std::env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => Ok(Some(Passphrase(Zeroizing::new(text)))),
            Ok(_) | Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => bail!("{VARIABLE} is no text"),
        }
    }

    /// The passphrase in a file.
    pub(crate) fn of_file(path: PathBuf) -> Self {
        Self {
            passphrase_file: Some(path),
        }
    }
}
