//! Mint: new coins by inflation, every block. Pocket's chains keep it at zero, but it runs and says so.
//!
//! Amounts, events and their order are the reference's (Cosmos SDK v0.53). The module runs on chains whose genesis has
//! its section.

use num_bigint::BigInt;
use proto::cosmos::mint::v1beta1::{
    GenesisState, Minter, MsgUpdateParams, MsgUpdateParamsResponse, Params,
    QueryAnnualProvisionsRequest, QueryAnnualProvisionsResponse, QueryInflationRequest,
    QueryInflationResponse, QueryParamsRequest, QueryParamsResponse,
};

use crate::bank::{self, Coins, UPOKT, valid_denom};
use crate::context::Context;
use crate::decimal::Dec;
use crate::error::{ChainError, GenesisError, QueryError, TxError};
use crate::message::{messages, unchecked};
use crate::modules::shared::authority::require_gov;
use crate::staking;
use crate::staking::params::fraction;
use crate::staking::query::answer;

/// Name of the module and of its account.
pub const MODULE: &str = "mint";

/// State key of the params.
const PARAMS: &[u8] = b"mint/params";
/// State key of the present rate.
const MINTER: &[u8] = b"mint/minter";

messages! {
    MsgUpdateParams: signer authority, check unchecked, execute update_params;
}

/// Params.
///
/// # Errors
/// When the store fails.
pub fn params(ctx: &Context) -> Result<Params, ChainError> {
    Ok(ctx.load(PARAMS)?.unwrap_or_else(zero_params))
}

/// Params without any inflation; the rest as in the SDK.
pub fn zero_params() -> Params {
    let zero = Dec::zero().to_wire();
    Params {
        mint_denom: UPOKT.to_owned(),
        inflation_rate_change: zero.clone(),
        inflation_max: zero.clone(),
        inflation_min: zero,
        goal_bonded: Dec::from_places(670_000_000_000_000_000).to_wire(),
        blocks_per_year: 6_311_520,
    }
}

/// The present rate and what it makes in a year.
///
/// # Errors
/// When the store fails.
pub fn minter(ctx: &Context) -> Result<Minter, ChainError> {
    Ok(ctx.load(MINTER)?.unwrap_or_else(zero_minter))
}

/// No inflation.
pub fn zero_minter() -> Minter {
    Minter {
        inflation: Dec::zero().to_wire(),
        annual_provisions: Dec::zero().to_wire(),
    }
}

/// Start of a block: adjusts the rate, mints a block's part of a year and gives it to the collected fees. Events: those
/// of minting, of the transfer, `mint`.
///
/// # Errors
/// When the store fails or supply would exceed 128 bits.
pub fn begin_block(ctx: &mut Context) -> Result<(), ChainError> {
    if !ctx.has(PARAMS)? {
        return Ok(());
    }
    let params = params(ctx)?;
    let supply = staking::staking_supply(ctx)?;
    let bonded = staking::bonded_ratio(ctx)?;
    let inflation = next_inflation(&Dec::from_wire(&minter(ctx)?.inflation)?, &params, &bonded)?;
    let provisions = inflation.mul_int(supply)?;
    let minter = Minter {
        inflation: inflation.to_wire(),
        annual_provisions: provisions.to_wire(),
    };
    ctx.save(MINTER.to_vec(), &minter);
    let amount = provisions
        .quo_int(BigInt::from(params.blocks_per_year))?
        .truncate()?;
    let minted = Coins::sum(&[bank::coin(amount, &params.mint_denom)])?.to_proto();
    if !minted.is_empty() {
        bank::mint(ctx, MODULE, &minted)?;
    }
    bank::module_to_module(ctx, MODULE, "fee_collector", &minted)?;
    ctx.emit_raw(
        "mint",
        &[
            ("bonded_ratio", &bonded.to_string()),
            ("inflation", &inflation.to_string()),
            ("annual_provisions", &provisions.to_string()),
            ("amount", &amount.to_string()),
        ],
    );
    Ok(())
}

/// The rate moves towards the goal: the less is bonded, the higher it gets, between its bounds.
fn next_inflation(old: &Dec, params: &Params, bonded: &Dec) -> Result<Dec, ChainError> {
    let goal = Dec::from_wire(&params.goal_bonded)?;
    let change = Dec::from_wire(&params.inflation_rate_change)?;
    let a_year = Dec::one().minus(&bonded.quo(&goal)?)?.mul(&change)?;
    let a_block = a_year.quo(&Dec::from_int(params.blocks_per_year))?;
    let inflation = old.plus(&a_block)?;
    let inflation = inflation.min(Dec::from_wire(&params.inflation_max)?);
    Ok(inflation.max(Dec::from_wire(&params.inflation_min)?))
}

