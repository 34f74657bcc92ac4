//! Starting one role from its configuration file, in a process of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use client::Chain;

use crate::files::{at_line, read_toml};
use crate::keys::{self, PassphraseArgs};

/// The embedded models, by service id.
pub(crate) const MODELS: [(&str, &[u8]); 2] = [
    (
        "millstone",
        include_bytes!("../../../models/millstone.gguf"),
    ),
    ("grist", include_bytes!("../../../models/grist.gguf")),
];

/// Longest wait for an orderly end; what is still running then is dropped.
pub(crate) const SHUTDOWN: Duration = Duration::from_secs(4);

/// Connects to a node that must serve this chain.
pub(crate) async fn connect(
    rpc_url: &str,
    grpc_url: &str,
    chain_id: &str,
    tasks: &net::Tasks,
) -> Result<Arc<Chain>> {
    let config = client::Config::new(rpc_url, grpc_url)?.expecting(chain_id);
    Ok(Chain::connect(config, tasks).await?)
}

/// As [`connect`], to where a role's file says (RPC, gRPC, chain id); the error says so.
async fn connect_from(
    file: &Path,
    [rpc_url, grpc_url, chain_id]: &[String; 3],
    tasks: &net::Tasks,
) -> Result<Arc<Chain>> {
    let connected = connect(rpc_url, grpc_url, chain_id, tasks).await;
    connected.map_err(|error| match error.downcast_ref::<client::Error>() {
        Some(cause) if cause.is_transient() => anyhow::anyhow!(
            "{error:#}; is that node running? `rpc_url` and `grpc_url` in {} name it",
            file.display()
        ),
        _ => error,
    })
}

/// A node's error, with the line when it is about a value of its configuration.
pub(crate) fn node_error(error: node::StartError) -> anyhow::Error {
    match &error {
        node::StartError::Config { file, key, .. } => at_line(file, key, &error),
        _ => error.into(),
    }
}

/// As [`node_error`], of a supplier.
pub(crate) fn supplier_error(error: supplier::StartError) -> anyhow::Error {
    match &error {
        supplier::StartError::Config { file, key, .. } => at_line(file, key, &error),
        _ => error.into(),
    }
}

/// As [`node_error`], of a gateway.
pub(crate) fn gateway_error(error: gateway::StartError) -> anyhow::Error {
    match &error {
        gateway::StartError::Config { file, key, .. } => at_line(file, key, &error),
        _ => error.into(),
    }
}

/// `relaymill node start`, under a CometBFT that reaches `abci` if that is given.
pub(crate) async fn node(file: &Path, abci: Option<String>, tasks: &net::Tasks) -> Result<()> {
    let mut config: node::NodeFile = read_toml(file)?;
    if let Some(address) = abci {
        config.follow_comet(address);
    }
    let config = config.validate(file).map_err(node_error)?;
    let running = node::Node::start(config, tasks).await?;
    let blocks = match (&running.rpc_addr, &running.abci) {
        (Some(rpc), _) => format!("rpc {rpc}"),
        (None, Some(abci)) => format!("abci {abci}"),
        (None, None) => String::new(),
    };
    let rest = running
        .rest_addr
        .map_or_else(String::new, |addr| format!(", rest {addr}"));
    println!(
        "node of {} at {blocks}, grpc {}{rest}",
        running.chain_id, running.grpc_addr
    );
    watch_node(running, tasks);
    Ok(())
}

/// Ends everything when the node stops: a network without blocks serves nobody.
pub(crate) fn watch_node(running: node::Handle, tasks: &net::Tasks) {
    let scope = tasks.clone();
    tasks.spawn(async move {
        if let Err(error) = running.stopped().await {
            eprintln!("the node stopped: {error}");
            scope.cancel();
        }
    });
}

