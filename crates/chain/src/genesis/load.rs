//! The state in a genesis document: loading, checks of sums, export.

use crypto::keys::Address;
use prost::{Message, Name};
use proto::cosmos::base::v1beta1::Coin;
use proto::cosmos::{
    auth::v1beta1 as auth_types, authz::v1beta1 as authz_types, bank::v1beta1 as bank_types,
    feegrant::v1beta1 as feegrant_types,
};
use proto::pocket;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bank::UPOKT;
use crate::context::Context;
use crate::error::{ChainError, GenesisError};
use crate::genesis::{gentx, idle};
use crate::modules::{
    application, gateway, migration, proof, service, session, shared, supplier, tokenomics,
};
use crate::prices::{self, Prices};
use crate::rules::Rules;
use crate::{auth, authz, bank, distribution, evidence, feegrant, gov, mint, slashing, staking};

/// State key of the rules, as JSON.
const RULES: &[u8] = b"relaymill/rules";
/// Prefix of sections of modules that do not run: name to JSON.
const SECTIONS: &[u8] = b"genesis/section/";

/// Our own section of a document.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Relaymill {
    rules: Rules,
    gas: Prices,
}

/// Loads all sections; `ctx.rules` are those of the document afterwards.
///
/// # Errors
/// Names the section and field.
pub(crate) fn load_state(
    ctx: &mut Context,
    state: &Map<String, Value>,
) -> Result<(), GenesisError> {
    load(ctx, state).map_err(|error| error.within("app_state"))
}

fn load(ctx: &mut Context, state: &Map<String, Value>) -> Result<(), GenesisError> {
    for (name, section) in state {
        if idle::is_known(name) {
            idle::check(name, section)?;
            let readable = match name.as_str() {
                "gov" => gov::check_genesis(section),
                "migration" => migration::check_genesis(section),
                _ => Ok(()),
            };
            readable.map_err(|error| error.within(name))?;
            let json =
                serde_json::to_vec(section).map_err(|error| GenesisError::new(name, error))?;
            ctx.set([SECTIONS, name.as_bytes()].concat(), json);
        } else if name == gentx::SECTION {
            let json = serde_json::to_vec(&gentx::done())
                .map_err(|error| GenesisError::new(name, error))?;
            ctx.set([SECTIONS, name.as_bytes()].concat(), json);
        } else if !RUNNING.contains(&name.as_str()) {
            return Err(GenesisError::new(name, "unknown section"));
        }
    }
    let relaymill: Relaymill = match state.get("relaymill") {
        None => Relaymill::default(),
        Some(section) => serde_json::from_value(section.clone())
            .map_err(|error| GenesisError::new("relaymill", error))?,
    };
    ctx.rules = relaymill.rules;
    let rules = serde_json::to_vec(&relaymill.rules)
        .map_err(|error| GenesisError::new("relaymill.rules", error))?;
    ctx.set(RULES.to_vec(), rules);
    prices::save(ctx, &relaymill.gas)?;

    each::<auth_types::GenesisState, _>(state, "auth", |own| auth::genesis::init(ctx, own))?;
    each::<bank_types::GenesisState, _>(state, "bank", |own| bank::genesis::init(ctx, own))?;
    load_sdk(ctx, state)?;
    optional::<authz_types::GenesisState>(state, "authz", |own| authz::genesis::init(ctx, own))?;
    optional::<feegrant_types::GenesisState>(state, "feegrant", |own| {
        feegrant::genesis::init(ctx, own)
    })?;
    each::<pocket::service::GenesisState, _>(state, "service", |own| {
        service::init_genesis(ctx, own)
    })?;
    let gateways = each::<pocket::gateway::GenesisState, _>(state, "gateway", |own| {
        let stakes = sum(
            own.gateway_list.iter().map(|actor| &actor.stake),
            "gateway_list",
        )?;
        gateway::init_genesis(ctx, own).map(|()| stakes)
    })?;
    let applications = each::<pocket::application::GenesisState, _>(state, "application", |own| {
        let stakes = own.application_list.iter().map(|actor| &actor.stake);
        let stakes = sum(stakes, "application_list")?;
        application::init_genesis(ctx, own).map(|()| stakes)
    })?;
    let suppliers = each::<pocket::supplier::GenesisState, _>(state, "supplier", |own| {
        let stakes = sum(
            own.supplier_list.iter().map(|actor| &actor.stake),
            "supplierList",
        )?;
        supplier::init_genesis(ctx, own).map(|()| stakes)
    })?;
    each::<pocket::session::GenesisState, _>(state, "session", |own| {
        session::init_genesis(ctx, own)
    })?;
    each::<pocket::proof::GenesisState, _>(state, "proof", |own| proof::init_genesis(ctx, own))?;
    each::<pocket::tokenomics::GenesisState, _>(state, "tokenomics", |own| {
        tokenomics::init_genesis(ctx, own)
    })?;
    each::<pocket::shared::GenesisState, _>(state, "shared", |own| shared::init_genesis(ctx, own))?;

    check_covered(ctx, "gateway", gateways)?;
    check_covered(ctx, "application", applications)?;
    check_covered(ctx, "supplier", suppliers)
}

