//! Messages of actors and about coins, mostly sensible for whoever signs them.

use prost_types::Any;
use proto::any::pack;
use proto::cosmos::bank::v1beta1::{Input, MsgMultiSend, MsgSend, Output};
use proto::cosmos::base::v1beta1::Coin;
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

use super::actors::{COMMITTEE, PEOPLE, name, text};
use super::blocks::World;

impl World {
    /// What there is at first, block by block: six applications, three gateways, six suppliers of all services.
    pub(super) fn foundation(&mut self) -> Vec<Vec<(Any, String)>> {
        let upokt = chain::bank::upokt;
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for index in 0..3 {
            let gateway = name(12 + index);
            let message = MsgStakeGateway {
                address: text(&gateway),
                stake: Some(upokt(1_000_000)),
            };
            first.push((pack(&message), gateway));
        }
        for index in 0..6 {
            let (app, operator) = (name(6 + index), name(index));
            let message = MsgStakeApplication {
                address: text(&app),
                stake: Some(upokt(3_000_000_000)),
                services: vec![ApplicationServiceConfig {
                    service_id: format!("svc{}", index % 3),
                }],
                per_session_spend_limit: None,
            };
            first.push((pack(&message), app.clone()));
            let services = (0..3).map(|service| {
                let mut offer = self.offer(&operator, &operator);
                offer.service_id = format!("svc{service}");
                offer
            });
            let message = MsgStakeSupplier {
                signer: text(&operator),
                owner_address: text(&operator),
                operator_address: text(&operator),
                stake: Some(upokt(20_000_000)),
                services: services.collect(),
            };
            first.push((pack(&message), operator));
            let message = MsgDelegateToGateway {
                app_address: text(&app),
                gateway_address: text(&name(12 + index % 3)),
            };
            second.push((pack(&message), app));
        }
        vec![first, second]
    }

    pub(super) fn anybody(&mut self) -> String {
        if self.rng.percent(3) {
            return COMMITTEE.to_owned();
        }
        name(self.rng.index(PEOPLE))
    }

    /// Mostly somebody of a list, sometimes anybody.
    fn somebody(&mut self, of: &[String]) -> String {
        if of.is_empty() || self.rng.percent(15) {
            return self.anybody();
        }
        let address = self.rng.pick(of).clone();
        self.person(&address).unwrap_or_else(|| self.anybody())
    }

    fn service(&mut self) -> String {
        let ids = self.view.services.clone();
        if ids.is_empty() || self.rng.percent(3) {
            return "nothing".to_owned();
        }
        self.rng.pick(&ids).clone()
    }

    /// An amount of upokt around a sensible one; sometimes nonsense.
    pub(super) fn amount(&mut self, around: u128) -> Coin {
        let factor = u128::from(self.rng.below(300));
        let amount = match self.rng.below(40) {
            0 => "0".to_owned(),
            1 => u128::MAX.to_string(),
            2 => "-5".to_owned(),
            3 => "1e6".to_owned(),
            4 => "9".repeat(60),
            _ => (around * factor / 100).to_string(),
        };
        let denom = if self.rng.percent(2) { "mact" } else { "upokt" };
        Coin {
            denom: denom.to_owned(),
            amount,
        }
    }

    pub(super) fn send(&mut self) -> Option<(Any, String)> {
        let (from, to) = (self.anybody(), self.anybody());
        let message = MsgSend {
            from_address: text(&from),
            to_address: self.recipient(&to),
            amount: vec![self.amount(1_000_000)],
        };
        Some((pack(&message), from))
    }

    /// Mostly a person; sometimes a new address, a module's account, or nothing that could be one.
    pub(super) fn recipient(&mut self, to: &str) -> String {
        match self.rng.below(20) {
            0 => text(&format!("stranger {}", self.rng.below(1_000))),
            1 => {
                let modules = ["application", "fee_collector", "gov", "bonded_tokens_pool"];
                let module = *self.rng.pick(&modules);
                crypto::keys::Address::module(module).to_bech32()
            }
            2 => "pokt1nobody".to_owned(),
            _ => text(to),
        }
    }

