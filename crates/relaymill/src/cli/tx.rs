//! `relaymill tx`: one message, signed, sent, confirmed by inclusion.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use client::tx::{Outcome, SendOptions, Sender};
use proto::cosmos::bank::v1beta1::MsgSend;
use proto::cosmos::base::v1beta1::Coin;
use proto::pocket::application::{MsgDelegateToGateway, MsgStakeApplication};
use proto::pocket::gateway::MsgStakeGateway;
use proto::pocket::service::MsgAddService;
use proto::pocket::shared::{
    ApplicationServiceConfig, RpcType, Service, ServiceRevenueShare, SupplierEndpoint,
    SupplierServiceConfig,
};
use proto::pocket::supplier::MsgStakeSupplier;
use serde_json::json;

use super::NodeArgs;
use crate::keys::{LOCAL_CHAIN_PREFIX, read_plain};

/// Blocks to wait for inclusion.
const DEADLINE_BLOCKS: i64 = 20;

#[derive(Args, Debug)]
pub(crate) struct TxArgs {
    #[command(flatten)]
    node: NodeArgs,
    /// Who signs: the name of a local network's key (faucet, source-1, …) or a key file.
    #[arg(long, global = true, default_value = "faucet")]
    from: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Sends coins.
    Send {
        /// Recipient's address.
        to: String,
        /// Amount in upokt.
        amount_upokt: u128,
    },
    /// Registers a service, or changes one of one's own.
    AddService {
        /// Service id.
        id: String,
        /// Compute units of one relay.
        compute_units_per_relay: u64,
    },
    /// Stakes an application for one service.
    StakeApplication {
        /// Stake in upokt, after this.
        stake_upokt: u128,
        /// Service id.
        service: String,
    },
    /// Delegates an application to a gateway.
    Delegate {
        /// The gateway's address.
        gateway: String,
    },
    /// Stakes a gateway.
    StakeGateway {
        /// Stake in upokt, after this.
        stake_upokt: u128,
    },
    /// Stakes a supplier for one service; owner and operator are the signer.
    StakeSupplier {
        /// Stake in upokt, after this.
        stake_upokt: u128,
        /// Service id.
        service: String,
        /// Where it serves, e.g. `https://gpu.example:8545`.
        url: String,
    },
}

/// Sends and prints.
pub(crate) async fn run(args: TxArgs, tasks: &net::Tasks) -> Result<()> {
    let chain = args.node.connect(tasks).await?;
    let named = args
        .node
        .data_dir
        .join("keys")
        .join(format!("{}.key", args.from));
    let file = if named.exists() {
        named
    } else {
        PathBuf::from(&args.from)
    };
    if !chain.chain_id().starts_with(LOCAL_CHAIN_PREFIX) {
        bail!(
            "plain key files sign for local networks only, not for `{}`",
            chain.chain_id()
        );
    }
    let key = read_plain(&file)?;
    let signer = key.public().address().to_bech32();
    let message = message(&args.what, &signer);
    let options = SendOptions {
        wait_for_funds: false,
        ..SendOptions::default()
    };
    let sender = Sender::new(Arc::clone(&chain), key, options);
    let deadline = chain.height().saturating_add(DEADLINE_BLOCKS);
    match sender.send(&[message], deadline, None).await? {
        Outcome::Included(included) if included.code == 0 => args.node.print(&json!({
            "height": included.height.to_string(),
            "txhash": included.hash.to_string(),
            "code": 0,
        })),
        outcome => {
            let rejection = outcome.rejection().context("no block took it in time")?;
            bail!(
                "refused: {} ({} {})",
                rejection.log,
                rejection.codespace,
                rejection.code
            )
        }
    }
}

fn message(what: &What, signer: &str) -> prost_types::Any {
    let coin = |amount: u128| Coin {
        denom: "upokt".to_owned(),
        amount: amount.to_string(),
    };
    let signer = signer.to_owned();
    match what {
        What::Send { to, amount_upokt } => proto::any::pack(&MsgSend {
            from_address: signer,
            to_address: to.clone(),
            amount: vec![coin(*amount_upokt)],
        }),
        What::AddService {
            id,
            compute_units_per_relay,
        } => proto::any::pack(&MsgAddService {
            owner_address: signer.clone(),
            service: Service {
                id: id.clone(),
                name: id.clone(),
                compute_units_per_relay: *compute_units_per_relay,
                owner_address: signer,
                metadata: None,
            },
        }),
        What::StakeApplication {
            stake_upokt,
            service,
        } => proto::any::pack(&MsgStakeApplication {
            address: signer,
            stake: Some(coin(*stake_upokt)),
            services: vec![ApplicationServiceConfig {
                service_id: service.clone(),
            }],
            per_session_spend_limit: None,
        }),
        What::Delegate { gateway } => proto::any::pack(&MsgDelegateToGateway {
            app_address: signer,
            gateway_address: gateway.clone(),
        }),
        What::StakeGateway { stake_upokt } => proto::any::pack(&MsgStakeGateway {
            address: signer,
            stake: Some(coin(*stake_upokt)),
        }),
        What::StakeSupplier {
            stake_upokt,
            service,
            url,
        } => proto::any::pack(&MsgStakeSupplier {
            signer: signer.clone(),
            owner_address: signer.clone(),
            operator_address: signer.clone(),
            stake: Some(coin(*stake_upokt)),
            services: vec![SupplierServiceConfig {
                service_id: service.clone(),
                endpoints: vec![SupplierEndpoint {
                    url: url.clone(),
                    rpc_type: RpcType::Rest.into(),
                    configs: Vec::new(),
                }],
                rev_share: vec![ServiceRevenueShare {
                    address: signer,
                    rev_share_percentage: 100,
                }],
            }],
        }),
    }
}
