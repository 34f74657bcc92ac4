//! Messages of the bank: `MsgSend`, `MsgMultiSend`. Their checks run at execution, as in the reference: only the shape
//! is looked at before.

use crypto::keys::Address;
use prost::{Message, Name};
use proto::cosmos::bank::v1beta1::{
    Input, MsgMultiSend, MsgMultiSendResponse, MsgSend, MsgSendResponse,
};

use crate::auth;
use crate::bank::{self, Coins};
use crate::context::Context;
use crate::error::TxError;
use crate::sdk;

/// Executes a message of the bank. `None` for other types.
pub fn execute(
    ctx: &mut Context,
    type_name: &str,
    value: &[u8],
) -> Option<Result<Vec<u8>, TxError>> {
    if type_name == MsgSend::full_name() {
        Some(decode(value).and_then(|message| send(ctx, &message)))
    } else if type_name == MsgMultiSend::full_name() {
        Some(decode(value).and_then(|message| multi_send(ctx, &message)))
    } else {
        None
    }
}

/// Messages of the bank have no stateless check of their own. `None` for other types.
pub fn check(type_name: &str, _value: &[u8]) -> Option<Result<(), TxError>> {
    (type_name == MsgSend::full_name() || type_name == MsgMultiSend::full_name()).then_some(Ok(()))
}

/// Who signs a message of the bank. `None` for other types.
pub fn signers(type_name: &str, value: &[u8]) -> Option<Result<Vec<String>, TxError>> {
    if type_name == MsgSend::full_name() {
        Some(decode::<MsgSend>(value).map(|message| vec![message.from_address]))
    } else if type_name == MsgMultiSend::full_name() {
        let senders = |message: MsgMultiSend| {
            message
                .inputs
                .into_iter()
                .map(|input| input.address)
                .collect()
        };
        Some(decode::<MsgMultiSend>(value).map(senders))
    } else {
        None
    }
}

fn decode<M: Message + Default>(value: &[u8]) -> Result<M, TxError> {
    M::decode(value)
        .map_err(|error| TxError::sdk(sdk::TX_PARSE, format!("{error}: tx parse error")))
}

fn send(ctx: &mut Context, message: &MsgSend) -> Result<Vec<u8>, TxError> {
    let from = address("from", &message.from_address)?;
    let to = address("to", &message.to_address)?;
    let coins = Coins::strict(&message.amount)?;
    if coins.is_empty() {
        return Err(TxError::sdk(sdk::INVALID_COINS, ": invalid coins"));
    }
    check_send_enabled(ctx, &coins)?;
    bank::check_receiver(&to)?;
    bank::send(ctx, &from, &to, &message.amount)?;
    Ok(MsgSendResponse {}.encode_to_vec())
}

/// One sender, many recipients. Events: `message` and `coin_spent` for the sender, then `coin_received` and `transfer`
/// for each recipient.
fn multi_send(ctx: &mut Context, message: &MsgMultiSend) -> Result<Vec<u8>, TxError> {
    let refuse = |text: &str| TxError::sdk(sdk::INVALID_REQUEST, text);
    let input = match message.inputs.as_slice() {
        [] => return Err(refuse("no inputs to send transaction")),
        [input] => input,
        _ => return Err(refuse("multiple senders not allowed")),
    };
    if message.outputs.is_empty() {
        return Err(refuse("no outputs to send transaction"));
    }
    let (from, total) = sender(input)?;
    let mut paid = Coins::new();
    let mut outputs = Vec::new();
    for output in &message.outputs {
        let to = address("output", &output.address)?;
        let coins = Coins::strict(&output.coins)?;
        for (denom, amount) in coins.iter() {
            paid.add(denom, amount)
                .ok_or_else(|| TxError::sdk(sdk::INVALID_COINS, "outputs: invalid coins"))?;
        }
        outputs.push((to, coins));
    }
    if paid != total {
        return Err(refuse("sum inputs != sum outputs"));
    }
    check_send_enabled(ctx, &total)?;
    for (to, _) in &outputs {
        bank::check_receiver(to)?;
    }

    let sender = from.to_bech32();
    ctx.emit_raw("message", &[("sender", &sender)]);
    bank::subtract(ctx, &from, &total)?;
    for (to, coins) in &outputs {
        bank::add(ctx, to, coins)?;
        let recipient = to.to_bech32();
        ctx.emit_raw(
            "transfer",
            &[
                ("recipient", &recipient),
                ("sender", &sender),
                ("amount", &coins.to_string()),
            ],
        );
        auth::ensure_account(ctx, to)?;
    }
    Ok(MsgMultiSendResponse {}.encode_to_vec())
}

fn sender(input: &Input) -> Result<(Address, Coins), TxError> {
    let from = address("input", &input.address)?;
    let coins = Coins::strict(&input.coins)?;
    if coins.is_empty() {
        return Err(TxError::sdk(sdk::INVALID_COINS, ": invalid coins"));
    }
    Ok((from, coins))
}

fn address(role: &str, text: &str) -> Result<Address, TxError> {
    Address::from_bech32(text).map_err(|error| {
        TxError::sdk(
            sdk::INVALID_ADDRESS,
            format!("invalid {role} address: {error}: invalid address"),
        )
    })
}

fn check_send_enabled(ctx: &Context, coins: &Coins) -> Result<(), TxError> {
    for (denom, _) in coins.iter() {
        if !bank::is_send_enabled(ctx, denom)? {
            let text =
                format!("{denom} transfers are currently disabled: send transactions are disabled");
            return Err(TxError::registered("bank", 5, text));
        }
    }
    Ok(())
}
