//! `MsgMultiSend`: one sender, many recipients.

use crypto::keys::Address;
use proto::cosmos::bank::v1beta1::{Input, MsgMultiSend, MsgMultiSendResponse};

use super::msg::{address, check_send_enabled};
use crate::auth;
use crate::bank::{self, Coins};
use crate::context::Context;
use crate::error::TxError;
use crate::sdk;

/// Moves the coins. Events: `message` and `coin_spent` for the sender, then `coin_received` and `transfer` for each
/// recipient.
pub(super) fn execute(
    ctx: &mut Context,
    message: MsgMultiSend,
) -> Result<MsgMultiSendResponse, TxError> {
    let refuse = |code: u32, text: &str| TxError::registered("bank", code, text);
    let input = match message.inputs.as_slice() {
        [] => return Err(refuse(2, "no inputs to send transaction")),
        [input] => input,
        _ => return Err(refuse(9, "multiple senders not allowed")),
    };
    if message.outputs.is_empty() {
        return Err(refuse(3, "no outputs to send transaction"));
    }
    let (from, total) = sender(input)?;
    let mut paid = Coins::new();
    let mut outputs = Vec::new();
    for output in &message.outputs {
        let to = address("output", &output.address)?;
        let coins = Coins::positive(&output.coins)?;
        for (denom, amount) in coins.iter() {
            paid.add(denom, amount)
                .ok_or_else(|| TxError::sdk(sdk::INVALID_COINS, "outputs: invalid coins"))?;
        }
        outputs.push((to, coins, &output.address));
    }
    if paid != total {
        return Err(refuse(4, "sum inputs != sum outputs"));
    }
    check_send_enabled(ctx, &total)?;
    for (to, ..) in &outputs {
        bank::check_receiver(to)?;
    }

    // Events show the addresses as they were written.
    let sender = &input.address;
    ctx.emit_raw("message", &[("sender", sender)]);
    // New accounts are numbered before anything moves.
    for (to, ..) in &outputs {
        auth::ensure_account(ctx, to)?;
    }
    bank::subtract(ctx, &from, &total)?;
    for (to, coins, recipient) in &outputs {
        bank::add(ctx, to, coins)?;
        ctx.emit_raw(
            "transfer",
            &[
                ("recipient", recipient),
                ("sender", sender),
                ("amount", &coins.to_string()),
            ],
        );
    }
    Ok(MsgMultiSendResponse {})
}

fn sender(input: &Input) -> Result<(Address, Coins), TxError> {
    Ok((
        address("input", &input.address)?,
        Coins::positive(&input.coins)?,
    ))
}