fn update_params(
    ctx: &mut Context,
    message: MsgUpdateParams,
) -> Result<MsgUpdateParamsResponse, TxError> {
    require_gov(&message.authority)?;
    validate(&message.params)?;
    ctx.save(PARAMS.to_vec(), &message.params);
    Ok(MsgUpdateParamsResponse {})
}

/// Refuses params that the reference refuses, in its words.
fn validate(params: &Params) -> Result<(), TxError> {
    let refuse = |text: String| Err(TxError::undefined(text));
    if params.mint_denom.trim().is_empty() {
        return refuse("mint denom cannot be blank".to_owned());
    }
    if !valid_denom(&params.mint_denom) {
        return refuse(format!("invalid denom: {}", params.mint_denom));
    }
    fraction(
        "inflation rate change",
        &params.inflation_rate_change,
        false,
    )?;
    fraction("max inflation", &params.inflation_max, false)?;
    fraction("min inflation", &params.inflation_min, false)?;
    let goal = Dec::read_wire(&params.goal_bonded).flatten();
    if goal.as_ref().is_some_and(|goal| !goal.is_positive()) {
        let goal = goal.unwrap_or_default();
        return refuse(format!("goal bonded must be positive: {goal}"));
    }
    fraction("goal bonded", &params.goal_bonded, false)?;
    let blocks = params.blocks_per_year;
    if blocks == 0 {
        return refuse("blocks per year must be positive: 0".to_owned());
    }
    if i64::try_from(blocks).is_err() {
        return refuse(format!(
            "blocks per year too large: {blocks}, maximum value is: {}",
            i64::MAX
        ));
    }
    let (max, min) = (
        Dec::from_wire(&params.inflation_max)?,
        Dec::from_wire(&params.inflation_min)?,
    );
    if max < min {
        return refuse(format!(
            "max inflation ({max}) must be greater than or equal to min inflation ({min})"
        ));
    }
    Ok(())
}

/// Loads the section `mint`.
///
/// # Errors
/// Names the field.
pub fn init_genesis(ctx: &mut Context, section: &GenesisState) -> Result<(), GenesisError> {
    validate(&section.params).map_err(|error| GenesisError::new("params", error.log))?;
    for (field, wire) in [
        ("inflation", &section.minter.inflation),
        ("annual_provisions", &section.minter.annual_provisions),
    ] {
        let wrong = |reason: &str| GenesisError::new(format!("minter.{field}"), reason);
        let value = Dec::from_wire(wire).map_err(|error| wrong(&error.to_string()))?;
        if value.is_negative() {
            return Err(wrong("is negative"));
        }
    }
    ctx.save(MINTER.to_vec(), &section.minter);
    ctx.save(PARAMS.to_vec(), &section.params);
    Ok(())
}

/// The section `mint`; `None` where the module does not run.
///
/// # Errors
/// When the store fails.
pub fn export_genesis(ctx: &Context) -> Result<Option<GenesisState>, ChainError> {
    if !ctx.has(PARAMS)? {
        return Ok(None);
    }
    Ok(Some(GenesisState {
        minter: minter(ctx)?,
        params: params(ctx)?,
    }))
}

/// Answers a method of `cosmos.mint.v1beta1.Query`. `None` for methods it does not have.
pub fn query(ctx: &Context, method: &str, data: &[u8]) -> Option<Result<Vec<u8>, QueryError>> {
    Some(match method {
        "Params" => answer(data, |_: QueryParamsRequest| {
            let params = params(ctx)?;
            Ok(QueryParamsResponse { params })
        }),
        "Inflation" => answer(data, |_: QueryInflationRequest| {
            let inflation = minter(ctx)?.inflation.into_bytes().into();
            Ok(QueryInflationResponse { inflation })
        }),
        "AnnualProvisions" => answer(data, |_: QueryAnnualProvisionsRequest| {
            let annual_provisions = minter(ctx)?.annual_provisions.into_bytes().into();
            Ok(QueryAnnualProvisionsResponse { annual_provisions })
        }),
        _ => return None,
    })
}