    pub(super) fn multi_send(&mut self) -> Option<(Any, String)> {
        let from = self.anybody();
        let (one, other) = (self.anybody(), self.anybody());
        let (first, second) = (self.rng.below(1_000), self.rng.below(1_000));
        let wrong = u64::from(self.rng.percent(10));
        let coins = |amount: u64| vec![chain::bank::upokt(amount.into())];
        let message = MsgMultiSend {
            inputs: vec![Input {
                address: text(&from),
                coins: coins(first + second + wrong),
            }],
            outputs: vec![
                Output {
                    address: self.recipient(&one),
                    coins: coins(first),
                },
                Output {
                    address: text(&other),
                    coins: coins(second),
                },
            ],
        };
        Some((pack(&message), from))
    }

    pub(super) fn stake_application(&mut self) -> Option<(Any, String)> {
        let app = self.anybody();
        let limit = match self.rng.below(6) {
            0 => Some(self.amount(3_000_000)),
            1 => Some(chain::bank::upokt(0)),
            _ => None,
        };
        let message = MsgStakeApplication {
            address: text(&app),
            stake: Some(self.amount(2_000_000_000)),
            services: vec![ApplicationServiceConfig {
                service_id: self.service(),
            }],
            per_session_spend_limit: limit,
        };
        Some((pack(&message), app))
    }

    fn application(&mut self) -> String {
        let apps: Vec<String> = self
            .view
            .applications
            .iter()
            .map(|app| app.address.clone())
            .collect();
        self.somebody(&apps)
    }

    fn gateway(&mut self) -> String {
        let gateways = self.view.gateways.clone();
        self.somebody(&gateways)
    }

    pub(super) fn unstake_application(&mut self) -> Option<(Any, String)> {
        let app = self.application();
        let message = MsgUnstakeApplication {
            address: text(&app),
        };
        Some((pack(&message), app))
    }

    pub(super) fn delegate_to_gateway(&mut self) -> Option<(Any, String)> {
        let (app, gateway) = (self.application(), self.gateway());
        let message = MsgDelegateToGateway {
            app_address: text(&app),
            gateway_address: text(&gateway),
        };
        Some((pack(&message), app))
    }

    pub(super) fn undelegate_from_gateway(&mut self) -> Option<(Any, String)> {
        let app = self.application();
        let address = text(&app);
        let record = self
            .view
            .applications
            .iter()
            .find(|app| app.address == address);
        let gateways = record.map_or(Vec::new(), |app| app.delegatee_gateway_addresses.clone());
        let gateway = self.somebody(&gateways);
        let message = MsgUndelegateFromGateway {
            app_address: address,
            gateway_address: text(&gateway),
        };
        Some((pack(&message), app))
    }

    pub(super) fn transfer_application(&mut self) -> Option<(Any, String)> {
        let (source, destination) = (self.application(), self.anybody());
        let message = MsgTransferApplication {
            source_address: text(&source),
            destination_address: text(&destination),
        };
        Some((pack(&message), source))
    }

    pub(super) fn stake_gateway(&mut self) -> Option<(Any, String)> {
        let gateway = self.anybody();
        let message = MsgStakeGateway {
            address: text(&gateway),
            stake: Some(self.amount(1_000_000)),
        };
        Some((pack(&message), gateway))
    }

    pub(super) fn unstake_gateway(&mut self) -> Option<(Any, String)> {
        let gateway = self.gateway();
        let message = MsgUnstakeGateway {
            address: text(&gateway),
        };
        Some((pack(&message), gateway))
    }

    fn card(&mut self) -> Option<Metadata> {
        let card = vec![b'{'; self.rng.index(40)].into();
        self.rng.percent(50).then_some(Metadata { card })
    }

