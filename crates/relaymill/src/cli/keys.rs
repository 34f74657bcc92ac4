//! `relaymill keys`: the keyring.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use crypto::keys::{HdPath, SecretKey, VALCONS_PREFIX, VALOPER_PREFIX, generate_mnemonic};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::output::{Output, print};
use crate::files::write_atomically;
use crate::keys::ring::{Entry, Ring, RingArgs};
use crate::keys::{self, PassphraseArgs};

#[derive(Args, Debug)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    ring: RingArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Output::Text, global = true)]
    output: Output,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Makes a key from a new mnemonic, which is shown once, or from one of your own.
    Add {
        /// Name of the new key.
        name: String,
        /// Reads the words of an existing mnemonic from standard input.
        #[arg(long)]
        recover: bool,
        /// Reads them from a file instead.
        #[arg(long, value_name = "FILE")]
        mnemonic_file: Option<PathBuf>,
        /// Path from the mnemonic to the key. Default: m/44'/118'/ACCOUNT'/0/INDEX.
        #[arg(long, conflicts_with_all = ["account", "index"])]
        hd_path: Option<HdPath>,
        /// Account in that path.
        #[arg(long, default_value_t = 0)]
        account: u32,
        /// Index in that path.
        #[arg(long, default_value_t = 0)]
        index: u32,
    },
    /// Takes over a private key from a file: 64 hex digits, a key file of ours, or what `pocketd keys export` wrote.
    Import {
        /// Name of the new key.
        name: String,
        /// The file; `-` is standard input.
        file: PathBuf,
        /// File with the passphrase of FILE, where it is encrypted with another.
        #[arg(long, value_name = "PASSPHRASE_FILE")]
        file_passphrase: Option<PathBuf>,
    },
    /// Lists names and addresses.
    List,
    /// Shows addresses and public key.
    Show {
        /// Name or address of the key.
        name: String,
        /// Prints the account's address and nothing else.
        #[arg(long, short)]
        address: bool,
    },
    /// Shows address and public key of a validator's consensus key.
    ShowValidator {
        /// The node's `priv_validator_key.json`, or `validator.key`.
        file: PathBuf,
    },
    /// Prints the encrypted key file; with --unarmored-hex --unsafe the private key itself.
    Export {
        /// Name or address of the key.
        name: String,
        /// The private key as 64 hex digits, for everybody to see.
        #[arg(long, requires = "unsafe_")]
        unarmored_hex: bool,
        /// You know what you do.
        #[arg(id = "unsafe_", long = "unsafe")]
        unsafe_: bool,
        /// Writes to this file, readable by its owner only, instead of printing.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Deletes a key for good.
    Delete {
        /// Name or address of the key.
        name: String,
        /// Does not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Gives a key another name.
    Rename {
        /// Name or address of the key.
        name: String,
        /// Its new name.
        new_name: String,
    },
}

/// Works on the keyring.
pub(crate) fn run(args: KeysArgs) -> Result<()> {
    let ring = args.ring.open()?;
    match &args.what {
        What::Add {
            name,
            recover,
            mnemonic_file,
            hd_path,
            account,
            index,
        } => {
            let path = hd_path
                .clone()
                .unwrap_or_else(|| HdPath::cosmos(*account, *index));
            let words = words(*recover, mnemonic_file.as_ref())?;
            add(&args, &ring, name, words, &path)
        }
        What::Import {
            name,
            file,
            file_passphrase,
        } => import(&args, &ring, name, file, file_passphrase.as_ref()),
        What::List => {
            let all = ring.list()?;
            match args.output {
                Output::Json => print(args.output, &serde_json::to_value(all)?),
                Output::Text => {
                    for entry in all {
                        println!("{:<20} {}", entry.name, entry.address);
                    }
                    Ok(())
                }
            }
        }
        What::Show { name, address } => {
            let entry = ring.get(name)?;
            if *address {
                println!("{}", entry.address);
                return Ok(());
            }
            print(args.output, &shown(&entry)?)
        }
        What::ShowValidator { file } => print(args.output, &validator(file)?),
        What::Export {
            name,
            unarmored_hex,
            to,
            ..
        } => export(&args, &ring, name, *unarmored_hex, to.as_ref()),
        What::Delete { name, yes } => {
            let entry = ring.get(name)?;
            let question = format!(
                "Delete `{}` ({})? Without its mnemonic or a copy it is lost.",
                entry.name, entry.address
            );
            super::output::agree(*yes, &question)?;
            ring.delete(&entry)?;
            eprintln!("deleted {} ({})", entry.name, entry.address);
            Ok(())
        }
        What::Rename { name, new_name } => {
            let renamed = ring.rename(&ring.get(name)?, new_name)?;
            print(args.output, &shown(&renamed)?)
        }
    }
}

/// Words that were given; `None` to draw new ones.
fn words(recover: bool, file: Option<&PathBuf>) -> Result<Option<Zeroizing<String>>> {
    if let Some(file) = file {
        let bytes = keys::read_private_file(file)
            .with_context(|| format!("--mnemonic-file {}", file.display()))?;
        let text = std::str::from_utf8(&bytes).context("--mnemonic-file: no text")?;
        return Ok(Some(normal(text)));
    }
    if !recover {
        return Ok(None);
    }
    if std::io::stdin().is_terminal() {
        eprintln!("type the words of the mnemonic, then Enter:");
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().read_line(&mut text)?;
        return Ok(Some(normal(&text)));
    }
    Ok(Some(normal(&standard_input()?)))
}

/// Single spaces, lower case.
fn normal(text: &str) -> Zeroizing<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    Zeroizing::new(Zeroizing::new(words.join(" ")).to_lowercase())
}