/// The SDK's modules that may be left out, in the order in which the reference loads them. The order of the modules'
/// accounts is that of their numbers.
fn load_sdk(ctx: &mut Context, state: &Map<String, Value>) -> Result<(), GenesisError> {
    auth::ensure_module_account(ctx, "fee_collector")?;
    auth::ensure_module_account(ctx, distribution::MODULE)?;
    optional(state, distribution::MODULE, |own| {
        distribution::genesis::init(ctx, &own)
    })?;
    auth::ensure_module_account(ctx, staking::BONDED)?;
    auth::ensure_module_account(ctx, staking::NOT_BONDED)?;
    optional(state, staking::MODULE, |own| {
        staking::genesis::init(ctx, &own)
    })?;
    optional(state, slashing::MODULE, |own| {
        slashing::genesis::init(ctx, &own)
    })?;
    auth::ensure_module_account(ctx, "gov")?;
    optional(state, mint::MODULE, |own| mint::init_genesis(ctx, &own))?;
    auth::ensure_module_account(ctx, mint::MODULE)?;
    gentx::run_all(ctx, state.get(gentx::SECTION)).map_err(|error| error.within(gentx::SECTION))?;
    optional(state, evidence::MODULE, |own| {
        evidence::init_genesis(ctx, &own)
    })
}

/// Sections that are loaded.
const RUNNING: &[&str] = &[
    "auth",
    "authz",
    "bank",
    "feegrant",
    "distribution",
    "staking",
    "slashing",
    "mint",
    "evidence",
    "service",
    "gateway",
    "application",
    "supplier",
    "session",
    "proof",
    "tokenomics",
    "shared",
    "relaymill",
];

/// Reads a section, which must be there, and gives it to its module.
fn each<M: Message + Name + Default, T>(
    state: &Map<String, Value>,
    name: &str,
    load: impl FnOnce(M) -> Result<T, GenesisError>,
) -> Result<T, GenesisError> {
    let section = state
        .get(name)
        .ok_or_else(|| GenesisError::new(name, "missing section"))?;
    let section =
        proto::json::from_json(section).map_err(|error| GenesisError::new(name, error))?;
    load(section).map_err(|error| error.within(name))
}

/// Reads a section that may be missing or null.
fn optional<M: Message + Name + Default>(
    state: &Map<String, Value>,
    name: &str,
    load: impl FnOnce(M) -> Result<(), GenesisError>,
) -> Result<(), GenesisError> {
    match state.get(name) {
        None | Some(Value::Null) => Ok(()),
        Some(_) => each(state, name, load),
    }
}

/// Sum of stakes in upokt.
fn sum<'a>(
    stakes: impl Iterator<Item = &'a Option<Coin>>,
    list: &str,
) -> Result<u128, GenesisError> {
    let mut total = 0_u128;
    for (position, stake) in stakes.enumerate() {
        let wrong = || {
            GenesisError::new(
                format!("{list}[{position}].stake"),
                "is not an amount of upokt",
            )
        };
        let stake = stake
            .as_ref()
            .filter(|stake| stake.denom == UPOKT)
            .ok_or_else(wrong)?;
        let amount = bank::amount(stake).ok_or_else(wrong)?;
        total = total.checked_add(amount).ok_or_else(wrong)?;
    }
    Ok(total)
}

