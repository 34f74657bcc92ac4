//! `relaymill genesis`: documents made, filled, checked and exported.
//!
//! A new document comes from the chain's own builder; what is added is added to the file, with balances, module accounts
//! and supply kept in step. [`document`] knows where things are in it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use chain::genesis::{Document, GenesisBuilder};
use clap::{Args, Subcommand};
use crypto::keys::{Address, PublicKey};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::output::{Output, print};
use super::tx;
use crate::files::write_atomically;
use crate::keys::ring::RingArgs;
pub(crate) use document::Genesis;

mod document;

/// Chain ids of networks that are not ours: a transaction signed for one of ours would be valid there.
const FOREIGN: [&str; 4] = [
    "pocket",
    "pocket-beta",
    "pocket-alpha",
    "pocket-lego-testnet",
];

/// What `--help` ends with.
const AFTER_HELP: &str = "\
Amounts are written 1000upokt, 1.5pokt, or as a bare number of upokt.

Examples:
  relaymill genesis new my-network
  relaymill genesis add-account alice 1000pokt
  relaymill genesis set-param shared.num_blocks_per_session=20
  relaymill genesis validate
  relaymill genesis export --config node/node.toml --file exported.json";

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct GenesisArgs {
    /// The document.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "genesis.json"
    )]
    file: PathBuf,
    #[command(flatten)]
    ring: RingArgs,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Output::Text, global = true)]
    output: Output,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Writes a document with default parameters and nobody in it.
    #[command(visible_alias = "init")]
    New {
        /// Chain id: not that of a network of others.
        chain_id: String,
        /// Time of the first block. Default: now.
        #[arg(long, value_name = "RFC3339")]
        time: Option<String>,
        /// Replaces a document that is there.
        #[arg(long)]
        overwrite: bool,
    },
    /// Adds an account, or coins to one that is there.
    AddAccount {
        /// Its address, or the name of a key in the keyring.
        account: String,
        /// Coins, e.g. 1000pokt.
        coins: String,
        /// Its public key in hex digits, so that it can serve before its first transaction. Known of keys in the keyring.
        #[arg(long, value_name = "HEX")]
        public_key: Option<String>,
    },
    /// Adds a service.
    AddService {
        /// Service id.
        id: String,
        /// Compute units of one relay.
        compute_units_per_relay: u64,
        /// Its Source: an address, or the name of a key in the keyring.
        owner: String,
        /// A name for people. Default: the id.
        #[arg(long)]
        name: Option<String>,
    },
    /// Stakes an application from its balance.
    AddApplication {
        /// Its address, or the name of a key in the keyring.
        application: String,
        /// Stake.
        stake: String,
        /// Service ids.
        #[arg(required = true)]
        services: Vec<String>,
        /// Gateways it delegates to: addresses, or names of keys in the keyring.
        #[arg(long, value_name = "GATEWAY")]
        gateway: Vec<String>,
    },
    /// Stakes a gateway from its balance.
    AddGateway {
        /// Its address, or the name of a key in the keyring.
        gateway: String,
        /// Stake.
        stake: String,
    },
    /// Stakes a supplier from its owner's balance.
    AddSupplier {
        /// Who serves: an address, or the name of a key in the keyring.
        operator: String,
        /// Stake.
        stake: String,
        /// File with its services, as `tx supplier stake` reads it.
        #[arg(long, required = true)]
        config: PathBuf,
        /// Who the stake belongs to. Default: who serves.
        #[arg(long)]
        owner: Option<String>,
    },
    /// Makes an account a validator, which delegates to itself from its balance.
    AddValidator {
        /// Its operator: an address, or the name of a key in the keyring.
        operator: String,
        /// What it delegates to itself.
        stake: String,
        /// Its consensus key: JSON as `keys show-validator` prints it, or the node's key file.
        #[arg(long, value_name = "JSON|FILE")]
        pubkey: PathBuf,
        /// Its name.
        #[arg(long)]
        moniker: String,
    },
    /// Lets an account change the parameters later, by `tx params`: grants of the governance account, which has no key.
    AddAuthority {
        /// Its address, or the name of a key in the keyring.
        account: String,
    },
    /// Sets a parameter, e.g. shared.num_blocks_per_session=20.
    SetParam {
        /// One or more of them.
        #[arg(required = true, value_name = "MODULE.NAME=VALUE")]
        params: Vec<String>,
    },
    /// Loads the document as a node would, and names section and field of what is wrong.
    Validate,
    /// Writes the state of a stopped node as a document, from which a new chain goes on at the next height.
    Export {
        /// The node's configuration file.
        #[arg(long)]
        config: PathBuf,
        /// Height of the state; 0 for the latest.
        #[arg(long, default_value_t = 0)]
        height: i64,
        /// Chain id of the new network. Default: that of the node.
        #[arg(long)]
        chain_id: Option<String>,
    },
}

