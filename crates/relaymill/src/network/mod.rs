//! `relaymill network init`: the homes of a new network whose validators run CometBFT.
//!
//! One folder a validator, to be carried to its machine: CometBFT's `config` and `data`, and our `node.toml`. Everything
//! that more than one needs is the same file in each: the genesis document, read by CometBFT and by the node. Nothing is
//! started and nothing existing is touched.

mod comet;
mod genesis;

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use crypto::keys::{Address, SecretKey};
use ed25519_dalek::SigningKey;

use crate::files::{write_atomically, write_toml_once};
use crate::keys::{self, Passphrase, PassphraseArgs};

/// Chain ids of networks that exist (chain specification 0.1): what is signed for one of these is valid there.
const TAKEN: [&str; 4] = [
    "pocket",
    "pocket-beta",
    "pocket-alpha",
    "pocket-lego-testnet",
];

/// Ports a validator takes from its first.
const PORTS: u16 = 8;

/// Networks of one's own whose validators run CometBFT.
#[derive(Subcommand, Debug)]
pub(crate) enum NetworkCommand {
    /// Writes the homes of a new network's validators.
    Init(InitArgs),
}

/// Writes the homes of a new network's validators.
#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// Chain id of the new network: letters, digits, `-` and `.`, 3 to 50 of them. Those of POKT's networks are refused.
    name: String,
    /// Validators of the first block.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    validators: u16,
    /// Homes that join later: with keys, an account and everything else, but not bonded at the start.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=100))]
    spare: u16,
    /// Folder of the homes; it must not exist. Default: the name.
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// First of eight ports of the first validator; the next validator takes the next eight. With --address each takes
    /// the same.
    #[arg(long, value_name = "PORT", default_value_t = 26656)]
    ports_from: u16,
    /// Address at which the others reach a validator, one for each home in order. Default: all on this machine.
    #[arg(long = "address", value_name = "IP")]
    addresses: Vec<IpAddr>,
    /// What each validator bonds at the start, in upokt.
    #[arg(long, value_name = "UPOKT", default_value_t = 1_000_000_000)]
    stake: u64,
    /// Milliseconds that CometBFT waits after a block for more votes: nearly the time from block to block.
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    timeout_commit_ms: u64,
    /// Gas of a block. Default: what the chain's own genesis documents have.
    #[arg(long, value_name = "GAS")]
    max_gas: Option<u64>,
    /// A snapshot for state sync every so many blocks; 0 for none.
    #[arg(long, value_name = "BLOCKS", default_value_t = node::limits::SNAPSHOT_INTERVAL)]
    snapshot_interval: u64,
    /// Account that may change the parameters later, by `relaymill tx params`. Default: nobody, for ever.
    #[arg(long, value_name = "ADDRESS")]
    authority: Option<Address>,
    /// Another value for a parameter, e.g. slashing.signed_blocks_window=1000.
    #[arg(long = "param", value_name = "MODULE.NAME=VALUE")]
    params: Vec<String>,
    /// Take shared.proof_window_open_offset_blocks=0: the leaf that a claim must prove is then drawn from the hash of a
    /// block that may still take claims.
    #[arg(long)]
    allow_proof_window_open_offset_zero: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// One home under construction.
pub(crate) struct Home {
    /// `validator-1`.
    name: String,
    /// Account that operates the validator.
    operator: SecretKey,
    /// Signs blocks.
    consensus: SigningKey,
    /// Names the node among its peers.
    node: SigningKey,
    address: IpAddr,
    first_port: u16,
    /// Whether it is bonded in the first block.
    bonded: bool,
}

impl Home {
    fn port(&self, offset: u16) -> u16 {
        self.first_port + offset
    }

    /// Where other nodes find it.
    fn peer(&self) -> String {
        let id = comet::address(&self.node).to_lowercase();
        format!("{id}@{}", self.at(0))
    }

    /// Address and port as one.
    fn at(&self, offset: u16) -> String {
        std::net::SocketAddr::new(self.address, self.port(offset)).to_string()
    }
}

/// Runs a command.
pub(crate) fn run(command: NetworkCommand) -> Result<()> {
    match command {
        NetworkCommand::Init(args) => init(&args),
    }
}

