//! The command line.

mod query;
mod relay;
mod replay;
mod tx;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::{localnet, roles};

/// Permissionless LLM inference: the chain that counts work, the supplier that serves and mines it, the gateway that sells it.
#[derive(Parser, Debug)]
#[command(name = "relaymill", version)]
pub(crate) struct Cli {
    /// What to log, e.g. info or supplier=debug. Default: warn. Logs go to standard error.
    #[arg(long, global = true, env = "RELAYMILL_LOG")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Localnet(localnet::LocalnetArgs),
    /// A node of the chain.
    #[command(subcommand)]
    Node(Role),
    /// A supplier: serves relays next to a backend and mines them.
    #[command(subcommand)]
    Supplier(Role),
    /// A gateway: sells relays behind an OpenAI API.
    #[command(subcommand)]
    Gateway(Role),
    /// The embedded engine as a plain OpenAI server.
    #[command(subcommand)]
    Engine(Engine),
    /// Asks a node.
    Query(query::QueryArgs),
    /// Signs and sends a transaction, and waits until a block holds it.
    Tx(tx::TxArgs),
    Replay(replay::ReplayArgs),
}

#[derive(Subcommand, Debug)]
enum Role {
    /// Runs it until Ctrl-C.
    Start {
        /// Its configuration file.
        #[arg(long)]
        config: PathBuf,
    },
}

#[derive(Subcommand, Debug)]
enum Engine {
    /// Runs it until Ctrl-C.
    Start {
        /// Address and port.
        #[arg(long, default_value = "127.0.0.1:8090")]
        listen: String,
        /// GGUF files to serve instead of the embedded models; each is named after its file.
        #[arg(long)]
        model: Vec<PathBuf>,
    },
}

/// Which node, and how to print.
#[derive(Args, Debug)]
pub(crate) struct NodeArgs {
    /// Local network whose node is asked.
    #[arg(long, default_value = "relaymill-localnet", global = true)]
    data_dir: PathBuf,
    /// RPC of another node.
    #[arg(long, requires = "grpc_url", global = true)]
    rpc_url: Option<String>,
    /// gRPC of the same node.
    #[arg(long, requires = "rpc_url", global = true)]
    grpc_url: Option<String>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t = Output::Text, global = true)]
    output: Output,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

impl NodeArgs {
    /// Connects to the node that is meant.
    async fn connect(&self, tasks: &net::Tasks) -> Result<std::sync::Arc<client::Chain>> {
        if let (Some(rpc), Some(grpc)) = (&self.rpc_url, &self.grpc_url) {
            let config = client::Config::new(rpc, grpc)?;
            return Ok(client::Chain::connect(config, tasks).await?);
        }
        let places = localnet::places(&self.data_dir)?;
        roles::connect(&places.rpc_url, &places.grpc_url, &places.chain_id, tasks).await
    }

    /// Prints a JSON document; for people with indentation.
    fn print(&self, json: &serde_json::Value) -> Result<()> {
        match self.output {
            Output::Json => println!("{json}"),
            Output::Text => println!("{}", serde_json::to_string_pretty(json)?),
        }
        Ok(())
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
        Command::Node(Role::Start { config }) => {
            roles::node(&config, &tasks).await?;
            roles::until_stopped(&tasks).await
        }
        Command::Supplier(Role::Start { config }) => {
            roles::supplier(&config, &tasks).await?;
            roles::until_stopped(&tasks).await
        }
        Command::Gateway(Role::Start { config }) => {
            roles::gateway(&config, &tasks).await?;
            roles::until_stopped(&tasks).await
        }
        Command::Engine(Engine::Start { listen, model }) => {
            roles::engine(&listen, &model, &tasks).await?;
            roles::until_stopped(&tasks).await
        }
        Command::Query(args) => query::run(args, &tasks).await,
        Command::Tx(args) => tx::run(args, &tasks).await,
        Command::Replay(args) => return Ok(replay::run(args, &tasks).await),
    };
    done.map(|()| ExitCode::SUCCESS)
}
