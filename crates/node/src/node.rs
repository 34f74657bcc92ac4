//! A whole node: stores, driver, RPC, gRPC and REST, started and stopped together.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use chain::genesis::Document;
use net::{ListenLimits, LocalAddress, ServeLimits, Tasks};
use tokio::sync::oneshot;
use tower::service_fn;

use crate::abci::Machine;
use crate::blocks::{Blocks, Own, OwnView};
use crate::config::Config;
use crate::driver::{Driver, Pace};
use crate::error::{NodeError, StartError};
use crate::queries::Queries;
use crate::solo::{Decided, Role};
use crate::store::Committed;
use crate::view::View;
use crate::{comet, grpc, limits, rest, rpc, solo};

/// Starts nodes.
#[derive(Debug)]
pub struct Node;

/// A running node.
#[derive(Debug)]
pub struct Handle {
    /// Where the RPC listens; under CometBFT it is CometBFT's.
    pub rpc_addr: Option<SocketAddr>,
    /// Where CometBFT is awaited, if blocks come from it.
    pub abci: Option<LocalAddress>,
    /// Where gRPC listens.
    pub grpc_addr: SocketAddr,
    /// Where REST listens, if it does.
    pub rest_addr: Option<SocketAddr>,
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
        self.view.blocks.reached(height).await
    }
}

impl Handle {
    /// Executes a block that was decided elsewhere; queries see its state when this returns.
    ///
    /// # Errors
    /// When this node was not started to follow, or stops.
    pub async fn follow(&self, decided: Decided) -> Result<Arc<Committed>, NodeError> {
        match &self.view.blocks {
            Blocks::Own(own) => own.driver.follow(decided).await,
            Blocks::Comet(_) => {
                let text = "blocks come from CometBFT";
                Err(NodeError::Driver(text.to_owned()))
            }
        }
    }
}

/// The parts of a node that its listeners stand on.
pub(crate) struct Started {
    pub(crate) document: Document,
    pub(crate) reader: chain::Reader,
    pub(crate) blocks: Blocks,
    /// Where CometBFT reaches the machine, and the machine.
    pub(crate) abci: Option<(LocalAddress, Arc<Machine>)>,
    pub(crate) end: oneshot::Receiver<Result<(), NodeError>>,
}

/// A node that stores its blocks: those it makes, or those it is given.
async fn stored(
    config: &Config,
    options: chain::Options,
    rpc_addr: Option<SocketAddr>,
    pace: Pace,
    scope: &Tasks,
) -> Result<Started, StartError> {
    let (folder, genesis) = (config.data_dir.clone(), config.genesis.clone());
    let role = match pace {
        Pace::Every(_) => Role::Alone,
        Pace::Given => Role::Follower,
    };
    let opened = scope.spawn_blocking(move || solo::open_folder(&folder, &genesis, options, role));
    let opened = opened
        .await
        .map_err(|error| NodeError::Driver(error.to_string()))?;
    let (solo, store, reader, document) = opened?;
    let last = store.committed(solo.height())?;
    let validator = solo.validator().clone();
    let (driver, end) = Driver::start(solo, last, pace, scope);
    let own = Own {
        store,
        driver,
        validator,
        rpc_addr,
        tasks: scope.clone(),
    };
    Ok(Started {
        document,
        reader,
        blocks: Blocks::Own(own),
        abci: None,
        end,
    })
}

impl Node {
    /// Opens the chain in the configured folder, binds its ports and begins to make blocks or awaits CometBFT, in a scope
    /// inside `tasks`. A stored block of its own that was not committed is executed before this returns.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config, tasks: &Tasks) -> Result<Handle, StartError> {
        let pace = Pace::Every(config.block_time);
        Self::open(config, pace, tasks).await
    }

    /// The same node, but it makes no blocks: it executes those that [`Handle::follow`] brings, such as the recorded
    /// blocks of another network.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_following(config: Config, tasks: &Tasks) -> Result<Handle, StartError> {
        Self::open(config, Pace::Given, tasks).await
    }

    async fn open(config: Config, pace: Pace, tasks: &Tasks) -> Result<Handle, StartError> {
        let scope = tasks.child();
        // Ports first: a second node finds out before it touches anything.
        let rpc = match &config.comet {
            None => Some(net::listen(&config.rpc_listen, ListenLimits::default()).await?),
            Some(_) => None,
        };
        let grpc = net::listen(&config.grpc_listen, ListenLimits::default()).await?;
        let rest = match &config.rest_listen {
            Some(address) => Some(net::listen(address, ListenLimits::default()).await?),
            None => None,
        };

        let options = chain::Options {
            keep_recent: config.keep_recent,
            minimum_gas_price: config.min_gas_price,
            ..chain::Options::default()
        };
        let rpc_addr = rpc.as_ref().map(net::Listener::local_addr);
        let Started {
            document,
            reader,
            blocks,
            abci,
            end,
        } = match &config.comet {
            None => stored(&config, options, rpc_addr, pace, &scope).await?,
            Some(comet) => comet::start(&config, comet, options, &scope).await?,
        };
        let view = Arc::new(View {
            chain_id: document.chain_id.clone(),
            genesis: document,
            reader,
            blocks,
            min_gas_price: config.min_gas_price_text,
            keep_recent: config.keep_recent,
            queries: Queries::default(),
            tasks: scope.clone(),
        });
        let abci = abci.map(|(address, machine)| {
            machine.answer_from(Arc::clone(&view));
            address
        });
        let serving = ServeLimits {
            hosts: config.hosts,
            idle: limits::CONNECTION_IDLE,
            body_bytes: limits::REQUEST_BYTES,
            ..ServeLimits::default()
        };
        if let (Some(rpc), Blocks::Own(own)) = (rpc, &view.blocks) {
            let answering = Arc::new(OwnView::new(Arc::clone(&view), own.clone()));
            let service = service_fn(move |request| rpc::handle(Arc::clone(&answering), request));
            net::serve(rpc, service, serving.clone(), &scope);
        }
        let answering = Arc::clone(&view);
        let service = service_fn(move |request| {
            let view = Arc::clone(&answering);
            async move { Ok::<_, Infallible>(grpc::handle(view, request).await) }
        });
        let grpc = net::serve(grpc, service, serving.clone(), &scope);
        let rest = rest.map(|listener| {
            let answering = Arc::clone(&view);
            let service = service_fn(move |request| rest::serve(Arc::clone(&answering), request));
            net::serve(listener, service, serving, &scope)
        });
        Ok(Handle {
            rpc_addr,
            abci,
            grpc_addr: grpc.local_addr(),
            rest_addr: rest.map(|server| server.local_addr()),
            chain_id: view.chain_id.clone(),
            view,
            end,
        })
    }
}
