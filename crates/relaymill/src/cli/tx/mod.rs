//! `relaymill tx`: messages signed, sent, and confirmed by inclusion.
//!
//! What is asked for becomes messages ([`message`]); [`options`] says how their transaction is made and what becomes of
//! it. Transactions as documents, for those who sign elsewhere, are in [`document`].

use anyhow::Result;
use clap::{Args, Subcommand};
use prost_types::Any;

use super::node::NodeArgs;
use crate::keys::PassphraseArgs;
use crate::keys::ring::RingArgs;

mod amount;
mod cosmos;
mod document;
mod feegrant;
mod message;
mod options;
mod params;
mod pocket;
mod send;
mod signer;
mod stake_file;

pub(super) use amount::{Upokt, coins};
pub(super) use document::decoded;
use options::TxOptions;
pub(super) use pocket::service_configs;
use signer::Signer;
pub(super) use stake_file::supplier as supplier_file;

/// What `--help` ends with.
const AFTER_HELP: &str = "\
Amounts are written 1000upokt, 1.5pokt, or as a bare number of upokt.

Ends 0 once a block holds the transaction and it did what it says; 1 where it was refused, with the reason, or
nobody answers; 2 where the command line is wrong.

Examples:
  relaymill tx bank send pokt1… 10pokt
  relaymill tx application stake 50pokt millstone --from alice --dry-run
  relaymill tx staking delegate poktvaloper1… 10pokt --from alice --node http://127.0.0.1:26657 --output json";

#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct TxArgs {
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    options: TxOptions,
    #[command(flatten)]
    ring: RingArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Coins.
    #[command(subcommand)]
    Bank(cosmos::Bank),
    /// Applications: who pays for relays.
    #[command(subcommand)]
    Application(pocket::Application),
    /// Gateways: who relays for applications.
    #[command(subcommand)]
    Gateway(pocket::Gateway),
    /// Suppliers: who serves relays.
    #[command(subcommand)]
    Supplier(pocket::Supplier),
    /// Services: what is served.
    #[command(subcommand)]
    Service(pocket::ServiceCommand),
    /// Parameters of modules, by whoever holds the authority's grant: on a local network the key dao.
    #[command(subcommand)]
    Params(params::Params),
    /// Grants to act for another account.
    #[command(subcommand)]
    Authz(cosmos::Authz),
    /// Allowances: who pays the fees of whom.
    #[command(subcommand)]
    Feegrant(feegrant::Feegrant),
    /// Validators and delegations.
    #[command(subcommand)]
    Staking(cosmos::Staking),
    /// Rewards of validators and delegators.
    #[command(subcommand)]
    Distribution(cosmos::Distribution),
    /// Validators that were jailed.
    #[command(subcommand)]
    Slashing(cosmos::Slashing),
    /// Any messages from a JSON file: one with its `@type`, or a list.
    Messages {
        /// The file; `-` is standard input.
        file: String,
    },
    /// Puts the messages of several generated transactions into one.
    Multi {
        /// Files that --generate-only wrote.
        #[arg(required = true)]
        files: Vec<String>,
    },
    /// Signs a transaction that --generate-only wrote, and prints it.
    Sign(document::SignArgs),
    /// Sends a signed transaction, and waits until a block holds it.
    Broadcast {
        /// File with the signed transaction in JSON, or its bytes in base64; `-` is standard input.
        file: String,
    },
    /// Shows a transaction's bytes in JSON.
    Decode {
        /// The bytes in base64 or hex digits; `-` is standard input.
        bytes: String,
    },
}

/// Makes messages of what is asked, once it is known who signs.
type Make<'a> = Box<dyn FnOnce(&Signer) -> Result<Vec<Any>> + 'a>;

/// Sends and prints.
pub(crate) async fn run(args: TxArgs, tasks: &net::Tasks) -> Result<()> {
    let one = |message: Result<Any>| message.map(|message| vec![message]);
    let make: Make<'_> = match &args.what {
        What::Bank(what) => Box::new(move |signer| one(what.message(signer))),
        What::Application(what) => Box::new(move |signer| one(what.message(signer))),
        What::Gateway(what) => Box::new(move |signer| one(what.message(signer))),
        What::Supplier(what) => Box::new(move |signer| one(what.message(signer))),
        What::Service(what) => Box::new(move |signer| one(what.message(signer))),
        What::Params(what) => Box::new(move |signer| one(what.message(signer))),
        What::Authz(what) => Box::new(move |signer| one(what.message(signer))),
        What::Feegrant(what) => Box::new(move |signer| one(what.message(signer))),
        What::Staking(what) => Box::new(move |signer| one(what.message(signer))),
        What::Distribution(what) => Box::new(move |signer| what.messages(signer)),
        What::Slashing(what) => Box::new(move |signer| one(what.message(signer))),
        What::Messages { file } => Box::new(move |_| message::read_all(file)),
        What::Multi { files } => Box::new(move |_| {
            let each: Result<Vec<Vec<Any>>> =
                files.iter().map(|file| document::messages(file)).collect();
            Ok(each?.into_iter().flatten().collect())
        }),
        What::Sign(what) => return document::sign(&args, what, tasks).await,
        What::Broadcast { file } => return document::broadcast(&args, file, tasks).await,
        What::Decode { bytes } => return document::decode(&args, bytes),
    };
    send::run(&args, make, tasks).await
}