    pub(super) fn gateway_metadata(&mut self) -> Option<(Any, String)> {
        let gateway = self.gateway();
        let message = MsgUpdateGatewayMetadata {
            address: text(&gateway),
            metadata: self.card(),
        };
        Some((pack(&message), gateway))
    }

    pub(super) fn stake_supplier(&mut self) -> Option<(Any, String)> {
        // Mostly somebody who serves already, or one of a few, so that sessions have suppliers that stay.
        let known = self.view.suppliers.clone();
        let (operator, owner) = if !known.is_empty() && self.rng.percent(40) {
            let (operator, owner) = self.rng.pick(&known);
            (self.person(operator)?, self.person(owner)?)
        } else if self.rng.percent(70) {
            let operator = name(self.rng.index(10));
            (operator.clone(), operator)
        } else {
            (self.anybody(), name(self.rng.index(3)))
        };
        let signer = if self.rng.percent(70) {
            operator.clone()
        } else {
            owner.clone()
        };
        let stake = self.rng.percent(85).then(|| self.amount(20_000_000));
        let services = if signer == operator && self.rng.percent(80) || self.rng.percent(5) {
            let first = self.rng.below(6);
            (0..=self.rng.below(4))
                .map(|index| {
                    let mut offer = self.offer(&operator, &owner);
                    if !self.rng.percent(5) {
                        offer.service_id = format!("svc{}", (first + index) % 6);
                    }
                    offer
                })
                .collect()
        } else {
            Vec::new()
        };
        let message = MsgStakeSupplier {
            signer: text(&signer),
            owner_address: text(&owner),
            operator_address: text(&operator),
            stake,
            services,
        };
        Some((pack(&message), signer))
    }

    fn offer(&mut self, operator: &str, owner: &str) -> SupplierServiceConfig {
        let share = |name: &str, rev_share_percentage| ServiceRevenueShare {
            address: text(name),
            rev_share_percentage,
        };
        let own = 1 + self.rng.below(100);
        let mut rev_share = vec![share(operator, own)];
        if own < 100 && operator != owner {
            rev_share.push(share(owner, 100 - own));
        }
        if operator == owner && !self.rng.percent(4) || self.rng.percent(50) {
            rev_share = vec![share(operator, 100)];
        }
        SupplierServiceConfig {
            service_id: self.service(),
            endpoints: vec![SupplierEndpoint {
                url: "http://supplier.example:1".to_owned(),
                rpc_type: RpcType::JsonRpc.into(),
                configs: Vec::new(),
            }],
            rev_share,
        }
    }

    pub(super) fn unstake_supplier(&mut self) -> Option<(Any, String)> {
        let suppliers = self.view.suppliers.clone();
        let (operator, owner) = if suppliers.is_empty() || self.rng.percent(10) {
            (self.anybody(), self.anybody())
        } else {
            let (operator, owner) = self.rng.pick(&suppliers);
            (self.person(operator)?, self.person(owner)?)
        };
        let signer = if self.rng.percent(50) {
            operator.clone()
        } else {
            owner
        };
        let message = MsgUnstakeSupplier {
            signer: text(&signer),
            operator_address: text(&operator),
        };
        Some((pack(&message), signer))
    }

    pub(super) fn add_service(&mut self) -> Option<(Any, String)> {
        let owner = name(self.rng.index(4));
        let message = MsgAddService {
            owner_address: text(&owner),
            service: Service {
                id: format!("svc{}", self.rng.below(6)),
                name: "a service".to_owned(),
                compute_units_per_relay: self.rng.below(6) * 500_000,
                owner_address: text(&owner),
                metadata: self.card(),
            },
        };
        Some((pack(&message), owner))
    }

    pub(super) fn transfer_service(&mut self) -> Option<(Any, String)> {
        let owner = name(self.rng.index(4));
        let message = MsgTransferService {
            owner_address: text(&owner),
            service_id: self.service(),
            new_owner_address: text(&name(self.rng.index(4))),
        };
        Some((pack(&message), owner))
    }
}