/// Works on a document.
pub(crate) fn run(args: GenesisArgs) -> Result<()> {
    match &args.what {
        What::New {
            chain_id,
            time,
            overwrite,
        } => return new(&args.file, chain_id, time.as_deref(), *overwrite),
        What::Validate => return validate(&args),
        What::Export {
            config,
            height,
            chain_id,
        } => return export(&args.file, config, *height, chain_id.as_deref()),
        _ => {}
    }
    let mut genesis = Genesis::read(&args.file)?;
    change(&args, &mut genesis)?;
    genesis.write(&args.file)
}

fn change(args: &GenesisArgs, genesis: &mut Genesis) -> Result<()> {
    let ring = args.ring.open()?;
    let known = |text: &str| -> Result<(Address, Option<PublicKey>)> {
        if let Ok(address) = text.parse() {
            return Ok((address, None));
        }
        let entry = ring.get(text)?;
        let public = hex::decode(&entry.public_key)?;
        Ok((entry.address, Some(PublicKey::from_bytes(&public)?)))
    };
    let stake_of = |text: &str| text.parse::<tx::Upokt>();
    match &args.what {
        What::AddAccount {
            account,
            coins,
            public_key,
        } => {
            let (address, public) = known(account)?;
            let given = public_key.as_ref().map(|text| {
                let bytes = hex::decode(text).context("--public-key: expected hex digits")?;
                anyhow::Ok(PublicKey::from_bytes(&bytes)?)
            });
            let public = given.transpose()?.or(public);
            if public.is_some_and(|public| public.address() != address) {
                bail!("--public-key does not belong to {address}");
            }
            genesis.add_account(address, public, &tx::coins(coins)?)
        }
        What::AddService {
            id,
            compute_units_per_relay,
            owner,
            name,
        } => {
            let (owner, _) = known(owner)?;
            let name = name.as_ref().unwrap_or(id);
            genesis.add(
                "service",
                "service_list",
                json!({
                    "id": id, "name": name, "owner_address": owner.to_bech32(),
                    "compute_units_per_relay": compute_units_per_relay.to_string(),
                }),
            )
        }
        What::AddApplication {
            application,
            stake,
            services,
            gateway,
        } => {
            let (application, _) = known(application)?;
            let gateways: Result<Vec<Address>> =
                gateway.iter().map(|name| Ok(known(name)?.0)).collect();
            genesis.add_application(application, stake_of(stake)?.0, services, &gateways?)
        }
        What::AddGateway { gateway, stake } => {
            genesis.add_gateway(known(gateway)?.0, stake_of(stake)?.0)
        }
        What::AddSupplier {
            operator,
            stake,
            config,
            owner,
        } => {
            let (operator, _) = known(operator)?;
            let owner = match owner {
                Some(owner) => known(owner)?.0,
                None => operator,
            };
            let file = tx::supplier_file(config)?;
            let services = tx::service_configs(&file, &owner.to_bech32())?;
            genesis.add_supplier(owner, operator, stake_of(stake)?.0, &services)
        }
        What::AddValidator {
            operator,
            stake,
            pubkey,
            moniker,
        } => {
            let key = super::keys::consensus_key(pubkey).context("--pubkey")?;
            let operator = known(operator)?.0;
            genesis.add_validator(moniker, operator, key, stake_of(stake)?.0)
        }
        What::AddAuthority { account } => genesis.add_authority(known(account)?.0),
        What::SetParam { params } => params.iter().try_for_each(|param| genesis.set_param(param)),
        What::New { .. } | What::Validate | What::Export { .. } => Ok(()),
    }
}