fn init(args: &InitArgs) -> Result<()> {
    check_name(&args.name)?;
    let root = args
        .home
        .clone()
        .unwrap_or_else(|| PathBuf::from(&args.name));
    if root.exists() {
        bail!(
            "{} exists; give another --home, nothing is overwritten",
            root.display()
        );
    }
    // Asked for before anything is made. Local networks keep their keys plain, as `relaymill localnet` does.
    let passphrase = match args.name.starts_with(keys::LOCAL_CHAIN_PREFIX) {
        true => None,
        false => Some(args.passphrase.get_new("the operators' keys")?),
    };
    let homes = homes(args)?;
    let document = genesis::build(args, &homes)?;
    let text = genesis::cometbft(args, &homes, &document)?;
    genesis::check(&document, args.allow_proof_window_open_offset_zero)?;

    let partial = root.with_extension("partial");
    if partial.exists() {
        std::fs::remove_dir_all(&partial)
            .with_context(|| format!("cannot remove {}", partial.display()))?;
    }
    for home in &homes {
        write_home(args, home, &homes, &partial.join(&home.name), &text)?;
        write_operator(home, &partial.join(&home.name), passphrase.as_ref())?;
    }
    write_atomically(&partial.join("genesis.json"), text.as_bytes(), 0o644)?;
    // Last, so that a network is there whole or not at all.
    std::fs::rename(&partial, &root).with_context(|| format!("cannot make {}", root.display()))?;
    report(args, &root, &homes);
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if !(3..=50).contains(&name.len()) || !name.chars().all(allowed) {
        bail!("`{name}` is no chain id: expected 3 to 50 letters, digits, `-` or `.`");
    }
    if TAKEN.contains(&name) {
        bail!(
            "`{name}` is the chain id of a network of POKT: what is signed for one would be valid on the other"
        );
    }
    Ok(())
}

fn homes(args: &InitArgs) -> Result<Vec<Home>> {
    let count = args.validators + args.spare;
    if !args.addresses.is_empty() && args.addresses.len() != usize::from(count) {
        bail!(
            "--address was given {} times for {count} homes",
            args.addresses.len()
        );
    }
    let on_one_machine = args.addresses.is_empty();
    let each = (0..count).map(|index| {
        let first = if on_one_machine {
            index.checked_mul(PORTS)
        } else {
            Some(0)
        };
        let first = first.and_then(|offset| args.ports_from.checked_add(offset));
        let first = first.filter(|first| *first > 0 && first.checked_add(PORTS).is_some());
        let name = format!("validator-{}", index + 1);
        let address = args.addresses.get(usize::from(index)).copied();
        Ok(Home {
            name,
            operator: SecretKey::random()?,
            consensus: comet::random()?,
            node: comet::random()?,
            address: address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            first_port: first.context("--ports-from: there are not enough ports from there on")?,
            bonded: index < args.validators,
        })
    });
    each.collect()
}

fn write_home(
    args: &InitArgs,
    home: &Home,
    homes: &[Home],
    folder: &Path,
    genesis: &str,
) -> Result<()> {
    for sub in ["config", "data", "keys"] {
        let path = folder.join(sub);
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
    }
    let write = |path: &str, text: &str, mode: u32| {
        write_atomically(&folder.join(path), text.as_bytes(), mode)
    };
    write("config/genesis.json", genesis, 0o644)?;
    write(
        "config/config.toml",
        &comet::config(args, home, homes)?,
        0o644,
    )?;
    write(
        "config/priv_validator_key.json",
        &comet::validator_key(&home.consensus)?,
        0o600,
    )?;
    write("config/node_key.json", &comet::node_key(&home.node)?, 0o600)?;
    write(
        "data/priv_validator_state.json",
        comet::NOTHING_SIGNED,
        0o600,
    )?;
    let node = node::NodeFile {
        rpc_listen: String::new(),
        grpc_listen: format!("127.0.0.1:{}", home.port(3)),
        rest_listen: Some(format!("127.0.0.1:{}", home.port(4))),
        data_dir: "data/relaymill".into(),
        genesis: "config/genesis.json".into(),
        block_time_ms: 0,
        keep_recent: None,
        min_gas_price: Some(genesis::MIN_GAS_PRICE.to_owned()),
        allowed_hosts: None,
        comet: Some(node::CometFile {
            abci_listen: format!("tcp://127.0.0.1:{}", home.port(2)),
            rpc_url: Some(format!("http://127.0.0.1:{}", home.port(1))),
            snapshot_interval: Some(args.snapshot_interval),
            snapshots_kept: None,
        }),
    };
    write_toml_once(
        &folder.join("node.toml"),
        "relaymill node start --config node.toml",
        &node,
    )
}

/// The account that operates a validator; only transactions need it.
fn write_operator(home: &Home, folder: &Path, passphrase: Option<&Passphrase>) -> Result<()> {
    let path = folder.join("keys/operator.key");
    match passphrase {
        Some(passphrase) => keys::write(&path, &home.operator, passphrase),
        None => {
            let digits = format!("{}\n", *keys::hex_digits(&home.operator));
            write_atomically(&path, digits.as_bytes(), 0o600)
        }
    }
}

fn report(args: &InitArgs, root: &Path, homes: &[Home]) {
    println!("network {} in {}", args.name, root.display());
    for home in homes {
        let bonded = if home.bonded { "" } else { " (not bonded)" };
        println!(
            "  {}{bonded}  operator {}  peer {}  rpc 127.0.0.1:{}  grpc 127.0.0.1:{}",
            home.name,
            home.operator.public().address(),
            home.peer(),
            home.port(1),
            home.port(3),
        );
    }
    println!(
        "for each home, two processes:\n  relaymill node start --config {0}/node.toml\n  cometbft start --home {0}",
        root.join("validator-N").display()
    );
}
