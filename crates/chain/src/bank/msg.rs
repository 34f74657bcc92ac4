//! Messages of the bank. Their checks run at execution, as in the reference: only the shape is looked at before.

use crypto::keys::Address;
use proto::cosmos::bank::v1beta1::{
    MsgMultiSend, MsgSend, MsgSendResponse, MsgSetSendEnabled, MsgUpdateParams,
};

use super::{msg_multi_send, msg_update};
use crate::bank::{self, Coins};
use crate::context::Context;
use crate::error::TxError;
use crate::message::{messages, unchecked};
use crate::sdk;

messages! {
    MsgSend: signer from_address, check unchecked, execute send;
    MsgMultiSend: each senders, check unchecked, execute msg_multi_send::execute;
    MsgUpdateParams: signer authority, check unchecked, execute msg_update::params;
    MsgSetSendEnabled: signer authority, check unchecked, execute msg_update::send_enabled;
}

fn senders(message: MsgMultiSend) -> Vec<String> {
    let inputs = message.inputs.into_iter();
    inputs.map(|input| input.address).collect()
}

fn send(ctx: &mut Context, message: MsgSend) -> Result<MsgSendResponse, TxError> {
    let from = address("from", &message.from_address)?;
    let to = address("to", &message.to_address)?;
    let coins = Coins::positive(&message.amount)?;
    check_send_enabled(ctx, &coins)?;
    bank::check_receiver(&to)?;
    bank::send(ctx, &from, &to, &message.amount)?;
    Ok(MsgSendResponse {})
}

pub(super) fn address(role: &str, text: &str) -> Result<Address, TxError> {
    Address::from_bech32(text).map_err(|error| {
        TxError::sdk(
            sdk::INVALID_ADDRESS,
            format!("invalid {role} address: {error}: invalid address"),
        )
    })
}

/// Refuses coins that nobody may send now.
///
/// # Errors
/// bank 5.
pub(crate) fn check_send_enabled(ctx: &Context, coins: &Coins) -> Result<(), TxError> {
    for (denom, _) in coins.iter() {
        if !bank::is_send_enabled(ctx, denom)? {
            let text =
                format!("{denom} transfers are currently disabled: send transactions are disabled");
            return Err(TxError::registered("bank", 5, text));
        }
    }
    Ok(())
}