fn new(file: &Path, chain_id: &str, time: Option<&str>, overwrite: bool) -> Result<()> {
    if file.exists() && !overwrite {
        bail!("{} is there already: give --overwrite", file.display());
    }
    if FOREIGN.contains(&chain_id) {
        bail!("`{chain_id}` is a network of POKT: what is signed here would be valid there");
    }
    let time = match time {
        Some(time) => time.to_owned(),
        None => OffsetDateTime::now_utc()
            .format(&Rfc3339)
            .context("the clock")?,
    };
    let document = GenesisBuilder::new(chain_id, time).build()?;
    // What was given is checked as a node checks it.
    let text = document.to_json()?;
    Document::parse(&text)?;
    write_atomically(file, text.as_bytes(), 0o644)
}

fn validate(args: &GenesisArgs) -> Result<()> {
    let name = || args.file.display().to_string();
    let text = std::fs::read_to_string(&args.file).with_context(name)?;
    let document = Document::parse(&text).with_context(name)?;
    load(&document).with_context(name)?;
    let count = |pointer: &str| {
        let list = Value::Object(document.app_state.clone());
        let list = list.pointer(pointer).and_then(Value::as_array);
        list.map_or(0, Vec::len)
    };
    print(
        args.output,
        &json!({
            "chain_id": document.chain_id,
            "genesis_time": document.genesis_time,
            "initial_height": document.initial_height.value(),
            "accounts": count("/auth/accounts"),
            "services": count("/service/service_list"),
            "suppliers": count("/supplier/supplierList"),
            "applications": count("/application/application_list"),
            "gateways": count("/gateway/gateway_list"),
            "validators": count("/staking/validators"),
            "valid": true,
        }),
    )
}

/// Loads a document into a chain in memory.
pub(crate) fn load(document: &Document) -> Result<()> {
    let mut application = chain::Application::in_memory(chain::Options::default())?;
    application.init_chain(&document.init_chain(Vec::new())?)?;
    Ok(())
}

fn export(file: &Path, config: &Path, height: i64, chain_id: Option<&str>) -> Result<()> {
    if file.exists() {
        bail!("{} is there already: give another --file", file.display());
    }
    let node: node::NodeFile = crate::files::read_toml(config)?;
    let node = node.validate(config).map_err(crate::roles::node_error)?;
    let state = node.data_dir.join("state");
    if !state.exists() {
        bail!("{} holds no state of a chain", node.data_dir.display());
    }
    let options = chain::Options {
        // Opening prunes nothing.
        keep_recent: 0,
        ..chain::Options::default()
    };
    let application = chain::Application::open(&state, options)
        .with_context(|| format!("{} (the node must be stopped)", state.display()))?;
    let reader = application.reader();
    let height = (height > 0).then_some(height);
    let (block, params) = reader.at(height, |ctx| {
        let params = chain::consensus::params(ctx)?;
        Ok::<_, chain::ChainError>((ctx.block.clone(), params))
    })?;
    let document = json!({
        "app_name": "relaymill",
        "app_version": env!("CARGO_PKG_VERSION"),
        "genesis_time": proto::time::rfc3339(block.time.seconds, i64::from(block.time.nanos)),
        "chain_id": chain_id.unwrap_or(&block.chain_id),
        "initial_height": block.height.saturating_add(1),
        "app_hash": null,
        "app_state": reader.export(Some(block.height))?,
        "consensus": { "params": chain::consensus::Form::from_proto(&params) },
    });
    let text = serde_json::to_string_pretty(&document)?;
    write_atomically(file, text.as_bytes(), 0o644)?;
    let document = Document::parse(&text)?;
    load(&document)
        .with_context(|| format!("{} was written, but does not load", file.display()))?;
    eprintln!(
        "wrote {}, the state at height {}",
        file.display(),
        block.height
    );
    Ok(())
}

#[cfg(test)]
mod tests;
