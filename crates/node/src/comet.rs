//! The driver for real networks: CometBFT decides about blocks and asks this process over ABCI what they do.
//!
//! This node keeps the state and serves gRPC and REST; blocks, mempool, peers, evidence and the RPC are CometBFT's. A kill
//! at any instant is mended by CometBFT's handshake: it asks for the last committed height and app hash and replays what
//! is missing.

use std::sync::Arc;

use chain::Application;
use chain::genesis::Document;
use chain::statesync::Shelf;
use net::{Tasks, listen_local};
use tokio::sync::{mpsc, oneshot};

use crate::abci::{self, Machine, SnapshotPlan};
use crate::blocks::{Blocks, Comet};
use crate::config::{CometConfig, Config};
use crate::error::{NodeError, StartError};
use crate::node::Started;

/// Opens the state and awaits CometBFT.
pub(crate) async fn start(
    config: &Config,
    comet: &CometConfig,
    options: chain::Options,
    scope: &Tasks,
) -> Result<Started, StartError> {
    let listener = listen_local(&comet.abci_listen).await?;
    let rpc = client::rpc::Rpc::open(&comet.rpc_url, client::Timeouts::default());
    let rpc = rpc.map_err(|error| NodeError::Comet(error.to_string()))?;
    let (data_dir, genesis, kept) = (
        config.data_dir.clone(),
        config.genesis.clone(),
        comet.snapshots_kept,
    );
    let opened = scope.spawn_blocking(move || -> Result<_, StartError> {
        let text = std::fs::read_to_string(&genesis).map_err(|source| StartError::File {
            path: genesis.clone(),
            source,
        })?;
        let document = Document::parse(&text)?;
        let application =
            Application::open(&data_dir.join("state"), options).map_err(NodeError::from)?;
        let shelf = Shelf::open(&data_dir.join("snapshots"), kept).map_err(NodeError::from)?;
        let latest = application
            .reader()
            .latest_block()
            .map_err(NodeError::from)?;
        if latest.is_some_and(|(block, _)| block.chain_id != document.chain_id) {
            return Err(StartError::OtherChain { genesis, data_dir });
        }
        Ok((document, application, shelf))
    });
    let opened = opened
        .await
        .map_err(|error| NodeError::Driver(error.to_string()))?;
    let (document, application, shelf) = opened?;
    let reader = application.reader();
    let plan = SnapshotPlan {
        shelf,
        interval: comet.snapshot_interval,
    };
    let machine = Machine::new(application, document.chain_id.clone(), plan, scope)?;
    let machine = Arc::new(machine);
    let blocks = Blocks::Comet(Comet::new(Arc::new(rpc), machine.committed()));
    let abci = listener.address().clone();
    let (failed, failures) = mpsc::channel(1);
    abci::serve(listener, Arc::clone(&machine), scope, failed);
    Ok(Started {
        document,
        reader,
        blocks,
        abci: Some((abci, machine)),
        end: watch(failures, scope),
    })
}

/// Tells why the machine ended: `Ok` after the scope was asked to.
fn watch(
    mut failures: mpsc::Receiver<NodeError>,
    scope: &Tasks,
) -> oneshot::Receiver<Result<(), NodeError>> {
    let (ended, end) = oneshot::channel();
    let stopping = scope.clone();
    scope.spawn(async move {
        let failure = stopping.until_cancelled(failures.recv()).await.flatten();
        let result = match failure {
            Some(error) => {
                tracing::error!(%error, "the node stopped");
                stopping.cancel();
                Err(error)
            }
            None => Ok(()),
        };
        // Nobody may be listening.
        let _ = ended.send(result);
    });
    end
}
