//! A whole node: stores, driver, RPC and gRPC, started and stopped together.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use net::{ListenLimits, ServeLimits, Tasks};
use tokio::sync::oneshot;
use tower::service_fn;

use crate::config::Config;
use crate::driver::Driver;
use crate::error::{NodeError, StartError};
use crate::view::View;
use crate::{grpc, limits, rpc, solo};

/// Starts nodes.
#[derive(Debug)]
pub struct Node;

/// A running node.
#[derive(Debug)]
pub struct Handle {
    /// Where the RPC listens.
    pub rpc_addr: SocketAddr,
    /// Where gRPC listens.
    pub grpc_addr: SocketAddr,
    /// Chain id of the genesis document.
    pub chain_id: String,
    /// What its listeners answer from.
    pub view: Arc<View>,
    end: oneshot::Receiver<Result<(), NodeError>>,
}

impl Handle {
    /// Waits until the node makes no more blocks.
    ///
    /// # Errors
    /// What stopped it, unless its scope was asked to end.
    pub async fn stopped(self) -> Result<(), NodeError> {
        let gone = || NodeError::Driver("dropped before it ended".to_owned());
        self.end.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Waits until a block is announced, and tells its height.
    ///
    /// # Errors
    /// When the node stops first.
    pub async fn reached(&self, height: i64) -> Result<i64, NodeError> {
        let mut news = self.view.driver.committed();
        let reached = |latest: &Option<Arc<crate::store::Committed>>| {
            latest
                .as_ref()
                .is_some_and(|latest| latest.height() >= height)
        };
        let latest = news.wait_for(reached).await;
        let latest = latest.map_err(|_| NodeError::Driver("stopped".to_owned()))?;
        Ok(latest.as_ref().map_or(0, |latest| latest.height()))
    }
}

impl Node {
    /// Opens the chain in the configured folder, binds both ports and begins to make blocks, in a scope inside `tasks`.
    /// A stored block that was not committed is executed before this returns.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config, tasks: &Tasks) -> Result<Handle, StartError> {
        let scope = tasks.child();
        // Ports first: a second node finds out before it touches anything.
        let rpc = net::listen(&config.rpc_listen, ListenLimits::default()).await?;
        let grpc = net::listen(&config.grpc_listen, ListenLimits::default()).await?;

        let options = chain::Options {
            keep_recent: config.keep_recent,
            minimum_gas_price: config.min_gas_price,
        };
        let (folder, genesis) = (config.data_dir.clone(), config.genesis.clone());
        let opened = scope.spawn_blocking(move || solo::open_folder(&folder, &genesis, options));
        let opened = opened
            .await
            .map_err(|error| NodeError::Driver(error.to_string()))?;
        let (solo, store, reader, document) = opened?;

        let last = store.committed(solo.height())?;
        let validator = solo.validator().clone();
        let (driver, end) = Driver::start(solo, last, config.block_time, &scope);
        let view = Arc::new(View {
            chain_id: document.chain_id.clone(),
            genesis: document,
            reader,
            store,
            driver,
            validator,
            min_gas_price: config.min_gas_price_text,
            keep_recent: config.keep_recent,
            rpc_addr: OnceLock::from(rpc.local_addr()),
            tasks: scope.clone(),
        });
        let serving = ServeLimits {
            hosts: config.hosts,
            idle: limits::CONNECTION_IDLE,
            body_bytes: limits::REQUEST_BYTES,
            ..ServeLimits::default()
        };
        let answering = Arc::clone(&view);
        let service = service_fn(move |request| rpc::handle(Arc::clone(&answering), request));
        let rpc = net::serve(rpc, service, serving.clone(), &scope);
        let answering = Arc::clone(&view);
        let service = service_fn(move |request| {
            let view = Arc::clone(&answering);
            async move { Ok::<_, Infallible>(grpc::handle(view, request).await) }
        });
        let grpc = net::serve(grpc, service, serving, &scope);
        Ok(Handle {
            rpc_addr: rpc.local_addr(),
            grpc_addr: grpc.local_addr(),
            chain_id: view.chain_id.clone(),
            view,
            end,
        })
    }
}
