//! A genesis document as JSON, changed in place: what a node of any version wrote stays as it is.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use chain::genesis::GenesisBuilder;
use crypto::keys::{Address, PublicKey};
use proto::cosmos::base::v1beta1::Coin;
use proto::pocket::shared::SupplierServiceConfig;
use serde_json::{Value, json};

use crate::files::write_atomically;

/// A document.
pub(crate) struct Genesis(Value);

impl Genesis {
    /// Reads a document.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read(file).with_context(|| {
            format!(
                "cannot read {} (`relaymill genesis new CHAIN_ID` makes one, --file names another)",
                file.display()
            )
        })?;
        let json = serde_json::from_slice(&text).with_context(|| format!("{}", file.display()))?;
        Ok(Self(json))
    }

    /// Of its text.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Ok(Self(serde_json::from_str(text)?))
    }

    /// Its text.
    pub(crate) fn text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.0)?)
    }

    /// Writes it back.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        write_atomically(file, self.text()?.as_bytes(), 0o644)
    }

    /// Adds an entry to a list of a module.
    pub(super) fn add(&mut self, module: &str, list: &str, entry: Value) -> Result<()> {
        self.list(module, list)?.push(entry);
        Ok(())
    }

    fn list(&mut self, module: &str, list: &str) -> Result<&mut Vec<Value>> {
        let place = format!("/app_state/{module}/{list}");
        let found = self.0.pointer_mut(&place).and_then(Value::as_array_mut);
        found.with_context(|| format!("the document has no list app_state.{module}.{list}"))
    }

    /// Adds an account with coins, or coins to one that is there. Supply follows.
    pub(super) fn add_account(
        &mut self,
        address: Address,
        public: Option<PublicKey>,
        coins: &[Coin],
    ) -> Result<()> {
        let text = address.to_bech32();
        let accounts = self.list("auth", "accounts")?;
        // Module accounts have theirs one level down.
        let number = |account: &Value| {
            let base = account.get("base_account").unwrap_or(account);
            let number = base.get("account_number");
            number.and_then(|number| number.as_str()?.parse::<u64>().ok())
        };
        let next = accounts.iter().filter_map(number).max();
        let next = next.map_or(0, |highest| highest.saturating_add(1));
        let pub_key = public.map(|public| {
            let key = base64::engine::general_purpose::STANDARD.encode(public.as_bytes());
            json!({ "@type": "/cosmos.crypto.secp256k1.PubKey", "key": key })
        });
        let there = accounts
            .iter_mut()
            .find(|account| account["address"] == text);
        match (there, pub_key) {
            (Some(account), Some(pub_key)) => account["pub_key"] = pub_key,
            (Some(_), None) => {}
            (None, pub_key) => accounts.push(json!({
                "@type": "/cosmos.auth.v1beta1.BaseAccount",
                "address": text, "pub_key": pub_key,
                "account_number": next.to_string(), "sequence": "0",
            })),
        }
        for coin in coins {
            self.give(&text, coin)?;
            let supply = self.list("bank", "supply")?;
            add_coin(supply, &coin.denom, amount(coin)?)?;
        }
        Ok(())
    }

    /// Adds to a balance.
    fn give(&mut self, address: &str, coin: &Coin) -> Result<()> {
        let balances = self.list("bank", "balances")?;
        let place = balances
            .iter()
            .position(|balance| balance["address"] == address);
        let place = place.unwrap_or_else(|| {
            balances.push(json!({ "address": address, "coins": [] }));
            balances.len() - 1
        });
        let coins = balances
            .get_mut(place)
            .and_then(|balance| balance["coins"].as_array_mut());
        let coins = coins.with_context(|| format!("the balance of {address} has no coins"))?;
        add_coin(coins, &coin.denom, amount(coin)?)
    }

    /// Moves upokt of an account into a module's.
    fn stake(&mut self, from: Address, module: &str, upokt: u128) -> Result<()> {
        let text = from.to_bech32();
        let balances = self.list("bank", "balances")?;
        let coins = balances
            .iter_mut()
            .find(|balance| balance["address"] == text)
            .and_then(|balance| balance["coins"].as_array_mut());
        let coin = coins.and_then(|coins| coins.iter_mut().find(|coin| coin["denom"] == "upokt"));
        let held = coin
            .as_ref()
            .and_then(|coin| coin["amount"].as_str()?.parse::<u128>().ok());
        let left = held.unwrap_or(0).checked_sub(upokt);
        let (Some(coin), Some(left)) = (coin, left) else {
            bail!(
                "{text} has {} upokt in the document, {upokt} are to be staked: `genesis add-account` adds coins",
                held.unwrap_or(0)
            );
        };
        coin["amount"] = Value::String(left.to_string());
        for balance in balances.iter_mut() {
            if let Some(coins) = balance["coins"].as_array_mut() {
                coins.retain(|coin| coin["amount"] != "0");
            }
        }
        balances.retain(|balance| {
            balance["coins"]
                .as_array()
                .is_none_or(|coins| !coins.is_empty())
        });
        let coin = Coin {
            denom: "upokt".to_owned(),
            amount: upokt.to_string(),
        };
        self.give(&Address::module(module).to_bech32(), &coin)
    }

    /// Stakes an application.
    pub(super) fn add_application(
        &mut self,
        address: Address,
        upokt: u128,
        services: &[String],
        gateways: &[Address],
    ) -> Result<()> {
        self.stake(address, "application", upokt)?;
        let services: Vec<Value> = services
            .iter()
            .map(|id| json!({ "service_id": id }))
            .collect();
        let gateways: Vec<String> = gateways.iter().map(Address::to_bech32).collect();
        self.add(
            "application",
            "application_list",
            json!({
                "address": address.to_bech32(), "stake": coin(upokt),
                "service_configs": services, "delegatee_gateway_addresses": gateways,
            }),
        )
    }

    /// Stakes a gateway.
    pub(super) fn add_gateway(&mut self, address: Address, upokt: u128) -> Result<()> {
        self.stake(address, "gateway", upokt)?;
        self.add(
            "gateway",
            "gateway_list",
            json!({ "address": address.to_bech32(), "stake": coin(upokt) }),
        )
    }

    /// Stakes a supplier whose services are active from the first block on.
    pub(super) fn add_supplier(
        &mut self,
        owner: Address,
        operator: Address,
        upokt: u128,
        services: &[SupplierServiceConfig],
    ) -> Result<()> {
        self.stake(owner, "supplier", upokt)?;
        let mut configs: Vec<Value> = Vec::new();
        for service in services {
            configs.push(serde_json::from_str(&proto::json::to_json(service)?)?);
        }
        let history: Vec<Value> = configs
            .iter()
            .map(|config| {
                json!({
                    "operator_address": operator.to_bech32(), "service": config,
                    "activation_height": "1",
                })
            })
            .collect();
        self.add(
            "supplier",
            "supplierList",
            json!({
                "owner_address": owner.to_bech32(), "operator_address": operator.to_bech32(),
                "stake": coin(upokt), "services": configs, "service_config_history": history,
            }),
        )
    }

    /// A document of the same chain, to take sections from.
    fn builder(&self) -> GenesisBuilder {
        let text = |name: &str| self.0[name].as_str().unwrap_or_default().to_owned();
        GenesisBuilder::new(text("chain_id"), text("genesis_time"))
    }

    fn state(&mut self) -> Result<&mut serde_json::Map<String, Value>> {
        let state = self.0.get_mut("app_state").and_then(Value::as_object_mut);
        state.context("the document has no app_state")
    }

    /// Adds a validator that delegates to itself; the sections around it come with the first one.
    pub(super) fn add_validator(
        &mut self,
        moniker: &str,
        operator: Address,
        consensus_key: [u8; 32],
        upokt: u128,
    ) -> Result<()> {
        self.stake(operator, "not_bonded_tokens_pool", upokt)?;
        let mut builder = self.builder();
        builder.validator(moniker, operator, consensus_key, upokt);
        let made = builder.build()?.app_state;
        let state = self.state()?;
        for section in ["staking", "distribution", "slashing", "mint", "evidence"] {
            let new = made.get(section).cloned().unwrap_or_default();
            let there = state.contains_key(section);
            if !there {
                state.insert(section.to_owned(), new);
            } else if section == "staking" {
                for list in ["validators", "delegations"] {
                    let entries = new[list].as_array().cloned().unwrap_or_default();
                    let kept = state[section][list].as_array_mut();
                    kept.with_context(|| format!("the document has no list {section}.{list}"))?
                        .extend(entries);
                }
            }
        }
        Ok(())
    }

    /// Grants the governance account's power over params; the section comes with the first grant.
    pub(super) fn add_authority(&mut self, grantee: Address) -> Result<()> {
        let made = self.builder().authority(grantee).build()?.app_state;
        let grants = made.get("authz").cloned().unwrap_or_default();
        match self.0.pointer_mut("/app_state/authz/authorization") {
            Some(Value::Array(list)) => {
                list.extend(
                    grants["authorization"]
                        .as_array()
                        .cloned()
                        .unwrap_or_default(),
                );
            }
            _ => {
                self.state()?.insert("authz".to_owned(), grants);
            }
        }
        Ok(())
    }

    /// Sets `module.name=value`; the load checks of the chain say what is wrong with it.
    pub(crate) fn set_param(&mut self, text: &str) -> Result<()> {
        let parts = text
            .split_once('=')
            .and_then(|(name, value)| Some((name.split_once('.')?, value)));
        let ((module, name), value) =
            parts.with_context(|| format!("{text}: expected module.name=value"))?;
        let place = format!("/app_state/{module}/params/{name}");
        let Some(place) = self.0.pointer_mut(&place) else {
            bail!("{text}: there is no parameter {module}.{name}")
        };
        *place = match place {
            Value::String(_) => Value::String(value.to_owned()),
            _ => serde_json::from_str(value).with_context(|| text.to_owned())?,
        };
        Ok(())
    }
}

fn coin(upokt: u128) -> Value {
    json!({ "denom": "upokt", "amount": upokt.to_string() })
}

fn amount(coin: &Coin) -> Result<u128> {
    Ok(coin.amount.parse()?)
}

/// Adds to the coin of this denomination, sorted as the chain wants coins.
fn add_coin(coins: &mut Vec<Value>, denom: &str, amount: u128) -> Result<()> {
    let key = |coin: &Value| coin["denom"].as_str().unwrap_or_default().to_owned();
    match coins.binary_search_by(|coin| key(coin).as_str().cmp(denom)) {
        Ok(place) => {
            let held: u128 = coins[place]["amount"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .with_context(|| format!("an amount of {denom} is no number"))?;
            let sum = held.checked_add(amount).context("the sum is too large")?;
            coins[place]["amount"] = Value::String(sum.to_string());
        }
        Err(place) => coins.insert(
            place,
            json!({ "denom": denom, "amount": amount.to_string() }),
        ),
    }
    Ok(())
}
