//! Every role of a local network, started in order, in one process.

use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::plan::Plan;
use super::report::Reporter;
use crate::files::read_toml;
use crate::{keys, roles};

/// Starts all roles from the files that the directory holds, as separate processes would: engine and node in `servers`,
/// those who ask them in `clients`.
pub(super) async fn all(plan: &Plan, servers: &net::Tasks, clients: &net::Tasks) -> Result<()> {
    println!("relaymill localnet in {}", plan.folder.display());
    let engine = format!("127.0.0.1:{}", plan.state.ports.engine);
    let models = tokio::task::spawn_blocking(roles::embedded).await??;
    roles::serve_engine(&engine, models, servers).await?;
    println!("engine: millstone and grist loaded");

    let file = plan.node_file();
    let config: node::NodeFile = read_toml(&file)?;
    let running =
        node::Node::start(config.validate(&file).map_err(roles::node_error)?, servers).await?;
    println!("node: {} at rpc {}", running.chain_id, plan.rpc_url());
    roles::watch_node(running, servers);

    let chain = roles::connect(
        &plan.rpc_url(),
        &plan.grpc_url(),
        &plan.state.chain_id,
        clients,
    )
    .await?;
    // A session can be asked for once its first block is committed.
    let head = chain.wait_above(0).await?;
    println!("chain: at height {}", head.height);

    let reporter = Reporter::start(Arc::clone(&chain), clients);
    for service in plan.services() {
        for number in &service.suppliers {
            let file = plan.supplier_file(*number);
            let config: supplier::SupplierFile = read_toml(&file)?;
            let key = keys::load(
                &plan.folder.join(format!("keys/supplier-{number}.key")),
                &config.chain_id,
                config.dev_plain_keys,
                &keys::PassphraseArgs::default(),
            )?;
            let mut config = config.validate(&file, key).map_err(roles::supplier_error)?;
            config.observer = Some(reporter.supplier(*number));
            let running = supplier::Supplier::start(config, Arc::clone(&chain), clients)
                .await
                .with_context(|| format!("supplier-{number}"))?;
            println!(
                "supplier-{number}: {} serves {}",
                running.operator(),
                service.id
            );
        }
    }
    let file = plan.gateway_file();
    let config: gateway::GatewayFile = read_toml(&file)?;
    let key = keys::load(
        &plan.folder.join("keys/gateway.key"),
        &config.chain_id,
        config.dev_plain_keys,
        &keys::PassphraseArgs::default(),
    )?;
    let mut config = config.validate(&file, key).map_err(roles::gateway_error)?;
    config.on_relay = Some(reporter.relays());
    gateway::Gateway::start(config, chain, clients)
        .await
        .context("gateway")?;
    Ok(())
}