/// `relaymill supplier start`.
pub(crate) async fn supplier(
    file: &Path,
    passphrase: &PassphraseArgs,
    tasks: &net::Tasks,
) -> Result<()> {
    let config: supplier::SupplierFile = read_toml(file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let key = keys::load(
        &folder.join(&config.key_file),
        &config.chain_id,
        config.dev_plain_keys,
        passphrase,
    )?;
    let place = [&config.rpc_url, &config.grpc_url, &config.chain_id].map(String::clone);
    let config = config.validate(file, key).map_err(supplier_error)?;
    let chain = connect_from(file, &place, tasks).await?;
    let running = supplier::Supplier::start(config, chain, tasks).await?;
    println!("supplier {} at {}", running.operator(), running.addr());
    Ok(())
}

/// `relaymill gateway start`.
pub(crate) async fn gateway(
    file: &Path,
    passphrase: &PassphraseArgs,
    tasks: &net::Tasks,
) -> Result<()> {
    let config: gateway::GatewayFile = read_toml(file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let key = keys::load(
        &folder.join(&config.key_file),
        &config.chain_id,
        config.dev_plain_keys,
        passphrase,
    )?;
    let place = [&config.rpc_url, &config.grpc_url, &config.chain_id].map(String::clone);
    let config = config.validate(file, key).map_err(gateway_error)?;
    let chain = connect_from(file, &place, tasks).await?;
    let running = gateway::Gateway::start(config, chain, tasks).await?;
    println!("gateway at http://{}/v1", running.addr());
    Ok(())
}

/// `relaymill engine start`: the embedded models as a plain OpenAI server, or GGUF files of one's own.
pub(crate) async fn engine(
    listen: &str,
    files: &[std::path::PathBuf],
    tasks: &net::Tasks,
) -> Result<()> {
    let mut models = Vec::new();
    for file in files {
        let bytes =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let id = file
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        models.push(loaded(&id, &bytes)?);
    }
    if models.is_empty() {
        models = embedded()?;
    }
    let addr = serve_engine(listen, models, tasks).await?;
    println!("engine at http://{addr}/v1");
    Ok(())
}

/// The two models in the binary. They know one right answer to what they know, so they are not sampled unless asked to.
pub(crate) fn embedded() -> Result<Vec<llm::server::LoadedModel>> {
    let each = MODELS.iter().map(|(id, bytes)| {
        let mut model = loaded(id, bytes)?;
        model.defaults.temperature = Some(0.0);
        Ok(model)
    });
    each.collect()
}

fn loaded(id: &str, bytes: &[u8]) -> Result<llm::server::LoadedModel> {
    let model = llm::engine::Model::load(bytes).with_context(|| format!("model {id}"))?;
    Ok(llm::server::LoadedModel::new(id, model))
}

/// Serves models on a socket.
pub(crate) async fn serve_engine(
    listen: &str,
    models: Vec<llm::server::LoadedModel>,
    tasks: &net::Tasks,
) -> Result<std::net::SocketAddr> {
    let listener = net::listen(listen, net::ListenLimits::default()).await?;
    let server = net::serve(
        listener,
        llm::server::router(models),
        net::ServeLimits::default(),
        tasks,
    );
    Ok(server.local_addr())
}

/// Waits for Ctrl-C or SIGTERM, then ends all tasks.
pub(crate) async fn until_stopped(tasks: &net::Tasks) -> Result<()> {
    until_stopped_in_order(&[tasks]).await
}

/// The same for several scopes, ended one after the other: who asks before who answers.
pub(crate) async fn until_stopped_in_order(scopes: &[&net::Tasks]) -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let ended =
        futures_util::future::select_all(scopes.iter().map(|scope| Box::pin(scope.cancelled())));
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
        _ = ended => anyhow::bail!("a role ended; the reason stands above"),
    }
    eprintln!("stopping");
    stop(scopes).await;
    Ok(())
}

/// Ends scopes in order, within [`SHUTDOWN`] altogether.
pub(crate) async fn stop(scopes: &[&net::Tasks]) {
    let deadline = tokio::time::Instant::now() + SHUTDOWN;
    for scope in scopes {
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        if let Err(error) = scope.shutdown(left).await {
            tracing::warn!(%error, "not everything ended in time");
        }
    }
}
