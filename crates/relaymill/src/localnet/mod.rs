//! `relaymill localnet`: a whole network in one process, real in every part.
//!
//! Everything lives in one data directory: genesis, keys, the state of every role, and the configuration files with which
//! the same network runs as separate processes. The same command on the same directory resumes it.

mod backend;
pub(crate) mod genesis;
mod plan;
mod report;
mod start;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::files::write_atomically;
use crate::roles;
use plan::Plan;
pub(crate) use plan::places;

/// A whole network in one process: chain, three suppliers on two models, gateway.
#[derive(Args, Debug)]
pub(crate) struct LocalnetArgs {
    /// Where everything lives; the same directory resumes the same network.
    #[arg(long, default_value = "relaymill-localnet")]
    data_dir: PathBuf,
    /// First of nine consecutive ports: rpc, grpc, gateway, engine, four suppliers, REST. Fixed when the directory is
    /// made; the default is rpc 26657, grpc 9090, gateway 8080, engine 8090, suppliers from 8545, REST 1317.
    #[arg(long, value_name = "PORT")]
    ports_from: Option<u16>,
    /// Written when all is ready: JSON with gateway_url, api_key, rpc_url, grpc_url, rest_url and models. Removed at start.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// An OpenAI-compatible server of your own, e.g. http://127.0.0.1:11434/v1: its first model becomes a service.
    #[arg(long, value_name = "URL")]
    backend: Option<String>,
    /// Another value for a parameter of a new network, e.g. tokenomics.mint_ratio=0.975.
    #[arg(long = "param", value_name = "MODULE.NAME=VALUE")]
    params: Vec<String>,
}

/// What `--ready-file` holds.
#[derive(serde::Serialize)]
struct Ready<'a> {
    gateway_url: String,
    api_key: &'a str,
    rpc_url: String,
    grpc_url: String,
    rest_url: Option<String>,
    models: Vec<&'a str>,
}

/// Runs until Ctrl-C.
pub(crate) async fn run(args: LocalnetArgs) -> Result<()> {
    if let Some(path) = &args.ready_file {
        remove_if_there(path)?;
    }
    std::fs::create_dir_all(&args.data_dir)
        .with_context(|| format!("cannot make {}", args.data_dir.display()))?;
    let _lock = lock(&args.data_dir)?;
    let backend = match &args.backend {
        Some(url) => Some(backend::discover(url).await?),
        None => None,
    };
    let plan = Plan::open(&args.data_dir, args.ports_from, backend, &args.params)?;
    let (servers, clients) = (net::Tasks::new(), net::Tasks::new());
    let scopes = [&clients, &servers];
    let started = tokio::select! {
        started = start::all(&plan, &servers, &clients) => started,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            roles::stop(&scopes).await;
            return Ok(());
        }
    };
    if let Err(error) = started {
        roles::stop(&scopes).await;
        return Err(error);
    }
    welcome(&plan);
    if let Some(path) = &args.ready_file {
        let services = plan.services();
        let ready = Ready {
            gateway_url: plan.gateway_url(),
            api_key: &plan.state.api_key,
            rpc_url: plan.rpc_url(),
            grpc_url: plan.grpc_url(),
            rest_url: plan.rest_url(),
            models: services
                .iter()
                .map(|service| service.model.as_str())
                .collect(),
        };
        write_atomically(path, &serde_json::to_vec(&ready)?, 0o600)?;
    }
    roles::until_stopped_in_order(&scopes).await
}

fn welcome(plan: &Plan) {
    let url = plan.gateway_url();
    let key = &plan.state.api_key;
    println!(
        "\n  gateway   {url}\n  api key   {key}\n  chain     {}  (rpc {}, grpc {}{})",
        plan.state.chain_id,
        plan.rpc_url(),
        plan.grpc_url(),
        plan.rest_url()
            .map_or_else(String::new, |url| format!(", rest {url}"))
    );
    for service in plan.services() {
        println!("  model     {}", service.model);
    }
    println!("\nask it something:\n");
    println!("  curl {url}/chat/completions -H 'authorization: Bearer {key}' \\");
    println!(
        "    -d '{{\"model\":\"millstone\",\"messages\":[{{\"role\":\"user\",\"content\":\"What is a relay?\"}}]}}'\n"
    );
    println!(
        "Every answer is a relay; a session of 10 blocks settles about 20 blocks after it ends. Ctrl-C stops.\n"
    );
}

/// One process a directory.
fn lock(folder: &Path) -> Result<std::fs::File> {
    let path = folder.join("lock");
    let file =
        std::fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!(
                "{} is in use by another relaymill; give this one another --data-dir",
                folder.display()
            )
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).context("cannot lock the data directory")
        }
    }
}

fn remove_if_there(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
