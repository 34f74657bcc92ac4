//! Who signs.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use crypto::keys::{Address, PublicKey, SecretKey, VALOPER_PREFIX};

use super::TxArgs;
use crate::keys::{self, ring::Entry};

/// The account that a transaction is of, with or without its key.
pub(crate) struct Signer {
    /// Its address.
    pub(crate) address: Address,
    /// Its public key, where it is known without asking the chain.
    pub(crate) public: Option<PublicKey>,
    key: Where,
}

enum Where {
    Key(SecretKey),
    Ring(Entry),
    Nowhere,
}

impl Signer {
    /// Finds `--from`: a name of the local network or the keyring, an address, or a key file. Nothing is decrypted yet,
    /// except for files of no known address.
    pub(crate) fn find(args: &TxArgs, chain_id: &str) -> Result<Self> {
        let from = match &args.options.from {
            Some(from) => from.as_str(),
            // The network's own purse.
            None if args.node.is_local_network() => "faucet",
            None => bail!("give --from: the name or address of a key, or a key file"),
        };
        let keys = args.node.data_dir.join("keys");
        let named = keys.join(format!("{from}.key"));
        if args.node.is_local_network() && !from.contains('/') && named.exists() {
            return Self::of_file(args, &named, chain_id);
        }
        if let Some(entry) = args.ring.open()?.find(from)? {
            let public = hex::decode(&entry.public_key)
                .ok()
                .and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
            return Ok(Self {
                address: entry.address,
                public,
                key: Where::Ring(entry),
            });
        }
        if let Ok(address) = from.parse::<Address>() {
            return Ok(Self {
                address,
                public: None,
                key: Where::Nowhere,
            });
        }
        if Path::new(from).exists() {
            return Self::of_file(args, Path::new(from), chain_id);
        }
        let local = match args.node.is_local_network() {
            true => format!(", those of the local network are in {}", keys.display()),
            false => String::new(),
        };
        bail!(
            "--from {from}: no key of this name in the keyring, no address, and no file (`relaymill keys list` shows the \
             keyring{local})"
        )
    }

    fn of_file(args: &TxArgs, path: &Path, chain_id: &str) -> Result<Self> {
        let key = keys::load_for(path, chain_id, &args.passphrase)?;
        Ok(Self {
            address: key.public().address(),
            public: Some(key.public()),
            key: Where::Key(key),
        })
    }

    /// The key itself.
    pub(crate) fn key(&self, args: &TxArgs) -> Result<SecretKey> {
        match &self.key {
            Where::Key(key) => Ok(key.clone()),
            Where::Ring(entry) => args.ring.open()?.open(entry, &args.passphrase),
            Where::Nowhere => Err(anyhow::anyhow!(
                "the keyring has no key of {}; --generate-only makes a transaction to sign elsewhere",
                self.address
            )),
        }
        .with_context(|| format!("--from {}", self.address))
    }

    /// Its address as text.
    pub(crate) fn account(&self) -> String {
        self.address.to_bech32()
    }

    /// Its address as a validator's operator.
    pub(crate) fn operator(&self) -> String {
        self.address.to_bech32_with(VALOPER_PREFIX)
    }
}