fn standard_input() -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin().take(64 << 10).read_to_string(&mut text)?;
    Ok(text)
}

fn add(
    args: &KeysArgs,
    ring: &Ring,
    name: &str,
    given: Option<Zeroizing<String>>,
    path: &HdPath,
) -> Result<()> {
    ring.check_free(name)?;
    let new = given.is_none();
    let words = match given {
        Some(words) => words,
        None => generate_mnemonic()?,
    };
    let key = SecretKey::from_mnemonic_at(&words, path)?;
    let passphrase = args.passphrase.get_new(&format!("key `{name}`"))?;
    let entry = ring.add(name, &key, Some(path.to_string()), &passphrase)?;
    let mut json = shown(&entry)?;
    match args.output {
        Output::Json => {
            if new {
                json["mnemonic"] = Value::String(words.to_string());
            }
            print(args.output, &json)
        }
        Output::Text => {
            print(args.output, &json)?;
            if new {
                eprintln!(
                    "\nWrite these words down and keep them secret: whoever has them has the coins, and without them a lost file is a lost key. They are not shown again.\n\n{}\n",
                    words.as_str()
                );
            }
            Ok(())
        }
    }
}

fn import(
    args: &KeysArgs,
    ring: &Ring,
    name: &str,
    file: &Path,
    file_passphrase: Option<&PathBuf>,
) -> Result<()> {
    ring.check_free(name)?;
    let key = if file.as_os_str() == "-" {
        let text = standard_input()?;
        keys::from_hex(&text).context("standard input: expected 64 hex digits")?
    } else {
        let passphrase = match file_passphrase {
            Some(file) => PassphraseArgs::of_file(file.clone()),
            None => args.passphrase.clone(),
        };
        keys::read(file, &passphrase)?
    };
    let passphrase = args.passphrase.get_new(&format!("key `{name}`"))?;
    print(
        args.output,
        &shown(&ring.add(name, &key, None, &passphrase)?)?,
    )
}

fn export(
    args: &KeysArgs,
    ring: &Ring,
    name: &str,
    unarmored_hex: bool,
    to: Option<&PathBuf>,
) -> Result<()> {
    let entry = ring.get(name)?;
    let text = if unarmored_hex {
        let key = ring.open(&entry, &args.passphrase)?;
        Zeroizing::new(format!("{}\n", *keys::hex_digits(&key)))
    } else {
        Zeroizing::new(ring.sealed(&entry)?)
    };
    match to {
        Some(path) if path.exists() => bail!("{} exists already", path.display()),
        Some(path) => write_atomically(path, text.as_bytes(), 0o600),
        None => {
            print!("{}", text.as_str());
            Ok(())
        }
    }
}

/// All forms of a key that others need.
fn shown(entry: &Entry) -> Result<Value> {
    let public = hex::decode(&entry.public_key).context("public key")?;
    let mut json = json!({
        "name": entry.name,
        "address": entry.address.to_bech32(),
        "valoper": entry.address.to_bech32_with(VALOPER_PREFIX),
        "public_key": entry.public_key,
        "pubkey": super::output::public_key_json("/cosmos.crypto.secp256k1.PubKey", &public),
    });
    if let Some(path) = &entry.hd_path {
        json["hd_path"] = Value::String(path.clone());
    }
    Ok(json)
}

/// A consensus key's public half.
fn validator(file: &Path) -> Result<Value> {
    let public = consensus_key(file)?;
    let address: [u8; 32] = crypto::hash::sha256(&public);
    let [address @ .., _, _, _, _, _, _, _, _, _, _, _, _] = address;
    Ok(json!({
        "address": hex::encode_upper(address),
        "valcons": crypto::keys::Address(address).to_bech32_with(VALCONS_PREFIX),
        "pubkey": super::output::public_key_json("/cosmos.crypto.ed25519.PubKey", &public),
    }))
}

/// The Ed25519 public key of a node's key file: CometBFT's JSON, or the 64 hex digits of our own; or the JSON that
/// `keys show-validator` prints.
pub(crate) fn consensus_key(file: &Path) -> Result<[u8; 32]> {
    let given = file.to_string_lossy();
    if given.trim_start().starts_with('{') {
        return key_of_json(&given).context("expected a public key in JSON, or a file");
    }
    let wrong = || {
        format!(
            "{}: expected a priv_validator_key.json, or 64 hex digits",
            file.display()
        )
    };
    let bytes = Zeroizing::new(std::fs::read(file).with_context(wrong)?);
    let text = std::str::from_utf8(&bytes).with_context(wrong)?;
    if text.trim_start().starts_with('{') {
        return key_of_json(text).with_context(wrong);
    }
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), seed.as_mut_slice()).with_context(wrong)?;
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    Ok(key.verifying_key().to_bytes())
}

/// `pub_key.value` of a key file, or `key` of a public key.
fn key_of_json(text: &str) -> Result<[u8; 32]> {
    use base64::Engine as _;
    let json: Value = serde_json::from_str(text)?;
    let value = json.pointer("/pub_key/value").or_else(|| json.get("key"));
    let key = value.and_then(Value::as_str).context("no key in it")?;
    let key = base64::engine::general_purpose::STANDARD.decode(key)?;
    <[u8; 32]>::try_from(key).map_err(|_| anyhow::anyhow!("a public key has 32 bytes"))
}
