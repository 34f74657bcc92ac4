//! `MsgEditValidator`: description, rate of commission and promised stake. Event: `edit_validator`.

use proto::cosmos::staking::v1beta1::{Description, MsgEditValidator, MsgEditValidatorResponse};

use super::validator::{Commission, Validator};
use super::{description, params, state};
use crate::context::{BlockTime, Context};
use crate::decimal::Dec;
use crate::error::TxError;
use crate::message::operator;
use crate::sdk;
use crate::staking::error;

/// The least time between two changes of a rate.
const DAY_NANOS: i128 = 24 * 3_600 * 1_000_000_000;

pub(super) fn execute(
    ctx: &mut Context,
    message: MsgEditValidator,
) -> Result<MsgEditValidatorResponse, TxError> {
    let address = operator("validator", &message.validator_address)?;
    let refuse = |text: String| TxError::invalid_request(text);
    if message.description == Description::default() {
        return Err(refuse("empty description".to_owned()));
    }
    let promised = match message.min_self_delegation.as_str() {
        "" => None,
        text => Some(
            text.parse::<u128>()
                .unwrap_or_else(|_| if text.starts_with('-') { 0 } else { u128::MAX }),
        ),
    };
    if promised == Some(0) {
        let text = "minimum self delegation must be a positive integer";
        return Err(refuse(text.to_owned()));
    }
    let rate = Dec::read_wire(&message.commission_rate).ok_or_else(|| {
        TxError::sdk(
            sdk::TX_PARSE,
            "commission_rate is no number: tx parse error",
        )
    })?;
    if let Some(rate) = &rate {
        if *rate > Dec::one() || rate.is_negative() {
            let text = "commission rate must be between 0 and 1 (inclusive)";
            return Err(refuse(text.to_owned()));
        }
        let minimum = params::min_commission_rate(ctx)?;
        if *rate < minimum {
            let text =
                format!("commission rate cannot be less than the min commission rate {minimum}");
            return Err(refuse(text));
        }
    }
    let mut validator = state::existing_validator(ctx, &address)?;
    validator.description = description::edited(&validator.description, &message.description)?;
    if let Some(rate) = rate {
        change_rate(&mut validator.commission, rate, ctx.block.time)?;
    }
    if let Some(promised) = promised {
        if promised <= validator.min_self_delegation {
            return Err(error::MIN_SELF_DELEGATION_DECREASED.plain());
        }
        if promised > validator.tokens {
            return Err(error::SELF_DELEGATION.plain());
        }
        validator.min_self_delegation = promised;
    }
    state::save_validator(ctx, &validator);
    let (commission, promised) = (
        go_text(&validator),
        validator.min_self_delegation.to_string(),
    );
    ctx.emit_raw(
        "edit_validator",
        &[
            ("commission_rate", &commission),
            ("min_self_delegation", &promised),
        ],
    );
    Ok(MsgEditValidatorResponse {})
}

fn change_rate(commission: &mut Commission, rate: Dec, now: BlockTime) -> Result<(), TxError> {
    let since = now
        .unix_nanos()
        .saturating_sub(commission.update_time.unix_nanos());
    if since < DAY_NANOS {
        return Err(error::COMMISSION_UPDATE_TIME.plain());
    }
    if rate.is_negative() {
        return Err(error::COMMISSION_NEGATIVE.plain());
    }
    if rate > commission.max_rate {
        return Err(error::COMMISSION_ABOVE_MAX.plain());
    }
    if rate.minus(&commission.rate)? > commission.max_change_rate {
        return Err(error::COMMISSION_CHANGE.plain());
    }
    commission.rate = rate;
    commission.update_time = now;
    Ok(())
}

/// The commission as Go prints a message in one line, which is what the event carries: decimals as on the wire, parts of
/// the time that are 0 left out.
fn go_text(validator: &Validator) -> String {
    let Commission {
        rate,
        max_rate,
        max_change_rate,
        update_time,
    } = &validator.commission;
    let part = |name: &str, value: i64| match value {
        0 => String::new(),
        value => format!("{name}:{value} "),
    };
    format!(
        "commission_rates:<rate:\"{}\" max_rate:\"{}\" max_change_rate:\"{}\" > update_time:<{}{}> ",
        rate.to_wire(),
        max_rate.to_wire(),
        max_change_rate.to_wire(),
        part("seconds", update_time.seconds),
        part("nanos", update_time.nanos.into()),
    )
}
