//! The account inside an `Any`: what clients need of it, whatever kind it is of.

use crypto::keys::PublicKey;
use prost::Message as _;
use prost_types::Any;
use proto::cosmos::{auth::v1beta1 as auth, vesting::v1beta1 as vesting};

use crate::{Error, Result};

/// The base account inside every kind of account.
pub(super) fn base_account(any: &Any) -> Result<auth::BaseAccount> {
    let name = proto::any::type_name(&any.type_url);
    let bytes = any.value.as_slice();
    let wrong = |error: prost::DecodeError| Error::malformed(name, error);
    let vested = |account: Option<vesting::BaseVestingAccount>| {
        account.and_then(|account| account.base_account)
    };
    let base = match name {
        "cosmos.auth.v1beta1.BaseAccount" => Some(auth::BaseAccount::decode(bytes).map_err(wrong)?),
        "cosmos.auth.v1beta1.ModuleAccount" => {
            auth::ModuleAccount::decode(bytes)
                .map_err(wrong)?
                .base_account
        }
        "cosmos.vesting.v1beta1.BaseVestingAccount" => {
            vesting::BaseVestingAccount::decode(bytes)
                .map_err(wrong)?
                .base_account
        }
        "cosmos.vesting.v1beta1.ContinuousVestingAccount" => vested(
            vesting::ContinuousVestingAccount::decode(bytes)
                .map_err(wrong)?
                .base_vesting_account,
        ),
        "cosmos.vesting.v1beta1.DelayedVestingAccount" => vested(
            vesting::DelayedVestingAccount::decode(bytes)
                .map_err(wrong)?
                .base_vesting_account,
        ),
        "cosmos.vesting.v1beta1.PeriodicVestingAccount" => vested(
            vesting::PeriodicVestingAccount::decode(bytes)
                .map_err(wrong)?
                .base_vesting_account,
        ),
        "cosmos.vesting.v1beta1.PermanentLockedAccount" => vested(
            vesting::PermanentLockedAccount::decode(bytes)
                .map_err(wrong)?
                .base_vesting_account,
        ),
        _ => None,
    };
    base.ok_or_else(|| Error::malformed("account", format!("no base account in a `{name}`")))
}

/// A secp256k1 key; accounts with other kinds, such as multisig, have none that rings could use.
pub(super) fn public_key(any: &Any) -> Result<Option<PublicKey>> {
    use proto::cosmos::crypto::secp256k1::PubKey;
    if any.type_url != proto::any::type_url::<PubKey>() {
        return Ok(None);
    }
    let wrong = |reason: String| Error::malformed("public key", reason);
    let key = PubKey::decode(any.value.as_slice()).map_err(|error| wrong(error.to_string()))?;
    PublicKey::from_bytes(&key.key)
        .map(Some)
        .map_err(|error| wrong(error.to_string()))
}
