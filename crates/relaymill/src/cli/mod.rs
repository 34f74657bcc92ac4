//! The command line.

mod genesis;
mod keys;
mod node;
mod output;
mod query;
mod relay;
mod replay;
#[cfg(test)]
mod tests;
mod tx;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::keys::PassphraseArgs;
use crate::{localnet, network, roles};
pub(crate) use genesis::{Genesis, load as load_genesis};

/// Permissionless LLM inference: the chain that counts work, the supplier that serves and mines it, the gateway that sells it.
#[derive(Parser, Debug)]
#[command(name = "relaymill", version)]
pub(crate) struct Cli {
    /// What to log, e.g. info or supplier=debug. Default: warn. Logs go to standard error.
    #[arg(long, global = true, env = "RELAYMILL_LOG", hide_env_values = true, value_parser = log_filter)]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Localnet(localnet::LocalnetArgs),
    /// A node of the chain.
    #[command(subcommand)]
    Node(NodeRole),
    /// A supplier: serves relays next to a backend and mines them.
    #[command(subcommand)]
    Supplier(Keyed),
    /// A gateway: sells relays behind an OpenAI API.
    #[command(subcommand)]
    Gateway(Keyed),
    /// The embedded engine as a plain OpenAI server.
    #[command(subcommand)]
    Engine(Engine),
    /// Named keys, encrypted in a folder of their own.
    Keys(keys::KeysArgs),
    /// Asks a node.
    Query(query::QueryArgs),
    /// Signs and sends a transaction, and waits until a block holds it.
    Tx(Box<tx::TxArgs>),
    Replay(replay::ReplayArgs),
    /// Makes, checks and exports genesis documents.
    Genesis(genesis::GenesisArgs),
    /// Networks of one's own whose validators run CometBFT.
    #[command(subcommand)]
    Network(network::NetworkCommand),
}

/// A role that signs with a key of its own.
#[derive(Subcommand, Debug)]
enum Keyed {
    /// Runs it until Ctrl-C.
    Start {
        /// Its configuration, a TOML file such as `relaymill localnet` writes.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
}

#[derive(Subcommand, Debug)]
enum NodeRole {
    /// Runs it until Ctrl-C.
    Start {
        /// Its configuration, a TOML file such as `relaymill localnet` and `relaymill network init` write.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Executes the blocks of a CometBFT that reaches this address (its `proxy_app`) instead of making blocks:
        /// unix:///PATH or tcp://127.0.0.1:26658.
        #[arg(long, value_name = "ADDRESS")]
        abci: Option<String>,
    },
}

#[derive(Subcommand, Debug)]
enum Engine {
    /// Runs it until Ctrl-C.
    Start {
        /// Address and port.
        #[arg(long, default_value = "127.0.0.1:8090")]
        listen: String,
        /// GGUF file to serve instead of the embedded models, named after its file; may be given several times.
        #[arg(long, value_name = "FILE")]
        model: Vec<PathBuf>,
    },
}

/// Refuses what is no filter; its text is what is kept.
fn log_filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("{error}; expected e.g. info or supplier=debug")),
    }
}

/// Sends logs to standard error.
pub(crate) fn init_logging(cli: &Cli) {
    let filter = EnvFilter::try_new(cli.log.as_deref().unwrap_or("warn"));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

/// Runs a command; the status that the process ends with.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    let tasks = net::Tasks::new();
    let done = match cli.command {
        Command::Localnet(args) => localnet::run(args).await,
        Command::Node(NodeRole::Start { config, abci }) => {
            roles::node(&config, abci, &tasks).await?;
            roles::until_stopped(&tasks).await
        }
        Command::Network(command) => network::run(command),
        Command::Supplier(Keyed::Start { config, passphrase }) => {
            roles::supplier(&config, &passphrase, &tasks).await?;
            roles::until_stopped(&tasks).await
        }
        Command::Gateway(Keyed::Start { config, passphrase }) => {
            roles::gateway(&config, &passphrase, &tasks).await?;
            roles::until_stopped(&tasks).await
        }
        Command::Engine(Engine::Start { listen, model }) => {
            roles::engine(&listen, &model, &tasks).await?;
            roles::until_stopped(&tasks).await
        }
        Command::Keys(args) => keys::run(args),
        Command::Genesis(args) => genesis::run(args),
        Command::Query(args) => query::run(args, &tasks).await,
        Command::Tx(args) => tx::run(*args, &tasks).await,
        Command::Replay(args) => return Ok(replay::run(args, &tasks).await),
    };
    done.map(|()| ExitCode::SUCCESS)
}
