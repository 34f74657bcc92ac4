//! Messages of the pocket modules.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use crypto::keys::Address;
use prost_types::Any;
use proto::pocket::application::{
    MsgDelegateToGateway, MsgStakeApplication, MsgTransferApplication, MsgUndelegateFromGateway,
    MsgUnstakeApplication,
};
use proto::pocket::gateway::{MsgStakeGateway, MsgUnstakeGateway, MsgUpdateGatewayMetadata};
use proto::pocket::service::{MsgAddService, MsgTransferService};
use proto::pocket::shared::{
    ApplicationServiceConfig, Metadata, RpcType, Service, ServiceRevenueShare, SupplierEndpoint,
    SupplierServiceConfig,
};
use proto::pocket::supplier::{MsgStakeSupplier, MsgUnstakeSupplier};

use super::amount::Upokt;
use super::signer::Signer;
use super::stake_file;

#[derive(Subcommand, Debug)]
pub(crate) enum Application {
    /// Stakes an application, or changes stake and services of one. The stake is what it is after this.
    Stake {
        /// Stake, e.g. 1000pokt.
        #[arg(required_unless_present = "config", conflicts_with = "config")]
        stake: Option<Upokt>,
        /// Service ids.
        #[arg(required_unless_present = "config", conflicts_with = "config")]
        services: Vec<String>,
        /// File with `stake_amount` and `service_ids`, TOML or YAML.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Most that a session may cost, e.g. 1pokt. Default: no limit of its own.
        #[arg(long, value_name = "AMOUNT")]
        spend_limit: Option<Upokt>,
    },
    /// Unstakes it: after the unbonding period its coins are free.
    Unstake,
    /// Lets a gateway relay for it.
    Delegate {
        /// The gateway's address.
        gateway: Address,
    },
    /// Ends that.
    Undelegate {
        /// The gateway's address.
        gateway: Address,
    },
    /// Hands stake and services over to another account.
    Transfer {
        /// That account's address.
        destination: Address,
    },
}