/// A module's account must hold what its actors have staked. States of the reference exist that do not (its local network
/// stakes in genesis without funding); a chain under the reference's rules takes them with a warning.
fn check_covered(ctx: &Context, module: &str, stakes: u128) -> Result<(), GenesisError> {
    let address = Address::module(module);
    let held = bank::balance(ctx, &address, UPOKT)?;
    if held < stakes {
        let reason = format!(
            "the account of `{module}` ({address}) holds {held}{UPOKT}, but {stakes}{UPOKT} are staked"
        );
        if ctx.rules == Rules::reference() {
            tracing::warn!(reason, "genesis leaves stakes uncovered");
            return Ok(());
        }
        return Err(GenesisError::new("bank.balances", reason));
    }
    Ok(())
}

/// The rules in the state; those of the reference when there are none.
///
/// # Errors
/// When the store fails or holds something else.
pub(crate) fn read_rules(ctx: &Context) -> Result<Rules, ChainError> {
    match ctx.get(RULES)? {
        None => Ok(Rules::reference()),
        Some(json) => {
            serde_json::from_slice(&json).map_err(|error| ChainError::corrupt("rules", error))
        }
    }
}

/// What the genesis document said in the section of a module that only answers queries about it.
///
/// # Errors
/// When the store fails.
pub(crate) fn section(ctx: &Context, name: &str) -> Result<Option<Value>, ChainError> {
    ctx.get(&[SECTIONS, name.as_bytes()].concat())?
        .map(|json| {
            serde_json::from_slice(&json)
                .map_err(|error| ChainError::corrupt("genesis section", error))
        })
        .transpose()
}

/// All sections, as a document's `app_state`.
///
/// # Errors
/// When the store fails.
pub(crate) fn export_state(ctx: &Context) -> Result<Map<String, Value>, ChainError> {
    let mut state = Map::new();
    for pair in ctx.iter(SECTIONS) {
        let (key, json) = pair?;
        let name = key.get(SECTIONS.len()..).unwrap_or_default();
        let section = serde_json::from_slice(&json)
            .map_err(|error| ChainError::corrupt("genesis section", error))?;
        state.insert(String::from_utf8_lossy(name).into_owned(), section);
    }
    put(&mut state, "auth", &auth::genesis::export(ctx)?)?;
    put(&mut state, "authz", &authz::genesis::export(ctx)?)?;
    put(&mut state, "bank", &bank::genesis::export(ctx)?)?;
    put(&mut state, "feegrant", &feegrant::genesis::export(ctx)?)?;
    export_sdk(ctx, &mut state)?;
    put(&mut state, "service", &service::export_genesis(ctx)?)?;
    put(&mut state, "gateway", &gateway::export_genesis(ctx)?)?;
    put(
        &mut state,
        "application",
        &application::export_genesis(ctx)?,
    )?;
    put(&mut state, "supplier", &supplier::export_genesis(ctx)?)?;
    put(&mut state, "session", &session::export_genesis(ctx)?)?;
    put(&mut state, "proof", &proof::export_genesis(ctx)?)?;
    put(&mut state, "tokenomics", &tokenomics::export_genesis(ctx)?)?;
    put(&mut state, "shared", &shared::export_genesis(ctx)?)?;
    let relaymill = serde_json::to_value(Relaymill {
        rules: read_rules(ctx)?,
        gas: prices::prices(ctx)?,
    })
    .map_err(|error| ChainError::corrupt("rules", error))?;
    state.insert("relaymill".to_owned(), relaymill);
    state.sort_keys();
    Ok(state)
}

/// The SDK's modules that run.
fn export_sdk(ctx: &Context, state: &mut Map<String, Value>) -> Result<(), ChainError> {
    if distribution::runs(ctx)? {
        let own = distribution::genesis::export(ctx)?;
        put(state, distribution::MODULE, &own)?;
    }
    if staking::runs(ctx)? {
        put(state, staking::MODULE, &staking::genesis::export(ctx)?)?;
    }
    if slashing::runs(ctx)? {
        put(state, slashing::MODULE, &slashing::genesis::export(ctx)?)?;
        put(state, evidence::MODULE, &evidence::export_genesis(ctx)?)?;
    }
    if let Some(own) = mint::export_genesis(ctx)? {
        put(state, mint::MODULE, &own)?;
    }
    Ok(())
}

fn put<M: Message + Name>(
    state: &mut Map<String, Value>,
    name: &str,
    section: &M,
) -> Result<(), ChainError> {
    let json = proto::json::to_json(section)?;
    let value = serde_json::from_str(&json).map_err(|error| ChainError::corrupt(name, error))?;
    state.insert(name.to_owned(), value);
    Ok(())
}