impl Application {
    pub(super) fn message(&self, signer: &Signer) -> Result<Any> {
        let address = signer.account();
        Ok(match self {
            Self::Stake {
                stake,
                services,
                config,
                spend_limit,
            } => {
                let (stake, services) = match config {
                    Some(file) => stake_file::application(file)?,
                    None => (
                        stake.clone().context("a stake is missing")?,
                        services.clone(),
                    ),
                };
                let services = services
                    .into_iter()
                    .map(|service_id| ApplicationServiceConfig { service_id });
                proto::any::pack(&MsgStakeApplication {
                    address,
                    stake: Some(stake.coin()),
                    services: services.collect(),
                    per_session_spend_limit: spend_limit.as_ref().map(Upokt::coin),
                })
            }
            Self::Unstake => proto::any::pack(&MsgUnstakeApplication { address }),
            Self::Delegate { gateway } => proto::any::pack(&MsgDelegateToGateway {
                app_address: address,
                gateway_address: gateway.to_bech32(),
            }),
            Self::Undelegate { gateway } => proto::any::pack(&MsgUndelegateFromGateway {
                app_address: address,
                gateway_address: gateway.to_bech32(),
            }),
            Self::Transfer { destination } => proto::any::pack(&MsgTransferApplication {
                source_address: address,
                destination_address: destination.to_bech32(),
            }),
        })
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Gateway {
    /// Stakes a gateway, or changes the stake of one. The stake is what it is after this.
    Stake {
        /// Stake, e.g. 1000pokt.
        #[arg(required_unless_present = "config", conflicts_with = "config")]
        stake: Option<Upokt>,
        /// File with `stake_amount`, TOML or YAML.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Unstakes it: after the unbonding period its coins are free.
    Unstake,
    /// Publishes its card.
    UpdateMetadata {
        /// The card, a JSON file of at most 256 KiB.
        card: PathBuf,
    },
}

impl Gateway {
    pub(super) fn message(&self, signer: &Signer) -> Result<Any> {
        let address = signer.account();
        Ok(match self {
            Self::Stake { stake, config } => {
                let stake = match config {
                    Some(file) => stake_file::gateway(file)?,
                    None => stake.clone().context("a stake is missing")?,
                };
                proto::any::pack(&MsgStakeGateway {
                    address,
                    stake: Some(stake.coin()),
                })
            }
            Self::Unstake => proto::any::pack(&MsgUnstakeGateway { address }),
            Self::UpdateMetadata { card } => proto::any::pack(&MsgUpdateGatewayMetadata {
                address,
                metadata: Some(metadata(card)?),
            }),
        })
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Supplier {
    /// Stakes a supplier, or changes stake and services of one. The stake is what it is after this.
    Stake {
        /// File with `[[services]]` (and `stake_amount`, `owner_address`, `operator_address`), TOML, or YAML as
        /// pocketd reads it.
        #[arg(long, required_unless_present = "service")]
        config: Option<PathBuf>,
        /// Stake, e.g. 60000pokt, where the file does not say.
        #[arg(long)]
        stake: Option<Upokt>,
        /// One service id, instead of a file.
        #[arg(long, requires = "url", conflicts_with = "config")]
        service: Option<String>,
        /// Where that service is served, e.g. `https://gpu.example:8545`.
        #[arg(long, requires = "service")]
        url: Option<String>,
        /// Who the stake belongs to, where the file does not say. Default: the signer.
        #[arg(long)]
        owner: Option<Address>,
        /// Who serves, where the file does not say. Default: the signer.
        #[arg(long)]
        operator: Option<Address>,
    },
    /// Unstakes it: after the unbonding period its coins are free.
    Unstake {
        /// Who serves. Default: the signer.
        operator: Option<Address>,
    },
}

impl Supplier {
    pub(super) fn message(&self, signer: &Signer) -> Result<Any> {
        match self {
            Self::Stake {
                config,
                stake,
                service,
                url,
                owner,
                operator,
            } => {
                let mut file = match (config, service, url) {
                    (Some(file), _, _) => stake_file::supplier(file)?,
                    (None, Some(service), Some(url)) => stake_file::Supplier::of(service, url),
                    _ => bail!("give --config FILE, or --service ID --url URL"),
                };
                file.stake_amount = file.stake_amount.or_else(|| stake.clone());
                let or_signer = |address: &Option<Address>| {
                    address.map_or_else(|| signer.account(), |address| address.to_bech32())
                };
                let owner_address = or_signer(&file.owner_address.or(*owner));
                let operator_address = or_signer(&file.operator_address.or(*operator));
                let stake = file.stake_amount.clone();
                Ok(proto::any::pack(&MsgStakeSupplier {
                    signer: signer.account(),
                    stake: stake.map(|stake| stake.coin()),
                    services: service_configs(&file, &owner_address)?,
                    owner_address,
                    operator_address,
                }))
            }
            Self::Unstake { operator } => {
                let operator = operator.unwrap_or(signer.address);
                Ok(proto::any::pack(&MsgUnstakeSupplier {
                    signer: signer.account(),
                    operator_address: operator.to_bech32(),
                }))
            }
        }
    }
}

/// What a supplier serves, as the chain writes it; who is not told otherwise gives everything to the owner.
pub(crate) fn service_configs(
    file: &stake_file::Supplier,
    owner: &str,
) -> Result<Vec<SupplierServiceConfig>> {
    let mut configs = Vec::new();
    for service in &file.services {
        let id = &service.service_id;
        let mut endpoints = Vec::new();
        for endpoint in &service.endpoints {
            let rpc_type = endpoint.rpc_type.to_uppercase();
            let rpc_type = RpcType::from_str_name(&rpc_type).with_context(|| {
                format!(
                    "service {id}: rpc_type `{rpc_type}`: expected rest, json_rpc, grpc, websocket or comet_bft"
                )
            })?;
            endpoints.push(SupplierEndpoint {
                url: endpoint.publicly_exposed_url.clone(),
                rpc_type: rpc_type.into(),
                configs: Vec::new(),
            });
        }
        if endpoints.is_empty() {
            bail!("service {id}: it has no endpoints");
        }
        let shares = match (&service.rev_share_percent, &file.default_rev_share_percent) {
            (Some(shares), _) | (None, Some(shares)) => shares
                .iter()
                .map(|(address, percent)| ServiceRevenueShare {
                    address: address.to_bech32(),
                    rev_share_percentage: *percent,
                })
                .collect(),
            (None, None) => vec![ServiceRevenueShare {
                address: owner.to_owned(),
                rev_share_percentage: 100,
            }],
        };
        let sum: u64 = shares.iter().map(|share| share.rev_share_percentage).sum();
        if sum != 100 {
            bail!("service {id}: the shares make {sum} percent, expected 100");
        }
        configs.push(SupplierServiceConfig {
            service_id: id.clone(),
            endpoints,
            rev_share: shares,
        });
    }
    Ok(configs)
}

#[derive(Subcommand, Debug)]
pub(crate) enum ServiceCommand {
    /// Registers a service, or changes one of one's own.
    Add {
        /// Service id: at most 42 letters, digits, `-` and `_`.
        id: String,
        /// Compute units of one relay.
        compute_units_per_relay: u64,
        /// A name for people. Default: the id.
        #[arg(long)]
        name: Option<String>,
        /// Its card, a JSON file of at most 256 KiB.
        #[arg(long)]
        card: Option<PathBuf>,
    },
    /// Gives a service to another owner, the Source of its revenue share.
    Transfer {
        /// Service id.
        id: String,
        /// The new owner's address.
        new_owner: Address,
    },
}

impl ServiceCommand {
    pub(super) fn message(&self, signer: &Signer) -> Result<Any> {
        let owner_address = signer.account();
        Ok(match self {
            Self::Add {
                id,
                compute_units_per_relay,
                name,
                card,
            } => {
                let service = Service {
                    id: id.clone(),
                    name: name.clone().unwrap_or_else(|| id.clone()),
                    compute_units_per_relay: *compute_units_per_relay,
                    owner_address: owner_address.clone(),
                    metadata: card.as_ref().map(metadata).transpose()?,
                };
                proto::any::pack(&MsgAddService {
                    owner_address,
                    service,
                })
            }
            Self::Transfer { id, new_owner } => proto::any::pack(&MsgTransferService {
                owner_address,
                service_id: id.clone(),
                new_owner_address: new_owner.to_bech32(),
            }),
        })
    }
}

/// A card: its bytes as they are, once they are JSON.
fn metadata(file: &PathBuf) -> Result<Metadata> {
    let card = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let json: Result<serde_json::Value, _> = serde_json::from_slice(&card);
    if !json.is_ok_and(|json| json.is_object()) {
        bail!("{}: a card is a JSON object", file.display());
    }
    Ok(Metadata { card: card.into() })
}
